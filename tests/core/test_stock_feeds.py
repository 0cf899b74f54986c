"""Feeds: batches of a source, each once and in order, each update alone."""

from domgrpc.core.rejections import Reason
from domgrpc.core.stock_changes import BatchSummary
from domgrpc.core.values import Limits
from tests.core.commands import adjust, count, feed, move, on_hand, place, stock
from tests.core.given import NOON_MS, Shop


def store(limits: Limits | None = None) -> Shop:
    """Two stores, A with 10 of x."""
    return Shop(limits).given(place("A"), place("B"), on_hand("x", A=10))


def refused(summary: BatchSummary) -> dict[int, Reason]:
    """Return why updates of a batch were refused, by their place in it."""
    return {index: rejection.reason for index, rejection in summary.refusals}


def test_each_update_of_a_batch_stands_alone() -> None:
    shop = store()
    batch = feed(
        1,
        adjust("x", "A", -4),
        adjust("x", "A", -7),
        count("y", "Z", 1),
        move("x", "A", 6, to="B"),
        adjust("x", "A", -1),
    )
    summary = shop.gives(BatchSummary, batch)
    assert (summary.sequence, summary.applied_count, summary.duplicate) == (1, 2, False)
    assert refused(summary) == {
        1: Reason.QUANTITY_BELOW_ZERO,
        2: Reason.LOCATION_NOT_FOUND,
        4: Reason.QUANTITY_BELOW_ZERO,
    }
    assert [shop.position("x", name).on_hand for name in "AB"] == [0, 6]
    shop.check_replay()


def test_a_refused_update_leaves_nothing_behind() -> None:
    shop = store()
    summary = shop.gives(BatchSummary, feed(1, adjust("new", "A", -1), move("x", "A", 11, to="B")))
    assert summary.applied_count == 0
    assert not shop.available("new").known
    assert [each.location_id for each in shop.available("x").locations] == ["A"]
    shop.check_replay()


def test_a_sequence_that_was_applied_is_skipped() -> None:
    shop = store()
    shop.given(feed(5, adjust("x", "A", 1)))
    again = shop.gives(BatchSummary, feed(5, adjust("x", "A", 1)))
    assert (again.sequence, again.applied_count, again.duplicate) == (5, 0, True)
    late = shop.gives(BatchSummary, feed(4, adjust("x", "A", 1)))
    assert (late.sequence, late.duplicate) == (4, True)
    assert shop.position("x", "A").on_hand == 11
    shop.check_replay()


def test_a_retried_batch_gets_its_first_answer() -> None:
    shop = store()
    batch = feed(1, adjust("x", "A", 1), adjust("x", "A", -99))
    first = shop.send(batch, request_id="till-1.1")
    again = shop.send(batch, request_id="till-1.1")
    assert (again.outcome, again.revision, again.replayed) == (first.outcome, first.revision, True)


def test_sequences_may_leave_gaps() -> None:
    shop = store().given(feed(1, adjust("x", "A", 1)), feed(100, adjust("x", "A", 1)))
    assert shop.position("x", "A").on_hand == 12


def test_each_source_has_its_own_sequence() -> None:
    shop = store().given(feed(7, adjust("x", "A", 1), source="till-1"))
    summary = shop.gives(BatchSummary, feed(1, adjust("x", "A", 1), source="till-2"))
    assert not summary.duplicate
    assert shop.position("x", "A").on_hand == 12


def test_a_batch_whose_updates_are_all_refused_moves_the_sequence() -> None:
    shop = store().given(feed(1, adjust("x", "A", -99)))
    assert shop.gives(BatchSummary, feed(1, adjust("x", "A", 1))).duplicate


def test_an_empty_batch_moves_the_sequence() -> None:
    shop = store()
    assert shop.gives(BatchSummary, feed(3)) == BatchSummary(sequence=3, applied_count=0)
    assert shop.gives(BatchSummary, feed(2, adjust("x", "A", 1))).duplicate


def test_updates_of_a_batch_see_those_before_them() -> None:
    shop = store()
    summary = shop.gives(BatchSummary, feed(1, count("y", "B", 5), adjust("y", "B", -5)))
    assert summary.applied_count == 2
    assert shop.position("y", "B").on_hand == 0


def test_a_late_count_in_a_feed_keeps_later_changes() -> None:
    shop = store().later(2000).given(feed(1, adjust("x", "A", -3)))
    shop.later(1000).given(feed(2, count("x", "A", 20, as_of_ms=NOON_MS + 1000)))
    assert shop.position("x", "A").on_hand == 17


def test_a_feed_and_a_call_change_the_same_stock() -> None:
    shop = store().given(stock(adjust("x", "A", 2)), feed(1, adjust("x", "A", -12)))
    assert shop.position("x", "A").on_hand == 0


def test_the_number_of_sources_is_bounded_and_a_known_source_goes_on() -> None:
    shop = store(Limits(sources_max=1)).given(feed(1, adjust("x", "A", 1), source="till-1"))
    other = feed(1, adjust("x", "A", 1), source="till-2")
    assert shop.refuses(other) is Reason.CAPACITY_EXCEEDED
    shop.given(feed(2, adjust("x", "A", 1), source="till-1"))
    assert shop.position("x", "A").on_hand == 12
    shop.check_replay()
