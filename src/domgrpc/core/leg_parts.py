"""Long legs: legs of more lines than the solver takes at once, solved in parts.

One part after the other. What a part has opened costs the next ones nothing more, so that parts
share packages; packages of one candidate are one in the end. Units of a line are split only where
no candidate has all of it. The lower bound stays honest: the first part is solved with all its
costs, and the lines of the others cost at least their cheapest units.
"""

from collections.abc import Iterator, Sequence

from domgrpc.core.routing.cost_parts import plan_cost
from domgrpc.core.routing.instance import (
    Instance,
    Obstacle,
    Package,
    Solution,
    Terms,
    Unservable,
    WeightRates,
)
from domgrpc.core.routing.solver import solve

PART_LINES_MAX = 256
"""So many lines are solved at once; the solver takes twice as many."""
PART_LINES_SPLIT_MAX = 32
"""The same where units of lines have to come from several places: that takes longer to search."""

_Lots = list[tuple[int, ...]]


def solve_in_parts(
    instance: Instance,
    node_count_max: int,
    sizes: tuple[int, int] = (PART_LINES_MAX, PART_LINES_SPLIT_MAX),
) -> Solution | Unservable:
    """Return a good plan, from parts of so many lines that go whole, and so many that are split.

    `node_count_max` is the cap of nodes of each part.
    """
    return _Parts(instance, _lots(instance), sizes, node_count_max).solved()


def _lots(instance: Instance) -> _Lots:
    # Lines that must be together count as one.
    group_of = {line: group for group in instance.terms.together for line in group}
    lots = [tuple(sorted(group_of.get(line, (line,)))) for line in range(len(instance.quantities))]
    return [lot for line, lot in enumerate(lots) if lot[0] == line]


class _Parts:
    """The parts of one instance: what is open by now, and the packages so far."""

    def __init__(
        self, instance: Instance, lots: _Lots, sizes: tuple[int, int], node_count_max: int
    ) -> None:
        self._instance = instance
        self._lots = lots
        self._sizes = sizes
        self._opened: dict[int, dict[int, int]] = {}
        self._alone: list[Package] = []
        self._node_count = 0
        self._node_count_max = node_count_max

    def solved(self) -> Solution | Unservable:
        count_max = self._instance.terms.package_count_max
        bound = self._forced()
        for number, part in enumerate(self._parts()):
            found = self._part_solved(part)
            if isinstance(found, Unservable):
                return found
            if number or (count_max and self._opened):
                bound += sum(map(self._cheapest, part))
            elif self._may_be_cheaper_split(part):
                least = 0 if self._opened else min(self._instance.package_costs)
                bound += sum(map(self._cheapest, part)) + least
            else:
                bound += found.lower_bound
            self._keep(part, found)
        packages = [
            Package(candidate, tuple(sorted(contents.items())))
            for candidate, contents in self._opened.items()
        ]
        packages += self._alone
        if count_max and len(packages) > count_max:
            return Unservable(Obstacle.PACKAGES, ())
        packages.sort(key=lambda package: (package.candidate, package.contents))
        cost = plan_cost(self._instance, packages)
        return Solution(tuple(packages), cost, min(bound, cost), self._node_count)

    def _forced(self) -> int:
        # What only one candidate has whole is sent from there, before anything is searched; returns
        # what it costs at least.
        bound = 0
        left = []
        alone = frozenset(self._instance.terms.alone)
        for lot in self._lots:
            _, available = self._row(lot)
            quantity = self._quantity(lot)
            able = [c for c, have in enumerate(available) if have >= quantity]
            if len(able) != 1 or lot[0] in alone:
                left.append(lot)
                continue
            (candidate,) = able
            if candidate not in self._opened and not self._may_be_cheaper_split([lot]):
                bound += self._instance.package_costs[candidate]
            sent = self._opened.setdefault(candidate, {})
            sent.update((line, self._instance.quantities[line]) for line in lot)
            bound += self._cheapest(lot)
        self._lots = left
        return bound

    def _parts(self) -> Iterator[_Lots]:
        split = [lot for lot in self._lots if self._must_split(lot)]
        whole = [lot for lot in self._lots if not self._must_split(lot)]
        for lots, size in zip((whole, split), self._sizes, strict=True):
            for start in range(0, len(lots), size):
                yield lots[start : start + size]

    def _must_split(self, lot: tuple[int, ...]) -> bool:
        # Only lines that no candidate has whole are split: in a long leg that is enough to search.
        if len(lot) > 1 or not self._instance.terms.may_split(lot[0]):
            return False
        return max(self._instance.available[lot[0]]) < self._quantity(lot)

    def _may_be_cheaper_split(self, part: _Lots) -> bool:
        # Then a plan that sends lines whole says nothing about all plans.
        may_split = self._instance.terms.may_split
        return any(len(lot) == 1 and may_split(lot[0]) and self._quantity(lot) > 1 for lot in part)

    def _part_solved(self, part: _Lots) -> Solution | Unservable:
        count_max = self._instance.terms.package_count_max
        if not count_max:
            return self._solved(part, 0)
        left = count_max - len(self._opened) - len(self._alone)
        found: Solution | Unservable = Unservable(Obstacle.PACKAGES, ())
        if left > 0:
            found = self._solved(part, left)
        if isinstance(found, Unservable) and self._opened and left >= 0:
            found = self._solved(part, left + len(self._opened), only_opened=True)
        return found

    def _solved(
        self, part: _Lots, count_max: int, *, only_opened: bool = False
    ) -> Solution | Unservable:
        whole = self._instance
        costs = [
            0 if candidate in self._opened else cost
            for candidate, cost in enumerate(whole.package_costs)
        ]
        alone = frozenset(whole.terms.alone)
        splits = tuple(self._must_split(lot) for lot in part)
        terms = Terms(
            unit_split=any(splits) and splits,
            package_count_max=count_max,
            alone=tuple(
                number for number, lot in enumerate(part) if len(lot) == 1 and lot[0] in alone
            ),
            weight_rates=self._rates(part),
        )
        rows = [self._row(lot) for lot in part]
        available = [units for _, units in rows]
        if only_opened:
            available = [
                [have if c in self._opened else 0 for c, have in enumerate(row)]
                for row in available
            ]
        if terms.alone:
            # A package of its own is a package more, wherever it comes from.
            costs = list(whole.package_costs)
        instance = Instance(
            quantities=[self._quantity(lot) for lot in part],
            package_costs=costs,
            unit_costs=[costs for costs, _ in rows],
            available=available,
            terms=terms,
        )
        return solve(instance, node_count_max=self._node_count_max)

    def _keep(self, part: _Lots, found: Solution) -> None:
        alone = frozenset(self._instance.terms.alone)
        self._node_count += found.node_count
        for package in found.packages:
            contents = [
                (line, self._instance.quantities[line] if len(part[number]) > 1 else quantity)
                for number, quantity in package.contents
                for line in part[number]
            ]
            if any(line in alone for line, _ in contents):
                self._alone.append(Package(package.candidate, tuple(contents)))
            else:
                sent = self._opened.setdefault(package.candidate, {})
                for line, units in contents:
                    sent[line] = sent.get(line, 0) + units

    # --- lots as lines

    def _quantity(self, lot: tuple[int, ...]) -> int:
        return self._instance.quantities[lot[0]] if len(lot) == 1 else 1

    def _row(self, lot: tuple[int, ...]) -> tuple[Sequence[int], Sequence[int]]:
        # What a lot costs and has by candidate: lines that are together as one unit of their sum.
        whole = self._instance
        if len(lot) == 1:
            return whole.unit_costs[lot[0]], whole.available[lot[0]]
        wanted = [(whole.quantities[line], line) for line in lot]
        candidates = range(len(whole.package_costs))
        return (
            [sum(q * whole.unit_costs[line][c] for q, line in wanted) for c in candidates],
            [int(all(whole.available[line][c] >= q for q, line in wanted)) for c in candidates],
        )

    def _rates(self, part: _Lots) -> WeightRates | None:
        rates = self._instance.terms.weight_rates
        if rates is None:
            return None
        grams = [
            rates.unit_grams[lot[0]]
            if len(lot) == 1
            else sum(rates.unit_grams[line] * self._instance.quantities[line] for line in lot)
            for lot in part
        ]
        return WeightRates(tuple(grams), rates.cards, rates.card_indexes)

    def _cheapest(self, lot: tuple[int, ...]) -> int:
        costs, available = self._row(lot)
        least = min(cost for cost, have in zip(costs, available, strict=True) if have)
        return least * self._quantity(lot)
