"""Orders that ship complete keep their meaning: all that nobody has begun is planned, or waits."""

import pytest

from domgrpc.core.orders import Attention, Order, ShortagePolicy, is_unreleased
from domgrpc.core.orders import FulfillmentState as S
from domgrpc.core.rejections import Reason
from domgrpc.core.values import LocationType
from tests.core.commands import disable, on_hand, place
from tests.core.given import Shop
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
    work_of,
)

DC = LocationType.DISTRIBUTION_CENTER
BACKORDER, CANCEL, REFUSE = ShortagePolicy.BACKORDER, ShortagePolicy.CANCEL, ShortagePolicy.REFUSE


@pytest.fixture
def shop() -> Shop:
    """Return a shop with tea in Chicago and cups in Dallas."""
    shop = Shop().given(place("chi", DC, at=CHICAGO), place("dal", DC, at=DALLAS))
    return shop.given(on_hand("tea", chi=5), on_hand("cup", dal=5), on_hand("pot", chi=0))


def complete(
    shop: Shop, policy: ShortagePolicy = BACKORDER, *, packages_max: int = 0, **units: int
) -> Order:
    """Place an order that ships complete."""
    lines = [line(sku, count) for sku, count in units.items()]
    more = {"shortage_policy": policy, "package_count_max": packages_max}
    return shop.gives(Order, order(*lines, ship_complete=True, **more))  # type: ignore[arg-type]


def check_whole(found: Order) -> None:
    """See that nothing is planned while something waits."""
    waits = found.attention is Attention.BACKORDERED
    assert not (waits and any(map(is_unreleased, found.fulfillment_orders)))


def test_all_of_it_waits_when_a_line_is_added_that_nobody_has(shop: Shop) -> None:
    complete(shop, tea=2, cup=2)
    found = shop.gives(Order, edit("o", line("pot", 1)))
    assert work_of(found) == {}
    assert found.attention is Attention.BACKORDERED
    assert (shop.position("tea", "chi").allocated, shop.position("cup", "dal").allocated) == (0, 0)
    shop.check_replay()


def test_all_of_it_waits_when_a_line_grows_beyond_what_is_there(shop: Shop) -> None:
    complete(shop, tea=2, cup=2)
    assert work_of(shop.gives(Order, edit("o", line("tea", 6)))) == {}


def test_all_of_it_is_planned_again_as_soon_as_an_edit_makes_that_possible(shop: Shop) -> None:
    complete(shop, tea=2, cup=2)
    shop.given(edit("o", line("tea", 6)))
    found = shop.gives(Order, edit("o", line("tea", 4)))
    assert work_of(found) == {"chi": {"tea": 4}, "dal": {"cup": 2}}
    assert found.attention is Attention.NONE


def test_an_edit_that_cannot_be_filled_is_refused_where_nothing_may_wait(shop: Shop) -> None:
    complete(shop, REFUSE, tea=2, cup=2)
    assert shop.refuses(edit("o", line("pot", 1))) is Reason.INSUFFICIENT_STOCK
    assert work_of(shop.order()) == {"chi": {"tea": 2}, "dal": {"cup": 2}}


def test_what_is_new_is_cancelled_as_a_whole_where_short_units_are(shop: Shop) -> None:
    complete(shop, CANCEL, tea=2, cup=2)
    found = shop.gives(Order, edit("o", line("pot", 1), line("tea", 4)))
    assert work_of(found) == {"chi": {"tea": 2}, "dal": {"cup": 2}}
    assert [each.cancelled_quantity for each in found.lines] == [2, 0, 1]
    assert found.attention is Attention.NONE


@pytest.mark.parametrize("policy", [BACKORDER, CANCEL, REFUSE])
def test_the_whole_is_planned_anew_where_only_that_is_complete(
    shop: Shop, policy: ShortagePolicy
) -> None:
    complete(shop, policy, packages_max=1, tea=2)
    shop.given(place("bos", DC, at=BOSTON), on_hand("tea", bos=5), on_hand("cup", bos=5))
    found = shop.gives(Order, edit("o", line("cup", 1)))
    assert work_of(found) == {"bos": {"tea": 2, "cup": 1}}
    assert shop.position("tea", "chi").allocated == 0


def test_what_was_released_goes_on_while_the_rest_waits(shop: Shop) -> None:
    (first, _) = complete(shop, tea=2, cup=2).fulfillment_orders
    shop.given(advance(first.fulfillment_order_id, S.RELEASED))
    found = shop.gives(Order, edit("o", line("pot", 1)))
    assert work_of(found) == {first.location_id: {first.lines[0].sku: 2}}
    check_whole(found)
    shop.given(advance(first.fulfillment_order_id, S.SHIPPED))


def test_all_waits_when_a_part_is_given_back_that_nobody_else_has(shop: Shop) -> None:
    first = complete(shop, tea=2, cup=2).fulfillment_orders[0].fulfillment_order_id
    shop.given(advance(first, S.RELEASED))
    found = shop.gives(Order, advance(first, S.CANCELLED))
    assert work_of(found) == {}
    assert found.attention is Attention.BACKORDERED


def test_a_part_that_is_given_back_goes_elsewhere_where_that_is_complete(shop: Shop) -> None:
    first = complete(shop, tea=2, cup=2).fulfillment_orders[0].fulfillment_order_id
    shop.given(place("bos", DC, at=BOSTON), on_hand("tea", bos=5), on_hand("cup", bos=5))
    shop.given(advance(first, S.RELEASED), advance(first, S.CANCELLED))
    assert shop.order().attention is Attention.NONE
    assert sum(units_at(shop.order()).values()) == 4


def test_an_outage_moves_all_that_is_displaced_or_nothing(shop: Shop) -> None:
    complete(shop, tea=2, cup=2)
    shop.given(place("bos", DC, at=BOSTON), on_hand("tea", bos=1), disable("chi"))
    assert shop.replan() is not None
    assert work_of(shop.order()) == {"chi": {"tea": 2}, "dal": {"cup": 2}}
    assert shop.order().attention is Attention.LOCATION_DISABLED


def test_cancelling_units_of_it_keeps_the_rest_planned(shop: Shop) -> None:
    complete(shop, tea=2, cup=2)
    found = shop.gives(Order, cancel_order("o", tea=1))
    assert work_of(found) == {"chi": {"tea": 1}, "dal": {"cup": 2}}
