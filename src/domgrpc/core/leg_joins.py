"""Joins: the split penalty where goods can join an open parcel.

The penalty is for each package beyond the first, and what joins a parcel is no package. The solver
charges every new package; that one of them is free is taken off where there is one. So a plan that
only joins looks cheaper beside one with a first package than it is: it is asked again with joining
as dear as the penalty, and without joining at all, and the cheapest of the three is taken.
"""

from collections.abc import Callable
from typing import TypeAlias

import msgspec

from domgrpc.core.leg_questions import Candidates, LegQuestion
from domgrpc.core.routing.cost_parts import plan_cost
from domgrpc.core.routing.instance import Instance, Solution, Unservable

Solve: TypeAlias = Callable[[Instance], Solution | Unservable | None]


def with_first_free(
    question: LegQuestion, found: Candidates, asked: tuple[Instance, Solution], solve: Solve
) -> Solution:
    """Return the best plan known, its costs and bound as the solver counts them."""
    instance, joining = asked
    penalty = question.prices.package_micros
    if not (penalty and found.parcels) or _opens_any(found, joining):
        return joining
    best = joining
    for other in (_dear(instance, found, penalty), _apart(instance, found)):
        solution = solve(other)
        if isinstance(solution, Solution) and _opens_any(found, solution):
            cost = plan_cost(instance, solution.packages)
            least = best.cost - (penalty if _opens_any(found, best) else 0)
            if cost - penalty < least:
                best = Solution(solution.packages, cost, cost, solution.node_count)
    free = penalty if _opens_any(found, best) else 0
    bound = min(joining.lower_bound, _bound_of_opening(instance, found, joining) - penalty)
    return msgspec.structs.replace(best, lower_bound=min(best.cost, bound + free))


def _opens_any(found: Candidates, solution: Solution) -> bool:
    return any(package.candidate not in found.parcels for package in solution.packages)


def _bound_of_opening(instance: Instance, found: Candidates, joining: Solution) -> int:
    # What plans cost at least that open a package.
    opened = [cost for one, cost in enumerate(instance.package_costs) if one not in found.parcels]
    units = sum(
        quantity * min(cost for cost, have in zip(costs, available, strict=True) if have)
        for quantity, costs, available in zip(
            instance.quantities, instance.unit_costs, instance.available, strict=True
        )
    )
    return max(joining.lower_bound, min(opened, default=0) + units)


def _dear(instance: Instance, found: Candidates, penalty: int) -> Instance:
    costs = list(instance.package_costs)
    for one in found.parcels:
        costs[one] += penalty
    return msgspec.structs.replace(instance, package_costs=costs)


def _apart(instance: Instance, found: Candidates) -> Instance:
    available = [
        [0 if one in found.parcels else have for one, have in enumerate(row)]
        for row in instance.available
    ]
    return msgspec.structs.replace(instance, available=available)
