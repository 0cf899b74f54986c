"""How holds end: confirmed, released, expired, revived; and how claims are settled."""

import pytest

from domgrpc.core.rejections import Reason
from domgrpc.core.reservations import ReservationState
from domgrpc.core.values import Limits
from tests.core.commands import (
    adjust,
    cancel,
    change,
    confirm,
    count,
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
    ship,
    stock,
)
from tests.core.given import NOON_MS, Shop
from tests.core.scope_words import at_locations

MINUTE_MS = 60_000


@pytest.fixture
def store(shop: Shop) -> Shop:
    """A and B with 10 and 5 of x; hold r has 4 of x at A and 2 at B for a minute."""
    shop.given(place("A"), place("B"), on_hand("x", A=10, B=5))
    return shop.given(reserve(("x", "A", 4), ("x", "B", 2), as_id="r", ttl_ms=MINUTE_MS))


def figures(shop: Shop, location_id: str = "A") -> tuple[int, int, int]:
    """Return on_hand, soft_reserved and allocated of x."""
    position = shop.position("x", location_id)
    return position.on_hand, position.soft_reserved, position.allocated


# --- confirming


def test_a_confirmed_hold_becomes_an_allocation_without_a_deadline(store: Shop) -> None:
    store.later(1000)
    confirmed = store.holds(confirm("r"))
    assert confirmed.state is ReservationState.CONFIRMED
    assert confirmed.update_time_ms == NOON_MS + 1000
    assert (figures(store, "A"), figures(store, "B")) == ((10, 0, 4), (5, 0, 2))
    store.later(10 * MINUTE_MS)
    assert store.reservation("r") == confirmed
    assert store.atf("x") == 9


def test_confirming_twice_changes_nothing(store: Shop) -> None:
    confirmed = store.holds(confirm("r"))
    assert store.later(1000).holds(confirm("r")) == confirmed
    assert store.holds(confirm("r", revive=True)) == confirmed


def test_a_hold_can_be_confirmed_until_its_deadline(store: Shop) -> None:
    store.later(MINUTE_MS - 1)
    assert store.holds(confirm("r")).state is ReservationState.CONFIRMED


def test_at_its_deadline_a_hold_cannot_be_confirmed_any_more(store: Shop) -> None:
    store.later(MINUTE_MS)
    assert store.refuses(confirm("r")) is Reason.RESERVATION_EXPIRED


def test_what_is_not_there_cannot_be_ended(store: Shop) -> None:
    for command in (confirm("never"), release("never"), ship("never"), cancel("never")):
        assert store.refuses(command) is Reason.RESERVATION_NOT_FOUND


def test_an_oversold_hold_can_still_be_confirmed(store: Shop) -> None:
    store.given(stock(adjust("x", "A", -10)), confirm("r"))
    assert figures(store) == (0, 0, 4)
    assert store.position("x", "A").oversold == 4


# --- reviving


def test_an_expired_hold_is_revived_while_its_units_are_free(store: Shop) -> None:
    store.later(MINUTE_MS)
    assert store.atf("x") == 15
    revived = store.holds(confirm("r", revive=True))
    assert revived.state is ReservationState.CONFIRMED
    assert (figures(store, "A"), figures(store, "B")) == ((10, 0, 4), (5, 0, 2))
    assert store.holds(confirm("r")) == revived
    assert store.atf("x") == 9


def test_a_hold_whose_last_unit_is_taken_is_not_revived(store: Shop) -> None:
    store.later(MINUTE_MS).given(reserve(("x", "B", 4), as_id="s"))
    refused = store.refusal(confirm("r", revive=True))
    assert refused.reason in (Reason.INSUFFICIENT_STOCK, Reason.RESERVATION_EXPIRED)
    assert "B" in str(refused)
    store.given(release("s"), confirm("r", revive=True))


def test_reviving_asks_as_the_hold_did(store: Shop) -> None:
    store.given(reserve(("x", "A", 6), as_id="web", ttl_ms=MINUTE_MS, demand=demand("web")))
    store.later(MINUTE_MS).given(rule("keep", 5, channel="web"))
    store.refusal(confirm("web", revive=True))
    store.given(confirm("r", revive=True))


def test_a_hold_at_a_closed_location_is_not_revived(store: Shop) -> None:
    store.later(MINUTE_MS).given(disable("B"))
    store.refusal(confirm("r", revive=True))
    store.given(enable("B"), confirm("r", revive=True))


def test_a_revived_hold_is_not_forgotten_with_the_expired_ones() -> None:
    shop = Shop(Limits(finished_reservations_max=1)).given(place("A"), on_hand("x", A=9))
    shop.given(reserve(("x", "A", 1), as_id="r", ttl_ms=MINUTE_MS)).later(MINUTE_MS)
    shop.given(confirm("r", revive=True))
    for name in ("a", "b"):
        shop.given(reserve(("x", "A", 1), as_id=name), release(name))
    assert shop.reservation("r").state is ReservationState.CONFIRMED
    shop.given(ship("r"), reserve(("x", "A", 1), as_id="c"), release("c"))
    assert shop.refuses(ship("r")) is Reason.RESERVATION_NOT_FOUND
    shop.check_replay()


def test_reviving_an_open_hold_confirms_it(store: Shop) -> None:
    assert store.holds(confirm("r", revive=True)).state is ReservationState.CONFIRMED
    assert figures(store) == (10, 0, 4)


@pytest.fixture
def preorder(shop: Shop) -> Shop:
    """A allows 20 backorders of x and has 5, of which r held 5 and s held 8 more, until now."""
    shop.given(place("A", backorder=True), product("x", backorder=limited(20)), on_hand("x", A=5))
    shop.given(reserve(("x", "A", 5), as_id="r", ttl_ms=MINUTE_MS, in_stock_only=True))
    shop.given(reserve(("x", "A", 8), as_id="s", ttl_ms=MINUTE_MS))
    return shop.later(MINUTE_MS)


def test_what_was_held_from_stock_is_not_revived_as_a_backorder(preorder: Shop) -> None:
    preorder.given(reserve(("x", "A", 1), as_id="t"))
    refused = preorder.refusal(confirm("r", revive=True))
    assert refused.reason is Reason.INSUFFICIENT_STOCK
    assert refused.short_lines[0].available_quantity == 4
    revived = preorder.given(release("t")).holds(confirm("r", revive=True))
    assert revived.lines[0].backordered_quantity == 0


def test_backordered_units_may_be_revived_as_such_but_no_more_of_them(preorder: Shop) -> None:
    preorder.given(reserve(("x", "A", 5), as_id="t"))
    revived = preorder.holds(confirm("s", revive=True))
    assert revived.lines[0].backordered_quantity == 8
    preorder.given(cancel("s"), release("t"), reserve(("x", "A", 18), as_id="u"))
    assert preorder.refuses(confirm("r", revive=True)) is Reason.INSUFFICIENT_STOCK


def test_a_released_hold_is_not_revived(store: Shop) -> None:
    store.given(release("r"))
    assert store.refuses(confirm("r")) is Reason.ILLEGAL_TRANSITION
    assert store.refuses(confirm("r", revive=True)) is Reason.ILLEGAL_TRANSITION


# --- releasing


def test_a_released_hold_gives_everything_back(store: Shop) -> None:
    store.later(1000)
    released = store.holds(release("r", reason="cart emptied"))
    assert released.state is ReservationState.RELEASED
    assert released.update_time_ms == NOON_MS + 1000
    assert (figures(store, "A"), figures(store, "B")) == ((10, 0, 0), (5, 0, 0))


def test_releasing_twice_changes_nothing(store: Shop) -> None:
    released = store.holds(release("r"))
    assert store.later(MINUTE_MS).holds(release("r")) == released


def test_releasing_after_expiry_changes_nothing(store: Shop) -> None:
    expired = store.later(MINUTE_MS).reservation("r")
    assert store.holds(release("r")) == expired
    assert store.reservation("r").state is ReservationState.EXPIRED


def test_a_claim_is_settled_and_not_released(store: Shop) -> None:
    store.given(confirm("r"))
    assert store.refuses(release("r")) is Reason.ILLEGAL_TRANSITION


def test_a_released_hold_does_not_expire(store: Shop) -> None:
    released = store.holds(release("r"))
    before = len(store.records)
    assert store.later(10 * MINUTE_MS).reservation("r") == released
    assert len(store.records) == before


def test_what_was_changed_and_moved_is_given_back_where_it_is(store: Shop) -> None:
    store.given(change("r", ("x", "A", 9)), relocate("r", "x", "A", "B", units=3), release("r"))
    assert (figures(store, "A"), figures(store, "B")) == ((10, 0, 0), (5, 0, 0))


# --- settling


@pytest.fixture
def claimed(store: Shop) -> Shop:
    """The same, confirmed."""
    return store.given(confirm("r"))


def settled(shop: Shop) -> list[int]:
    """Return the settled units of r at A and B."""
    return [line.settled_quantity for line in shop.reservation("r").lines]


def test_shipped_units_leave_the_stock_and_the_claim(claimed: Shop) -> None:
    done = claimed.holds(ship("r"))
    assert done.state is ReservationState.CONFIRMED
    assert (figures(claimed, "A"), figures(claimed, "B")) == ((6, 0, 0), (3, 0, 0))
    assert settled(claimed) == [4, 2]


def test_cancelled_units_leave_the_claim_only(claimed: Shop) -> None:
    claimed.given(cancel("r"))
    assert (figures(claimed, "A"), figures(claimed, "B")) == ((10, 0, 0), (5, 0, 0))
    assert claimed.atf("x") == 15


def test_units_are_settled_bit_by_bit(claimed: Shop) -> None:
    claimed.given(ship("r", ("x", "A", 1)), cancel("r", ("x", "A", 2), ("x", "B", 1)))
    assert (figures(claimed, "A"), figures(claimed, "B")) == ((9, 0, 1), (5, 0, 1))
    assert settled(claimed) == [3, 1]
    claimed.given(ship("r"))
    assert (figures(claimed, "A"), figures(claimed, "B")) == ((8, 0, 0), (4, 0, 0))
    assert settled(claimed) == [4, 2]


def test_the_same_line_twice_is_summed(claimed: Shop) -> None:
    claimed.given(ship("r", ("x", "A", 1), ("x", "A", 2)))
    assert figures(claimed) == (7, 0, 1)
    twice = ship("r", ("x", "B", 1), ("x", "B", 2))
    assert claimed.refuses(twice) is Reason.SETTLEMENT_TOO_LARGE


def test_no_more_is_settled_than_is_claimed(claimed: Shop) -> None:
    refused = claimed.refusal(ship("r", ("x", "A", 1), ("x", "B", 3)))
    assert refused.reason is Reason.SETTLEMENT_TOO_LARGE
    assert (refused.facts["claimed_quantity"], refused.facts["asked_quantity"]) == ("2", "3")
    claimed.given(cancel("r", ("x", "B", 2)))
    assert claimed.refuses(cancel("r", ("x", "B", 1))) is Reason.SETTLEMENT_TOO_LARGE
    claimed.refusal(ship("r", ("y", "A", 1)))
    claimed.refusal(ship("r", ("x", "C", 1)))


def test_settling_all_twice_changes_nothing(claimed: Shop) -> None:
    done = claimed.holds(ship("r"))
    assert claimed.later(1000).holds(ship("r")) == done
    assert claimed.holds(cancel("r")) == done


def test_only_a_claim_is_settled(store: Shop) -> None:
    assert store.refuses(ship("r")) is Reason.ILLEGAL_TRANSITION
    store.later(MINUTE_MS)
    assert store.refuses(cancel("r")) is Reason.ILLEGAL_TRANSITION
    store.given(reserve(("x", "A", 1), as_id="s"), release("s"))
    assert store.refuses(cancel("s")) is Reason.ILLEGAL_TRANSITION


def test_no_more_can_leave_than_is_there(claimed: Shop) -> None:
    claimed.given(stock(count("x", "A", 3)))
    assert claimed.refuses(ship("r")) is Reason.QUANTITY_BELOW_ZERO
    assert (figures(claimed, "A"), figures(claimed, "B")) == ((3, 0, 4), (5, 0, 2))
    claimed.given(ship("r", ("x", "A", 3)), cancel("r"))
    assert figures(claimed) == (0, 0, 0)


def test_claims_of_others_stay(claimed: Shop) -> None:
    claimed.given(reserve(("x", "A", 6), as_id="s"), ship("r"))
    assert figures(claimed) == (6, 6, 0)
    assert claimed.here("x", "A").available_to_fulfill == 0


# --- etags


def test_endings_respect_the_etag(store: Shop) -> None:
    first = str(store.reservation("r").revision)
    current = str(store.holds(change("r", ("x", "A", 3))).revision)
    assert store.refuses(confirm("r", etag=first)) is Reason.ETAG_MISMATCH
    assert store.refuses(release("r", etag=first)) is Reason.ETAG_MISMATCH
    confirmed = store.holds(confirm("r", etag=current))
    assert store.refuses(ship("r", etag=current)) is Reason.ETAG_MISMATCH
    store.given(ship("r", etag=str(confirmed.revision)))


def test_the_etag_of_a_hold_changes_when_it_expires(store: Shop) -> None:
    first = str(store.reservation("r").revision)
    store.later(MINUTE_MS)
    assert store.refuses(confirm("r", revive=True, etag=first)) is Reason.ETAG_MISMATCH
    store.given(confirm("r", revive=True, etag=str(store.reservation("r").revision)))


# --- racing


def test_of_many_buyers_exactly_as_many_win_as_there_are_units() -> None:
    shop = Shop(steps_per_check=200)
    shop.given(place("A"), place("B"), on_hand("x", A=60, B=40))
    answers = [
        shop.send(
            reserve(("x", "", 1), scope=at_locations("A", "B")), client_id=f"buyer-{number}"
        ).outcome
        for number in range(300)
    ]
    won = [answer for answer in answers if hasattr(answer, "lines")]
    assert len(won) == 100
    assert shop.atf("x") == 0
