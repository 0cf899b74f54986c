"""Good plans quickly: the upper bound that the proofs work against.

Nothing here is proven; but every plan is one, and all is deterministic.
"""

from itertools import combinations, islice

import numpy as np

from domgrpc.core.routing.instance import NEVER, Numbers
from domgrpc.core.routing.prices import Offers
from domgrpc.core.routing.shapes import Shape, shape_of

DROPPED_MAX = 2
_DEPTH_MAX = 64
_OPENED_FEW = 6
"""Of more, only one is exchanged at a time."""
_KEPT_MAX = 32
"""So many ways to leave out packages are tried."""
_CELLS = 1 << 21
_CELLS_LEAST = 1 << 12
"""So many cells are looked at in all; a step takes as long for fewer cells than that."""


class _Work:
    """What may still be spent."""

    def __init__(self, offers: Offers, dropped_max: int) -> None:
        self.dropped_max = dropped_max
        self._width = offers.costs.size
        self._left = _CELLS

    def times(self, depth: int) -> int:
        """Return how often all candidates may be weighed beside so many packages."""
        return self._left // (max(self._width, _CELLS_LEAST) * depth)

    def spend(self, times: int, depth: int) -> None:
        """Spend that."""
        self._left -= max(self._width * times, _CELLS_LEAST) * depth


def greedy_plan(
    offers: Offers, worth: Numbers, count_max: int, *, dropped_max: int = DROPPED_MAX
) -> tuple[list[int], int] | None:
    """Return the places of a plan and its cost; None where none was found.

    Opens the candidate that saves most against what the lots are worth, until no lot is missing
    and none saves any more; then adds, drops and exchanges packages, so many out at a time, as
    long as that saves. What all that takes is bounded: where very many packages are needed, the
    rest is opened at once.
    """
    work = _Work(offers, dropped_max)
    shape = shape_of(offers, NEVER)
    rows = shape.root()
    now = int(shape.priced(rows, worth)[0])
    opened: list[int] = []
    while work.times(shape.depth(len(opened))):
        work.spend(1, shape.depth(len(opened)))
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
    else:
        opened = _completed(offers, opened)
        if not opened:
            return None
    plan = _exchanged(shape, offers.package_costs, _without_idle(offers, opened), work)
    return plan if len(plan[0]) <= count_max else None


def completed_plan(offers: Offers, opened: list[int]) -> tuple[list[int], int]:
    """Return a plan, and its cost, in which these are open, and others only where needed.

    There must be enough of every lot.
    """
    return _without_idle(offers, _completed(offers, opened))


def _without_idle(offers: Offers, opened: list[int]) -> tuple[list[int], int]:
    chosen = offers.of(np.array(opened))
    used = [opened[place] for place in chosen.used().tolist()]
    return used, chosen.floor() + int(offers.package_costs[used].sum())


def _exchanged(
    shape: Shape, package_costs: Numbers, plan: tuple[list[int], int], work: _Work
) -> tuple[list[int], int]:
    # The plan improved: one package added, or else one or two dropped, or replaced by one other.
    opened, cost = plan
    dropped = 0
    while dropped <= work.dropped_max and dropped < len(opened):
        depth = shape.depth(len(opened))
        ways = min(_KEPT_MAX, work.times(depth)) if depth <= _DEPTH_MAX else 0
        if not ways or (dropped > 1 and len(opened) > _OPENED_FEW):
            break
        kept = np.array(list(islice(combinations(opened, len(opened) - dropped), ways)))
        work.spend(len(kept), depth)
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


def _completed(offers: Offers, opened: list[int]) -> list[int]:
    # Open what is still needed lot by lot, where a unit costs least with its share of the package;
    # nothing where there is not enough.
    has = offers.has(NEVER).astype(np.int64)
    units = has if offers.units is None else offers.units
    needs = np.ones(len(units), dtype=np.int64) if offers.needs is None else offers.needs
    is_closed = np.ones(units.shape[1], dtype=bool)
    is_closed[opened] = False
    found = list(opened)
    for lot, need in enumerate(needs.tolist()):
        missing = need - int(units[lot, found].sum())
        if missing > 0:
            places = np.flatnonzero(is_closed & (units[lot] > 0))
            taken = np.minimum(units[lot, places], missing)
            if taken.sum() < missing:
                return []
            shares = offers.costs[lot, places] + offers.package_costs[places] // taken
            order = shares.argsort(kind="stable")
            count = int(taken[order].cumsum().searchsorted(missing)) + 1
            is_closed[places[order[:count]]] = False
            found += places[order[:count]].tolist()
    return found
