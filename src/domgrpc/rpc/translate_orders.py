"""Orders from messages to commands and questions."""

from collections.abc import Mapping, Sequence
from typing import Final

from domgrpc.core.order_commands import (
    ORDER_LINES_MAX,
    AdvanceFulfillmentOrder,
    CancelOrder,
    EditOrder,
    HoldOrder,
    HoldQuote,
    PlaceOrder,
    ReleaseOrder,
)
from domgrpc.core.orders import (
    NO_ORDER,
    STORE_METHODS,
    FulfillmentState,
    HoldKind,
    OrderLine,
    OrderTerms,
)
from domgrpc.core.plans import QuoteQuestion
from domgrpc.core.quotes import NEAREST_STORES_MAX
from domgrpc.core.values import (
    DeliveryMethod,
    FulfillmentOrderId,
    LineId,
    LocationId,
    OrderId,
    Quantity,
    ReservationId,
)
from domgrpc.rpc.quote_tokens import quoted_plan
from domgrpc.rpc.refusals import InvalidField
from domgrpc.rpc.shapes import (
    ETAG_BYTES_MAX,
    REASON_BYTES_MAX,
    chosen,
    duration_ms,
    identifier,
    identifier_or_empty,
    item_count,
    key,
    quantity,
    text,
)
from domgrpc.rpc.translate_addresses import address_of, order_terms
from domgrpc.rpc.translate_order_lines import (
    CHOSEN_METHODS,
    edited_lines,
    line_defaults,
    order_lines,
)
from domgrpc.v1 import order_pb2

QUOTE_METHODS_MAX: Final = 20
PLANNED_LINES_MAX: Final = 2 * ORDER_LINES_MAX
"""Lines that one call has planned, each counted for every way that it is planned by: some tenth of
a millisecond each, in which nobody else has a turn."""
ASKED_STATES: Final[Mapping[int, FulfillmentState]] = {
    state.value: state for state in FulfillmentState if state is not FulfillmentState.SCHEDULED
}
"""What can be said of work: all but that it waits for supply, which only planning says."""
HOLD_KINDS: Final[Mapping[int, HoldKind]] = {kind.value: kind for kind in HoldKind}
_BASIC: Final = "BASIC"
_VIEWS: Final[Mapping[int, str]] = {
    order_pb2.ORDER_VIEW_BASIC: _BASIC,
    order_pb2.ORDER_VIEW_FULL: "FULL",
}
_STORE_NUMBERS: Final[tuple[int, ...]] = tuple(method.value for method in STORE_METHODS)
_NO_RESERVATION = ReservationId("")

Methods = tuple[tuple[DeliveryMethod, LocationId], ...]


def place_order(message: order_pb2.PlaceOrderRequest) -> PlaceOrder:
    """Read PlaceOrder: 1 to 5,000 lines."""
    lines = order_lines(
        message.lines[:], line_defaults(message.delivery_method, message.location_id)
    )
    order_id = message.order_id
    token = message.quote_token
    reservation_id = message.reservation_id
    quoted = quoted_plan(token) if token else None
    if quoted is not None and not reservation_id:
        reservation_id = quoted.reservation_id
    return PlaceOrder(
        lines,
        read_terms(message.terms, needs_point=goes_to_address(lines)),
        OrderId(key(order_id, "order_id")) if order_id else NO_ORDER,
        quoted,
        _reservation_id(reservation_id) if reservation_id else _NO_RESERVATION,
        _holds(message.holds) if message.holds else (),
    )


def quote_question(message: order_pb2.QuoteOrderRequest) -> QuoteQuestion:
    """Read the question of QuoteOrder: 1 to 5,000 lines, up to 20 methods."""
    for name in ("request_id", "reservation_id"):
        if getattr(message, name):
            raise InvalidField(name, "is given without hold_ttl; nothing is held without it")
    return QuoteQuestion(*_quoted(message))


def hold_quote(message: order_pb2.QuoteOrderRequest) -> HoldQuote:
    """Read QuoteOrder that also holds the stock of its first option."""
    if message.min_revision:
        raise InvalidField("min_revision", "is given together with hold_ttl; choose one")
    lines, terms, methods = _quoted(message)
    reservation_id = message.reservation_id
    return HoldQuote(
        lines,
        terms,
        duration_ms(message.hold_ttl, "hold_ttl"),
        _reservation_id(reservation_id) if reservation_id else _NO_RESERVATION,
        methods,
    )


def edit_order(message: order_pb2.EditOrderRequest) -> EditOrder:
    """Read EditOrder: up to 5,000 lines, a new address, or both."""
    defaults = line_defaults(message.delivery_method, message.location_id)
    address = None
    if message.HasField("address"):
        try:
            address = address_of(message.address, needs_point=True)
        except InvalidField as invalid:
            raise invalid.within("address") from None
    return EditOrder(
        order_id_of(message.order_id),
        edited_lines(message.lines[:], defaults),
        address,
        _etag(message.etag),
    )


def cancel_order(message: order_pb2.CancelOrderRequest) -> CancelOrder:
    """Read CancelOrder: up to 5,000 lines, or none for all."""
    messages = message.lines[:]
    item_count(len(messages), "lines", 0, ORDER_LINES_MAX)
    return CancelOrder(
        order_id_of(message.order_id),
        line_units(messages, "lines"),
        text(message.reason, "reason", REASON_BYTES_MAX),
        _etag(message.etag),
    )


def hold_order(message: order_pb2.HoldOrderRequest) -> HoldOrder:
    """Read HoldOrder."""
    return HoldOrder(
        order_id_of(message.order_id),
        chosen(message.kind, "kind", HOLD_KINDS),
        text(message.reason, "reason", REASON_BYTES_MAX),
        _etag(message.etag),
    )


def release_order(message: order_pb2.ReleaseOrderRequest) -> ReleaseOrder:
    """Read ReleaseOrder."""
    return ReleaseOrder(
        order_id_of(message.order_id),
        chosen(message.kind, "kind", HOLD_KINDS),
        text(message.reason, "reason", REASON_BYTES_MAX),
        _etag(message.etag),
    )


def advance_fulfillment_order(
    message: order_pb2.AdvanceFulfillmentOrderRequest,
) -> AdvanceFulfillmentOrder:
    """Read AdvanceFulfillmentOrder."""
    return AdvanceFulfillmentOrder(
        order_id_of(message.order_id),
        FulfillmentOrderId(identifier(message.fulfillment_order_id, "fulfillment_order_id")),
        chosen(message.state, "state", ASKED_STATES),
        _etag(message.etag),
    )


def order_id_of(value: str) -> OrderId:
    """Check the id of an order that must be there."""
    return OrderId(key(value, "order_id"))


def is_basic(view: int) -> bool:
    """Read how much of an order an answer holds: not all of it."""
    return bool(view) and chosen(view, "view", _VIEWS) is _BASIC


def line_units(
    messages: Sequence[order_pb2.LineUnits], path: str
) -> tuple[tuple[LineId, Quantity], ...]:
    """Read units of lines, each line once."""
    units: dict[LineId, Quantity] = {}
    for place, line in enumerate(messages):
        line_id = LineId(key(line.line_id, f"{path}[{place}].line_id"))
        if line_id in units:
            raise InvalidField(f"{path}[{place}].line_id", f"is {line_id!a} again; name it once")
        units[line_id] = Quantity(quantity(line.quantity, f"{path}[{place}].quantity", 1))
    return tuple(units.items())


def read_terms(message: order_pb2.OrderTerms, *, needs_point: bool) -> OrderTerms:
    """Read the terms of a request; with `needs_point` its address must say where it is."""
    try:
        return order_terms(message, needs_point=needs_point)
    except InvalidField as invalid:
        raise invalid.within("terms") from None


def goes_to_address(lines: Sequence[OrderLine]) -> bool:
    """Whether any of the lines goes to the customer's address."""
    for line in lines:  # noqa: SIM110 - a generator costs thrice as much for a line or two
        if not line.location_id:
            return True
    return False


def _quoted(
    message: order_pb2.QuoteOrderRequest,
) -> tuple[tuple[OrderLine, ...], OrderTerms, Methods]:
    messages = message.lines[:]
    methods = _methods(message.methods)
    if methods:
        _check_no_method(message)
    lines = order_lines(messages, line_defaults(message.delivery_method, message.location_id))
    planned_count = quoted_line_count(message)
    if planned_count > PLANNED_LINES_MAX:
        raise InvalidField(
            "methods",
            f"would have {planned_count} lines planned, up to {PLANNED_LINES_MAX} are: ask for "
            "fewer methods at once",
        )
    # Where no store is named, the nearest ones are looked for.
    needs_point = goes_to_address(lines) if not methods else any(not store for _, store in methods)
    return lines, read_terms(message.terms, needs_point=needs_point), methods


def quoted_line_count(message: order_pb2.QuoteOrderRequest) -> int:
    """Return how many lines a quote has planned: by every method, and at every near store."""
    way_count = 0
    for method in message.methods:
        is_near = method.delivery_method in _STORE_NUMBERS and not method.location_id
        way_count += NEAREST_STORES_MAX if is_near else 1
    return len(message.lines) * max(1, way_count)


def _methods(messages: Sequence[order_pb2.QuoteMethod]) -> Methods:
    item_count(len(messages), "methods", 0, QUOTE_METHODS_MAX)
    methods = []
    for place, message in enumerate(messages):
        path = f"methods[{place}]"
        method = chosen(message.delivery_method, f"{path}.delivery_method", CHOSEN_METHODS)
        store_id = identifier_or_empty(message.location_id, f"{path}.location_id")
        if store_id and method not in STORE_METHODS:
            raise InvalidField(
                f"{path}.location_id",
                f"is given, but goods by {method.name} are collected nowhere",
            )
        methods.append((method, LocationId(store_id)))
    return tuple(dict.fromkeys(methods))


def _check_no_method(message: order_pb2.QuoteOrderRequest) -> None:
    given = "is given together with methods; choose one"
    for name in ("delivery_method", "location_id"):
        if getattr(message, name):
            raise InvalidField(name, given)
        for place, line in enumerate(message.lines):
            if getattr(line, name):
                raise InvalidField(f"lines[{place}].{name}", given)


def _holds(messages: Sequence[order_pb2.OrderHold]) -> tuple[tuple[HoldKind, str], ...]:
    item_count(len(messages), "holds", 0, len(HOLD_KINDS))
    holds: dict[HoldKind, str] = {}
    for place, message in enumerate(messages):
        kind = chosen(message.kind, f"holds[{place}].kind", HOLD_KINDS)
        if kind in holds:
            raise InvalidField(f"holds[{place}].kind", f"is {kind.name} again; hold by it once")
        holds[kind] = text(message.reason, f"holds[{place}].reason", REASON_BYTES_MAX)
    return tuple(holds.items())


def _reservation_id(value: str) -> ReservationId:
    return ReservationId(key(value, "reservation_id"))


def _etag(value: str) -> str:
    return text(value, "etag", ETAG_BYTES_MAX) if value else ""
