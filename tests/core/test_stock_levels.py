"""Stock levels: low, out and back in stock, told once for each crossing."""

import pytest

from domgrpc.core.machine import sweep_levels
from domgrpc.core.safety_stock import RuleKind
from domgrpc.core.stock_levels import (
    SWEEP_START,
    StockLevelChanged,
    SweepPlace,
    SweepStockLevels,
    place_after,
)
from domgrpc.core.values import LocationType, StockCondition, StockLevel
from tests.core.commands import (
    adjust,
    confirm,
    count,
    disable,
    feed,
    group,
    move,
    no_rule,
    on_hand,
    place,
    product,
    release,
    reserve,
    rule,
    ship,
    stock,
)
from tests.core.given import EVERY_POSITION, NOON_MS, Shop

IN, LOW, OUT = StockLevel.IN_STOCK, StockLevel.LOW_STOCK, StockLevel.OUT_OF_STOCK
LOW_RULE, OUT_RULE = RuleKind.LOW_STOCK, RuleKind.OUT_OF_STOCK
MINUTE_MS = 60_000


@pytest.fixture
def store(shop: Shop) -> Shop:
    """Stores A and B, A with 10 of x."""
    return shop.given(place("A"), place("B"), on_hand("x", A=10))


@pytest.fixture
def watched(store: Shop) -> Shop:
    """The same, with x low at 5."""
    return store.given(rule("low", 5, kind=LOW_RULE, sku="x"))


def swept(shop: Shop, position_count: int) -> int:
    """Sweep in slices, as the timer does, and return how many there were."""
    at: SweepPlace | None = SWEEP_START
    slices = 0
    while at is not None:
        command = SweepStockLevels(at, position_count)
        shop.sweep_slice(command)
        at = place_after(shop.state.network, command)
        slices += 1
    return slices


def crossings(shop: Shop) -> list[StockLevel]:
    """Return the levels that x at A crossed into so far."""
    assert all((sku, name) == ("x", "A") for sku, name, _ in shop.levels())
    return [level for _, _, level in shop.levels()]


def test_a_position_that_begins_with_stock_crosses_nothing(store: Shop) -> None:
    assert crossings(store) == []
    assert store.position("x", "A").level is IN


def test_a_position_that_begins_empty_is_out_and_has_crossed_nothing(shop: Shop) -> None:
    shop.given(place("A"), on_hand("x", A=0))
    assert crossings(shop) == []
    assert shop.position("x", "A").level is OUT


def test_a_position_that_begins_below_the_threshold_is_low(watched: Shop) -> None:
    watched.given(on_hand("x", B=3))
    assert watched.position("x", "B").level is LOW


def test_each_crossing_is_told_once(watched: Shop) -> None:
    for units in (9, 6, 5, 4, 1, 0, 0, 1, 5, 6, 7, 0, 10):
        watched.given(on_hand("x", A=units))
    assert crossings(watched) == [LOW, OUT, LOW, IN, OUT, IN]


def test_a_crossing_tells_the_units_that_made_it(watched: Shop) -> None:
    watched.given(on_hand("x", A=4))
    crossing = watched.events()[-1]
    assert isinstance(crossing, StockLevelChanged)
    assert (crossing.sku, crossing.location_id) == ("x", "A")
    assert (crossing.level, crossing.available_quantity) == (LOW, 4)


def test_without_rules_a_position_is_in_stock_or_out(store: Shop) -> None:
    for units in (1, 0, 3, 10**12, 0):
        store.given(on_hand("x", A=units))
    assert crossings(store) == [OUT, IN, OUT]


def test_holds_and_their_end_cross_levels(store: Shop) -> None:
    store.given(reserve(("x", "A", 9), as_id="r"))
    assert crossings(store) == []
    store.given(reserve(("x", "A", 1), as_id="s", ttl_ms=MINUTE_MS))
    assert crossings(store) == [OUT]
    store.given(confirm("r"), ship("r"))
    assert crossings(store) == [OUT]
    store.later(MINUTE_MS - 1)
    assert crossings(store) == [OUT]
    store.later(1)
    assert crossings(store) == [OUT, IN]
    store.given(reserve(("x", "A", 1), as_id="t"), release("t"))
    assert crossings(store) == [OUT, IN, OUT, IN]


def test_the_steps_inside_one_call_cross_nothing(watched: Shop) -> None:
    watched.given(
        stock(count("x", "A", 0), adjust("x", "A", 3), count("x", "A", 20), adjust("x", "A", -1))
    )
    assert crossings(watched) == []
    watched.given(feed(1, count("x", "A", 0), adjust("x", "A", 4)))
    assert crossings(watched) == [LOW]


def test_the_record_that_moves_the_stock_carries_the_crossing(store: Shop) -> None:
    store.given(stock(move("x", "A", 10, to="B")))
    assert [type(event).__name__ for event in store.events()] == [
        "StockUpdated",
        "StockLevelChanged",
    ]


def test_oversold_is_out(store: Shop) -> None:
    store.given(reserve(("x", "A", 10)), stock(adjust("x", "A", -5)))
    assert store.position("x", "A").level is OUT
    store.given(stock(adjust("x", "A", 5)))
    assert crossings(store) == [OUT]


def test_the_threshold_of_out_of_stock_may_be_above_nothing(store: Shop) -> None:
    store.given(rule("o", 2, kind=OUT_RULE), rule("l", 5, kind=LOW_RULE))
    for units in (6, 5, 3, 2, 0, 3, 6):
        store.given(on_hand("x", A=units))
    assert crossings(store) == [LOW, OUT, LOW, IN]


def test_out_of_stock_wins_over_low_stock(store: Shop) -> None:
    store.given(rule("o", 5, kind=OUT_RULE), rule("l", 5, kind=LOW_RULE), on_hand("x", A=5))
    assert crossings(store) == [OUT]


def test_what_is_withheld_from_everybody_counts_as_gone(watched: Shop) -> None:
    watched.given(rule("safe", 3), on_hand("x", A=9), on_hand("x", A=8), on_hand("x", A=3))
    assert crossings(watched) == [LOW, OUT]


def test_what_is_withheld_from_one_channel_does_not_count(watched: Shop) -> None:
    watched.given(rule("safe", 9, channel="web"), on_hand("x", A=6))
    assert crossings(watched) == []


def test_a_disabled_location_keeps_its_levels(watched: Shop) -> None:
    watched.given(disable("A"))
    watched.sweep()
    assert crossings(watched) == []
    watched.given(on_hand("x", A=4))
    assert crossings(watched) == [LOW]


def test_a_threshold_may_be_a_percentage_of_the_stock(store: Shop) -> None:
    store.given(rule("l", percent=50, kind=LOW_RULE), reserve(("x", "A", 4)))
    assert crossings(store) == []
    store.given(reserve(("x", "A", 1)))
    assert crossings(store) == [LOW]


def test_the_rule_with_most_conditions_sets_the_threshold(watched: Shop) -> None:
    watched.given(rule("here", 1, kind=LOW_RULE, sku="x", location="A"))
    watched.given(on_hand("x", A=3, B=3))
    assert watched.position("x", "A").level is IN
    assert watched.position("x", "B").level is LOW


# --- sweeps


def test_a_sweep_tells_what_a_new_rule_made_low_once(store: Shop) -> None:
    store.given(on_hand("x", B=20), rule("l", 15, kind=LOW_RULE))
    assert crossings(store) == []
    store.sweep()
    assert store.levels() == [("x", "A", LOW)]
    store.sweep()
    assert store.levels() == [("x", "A", LOW)]
    store.given(no_rule("l"))
    store.sweep()
    assert store.levels() == [("x", "A", LOW), ("x", "A", IN)]


def test_what_was_told_by_a_change_is_not_told_by_the_sweep(store: Shop) -> None:
    store.given(rule("l", 15, kind=LOW_RULE), on_hand("x", A=9))
    assert crossings(store) == [LOW]
    store.sweep()
    assert crossings(store) == [LOW]


def test_a_change_after_the_last_rule_went_still_tells_the_way_back(watched: Shop) -> None:
    watched.given(on_hand("x", A=4), no_rule("low"))
    assert crossings(watched) == [LOW]
    watched.given(on_hand("x", A=3))
    assert crossings(watched) == [LOW, IN]


def test_a_sweep_tells_what_a_window_product_or_group_changed(store: Shop) -> None:
    store.given(
        rule("window", 15, kind=LOW_RULE, window_ms=(NOON_MS + 1000, NOON_MS + 2000)),
        rule("toys", 20, kind=OUT_RULE, category="toys"),
        group("g"),
        rule("group", 12, kind=LOW_RULE, group="g", kind_of_location=LocationType.STORE),
    )
    store.sweep()
    assert crossings(store) == []
    store.later(999).sweep()
    assert crossings(store) == []
    store.later(1).sweep()
    assert crossings(store) == [LOW]
    store.later(1000).sweep()
    assert crossings(store) == [LOW, IN]
    store.given(product("x", categories=("toys",)))
    store.sweep()
    assert crossings(store) == [LOW, IN, OUT]


def test_a_sweep_without_crossings_writes_nothing(store: Shop) -> None:
    before = len(store.records)
    store.sweep()
    assert len(store.records) == before


def test_a_sweep_in_slices_finds_what_one_sweep_finds(store: Shop) -> None:
    skus = [f"sku-{number}" for number in range(50)]
    store.given(*(on_hand(sku, A=10, B=20) for sku in skus))
    store.given(rule("l", 15, kind=LOW_RULE))
    slices = swept(store, 7)
    assert sorted(sku for sku, _, _ in store.levels()) == sorted(["x", *skus])
    assert slices >= 14
    assert sweep_levels(store.state, EVERY_POSITION, store.now_ms) is None


@pytest.mark.parametrize("step_count", [1, 2, 3, 100])
def test_a_slice_ends_within_a_sku_and_passes_skus_without_positions(
    store: Shop, step_count: int
) -> None:
    store.given(product("nowhere"), product("never"), on_hand("x", B=10))
    store.given(on_hand("y", B=10), on_hand("z", A=10, B=10), rule("l", 15, kind=LOW_RULE))
    swept(store, step_count)
    assert sorted((sku, name) for sku, name, _ in store.levels()) == [
        ("x", "A"),
        ("x", "B"),
        ("y", "B"),
        ("z", "A"),
        ("z", "B"),
    ]


def test_a_sweep_goes_on_behind_the_last_place_where_a_position_came_in_between(
    store: Shop,
) -> None:
    store.given(place("C"), place("D"), on_hand("x", B=10, D=10), rule("l", 15, kind=LOW_RULE))
    command = SweepStockLevels(SWEEP_START, 2)
    store.sweep_slice(command)
    store.given(on_hand("x", C=20))
    at = place_after(store.state.network, command)
    assert at is not None
    store.sweep_slice(SweepStockLevels(at, 9))
    assert [name for _, name, _ in store.levels()] == ["A", "B", "D"]


def test_other_conditions_and_supply_cross_nothing(store: Shop) -> None:
    store.given(on_hand("x", A=0))
    store.given(stock(adjust("x", "A", 9, condition=StockCondition.DAMAGED)))
    assert crossings(store) == [OUT]
