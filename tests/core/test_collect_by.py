"""Until when what a customer collects waits: told with the promise, and kept."""

import pytest

from domgrpc.core.order_queries import quote_order
from domgrpc.core.orders import FulfillmentOrder, Order
from domgrpc.core.plans import QuoteOption, QuoteQuestion
from domgrpc.core.values import DeliveryMethod, LocationId, LocationType
from tests.core.commands import on_hand, place
from tests.core.given import Shop
from tests.core.logistics_words import (
    NEW_YORK,
    WORKDAYS,
    at,
    calendar,
    changed,
    local,
    schedule,
)
from tests.core.order_words import BOSTON, CHICAGO, PICKUP, SHIP, edit, line, order, terms

DC = LocationType.DISTRIBUTION_CENTER
TO_STORE = DeliveryMethod.SHIP_TO_STORE
STORE_HOURS = schedule(NEW_YORK, weekdays=WORKDAYS, hours=(9, 18), holidays=("US", ""))


@pytest.fixture
def shop() -> Shop:
    """Return a shop with a distribution centre, and a store that opens on workdays."""
    opened = Shop().at(at("2026-11-20 10:00", NEW_YORK))
    return opened.given(
        place("chi", DC, at=CHICAGO),
        place("bos", at=BOSTON),
        calendar("bos", STORE_HOURS),
        on_hand("tea", chi=50, bos=50),
    )


def placed(shop: Shop, by: DeliveryMethod, as_id: str = "o") -> FulfillmentOrder:
    """Place an order for a unit of tea and return its work."""
    store = "" if by is SHIP else "bos"
    (work,) = shop.gives(Order, order(line("tea", by=by, at=store), as_id=as_id)).fulfillment_orders
    return work


def times(work: FulfillmentOrder | QuoteOption) -> tuple[str, str]:
    """Return from when and until when the store's clocks say that it can be collected."""
    return local(work.deliver_by_time_ms, NEW_YORK), local(work.collect_by_time_ms, NEW_YORK)


def waiting(shop: Shop, hours: int) -> Shop:
    """Let the store keep goods for so many hours at least."""
    return shop.given(changed(calendar("bos", STORE_HOURS), pickup_window_hours=hours))


def test_what_is_collected_waits_for_the_hours_of_the_store_and_until_it_closes(shop: Shop) -> None:
    # A Friday; 72 hours later it is Monday.
    assert times(placed(shop, PICKUP)) == ("2026-11-20 10:00", "2026-11-23 18:00")


def test_a_waiting_that_ends_while_the_store_is_closed_goes_on_until_its_next_closing(
    shop: Shop,
) -> None:
    waiting(shop, 9)
    assert times(placed(shop, PICKUP)) == ("2026-11-20 10:00", "2026-11-23 18:00")


def test_no_waiting_ends_on_a_holiday(shop: Shop) -> None:
    shop.at(at("2026-11-23 11:00", NEW_YORK))
    # 72 hours later it is Thanksgiving.
    assert times(placed(shop, PICKUP)) == ("2026-11-23 11:00", "2026-11-27 18:00")


def test_hours_of_waiting_are_hours_where_the_clocks_change(shop: Shop) -> None:
    shop.given(calendar("bos", schedule(NEW_YORK, hours=(9, 18))))
    shop.given(changed(calendar("bos", schedule(NEW_YORK, hours=(9, 18))), pickup_window_hours=24))
    shop.at(at("2027-03-13 18:00", NEW_YORK)).at(at("2027-03-14 09:00", NEW_YORK))
    assert times(placed(shop, PICKUP))[1] == "2027-03-15 18:00"
    shop.at(at("2027-11-06 17:30", NEW_YORK))
    # In the night the clocks go back: at 17:30 of Sunday 25 hours are over, at 16:30 24.
    assert times(placed(shop, PICKUP, "p")) == ("2027-11-07 09:00", "2027-11-08 18:00")


def test_what_is_sent_to_a_store_waits_there_from_its_opening_on(shop: Shop) -> None:
    shop.given(on_hand("tea", bos=0))
    # It comes on Wednesday evening, the day after is Thanksgiving, and 72 hours end on a Monday.
    assert times(placed(shop, TO_STORE)) == ("2026-11-27 09:00", "2026-11-30 18:00")


def test_what_is_sent_to_the_customer_waits_nowhere(shop: Shop) -> None:
    assert placed(shop, SHIP).collect_by_time_ms == 0


def test_a_later_change_of_the_calendar_keeps_what_was_promised(shop: Shop) -> None:
    before = placed(shop, PICKUP)
    waiting(shop, 200)
    added = line("tea", by=PICKUP, at="bos", name="more")
    old, new = shop.gives(Order, edit("o", added)).fulfillment_orders
    assert old == before
    assert new.collect_by_time_ms > before.collect_by_time_ms


def test_a_store_that_opens_no_more_keeps_goods_for_the_hours_alone(shop: Shop) -> None:
    shop.given(calendar("bos", schedule(NEW_YORK, weekdays=(), special=(("2026-11-20", 9, 18),))))
    assert times(placed(shop, PICKUP)) == ("2026-11-20 10:00", "2026-11-23 10:00")


def test_a_quote_says_until_when_the_first_of_its_packages_waits(shop: Shop) -> None:
    lines = (line("tea", by=PICKUP, at="bos", name="a"), line("tea", by=TO_STORE, at="bos"))
    question = QuoteQuestion(lines, terms())
    (option,) = quote_order(shop.state, question, shop.now_ms).options
    assert times(option)[1] == "2026-11-23 18:00"
    home = QuoteQuestion(lines, terms(), ((SHIP, LocationId("")),))
    (option,) = quote_order(shop.state, home, shop.now_ms).options
    assert option.collect_by_time_ms == 0
