"""Every method gives the same plan where several can."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domgrpc.core.routing.few_cells import route_few
from domgrpc.core.routing.found import Found
from domgrpc.core.routing.instance import NEVER
from domgrpc.core.routing.many_cells import route_many
from domgrpc.core.routing.prices import Offers
from domgrpc.core.routing.subsets import route_by_subsets
from domgrpc.core.routing.units import route_units
from tests.core.routing.many_candidates import draw_costs

NODES = 20_000


def same(first: Found | None, second: Found | None) -> None:
    """Both are the same plan, proven, or no plan."""
    if first is None or second is None:
        assert first is second
        return
    assert (first.chosen, first.cost) == (second.chosen, second.cost)
    assert first.lower_bound == first.cost
    assert second.lower_bound == second.cost


@pytest.mark.slow
@pytest.mark.parametrize("count_max", [0, 2, 3])
@pytest.mark.parametrize("seed", range(12))
def test_branch_and_bound_over_lists_and_over_arrays_agree(seed: int, count_max: int) -> None:
    costs, package_costs = draw_costs(seed, 9 + seed % 3, 56 + seed * 2)
    few = route_few(costs.tolist(), package_costs.tolist(), count_max, NODES)
    same(few, route_many(costs, package_costs, count_max, NODES))


@pytest.mark.parametrize("count_max", [0, 1, 2])
@pytest.mark.parametrize("lot_count", [1, 2, 3, 5, 7])
@pytest.mark.parametrize("seed", range(3))
def test_few_lots_of_many_candidates_are_routed_as_of_few(
    seed: int, lot_count: int, count_max: int
) -> None:
    costs, package_costs = draw_costs(seed, lot_count, 600)
    few = route_few(costs.tolist(), package_costs.tolist(), count_max, NODES)
    same(few, route_many(costs, package_costs, count_max, NODES))


def test_a_lot_that_nobody_of_many_has_cannot_be_routed() -> None:
    costs, package_costs = draw_costs(1, 6, 600)
    costs[3] = NEVER
    assert route_many(costs, package_costs, 0, NODES) is None


def test_a_lot_whose_only_candidate_is_too_dear_beside_another_settles_the_order() -> None:
    costs = np.full((9, 100), 7)
    costs[0, 1:] = NEVER
    costs[1, 0] = 9
    package_costs = np.full(100, 10)
    package_costs[0] = 500
    found = route_many(costs, package_costs, 0, NODES)
    assert found is not None
    assert (found.chosen, found.cost, found.lower_bound) == ((0,), 565, 565)


def test_a_lot_that_no_promising_candidate_has_is_still_served() -> None:
    # Three hundred candidates save much on eight lots; the ninth is only where all is dear.
    costs = np.full((9, 600), 5)
    costs[:, 300:] = 5_000
    costs[8, :300] = NEVER
    costs[0, :300:2] = NEVER
    costs[1, 1:300:2] = NEVER
    found = route_many(costs, np.full(600, 1_000), 0, NODES)
    assert found is not None
    assert found.chosen == (0, 1, 300)
    assert found.cost == found.lower_bound == 3_000 + 8 * 5 + 5_000


def test_of_stores_that_are_alike_the_first_are_taken_without_trying_them_all() -> None:
    # Three formats of store, each with three lines, two hundred stores of each at one cost.
    costs = np.full((9, 600), NEVER)
    for line in range(9):
        costs[line, line % 3 :: 3] = 5
    found = route_many(costs, np.full(600, 1_000), 0, NODES)
    assert found is not None
    assert (found.chosen, found.cost, found.lower_bound) == ((0, 1, 2), 3_045, 3_045)
    few = route_few(costs[:, :50].tolist(), [1_000] * 50, 0, NODES)
    assert few is not None
    assert few.chosen == found.chosen
    assert max(found.node_count, few.node_count) < 10


@pytest.mark.slow
def test_where_nobody_has_two_lots_the_packages_of_many_are_as_many() -> None:
    costs = np.full((9, 900), NEVER)
    for lot in range(9):
        costs[lot, lot * 100 : lot * 100 + 100] = range(100, 200)
    package_costs = np.full(900, 50)
    found = route_many(costs, package_costs, 0, NODES)
    assert found is not None
    assert found.chosen == tuple(range(0, 900, 100))
    assert found.cost == found.lower_bound == 9 * 150
    assert route_many(costs, package_costs, 8, NODES) is None
    assert route_many(costs[:3], package_costs, 2, NODES) is None


@pytest.mark.slow
@pytest.mark.parametrize("count_max", [0, 2, 3])
@pytest.mark.parametrize("seed", range(20))
def test_units_of_one_and_whole_lots_agree(seed: int, count_max: int) -> None:
    lot_count, candidate_count = ((9, 50), (4, 30), (12, 90), (9, 300), (4, 600))[seed % 5]
    costs, package_costs = draw_costs(seed, lot_count, candidate_count)
    has = (costs < NEVER).astype(np.int64)
    offers = Offers(costs, package_costs, has, np.ones(lot_count, dtype=np.int64))
    whole = route_many(costs, package_costs, count_max, NODES)
    same(whole, route_units(offers, count_max, NODES))


def test_prices_leave_only_the_one_candidate_that_has_all_units_cheaply() -> None:
    costs, package_costs = np.full((3, 800), 5), np.full(800, 12)
    units = np.zeros((3, 800), dtype=np.int64)
    units[np.arange(800) % 3, np.arange(800)] = 1
    costs[:, 0], package_costs[0], units[:, 0] = 10, 1, 1
    offers = Offers(costs, package_costs, units, np.ones(3, dtype=np.int64))
    assert route_units(offers, 0, NODES) == Found((0,), 31, 31, 0)


@pytest.mark.slow
@given(st.integers(0, 10**6), st.integers(1, 9), st.integers(0, 4))
def test_subsets_and_branch_and_bound_agree(seed: int, lot_count: int, count_max: int) -> None:
    costs, package_costs = draw_costs(seed, lot_count, 12)
    by_subsets = route_by_subsets(costs, package_costs, count_max)
    # Nine lots are searched, so one that costs nothing and is everywhere is put to the others.
    filler = np.zeros((max(0, 9 - lot_count), 12), dtype=np.int64)
    padded = np.concatenate((costs, filler))
    same(by_subsets, route_few(padded.tolist(), package_costs.tolist(), count_max, NODES))
