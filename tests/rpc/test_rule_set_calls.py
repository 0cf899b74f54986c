"""Rule sets over the wire: their life, what a refusal says, and what a list shows."""

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from google.rpc import error_details_pb2

from domgrpc.v1 import rule_set_pb2 as pb
from tests.rpc.serving import Field, Shop, refusal

STORES = "location.type == 'STORE'"


def rule(rule_id: str, condition: str, effect: str = "EXCLUDE", **fields: Field) -> pb.RoutingRule:
    word = f"RULE_EFFECT_{effect}"
    return pb.RoutingRule(rule_id=rule_id, condition=condition, effect=word, **fields)


async def create(shop: Shop, *rules: pb.RoutingRule, **fields: Field) -> pb.RuleSet:
    return await shop.routing.CreateRuleSet(
        pb.CreateRuleSetRequest(request_id=shop.key(), rule_set=pb.RuleSet(rules=rules, **fields))
    )


async def validate(shop: Shop, version: int) -> pb.RuleSet:
    return await shop.routing.ValidateRuleSet(
        pb.ValidateRuleSetRequest(request_id=shop.key(), version=version)
    )


async def activate(shop: Shop, version: int) -> pb.RuleSet:
    return await shop.routing.ActivateRuleSet(
        pb.ActivateRuleSetRequest(request_id=shop.key(), version=version)
    )


async def get(shop: Shop, **fields: Field) -> pb.RuleSet:
    return await shop.routing.GetRuleSet(pb.GetRuleSetRequest(**fields))


async def test_the_built_in_rule_set_is_active_at_first(shop: Shop) -> None:
    rule_set = await get(shop)
    assert (rule_set.version, rule_set.state) == (0, pb.RULE_SET_STATE_ACTIVE)
    assert rule_set.strategy == pb.ROUTING_STRATEGY_CHEAPEST
    assert rule_set.unfilled_policy == pb.UNFILLED_POLICY_BACKORDER
    assert rule_set.limits.unit_split_allowed
    assert rule_set.prices.late_day_micros == 1_000_000
    assert rule_set.replanning.cool_down.seconds == 1_800
    assert rule_set.promise.seconds == 5 * 86_400


async def test_everything_that_is_said_comes_back(shop: Shop) -> None:
    said = pb.RuleSet(
        display_name="Winter",
        strategy=pb.ROUTING_STRATEGY_FASTEST,
        prices=pb.RoutingPrices(
            split_penalty_micros=1, late_day_micros=0, scarcity_weight_permille=3
        ),
        limits=pb.RoutingLimits(
            package_count_max=4,
            split_minimum_value_micros=5,
            unit_split_allowed=False,
            radius_m=6,
        ),
        unfilled_policy=pb.UNFILLED_POLICY_CANCEL,
        replanning=pb.ReplanningRules(stability_price_micros=0, cool_down=Duration(seconds=7)),
        promise=Duration(nanos=5_000_000),
        rules=[rule("a", f"{STORES}\n&&\ttrue"), rule("b", "", "PREFER", price_micros=-8)],
    )
    made = await shop.routing.CreateRuleSet(
        pb.CreateRuleSetRequest(request_id=shop.key(), rule_set=said)
    )
    assert (made.version, made.state, made.revision) == (1, pb.RULE_SET_STATE_DRAFT, 1)
    assert made.create_time == made.update_time
    for field, value in said.ListFields():
        assert getattr(made, field.name) == value


async def test_a_strategy_alone_is_its_preset(shop: Shop) -> None:
    made = await create(shop, strategy=pb.ROUTING_STRATEGY_NEAREST_FIRST)
    assert made.strategy == pb.ROUTING_STRATEGY_NEAREST_FIRST
    built_in = await get(shop, version=0)
    assert (made.prices, made.limits) == (built_in.prices, built_in.limits)


async def test_a_rule_set_goes_from_draft_to_active_and_back(shop: Shop) -> None:
    for location_id in ("a", "b"):
        await shop.add_location(location_id)
    await create(shop, rule("r", "location.id == 'a'"), rule("s", "location.id == 'z'"))
    validated = await validate(shop, 1)
    assert validated.state == pb.RULE_SET_STATE_VALIDATED
    assert list(validated.warnings) == ["rule 's' is about no location that there is now"]
    active = await activate(shop, 1)
    assert (active.state, active.active_revision) == (pb.RULE_SET_STATE_ACTIVE, active.revision)
    assert (await get(shop)).version == 1
    assert (await activate(shop, 0)).active_revision == active.revision + 1
    assert (await get(shop, version=1)).state == pb.RULE_SET_STATE_RETIRED


async def test_a_draft_cannot_be_activated(shop: Shop) -> None:
    await create(shop)
    refused = await refusal(activate(shop, 1))
    assert (refused.code, refused.reason) == (
        grpc.StatusCode.FAILED_PRECONDITION,
        "ILLEGAL_TRANSITION",
    )
    assert refused.facts == {"version": "1", "state": "DRAFT"}


@pytest.mark.parametrize("call", [validate, activate])
async def test_a_version_that_never_was_is_not_found(shop: Shop, call: Field) -> None:
    refused = await refusal(call(shop, 7))
    assert (refused.code, refused.reason) == (grpc.StatusCode.NOT_FOUND, "RULE_SET_NOT_FOUND")
    assert refused.detail(error_details_pb2.ResourceInfo).resource_name == "7"
    assert (await refusal(get(shop, version=7))).reason == "RULE_SET_NOT_FOUND"


async def test_a_bad_condition_is_refused_with_its_place(shop: Shop) -> None:
    await create(shop, rule("r", "order.channel == 'web' &&\nlocation.typ == 'STORE'"))
    refused = await refusal(validate(shop, 1))
    assert (refused.code, refused.reason) == (
        grpc.StatusCode.FAILED_PRECONDITION,
        "RULE_SET_INVALID",
    )
    assert refused.facts == {"rule_id": "r", "line": "2", "column": "10"}
    assert "did you mean 'type'?" in refused.message


async def test_a_contradiction_is_refused_with_its_rules(shop: Shop) -> None:
    await shop.add_location("a")
    await create(shop, rule("r", "location.id == 'a'"))
    refused = await refusal(validate(shop, 1))
    assert (refused.reason, refused.facts) == ("RULE_SET_CONTRADICTORY", {"rule_ids": "r"})


async def test_rule_sets_are_listed_in_pages_the_newest_first(shop: Shop) -> None:
    for number in range(3):
        await create(shop, display_name=str(number))
    found: list[int] = []
    token = ""
    while True:
        page = await shop.routing.ListRuleSets(
            pb.ListRuleSetsRequest(page_size=2, page_token=token)
        )
        found += [rule_set.version for rule_set in page.rule_sets]
        token = page.next_page_token
        if not token:
            break
    assert found == [3, 2, 1, 0]
    active = await shop.routing.ListRuleSets(pb.ListRuleSetsRequest(state=pb.RULE_SET_STATE_ACTIVE))
    assert [rule_set.version for rule_set in active.rule_sets] == [0]


async def test_a_retry_gets_the_first_answer(shop: Shop) -> None:
    request = pb.CreateRuleSetRequest(request_id="once", rule_set=pb.RuleSet(display_name="x"))
    made = await shop.routing.CreateRuleSet(request)
    assert await shop.routing.CreateRuleSet(request) == made
    assert (await refusal(get(shop, version=2))).reason == "RULE_SET_NOT_FOUND"
