"""Edits of what leaves from one place: it is planned as if all of it had been placed at once."""

import pytest

from domgrpc.core.location_groups import DeleteLocationGroup
from domgrpc.core.orders import FulfillmentState as S
from domgrpc.core.orders import Order, unsourced_quantities
from domgrpc.core.products import CreateProducts, ProductFields
from domgrpc.core.rejections import Reason
from domgrpc.core.values import GroupId, LocationType, Sku
from tests.core.commands import group, on_hand, place
from tests.core.given import Shop
from tests.core.order_words import (
    CHICAGO,
    DALLAS,
    advance,
    cancel_order,
    edit,
    line,
    order,
    units_at,
)
from tests.core.scope_words import in_groups

DC = LocationType.DISTRIBUTION_CENTER


@pytest.fixture
def sets() -> Shop:
    """Return a shop with an order of a product that leaves from one place."""
    kept = ProductFields(keep_together=True)
    return Shop().given(
        place("chi", DC, at=CHICAGO),
        place("dal", DC, at=DALLAS),
        CreateProducts(products=((Sku("set"), kept), (Sku("cup"), ProductFields()))),
        on_hand("set", chi=1, dal=5),
        on_hand("cup", chi=5, dal=5),
        order(line("set", name="one")),
    )


def test_an_added_line_of_what_is_kept_together_leaves_from_where_the_other_does(
    sets: Shop,
) -> None:
    edited = sets.gives(Order, edit("o", line("set", name="two")))
    assert units_at(edited) == {("one", "dal"): 1, ("two", "dal"): 1}


def test_what_is_packed_with_a_line_that_is_planned_anew_is_planned_with_it(sets: Shop) -> None:
    sets.given(order(line("set", name="one", group="g"), line("cup", group="g"), as_id="p"))
    sets.given(cancel_order("o"))
    edited = sets.gives(Order, edit("p", line("set", name="two")))
    places = {(name, "dal"): 1 for name in ("one", "two", "cup")}
    assert units_at(edited) == places


def test_an_added_line_leaves_alone_what_somebody_works_on(sets: Shop) -> None:
    sets.given(advance("o/1", S.RELEASED))
    edited = sets.gives(Order, edit("o", line("set", name="two")))
    assert units_at(edited) == {("one", "chi"): 1, ("two", "dal"): 1}


def test_more_is_refused_where_nobody_is_left_who_may_be_asked() -> None:
    shop = Shop().given(place("dal", DC, at=DALLAS), on_hand("tea", dal=5), group("west", "dal"))
    shop.given(order(line("tea"), scope=in_groups("west")))
    shop.given(DeleteLocationGroup(group_id=GroupId("west")))
    assert shop.refuses(edit("o", line("tea", 2))) is Reason.GROUP_NOT_FOUND


def test_an_edit_that_only_gives_back_passes_where_nobody_can_be_asked_for_what_waits() -> None:
    shop = Shop().given(place("dal", DC, at=DALLAS), group("west", "dal"))
    shop.given(on_hand("tea", dal=5), on_hand("cup", dal=0))
    shop.given(order(line("tea", 2), line("cup"), scope=in_groups("west")))
    shop.given(DeleteLocationGroup(group_id=GroupId("west")))
    edited = shop.gives(Order, edit("o", line("tea", 1)))
    assert units_at(edited) == {("tea", "dal"): 1}
    assert sum(unsourced_quantities(edited).values()) == 1
    assert shop.refuses(edit("o", line("cup", 2))) is Reason.GROUP_NOT_FOUND
    assert shop.refuses(edit("o", to=DALLAS)) is Reason.GROUP_NOT_FOUND
