"""The auditor objects where a parcel loses its host, or its guests are not told."""

from collections.abc import Callable

import pytest

from tests.simulation.order_stories import (
    ADDRESS,
    BACKORDER,
    after,
    changed,
    leg,
    order,
    place_order,
    placed,
    shop,
    wanted,
    work,
)
from tests.simulation.stories import Plain, Story

CUT, REPLANNED = 3, 7
ANN = ["", "ann", ADDRESS, None, False, 0, False, BACKORDER, None, "", ""]
PACKAGE_COST, PARCEL = 9, 12


def guest_of(host: str, name: str, *, cost: int = 0, units: int = 3) -> Plain:
    """Return work in the parcel of another order, or with a parcel of its own."""
    it = work(units, order_id=name)
    it[PACKAGE_COST], it[PARCEL] = cost, host
    return it


def joined(story: Story) -> tuple[Plain, Plain]:
    """Tell of an order, and of two in its parcel."""
    first = order(terms=ANN)
    story.then(place_order(terms=ANN), placed(first))
    guests = []
    for revision, name in enumerate("pq", 6):
        works = guest_of("o/1", name)
        free = [leg(cost=0, paid=0, bound=0)]
        it = order(works, name=name, terms=ANN, legs=free, revision=revision)
        story.then(place_order(terms=ANN, name=name), placed(it))
        guests.append(it)
    return guests[0], guests[1]


def cut(story: Story, *guests: Plain) -> None:
    """Tell of the end of the first order, and what became of others in the same event."""
    lines = [wanted(cancelled=3)]
    it = after(order(terms=ANN), CUT, "", revision=8, lines=lines, works=[])
    story.then(
        ["CancelOrder", "o", [], "", ""],
        changed(it, CUT, ["tea", "north", -3, 0], guests=guests),
    )


def heir(old: Plain) -> Plain:
    return later(old, "p/1 has the parcel", guest_of("", "p", cost=5))


def follower(old: Plain) -> Plain:
    return later(old, "q/1 joins p/1", guest_of("p/1", "q"))


def later(old: Plain, detail: str, works: Plain) -> Plain:
    return after(old, REPLANNED, detail, revision=8, works=[works])


def test_a_right_story_of_a_parcel_is_believed() -> None:
    story = shop()
    first, second = joined(story)
    cut(story, heir(first), follower(second))
    orders = story.told().books.orders
    assert orders.guests["p/1"] == {"q/1"}
    assert [used[0] for used in orders.work_days.values()] == [1]


def test_a_parcel_that_becomes_lighter_and_cheaper_is_believed() -> None:
    story = shop()
    fewer(story, -1)
    story.told()


def nobody_is_told(story: Story) -> None:
    joined(story)
    cut(story)


def one_is_forgotten(story: Story) -> None:
    first, _ = joined(story)
    cut(story, heir(first))


def all_have_a_parcel(story: Story) -> None:
    first, second = joined(story)
    alone = later(second, "q/1 has the parcel", guest_of("", "q", cost=5))
    cut(story, heir(first), alone)


def the_last_one_has_the_parcel(story: Story) -> None:
    first, second = joined(story)
    alone = later(second, "q/1 has the parcel", guest_of("", "q", cost=5))
    cut(story, later(first, "p/1 joins q/1", guest_of("q/1", "p")), alone)


def a_guest_pays(story: Story) -> None:
    first, second = joined(story)
    cut(story, heir(first), later(second, "q/1 joins p/1", guest_of("p/1", "q", cost=5)))


def a_guest_loses_units(story: Story) -> None:
    first, second = joined(story)
    fewer = later(second, "q/1 joins p/1", guest_of("p/1", "q", units=2))
    cut(story, heir(first), fewer)


def a_step_is_not_told(story: Story) -> None:
    first, second = joined(story)
    cut(story, heir(first), later(second, "", guest_of("p/1", "q")))


def a_parcel_with_fewer_units_costs_more(story: Story) -> None:
    fewer(story, 2)


def a_parcel_is_paid_for_by_the_carrier(story: Story) -> None:
    fewer(story, -8)


def fewer(story: Story, more: int) -> None:
    """Tell of a unit that leaves a parcel, and how much more that costs."""
    story.then(place_order(), placed(order()))
    left = work(2)
    left[PACKAGE_COST] += more
    it = after(order(), CUT, "", revision=6, lines=[wanted(cancelled=1)], works=[left])
    story.then(["CancelOrder", "o", [["l", 1]], "", ""], changed(it, CUT, ["tea", "north", -1, 0]))


def others_change_for_nothing(story: Story) -> None:
    first, _ = joined(story)
    it = after(order(terms=ANN), 4, "FRAUD", revision=8, holds=[[1, "", "web", order()[10]]])
    story.then(["HoldOrder", "o", 1, "", ""], changed(it, 4, guests=[heir(first)]))


def a_parcel_of_somebody_else(story: Story) -> None:
    story.then(place_order(), placed(order()))
    free = [leg(cost=0, paid=0, bound=0)]
    it = order(guest_of("o/1", "p"), name="p", terms=ANN, legs=free, revision=6)
    story.then(place_order(terms=ANN, name="p"), placed(it))


def a_parcel_that_is_not_there(story: Story) -> None:
    free = [leg(cost=0, paid=0, bound=0)]
    it = order(guest_of("x/1", "p"), name="p", terms=ANN, legs=free)
    story.then(place_order(terms=ANN, name="p"), placed(it))


WRONGS: tuple[Callable[[Story], None], ...] = (
    nobody_is_told,
    one_is_forgotten,
    all_have_a_parcel,
    the_last_one_has_the_parcel,
    a_guest_pays,
    a_guest_loses_units,
    a_step_is_not_told,
    a_parcel_with_fewer_units_costs_more,
    a_parcel_is_paid_for_by_the_carrier,
    others_change_for_nothing,
    a_parcel_of_somebody_else,
    a_parcel_that_is_not_there,
)


@pytest.mark.parametrize("wrong", WRONGS)
def test_a_wrong_story_of_a_parcel_is_objected_to(wrong: Callable[[Story], None]) -> None:
    story = shop()
    wrong(story)
    with pytest.raises(AssertionError, match=r"parcel|guests|costs|became|stranger"):
        story.told()
