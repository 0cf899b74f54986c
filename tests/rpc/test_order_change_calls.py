"""OrderService over the wire: orders changed, held, worked on."""

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from domgrpc.v1 import order_pb2 as pb
from tests.rpc.ordering import (
    HOME,
    PICKUP,
    advance,
    cancel,
    edit,
    line,
    open_chain,
    place,
    places,
)
from tests.rpc.serving import NOON_MS, Shop, refusal

Code = grpc.StatusCode
NOON = Timestamp(seconds=NOON_MS // 1_000)
FRAUD = pb.HOLD_KIND_FRAUD
NOWHERE = pb.OrderTerms(channel="web", customer_id="ann")


@pytest.fixture
async def chain(shop: Shop) -> Shop:
    """A chain of three locations with ten of everything at each."""
    await open_chain(shop)
    return shop


# --- changing


async def test_a_quantity_changes_and_the_rest_of_the_line_stays(chain: Shop) -> None:
    order = await place(
        chain,
        line("A", 2, unit_price_micros=5, delivery_method=PICKUP, location_id="newark"),
        line("B"),
    )
    edited = await edit(chain, order, pb.OrderLine(line_id="1", quantity=5))
    first = edited.lines[0]
    assert (first.quantity, first.delivery_method, first.location_id) == (5, PICKUP, "newark")
    assert first.unit_price_micros == 5
    assert (await chain.position("A", "newark")).allocated == 5


async def test_lines_are_added_replaced_and_removed(chain: Shop) -> None:
    order = await place(chain, line("A", 2), line("B"))
    edited = await edit(
        chain,
        order,
        line("A", 1, line_id="1", delivery_method=PICKUP, location_id="newark"),
        pb.OrderLine(line_id="2", quantity=0),
        line("C", 3, line_id="new"),
    )
    assert [(each.line_id, each.sku, each.quantity) for each in edited.lines] == [
        ("1", "A", 1),
        ("new", "C", 3),
    ]
    assert sorted(places(edited.fulfillment_orders)) == [
        ("newark", [("A", 1)]),
        ("york", [("C", 3)]),
    ]


async def test_a_line_that_is_not_there_needs_a_sku_to_be_added(chain: Shop) -> None:
    order = await place(chain, line("A"))
    refused = await refusal(edit(chain, order, pb.OrderLine(line_id="9", quantity=1)))
    assert (refused.code, refused.reason) == (Code.NOT_FOUND, "ORDER_LINE_NOT_FOUND")


async def test_another_address_moves_what_goes_there(chain: Shop) -> None:
    order = await place(chain, line("A"))
    chicago = pb.Address(postal_code="60601")
    shown = await edit(chain, order, address=chicago, validate_only=True)
    assert places(shown.fulfillment_orders) == [("chicago", [("A", 1)])]
    read = await chain.orders.GetOrder(pb.GetOrderRequest(order_id=order.order_id))
    assert places(read.fulfillment_orders) == [("york", [("A", 1)])]
    edited = await edit(chain, order, address=chicago, etag=order.etag)
    assert places(edited.fulfillment_orders) == [("chicago", [("A", 1)])]
    refused = await refusal(edit(chain, order, address=HOME.address, etag=order.etag))
    assert (refused.code, refused.reason) == (Code.ABORTED, "ETAG_MISMATCH")


async def test_units_or_all_of_an_order_are_cancelled(chain: Shop) -> None:
    order = await place(chain, line("A", 3), line("B"))
    units = [pb.LineUnits(line_id="1", quantity=2)]
    shown = await cancel(chain, order, lines=units, validate_only=True)
    assert shown.lines[0].cancelled_quantity == 2
    partly = await cancel(chain, order, lines=units, reason="too many")
    assert [each.cancelled_quantity for each in partly.lines] == [2, 0]
    assert partly.history[-1].detail == "too many"
    assert (await chain.position("A", "york")).allocated == 1
    gone = await cancel(chain, order)
    assert gone.status == pb.ORDER_STATUS_CANCELLED
    assert (await chain.position("B", "york")).allocated == 0
    refused = await refusal(cancel(chain, order, lines=units))
    assert refused.reason == "CANCELLATION_TOO_LARGE"


async def test_what_was_given_to_its_location_is_not_changed_here(chain: Shop) -> None:
    order = await place(chain, line("A", 3))
    await advance(chain, order, "RELEASED")
    for changing in (
        cancel(chain, order),
        edit(chain, order, pb.OrderLine(line_id="1", quantity=1)),
    ):
        refused = await refusal(changing)
        assert (refused.code, refused.reason) == (Code.FAILED_PRECONDITION, "LINE_RELEASED")
        assert refused.facts["line_id"] == "1"


# --- holds and work


async def test_the_work_of_an_order_on_hold_waits(chain: Shop) -> None:
    order = await place(chain, line("A"), holds=[pb.OrderHold(kind=FRAUD, reason="score 80")])
    assert order.status == pb.ORDER_STATUS_ON_HOLD
    (hold,) = order.holds
    assert (hold.kind, hold.reason, hold.client_id) == (FRAUD, "score 80", "anonymous")
    refused = await refusal(advance(chain, order, "RELEASED"))
    assert (refused.code, refused.reason) == (Code.FAILED_PRECONDITION, "ORDER_ON_HOLD")
    held = await chain.orders.HoldOrder(
        pb.HoldOrderRequest(
            request_id=chain.key(),
            order_id=order.order_id,
            kind=pb.HOLD_KIND_PAYMENT,
            reason="card",
        )
    )
    assert [each.kind for each in held.holds] == [FRAUD, pb.HOLD_KIND_PAYMENT]
    free = held
    for kind in (FRAUD, pb.HOLD_KIND_PAYMENT, pb.HOLD_KIND_PAYMENT):
        free = await chain.orders.ReleaseOrder(
            pb.ReleaseOrderRequest(request_id=chain.key(), order_id=order.order_id, kind=kind)
        )
    assert free.status == pb.ORDER_STATUS_OPEN
    assert not free.holds


async def test_work_goes_on_step_by_step_and_takes_its_units_along(chain: Shop) -> None:
    order = await place(chain, line("A", 2))
    shipped = await advance(chain, order, "RELEASED", "SHIPPED")
    assert shipped.status == pb.ORDER_STATUS_SHIPPED
    position = await chain.position("A", "york")
    assert (position.on_hand, position.allocated) == (8, 0)
    again = await advance(chain, order, "SHIPPED")
    assert again.etag == shipped.etag
    assert (await advance(chain, order, "DELIVERED")).status == pb.ORDER_STATUS_DELIVERED
    refused = await refusal(advance(chain, order, "RELEASED"))
    assert (refused.code, refused.reason) == (Code.FAILED_PRECONDITION, "ILLEGAL_STEP")


async def test_what_a_store_hands_over_is_collected(chain: Shop) -> None:
    order = await place(chain, line("A", delivery_method=PICKUP, location_id="york"))
    ready = await advance(chain, order, "RELEASED", "READY")
    assert ready.status == pb.ORDER_STATUS_OPEN
    collected = await advance(chain, order, "COLLECTED")
    assert collected.status == pb.ORDER_STATUS_DELIVERED
    assert (await chain.position("A", "york")).on_hand == 9


async def test_work_that_a_location_gives_back_is_planned_elsewhere(chain: Shop) -> None:
    order = await place(chain, line("A"))
    again = await advance(chain, order, "RELEASED", "CANCELLED")
    assert [work.state for work in again.fulfillment_orders] == [
        pb.FULFILLMENT_STATE_CANCELLED,
        pb.FULFILLMENT_STATE_OPEN,
    ]
    assert again.fulfillment_orders[1].location_id != "york"


async def test_unknown_work_is_not_found(chain: Shop) -> None:
    order = await place(chain, line("A"))
    order.fulfillment_orders[0].fulfillment_order_id = "o/9"
    refused = await refusal(advance(chain, order, "RELEASED"))
    assert (refused.code, refused.reason) == (Code.NOT_FOUND, "FULFILLMENT_ORDER_NOT_FOUND")
