"""A small language for tests of the core: given past commands, when a command, then an outcome.

`Shop` is the engine that a test needs: it gives every command a request id, expires what is due
before anything else happens, checks the invariants after every step and writes down the records,
so that `check_replay` can read them back and compare. Time stands still unless a test moves it.
The functions below it write commands in few words. Nothing here decides anything.
"""

from typing import TypeVar
from zlib import crc32

import msgspec

from domgrpc.core.answers import Answer, Outcome
from domgrpc.core.availability import (
    CheckAvailability,
    LocationAvailability,
    SkuAvailability,
    check_availability,
)
from domgrpc.core.dispatch import Command
from domgrpc.core.events import Event, Record
from domgrpc.core.listings import PositionView, get_position
from domgrpc.core.machine import (
    Request,
    change_retention,
    expire,
    handle,
    replan_displaced,
    replan_waiting,
    replay,
    sweep_levels,
)
from domgrpc.core.order_commands import OrdersReplanned
from domgrpc.core.orders import Order
from domgrpc.core.rejections import Reason, Rejection
from domgrpc.core.reservations import Reservation
from domgrpc.core.scopes import Scope
from domgrpc.core.state import State
from domgrpc.core.stock_levels import SWEEP_START, StockLevelChanged, SweepStockLevels
from domgrpc.core.values import (
    ClientId,
    Demand,
    Limits,
    LocationId,
    OrderId,
    Quantity,
    RequestId,
    ReservationId,
    Retention,
    Sku,
    StockLevel,
    TimeMs,
)
from tests.core.pictures import added_up, figures_of, picture

NOON_MS = TimeMs(1_750_000_000_000)
"""When every test begins."""
WEB = ClientId("web")
EVERY_POSITION = SweepStockLevels(SWEEP_START, position_count=1_000_000)

Kind = TypeVar("Kind")


class Shop:
    """A state, the time, and all that was written to the log since the beginning."""

    def __init__(self, limits: Limits | None = None, *, steps_per_check: int = 1) -> None:
        """Open an empty shop at noon; large ones check their invariants less often."""
        self.limits = limits or Limits()
        self._steps_per_check = steps_per_check
        self.state = State(self.limits)
        self.now_ms = NOON_MS
        self.records: list[Record] = []
        self._requests: list[Request] = []
        self.retain(self.limits.retention)

    # --- time

    def at(self, time_ms: int) -> "Shop":
        """Move the clock to a time and let the timers run."""
        assert time_ms >= self.now_ms, "time does not run backwards"
        self.now_ms = TimeMs(time_ms)
        self._expire_due()
        return self

    def later(self, duration_ms: int) -> "Shop":
        """Move the clock on."""
        return self.at(self.now_ms + duration_ms)

    def sweep(self) -> None:
        """Let the timer compare the level of every position."""
        self.sweep_slice(EVERY_POSITION)

    def sweep_slice(self, command: SweepStockLevels) -> None:
        """Let the timer compare the levels of some positions."""
        self._write(sweep_levels(self.state, command, self.now_ms))

    def replan(self) -> OrdersReplanned | None:
        """Let the timer plan some orders again whose location is out of use."""
        self._expire_due()
        record = replan_displaced(self.state, self.now_ms)
        if not self._write(record):
            return None
        (event, *_) = self.events()
        assert isinstance(event, OrdersReplanned)
        return event

    def serve(self) -> OrdersReplanned | None:
        """Let the timer try all orders that wait, oldest first."""
        self._expire_due()
        ids = [order_id for _, order_id in self.state.orders.waiting.keys]
        if not self._write(replan_waiting(self.state, ids, self.now_ms)):
            return None
        (event, *_) = self.events()
        assert isinstance(event, OrdersReplanned)
        return event

    def stirred(self) -> list[str]:
        """Return the SKUs of which there may be more for those that wait, and forget them."""
        skus = sorted(self.state.orders.waiting.stirred)
        self.state.orders.waiting.stirred.clear()
        return [str(sku) for sku in skus]

    def retain(self, retention: Retention) -> None:
        """Keep so much of the past from now on, as a start with other settings does."""
        self._write(change_retention(self.state, retention, self.now_ms))

    # --- given, when

    def given(self, *commands: Command) -> "Shop":
        """Send commands of which none may be refused."""
        for command in commands:
            outcome = self.send(command).outcome
            assert not isinstance(outcome, Rejection), brief(outcome)
        return self

    def send(
        self,
        command: Command,
        *,
        request_id: str = "",
        client_id: str = WEB,
        validate_only: bool = False,
    ) -> Answer:
        """Send one command, under an id of its own unless the test names one."""
        self._expire_due()
        request = Request(
            command=command,
            client_id=ClientId(client_id),
            request_id=RequestId(request_id or f"request-{len(self._requests)}"),
            fingerprint=fingerprint_of(command),
            validate_only=validate_only,
        )
        self._requests.append(request)
        answer, record = handle(self.state, request, self.now_ms)
        self._write(record)
        return answer

    def gives(self, kind: type[Kind], command: Command, *, client_id: str = WEB) -> Kind:
        """Send a command and return its outcome, which must be of the kind."""
        outcome = self.send(command, client_id=client_id).outcome
        assert isinstance(outcome, kind), brief(outcome)
        return outcome

    def holds(self, command: Command, *, client_id: str = WEB) -> Reservation:
        """Send a command about a reservation and return what became of it."""
        return self.gives(Reservation, command, client_id=client_id)

    def refusal(self, command: Command, *, client_id: str = WEB) -> Rejection:
        """Send a command that must be refused, and check that it changed nothing."""
        before = picture(self.state, self.now_ms)
        outcome = self.send(command, client_id=client_id).outcome
        assert isinstance(outcome, Rejection), brief(outcome)
        assert picture(self.state, self.now_ms) == before
        return outcome

    def refuses(self, command: Command, *, client_id: str = WEB) -> Reason:
        """Send a command that must be refused and return why."""
        return self.refusal(command, client_id=client_id).reason

    # --- then

    def events(self) -> tuple[Event, ...]:
        """Return the events of the newest record."""
        return self.records[-1].events

    def levels(self) -> list[tuple[str, str, StockLevel]]:
        """Return all crossings of stock levels so far as (SKU, location, level)."""
        return [
            (event.sku, event.location_id, event.level)
            for record in self.records
            for event in record.events
            if isinstance(event, StockLevelChanged)
        ]

    def reservation(self, reservation_id: str) -> Reservation:
        """Return a reservation as it stands."""
        self._expire_due()
        return self.state.reservations.get(ReservationId(reservation_id))

    def order(self, order_id: str = "o") -> Order:
        """Return an order as it stands."""
        self._expire_due()
        return self.state.orders.get(OrderId(order_id))

    def position(self, sku: str, location_id: str) -> PositionView:
        """Return the figures of one position."""
        self._expire_due()
        return get_position(self.state, Sku(sku), LocationId(location_id), self.now_ms)

    def check(self, query: CheckAvailability) -> tuple[SkuAvailability, ...]:
        """Answer an availability query."""
        self._expire_due()
        return check_availability(self.state.network, query, self.now_ms)

    def available(
        self,
        sku: str,
        *,
        scope: Scope = None,
        demand: Demand | None = None,
        wanted: int = 0,
        horizon_days: int = 0,
    ) -> SkuAvailability:
        """Return what is available of one SKU, with locations and parts."""
        query = CheckAvailability(
            items=((Sku(sku), Quantity(wanted)),),
            scope=scope,
            demand=demand or Demand(),
            include_locations=True,
            include_parts=True,
            horizon_days=horizon_days,
        )
        (found,) = self.check(query)
        return found

    def atf(self, sku: str, *, scope: Scope = None, demand: Demand | None = None) -> int:
        """Return the total that can be fulfilled now."""
        return self.available(sku, scope=scope, demand=demand).available_to_fulfill

    def ats(self, sku: str, *, scope: Scope = None, demand: Demand | None = None) -> int:
        """Return the total that can be sold."""
        return self.available(sku, scope=scope, demand=demand).available_to_sell

    def here(
        self, sku: str, location_id: str, *, demand: Demand | None = None
    ) -> LocationAvailability:
        """Return what one location offers, with its parts."""
        (found,) = (
            location
            for location in self.available(sku, demand=demand).locations
            if location.location_id == location_id
        )
        return found

    # --- the log

    def replayed(self) -> State:
        """Build a state from the records alone, read back from their bytes."""
        state = State(self.limits)
        for number, record in enumerate(self.records):
            replay(state, decoded(encoded(record)))
            if number % self._steps_per_check == 0:
                state.check_invariants()
        return state

    def reopened(self) -> "Shop":
        """Return a shop that begins where this one stands, from its log alone."""
        again = Shop(self.limits, steps_per_check=self._steps_per_check)
        again.state = self.replayed()
        again.now_ms = self.now_ms
        again.records = list(self.records)
        again._requests = list(self._requests)
        return again

    def check_replay(self) -> None:
        """Assert that the log tells the same story, to the last kept answer."""
        state = self.replayed()
        assert picture(state, self.now_ms) == picture(self.state, self.now_ms)
        assert added_up(self.records) == figures_of(self.state, self.now_ms)
        for request in self._requests:
            live, _ = handle(self.state, request, self.now_ms)
            again, _ = handle(state, request, self.now_ms)
            assert again == live
        assert picture(state, self.now_ms) == picture(self.state, self.now_ms)

    def _expire_due(self) -> None:
        while self._write(expire(self.state, self.now_ms)):
            continue

    def _write(self, record: Record | None) -> bool:
        if record is None:
            return False
        if len(self.records) % self._steps_per_check == 0:
            self.state.check_invariants()
        assert record.revision == len(self.records) + 1, "every record is one revision"
        assert record.time_ms == self.now_ms
        self.records.append(record)
        return True


def encoded(record: Record) -> bytes:
    """Return a record as the log holds it."""
    return msgspec.msgpack.encode(record)


def decoded(data: bytes) -> Record:
    """Return a record as it comes back from the log."""
    return msgspec.msgpack.decode(data, type=Record)


def fingerprint_of(command: Command) -> int:
    """Return a number that tells the contents of requests apart."""
    name = type(command).__name__.encode()
    return crc32(msgspec.msgpack.encode(command), crc32(name))


def brief(outcome: Outcome) -> str:
    """Return the beginning of an outcome, for the message of a failure."""
    return f"{outcome!s:.1000}"


def quantities(reservation: Reservation) -> dict[tuple[str, str], int]:
    """Return what a reservation names, by SKU and location."""
    return {(line.sku, line.location_id): line.quantity for line in reservation.lines}


def sources(reservation: Reservation) -> list[str]:
    """Return the locations of a reservation's lines."""
    return [line.location_id for line in reservation.lines]
