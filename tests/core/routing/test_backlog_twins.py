"""Lines of one order that are of one SKU share what a location has of it, in every stage."""

from itertools import product

import numpy as np
import pytest
from hypothesis import assume, given, settings

from domgrpc.core.routing.backlog import solve_backlog
from domgrpc.core.routing.backlog_batches import Pool
from domgrpc.core.routing.backlog_data import NOWHERE, Backlog
from domgrpc.core.routing.backlog_first_come import cheapest_plans
from domgrpc.core.routing.backlog_ledger import Ledger
from domgrpc.core.routing.backlog_parts import prepare
from tests.core.routing.backlogs import drawn, seeds, written
from tests.core.routing.naive_backlog import NaiveBacklog

PASS_COUNT = 30


def twins(order_skus: list[list[int]], quantities: list[int], stock: list[list[int]]) -> Backlog:
    """Write a backlog whose packages cost 10 at the first location, 20 at the next, and so on."""
    plain = written(
        [dict.fromkeys(range(len(skus)), 1) for skus in order_skus],
        stock,
        packages=[[10 * (place + 1) for place in range(len(stock[0]))]] * len(order_skus),
    )
    plain.quantities[:] = quantities
    plain.skus[:] = [sku for skus in order_skus for sku in skus]
    return plain


@pytest.mark.slow
@given(seeds)
@settings(max_examples=60)
def test_the_optimum_lies_between_the_bound_and_the_plan(seed: int) -> None:
    backlog = drawn(seed, order_count=3, line_count_max=3, location_count=3, twins=True)
    plan = solve_backlog(backlog, pass_count=PASS_COUNT)
    naive = NaiveBacklog(backlog)
    locations = plan.locations.tolist()
    assert naive.faults(locations) == []
    assert plan.cost + plan.stability_cost == naive.total(locations)
    assert plan.lower_bound <= naive.best_total() <= plan.cost + plan.stability_cost
    assert plan.cost + plan.stability_cost <= naive.first_come_total()
    assert plan.lower_bound <= max(0, naive.bound(plan.prices.tolist()))


@pytest.mark.slow
@given(seeds)
@settings(max_examples=12)
def test_a_crowded_backlog_of_long_and_short_orders_stays_within_the_stock(seed: int) -> None:
    backlog = drawn(seed, order_count=10, line_count_max=10, location_count=4, twins=True)
    plan = solve_backlog(backlog, pass_count=PASS_COUNT)
    naive = NaiveBacklog(backlog)
    total = naive.total(plan.locations.tolist())
    assert naive.faults(plan.locations.tolist()) == []
    assert plan.lower_bound <= plan.cost + plan.stability_cost == total


@pytest.mark.slow
@given(seeds)
@settings(max_examples=60)
def test_the_cheapest_plan_of_an_order_is_the_cheapest_that_the_stock_allows(seed: int) -> None:
    backlog = drawn(seed, order_count=1, line_count_max=4, location_count=3, twins=True)
    backlog.released[:] = False
    naive = NaiveBacklog(backlog)
    parts = prepare(backlog)
    # Where it is cut down what not to send costs, the search counts otherwise.
    assume((parts.backorders == backlog.backorder_costs).all())
    pool, ledger = Pool(parts), Ledger(parts)
    ledger.book(0, cheapest_plans(pool.alone(0), ledger)[0])
    assert naive.faults(ledger.locations.tolist()) == []
    assert ledger.plan_cost() == naive.best_total()


def test_where_there_is_too_little_for_both_one_stays_away() -> None:
    backlog = twins([[0, 0]], [2, 1], stock=[[2, 3]])
    plan = solve_backlog(backlog)
    assert plan.locations.tolist() == [1, 1]
    backlog = twins([[0, 0]], [2, 1], stock=[[2, 1]])
    assert solve_backlog(backlog).locations.tolist() == [0, 1]
    assert solve_backlog(twins([[0, 0]], [2, 1], stock=[[3, 1]])).locations.tolist() == [0, 0]


@pytest.mark.slow
def test_what_nobody_has_for_all_twins_is_sent_for_some() -> None:
    plan = solve_backlog(twins([[0, 0, 0]], [1, 1, 1], stock=[[2]]))
    assert sorted(plan.locations.tolist()) == [NOWHERE, 0, 0]


def test_twins_give_room_to_each_other() -> None:
    # The second moves out of the place that the first, of more units, moves into.
    backlog = twins([[0, 0]], [2, 1], stock=[[2, 9]])
    backlog.present[:] = [1, 0]
    backlog.planned[:] = True
    backlog.package_costs[:] = [[10, 10]]
    backlog.unit_costs[:] = [[1, 50], [9, 8]]
    plan = solve_backlog(backlog)
    assert plan.locations.tolist() == [0, 1]
    assert plan.gap == 0


@pytest.mark.slow
def test_many_twins_that_are_all_too_many_are_sent_as_far_as_there_is_stock() -> None:
    backlog = twins([[0] * 8], [1, 2, 1, 2, 1, 2, 1, 2], stock=[[2, 2, 2]])
    plan = solve_backlog(backlog)
    naive = NaiveBacklog(backlog)
    assert naive.faults(plan.locations.tolist()) == []
    assert any(place != NOWHERE for place in plan.locations.tolist())


@pytest.mark.slow
def test_orders_with_twins_make_room_for_others() -> None:
    for first, second in product((1, 2), repeat=2):
        backlog = twins([[0, 0], [0]], [first, second, 1], stock=[[3, 4]])
        plan = solve_backlog(backlog, pass_count=PASS_COUNT)
        naive = NaiveBacklog(backlog)
        assert naive.faults(plan.locations.tolist()) == []
        assert plan.cost == naive.best_total()


def test_only_orders_with_twins_are_told_to_have_some() -> None:
    parts = prepare(twins([[0, 1], [0, 0], [1]], [1, 1, 1, 1, 1], stock=[[9], [9]]))
    assert parts.has_twins.tolist() == [False, True, False]
    assert [batch.has_twins for batch in Pool(parts).batches] == [False, False, True]
    assert np.array_equal(Pool(parts).alone(1).twins, [[0], [0]])
