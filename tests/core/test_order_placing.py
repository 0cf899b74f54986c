"""Placing orders: which location gets what, and what is refused."""

import pytest

from domgrpc.core.calendars import CapacityUnit
from domgrpc.core.orders import (
    Attention,
    FulfillmentState,
    Order,
    OrderStatus,
    order_status,
    unsourced_quantities,
)
from domgrpc.core.products import CreateProducts, ProductFields
from domgrpc.core.rejections import Reason
from domgrpc.core.safety_stock import RuleKind
from domgrpc.core.values import DAY_MS, DeliveryMethod, LocationType, Sku
from tests.core.commands import (
    disable,
    group,
    on_hand,
    place,
    rule,
)
from tests.core.given import NOON_MS, Shop
from tests.core.logistics_words import calendar, changed, schedule
from tests.core.order_words import (
    BOSTON,
    CHICAGO,
    DALLAS,
    PICKUP,
    REFUSING,
    SHIP,
    line,
    order,
    units_at,
    work_of,
)
from tests.core.scope_words import in_groups

DC, STORE, SUPPLIER = (
    LocationType.DISTRIBUTION_CENTER,
    LocationType.STORE,
    LocationType.SUPPLIER,
)
CURBSIDE, TO_STORE = DeliveryMethod.CURBSIDE, DeliveryMethod.SHIP_TO_STORE
LOCAL, DROP = DeliveryMethod.LOCAL_DELIVERY, DeliveryMethod.DROP_SHIP
NEAR_CHICAGO = (41.95, -87.70)


@pytest.fixture
def shop() -> Shop:
    """Return a shop with two distribution centres, two stores and a supplier."""
    return Shop().given(
        place("chi", DC, at=CHICAGO),
        place("dal", DC, at=DALLAS),
        place("store", STORE, at=NEAR_CHICAGO),
        place("far", STORE, at=BOSTON),
        place("maker", SUPPLIER, at=BOSTON),
    )


def product_of(sku: str, **fields: object) -> CreateProducts:
    """Create a product with these fields."""
    return CreateProducts(products=((Sku(sku), ProductFields(**fields)),))  # type: ignore[arg-type]


# --- one line


def test_an_order_is_fulfilled_from_where_it_costs_least(shop: Shop) -> None:
    shop.given(on_hand("tea", chi=5, dal=5))
    placed = shop.gives(Order, order(line("tea", 2)))
    assert work_of(placed) == {"chi": {"tea": 2}}
    assert order_status(placed) is OrderStatus.OPEN
    assert placed.attention is Attention.NONE
    assert shop.position("tea", "chi").allocated == 2
    assert shop.position("tea", "chi").on_hand == 5


def test_the_work_says_when_it_leaves_and_when_it_arrives(shop: Shop) -> None:
    shop.given(on_hand("tea", chi=5))
    (work,) = shop.gives(Order, order(line("tea"))).fulfillment_orders
    assert work.state is FulfillmentState.OPEN
    assert NOON_MS == work.ready_time_ms < work.ship_by_time_ms < work.deliver_by_time_ms
    assert work.package_cost_micros > 0
    assert work.units_cost_micros > 0


def test_the_decision_adds_up_and_is_proven(shop: Shop) -> None:
    shop.given(on_hand("tea", chi=5, dal=1), on_hand("cup", dal=9))
    placed = shop.gives(Order, order(line("tea", 2), line("cup", 3)))
    (decision,) = placed.decisions
    (leg,) = decision.legs
    assert leg.is_proven
    assert leg.cost_micros == leg.package_micros + leg.units_micros + leg.price_micros
    paid = sum(work.package_cost_micros for work in placed.fulfillment_orders)
    units = sum(work.units_cost_micros for work in placed.fulfillment_orders)
    assert (leg.package_micros, leg.units_micros) == (paid, units)
    assert dict(zip(leg.skus, leg.quantities, strict=True)) == {"tea": 2, "cup": 3}


def test_lines_go_together_where_one_place_has_all_of_them(shop: Shop) -> None:
    shop.given(on_hand("tea", chi=5, dal=5), on_hand("cup", dal=5))
    placed = shop.gives(Order, order(line("tea"), line("cup")))
    assert work_of(placed) == {"dal": {"tea": 1, "cup": 1}}
    assert len(placed.fulfillment_orders) == 1


def test_a_second_order_gets_what_the_first_left(shop: Shop) -> None:
    shop.given(on_hand("tea", chi=3, dal=5), order(line("tea", 2)))
    placed = shop.gives(Order, order(line("tea", 2), as_id="p"))
    assert work_of(placed) == {"dal": {"tea": 2}}


def test_lines_of_one_sku_are_summed_before_they_are_checked(shop: Shop) -> None:
    shop.given(on_hand("tea", chi=3))
    twice = (line("tea", 2, name="a"), line("tea", 2, name="b"))
    refusal = shop.refusal(order(*twice, shortage_policy=REFUSING))
    assert refusal.reason is Reason.INSUFFICIENT_STOCK
    placed = shop.gives(Order, order(*twice))
    assert units_at(placed) == {("a", "chi"): 2, ("b", "chi"): 1}
    assert unsourced_quantities(placed) == {"b": 1}


def test_legs_share_the_stock_of_one_position(shop: Shop) -> None:
    shop.given(on_hand("tea", store=3))
    lines = (line("tea", 2, name="fetch", by=PICKUP, at="store"), line("tea", 2, name="send"))
    placed = shop.gives(Order, order(*lines))
    assert units_at(placed) == {("fetch", "store"): 2, ("send", "store"): 1}
    assert shop.position("tea", "store").allocated == 3
    assert shop.refuses(order(*lines, as_id="p", shortage_policy=REFUSING)) is (
        Reason.INSUFFICIENT_STOCK
    )


# --- delivery methods


def test_each_method_takes_its_own_way_in_one_order(shop: Shop) -> None:
    shop.given(on_hand("tea", chi=9, store=9, maker=9))
    placed = shop.gives(
        Order,
        order(
            line("tea", 1, name="ship"),
            line("tea", 1, name="fetch", by=PICKUP, at="store"),
            line("tea", 1, name="kerb", by=CURBSIDE, at="store"),
            line("tea", 1, name="sent", by=TO_STORE, at="far"),
            line("tea", 1, name="local", by=LOCAL),
            line("tea", 1, name="drop", by=DROP),
        ),
    )
    assert unsourced_quantities(placed) == {}
    found = {
        str(work.lines[0].line_id): (work.location_id, work.destination_location_id)
        for work in placed.fulfillment_orders
    }
    assert found["fetch"] == ("store", "store")
    assert found["kerb"] == ("store", "store")
    assert found["sent"][1] == "far"
    assert found["drop"] == ("maker", "")
    assert found["ship"][0] in ("chi", "store")
    assert found["local"][0] in ("chi", "store")
    methods = [work.delivery_method for work in placed.fulfillment_orders]
    assert methods == [SHIP, PICKUP, CURBSIDE, TO_STORE, LOCAL, DROP]


def test_goods_are_picked_up_only_at_the_store_that_the_line_names(shop: Shop) -> None:
    shop.given(on_hand("tea", chi=9, far=9, store=1))
    placed = shop.gives(Order, order(line("tea", 3, by=PICKUP, at="store")))
    assert units_at(placed) == {("tea", "store"): 1}
    assert placed.attention is Attention.BACKORDERED


def test_local_delivery_reaches_no_farther_than_its_radius(shop: Shop) -> None:
    shop.given(on_hand("tea", store=9))
    assert work_of(shop.gives(Order, order(line("tea", by=LOCAL)))) == {"store": {"tea": 1}}
    refusal = shop.refusal(
        order(line("tea", by=LOCAL), as_id="p", to=DALLAS, shortage_policy=REFUSING)
    )
    assert refusal.reason in (Reason.NO_CANDIDATE, Reason.INSUFFICIENT_STOCK)


def test_a_supplier_needs_its_lead_time(shop: Shop) -> None:
    shop.given(on_hand("tea", maker=9), on_hand("cup", chi=9))
    placed = shop.gives(Order, order(line("tea", by=DROP), line("cup")))
    dropped, shipped = placed.fulfillment_orders
    assert (dropped.location_id, shipped.location_id) == ("maker", "chi")
    assert dropped.ship_by_time_ms >= NOON_MS + 2 * DAY_MS - DAY_MS // 2
    assert dropped.ship_by_time_ms > shipped.ship_by_time_ms


def test_an_order_at_a_counter_is_filled_with_what_lies_elsewhere(shop: Shop) -> None:
    shop.given(on_hand("tea", dal=9))
    placed = shop.gives(Order, order(line("tea"), placed_at_location_id="store"))
    assert work_of(placed) == {"dal": {"tea": 1}}
    assert placed.terms.placed_at_location_id == "store"
    away = shop.gives(
        Order, order(line("tea", by=TO_STORE, at="store"), as_id="p", placed_at_location_id="store")
    )
    (work,) = away.fulfillment_orders
    assert (work.location_id, work.destination_location_id) == ("dal", "store")


def test_a_counter_that_does_not_exist_takes_no_orders(shop: Shop) -> None:
    shop.given(on_hand("tea", dal=9))
    command = order(line("tea"), placed_at_location_id="nowhere")
    assert shop.refuses(command) is Reason.LOCATION_NOT_FOUND


def test_a_store_that_does_not_exist_hands_nothing_out(shop: Shop) -> None:
    shop.given(on_hand("tea", dal=9))
    for by in (PICKUP, CURBSIDE, TO_STORE):
        command = order(line("tea", by=by, at="nowhere"))
        assert shop.refuses(command) is Reason.LOCATION_NOT_FOUND


def test_the_shoes_of_the_seed_example(shop: Shop) -> None:
    shop.given(
        place("nyc", DC, at=(40.7, -74.0)),
        on_hand("dressy", store=1, dal=4),
        on_hand("limited", dal=1, nyc=1, far=1),
    )
    placed = shop.gives(
        Order, order(line("dressy", by=PICKUP, at="store"), line("limited"), to=CHICAGO)
    )
    picked, shipped = placed.fulfillment_orders
    assert (picked.location_id, picked.delivery_method) == ("store", PICKUP)
    assert picked.deliver_by_time_ms < NOON_MS + DAY_MS
    assert shipped.location_id == "nyc"
    assert placed.decisions[0].legs[1].candidate_count == 3
    assert placed.decisions[0].legs[1].is_proven


# --- goods that stay together, or alone


def test_what_is_kept_together_is_never_split(shop: Shop) -> None:
    shop.given(product_of("set", keep_together=True), on_hand("set", chi=2, dal=3))
    placed = shop.gives(Order, order(line("set", 3)))
    assert work_of(placed) == {"dal": {"set": 3}}
    assert shop.refuses(order(line("set", 3), as_id="p", shortage_policy=REFUSING)) is (
        Reason.INSUFFICIENT_STOCK
    )


def test_what_ships_alone_is_a_package_of_its_own(shop: Shop) -> None:
    shop.given(product_of("sofa", ship_alone=True), on_hand("sofa", chi=3), on_hand("tea", chi=3))
    placed = shop.gives(Order, order(line("sofa"), line("tea")))
    assert [len(work.lines) for work in placed.fulfillment_orders] == [1, 1]
    assert {work.location_id for work in placed.fulfillment_orders} == {"chi"}


def test_what_ships_alone_is_short_when_no_place_has_all_of_it(shop: Shop) -> None:
    shop.given(product_of("sofa", ship_alone=True), on_hand("sofa", chi=1, dal=1))
    shop.given(on_hand("tea", chi=3))
    placed = shop.gives(Order, order(line("sofa", 2), line("tea")))
    assert units_at(placed) in (
        {("tea", "chi"): 1},
        {("tea", "chi"): 1, ("sofa", "chi"): 1},
    )
    assert placed.attention is Attention.BACKORDERED


def test_a_package_group_travels_in_one_package(shop: Shop) -> None:
    shop.given(on_hand("tea", chi=5, dal=5), on_hand("cup", dal=5), on_hand("jam", chi=5))
    placed = shop.gives(
        Order, order(line("tea", group="gift"), line("cup", group="gift"), line("jam"))
    )
    assert work_of(placed) == {"dal": {"tea": 1, "cup": 1}, "chi": {"jam": 1}}


def test_a_group_that_no_place_has_does_not_hold_up_the_other_lines(shop: Shop) -> None:
    shop.given(on_hand("tea", chi=5), on_hand("cup", dal=5), on_hand("jam", chi=5))
    placed = shop.gives(
        Order, order(line("tea", group="gift"), line("cup", group="gift"), line("jam"))
    )
    assert units_at(placed) == {("jam", "chi"): 1}
    assert unsourced_quantities(placed) == {"tea": 1, "cup": 1}
    assert placed.attention is Attention.BACKORDERED


def test_of_a_group_nothing_is_sent_where_a_part_is_missing(shop: Shop) -> None:
    shop.given(on_hand("tea", chi=5), on_hand("jam", chi=5), on_hand("cup", chi=0))
    gift = (line("tea", group="gift"), line("cup", group="gift"))
    placed = shop.gives(Order, order(*gift, line("jam")))
    assert units_at(placed) == {("jam", "chi"): 1}


def test_an_order_in_one_package_comes_from_a_place_that_has_all(shop: Shop) -> None:
    shop.given(on_hand("tea", chi=5, dal=5), on_hand("cup", chi=1, far=5), on_hand("jam", far=1))
    shop.given(on_hand("tea", far=1))
    placed = shop.gives(Order, order(line("tea"), line("cup"), line("jam"), package_count_max=1))
    assert set(work_of(placed)) == {"far"}


def test_of_an_order_that_cannot_go_in_so_few_packages_what_fits_is_planned(shop: Shop) -> None:
    shop.given(on_hand("tea", chi=5), on_hand("cup", far=5))
    lines = (line("tea"), line("cup"))
    refused = order(*lines, package_count_max=1, shortage_policy=REFUSING)
    assert shop.refuses(refused) is Reason.INSUFFICIENT_STOCK
    placed = shop.gives(Order, order(*lines, package_count_max=1))
    assert work_of(placed) == {"chi": {"tea": 1}}
    assert unsourced_quantities(placed) == {"cup": 1}
    assert placed.attention is Attention.BACKORDERED


def test_of_a_complete_order_all_is_planned_or_nothing(shop: Shop) -> None:
    shop.given(on_hand("tea", chi=5), on_hand("cup", chi=1))
    lines = (line("tea", 2), line("cup", 2))
    placed = shop.gives(Order, order(*lines, ship_complete=True))
    assert placed.fulfillment_orders == ()
    assert unsourced_quantities(placed) == {"tea": 2, "cup": 2}
    assert shop.position("tea", "chi").allocated == 0
    shop.given(on_hand("cup", chi=2))
    whole = shop.gives(Order, order(*lines, as_id="p", ship_complete=True))
    assert work_of(whole) == {"chi": {"tea": 2, "cup": 2}}


# --- what may not be used


def test_only_places_in_the_scope_are_used(shop: Shop) -> None:
    shop.given(on_hand("tea", chi=5, dal=5), group("south", "dal"))
    placed = shop.gives(Order, order(line("tea"), scope=in_groups("south")))
    assert work_of(placed) == {"dal": {"tea": 1}}
    assert shop.refuses(order(line("tea"), as_id="p", scope=in_groups("west"))) is (
        Reason.GROUP_NOT_FOUND
    )


def test_a_closed_place_and_one_that_cannot_do_the_method_are_left_out(shop: Shop) -> None:
    shop.given(place("shut", DC, at=CHICAGO), place("fetch", STORE, at=CHICAGO, methods=(PICKUP,)))
    shop.given(on_hand("tea", shut=5, fetch=5, dal=5), disable("shut"))
    placed = shop.gives(Order, order(line("tea")))
    assert work_of(placed) == {"dal": {"tea": 1}}
    removed = dict(placed.decisions[0].legs[0].removed)
    assert removed["disabled"] == 1
    assert removed["method"] >= 1


def test_safety_stock_stays_where_it_is_for_the_method_that_it_is_for(shop: Shop) -> None:
    shop.given(on_hand("tea", store=5), rule("keep", 3, location="store", method=SHIP))
    shipped = shop.gives(Order, order(line("tea", 4)))
    assert units_at(shipped) == {("tea", "store"): 2}
    fetched = shop.gives(Order, order(line("tea", 3, by=PICKUP, at="store"), as_id="p"))
    assert units_at(fetched) == {("tea", "store"): 3}


def test_a_store_below_its_minimum_ships_nothing(shop: Shop) -> None:
    shop.given(on_hand("tea", store=5))
    minimum = rule("least", 6, kind=RuleKind.FULFILLMENT_MINIMUM, location="store", method=SHIP)
    shop.given(minimum)
    assert work_of(shop.gives(Order, order(line("tea")))) == {}
    fetched = shop.gives(Order, order(line("tea", by=PICKUP, at="store"), as_id="p"))
    assert work_of(fetched) == {"store": {"tea": 1}}


def test_the_capacity_of_a_day_sends_the_second_order_elsewhere(shop: Shop) -> None:
    shop.given(on_hand("tea", chi=9, dal=9), changed(calendar("chi", schedule()), daily_capacity=1))
    assert work_of(shop.gives(Order, order(line("tea")))) == {"chi": {"tea": 1}}
    assert work_of(shop.gives(Order, order(line("tea"), as_id="p"))) == {"dal": {"tea": 1}}


def test_a_capacity_in_units_is_never_exceeded(shop: Shop) -> None:
    units = {"daily_capacity": 3, "capacity_unit": CapacityUnit.UNITS}
    shop.given(on_hand("tea", chi=9), on_hand("cup", chi=9))
    shop.given(changed(calendar("chi", schedule()), **units))
    placed = shop.gives(Order, order(line("tea", 2), line("cup", 2)))
    assert sum(sum(each.values()) for each in work_of(placed).values()) <= 3
