"""The solver against the naive model: every set of candidates is tried."""

from hypothesis import given

from domgrpc.core.routing.instance import Instance, Solution, Unservable
from domgrpc.core.routing.solver import solve
from tests.core.routing.brute_force import best_whole_plan
from tests.core.routing.instances import whole_instances


@given(whole_instances())
def test_the_plan_is_the_best_of_all_plans_ties_included(instance: Instance) -> None:
    answer = solve(instance)
    expected = best_whole_plan(instance)
    if expected is None:
        assert isinstance(answer, Unservable)
        return
    assert isinstance(answer, Solution)
    candidates = tuple(package.candidate for package in answer.packages)
    assert (answer.cost, len(candidates), candidates) == expected
    assert answer.is_proven
