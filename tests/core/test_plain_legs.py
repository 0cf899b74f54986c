"""A leg that nothing but stock and costs concerns is planned by vectors: to the same plan.

Naming all locations in the scope changes nothing that a plan may be, but then the long way is
gone: what filters, and one candidate after the other, give there is what the vectors must give.
"""

import random
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domgrpc.core.order_queries import simulate_routing
from domgrpc.core.orders import LegDecision, OrderLine
from domgrpc.core.plans import Plan, SimulationQuestion
from domgrpc.core.products import CreateProducts, ProductFields
from domgrpc.core.rule_sets import CreateRuleSet, RoutingPrices, RuleSetContent
from domgrpc.core.scopes import LocationList
from domgrpc.core.values import DAY_MS, LocationType, Sku, TimeMs
from tests.core.commands import count, disable, on_hand, place, stock
from tests.core.given import Shop
from tests.core.logistics_words import calendar, card, changed, rate, schedule
from tests.core.order_words import CHICAGO, DALLAS, line, terms
from tests.core.routing_rules import activate, draft, prefer, validate

SKUS = ("tea", "cup", "jam", "oil", "pan", "rug")
HEAVY = "rug"
WIDE_COUNT = 300
"""More locations than are told in lists."""
KINDS = ("usual", "by the mile", "by the kilogram", "handled", "one out", "scarce", "preferred")


def spread_shop(kind: str, location_count: int) -> Shop:
    """Open stores all over the country, most with little of each SKU."""
    chance = random.Random(location_count)
    shop = Shop(steps_per_check=10_000)
    names = [f"s{number:03}" for number in range(location_count)]
    for number, name in enumerate(names):
        at = (chance.uniform(29, 47), chance.uniform(-122, -72))
        shop.given(place(name, LocationType.STORE, at=None if number == 7 else at))
    for sku in SKUS:
        shop.given(
            stock(
                *(
                    count(sku, name, chance.choice((0, 1, 1, 2, 9)))
                    for name in names
                    if chance.random() < (1.0 if sku == "tea" else 0.7)
                )
            )
        )
    fields = ProductFields(weight_grams=12_000)
    shop.given(CreateProducts(products=((Sku(HEAVY), fields),)))
    if kind == "by the mile":
        zones = tuple(rate(zone, 3_000_000 + zone, unit=1, mile=999) for zone in range(1, 9))
        shop.given(card("van", zones))
    elif kind == "by the kilogram":
        zones = tuple(rate(zone, 5_000_000, kilogram=700_001 * zone) for zone in range(1, 9))
        shop.given(card("post", zones))
    elif kind == "handled":
        for name in names[::3]:
            shop.given(calendar(name, schedule(cut_off=9 + len(name) % 7, lead_days=1)))
    elif kind == "scarce":
        prices = RoutingPrices(scarcity_weight_permille=700)
        shop.given(CreateRuleSet(content=RuleSetContent(prices=prices)), validate(1), activate(1))
    elif kind == "preferred":
        rules = (prefer("near", "location.latitude > 40.0 && line.quantity > 1", -900_000),)
        shop.given(draft(*rules), validate(1), activate(1))
    elif kind == "one out":
        shop.given(disable(names[3]), disable(names[-1]))
    return shop


known_shop = cache(spread_shop)


def planned(shop: Shop, lines: tuple[OrderLine, ...], *, named: bool) -> Plan:
    """Plan an order, with all locations named in its scope or none."""
    everywhere = tuple(each.location_id for each in shop.state.network.locations.by_index)
    asked = terms(scope=LocationList(everywhere) if named else None)
    return simulate_routing(shop.state, SimulationQuestion(lines, asked), shop.now_ms)


def told(leg: LegDecision) -> tuple[object, ...]:
    """Return what a decision says beside its rows."""
    return (
        leg.skus,
        leg.quantities,
        leg.cost_micros,
        leg.is_proven,
        leg.candidate_count,
        leg.removed,
        leg.used_location_ids,
        leg.lower_bound_micros,
    )


lines_of = st.lists(
    st.tuples(st.sampled_from(SKUS), st.integers(1, 3)), min_size=1, max_size=4
).map(lambda drawn: tuple(line(sku, units, name=f"{n}") for n, (sku, units) in enumerate(drawn)))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("location_count", [12, WIDE_COUNT])
@given(lines=lines_of)
def test_the_short_way_leads_to_the_same_plan(
    kind: str, location_count: int, lines: tuple[OrderLine, ...]
) -> None:
    shop = known_shop(kind, location_count)
    short, long = (planned(shop, lines, named=named) for named in (False, True))
    assert short.packages == long.packages
    assert short.shortages == long.shortages
    assert [told(leg) for leg in short.legs] == [told(leg) for leg in long.legs]
    for one, other in zip(short.legs, long.legs, strict=True):
        assert one.runner_up_micros in (None, other.runner_up_micros)


def test_of_however_many_numbers_of_units_each_has_its_own_plan() -> None:
    shop = Shop(steps_per_check=10_000)
    shop.given(place("near", at=CHICAGO), place("far", at=DALLAS), on_hand("tea", near=99, far=99))
    shop.given(changed(calendar("near", schedule()), package_micros=0, unit_micros=300_000))
    shop.given(changed(calendar("far", schedule()), package_micros=9_000_000, unit_micros=1))
    counts = [*range(1, 80), *range(1, 5)]
    for units in counts:
        lines = (line("tea", units),)
        short, long = (planned(shop, lines, named=named) for named in (False, True))
        assert short.packages == long.packages


@pytest.mark.slow
def test_more_journeys_and_locations_than_are_kept_change_no_plan() -> None:
    shop = Shop(steps_per_check=10**6).given(*(place(name, at=CHICAGO) for name in ("a", "b")))
    shop.given(on_hand("tea", a=9, b=9))
    shop.given(*(place(f"n{number}", at=DALLAS) for number in range(15_000)))

    def places(count: int) -> list[str]:
        asked = [terms((30 + number / 10, -90.0)) for number in range(count)]
        questions = [SimulationQuestion((line("tea", 2),), each) for each in asked]
        plans = [simulate_routing(shop.state, each, shop.now_ms) for each in questions]
        return [package.location_id for plan in plans for package in plan.packages]

    # 40 journeys of 15,000 rows are more than are kept, and 20,002 rows are too many for one.
    assert places(40) + places(2) == ["a"] * 42
    shop.given(*(place(f"m{number}", at=DALLAS) for number in range(5_000)))
    assert places(2) == ["a", "a"]


@given(lines=lines_of)
def test_what_is_promised_for_a_day_is_planned_alike_with_many_locations(
    lines: tuple[OrderLine, ...],
) -> None:
    shop = known_shop("usual", WIDE_COUNT)
    promise_ms = TimeMs(shop.now_ms + 900 * DAY_MS)
    late = terms(promise_time_ms=promise_ms)
    short = planned(shop, lines, named=False)
    plan = simulate_routing(shop.state, SimulationQuestion(lines, late), shop.now_ms)
    assert plan.packages == short.packages
