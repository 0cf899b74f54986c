"""Reoptimizing: a better plan of all open work, searched beside the server.

The open work is collected in slices between other calls, so that nobody waits for it; the search
runs in a process of its own (backlog_search.py). Meanwhile orders change, and nothing of the
answer is believed: ApplyReplan books the moves that still fit.
"""

import asyncio
import time
from collections import Counter

import msgspec
import structlog

from domgrpc.core.open_costs import moved_packages
from domgrpc.core.open_legs import OpenOrder
from domgrpc.core.open_work import open_order, open_order_ids, shared_stock
from domgrpc.core.order_commands import OrderMove
from domgrpc.core.order_moves import package_count_max
from domgrpc.core.rejections import Rejected
from domgrpc.core.replan_proposals import (
    BacklogProposal,
    BacklogQuestion,
    ProposedMove,
    Staying,
)
from domgrpc.core.values import Micros, OrderId, Revision, TimeMs
from domgrpc.engine.backlog_search import ANSWER, SearchAnswer, SearchJob
from domgrpc.engine.beside import run_module
from domgrpc.engine.writer import Writer

_log = structlog.get_logger()

ORDERS_PER_SLICE = 20
NEEDS_MAX = 500_000
"""What so many may cost at the most still adds up within the numbers of the search."""
CELLS_MAX = 50_000_000
"""Needs times locations: beyond it the search would take more memory than a server spares."""


class ReoptimizationRunning(Exception):
    """Another search is under way."""


class BacklogTooLarge(Exception):
    """There is more open work than a search can take."""


class _Backlog:
    """The open work as it was collected."""

    __slots__ = ("left_out", "order_count", "orders", "revision")

    def __init__(self, order_count: int) -> None:
        """Begin with nothing of so many orders."""
        self.order_count = order_count
        self.orders: list[OpenOrder] = []
        """Those of which anything may move."""
        self.left_out: Counter[Staying] = Counter()
        self.revision = Revision(0)


_NOTHING = SearchAnswer((), (), (), 0, ())


class Reoptimizer:
    """Searches for better plans of the open work, one search at a time."""

    def __init__(self, writer: Writer) -> None:
        """Look at the state of a writer."""
        self._writer = writer
        self._is_running = False

    async def propose(self, question: BacklogQuestion) -> BacklogProposal:
        """Return a better plan of the open orders; none of it is booked.

        Raises ReoptimizationRunning while another search is under way, BacklogTooLarge,
        BesideFailed where the process fails, and Rejected for a scope that does not exist.
        """
        if self._is_running:
            raise ReoptimizationRunning("another search is under way: wait for its end")
        self._is_running = True
        started = time.perf_counter()
        try:
            backlog = await self._collect(question)
            answer = _NOTHING
            if backlog.orders:
                answer = await _search_beside(self._job(question, backlog.orders))
        finally:
            self._is_running = False
        search_us = round((time.perf_counter() - started) * 1e6)
        return self._proposal(question, backlog, answer, search_us)

    async def _collect(self, question: BacklogQuestion) -> _Backlog:
        state = self._writer.state
        ids = open_order_ids(state.planner, question)
        backlog = _Backlog(len(ids))
        need_count = 0
        for start in range(0, len(ids), ORDERS_PER_SLICE):
            now_ms = self._writer.now_ms()
            for order_id in ids[start : start + ORDERS_PER_SLICE]:
                found = self._open_order(order_id, question, now_ms)
                if found is None:
                    backlog.left_out[Staying.FAILED] += 1
                    continue
                backlog.left_out.update(found.reasons)
                if found.legs:
                    backlog.orders.append(found)
                    need_count += sum(len(leg.needs) for leg in found.legs)
            location_count = len(state.network.locations.by_index)
            if need_count * location_count > CELLS_MAX or need_count > NEEDS_MAX:
                raise BacklogTooLarge(
                    f"the open work of {len(backlog.orders)} orders at {location_count} locations "
                    "is more than one search takes: name a scope, or fewer orders"
                )
            await asyncio.sleep(0)
        backlog.revision = state.revision
        return backlog

    def _open_order(
        self, order_id: OrderId, question: BacklogQuestion, now_ms: TimeMs
    ) -> OpenOrder | None:
        try:
            return open_order(self._writer.state.planner, order_id, question, now_ms)
        except Rejected:
            raise
        except Exception:  # noqa: BLE001 - logged, and told to the caller
            # One order that breaks the counting stays where it is; all others take part.
            _log.exception("open_order_broken", order_id=order_id)
            return None

    def _job(self, question: BacklogQuestion, orders: list[OpenOrder]) -> SearchJob:
        state = self._writer.state
        alive = [each for each in orders if each.order_id in state.orders.by_id]
        # Of an order that was forgotten meanwhile nothing is open.
        orders[:] = alive
        stock = shared_stock(state.planner, alive, self._writer.now_ms())
        stability = question.stability_price_micros
        if stability is None:
            rules = state.rule_sets.active(state.network).content
            stability = Micros(rules.replanning.stability_price_micros)
        return SearchJob(
            len(state.network.locations.by_index),
            tuple(alive),
            {sku: units.tobytes() for sku, units in stock.items()},
            stability,
            question.search_ms_max,
        )

    def _proposal(
        self, question: BacklogQuestion, backlog: _Backlog, answer: SearchAnswer, search_us: int
    ) -> BacklogProposal:
        orders = backlog.orders
        staying = sum(order.staying_micros for order in orders)
        before, after = sum(answer.costs_before), sum(answer.costs_after)
        moves: list[ProposedMove] = []
        if before - after >= question.saving_micros_min:
            moves = self._moves(orders, answer)
        return BacklogProposal(
            moves=tuple(moves),
            order_count=backlog.order_count,
            left_out=tuple(sorted(backlog.left_out.items(), key=lambda each: each[0].value)),
            cost_before_micros=Micros(before + staying),
            cost_after_micros=Micros((after if moves else before) + staying),
            lower_bound_micros=Micros(answer.lower_bound + staying),
            search_us=search_us,
            revision=backlog.revision,
            package_count_max=package_count_max(len(self._writer.state.network.locations.by_index)),
        )

    def _moves(self, orders: list[OpenOrder], answer: SearchAnswer) -> list[ProposedMove]:
        names = [each.location_id for each in self._writer.state.network.locations.by_index]
        places = iter(answer.places)
        moves: dict[int, list[ProposedMove]] = {}
        costs = zip(answer.costs_before, answer.costs_after, strict=True)
        for order, (before, after), partner in zip(orders, costs, answer.partners, strict=True):
            own = [next(places) for _ in order.legs]
            if not any(own):
                continue
            packages = moved_packages(order, own, names)
            move = OrderMove(order.order_id, order.revision, packages)
            stays = order.staying_micros
            moves.setdefault(partner, []).append(
                ProposedMove(move, Micros(before + stays), Micros(after + stays))
            )
        groups = [sorted(group, key=_more) for group in moves.values()]
        groups.sort(key=lambda group: sum(map(_more, group)))
        return [each for group in groups for each in group]


def _more(move: ProposedMove) -> int:
    return move.cost_after_micros - move.cost_before_micros


async def _search_beside(job: SearchJob) -> SearchAnswer:
    """Search in a process of its own; where the caller is cancelled the process is ended."""
    task = msgspec.msgpack.encode(job)
    return ANSWER.decode(await run_module("domgrpc.engine.backlog_search", task))
