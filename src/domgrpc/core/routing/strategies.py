"""The strategies that other systems have, for comparison and migration.

All but CHEAPEST look at one property of the candidates and fill down the list that it gives: each
line takes what the first candidate has, the rest from the next, and so on; a line that must not
split takes the first candidate that has all of it. None looks at costs, which is why none is
ever cheaper than CHEAPEST, the exact plan. Ties go to the lower candidate.

| strategy | the list, line by line |
|---|---|
| BY_PRIORITY | lowest priority number first |
| NEAREST_FIRST | shortest distance first |
| HIGHEST_STOCK_FIRST | most units of this line first |
| FASTEST | earliest delivery first |
| FEWEST_PACKAGES | no list: as few packages as can be, of these the plan with the least distance |
| CHEAPEST | no list: `solve` |
"""

import enum
from collections.abc import Callable, Sequence
from functools import partial
from typing import assert_never

import msgspec

from domgrpc.core.routing.cost_parts import plan_cost
from domgrpc.core.routing.instance import (
    NODE_COUNT_MAX_DEFAULT,
    AnyInstance,
    Instance,
    Obstacle,
    Package,
    Solution,
    Terms,
    Unservable,
)
from domgrpc.core.routing.lots import Lot, lots_of
from domgrpc.core.routing.obstacles import obstacle_to
from domgrpc.core.routing.solver import solve

DISTANCE_M_MAX = 1 << 25
"""More than half of the Earth's circumference."""
_ONE_PACKAGE = 1 << 35
"""Outweighs the distances of as many packages as there may be lines."""


class Strategy(enum.IntEnum):
    """How to choose the locations of an order."""

    CHEAPEST = 0
    BY_PRIORITY = 1
    NEAREST_FIRST = 2
    HIGHEST_STOCK_FIRST = 3
    FEWEST_PACKAGES = 4
    FASTEST = 5


class Attributes(msgspec.Struct, frozen=True, kw_only=True):
    """What strategies look at, by candidate."""

    priorities: Sequence[int]
    distances_m: Sequence[int]
    delivery_times_ms: Sequence[int]


def follow(
    instance: AnyInstance,
    strategy: Strategy,
    attributes: Attributes,
    *,
    node_count_max: int = NODE_COUNT_MAX_DEFAULT,
) -> Solution | Unservable:
    """Return the plan of a strategy; those that search look at so many nodes at the most.

    All but CHEAPEST prove nothing about cost: their lower bound is 0. A plan that breaks the
    terms is refused as PACKAGES: filling down a list does not look for another one.
    """
    match strategy:
        case Strategy.CHEAPEST:
            return solve(instance, node_count_max=node_count_max)
        case Strategy.FEWEST_PACKAGES:
            return _fewest_packages(instance, attributes.distances_m, node_count_max)
        case Strategy.HIGHEST_STOCK_FIRST:
            available = instance.available
            return _fill_down(instance, lambda line, one: -int(available[line][one]))
        case Strategy.BY_PRIORITY:
            return _fill_down(instance, lambda _, one: int(attributes.priorities[one]))
        case Strategy.NEAREST_FIRST:
            return _fill_down(instance, lambda _, one: int(attributes.distances_m[one]))
        case Strategy.FASTEST:
            return _fill_down(instance, lambda _, one: int(attributes.delivery_times_ms[one]))
        case _:
            assert_never(strategy)


def _fewest_packages(
    instance: AnyInstance, distances_m: Sequence[int], node_count_max: int
) -> Solution | Unservable:
    count = len(instance.package_costs)
    counting = Instance(
        quantities=instance.quantities,
        package_costs=[_ONE_PACKAGE + int(distance) for distance in distances_m],
        unit_costs=[[0] * count for _ in instance.quantities],
        available=[list(map(int, row)) for row in instance.available],
        terms=msgspec.structs.replace(instance.terms, weight_rates=None),
    )
    answer = solve(counting, node_count_max=node_count_max)
    if isinstance(answer, Unservable):
        return answer
    return Solution(answer.packages, plan_cost(instance, answer.packages), 0)


def _fill_down(instance: AnyInstance, rank: Callable[[int, int], int]) -> Solution | Unservable:
    lots = lots_of(len(instance.quantities), instance.terms)
    if isinstance(lots, Unservable):
        return obstacle_to(instance)
    everyone = range(len(instance.package_costs))
    sent: dict[int, list[tuple[int, int]]] = {}
    packages = []
    for lot in [*lots.shared, *lots.alone]:
        line = lot[0]
        ranked = sorted(everyone, key=partial(rank, line))
        taken = _taken(instance, lot, ranked)
        if not taken:
            return obstacle_to(instance)
        if lot in lots.alone:
            packages += [Package(one, contents) for one, contents in taken]
            continue
        for one, contents in taken:
            sent.setdefault(one, []).extend(contents)
    packages += [Package(one, tuple(sorted(contents))) for one, contents in sent.items()]
    if 0 < instance.terms.package_count_max < len(packages):
        return Unservable(Obstacle.PACKAGES, ())
    packages.sort(key=lambda package: (package.candidate, package.contents))
    return Solution(tuple(packages), plan_cost(instance, packages), 0)


def _taken(
    instance: AnyInstance, lot: Lot, ranked: Sequence[int]
) -> list[tuple[int, tuple[tuple[int, int], ...]]]:
    # (candidate, contents) down the list; empty where it is too short.
    available, quantities = instance.available, instance.quantities
    terms: Terms = instance.terms
    if len(lot) > 1 or lot[0] in terms.alone or not terms.may_split(lot[0]):
        for one in ranked:
            if all(available[line][one] >= quantities[line] for line in lot):
                return [(one, tuple([(line, quantities[line]) for line in lot]))]
        return []
    left = quantities[lot[0]]
    taken: list[tuple[int, tuple[tuple[int, int], ...]]] = []
    for one in ranked:
        units = min(left, int(available[lot[0]][one]))
        if units > 0:
            taken.append((one, ((lot[0], units),)))
            left -= units
    return [] if left else taken
