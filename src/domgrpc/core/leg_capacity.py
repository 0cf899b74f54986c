"""Capacity: plans that keep to the packages and units that locations can still do in a day.

The solver knows no capacity over several lines. Its plan without one is a bound; where that asks
too much of a location on a day, some of what it sends there has to come from elsewhere, and each
way to do so is a smaller question. The best of all is found by asking the one with the least bound
first (branch and bound, Land and Doig 1960). Where so much is short that this does not end, whole
lines are assigned one by one. Of a line that may be split only the excess is taken away, so that
the bound is that of the first question. Where no plan of all is found, what stands first in the
order has the capacity first.
"""

from collections.abc import Callable, Sequence
from heapq import heappop, heappush
from typing import TypeAlias

import msgspec

from domgrpc.core.leg_assignment import Rooms, assigned
from domgrpc.core.leg_questions import Candidates, LegQuestion
from domgrpc.core.routing.instance import Instance, Package, Solution, Unservable
from domgrpc.core.values import LocationIndex

_QUESTIONS_MAX = 20
"""So many smaller questions are put for one leg."""

_Day: TypeAlias = tuple[LocationIndex, int]
"""A location and a day of its capacity."""
_Cuts: TypeAlias = tuple[tuple[int, int, int], ...]
"""(candidate, line, units that it may still send)."""
_Solve: TypeAlias = Callable[[Instance], Solution | Unservable]


def within_capacity(
    question: LegQuestion, found: Candidates, asked: tuple[list[int], Instance], solve: _Solve
) -> Solution | Unservable | None:
    """Return the best plan that keeps to the capacity; None where none was found that does.

    `asked` are the needs that the lines of the instance stand for, and the instance.
    """
    places, instance = asked
    first = solve(instance)
    if question.room_left is None or isinstance(first, Unservable):
        return first
    crowds = _Crowds(question, found, places)
    search = _Search(instance, crowds, solve)
    return search.run(first)


class _Crowds:
    """Where a plan asks more of a location on a day than it can do."""

    def __init__(self, question: LegQuestion, found: Candidates, places: list[int]) -> None:
        self._question = question
        self._found = found
        self._places = places

    def ways_out(self, solution: Solution) -> list[_Cuts]:
        """Return what may be taken away instead, each way by itself; empty for no excess."""
        by_day: dict[_Day, list[Package]] = {}
        for package in solution.packages:
            by_day.setdefault(self._day(package.candidate), []).append(package)
        room_left = self._question.room_left
        assert room_left is not None
        for day, packages in by_day.items():
            room = room_left(*day)
            new = [each for each in packages if each.candidate not in self._found.parcels]
            if len(new) > room.packages:
                return [self._without(package) for package in new]
            units = sum(count for package in packages for _, count in package.contents)
            if units > room.units:
                return self._lessened(packages, units - room.units)
        return []

    def rooms(self) -> Rooms:
        """Return what the candidates share of capacity."""
        room_left = self._question.room_left
        assert room_left is not None
        numbers: dict[_Day, int] = {}
        days = [
            numbers.setdefault(self._day(candidate), len(numbers))
            for candidate in range(len(self._found.indexes))
        ]
        rooms = [room_left(*day) for day in numbers]
        return Rooms(days, rooms, frozenset(self._found.parcels))

    def _day(self, candidate: int) -> _Day:
        place = self._found.place(candidate)
        return (self._found.indexes[candidate], place.table.ship_day[place.row])

    def _without(self, package: Package) -> _Cuts:
        return tuple((package.candidate, line, 0) for line, _ in package.contents)

    def _lessened(self, packages: list[Package], excess: int) -> list[_Cuts]:
        return [
            ((package.candidate, line, max(0, count - excess) if self._splits(line) else 0),)
            for package in packages
            for line, count in package.contents
        ]

    def _splits(self, line: int) -> bool:
        need = self._question.needs[self._places[line]]
        return need.splits and need.quantity > 1


class _Search:
    def __init__(self, instance: Instance, crowds: _Crowds, solve: _Solve) -> None:
        self._instance = instance
        self._crowds = crowds
        self._solve = solve
        self._node_count = 0
        self._question_count = 0
        self._best: Solution | None = None
        self._queue: list[tuple[int, int, _Cuts, Solution]] = []
        self._open_bounds: list[int] = []
        self._asked: dict[_Cuts, None] = {}

    def run(self, first: Solution) -> Solution | None:
        splits = any(map(self._instance.terms.may_split, range(len(self._instance.quantities))))
        self._put(first, (), first.lower_bound)
        for _ in range(_QUESTIONS_MAX):
            if not self._queue or (self._best and self._queue[0][0] >= self._best.cost):
                break
            self._look_at(heappop(self._queue))
        bound = first.lower_bound
        if not splits:
            bound = min(
                [*self._open_bounds, *(entry[0] for entry in self._queue[:1])], default=bound
            )
        if self._best is None or bound < self._best.cost:
            rooms = self._crowds.rooms()
            self._best, is_all = assigned(self._instance, rooms, self._best)
            if self._best is not None and is_all and not splits:
                bound = self._best.cost
        if self._best is None:
            return None
        return msgspec.structs.replace(
            self._best, lower_bound=min(bound, self._best.cost), node_count=self._node_count
        )

    def _look_at(self, asked: tuple[int, int, _Cuts, Solution]) -> None:
        bound, _, cuts, solution = asked
        ways = self._crowds.ways_out(solution)
        if not ways:
            if self._best is None or solution.cost < self._best.cost:
                self._best = solution
            # All of what it stands for costs at least so much.
            self._open_bounds.append(bound)
            return
        for way in ways:
            cut = tuple(sorted(dict.fromkeys((*cuts, *way))))
            if cut in self._asked:
                # The same cells, taken away in another sequence.
                continue
            self._asked[cut] = None
            found = self._solve(_without(self._instance, cut))
            if isinstance(found, Solution):
                self._put(found, cut, bound)

    def _put(self, solution: Solution, cuts: _Cuts, bound: int) -> None:
        # A smaller question costs at least as much as the one that it comes from.
        self._node_count += solution.node_count
        runner_up = solution.runner_up if not cuts else None
        solution = msgspec.structs.replace(solution, runner_up=runner_up)
        self._question_count += 1
        least = max(bound, solution.lower_bound)
        # Of the same bound the newest is asked first: it has the most cuts, and soon fits.
        heappush(self._queue, (least, -self._question_count, cuts, solution))


def _without(instance: Instance, cuts: _Cuts) -> Instance:
    available = [list(row) for row in instance.available]
    for candidate, line, units in cuts:
        available[line][candidate] = min(available[line][candidate], units)
    return msgspec.structs.replace(instance, available=available)


# --- first come, first served


def first_come(question: LegQuestion, found: Candidates) -> Candidates:
    """Return candidates whose stock keeps to their room in units, however it is used.

    Where the capacity is less than all needs together, those that stand first have it first.
    """
    if question.room_left is None:
        return found
    available = [list(row) for row in found.available]
    left: dict[_Day, int] = {}
    for candidate, index in enumerate(found.indexes):
        place = found.place(candidate)
        day = (index, place.table.ship_day[place.row])
        units = left.get(day)
        if units is None:
            units = question.room_left(*day).units
        for need, row in zip(question.needs, available, strict=True):
            row[candidate] = min(row[candidate], units)
            units -= min(row[candidate], need.quantity)
        left[day] = units
    return msgspec.structs.replace(found, available=available)


def crowded_cells(
    question: LegQuestion, found: Candidates, packages: Sequence[Package]
) -> list[tuple[int, int]]:
    """Return (candidate, line) of the packages beyond what a location has room for on a day."""
    if question.room_left is None:
        return []
    used: dict[_Day, int] = {}
    crowded = []
    for package in packages:
        place = found.place(package.candidate)
        key = (found.indexes[package.candidate], place.table.ship_day[place.row])
        if package.candidate in found.parcels:
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
