"""Twins: lines of one order that ask for the same SKU, and share what a location has of it.

The subset programme looks at each line by itself. So it may send twins from where there is enough
for either of them, but not for both. Of those, one at least has to stay away: each is forbidden the
place in its turn, and the cheapest answer that the stock allows is found by branching, the cheapest
first. Few orders have twins, and few answers have to be mended, so that this is done one by one.

The bound needs none of it: what is proven of all answers holds for those within the stock.
"""

from collections.abc import Iterator
from heapq import heappop, heappush

import numpy as np

from domgrpc.core.routing.backlog_batches import Batch, Offer
from domgrpc.core.routing.backlog_data import NOWHERE, Booleans, Numbers
from domgrpc.core.routing.backlog_ledger import Ledger
from domgrpc.core.routing.backlog_subsets import Answer, solve

_NODES_MAX = 60
"""After so many answers the way of the cheapest is followed to its end: it has one."""


def solve_within(batch: Batch, offer: Offer, ledger: Ledger, picks: Numbers) -> Answer:
    """Return the cheapest plans that the stock allows, for parts that are sent from `picks` now."""
    answer = solve(batch, offer)
    return mended(batch, offer, answer, ledger.room(batch, picks)) if batch.has_twins else answer


def mended(batch: Batch, offer: Offer, answer: Answer, room: Numbers) -> Answer:
    """Return the answer to an offer with those plans replaced that send too much from one place.

    `room` are the units that a line may use where, if its twins use none.
    """
    columns = np.flatnonzero(_too_many(batch, answer.picks, room).any(axis=0))
    if not len(columns):
        return answer
    values, picks = answer.values.copy(), answer.picks.copy()
    for column in columns.tolist():
        one = np.array([column])
        alone = Offer(offer.costs[:, :, one], offer.packages[:, one], offer.changes[one])
        found = _mended_alone(batch.take(one), alone, room[:, :, one])
        values[column], picks[:, column] = found.values[0], found.picks[:, 0]
    return Answer(values, picks)


def _mended_alone(batch: Batch, offer: Offer, room: Numbers) -> Answer:
    node_count = 0
    answer = solve(batch, offer)
    queue: list[tuple[int, int, Numbers, Answer]] = []
    while (crowded := _too_many(batch, answer.picks, room)[:, 0]).any():
        if node_count > _NODES_MAX:
            queue.clear()
        for costs in _one_away(batch, answer.picks, offer.costs, int(crowded.argmax())):
            node_count += 1
            found = solve(batch, Offer(costs, offer.packages, offer.changes))
            heappush(queue, (int(found.values[0]), node_count, costs, found))
        _, _, costs, answer = heappop(queue)
        offer = Offer(costs, offer.packages, offer.changes)
    return answer


def _one_away(batch: Batch, picks: Numbers, costs: Numbers, first: int) -> Iterator[Numbers]:
    # Each of the twins that are where there is too little for them is forbidden the place.
    is_there = (batch.twins == batch.twins[first]) & (picks == picks[first])
    for row in np.flatnonzero(is_there[:, 0]).tolist():
        closed = costs.copy()
        closed[row, picks[row, 0], 0] = batch.closed
        yield closed


def _too_many(batch: Batch, picks: Numbers, room: Numbers) -> Booleans:
    """By line and part: whether it is sent from where its twins leave too little for it."""
    is_twin = (batch.twins[:, None] == batch.twins) & (picks[:, None] == picks)
    units = (is_twin * batch.quantities[:, 0]).sum(axis=1)
    rows, columns = np.arange(len(picks))[:, None], np.arange(picks.shape[1])
    found: Booleans = (picks != NOWHERE) & (units > room[rows, picks, columns])
    return found
