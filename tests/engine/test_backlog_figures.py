"""The figures of a better plan: what it costs is what orders cost, and the bound is a bound."""

from array import array
from itertools import product as combined
from typing import NamedTuple

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from domgrpc.core.open_costs import is_carried_out, leg_cost
from domgrpc.core.order_commands import ApplyReplan, PlaceOrder, ReplanSummary
from domgrpc.core.products import CreateProducts, ProductFields
from domgrpc.core.rule_sets import CreateRuleSet, RoutingPrices, RuleSetContent
from domgrpc.core.values import DAY_MS, LocationIndex, Micros, Sku, TimeMs
from tests.core.commands import on_hand, place
from tests.core.given import NOON_MS, Shop
from tests.core.logistics_words import card, rates
from tests.core.order_words import CHICAGO, DALLAS, edit, line, order
from tests.core.routing_rules import activate, validate
from tests.engine.backlog_words import (
    DC,
    NEW_YORK,
    SITES,
    Found,
    by_weight,
    open_cost,
    searched,
    weighing,
)

SKUS = ("tea", "cup", "set")
weights_of = st.fixed_dictionaries({sku: st.sampled_from((0, 200, 700)) for sku in SKUS})
steps_of = st.sampled_from(
    (
        (),
        ((500, 1_000_000), (2_000, 3_000_000)),
        ((300, 100_000), (1_000, 3_000_000), (9_000, 3_500_000)),
        ((500, 500_000), (2_000, 8_000_000)),
    )
)
stock_of = st.fixed_dictionaries(
    {sku: st.fixed_dictionaries({site: st.integers(0, 4) for site in SITES}) for sku in SKUS}
)
wish_of = st.tuples(st.sampled_from(SKUS), st.integers(1, 3), st.sampled_from(("", "", "gift")))
wishes_of = st.lists(wish_of, min_size=1, max_size=2, unique_by=lambda wish: wish[0])
order_of = st.tuples(
    wishes_of,
    st.sampled_from((CHICAGO, DALLAS, NEW_YORK)),
    st.sampled_from(("", "ann")),
    st.sampled_from((None, NOON_MS + 86_400_000)),
    st.sampled_from((0, 0, 1)),
)


Drawn = tuple[list[tuple[str, int, str]], tuple[float, float], str, TimeMs | None, int]


def written(number: int, drawn: Drawn) -> PlaceOrder:
    wishes, to, customer, promise_ms, count_max = drawn
    lines = [line(sku, units, group=group) for sku, units, group in wishes]
    return order(
        *lines,
        as_id=f"o{number}",
        to=to,
        customer=customer,
        promise_time_ms=promise_ms,
        package_count_max=count_max,
    )


class World(NamedTuple):
    """What is drawn."""

    weights: dict[str, int]
    steps: tuple[tuple[int, int], ...]
    first: dict[str, dict[str, int]]
    then: dict[str, dict[str, int]]
    orders: list[Drawn]
    penalty: int
    alone: bool
    """Whether sets ship alone."""
    edited: int
    """How many of the orders want more of everything some days later."""


worlds = st.builds(
    World,
    weights_of,
    steps_of,
    stock_of,
    stock_of,
    st.lists(order_of, min_size=1, max_size=4),
    st.sampled_from((0, 700_000)),
    st.booleans(),
    st.integers(0, 2),
)


def opened(world: World) -> Shop:
    weights, steps, first, then, drawn, penalty, alone, edited = world
    shop = Shop(steps_per_check=10**6).given(*(place(n, DC, at=at) for n, at in SITES.items()))
    shop.given(
        weighing(**{s: g for s, g in weights.items() if s != "set"}),
        by_weight(*steps) if steps else card("ground", rates(*PLAIN)),
    )
    content = RuleSetContent(
        prices=RoutingPrices(split_penalty_micros=Micros(penalty), late_day_micros=Micros(900_000))
    )
    shop.given(CreateRuleSet(content=content), validate(1), activate(1))
    fields = ProductFields(ship_alone=alone, weight_grams=weights["set"])
    shop.given(CreateProducts(products=((Sku("set"), fields),)))
    shop.given(*(on_hand(sku, **units) for sku, units in first.items()))
    for number, each in enumerate(drawn):
        shop.send(written(number, each))
    shop.later(2 * DAY_MS if edited else 0)
    for number, (wishes, *_) in enumerate(drawn[:edited]):
        more = (line(sku, units + 1, group=group) for sku, units, group in wishes)
        shop.send(edit(f"o{number}", *more))
    shop.given(*(on_hand(sku, **units) for sku, units in then.items()))
    return shop


# Two of tea are promised in Chicago and one is there. Were they moved, the other order fitted
# there: that is not tried, but the bound must not say that nothing is cheaper.
FITS_WHEN_ANOTHER_GOES = World(
    weights=dict.fromkeys(SKUS, 0),
    steps=(),
    first={"tea": {"chi": 2, "bos": 1}, "cup": {"bos": 1}},
    then={"tea": {"chi": 1, "bos": 2}, "cup": {"chi": 1, "bos": 0}},
    orders=[
        ([("tea", 1, ""), ("cup", 1, "")], CHICAGO, "", None, 0),
        ([("tea", 2, "")], DALLAS, "", None, 0),
    ],
    penalty=0,
    alone=False,
    edited=0,
)


@pytest.mark.slow
@settings(max_examples=80, deadline=None)
@given(world=worlds, stability=st.sampled_from((0, 500_000, 5_000_000)))
@example(world=FITS_WHEN_ANOTHER_GOES, stability=0)
def test_the_bound_is_below_the_plan_and_that_below_the_present_one(
    world: World, stability: int
) -> None:
    shop = opened(world)
    found = searched(shop, stability=stability)
    answer = found.answer
    assert answer.lower_bound <= sum(answer.costs_after) <= sum(answer.costs_before)
    assert answer.lower_bound <= least_cost(found) <= sum(answer.costs_before)
    for each, cost in zip(found.orders, answer.costs_before, strict=True):
        # What lies there for days costs what it costs by now.
        assert world.edited or cost + each.staying_micros == open_cost(shop.order(each.order_id))
    moves = list(found.moves())
    if moves:
        assert sum(answer.costs_before) - sum(answer.costs_after) > stability
        summary = shop.gives(ReplanSummary, ApplyReplan(tuple(move for _, move in moves)))
        # Where less is left than was promised, not all that could stay there can come there.
        needs = (need for each in found.orders for leg in each.legs for need in leg.needs)
        assert any(need.is_stuck for need in needs) or summary.skipped == ()
        shop.state.check_invariants()
    for each, cost in zip(found.orders, answer.costs_after, strict=True):
        is_anew = shop.order(each.order_id).revision > each.revision and not each.staying
        if world.edited and not is_anew:
            continue
        # What one parcel is counted for leaves as several where that is cheaper by weight.
        is_same = cost + each.staying_micros == open_cost(shop.order(each.order_id))
        is_less = cost + each.staying_micros > open_cost(shop.order(each.order_id))
        assert is_same or (world.steps and is_less)


PLAIN = (5_000_000, 6_000_000, 7_000_000, 8_000_000, 9_000_000, 10_000_000, 11_000_000, 12_000_000)


def least_cost(found: Found) -> int:
    """Return what the cheapest of all plans costs that the stock allows."""
    legs = [leg for each in found.orders for leg in each.legs]
    needs = [need for leg in legs for need in leg.needs]
    best = sum(leg_cost(leg, None) for leg in legs)
    options = [
        [
            LocationIndex(place)
            for place, use in enumerate(need.allowed)
            if use and (place == need.present or need.quantity <= found.stock[need.sku][place])
        ]
        for need in needs
    ]
    held = {sku: array("q", bytes(8 * len(units))) for sku, units in found.stock.items()}
    for need in needs:
        held[need.sku][need.present] += need.quantity
    for places in combined(*options):
        left = {sku: list(map(max, units, held[sku])) for sku, units in found.stock.items()}
        for need, place_ in zip(needs, places, strict=True):
            left[need.sku][place_] -= need.quantity
        if any(min(units) < 0 for units in left.values()):
            continue
        rest = iter(places)
        own = [[next(rest) for _ in leg.needs] for leg in legs]
        if all(map(is_carried_out, legs, own)):
            best = min(best, sum(map(leg_cost, legs, own)))
    return best
