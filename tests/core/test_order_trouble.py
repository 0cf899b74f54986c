"""Orders in trouble: each is refused or flagged with a clear reason, and nothing is half booked."""

from time import perf_counter

import pytest

from domgrpc.core.order_commands import ORDER_LINES_MAX
from domgrpc.core.orders import (
    Attention,
    Order,
    OrderLine,
    ShortagePolicy,
    unsourced_quantities,
)
from domgrpc.core.products import CreateProducts, ProductFields
from domgrpc.core.rejections import Reason
from domgrpc.core.rule_sets import CreateRuleSet, RoutingLimits, RoutingPrices, RuleSetContent
from domgrpc.core.stock_changes import CountStock, UpdateStock
from domgrpc.core.values import QUANTITY_MAX, LocationId, LocationType, Quantity, Sku
from tests.core.commands import disable, on_hand, place
from tests.core.given import Shop, encoded
from tests.core.logistics_words import calendar, card, rate, rates, schedule
from tests.core.order_words import (
    BOSTON,
    CHICAGO,
    DALLAS,
    PICKUP,
    REFUSING,
    edit,
    line,
    order,
    units_at,
    work_of,
)
from tests.core.routing_rules import activate, draft, exclude, limit, require, validate

DC = LocationType.DISTRIBUTION_CENTER
RECORD_BYTES_MAX = 16 * 1024 * 1024


@pytest.fixture
def shop() -> Shop:
    """Return a shop with two places."""
    return Shop().given(place("chi", DC, at=CHICAGO), place("dal", DC, at=DALLAS))


def many(count: int, *, group: str = "") -> tuple[OrderLine, ...]:
    """Write so many lines, each of its own SKU."""
    return tuple(line(f"sku-{number}", 1 + number % 3, group=group) for number in range(count))


def stocked_with(shop: Shop, count: int, *sites: str) -> Shop:
    """Stock so many SKUs at places, every other one at each."""
    updates = [
        CountStock(Sku(f"sku-{number}"), LocationId(sites[number % len(sites)]), Quantity(5))
        for number in range(count)
    ]
    for start in range(0, count, 1_000):
        shop.given(UpdateStock(tuple(updates[start : start + 1_000])))
    return shop


# --- nowhere


def test_where_no_place_can_do_it_the_order_is_refused_and_says_so(shop: Shop) -> None:
    shop.given(on_hand("tea", chi=5), disable("chi"), disable("dal"))
    refusal = shop.refusal(order(line("tea"), shortage_policy=REFUSING))
    assert refusal.reason is Reason.INSUFFICIENT_STOCK
    assert "0 of 1 unit of 'tea'" in refusal.message
    assert "locations left out: 2 out of use)" in refusal.message


def test_a_refused_pickup_says_that_others_are_not_the_store_asked_for(shop: Shop) -> None:
    shop.given(place("store", at=CHICAGO), place("other", at=CHICAGO), on_hand("tea", other=5))
    fetched = line("tea", by=PICKUP, at="store")
    refusal = shop.refusal(order(fetched, shortage_policy=REFUSING))
    assert "2 cannot do the method, 1 not at the store asked for)" in refusal.message


def test_one_more_short_line_is_told_as_one(shop: Shop) -> None:
    shop.given(on_hand("tea", chi=0), on_hand("jam", chi=0), on_hand("cup", chi=0))
    two = order(line("tea"), line("jam"), shortage_policy=REFUSING)
    assert ", and 1 more line:" in shop.refusal(two).message
    three = order(line("tea"), line("jam"), line("cup"), shortage_policy=REFUSING)
    assert ", and 2 more lines:" in shop.refusal(three).message


def test_where_no_place_can_do_it_the_order_may_wait(shop: Shop) -> None:
    shop.given(on_hand("tea", chi=5), disable("chi"))
    placed = shop.gives(Order, order(line("tea", 2)))
    assert (placed.fulfillment_orders, placed.attention) == ((), Attention.BACKORDERED)
    assert placed.decisions[0].legs[0].quantities == (2,)
    assert dict(placed.decisions[0].legs[0].removed)["disabled"] == 1


def test_a_shop_without_places_takes_no_orders() -> None:
    shop = Shop().given(CreateProducts(products=((Sku("tea"), ProductFields()),)))
    refusal = shop.refusal(order(line("tea")))
    assert refusal.reason is Reason.NO_CANDIDATE
    assert "which no location can do" in refusal.message


def test_an_address_without_coordinates_is_refused(shop: Shop) -> None:
    shop.given(on_hand("tea", chi=5))
    refusal = shop.refusal(order(line("tea"), to=None))
    assert refusal.reason is Reason.NO_CANDIDATE
    assert "no coordinates" in refusal.message


def test_what_is_picked_up_needs_no_address(shop: Shop) -> None:
    shop.given(place("store", at=CHICAGO), on_hand("tea", store=5))
    placed = shop.gives(Order, order(line("tea", by=PICKUP, at="store"), to=None))
    assert work_of(placed) == {"store": {"tea": 1}}


@pytest.mark.parametrize("policy", ShortagePolicy)
def test_an_unknown_sku_is_refused_by_name(shop: Shop, policy: ShortagePolicy) -> None:
    shop.given(on_hand("tea", chi=5))
    refusal = shop.refusal(order(line("tea"), line("jam", name="second"), shortage_policy=policy))
    assert refusal.reason is Reason.SKU_NOT_FOUND
    assert refusal.facts == {"sku": "jam", "line_id": "second"}


# --- transport


def test_a_rate_card_with_a_hole_reaches_as_far_as_it_goes(shop: Shop) -> None:
    shop.given(on_hand("tea", chi=5, dal=5), card("near", rates(1_000_000)))
    refusal = shop.refusal(order(line("tea"), to=BOSTON))
    assert refusal.reason is Reason.NO_CANDIDATE
    assert "none of the locations that can do SHIP_TO_HOME reaches" in refusal.message
    assert "(2 can do it)" in refusal.message
    near = shop.gives(Order, order(line("tea"), as_id="p"))
    assert work_of(near) == {"chi": {"tea": 1}}


def test_a_place_that_never_opens_does_nothing(shop: Shop) -> None:
    closed = [
        shop.send(calendar("chi", schedule(weekdays=()))).outcome,
        shop.send(calendar("chi", schedule(special=()), etag="")).outcome,
    ]
    shop.given(on_hand("tea", chi=5, dal=5))
    placed = shop.gives(Order, order(line("tea")))
    assert len(closed) == 2
    assert placed.attention is Attention.NONE


# --- rules


def test_a_rule_that_divides_by_zero_excludes_nothing_and_flags_the_order(shop: Shop) -> None:
    broken = exclude("broken", "1 / (order.line_count - 1) > 0 && location.id == 'chi'")
    shop.given(draft(broken), validate(1), activate(1), on_hand("tea", chi=5))
    placed = shop.gives(Order, order(line("tea")))
    assert work_of(placed) == {"chi": {"tea": 1}}
    assert placed.attention is Attention.RULE_FAILED
    assert placed.decisions[0].legs[0].failed_rule_ids == ("broken",)


def test_a_rule_that_fails_is_told_where_nothing_can_be_planned(shop: Shop) -> None:
    broken = exclude("broken", "1 / (order.line_count - 1) > 0 && location.id == 'chi'")
    shop.given(draft(broken), validate(1), activate(1), on_hand("tea", chi=0))
    placed = shop.gives(Order, order(line("tea")))
    assert placed.attention is Attention.BACKORDERED
    assert placed.decisions[0].legs[0].failed_rule_ids == ("broken",)


def test_rules_exclude_and_require_and_limit(shop: Shop) -> None:
    shop.given(on_hand("tea", chi=5, dal=5), on_hand("cup", chi=5), on_hand("jam", dal=5))
    rules = (
        exclude("no", "line.sku == 'cup' && location.id == 'chi'"),
        require("only", "line.sku == 'tea' && location.id == 'dal'"),
        limit("one", "order.line_count == 2", 1),
    )
    shop.given(draft(*rules), validate(1), activate(1))
    assert work_of(shop.gives(Order, order(line("tea"), as_id="a"))) == {"dal": {"tea": 1}}
    assert work_of(shop.gives(Order, order(line("cup"), as_id="b"))) == {}
    both = shop.gives(Order, order(line("tea"), line("jam"), as_id="c"))
    assert work_of(both) == {"dal": {"tea": 1, "jam": 1}}


def test_an_order_of_little_value_comes_from_one_place(shop: Shop) -> None:
    value = RoutingLimits(split_minimum_value_micros=10_000_000)
    shop.given(CreateRuleSet(content=RuleSetContent(limits=value)), validate(1), activate(1))
    shop.given(on_hand("tea", chi=5), on_hand("cup", dal=5))
    cheap = order(line("tea", price=1_000_000), line("cup", price=1_000_000))
    assert len(work_of(shop.gives(Order, cheap))) <= 1
    dear = order(line("tea", price=9_000_000), line("cup", price=1_000_000), as_id="p")
    assert len(work_of(shop.gives(Order, dear))) == 2
    fetched = shop.gives(Order, edit("p", line("tea", 2, price=9_000_000)))
    assert units_at(fetched)["tea", "chi"] == 2


def test_only_places_within_the_radius_of_the_rules_are_used(shop: Shop) -> None:
    near = RoutingLimits(radius_m=100_000)
    shop.given(CreateRuleSet(content=RuleSetContent(limits=near)), validate(1), activate(1))
    shop.given(on_hand("tea", chi=1, dal=5))
    placed = shop.gives(Order, order(line("tea", 2)))
    assert units_at(placed) == {("tea", "chi"): 1}
    assert dict(placed.decisions[0].legs[0].removed)["scope"] == 1


# --- size


@pytest.mark.parametrize("units", [10**9, 10**11, QUANTITY_MAX])
@pytest.mark.parametrize("price", [0, 10**15])
def test_very_many_units_break_nothing(shop: Shop, units: int, price: int) -> None:
    rules = (
        exclude("dear", "order.value > 1000000.0 && line.quantity < 2 && location.id == 'chi'"),
    )
    shop.given(draft(*rules), validate(1), activate(1), on_hand("tea", chi=units))
    placed = shop.gives(Order, order(line("tea", units, price=price)))
    short = sum(unsourced_quantities(placed).values())
    assert sum(units_at(placed).values()) + short == units
    shop.check_replay()


@pytest.mark.slow
@pytest.mark.parametrize("count", [513, ORDER_LINES_MAX])
def test_an_order_of_thousands_of_lines_is_planned_whole_and_in_time(
    shop: Shop, count: int
) -> None:
    stocked_with(shop, count, "chi", "dal")
    begun = perf_counter()
    placed = shop.gives(Order, order(*many(count)))
    assert perf_counter() - begun < 5
    assert unsourced_quantities(placed) == {}
    assert {work.location_id for work in placed.fulfillment_orders} == {"chi", "dal"}
    assert len(placed.fulfillment_orders) == 2
    (leg,) = placed.decisions[0].legs
    assert 0 < leg.lower_bound_micros <= leg.cost_micros
    assert leg.cost_micros == leg.package_micros + leg.units_micros + leg.price_micros
    assert len(encoded(shop.records[-1])) < RECORD_BYTES_MAX


@pytest.mark.slow
def test_a_long_order_at_many_places_stays_a_small_record() -> None:
    shop = Shop()
    sites = [f"site-{number}" for number in range(100)]
    for number, name in enumerate(sites):
        shop.given(place(name, DC, at=(35 + number / 10, -90)))
    stocked_with(shop, 2_000, *sites)
    begun = perf_counter()
    placed = shop.gives(Order, order(*many(2_000)))
    assert perf_counter() - begun < 5
    assert unsourced_quantities(placed) == {}
    assert len(encoded(shop.records[-1])) < RECORD_BYTES_MAX // 16


@pytest.mark.slow
def test_a_long_order_keeps_to_groups_alone_and_its_packages(shop: Shop) -> None:
    stocked_with(shop, 600, "chi")
    stocked_with(shop, 600, "dal")
    alone = CreateProducts(products=((Sku("sku-599"), ProductFields(ship_alone=True)),))
    shop.given(alone)
    lines = (*many(300, group="gift"), *many(599)[300:], line("sku-599"))
    placed = shop.gives(Order, order(*lines, package_count_max=2))
    assert unsourced_quantities(placed) == {}
    assert sorted(len(work.lines) for work in placed.fulfillment_orders) == [1, 599]
    refused = order(*lines, as_id="p", package_count_max=1, shortage_policy=REFUSING)
    assert shop.refuses(refused) is Reason.INSUFFICIENT_STOCK
    shop.check_replay()


@pytest.mark.slow
def test_changes_of_a_long_order_take_no_longer_than_placing_it(shop: Shop) -> None:
    count = ORDER_LINES_MAX
    stocked_with(shop, count, "chi", "dal")
    shop.given(order(*many(count)))
    begun = perf_counter()
    shop.given(edit("o", to=DALLAS))
    shop.given(edit("o", *(line(f"sku-{number}", 1) for number in range(count))))
    assert perf_counter() - begun < 10


def test_the_decision_of_what_is_not_planned_costs_nothing_and_uses_no_place() -> None:
    shop = Shop().given(place("chi", at=CHICAGO), on_hand("tea", chi=5), on_hand("cup", chi=0))
    placed = shop.gives(Order, order(line("tea"), line("cup"), ship_complete=True))
    decision = placed.decisions[-1]
    assert placed.fulfillment_orders == ()
    assert (decision.cost_micros, decision.legs[0].used_location_ids) == (0, ())


def test_the_decision_of_an_outage_that_moves_nothing_uses_no_place() -> None:
    shop = Shop().given(
        place("chi", at=CHICAGO),
        place("dal", at=DALLAS),
        on_hand("tea", chi=2, dal=0),
        on_hand("cup", chi=2, dal=2),
    )
    shop.given(order(line("tea"), line("cup"), ship_complete=True), disable("chi"))
    shop.replan()
    decision = shop.order().decisions[-1]
    assert work_of(shop.order()) == {"chi": {"tea": 1, "cup": 1}}
    assert (decision.cost_micros, decision.legs[0].used_location_ids) == (0, ())


def test_what_costs_more_than_the_solver_counts_is_planned_all_the_same() -> None:
    shop = Shop().given(
        place("chi", at=CHICAGO),
        place("dal", at=DALLAS),
        on_hand("A", chi=6 * 10**8, dal=6 * 10**8),
        on_hand("B", chi=5),
    )
    placed = shop.gives(Order, order(line("A", 10**9), line("B"), shortage_policy=REFUSING))
    assert units_at(placed) == {("A", "chi"): 6 * 10**8, ("A", "dal"): 4 * 10**8, ("B", "chi"): 1}
    leg = placed.decisions[-1].legs[0]
    assert 0 < leg.lower_bound_micros <= leg.cost_micros


def test_a_promise_long_past_and_a_dear_day_leave_stock_what_it_is() -> None:
    prices = RoutingPrices(late_day_micros=10**10)
    shop = Shop().given(
        place("chi", at=CHICAGO),
        on_hand("A", chi=5),
        CreateRuleSet(content=RuleSetContent(prices=prices)),
        validate(1),
        activate(1),
    )
    placed = shop.gives(Order, order(line("A"), promise_time_ms=1, shortage_policy=REFUSING))
    assert units_at(placed) == {("A", "chi"): 1}


def test_by_weight_it_is_planned_too() -> None:
    heavy = ProductFields(weight_grams=20_000)
    shop = Shop().given(
        place("chi", at=CHICAGO),
        CreateProducts(products=((Sku("A"), heavy),)),
        card("ground", (rate(1, 5, steps=((1_000, 10**12),)),)),
        on_hand("A", chi=10**6),
    )
    placed = shop.gives(Order, order(line("A", 10**6), shortage_policy=REFUSING))
    leg = placed.decisions[-1].legs[0]
    # A parcel takes a kilogram, and each parcel costs its package and its step.
    assert leg.cost_micros == 20_000 * 10**6 // 1_000 * (10**12 + 5)
    assert 0 < leg.lower_bound_micros <= leg.cost_micros
