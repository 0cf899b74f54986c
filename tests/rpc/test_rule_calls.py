"""Safety stock rules over the wire: made, changed, explained, listed, removed."""

import grpc
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp

from domgrpc.v1 import inventory_pb2 as pb
from domgrpc.v1 import types_pb2
from tests.rpc.serving import NOON_MS, Field, Shop, refusal

LATER = Timestamp(seconds=NOON_MS // 1_000 + 3_600)


async def create(shop: Shop, rule_id: str, **fields: Field) -> pb.SafetyStockRule:
    return await shop.inventory.CreateSafetyStockRule(
        pb.CreateSafetyStockRuleRequest(
            request_id=shop.key(), rule=pb.SafetyStockRule(rule_id=rule_id, **fields)
        )
    )


async def update(
    shop: Shop, rule: pb.SafetyStockRule, *paths: str, **fields: Field
) -> pb.SafetyStockRule:
    return await shop.inventory.UpdateSafetyStockRule(
        pb.UpdateSafetyStockRuleRequest(
            request_id=shop.key(), rule=rule, update_mask=FieldMask(paths=paths), **fields
        )
    )


async def remove(shop: Shop, rule_id: str, etag: str = "") -> pb.DeleteSafetyStockRuleResponse:
    return await shop.inventory.DeleteSafetyStockRule(
        pb.DeleteSafetyStockRuleRequest(request_id=shop.key(), rule_id=rule_id, etag=etag)
    )


async def get(shop: Shop, rule_id: str) -> pb.SafetyStockRule:
    return await shop.inventory.GetSafetyStockRule(pb.GetSafetyStockRuleRequest(rule_id=rule_id))


async def test_a_rule_comes_back_as_it_was_created(shop: Shop) -> None:
    await shop.add_location("a")
    made = await create(
        shop,
        "r",
        sku="A",
        category="c",
        location_id="a",
        location_type="LOCATION_TYPE_STORE",
        delivery_method=types_pb2.DELIVERY_METHOD_PICKUP,
        channel="web",
        percent_of_on_hand=0,
        start_time=Timestamp(seconds=5),
        end_time=LATER,
    )
    assert made.kind == pb.SAFETY_STOCK_RULE_KIND_SAFETY_STOCK
    assert made.WhichOneof("value") == "percent_of_on_hand"
    assert (made.start_time.seconds, made.end_time) == (5, LATER)
    assert (made.sku, made.category, made.location_id, made.channel) == ("A", "c", "a", "web")
    assert await get(shop, "r") == made


async def test_a_rule_needs_its_places_and_its_own_id(shop: Shop) -> None:
    refused = await refusal(create(shop, "r", location_id="a", fixed_quantity=1))
    assert refused.reason == "LOCATION_NOT_FOUND"
    assert (await refusal(create(shop, "r", group_id="g", fixed_quantity=1))).reason == (
        "GROUP_NOT_FOUND"
    )
    await create(shop, "r", fixed_quantity=1)
    assert (await create(shop, "r", fixed_quantity=1)).etag == "3"
    taken = await refusal(create(shop, "r", fixed_quantity=2))
    assert (taken.code, taken.reason) == (grpc.StatusCode.ALREADY_EXISTS, "RULE_ID_TAKEN")


async def test_an_update_of_the_value_may_change_its_form(shop: Shop) -> None:
    made = await create(shop, "r", sku="A", fixed_quantity=4)
    rule = pb.SafetyStockRule(rule_id="r", percent_of_on_hand=20)
    changed = await update(shop, rule, "value", etag=made.etag)
    assert (changed.WhichOneof("value"), changed.sku) == ("percent_of_on_hand", "A")
    stale = await refusal(update(shop, rule, "value", etag=made.etag))
    assert stale.reason == "ETAG_MISMATCH"
    other = pb.SafetyStockRule(rule_id="other", fixed_quantity=1)
    assert (await refusal(update(shop, other, "sku"))).reason == "RULE_NOT_FOUND"
    assert (await update(shop, other, "sku", allow_missing=True)).fixed_quantity == 1


async def test_an_update_that_does_not_name_the_value_keeps_it(shop: Shop) -> None:
    await create(shop, "r", sku="A", fixed_quantity=4)
    changed = await update(shop, pb.SafetyStockRule(rule_id="r", sku="B"), "sku")
    assert (changed.sku, changed.fixed_quantity) == ("B", 4)


async def test_a_threshold_is_for_every_demand_however_it_comes_about(shop: Shop) -> None:
    low = pb.SAFETY_STOCK_RULE_KIND_LOW_STOCK
    bad = await refusal(create(shop, "r", kind=low, channel="web", fixed_quantity=1))
    assert (bad.code, bad.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "RULE_INVALID")
    assert bad.field == "rule.channel"
    await create(shop, "r", kind=low, sku="A", fixed_quantity=1)
    pickup = pb.SafetyStockRule(rule_id="r", delivery_method=types_pb2.DELIVERY_METHOD_PICKUP)
    worse = await refusal(update(shop, pickup, "delivery_method"))
    assert (worse.reason, worse.field) == ("RULE_INVALID", "rule.delivery_method")
    assert not (await get(shop, "r")).delivery_method
    # The message alone would be a threshold for one channel; the mask names neither.
    harmless = pb.SafetyStockRule(rule_id="r", kind=low, channel="web", sku="B")
    assert (await update(shop, harmless, "sku")).sku == "B"


async def test_a_rule_ends_after_it_starts_however_it_comes_about(shop: Shop) -> None:
    bad = await refusal(create(shop, "r", fixed_quantity=1, start_time=LATER, end_time=LATER))
    assert (bad.reason, bad.field) == ("RULE_INVALID", "rule.end_time")
    await create(shop, "r", fixed_quantity=1, end_time=LATER)
    worse = await refusal(
        update(shop, pb.SafetyStockRule(rule_id="r", start_time=LATER), "start_time")
    )
    assert (worse.reason, worse.field) == ("RULE_INVALID", "rule.end_time")


async def test_a_rule_that_an_update_creates_needs_its_value(shop: Shop) -> None:
    bare = pb.SafetyStockRule(rule_id="r", sku="B")
    bad = await refusal(update(shop, bare, "sku", allow_missing=True))
    assert (bad.code, bad.field) == (grpc.StatusCode.INVALID_ARGUMENT, "rule.value")
    await create(shop, "r", sku="A", fixed_quantity=4)
    changed = await update(shop, bare, "sku", allow_missing=True)
    assert (changed.sku, changed.fixed_quantity) == ("B", 4)


async def test_the_explanation_names_the_winner_and_the_losers(shop: Shop) -> None:
    await shop.add_location("a")
    await shop.count(("A", "a", 50))
    await create(shop, "everywhere", fixed_quantity=1)
    await create(shop, "web-a", location_id="a", channel="web", percent_of_on_hand=9)
    await create(shop, "low", kind=pb.SAFETY_STOCK_RULE_KIND_LOW_STOCK, fixed_quantity=7)
    question = pb.ExplainSafetyStockRequest(sku="A", location_id="a", channel="web")
    answer = await shop.inventory.ExplainSafetyStock(question)
    found = {
        decision.kind: (decision.rule_id, decision.quantity, list(decision.other_rule_ids))
        for decision in answer.decisions
    }
    assert found == {
        pb.SAFETY_STOCK_RULE_KIND_SAFETY_STOCK: ("web-a", 5, ["everywhere"]),
        pb.SAFETY_STOCK_RULE_KIND_LOW_STOCK: ("low", 7, []),
    }
    question.location_id = "b"
    refused = await refusal(shop.inventory.ExplainSafetyStock(question))
    assert refused.reason == "LOCATION_NOT_FOUND"


async def test_rules_are_listed_by_id_and_removed(shop: Shop) -> None:
    for rule_id in ("b", "a", "c"):
        await create(shop, rule_id, fixed_quantity=1)
    listed = await shop.inventory.ListSafetyStockRules(pb.ListSafetyStockRulesRequest())
    assert [rule.rule_id for rule in listed.rules] == ["a", "b", "c"]
    assert (await refusal(remove(shop, "b", etag="9"))).reason == "ETAG_MISMATCH"
    await remove(shop, "b")
    missing = await refusal(get(shop, "b"))
    assert (missing.code, missing.reason) == (grpc.StatusCode.NOT_FOUND, "RULE_NOT_FOUND")
    assert (await refusal(remove(shop, "b"))).reason == "RULE_NOT_FOUND"
