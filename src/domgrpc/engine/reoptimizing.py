"""Reoptimizing: a better plan of all open work, searched beside the server.

The open work is collected in slices between other calls, so that nobody waits for it; the search
runs in a process of its own (backlog_search.py). Meanwhile orders change, and nothing of the
answer is believed: ApplyReplan books the moves that still fit.
"""

import asyncio
import time

import msgspec

from domgrpc.core.open_work import (
    OpenOrder,
    moved_packages,
    open_order,
    open_order_ids,
    shared_stock,
)
from domgrpc.core.order_commands import OrderMove
from domgrpc.core.replan_proposals import BacklogProposal, BacklogQuestion, ProposedMove
from domgrpc.core.values import LocationIndex, Micros, Revision
from domgrpc.engine.backlog_search import ANSWER, SearchAnswer, SearchJob
from domgrpc.engine.beside import run_module
from domgrpc.engine.writer import Writer

ORDERS_PER_SLICE = 20
CELLS_MAX = 50_000_000
"""Needs times locations: beyond it the search would take more memory than a server spares."""


class ReoptimizationRunning(Exception):
    """Another search is under way."""


class BacklogTooLarge(Exception):
    """There is more open work than a search can take."""


class Reoptimizer:
    """Searches for better plans of the open work, one search at a time."""

    def __init__(self, writer: Writer) -> None:
        """Look at the state of a writer."""
        self._writer = writer
        self._is_running = False

    async def propose(self, question: BacklogQuestion) -> BacklogProposal:
        """Return a better plan of the open orders; none of it is booked.

        Raises ReoptimizationRunning while another search is under way, BacklogTooLarge, Stopped
        where the process fails, and Rejected for a scope that does not exist.
        """
        if self._is_running:
            raise ReoptimizationRunning("another search is under way: wait for its end")
        self._is_running = True
        started = time.perf_counter()
        try:
            orders, revision = await self._collect(question)
            if not orders:
                return _nothing(revision)
            answer = await _search_beside(self._job(question, orders))
        finally:
            self._is_running = False
        search_us = round((time.perf_counter() - started) * 1e6)
        return self._proposal(question, orders, answer, (revision, search_us))

    async def _collect(self, question: BacklogQuestion) -> tuple[list[OpenOrder], Revision]:
        state = self._writer.state
        ids = open_order_ids(state.planner, question)
        orders: list[OpenOrder] = []
        need_count = 0
        for start in range(0, len(ids), ORDERS_PER_SLICE):
            now_ms = self._writer.now_ms()
            for order_id in ids[start : start + ORDERS_PER_SLICE]:
                found = open_order(state.planner, order_id, question, now_ms)
                if found is not None:
                    orders.append(found)
                    need_count += sum(len(leg.needs) for leg in found.legs)
            if need_count * len(state.network.locations.by_index) > CELLS_MAX:
                raise BacklogTooLarge(
                    f"the open work of {len(orders)} orders at "
                    f"{len(state.network.locations.by_index)} locations is more than one search "
                    "takes: name a scope, or fewer orders"
                )
            await asyncio.sleep(0)
        return orders, state.revision

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
        self,
        question: BacklogQuestion,
        orders: list[OpenOrder],
        answer: SearchAnswer,
        told: tuple[Revision, int],
    ) -> BacklogProposal:
        revision, search_us = told
        saving = sum(answer.savings)
        moves: list[ProposedMove] = []
        if answer.changed_legs and saving >= question.saving_micros_min:
            moves = self._moves(orders, answer)
        return BacklogProposal(
            moves=tuple(moves),
            order_count=len(orders),
            cost_before_micros=Micros(answer.cost + saving),
            cost_after_micros=Micros(answer.cost if moves else answer.cost + saving),
            lower_bound_micros=Micros(answer.lower_bound),
            search_us=search_us,
            revision=revision,
        )

    def _moves(self, orders: list[OpenOrder], answer: SearchAnswer) -> list[ProposedMove]:
        names = [each.location_id for each in self._writer.state.network.locations.by_index]
        saved = dict(zip(answer.changed_legs, answer.savings, strict=True))
        places = iter(answer.places)
        leg_number = 0
        moves: list[ProposedMove] = []
        for order in orders:
            numbers = range(leg_number, leg_number + len(order.legs))
            leg_number += len(order.legs)
            own = [LocationIndex(next(places)) for leg in order.legs for _ in leg.needs]
            if not any(number in saved for number in numbers):
                continue
            packages = moved_packages(order, iter(own), names)
            move = OrderMove(order.order_id, order.revision, packages)
            before = _cost(order, [need.present for leg in order.legs for need in leg.needs])
            moves.append(ProposedMove(move, Micros(before), Micros(_cost(order, own))))
        moves.sort(key=lambda each: each.cost_after_micros - each.cost_before_micros)
        return moves


def _cost(order: OpenOrder, places: list[LocationIndex]) -> int:
    # What the legs of an order cost with their needs at these places.
    cost = 0
    left = iter(places)
    for leg in order.legs:
        packages = memoryview(leg.package_costs).cast("q")
        used: dict[LocationIndex, None] = {}
        for need in leg.needs:
            index = next(left)
            used[index] = None
            cost += need.quantity * memoryview(need.unit_costs).cast("q")[index]
        cost += sum(packages[index] for index in used)
    return cost


def _nothing(revision: Revision) -> BacklogProposal:
    none = Micros(0)
    return BacklogProposal(
        moves=(),
        order_count=0,
        cost_before_micros=none,
        cost_after_micros=none,
        lower_bound_micros=none,
        search_us=0,
        revision=revision,
    )


async def _search_beside(job: SearchJob) -> SearchAnswer:
    """Search in a process of its own; where the caller is cancelled the process is ended."""
    task = msgspec.msgpack.encode(job)
    return ANSWER.decode(await run_module("domgrpc.engine.backlog_search", task))
