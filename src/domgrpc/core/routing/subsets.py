"""Dynamic programme over the sets of lots: exact for few lots and any number of candidates.

A plan parts the lots into packages. Which candidate is best for a set of lots, and what it costs
then, does not depend on the others; so with `least[T]` for every set T, the best way to send a set
S is

    best[S] = min over T within S, with the highest lot of S, of least[T] + best[S - T]

Sets are numbers whose bits are lots. The loop over T runs inside numpy for all S that have the same
highest lot: 3^n / 2 sums in n calls.
"""

from collections.abc import Sequence
from functools import cache

import numpy as np

from domgrpc.core.routing.found import Found
from domgrpc.core.routing.instance import NEVER, Numbers

LOTS_MAX = 12
SCALE = 1 << 4
"""Costs are multiplied by it and a package costs 1 more: of equals, the fewest packages win.

Above LOTS_MAX, and so small that the sum of two that cannot be stays far below 2^63."""
_WORST = NEVER * SCALE
_LOTS_FAST = 8
_CELLS_FAST = 150_000


def totals_of_subsets(costs: Numbers) -> Numbers:
    """Return the costs of all sets of lots (rows) by candidate; the first set is empty.

    More than NEVER where the candidate lacks one of them; 2^lots x candidates numbers.
    """
    totals = np.zeros((1 << len(costs), costs.shape[1]), dtype=np.int64)
    for lot, row in enumerate(costs):
        np.add(totals[: 1 << lot], row, out=totals[1 << lot : 2 << lot])
    return totals


def suits_subsets(lot_count: int, candidate_count: int) -> bool:
    """Say whether the dynamic programme is faster than a search."""
    return lot_count <= _LOTS_FAST and candidate_count << lot_count <= _CELLS_FAST


def route_by_subsets(costs: Numbers, package_costs: Numbers, count_max: int) -> Found | None:
    """Return the best plan of the lots, None where there is none of so few packages."""
    totals = totals_of_subsets(costs)
    totals += package_costs
    who = totals.argmin(axis=1)
    partition = Partition(totals[np.arange(len(totals)), who], who, count_max)
    if partition.cost >= NEVER:
        return None
    chosen = tuple([candidate for candidate, _ in partition.packages()])
    return Found(chosen, partition.cost, partition.cost, 0)


class Partition:
    """The best way to part all lots into sets, given what each set costs and who sends it."""

    __slots__ = ("_best", "_least", "_memory", "_names", "value")

    def __init__(self, least: Numbers, names: Numbers, count_max: int) -> None:
        """Solve it; `least` and `names` are by set, `count_max` 0 is no limit."""
        self._names = names.tolist()
        scaled = np.minimum(least, NEVER) * SCALE + 1
        scaled[0] = 0
        self._least = scaled.tolist()
        # With 1, 2, ... packages at most.
        layers = [scaled]
        lot_count = len(least).bit_length() - 1
        if count_max == 0 or count_max >= lot_count:
            layers = [_unlimited(scaled)]
        else:
            for _ in range(count_max - 1):
                layers.append(_one_more(scaled, layers[-1]))
        self._best = [layer.tolist() for layer in layers]
        self._memory: dict[tuple[int, int], tuple[tuple[int, int], ...]] = {}
        self.value: int = self._best[-1][-1]

    @property
    def cost(self) -> int:
        """What the best plan costs; NEVER or more where there is none."""
        return self.value // SCALE

    def packages(self) -> list[tuple[int, int]]:
        """Return (candidate, set) of the best plan, by candidate."""
        return list(self._packages(len(self._least) - 1, len(self._best) - 1))

    def _packages(self, lots: int, layer: int) -> tuple[tuple[int, int], ...]:
        # Of all that are as good, the lowest candidates.
        key = (lots, layer)
        found = self._memory.get(key)
        if found is None:
            below = layer if len(self._best) == 1 else layer - 1
            options = []
            for part in _parts(lots):
                rest = lots ^ part
                beside = self._best[below][rest] if below >= 0 else (_WORST if rest else 0)
                if self._least[part] + beside == self._best[layer][lots]:
                    others = self._packages(rest, below) if rest else ()
                    options.append(tuple(sorted([(self._names[part], part), *others])))
            found = min(options, key=_candidates)
            self._memory[key] = found
        return found


def _candidates(packages: Sequence[tuple[int, int]]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    return tuple(name for name, _ in packages), tuple(part for _, part in packages)


def _parts(lots: int) -> list[int]:
    # The sets within a set that have its highest lot.
    highest = 1 << lots.bit_length() - 1
    rest = part = lots ^ highest
    found = [lots]
    while part:
        part = (part - 1) & rest
        found.append(part | highest)
    return found


def _unlimited(least: Numbers) -> Numbers:
    best = least.copy()
    for lot, (inside, beside, starts) in enumerate(_index(len(least).bit_length() - 1)):
        first = 1 << lot
        sums = least[first:][inside] + best[beside]
        best[first : 2 * first] = np.minimum.reduceat(sums, starts)
    return best


def _one_more(least: Numbers, fewer: Numbers) -> Numbers:
    best = fewer.copy()
    for lot, (inside, beside, starts) in enumerate(_index(len(least).bit_length() - 1)):
        first = 1 << lot
        sums = least[first:][inside] + fewer[beside]
        best[first : 2 * first] = np.minimum.reduceat(sums, starts)
    return np.minimum(best, fewer)


@cache
def _index(lot_count: int) -> tuple[tuple[Numbers, Numbers, Numbers], ...]:
    # For each highest lot: the subsets Q of each set R of lower lots, R - Q, and where R begins.
    found = []
    inside = whole = np.zeros(1, dtype=np.int64)
    for lot in range(lot_count):
        starts = np.flatnonzero(np.diff(whole, prepend=-1))
        found.append((inside, whole ^ inside, starts))
        bit = 1 << lot
        inside = np.concatenate((inside, inside, inside | bit))
        whole = np.concatenate((whole, whole | bit, whole | bit))
        order = np.argsort(whole, kind="stable")
        inside, whole = inside[order], whole[order]
    return tuple(found)
