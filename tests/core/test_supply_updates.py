"""Dated supply, and a stock update as a whole."""

import pytest

from domgrpc.core import stock_draft
from domgrpc.core.rejections import Reason
from domgrpc.core.stock_changes import StockSummary, StockUpdate
from domgrpc.core.values import Limits, StockCondition
from tests.core.commands import (
    SELLABLE,
    adjust,
    announce,
    count,
    move,
    on_hand,
    place,
    product,
    receive,
    stock,
)
from tests.core.given import NOON_MS, Shop

DAMAGED = StockCondition.DAMAGED
QUALITY_HOLD = StockCondition.QUALITY_HOLD
IN_TRANSIT = StockCondition.IN_TRANSIT
DAY_MS = 86_400_000


@pytest.fixture
def store(shop: Shop) -> Shop:
    """Two stores, A with 10 of x."""
    return shop.given(place("A"), place("B"), on_hand("x", A=10))


def conditions(shop: Shop, sku: str, location_id: str) -> dict[StockCondition, int]:
    """Return the units of a position in other conditions."""
    return dict(shop.position(sku, location_id).conditions)


def inbound(shop: Shop, sku: str, location_id: str) -> dict[str, int]:
    """Return the announced units of a position by supply."""
    return {each.supply_id: each.quantity for each in shop.position(sku, location_id).inbound}


# --- supply


def test_announced_supply_is_shown_and_neither_fulfilled_nor_sold(store: Shop) -> None:
    store.given(stock(announce("x", "A", 20, due_ms=NOON_MS + DAY_MS)))
    assert inbound(store, "x", "A") == {"po-1": 20}
    assert (store.atf("x"), store.ats("x")) == (10, 10)


def test_supply_is_shown_in_order_of_its_due_time(store: Shop) -> None:
    store.given(
        stock(
            announce("x", "A", 1, due_ms=NOON_MS + 3000, supply_id="a"),
            announce("x", "A", 2, due_ms=NOON_MS + 1000, supply_id="c"),
            announce("x", "A", 3, due_ms=NOON_MS + 1000, supply_id="b"),
        )
    )
    assert list(inbound(store, "x", "A").items()) == [("b", 3), ("c", 2), ("a", 1)]


def test_announcing_again_replaces_and_announcing_none_withdraws(store: Shop) -> None:
    store.given(stock(announce("x", "A", 20, due_ms=NOON_MS + DAY_MS)))
    store.given(stock(announce("x", "A", 7, due_ms=NOON_MS + 2 * DAY_MS)))
    (supply,) = store.position("x", "A").inbound
    assert (supply.quantity, supply.due_time_ms) == (7, NOON_MS + 2 * DAY_MS)
    store.given(stock(announce("x", "A", 0, due_ms=0)))
    assert inbound(store, "x", "A") == {}


def test_withdrawing_what_was_not_announced_makes_nothing(store: Shop) -> None:
    answer = store.gives(StockSummary, stock(announce("new", "A", 0, due_ms=0)))
    assert (answer.update_count, answer.created_sku_count) == (1, 0)
    assert not store.available("new").known
    store.check_replay()


def test_the_id_of_a_supply_belongs_to_its_sku_and_location(store: Shop) -> None:
    store.given(stock(count("x", "B", 1), count("y", "A", 1)))
    store.given(
        stock(
            announce("x", "A", 1, due_ms=NOON_MS + 1),
            announce("x", "B", 2, due_ms=NOON_MS + 1),
            announce("y", "A", 3, due_ms=NOON_MS + 1),
        )
    )
    assert inbound(store, "x", "A") == {"po-1": 1}
    assert inbound(store, "x", "B") == {"po-1": 2}
    assert inbound(store, "y", "A") == {"po-1": 3}


def test_a_receipt_takes_units_in_and_leaves_the_rest_announced(store: Shop) -> None:
    store.given(stock(announce("x", "A", 20, due_ms=NOON_MS + DAY_MS), receive("x", "A", 8)))
    assert store.position("x", "A").on_hand == 18
    assert inbound(store, "x", "A") == {"po-1": 12}
    store.given(stock(receive("x", "A", 12)))
    assert store.position("x", "A").on_hand == 30
    assert inbound(store, "x", "A") == {}


def test_a_receipt_may_close_the_supply_or_exceed_it(store: Shop) -> None:
    store.given(stock(announce("x", "A", 20, due_ms=NOON_MS + DAY_MS)))
    store.given(stock(receive("x", "A", 8, close=True)))
    assert (store.position("x", "A").on_hand, inbound(store, "x", "A")) == (18, {})
    store.given(stock(announce("x", "A", 20, due_ms=NOON_MS + DAY_MS)))
    store.given(stock(receive("x", "A", 25)))
    assert (store.position("x", "A").on_hand, inbound(store, "x", "A")) == (43, {})


def test_a_receipt_may_go_into_another_condition(store: Shop) -> None:
    store.given(stock(announce("x", "A", 20, due_ms=NOON_MS + DAY_MS)))
    store.given(stock(receive("x", "A", 20, condition=QUALITY_HOLD)))
    assert store.position("x", "A").on_hand == 10
    assert conditions(store, "x", "A") == {QUALITY_HOLD: 20}


def test_supply_that_is_not_announced_cannot_be_received(store: Shop) -> None:
    store.given(stock(announce("x", "A", 20, due_ms=NOON_MS + DAY_MS)))
    for update in (
        receive("x", "A", 1, supply_id="po-2"),
        receive("x", "B", 1),
        receive("y", "A", 1),
    ):
        assert store.refuses(stock(update)) is Reason.SUPPLY_NOT_FOUND
    store.given(stock(receive("x", "A", 20)))
    assert store.refuses(stock(receive("x", "A", 1))) is Reason.SUPPLY_NOT_FOUND


def test_supply_withdrawn_earlier_in_the_call_cannot_be_received(store: Shop) -> None:
    store.given(stock(announce("x", "A", 20, due_ms=NOON_MS + DAY_MS)))
    both = stock(announce("x", "A", 0, due_ms=0), receive("x", "A", 1))
    assert store.refuses(both) is Reason.SUPPLY_NOT_FOUND


def test_the_supplies_of_a_position_are_bounded(
    store: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    most = 20
    monkeypatch.setattr(stock_draft, "SUPPLIES_PER_POSITION_MAX", most)
    due_ms = NOON_MS + DAY_MS
    ids = [f"po-{number}" for number in range(most + 1)]
    announced = [announce("x", "A", 1, due_ms=due_ms, supply_id=each) for each in ids]
    full = store.refusal(stock(*announced))
    assert full.reason is Reason.CAPACITY_EXCEEDED
    assert full.facts["limit"] == str(most)
    store.given(stock(*announced[1:]))
    assert store.refuses(stock(announced[0])) is Reason.CAPACITY_EXCEEDED
    # What replaces, withdraws or is received makes no more of them, and the latter two make room.
    store.given(stock(announce("x", "A", 2, due_ms=due_ms, supply_id="po-7"), announced[1]))
    withdrawn = announce("x", "A", 0, due_ms=due_ms, supply_id="po-7")
    again = announce("x", "A", 3, due_ms=due_ms, supply_id="po-7")
    store.given(stock(withdrawn, withdrawn, announced[0]))
    assert store.refuses(stock(again)) is Reason.CAPACITY_EXCEEDED
    assert store.refuses(stock(withdrawn, again)) is Reason.CAPACITY_EXCEEDED
    store.given(stock(receive("x", "A", 1, supply_id="po-9"), again))
    store.given(stock(announce("x", "B", 1, due_ms=due_ms)))
    assert len(inbound(store, "x", "A")) == most


# --- the call as a whole

BAD_UPDATES: list[StockUpdate] = [
    count("x", "Z", 1),
    count("x", "A", 1, expected=99),
    adjust("y", "B", -1),
    move("x", "A", 99, to="B"),
    receive("x", "A", 1),
]


@pytest.mark.parametrize("bad", BAD_UPDATES)
def test_a_call_with_one_bad_update_changes_nothing(store: Shop, bad: StockUpdate) -> None:
    store.refusal(stock(count("x", "A", 77), adjust("new", "B", 5), bad))
    assert store.position("x", "A").on_hand == 10
    assert not store.available("new").known


def test_updates_of_a_call_see_those_before_them(store: Shop) -> None:
    store.given(
        stock(
            move("x", "A", 10, to="B"),
            adjust("x", "B", 5),
            move("x", "B", 15, to="A", conditions=(SELLABLE, DAMAGED)),
            move("x", "A", 1, conditions=(DAMAGED, SELLABLE)),
        )
    )
    assert [store.position("x", name).on_hand for name in "AB"] == [1, 0]
    assert conditions(store, "x", "A") == {DAMAGED: 14}


def test_the_answer_counts_updates_and_new_skus(store: Shop) -> None:
    store.given(product("described"))
    summary = store.gives(
        StockSummary,
        stock(
            count("new", "A", 1),
            count("new", "B", 1),
            count("x", "B", 1),
            announce("newer", "A", 1, due_ms=NOON_MS),
            count("described", "A", 1),
        ),
    )
    assert summary == StockSummary(update_count=5, created_sku_count=2)


def test_a_preview_gives_the_answer_and_changes_nothing(store: Shop) -> None:
    answer = store.send(stock(count("new", "A", 1)), validate_only=True)
    assert answer.outcome == StockSummary(update_count=1, created_sku_count=1)
    assert not store.available("new").known
    refused = store.send(stock(adjust("x", "A", -11)), validate_only=True)
    assert "QUANTITY_BELOW_ZERO" in str(refused.outcome)


def test_units_are_neither_made_nor_lost_by_moves(store: Shop) -> None:
    for source, target, units in (("A", "B", 7), ("B", "A", 2), ("A", "B", 5), ("B", "A", 10)):
        store.given(stock(move("x", source, units, to=target)))
        assert sum(store.position("x", name).on_hand for name in "AB") == 10


def test_the_number_of_skus_is_bounded_for_the_call_as_a_whole() -> None:
    shop = Shop(Limits(skus_max=2)).given(place("A"), on_hand("x", A=1))
    two = stock(count("y", "A", 1), count("z", "A", 1))
    assert shop.refuses(two) is Reason.CAPACITY_EXCEEDED
    assert not shop.available("y").known
    shop.given(stock(count("y", "A", 1), count("x", "A", 1)))
