"""The search for a better plan of all open work, in a process of its own.

    python -m domgrpc.engine.backlog_search < job > answer

It reads a job, searches until it is done or its time is over, and writes the answer; both are
msgpack. It knows orders as rows of numbers and touches no file.
"""

import os
import sys
import time
from collections.abc import Iterator
from itertools import islice

import msgspec
import numpy as np

from domgrpc.core.open_costs import is_carried_out, leg_cost, present_places, search_rows
from domgrpc.core.open_work import BACKORDER_MICROS, OpenLeg, OpenOrder
from domgrpc.core.routing.backlog import bound_without_stability, solve_backlog
from domgrpc.core.routing.backlog_data import Backlog, BacklogPlan, check_backlog
from domgrpc.core.values import LocationIndex, Sku

_NICENESS = 10


class SearchJob(msgspec.Struct, frozen=True, array_like=True):
    """Open orders, the stock that they share, and how the search is bounded."""

    location_count: int
    orders: tuple[OpenOrder, ...]
    stock: dict[Sku, bytes]
    """By SKU: units by location, as int64 of this machine."""
    stability_micros: int
    search_ms: int


class SearchAnswer(msgspec.Struct, frozen=True, array_like=True):
    """A better plan; money in micros. The needs are those of all legs of all orders, in order."""

    places: tuple[int, ...]
    """By need: the location index."""
    costs_before: tuple[int, ...]
    """By order, what its legs cost where they lie."""
    costs_after: tuple[int, ...]
    """By order, what they cost at these places."""
    lower_bound: int
    """No plan of all legs costs less."""
    partners: tuple[int, ...]
    """By order: the first of those that it changes together with; its own number for none."""


ANSWER = msgspec.msgpack.Decoder(SearchAnswer)


def search(job: SearchJob) -> SearchAnswer:
    """Search until the plan cannot be improved, or the time is over."""
    end_seconds = time.monotonic() + job.search_ms / 1_000

    def is_over() -> bool:
        return time.monotonic() >= end_seconds

    backlog = backlog_of(job)
    check_backlog(backlog)
    plan: BacklogPlan = solve_backlog(backlog, should_stop=is_over)
    bound = bound_without_stability(backlog, plan, should_stop=is_over)
    legs = [leg for order in job.orders for leg in order.legs]
    places = worthwhile_places(legs, plan, job.stability_micros)
    before = [leg_cost(leg, present_places(leg)) for leg in legs]
    after = list(map(leg_cost, legs, places))
    counts = [len(order.legs) for order in job.orders]
    owners = [number for number, count in enumerate(counts) for _ in range(count)]
    return SearchAnswer(
        tuple(place for own in places for place in own),
        tuple(_sums(before, counts)),
        tuple(_sums(after, counts)),
        bound - sum(leg.free_micros for leg in legs),
        tuple(partners(len(counts), owners, plan)),
    )


def partners(order_count: int, owners: list[int], plan: BacklogPlan) -> list[int]:
    """Return by order the first of those whose legs change together, directly or through others."""
    leaders = list(range(order_count))

    def leader(order: int) -> int:
        while leaders[order] != order:
            order = leaders[order]
        return order

    for leg, group in zip(plan.changed_orders.tolist(), plan.groups.tolist(), strict=True):
        low, high = sorted((leader(owners[leg]), leader(owners[group])))
        leaders[high] = low
    return list(map(leader, range(order_count)))


def worthwhile_places(
    legs: list[OpenLeg], plan: BacklogPlan, stability_micros: int
) -> list[list[LocationIndex]]:
    """Return by leg where its needs are to lie: as in a plan, as far as that is worth it.

    Counted again to the micro. Legs whose changes depend on each other change all or none.
    """
    found = [present_places(leg) for leg in legs]
    needs = iter(plan.locations.tolist())
    planned = [[LocationIndex(next(needs)) for _ in leg.needs] for leg in legs]
    groups: dict[int, list[int]] = {}
    for leg, group in zip(plan.changed_orders.tolist(), plan.groups.tolist(), strict=True):
        groups.setdefault(group, []).append(leg)
    for group in groups.values():
        if not all(is_carried_out(legs[number], planned[number]) for number in group):
            continue
        saved = sum(
            leg_cost(legs[number], found[number]) - leg_cost(legs[number], planned[number])
            for number in group
        )
        if saved > stability_micros * len(group):
            for number in group:
                found[number] = planned[number]
    return found


def _sums(costs: list[int], counts: list[int]) -> Iterator[int]:
    left = iter(costs)
    for count in counts:
        yield sum(islice(left, count))


def backlog_of(job: SearchJob) -> Backlog:
    """Put a job into the arrays that the solver takes: each leg is an order of its own."""
    legs = [leg for order in job.orders for leg in order.legs]
    needs = [need for leg in legs for need in leg.needs]
    numbers = {sku: number for number, sku in enumerate(job.stock)}
    shape = (-1, job.location_count)
    rows = [search_rows(leg) for leg in legs]
    return Backlog(
        line_starts=np.cumsum([0, *(len(leg.needs) for leg in legs)], dtype=np.int64),
        skus=np.array([numbers[need.sku] for need in needs], dtype=np.int64),
        quantities=np.array([need.quantity for need in needs], dtype=np.int64),
        package_costs=_rows([packages for packages, _ in rows]).reshape(shape),
        unit_costs=_rows([row for _, units in rows for row in units]).reshape(shape),
        backorder_costs=np.full(len(needs), BACKORDER_MICROS, dtype=np.int64),
        allowed=np.frombuffer(b"".join(need.allowed for need in needs), dtype=np.bool_).reshape(
            shape
        ),
        stock=_rows(list(job.stock.values())).reshape(shape),
        present=np.array([need.present for need in needs], dtype=np.int64),
        planned=np.ones(len(legs), dtype=np.bool_),
        released=np.zeros(len(legs), dtype=np.bool_),
        stability_cost=job.stability_micros,
    )


def _rows(rows: list[bytes]) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    return np.frombuffer(b"".join(rows), dtype=np.int64)


def main() -> None:
    """Read a job, search, write the answer; the server goes before."""
    os.nice(_NICENESS)
    job = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=SearchJob)
    sys.stdout.buffer.write(msgspec.msgpack.encode(search(job)))


if __name__ == "__main__":
    main()
