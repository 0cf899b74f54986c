"""The strategies as textbooks have them, and never better than the exact plan."""

import pytest
from hypothesis import given

from benchmarks.routing_checker import faults
from domgrpc.core.routing.instance import Instance, Obstacle, Solution, Terms, Unservable
from domgrpc.core.routing.solver import solve
from domgrpc.core.routing.strategies import Attributes, Strategy, follow
from tests.core.routing.instances import instances, under

SPLIT = Terms(unit_split=True)
# Two lines, four locations; priorities, distances and delivery times each name another sequence.
ORDER = Instance(
    quantities=[5, 2],
    package_costs=[10, 20, 30, 40],
    unit_costs=[[1, 2, 3, 4], [4, 3, 2, 1]],
    available=[[2, 4, 0, 9], [1, 0, 2, 9]],
    terms=SPLIT,
)
SEEN = Attributes(
    priorities=[3, 1, 2, 4], distances_m=[400, 300, 100, 200], delivery_times_ms=[1, 3, 4, 2]
)
Sent = dict[int, dict[int, int]]
"""Units by candidate, then line."""


def sent(answer: Solution | Unservable) -> Sent:
    """What each candidate sends."""
    assert isinstance(answer, Solution)
    return {package.candidate: dict(package.contents) for package in answer.packages}


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        # 1, 2, 0, 3: four units of the first line from 1, then one from 0.
        (Strategy.BY_PRIORITY, {1: {0: 4}, 2: {1: 2}, 0: {0: 1}}),
        # 2, 3, 1, 0: the nearest has no unit of the first line.
        (Strategy.NEAREST_FIRST, {2: {1: 2}, 3: {0: 5}}),
        (Strategy.HIGHEST_STOCK_FIRST, {3: {0: 5, 1: 2}}),
        (Strategy.FEWEST_PACKAGES, {3: {0: 5, 1: 2}}),
        # 0, 3, 1, 2: takes what the fastest has, the rest from the next.
        (Strategy.FASTEST, {0: {0: 2, 1: 1}, 3: {0: 3, 1: 1}}),
        # 40 + 20 + 2; the next best is 0 with 1 and 2: 60 and more.
        (Strategy.CHEAPEST, {3: {0: 5, 1: 2}}),
    ],
)
def test_each_strategy_gives_the_textbook_plan(strategy: Strategy, expected: Sent) -> None:
    answer = follow(ORDER, strategy, SEEN)
    assert sent(answer) == expected
    assert isinstance(answer, Solution)
    assert faults(ORDER, answer) == []


def test_a_line_that_must_not_split_takes_the_first_location_that_has_all_of_it() -> None:
    whole = under(ORDER, Terms())
    assert sent(follow(whole, Strategy.FASTEST, SEEN)) == {3: {0: 5, 1: 2}}
    assert sent(follow(whole, Strategy.NEAREST_FIRST, SEEN)) == {2: {1: 2}, 3: {0: 5}}


def test_lines_that_ship_alone_are_packages_of_their_own() -> None:
    answer = follow(under(ORDER, Terms(alone=(1,))), Strategy.HIGHEST_STOCK_FIRST, SEEN)
    assert isinstance(answer, Solution)
    assert [package.contents for package in answer.packages] == [((0, 5),), ((1, 2),)]


def test_fewest_packages_takes_the_nearest_of_those() -> None:
    order = Instance(quantities=[1], package_costs=[5, 1], unit_costs=[[0, 0]], available=[[1, 1]])
    near = Attributes(priorities=[1, 2], distances_m=[100, 200], delivery_times_ms=[0, 0])
    assert sent(follow(order, Strategy.FEWEST_PACKAGES, near)) == {0: {0: 1}}


def test_a_list_that_is_too_short_is_refused_with_the_lines() -> None:
    short = Instance(
        quantities=[9], package_costs=[1, 1], unit_costs=[[1, 1]], available=[[4, 4]], terms=SPLIT
    )
    attributes = Attributes(priorities=[1, 1], distances_m=[1, 1], delivery_times_ms=[1, 1])
    for strategy in Strategy:
        assert follow(short, strategy, attributes) == Unservable(Obstacle.STOCK, (0,))
    for strategy in (Strategy.FASTEST, Strategy.FEWEST_PACKAGES):
        whole = under(short, Terms())
        assert follow(whole, strategy, attributes) == Unservable(Obstacle.STOCK, (0,))


def test_a_plan_of_more_packages_than_may_be_is_refused() -> None:
    two = under(ORDER, Terms(unit_split=True, package_count_max=2))
    refused = Unservable(Obstacle.PACKAGES, ())
    assert follow(two, Strategy.BY_PRIORITY, SEEN) == refused
    none = under(ORDER, Terms(alone=(0, 1), package_count_max=1))
    assert follow(none, Strategy.BY_PRIORITY, SEEN) == refused


@pytest.mark.slow
@given(instances(splits=True))
def test_no_strategy_is_cheaper_than_the_exact_plan(instance: Instance) -> None:
    count = len(instance.package_costs)
    attributes = Attributes(
        priorities=list(range(count)),
        distances_m=[(7 * one) % 5 for one in range(count)],
        delivery_times_ms=[(5 * one) % 3 for one in range(count)],
    )
    best = solve(instance)
    for strategy in Strategy:
        answer = follow(instance, strategy, attributes)
        if isinstance(answer, Solution):
            assert isinstance(best, Solution)
            assert faults(instance, answer) == []
            assert answer.cost >= best.cost
