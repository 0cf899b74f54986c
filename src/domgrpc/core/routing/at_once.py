"""Orders that end before the work begins: most of them.

One candidate has everything, and even if every line came from where it is cheapest, two packages
would cost more. For up to three lines, one pass over the candidates says so; these few shapes are
spelled out because a million orders a minute take this way.
"""

from domgrpc.core.routing.instance import NEVER, Instance, Package, RunnerUp, Solution

_LINES_MAX = 3
_PAIR = 2


def solve_at_once(instance: Instance, *, with_runner_up: bool) -> Solution | None:
    """Return the solution of a plain instance where one package is provably best, else None."""
    quantities = instance.quantities
    if len(quantities) > _LINES_MAX:
        return None
    package_costs = instance.package_costs
    totals = _totals(instance)
    least = min(totals, default=NEVER)
    if least >= NEVER:
        return None
    if len(quantities) > 1:
        floor = 2 * min(package_costs)
        for quantity, unit_costs in zip(quantities, instance.unit_costs, strict=True):
            floor += quantity * min(unit_costs)
        if least > floor:
            return None
    candidate = totals.index(least)
    runner_up = None
    if with_runner_up:
        totals[candidate] = NEVER
        second = min(totals)
        runner_up = RunnerUp(second, 0, totals.index(second)) if second < NEVER else None
    packages = (Package(candidate, tuple(enumerate(quantities))),)
    return Solution(packages, least, least, 0, runner_up)


def _totals(instance: Instance) -> list[int]:
    # What a package with everything costs from each candidate.
    package_costs = instance.package_costs
    if len(instance.quantities) == 1:
        [quantity], [costs], [units] = instance.quantities, instance.unit_costs, instance.available
        return [
            package_cost + quantity * cost if has >= quantity else NEVER
            for package_cost, cost, has in zip(package_costs, costs, units, strict=True)
        ]
    if len(instance.quantities) == _PAIR:
        first, second = instance.quantities
        (costs_a, costs_b), (units_a, units_b) = instance.unit_costs, instance.available
        return [
            package_cost + first * a + second * b if has_a >= first and has_b >= second else NEVER
            for package_cost, a, b, has_a, has_b in zip(
                package_costs, costs_a, costs_b, units_a, units_b, strict=True
            )
        ]
    first, second, third = instance.quantities
    (costs_a, costs_b, costs_c), (units_a, units_b, units_c) = (
        instance.unit_costs,
        instance.available,
    )
    return [
        package_cost + first * a + second * b + third * c
        if has_a >= first and has_b >= second and has_c >= third
        else NEVER
        for package_cost, a, b, c, has_a, has_b, has_c in zip(
            package_costs, costs_a, costs_b, costs_c, units_a, units_b, units_c, strict=True
        )
    ]
