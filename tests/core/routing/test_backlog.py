"""The backlog solver against the naive model: within the stock, proven, never above first come."""

from itertools import pairwise

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings

from domgrpc.core.routing.backlog import solve_backlog
from domgrpc.core.routing.backlog_data import (
    NOWHERE,
    Backlog,
    BacklogPlan,
    Progress,
    Stage,
    check_backlog,
)
from tests.core.routing.backlogs import drawn, seeds, written
from tests.core.routing.naive_backlog import NaiveBacklog

PASS_COUNT = 30


def tiny(seed: int) -> Backlog:
    return drawn(seed, order_count=4, line_count_max=2, location_count=3)


def crowded(seed: int) -> Backlog:
    return drawn(seed, order_count=60, line_count_max=5, location_count=6)


@pytest.mark.slow
@given(seeds)
@settings(max_examples=30)
def test_the_optimum_lies_between_the_bound_and_the_plan(seed: int) -> None:
    backlog = tiny(seed)
    check_backlog(backlog)
    plan = solve_backlog(backlog, pass_count=PASS_COUNT)
    naive = NaiveBacklog(backlog)
    locations = plan.locations.tolist()
    assert naive.faults(locations) == []
    assert plan.cost + plan.stability_cost == naive.total(locations)
    assert plan.lower_bound <= naive.best_total() <= plan.cost + plan.stability_cost


@pytest.mark.slow
@given(seeds)
@settings(max_examples=30)
def test_the_plan_is_never_worse_than_first_come_first_served(seed: int) -> None:
    backlog = tiny(seed)
    plan = solve_backlog(backlog, pass_count=PASS_COUNT)
    assert plan.cost + plan.stability_cost <= NaiveBacklog(backlog).first_come_total()


@pytest.mark.slow
@given(seeds)
@settings(max_examples=12)
def test_a_crowded_backlog_stays_within_the_stock_and_what_is_allowed(seed: int) -> None:
    backlog = crowded(seed)
    plan = solve_backlog(backlog, pass_count=PASS_COUNT)
    naive = NaiveBacklog(backlog)
    assert naive.faults(plan.locations.tolist()) == []
    assert (
        plan.lower_bound <= plan.cost + plan.stability_cost == naive.total(plan.locations.tolist())
    )


@pytest.mark.slow
@given(seeds)
@settings(max_examples=30)
def test_the_prices_prove_the_bound(seed: int) -> None:
    backlog = tiny(seed)
    plan = solve_backlog(backlog, pass_count=PASS_COUNT)
    assert plan.lower_bound <= max(0, NaiveBacklog(backlog).bound(plan.prices.tolist()))


@pytest.mark.slow
def test_the_same_backlog_has_the_same_answer() -> None:
    answers = [solve_backlog(crowded(7), pass_count=PASS_COUNT) for _ in range(2)]
    one, other = (
        {name: np.asarray(getattr(plan, name)).tolist() for name in BacklogPlan.__struct_fields__}
        for plan in answers
    )
    assert one == other


@pytest.mark.slow
def test_solving_changes_nothing_of_the_backlog() -> None:
    backlog, untouched = crowded(3), crowded(3)
    solve_backlog(backlog, pass_count=PASS_COUNT)
    for name in Backlog.__struct_fields__:
        assert np.array_equal(getattr(backlog, name), getattr(untouched, name))


def test_an_order_leaves_the_near_unit_to_the_one_that_has_no_other() -> None:
    backlog = written(
        [{0: 1}, {0: 1}],
        stock=[[1, 1, 0]],
        packages=[[10, 12, 50], [10, 90, 90]],
    )
    plan = solve_backlog(backlog)
    assert plan.locations.tolist() == [1, 0]
    assert plan.cost == 12 + 10 + 2
    assert plan.gap == 0


def test_lines_share_a_package_where_that_is_cheaper() -> None:
    backlog = written([{0: 1, 1: 2}], stock=[[5, 5], [0, 5]], packages=[[10, 15]])
    assert solve_backlog(backlog).locations.tolist() == [1, 1]


def test_scarce_stock_has_the_price_that_the_loser_would_have_paid() -> None:
    backlog = written([{0: 1}, {0: 1}], stock=[[1, 1]], packages=[[10, 25], [10, 40]])
    plan = solve_backlog(backlog)
    assert plan.locations.tolist() == [1, 0]
    assert 15 <= plan.prices[0, 0] <= 30
    assert plan.lower_bound == NaiveBacklog(backlog).bound(plan.prices.tolist()) == plan.cost


def test_an_order_that_has_no_other_place_gets_it_back_however_many_have_to_move() -> None:
    # Each order is nearest to the next one's place; only one row of moves has room for all.
    count = 8
    packages = [[1_000] * (count + 1) for _ in range(count)]
    for order in range(count):
        packages[order][order], packages[order][order + 1] = 100 + order, 10
    backlog = written(
        [{0: 1}] * count,
        stock=[[1] * (count + 1)],
        packages=packages,
        backorders=1 << 44,
        present=list(range(count)),
    )
    plan = solve_backlog(backlog, pass_count=3)
    assert NOWHERE not in plan.locations.tolist()
    assert plan.cost + plan.stability_cost <= NaiveBacklog(backlog).total(list(range(count)))


def test_a_line_that_costs_more_to_send_than_to_leave_is_left() -> None:
    backlog = written([{0: 1, 1: 1}], stock=[[5], [5]], packages=[[10]], units=[[3], [200]])
    plan = solve_backlog(backlog)
    assert plan.locations.tolist() == [0, NOWHERE]
    assert plan.cost == 10 + 3 + 100


def test_a_package_dearer_than_the_backorder_is_not_sent() -> None:
    backlog = written([{0: 1}, {0: 1, 1: 1}], stock=[[5], [5]], packages=[[100], [200]])
    assert solve_backlog(backlog).locations.tolist() == [NOWHERE] * 3


def test_a_forbidden_location_is_not_used_however_cheap() -> None:
    backlog = written([{0: 1}], stock=[[1, 1]], packages=[[1, 50]])
    backlog.allowed[0, 0] = False
    assert solve_backlog(backlog).locations.tolist() == [1]


def test_released_orders_keep_their_units_and_cost_nothing_more() -> None:
    backlog = written([{0: 1}, {0: 1}], stock=[[1, 1]], packages=[[9, 9], [1, 50]], present=[0, 1])
    backlog.released[0] = True
    plan = solve_backlog(backlog)
    assert plan.locations.tolist() == [0, 1]
    assert plan.cost == 51
    assert plan.changed_orders.tolist() == []


def test_nothing_is_planned_where_all_orders_are_released() -> None:
    backlog = written([{0: 1}], stock=[[1]], packages=[[9]], present=[0])
    backlog.released[0] = True
    plan = solve_backlog(backlog)
    assert (plan.locations.tolist(), plan.cost, plan.lower_bound) == ([0], 0, 0)
    assert plan.gap == 0


def test_nothing_is_sent_where_there_is_no_stock() -> None:
    plan = solve_backlog(written([{0: 1}, {0: 2}], stock=[[0, 1]], packages=[[1, 200], [1, 1]]))
    assert plan.locations.tolist() == [NOWHERE] * 2
    assert plan.gap == 0


@pytest.mark.slow
@given(seeds)
@settings(max_examples=15)
def test_orders_of_many_lines_are_planned_in_parts_and_proven_all_the_same(seed: int) -> None:
    backlog = drawn(seed, order_count=5, line_count_max=30, location_count=4)
    plan = solve_backlog(backlog, pass_count=PASS_COUNT)
    naive = NaiveBacklog(backlog)
    assert naive.faults(plan.locations.tolist()) == []
    total = naive.total(plan.locations.tolist())
    assert plan.lower_bound <= plan.cost + plan.stability_cost == total


def test_parts_of_an_order_share_their_packages() -> None:
    quantities = dict.fromkeys(range(20), 1)
    backlog = written([quantities], stock=[[1, 1, 1]] * 20, packages=[[90, 89, 91]])
    plan = solve_backlog(backlog)
    assert plan.locations.tolist() == [1] * 20
    assert plan.cost == 89 + 20


@pytest.mark.slow
@pytest.mark.parametrize("micros_max", [10**9, 10**13], ids=["narrow", "wide"])
def test_large_costs_are_planned_as_well_as_small_ones(micros_max: int) -> None:
    for seed in range(30):
        backlog = drawn(
            seed,
            order_count=5,
            line_count_max=2,
            location_count=1 + seed % 3,
            micros_max=micros_max,
        )
        check_backlog(backlog)
        plan = solve_backlog(backlog, pass_count=PASS_COUNT)
        naive = NaiveBacklog(backlog)
        best = naive.best_total()
        assert naive.faults(plan.locations.tolist()) == []
        assert plan.lower_bound <= best <= plan.cost + plan.stability_cost <= best * 1.3
        assert plan.cost + plan.stability_cost == naive.total(plan.locations.tolist())


@pytest.mark.slow
def test_prices_of_an_earlier_answer_prove_as_much_at_once() -> None:
    backlog = crowded(5)
    first = solve_backlog(backlog)
    again = solve_backlog(msgspec.structs.replace(backlog, prices=first.prices), pass_count=1)
    assert again.lower_bound == first.lower_bound


# --- on the way


@pytest.mark.slow
def test_the_bound_only_rises_and_the_best_plan_only_gets_cheaper() -> None:
    reports: list[Progress] = []
    plan = solve_backlog(crowded(2), pass_count=PASS_COUNT, report=reports.append)
    assert all(a.lower_bound <= b.lower_bound and a.best >= b.best for a, b in pairwise(reports))
    assert [each.stage for each in reports] == sorted(each.stage for each in reports)
    assert {each.stage for each in reports} == set(Stage)
    assert reports[-1].best >= plan.cost + plan.stability_cost
    assert plan.is_complete


@pytest.mark.slow
@pytest.mark.parametrize("stage", Stage)
def test_a_run_that_is_told_to_stop_answers_with_the_best_so_far(stage: Stage) -> None:
    reports: list[Progress] = []
    backlog = crowded(2)
    plan = solve_backlog(
        backlog,
        pass_count=PASS_COUNT,
        should_stop=lambda: reports[-1].stage == stage,
        report=reports.append,
    )
    naive = NaiveBacklog(backlog)
    assert naive.faults(plan.locations.tolist()) == []
    assert naive.total(plan.locations.tolist()) <= reports[-1].best
    assert plan.lower_bound == reports[-1].lower_bound
    assert not plan.is_complete
    assert reports[-1].stage == stage


@pytest.mark.slow
def test_no_more_passes_are_made_than_told() -> None:
    assert solve_backlog(crowded(2), pass_count=0).pass_count == 0
    assert solve_backlog(crowded(2), pass_count=3).pass_count == 3
