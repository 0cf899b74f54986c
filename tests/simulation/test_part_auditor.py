"""The auditor objects to plans in one package that send less than one place could."""

import pytest

from tests.simulation.order_stories import leg, order, place_order, shop, terms, wanted, work
from tests.simulation.stories import Story

BACKORDERED = 1


def in_one_package(story: Story, units: int) -> None:
    """Tell of an order of more tea than any place has, of which so much is sent in one package."""
    limited = terms()
    limited[5] = 1
    it = order(
        work(units),
        lines=[wanted(13)],
        terms=limited,
        legs=[leg(units)],
        attention=BACKORDERED,
    )
    command = place_order([wanted(13)], limited)
    story.then(command, [26, it, [["tea", "north", units, 0]], "", []])


def test_what_goes_in_one_package_is_believed() -> None:
    story = shop()
    in_one_package(story, 10)
    assert story.told().books.positions["tea", "north"] == [10, 0, 10]


def test_less_than_goes_in_one_package_is_objected_to() -> None:
    story = shop()
    in_one_package(story, 9)
    with pytest.raises(AssertionError, match="9 units are planned, one place could send 10"):
        story.told()
