"""The solver against the naive model, which looks at every plan."""

import pytest
from hypothesis import given

from benchmarks.routing_checker import faults
from domgrpc.core.routing.instance import AnyInstance, Instance, Solution, Unservable
from domgrpc.core.routing.solver import solve
from tests.core.routing.brute_force import Plan, best_split_plan, best_whole_plan
from tests.core.routing.instances import as_arrays, instances

pytestmark = pytest.mark.slow


def check(instance: AnyInstance, expected: Plan | None) -> None:
    """The answer is the expected plan, proven, and breaks no rule."""
    answer = solve(instance)
    if expected is None:
        assert isinstance(answer, Unservable)
        return
    assert isinstance(answer, Solution), answer
    candidates = tuple(package.candidate for package in answer.packages)
    assert (answer.cost, len(candidates), candidates) == expected
    assert answer.is_proven
    assert faults(instance, answer) == []


@given(instances())
def test_the_plan_of_whole_lines_is_the_best_of_all_ties_included(instance: Instance) -> None:
    expected = best_whole_plan(instance)
    check(instance, expected)
    check(as_arrays(instance), expected)


@given(instances(weights=True))
def test_the_plan_by_weight_is_the_best_of_all_ties_included(instance: Instance) -> None:
    expected = best_whole_plan(instance)
    check(instance, expected)
    check(as_arrays(instance), expected)


@given(instances(splits=True))
def test_the_plan_with_split_lines_is_the_best_of_all_ties_included(instance: Instance) -> None:
    expected = best_split_plan(instance)
    check(instance, expected)
    check(as_arrays(instance), expected)


@given(instances(weights=True, splits=True))
def test_split_lines_by_weight_are_lawful_and_bounded(instance: Instance) -> None:
    answer = solve(instance)
    whole = best_whole_plan(instance)
    if isinstance(answer, Unservable):
        assert whole is None
        return
    assert faults(instance, answer) == []
    if whole is not None:
        assert answer.lower_bound <= answer.cost <= whole[0]
