"""The auditor objects to each kind of wrong that it is there for."""

from collections.abc import Callable

import pytest

from tests.simulation.auditor import check_listing
from tests.simulation.stories import (
    CONFIRM,
    CONFIRMED,
    DEADLINE,
    EXPIRED,
    NOON,
    RELEASE,
    RELEASED,
    REVIVE,
    REVIVED,
    SHIP,
    SHIPPED,
    Plain,
    Story,
    adjust,
    adjusted,
    created,
    hold,
    line,
    location,
    refused,
    reserve,
    reserved,
)


def test_a_right_story_is_believed_and_added_up() -> None:
    auditor = Story().held().then(CONFIRM, CONFIRMED).then(SHIP, SHIPPED).told()
    assert auditor.books.positions["tea", "north"] == [7, 0, 0]
    settled = hold("h", ["tea", "north", 3, 0, 3], revision=5)
    settled[3] = 2
    assert auditor.books.holds == {"h": settled}
    auditor.answered(("web", "r3"), 3, hold("h"))
    check_listing(auditor, [["tea", "north", 7, 0, 0]], [settled])


def gap(story: Story) -> None:
    story.held().then(RELEASE, RELEASED)
    del story.records[2]


def backwards(story: Story) -> None:
    story.then(reserve(), reserved(), at=NOON - 1)


def twice(story: Story) -> None:
    story.then(adjust(1), adjusted(1), request_id="same")
    story.records.append([4, NOON, [adjusted(1)], "web", "same", 3])


def rewritten(story: Story) -> None:
    story.told()
    story.records = [[2, NOON, [adjusted(11)], "web", "r2", 2]]


def unasked(story: Story) -> None:
    story.timer(adjusted(1))


def two_at_once(story: Story) -> None:
    story.then(adjust(1), adjusted(1), adjusted(1))


def oversold(story: Story) -> None:
    story.then(reserve(line(11)), reserved(line(11)))


def oversold_by_two(story: Story) -> None:
    story.then(reserve(line(6)), reserved(line(6)))
    story.then(reserve(line(6), name="i"), reserved(line(6), name="i", revision=4))


def never_asked(story: Story) -> None:
    story.then(reserve(line(2)), reserved(line(3)))


def given_less(story: Story) -> None:
    story.then(reserve(line(3)), reserved(line(2)))


def another_deadline(story: Story) -> None:
    late = reserved()
    late[1][7] += 1
    story.then(reserve(), late)


def hidden_backorder(story: Story) -> None:
    story.then(reserve(line(3)), reserved(line(3, backordered=1)))


def outside_the_scope(story: Story) -> None:
    story.then(created(location("south")), [1, location("south")])
    story.then(reserve(line(3, ""), scope=[2, ["south"]]), reserved(revision=4))


def grown_too_far(story: Story) -> None:
    command = ["UpdateReservation", "h", [["tea", "north", 11]], None, None, False, ""]
    story.held().then(command, [11, hold("h", line(11), revision=4), [["tea", "north", 8]]])


def changed_otherwise(story: Story) -> None:
    command = ["UpdateReservation", "h", [["tea", "north", 5]], None, None, False, ""]
    story.held().then(command, [11, hold("h", line(4), revision=4), [["tea", "north", 1]]])


def nothing_changed_but_should(story: Story) -> None:
    command = ["UpdateReservation", "h", [["tea", "north", 5]], None, None, False, ""]
    story.held().then(command, [17, 5, ["h"]])


def lost_on_the_way(story: Story) -> None:
    story.then(created(location("south")), [1, location("south")])
    story.then(reserve(), reserved(revision=4))
    command = ["MoveReservation", "h", "tea", "north", "south", 2, None, False, ""]
    less = hold("h", line(1), revision=5)
    story.then(command, [11, less, [["tea", "north", -2]]])


def kept_too_long(story: Story) -> None:
    story.held().then(adjust(1), adjusted(1), at=DEADLINE)


def confirmed_at_the_deadline(story: Story) -> None:
    story.held().then(CONFIRM, CONFIRMED, at=DEADLINE)


def expired_too_soon(story: Story) -> None:
    story.held().timer(EXPIRED, at=DEADLINE - 1)


def ended_twice(story: Story) -> None:
    story.held().then(RELEASE, RELEASED).then(RELEASE, RELEASED)


def confirmed_after_release(story: Story) -> None:
    story.held().then(RELEASE, RELEASED).then(CONFIRM, CONFIRMED)


def shipped_while_held(story: Story) -> None:
    story.held().then(SHIP, SHIPPED)


def shipped_twice(story: Story) -> None:
    story.held().then(CONFIRM, CONFIRMED).then(SHIP, SHIPPED).then(SHIP, SHIPPED)


def shipped_in_part_and_said_whole(story: Story) -> None:
    story.held().then(CONFIRM, CONFIRMED).then(SHIP, [15, "h", 1, [["tea", "north", 2]]])


def cancelled_for_shipped(story: Story) -> None:
    story.held().then(CONFIRM, CONFIRMED).then(SHIP, [15, "h", 2, [["tea", "north", 3]]])


def below_zero(story: Story) -> None:
    story.then(adjust(-11), adjusted(-11))


def counted_twice(story: Story) -> None:
    story.then(adjust(1), adjusted(2))


def batch_again(story: Story) -> None:
    batch = ["ApplyStockBatch", "till", 1, [[2, "tea", "north", 1, 1, "", None]]]
    event = [8, "till", adjusted(1)[1], [3, 1, 1, [], False]]
    story.then(batch, event).then(batch, event)


def batch_skipped(story: Story) -> None:
    batch = ["ApplyStockBatch", "till", 1, [[2, "tea", "north", 1, 1, "", None]]]
    story.then(batch, [17, 6, ["till", "1"]])


def created_twice(story: Story) -> None:
    story.held().then(reserve(), reserved(revision=4))


def place_created_twice(story: Story) -> None:
    story.then(created(location()), [1, location()])


def crossed_twice(story: Story) -> None:
    story.timer([9, "tea", "north", 2, 1]).timer([9, "tea", "north", 2, 1])


def refused_though_there(story: Story) -> None:
    story.then(reserve(), refused("INSUFFICIENT_STOCK"))


def refused_with_enough(story: Story) -> None:
    story.then(reserve(), refused("INSUFFICIENT_STOCK", ["tea", "north", 3, 3, []]))


def alternatives_that_are_none(story: Story) -> None:
    short = ["tea", "north", 30, 10, [["cup", "north", 1]]]
    story.then(reserve(line(30)), refused("INSUFFICIENT_STOCK", short))


def not_found_though_there(story: Story) -> None:
    story.held().then(RELEASE, refused("RESERVATION_NOT_FOUND"))


def illegal_though_legal(story: Story) -> None:
    story.held().then(RELEASE, refused("ILLEGAL_TRANSITION"))


def etag_wrong_though_right(story: Story) -> None:
    story.held().then(["ReleaseReservation", "h", "", "3"], refused("ETAG_MISMATCH"))


def unknown_reason(story: Story) -> None:
    story.then(reserve(), refused("BECAUSE"))


def revived_without_stock(story: Story) -> None:
    story.held().timer(EXPIRED, at=DEADLINE).then(adjust(-8), adjusted(-8), at=DEADLINE)
    story.then(REVIVE, REVIVED, at=DEADLINE)


def revived_unasked(story: Story) -> None:
    story.held().timer(EXPIRED, at=DEADLINE).then(CONFIRM, REVIVED, at=DEADLINE)


def another_command(story: Story) -> None:
    story.held().then(CONFIRM, RELEASED)


WRONGS: tuple[Callable[[Story], None], ...] = (
    gap,
    backwards,
    twice,
    rewritten,
    unasked,
    two_at_once,
    oversold,
    oversold_by_two,
    never_asked,
    given_less,
    another_deadline,
    hidden_backorder,
    outside_the_scope,
    grown_too_far,
    changed_otherwise,
    nothing_changed_but_should,
    lost_on_the_way,
    kept_too_long,
    confirmed_at_the_deadline,
    expired_too_soon,
    ended_twice,
    confirmed_after_release,
    shipped_while_held,
    shipped_twice,
    shipped_in_part_and_said_whole,
    cancelled_for_shipped,
    below_zero,
    counted_twice,
    batch_again,
    batch_skipped,
    created_twice,
    place_created_twice,
    crossed_twice,
    refused_though_there,
    refused_with_enough,
    alternatives_that_are_none,
    not_found_though_there,
    illegal_though_legal,
    etag_wrong_though_right,
    unknown_reason,
    revived_without_stock,
    revived_unasked,
    another_command,
)


@pytest.mark.parametrize("wrong", WRONGS)
def test_a_wrong_story_is_objected_to(wrong: Callable[[Story], None]) -> None:
    story = Story()
    wrong(story)
    with pytest.raises((AssertionError, KeyError)):
        story.told()


def test_a_disabled_place_holds_nothing_and_a_backorder_may_exceed_the_stock() -> None:
    disabled = Story(location(window=["", NOON, NOON + 1])).held()
    with pytest.raises(AssertionError):
        disabled.told()
    generous = Story(location(backorder=True))
    product = ["tea", ["", "each", 0, 0, 0, 0, 0, [], False, False, [2, 2, 0], [], []], 0, 0, 3]
    generous.then(["CreateProducts", [product[:2]]], [4, [product]])
    more = line(12, backordered=2)
    generous.then(reserve(more), reserved(more, revision=4)).told()


def test_an_answer_that_changed_or_has_no_record_is_objected_to() -> None:
    auditor = Story().held().told()
    auditor.answered(("web", "r3"), 3, hold("h"))
    for key, revision, outcome in (
        (("web", "r3"), 3, hold("h", line(2))),
        (("web", "r3"), 2, hold("h")),
        (("web", "r2"), 3, hold("h")),
        (("web", "r3"), 4, hold("h")),
    ):
        with pytest.raises(AssertionError):
            auditor.answered(key, revision, outcome)


def test_an_answer_from_before_its_call_and_an_old_reading_are_objected_to() -> None:
    story = Story().held()
    auditor = story.told()
    auditor.answered(("web", "r3"), 3, hold("h"))
    seen = auditor.called(("web", "late"), adjust(1), 9)
    auditor.looked(seen, 3)
    with pytest.raises(AssertionError, match="after 3"):
        auditor.looked(seen, 2)
    with pytest.raises(AssertionError, match="before its call"):
        auditor.answered(("web", "late"), 2, [2, 1, 0])


def test_what_is_forgotten_may_act_again_and_what_is_kept_may_not() -> None:
    forgetful = Story().timer([18, [100, 1, 10**9, 100]])
    forgetful.then(adjust(1), adjusted(1)).then(adjust(2), adjusted(2))
    forgetful.auditor.called(("web", "r4"), adjust(1), 4)
    forgetful.records.append([6, NOON, [adjusted(1)], "web", "r4", 4])
    auditor = forgetful.told()
    assert auditor.books.positions["tea", "north"] == [14, 0, 0]
    assert auditor.has_kept(("web", "r4"))
    assert not auditor.has_kept(("web", "r5"))


def test_a_request_refused_its_own_answer_is_objected_to() -> None:
    auditor = Story().held().told()
    auditor.reuse_refused(("web", "r3"), 77)
    with pytest.raises(AssertionError, match="its own answer"):
        auditor.reuse_refused(("web", "r3"), 3)


RIGHT = [["tea", "north", 10, 3, 0]]
WRONG_LISTINGS: tuple[tuple[Plain, Plain], ...] = (
    ([], [hold("h")]),
    ([["tea", "north", 10, 4, 0]], [hold("h")]),
    ([*RIGHT, ["cup", "north", 0, 0, 0]], [hold("h")]),
    (RIGHT, []),
    (RIGHT, [hold("h", line(2))]),
    (RIGHT, [hold("h"), hold("i")]),
)


@pytest.mark.parametrize(("positions", "reservations"), WRONG_LISTINGS)
def test_a_listing_that_differs_from_the_books_is_objected_to(
    positions: Plain, reservations: Plain
) -> None:
    auditor = Story().held().told()
    check_listing(auditor, RIGHT, [hold("h")])
    with pytest.raises(AssertionError):
        check_listing(auditor, positions, reservations)


def test_claims_that_do_not_add_up_are_objected_to() -> None:
    auditor = Story().held().told()
    auditor.books.positions["tea", "north"][1] += 1
    with pytest.raises(AssertionError, match="claims"):
        auditor.books.check_conserved()
