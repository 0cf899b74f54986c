"""Kept answers: a retried call gets its first answer and does not act again."""

import pytest

from domgrpc.core.answers import Answer
from domgrpc.core.dispatch import Command
from domgrpc.core.rejections import Reason, Rejection
from domgrpc.core.reservations import Reservation
from domgrpc.core.values import Limits
from tests.core.commands import (
    adjust,
    change,
    confirm,
    disable,
    enable,
    feed,
    group,
    no_rule,
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
from tests.core.given import Shop
from tests.core.pictures import picture

DAY_MS = 86_400_000


@pytest.fixture
def store(shop: Shop) -> Shop:
    """A and B with 10 of x each; hold r, claim c, rule s and group g."""
    shop.given(place("A"), place("B"), on_hand("x", A=10, B=10), group("g"), rule("s", 0))
    shop.given(reserve(("x", "A", 2), as_id="r"), reserve(("x", "A", 2), as_id="c"))
    return shop.given(confirm("c"))


def reason(answer: Answer) -> Reason | None:
    """Return why an answer is no, None where it is yes."""
    return answer.outcome.reason if isinstance(answer.outcome, Rejection) else None


CALLS: list[Command] = [
    place("C"),
    place("A"),
    disable("B"),
    enable("A"),
    group("h", "A"),
    product("x"),
    rule("t", 1),
    no_rule("s"),
    no_rule("t"),
    stock(adjust("x", "A", -1)),
    stock(adjust("x", "A", -99)),
    feed(1, adjust("x", "A", -1), adjust("x", "A", -99)),
    reserve(("x", "A", 3), as_id="new"),
    reserve(("x", "A", 99)),
    reserve(("x", "", 99), allow_partial=True),
    change("r", ("x", "A", 1)),
    change("r", ("x", "A", 2)),
    relocate("r", "x", "A", "B"),
    confirm("r"),
    confirm("c"),
    release("r"),
    release("c"),
    ship("c"),
    ship("r"),
]


@pytest.mark.parametrize("call", CALLS)
def test_a_retry_gets_the_first_answer_and_does_nothing(store: Shop, call: Command) -> None:
    first = store.send(call, request_id="once")
    after = picture(store.state, store.now_ms)
    count = len(store.records)
    store.given(stock(adjust("x", "A", 1)), stock(adjust("x", "A", -1)))
    again = store.send(call, request_id="once")
    assert again == Answer(first.revision, first.outcome, replayed=True)
    assert not first.replayed
    assert picture(store.state, store.now_ms) == after
    assert len(store.records) == count + 2


def test_a_retry_gets_the_answer_as_it_was_whatever_happened_since(store: Shop) -> None:
    first = store.send(reserve(("x", "A", 3), as_id="n"), request_id="once")
    store.given(change("n", ("x", "A", 1)), confirm("n"), ship("n"))
    again = store.send(reserve(("x", "A", 3), as_id="n"), request_id="once")
    assert again.outcome == first.outcome
    assert isinstance(again.outcome, Reservation)
    assert again.outcome.lines[0].quantity == 3


def test_a_retry_gets_the_answer_after_the_hold_is_over(store: Shop) -> None:
    first = store.send(reserve(("x", "A", 3), as_id="n"), request_id="once")
    store.later(DAY_MS // 2)
    assert store.send(reserve(("x", "A", 3), as_id="n"), request_id="once").outcome == first.outcome


def test_a_refusal_caused_by_the_state_is_repeated_although_the_state_changed(
    store: Shop,
) -> None:
    first = store.send(reserve(("x", "A", 99), as_id="n"), request_id="once")
    assert reason(first) is Reason.INSUFFICIENT_STOCK
    store.given(on_hand("x", A=1000))
    again = store.send(reserve(("x", "A", 99), as_id="n"), request_id="once")
    assert (again.outcome, again.replayed) == (first.outcome, True)
    store.given(reserve(("x", "A", 99), as_id="n"))


def test_the_same_id_with_other_content_is_refused_and_the_first_answer_stays(
    store: Shop,
) -> None:
    first = store.send(reserve(("x", "A", 3)), request_id="once")
    for other in (reserve(("x", "A", 4)), confirm("r"), stock(adjust("x", "A", 1))):
        assert reason(store.send(other, request_id="once")) is Reason.REQUEST_ID_REUSED
    again = store.send(reserve(("x", "A", 3)), request_id="once")
    assert (again.outcome, again.replayed) == (first.outcome, True)


def test_each_client_has_its_own_ids(store: Shop) -> None:
    store.send(reserve(("x", "A", 1), as_id="n"), request_id="once", client_id="one")
    other = store.send(reserve(("x", "A", 2), as_id="m"), request_id="once", client_id="two")
    assert not other.replayed
    assert store.position("x", "A").soft_reserved == 5


def test_ids_of_a_client_are_told_apart_by_case(store: Shop) -> None:
    store.send(stock(adjust("x", "A", 1)), request_id="once")
    assert not store.send(stock(adjust("x", "A", 1)), request_id="Once").replayed
    assert store.position("x", "A").on_hand == 12


@pytest.mark.parametrize("refused", [Reason.RESERVATION_QUOTA_EXCEEDED, Reason.CAPACITY_EXCEEDED])
def test_refusals_that_a_retry_may_overcome_are_not_kept(refused: Reason) -> None:
    quota = refused is Reason.RESERVATION_QUOTA_EXCEEDED
    limits = Limits(held_per_client_max=1) if quota else Limits(reservations_max=1)
    shop = Shop(limits).given(place("A"), on_hand("x", A=10), reserve(("x", "A", 1), as_id="r"))
    asked = reserve(("x", "A", 1), as_id="s")
    before = len(shop.records)
    assert reason(shop.send(asked, request_id="once")) is refused
    assert reason(shop.send(asked, request_id="once")) is refused
    assert len(shop.records) == before


def test_refusals_of_a_wrong_shape_are_not_kept(store: Shop) -> None:
    before = len(store.records)
    hasty = reserve(("x", "A", 1), ttl_ms=1)
    assert reason(store.send(hasty, request_id="once")) is Reason.TTL_OUT_OF_RANGE
    assert len(store.records) == before
    assert not store.send(reserve(("x", "A", 1)), request_id="once").replayed


def test_a_reused_id_is_not_kept_as_the_answer(store: Shop) -> None:
    store.send(stock(adjust("x", "A", 1)), request_id="once")
    before = len(store.records)
    store.send(stock(adjust("x", "A", 2)), request_id="once")
    assert len(store.records) == before


def test_a_preview_with_a_used_id_acts_like_the_call(store: Shop) -> None:
    store.send(stock(adjust("x", "A", 1)), request_id="once")
    other = store.send(stock(adjust("x", "A", 2)), request_id="once", validate_only=True)
    assert reason(other) is Reason.REQUEST_ID_REUSED


# --- bounds


def test_the_oldest_answers_beyond_the_number_are_forgotten() -> None:
    shop = Shop(Limits(kept_answers_max=3)).given(place("A"), on_hand("x", A=10))
    for name in ("a", "b", "c", "d"):
        shop.send(stock(adjust("x", "A", 1)), request_id=name)
    assert shop.send(stock(adjust("x", "A", 1)), request_id="b").replayed
    assert shop.send(stock(adjust("x", "A", 1)), request_id="d").replayed
    assert not shop.send(stock(adjust("x", "A", 1)), request_id="a").replayed
    assert not shop.send(stock(adjust("x", "A", 1)), request_id="b").replayed
    assert shop.position("x", "A").on_hand == 16


def test_refusals_use_up_the_number_like_any_answer() -> None:
    shop = Shop(Limits(kept_answers_max=1)).given(place("A"), on_hand("x", A=10))
    shop.send(stock(adjust("x", "A", -99)), request_id="no")
    assert shop.send(stock(adjust("x", "A", -99)), request_id="no").replayed
    shop.send(stock(adjust("x", "A", 1)), request_id="yes")
    assert not shop.send(stock(adjust("x", "A", -99)), request_id="no").replayed


def test_answers_are_kept_for_their_age_and_forgotten_after_it() -> None:
    shop = Shop(Limits(kept_answer_age_ms=1000)).given(place("A"), on_hand("x", A=10))
    shop.send(stock(adjust("x", "A", 1)), request_id="old")
    shop.later(1000).send(stock(adjust("x", "A", 1)), request_id="tick")
    assert shop.send(stock(adjust("x", "A", 1)), request_id="old").replayed
    shop.later(1).send(stock(adjust("x", "A", 1)), request_id="tock")
    assert not shop.send(stock(adjust("x", "A", 1)), request_id="old").replayed
    assert shop.send(stock(adjust("x", "A", 1)), request_id="tick").replayed


def test_forgotten_answers_are_forgotten_after_a_replay_too() -> None:
    shop = Shop(Limits(kept_answers_max=2, kept_answer_age_ms=5000))
    shop.given(place("A"), on_hand("x", A=10))
    for step in range(10):
        shop.later(1500).send(stock(adjust("x", "A", 1)), request_id=f"step-{step}")
    shop.check_replay()


def test_every_answer_has_the_revision_at_which_it_was_true(store: Shop) -> None:
    before = store.state.revision
    first = store.send(stock(adjust("x", "A", 1)), request_id="once")
    refused = store.send(stock(adjust("x", "A", -99)))
    same = store.send(enable("A"))
    assert [first.revision, refused.revision, same.revision] == [before + 1, before + 2, before + 3]
    assert store.send(stock(adjust("x", "A", 1)), request_id="once").revision == before + 1
