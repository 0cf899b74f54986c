"""What is wrong with an order call is named by its field."""

from collections.abc import Callable
from typing import Any

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from domgrpc.core.order_commands import ORDER_LINES_MAX
from domgrpc.rpc.order_pages import order_filter
from domgrpc.rpc.translate_orders import (
    advance_fulfillment_order,
    cancel_order,
    edit_order,
    hold_order,
    hold_quote,
    place_order,
    quote_question,
    release_order,
)
from domgrpc.v1 import order_pb2 as pb
from domgrpc.v1 import types_pb2 as ty
from tests.rpc.bad_shapes import (
    LONG,
    NOT_NFC,
    TOO_MUCH,
    UNKNOWN,
    Case,
    Field,
    each_case,
    expect_bad,
    filled,
)

PICKUP = ty.DELIVERY_METHOD_PICKUP
SHIP = ty.DELIVERY_METHOD_SHIP_TO_HOME
NO_TOKEN: dict[str, Field] = {"quote_token": "none"}
HOME = pb.Address(postal_code="10001")
FRAUD = pb.HOLD_KIND_FRAUD
FOUR: Field = 4
SEVEN: Field = 7
"""A number that a status may get one day."""
TEXT_17 = "x" * 17


def terms(**fields: Field) -> pb.OrderTerms:
    return pb.OrderTerms(**filled(fields, address=HOME))


def lines(**fields: Field) -> list[pb.OrderLine]:
    return [pb.OrderLine(**filled(fields, sku="A", quantity=1))]


def place(**fields: Field) -> pb.PlaceOrderRequest:
    return pb.PlaceOrderRequest(**filled(fields, lines=lines(), terms=terms()))


def line(**fields: Field) -> pb.PlaceOrderRequest:
    return place(lines=lines(**fields))


def at(**fields: Field) -> pb.PlaceOrderRequest:
    return place(terms=terms(address=pb.Address(**fields)))


def quote(**fields: Field) -> pb.QuoteOrderRequest:
    return pb.QuoteOrderRequest(**filled(fields, lines=lines(), terms=terms()))


def edit(**fields: Field) -> pb.EditOrderRequest:
    return pb.EditOrderRequest(**filled(fields, order_id="o"))


def edited(**fields: Field) -> pb.EditOrderRequest:
    return edit(lines=[pb.OrderLine(**filled(fields, line_id="1"))])


def cancel(**fields: Field) -> pb.CancelOrderRequest:
    return pb.CancelOrderRequest(**filled(fields, order_id="o"))


def advance(**fields: Field) -> pb.AdvanceFulfillmentOrderRequest:
    return pb.AdvanceFulfillmentOrderRequest(
        **filled(
            fields,
            order_id="o",
            fulfillment_order_id="o/1",
            state=pb.FULFILLMENT_STATE_SHIPPED,
        )
    )


LINES: list[Case] = [
    (place_order, place(lines=[]), "lines"),
    (place_order, place(lines=lines() * (ORDER_LINES_MAX + 1)), "lines"),
    (place_order, line(sku=""), "lines[0].sku"),
    (place_order, line(sku=NOT_NFC), "lines[0].sku"),
    (place_order, line(quantity=0), "lines[0].quantity"),
    (place_order, line(quantity=TOO_MUCH), "lines[0].quantity"),
    (place_order, line(line_id="a b"), "lines[0].line_id"),
    (place_order, line(line_id="x" * 65), "lines[0].line_id"),
    (place_order, line(delivery_method=UNKNOWN), "lines[0].delivery_method"),
    (place_order, line(location_id="a"), "lines[0].location_id"),
    (place_order, line(location_id=LONG), "lines[0].location_id"),
    (place_order, line(delivery_method=PICKUP), "lines[0].location_id"),
    (place_order, line(unit_price_micros=-1), "lines[0].unit_price_micros"),
    (place_order, line(unit_price_micros=10**15 + 1), "lines[0].unit_price_micros"),
    (place_order, line(package_group=LONG), "lines[0].package_group"),
    (place_order, place(lines=lines(line_id="a") * 2), "lines[1].line_id"),
    (place_order, place(lines=lines(line_id="2") + lines()), "lines[1].line_id"),
    (place_order, place(delivery_method=UNKNOWN), "delivery_method"),
    (place_order, place(location_id=LONG), "location_id"),
]
TERMS: list[Case] = [
    (place_order, place(terms=terms(channel="x" * 65)), "terms.channel"),
    (place_order, place(terms=terms(customer_id=LONG)), "terms.customer_id"),
    (place_order, place(terms=terms(customer_id="a\n")), "terms.customer_id"),
    (place_order, place(terms=terms(promise_is_hard=True)), "terms.promise_time"),
    (place_order, place(terms=terms(promise_time=Timestamp(seconds=-1))), "terms.promise_time"),
    (place_order, place(terms=terms(package_count_max=-1)), "terms.package_count_max"),
    (place_order, place(terms=terms(package_count_max=1_001)), "terms.package_count_max"),
    (place_order, place(terms=terms(shortage_policy=UNKNOWN)), "terms.shortage_policy"),
    (
        place_order,
        place(terms=terms(placed_at_location_id=LONG)),
        "terms.placed_at_location_id",
    ),
    (place_order, place(terms=terms(reference=LONG)), "terms.reference"),
    (
        place_order,
        place(terms=terms(scope=ty.Scope(groups=ty.GroupList(group_ids=[""])))),
        "terms.scope.groups.group_ids[0]",
    ),
    (
        place_order,
        place(terms=terms(scope=ty.Scope(locations=ty.LocationList(location_ids=["a"] * 1_001)))),
        "terms.scope.locations.location_ids",
    ),
    (place_order, place(terms=pb.OrderTerms()), "terms.address.point"),
    (place_order, at(city="Paris"), "terms.address.point"),
    (place_order, at(postal_code="00000"), "terms.address.postal_code"),
    (place_order, at(postal_code="10001", country_code="DE"), "terms.address.point"),
    (place_order, at(postal_code="09001"), "terms.address.postal_code"),
    (place_order, at(point=ty.Point(latitude_degrees=91)), "terms.address.point.latitude_degrees"),
    (place_order, at(postal_code=TEXT_17), "terms.address.postal_code"),
    (place_order, at(city=LONG), "terms.address.city"),
    (place_order, at(region=LONG), "terms.address.region"),
    (place_order, at(country_code="us"), "terms.address.country_code"),
    (place_order, at(country_code="USA"), "terms.address.country_code"),
    (place_order, at(street="x" * 257), "terms.address.street"),
    (place_order, at(recipient="a\n"), "terms.address.recipient"),
    (place_order, at(recipient=NOT_NFC), "terms.address.recipient"),
]
CALLS: list[Case] = [
    (place_order, place(order_id="a b"), "order_id"),
    (place_order, place(reservation_id="x" * 65), "reservation_id"),
    (place_order, place(**NO_TOKEN), "quote_token"),
    (place_order, place(holds=[pb.OrderHold()]), "holds[0].kind"),
    (place_order, place(holds=[pb.OrderHold(kind=UNKNOWN)]), "holds[0].kind"),
    (
        place_order,
        place(holds=[pb.OrderHold(kind=FRAUD), pb.OrderHold(kind=FRAUD)]),
        "holds[1].kind",
    ),
    (place_order, place(holds=[pb.OrderHold(kind=FRAUD)] * 5), "holds"),
    (place_order, place(holds=[pb.OrderHold(kind=FRAUD, reason="x" * 65)]), "holds[0].reason"),
    (quote_question, quote(request_id="r"), "request_id"),
    (quote_question, quote(reservation_id="r"), "reservation_id"),
    (quote_question, quote(terms=pb.OrderTerms()), "terms.address.point"),
    (quote_question, quote(methods=[pb.QuoteMethod()]), "methods[0].delivery_method"),
    (
        quote_question,
        quote(methods=[pb.QuoteMethod(delivery_method=SHIP, location_id="a")]),
        "methods[0].location_id",
    ),
    (
        quote_question,
        quote(methods=[pb.QuoteMethod(delivery_method=PICKUP, location_id=LONG)]),
        "methods[0].location_id",
    ),
    (quote_question, quote(methods=[pb.QuoteMethod(delivery_method=SHIP)] * 21), "methods"),
    (
        quote_question,
        quote(methods=[pb.QuoteMethod(delivery_method=PICKUP)], terms=pb.OrderTerms()),
        "terms.address.point",
    ),
    (
        quote_question,
        quote(methods=[pb.QuoteMethod(delivery_method=SHIP)], delivery_method=SHIP),
        "delivery_method",
    ),
    (
        quote_question,
        quote(methods=[pb.QuoteMethod(delivery_method=SHIP)], lines=lines(delivery_method=SHIP)),
        "lines[0].delivery_method",
    ),
    (
        quote_question,
        quote(
            methods=[pb.QuoteMethod(delivery_method=PICKUP), pb.QuoteMethod(delivery_method=SHIP)],
            lines=lines() * 2_501,
        ),
        "methods",
    ),
    (hold_quote, quote(min_revision=1), "min_revision"),
    (hold_quote, quote(hold_ttl=Duration(seconds=1, nanos=-1)), "hold_ttl"),
    (hold_quote, quote(reservation_id="a b"), "reservation_id"),
]
CHANGES: list[Case] = [
    (edit_order, pb.EditOrderRequest(), "order_id"),
    (edit_order, edited(line_id=""), "lines[0].line_id"),
    (edit_order, edited(quantity=-1), "lines[0].quantity"),
    (edit_order, edited(location_id="a"), "lines[0].location_id"),
    (edit_order, edited(delivery_method=SHIP), "lines[0].delivery_method"),
    (edit_order, edited(unit_price_micros=1), "lines[0].unit_price_micros"),
    (edit_order, edited(package_group="g"), "lines[0].package_group"),
    (edit_order, edited(sku="A", delivery_method=UNKNOWN), "lines[0].delivery_method"),
    (edit_order, edited(sku="A", delivery_method=PICKUP), "lines[0].location_id"),
    (edit_order, edit(lines=[pb.OrderLine(line_id="1")] * 2), "lines[1].line_id"),
    (edit_order, edit(lines=[pb.OrderLine(line_id="1")] * 5_001), "lines"),
    (edit_order, edit(address=pb.Address(city="Paris")), "address.point"),
    (edit_order, edit(etag="x" * 65), "etag"),
    (cancel_order, pb.CancelOrderRequest(), "order_id"),
    (cancel_order, cancel(lines=[pb.LineUnits(line_id="1")]), "lines[0].quantity"),
    (cancel_order, cancel(lines=[pb.LineUnits(quantity=1)]), "lines[0].line_id"),
    (cancel_order, cancel(lines=[pb.LineUnits(line_id="1", quantity=1)] * 2), "lines[1].line_id"),
    (cancel_order, cancel(lines=[pb.LineUnits()] * 5_001), "lines"),
    (cancel_order, cancel(reason="x" * 65), "reason"),
    (hold_order, pb.HoldOrderRequest(), "order_id"),
    (hold_order, pb.HoldOrderRequest(order_id="o"), "kind"),
    (hold_order, pb.HoldOrderRequest(order_id="o", kind=FRAUD, reason="x" * 65), "reason"),
    (release_order, pb.ReleaseOrderRequest(order_id="o", kind=UNKNOWN), "kind"),
    (release_order, pb.ReleaseOrderRequest(order_id="o", kind=FRAUD, etag="x" * 65), "etag"),
    (advance_fulfillment_order, advance(order_id=""), "order_id"),
    (advance_fulfillment_order, advance(fulfillment_order_id=""), "fulfillment_order_id"),
    (advance_fulfillment_order, advance(state=0), "state"),
    (advance_fulfillment_order, advance(state=pb.FULFILLMENT_STATE_SCHEDULED), "state"),
    (advance_fulfillment_order, advance(state=FOUR), "state"),
    (order_filter, pb.ListOrdersRequest(status=UNKNOWN), "status"),
    (order_filter, pb.ListOrdersRequest(status=SEVEN), "status"),
    (order_filter, pb.ListOrdersRequest(customer_id=LONG), "customer_id"),
    (order_filter, pb.ListOrdersRequest(location_id=LONG), "location_id"),
    (order_filter, pb.ListOrdersRequest(sku=LONG), "sku"),
    (order_filter, pb.ListOrdersRequest(start_time=Timestamp(seconds=-1)), "start_time"),
    (order_filter, pb.ListOrdersRequest(end_time=Timestamp(nanos=-1)), "end_time"),
]


@each_case(LINES + TERMS + CALLS + CHANGES)
def test_a_bad_shape_is_refused_by_the_path_of_its_field(
    read: Callable[[Any], object], message: object, path: str
) -> None:
    expect_bad(read, message, path)
