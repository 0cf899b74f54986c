"""The entrance of the solver: picks the method that proves an instance fastest.

| instance | method | where |
|---|---|---|
| whole lots | branch and bound | search.py |
"""

from domgrpc.core.routing.instance import (
    NEVER,
    NODE_COUNT_MAX_DEFAULT,
    AnyInstance,
    Instance,
    Obstacle,
    Package,
    Solution,
    Unservable,
)
from domgrpc.core.routing.lots import Lots, as_lists, lots_of
from domgrpc.core.routing.few_cells import route_few


def solve(
    instance: AnyInstance, *, node_count_max: int = NODE_COUNT_MAX_DEFAULT
) -> Solution | Unservable:
    """Return the plan of least cost with its proof, or why there is none.

    The plan is proven optimal unless the search needed more than `node_count_max` nodes; then the
    lower bound says how good it is at least. The same instance gives the same answer.
    """
    listed = as_lists(instance)
    lots = lots_of(listed)
    if isinstance(lots, Unservable):
        return lots
    packages = []
    cost = 0
    for lot, row in zip(lots.alone, lots.alone_rows, strict=True):
        totals = [own + base for own, base in zip(row, lots.package_costs, strict=True)]
        least = min(totals)
        cost += least
        packages.append(_package(listed, totals.index(least), lot))
    if not lots.shared:
        return _solution(packages, cost, cost, 0)
    found = route_few(
        lots.shared_rows, lots.package_costs, lots.package_count_max, node_count_max
    )
    if found is None:
        return Unservable(Obstacle.PACKAGES, ())
    packages += _packages(listed, lots, found.chosen)
    return _solution(packages, cost + found.cost, cost + found.lower_bound, found.node_count)


def _solution(packages: list[Package], cost: int, bound: int, node_count: int) -> Solution:
    packages.sort(key=lambda package: (package.candidate, package.contents))
    return Solution(tuple(packages), cost, bound, node_count)


def _packages(instance: Instance, lots: Lots, chosen: tuple[int, ...]) -> list[Package]:
    sent: dict[int, list[int]] = {}
    for lot, row in zip(lots.shared, lots.shared_rows, strict=True):
        sent.setdefault(min(chosen, key=row.__getitem__), []).extend(lot)
    return [_package(instance, candidate, lines) for candidate, lines in sent.items()]


def _package(instance: Instance, candidate: int, lines: list[int] | tuple[int, ...]) -> Package:
    return Package(candidate, tuple((line, instance.quantities[line]) for line in sorted(lines)))
