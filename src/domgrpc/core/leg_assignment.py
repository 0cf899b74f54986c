"""Assigning whole lines one by one where capacity is scarce: a depth-first search with a bound.

For legs where so much is short that hardly any plan fits. Lots, lines that go whole or together,
are assigned in the sequence of how few candidates can do them; of each the cheapest candidate is
tried first, and a branch is left when what it has plus the cheapest units of the rest is no better
than the best plan so far.
"""

from collections.abc import Sequence

import msgspec

from domgrpc.core.leg_questions import Room
from domgrpc.core.routing.cost_parts import plan_cost
from domgrpc.core.routing.instance import Instance, Package, Solution

_NODES_MAX = 4_000
_LOTS_MAX = 40
"""So many lots are assigned at most; deeper searches hardly ever end."""


class Rooms(msgspec.Struct, frozen=True):
    """What candidates share of capacity."""

    days: Sequence[int]
    """By candidate: the number of the room that its work takes."""
    rooms: Sequence[Room]
    joining: frozenset[int]
    """The candidates whose goods join a parcel, and are no package more."""


def assigned(
    instance: Instance, rooms: Rooms, best: Solution | None
) -> tuple[Solution | None, bool]:
    """Return the best plan of whole lines that fits, or the one known; and whether that is all.

    Where prices go by weight a place may send two packages for less than one: not all was tried.
    """
    search = _Assignment(instance, rooms, best)
    if len(search.lots) > _LOTS_MAX:
        return best, False
    search.run()
    is_all = search.node_count < _NODES_MAX and instance.terms.weight_rates is None
    return search.best, is_all


class _Assignment:
    def __init__(self, instance: Instance, rooms: Rooms, best: Solution | None) -> None:
        self.best = best
        self.node_count = 0
        self._instance = instance
        self._rooms = rooms
        self._alone = frozenset(instance.terms.alone)
        group_of = {line: group for group in instance.terms.together for line in group}
        lots = [tuple(sorted(group_of.get(n, (n,)))) for n in range(len(instance.quantities))]
        self.lots = [lot for line, lot in enumerate(lots) if lot[0] == line]
        self._costs = {lot: self._able(lot) for lot in self.lots}
        self.lots.sort(key=lambda lot: len(self._costs[lot]))
        # What the lots from here on cost at least.
        self._rest = [0]
        for lot in reversed(self.lots):
            least = min(self._costs[lot].values(), default=0)
            self._rest.append(self._rest[-1] + least)
        self._rest.reverse()
        self._packages_left = [room.packages for room in rooms.rooms]
        self._units_left = [room.units for room in rooms.rooms]
        self._sent: dict[int, list[int]] = {}
        self._sent_alone: list[tuple[int, int]] = []

    def run(self) -> None:
        if all(self._costs.values()):
            self._assign(0, 0)

    def _able(self, lot: tuple[int, ...]) -> dict[int, int]:
        # What the units of a lot cost, by candidate that has all of it.
        instance = self._instance
        wanted = [(line, instance.quantities[line]) for line in lot]
        return {
            one: sum(units * instance.unit_costs[line][one] for line, units in wanted)
            for one in range(len(instance.package_costs))
            if all(instance.available[line][one] >= units for line, units in wanted)
        }

    def _assign(self, place: int, cost: int) -> None:
        if place == len(self.lots):
            self._finish()
            return
        lot = self.lots[place]
        for more, one in sorted(
            (units + self._package_cost(lot, one), one) for one, units in self._costs[lot].items()
        ):
            if self.best and cost + more + self._rest[place + 1] >= self.best.cost:
                break
            if self.node_count >= _NODES_MAX:
                return
            self.node_count += 1
            self._try(place, lot, (one, cost + more))

    def _package_cost(self, lot: tuple[int, ...], one: int) -> int:
        is_open = one in self._sent and lot[0] not in self._alone
        return 0 if is_open else self._instance.package_costs[one]

    def _try(self, place: int, lot: tuple[int, ...], what: tuple[int, int]) -> None:
        one, cost = what
        day = self._rooms.days[one]
        alone = lot[0] in self._alone
        packages = int((alone or one not in self._sent) and one not in self._rooms.joining)
        units = sum(self._instance.quantities[line] for line in lot)
        if packages > self._packages_left[day] or units > self._units_left[day]:
            return
        self._packages_left[day] -= packages
        self._units_left[day] -= units
        if alone:
            self._sent_alone.append((one, lot[0]))
        else:
            self._sent.setdefault(one, []).extend(lot)
        count_max = self._instance.terms.package_count_max
        if not count_max or len(self._sent) + len(self._sent_alone) <= count_max:
            self._assign(place + 1, cost)
        if alone:
            self._sent_alone.pop()
        else:
            del self._sent[one][-len(lot) :]
            if not self._sent[one]:
                del self._sent[one]
        self._packages_left[day] += packages
        self._units_left[day] += units

    def _finish(self) -> None:
        quantities = self._instance.quantities
        packages = [
            Package(one, tuple((line, quantities[line]) for line in sorted(lines)))
            for one, lines in self._sent.items()
        ]
        packages += [Package(one, ((line, quantities[line]),)) for one, line in self._sent_alone]
        packages.sort(key=lambda package: (package.candidate, package.contents))
        cost = plan_cost(self._instance, packages)
        if self.best is None or cost < self.best.cost:
            self.best = Solution(tuple(packages), cost, 0)
