"""All plans of so many packages that can be as good as one that is known, through bit sets.

The candidates stand in the order of their slacks (`search.py`), a lot is the set of those that have
it, and sets are integers: who can send all that is missing is one intersection per lot. Where lots
are missing, the next package has that which the fewest have (Knuth 2000). Who was opened is struck
out for the plans after it, so that each comes once; where the slacks are more than the room in sum,
no plan is as good as the one known. For two to four packages this is faster than to weigh nodes one
by one or in batches, because what a plan costs is not asked before the plan is complete.
"""

from bisect import bisect_right
from itertools import accumulate

import numpy as np

from domgrpc.core.routing.instance import NEVER, Numbers
from domgrpc.core.routing.search import members

_PAIR = 2


def plans_of(
    package_count: int, costs: Numbers, slacks: Numbers, limits: tuple[int, int]
) -> Numbers | None:
    """Return the places of all plans of at least two packages that have every lot, as columns.

    `limits`: what the slacks may be in sum, and how many steps this may take; None where it would
    take more.
    """
    room, step_count_max = limits
    packed = np.packbits(costs < NEVER, axis=1, bitorder="little")
    lots = sorted((int.from_bytes(row.tobytes(), "little") for row in packed), key=int.bit_count)
    plans = _Plans(slacks.tolist(), step_count_max)
    plans.open((), lots, ((1 << len(slacks)) - 1, room, package_count))
    if plans.steps_left < 0:
        return None
    return np.array(plans.found, dtype=np.int64).reshape(-1, package_count).T


class _Plans:
    __slots__ = ("_least", "_slacks", "found", "steps_left")

    def __init__(self, slacks: list[int], step_count_max: int) -> None:
        self._slacks = slacks
        self._least = [0, *accumulate(slacks)]
        self.steps_left = step_count_max
        self.found: list[tuple[int, ...]] = []

    def open(
        self, opened: tuple[int, ...], missing: list[int], among: tuple[int, int, int]
    ) -> None:
        """Open the next package, of so many that are left, among the allowed within the room."""
        allowed, room, left = among
        places = allowed & self._within(room - self._least[left - 1])
        if missing:
            places &= missing[0]
        self.steps_left -= places.bit_count()
        for place in members(places):
            if self.steps_left < 0:
                break
            bit = 1 << place
            allowed ^= bit
            rest = room - self._slacks[place]
            if left > _PAIR:
                lacking = [lot for lot in missing if not lot & bit]
                self.open((*opened, place), lacking, (allowed, rest, left - 1))
                continue
            lasts = _completing(missing, bit, allowed)
            if lasts:
                lasts &= self._within(rest)
                self.steps_left -= lasts.bit_count()
                self.found += [(*opened, place, last) for last in members(lasts)]

    def _within(self, most: int) -> int:
        return (1 << bisect_right(self._slacks, most)) - 1


def _completing(missing: list[int], opened: int, allowed: int) -> int:
    # Those of the allowed who have each of the lots that the opened one lacks.
    for lot in missing:
        if not lot & opened:
            allowed &= lot
            if not allowed:
                break
    return allowed
