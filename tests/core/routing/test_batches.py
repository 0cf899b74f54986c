"""The search by batches finds the best plan of all, whatever prices it is given."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domgrpc.core.routing.batches import SCALE, BatchSearch, Limits
from domgrpc.core.routing.greedy import greedy_plan
from domgrpc.core.routing.instance import NEVER, Numbers
from domgrpc.core.routing.prices import Offers

NODES = 1 << 40

pytestmark = pytest.mark.slow


@st.composite
def offers(draw: st.DrawFn, *, by_unit: bool) -> Offers:
    """Draw few small numbers, so that ties, gaps in the stock and free packages abound."""
    shape = (draw(st.integers(1, 4)), draw(st.integers(1, 6)))
    micros = st.integers(0, draw(st.sampled_from((2, 10, 1_000))))
    costs = drawn(draw, micros, shape)
    package_costs = drawn(draw, st.just(0) | micros, shape)[0]
    if by_unit:
        units = drawn(draw, st.integers(0, 3), shape)
        return Offers(costs, package_costs, units, drawn(draw, st.integers(1, 4), shape)[:, 0])
    costs[drawn(draw, st.integers(0, 2), shape) == 0] = NEVER
    return Offers(costs, package_costs)


def drawn(draw: st.DrawFn, cell: st.SearchStrategy[int], shape: tuple[int, int]) -> Numbers:
    """Draw an array."""
    count = shape[0] * shape[1]
    cells = draw(st.lists(cell, min_size=count, max_size=count))
    return np.array(cells, dtype=np.int64).reshape(shape)


def cost_of(offered: Offers, chosen: tuple[int, ...]) -> int:
    """What the lots cost from these, filled unit by unit from the cheapest up."""
    total = int(offered.package_costs[list(chosen)].sum())
    for lot, costs in enumerate(offered.costs.tolist()):
        if offered.units is None or offered.needs is None:
            units, need = [1] * len(costs), 1
        else:
            units, need = offered.units[lot].tolist(), int(offered.needs[lot])
        each = sorted(costs[one] for one in chosen for _ in range(units[one]))
        total += sum(each[:need]) if len(each) >= need else NEVER
    return total


def best_plan(offered: Offers, count_max: int) -> tuple[int, int, tuple[int, ...]] | None:
    """Look at every plan."""
    plans = [
        (cost_of(offered, chosen), count, chosen)
        for count in range(1, count_max + 1)
        for chosen in combinations(range(len(offered.package_costs)), count)
    ]
    return min((plan for plan in plans if plan[0] < NEVER), default=None)


def searched(offered: Offers, prices: Numbers, limits: Limits) -> BatchSearch:
    """The search, at its end."""
    names = np.arange(len(offered.package_costs))
    search = BatchSearch(names, offered.scaled(SCALE), prices * SCALE, limits)
    search.run()
    return search


any_offers = st.booleans().flatmap(lambda by_unit: offers(by_unit=by_unit))
any_prices = st.lists(st.integers(-5, 1_500), min_size=4, max_size=4)


@given(any_offers, any_prices, st.integers(1, 6))
def test_the_best_plan_is_found_under_any_prices(
    offered: Offers, prices: list[int], count_max: int
) -> None:
    search = searched(offered, np.array(prices[: len(offered.costs)]), Limits(1, count_max, NODES))
    found, best = search.found(), best_plan(offered, count_max)
    if found is None:
        assert best is None
        return
    assert (found.cost, len(found.chosen), found.chosen) == best
    assert found.lower_bound == found.cost


@given(any_offers, any_prices, st.integers(1, 6), st.integers(1, 4))
def test_a_search_that_is_cut_off_proves_what_it_says(
    offered: Offers, prices: list[int], count_max: int, node_count_max: int
) -> None:
    limits = Limits(1, count_max, node_count_max)
    search = searched(offered, np.array(prices[: len(offered.costs)]), limits)
    best = best_plan(offered, count_max)
    if best is None:
        assert not search.chosen
        return
    assert min(search.value, search.bound) <= best[0] * SCALE + best[1]
    if search.chosen:
        assert search.value == cost_of(offered, search.chosen) * SCALE + len(search.chosen)


@given(any_offers, any_prices)
def test_a_greedy_plan_is_a_plan_and_costs_what_it_says(offered: Offers, prices: list[int]) -> None:
    worth = np.array(prices[: len(offered.costs)])
    found = greedy_plan(offered, worth, 9)
    if found is None:
        assert best_plan(offered, 9) is None
        return
    places, cost = found
    assert len(set(places)) == len(places)
    assert cost == cost_of(offered, tuple(sorted(places)))
