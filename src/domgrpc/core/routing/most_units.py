"""The part of an instance that goes in so few packages, where not all of it does.

One package after the other is taken: the one that holds most of what is left, by units, then by
lines, then at the least cost, then from the lower candidate. For one package that is the most there
is. For more it is the greedy rule for coverage, which holds at least 1 - 1/e of the units that any
so few packages hold (Nemhauser, Wolsey and Fisher 1978). As packages are taken the others can only
add less, so that what was counted before is a bound, and only who leads by it is counted again
(Minoux 1978); after so many cells the bound is taken for the figure.
"""

from collections.abc import Iterator, Sequence
from heapq import heapify, heappop, heappush
from typing import NamedTuple, TypeAlias

import numpy as np

from domgrpc.core.routing.cost_parts import package_cost
from domgrpc.core.routing.instance import Instance, Numbers, Package

_CELLS_MAX = 20_000_000
"""So many lines x candidates are counted again, at least one for each package."""
_RECOUNT_CELLS_MIN = 1_000
"""A recount of a few lines takes as long as that of so many."""

_Contents: TypeAlias = tuple[tuple[int, int], ...]


class _Rank(NamedTuple):
    # The least is the first: (units, lines) below zero, cost, candidate, and which package.
    units: int
    lines: int
    cost: int
    """-1 where it was not asked for yet."""
    candidate: int
    alone: int
    """The line that is in a package of its own, -1 for what lines share."""


def most_units(instance: Instance, count_max: int) -> tuple[Package, ...]:
    """Return packages that hold most, no more than so many.

    They keep to the terms, but for the limit of packages that these have; of a line that may be
    split they may hold a part. O(lines x candidates) and the cells counted again.
    """
    return _Filling(instance).run(count_max)


class _Filling:
    """What is left of the lines while packages are taken."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        terms = instance.terms
        line_count = len(instance.quantities)
        self._quantities = np.array(instance.quantities, dtype=np.int64)
        units = np.array(instance.available, dtype=np.int64).reshape(line_count, -1)
        self._columns: Numbers = np.ascontiguousarray(units.T)
        self._lot_of = _lots(line_count, terms.together)
        self._whole = np.array([not terms.may_split(line) for line in range(line_count)])
        for group in terms.together:
            self._whole[list(group)] = True
        # Of what lines share.
        self._left = self._quantities.copy()
        self._left[list(terms.alone)] = 0

    def run(self, count_max: int) -> tuple[Package, ...]:
        """Take packages while there are any, and return them."""
        queue = [*self._shared_ranks(), *self._alone_ranks()]
        heapify(queue)
        packages: list[Package] = []
        cells_left = _CELLS_MAX
        while queue and len(packages) < count_max:
            rank = heappop(queue)
            fresh = self._counted_again(rank)
            cells_left -= max(len(self._left), _RECOUNT_CELLS_MIN)
            if not fresh.units:
                continue
            if fresh != rank and cells_left > 0:
                heappush(queue, fresh)
                continue
            contents = self._contents(rank)
            packages.append(Package(rank.candidate, contents))
            if rank.alone < 0:
                self._take(contents)
        packages.sort(key=lambda package: (package.candidate, package.contents))
        return tuple(packages)

    def _shared_ranks(self) -> Iterator[_Rank]:
        for candidate in range(len(self._columns)):
            rank = self._counted(candidate)
            if rank.units:
                yield rank

    def _alone_ranks(self) -> Iterator[_Rank]:
        # Each comes from where it costs least.
        instance, rates = self._instance, self._instance.terms.weight_rates
        for line in instance.terms.alone:
            units = int(self._quantities[line])
            able = np.flatnonzero(self._columns[:, line] >= units).tolist()
            costs = [
                instance.package_costs[one] + units * instance.unit_costs[line][one] for one in able
            ]
            if rates is not None:
                steps = [card.price(units * rates.unit_grams[line]) for card in rates.cards]
                pairs = zip(costs, able, strict=True)
                costs = [cost + steps[rates.card_indexes[one]] for cost, one in pairs]
            if able:
                least = min(costs)
                yield _Rank(-units, -1, least, able[costs.index(least)], line)

    def _counted_again(self, rank: _Rank) -> _Rank:
        # What holds as many units as before holds the same, and costs the same.
        counted = rank if rank.alone >= 0 else self._counted(rank.candidate)
        if counted.units != rank.units:
            return counted
        return rank if rank.cost >= 0 else self._priced(rank)

    def _counted(self, candidate: int) -> _Rank:
        sent = self._shared(candidate)
        return _Rank(-int(sent.sum()), -int(np.count_nonzero(sent)), -1, candidate, -1)

    def _priced(self, rank: _Rank) -> _Rank:
        package = Package(rank.candidate, self._contents(rank))
        return rank._replace(cost=package_cost(self._instance, package).total)

    def _contents(self, rank: _Rank) -> _Contents:
        if rank.alone >= 0:
            return ((rank.alone, -rank.units),)
        sent = self._shared(rank.candidate)
        lines = np.flatnonzero(sent)
        return tuple(zip(lines.tolist(), sent[lines].tolist(), strict=True))

    def _shared(self, candidate: int) -> Numbers:
        # By line what the package of a candidate holds of what is left.
        units = self._columns[candidate]
        sent: Numbers = np.minimum(units, self._left)
        torn = np.zeros(len(sent), dtype=np.bool_)
        torn[self._lot_of[self._whole & (units < self._left)]] = True
        sent[torn[self._lot_of]] = 0
        return sent

    def _take(self, contents: _Contents) -> None:
        for line, units in contents:
            self._left[line] -= units


def _lots(line_count: int, together: Sequence[Sequence[int]]) -> Numbers:
    # By line the lowest line that must be in one package with it.
    lot_of = np.arange(line_count, dtype=np.int64)
    for group in together:
        lot_of[list(group)] = min(group)
    return lot_of
