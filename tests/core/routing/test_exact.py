"""The solver against the naive model, which looks at every plan."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from benchmarks.routing_checker import faults
from domgrpc.core.routing.instance import (
    AnyInstance,
    Instance,
    RateCard,
    Solution,
    Terms,
    Unservable,
    WeightRates,
)
from domgrpc.core.routing.solver import solve
from tests.core.routing.brute_force import (
    Plan,
    best_split_plan,
    best_split_plan_by_weight,
    best_whole_plan,
)
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
def test_the_plan_of_split_lines_by_weight_is_the_best_of_all(instance: Instance) -> None:
    assume(sum(instance.quantities) <= 7)
    expected = best_split_plan_by_weight(instance)
    check(instance, expected)
    check(as_arrays(instance), expected)


@given(st.lists(st.integers(0, 4), min_size=1, max_size=4), st.integers(1, 5), st.data())
def test_units_are_split_where_the_next_step_is_steep(
    available: list[int], quantity: int, data: st.DataObject
) -> None:
    steps = sorted(data.draw(st.sets(st.integers(500, 6_000), min_size=2, max_size=4)))
    micros = sorted(data.draw(st.lists(st.integers(0, 10_000), min_size=4, max_size=4)))
    card = RateCard(tuple(steps), tuple(micros[: len(steps)]))
    instance = Instance(
        quantities=[quantity],
        package_costs=[100 + 10 * number for number in range(len(available))],
        unit_costs=[[7 * number for number in range(len(available))]],
        available=[available],
        terms=Terms(
            unit_split=True, weight_rates=WeightRates((980,), (card,), [0] * len(available))
        ),
    )
    check(instance, best_split_plan_by_weight(instance))
