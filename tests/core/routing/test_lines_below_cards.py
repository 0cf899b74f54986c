"""Orders too large for subsets by weight: bounded by lines below the rate cards."""

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.routing_checker import faults
from domgrpc.core.routing.by_weight import line_below
from domgrpc.core.routing.instance import (
    PLAIN,
    ArrayInstance,
    Obstacle,
    RateCard,
    Solution,
    Terms,
    Unservable,
    WeightRates,
)
from domgrpc.core.routing.solver import solve
from domgrpc.core.routing.subsets import LOTS_MAX
from tests.core.routing.instances import rate_cards

CARDS = (
    RateCard((500, 1_000, 2_000, 5_000), (500, 600, 800, 1_400)),
    RateCard((1_000, 10_000), (700, 1_500)),
)


def order(seed: int, line_count: int, terms: Terms = PLAIN, *, free: int = 0) -> ArrayInstance:
    """Draw an order with weights; the last `free` lines cost and weigh nothing, anywhere."""
    chance = np.random.default_rng(seed)
    shape = (line_count, 12)
    available = (chance.random(shape) < 0.6) * 3
    available[np.arange(len(available)), chance.integers(12, size=len(available))] = 3
    unit_costs = chance.integers(10, 300, shape)
    grams = chance.integers(50, 900, line_count).tolist()
    rates = WeightRates((*grams, *[0] * free), CARDS, chance.integers(0, 2, 12).tolist())
    return ArrayInstance(
        quantities=chance.integers(1, 3, line_count).tolist() + [1] * free,
        package_costs=chance.integers(200, 600, 12),
        unit_costs=np.vstack((unit_costs, np.zeros((free, 12), dtype=np.int64))),
        available=np.vstack((available, np.full((free, 12), 3))),
        terms=Terms(
            weight_rates=rates,
            unit_split=terms.unit_split,
            package_count_max=terms.package_count_max,
        ),
    )


@pytest.mark.slow
@given(rate_cards(), st.integers(0, 60), st.integers(0, 60))
def test_a_line_is_below_all_prices_up_to_the_weight(
    card: RateCard, touching: int, grams_max: int
) -> None:
    fixed, slope = line_below(card, min(touching, grams_max), grams_max)
    assert fixed >= 0
    assert slope >= 0
    assert all(fixed + slope * grams <= card.price(grams) for grams in range(grams_max + 1))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
def test_the_bound_and_the_plan_hold_the_best_plan_between_them(seed: int) -> None:
    exact, bounded = solve(order(seed, LOTS_MAX)), solve(order(seed, LOTS_MAX, free=2))
    assert isinstance(exact, Solution)
    assert isinstance(bounded, Solution)
    assert exact.is_proven
    assert faults(order(seed, LOTS_MAX, free=2), bounded) == []
    assert bounded.lower_bound <= exact.cost <= bounded.cost
    assert bounded.cost <= exact.cost * 1.1


@pytest.mark.slow
@pytest.mark.parametrize("count_max", [3, 4])
@pytest.mark.parametrize("split", [False, True])
def test_large_orders_by_weight_are_lawful(count_max: int, *, split: bool) -> None:
    answered = 0
    for seed in range(6):
        instance = order(seed, 16, Terms(unit_split=split, package_count_max=count_max))
        answer = solve(instance)
        if isinstance(answer, Solution):
            answered += 1
            assert faults(instance, answer) == []
        else:
            assert answer == Unservable(Obstacle.PACKAGES, ())
    assert answered


def test_a_weight_of_many_parcels_has_a_line_through_zero() -> None:
    assert line_below(CARDS[1], 500_000, 1_000_000) == (0, 0)
    assert line_below(RateCard((10,), (70,)), 500_000, 1_000_000) == (0, 7)


def test_lines_that_nobody_can_send_in_so_few_packages_are_refused_by_weight() -> None:
    apart = np.eye(14, dtype=np.int64)
    rates = WeightRates((1,) * 14, CARDS[:1], [0] * 14)
    instance = ArrayInstance(
        quantities=[1] * 14,
        package_costs=np.ones(14, dtype=np.int64),
        unit_costs=apart,
        available=apart,
        terms=Terms(weight_rates=rates, package_count_max=13),
    )
    assert solve(instance) == Unservable(Obstacle.PACKAGES, ())
    answer = solve(msgspec.structs.replace(instance, terms=Terms(weight_rates=rates)))
    assert isinstance(answer, Solution)
    assert answer.cost == 14 * (1 + 1 + 500)


@pytest.mark.slow
@pytest.mark.parametrize("split", [False, True])
def test_a_search_by_weight_that_is_cut_off_says_so_or_has_a_plan(*, split: bool) -> None:
    answers = []
    for seed in range(24):
        count_max = (0, 2, 3)[seed % 3]
        instance = order(seed, 16, Terms(unit_split=split, package_count_max=count_max))
        answer = solve(instance, node_count_max=1)
        answers.append(type(answer))
        if isinstance(answer, Solution):
            assert faults(instance, answer) == []
        else:
            assert answer.obstacle in {Obstacle.SEARCH, Obstacle.PACKAGES}
    assert Solution in answers


def test_all_of_a_large_order_in_one_package_goes_where_that_costs_least() -> None:
    drawn = order(3, 16)
    everywhere = np.full_like(drawn.available, 3)
    rates = drawn.terms.weight_rates
    assert rates is not None
    instance = ArrayInstance(
        quantities=drawn.quantities,
        package_costs=drawn.package_costs,
        unit_costs=drawn.unit_costs,
        available=everywhere,
        terms=Terms(weight_rates=rates, package_count_max=1),
    )
    answer = solve(instance)
    assert isinstance(answer, Solution)
    grams = sum(map(int.__mul__, drawn.quantities, rates.unit_grams))
    units = np.array(drawn.quantities) @ drawn.unit_costs
    weights = np.array([rates.cards[card].price(grams) for card in rates.card_indexes])
    assert answer.cost == int((units + weights + drawn.package_costs).min())
    assert answer.is_proven
