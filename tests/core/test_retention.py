"""How much of the past is kept: a part of the state, so that replay needs no settings."""

import pytest

from domgrpc.core.events import RetentionChanged
from domgrpc.core.machine import change_retention, replay
from domgrpc.core.rejections import Reason, Rejection
from domgrpc.core.state import State
from domgrpc.core.values import Limits, ReservationId, Retention
from tests.core.commands import adjust, confirm, count, on_hand, place, release, reserve, stock
from tests.core.given import Shop, encoded
from tests.core.pictures import picture

FEW = Limits(finished_reservations_max=2, kept_answers_max=3, remembered_deltas_max=2)
MINUTE_MS = 60_000


def busy(limits: Limits | None = None) -> Shop:
    """Open a shop in which five holds ended, with an answer and a delta each."""
    shop = Shop(limits).given(place("A"), on_hand("x", A=10))
    for name in "abcde":
        shop.given(reserve(("x", "A", 1), as_id=name), release(name), stock(adjust("x", "A", 1)))
    return shop


def counts(state: State) -> tuple[int, int, int]:
    """Return how many finished holds, answers and deltas are kept."""
    return len(state.reservations.by_id), len(state.answers.by_key), len(state.memory.entries)


def test_an_empty_log_begins_with_what_the_format_says() -> None:
    assert State(FEW).retention == Retention() == Limits().retention
    assert Shop().records == []


def test_settings_that_differ_are_a_record_and_bound_what_is_kept() -> None:
    shop = busy(FEW)
    assert shop.records[0].events == (RetentionChanged(FEW.retention),)
    assert counts(shop.state) == (2, 3, 2)
    shop.check_replay()


def test_a_log_replays_to_the_same_state_whatever_the_settings_are_by_then() -> None:
    shop = busy(FEW)
    for limits in (Limits(), Limits(finished_reservations_max=1, kept_answers_max=1)):
        again = State(limits)
        for record in shop.records:
            replay(again, record)
        assert counts(again) == (2, 3, 2)
        assert picture(again, shop.now_ms) == picture(shop.state, shop.now_ms)


def test_keeping_less_forgets_the_oldest_at_once_and_keeping_more_brings_nothing_back() -> None:
    shop = busy()
    assert counts(shop.state) == (5, 17, 5)
    shop.retain(FEW.retention)
    assert counts(shop.state) == (2, 3, 2)
    assert shop.refuses(release("c")) is Reason.RESERVATION_NOT_FOUND
    shop.retain(Retention())
    assert counts(shop.state) == (2, 3, 2)
    assert change_retention(shop.state, Retention(), shop.now_ms) is None
    shop.check_replay()


def test_answers_that_are_too_old_by_a_new_age_are_forgotten_even_all_of_them() -> None:
    shop = busy().later(1_001)
    shop.retain(Retention(kept_answer_age_ms=1_000))
    assert shop.state.answers.by_key == {}
    shop.given(place("B"))
    assert len(shop.state.answers.by_key) == 1
    shop.check_replay()


def test_a_count_from_before_what_was_forgotten_is_refused_then() -> None:
    shop = busy()
    for _ in range(3):
        shop.later(10).given(stock(adjust("x", "A", 1)))
    shop.retain(Retention(remembered_deltas_max=1))
    early = count("x", "A", 5, as_of_ms=shop.now_ms - 15)
    refused = shop.send(stock(early)).outcome
    assert isinstance(refused, Rejection)
    assert refused.reason is Reason.EFFECTIVE_TIME_TOO_OLD


def test_a_hold_that_was_revived_is_replayed_however_few_are_kept_later() -> None:
    shop = Shop().given(place("A"), on_hand("x", A=9))
    shop.given(reserve(("x", "A", 1), as_id="r", ttl_ms=MINUTE_MS)).later(MINUTE_MS)
    shop.given(reserve(("x", "A", 1), as_id="s"), release("s"))
    shop.given(reserve(("x", "A", 1), as_id="t"), release("t"), confirm("r", revive=True))
    again = State(Limits(finished_reservations_max=1))
    for record in shop.records:
        replay(again, record)
    assert ReservationId("r") in again.reservations.by_id


def test_the_record_is_small_and_names_no_request() -> None:
    record = busy(FEW).records[0]
    assert (record.client_id, record.request_id) == ("", "")
    assert len(encoded(record)) < 64


@pytest.mark.parametrize("limits", [FEW, Limits(kept_answer_age_ms=1)])
def test_each_bound_can_be_set(limits: Limits) -> None:
    assert Shop(limits).state.retention == limits.retention
