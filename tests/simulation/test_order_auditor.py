"""The auditor objects to each kind of wrong about orders that it is there for."""

from collections.abc import Callable

import pytest

from tests.simulation.auditor import check_listing
from tests.simulation.order_books import (
    BY_PICKUP,
    COLLECT_BY,
    DECISIONS,
    WORK_METHOD,
    WORK_TARGET,
    WORKS,
)
from tests.simulation.order_stories import (
    CANCEL,
    GIVEN_BACK,
    PLACE,
    PLACED,
    RELEASED,
    SHIPPED,
    advance,
    after,
    changed,
    leg,
    order,
    ordered,
    place_order,
    placed,
    quoted,
    rule_set_active,
    save_calendar,
    shop,
    terms,
    wanted,
    work,
)
from tests.simulation.stories import (
    CONFIRM,
    CONFIRMED,
    DEADLINE,
    EXPIRED,
    NOON,
    Plain,
    Story,
    line,
    reserve,
    reserved,
)

PLACED_STEP, EDITED, CUT, HELD, FREED, ADVANCED, REPLANNED = range(1, 8)
GIVEN = work(state=RELEASED)


def released() -> Story:
    """Tell of an order whose work was given to its place."""
    it = after(order(), ADVANCED, "o/1 RELEASED", revision=6, works=[GIVEN])
    return ordered().then(advance(RELEASED), changed(it, ADVANCED))


def test_a_right_story_of_an_order_is_believed_and_added_up() -> None:
    given = after(order(), ADVANCED, "o/1 RELEASED", revision=6, works=[GIVEN])
    left = after(given, ADVANCED, "o/1 SHIPPED", revision=7, works=[work(state=SHIPPED)])
    story = released().then(advance(SHIPPED), changed(left, ADVANCED, ["tea", "north", -3, -3]))
    auditor = story.told()
    assert auditor.books.positions["tea", "north"] == [7, 0, 0]
    check_listing(auditor, [["tea", "north", 7, 0, 0], ["tea", "south", 10, 0, 0]], [], [left])
    with pytest.raises(AssertionError):
        check_listing(auditor, [["tea", "north", 7, 0, 0], ["tea", "south", 10, 0, 0]], [])


def test_a_hold_that_an_order_takes_over_is_over_once() -> None:
    story = shop().then(reserve(line(10)), reserved(line(10), revision=5))
    over = place_order([wanted(10)], hold="h")
    it = order(work(10), lines=[wanted(10)], legs=[leg(10)], revision=6)
    story.then(over, placed(it, ["tea", "north", 10, 0], hold="h", taken=[line(10)]))
    books = story.told().books
    assert books.positions["tea", "north"] == [10, 0, 10]
    assert books.holds["h"][3] == 2
    again = order(work(10, order_id="p"), name="p", lines=[wanted(10)], legs=[leg(10)], revision=7)
    more = placed(again, ["tea", "north", 10, 0], hold="h", taken=[line(10)])
    story.then(place_order([wanted(10)], name="p", hold="h"), more)
    with pytest.raises(AssertionError, match="h is no hold any more"):
        story.told()


# --- what is planned


def more_than_there_is(story: Story) -> None:
    it = order(work(11), lines=[wanted(11)], legs=[leg(11)])
    story.then(place_order([wanted(11)]), placed(it, ["tea", "north", 11, 0]))


def from_what_is_held(story: Story) -> None:
    story.then(reserve(line(8)), reserved(line(8), revision=5))
    story.then(PLACE, placed(order(revision=6)))


def without_its_claim(story: Story) -> None:
    story.then(PLACE, placed(order(), ["tea", "north", 2, 0]))


def a_unit_too_few(story: Story) -> None:
    it = order(work(2), legs=[leg(2)], attention=1)
    story.then(PLACE, placed(it, ["tea", "north", 2, 0]))


def a_unit_too_many(story: Story) -> None:
    story.then(PLACE, placed(order(work(4), legs=[leg(4)]), ["tea", "north", 4, 0]))


def outside_of_the_scope(story: Story) -> None:
    story.then(place_order(terms=SOUTH), placed(order(terms=SOUTH)))


def where_a_rule_forbids(story: Story) -> None:
    rule_set_active(story, [["r", 1, "location.type == 'STORE'", 0, 0]])
    it = order(revision=8)
    it[8][0][3] = 1
    story.then(PLACE, placed(it))


def beyond_the_capacity(story: Story) -> None:
    save_calendar(story, 1)
    story.then(PLACE, placed(order(revision=6)))
    it = order(work(order_id="p"), name="p", revision=7)
    story.then(place_order(name="p"), placed(it))


def cheaper_than_its_parts(story: Story) -> None:
    story.then(PLACE, placed(order(legs=[leg(cost=4, bound=4)])))


def proven_by_a_higher_bound(story: Story) -> None:
    story.then(PLACE, placed(order(legs=[leg(bound=6)])))


def paid_otherwise(story: Story) -> None:
    story.then(PLACE, placed(order(legs=[leg(cost=6, paid=6, bound=6)])))


def ordered_twice(story: Story) -> None:
    story.then(PLACE, PLACED).then(PLACE, placed(order(revision=6)))


def late_and_not_told(story: Story) -> None:
    soon = terms(promise=NOON - 1)
    story.then(place_order(terms=soon), placed(order(terms=soon)))


def cancelled_unasked(story: Story) -> None:
    it = order(work(2), lines=[wanted(cancelled=1)], legs=[leg(2)])
    story.then(PLACE, placed(it, ["tea", "north", 2, 0]))


def not_cancelled_though_told(story: Story) -> None:
    scoped = terms(CANCEL, scope=[2, ["north"]])
    it = order(work(10), lines=[wanted(11)], terms=scoped, legs=[leg(10)], attention=1)
    story.then(place_order([wanted(11)], scoped), placed(it, ["tea", "north", 10, 0]))


# --- holds and quotes


def taken_over_late(story: Story) -> None:
    story.then(reserve(), reserved(revision=5)).timer(EXPIRED, at=DEADLINE)
    it = placed(order(revision=7), hold="h", taken=[line(3)])
    story.then(place_order(hold="h"), it, at=DEADLINE)


def taken_over_after_its_end(story: Story) -> None:
    story.then(reserve(), reserved(revision=5)).then(CONFIRM, CONFIRMED)
    story.then(place_order(hold="h"), placed(order(revision=7), hold="h", taken=[line(3)]))


def taken_over_in_part(story: Story) -> None:
    story.then(reserve(), reserved(revision=5))
    story.then(place_order(hold="h"), placed(order(revision=6), hold="h", taken=[line(2)]))


def taken_over_unasked(story: Story) -> None:
    story.then(reserve(), reserved(revision=5))
    story.then(PLACE, placed(order(revision=6), hold="h", taken=[line(3)]))


def quote_that_was_over(story: Story) -> None:
    story.then(place_order(quoted=quoted(due=NOON)), PLACED)


def quote_for_something_else(story: Story) -> None:
    story.then(place_order(quoted=quoted(lines=[wanted(2)])), PLACED)


def quote_not_kept(story: Story) -> None:
    story.then(place_order(quoted=quoted(["south", 1, "", [["l", 3]]])), PLACED)


# --- changes


def cancelled(units: int, left: int) -> Plain:
    return after(
        order(),
        CUT,
        "",
        revision=6,
        lines=[wanted(cancelled=units)],
        works=[work(left)] if left else [],
    )


def test_cancelled_units_are_free_again() -> None:
    story = ordered().then(CUT_ONE, changed(cancelled(1, 2), CUT, ["tea", "north", -1, 0]))
    assert story.told().books.positions["tea", "north"] == [10, 0, 2]


def fetched(hours: int) -> Story:
    """Tell of an order that is collected where it is, and waits there for so many hours."""
    line = ["l", "tea", 3, BY_PICKUP, "north", 0, 0, ""]
    it = order(lines=[line])
    it[WORKS][0][WORK_METHOD], it[WORKS][0][WORK_TARGET] = BY_PICKUP, "north"
    it[WORKS][0][COLLECT_BY] = NOON + hours * 3_600_000
    it[DECISIONS][0][4][0][:2] = [BY_PICKUP, "north"]
    return shop(methods=(1, BY_PICKUP)).then(place_order([line]), placed(it))


def test_what_is_collected_waits_for_the_usual_hours_and_until_the_next_closing() -> None:
    for hours in (72, 80):
        assert fetched(hours).told().books.orders.by_id


@pytest.mark.parametrize("hours", [71, 72 + 9 * 24])
def test_goods_that_wait_too_short_or_too_long_are_objected_to(hours: int) -> None:
    with pytest.raises(AssertionError, match="waits"):
        fetched(hours).told()


def sent_and_waiting(story: Story) -> None:
    it = order()
    it[WORKS][0][COLLECT_BY] = NOON + 1
    story.then(PLACE, placed(it))


def freed_twice(story: Story) -> None:
    story.then(PLACE, PLACED)
    it = after(cancelled(1, 1), CUT, "", revision=6)
    it[7], it[9] = 1, it[9][:2]
    story.then(CUT_ONE, changed(it, CUT, ["tea", "north", -2, 0]))


def freed_not_at_all(story: Story) -> None:
    it = cancelled(1, 3)
    story.then(PLACE, PLACED).then(CUT_ONE, changed(it, CUT))


def cancelled_after_its_release(story: Story) -> None:
    given = after(order(), ADVANCED, "o/1 RELEASED", revision=6, works=[GIVEN])
    story.then(PLACE, PLACED).then(advance(RELEASED), changed(given, ADVANCED))
    it = after(given, CUT, "", revision=7, lines=[wanted(cancelled=1)], works=[])
    story.then(CUT_ONE, changed(it, CUT, ["tea", "north", -3, 0]))


def edited_otherwise(story: Story) -> None:
    it = after(order(), EDITED, revision=6, lines=[wanted(4)], works=[work(4)])
    story.then(PLACE, PLACED).then(EDIT_TO_FIVE, changed(it, EDITED, ["tea", "north", 1, 0]))


def edited_beyond_the_stock(story: Story) -> None:
    it = after(order(), EDITED, revision=6, lines=[wanted(11)], works=[work(11)])
    story.then(PLACE, PLACED)
    edit = ["EditOrder", "o", [wanted(11)], None, ""]
    story.then(edit, changed(it, EDITED, ["tea", "north", 8, 0]))


def moved_by_an_edit(story: Story) -> None:
    works = [work(5, "south", number=2)]
    it = after(order(), EDITED, revision=6, lines=[wanted(5)], works=works, next=3)
    story.then(PLACE, PLACED)
    claims = ["tea", "north", -3, 0], ["tea", "south", 5, 0]
    story.then(EDIT_TO_FIVE, changed(it, EDITED, *claims))


def skipped_a_step(story: Story) -> None:
    it = after(order(), ADVANCED, "o/1 SHIPPED", revision=6, works=[work(state=SHIPPED)])
    story.then(PLACE, PLACED)
    story.then(advance(SHIPPED), changed(it, ADVANCED, ["tea", "north", -3, -3]))


def released_while_on_hold(story: Story) -> None:
    held = after(order(), HELD, "FRAUD", revision=6, holds=[[1, "", "web", NOON]])
    story.then(PLACE, PLACED).then(["HoldOrder", "o", 1, "", ""], changed(held, HELD))
    it = after(held, ADVANCED, "o/1 RELEASED", revision=7, works=[GIVEN])
    story.then(advance(RELEASED), changed(it, ADVANCED))


def held_by_nobody(story: Story) -> None:
    held = after(order(), HELD, "FRAUD", revision=6, holds=[[2, "", "web", NOON]])
    story.then(PLACE, PLACED).then(["HoldOrder", "o", 1, "", ""], changed(held, HELD))


def left_and_still_there(story: Story) -> None:
    given = after(order(), ADVANCED, "o/1 RELEASED", revision=6, works=[GIVEN])
    story.then(PLACE, PLACED).then(advance(RELEASED), changed(given, ADVANCED))
    left = after(given, ADVANCED, "o/1 SHIPPED", revision=7, works=[work(state=SHIPPED)])
    story.then(advance(SHIPPED), changed(left, ADVANCED, ["tea", "north", -3, 0]))


def given_back_and_planned_there_again(story: Story) -> None:
    given = after(order(), ADVANCED, "o/1 RELEASED", revision=6, works=[GIVEN])
    story.then(PLACE, PLACED).then(advance(RELEASED), changed(given, ADVANCED))
    works = [work(state=GIVEN_BACK), work(number=2)]
    back = after(given, ADVANCED, "o/1 CANCELLED", revision=7, works=works, next=3)
    story.then(advance(GIVEN_BACK), changed(back, ADVANCED))


def a_half_of_what_is_complete(story: Story) -> None:
    whole = [*terms()]
    whole[6] = True
    story.then(place_order(terms=whole), placed(order(terms=whole)))
    it = after(order(terms=whole), EDITED, revision=6, lines=[wanted(30)], attention=1)
    story.then(["EditOrder", "o", [wanted(30)], None, ""], changed(it, EDITED))


SOUTH = terms(scope=[2, ["south"]])
CUT_ONE = ["CancelOrder", "o", [["l", 1]], "", ""]
EDIT_TO_FIVE = ["EditOrder", "o", [wanted(5)], None, ""]
WRONGS: tuple[Callable[[Story], None], ...] = (
    more_than_there_is,
    from_what_is_held,
    without_its_claim,
    a_unit_too_few,
    a_unit_too_many,
    outside_of_the_scope,
    where_a_rule_forbids,
    beyond_the_capacity,
    cheaper_than_its_parts,
    proven_by_a_higher_bound,
    paid_otherwise,
    ordered_twice,
    late_and_not_told,
    cancelled_unasked,
    not_cancelled_though_told,
    taken_over_late,
    taken_over_after_its_end,
    taken_over_in_part,
    taken_over_unasked,
    quote_that_was_over,
    quote_for_something_else,
    quote_not_kept,
    sent_and_waiting,
    freed_twice,
    freed_not_at_all,
    cancelled_after_its_release,
    edited_otherwise,
    edited_beyond_the_stock,
    moved_by_an_edit,
    skipped_a_step,
    released_while_on_hold,
    held_by_nobody,
    left_and_still_there,
    given_back_and_planned_there_again,
    a_half_of_what_is_complete,
)


@pytest.mark.parametrize("wrong", WRONGS)
def test_a_wrong_story_of_an_order_is_objected_to(wrong: Callable[[Story], None]) -> None:
    story = shop()
    wrong(story)
    with pytest.raises(AssertionError):
        story.told()
