"""Stock updates: counted, adjusted, moved, announced and received; all of a call or none."""

import pytest

from domgrpc.core.rejections import Reason
from domgrpc.core.values import QUANTITY_MAX, Limits, StockCondition
from tests.core.commands import (
    SELLABLE,
    adjust,
    announce,
    count,
    move,
    on_hand,
    place,
    receive,
    reserve,
    stock,
)
from tests.core.given import NOON_MS, Shop

DAMAGED = StockCondition.DAMAGED
QUALITY_HOLD = StockCondition.QUALITY_HOLD
IN_TRANSIT = StockCondition.IN_TRANSIT
DAY_MS = 86_400_000


@pytest.fixture
def store(shop: Shop) -> Shop:
    """Two stores, A with 10 of x."""
    return shop.given(place("A"), place("B"), on_hand("x", A=10))


def conditions(shop: Shop, sku: str, location_id: str) -> dict[StockCondition, int]:
    """Return the units of a position in other conditions."""
    return dict(shop.position(sku, location_id).conditions)


def inbound(shop: Shop, sku: str, location_id: str) -> dict[str, int]:
    """Return the announced units of a position by supply."""
    return {each.supply_id: each.quantity for each in shop.position(sku, location_id).inbound}


# --- counts


def test_a_count_sets_the_stock_whatever_it_was(store: Shop) -> None:
    store.given(on_hand("x", A=3, B=7))
    assert [store.position("x", name).on_hand for name in "AB"] == [3, 7]
    assert store.atf("x") == 10


def test_a_count_says_when_it_was(store: Shop) -> None:
    assert store.position("x", "A").count_time_ms == NOON_MS
    store.later(1000).given(stock(adjust("x", "A", 5)))
    assert store.position("x", "A").count_time_ms == NOON_MS
    store.given(stock(count("x", "A", 12, as_of_ms=NOON_MS + 400)))
    assert store.position("x", "A").count_time_ms == NOON_MS + 400


def test_a_position_that_was_never_counted_has_no_count_time(store: Shop) -> None:
    store.given(stock(adjust("x", "B", 5)))
    assert store.position("x", "B").count_time_ms == 0


def test_a_count_with_the_expected_stock_is_applied_and_with_another_refused(store: Shop) -> None:
    store.given(stock(count("x", "A", 12, expected=10)))
    stale = store.refusal(stock(count("x", "A", 20, expected=10)))
    assert stale.reason is Reason.STALE_EXPECTATION
    assert "12" in stale.message


def test_nothing_can_be_expected_where_nothing_was_written(store: Shop) -> None:
    store.given(stock(count("x", "B", 4, expected=0)))
    assert store.position("x", "B").on_hand == 4


def test_an_expectation_sees_the_updates_before_it_in_the_call(store: Shop) -> None:
    store.given(stock(adjust("x", "A", -4), count("x", "A", 20, expected=6)))
    assert store.position("x", "A").on_hand == 20


def test_a_count_below_the_claims_is_taken_and_shows_what_is_oversold(store: Shop) -> None:
    store.given(reserve(("x", "A", 8)), stock(count("x", "A", 5)))
    position = store.position("x", "A")
    assert (position.on_hand, position.soft_reserved, position.oversold) == (5, 8, 3)
    assert position.available_to_fulfill == 0


def test_an_unknown_location_is_refused_by_its_name(store: Shop) -> None:
    for update in (
        count("x", "Z", 1),
        adjust("x", "Z", 1),
        move("x", "Z", 1),
        move("x", "A", 1, to="Z"),
        announce("x", "Z", 1, due_ms=NOON_MS),
        receive("x", "Z", 1),
    ):
        unknown = store.refusal(stock(update))
        assert unknown.reason is Reason.LOCATION_NOT_FOUND
        assert unknown.facts["location_id"] == "Z"


# --- counts as of an earlier time


def test_a_late_count_keeps_adjustments_that_came_after_it(store: Shop) -> None:
    store.later(1000).given(stock(adjust("x", "A", -2)))
    store.later(1000).given(stock(adjust("x", "A", 7)))
    store.later(1000).given(stock(count("x", "A", 100, as_of_ms=NOON_MS + 500)))
    assert store.position("x", "A").on_hand == 105
    store.given(stock(count("x", "A", 100, as_of_ms=NOON_MS + 1500)))
    assert store.position("x", "A").on_hand == 107


def test_a_late_count_does_not_keep_what_happened_at_its_own_millisecond(store: Shop) -> None:
    store.later(1000).given(stock(adjust("x", "A", -2)))
    store.later(1000).given(stock(count("x", "A", 100, as_of_ms=NOON_MS + 1000)))
    assert store.position("x", "A").on_hand == 100


def test_an_adjustment_counts_from_the_time_that_it_happened(store: Shop) -> None:
    store.later(5000)
    store.given(stock(adjust("x", "A", -2, as_of_ms=NOON_MS + 1000)))
    store.given(stock(adjust("x", "A", -3, as_of_ms=NOON_MS + 3000)))
    assert store.position("x", "A").on_hand == 5
    store.given(stock(count("x", "A", 100, as_of_ms=NOON_MS + 2000)))
    assert store.position("x", "A").on_hand == 97


def test_a_late_count_keeps_moves_and_receipts_that_came_after_it(store: Shop) -> None:
    store.given(stock(announce("x", "A", 5, due_ms=NOON_MS + DAY_MS)))
    store.later(1000).given(stock(move("x", "A", 3, to="B")))
    store.later(1000).given(stock(receive("x", "A", 5)))
    store.later(1000).given(stock(count("x", "A", 100, as_of_ms=NOON_MS + 500)))
    assert store.position("x", "A").on_hand == 102
    store.given(stock(count("x", "A", 100, as_of_ms=NOON_MS + 1500)))
    assert store.position("x", "A").on_hand == 105


def test_a_late_count_keeps_the_deltas_of_its_own_position_only(store: Shop) -> None:
    store.later(1000).given(stock(adjust("x", "B", 5), adjust("y", "A", 6)))
    store.given(stock(adjust("x", "A", 2, condition=DAMAGED)))
    store.later(1000).given(stock(count("x", "A", 50, as_of_ms=NOON_MS + 500)))
    assert store.position("x", "A").on_hand == 50


def test_a_count_older_than_the_last_one_is_outdated(store: Shop) -> None:
    store.later(1000).given(stock(count("x", "A", 12)))
    store.later(1000)
    outdated = store.refusal(stock(count("x", "A", 99, as_of_ms=NOON_MS + 999)))
    assert outdated.reason is Reason.COUNT_OUTDATED
    store.given(stock(count("x", "A", 98, as_of_ms=NOON_MS + 1000)))
    assert store.position("x", "A").on_hand == 98


def test_a_late_count_that_would_leave_less_than_nothing_is_refused(store: Shop) -> None:
    store.later(1000).given(stock(adjust("x", "A", -9)))
    below = store.refusal(stock(count("x", "A", 3, as_of_ms=NOON_MS + 1)))
    assert below.reason is Reason.QUANTITY_BELOW_ZERO


def test_nothing_can_have_happened_in_the_future(store: Shop) -> None:
    for update in (
        count("x", "A", 1, as_of_ms=NOON_MS + 1),
        adjust("x", "A", 1, as_of_ms=NOON_MS + 1),
    ):
        assert store.refuses(stock(update)) is Reason.EFFECTIVE_TIME_IN_FUTURE


def test_a_count_of_a_time_whose_later_changes_are_forgotten_is_refused(small: Shop) -> None:
    too_old = small.refusal(stock(count("x", "A", 50, as_of_ms=NOON_MS + 500)))
    assert too_old.reason is Reason.EFFECTIVE_TIME_TOO_OLD


def test_a_count_of_a_time_whose_later_changes_are_all_remembered_is_taken(small: Shop) -> None:
    small.given(stock(count("x", "A", 50, as_of_ms=NOON_MS + 1001)))
    assert small.position("x", "A").on_hand == 52


@pytest.fixture
def small() -> Shop:
    """A shop that remembers two changes and has seen three at A, a second apart."""
    shop = Shop(Limits(remembered_deltas_max=2)).given(place("A"), on_hand("x", A=10))
    for _ in range(3):
        shop.later(1000).given(stock(adjust("x", "A", 1)))
    return shop


def test_an_adjustment_from_before_the_last_count_was_counted_already(store: Shop) -> None:
    store.later(5000).given(stock(count("x", "A", 20)))
    store.given(stock(adjust("x", "A", -2, as_of_ms=NOON_MS + 4999)))
    assert store.position("x", "A").on_hand == 20
    store.given(stock(adjust("x", "A", -2, as_of_ms=NOON_MS + 5000)))
    assert store.position("x", "A").on_hand == 18
    store.given(stock(adjust("x", "A", 2, condition=DAMAGED, as_of_ms=NOON_MS)))
    assert conditions(store, "x", "A") == {DAMAGED: 2}


def test_a_count_earlier_in_the_call_has_seen_what_happened_before_it(store: Shop) -> None:
    store.later(5000).given(
        stock(count("x", "A", 20), adjust("x", "A", -2, as_of_ms=NOON_MS + 4999))
    )
    assert store.position("x", "A").on_hand == 20
    late = stock(count("x", "A", 20), count("x", "A", 9, as_of_ms=NOON_MS + 4999))
    assert store.refuses(late) is Reason.COUNT_OUTDATED


def test_what_is_forgotten_of_one_position_does_not_count_at_another() -> None:
    shop = Shop(Limits(remembered_deltas_max=1)).given(place("A"), place("B"))
    shop.given(stock(adjust("x", "A", 5), adjust("x", "B", 5)))
    shop.later(1000).given(stock(adjust("x", "A", 1)))
    shop.later(1000).given(stock(adjust("x", "B", 1)))
    shop.given(stock(count("x", "B", 9, as_of_ms=NOON_MS + 1500)))
    assert [shop.position("x", name).on_hand for name in "AB"] == [6, 10]
    shop.check_replay()


def test_a_late_count_keeps_later_changes_of_its_own_call(store: Shop) -> None:
    store.later(5000).given(
        stock(
            adjust("x", "A", -1, as_of_ms=NOON_MS + 1000),
            adjust("x", "A", -2, as_of_ms=NOON_MS + 3000),
            move("x", "A", 3, to="B"),
            count("x", "A", 20, as_of_ms=NOON_MS + 2000),
        )
    )
    assert [store.position("x", name).on_hand for name in "AB"] == [15, 3]


# --- adjustments


def test_an_adjustment_adds_or_takes_away(store: Shop) -> None:
    store.given(stock(adjust("x", "A", 5)), stock(adjust("x", "A", -15)))
    assert store.position("x", "A").on_hand == 0


def test_no_bucket_falls_below_zero(store: Shop) -> None:
    below = store.refusal(stock(adjust("x", "A", -11)))
    assert below.reason is Reason.QUANTITY_BELOW_ZERO
    assert store.refuses(stock(adjust("x", "B", -1))) is Reason.QUANTITY_BELOW_ZERO
    damaged = stock(adjust("x", "A", -1, condition=DAMAGED))
    assert store.refuses(damaged) is Reason.QUANTITY_BELOW_ZERO


def test_taking_stock_away_that_is_claimed_shows_as_oversold(store: Shop) -> None:
    store.given(reserve(("x", "A", 8)), stock(adjust("x", "A", -10)))
    assert store.position("x", "A").oversold == 8


def test_no_bucket_rises_above_the_greatest_quantity(store: Shop) -> None:
    store.given(stock(adjust("x", "A", QUANTITY_MAX - 10)))
    assert store.position("x", "A").on_hand == QUANTITY_MAX
    assert store.refuses(stock(adjust("x", "A", 1))) is Reason.QUANTITY_TOO_LARGE
    store.given(stock(adjust("x", "B", 1)))
    assert store.refuses(stock(move("x", "B", 1, to="A"))) is Reason.QUANTITY_TOO_LARGE
    full = stock(announce("x", "A", 1, due_ms=NOON_MS + 1), receive("x", "A", 1))
    assert store.refuses(full) is Reason.QUANTITY_TOO_LARGE
    store.given(stock(adjust("x", "A", QUANTITY_MAX, condition=DAMAGED)))
    damaged = stock(adjust("x", "A", 1, condition=DAMAGED))
    assert store.refuses(damaged) is Reason.QUANTITY_TOO_LARGE


def test_totals_of_the_greatest_quantities_are_exact(store: Shop) -> None:
    store.given(on_hand("x", A=QUANTITY_MAX, B=QUANTITY_MAX))
    assert store.atf("x") == 2 * QUANTITY_MAX


def test_other_conditions_are_never_sold(store: Shop) -> None:
    for condition in (DAMAGED, QUALITY_HOLD, IN_TRANSIT):
        store.given(stock(adjust("x", "A", 4, condition=condition)))
    assert conditions(store, "x", "A") == {DAMAGED: 4, QUALITY_HOLD: 4, IN_TRANSIT: 4}
    assert store.position("x", "A").on_hand == 10
    assert store.ats("x") == 10
    store.given(stock(adjust("x", "A", -4, condition=DAMAGED)))
    assert conditions(store, "x", "A") == {QUALITY_HOLD: 4, IN_TRANSIT: 4}


# --- moves


def test_a_move_between_locations_takes_here_what_it_adds_there(store: Shop) -> None:
    store.given(stock(move("x", "A", 4, to="B")))
    assert [store.position("x", name).on_hand for name in "AB"] == [6, 4]


def test_a_move_between_conditions_stays_at_the_location(store: Shop) -> None:
    store.given(stock(move("x", "A", 4, conditions=(SELLABLE, DAMAGED))))
    assert store.position("x", "A").on_hand == 6
    assert conditions(store, "x", "A") == {DAMAGED: 4}
    store.given(stock(move("x", "A", 3, conditions=(DAMAGED, SELLABLE))))
    assert store.position("x", "A").on_hand == 9
    assert conditions(store, "x", "A") == {DAMAGED: 1}


def test_a_move_may_change_location_and_condition_at_once(store: Shop) -> None:
    store.given(stock(move("x", "A", 4, to="B", conditions=(SELLABLE, IN_TRANSIT))))
    assert store.position("x", "A").on_hand == 6
    assert store.position("x", "B").on_hand == 0
    assert conditions(store, "x", "B") == {IN_TRANSIT: 4}


def test_no_more_is_moved_than_there_is(store: Shop) -> None:
    for update in (
        move("x", "A", 11, to="B"),
        move("x", "B", 1, to="A"),
        move("x", "A", 1, conditions=(DAMAGED, SELLABLE)),
    ):
        assert store.refuses(stock(update)) is Reason.QUANTITY_BELOW_ZERO


def test_a_move_to_where_the_units_are_changes_nothing(store: Shop) -> None:
    store.given(stock(move("x", "A", 4), move("x", "A", 4, to="A")))
    assert store.position("x", "A").on_hand == 10
