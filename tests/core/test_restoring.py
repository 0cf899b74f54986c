"""Restoring from a snapshot: reservations and kept answers go on where they were."""

from domgrpc.core.answers import KeptAnswer, KeptAnswers, answer_key
from domgrpc.core.order_book import Orders
from domgrpc.core.reservation_book import Reservations
from domgrpc.core.stock_changes import StockSummary
from domgrpc.core.values import (
    ClientId,
    Limits,
    OrderId,
    RequestId,
    ReservationId,
    Retention,
    Revision,
    TimeMs,
)
from domgrpc.core.waiting import Waiting
from tests.core.commands import confirm, on_hand, place, release, reserve
from tests.core.given import NOON_MS, WEB, Shop
from tests.core.order_words import CHICAGO, cancel_order, line, order


def kept(time_ms: int) -> KeptAnswer:
    """Write an answer of a time."""
    return KeptAnswer(7, TimeMs(time_ms), Revision(1), StockSummary(1, 0))


def test_restored_reservations_keep_their_order_deadlines_and_counts(shop: Shop) -> None:
    shop.given(place("A"), on_hand("x", A=9))
    for name, ttl_ms in (("b", 3_000), ("a", 2_000), ("c", 1_000), ("d", 4_000)):
        shop.later(1).given(reserve(("x", "A", 1), as_id=name, ttl_ms=ttl_ms))
    shop.given(confirm("a"), release("d"))
    book = Reservations(Limits(), Retention())
    book.restore(list(shop.state.reservations.after((0, ""))))
    assert [each.reservation_id for each in book.after((0, ""))] == ["b", "a", "c", "d"]
    assert book.get(ReservationId("a")) == shop.reservation("a")
    assert book.next_deadline_ms() == NOON_MS + 3 + 1_000
    assert book.held_counts == {WEB: 2}


def test_restored_answers_are_known_within_the_bounds() -> None:
    answers = KeptAnswers(Retention(kept_answers_max=2, kept_answer_age_ms=1_000))
    keys = [answer_key(ClientId("web"), RequestId(name)) for name in ("a", "b", "c")]
    answers.restore([(key, kept(NOON_MS)) for key in keys])
    answers.check_invariants()
    assert [answers.find(key, 7) is not None for key in keys] == [False, True, True]
    late = answer_key(ClientId("web"), RequestId("d"))
    answers.restore([(late, kept(NOON_MS + 1_001))])
    assert [answers.find(key, 7) is not None for key in (*keys, late)] == [
        False,
        False,
        False,
        True,
    ]


def test_an_order_that_changed_after_it_was_finished_is_not_restored_as_finished(
    shop: Shop,
) -> None:
    shop.given(place("A", at=CHICAGO), on_hand("x", A=9))
    shop.given(*(order(line("x"), as_id=name) for name in "ab"))
    shop.given(cancel_order("a"), cancel_order("b"))
    book = Orders(Limits(), Retention(), Waiting())
    book.restore([shop.order("a"), shop.order("b")])
    known = shop.order("b").revision
    stale = (OrderId("a"), Revision(shop.order("a").revision - 1))
    book.restore_finished([stale, (OrderId("gone"), known), (OrderId("b"), known)])
    assert list(book.finished) == ["b"]
