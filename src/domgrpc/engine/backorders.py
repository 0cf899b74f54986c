"""Backorders: what waits for stock is planned again when some may be there, oldest order first.

The core says which SKUs stirred and which orders changed that wait; asking is O(1). The orders of
a SKU that stirred are gone through once, from the oldest; one that stirs meanwhile is gone through
again afterwards, so that the youngest come to their turn too. All orders are gone through after a
start, where places, rules or transport changed, where a window opened or closed, and once an hour
for what time alone brings: the capacity of another day, supply that comes near.

Each batch is a turn of its own. Behind one that planned something is a pause as long as it took,
so that callers keep half of the time; behind one that could do nothing it is nine times as long.
"""

import asyncio
from collections.abc import Sequence
from itertools import islice

import structlog

from domgrpc.core.events import Record
from domgrpc.core.machine import DecisionBroken, replan_waiting
from domgrpc.core.state import State
from domgrpc.core.values import OrderId, Sku, TimeMs
from domgrpc.core.waiting import FIRST_KEY, OrderKey
from domgrpc.engine.writer import Writer

_log = structlog.get_logger()

ORDERS_PER_BATCH_MAX = 100
_LINES_PER_BATCH_MAX = 5_000
"""Beyond so many lines a batch takes no further order."""
ROUND_MS_MAX = 3_600_000
"""After so long at the latest all orders that wait are tried."""
_RETRY_SECONDS = 0.5
"""How long to wait where a new plan could not be written."""
_PAUSE_PER_VAIN_TURN = 9


class Backorders:
    """Watches for what may be served in one engine and has it planned."""

    def __init__(self, writer: Writer) -> None:
        """Begin with all: what stirred in the run before this one is not known."""
        self._writer = writer
        self._loop = asyncio.get_running_loop()
        self._handle: asyncio.Handle | None = None
        self._places: dict[Sku, OrderKey] = {}
        """The SKUs whose orders are being gone through, and how far that is."""
        self._round_place: OrderKey | None = FIRST_KEY
        """How far the round through all orders is, None where none is under way."""
        self._round_versions = self._versions()
        self._next_round_ms = 0
        self.look(writer.now_ms())

    def look(self, now_ms: TimeMs) -> None:
        """Have plans made where something may be served; called often, O(1)."""
        if self._handle is None and self._is_due(now_ms):
            self._handle = self._loop.call_soon(self._replan)

    def look_after_commit(self) -> None:
        """Do so at the time of the newest record."""
        self.look(self._writer.state.time_ms)

    def stop(self) -> None:
        """Plan no more."""
        if self._handle is not None:
            self._handle.cancel()

    def _is_due(self, now_ms: TimeMs) -> bool:
        waiting = self._writer.state.orders.waiting
        if not waiting.keys:
            return False
        under_way = self._places or self._round_place is not None
        return bool(waiting.stirred or waiting.changed or under_way) or self._is_round_due(now_ms)

    def _is_round_due(self, now_ms: TimeMs) -> bool:
        return now_ms >= self._next_round_ms or self._versions() != self._round_versions

    def _replan(self) -> None:
        # The handle stays set meanwhile: the commits of this turn begin nothing else.
        now_ms = self._writer.now_ms()
        started_seconds = self._writer.clock.seconds()
        self._begin(now_ms)
        batch = _Batch(self._writer.state)
        batch.choose(self._places, self._round_place)
        was_written = self._writer.run_alone(lambda at_ms: self._decide(batch, at_ms), now_ms)
        self._handle = None
        if self._writer.failed.done():
            return
        if was_written is None:
            self._handle = self._loop.call_later(_RETRY_SECONDS, self._replan)
            return
        self._places.update(batch.places)
        for sku in batch.ended:
            del self._places[sku]
        self._round_place = batch.round_place
        if self._is_due(now_ms):
            pause_seconds = self._writer.clock.seconds() - started_seconds
            pause_seconds *= 1 if was_written else _PAUSE_PER_VAIN_TURN
            self._handle = self._loop.call_later(pause_seconds, self._replan)

    def _begin(self, now_ms: TimeMs) -> None:
        state = self._writer.state
        waiting = state.orders.waiting
        for sku in list(waiting.stirred):
            if sku not in self._places:
                del waiting.stirred[sku]
                self._places[sku] = FIRST_KEY
        if self._round_place is None and self._is_round_due(now_ms):
            self._round_place = FIRST_KEY
        if self._round_place == FIRST_KEY:
            self._round_versions = self._versions()
            _, boundary_ms = state.network.refresh(now_ms)
            self._next_round_ms = min(boundary_ms, now_ms + ROUND_MS_MAX)

    def _decide(self, batch: "_Batch", now_ms: TimeMs) -> Record | None:
        batch.take_changed()
        try:
            return replan_waiting(self._writer.state, batch.order_ids(), now_ms)
        except DecisionBroken:
            # Deciding changes nothing: the orders wait on, and everybody else is served.
            _log.exception("replanning_failed")
            return None

    def _versions(self) -> tuple[int, ...]:
        state = self._writer.state
        network = state.network
        return (
            network.locations.version,
            network.groups.version,
            network.rules.version,
            state.logistics.version,
            state.rule_sets.active_version,
        )


class _Batch:
    """The orders of one turn, and how far it comes with what is being gone through."""

    def __init__(self, state: State) -> None:
        self._orders = state.orders
        self._waiting = state.orders.waiting
        self._keys: dict[OrderKey, None] = {}
        self._line_count = 0
        self._changed: Sequence[OrderKey] = ()
        self.places: dict[Sku, OrderKey] = {}
        self.ended: list[Sku] = []
        self.round_place: OrderKey | None = None

    def choose(self, places: dict[Sku, OrderKey], round_place: OrderKey | None) -> None:
        """Take orders that changed, then those of SKUs, then those of the round."""
        changed = list(islice(self._waiting.changed, ORDERS_PER_BATCH_MAX))
        self._changed = changed[: self._add(changed)]
        for sku, place in places.items():
            if self._is_full():
                break
            self.places[sku], is_over = self._go_on(place, sku)
            if is_over:
                self.ended.append(sku)
        self.round_place = round_place
        if round_place is not None and not self._is_full():
            place, is_over = self._go_on(round_place, None)
            self.round_place = None if is_over else place

    def take_changed(self) -> None:
        """Let those be tried once that changed; what the turn changes of them counts anew."""
        for key in self._changed:
            self._waiting.changed.pop(key, None)

    def order_ids(self) -> list[OrderId]:
        """Return the orders, oldest first."""
        return [order_id for _, order_id in sorted(self._keys)]

    def _go_on(self, place: OrderKey, sku: Sku | None) -> tuple[OrderKey, bool]:
        keys = self._waiting.after(place, sku, ORDERS_PER_BATCH_MAX)
        count = self._add(keys)
        is_over = count == len(keys) < ORDERS_PER_BATCH_MAX
        return keys[count - 1] if count else place, is_over

    def _add(self, keys: Sequence[OrderKey]) -> int:
        for count, key in enumerate(keys):
            if self._is_full():
                return count
            if key not in self._keys:
                self._keys[key] = None
                self._line_count += len(self._orders.by_id[key[1]].lines)
        return len(keys)

    def _is_full(self) -> bool:
        return len(self._keys) >= ORDERS_PER_BATCH_MAX or self._line_count >= _LINES_PER_BATCH_MAX
