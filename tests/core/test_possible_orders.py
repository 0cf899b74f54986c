"""Orders that no stock could ever cure are refused; what stock can cure waits for it."""

import pytest

from domgrpc.core.moments import instant_text
from domgrpc.core.order_commands import HoldQuote
from domgrpc.core.order_queries import quote_order
from domgrpc.core.orders import Order, OrderLine, unsourced_quantities
from domgrpc.core.plans import Quote, QuoteQuestion
from domgrpc.core.products import CreateProducts, ProductFields
from domgrpc.core.rejections import Reason, Rejected, Rejection
from domgrpc.core.values import (
    DAY_MS,
    HOUR_MS,
    MINUTE_MS,
    DeliveryMethod,
    LocationId,
    LocationType,
    ReservationId,
    Sku,
    TimeMs,
)
from tests.core.commands import disable, on_hand, place
from tests.core.given import NOON_MS, Shop
from tests.core.order_words import (
    CHICAGO,
    PICKUP,
    REFUSING,
    SHIP,
    edit,
    line,
    order,
    terms,
    work_of,
)

DC = LocationType.DISTRIBUTION_CENTER
BY_SUPPLIER = DeliveryMethod.DROP_SHIP


@pytest.fixture
def shop() -> Shop:
    """Return a shop with a distribution centre, a store, and a product of which there is none."""
    return Shop().given(
        place("chi", DC, at=CHICAGO),
        place("store", at=CHICAGO),
        on_hand("tea", chi=5, store=5),
        on_hand("jar", chi=0),
    )


IMPOSSIBLE = [
    (line("tea", by=PICKUP, at="chi"), {}, Reason.DELIVERY_METHOD_UNSUPPORTED, "cannot do PICKUP"),
    (line("tea", by=BY_SUPPLIER), {}, Reason.NO_CANDIDATE, "no location can do"),
    (
        line("tea"),
        {"promise_time_ms": TimeMs(NOON_MS - 1), "promise_is_hard": True},
        Reason.NO_CANDIDATE,
        "promise a later time",
    ),
]


@pytest.mark.parametrize(("wanted", "more", "reason", "words"), IMPOSSIBLE)
def test_what_no_stock_could_cure_is_refused(
    shop: Shop, wanted: OrderLine, more: dict[str, object], reason: Reason, words: str
) -> None:
    refusal = shop.gives(Rejection, order(wanted, **more))  # type: ignore[arg-type]
    assert refusal.reason is reason
    assert words in refusal.message
    assert shop.state.orders.by_id == {}


@pytest.mark.parametrize(("wanted", "more", "reason", "words"), IMPOSSIBLE)
def test_what_no_stock_could_cure_is_not_quoted(
    shop: Shop, wanted: OrderLine, more: dict[str, object], reason: Reason, words: str
) -> None:
    question = QuoteQuestion((wanted,), terms(**more))  # type: ignore[arg-type]
    with pytest.raises(Rejected, match=words) as refused:
        quote_order(shop.state, question, shop.now_ms)
    assert refused.value.rejection.reason is reason


def test_of_several_ways_only_those_that_are_possible_are_quoted(shop: Shop) -> None:
    ways = ((SHIP, LocationId("")), (BY_SUPPLIER, LocationId("")), (PICKUP, LocationId("chi")))
    question = QuoteQuestion((line("tea"),), terms(), ways)
    found = quote_order(shop.state, question, shop.now_ms)
    assert [option.delivery_method for option in found.options] == [SHIP]


def test_no_edit_adds_what_no_stock_could_cure(shop: Shop) -> None:
    shop.given(order(line("tea")))
    added = edit("o", line("jar", by=PICKUP, at="chi"))
    assert shop.refuses(added) is Reason.DELIVERY_METHOD_UNSUPPORTED
    moved = edit("o", line("tea", by=BY_SUPPLIER))
    assert shop.refuses(moved) is Reason.NO_CANDIDATE


def test_an_edit_that_asks_for_less_is_taken_also_after_the_promise(shop: Shop) -> None:
    by_then = TimeMs(NOON_MS + 5 * DAY_MS)
    shop.given(order(line("tea", 3), promise_time_ms=by_then, promise_is_hard=True))
    shop.later(9 * DAY_MS)
    assert work_of(shop.gives(Order, edit("o", line("tea", 2)))) == {"chi": {"tea": 2}}
    assert shop.refuses(edit("o", line("tea", 3))) is Reason.NO_CANDIDATE


def test_what_stock_or_an_open_door_can_cure_waits(shop: Shop) -> None:
    assert unsourced_quantities(shop.gives(Order, order(line("jar"), as_id="a"))) == {"jar": 1}
    shop.given(disable("store"))
    collected = order(line("tea", by=PICKUP, at="store"), as_id="b")
    assert unsourced_quantities(shop.gives(Order, collected)) == {"tea": 1}


# --- what a refusal tells


def test_a_refusal_says_how_many_units_there_are(shop: Shop) -> None:
    refusal = shop.gives(Rejection, order(line("tea", 10_000), shortage_policy=REFUSING))
    assert "10 of 10000 units of 'tea' can be fulfilled" in refusal.message
    assert [each.available_quantity for each in refusal.short_lines] == [10]


def test_a_refusal_of_what_is_to_be_complete_names_the_lines_that_are_short(shop: Shop) -> None:
    wanted = order(line("tea", 2), line("jar"), ship_complete=True, shortage_policy=REFUSING)
    refusal = shop.gives(Rejection, wanted)
    assert [(each.sku, each.available_quantity) for each in refusal.short_lines] == [("jar", 0)]


def test_a_refusal_of_what_is_kept_together_says_so(shop: Shop) -> None:
    kept = ProductFields(keep_together=True)
    shop.given(CreateProducts(products=((Sku("set"), kept),)), on_hand("set", chi=2, store=2))
    refusal = shop.gives(Rejection, order(line("set", 3), shortage_policy=REFUSING))
    assert "0 of 3 units of 'set' can be fulfilled, all from one place" in refusal.message


def test_a_hold_that_is_refused_says_what_there_is_by_the_way_that_was_asked(shop: Shop) -> None:
    command = HoldQuote(
        (line("tea", 7),),
        terms(),
        MINUTE_MS,
        ReservationId("hold"),
        ((PICKUP, LocationId("store")),),
    )
    refusal = shop.gives(Rejection, command)
    assert "5 of 7 units of 'tea' can be fulfilled" in refusal.message
    assert isinstance(shop.gives(Quote, HoldQuote((line("tea", 7),), terms(), MINUTE_MS)), Quote)


def test_a_promise_that_cannot_be_kept_is_told_in_times(shop: Shop) -> None:
    by_then = TimeMs(NOON_MS + HOUR_MS)
    asked = order(line("tea"), promise_time_ms=by_then, promise_is_hard=True)
    refusal = shop.refusal(asked)
    assert f"is to be there by {instant_text(by_then)} without fail" in refusal.message
    soonest = instant_text(int(refusal.facts["deliver_by_time_ms"]))
    assert f"by SHIP_TO_HOME it can be by {soonest}: promise a later time" in refusal.message
