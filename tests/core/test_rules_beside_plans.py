"""Where the search proves nothing, the plan is still no dearer than that of a textbook rule."""

from random import Random

import pytest

from domgrpc.core.calendars import CapacityUnit
from domgrpc.core.order_queries import simulate_routing
from domgrpc.core.orders import OrderLine
from domgrpc.core.plans import Plan, SimulationQuestion
from domgrpc.core.products import CreateProducts, ProductFields
from domgrpc.core.rule_sets import Strategy
from domgrpc.core.values import Sku
from tests.core.commands import on_hand, place
from tests.core.given import Shop
from tests.core.logistics_words import calendar, card, changed, rate, schedule
from tests.core.order_words import line, order, terms

ZONES = range(1, 9)
STEPS = ((500, 500_000), (1_000, 900_000), (5_000, 2_600_000), (20_000, 5_000_000))
RULES = [strategy for strategy in Strategy if strategy is not Strategy.CHEAPEST]


def heavy_basket(seed: int) -> tuple[Shop, tuple[OrderLine, ...]]:
    """Draw places with goods of many weights, and lines of several units."""
    random = Random(seed)
    grams = [random.choice((120, 350, 640, 980, 1_900, 4_000)) for _ in range(random.randint(5, 9))]
    weights = {Sku(f"s{number}"): ProductFields(weight_grams=g) for number, g in enumerate(grams)}
    names = [f"p{number}" for number in range(random.randint(4, 9))]
    shop = Shop().given(
        *(place(name, at=(random.uniform(30, 47), random.uniform(-120, -75))) for name in names),
        CreateProducts(products=tuple(weights.items())),
        card(
            "ground", tuple(rate(zone, 4_000_000 + zone * 400_000, steps=STEPS) for zone in ZONES)
        ),
    )
    for sku in weights:
        shop.given(on_hand(sku, **{name: random.choice((0, 1, 2, 5, 20)) for name in names}))
    return shop, tuple(line(sku, random.choice((1, 2, 2, 7, 12))) for sku in weights)


def planned(shop: Shop, lines: tuple[OrderLine, ...], strategy: Strategy) -> Plan:
    question = SimulationQuestion(lines, terms(), strategy=strategy.name)
    return simulate_routing(shop.state, question, shop.now_ms)


def cost_of(plan: Plan) -> int:
    return sum(leg.cost_micros for leg in plan.legs)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(40))
def test_no_rule_is_cheaper_than_a_plan_that_is_only_bounded(seed: int) -> None:
    shop, lines = heavy_basket(seed)
    best = planned(shop, lines, Strategy.CHEAPEST)
    for rule in RULES:
        followed = planned(shop, lines, rule)
        assert followed.shortages == best.shortages
        assert cost_of(best) <= cost_of(followed), rule.name


@pytest.mark.slow
def test_some_of_these_baskets_are_not_proven() -> None:
    plans = [planned(*heavy_basket(seed), Strategy.CHEAPEST) for seed in range(6)]
    assert not all(leg.is_proven for plan in plans for leg in plan.legs)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
def test_the_plan_of_a_rule_keeps_to_the_capacity_too(seed: int) -> None:
    shop, lines = heavy_basket(seed)
    room = changed(calendar("p0", schedule()), daily_capacity=4, capacity_unit=CapacityUnit.UNITS)
    shop.given(room, changed(calendar("p1", schedule()), daily_capacity=1))
    shop.given(order(*lines))
    works = shop.order("o").fulfillment_orders
    assert sum(each.quantity for w in works if w.location_id == "p0" for each in w.lines) <= 4
    assert sum(w.location_id == "p1" for w in works) <= 1
