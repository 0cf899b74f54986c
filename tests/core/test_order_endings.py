"""Orders of which nothing is left to do: they stay so, and are forgotten the oldest first."""

import pytest

from domgrpc.core.orders import FulfillmentState as S
from domgrpc.core.orders import Order, OrderStatus, order_status
from domgrpc.core.rejections import Reason
from domgrpc.core.values import Retention
from tests.core.commands import on_hand, place
from tests.core.given import Shop
from tests.core.order_words import (
    CHICAGO,
    advance,
    cancel_order,
    edit,
    line,
    order,
    put_on_hold,
    take_off_hold,
    work_of,
)


@pytest.fixture
def shop() -> Shop:
    """Return a shop with an order that was cancelled, and one that is with the customer."""
    shop = Shop().given(place("chi", at=CHICAGO), on_hand("tea", chi=50), on_hand("cup", chi=50))
    shop.given(order(line("tea"), as_id="gone"), cancel_order("gone"))
    shop.given(order(line("tea"), as_id="there"))
    return shop.given(*(advance("there/1", step) for step in (S.RELEASED, S.SHIPPED, S.DELIVERED)))


@pytest.mark.parametrize("order_id", ["gone", "there"])
@pytest.mark.parametrize("change", [(line("tea", 5),), (line("cup"),), ()])
def test_a_finished_order_is_not_edited_back_to_life(
    shop: Shop, order_id: str, change: tuple[object, ...]
) -> None:
    before = shop.order(order_id)
    asked = edit(order_id, *change, to=None if change else CHICAGO)  # type: ignore[arg-type]
    assert shop.refuses(asked) is Reason.ORDER_FINISHED
    assert shop.order(order_id) == before


def test_no_hold_is_put_on_a_finished_order(shop: Shop) -> None:
    assert shop.refuses(put_on_hold("gone")) is Reason.ORDER_FINISHED


def test_a_hold_is_taken_off_an_order_that_ended_meanwhile(shop: Shop) -> None:
    shop.given(order(line("tea")), put_on_hold("o"), cancel_order("o"))
    assert shop.gives(Order, put_on_hold("o")).holds
    released = shop.gives(Order, take_off_hold("o"))
    assert not released.holds
    assert order_status(released) is OrderStatus.CANCELLED


def test_an_order_with_a_part_to_come_is_edited(shop: Shop) -> None:
    shop.given(order(line("tea"), line("cup")), cancel_order("o", tea=1))
    assert work_of(shop.gives(Order, edit("o", line("cup", 3)))) == {"chi": {"cup": 3}}


def test_changes_of_a_finished_order_push_no_other_out(shop: Shop) -> None:
    shop.given(order(line("tea")), put_on_hold("o"), cancel_order("o"))
    shop.retain(Retention(finished_orders_max=3))
    shop.given(take_off_hold("o"))
    assert sorted(shop.state.orders.by_id) == ["gone", "o", "there"]
    shop.check_replay()


def test_of_finished_orders_the_one_that_ended_first_is_forgotten_first(shop: Shop) -> None:
    shop.given(order(line("tea")), put_on_hold("o"), cancel_order("o"))
    shop.retain(Retention(finished_orders_max=3))
    shop.given(take_off_hold("o"), order(line("tea"), as_id="p"), cancel_order("p"))
    assert sorted(shop.state.orders.by_id) == ["o", "p", "there"]
    shop.check_replay()
