"""Orders that take over what was held for them: by a quote, or by a reservation."""

import pytest

from domgrpc.core.order_commands import HoldQuote, PlaceOrder
from domgrpc.core.orders import (
    Order,
    OrderLine,
    OrderTerms,
)
from domgrpc.core.plans import Quote
from domgrpc.core.rejections import Reason, Rejection
from domgrpc.core.reservations import ReservationState
from domgrpc.core.values import (
    DAY_MS,
    MINUTE_MS,
    DeliveryMethod,
    LocationId,
    LocationType,
    ReservationId,
)
from tests.core.commands import on_hand, place, release, reserve
from tests.core.given import Shop
from tests.core.order_words import (
    BOSTON,
    CHICAGO,
    DALLAS,
    PICKUP,
    REFUSING,
    line,
    order,
    terms,
    work_of,
)

DC = LocationType.DISTRIBUTION_CENTER
UNSPECIFIED = DeliveryMethod.UNSPECIFIED
MINUTE = MINUTE_MS
Ways = tuple[tuple[DeliveryMethod, LocationId], ...]


@pytest.fixture
def shop() -> Shop:
    """Return a shop with two distribution centres and two stores."""
    return Shop().given(
        place("chi", DC, at=CHICAGO),
        place("dal", DC, at=DALLAS),
        place("store", at=(41.95, -87.70)),
        place("bos", at=BOSTON),
    )


def held_quote(
    shop: Shop, *lines: OrderLine, ttl_ms: int = MINUTE, as_id: str = "hold", **more: object
) -> Quote:
    """Hold the stock of a quote."""
    command = hold(*lines, ttl_ms=ttl_ms, as_id=as_id, **more)  # type: ignore[arg-type]
    return shop.gives(Quote, command)


def hold(
    *lines: OrderLine,
    ttl_ms: int = MINUTE,
    as_id: str = "hold",
    methods: Ways = (),
    **more: object,
) -> HoldQuote:
    """Ask for a quote whose stock is held."""
    asked: OrderTerms = terms(**more)  # type: ignore[arg-type]
    return HoldQuote(lines, asked, ttl_ms, ReservationId(as_id), methods)


# --- holding the stock of a quote


def test_the_stock_of_a_quote_is_held_and_taken_over_once(shop: Shop) -> None:
    shop.given(on_hand("tea", chi=2))
    found = held_quote(shop, line("tea", 2))
    assert found.reservation is not None
    assert found.options[0].quoted.reservation_id == "hold"
    assert shop.position("tea", "chi").soft_reserved == 2
    assert shop.refuses(order(line("tea"), as_id="p", shortage_policy=REFUSING)) is (
        Reason.INSUFFICIENT_STOCK
    )
    plan = found.options[0].quoted
    placed = shop.gives(Order, order(line("tea", 2), quoted=plan))
    assert work_of(placed) == {"chi": {"tea": 2}}
    position = shop.position("tea", "chi")
    assert (position.on_hand, position.soft_reserved, position.allocated) == (2, 0, 2)
    assert shop.reservation("hold").state is ReservationState.CONFIRMED
    again = order(line("tea", 2), as_id="again", quoted=plan)
    assert shop.refuses(again) is Reason.ILLEGAL_TRANSITION


def test_a_quote_stays_good_as_long_as_its_stock_is_held(shop: Shop) -> None:
    shop.given(on_hand("tea", chi=2))
    plan = held_quote(shop, line("tea", 2), ttl_ms=DAY_MS).options[0].quoted
    shop.later(DAY_MS - 1)
    shop.given(order(line("tea", 2), quoted=plan))


def test_a_quote_whose_hold_is_over_is_good_while_the_stock_is_there(shop: Shop) -> None:
    shop.given(on_hand("tea", chi=2))
    plan = held_quote(shop, line("tea", 2), ttl_ms=1_000).options[0].quoted
    shop.later(2_000)
    assert work_of(shop.gives(Order, order(line("tea", 2), quoted=plan))) == {"chi": {"tea": 2}}


def test_what_cannot_be_planned_whole_is_not_held(shop: Shop) -> None:
    shop.given(on_hand("tea", chi=2), on_hand("cup", chi=0))
    assert shop.refuses(hold(line("tea", 3))) is Reason.INSUFFICIENT_STOCK
    assert shop.refuses(hold(line("cup"), as_id="p")) is Reason.NO_CANDIDATE
    assert shop.refuses(hold(line("jam"), as_id="q")) is Reason.SKU_NOT_FOUND
    ways = ((PICKUP, LocationId("")),)
    assert shop.refuses(hold(line("tea"), as_id="r", methods=ways)) is Reason.NO_CANDIDATE
    assert shop.refuses(hold(line("tea"), as_id="s", ttl_ms=1)) is Reason.TTL_OUT_OF_RANGE


# --- placing with a reservation


def test_the_units_of_a_hold_are_free_for_its_order(shop: Shop) -> None:
    shop.given(on_hand("tea", chi=3), reserve(("tea", "chi", 2), as_id="hold"))
    placed = shop.gives(Order, order(line("tea", 3), hold="hold", shortage_policy=REFUSING))
    assert work_of(placed) == {"chi": {"tea": 3}}
    position = shop.position("tea", "chi")
    assert (position.soft_reserved, position.allocated) == (0, 3)


def test_what_an_order_does_not_need_of_its_hold_is_given_back(shop: Shop) -> None:
    shop.given(on_hand("tea", chi=5, dal=5))
    shop.given(reserve(("tea", "dal", 4), as_id="hold"))
    placed = shop.gives(Order, order(line("tea", 1), hold="hold"))
    assert work_of(placed) == {"chi": {"tea": 1}}
    for name in ("chi", "dal"):
        assert shop.position("tea", name).soft_reserved == 0
    assert shop.position("tea", "dal").allocated == 0


def test_an_order_takes_over_no_hold_of_something_that_it_does_not_have(shop: Shop) -> None:
    shop.given(on_hand("tea", chi=5), on_hand("cup", chi=5))
    shop.given(reserve(("tea", "chi", 1), ("cup", "chi", 1), as_id="hold"))
    refusal = shop.gives(Rejection, order(line("tea"), hold="hold"))
    assert refusal.reason is Reason.RESERVATION_MISMATCH
    assert "holds 1 unit of 'cup', which the order does not have" in refusal.message
    assert shop.reservation("hold").state is ReservationState.HELD
    both = order(line("tea"), line("cup"), hold="hold")
    assert work_of(shop.gives(Order, both)) == {"chi": {"tea": 1, "cup": 1}}


def test_a_hold_is_taken_over_once_and_only_while_it_is_open(shop: Shop) -> None:
    shop.given(on_hand("tea", chi=9))
    for name in ("used", "gone", "late"):
        shop.given(reserve(("tea", "chi", 1), as_id=name, ttl_ms=1_000))
    shop.given(order(line("tea"), hold="used"), release("gone")).later(1_000)
    reasons = {
        name: shop.refuses(order(line("tea"), as_id=name, hold=name))
        for name in ("used", "gone", "late", "never")
    }
    assert reasons == {
        "used": Reason.ILLEGAL_TRANSITION,
        "gone": Reason.ILLEGAL_TRANSITION,
        "late": Reason.RESERVATION_EXPIRED,
        "never": Reason.RESERVATION_NOT_FOUND,
    }
    assert shop.position("tea", "chi").allocated == 1


def test_a_refused_order_leaves_its_hold_as_it_was(shop: Shop) -> None:
    shop.given(on_hand("tea", chi=1), reserve(("tea", "chi", 1), as_id="hold"))
    command = order(line("tea", 2), hold="hold", shortage_policy=REFUSING)
    assert shop.refuses(command) is Reason.INSUFFICIENT_STOCK
    assert shop.reservation("hold").state is ReservationState.HELD
    assert shop.position("tea", "chi").soft_reserved == 1


def test_a_retried_order_takes_its_hold_once(shop: Shop) -> None:
    shop.given(on_hand("tea", chi=3), reserve(("tea", "chi", 2), as_id="hold"))
    command: PlaceOrder = order(line("tea", 2), hold="hold")
    first = shop.send(command, request_id="r")
    again = shop.send(command, request_id="r")
    assert again.outcome == first.outcome
    assert again.replayed
    assert shop.position("tea", "chi").allocated == 2
    shop.check_replay()
