"""Orders by rate cards with weight steps: the plan, its reasons, and what is booked."""

import pytest

from domgrpc.core.leg_explaining import weights_micros
from domgrpc.core.order_queries import explain_decision
from domgrpc.core.orders import Order
from domgrpc.core.products import CreateProducts, ProductFields
from domgrpc.core.values import LocationId, OrderId, Sku
from tests.core.commands import on_hand, place
from tests.core.given import Shop
from tests.core.logistics_words import card, rate
from tests.core.order_words import BOSTON, CHICAGO, edit, line, order

MICROS = 1_000_000


def shop_by_weight(*steps: tuple[int, int], grams: int = 980, package: int = MICROS) -> Shop:
    """Open a warehouse and a store with kettles and mugs, and one card of these steps."""
    zones = tuple(
        rate(zone, package + zone * 10_000, steps=tuple((most, cost) for most, cost in steps))
        for zone in range(1, 9)
    )
    weight = ProductFields(weight_grams=grams)
    return Shop().given(
        place("chicago", at=CHICAGO),
        place("ny", at=BOSTON),
        CreateProducts(products=((Sku("kettle"), weight), (Sku("mug"), weight))),
        card("ground", zones),
    )


@pytest.mark.parametrize(("chicago", "ny"), [(1, 1), (5, 60), (60, 0)])
def test_where_a_step_is_steep_two_light_packages_are_sent(chicago: int, ny: int) -> None:
    shop = shop_by_weight((1_000, MICROS // 2), (30_000, 9 * MICROS))
    shop.given(on_hand("kettle", chicago=chicago, ny=ny))
    placed = shop.gives(Order, order(line("kettle", 2)))
    (leg,) = placed.decisions[0].legs
    assert leg.is_proven
    assert leg.cost_micros < 3.2 * MICROS
    assert len(placed.fulfillment_orders) == 2
    assert sum(work.package_cost_micros for work in placed.fulfillment_orders) == leg.cost_micros


def test_the_rows_of_a_decision_tell_what_weight_adds() -> None:
    shop = shop_by_weight((1_000, 800_000), (20_000, 2_400_000))
    shop.given(on_hand("kettle", chicago=5, ny=1))
    (leg,) = shop.gives(Order, order(line("kettle", 2))).decisions[0].legs
    assert leg.rows.location_ids == ("chicago", "ny")
    assert weights_micros(leg) == (2_400_000, 800_000)


def test_the_explanation_and_the_runner_up_agree_where_prices_go_by_weight() -> None:
    shop = shop_by_weight((1_000, 800_000), (20_000, 1_200_000))
    shop.given(on_hand("kettle", chicago=5, ny=5))
    (leg,) = shop.gives(Order, order(line("kettle", 2))).decisions[0].legs
    assert leg.used_location_ids == ("chicago",)
    assert leg.runner_up_micros is not None
    found = explain_decision(
        shop.state, OrderId("o"), None, location_ids=(LocationId("ny"),), now_ms=shop.now_ms
    )
    assert found.locations[0].cheaper_by_micros == leg.runner_up_micros - leg.cost_micros


def test_nothing_is_added_where_no_card_goes_by_weight() -> None:
    shop = Shop().given(place("chicago", at=CHICAGO), on_hand("kettle", chicago=5))
    (leg,) = shop.gives(Order, order(line("kettle", 2))).decisions[0].legs
    assert weights_micros(leg) == (0,)


# --- parcels that more goods join


def booked(placed: Order) -> int:
    """Return what the work of an order costs."""
    return sum(
        work.package_cost_micros + work.units_cost_micros for work in placed.fulfillment_orders
    )


STEPS = ((1_000, 2 * MICROS), (5_000, 5 * MICROS))


@pytest.fixture
def shop() -> Shop:
    """Open the warehouse and the store, with a card on which a parcel of 2 kg costs 5.00 more."""
    opened = shop_by_weight(*STEPS, grams=900, package=4 * MICROS)
    return opened.given(on_hand("kettle", chicago=9), on_hand("mug", chicago=9))


def test_a_line_that_joins_a_parcel_pays_what_its_weight_adds(shop: Shop) -> None:
    first = booked(shop.gives(Order, order(line("kettle"))))
    edited = shop.gives(Order, edit("o", line("mug")))
    assert len(edited.fulfillment_orders) == 1
    assert booked(edited) == first + 3 * MICROS
    assert edited.decisions[-1].cost_micros == 3 * MICROS
    at_once = shop.gives(Order, order(line("kettle"), line("mug"), as_id="p"))
    assert booked(at_once) == booked(edited)


def test_what_fits_into_the_step_of_a_parcel_joins_it_for_nothing(shop: Shop) -> None:
    shop.given(order(line("kettle", 3), package_count_max=1))
    before = booked(shop.order("o"))
    edited = shop.gives(Order, edit("o", line("mug", 2)))
    assert len(edited.fulfillment_orders) == 1
    assert booked(edited) == before


def test_all_that_joins_a_parcel_is_weighed_together(shop: Shop) -> None:
    shop.given(order(line("kettle")))
    edited = shop.gives(Order, edit("o", line("mug", 5)))
    joined = [work for work in edited.fulfillment_orders if len(work.lines) > 1]
    assert len(joined) == 1
    assert booked(edited) == sum(work.package_cost_micros for work in edited.fulfillment_orders)


def test_an_order_that_joins_the_parcel_of_another_pays_what_it_adds(shop: Shop) -> None:
    shop.given(order(line("kettle"), as_id="a", customer="ann"))
    second = shop.gives(Order, order(line("mug"), as_id="b", customer="ann"))
    third = shop.gives(Order, order(line("mug"), as_id="c", customer="ann"))
    assert [booked(second), booked(third)] == [3 * MICROS, 0]
