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
from domgrpc.core.scopes import LocationList
from domgrpc.core.values import LocationType, Sku
from tests.core.commands import count, disable, place, stock
from tests.core.given import Shop
from tests.core.logistics_words import calendar, card, rate, schedule
from tests.core.order_words import line, terms

SKUS = ("tea", "cup", "jam", "oil", "pan", "rug")
HEAVY = "rug"
WIDE_COUNT = 300
"""More locations than are told in lists."""
KINDS = ("usual", "by the mile", "by the kilogram", "handled", "one out")


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
