"""Holds that change in place: up, down, elsewhere, longer; their own units never against them."""

import pytest

from domgrpc.core.rejections import Reason
from domgrpc.core.reservations import Reservation, ReservationState
from domgrpc.core.safety_stock import RuleKind
from domgrpc.core.values import LocationType
from tests.core.commands import (
    PICKUP,
    adjust,
    change,
    confirm,
    demand,
    disable,
    enable,
    limited,
    on_hand,
    place,
    product,
    release,
    relocate,
    reserve,
    rule,
    stock,
)
from tests.core.given import NOON_MS, Shop, quantities
from tests.core.scope_words import at_locations

MINUTE_MS = 60_000
DAY_MS = 1440 * MINUTE_MS


@pytest.fixture
def store(shop: Shop) -> Shop:
    """A, B and C with 10, 8 and 6 of x, A with 5 of y; hold r has 4 of x and 1 of y at A."""
    shop.given(place("A"), place("B"), place("C"))
    shop.given(on_hand("x", A=10, B=8, C=6), on_hand("y", A=5))
    return shop.given(reserve(("x", "A", 4), ("y", "A", 1), as_id="r", ttl_ms=MINUTE_MS))


def x_of(reservation: Reservation) -> dict[str, int]:
    """Return the units of x that a hold has, by location."""
    return {
        location_id: units
        for (sku, location_id), units in quantities(reservation).items()
        if sku == "x"
    }


# --- quantities


def test_a_line_changes_up_and_down_in_place(store: Shop) -> None:
    first = store.reservation("r")
    more = store.later(1000).holds(change("r", ("x", "A", 7)))
    assert quantities(more) == {("x", "A"): 7, ("y", "A"): 1}
    assert store.here("x", "A").available_to_fulfill == 3
    less = store.holds(change("r", ("x", "A", 2)))
    assert quantities(less) == {("x", "A"): 2, ("y", "A"): 1}
    assert store.here("x", "A").available_to_fulfill == 8
    assert less.revision > more.revision > first.revision
    assert (less.create_time_ms, less.update_time_ms) == (NOON_MS, NOON_MS + 1000)
    assert less.expire_time_ms == first.expire_time_ms


def test_own_units_are_not_counted_against_a_hold(store: Shop) -> None:
    assert quantities(store.holds(change("r", ("x", "A", 10))))["x", "A"] == 10
    refused = store.refusal(change("r", ("x", "A", 11)))
    assert refused.reason is Reason.INSUFFICIENT_STOCK
    (line,) = refused.short_lines
    assert (line.asked_quantity, line.available_quantity) == (11, 10)


def test_the_units_of_another_hold_are_counted_against_it(store: Shop) -> None:
    store.given(reserve(("x", "A", 5)))
    assert store.refuses(change("r", ("x", "A", 6))) is Reason.INSUFFICIENT_STOCK
    store.given(change("r", ("x", "A", 5)))


def test_lines_come_and_go(store: Shop) -> None:
    changed = store.holds(change("r", ("x", "A", 0), ("x", "B", 3), ("y", "A", 2)))
    assert quantities(changed) == {("x", "B"): 3, ("y", "A"): 2}
    assert store.here("x", "A").available_to_fulfill == 10


def test_a_change_is_made_whole_or_not_at_all(store: Shop) -> None:
    refused = store.refusal(change("r", ("x", "A", 1), ("x", "B", 8), ("x", "C", 7), ("y", "A", 6)))
    assert [(line.sku, line.location_id) for line in refused.short_lines] == [
        ("x", "C"),
        ("y", "A"),
    ]


def test_a_hold_of_nothing_is_released_and_not_changed(store: Shop) -> None:
    empty = change("r", ("x", "A", 0), ("y", "A", 0))
    assert store.refuses(empty) is Reason.RESERVATION_WOULD_BE_EMPTY


def test_what_is_not_held_can_be_set_to_none(store: Shop) -> None:
    before = store.reservation("r")
    assert store.holds(change("r", ("x", "C", 0), ("new", "B", 0))) == before
    assert not store.available("new").known


def test_a_change_to_what_is_changes_nothing(store: Shop) -> None:
    before = store.reservation("r")
    store.later(1000)
    assert store.holds(change("r", ("x", "A", 4))) == before
    assert store.holds(change("r")) == before


def test_a_hold_that_is_oversold_may_shrink_and_stay_but_not_grow(store: Shop) -> None:
    store.given(stock(adjust("x", "A", -9)))
    assert store.position("x", "A").oversold == 3
    assert store.refuses(change("r", ("x", "A", 5))) is Reason.INSUFFICIENT_STOCK
    store.given(change("r", ("x", "A", 4), ("y", "A", 2)), change("r", ("x", "A", 3)))
    assert store.position("x", "A").oversold == 2


def test_a_hold_at_a_closed_location_may_shrink_and_stay_but_not_grow(store: Shop) -> None:
    store.given(disable("A"))
    store.given(change("r", ttl_ms=DAY_MS), change("r", ("x", "A", 3)))
    assert store.refuses(change("r", ("x", "A", 4))) is Reason.LOCATION_DISABLED
    store.given(enable("A"), change("r", ("x", "A", 4)))


def test_a_hold_grows_only_where_its_demand_is_served(shop: Shop) -> None:
    shop.given(place("A"), place("W", LocationType.HUB), on_hand("x", A=9, W=9))
    shop.given(rule("web", 3, channel="web"))
    shop.given(reserve(("x", "A", 2), as_id="r", demand=demand("web", PICKUP)))
    refused = shop.refuses(change("r", ("x", "W", 1)))
    assert refused is Reason.DELIVERY_METHOD_UNSUPPORTED
    assert shop.refuses(change("r", ("x", "A", 7))) is Reason.INSUFFICIENT_STOCK
    shop.given(change("r", ("x", "A", 6)))


def test_below_the_minimum_a_hold_may_still_grow_into_its_own_units(shop: Shop) -> None:
    shop.given(place("A"), on_hand("x", A=10), rule("m", 5, kind=RuleKind.FULFILLMENT_MINIMUM))
    shop.given(reserve(("x", "A", 6), as_id="r"))
    assert shop.atf("x") == 0
    assert x_of(shop.holds(change("r", ("x", "A", 9)))) == {"A": 9}


def test_backorders_grow_with_a_hold_and_shrink_first(shop: Shop) -> None:
    shop.given(place("A", backorder=True), product("x", backorder=limited(5)), on_hand("x", A=10))
    shop.given(reserve(("x", "A", 8), as_id="r"))
    grown = shop.holds(change("r", ("x", "A", 13)))
    assert grown.lines[0].backordered_quantity == 3
    assert shop.refuses(change("r", ("x", "A", 14), in_stock_only=True)) is (
        Reason.INSUFFICIENT_STOCK
    )
    assert shop.refuses(change("r", ("x", "A", 16))) is Reason.INSUFFICIENT_STOCK
    shrunk = shop.holds(change("r", ("x", "A", 11), in_stock_only=True))
    assert shrunk.lines[0].backordered_quantity == 1
    assert shop.holds(change("r", ("x", "A", 9))).lines[0].backordered_quantity == 0


def test_unknown_locations_are_refused_by_their_name(store: Shop) -> None:
    assert store.refuses(change("r", ("x", "Z", 1))) is Reason.LOCATION_NOT_FOUND
    nowhere = change("r", ("x", "", 9), scope=at_locations("Z"))
    assert store.refuses(nowhere) is Reason.LOCATION_NOT_FOUND


# --- quantities wherever


def test_a_total_is_raised_within_the_scope(store: Shop) -> None:
    grown = store.holds(change("r", ("x", "", 9), scope=at_locations("B", "C")))
    assert x_of(grown) == {"A": 4, "B": 5}


def test_a_total_is_raised_where_the_sku_is_already(store: Shop) -> None:
    assert sum(x_of(store.holds(change("r", ("x", "", 10)))).values()) == 10
    assert sum(x_of(store.holds(change("r", ("x", "", 24)))).values()) == 24
    assert store.refuses(change("r", ("x", "", 25))) is Reason.INSUFFICIENT_STOCK


def test_a_total_is_lowered_where_it_was_picked_last(store: Shop) -> None:
    store.given(reserve(("x", "", 16), as_id="s"))
    assert x_of(store.reservation("s")) == {"B": 8, "A": 6, "C": 2}
    assert x_of(store.holds(change("s", ("x", "", 15)))) == {"B": 8, "A": 6, "C": 1}
    assert x_of(store.holds(change("s", ("x", "", 12)))) == {"B": 8, "A": 4}
    assert x_of(store.holds(change("s", ("x", "", 1)))) == {"B": 1}


def test_a_total_of_none_takes_the_sku_out(store: Shop) -> None:
    assert quantities(store.holds(change("r", ("x", "", 0)))) == {("y", "A"): 1}
    assert store.refuses(change("r", ("y", "", 0))) is Reason.RESERVATION_WOULD_BE_EMPTY


def test_a_new_sku_may_come_in_wherever_it_is(store: Shop) -> None:
    store.given(on_hand("z", C=2))
    assert quantities(store.holds(change("r", ("z", "", 2))))["z", "C"] == 2


def test_the_total_that_is_raises_nothing(store: Shop) -> None:
    before = store.reservation("r")
    assert store.holds(change("r", ("x", "", 4))) == before


# --- deadlines


def test_a_new_deadline_counts_from_now(store: Shop) -> None:
    store.later(MINUTE_MS - 1)
    longer = store.holds(change("r", ttl_ms=2 * MINUTE_MS))
    assert longer.expire_time_ms == store.now_ms + 2 * MINUTE_MS
    store.later(2 * MINUTE_MS - 1)
    assert store.reservation("r").state is ReservationState.HELD
    store.later(1)
    assert store.reservation("r").state is ReservationState.EXPIRED


def test_a_deadline_may_come_nearer(store: Shop) -> None:
    store.given(change("r", until_ms=NOON_MS + 1000))
    assert store.later(999).reservation("r").state is ReservationState.HELD
    assert store.later(1).reservation("r").state is ReservationState.EXPIRED


@pytest.mark.parametrize("ttl_ms", [0, 999, 30 * DAY_MS + 1])
def test_a_new_deadline_is_from_a_second_to_thirty_days_from_now(store: Shop, ttl_ms: int) -> None:
    assert store.refuses(change("r", ttl_ms=ttl_ms)) is Reason.TTL_OUT_OF_RANGE
    assert store.refuses(change("r", until_ms=NOON_MS + ttl_ms)) is Reason.TTL_OUT_OF_RANGE


def test_a_hold_may_be_extended_again_and_again(store: Shop) -> None:
    for _ in range(3):
        store.given(change("r", ttl_ms=30 * DAY_MS))
        store.later(20 * DAY_MS)
    assert store.reservation("r").state is ReservationState.HELD


def test_a_refused_change_leaves_the_deadline_alone(store: Shop) -> None:
    assert store.refuses(change("r", ("x", "A", 99), ttl_ms=DAY_MS)) is Reason.INSUFFICIENT_STOCK
    assert store.later(MINUTE_MS).reservation("r").state is ReservationState.EXPIRED


# --- moves


def test_a_line_moves_in_one_step(store: Shop) -> None:
    moved = store.holds(relocate("r", "x", "A", "B"))
    assert quantities(moved) == {("x", "B"): 4, ("y", "A"): 1}
    figures = [store.here("x", name).available_to_fulfill for name in "ABC"]
    assert figures == [10, 4, 6]


def test_part_of_a_line_moves_and_joins_what_is_there(store: Shop) -> None:
    assert x_of(store.holds(relocate("r", "x", "A", "B", units=1))) == {"A": 3, "B": 1}
    assert x_of(store.holds(relocate("r", "x", "A", "B", units=2))) == {"A": 1, "B": 3}
    assert x_of(store.holds(relocate("r", "x", "A", "B"))) == {"B": 4}


def test_a_move_needs_the_stock_where_it_goes(store: Shop) -> None:
    store.given(reserve(("x", "B", 5)))
    refused = store.refusal(relocate("r", "x", "A", "B"))
    assert refused.reason is Reason.INSUFFICIENT_STOCK
    assert refused.short_lines[0].location_id == "B"
    store.given(relocate("r", "x", "A", "B", units=3))
    assert store.refuses(relocate("r", "x", "A", "Z")) is Reason.LOCATION_NOT_FOUND


def test_a_move_away_from_an_oversold_or_closed_location_is_free(store: Shop) -> None:
    store.given(stock(adjust("x", "A", -10)), disable("A"))
    assert x_of(store.holds(relocate("r", "x", "A", "C"))) == {"C": 4}
    assert store.refuses(relocate("r", "x", "C", "A")) is Reason.LOCATION_DISABLED


def test_the_service_picks_another_location_with_the_most(store: Shop) -> None:
    assert x_of(store.holds(relocate("r", "x", "A"))) == {"B": 4}
    assert x_of(store.holds(relocate("r", "x", "B", scope=at_locations("B", "C")))) == {"C": 4}
    nowhere = relocate("r", "x", "C", scope=at_locations("C"))
    assert store.refuses(nowhere) is Reason.INSUFFICIENT_STOCK


def test_a_pick_may_be_spread_but_never_falls_back_to_where_it_was(store: Shop) -> None:
    store.given(change("r", ("x", "A", 10)))
    assert x_of(store.holds(relocate("r", "x", "A"))) == {"B": 8, "C": 2}
    store.given(change("r", ("x", "", 20)))
    assert store.refuses(relocate("r", "x", "B", units=7)) is Reason.INSUFFICIENT_STOCK


def test_only_what_is_held_there_can_be_moved(store: Shop) -> None:
    for move in (
        relocate("r", "x", "B", "C"),
        relocate("r", "z", "A", "C"),
        relocate("r", "x", "Z", "C"),
    ):
        assert store.refuses(move) is Reason.RESERVATION_LINE_NOT_FOUND
    too_many = store.refusal(relocate("r", "x", "A", "B", units=5))
    assert too_many.reason is Reason.MOVE_TOO_LARGE
    assert (too_many.facts["held_quantity"], too_many.facts["asked_quantity"]) == ("4", "5")


def test_a_move_to_where_it_is_changes_nothing(store: Shop) -> None:
    before = store.reservation("r")
    assert store.holds(relocate("r", "x", "A", "A")) == before


def test_backordered_units_that_move_to_stock_are_no_backorders_any_more(shop: Shop) -> None:
    shop.given(place("A", backorder=True), place("B"), product("x", backorder=limited(9)))
    shop.given(on_hand("x", A=2, B=5), reserve(("x", "A", 6), as_id="r"))
    assert shop.reservation("r").lines[0].backordered_quantity == 4
    moved = shop.holds(relocate("r", "x", "A", "B", units=4))
    assert [(line.quantity, line.backordered_quantity) for line in moved.lines] == [(2, 0), (4, 0)]
    back = shop.holds(relocate("r", "x", "B", "A", units=3))
    assert [(line.quantity, line.backordered_quantity) for line in back.lines] == [(5, 3), (1, 0)]
    in_stock = relocate("r", "x", "B", "A", in_stock_only=True)
    assert shop.refuses(in_stock) is Reason.INSUFFICIENT_STOCK


# --- which holds may change


def test_only_an_open_hold_changes(store: Shop) -> None:
    store.given(reserve(("x", "C", 1), as_id="done"), confirm("done"))
    store.given(reserve(("x", "C", 1), as_id="gone"), release("gone"))
    for name, reason in (
        ("done", Reason.ILLEGAL_TRANSITION),
        ("gone", Reason.ILLEGAL_TRANSITION),
        ("never", Reason.RESERVATION_NOT_FOUND),
    ):
        assert store.refuses(change(name, ("x", "C", 2))) is reason
        assert store.refuses(relocate(name, "x", "C", "B")) is reason
    store.later(MINUTE_MS)
    assert store.refuses(change("r", ttl_ms=DAY_MS)) is Reason.RESERVATION_EXPIRED
    assert store.refuses(relocate("r", "x", "A", "B")) is Reason.RESERVATION_EXPIRED


def test_changes_and_moves_respect_the_etag(store: Shop) -> None:
    first = str(store.reservation("r").revision)
    changed = store.holds(change("r", ("x", "A", 3), etag=first))
    assert store.refuses(change("r", ("x", "A", 2), etag=first)) is Reason.ETAG_MISMATCH
    assert store.refuses(relocate("r", "x", "A", "B", etag=first)) is Reason.ETAG_MISMATCH
    store.given(relocate("r", "x", "A", "B", etag=str(changed.revision)))


def test_a_preview_of_a_change_or_move_changes_nothing(store: Shop) -> None:
    before = store.reservation("r")
    preview = store.send(change("r", ("x", "A", 9)), validate_only=True).outcome
    assert isinstance(preview, Reservation)
    assert quantities(preview)["x", "A"] == 9
    preview = store.send(relocate("r", "x", "A"), validate_only=True).outcome
    assert isinstance(preview, Reservation)
    assert quantities(preview)["x", "B"] == 4
    unchanged = store.send(change("r", ("x", "A", 4)), validate_only=True).outcome
    assert unchanged == before == store.reservation("r")
    assert store.here("x", "A").available_to_fulfill == 6


@pytest.mark.slow
def test_a_hold_has_at_most_five_thousand_lines(shop: Shop) -> None:
    skus = [f"sku-{number}" for number in range(5_001)]
    shop.given(place("A"))
    shop.given(stock(*(adjust(sku, "A", 1) for sku in skus)))
    full = tuple((sku, "A", 1) for sku in skus[:-1])
    assert len(shop.holds(reserve(*full, as_id="r")).lines) == 5_000
    assert shop.refuses(change("r", (skus[-1], "A", 1))) is Reason.TOO_MANY_LINES
    shop.given(change("r", (skus[-1], "A", 1), (skus[0], "A", 0)))
