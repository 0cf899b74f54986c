"""Parcels: goods join a parcel of the same customer and address that is still open, for nothing."""

import pytest

from domgrpc.core.dispatch import Command
from domgrpc.core.orders import FulfillmentOrder, FulfillmentState, Order, unsourced_quantities
from domgrpc.core.products import CreateProducts, ProductFields
from domgrpc.core.rule_sets import CreateRuleSet, RoutingPrices, RuleSetContent
from domgrpc.core.values import DAY_MS, DeliveryMethod, LocationType, OrderId, Sku
from tests.core.commands import announce, from_inbound, on_hand, place, product, stock
from tests.core.given import NOON_MS, Shop
from tests.core.logistics_words import calendar, changed, schedule
from tests.core.order_words import (
    BOSTON,
    CHICAGO,
    DALLAS,
    advance,
    cancel_order,
    edit,
    line,
    order,
    units_at,
)
from tests.core.routing_rules import activate, validate

DC = LocationType.DISTRIBUTION_CENTER
S = FulfillmentState
HOUR_MS = 3_600_000


@pytest.fixture
def shop() -> Shop:
    """Return a shop whose customer has a parcel from Dallas on its way to Chicago."""
    shop = Shop().given(place("chi", DC, at=CHICAGO), place("dal", DC, at=DALLAS))
    shop.given(on_hand("tea", dal=5), on_hand("cup", chi=5, dal=5))
    return shop.given(order(line("tea"), as_id="first", customer="ann"))


def placed_by(shop: Shop, customer: str = "ann", **more: object) -> FulfillmentOrder:
    """Order a cup and return its only work."""
    command = order(line("cup"), customer=customer, **more)  # type: ignore[arg-type]
    found = shop.gives(Order, command)
    (work,) = found.fulfillment_orders
    return work


def first_parcel(shop: Shop) -> FulfillmentOrder:
    """Return the parcel from Dallas."""
    return shop.state.orders.by_id[OrderId("first")].fulfillment_orders[0]


def test_goods_join_an_open_parcel_of_the_customer_for_nothing(shop: Shop) -> None:
    work = placed_by(shop)
    assert (work.location_id, work.parcel_id) == ("dal", "first/1")
    assert work.package_cost_micros == 0
    assert work.units_cost_micros > 0
    parcel = first_parcel(shop)
    assert (work.ship_by_time_ms, work.deliver_by_time_ms, work.capacity_day) == (
        parcel.ship_by_time_ms,
        parcel.deliver_by_time_ms,
        parcel.capacity_day,
    )


@pytest.mark.parametrize("customer", ["", "bob"])
def test_goods_of_others_travel_alone(shop: Shop, customer: str) -> None:
    work = placed_by(shop, customer)
    assert (work.location_id, work.parcel_id) == ("chi", "")


def test_goods_to_another_address_travel_alone(shop: Shop) -> None:
    work = placed_by(shop, to=BOSTON)
    assert work.parcel_id == ""


@pytest.mark.parametrize("steps", [(S.RELEASED,), (S.RELEASED, S.SHIPPED)])
def test_a_parcel_that_somebody_works_on_takes_nothing_more(
    shop: Shop, steps: tuple[FulfillmentState, ...]
) -> None:
    shop.given(*(advance("first/1", step) for step in steps))
    assert placed_by(shop).parcel_id == ""


def test_a_cancelled_parcel_takes_nothing_more(shop: Shop) -> None:
    shop.given(cancel_order("first"))
    assert placed_by(shop).parcel_id == ""


def test_a_parcel_that_waits_for_supply_takes_nothing_more(shop: Shop) -> None:
    shop.given(place("bos", DC, at=BOSTON, backorder=True))
    shop.given(product("jam", backorder=from_inbound(30)), on_hand("pot", bos=5))
    shop.given(stock(announce("jam", "bos", 5, due_ms=NOON_MS + 9 * DAY_MS)))
    shop.given(order(line("jam"), as_id="waits", customer="ann"))
    (work,) = shop.gives(Order, order(line("pot"), customer="ann")).fulfillment_orders
    assert (work.location_id, work.parcel_id) == ("bos", "")


def test_goods_that_are_ready_too_late_for_the_parcel_travel_alone(shop: Shop) -> None:
    shop.at(first_parcel(shop).ship_by_time_ms - HOUR_MS)
    work = placed_by(shop)
    assert work.parcel_id == ""
    assert work.ship_by_time_ms > first_parcel(shop).ship_by_time_ms


def test_a_chain_of_goods_joins_the_first_parcel(shop: Shop) -> None:
    placed_by(shop)
    (work,) = shop.gives(
        Order, order(line("tea"), as_id="third", customer="ann")
    ).fulfillment_orders
    assert work.parcel_id == "first/1"


def test_what_ships_alone_joins_no_parcel_and_lets_nothing_join(shop: Shop) -> None:
    alone = ProductFields(ship_alone=True)
    shop.given(CreateProducts(products=((Sku("sofa"), alone),)), on_hand("sofa", dal=5))
    (sofa,) = shop.gives(Order, order(line("sofa"), customer="ann")).fulfillment_orders
    assert sofa.parcel_id == ""
    shop.given(order(line("sofa"), as_id="p", customer="bob"))
    assert placed_by(shop, "bob", as_id="q").parcel_id == ""


def test_a_full_day_still_takes_what_joins_a_parcel(shop: Shop) -> None:
    shop.given(changed(calendar("dal", schedule()), daily_capacity=1))
    shop.given(order(line("tea"), as_id="full", customer="bob"))
    (work,) = shop.gives(Order, order(line("tea"), customer="bob")).fulfillment_orders
    assert work.parcel_id == "full/1"


def test_goods_that_are_added_to_an_order_join_its_own_parcel(shop: Shop) -> None:
    placed = shop.gives(Order, edit("first", line("cup", 2)))
    (work,) = placed.fulfillment_orders
    assert units_at(placed) == {("tea", "dal"): 1, ("cup", "dal"): 2}
    assert work.fulfillment_order_id == "first/1"
    assert shop.position("cup", "dal").allocated == 2


def test_by_another_method_goods_join_nothing(shop: Shop) -> None:
    local = DeliveryMethod.DROP_SHIP
    shop.given(place("maker", LocationType.SUPPLIER, at=DALLAS), on_hand("pot", maker=5, dal=5))
    (work,) = shop.gives(Order, order(line("pot", by=local), customer="ann")).fulfillment_orders
    assert work.parcel_id == ""


def test_the_price_of_a_split_is_not_taken_off_what_joins(shop: Shop) -> None:
    prices = RoutingPrices(split_penalty_micros=5_000_000)
    shop.given(CreateRuleSet(content=RuleSetContent(prices=prices)), validate(1), activate(1))
    placed = shop.gives(Order, order(line("cup"), customer="ann"))
    (leg,) = placed.decisions[0].legs
    assert (leg.package_micros, leg.price_micros) == (0, 0)
    assert leg.cost_micros == leg.units_micros > 0


def test_the_same_parcel_is_joined_after_a_restart(shop: Shop) -> None:
    shop.given(edit("first", line("cup", 1)))
    again = shop.reopened()
    assert placed_by(again) == placed_by(shop)


def split_penalty(micros: int) -> tuple[Command, ...]:
    """Write the commands of a rule set with a price for each package beyond the first."""
    prices = RoutingPrices(split_penalty_micros=micros, late_day_micros=0)
    content = RuleSetContent(prices=prices)
    return (CreateRuleSet(content=content), validate(1), activate(1))


def test_a_first_package_nearby_wins_against_a_parcel_far_away() -> None:
    shop = Shop().given(
        place("far", at=(21.3, -157.8)),
        place("chi", at=CHICAGO),
        on_hand("pot", far=5),
        on_hand("jam", far=50, chi=50),
        *split_penalty(100_000_000),
        order(line("pot"), as_id="first", customer="ann"),
    )
    by_ann, by_bob = (
        shop.gives(Order, order(line("jam", 10), as_id=who, customer=who)) for who in ("ann", "bob")
    )
    assert [work.location_id for work in by_ann.fulfillment_orders] == ["chi"]
    ann, bob = by_ann.decisions[-1].legs[0], by_bob.decisions[-1].legs[0]
    assert ann.cost_micros == bob.cost_micros == ann.lower_bound_micros


def test_joining_wins_where_it_is_cheaper_and_is_proven() -> None:
    shop = Shop().given(
        place("chi", at=CHICAGO),
        place("mil", at=(43.0, -87.9)),
        on_hand("pot", chi=5),
        on_hand("jam", chi=5, mil=5),
        *split_penalty(3_000_000),
        order(line("pot"), as_id="first", customer="ann"),
    )
    placed = shop.gives(Order, order(line("jam"), customer="ann"))
    assert [work.parcel_id for work in placed.fulfillment_orders] == ["first/1"]
    leg = placed.decisions[-1].legs[0]
    assert leg.cost_micros == leg.lower_bound_micros


def test_beside_what_ships_alone_the_rest_joins_the_parcel() -> None:
    alone = ProductFields(ship_alone=True)
    shop = Shop().given(
        place("chi", at=CHICAGO),
        CreateProducts(products=((Sku("rug"), alone),)),
        on_hand("jam", chi=9),
        on_hand("rug", chi=9),
        order(line("jam"), as_id="first", customer="ann"),
    )
    placed = shop.gives(Order, order(line("jam"), line("rug"), customer="ann"))
    joined = {work.lines[0].sku: work.parcel_id for work in placed.fulfillment_orders}
    assert joined == {"jam": "first/1", "rug": ""}
    leg = placed.decisions[-1].legs[0]
    assert leg.is_proven
    assert list(leg.rows.location_ids) == ["chi", "chi"]


def test_lines_of_one_sku_in_one_group_travel_in_one_package() -> None:
    shop = Shop().given(
        place("chi", at=CHICAGO), place("bos", at=BOSTON), on_hand("jam", chi=1, bos=1)
    )
    pair = (line("jam", name="1", group="gift"), line("jam", name="2", group="gift"))
    waiting = shop.gives(Order, order(*pair))
    assert waiting.fulfillment_orders == ()
    shop.given(on_hand("jam", bos=2))
    (work,) = shop.gives(Order, order(*pair, as_id="next")).fulfillment_orders
    assert work.location_id == "bos"


def test_where_no_package_more_is_allowed_what_ships_alone_waits(shop: Shop) -> None:
    alone = ProductFields(ship_alone=True)
    shop.given(CreateProducts(products=((Sku("rug"), alone),)), on_hand("rug", chi=9, dal=9))
    shop.given(order(line("tea"), package_count_max=1))
    shop.given(edit("o", line("cup"), line("rug")))
    placed = shop.order()
    assert units_at(placed) == {("tea", "dal"): 1, ("cup", "dal"): 1}
    assert unsourced_quantities(placed) == {"rug": 1}


def test_groups_that_share_nothing_travel_on_their_own() -> None:
    shop = Shop().given(place("chi", at=CHICAGO), place("dal", at=DALLAS))
    shop.given(on_hand("pot", chi=9), on_hand("lid", chi=9, dal=9))
    shop.given(on_hand("cup", dal=9), on_hand("tea", chi=9, dal=9))
    pairs = [("pot", "one"), ("lid", "one"), ("cup", "two"), ("tea", "two")]
    placed = shop.gives(Order, order(*(line(sku, group=name) for sku, name in pairs)))
    assert units_at(placed) == {
        ("pot", "chi"): 1,
        ("lid", "chi"): 1,
        ("cup", "dal"): 1,
        ("tea", "dal"): 1,
    }
