"""Reservations between messages and the core. The hottest code of the edge.

A hold of two lines becomes a command in some 4 microseconds and its reservation a message in as
much again: fields are read once, the common case of each check is inline, messages are filled in
place. Two rules save most: a list is sliced before it is iterated (the iterator of a repeated
field ends in an exception), and what is empty is not written.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import cast

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from domgrpc.core.listings import ReservationFilter
from domgrpc.core.reservations import (
    LINES_MAX,
    ConfirmReservation,
    Expiration,
    LineQuantity,
    MoveReservation,
    ReleaseReservation,
    Reservation,
    ReservationLine,
    ReservationState,
    ReserveStock,
    SettlementOutcome,
    SettleReservation,
    UpdateReservation,
)
from domgrpc.core.scopes import Scope
from domgrpc.core.values import (
    QUANTITY_MAX,
    ClientId,
    LocationId,
    Quantity,
    ReservationId,
    Revision,
    Sku,
    TimeMs,
)
from domgrpc.rpc.refusals import InvalidField
from domgrpc.rpc.shapes import (
    ETAG_BYTES_MAX,
    IDENTIFIER_BYTES_MAX,
    REASON_BYTES_MAX,
    chosen,
    duration_ms,
    identifier,
    identifier_or_empty,
    item_count,
    key,
    quantity,
    set_timestamp,
    text,
    timestamp_ms,
    whole,
)
from domgrpc.rpc.status import fill_short_line
from domgrpc.rpc.translate_scope import ANY_DEMAND, LOCATION_COUNT_MAX, demand_of, scope_of
from domgrpc.v1 import reservation_pb2

REFERENCE_BYTES_MAX = 128

_NO_EXPIRATION = Expiration()
_NO_RESERVATION = ReservationId("")
_OUTCOMES: Mapping[int, SettlementOutcome] = {
    outcome.value: outcome for outcome in SettlementOutcome
}
_STATES: Mapping[int, ReservationState | None] = {0: None} | {
    state.value: state for state in ReservationState
}
# The checks below prove what the types say; a call for each NewType would cost more than they.
_line_quantity = cast("Callable[[str, str, int], LineQuantity]", LineQuantity)


# --- messages to commands


def reserve_stock(message: reservation_pb2.ReserveStockRequest) -> ReserveStock:
    """Read ReserveStock: 1 to 5,000 lines."""
    messages = message.lines[:]
    if not 0 < len(messages) <= LINES_MAX:
        item_count(len(messages), "lines", 1, LINES_MAX)
    lines = _lines(messages, 1)
    reservation_id = message.reservation_id
    channel = message.channel
    method = message.delivery_method
    count_max = message.location_count_max
    reference = message.reference
    return ReserveStock(
        lines,
        _reservation_id(reservation_id) if reservation_id else _NO_RESERVATION,
        demand_of(channel, method) if channel or method else ANY_DEMAND,
        _expiration(message) or _NO_EXPIRATION,
        _scope(message) if message.HasField("scope") else None,
        whole(count_max, "location_count_max", 0, LOCATION_COUNT_MAX) if count_max else 0,
        message.allow_partial,
        message.in_stock_only,
        text(reference, "reference", REFERENCE_BYTES_MAX) if reference else "",
    )


def update_reservation(message: reservation_pb2.UpdateReservationRequest) -> UpdateReservation:
    """Read UpdateReservation: up to 5,000 lines."""
    messages = message.lines[:]
    item_count(len(messages), "lines", 0, LINES_MAX)
    return UpdateReservation(
        _reservation_id(message.reservation_id),
        _lines(messages, 0),
        _expiration(message),
        _scope(message),
        message.in_stock_only,
        text(message.etag, "etag", ETAG_BYTES_MAX),
    )


def move_reservation(message: reservation_pb2.MoveReservationRequest) -> MoveReservation:
    """Read MoveReservation; quantity 0 means all of the line."""
    return MoveReservation(
        _reservation_id(message.reservation_id),
        Sku(identifier(message.sku, "sku")),
        LocationId(identifier(message.from_location_id, "from_location_id")),
        LocationId(identifier_or_empty(message.to_location_id, "to_location_id")),
        Quantity(quantity(message.quantity, "quantity")),
        _scope(message),
        message.in_stock_only,
        text(message.etag, "etag", ETAG_BYTES_MAX),
    )


def confirm_reservation(message: reservation_pb2.ConfirmReservationRequest) -> ConfirmReservation:
    """Read ConfirmReservation."""
    etag = message.etag
    return ConfirmReservation(
        _reservation_id(message.reservation_id),
        message.revive_if_available,
        text(etag, "etag", ETAG_BYTES_MAX) if etag else "",
    )


def release_reservation(message: reservation_pb2.ReleaseReservationRequest) -> ReleaseReservation:
    """Read ReleaseReservation."""
    reason = message.reason
    etag = message.etag
    return ReleaseReservation(
        _reservation_id(message.reservation_id),
        text(reason, "reason", REASON_BYTES_MAX) if reason else "",
        text(etag, "etag", ETAG_BYTES_MAX) if etag else "",
    )


def settle_reservation(message: reservation_pb2.SettleReservationRequest) -> SettleReservation:
    """Read SettleReservation: up to 5,000 lines, each with its location."""
    messages = message.lines[:]
    item_count(len(messages), "lines", 0, LINES_MAX)
    lines = _lines(messages, 1)
    for place, line in enumerate(lines):
        if not line.location_id:
            raise InvalidField(f"lines[{place}].location_id", "is empty; say where")
    return SettleReservation(
        _reservation_id(message.reservation_id),
        chosen(message.outcome, "outcome", _OUTCOMES),
        lines,
        text(message.etag, "etag", ETAG_BYTES_MAX),
    )


def get_reservation(message: reservation_pb2.GetReservationRequest) -> ReservationId:
    """Read GetReservation."""
    return _reservation_id(message.reservation_id)


def reservation_filter(message: reservation_pb2.ListReservationsRequest) -> ReservationFilter:
    """Read what ListReservations asks for."""
    client_id = message.client_id
    sku = identifier_or_empty(message.sku, "sku")
    location_id = identifier_or_empty(message.location_id, "location_id")
    if message.state not in _STATES:
        chosen(message.state, "state", {state.value: state for state in ReservationState})
    return ReservationFilter(
        state=_STATES[message.state],
        client_id=ClientId(key(client_id, "client_id")) if client_id else None,
        sku=Sku(sku) if sku else None,
        location_id=LocationId(location_id) if location_id else None,
    )


def _lines(
    messages: "list[reservation_pb2.ReserveLine] | list[reservation_pb2.LineQuantity]",
    quantity_min: int,
) -> tuple[LineQuantity, ...]:
    lines = []
    for line in messages:
        sku = line.sku
        place = line.location_id
        units = line.quantity
        both = sku + place
        if (
            both.isascii()
            and both.isprintable()
            and 0 < len(sku) <= IDENTIFIER_BYTES_MAX
            and len(place) <= IDENTIFIER_BYTES_MAX
            and quantity_min <= units <= QUANTITY_MAX
        ):
            lines.append(_line_quantity(sku, place, units))
            continue
        path = f"lines[{len(lines)}]"
        identifier(sku, f"{path}.sku")
        identifier_or_empty(place, f"{path}.location_id")
        quantity(units, f"{path}.quantity", quantity_min)
        lines.append(_line_quantity(sku, place, units))
    return tuple(lines)


def _reservation_id(value: str) -> ReservationId:
    return cast("ReservationId", key(value, "reservation_id"))


def _expiration(
    message: reservation_pb2.ReserveStockRequest | reservation_pb2.UpdateReservationRequest,
) -> Expiration | None:
    match message.WhichOneof("expiration"):
        case "ttl":
            ttl: Duration = message.ttl
            return Expiration(None, duration_ms(ttl, "ttl"))
        case "expire_time":
            expire_time: Timestamp = message.expire_time
            return Expiration(timestamp_ms(expire_time, "expire_time"))
        case _:
            return None


def _scope(
    message: reservation_pb2.ReserveStockRequest
    | reservation_pb2.UpdateReservationRequest
    | reservation_pb2.MoveReservationRequest,
) -> Scope:
    try:
        return scope_of(message.scope)
    except InvalidField as invalid:
        raise invalid.within("scope") from None


# --- reservations to messages


def fill_reservation(
    message: reservation_pb2.Reservation, reservation: Reservation, revision: Revision
) -> None:
    """Write a reservation in place of an empty message, without what it could not hold."""
    message.CopyFrom(
        _common_part(
            reservation.client_id,
            reservation.state,
            reservation.expire_time_ms,
            reservation.create_time_ms,
            reservation.update_time_ms,
        )
    )
    message.reservation_id = reservation.reservation_id
    _fill_lines(message, reservation.lines)
    demand = reservation.demand
    if demand is not ANY_DEMAND:
        message.channel = demand.channel
        message.delivery_method = demand.delivery_method  # type: ignore[assignment]  # the same
    if reservation.reference:
        message.reference = reservation.reference
    message.etag = str(reservation.revision)
    message.revision = revision


def fill_reserved(
    message: reservation_pb2.Reservation, reservation: Reservation, revision: Revision
) -> None:
    """Write the answer of ReserveStock in place, with what could not be held."""
    fill_reservation(message, reservation, revision)
    for line in reservation.short_lines:
        fill_short_line(message.short_lines.add(), line)


def _fill_lines(message: reservation_pb2.Reservation, lines: tuple[ReservationLine, ...]) -> None:
    add = message.lines.add
    for line in lines:
        entry = add()
        entry.sku = line.sku
        entry.location_id = line.location_id
        entry.quantity = line.quantity
        if line.backordered_quantity:
            entry.backordered_quantity = line.backordered_quantity
        if line.settled_quantity:
            entry.settled_quantity = line.settled_quantity


@lru_cache(maxsize=1_024)
def _common_part(
    client_id: ClientId, state: ReservationState, *times_ms: TimeMs
) -> reservation_pb2.Reservation:
    # What the reservations of one turn have in common: one copy in place of eleven fields, each
    # of which costs as much. Nobody writes into it.
    message = reservation_pb2.Reservation(client_id=client_id)
    message.state = state  # type: ignore[assignment]  # the same numbers, by a test
    expire_time_ms, create_time_ms, update_time_ms = times_ms
    set_timestamp(message.expire_time, expire_time_ms)
    set_timestamp(message.create_time, create_time_ms)
    set_timestamp(message.update_time, update_time_ms)
    return message
