"""What a backlog plan changes of the present one: only what is worth it, in groups that work."""

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings

from domgrpc.core.routing.backlog import solve_backlog
from domgrpc.core.routing.backlog_data import NOWHERE, Backlog, BacklogPlan
from tests.core.routing.backlogs import drawn, seeds, written
from tests.core.routing.naive_backlog import NaiveBacklog

PASS_COUNT = 30


def replanned(seed: int) -> tuple[Backlog, BacklogPlan]:
    """A backlog whose orders stand as an earlier answer left them, with other costs since."""
    backlog = drawn(seed, order_count=12, line_count_max=3, location_count=4)
    earlier = solve_backlog(backlog, pass_count=5)
    other = drawn(seed + 1, order_count=12, line_count_max=3, location_count=4)
    changed = msgspec.structs.replace(
        backlog,
        package_costs=other.package_costs,
        present=earlier.locations,
        planned=np.ones(12, np.bool_),
    )
    return changed, solve_backlog(changed, pass_count=PASS_COUNT)


@pytest.mark.slow
@given(seeds)
@settings(max_examples=20)
def test_every_group_of_changes_saves_more_than_its_stability_costs(seed: int) -> None:
    backlog, plan = replanned(seed)
    naive = NaiveBacklog(backlog)
    for group in np.unique(plan.groups).tolist():
        orders = plan.changed_orders[plan.groups == group].tolist()
        if all(map(naive.can_stay, orders)):
            saving = int(plan.savings[plan.groups == group].sum())
            assert saving > backlog.stability_cost * len(orders)


@pytest.mark.slow
@given(seeds)
@settings(max_examples=20)
def test_each_group_can_be_carried_out_or_left_alone(seed: int) -> None:
    backlog, plan = replanned(seed)
    naive = NaiveBacklog(backlog)
    assert naive.faults(naive.present) == []
    for group in np.unique(plan.groups).tolist():
        lines = np.isin(backlog.line_orders, plan.changed_orders[plan.groups == group])
        alone = np.where(lines, plan.locations, backlog.present)
        without = np.where(lines, backlog.present, plan.locations)
        assert naive.faults(alone.tolist()) == []
        assert naive.faults(without.tolist()) == []


@pytest.mark.slow
@given(seeds)
@settings(max_examples=20)
def test_changed_orders_and_savings_are_the_difference_to_the_present_plan(seed: int) -> None:
    backlog, plan = replanned(seed)
    naive = NaiveBacklog(backlog)
    locations = plan.locations.tolist()
    changed = [order for order in naive.orders if naive.is_changed(order, locations)]
    assert plan.changed_orders.tolist() == changed
    assert plan.savings.tolist() == [
        naive.order_cost(order, naive.present) - naive.order_cost(order, locations)
        for order in changed
    ]
    assert plan.cost + plan.stability_cost <= naive.total(naive.present)


@pytest.mark.parametrize(("stability_cost", "location"), [(19, 1), (20, 0), (21, 0)])
def test_an_order_changes_only_where_it_saves_more_than_stability_costs(
    stability_cost: int, location: int
) -> None:
    backlog = written(
        [{0: 1}], stock=[[1, 1]], packages=[[50, 30]], present=[0], stability_cost=stability_cost
    )
    plan = solve_backlog(backlog)
    assert plan.locations.tolist() == [location]
    assert plan.stability_cost == (stability_cost if location else 0)
    assert plan.lower_bound == plan.cost + plan.stability_cost


def test_an_order_that_must_not_stay_unsent_is_sent_whatever_its_stability_costs() -> None:
    backlog = written(
        [{0: 1}],
        stock=[[1]],
        packages=[[10]],
        backorders=1_000_000,
        present=[NOWHERE],
        stability_cost=500,
    )
    assert solve_backlog(backlog).locations.tolist() == [0]


def test_an_order_leaves_a_package_that_costs_more_than_all_it_sends() -> None:
    backlog = written(
        [{0: 1}], stock=[[1, 1]], packages=[[300, 50]], present=[0], stability_cost=80
    )
    plan = solve_backlog(backlog)
    assert plan.locations.tolist() == [1]
    assert (plan.cost, plan.stability_cost, plan.lower_bound) == (51, 80, 131)


def test_an_order_without_a_plan_pays_nothing_to_get_one() -> None:
    backlog = written([{0: 1}], stock=[[1]], packages=[[50]], stability_cost=1_000)
    plan = solve_backlog(backlog)
    assert plan.locations.tolist() == [0]
    assert plan.stability_cost == 0
    assert plan.savings.tolist() == [100 - 51]


def test_an_order_that_makes_room_and_the_one_that_takes_it_are_one_group() -> None:
    backlog = written(
        [{0: 1}, {0: 1}, {1: 1}],
        stock=[[1, 1], [1, 1]],
        packages=[[50, 55], [50, 90], [50, 40]],
        present=[0, 1, 0],
    )
    plan = solve_backlog(backlog)
    assert plan.locations.tolist() == [1, 0, 1]
    assert plan.changed_orders.tolist() == [0, 1, 2]
    assert plan.savings.tolist() == [-5, 40, 10]
    assert plan.groups.tolist() == [0, 0, 2]


def test_orders_at_a_place_that_holds_too_little_by_now_must_change_whatever_it_costs() -> None:
    backlog = written(
        [{0: 1}, {0: 1}],
        stock=[[1, 1]],
        packages=[[1, 40], [1, 50]],
        present=[0, 0],
        stability_cost=1_000,
    )
    plan = solve_backlog(backlog)
    assert plan.locations.tolist() == [1, 0]
    assert plan.changed_orders.tolist() == [0]
    assert plan.savings.tolist() == [-39]
    assert plan.stability_cost == 1_000


def test_an_order_whose_location_is_forbidden_changes_and_pays_no_stability() -> None:
    backlog = written(
        [{0: 1}], stock=[[1, 1]], packages=[[1, 40]], present=[0], stability_cost=1_000
    )
    backlog.allowed[0, 0] = False
    plan = solve_backlog(backlog)
    assert plan.locations.tolist() == [1]
    assert plan.stability_cost == 0
    assert plan.savings.tolist() == [-39]


def test_an_order_of_many_lines_pays_its_stability_once() -> None:
    lines = dict.fromkeys(range(20), 1)
    backlog = written(
        [lines], stock=[[1, 1]] * 20, packages=[[90, 30]], present=[0] * 20, stability_cost=7
    )
    plan = solve_backlog(backlog)
    assert plan.locations.tolist() == [1] * 20
    assert (plan.cost, plan.stability_cost) == (50, 7)
