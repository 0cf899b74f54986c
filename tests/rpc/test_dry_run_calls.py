"""DryRunRuleSet over the wire: what it tells, what it notes, and what it leaves alone."""

import asyncio

import grpc
import pytest

from domgrpc.v1 import location_pb2 as lo
from domgrpc.v1 import order_pb2 as od
from domgrpc.v1 import rule_set_pb2 as pb
from domgrpc.v1 import types_pb2 as ty
from tests.rpc.ordering import HOME, line, open_chain, place
from tests.rpc.serving import Field, Shop, refusal
from tests.rpc.test_rule_set_calls import activate, create, get, rule, validate

Code = grpc.StatusCode


@pytest.fixture
async def chain(shop: Shop) -> Shop:
    """A chain whose rule set 1 leaves out the place nearest to the customers."""
    await open_chain(shop)
    await create(shop, rule("no", "location.id == 'york'"))
    await validate(shop, 1)
    return shop


async def dry_run(shop: Shop, version: int = 1, **fields: Field) -> pb.DryRunRuleSetResponse:
    fields.setdefault("request_id", shop.key())
    return await shop.routing.DryRunRuleSet(pb.DryRunRuleSetRequest(version=version, **fields))


async def test_orders_are_compared_under_both_rule_sets_and_added_up(chain: Shop) -> None:
    first = await place(chain, line("A", 2))
    second = await place(chain, line("B", 25))
    before = chain.engine.revision
    answer = await dry_run(chain)
    assert [each.order_id for each in answer.orders] == [second.order_id, first.order_id]
    big, small = answer.orders
    assert small.active.location_ids == ["york"]
    assert small.tried.location_ids == ["newark"]
    assert small.differs
    assert 0 < small.active.paid_micros < small.tried.paid_micros
    assert (big.active.package_count, big.tried.package_count) == (3, 2)
    assert (big.active.unfilled_quantity, big.tried.unfilled_quantity) == (0, 5)
    assert (answer.active_version, answer.differing_count) == (0, 2)
    assert (answer.active_unfilled_count, answer.tried_unfilled_count) == (0, 1)
    assert answer.tried_total == pb.TriedPlan(
        cost_micros=big.tried.cost_micros + small.tried.cost_micros,
        paid_micros=big.tried.paid_micros + small.tried.paid_micros,
        package_count=3,
        unfilled_quantity=5,
    )
    assert answer.active_total.package_count == 4
    assert answer.revision == before + 1
    kept = await chain.orders.GetOrder(od.GetOrderRequest(order_id=first.order_id))
    assert kept.fulfillment_orders == first.fulfillment_orders


async def test_a_validated_rule_set_becomes_a_dry_run_and_can_be_activated(chain: Shop) -> None:
    answer = await dry_run(chain)
    assert answer.rule_set.state == pb.RULE_SET_STATE_DRY_RUN
    assert answer.rule_set.revision == answer.revision
    assert (await get(chain, version=1)).state == pb.RULE_SET_STATE_DRY_RUN
    revision = answer.revision
    assert (await dry_run(chain)).rule_set.state == pb.RULE_SET_STATE_DRY_RUN
    assert chain.engine.revision == revision + 1
    await activate(chain, 1)
    answer = await dry_run(chain, 0)
    assert (answer.active_version, answer.rule_set.state) == (1, pb.RULE_SET_STATE_RETIRED)


async def test_so_many_orders_are_tried_those_placed_last(chain: Shop) -> None:
    orders = [await place(chain, line("A")) for _ in range(3)]
    answer = await dry_run(chain, order_count=2)
    names = {each.order_id for each in orders}
    assert len(answer.orders) == 2
    assert {each.order_id for each in answer.orders} < names


async def test_an_order_that_cannot_be_planned_any_more_is_named(chain: Shop) -> None:
    await chain.locations.CreateLocationGroup(
        lo.CreateLocationGroupRequest(
            request_id=chain.key(),
            group=lo.LocationGroup(group_id="east", location_ids=["york"]),
        )
    )
    terms = od.OrderTerms()
    terms.CopyFrom(HOME)
    terms.scope.CopyFrom(ty.Scope(groups=ty.GroupList(group_ids=["east"])))
    order = await place(chain, line("A"), terms=terms)
    await chain.locations.DeleteLocationGroup(
        lo.DeleteLocationGroupRequest(request_id=chain.key(), group_id="east")
    )
    answer = await dry_run(chain)
    assert not answer.orders
    (untried,) = answer.untried
    assert (untried.order_id, "east" in untried.reason) == (order.order_id, True)


async def test_a_retry_tries_again_by_the_stock_of_then(chain: Shop) -> None:
    await place(chain, line("A", 12))
    first = await dry_run(chain, request_id="same")
    await chain.count(("A", "newark", 20))
    second = await dry_run(chain, request_id="same")
    assert first.orders[0].tried.package_count == 2
    assert second.orders[0].tried.package_count == 1
    assert second.rule_set == first.rule_set


@pytest.mark.parametrize(
    ("fields", "reason", "field"),
    [
        ({"request_id": ""}, "REQUEST_ID_MISSING", "request_id"),
        ({"order_count": 1_001}, "INVALID_FIELD", "order_count"),
        ({"order_count": -1}, "INVALID_FIELD", "order_count"),
        ({"version": -1}, "INVALID_FIELD", "version"),
    ],
)
async def test_a_bad_request_is_refused_by_its_field(
    chain: Shop, fields: dict[str, Field], reason: str, field: str
) -> None:
    refused = await refusal(dry_run(chain, **fields))
    assert (refused.reason, refused.field) == (reason, field)


async def test_a_draft_and_an_unknown_version_are_refused(chain: Shop) -> None:
    await create(chain)
    assert (await refusal(dry_run(chain, 2))).reason == "ILLEGAL_TRANSITION"
    refused = await refusal(dry_run(chain, 3))
    assert (refused.code, refused.reason) == (Code.NOT_FOUND, "RULE_SET_NOT_FOUND")


async def test_a_request_id_with_another_version_is_refused(chain: Shop) -> None:
    await dry_run(chain, request_id="same")
    refused = await refusal(dry_run(chain, 0, request_id="same"))
    assert refused.reason == "REQUEST_ID_REUSED"


async def test_one_rule_set_is_tried_at_a_time(chain: Shop) -> None:
    for _ in range(11):
        await place(chain, line("A"))
    first = asyncio.ensure_future(chain.engine.dry_runner.run(0, 100))  # type: ignore[arg-type]
    await asyncio.sleep(0)
    refused = await refusal(dry_run(chain))
    assert (refused.code, refused.reason) == (Code.FAILED_PRECONDITION, "DRY_RUN_RUNNING")
    await first
