"""Whole lots with few candidates, as lists: below some 500 cells nothing is faster.

Most orders end in the first step: some candidate has everything, and two packages would cost more
even if every lot came from where it is cheapest. For two lots two packages are two independent
choices. What is left is reduced to the candidates that can be in a plan as good as one that is
found greedily, and searched.
"""

from collections.abc import Sequence
from operator import add

import numpy as np

from domgrpc.core.routing.ascent import raise_prices
from domgrpc.core.routing.found import Found
from domgrpc.core.routing.instance import NEVER
from domgrpc.core.routing.search import IMPOSSIBLE, SCALE, Search
from domgrpc.core.routing.subsets import route_by_subsets, suits_subsets

Rows = Sequence[Sequence[int]]
_PAIR = 2


def route_few(
    rows: Rows, package_costs: Sequence[int], count_max: int, node_count_max: int
) -> Found | None:
    """Return the best plan of the lots, None where there is none of so few packages."""
    totals = list(package_costs)
    for row in rows:
        totals = list(map(add, totals, row))
    single = min(totals)
    cheapest = list(map(min, rows))
    if max(cheapest) >= NEVER:
        return None
    best = totals.index(single)
    floor = sum(cheapest) + sum(sorted(package_costs)[:_PAIR])
    if single <= floor or len(rows) == 1 or count_max == 1:
        found = Found((best,), single, single, 0) if single < NEVER else None
    else:
        found = _split(rows, package_costs, (single, best), (count_max, node_count_max))
    if found is None or len(found.chosen) != 1:
        return found
    totals[found.chosen[0]] = NEVER
    second = min(totals)
    next_one = (second, totals.index(second))
    return Found(found.chosen, found.cost, found.lower_bound, found.node_count, next_one)


def _split(
    rows: Rows, package_costs: Sequence[int], single: tuple[int, int], counts: tuple[int, int]
) -> Found | None:
    # `single` is (cost, candidate) of the best plan of one package.
    count_max, node_count_max = counts
    plans: list[tuple[int, int, tuple[int, ...]]] = []
    if single[0] < NEVER:
        plans.append((single[0], 1, (single[1],)))
    if not count_max or count_max >= len(rows):
        apart = [list(map(add, package_costs, row)) for row in rows]
        names = sorted({column.index(min(column)) for column in apart})
        plans.append(_evaluated(names, rows, package_costs))
    cost, _, plan = min(plans, default=(NEVER, 0, ()))
    if len(rows) == _PAIR:
        return Found(plan, cost, cost, 0) if plan else None
    if suits_subsets(len(rows), len(package_costs)):
        matrix = np.minimum(np.array(rows, dtype=np.int64), NEVER)
        return route_by_subsets(matrix, np.array(package_costs, dtype=np.int64), count_max)
    limit = cost - sum(map(min, rows)) - min(package_costs)
    kept = [name for name, package_cost in enumerate(package_costs) if package_cost <= limit]
    scaled = [[row[name] * SCALE for name in kept] for row in rows]
    packages = [package_costs[name] * SCALE + 1 for name in kept]
    prices = [min(row) * SCALE for row in rows]
    raise_prices(prices, [IMPOSSIBLE] * len(rows), scaled, list(packages))
    search = Search(
        kept,
        scaled,
        packages,
        prices,
        count_min=_PAIR,
        count_max=count_max,
        node_count_max=node_count_max,
    )
    if plan:
        search.offer(plan, cost * SCALE + len(plan))
    search.run()
    return search.found()


def _evaluated(
    names: list[int], rows: Rows, package_costs: Sequence[int]
) -> tuple[int, int, tuple[int, ...]]:
    cost = sum([package_costs[name] for name in names])
    cost += sum([min([row[name] for name in names]) for row in rows])
    return cost, len(names), tuple(names)
