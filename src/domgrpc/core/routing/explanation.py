"""Why this plan: what it costs, what was the next best, and what another location lacked.

`explain` is always on: with the runner-up that the solver gives along, it is a few sums. `compare`
answers for one named candidate, on request: it solves the order again with the candidate forced
in, once for each lot, so it costs as many solves as the order has lots, twice where the candidate
is short of stock.
"""

import msgspec

from domgrpc.core.routing.cost_parts import PackageCost, package_cost
from domgrpc.core.routing.forcing import best_plan_with, with_stock
from domgrpc.core.routing.instance import (
    NODE_COUNT_MAX_DEFAULT,
    AnyInstance,
    RunnerUp,
    Solution,
)


class Explanation(msgspec.Struct, frozen=True, gc=False):
    """A plan in figures, all in micros."""

    packages: tuple[PackageCost, ...]
    cost: int
    lower_bound: int
    gap_ppm: int
    """By how many millionths at most the plan is dearer than the best; rounded up."""
    runner_up: RunnerUp | None
    """The same packages, but one of them from another candidate; the cheapest such plan."""
    runner_up_difference: int | None
    """What it costs more; below 0 only where the plan is not proven."""


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """What it would take for a candidate to be in the best plan."""

    candidate: int
    is_chosen: bool
    """It is; then all differences are 0."""
    price_difference: int | None
    """If its package cost were lower by more than this, it would be in the best plan; None where
    it can send no line as its stock is. Where the package cost is not as much, no price would do.
    """
    plan: Solution | None
    """The best plan with the candidate in it."""
    shortages: tuple[tuple[int, int], ...]
    """(line, units) that it lacks to be able to send all lines whole."""
    stocked_difference: int | None
    """As price_difference, had it those units; 0 or below: stock alone would have done."""
    missing_units: tuple[tuple[int, int], ...]
    """(line, units) that it lacks for the best plan with it, had it all stock."""


def explain(instance: AnyInstance, solution: Solution) -> Explanation:
    """Return the plan in figures, in O(lines)."""
    runner_up, packages = solution.runner_up, solution.packages
    cost, bound = solution.cost, solution.lower_bound
    if len(packages) == 1:
        # The usual plan, without the detour of a loop.
        parts: tuple[PackageCost, ...] = (package_cost(instance, packages[0]),)
    else:
        parts = tuple([package_cost(instance, package) for package in packages])
    return Explanation(
        parts,
        cost,
        bound,
        0 if cost == bound else -((bound - cost) * 1_000_000 // max(1, bound)),
        runner_up,
        None if runner_up is None else runner_up.cost - cost,
    )


def compare(
    instance: AnyInstance,
    solution: Solution,
    candidate: int,
    *,
    node_count_max: int = NODE_COUNT_MAX_DEFAULT,
) -> Comparison:
    """Return the smallest change by which the candidate would have been in the best plan.

    Exact where the plans are proven. A difference of 0 is a tie that it lost for its number.
    """
    is_chosen = any(package.candidate == candidate for package in solution.packages)
    plan = solution if is_chosen else best_plan_with(instance, candidate, node_count_max)
    shortages = tuple(
        (line, quantity - int(instance.available[line][candidate]))
        for line, quantity in enumerate(instance.quantities)
        if instance.available[line][candidate] < quantity
    )
    stocked = plan
    if shortages and not is_chosen:
        stocked = best_plan_with(with_stock(instance, candidate), candidate, node_count_max)
    return Comparison(
        candidate=candidate,
        is_chosen=is_chosen,
        price_difference=None if plan is None else plan.cost - solution.cost,
        plan=plan,
        shortages=shortages,
        stocked_difference=None if stocked is None else stocked.cost - solution.cost,
        missing_units=() if stocked is None else _missing(instance, stocked, candidate),
    )


def _missing(instance: AnyInstance, plan: Solution, candidate: int) -> tuple[tuple[int, int], ...]:
    return tuple(
        sorted(
            (line, quantity - int(instance.available[line][candidate]))
            for package in plan.packages
            if package.candidate == candidate
            for line, quantity in package.contents
            if quantity > instance.available[line][candidate]
        )
    )
