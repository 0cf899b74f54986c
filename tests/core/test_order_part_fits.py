"""Orders of which not all goes in so few packages: the part that does is planned."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domgrpc.core.calendars import CalendarFields, CapacityUnit
from domgrpc.core.order_queries import explain_decision, simulate_routing
from domgrpc.core.orders import Attention, Order, ShortagePolicy, unsourced_quantities
from domgrpc.core.plans import Plan, SimulationQuestion
from domgrpc.core.products import CreateProducts, ProductFields
from domgrpc.core.rejections import Rejection
from domgrpc.core.rule_sets import Strategy
from domgrpc.core.values import LocationId, OrderId, Sku
from tests.core.commands import disable, limited, on_hand, place
from tests.core.given import Shop
from tests.core.logistics_words import calendar, schedule
from tests.core.order_words import (
    BOSTON,
    CHICAGO,
    DALLAS,
    REFUSING,
    edit,
    line,
    order,
    terms,
    units_at,
    work_of,
)

SITES = {"bos": BOSTON, "chi": CHICAGO, "dal": DALLAS}
SKUS = ("tea", "cup", "jam")


@pytest.fixture
def shop() -> Shop:
    """Return a shop with three places."""
    return Shop().given(*(place(name, at=where) for name, where in SITES.items()))


def planned(shop: Shop, units: dict[str, int], count_max: int, strategy: str = "") -> Plan:
    """Plan an order of these units in so few packages."""
    lines = tuple(line(sku, count) for sku, count in units.items())
    asked = SimulationQuestion(lines, terms(package_count_max=count_max), strategy=strategy)
    return simulate_routing(shop.state, asked, shop.now_ms)


def contents(plan: Plan) -> dict[str, dict[str, int]]:
    """Return units by location, then SKU."""
    return {
        package.location_id: {each.sku: each.quantity for each in package.lines}
        for package in plan.packages
    }


def unit_count(plan: Plan) -> int:
    """Return how many units are planned."""
    return sum(each.quantity for package in plan.packages for each in package.lines)


def removed(plan: Plan) -> dict[str, int]:
    """Return what removed how many locations."""
    return dict(plan.legs[0].removed)


def product_of(sku: str, **fields: object) -> CreateProducts:
    """Create a product with these fields."""
    return CreateProducts(products=((Sku(sku), ProductFields(**fields)),))  # type: ignore[arg-type]


# --- which part


def test_more_stock_elsewhere_does_not_keep_back_what_fits(shop: Shop) -> None:
    shop.given(on_hand("tea", chi=5), on_hand("cup"))
    assert contents(planned(shop, {"tea": 1, "cup": 1}, 1)) == {"chi": {"tea": 1}}
    shop.given(on_hand("cup", dal=5))
    assert contents(planned(shop, {"tea": 1, "cup": 1}, 1)) == {"chi": {"tea": 1}}


def test_the_package_with_most_units_is_sent(shop: Shop) -> None:
    shop.given(on_hand("tea", chi=5), on_hand("cup", dal=5))
    plan = planned(shop, {"tea": 1, "cup": 3}, 1)
    assert contents(plan) == {"dal": {"cup": 3}}
    assert [(each.line_id, each.quantity) for each in plan.shortages] == [("tea", 1)]


def test_of_as_many_units_those_of_most_lines_are_sent(shop: Shop) -> None:
    shop.given(on_hand("tea", chi=2), on_hand("cup", dal=1), on_hand("jam", dal=1))
    plan = planned(shop, {"tea": 2, "cup": 1, "jam": 1}, 1)
    assert contents(plan) == {"dal": {"cup": 1, "jam": 1}}


def test_of_as_many_units_and_lines_the_cheapest_are_sent(shop: Shop) -> None:
    shop.given(on_hand("tea", bos=1), on_hand("cup", chi=1), on_hand("jam", dal=1))
    assert contents(planned(shop, {"tea": 1, "cup": 1, "jam": 1}, 1)) == {"chi": {"cup": 1}}


def test_what_fits_comes_from_where_it_costs_least(shop: Shop) -> None:
    shop.given(on_hand("tea", bos=3, dal=3, chi=3), on_hand("cup", dal=2), on_hand("jam", bos=1))
    plan = planned(shop, {"tea": 3, "cup": 2, "jam": 1}, 1)
    assert contents(plan) == {"dal": {"tea": 3, "cup": 2}}
    assert plan.legs[0].is_proven


def test_a_line_is_sent_in_part_where_it_may_be(shop: Shop) -> None:
    shop.given(on_hand("tea", chi=3, dal=2))
    assert contents(planned(shop, {"tea": 4}, 1)) == {"chi": {"tea": 3}}


def test_what_is_kept_together_fits_whole_or_not_at_all(shop: Shop) -> None:
    shop.given(product_of("tea", keep_together=True), on_hand("tea", chi=3, dal=2))
    shop.given(on_hand("cup", dal=1))
    assert contents(planned(shop, {"tea": 3, "cup": 1}, 1)) == {"chi": {"tea": 3}}
    assert contents(planned(shop, {"tea": 4, "cup": 1}, 1)) == {"dal": {"cup": 1}}


def test_a_group_fits_whole_or_not_at_all(shop: Shop) -> None:
    shop.given(on_hand("tea", chi=3, dal=1), on_hand("cup", dal=1), on_hand("jam", chi=3))
    lines = (line("tea", group="gift"), line("cup", group="gift"), line("jam", 3))
    placed = shop.gives(Order, order(*lines, package_count_max=1))
    assert units_at(placed) == {("jam", "chi"): 3}


def test_what_ships_alone_is_a_package_of_its_own(shop: Shop) -> None:
    shop.given(product_of("tea", ship_alone=True), on_hand("tea", chi=3))
    shop.given(on_hand("cup", chi=1), on_hand("jam", dal=1))
    plan = planned(shop, {"tea": 2, "cup": 1, "jam": 1}, 1)
    assert contents(plan) == {"chi": {"tea": 2}}
    assert removed(plan)["packages"] == 1
    assert unit_count(planned(shop, {"tea": 2, "cup": 1, "jam": 1}, 2)) == 3


def test_a_line_that_ships_alone_and_stays_names_the_limit(shop: Shop) -> None:
    shop.given(product_of("tea", ship_alone=True), on_hand("tea", chi=1), on_hand("cup", chi=2))
    plan = planned(shop, {"tea": 1, "cup": 2}, 1)
    assert contents(plan) == {"chi": {"cup": 2}}
    assert removed(plan)["packages"] == 1


@pytest.mark.parametrize("strategy", list(Strategy))
def test_any_strategy_sends_the_part_that_fits(shop: Shop, strategy: Strategy) -> None:
    shop.given(on_hand("tea", chi=5, dal=5), on_hand("cup", dal=5), on_hand("jam", bos=5))
    plan = planned(shop, {"tea": 2, "cup": 2, "jam": 1}, 1, strategy.name)
    assert contents(plan) == {"dal": {"tea": 2, "cup": 2}}
    assert plan.legs[0].lower_bound_micros <= plan.cost_micros


def test_supply_is_weighed_before_a_part_is(shop: Shop) -> None:
    shop.given(product_of("cup", backorder_policy=limited(9)))
    shop.given(product_of("tea", backorder_policy=limited(9)))
    shop.given(place("late", at=CHICAGO, backorder=True))
    shop.given(on_hand("tea", chi=5, late=0), on_hand("cup", dal=5, late=0))
    plan = planned(shop, {"tea": 1, "cup": 1}, 1)
    assert contents(plan) == {"late": {"tea": 1, "cup": 1}}
    assert plan.packages[0].is_dated


def test_nobody_waits_for_supply_that_brings_no_more_units(shop: Shop) -> None:
    shop.given(product_of("tea", backorder_policy=limited(6)))
    shop.given(place("late", at=CHICAGO, backorder=True), on_hand("tea", dal=6, bos=4, late=0))
    plan = planned(shop, {"tea": 10}, 1)
    assert contents(plan) == {"dal": {"tea": 6}}
    assert not plan.packages[0].is_dated


def test_the_part_keeps_to_the_capacity_of_the_day(shop: Shop) -> None:
    room = CalendarFields(schedule(), daily_capacity=2, capacity_unit=CapacityUnit.UNITS)
    shop.given(calendar("chi", room), on_hand("tea", chi=9), on_hand("cup", dal=3))
    plan = planned(shop, {"tea": 9, "cup": 3}, 1)
    assert contents(plan) == {"dal": {"cup": 3}}
    assert unit_count(planned(shop, {"tea": 9, "cup": 3}, 2)) == 5


def test_as_many_packages_as_may_be_are_sent(shop: Shop) -> None:
    shop.given(on_hand("tea", chi=1), on_hand("cup", dal=2), on_hand("jam", bos=3))
    plan = planned(shop, {"tea": 1, "cup": 2, "jam": 3}, 2)
    assert contents(plan) == {"bos": {"jam": 3}, "dal": {"cup": 2}}
    assert removed(plan) == {"packages": 1}


# --- what is told


def test_the_decision_names_the_limit_and_proves_the_part(shop: Shop) -> None:
    shop.given(on_hand("tea", chi=5), on_hand("cup", dal=5))
    placed = shop.gives(Order, order(line("tea"), line("cup"), package_count_max=1))
    (leg,) = placed.decisions[0].legs
    assert dict(leg.removed) == {"stock": 1, "packages": 1}
    assert (leg.skus, leg.used_location_ids) == (("tea",), ("chi",))
    assert leg.is_proven
    assert leg.cost_micros > 0
    assert unsourced_quantities(placed) == {"cup": 1}
    assert placed.attention is Attention.BACKORDERED
    shop.check_replay()


def test_nothing_is_proven_of_a_plan_of_nothing(shop: Shop) -> None:
    shop.given(on_hand("tea", chi=5), on_hand("cup", dal=5))
    lines = (line("tea"), line("cup"))
    placed = shop.gives(Order, order(*lines, package_count_max=1, ship_complete=True))
    (leg,) = placed.decisions[0].legs
    assert placed.fulfillment_orders == ()
    assert not leg.is_proven
    assert dict(leg.removed) == {"stock": 1, "packages": 1}
    shop.given(on_hand("pot", chi=0))
    nowhere = shop.gives(Order, order(line("pot"), as_id="p"))
    assert not nowhere.decisions[0].legs[0].is_proven


def test_the_rest_is_cancelled_where_the_policy_says_so(shop: Shop) -> None:
    shop.given(on_hand("tea", chi=5), on_hand("cup", dal=5))
    lines = (line("tea"), line("cup"))
    placed = shop.gives(
        Order, order(*lines, package_count_max=1, shortage_policy=ShortagePolicy.CANCEL)
    )
    assert work_of(placed) == {"chi": {"tea": 1}}
    assert [each.cancelled_quantity for each in placed.lines] == [0, 1]


def test_the_refusal_names_the_limit(shop: Shop) -> None:
    shop.given(on_hand("tea", chi=5), on_hand("cup", dal=5))
    asked = order(line("tea"), line("cup"), package_count_max=1, shortage_policy=REFUSING)
    refusal = shop.gives(Rejection, asked)
    assert refusal.message == (
        "0 of 1 unit of 'cup' can be fulfilled (locations left out: 1 would be a package too "
        "many): allow more packages, ask for less, or allow backorders"
    )


def test_a_line_of_which_a_part_fits_is_refused_with_that_part(shop: Shop) -> None:
    shop.given(on_hand("tea", chi=3, dal=2))
    asked = order(line("tea", 4), package_count_max=1, shortage_policy=REFUSING)
    message = shop.gives(Rejection, asked).message
    assert message.startswith("3 of 4 units of 'tea' can be fulfilled (locations left out: ")
    assert "would be a package too many" in message


def test_what_comes_when_all_packages_are_taken_waits_by_the_limit(shop: Shop) -> None:
    shop.given(on_hand("tea", chi=5), on_hand("cup", dal=0), on_hand("jam", dal=5))
    shop.given(order(line("tea"), line("cup"), package_count_max=1))
    shop.given(on_hand("cup", dal=5))
    assert shop.serve() is None
    assert work_of(shop.order()) == {"chi": {"tea": 1}}
    edited = shop.gives(Order, edit("o", line("jam")))
    assert dict(edited.decisions[-1].legs[0].removed)["packages"] == 1


def test_what_comes_where_the_rest_is_packed_joins_its_package(shop: Shop) -> None:
    shop.given(on_hand("tea", chi=5), on_hand("cup", chi=0, dal=5))
    shop.given(order(line("tea"), line("cup"), package_count_max=1))
    shop.given(on_hand("cup", chi=1))
    shop.serve()
    assert work_of(shop.order()) == {"chi": {"tea": 1, "cup": 1}}
    assert shop.order().attention is Attention.NONE


def test_an_order_that_waits_as_a_whole_is_served_in_part(shop: Shop) -> None:
    shop.given(on_hand("tea", chi=0), on_hand("cup", dal=0))
    shop.given(order(line("tea"), line("cup"), package_count_max=1))
    shop.given(on_hand("tea", chi=5), on_hand("cup", dal=5))
    shop.serve()
    assert work_of(shop.order()) == {"chi": {"tea": 1}}
    shop.check_replay()


def test_a_place_that_has_only_the_rest_would_be_a_package_too_many(shop: Shop) -> None:
    shop.given(on_hand("tea", chi=5), on_hand("cup", dal=5))
    shop.given(order(line("tea"), line("cup"), package_count_max=1))
    told = explain_decision(
        shop.state, OrderId("o"), None, location_ids=(LocationId("dal"),), now_ms=shop.now_ms
    )
    assert told.locations[0].removed_by == "packages"


# --- where the day is full


def full_shop(shop: Shop) -> Shop:
    """Fill the one place that has tea for the day."""
    room = CalendarFields(schedule(), daily_capacity=1, capacity_unit=CapacityUnit.PACKAGES)
    return shop.given(calendar("chi", room), on_hand("tea", chi=9), order(line("tea"), as_id="x"))


def test_the_refusal_says_that_the_day_is_full_and_not_to_ask_for_less(shop: Shop) -> None:
    refusal = full_shop(shop).gives(Rejection, order(line("tea"), shortage_policy=REFUSING))
    assert refusal.message == (
        "0 of 1 unit of 'tea' can be fulfilled (locations left out: 1 have no capacity left that "
        "day): ask again tomorrow, or allow backorders"
    )


def test_the_refusal_says_what_removed_locations_in_words(shop: Shop) -> None:
    shop.given(on_hand("tea", chi=1), disable("dal"))
    message = shop.gives(Rejection, order(line("tea", 2), shortage_policy=REFUSING)).message
    assert message == (
        "1 of 2 units of 'tea' can be fulfilled (locations left out: 1 out of use): ask for less, "
        "by another method or elsewhere, or allow backorders"
    )


# --- all small cases


stock_of = st.dictionaries(
    st.tuples(st.sampled_from(SKUS), st.sampled_from(tuple(SITES))), st.integers(0, 4)
)
wanted_of = st.dictionaries(st.sampled_from(SKUS), st.integers(1, 4), min_size=1)
Stock = dict[tuple[str, str], int]


def shop_with(stock: Stock) -> Shop:
    """Open the places with a stock."""
    shop = Shop().given(*(place(name, at=where) for name, where in SITES.items()))
    for sku in SKUS:
        shop.given(on_hand(sku, **{name: stock.get((sku, name), 0) for name in SITES}))
    return shop


def most_units(wanted: dict[str, int], stock: Stock, count_max: int) -> int:
    """Return what so few places together can send, of all choices of them."""
    return max(
        sum(
            min(count, sum(stock.get((sku, name), 0) for name in names))
            for sku, count in wanted.items()
        )
        for names in combinations(SITES, min(count_max, len(SITES)))
    )


@pytest.mark.slow
@given(wanted_of, stock_of, st.integers(1, 3))
def test_as_many_units_are_sent_as_go_in_so_few_packages(
    wanted: dict[str, int], stock: Stock, count_max: int
) -> None:
    plan = planned(shop_with(stock), wanted, count_max)
    most = most_units(wanted, stock, count_max)
    assert len(plan.packages) <= count_max
    if count_max == 1 or most == sum(wanted.values()):
        assert unit_count(plan) == most
    # 1 - 1/e of them, as 12/19.
    assert 19 * unit_count(plan) >= 12 * most


@pytest.mark.slow
@given(
    wanted_of,
    stock_of,
    st.tuples(st.sampled_from(SKUS), st.sampled_from(tuple(SITES))),
    st.integers(1, 4),
)
def test_more_stock_never_sends_less_in_one_package(
    wanted: dict[str, int], stock: Stock, cell: tuple[str, str], more: int
) -> None:
    before = planned(shop_with(stock), wanted, 1)
    after = planned(shop_with({**stock, cell: stock.get(cell, 0) + more}), wanted, 1)
    assert unit_count(after) >= unit_count(before)
