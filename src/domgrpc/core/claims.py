"""How a hold ends: deciding ConfirmReservation, ReleaseReservation, SettleReservation, expiry."""

from itertools import islice

import msgspec

from domgrpc.core.hold_draft import illegal_transition, insufficient
from domgrpc.core.moments import instant_text
from domgrpc.core.network import Ask, Network
from domgrpc.core.rejections import Reason, Rejected, ShortLine, check_etag, counted
from domgrpc.core.reservation_book import Reservations
from domgrpc.core.reservations import (
    Caller,
    ConfirmReservation,
    LineQuantity,
    ReleaseReservation,
    Reservation,
    ReservationConfirmed,
    ReservationExpired,
    ReservationLine,
    ReservationReleased,
    ReservationSettled,
    ReservationState,
    SettlementOutcome,
    SettleReservation,
)
from domgrpc.core.values import LocationId, Quantity, ReservationId, Sku, StockCondition, TimeMs

EXPIRED_PER_RECORD_MAX = 1_000
EXPIRED_LINES_PER_RECORD_MAX = 5_000
"""As many lines as one hold may have: the longest record of an expiry stays below 4 MiB."""


def decide_confirm_reservation(
    network: Network, state: Reservations, command: ConfirmReservation, caller: Caller
) -> ReservationConfirmed | None:
    """Confirm a hold; None where it is confirmed already."""
    reservation = state.get(command.reservation_id)
    if reservation.state is ReservationState.CONFIRMED:
        return None
    check_etag(command.etag, reservation.revision, f"reservation {command.reservation_id!r}")
    if reservation.state is ReservationState.HELD:
        return ReservationConfirmed(command.reservation_id, reservation.lines)
    if reservation.state is ReservationState.RELEASED:
        raise illegal_transition(reservation, "confirmed")
    if not command.revive_if_available:
        raise Rejected(
            Reason.RESERVATION_EXPIRED,
            f"reservation {command.reservation_id!r} expired at "
            f"{instant_text(reservation.expire_time_ms)}: reserve anew, or set revive_if_available",
            reservation_id=command.reservation_id,
            expire_time_ms=reservation.expire_time_ms,
        )
    lines = _revived_lines(network, reservation, caller.at.time_ms)
    return ReservationConfirmed(command.reservation_id, lines, revived=True)


def decide_release_reservation(
    state: Reservations, command: ReleaseReservation
) -> ReservationReleased | None:
    """Give a hold back; None where it was given back or expired already."""
    reservation = state.get(command.reservation_id)
    if reservation.state in (ReservationState.RELEASED, ReservationState.EXPIRED):
        return None
    check_etag(command.etag, reservation.revision, f"reservation {command.reservation_id!r}")
    if reservation.state is ReservationState.CONFIRMED:
        raise illegal_transition(reservation, "released: settle it instead")
    return ReservationReleased(command.reservation_id, reservation.lines, command.reason)


def decide_settle_reservation(
    network: Network, state: Reservations, command: SettleReservation
) -> ReservationSettled | None:
    """Settle lines of a claim; None where nothing is asked and nothing is left."""
    reservation = state.get(command.reservation_id)
    check_etag(command.etag, reservation.revision, f"reservation {command.reservation_id!r}")
    if reservation.state is not ReservationState.CONFIRMED:
        raise illegal_transition(reservation, "settled")
    left = {
        (line.sku, line.location_id): line.quantity - line.settled_quantity
        for line in reservation.lines
    }
    settled: dict[tuple[Sku, LocationId], int] = {}
    for line in command.lines:
        key = (line.sku, line.location_id)
        settled[key] = settled.get(key, 0) + line.quantity
    if not command.lines:
        settled = {key: units for key, units in left.items() if units}
    for key, units in settled.items():
        if units > left.get(key, 0):
            raise _settlement_too_large(reservation, key, units, left.get(key, 0))
    _check_shippable(network, command, settled)
    if not settled:
        return None
    lines = tuple(LineQuantity(*key, Quantity(units)) for key, units in sorted(settled.items()))
    return ReservationSettled(command.reservation_id, command.outcome, lines)


def decide_expirations(state: Reservations, now_ms: TimeMs) -> tuple[ReservationExpired, ...]:
    """Return the holds whose deadline has come, the earliest first, up to two bounds.

    At least one, then as many as their lines allow: all of them are one record of the log.
    """
    behind = (TimeMs(now_ms + 1), ReservationId(""))
    due = state.deadlines.irange(None, behind, (True, False))
    expired: list[ReservationExpired] = []
    line_count = 0
    for _, key in islice(due, EXPIRED_PER_RECORD_MAX):
        lines = state.by_id[key].lines
        line_count += len(lines)
        if expired and line_count > EXPIRED_LINES_PER_RECORD_MAX:
            break
        expired.append(ReservationExpired(key, lines))
    return tuple(expired)


def _revived_lines(
    network: Network, reservation: Reservation, now_ms: TimeMs
) -> tuple[ReservationLine, ...]:
    network.refresh(now_ms)
    ask = Ask(reservation.demand, now_ms)
    short = []
    lines = []
    for line in reservation.lines:
        index = network.locations.index(line.location_id)
        stock, slot = network.stock.locate(line.sku, index)
        assert stock is not None, line
        assert slot >= 0, line
        to_fulfill, to_sell = network.sellable(stock, slot, ask)
        # What came from stock comes from stock again, or a hold in stock only would be none.
        offered = min(to_sell, to_fulfill + line.backordered_quantity)
        if offered < line.quantity:
            sku, place = line.sku, line.location_id
            short.append(ShortLine(sku, place, line.quantity, Quantity(offered)))
        backordered = Quantity(max(0, line.quantity - to_fulfill))
        lines.append(msgspec.structs.replace(line, backordered_quantity=backordered))
    if short:
        raise insufficient(tuple(short))
    return tuple(lines)


def _check_shippable(
    network: Network, command: SettleReservation, settled: dict[tuple[Sku, LocationId], int]
) -> None:
    if command.outcome is not SettlementOutcome.SHIPPED:
        return
    for (sku, location_id), units in settled.items():
        stock = network.stock.find(sku)
        index = network.locations.index(location_id)
        on_hand = stock.condition_quantity(index, StockCondition.SELLABLE) if stock else 0
        if on_hand < units:
            raise Rejected(
                Reason.QUANTITY_BELOW_ZERO,
                f"{counted(units, 'unit')} of {sku!r} cannot leave {location_id!r}: {on_hand} "
                "are on hand; receive or count the stock first",
                sku=sku,
                location_id=location_id,
                on_hand=on_hand,
            )


def _settlement_too_large(
    reservation: Reservation, key: tuple[Sku, LocationId], units: int, left: int
) -> Rejected:
    sku, location_id = key
    return Rejected(
        Reason.SETTLEMENT_TOO_LARGE,
        f"reservation {reservation.reservation_id!r} still claims {counted(left, 'unit')} of "
        f"{sku!r} at {location_id!r}, not {units}",
        reservation_id=reservation.reservation_id,
        sku=sku,
        location_id=location_id,
        claimed_quantity=left,
        asked_quantity=units,
    )
