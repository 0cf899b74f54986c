"""Deadlines, backorders, bounds and previews of holds."""

import pytest

from domgrpc.core.rejections import Alternative, Reason, ShortLine
from domgrpc.core.reservations import Reservation, ReservationState
from domgrpc.core.values import (
    QUANTITY_MAX,
    Limits,
    LocationId,
    Quantity,
    Sku,
)
from tests.core.commands import (
    adjust,
    confirm,
    from_inbound,
    limited,
    on_hand,
    place,
    product,
    release,
    reserve,
    stock,
    unlimited,
)
from tests.core.given import NOON_MS, Shop, quantities

SECOND_MS = 1_000
MINUTE_MS = 60 * SECOND_MS
DAY_MS = 1440 * MINUTE_MS


@pytest.fixture
def store(shop: Shop) -> Shop:
    """Stores A and B with 10 and 5 of x, and 8 of y at A."""
    return shop.given(place("A"), place("B"), on_hand("x", A=10, B=5), on_hand("y", A=8))


def short(
    sku: str, where: str, asked: int, available: int, *elsewhere: tuple[str, str, int]
) -> ShortLine:
    """Write a short line."""
    return ShortLine(
        Sku(sku),
        LocationId(where),
        Quantity(asked),
        Quantity(available),
        tuple(
            Alternative(Sku(other), LocationId(place_id), Quantity(units))
            for other, place_id, units in elsewhere
        ),
    )


# --- deadlines


@pytest.mark.parametrize("ttl_ms", [SECOND_MS, 30 * DAY_MS])
def test_a_deadline_is_from_a_second_to_thirty_days_away(store: Shop, ttl_ms: int) -> None:
    held = store.holds(reserve(("x", "A", 1), ttl_ms=ttl_ms))
    assert held.expire_time_ms == NOON_MS + ttl_ms
    held = store.holds(reserve(("x", "A", 1), until_ms=NOON_MS + ttl_ms))
    assert held.expire_time_ms == NOON_MS + ttl_ms


@pytest.mark.parametrize("ttl_ms", [-1, 0, SECOND_MS - 1, 30 * DAY_MS + 1])
def test_another_deadline_is_out_of_range(store: Shop, ttl_ms: int) -> None:
    assert store.refuses(reserve(("x", "A", 1), ttl_ms=ttl_ms)) is Reason.TTL_OUT_OF_RANGE
    late = reserve(("x", "A", 1), until_ms=NOON_MS + ttl_ms)
    assert store.refuses(late) is Reason.TTL_OUT_OF_RANGE


def test_without_a_deadline_a_hold_is_for_fifteen_minutes(store: Shop) -> None:
    assert store.holds(reserve(("x", "A", 1))).expire_time_ms == NOON_MS + 15 * MINUTE_MS


def test_a_hold_ends_at_its_deadline_exactly(store: Shop) -> None:
    store.given(reserve(("x", "A", 10), as_id="r", ttl_ms=MINUTE_MS))
    store.later(MINUTE_MS - 1)
    assert store.refuses(reserve(("x", "A", 1))) is Reason.INSUFFICIENT_STOCK
    assert store.reservation("r").state is ReservationState.HELD
    assert store.here("x", "A").available_to_fulfill == 0
    store.later(1)
    assert store.here("x", "A").available_to_fulfill == 10
    expired = store.reservation("r")
    assert expired.state is ReservationState.EXPIRED
    assert expired.update_time_ms == NOON_MS + MINUTE_MS
    store.given(reserve(("x", "A", 10)))


def test_an_expired_hold_still_says_what_it_held(store: Shop) -> None:
    held = store.holds(reserve(("x", "A", 3), ("y", "A", 1), as_id="r", ttl_ms=MINUTE_MS))
    store.later(MINUTE_MS)
    assert store.reservation("r").lines == held.lines
    assert store.reservation("r").revision > held.revision


def test_holds_of_the_same_deadline_end_together(store: Shop) -> None:
    for name in ("b", "a", "c"):
        store.given(reserve(("x", "A", 2), as_id=name, ttl_ms=MINUTE_MS))
    store.given(reserve(("x", "A", 2), as_id="later", ttl_ms=MINUTE_MS + 1))
    assert store.later(MINUTE_MS).here("x", "A").available_to_fulfill == 8
    assert store.later(1).here("x", "A").available_to_fulfill == 10


@pytest.mark.slow
def test_any_number_of_holds_ends_at_the_same_deadline() -> None:
    shop = Shop(steps_per_check=1000).given(place("A"), on_hand("x", A=2500))
    for _ in range(2_100):
        shop.given(reserve(("x", "A", 1), ttl_ms=MINUTE_MS))
    shop.given(reserve(("x", "A", 400), ttl_ms=MINUTE_MS + 1))
    assert shop.later(MINUTE_MS).atf("x") == 2_100


# --- beyond the stock


@pytest.fixture
def preorder(shop: Shop) -> Shop:
    """A and B allow 20 backorders of x each and have 10 and 5; C has 7 and allows none."""
    shop.given(place("A", backorder=True), place("B", backorder=True), place("C"))
    return shop.given(product("x", backorder=limited(20)), on_hand("x", A=10, B=5, C=7))


def test_units_beyond_the_stock_are_told_by_line(preorder: Shop) -> None:
    held = preorder.holds(reserve(("x", "A", 12), ("x", "B", 5)))
    assert [line.backordered_quantity for line in held.lines] == [2, 0]
    again = preorder.holds(reserve(("x", "A", 18), ("x", "B", 1)))
    assert [line.backordered_quantity for line in again.lines] == [18, 1]


def test_a_caller_may_insist_on_stock(preorder: Shop) -> None:
    asked = reserve(("x", "A", 11), in_stock_only=True)
    assert preorder.refusal(asked).short_lines[0].available_quantity == 10
    held = preorder.holds(reserve(("x", "A", 10), in_stock_only=True))
    assert held.lines[0].backordered_quantity == 0
    assert preorder.refuses(reserve(("x", "", 13), in_stock_only=True)) is Reason.INSUFFICIENT_STOCK
    held = preorder.holds(reserve(("x", "", 12), in_stock_only=True))
    assert quantities(held) == {("x", "B"): 5, ("x", "C"): 7}


def test_stock_anywhere_in_the_scope_comes_before_backorder(preorder: Shop) -> None:
    held = preorder.holds(reserve(("x", "", 22)))
    assert quantities(held) == {("x", "A"): 10, ("x", "B"): 5, ("x", "C"): 7}
    assert sum(line.backordered_quantity for line in held.lines) == 0


def test_beyond_all_stock_the_rest_is_backordered(preorder: Shop) -> None:
    held = preorder.holds(reserve(("x", "", 50)))
    assert sum(quantities(held).values()) == 50
    assert sum(line.backordered_quantity for line in held.lines) == 50 - 22
    assert preorder.refusal(reserve(("x", "", 13))).short_lines[0].available_quantity == 12
    preorder.given(reserve(("x", "", 12)))


def test_a_partial_hold_takes_backorders_too_unless_it_insists_on_stock(preorder: Shop) -> None:
    preview = preorder.send(reserve(("x", "A", 99), allow_partial=True), validate_only=True)
    assert isinstance(preview.outcome, Reservation)
    assert quantities(preview.outcome) == {("x", "A"): 30}
    held = preorder.holds(reserve(("x", "A", 99), allow_partial=True, in_stock_only=True))
    assert quantities(held) == {("x", "A"): 10}


def test_a_backorder_needs_a_position_which_a_count_of_nothing_opens(shop: Shop) -> None:
    shop.given(place("A", backorder=True), product("x", backorder=unlimited()))
    assert (shop.ats("x"), shop.available("x").locations) == (0, ())
    for asked in (reserve(("x", "A", 1)), reserve(("x", "", 1))):
        assert shop.refuses(asked) is Reason.INSUFFICIENT_STOCK
    shop.given(on_hand("x", A=0))
    assert shop.ats("x") == QUANTITY_MAX
    shop.given(reserve(("x", "A", 1)), reserve(("x", "", 1)))


def test_inbound_supply_can_be_held_before_it_comes(shop: Shop) -> None:
    shop.given(place("A", backorder=True), product("x", backorder=from_inbound(30)))
    shop.given(on_hand("x", A=1))
    assert shop.refuses(reserve(("x", "A", 2))) is Reason.INSUFFICIENT_STOCK


def test_no_hold_is_greater_than_a_quantity_can_be(shop: Shop) -> None:
    shop.given(place("A", backorder=True), product("x", backorder=unlimited()))
    shop.given(on_hand("x", A=QUANTITY_MAX))
    twice = reserve(("x", "A", QUANTITY_MAX), ("x", "A", QUANTITY_MAX))
    shop.refusal(twice)
    shop.given(reserve(("x", "A", QUANTITY_MAX)), reserve(("x", "A", QUANTITY_MAX)))
    assert shop.refuses(reserve(("x", "A", 1))) is Reason.INSUFFICIENT_STOCK


# --- bounds


def test_only_the_first_hundred_short_lines_say_where_else_stock_is(shop: Shop) -> None:
    skus = [f"x{number:03}" for number in range(102)]
    shop.given(place("A"), place("B"), stock(*(adjust(sku, "B", 1) for sku in skus)))
    refused = shop.refusal(reserve(*((sku, "A", 1) for sku in skus)))
    assert [bool(line.alternatives) for line in refused.short_lines] == [True] * 100 + [False] * 2


def test_a_client_holds_only_so_many_at_a_time() -> None:
    shop = Shop(Limits(held_per_client_max=2)).given(place("A"), on_hand("x", A=100))
    for name in ("a", "b"):
        shop.given(reserve(("x", "A", 1), as_id=name, ttl_ms=MINUTE_MS))
    asked = reserve(("x", "A", 1), as_id="c")
    assert shop.refuses(asked) is Reason.RESERVATION_QUOTA_EXCEEDED
    shop.holds(asked, client_id="another")
    shop.given(confirm("a"), reserve(("x", "A", 1), as_id="d"))
    assert shop.refuses(reserve(("x", "A", 1))) is Reason.RESERVATION_QUOTA_EXCEEDED
    shop.given(release("d"), reserve(("x", "A", 1), as_id="e"))
    assert shop.refuses(reserve(("x", "A", 1))) is Reason.RESERVATION_QUOTA_EXCEEDED
    shop.later(MINUTE_MS).given(reserve(("x", "A", 1), as_id="f"))
    shop.check_replay()


def test_a_hold_refused_for_the_quota_may_be_tried_again_with_the_same_id() -> None:
    shop = Shop(Limits(held_per_client_max=1)).given(place("A"), on_hand("x", A=100))
    shop.given(reserve(("x", "A", 1), as_id="a"))
    asked = reserve(("x", "A", 1), as_id="b")
    refused = shop.send(asked, request_id="again")
    assert "RESERVATION_QUOTA_EXCEEDED" in str(refused.outcome)
    shop.given(release("a"))
    held = shop.send(asked, request_id="again")
    assert isinstance(held.outcome, Reservation)
    assert not held.replayed


def test_the_number_of_reservations_is_bounded() -> None:
    shop = Shop(Limits(reservations_max=2, finished_reservations_max=1))
    shop.given(place("A"), on_hand("x", A=100))
    shop.given(reserve(("x", "A", 1), as_id="a"), reserve(("x", "A", 1), as_id="b"))
    assert shop.refuses(reserve(("x", "A", 1))) is Reason.CAPACITY_EXCEEDED


def test_the_oldest_finished_reservations_are_forgotten_and_open_ones_never() -> None:
    shop = Shop(Limits(finished_reservations_max=2)).given(place("A"), on_hand("x", A=100))
    shop.given(reserve(("x", "A", 1), as_id="open"))
    for name in ("a", "b", "c"):
        shop.later(1000).given(reserve(("x", "A", 1), as_id=name), release(name))
    assert shop.refuses(release("a")) is Reason.RESERVATION_NOT_FOUND
    assert [shop.reservation(name).state.name for name in ("b", "c", "open")] == [
        "RELEASED",
        "RELEASED",
        "HELD",
    ]
    shop.check_replay()


# --- previews


def test_a_preview_gives_the_full_answer_and_changes_nothing(store: Shop) -> None:
    before = len(store.records)
    answer = store.send(reserve(("x", "A", 4), as_id="r"), validate_only=True)
    assert isinstance(answer.outcome, Reservation)
    assert quantities(answer.outcome) == {("x", "A"): 4}
    assert answer.revision == store.state.revision
    refused = store.send(reserve(("x", "A", 11), as_id="r"), validate_only=True)
    assert "INSUFFICIENT_STOCK" in str(refused.outcome)
    assert len(store.records) == before
    assert store.atf("x") == 15
    store.given(reserve(("x", "A", 4), as_id="r"))


def test_a_preview_keeps_no_answer(store: Shop) -> None:
    asked = reserve(("x", "A", 4), as_id="r")
    store.send(asked, request_id="one", validate_only=True)
    real = store.send(asked, request_id="one")
    assert not real.replayed
    assert store.reservation("r").state is ReservationState.HELD


def test_stock_that_vanishes_under_a_hold_shows_as_oversold(store: Shop) -> None:
    store.given(reserve(("x", "A", 10), as_id="r"), stock(adjust("x", "A", -4)))
    assert store.position("x", "A").oversold == 4
    assert store.refuses(reserve(("x", "A", 1))) is Reason.INSUFFICIENT_STOCK
    store.given(release("r"))
    assert store.here("x", "A").available_to_fulfill == 6
