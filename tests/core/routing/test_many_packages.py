"""Where very many packages are needed the answer is a lawful plan, and the search keeps its cap."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.routing_checker import faults
from domgrpc.core.routing.greedy import greedy_plan
from domgrpc.core.routing.instance import NEVER, ArrayInstance, Solution, Terms
from domgrpc.core.routing.prices import Offers
from domgrpc.core.routing.solver import solve
from tests.core.routing.instances import as_arrays, instances
from tests.core.routing.many_candidates import draw_costs

NODES = 2_000


def scattered(
    quantity: int, candidate_count: int, units: int, line_count: int = 1
) -> ArrayInstance:
    """So many of each line are needed, and every candidate has few of them."""
    chance = np.random.default_rng(1)
    shape = (line_count, candidate_count)
    return ArrayInstance(
        quantities=[quantity] * line_count,
        package_costs=chance.integers(5_000_000, 9_000_000, candidate_count),
        unit_costs=chance.integers(400_000, 2_000_000, shape),
        available=np.full(shape, units),
        terms=Terms(unit_split=True),
    )


def lawful(instance: ArrayInstance) -> Solution:
    """The answer, which the checker has nothing against."""
    found = solve(instance, node_count_max=NODES)
    assert isinstance(found, Solution)
    assert faults(instance, found) == []
    assert found.lower_bound <= found.cost
    assert found.node_count <= NODES
    return found


def cheapest_units(instance: ArrayInstance, count: int) -> int:
    """What so many units cost, each in a package of its own."""
    each = np.sort(instance.package_costs + instance.unit_costs[0])
    return int(each[:count].sum())


@pytest.mark.slow
@pytest.mark.parametrize(("quantity", "candidate_count"), [(520, 600), (250, 300)])
def test_a_package_for_each_of_hundreds_of_units_is_the_best_plan_where_each_has_one(
    quantity: int, candidate_count: int
) -> None:
    instance = scattered(quantity, candidate_count, 1)
    found = lawful(instance)
    assert len(found.packages) == quantity
    assert found.cost == found.lower_bound == cheapest_units(instance, quantity)


@pytest.mark.slow
def test_more_packages_than_the_tie_counts_are_still_counted_right() -> None:
    instance = scattered(1_500, 1_600, 1)
    found = lawful(instance)
    assert found.cost == cheapest_units(instance, 1_500)
    assert found.gap < 0.001


@pytest.mark.slow
@pytest.mark.parametrize(
    ("quantity", "candidate_count", "units", "line_count"),
    [(200, 200, 3, 1), (1_000, 200, 20, 1), (60, 200, 2, 20), (12, 40, 1, 100), (400, 2_000, 1, 5)],
)
def test_a_search_that_would_be_deep_ends_at_its_cap_with_a_gap(
    quantity: int, candidate_count: int, units: int, line_count: int
) -> None:
    found = lawful(scattered(quantity, candidate_count, units, line_count))
    assert found.gap < 0.2


@pytest.mark.slow
@given(instances(splits=True, weights=True), st.integers(1, 9))
def test_no_more_nodes_are_looked_at_than_may_be(instance: object, node_count_max: int) -> None:
    found = solve(as_arrays(instance), node_count_max=node_count_max)  # type: ignore[arg-type]
    if isinstance(found, Solution):
        assert found.node_count <= node_count_max


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(12))
def test_a_search_of_many_candidates_keeps_its_cap(seed: int) -> None:
    costs, package_costs = draw_costs(seed, 9, 300)
    has = (costs < NEVER).astype(np.int64)
    for terms in (Terms(), Terms(unit_split=True)):
        for node_count_max in (1, 7, 50):
            instance = ArrayInstance(
                quantities=[2] * 9,
                package_costs=package_costs,
                unit_costs=np.where(costs < NEVER, costs, 0),
                available=has * 2,
                terms=terms,
            )
            found = solve(instance, node_count_max=node_count_max)
            assert isinstance(found, Solution)
            assert found.node_count <= node_count_max
            assert faults(instance, found) == []


def test_a_greedy_plan_of_very_many_packages_opens_the_last_of_them_at_once() -> None:
    count = 300
    offers = Offers(
        np.arange(count)[None, :] + 5,
        np.full(count, 1_000),
        np.ones((1, count), dtype=np.int64),
        np.array([200]),
    )
    found = greedy_plan(offers, np.array([2_000]), count)
    assert found is not None
    assert sorted(found[0]) == list(range(200))
    assert found[1] == 200 * 1_005 + sum(range(200))


def test_there_is_no_greedy_plan_of_very_many_packages_where_units_are_too_few() -> None:
    units = np.ones((1, 300), dtype=np.int64)
    offers = Offers(units * 5, units[0] * 1_000, units, np.array([301]))
    assert greedy_plan(offers, np.array([2_000]), 300) is None


def test_there_is_no_greedy_plan_where_nobody_has_what_is_still_missing() -> None:
    offers = Offers(np.array([[5, 5], [5, NEVER]]), np.array([10, 10]))
    assert greedy_plan(offers.of(np.array([1])), np.array([20, 20]), 2) is None
    assert greedy_plan(offers, np.array([20, 20]), 2) == ([0], 20)
