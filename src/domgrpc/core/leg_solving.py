"""Solving a leg beyond what the solver takes at once: long legs, and crowded locations.

A leg of more lines than the solver takes is solved in parts, one after the other. What a part has
opened costs the next ones nothing more, so that parts share packages; packages of one candidate are
one in the end. Units of a line are split only where no candidate has all of it. The lower bound
stays honest: the first part is solved with all its costs, and the lines of the others cost at least
their cheapest units.
"""

from collections.abc import Iterator, Sequence

import msgspec

from domgrpc.core.leg_questions import Candidates, LegLimits, LegQuestion, Need
from domgrpc.core.routing.instance import (
    AnyInstance,
    ArrayInstance,
    Instance,
    Obstacle,
    Package,
    Solution,
    Terms,
    Unservable,
    WeightRates,
)
from domgrpc.core.routing.solver import solve
from domgrpc.core.routing.strategies import DISTANCE_M_MAX, Attributes, follow
from domgrpc.core.routing.strategies import Strategy as TextbookStrategy
from domgrpc.core.rule_sets import Strategy
from domgrpc.core.values import LocationIndex

PART_LINES_MAX = 256
"""So many lines are solved at once; the solver takes twice as many."""
PART_LINES_SPLIT_MAX = 32
"""The same where units of lines have to come from several places: that takes longer to search."""
_CELLS_MAX = 4_000
"""Up to so many lines x candidates the whole leg is solved at once, with all that may be split."""
_WORK_MAX = 8_000_000
_WORK_SPLIT_MAX = 1_000_000
"""So many cells are looked at in a search, all its nodes together: some tenths of a second."""
_NODES_MIN = 30
_NODES_MAX = 2_000
"""The cap on the search of a leg: the writer waits for it, some ten milliseconds at the most."""

_WIDE_LINES_MAX = 32
"""Up to so many lines are solved at once also where thousands of candidates are told in arrays."""
_PLAIN = Terms()

_Lots = list[tuple[int, ...]]


def leg_terms(
    needs: Sequence[Need], quantities: list[int], limits: LegLimits, rates: WeightRates | None
) -> Terms:
    """Return what the plan of some needs must keep to, in the solver's words."""
    splits = tuple(
        quantity > 1 and limits.unit_split and need.splits
        for need, quantity in zip(needs, quantities, strict=True)
    )
    alone = [number for number, need in enumerate(needs) if need.fields.ship_alone]
    if not (alone or limits.groups or any(splits) or rates or limits.package_count_max):
        return _PLAIN
    return Terms(
        unit_split=any(splits) and splits,
        package_count_max=limits.package_count_max,
        together=tuple(group for group in limits.groups if len(group) > 1),
        alone=tuple(n for n in alone if not any(n in group for group in limits.groups)),
        weight_rates=rates,
    )


def solve_leg(instance: AnyInstance) -> Solution | Unservable:
    """Return the best plan of a leg; of a long one a good plan, with its gap."""
    line_count = len(instance.quantities)
    cells = line_count * len(instance.package_costs)
    if line_count <= PART_LINES_MAX and cells <= _CELLS_MAX:
        return solve(instance, node_count_max=_node_count_max(instance))
    if isinstance(instance, ArrayInstance):
        if line_count <= _WIDE_LINES_MAX:
            return solve(instance, node_count_max=_node_count_max(instance))
        instance = instance.as_lists()
    return solve_in_parts(instance, (PART_LINES_MAX, PART_LINES_SPLIT_MAX))


def solve_in_parts(instance: Instance, sizes: tuple[int, int]) -> Solution | Unservable:
    """Return a good plan, from parts of so many lines that go whole, and so many that are split."""
    return _Parts(instance, _lots(instance), sizes).solved()


def _node_count_max(instance: AnyInstance) -> int:
    cells = len(instance.quantities) * len(instance.package_costs)
    split = instance.terms.unit_split
    work = _WORK_SPLIT_MAX if split is True or (split and any(split)) else _WORK_MAX
    return max(_NODES_MIN, min(_NODES_MAX, work // max(1, cells)))


def follow_strategy(
    instance: Instance, strategy: Strategy, found: Candidates
) -> Solution | Unservable:
    """Return the plan of a textbook strategy, with the bound of the exact plan beside it.

    So that each decision says what the strategy costs more than it had to.
    """
    places = [found.place(candidate) for candidate in range(len(found.indexes))]
    attributes = Attributes(
        priorities=[place.table.priority[place.row] for place in places],
        distances_m=[
            distance_m if distance_m >= 0 else DISTANCE_M_MAX
            for distance_m in (place.table.distance_m[place.row] for place in places)
        ],
        delivery_times_ms=[place.table.deliver_by_ms[place.row] for place in places],
    )
    followed = follow(instance, TextbookStrategy[strategy.name], attributes)
    best = solve_leg(instance)
    if isinstance(followed, Unservable) or isinstance(best, Unservable):
        return followed
    return msgspec.structs.replace(followed, lower_bound=min(best.lower_bound, followed.cost))


def crowded_cells(
    question: LegQuestion, found: Candidates, solution: Solution
) -> list[tuple[int, int]]:
    """Return (candidate, line) of the packages beyond what a location has room for on a day."""
    if question.room_left is None:
        return []
    used: dict[tuple[LocationIndex, int], int] = {}
    crowded = []
    for package in solution.packages:
        place = found.place(package.candidate)
        key = (found.indexes[package.candidate], place.table.ship_day[place.row])
        if not place.ready_ms and question.parcel_at and question.parcel_at(*key):
            continue
        used[key] = used.get(key, 0) + 1
        if used[key] > question.room_left(*key).packages:
            crowded += [(package.candidate, line) for line, _ in package.contents]
    return crowded


def without_cells(found: Candidates, cells: Sequence[tuple[int, int]]) -> Candidates:
    """Return the candidates without what these (candidate, need) have."""
    available = [list(row) for row in found.available]
    for candidate, need in cells:
        available[need][candidate] = 0
    return msgspec.structs.replace(found, available=available)


# --- long legs


def _lots(instance: Instance) -> _Lots:
    # Lines that must be together count as one.
    group_of = {line: group for group in instance.terms.together for line in group}
    lots = [tuple(sorted(group_of.get(line, (line,)))) for line in range(len(instance.quantities))]
    return [lot for line, lot in enumerate(lots) if lot[0] == line]


class _Parts:
    """The parts of one instance: what is open by now, and the packages so far."""

    def __init__(self, instance: Instance, lots: _Lots, sizes: tuple[int, int]) -> None:
        self._instance = instance
        self._lots = lots
        self._sizes = sizes
        self._opened: dict[int, dict[int, int]] = {}
        self._alone: list[Package] = []
        self._node_count = 0
        self._node_count_max = _node_count_max(instance)

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
        cost = sum(map(self._cost, packages))
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
        # The parts share what one leg may cost.
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

    def _cost(self, package: Package) -> int:
        whole, rates = self._instance, self._instance.terms.weight_rates
        cost = whole.package_costs[package.candidate]
        if rates is not None:
            grams = sum(rates.unit_grams[line] * units for line, units in package.contents)
            cost += rates.cards[rates.card_indexes[package.candidate]].price(grams)
        return cost + sum(
            units * whole.unit_costs[line][package.candidate] for line, units in package.contents
        )
