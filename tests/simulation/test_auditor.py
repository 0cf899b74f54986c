"""The auditor objects to each kind of wrong that it is there for."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from tests.simulation.auditor import Auditor

# Records, events and lines as plain lists.
Plain = Any
NOON, DEADLINE = 1_000_000, 1_060_000


def hold(name: str, units: int, *, state: int = 1, backordered: int = 0) -> Plain:
    lines = [["tea", "north", units, backordered, 0]]
    return [1, name, "web", state, lines, ["", 0], "", DEADLINE, NOON, NOON, 3, []]


def location(*, backorder: bool = False, window: Plain = None) -> Plain:
    return [4, "north", "", 2, None, [1], backorder, window, NOON, NOON, 1]


def adjusted(delta: int) -> Plain:
    return [7, [[2, "tea", "north", delta, 1, 1, "", 0]], [2, 1, 1]]


def lines(units: int) -> Plain:
    return [["tea", "north", units, 0, 0]]


RESERVED = [10, hold("h", 3)]
CONFIRMED = [12, "h", lines(3), False]
RELEASED = [13, "h", lines(3), ""]
EXPIRED = [14, "h", lines(3)]
SHIPPED = [15, "h", 1, [["tea", "north", 3]]]


class Story:
    """Records in a row, each from an event; the place and ten units of tea come first."""

    def __init__(self, place: Plain = None) -> None:
        self.records: list[Plain] = []
        self.then([1, place or location()]).then(adjusted(10))

    def then(self, *events: Plain, at: int = NOON, request_id: str | None = None) -> "Story":
        number = len(self.records) + 1
        name = f"r{number}" if request_id is None else request_id
        self.records.append([number, at, list(events), "web", name, number])
        return self

    def told_to(self, auditor: Auditor) -> Auditor:
        payload = b"".join(msgspec.msgpack.encode(record) for record in self.records)
        auditor.read(payload, len(self.records))
        return auditor


def told(story: Story) -> Auditor:
    return story.told_to(Auditor())


def test_a_right_story_is_believed_and_added_up() -> None:
    story = Story().then(RESERVED).then(CONFIRMED).then(SHIPPED)
    auditor = told(story)
    assert auditor.positions["tea", "north"] == [7, 0, 0]
    assert auditor.holds["h"].picture() == (2, {("tea", "north"): (3, 0, 3)})
    auditor.check_answer(("web", "r3"), 3, hold("h", 3))


def gap(story: Story) -> None:
    story.then(RESERVED).then(RELEASED)
    del story.records[2]


def backwards(story: Story) -> None:
    story.then(RESERVED, at=NOON - 1)


def twice(story: Story) -> None:
    story.then(adjusted(1), request_id="same").then(adjusted(1), request_id="same")


def oversold(story: Story) -> None:
    story.then([10, hold("h", 11)])


def oversold_by_two(story: Story) -> None:
    story.then([10, hold("h", 6)]).then([10, hold("i", 6)])


def grown_too_far(story: Story) -> None:
    story.then(RESERVED).then([11, hold("h", 11), [["tea", "north", 8]]])


def kept_too_long(story: Story) -> None:
    story.then(RESERVED).then(adjusted(1), at=DEADLINE)


def confirmed_at_the_deadline(story: Story) -> None:
    story.then(RESERVED).then(CONFIRMED, at=DEADLINE)


def expired_too_soon(story: Story) -> None:
    story.then(RESERVED).then(EXPIRED, at=DEADLINE - 1, request_id="")


def ended_twice(story: Story) -> None:
    story.then(RESERVED).then(RELEASED).then(RELEASED)


def confirmed_after_release(story: Story) -> None:
    story.then(RESERVED).then(RELEASED).then(CONFIRMED)


def shipped_while_held(story: Story) -> None:
    story.then(RESERVED).then(SHIPPED)


def shipped_twice(story: Story) -> None:
    story.then(RESERVED).then(CONFIRMED).then(SHIPPED).then(SHIPPED)


def below_zero(story: Story) -> None:
    story.then(adjusted(-11))


def created_twice(story: Story) -> None:
    story.then(RESERVED).then(RESERVED)


def crossed_twice(story: Story) -> None:
    story.then([9, "tea", "north", 2, 1]).then([9, "tea", "north", 2, 1])


def refused_without_reason(story: Story) -> None:
    story.then([16, [9, "INSUFFICIENT_STOCK", "", {}, [["tea", "north", 3, 3, []]]]])


def alternatives_that_are_none(story: Story) -> None:
    short = [["tea", "north", 30, 3, [["cup", "north", 1]]]]
    story.then([16, [9, "INSUFFICIENT_STOCK", "", {}, short]])


def revived_without_stock(story: Story) -> None:
    story.then(RESERVED).then(EXPIRED, at=DEADLINE).then(adjusted(-8), at=DEADLINE)
    story.then([12, "h", lines(3), True], at=DEADLINE)


WRONGS: tuple[Callable[[Story], None], ...] = (
    gap,
    backwards,
    twice,
    oversold,
    oversold_by_two,
    grown_too_far,
    kept_too_long,
    confirmed_at_the_deadline,
    expired_too_soon,
    ended_twice,
    confirmed_after_release,
    shipped_while_held,
    shipped_twice,
    below_zero,
    created_twice,
    crossed_twice,
    refused_without_reason,
    alternatives_that_are_none,
    revived_without_stock,
)


@pytest.mark.parametrize("wrong", WRONGS)
def test_a_wrong_story_is_objected_to(wrong: Callable[[Story], None]) -> None:
    story = Story()
    wrong(story)
    with pytest.raises(AssertionError):
        told(story)


def test_a_disabled_place_holds_nothing_and_a_backorder_may_exceed_the_stock() -> None:
    disabled = Story(location(window=["", NOON, NOON + 1])).then(RESERVED)
    with pytest.raises(AssertionError, match="disabled"):
        told(disabled)
    told(Story(location(backorder=True)).then([10, hold("h", 12, backordered=2)]))


def test_an_answer_that_changed_or_has_no_record_is_objected_to() -> None:
    auditor = told(Story().then(RESERVED))
    auditor.check_answer(("web", "r3"), 3, hold("h", 3))
    with pytest.raises(AssertionError, match="another answer"):
        auditor.check_answer(("web", "r3"), 3, hold("h", 2))
    with pytest.raises(AssertionError, match="without its record"):
        auditor.check_answer(("web", "r3"), 2, hold("h", 3))
    with pytest.raises(AssertionError, match="without its record"):
        auditor.check_answer(("web", "r9"), 3, hold("h", 3))
    with pytest.raises(AssertionError, match="not what the log says"):
        told(Story().then(RESERVED)).check_answer(("web", "r3"), 3, hold("h", 2))
