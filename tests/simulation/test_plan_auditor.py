"""The auditor objects to wrong new plans, refusals and rules."""

from collections.abc import Callable

import pytest

from tests.simulation.order_replans import left_undone
from tests.simulation.order_stories import (
    PLACE,
    PLACED,
    POINT,
    REFUSE,
    RELEASED,
    advance,
    after,
    calendar,
    changed,
    leg,
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
    adjust,
    adjusted,
    created,
    location,
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


STILL = "still at north: no other location can do all of its work"
IN_PART = "away from north in part: no other location can do all of its work"


def moved(
    old: Plain, works: Plain, *, revision: int = 7, detail: str = "away from north", **more: Plain
) -> Plain:
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
    it = moved(disabled(story), [work()], detail=STILL, attention=2)
    story.timer([36, [changed(it, REPLANNED)], [18, [], [["o", "nobody"]]]])


def away_and_said_to_be_so_in_part(story: Story) -> None:
    it = moved(disabled(story), [work(place="south", number=2)], detail=IN_PART)
    story.timer([36, [changed(it, REPLANNED, *CLAIMS)], SUMMARY])


def away_and_said_to_be_there_still(story: Story) -> None:
    it = moved(disabled(story), [work(place="south", number=2)], detail=STILL)
    story.timer([36, [changed(it, REPLANNED, *CLAIMS)], SUMMARY])


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


# --- what waits

BACKORDERED = 1


def waiting(
    story: Story, *, name: str = "o", revision: int = 5, gives: int = 10, scope: Plain = None
) -> Plain:
    """Tell of an order of more tea than there is at the places, and then of more tea."""
    works = [work(gives, order_id=name), work(gives, "south", number=2, order_id=name)]
    it = order(
        *works[: 2 * bool(gives)],
        lines=[wanted(2 * gives + 3)],
        terms=terms(scope=scope),
        name=name,
        legs=[leg(2 * gives, paid=10 * bool(gives), cost=10 * bool(gives), bound=0)],
        attention=BACKORDERED,
        revision=revision,
    )
    claims = [["tea", "north", gives, 0], ["tea", "south", gives, 0]][: 2 * bool(gives)]
    it[5] = works[: 2 * bool(gives)]
    it[13] = 3 if gives else 1
    command = place_order([wanted(2 * gives + 3)], terms(scope=scope), name=name)
    story.then(command, [26, it, claims, "", []])
    return it


def served(old: Plain, units: int = 3, *, revision: int = 7, **more: Plain) -> Plain:
    works = [*old[5], work(units, number=3, order_id=old[1])]
    return after(
        old, REPLANNED, "backordered units", revision=revision, client="", works=works, **more
    )


def more_tea(story: Story, units: int = 5) -> None:
    story.then(adjust(units), adjusted(units))


def two_wait_and_one_must_move(story: Story, units: int) -> None:
    """Tell of three units that have to go to the south, where others wait for their turn."""
    must_go = disabled(story)
    story.then(["UpdateStock", [[2, "tea", "south", -10, 1, "", None]]], stocked(south=-10))
    west = [*location("west")[:4], POINT, *location("west")[5:]]
    story.then(created(west), [1, west])
    waiting(story, name="p", revision=9, gives=0, scope=[2, ["south"]])
    youngest = waiting(story, name="q", revision=10, gives=0, scope=[2, ["west"]])
    updates = [[2, "tea", "south", units, 1, "", None], [2, "tea", "west", 3, 1, "", None]]
    story.then(["UpdateStock", updates], stocked(south=units, west=3))
    gone = moved(must_go, [work(place="south", number=2)], revision=12)
    works = [work(3, "west", number=1, order_id="q")]
    filled = after(
        youngest,
        REPLANNED,
        "backordered units",
        revision=12,
        client="",
        works=works,
        attention=0,
        next=2,
    )
    changes = [
        changed(gone, REPLANNED, *CLAIMS),
        changed(filled, REPLANNED, ["tea", "west", 3, 0]),
    ]
    story.timer([36, changes, [18, ["o", "q"], []]])


def stocked(**places: int) -> Plain:
    deltas = [[2, "tea", place, delta, 1, 1, "", 0] for place, delta in places.items()]
    return [7, deltas, [2, len(places), 0]]


def serve(story: Story, *orders: Plain, units: int = 3) -> None:
    names = [it[1] for it in orders]
    claim = ["tea", "north", units, 0]
    story.timer([36, [changed(it, REPLANNED, claim) for it in orders], [18, names, []]])


def test_units_that_wait_are_planned_when_there_is_more() -> None:
    story = shop()
    it = waiting(story)
    more_tea(story)
    serve(story, served(it, attention=0, next=4))
    assert story.told().books.positions["tea", "north"] == [15, 0, 13]


def test_what_waits_and_could_be_filled_is_to_be_done() -> None:
    story = shop()
    waiting(story)
    assert left_undone(story.told().books) == {}
    more_tea(story)
    assert left_undone(story.told().books) == {"o": 5}


def test_work_that_must_go_has_its_turn_among_what_waits() -> None:
    story = shop()
    two_wait_and_one_must_move(story, 3)
    assert story.told().books.positions["tea", "south"] == [3, 0, 3]


def passed_over_though_there_is_more_than_what_must_go(story: Story) -> None:
    two_wait_and_one_must_move(story, 6)


def passed_over_between_two_that_were_served(story: Story) -> None:
    oldest = waiting(story)
    waiting(story, name="p", revision=6, gives=0)
    youngest = waiting(story, name="q", revision=7, gives=0)
    more_tea(story, 9)
    orders = [served(each, revision=9, attention=0, next=4) for each in (oldest, youngest)]
    serve(story, *orders)


def served_beyond_the_stock(story: Story) -> None:
    it = waiting(story)
    more_tea(story, 2)
    serve(story, served(it, attention=0, next=4))


def served_in_part_and_more_is_there(story: Story) -> None:
    it = waiting(story)
    more_tea(story)
    serve(story, served(it, 2, attention=BACKORDERED, next=4), units=2)


def served_and_still_flagged(story: Story) -> None:
    it = waiting(story)
    more_tea(story)
    serve(story, served(it, attention=BACKORDERED, next=4))


def served_twice(story: Story) -> None:
    it = waiting(story)
    more_tea(story)
    once = served(it, attention=0, next=4)
    serve(story, once)
    works = [*once[5], work(1, number=4)]
    again = after(once, REPLANNED, "backordered units", revision=8, client="", works=works, next=5)
    serve(story, again, units=1)


def the_younger_first(story: Story) -> None:
    waiting(story)
    younger = waiting(story, name="p", revision=6, gives=0)
    more_tea(story)
    serve(story, served(younger, revision=8, attention=0, next=4))


def flagged_no_more_though_out_of_use(story: Story) -> None:
    old = disabled(story)
    it = moved(old, [work()], attention=2)
    story.timer([36, [changed(it, REPLANNED)], [18, [], [["o", "nobody"]]]])
    free = after(it, REPLANNED, "its locations are in use", revision=8, client="", attention=0)
    story.timer([36, [changed(free, REPLANNED)], [18, [], []]])


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
    away_and_said_to_be_so_in_part,
    away_and_said_to_be_there_still,
    replanned_after_a_change,
    replanned_otherwise,
    served_beyond_the_stock,
    served_in_part_and_more_is_there,
    served_and_still_flagged,
    served_twice,
    the_younger_first,
    passed_over_though_there_is_more_than_what_must_go,
    passed_over_between_two_that_were_served,
    flagged_no_more_though_out_of_use,
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
