"""The auditor objects to wrong new plans, refusals and rules."""

from collections.abc import Callable

import pytest

from tests.simulation.order_stories import (
    PLACE,
    PLACED,
    REFUSE,
    RELEASED,
    advance,
    after,
    calendar,
    changed,
    order,
    place_order,
    quoted,
    rule_set_active,
    save_calendar,
    shop,
    terms,
    wanted,
    work,
)
from tests.simulation.stories import (
    NOON,
    Plain,
    Story,
    refused,
)

PLACED_STEP, EDITED, CUT, HELD, FREED, ADVANCED, REPLANNED = range(1, 8)
CUT_ONE = ["CancelOrder", "o", [["l", 1]], "", ""]


# --- new plans


def disabled(story: Story) -> Plain:
    window = ["snow", NOON, NOON + 1_000]
    story.then(PLACE, PLACED)
    north = [4, "north", "", 2, [1, 1], [1], False, window, NOON, NOON, 6]
    command = ["SetLocationState", "north", False, "snow", None, NOON + 1_000, ""]
    story.then(command, [1, north])
    return order()


def moved(old: Plain, works: Plain, *, revision: int = 7, **more: Plain) -> Plain:
    detail = "away from north"
    return after(old, REPLANNED, detail, revision=revision, client="", works=works, next=3, **more)


CLAIMS = (["tea", "north", -3, 0], ["tea", "south", 3, 0])
SUMMARY = [18, ["o"], []]


def test_displaced_work_goes_where_it_can_be_done() -> None:
    story = shop()
    it = moved(disabled(story), [work(place="south", number=2)])
    story.timer([36, [changed(it, REPLANNED, *CLAIMS)], SUMMARY])
    assert story.told().books.positions["tea", "south"] == [10, 0, 3]


def moved_for_nothing(story: Story) -> None:
    story.then(PLACE, PLACED)
    it = moved(order(), [work(place="south", number=2)], revision=6)
    story.timer([36, [changed(it, REPLANNED, *CLAIMS)], SUMMARY])


def moved_in_part(story: Story) -> None:
    it = moved(disabled(story), [work(2, "south", number=2)], attention=1)
    claims = CLAIMS[0], ["tea", "south", 2, 0]
    story.timer([36, [changed(it, REPLANNED, *claims)], SUMMARY])


def moved_within_the_place(story: Story) -> None:
    it = moved(disabled(story), [work(number=2)])
    story.timer([36, [changed(it, REPLANNED)], [18, [], []]])


def stuck_though_another_can(story: Story) -> None:
    it = moved(disabled(story), [work()], attention=2)
    story.timer([36, [changed(it, REPLANNED)], [18, [], [["o", "nobody"]]]])


def replanned_after_a_change(story: Story) -> None:
    story.then(PLACE, PLACED)
    works = [work(place="south", number=2)]
    it = after(order(), REPLANNED, "backlog", revision=6, works=works, next=3)
    move = ["o", 4, [["south", 1, "", [["l", 3]]]]]
    story.then(["ApplyReplan", [move]], [36, [changed(it, REPLANNED, *CLAIMS)], SUMMARY])


def replanned_otherwise(story: Story) -> None:
    story.then(PLACE, PLACED)
    works = [work(place="south", number=2)]
    it = after(order(), REPLANNED, "backlog", revision=6, works=works, next=3)
    move = ["o", 5, [["north", 1, "", [["l", 3]]]]]
    story.then(["ApplyReplan", [move]], [36, [changed(it, REPLANNED, *CLAIMS)], SUMMARY])


# --- refusals


def refused_though_enough(story: Story) -> None:
    story.then(place_order(terms=terms(REFUSE)), refused("INSUFFICIENT_STOCK"))


def refused_though_it_may_wait(story: Story) -> None:
    story.then(place_order([wanted(99)]), refused("INSUFFICIENT_STOCK"))


def refused_a_good_quote(story: Story) -> None:
    story.then(place_order(quoted=quoted()), refused("QUOTE_OUTDATED"))


def not_found_and_there(story: Story) -> None:
    story.then(PLACE, PLACED).then(CUT_ONE, refused("ORDER_NOT_FOUND"))


def begun_and_not(story: Story) -> None:
    story.then(PLACE, PLACED).then(CUT_ONE, refused("LINE_RELEASED"))


def illegal_and_legal(story: Story) -> None:
    story.then(PLACE, PLACED).then(advance(RELEASED), refused("ILLEGAL_STEP"))


def on_hold_and_not(story: Story) -> None:
    story.then(PLACE, PLACED).then(advance(RELEASED), refused("ORDER_ON_HOLD"))


# --- rules and calendars


def a_draft_active(story: Story) -> None:
    rule_set_active(story, [], steps=1)
    story.then(["ActivateRuleSet", 1], [24, 1, 4, []])


def a_typo_found_right(story: Story) -> None:
    rule_set_active(story, [["r", 1, "location.typ == 'STORE'", 0, 0]])


def nothing_left_found_right(story: Story) -> None:
    never = [["r", 1, "location.type == 'STORE'", 0, 0], ["s", 1, "location.type != 'STORE'", 0, 0]]
    rule_set_active(story, never, steps=2)


def saved_otherwise(story: Story) -> None:
    save_calendar(story, 1)
    story.records[-1][2][0][1][2] = calendar(2)


def another_one_deleted(story: Story) -> None:
    save_calendar(story, 1)
    story.then(["DeleteLocationCalendar", ["north", 0], ""], [22, 3, "", ["south", 0]])


WRONGS: tuple[Callable[[Story], None], ...] = (
    moved_for_nothing,
    moved_in_part,
    moved_within_the_place,
    stuck_though_another_can,
    replanned_after_a_change,
    replanned_otherwise,
    refused_though_enough,
    refused_though_it_may_wait,
    refused_a_good_quote,
    not_found_and_there,
    begun_and_not,
    illegal_and_legal,
    on_hold_and_not,
    a_draft_active,
    a_typo_found_right,
    nothing_left_found_right,
    saved_otherwise,
    another_one_deleted,
)


@pytest.mark.parametrize("wrong", WRONGS)
def test_a_wrong_plan_refusal_or_rule_is_objected_to(wrong: Callable[[Story], None]) -> None:
    story = shop()
    wrong(story)
    with pytest.raises(AssertionError):
        story.told()
