"""The search for a better plan of all open work, in a process of its own.

    python -m domgrpc.engine.backlog_search < job > answer

It reads a job, searches until it is done or its time is over, and writes the answer; both are
msgpack. It knows orders as rows of numbers and touches no file.
"""

import os
import sys
import time

import msgspec
import numpy as np

from domgrpc.core.open_costs import is_carried_out, leg_cost, search_rows
from domgrpc.core.open_legs import BACKORDER_MICROS, OpenLeg, OpenOrder
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
    """A better plan; money in micros. The legs are those of all orders, in order."""

    places: tuple[tuple[LocationIndex, ...] | None, ...]
    """By leg: where its needs are to lie; None where it stays as it is."""
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
    # The bound is one on all plans that the stock allows, not only on those that are looked for.
    loose = backlog_of(job, is_strict=False)
    if job.stability_micros or not np.array_equal(loose.allowed, backlog.allowed):
        bound = bound_without_stability(loose, plan, should_stop=is_over)
    else:
        bound = plan.lower_bound
    places = worthwhile_places(job, plan)
    before, after = [0] * len(job.orders), [0] * len(job.orders)
    for (order, leg), where in zip(_legs(job), places, strict=True):
        before[order] += leg_cost(leg, None)
        after[order] += leg_cost(leg, where)
    owners = [order for order, _ in _legs(job)]
    return SearchAnswer(
        tuple(None if where is None else tuple(where) for where in places),
        tuple(before),
        tuple(after),
        bound - sum(leg.free_micros for _, leg in _legs(job)),
        tuple(partners(len(job.orders), owners, plan)),
    )


def _legs(job: SearchJob) -> list[tuple[int, OpenLeg]]:
    # All legs, each with the number of its order.
    return [(number, leg) for number, order in enumerate(job.orders) for leg in order.legs]


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


def worthwhile_places(job: SearchJob, plan: BacklogPlan) -> list[list[LocationIndex] | None]:
    """Return by leg where its needs are to lie: as in a plan, as far as that is worth it.

    None where it stays as it is. Counted again to the micro. Legs whose changes depend on each
    other change all or none.
    """
    legs = _legs(job)
    needs = iter(plan.locations.tolist())
    planned = [[LocationIndex(next(needs)) for _ in leg.needs] for _, leg in legs]
    groups: dict[int, list[int]] = {}
    for number, group in zip(plan.changed_orders.tolist(), plan.groups.tolist(), strict=True):
        groups.setdefault(group, []).append(number)
    # What does not move may still leave as one parcel instead of several.
    changed = {number for group in groups.values() for number in group}
    alone = [[number] for number in range(len(legs)) if number not in changed]
    stuck = _stuck_legs(legs)
    found: dict[int, list[LocationIndex]] = {}
    for group in (*groups.values(), *alone):
        saved = sum(_saved(legs[number][1], planned[number]) for number in group)
        is_worth = saved > job.stability_micros * len(group)
        stays = any(stuck.get(legs[number][0], set()).difference(group) for number in group)
        if is_worth and not stays and _are_carried_out(legs, planned, group):
            found.update((number, planned[number]) for number in group)
    return [found.get(number) for number in range(len(legs))]


def _are_carried_out(
    legs: list[tuple[int, OpenLeg]], planned: list[list[LocationIndex]], group: list[int]
) -> bool:
    return all(is_carried_out(legs[number][1], planned[number]) for number in group)


def _saved(leg: OpenLeg, places: list[LocationIndex]) -> int:
    return leg_cost(leg, None) - leg_cost(leg, places)


def _stuck_legs(legs: list[tuple[int, OpenLeg]]) -> dict[int, set[int]]:
    # By order: the legs with work that must not be booked anew where it lies. All open work of an
    # order that changes is, also that of its other legs.
    found: dict[int, set[int]] = {}
    for number, (order, leg) in enumerate(legs):
        if any(need.is_stuck for need in leg.needs):
            found.setdefault(order, set()).add(number)
    return found


def backlog_of(job: SearchJob, *, is_strict: bool = True) -> Backlog:
    """Put a job into the arrays that the solver takes: each leg is an order of its own.

    What lies somewhere may stay there, even where less is left than was promised; but nothing
    comes there that is more than what is left, and where it is strict nothing at all: two that
    come together could be more than what is left.
    """
    legs = [leg for order in job.orders for leg in order.legs]
    needs = [need for leg in legs for need in leg.needs]
    numbers = {sku: number for number, sku in enumerate(job.stock)}
    shape = (-1, job.location_count)
    rows = [search_rows(leg) for leg in legs]
    skus = np.array([numbers[need.sku] for need in needs], dtype=np.int64)
    quantities = np.array([need.quantity for need in needs], dtype=np.int64)
    present = np.array([need.present for need in needs], dtype=np.int64)
    left = _rows(list(job.stock.values())).reshape(shape)
    held = np.zeros_like(left)
    np.add.at(held, (skus, present), quantities)
    allowed = np.frombuffer(b"".join(need.allowed for need in needs), dtype=np.bool_)
    fits = quantities[:, None] <= left[skus]
    if is_strict:
        fits &= (held <= left)[skus]
    fits[np.arange(len(needs)), present] = True
    return Backlog(
        line_starts=np.cumsum([0, *(len(leg.needs) for leg in legs)], dtype=np.int64),
        skus=skus,
        quantities=quantities,
        package_costs=_rows([packages for packages, _ in rows]).reshape(shape),
        unit_costs=_rows([row for _, units in rows for row in units]).reshape(shape),
        backorder_costs=np.full(len(needs), BACKORDER_MICROS, dtype=np.int64),
        allowed=allowed.reshape(shape) & fits,
        stock=np.maximum(left, held),
        present=present,
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
