"""RoutingService over the wire: simulations, explanations, new plans of open orders."""

import grpc
import pytest

from domgrpc.v1 import order_pb2 as od
from domgrpc.v1 import routing_pb2 as pb
from domgrpc.v1.rule_set_pb2 import RoutingStrategy
from tests.rpc.bad_shapes import Field
from tests.rpc.ordering import HOME, PICKUP, SHIP, edit, line, open_chain, place, places
from tests.rpc.serving import Shop, refusal

Code = grpc.StatusCode


@pytest.fixture
async def chain(shop: Shop) -> Shop:
    """A chain of three locations with ten of everything at each."""
    await open_chain(shop)
    return shop


async def simulate(
    chain: Shop, *lines: od.OrderLine, **fields: Field
) -> pb.SimulateRoutingResponse:
    fields.setdefault("terms", HOME)
    return await chain.routing.SimulateRouting(pb.SimulateRoutingRequest(lines=lines, **fields))


def where(answer: pb.SimulateRoutingResponse) -> list[str]:
    return [package.location_id for package in answer.plan.packages]


# --- simulations


async def test_a_simulation_plans_and_changes_nothing(chain: Shop) -> None:
    before = chain.engine.revision
    answer = await simulate(chain, line("A", 2), include_candidates=True)
    assert where(answer) == ["york"]
    (leg,) = answer.plan.legs
    assert leg.is_proven
    assert leg.lower_bound_micros == leg.cost_micros == answer.plan.cost_micros
    assert {row.location_id for row in leg.candidates} == {"york", "newark", "chicago"}
    assert all(len(row.unit_micros) == len(row.available_quantities) == 1 for row in leg.candidates)
    assert (await simulate(chain, line("A", 2))).plan.legs[0].candidates == []
    assert chain.engine.revision == before


async def test_a_simulation_takes_other_stock_for_granted(chain: Shop) -> None:
    mocked = [
        pb.MockStock(sku="A", location_id="york", quantity=0),
        pb.MockStock(sku="A", location_id="newark", quantity=50),
    ]
    assert where(await simulate(chain, line("A", 2), stock=mocked)) == ["newark"]
    assert where(await simulate(chain, line("A", 50), stock=mocked)) == ["newark"]


@pytest.mark.parametrize("strategy", [*RoutingStrategy.values()][1:])
async def test_a_simulation_goes_by_any_strategy(chain: Shop, strategy: RoutingStrategy) -> None:
    answer = await simulate(chain, line("A", 2), strategy=strategy)
    assert sum(each.quantity for package in answer.plan.packages for each in package.lines) == 2


async def test_a_simulation_by_an_unknown_rule_set_is_refused(chain: Shop) -> None:
    assert where(await simulate(chain, line("A"), rule_set_version=0)) == ["york"]
    refused = await refusal(simulate(chain, line("A"), rule_set_version=9))
    assert (refused.code, refused.reason) == (Code.NOT_FOUND, "RULE_SET_NOT_FOUND")


async def test_an_order_is_planned_again_as_if_its_units_were_free(chain: Shop) -> None:
    order = await place(chain, line("A", 10))
    assert places(order.fulfillment_orders) == [("york", [("A", 10)])]
    answer = await chain.routing.SimulateRouting(pb.SimulateRoutingRequest(order_id=order.order_id))
    assert where(answer) == ["york"]


# --- explanations


async def explain(chain: Shop, order: od.Order, **fields: Field) -> pb.ExplainDecisionResponse:
    return await chain.routing.ExplainDecision(
        pb.ExplainDecisionRequest(order_id=order.order_id, **fields)
    )


async def test_a_decision_says_what_it_weighed_and_what_removed_the_others(chain: Shop) -> None:
    order = await place(chain, line("A", 2), line("B", delivery_method=PICKUP, location_id="york"))
    answer = await explain(chain, order, include_candidates=True)
    assert (answer.order_id, answer.decision_count) == (order.order_id, 1)
    assert answer.decision.revision == order.revision
    shipped, collected = answer.decision.legs
    assert (shipped.delivery_method, collected.delivery_method) == (SHIP, PICKUP)
    assert collected.destination_location_id == "york"
    assert shipped.candidate_count == 3
    assert sum(each.location_count for each in collected.removed) == 2
    assert [(item.sku, item.quantity) for item in shipped.items] == [("A", 2)]
    assert shipped.candidates
    assert not (await explain(chain, order)).decision.legs[0].candidates


async def test_a_location_says_why_it_was_not_chosen(chain: Shop) -> None:
    await chain.count(("A", "newark", 1))
    order = await place(chain, line("A", 2))
    answer = await explain(chain, order, location_ids=["york", "chicago", "newark"])
    york, chicago, newark = answer.locations
    assert york.is_used
    assert not chicago.is_used
    assert chicago.cheaper_by_micros > 0
    assert [(each.sku, each.quantity) for each in newark.missing] == [("A", 1)]


async def test_earlier_decisions_are_explained_by_their_number(chain: Shop) -> None:
    order = await place(chain, line("A", 2))
    edited = await edit(chain, order, od.OrderLine(line_id="1", quantity=3))
    newest = await explain(chain, order)
    assert newest.decision.revision == edited.revision
    assert newest == await explain(chain, order, decision_number=1)
    first = await explain(chain, order, decision_number=0)
    assert (first.decision.revision, first.decision_count) == (order.revision, 2)
    refused = await refusal(explain(chain, order, decision_number=2))
    assert (refused.code, refused.reason) == (Code.NOT_FOUND, "DECISION_NOT_FOUND")


async def test_what_is_not_there_is_not_explained(chain: Shop) -> None:
    order = await place(chain, line("A"))
    refused = await refusal(explain(chain, od.Order(order_id="none")))
    assert refused.reason == "ORDER_NOT_FOUND"
    refused = await refusal(explain(chain, order, location_ids=["nowhere"]))
    assert refused.reason == "LOCATION_NOT_FOUND"


async def test_the_larger_the_order_the_fewer_locations_are_explained_at_once(
    chain: Shop,
) -> None:
    order = await place(chain, *[line("A", delivery_method=PICKUP, location_id="york")] * 101)
    refused = await refusal(explain(chain, order, location_ids=["york"] * 100))
    assert (refused.code, refused.field) == (Code.INVALID_ARGUMENT, "location_ids")
    assert "up to 99" in refused.message


# --- new plans


def move(order: od.Order, location_id: str, quantity: int = 1) -> pb.ReplanMove:
    """Return a new plan of an order of one line."""
    package = pb.ReplanPackage(
        location_id=location_id,
        delivery_method=SHIP,
        lines=[od.LineUnits(line_id="1", quantity=quantity)],
    )
    return pb.ReplanMove(order_id=order.order_id, etag=order.etag, packages=[package])


async def apply(chain: Shop, *moves: pb.ReplanMove, **fields: Field) -> pb.ApplyReplanResponse:
    return await chain.routing.ApplyReplan(
        pb.ApplyReplanRequest(request_id=chain.key(), moves=moves, **fields)
    )


async def test_new_plans_are_booked_in_one_step_and_say_what_stayed(chain: Shop) -> None:
    orders = [await place(chain, line("A"), order_id=f"o{number}") for number in range(4)]
    await edit(chain, orders[2], od.OrderLine(line_id="1", quantity=2))
    moves = [
        move(orders[0], "newark"),
        move(orders[1], "chicago"),
        move(orders[2], "newark"),
        move(orders[3], "newark", quantity=5),
    ]
    shown = await apply(chain, *moves, validate_only=True)
    assert (await chain.position("A", "newark")).allocated == 0
    answer = await apply(chain, *moves)
    assert answer.applied_order_ids == shown.applied_order_ids == ["o0", "o1"]
    assert [each.order_id for each in answer.skipped] == ["o2", "o3"]
    assert all(each.reason for each in answer.skipped)
    moved = await chain.orders.GetOrder(od.GetOrderRequest(order_id="o1"))
    assert places(moved.fulfillment_orders) == [("chicago", [("A", 1)])]
    assert moved.revision == answer.revision
    chain.engine.writer.state.check_invariants()


async def test_watchers_hear_of_orders_that_are_planned_again(chain: Shop) -> None:
    order = await place(chain, line("A"))
    call = chain.orders.WatchOrders(od.WatchOrdersRequest(location_ids=["york"]))
    await call.read()
    answer = await apply(chain, move(order, "newark"))
    message = await call.read()
    assert isinstance(message, od.WatchOrdersResponse)
    (change,) = message.changes
    assert (change.revision, change.order.order_id) == (answer.revision, order.order_id)
    call.cancel()
