"""What work costs by weight and by piece while its order changes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domgrpc.core.order_commands import EditOrder
from domgrpc.core.orders import Order
from domgrpc.core.products import CreateProducts, ProductFields
from domgrpc.core.values import Sku
from tests.core.commands import on_hand, place
from tests.core.given import Shop
from tests.core.logistics_words import card, rate
from tests.core.order_words import CHICAGO, cancel_order, edit, line, order

MICROS = 1_000_000
GRAMS = {"kettle": 900, "mug": 350, "stamp": 0}
STEPS = ((1_000, 2 * MICROS), (2_500, 5 * MICROS), (5_000, 6 * MICROS))


def one_warehouse(
    *, steps: tuple[tuple[int, int], ...] = STEPS, unit: int = 30_000, package: int = 4 * MICROS
) -> Shop:
    """Open a warehouse with goods of three weights, and one card: 5 kg at most by steps."""
    zones = [rate(zone, package, unit=unit, kilogram=200_000, steps=steps) for zone in range(1, 9)]
    products = [(Sku(sku), ProductFields(weight_grams=grams)) for sku, grams in GRAMS.items()]
    return Shop().given(
        place("chicago", at=CHICAGO),
        CreateProducts(products=tuple(products)),
        card("ground", tuple(zones)),
        *(on_hand(sku, chicago=99) for sku in GRAMS),
    )


def costs(placed: Order) -> list[tuple[int, int]]:
    """Return what the package and the units of each work cost."""
    return [
        (work.package_cost_micros, work.units_cost_micros) for work in placed.fulfillment_orders
    ]


Basket = dict[str, int]
baskets: st.SearchStrategy[Basket] = st.fixed_dictionaries(dict.fromkeys(GRAMS, st.integers(1, 9)))


def as_placed(basket: Basket) -> list[tuple[int, int]]:
    """Return what an order costs that is placed so."""
    lines = [line(sku, units) for sku, units in basket.items()]
    return costs(one_warehouse().gives(Order, order(*lines, package_count_max=1)))


def edit_to(basket: Basket) -> EditOrder:
    return edit("o", *(line(sku, units) for sku, units in basket.items()))


@pytest.mark.slow
@given(baskets, st.lists(baskets, min_size=1, max_size=4))
def test_an_order_edited_costs_what_it_would_have_cost_placed_so(
    first: Basket, later: list[Basket]
) -> None:
    shop = one_warehouse()
    shop.given(order(*(line(sku, units) for sku, units in first.items()), package_count_max=1))
    for basket in later:
        shop.given(edit_to(basket))
        assert costs(shop.order("o")) == as_placed(basket)


@pytest.mark.slow
@given(baskets, baskets)
def test_an_order_cancelled_in_part_costs_what_is_left(first: Basket, left: Basket) -> None:
    shop = one_warehouse()
    shop.given(order(*(line(sku, units) for sku, units in first.items()), package_count_max=1))
    stays = {sku: min(units, left[sku]) for sku, units in first.items()}
    gone = {sku: units - stays[sku] for sku, units in first.items() if units > stays[sku]}
    if gone:
        shop.given(cancel_order("o", **gone))
    assert costs(shop.order("o")) == as_placed(stays)


@pytest.fixture
def shared() -> Shop:
    """Let ann order a kettle, and a mug that joins its parcel and pays for the next step."""
    shop = one_warehouse()
    shop.given(order(line("kettle"), as_id="host", customer="ann"))
    return shop.given(order(line("mug", 2), as_id="guest", customer="ann"))


def test_what_a_guest_takes_out_of_the_parcel_it_pays_no_more(shared: Shop) -> None:
    assert [paid for paid, _ in costs(shared.order("guest"))] == [3 * MICROS]
    shared.given(cancel_order("guest", mug=1))
    # 900 g and 350 g are above the first step still.
    assert [paid for paid, _ in costs(shared.order("guest"))] == [3 * MICROS]
    assert [paid for paid, _ in costs(shared.order("host"))] == [6 * MICROS]


def test_a_host_that_becomes_lighter_pays_for_the_weight_of_the_parcel() -> None:
    shop = one_warehouse()
    shop.given(order(line("kettle", 2), as_id="host", customer="ann", package_count_max=1))
    shop.given(order(line("mug"), as_id="guest", customer="ann"))
    assert [paid for paid, _ in costs(shop.order("guest"))] == [0]
    shop.given(cancel_order("host", kettle=1))
    assert [paid for paid, _ in costs(shop.order("host"))] == [9 * MICROS]
    shop.given(cancel_order("guest"))
    shop.given(edit("host", line("stamp")))
    assert [paid for paid, _ in costs(shop.order("host"))] == [9 * MICROS]


def test_a_host_pays_for_its_own_weight_though_a_guest_paid_for_the_step_that_is_gone() -> None:
    shop = one_warehouse(steps=((1_300, 5 * MICROS), (5_000, 20 * MICROS)), package=3 * MICROS)
    shop.given(order(line("kettle"), line("mug"), as_id="host", customer="ann"))
    shop.given(order(line("mug"), as_id="guest", customer="ann"))
    paid = {name: costs(shop.order(name))[0][0] for name in ("host", "guest")}
    assert paid == {"host": 8 * MICROS, "guest": 15 * MICROS}
    shop.given(cancel_order("host", kettle=1))
    assert costs(shop.order("host"))[0][0] == 8 * MICROS


def test_rates_that_rose_since_take_no_more_than_was_paid() -> None:
    shop = one_warehouse(steps=((1_000, MICROS), (5_000, 2 * MICROS)), package=0)
    shop.given(order(line("kettle", 2), package_count_max=1))
    dear = [rate(zone, steps=((1_000, MICROS), (5_000, 99 * MICROS))) for zone in range(1, 9)]
    shop.given(card("ground", tuple(dear)))
    ((_, before),) = costs(shop.order("o"))
    shop.given(cancel_order("o", kettle=1))
    # The step of what is left is as dear as it was.
    assert costs(shop.order("o")) == [(MICROS, before // 2)]


def test_where_no_carrier_goes_any_more_the_package_costs_what_it_did() -> None:
    shop = one_warehouse()
    shop.given(order(line("kettle", 2), package_count_max=1))
    ((paid, units),) = costs(shop.order("o"))
    shop.given(card("ground", (rate(1, 1),), metres_max=1, origin_types=()))
    shop.given(cancel_order("o", kettle=1))
    assert costs(shop.order("o"))[0][1] == units // 2
    assert costs(shop.order("o"))[0][0] <= paid
