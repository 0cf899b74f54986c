"""Changes: what each record did to positions, as deltas with their reason."""

import pytest

from domgrpc.core.changes import PositionChange, position_changes
from domgrpc.core.dispatch import Command
from domgrpc.core.values import StockCondition, StockLevel
from tests.core.commands import (
    adjust,
    announce,
    cancel,
    change,
    confirm,
    count,
    feed,
    group,
    move,
    on_hand,
    place,
    product,
    receive,
    release,
    relocate,
    reserve,
    rule,
    ship,
    stock,
)
from tests.core.given import NOON_MS, Shop, decoded, encoded

Told = tuple[str, str, str, int, int, int]
DAMAGED = StockCondition.DAMAGED
SELLABLE = StockCondition.SELLABLE


@pytest.fixture
def store(shop: Shop) -> Shop:
    """A and B with 10 of x each; hold r has 2 and 1 for a second, claim c has 3 at A."""
    shop.given(place("A"), place("B"), on_hand("x", A=10, B=10))
    shop.given(reserve(("x", "A", 2), ("x", "B", 1), as_id="r", ttl_ms=1000))
    return shop.given(reserve(("x", "A", 3), as_id="c"), confirm("c"))


def newest(shop: Shop) -> list[PositionChange]:
    """Return what the newest record did, live and read back from its bytes."""
    live = list(position_changes(shop.records[-1]))
    assert list(position_changes(decoded(encoded(shop.records[-1])))) == live
    return live


def told(shop: Shop, *commands: Command) -> list[Told]:
    """Send commands and return the changes of the last one in brief."""
    shop.given(*commands)
    return [
        (
            each.sku,
            each.location_id,
            each.reason,
            each.on_hand_delta,
            each.soft_reserved_delta,
            each.allocated_delta,
        )
        for each in newest(shop)
        if each.level is None
    ]


def test_stock_that_changes_is_told_with_its_reason(store: Shop) -> None:
    assert told(store, stock(count("x", "A", 7))) == [("x", "A", "COUNTED", -3, 0, 0)]
    assert told(store, stock(adjust("x", "A", -1))) == [("x", "A", "ADJUSTED", -1, 0, 0)]
    sold = stock(adjust("x", "A", -1, reason="sold at till 3"))
    assert told(store, sold) == [("x", "A", "sold at till 3", -1, 0, 0)]
    assert told(store, stock(move("x", "A", 2, to="B"))) == [
        ("x", "A", "MOVED", -2, 0, 0),
        ("x", "B", "MOVED", 2, 0, 0),
    ]
    store.given(stock(announce("x", "A", 5, due_ms=NOON_MS + 1)))
    assert told(store, stock(receive("x", "A", 5))) == [("x", "A", "RECEIVED", 5, 0, 0)]


def test_a_feed_is_told_like_a_call(store: Shop) -> None:
    batch = feed(1, adjust("x", "A", 1), adjust("x", "A", -99), count("x", "B", 4))
    assert told(store, batch) == [("x", "A", "ADJUSTED", 1, 0, 0), ("x", "B", "COUNTED", -6, 0, 0)]


def test_other_conditions_and_supply_are_not_told(store: Shop) -> None:
    assert told(store, stock(adjust("x", "A", 1, condition=DAMAGED))) == []
    assert told(store, stock(announce("x", "A", 5, due_ms=NOON_MS + 1))) == []
    broken = stock(move("x", "A", 1, conditions=(SELLABLE, DAMAGED), reason="dropped"))
    assert told(store, broken) == [("x", "A", "dropped", -1, 0, 0)]


def test_the_life_of_a_hold_is_told(store: Shop) -> None:
    held = reserve(("x", "A", 2), ("x", "B", 1), as_id="s")
    assert told(store, held) == [("x", "A", "HELD", 0, 2, 0), ("x", "B", "HELD", 0, 1, 0)]
    assert told(store, change("s", ("x", "A", 3), ("x", "B", 0))) == [
        ("x", "A", "HELD", 0, 1, 0),
        ("x", "B", "RELEASED", 0, -1, 0),
    ]
    assert told(store, relocate("s", "x", "A", "B", units=1)) == [
        ("x", "A", "RELEASED", 0, -1, 0),
        ("x", "B", "HELD", 0, 1, 0),
    ]
    assert told(store, confirm("s")) == [
        ("x", "A", "CONFIRMED", 0, -2, 2),
        ("x", "B", "CONFIRMED", 0, -1, 1),
    ]
    assert told(store, ship("s", ("x", "A", 1))) == [("x", "A", "SHIPPED", -1, 0, -1)]
    assert told(store, cancel("s")) == [
        ("x", "A", "CANCELLED", 0, 0, -1),
        ("x", "B", "CANCELLED", 0, 0, -1),
    ]


def test_a_hold_that_ends_is_told_and_one_that_revives(store: Shop) -> None:
    store.later(1000)
    assert told(store) == [("x", "A", "EXPIRED", 0, -2, 0), ("x", "B", "EXPIRED", 0, -1, 0)]
    assert told(store, confirm("r", revive=True)) == [
        ("x", "A", "CONFIRMED", 0, 0, 2),
        ("x", "B", "CONFIRMED", 0, 0, 1),
    ]
    given_back = [("x", "A", "RELEASED", 0, -1, 0)]
    assert told(store, reserve(("x", "A", 1), as_id="s"), release("s", reason="why")) == given_back


def test_a_change_names_its_reservation(store: Shop) -> None:
    store.given(ship("c"))
    assert [each.reservation_id for each in newest(store)] == ["c"]
    store.given(stock(adjust("x", "A", 1)))
    assert [each.reservation_id for each in newest(store)] == [""]


def test_a_longer_deadline_is_no_change_of_a_position(store: Shop) -> None:
    assert told(store, change("r", ttl_ms=5000)) == []


def test_a_crossing_is_told_after_the_change_that_made_it(store: Shop) -> None:
    store.given(on_hand("x", B=1))
    changes = newest(store)
    assert [(each.reason, each.level) for each in changes] == [
        ("COUNTED", None),
        ("LEVEL_CHANGED", StockLevel.OUT_OF_STOCK),
    ]
    assert (changes[1].on_hand_delta, changes[1].soft_reserved_delta) == (0, 0)


def test_places_products_rules_and_refusals_move_no_stock(store: Shop) -> None:
    for command in (place("C"), group("g"), product("y"), rule("r", 1), place("C")):
        assert told(store, command) == []
    store.refusal(reserve(("x", "A", 99)))
    assert newest(store) == []
