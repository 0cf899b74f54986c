"""The reservation book: all reservations, their deadlines in order, and what events do to them.

Units of HELD lines are counted in soft_reserved of their positions, units of CONFIRMED lines that
are not settled in allocated, all others nowhere.
"""

from collections import deque
from collections.abc import Iterator

import msgspec
from sortedcontainers import SortedList

from domgrpc.core.network import Network
from domgrpc.core.rejections import Reason, Rejected
from domgrpc.core.reservations import (
    LineQuantity,
    Reservation,
    ReservationChanged,
    ReservationConfirmed,
    ReservationExpired,
    ReservationLine,
    ReservationReleased,
    ReservationSettled,
    ReservationState,
    SettlementOutcome,
    StockReserved,
)
from domgrpc.core.values import (
    ClientId,
    Limits,
    LocationIndex,
    Quantity,
    ReservationId,
    Retention,
    Revision,
    Sku,
    Stamp,
    TimeMs,
)

# --- state


class Reservations:
    """All reservations that are remembered, and the deadlines of the open ones, sorted."""

    __slots__ = (
        "_finished_max",
        "_listing",
        "_next_deadline_ms",
        "by_id",
        "deadlines",
        "finished",
        "held_counts",
        "limits",
    )

    def __init__(self, limits: Limits, retention: Retention) -> None:
        """Start empty."""
        self.limits = limits
        self._finished_max = retention.finished_reservations_max
        self.by_id: dict[ReservationId, Reservation] = {}
        self.deadlines: SortedList[tuple[TimeMs, ReservationId]] = SortedList()
        self._next_deadline_ms: TimeMs | None = None
        self.held_counts: dict[ClientId, int] = {}
        # (id, revision) in order of finishing; the revision tells a revived one apart.
        self.finished: deque[tuple[ReservationId, Revision]] = deque()
        self._listing: SortedList[tuple[TimeMs, ReservationId]] | None = None

    def get(self, reservation_id: ReservationId) -> Reservation:
        """Return a reservation or refuse with RESERVATION_NOT_FOUND."""
        reservation = self.by_id.get(reservation_id)
        if reservation is None:
            raise Rejected(
                Reason.RESERVATION_NOT_FOUND,
                f"reservation {reservation_id!r} does not exist, or ended long ago and is "
                "forgotten",
                reservation_id=reservation_id,
            )
        return reservation

    def next_deadline_ms(self) -> TimeMs | None:
        """Return the earliest deadline of an open hold, None where there is none; O(1)."""
        return self._next_deadline_ms

    def after(self, place: tuple[int, str]) -> Iterator[Reservation]:
        """Iterate the reservations created behind (create time, id), oldest first.

        The sorted listing is made by the first call, O(n log n), and kept from then on.
        """
        if self._listing is None:
            self._listing = SortedList(
                (reservation.create_time_ms, key) for key, reservation in self.by_id.items()
            )
        first = (TimeMs(place[0]), ReservationId(place[1]))
        for _, reservation_id in self._listing.irange(first, None, (False, True)):
            yield self.by_id[reservation_id]

    def retain(self, retention: Retention) -> None:
        """Remember so many finished ones from now on; what is beyond is forgotten."""
        self._finished_max = retention.finished_reservations_max
        self._forget_oldest()

    def restore(self, reservations: list[Reservation]) -> None:
        """Add reservations from a snapshot, in their order; `finished` comes on its own."""
        held = []
        for reservation in reservations:
            self.by_id[reservation.reservation_id] = reservation
            if reservation.state is ReservationState.HELD:
                held.append((reservation.expire_time_ms, reservation.reservation_id))
                self._count_held(reservation.client_id, 1)
        self.deadlines.update(held)
        self._note_next_deadline()

    def store(self, reservation: Reservation) -> None:
        """Put a reservation in place of its former value and keep the orders and counts."""
        old = self.by_id.get(reservation.reservation_id)
        held = reservation.state is ReservationState.HELD
        key = reservation.reservation_id
        if old is not None and old.state is ReservationState.HELD:
            if held and old.expire_time_ms == reservation.expire_time_ms:
                self.by_id[key] = reservation
                return
            self.deadlines.remove((old.expire_time_ms, key))
            self._count_held(old.client_id, -1)
            self._note_next_deadline()
        if held:
            self.deadlines.add((reservation.expire_time_ms, key))
            self._note_next_deadline()
            self._count_held(reservation.client_id, 1)
        self.by_id[key] = reservation
        if old is None and self._listing is not None:
            self._listing.add((reservation.create_time_ms, key))
        if not held and reservation.is_finished:
            self.finished.append((key, reservation.revision))
            self._forget_oldest()

    def _note_next_deadline(self) -> None:
        # Several times in every turn it is asked for, by the timers too.
        self._next_deadline_ms = self.deadlines[0][0] if self.deadlines else None

    def _count_held(self, client_id: ClientId, change: int) -> None:
        count = self.held_counts.get(client_id, 0) + change
        if count:
            self.held_counts[client_id] = count
        else:
            self.held_counts.pop(client_id, None)

    def _forget_oldest(self) -> None:
        while len(self.finished) > self._finished_max:
            key, revision = self.finished.popleft()
            old = self.by_id.get(key)
            if old is not None and old.revision == revision:
                del self.by_id[key]
                if self._listing is not None:
                    self._listing.remove((old.create_time_ms, key))

    def check_invariants(self) -> None:
        """Deadlines and counts agree with the holds."""
        held = [r for r in self.by_id.values() if r.state is ReservationState.HELD]
        expected = sorted((r.expire_time_ms, r.reservation_id) for r in held)
        assert list(self.deadlines) == expected
        assert self._next_deadline_ms == (expected[0][0] if expected else None)
        assert sum(self.held_counts.values()) == len(held)

    def claims(self, network: Network) -> dict[Sku, dict[LocationIndex, list[int]]]:
        """Return what all claim: SKU to location to [soft_reserved, allocated]; O(everything)."""
        claims: dict[Sku, dict[LocationIndex, list[int]]] = {}
        for reservation in self.by_id.values():
            if reservation.is_finished:
                continue
            held = reservation.state is ReservationState.HELD
            for line in reservation.lines:
                index = network.locations.index_of[line.location_id]
                claimed = claims.setdefault(line.sku, {}).setdefault(index, [0, 0])
                claimed[0 if held else 1] += line.quantity - line.settled_quantity
        return claims


# --- evolve


def evolve_stock_reserved(network: Network, state: Reservations, event: StockReserved) -> None:
    """Count the units as soft_reserved and start the deadline."""
    reservation = event.reservation
    _hold(network, reservation.lines, 1)
    if reservation.short_lines:
        # Told in the answer of the call, not remembered.
        reservation = msgspec.structs.replace(reservation, short_lines=())
    state.store(reservation)


def evolve_reservation_changed(
    network: Network, state: Reservations, event: ReservationChanged
) -> None:
    """Count what changed."""
    for change in event.changes:
        _claim(network, change, soft=change.quantity)
    state.store(event.reservation)


def evolve_reservation_confirmed(
    network: Network, state: Reservations, event: ReservationConfirmed, at: Stamp
) -> None:
    """Turn soft_reserved into allocated; an expired one is claimed anew."""
    reservation = state.by_id[event.reservation_id]
    for line in event.lines:
        soft = 0 if event.revived else -line.quantity
        _claim(network, line, soft=soft, allocated=line.quantity)
    # A revived hold may be backed by less stock than it was.
    reservation = msgspec.structs.replace(reservation, lines=event.lines)
    _change_state(state, reservation, ReservationState.CONFIRMED, at)


def evolve_reservation_ended(
    network: Network,
    state: Reservations,
    event: ReservationReleased | ReservationExpired,
    at: Stamp,
) -> None:
    """Give the held units back."""
    reservation = state.by_id[event.reservation_id]
    _hold(network, event.lines, -1)
    released = isinstance(event, ReservationReleased)
    end = ReservationState.RELEASED if released else ReservationState.EXPIRED
    _change_state(state, reservation, end, at)


def evolve_reservation_settled(
    network: Network, state: Reservations, event: ReservationSettled, at: Stamp
) -> None:
    """Lower allocated and, where the units were shipped, on_hand."""
    reservation = state.by_id[event.reservation_id]
    settled = {(line.sku, line.location_id): line.quantity for line in event.lines}
    lines = []
    for line in reservation.lines:
        quantity = settled.get((line.sku, line.location_id), Quantity(0))
        if quantity:
            left = -quantity if event.outcome is SettlementOutcome.SHIPPED else 0
            _claim(network, line, allocated=-quantity, on_hand=left)
        total = Quantity(line.settled_quantity + quantity)
        lines.append(msgspec.structs.replace(line, settled_quantity=total))
    changed = msgspec.structs.replace(
        reservation,
        lines=tuple(lines),
        short_lines=(),
        update_time_ms=at.time_ms,
        revision=at.revision,
    )
    state.store(changed)


def _hold(network: Network, lines: tuple[ReservationLine, ...], sign: int) -> None:
    # `_claim` of soft_reserved only, without its calls: every hold comes here twice in its life.
    index_of = network.locations.index_of
    by_sku = network.stock.by_sku
    for line in lines:
        stock = by_sku[line.sku]
        slot = stock.slot(index_of[line.location_id])
        assert slot >= 0, line
        stock.soft_reserved[slot] += sign * line.quantity
        network.stock.touch(stock, slot)


def _claim(
    network: Network,
    line: ReservationLine | LineQuantity,
    *,
    soft: int = 0,
    allocated: int = 0,
    on_hand: int = 0,
) -> None:
    index = network.locations.index_of[line.location_id]
    stock, slot = network.stock.locate(line.sku, index)
    assert stock is not None, line
    assert slot >= 0, line
    stock.soft_reserved[slot] += soft
    if allocated:
        stock.allocated[slot] += allocated
    if on_hand:
        stock.on_hand[slot] += on_hand
    network.stock.touch(stock, slot)


def _change_state(
    state: Reservations, reservation: Reservation, end: ReservationState, at: Stamp
) -> None:
    state.store(
        Reservation(
            reservation.reservation_id,
            reservation.client_id,
            end,
            reservation.lines,
            reservation.demand,
            reservation.reference,
            reservation.expire_time_ms,
            reservation.create_time_ms,
            at.time_ms,
            at.revision,
        )
    )
