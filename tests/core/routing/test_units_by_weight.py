"""Orders whose units may split, by weight: exact as far as there is time, then bounded."""

import msgspec
import numpy as np
import pytest

from benchmarks.routing_checker import faults
from domgrpc.core.routing.instance import (
    Instance,
    Obstacle,
    Package,
    RateCard,
    Solution,
    Terms,
    Unservable,
    WeightRates,
)
from domgrpc.core.routing.solver import solve
from tests.core.routing.instances import under

STEEP = RateCard((1_000, 30_000), (500, 9_000))
USUAL = tuple(
    RateCard((1_000, 20_000), (900 + 100 * zone, 2_700 + 500 * zone)) for zone in range(8)
)


def one_line(quantity: int, *available: int, grams: int = 980) -> Instance:
    """One line, and a card whose second step is steep."""
    count = len(available)
    rates = WeightRates((grams,), (STEEP,), [0] * count)
    return Instance(
        quantities=[quantity],
        package_costs=[1_000 + 40 * number for number in range(count)],
        unit_costs=[[0] * count],
        available=[list(available)],
        terms=Terms(unit_split=True, weight_rates=rates),
    )


def drawn(seed: int, shape: tuple[int, int], quantity_max: int) -> Instance:
    """Draw an order of lines x candidates as a parcel service prices it; the first has all."""
    chance = np.random.default_rng(seed)
    line_count, count = shape
    zones = chance.integers(0, 8, count)
    available = (chance.random(shape) < 0.6) * chance.integers(1, quantity_max + 2, shape)
    available[:, 0] = quantity_max
    grams = chance.integers(100, 3_000, line_count)
    return Instance(
        quantities=chance.integers(1, quantity_max + 1, line_count).tolist(),
        package_costs=(4_500 + zones * 400 + chance.integers(0, 3, count) * 100).tolist(),
        unit_costs=((350 + zones * 100) * grams[:, None] // 1_000).tolist(),
        available=available.tolist(),
        terms=Terms(
            unit_split=True, weight_rates=WeightRates(tuple(grams.tolist()), USUAL, zones.tolist())
        ),
    )


def solved(instance: Instance) -> Solution:
    """The plan, which breaks no rule."""
    answer = solve(instance, node_count_max=200)
    assert isinstance(answer, Solution)
    assert faults(instance, answer) == []
    return answer


def test_two_light_packages_of_one_place_are_taken_before_a_heavy_one() -> None:
    plan = solved(one_line(2, 5, 60))
    assert plan.packages == (Package(0, ((0, 1),)), Package(0, ((0, 1),)))
    assert (plan.cost, plan.is_proven) == (3_000, True)


def test_light_packages_of_two_places_are_taken_where_one_has_a_unit_only() -> None:
    plan = solved(one_line(2, 1, 1))
    assert plan.packages == (Package(0, ((0, 1),)), Package(1, ((0, 1),)))
    assert (plan.cost, plan.is_proven) == (3_040, True)


def test_with_a_limit_of_one_package_the_heavy_one_is_taken() -> None:
    instance = one_line(2, 5, 60)
    limited = msgspec.structs.replace(instance.terms, package_count_max=1)
    plan = solved(under(instance, limited))
    assert (plan.cost, plan.is_proven) == (10_000, True)


def test_whole_lines_that_join_one_parcel_are_one_package_however_steep_the_steps() -> None:
    rates = WeightRates((980, 980), (STEEP,), [0])
    instance = Instance(
        quantities=[1, 1],
        package_costs=[1_000],
        unit_costs=[[0], [0]],
        available=[[1], [1]],
        terms=Terms(weight_rates=rates),
    )
    assert solved(instance).cost == 3_000
    joining = msgspec.structs.replace(rates, once=(0,))
    plan = solved(under(instance, Terms(weight_rates=joining)))
    assert plan.packages == (Package(0, ((0, 1), (1, 1))),)
    assert (plan.cost, plan.is_proven) == (10_000, True)


@pytest.mark.parametrize("quantity", [1, 2, 3, 7, 30, 61])
def test_more_stock_never_costs_more_where_steps_are_steep(quantity: int) -> None:
    costs = [
        solved(one_line(quantity, first, second)).cost
        for first, second in ((1, quantity), (2, quantity), (quantity, quantity), (99, 99))
    ]
    assert costs == sorted(costs, reverse=True)


@pytest.mark.parametrize("shape", [(1, 2), (1, 40), (3, 40), (5, 20)])
def test_an_order_as_they_come_is_proven_without_a_search(shape: tuple[int, int]) -> None:
    for seed in range(4):
        plan = solved(drawn(seed, shape, 2))
        assert (plan.is_proven, plan.node_count) == (True, 0)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("shape", "quantity_max"), [((8, 30), 4), ((12, 10), 2), ((1, 20), 900), ((20, 20), 3)]
)
def test_an_order_too_large_to_prove_is_no_dearer_than_whole_lines(
    shape: tuple[int, int], quantity_max: int
) -> None:
    for seed in range(3):
        instance = drawn(seed, shape, quantity_max)
        plan = solved(instance)
        whole = solved(under(instance, msgspec.structs.replace(instance.terms, unit_split=False)))
        assert plan.cost <= whole.cost


def test_a_thousand_units_that_no_place_has_are_sent_in_bundles() -> None:
    plan = solved(one_line(1_000, 700, 250, 90))
    assert plan.gap < 0.05


def test_a_unit_beyond_all_stock_cannot_be_sent() -> None:
    assert solve(one_line(3, 1, 1)) == Unservable(Obstacle.STOCK, (0,))


@pytest.mark.slow
@pytest.mark.parametrize("quantity", [6, 60, 300])
def test_a_limit_of_packages_below_what_the_stock_allows_is_refused(quantity: int) -> None:
    instance = one_line(quantity, *[quantity // 6] * 6)
    for count_max in (2, 5):
        limited = msgspec.structs.replace(instance.terms, package_count_max=count_max)
        assert solve(under(instance, limited)) == Unservable(Obstacle.PACKAGES, ())
    limited = msgspec.structs.replace(instance.terms, package_count_max=6)
    assert len(solved(under(instance, limited)).packages) == 6


def test_packages_that_only_the_same_stock_twice_would_fill_are_refused() -> None:
    instance = one_line(6, 3, 1, 1, 1)
    limited = msgspec.structs.replace(instance.terms, package_count_max=2)
    assert solve(under(instance, limited)) == Unservable(Obstacle.PACKAGES, ())
