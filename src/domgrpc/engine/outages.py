"""Outages: open work goes elsewhere when its location is out of use.

Asking whether anything is displaced is O(1) while no place changed, no order stirred whose work
was stuck, and no disabled window opened or closed. What is displaced is planned again in batches,
each in a turn of its own and with a pause behind it as long as it took, so that callers keep half
of the time. The first batch comes right behind the change that displaced it.
"""

import asyncio

import structlog

from domgrpc.core.events import Record
from domgrpc.core.machine import DecisionBroken, replan_displaced
from domgrpc.core.order_commands import OrdersReplanned
from domgrpc.core.replanning import PLANNING_FAILED
from domgrpc.core.values import OrderId, TimeMs
from domgrpc.engine.writer import Writer

_log = structlog.get_logger()

_RETRY_SECONDS = 0.5
"""How long to wait where a new plan could not be written."""
_BROKEN_RETRY_SECONDS = 60.0
"""How long to wait where deciding it broke."""


class Outages:
    """Watches for displaced work of one engine and has it planned again."""

    def __init__(self, writer: Writer) -> None:
        """Begin with a look: the run before this one may have died before it was done."""
        self._writer = writer
        self._loop = asyncio.get_running_loop()
        self._handle: asyncio.Handle | None = None
        self._settled_versions = (-1, -1)
        self._boundary_ms = 0
        self._is_broken = False
        self.look(writer.now_ms())

    def look(self, now_ms: TimeMs) -> None:
        """Have plans made where something may be displaced; called often, O(1)."""
        if self._handle is not None or not self._writer.state.orders.open_at:
            # Without open work nothing can be displaced.
            return
        if now_ms >= self._boundary_ms or self._versions() != self._settled_versions:
            self._handle = self._loop.call_soon(self._replan)

    def look_after_commit(self) -> None:
        """Do so at the time of the newest record."""
        self.look(self._writer.state.time_ms)

    def stop(self) -> None:
        """Plan no more."""
        if self._handle is not None:
            self._handle.cancel()

    def _replan(self) -> None:
        # The handle stays set meanwhile: the commits of this turn begin nothing else.
        now_ms, versions = self._writer.now_ms(), self._versions()
        started_seconds = self._writer.clock.seconds()
        self._is_broken = False
        was_written = self._writer.run_alone(self._decide, now_ms)
        self._handle = None
        if self._writer.failed.done():
            return
        if self._is_broken:
            # Not the same as nothing displaced: it is tried again, though not at every turn.
            self._handle = self._loop.call_later(_BROKEN_RETRY_SECONDS, self._replan)
        elif was_written is None:
            self._handle = self._loop.call_later(_RETRY_SECONDS, self._replan)
        elif was_written:
            pause_seconds = self._writer.clock.seconds() - started_seconds
            self._handle = self._loop.call_later(pause_seconds, self._replan)
        else:
            self._settled_versions = versions
            locations = self._writer.state.network.locations
            self._boundary_ms = locations.next_boundary_ms(now_ms)

    def _decide(self, now_ms: TimeMs) -> Record | None:
        try:
            record = replan_displaced(self._writer.state, now_ms)
        except DecisionBroken:
            # Deciding changes nothing: the work stays where it is, and everybody else is served.
            _log.exception("replanning_failed")
            self._is_broken = True
            return None
        for order_id, reason in _skipped(record):
            if reason.startswith(PLANNING_FAILED):
                _log.error("order_replanning_failed", order_id=order_id, reason=reason)
        return record

    def _versions(self) -> tuple[int, int]:
        state = self._writer.state
        return state.network.locations.version, state.orders.stirred_count


def _skipped(record: Record | None) -> tuple[tuple[OrderId, str], ...]:
    events = () if record is None else record.events
    return tuple(
        each
        for event in events
        if isinstance(event, OrdersReplanned)
        for each in event.summary.skipped
    )
