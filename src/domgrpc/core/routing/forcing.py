"""The best plan with one candidate in it: what an explanation compares with.

A plan of whole lots that uses a candidate has some lot from it. So the order is solved once for
each lot, with that lot held to the candidate, and the cheapest of these plans is the best with it.

Where lines may split, a plan may use it for a few units only. So the order is also solved with the
candidate's package for nothing: if the plan then uses it, no plan with it is cheaper. If it does
not, no package cost would bring the candidate in, and what is found is the best plan in which it
sends a lot whole.
"""

import msgspec

from domgrpc.core.routing.cost_parts import plan_cost
from domgrpc.core.routing.instance import AnyInstance, ArrayInstance, Instance, Solution
from domgrpc.core.routing.lots import Lot, Lots, lots_of
from domgrpc.core.routing.runner_up import runner_up_of
from domgrpc.core.routing.solver import solve


def best_plan_with(instance: AnyInstance, candidate: int, node_count_max: int) -> Solution | None:
    """Return the best plan that uses the candidate, None where there is none."""
    listed = _as_lists(instance)
    lots = lots_of(len(listed.quantities), listed.terms)
    if not isinstance(lots, Lots):
        return None
    plans = []
    variants = [_held(listed, lot, candidate) for lot in [*lots.shared, *lots.alone]]
    if listed.terms.unit_split:
        variants.append(_for_nothing(listed, candidate))
    for variant in variants:
        answer = solve(variant, node_count_max=node_count_max)
        if isinstance(answer, Solution) and _uses(answer, candidate):
            plans.append(_priced(listed, variant, answer))
    return min(plans, key=_rank, default=None)


def _rank(plan: Solution) -> tuple[int, int, list[int]]:
    candidates = [package.candidate for package in plan.packages]
    return plan.cost, len(candidates), candidates


def with_stock(instance: AnyInstance, candidate: int) -> Instance:
    """Return the instance with all units of all lines at the candidate."""
    listed = _as_lists(instance)
    available = [list(row) for row in listed.available]
    for row, quantity in zip(available, listed.quantities, strict=True):
        row[candidate] = max(row[candidate], quantity)
    return msgspec.structs.replace(listed, available=available)


def _as_lists(instance: AnyInstance) -> Instance:
    return instance.as_lists() if isinstance(instance, ArrayInstance) else instance


def _held(instance: Instance, lot: Lot, candidate: int) -> Instance:
    # The lot can only come from the candidate.
    available = list(instance.available)
    for line in lot:
        row = [0] * len(instance.package_costs)
        row[candidate] = instance.available[line][candidate]
        available[line] = row
    return msgspec.structs.replace(instance, available=available)


def _for_nothing(instance: Instance, candidate: int) -> Instance:
    package_costs = list(instance.package_costs)
    package_costs[candidate] = 0
    return msgspec.structs.replace(instance, package_costs=package_costs)


def _uses(plan: Solution, candidate: int) -> bool:
    return any(package.candidate == candidate for package in plan.packages)


def _priced(instance: Instance, variant: Instance, plan: Solution) -> Solution:
    # As the order has it: its true cost and its true runner-up, with the gap that was proven.
    cost = plan_cost(instance, plan.packages)
    bound = plan.lower_bound + cost - plan_cost(variant, plan.packages)
    return Solution(
        plan.packages, cost, bound, plan.node_count, runner_up_of(instance, plan.packages, cost)
    )
