"""The ledger flags every answer that was lost, every effect that came twice, and nothing else."""

import msgspec
import pytest

from tests.faults.ledger import (
    ADVANCE,
    AT,
    CONFIRMED,
    CUP,
    CUT,
    EDIT,
    GO_ON,
    HELD,
    MOVE,
    PAUSE,
    PLACING,
    PLENTY,
    QUANTITIES,
    RELEASED,
    SENT_STEPS,
    TEA,
    Found,
    Ledger,
    end_id,
    reserve_id,
    steps_of,
)

HOLD, CLAIM, GIVEN_BACK, OPEN = "l0-0", "l0-1", "l0-2", "l0-5"
TAKEN, SHIPPED = "l0-3", "l0-4"
ALL_PLENTY = PLENTY * len(AT)
LINES = dict(QUANTITIES)


@pytest.fixture
def ledger() -> Ledger:
    """Return a ledger of three orders that were answered and one that was not."""
    ledger = Ledger()
    for request_id in (
        reserve_id(HOLD),
        reserve_id(CLAIM),
        end_id(CLAIM),
        reserve_id(GIVEN_BACK),
        end_id(GIVEN_BACK),
    ):
        ledger.send(request_id)
        ledger.answer(request_id, "answer")
    ledger.send(reserve_id(OPEN))
    return ledger


def whole() -> Found:
    orders = {
        HOLD: (HELD, LINES),
        CLAIM: (CONFIRMED, LINES),
        GIVEN_BACK: (RELEASED, LINES),
    }
    return Found(orders, {TEA: (ALL_PLENTY, 2, 2), CUP: (ALL_PLENTY, 1, 1)})


def with_order(order: str, state: int, *, soft: int = 1, allocated: int = 1) -> Found:
    orders = {**whole().orders, order: (state, LINES)}
    return Found(
        orders,
        {TEA: (ALL_PLENTY, 2 * soft, 2 * allocated), CUP: (ALL_PLENTY, soft, allocated)},
    )


def test_what_was_answered_and_is_there_is_no_harm(ledger: Ledger) -> None:
    ledger.check(whole())
    assert not ledger.lost
    assert not ledger.doubled


def test_what_has_no_answer_may_be_there_or_not(ledger: Ledger) -> None:
    ledger.check(with_order(OPEN, HELD, soft=2))
    assert not ledger.lost
    assert not ledger.doubled
    assert ledger.unanswered() == [reserve_id(OPEN)]


def test_an_answered_order_that_is_gone_is_lost(ledger: Ledger) -> None:
    found = whole()
    del found.orders[HOLD]
    ledger.check(found)
    assert ledger.lost


def test_an_answered_end_that_did_not_stay_is_lost(ledger: Ledger) -> None:
    ledger.check(with_order(CLAIM, HELD, soft=2, allocated=0))
    assert ledger.lost


def test_an_order_that_nobody_sent_is_a_harm(ledger: Ledger) -> None:
    ledger.check(with_order("l9-9", HELD, soft=2))
    assert ledger.doubled


def test_an_end_that_nobody_asked_for_is_a_harm(ledger: Ledger) -> None:
    ledger.check(with_order(HOLD, RELEASED, soft=0))
    assert ledger.doubled


@pytest.mark.parametrize(
    "figures", [(ALL_PLENTY, 4, 2), (ALL_PLENTY, 2, 4), (ALL_PLENTY - 2, 2, 2)]
)
def test_stock_that_moved_twice_is_a_harm(ledger: Ledger, figures: tuple[int, int, int]) -> None:
    found = whole()
    ledger.check(msgspec.structs.replace(found, positions={**found.positions, TEA: figures}))
    assert ledger.doubled


def test_another_answer_to_the_same_request_is_a_harm(ledger: Ledger) -> None:
    ledger.answer(reserve_id(HOLD), "answer")
    assert not ledger.doubled
    assert ledger.repeated_count == 1
    ledger.answer(reserve_id(HOLD), "another")
    assert ledger.doubled


def test_a_refused_request_that_had_an_effect_is_a_harm(ledger: Ledger) -> None:
    ledger.refuse(reserve_id(OPEN))
    ledger.check(with_order(OPEN, HELD, soft=2))
    assert ledger.doubled


def with_placed(*steps: str) -> tuple[Ledger, Found]:
    """Return a ledger of one order that was placed, and what its answered steps made."""
    ledger = Ledger()
    for request_id in steps_of(TAKEN):
        if request_id[-2:] in (".r", ".e", *steps):
            ledger.send(request_id)
            ledger.answer(request_id, "answer")
    units = {TEA: 3 if EDIT in steps else 2, CUP: 0 if CUT in steps else 1}
    positions = {sku: (ALL_PLENTY, 0, number) for sku, number in units.items()}
    marks = [ADVANCE] if ADVANCE in steps else []
    return ledger, Found({TAKEN: (CONFIRMED, LINES)}, positions, {TAKEN: (marks, units)})


@pytest.mark.parametrize("steps", [(), (EDIT,), (EDIT, CUT), (EDIT, CUT, ADVANCE)])
def test_what_was_done_with_an_order_and_is_there_is_no_harm(steps: tuple[str, ...]) -> None:
    ledger, found = with_placed(*steps)
    ledger.check(found)
    assert not ledger.lost
    assert not ledger.doubled


@pytest.mark.parametrize("steps", [(EDIT,), (EDIT, CUT), (EDIT, CUT, ADVANCE)])
def test_what_was_answered_about_an_order_and_is_not_done_is_lost(steps: tuple[str, ...]) -> None:
    ledger, _ = with_placed(*steps)
    ledger.check(with_placed(*steps[:-1])[1])
    assert ledger.lost


@pytest.mark.parametrize("steps", [(EDIT,), (CUT,), (ADVANCE,)])
def test_what_nobody_asked_of_an_order_is_a_harm(steps: tuple[str, ...]) -> None:
    ledger, _ = with_placed()
    ledger.check(with_placed(*steps)[1])
    assert ledger.doubled


def test_a_placed_order_that_is_gone_is_lost() -> None:
    ledger, found = with_placed()
    found.placed.clear()
    ledger.check(found)
    assert ledger.lost


def sent_up_to(last: str) -> Ledger:
    """Return a ledger of an order that is sent, answered up to a step."""
    ledger = Ledger()
    for step in SENT_STEPS[: SENT_STEPS.index(last) + 1]:
        ledger.send(f"{SHIPPED}{step}")
        ledger.answer(f"{SHIPPED}{step}", "answer")
    return ledger


def with_marks(*marks: str) -> Found:
    positions = {sku: (ALL_PLENTY, 0, number) for sku, number in QUANTITIES.items()}
    return Found({}, positions, {SHIPPED: (list(marks), LINES)})


STATES_OF_A_SENT_ORDER = [(PLACING, ()), (PAUSE, (PAUSE,)), (GO_ON, ()), (MOVE, (MOVE,))]


@pytest.mark.parametrize(("last", "marks"), STATES_OF_A_SENT_ORDER)
def test_what_was_done_with_an_order_that_is_sent_is_no_harm(
    last: str, marks: tuple[str, ...]
) -> None:
    ledger = sent_up_to(last)
    ledger.check(with_marks(*marks))
    assert not ledger.lost
    assert not ledger.doubled


@pytest.mark.parametrize(("last", "marks"), [(PAUSE, ()), (GO_ON, (PAUSE,)), (MOVE, ())])
def test_an_answered_step_of_an_order_that_is_sent_and_not_there_is_lost(
    last: str, marks: tuple[str, ...]
) -> None:
    ledger = sent_up_to(last)
    ledger.check(with_marks(*marks))
    assert ledger.lost


@pytest.mark.parametrize("mark", [PAUSE, MOVE, ADVANCE])
def test_a_step_of_an_order_that_is_sent_and_nobody_asked_for_is_a_harm(mark: str) -> None:
    ledger = sent_up_to(PLACING)
    ledger.check(with_marks(mark))
    assert ledger.doubled


def test_an_order_that_is_sent_and_gone_is_lost() -> None:
    ledger = sent_up_to(PLACING)
    ledger.check(Found({}, dict.fromkeys(QUANTITIES, (ALL_PLENTY, 0, 0))))
    assert ledger.lost


def test_a_move_that_claims_at_both_places_is_a_harm() -> None:
    ledger = sent_up_to(MOVE)
    twice = {sku: (ALL_PLENTY, 0, 2 * number) for sku, number in QUANTITIES.items()}
    ledger.check(msgspec.structs.replace(with_marks(MOVE), positions=twice))
    assert ledger.doubled


def test_a_repeat_keeps_the_etag_of_its_first_time() -> None:
    ledger = Ledger()
    assert ledger.send(f"{SHIPPED}{MOVE}", "17") == "17"
    assert ledger.send(f"{SHIPPED}{MOVE}") == "17"
