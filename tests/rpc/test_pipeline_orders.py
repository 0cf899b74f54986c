"""Execute over the wire: orders are placed and followed in the fast lane as they are alone."""

import pytest
from google.protobuf.duration_pb2 import Duration

from domgrpc.v1 import order_pb2 as pb
from domgrpc.v1.errors_pb2 import InsufficientStock
from domgrpc.v1.pipeline_pb2 import ExecuteRequest, ExecuteResponse, Operation
from tests.rpc.ordering import HOME, line, open_chain, places, placing
from tests.rpc.serving import Refusal, Shop

FRAUD = pb.HOLD_KIND_FRAUD
BASIC = pb.ORDER_VIEW_BASIC


@pytest.fixture
async def chain(shop: Shop) -> Shop:
    """A chain of three locations with ten of everything at each."""
    await open_chain(shop)
    return shop


async def execute(shop: Shop, *operations: Operation) -> ExecuteResponse:
    return await shop.pipeline.Execute(ExecuteRequest(operations=operations))


def place(request_id: str, *lines: pb.OrderLine, **fields: pb.OrderView) -> Operation:
    return Operation(place_order=placing(*lines, request_id=request_id, **fields))


EVERY_KIND = (
    Operation(
        place_order=placing(
            line("A", 2),
            line("B"),
            request_id="o",
            holds=[pb.OrderHold(kind=FRAUD)],
        )
    ),
    Operation(
        hold_order=pb.HoldOrderRequest(
            request_id="1", order_id="o", kind=pb.HOLD_KIND_OTHER, view=BASIC
        )
    ),
    Operation(
        release_order=pb.ReleaseOrderRequest(request_id="2", order_id="o", kind=pb.HOLD_KIND_OTHER)
    ),
    Operation(release_order=pb.ReleaseOrderRequest(request_id="3", order_id="o", kind=FRAUD)),
    Operation(
        edit_order=pb.EditOrderRequest(
            request_id="4", order_id="o", lines=[pb.OrderLine(line_id="1", quantity=3)]
        )
    ),
    Operation(
        cancel_order=pb.CancelOrderRequest(
            request_id="5", order_id="o", lines=[pb.LineUnits(line_id="2", quantity=1)]
        )
    ),
    Operation(
        advance_fulfillment_order=pb.AdvanceFulfillmentOrderRequest(
            request_id="6",
            order_id="o",
            fulfillment_order_id="o/1",
            state=pb.FULFILLMENT_STATE_RELEASED,
        )
    ),
    Operation(get_order=pb.GetOrderRequest(order_id="o")),
    Operation(get_order=pb.GetOrderRequest(order_id="o", view=BASIC)),
    Operation(quote_order=pb.QuoteOrderRequest(lines=[line("A")], terms=HOME)),
)


async def test_every_kind_of_order_operation_sees_those_before(chain: Shop) -> None:
    assert {operation.WhichOneof("operation") for operation in EVERY_KIND} == {
        name for name in Operation.DESCRIPTOR.fields_by_name if "order" in name
    }
    answer = await execute(chain, *EVERY_KIND)
    orders = [result.order for result in answer.results[:9]]
    assert [len(order.holds) for order in orders[:4]] == [1, 2, 1, 0]
    assert not orders[1].lines
    edited, cancelled, advanced, got, basic = orders[4:]
    assert places(edited.fulfillment_orders) == [("york", [("A", 3), ("B", 1)])]
    assert [each.cancelled_quantity for each in cancelled.lines] == [0, 1]
    assert advanced.fulfillment_orders[0].state == pb.FULFILLMENT_STATE_RELEASED
    assert got.etag == advanced.etag == basic.etag
    assert got.lines
    assert not basic.lines
    (option,) = answer.results[9].quote.options
    assert option.quote_token
    assert answer.revision == got.revision


async def test_an_order_in_the_fast_lane_is_answered_as_alone(chain: Shop) -> None:
    alone = await chain.orders.PlaceOrder(placing(line("A"), request_id="r"))
    answer = await execute(chain, place("r", line("A")), place("r", line("A"), view=BASIC))
    assert answer.results[0].order == alone
    assert answer.results[1].order.fulfillment_orders
    assert not answer.results[1].order.lines


async def test_a_refused_order_does_not_stop_the_others(chain: Shop) -> None:
    refusing = pb.OrderTerms(address=HOME.address, shortage_policy=pb.SHORTAGE_POLICY_REFUSE)
    answer = await execute(
        chain,
        Operation(place_order=placing(line("A", 99), terms=refusing, request_id="1")),
        place("2", line("A", -1)),
        place("", line("A")),
        place("3", line("A"), view=9),  # type: ignore[arg-type]  # there is no such view
        Operation(get_order=pb.GetOrderRequest(order_id="none")),
        Operation(
            quote_order=pb.QuoteOrderRequest(
                lines=[line("A")], terms=HOME, hold_ttl=Duration(seconds=9), request_id="4"
            )
        ),
        place("5", line("A")),
    )
    refusals = [Refusal(result.error) for result in answer.results[:6]]
    assert [refused.reason for refused in refusals] == [
        "INSUFFICIENT_STOCK",
        "INVALID_FIELD",
        "REQUEST_ID_MISSING",
        "INVALID_FIELD",
        "ORDER_NOT_FOUND",
        "INVALID_FIELD",
    ]
    assert refusals[0].detail(InsufficientStock).lines[0].sku == "A"
    assert [refusals[place].field for place in (1, 3, 5)] == [
        "lines[0].quantity",
        "view",
        "hold_ttl",
    ]
    assert answer.results[6].order.order_id == "5"


async def test_a_call_has_a_bounded_number_of_lines_planned(chain: Shop) -> None:
    many = [line("A")] * 4_000
    quoting = pb.QuoteOrderRequest(lines=many, terms=HOME)
    answer = await execute(
        chain,
        Operation(quote_order=quoting),
        Operation(quote_order=quoting),
        place("1", *many),
        place("2", line("A")),
        Operation(get_order=pb.GetOrderRequest(order_id="2")),
    )
    kinds = [result.WhichOneof("result") for result in answer.results]
    assert kinds == ["quote", "quote", "error", "order", "order"]
    refused = Refusal(answer.results[2].error)
    assert (refused.reason, refused.field) == ("INVALID_FIELD", "lines")
    assert "10000" in refused.message
