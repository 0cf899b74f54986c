"""A search that is cut off still gives a plan, and a bound that holds."""

import numpy as np
import pytest

from benchmarks.routing_checker import faults
from domgrpc.core.routing.instance import (
    NEVER,
    AnyInstance,
    ArrayInstance,
    Obstacle,
    Solution,
    Terms,
    Unservable,
)
from domgrpc.core.routing.solver import solve
from tests.core.routing.many_candidates import draw_costs

MANY = 100
SIZES = [(9, 30), (24, 80), (20, 300), (20, 400)]


def hard(seed: int, size: tuple[int, int], terms: Terms) -> ArrayInstance:
    """An instance for which the first node is not enough; of many packages none is free."""
    costs, package_costs = draw_costs(seed, *size)
    if size[1] > MANY:
        package_costs += package_costs.max() // 4
    return ArrayInstance(
        quantities=[1] * size[0],
        package_costs=package_costs * 3,
        unit_costs=np.where(costs < NEVER, costs, 0),
        available=(costs < NEVER).astype(np.int64) * 2,
        terms=terms,
    )


def check_cut(instance: AnyInstance) -> bool:
    """The cut answer is lawful and its bound holds; say whether it was cut at all."""
    best, cut = solve(instance), solve(instance, node_count_max=1)
    assert isinstance(best, Solution)
    assert best.is_proven
    if isinstance(cut, Unservable):
        assert cut.obstacle is Obstacle.SEARCH
        return True
    assert faults(instance, cut) == []
    assert cut.lower_bound <= best.cost <= cut.cost
    assert cut.gap * max(1, cut.lower_bound) == pytest.approx(cut.cost - cut.lower_bound)
    return not cut.is_proven


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES)
def test_a_limit_of_one_node_leaves_a_certified_gap(size: tuple[int, int]) -> None:
    was_cut = [check_cut(hard(seed, size, Terms())) for seed in range(12)]
    assert any(was_cut)


def test_a_package_that_a_cut_search_opened_in_vain_is_neither_sent_nor_paid() -> None:
    instance = hard(55, (12, 40), Terms())
    cut = solve(instance, node_count_max=5)
    assert isinstance(cut, Solution)
    assert faults(instance, cut) == []


@pytest.mark.slow
def test_a_limit_of_one_node_leaves_a_certified_gap_of_split_lines() -> None:
    terms = Terms(unit_split=True)
    found = []
    for seed in range(12):
        instance = hard(seed, (6, 20), terms)
        quantities = [3] * 6
        enough = (instance.available.sum(axis=1) >= 3).all()
        if enough:
            found.append(
                check_cut(
                    ArrayInstance(
                        quantities=quantities,
                        package_costs=instance.package_costs,
                        unit_costs=instance.unit_costs,
                        available=instance.available,
                        terms=terms,
                    )
                )
            )
    assert any(found)


@pytest.mark.slow
def test_with_a_limit_of_packages_a_cut_search_may_have_no_plan_and_says_so() -> None:
    answers = [
        check_cut(instance)
        for seed in range(60)
        for instance in [hard(seed, (9, 30), Terms(package_count_max=3))]
        if isinstance(solve(instance), Solution)
    ]
    assert any(answers)
