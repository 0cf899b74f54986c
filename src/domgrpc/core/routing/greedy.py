"""Good plans quickly: the upper bound that the proofs work against.

Nothing here is proven; but every plan is one, and all is deterministic.
"""

from itertools import combinations

import numpy as np

from domgrpc.core.routing.instance import NEVER, Numbers
from domgrpc.core.routing.prices import Offers
from domgrpc.core.routing.shapes import Shape, shape_of

_DROPPED_MAX = 2
_KEPT_MAX = 32
"""So many ways to leave out packages are tried, which bounds what a plan of many packages takes."""


def greedy_plan(offers: Offers, worth: Numbers, count_max: int) -> tuple[list[int], int] | None:
    """Return the places of a plan and its cost; None where none was found.

    Opens the candidate that saves most against what the lots are worth, until no lot is missing
    and none saves any more; then drops and exchanges packages as long as that saves.
    """
    shape = shape_of(offers, NEVER)
    rows = shape.root()
    now = int(shape.priced(rows, worth)[0])
    opened: list[int] = []
    while True:
        added = shape.added_each(rows)[0]
        values = shape.priced(added, worth) + offers.package_costs
        values[opened] = NEVER
        place = int(values.argmin())
        if values[place] >= now:
            lacking = shape.sent(rows, worth).missing.sum()
            if not lacking:
                break
            values[shape.sent(added, worth).missing.sum(axis=1) >= lacking] = NEVER
            place = int(values.argmin())
            if values[place] >= NEVER:
                return None
        opened.append(place)
        rows = added[place : place + 1]
        now = int(values[place] - offers.package_costs[place])
    cost = int(shape.cost(rows)[0] + offers.package_costs[opened].sum())
    opened, cost = _exchanged(shape, offers.package_costs, (opened, cost))
    return (opened, cost) if len(opened) <= count_max else None


def _exchanged(
    shape: Shape, package_costs: Numbers, plan: tuple[list[int], int]
) -> tuple[list[int], int]:
    # The plan improved: one package added, or else one or two dropped, or replaced by one other.
    opened, cost = plan
    dropped = 0
    while dropped <= _DROPPED_MAX and dropped < len(opened):
        kept = np.array(list(combinations(opened, len(opened) - dropped))[:_KEPT_MAX])
        rows = shape.root()
        for place in kept.T:
            rows = shape.added(rows, place)
        paid = package_costs[kept].sum(axis=1)
        alone = shape.cost(rows) + paid
        added = shape.added_each(rows)
        values = shape.cost(added) + package_costs + paid[:, None]
        values[np.arange(len(kept))[:, None], kept] = NEVER
        fewer = int(alone.argmin())
        number, place = divmod(int(values.argmin()), len(package_costs))
        if dropped and alone[fewer] <= min(cost, int(values[number, place])):
            opened, cost, dropped = kept[fewer].tolist(), int(alone[fewer]), 0
        elif values[number, place] < cost:
            opened, cost, dropped = [*kept[number].tolist(), place], int(values[number, place]), 0
        else:
            dropped += 1
    return opened, cost
