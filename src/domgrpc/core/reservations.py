"""Reservations: holds with a deadline and the claims that they become.

    HELD -> CONFIRMED | RELEASED | EXPIRED        EXPIRED -> CONFIRMED (revived)

Here are the words; reservation_book.py keeps the reservations and applies events, holds.py
decides what a hold may take, claims.py how it ends. A reservation is an immutable value that
each event replaces, so that an answer kept for a retry is simply the value as it was.
"""

import enum

import msgspec

from domgrpc.core.rejections import ShortLine
from domgrpc.core.scopes import Scope
from domgrpc.core.values import (
    ClientId,
    Demand,
    LocationId,
    Quantity,
    RequestId,
    ReservationId,
    Revision,
    Sku,
    Stamp,
    TimeMs,
)

LINES_MAX = 5_000


class ReservationState(enum.IntEnum):
    """Where a reservation is in its life."""

    HELD = 1
    CONFIRMED = 2
    RELEASED = 3
    EXPIRED = 4


class SettlementOutcome(enum.IntEnum):
    """What happened to confirmed units."""

    SHIPPED = 1
    CANCELLED = 2


class ReservationLine(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Units of one SKU at one location."""

    sku: Sku
    location_id: LocationId
    quantity: Quantity
    backordered_quantity: Quantity = Quantity(0)
    settled_quantity: Quantity = Quantity(0)


class Reservation(msgspec.Struct, frozen=True, array_like=True, tag=1, tag_field="tag", gc=False):
    """A hold or a claim; lines sorted by SKU and location."""

    reservation_id: ReservationId
    client_id: ClientId
    state: ReservationState
    lines: tuple[ReservationLine, ...]
    demand: Demand
    reference: str
    expire_time_ms: TimeMs
    create_time_ms: TimeMs
    update_time_ms: TimeMs
    revision: Revision
    short_lines: tuple[ShortLine, ...] = ()

    @property
    def is_finished(self) -> bool:
        """Whether nothing is claimed by it any more."""
        if self.state is ReservationState.CONFIRMED:
            return all(line.settled_quantity == line.quantity for line in self.lines)
        return self.state is not ReservationState.HELD


class Caller(msgspec.Struct, frozen=True, gc=False):
    """Who asks for a change, by which request, decided when."""

    client_id: ClientId
    request_id: RequestId
    at: Stamp


# --- commands


class LineQuantity(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A quantity of a SKU at a location; an empty location means wherever."""

    sku: Sku
    location_id: LocationId
    quantity: Quantity


class Expiration(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A deadline: at a time, or so long after the decision."""

    expire_time_ms: TimeMs | None = None
    ttl_ms: int | None = None


class ReserveStock(msgspec.Struct, frozen=True, array_like=True, tag=True, gc=False):
    """Hold stock until a deadline; lines without a location are picked within the scope."""

    lines: tuple[LineQuantity, ...]
    reservation_id: ReservationId = ReservationId("")
    demand: Demand = Demand()
    expiration: Expiration = Expiration()
    scope: Scope = None
    location_count_max: int = 0
    allow_partial: bool = False
    in_stock_only: bool = False
    reference: str = ""


class UpdateReservation(msgspec.Struct, frozen=True, array_like=True, tag=True, gc=False):
    """Change quantities and the deadline of a hold in place."""

    reservation_id: ReservationId
    lines: tuple[LineQuantity, ...] = ()
    expiration: Expiration | None = None
    scope: Scope = None
    in_stock_only: bool = False
    etag: str = ""


class MoveReservation(msgspec.Struct, frozen=True, array_like=True, tag=True, gc=False):
    """Move units of a hold to another location; quantity 0 means all of the line."""

    reservation_id: ReservationId
    sku: Sku
    from_location_id: LocationId
    to_location_id: LocationId = LocationId("")
    quantity: Quantity = Quantity(0)
    scope: Scope = None
    in_stock_only: bool = False
    etag: str = ""


class ConfirmReservation(msgspec.Struct, frozen=True, array_like=True, tag=True, gc=False):
    """Make a hold a claim without a deadline."""

    reservation_id: ReservationId
    revive_if_available: bool = False
    etag: str = ""


class ReleaseReservation(msgspec.Struct, frozen=True, array_like=True, tag=True, gc=False):
    """Give a hold back."""

    reservation_id: ReservationId
    reason: str = ""
    etag: str = ""


class SettleReservation(msgspec.Struct, frozen=True, array_like=True, tag=True, gc=False):
    """End the claim of confirmed units; no lines means all that is still claimed."""

    reservation_id: ReservationId
    outcome: SettlementOutcome
    lines: tuple[LineQuantity, ...] = ()
    etag: str = ""


# --- events


class StockReserved(msgspec.Struct, frozen=True, array_like=True, tag=10, gc=False):
    """Stock is held; the whole reservation."""

    reservation: Reservation


class ReservationChanged(msgspec.Struct, frozen=True, array_like=True, tag=11, gc=False):
    """A hold has other lines or another deadline: the whole reservation, and what changed."""

    reservation: Reservation
    changes: tuple[LineQuantity, ...]


class ReservationConfirmed(msgspec.Struct, frozen=True, array_like=True, tag=12, gc=False):
    """A hold, or with `revived` an expired one, became a claim."""

    reservation_id: ReservationId
    lines: tuple[ReservationLine, ...]
    revived: bool = False


class ReservationReleased(msgspec.Struct, frozen=True, array_like=True, tag=13, gc=False):
    """A hold was given back by the client."""

    reservation_id: ReservationId
    lines: tuple[ReservationLine, ...]
    reason: str = ""


class ReservationExpired(msgspec.Struct, frozen=True, array_like=True, tag=14, gc=False):
    """A hold was given back at its deadline."""

    reservation_id: ReservationId
    lines: tuple[ReservationLine, ...]


class ReservationSettled(msgspec.Struct, frozen=True, array_like=True, tag=15, gc=False):
    """Confirmed units left or are not wanted any more."""

    reservation_id: ReservationId
    outcome: SettlementOutcome
    lines: tuple[LineQuantity, ...]
