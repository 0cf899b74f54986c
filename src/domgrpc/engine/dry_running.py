"""Dry running: the newest orders are planned by another rule set, in slices between other calls.

A slice is a read of a moment; orders may change between two of them, and an order that is gone by
its turn is left out. Nothing is written. Behind each slice is a pause as long as it took, so that
callers keep half of the time.
"""

import asyncio

import msgspec

from domgrpc.core.dry_runs import TriedOrder, UntriedOrder, newest_orders, orders_to_try, try_order
from domgrpc.core.rule_set_book import check_is_validated
from domgrpc.core.state import State
from domgrpc.core.values import OrderId, Revision, RuleSetVersion, TimeMs
from domgrpc.engine.writer import Writer

_LINES_PER_SLICE_MAX = 100
"""Beyond so many lines a slice takes no further order."""
_ORDERS_PER_SLICE_MAX = 10


class DryRunning(Exception):
    """Another dry run is under way."""


class DryRunReport(msgspec.Struct, frozen=True, kw_only=True):
    """What became of each order, the newest first."""

    active_version: RuleSetVersion
    """The rule set that was active at the end."""
    revision: Revision
    tried: tuple[TriedOrder, ...]
    untried: tuple[UntriedOrder, ...]


class DryRunner:
    """Tries rule sets on the orders of a writer's state, one at a time."""

    def __init__(self, writer: Writer) -> None:
        """Look at the state of a writer."""
        self._writer = writer
        self._is_running = False

    async def run(self, version: RuleSetVersion, order_count: int) -> DryRunReport:
        """Plan the newest orders by a rule set and by the active one.

        Raises DryRunning while another run is under way, Rejected for a draft and for a version
        that does not exist, and what a read raises.
        """
        if self._is_running:
            raise DryRunning("another dry run is under way: wait for its end")
        state = self._writer.state
        check_is_validated(state.rule_sets, version)
        self._is_running = True
        found: list[TriedOrder | UntriedOrder] = []
        try:
            order_ids = newest_orders(state.planner, order_count)
            while len(found) < len(order_ids):
                started_seconds = self._writer.clock.seconds()
                found += await self._try_some(order_ids[len(found) :], version)
                await asyncio.sleep(self._writer.clock.seconds() - started_seconds)
        finally:
            self._is_running = False
        return DryRunReport(
            active_version=state.rule_sets.active_version,
            revision=state.revision,
            tried=tuple(each for each in found if isinstance(each, TriedOrder)),
            untried=tuple(each for each in found if isinstance(each, UntriedOrder)),
        )

    async def _try_some(
        self, order_ids: list[OrderId], version: RuleSetVersion
    ) -> list[TriedOrder | UntriedOrder]:
        def tried(state: State, now_ms: TimeMs) -> list[TriedOrder | UntriedOrder]:
            first = order_ids[:_ORDERS_PER_SLICE_MAX]
            part = orders_to_try(state.planner, first, _LINES_PER_SLICE_MAX)
            return [try_order(state.planner, order_id, version, now_ms) for order_id in part]

        return (await self._writer.read(tried)).value
