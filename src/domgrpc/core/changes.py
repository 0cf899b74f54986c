"""What a record did to positions, as deltas: the stream that watchers and auditors add up.

Derived from events alone, so that a record read back from the log says the same as a live one.
"""

from collections.abc import Iterator

import msgspec

from domgrpc.core.events import Event, Record
from domgrpc.core.order_commands import (
    ClaimChange,
    OrderChanged,
    OrderPlaced,
    OrdersReplanned,
    QuoteHeld,
)
from domgrpc.core.orders import NO_ORDER
from domgrpc.core.reservations import (
    LineQuantity,
    ReservationChanged,
    ReservationConfirmed,
    ReservationExpired,
    ReservationLine,
    ReservationReleased,
    ReservationSettled,
    SettlementOutcome,
    StockReserved,
)
from domgrpc.core.stock_changes import (
    SELLABLE,
    BucketChanged,
    StockBatchApplied,
    StockChange,
    StockCounted,
    StockUpdated,
)
from domgrpc.core.stock_levels import StockLevelChanged
from domgrpc.core.values import LocationId, OrderId, ReservationId, Sku, StockLevel

_NO_RESERVATION = ReservationId("")


class PositionChange(msgspec.Struct, frozen=True, gc=False):
    """One change of one position; add the deltas to the figures before."""

    sku: Sku
    location_id: LocationId
    reason: str
    on_hand_delta: int = 0
    soft_reserved_delta: int = 0
    allocated_delta: int = 0
    reservation_id: ReservationId = _NO_RESERVATION
    level: StockLevel | None = None
    order_id: OrderId = NO_ORDER


def position_changes(record: Record) -> Iterator[PositionChange]:
    """Iterate what a record did to positions, in the order of its events."""
    for event in record.events:
        yield from _changes_of(event)


def _changes_of(  # noqa: C901, PLR0912 - one case for each event
    event: Event,
) -> Iterator[PositionChange]:
    match event:
        case StockUpdated(changes=changes) | StockBatchApplied(changes=changes):
            yield from _stock_changes(changes)
        case StockReserved(reservation=reservation):
            for line in reservation.lines:
                key = reservation.reservation_id
                yield _claim(line, "HELD", key, soft=line.quantity)
        case ReservationChanged(reservation=reservation, changes=line_changes):
            for change in line_changes:
                reason = "HELD" if change.quantity > 0 else "RELEASED"
                yield _claim(change, reason, reservation.reservation_id, soft=change.quantity)
        case ReservationConfirmed(reservation_id=key, lines=lines, revived=revived):
            for line in lines:
                soft = 0 if revived else -line.quantity
                yield _claim(line, "CONFIRMED", key, soft=soft, allocated=line.quantity)
        case ReservationReleased(reservation_id=key, lines=lines):
            for line in lines:
                yield _claim(line, "RELEASED", key, soft=-line.quantity)
        case ReservationExpired(reservation_id=key, lines=lines):
            for line in lines:
                yield _claim(line, "EXPIRED", key, soft=-line.quantity)
        case ReservationSettled():
            yield from _settled(event)
        case OrderPlaced() | OrderChanged() | OrdersReplanned() | QuoteHeld():
            yield from _order_changes(event)
        case StockLevelChanged():
            yield PositionChange(event.sku, event.location_id, "LEVEL_CHANGED", level=event.level)
        case _:
            # Places, products, rules and refusals move no stock.
            return


def _order_changes(
    event: OrderPlaced | OrderChanged | OrdersReplanned | QuoteHeld,
) -> Iterator[PositionChange]:
    match event:
        case OrderPlaced():
            yield from _taken_over(event)
            yield from _claimed("ORDERED", event.order.order_id, event.claims)
        case OrderChanged():
            yield from _claimed(f"ORDER_{event.step.name}", event.order.order_id, event.claims)
        case OrdersReplanned(changes=changes):
            for change in changes:
                yield from _order_changes(change)
        case QuoteHeld(quote=quote):
            assert quote.reservation is not None
            for line in quote.reservation.lines:
                key = quote.reservation.reservation_id
                yield _claim(line, "HELD", key, soft=line.quantity)


def _taken_over(event: OrderPlaced) -> Iterator[PositionChange]:
    for line in event.taken_over:
        yield _claim(line, "CONFIRMED", event.reservation_id, soft=-line.quantity)


def _claimed(
    reason: str, order_id: OrderId, claims: tuple[ClaimChange, ...]
) -> Iterator[PositionChange]:
    for claim in claims:
        yield PositionChange(
            claim.sku,
            claim.location_id,
            reason,
            on_hand_delta=claim.on_hand_delta,
            allocated_delta=claim.allocated_delta,
            order_id=order_id,
        )


def _stock_changes(changes: tuple[StockChange, ...]) -> Iterator[PositionChange]:
    for change in changes:
        match change:
            case StockCounted():
                yield PositionChange(
                    change.sku, change.location_id, "COUNTED", on_hand_delta=change.delta
                )
            case BucketChanged() if change.condition is SELLABLE:
                reason = change.reason or change.cause.name
                yield PositionChange(
                    change.sku, change.location_id, reason, on_hand_delta=change.delta
                )
            case _:
                # Other conditions and announced supply are no sellable stock.
                continue


def _settled(event: ReservationSettled) -> Iterator[PositionChange]:
    shipped = event.outcome is SettlementOutcome.SHIPPED
    for line in event.lines:
        yield PositionChange(
            line.sku,
            line.location_id,
            event.outcome.name,
            on_hand_delta=-line.quantity if shipped else 0,
            allocated_delta=-line.quantity,
            reservation_id=event.reservation_id,
        )


def _claim(
    line: ReservationLine | LineQuantity,
    reason: str,
    reservation_id: ReservationId,
    *,
    soft: int = 0,
    allocated: int = 0,
) -> PositionChange:
    return PositionChange(
        line.sku,
        line.location_id,
        reason,
        soft_reserved_delta=soft,
        allocated_delta=allocated,
        reservation_id=reservation_id,
    )
