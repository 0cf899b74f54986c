"""First come, first served: the plan that any other has to beat.

Each order in the order of arrival gets the cheapest plan that the stock left by those before it
allows. Parts are solved ahead, many at a time, on the stock as it is then: stock only goes down,
so a plan that still fits when its turn comes is still the cheapest. Where it does not fit, the
part is solved again, alone.
"""

import numpy as np

from domgrpc.core.routing.backlog_batches import Batch, Pool
from domgrpc.core.routing.backlog_data import NOWHERE
from domgrpc.core.routing.backlog_ledger import Ledger
from domgrpc.core.routing.backlog_twins import solve_within

_AHEAD = 400
"""Parts solved ahead; with more of them more plans no longer fit."""


def serve_in_turn(pool: Pool, ledger: Ledger, waiting: list[int]) -> None:
    """Book parts that are not booked, each as cheaply as can be, one after the other."""
    for start in range(0, len(waiting), _AHEAD):
        ahead = waiting[start : start + _AHEAD]
        plans = {}
        for batch in pool.select(np.array(ahead)):
            if batch.is_whole:
                plans.update(cheapest_plans(batch, ledger))
        for part in ahead:
            locations = plans.get(part)
            if locations is None or not ledger.fits(part, locations):
                locations = cheapest_plans(pool.alone(part), ledger)[part]
            ledger.book(part, locations)


def keep_present(pool: Pool, ledger: Ledger) -> list[int]:
    """Book the present plans that can be kept, as they came, and return the parts left over."""
    parts = pool.parts
    waiting = []
    for part in parts.open_parts.tolist():
        locations = parts.backlog.present[parts.starts[part] : parts.starts[part + 1]].tolist()
        if parts.keepable[parts.orders[part]] and ledger.fits(part, locations):
            ledger.book(part, locations)
        else:
            waiting.append(part)
    return waiting


def cheapest_plans(batch: Batch, ledger: Ledger) -> dict[int, list[int]]:
    """Return by part the cheapest locations as things stand, for parts that are not booked."""
    nothing = np.full(batch.lines.shape, NOWHERE)
    answer = solve_within(batch, ledger.offer(batch, nothing), ledger, nothing)
    locations = batch.locations_of(answer.picks).T.tolist()
    return dict(zip(batch.parts.tolist(), locations, strict=True))
