"""Explanations say what a plan costs, what was the next best, and what a location lacked."""

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from benchmarks.routing_checker import package_cost
from domgrpc.core.routing.explanation import compare, explain
from domgrpc.core.routing.instance import (
    Instance,
    Package,
    RateCard,
    RunnerUp,
    Solution,
    Terms,
    WeightRates,
)
from domgrpc.core.routing.solver import solve
from tests.core.routing.instances import as_arrays, instances

ANY = st.one_of(instances(), instances(weights=True))
# One line; the second location is dearer by 5, the third cheapest but one unit short.
ORDER = Instance(
    quantities=[2], package_costs=[10, 13, 8], unit_costs=[[1, 2, 1]], available=[[2, 2, 1]]
)


def solved(instance: Instance) -> Solution:
    """The plan, which there is."""
    answer = solve(instance)
    assert isinstance(answer, Solution)
    return answer


def test_a_plan_is_explained_part_by_part() -> None:
    rates = WeightRates((500,), (RateCard((1_000,), (7,)),), [0, 0, 0])
    order = msgspec.structs.replace(ORDER, terms=Terms(weight_rates=rates))
    explanation = explain(order, solved(order))
    [package] = explanation.packages
    assert (package.package, package.weight, package.lines) == (10, 7, ((0, 2),))
    assert (explanation.cost, explanation.lower_bound, explanation.gap_ppm) == (19, 19, 0)


def test_the_runner_up_is_the_next_best_location_and_its_difference() -> None:
    explanation = explain(ORDER, solved(ORDER))
    assert explanation.runner_up == RunnerUp(17, 0, 1)
    assert explanation.runner_up_difference == 5


def test_where_nobody_else_has_the_goods_there_is_no_runner_up() -> None:
    only = msgspec.structs.replace(ORDER, available=[[2, 0, 0]])
    explanation = explain(only, solved(only))
    assert explanation.runner_up is None
    assert explanation.runner_up_difference is None


def test_a_gap_is_told_in_millionths_rounded_up() -> None:
    plan = Solution((Package(0, ((0, 2),)),), 12, 9)
    assert explain(ORDER, plan).gap_ppm == 333_334


def test_a_location_that_is_too_dear_is_told_by_how_much() -> None:
    comparison = compare(ORDER, solved(ORDER), 1)
    assert not comparison.is_chosen
    assert comparison.price_difference == comparison.stocked_difference == 5
    assert comparison.shortages == comparison.missing_units == ()


def test_a_location_that_is_short_is_told_the_units_that_it_lacks() -> None:
    comparison = compare(ORDER, solved(ORDER), 2)
    assert comparison.price_difference is None
    assert comparison.plan is None
    assert comparison.shortages == comparison.missing_units == ((0, 1),)
    assert comparison.stocked_difference == -2


def test_the_chosen_location_needs_no_change() -> None:
    comparison = compare(ORDER, solved(ORDER), 0)
    assert comparison.is_chosen
    assert comparison.price_difference == comparison.stocked_difference == 0


def test_a_location_that_would_only_help_out_is_compared_by_its_units() -> None:
    order = Instance(
        quantities=[4],
        package_costs=[1, 9, 2],
        unit_costs=[[1, 1, 2]],
        available=[[3, 4, 1]],
        terms=Terms(unit_split=True),
    )
    plan = solved(order)
    assert [package.candidate for package in plan.packages] == [0, 2]
    dearer = msgspec.structs.replace(order, package_costs=[1, 4, 9])
    comparison = compare(dearer, solved(dearer), 2)
    # With its package for 9 the plan of 0 and 2 costs 15, that of 1 alone 8.
    assert comparison.price_difference == 7


def test_under_terms_that_no_plan_keeps_nobody_can_be_forced_in() -> None:
    none = msgspec.structs.replace(ORDER, terms=Terms(alone=(0,), package_count_max=0))
    plan = solved(none)
    refused = msgspec.structs.replace(
        ORDER,
        quantities=[1, 1],
        unit_costs=[[1, 1, 1], [1, 1, 1]],
        available=[[1, 1, 1], [1, 1, 1]],
        terms=Terms(alone=(0, 1), package_count_max=1),
    )
    assert compare(refused, plan, 1).plan is None


def test_a_plan_is_the_same_without_the_runner_up() -> None:
    wide = Instance(
        quantities=[1, 1],
        package_costs=[0] * 300,
        unit_costs=[list(range(300)), list(range(300, 0, -1))],
        available=[[1] * 300] * 2,
    )
    for order in (ORDER, wide):
        for given_as in (order, as_arrays(order)):
            bare = solve(given_as, with_runner_up=False)
            assert bare == msgspec.structs.replace(solved(order), runner_up=None)


@pytest.mark.slow
@given(ANY)
def test_the_parts_add_up_and_the_runner_up_is_the_cheapest_exchange(instance: Instance) -> None:
    plan = solve(instance)
    assume(isinstance(plan, Solution))
    assert isinstance(plan, Solution)
    explanation = explain(instance, plan)
    assert sum(package.total for package in explanation.packages) == plan.cost
    assert plan.runner_up == solve_runner_up(instance, plan)
    again = solve(as_arrays(instance))
    assert isinstance(again, Solution)
    assert again.runner_up == plan.runner_up


def solve_runner_up(instance: Instance, plan: Solution) -> RunnerUp | None:
    """Try every exchange."""
    used = [package.candidate for package in plan.packages]
    found = []
    for number, package in enumerate(plan.packages):
        for other in range(len(instance.package_costs)):
            has_all = all(
                instance.available[line][other] >= units for line, units in package.contents
            )
            if other not in used and has_all:
                change = package_cost(instance, Package(other, package.contents))
                cost = plan.cost - package_cost(instance, package) + change
                found.append((cost, number, other))
    return RunnerUp(*min(found)) if found else None


@pytest.mark.slow
@given(instances(), st.data())
def test_a_package_cheaper_by_the_difference_brings_the_candidate_to_the_best_cost(
    instance: Instance, data: st.DataObject
) -> None:
    plan = solve(instance)
    assume(isinstance(plan, Solution))
    assert isinstance(plan, Solution)
    candidate = data.draw(st.sampled_from(range(len(instance.package_costs))))
    comparison = compare(as_arrays(instance), plan, candidate)
    difference = comparison.price_difference
    # Ships-alone lines can make a candidate's package cost count more than once.
    assume(difference is not None and not instance.terms.alone)
    assert difference is not None
    if 0 < difference < instance.package_costs[candidate]:
        for less, is_in in ((difference - 1, False), (difference + 1, True)):
            costs = list(instance.package_costs)
            costs[candidate] -= less
            cheaper = solved(msgspec.structs.replace(instance, package_costs=costs))
            assert (candidate in [one.candidate for one in cheaper.packages]) == is_in
