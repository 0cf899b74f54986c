"""What the history of an order says of an outage: whether its work went away, in part, or not."""

import pytest

from domgrpc.core.values import LocationType
from tests.core.commands import disable, on_hand, place
from tests.core.given import Shop
from tests.core.order_words import CHICAGO, DALLAS, line, order

DC = LocationType.DISTRIBUTION_CENTER


@pytest.fixture
def shop() -> Shop:
    """Return a shop with tea in Chicago and Dallas."""
    return Shop().given(
        place("chi", DC, at=CHICAGO), place("dal", DC, at=DALLAS), on_hand("tea", chi=5, dal=5)
    )


def told(shop: Shop) -> str:
    """Return what the history of the order said last."""
    return shop.order().history[-1].detail


def test_history_says_from_where_work_has_gone(shop: Shop) -> None:
    shop.given(order(line("tea", 2)), disable("chi"))
    assert shop.replan() is not None
    assert told(shop) == "away from chi"


def test_history_says_of_work_that_stays_that_nobody_else_can_do_it(shop: Shop) -> None:
    shop.given(on_hand("jar", chi=1), order(line("jar")), disable("chi"))
    assert shop.replan() is not None
    assert told(shop) == "still at chi: no other location can do all of its work"
    shop.given(on_hand("jar", dal=1))
    assert shop.serve() is not None
    assert told(shop) == "away from chi"


def test_history_says_of_work_of_which_a_part_goes_that_it_is_a_part(shop: Shop) -> None:
    shop.given(on_hand("jar", chi=1), order(line("tea"), line("jar")), disable("chi"))
    assert shop.replan() is not None
    assert told(shop) == "away from chi in part: no other location can do all of its work"
