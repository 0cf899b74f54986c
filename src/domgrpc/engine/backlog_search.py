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

from domgrpc.core.open_work import BACKORDER_MICROS, OpenOrder
from domgrpc.core.routing.backlog import solve_backlog
from domgrpc.core.routing.backlog_data import Backlog, BacklogPlan, check_backlog
from domgrpc.core.values import Sku

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
    changed_legs: tuple[int, ...]
    """Numbers of legs, counted through all orders."""
    savings: tuple[int, ...]
    """By changed leg."""
    cost: int
    lower_bound: int


ANSWER = msgspec.msgpack.Decoder(SearchAnswer)


def search(job: SearchJob) -> SearchAnswer:
    """Search until the plan cannot be improved, or the time is over."""
    end_seconds = time.monotonic() + job.search_ms / 1_000
    backlog = backlog_of(job)
    check_backlog(backlog)
    plan: BacklogPlan = solve_backlog(backlog, should_stop=lambda: time.monotonic() >= end_seconds)
    return SearchAnswer(
        tuple(plan.locations.tolist()),
        tuple(plan.changed_orders.tolist()),
        tuple(plan.savings.tolist()),
        int(plan.cost),
        int(plan.lower_bound),
    )


def backlog_of(job: SearchJob) -> Backlog:
    """Put a job into the arrays that the solver takes: each leg is an order of its own."""
    legs = [leg for order in job.orders for leg in order.legs]
    needs = [need for leg in legs for need in leg.needs]
    numbers = {sku: number for number, sku in enumerate(job.stock)}
    shape = (-1, job.location_count)
    return Backlog(
        line_starts=np.cumsum([0, *(len(leg.needs) for leg in legs)], dtype=np.int64),
        skus=np.array([numbers[need.sku] for need in needs], dtype=np.int64),
        quantities=np.array([need.quantity for need in needs], dtype=np.int64),
        package_costs=_rows([leg.package_costs for leg in legs]).reshape(shape),
        unit_costs=_rows([need.unit_costs for need in needs]).reshape(shape),
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
