"""The fold that judges a replay: it must see what it exists for, so here it is lied to."""

from benchmarks.retail_fold import ANYWHERE, Call, Figures, Fold

OPENING = {("A", "north"): 5, ("A", "south"): 3}


def judged(*calls: Call) -> Fold:
    fold = Fold(OPENING)
    fold.run(calls)
    return fold


def held(name: str, store: str, units: int, revision: int, *, seen: int = 10) -> Call:
    lines = (("A", store, units),)
    return Call(
        name=name,
        asked=lines,
        taken=lines,
        revision=revision,
        seen_revision=seen,
        sent_before_answer=1,
    )


def refused(store: str, units: int, *, seen: int, sent_before_answer: int) -> Call:
    return Call(
        name="refused",
        asked=(("A", store, units),),
        seen_revision=seen,
        sent_before_answer=sent_before_answer,
    )


def test_a_hold_and_its_confirmation_become_an_allocation() -> None:
    lines = (("A", "north", 2),)
    confirmation = Call(
        name="confirm", taken=lines, confirms=True, revision=12, sent_before_answer=2
    )
    fold = judged(held("hold", "north", 2, 11), confirmation)
    assert fold.unlawful == []
    assert fold.figures["A", "north"] == Figures(on_hand=5, allocated=2)


def test_a_hold_beyond_what_is_there_is_unlawful() -> None:
    fold = judged(held("first", "north", 4, 11), held("second", "north", 2, 12))
    assert fold.unlawful == ["second took 2 of A at north, 1 were there"]


def test_the_order_of_revisions_counts_and_not_that_of_sending() -> None:
    fold = judged(held("late", "north", 2, 12), held("early", "north", 4, 11))
    assert fold.unlawful == ["late took 2 of A at north, 1 were there"]


def test_a_hold_of_other_units_than_asked_is_unlawful() -> None:
    call = held("hold", "north", 2, 11)
    call.taken = (("A", "north", 1),)
    assert "hold holds" in judged(call).unlawful[0]


def test_a_hold_for_anywhere_may_lie_anywhere() -> None:
    call = held("hold", "north", 8, 11)
    call.asked = (("A", ANYWHERE, 8),)
    call.taken = (("A", "north", 5), ("A", "south", 3))
    assert judged(call).unlawful == []


def test_a_refusal_while_all_was_there_is_unlawful() -> None:
    fold = judged(refused("north", 5, seen=10, sent_before_answer=1))
    assert fold.unlawful == ["refused was refused though all of it was there"]


def test_a_refusal_for_want_of_stock_is_lawful() -> None:
    assert judged(refused("north", 6, seen=10, sent_before_answer=1)).unlawful == []
    assert judged(refused(ANYWHERE, 9, seen=10, sent_before_answer=1)).unlawful == []


def test_a_refusal_may_have_come_before_or_after_a_call_at_the_same_time() -> None:
    taker = held("taker", "north", 4, 11)
    taker.sent_before_answer = 2
    assert judged(taker, refused("north", 2, seen=10, sent_before_answer=2)).unlawful == []


def test_a_refusal_that_was_answered_before_the_stock_was_taken_is_unlawful() -> None:
    early = refused("north", 2, seen=10, sent_before_answer=1)
    assert len(judged(early, held("taker", "north", 4, 12)).unlawful) == 1


def test_a_refusal_that_was_sent_after_stock_came_back_is_unlawful() -> None:
    back = Call(name="back", deltas=(("A", "north", 4),), revision=11, sent_before_answer=1)
    assert len(judged(back, refused("north", 9, seen=11, sent_before_answer=2)).unlawful) == 1


def test_taking_away_more_than_lies_there_is_unlawful() -> None:
    off = Call(name="off", deltas=(("A", "south", -4),), revision=11, sent_before_answer=1)
    assert judged(off).unlawful == ["off took more than lay there"]
    off.revision = 0
    assert judged(off).unlawful == []
