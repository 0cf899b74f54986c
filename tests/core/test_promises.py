"""Available to promise: by date, from stock and dated supply, in the cumulative-minimum form."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domgrpc.core.availability import PAIRS_MAX, CheckAvailability
from domgrpc.core.network import Ask
from domgrpc.core.rejections import Reason, Rejected
from domgrpc.core.safety_stock import RuleKind, matching_rules
from domgrpc.core.supply import promise_curve
from domgrpc.core.values import (
    DeliveryMethod,
    LocationId,
    LocationType,
    Quantity,
    Sku,
    TimeMs,
)
from tests.core.commands import (
    PICKUP,
    announce,
    demand,
    disable,
    from_inbound,
    group,
    limited,
    on_hand,
    place,
    product,
    receive,
    reserve,
    rule,
    stock,
)
from tests.core.given import NOON_MS, Shop
from tests.core.scope_words import at_locations, in_groups, near

DAY_MS = 86_400_000
Curve = list[tuple[int, int]]


@pytest.fixture
def store(shop: Shop) -> Shop:
    """Stores A and B with 10 of x each; 5 come to A in a day and 7 to B in two."""
    shop.given(place("A", at=(40.0, -74.0)), place("B", at=(34.0, -118.0)))
    shop.given(on_hand("x", A=10, B=10), group("b", "B"))
    return shop.given(
        stock(
            announce("x", "A", 5, due_ms=NOON_MS + DAY_MS),
            announce("x", "B", 7, due_ms=NOON_MS + 2 * DAY_MS),
        )
    )


def promised(shop: Shop, days: int = 365, **asked: object) -> Curve:
    """Return the steps of x in days from now."""
    found = shop.available("x", horizon_days=days, **asked)  # type: ignore[arg-type]
    return [((time_ms - shop.now_ms) // DAY_MS, units) for time_ms, units in found.promise]


def test_without_a_horizon_nothing_is_promised(store: Shop) -> None:
    assert store.available("x").promise == ()


def test_the_first_step_is_now_and_each_supply_makes_another(store: Shop) -> None:
    assert promised(store) == [(0, 20), (1, 25), (2, 32)]
    exact = store.available("x", horizon_days=365).promise
    assert exact == ((NOON_MS, 20), (NOON_MS + DAY_MS, 25), (NOON_MS + 2 * DAY_MS, 32))


def test_a_scope_is_promised_from_its_own_locations(store: Shop) -> None:
    assert promised(store, scope=at_locations("A")) == [(0, 10), (1, 15)]
    assert promised(store, scope=in_groups("b")) == [(0, 10), (2, 17)]
    assert promised(store, scope=near(34.0, -118.0, 10)) == [(0, 10), (2, 17)]


@pytest.mark.slow
def test_a_horizon_of_ten_years_is_answered_in_one_call(store: Shop) -> None:
    weeks = range(3, 3650, 7)
    for day in weeks:
        due_ms = NOON_MS + day * DAY_MS
        store.given(stock(announce("x", "A", 1, due_ms=due_ms, supply_id=f"po-{day}")))
    expected = [(0, 20), (1, 25), (2, 32), *((day, 33 + week) for week, day in enumerate(weeks))]
    assert promised(store, 3650) == expected
    assert promised(store, 365) == [step for step in expected if step[0] <= 365]


def test_supply_at_the_end_of_the_horizon_counts_and_beyond_it_not(store: Shop) -> None:
    assert promised(store, 2) == [(0, 20), (1, 25), (2, 32)]
    store.later(1)
    assert promised(store, 1)[-1][1] == 25


def test_overdue_supply_is_promised_to_nobody_until_it_is_received(store: Shop) -> None:
    store.later(DAY_MS + 1)
    assert [units for _, units in promised(store)] == [20, 27]
    store.given(stock(receive("x", "A", 5)))
    assert [units for _, units in promised(store)] == [25, 32]


def test_supplies_of_the_same_moment_make_one_step(store: Shop) -> None:
    store.given(stock(announce("x", "B", 3, due_ms=NOON_MS + DAY_MS, supply_id="po-2")))
    assert promised(store) == [(0, 20), (1, 28), (2, 35)]


def test_holds_are_not_promised_to_others(store: Shop) -> None:
    store.given(reserve(("x", "A", 4)))
    assert promised(store) == [(0, 16), (1, 21), (2, 28)]


def test_supply_fills_what_its_own_location_oversold_first_and_no_other(shop: Shop) -> None:
    shop.given(place("A", backorder=True), place("B"), product("x", backorder=limited(50)))
    shop.given(on_hand("x", A=0, B=10), reserve(("x", "A", 8)))
    shop.given(
        stock(
            announce("x", "A", 5, due_ms=NOON_MS + DAY_MS, supply_id="po-1"),
            announce("x", "A", 5, due_ms=NOON_MS + 2 * DAY_MS, supply_id="po-2"),
        )
    )
    assert promised(shop) == [(0, 10), (2, 12)]
    assert promised(shop, scope=at_locations("A")) == [(0, 0), (2, 2)]


def test_backorders_are_no_promise(shop: Shop) -> None:
    shop.given(place("A", backorder=True), product("x", backorder=from_inbound(90)))
    shop.given(on_hand("x", A=1), stock(announce("x", "A", 5, due_ms=NOON_MS + DAY_MS)))
    assert shop.ats("x") == 6
    assert promised(shop) == [(0, 1), (1, 6)]


def test_a_location_that_cannot_do_the_method_promises_nothing(store: Shop) -> None:
    store.given(place("W", LocationType.DISTRIBUTION_CENTER), on_hand("x", W=99))
    assert promised(store, demand=demand("", PICKUP)) == [(0, 20), (1, 25), (2, 32)]
    assert promised(store, demand=demand("", DeliveryMethod.DROP_SHIP)) == [(0, 0)]


def test_an_unknown_sku_and_one_without_positions_promise_nothing(shop: Shop) -> None:
    assert shop.available("x", horizon_days=9).promise in ((), ((NOON_MS, 0),))
    shop.given(product("x"))
    assert promised(shop) == [(0, 0)]


# --- what changes by itself on the way


def test_a_disabled_location_promises_nothing_for_its_window_only(store: Shop) -> None:
    store.given(disable("A", start_ms=NOON_MS + 3 * DAY_MS, end_ms=NOON_MS + 4 * DAY_MS))
    assert promised(store) == [(0, 20), (1, 25), (2, 32), (3, 17), (4, 32)]


def test_a_location_disabled_now_is_promised_from_the_end_of_its_window(store: Shop) -> None:
    store.given(disable("A", end_ms=NOON_MS + 4 * DAY_MS))
    assert promised(store) == [(0, 10), (2, 17), (4, 32)]
    store.given(disable("A"))
    assert promised(store) == [(0, 10), (2, 17)]


def test_stock_that_a_later_rule_withholds_is_not_promised_before_it_either(store: Shop) -> None:
    window_ms = (NOON_MS + 3 * DAY_MS, NOON_MS + 5 * DAY_MS)
    store.given(rule("r", 6, location="A", window_ms=window_ms))
    assert promised(store, scope=at_locations("A")) == [(0, 9), (5, 15)]


def test_stock_that_a_rule_withholds_now_is_promised_from_its_end(store: Shop) -> None:
    store.given(rule("r", 6, location="A", window_ms=(0, NOON_MS + 3 * DAY_MS)))
    assert promised(store, scope=at_locations("A")) == [(0, 4), (1, 9), (3, 15)]


def test_a_percentage_is_of_the_stock_of_that_day(store: Shop) -> None:
    store.given(rule("r", percent=50, location="A"))
    assert promised(store, scope=at_locations("A")) == [(0, 5), (1, 7)]


def test_a_location_below_its_minimum_is_promised_once_supply_lifts_it(store: Shop) -> None:
    store.given(rule("m", 12, kind=RuleKind.FULFILLMENT_MINIMUM, location="A"))
    assert promised(store, scope=at_locations("A")) == [(0, 0), (1, 15)]


def test_more_withheld_than_there_is_promises_nothing_and_takes_from_nobody_else(
    store: Shop,
) -> None:
    store.given(rule("r", 1000, location="A"))
    assert promised(store) == [(0, 10), (2, 17)]


@pytest.mark.slow
def test_promises_are_bounded_in_pairs_like_listings(shop: Shop) -> None:
    shop.given(place("A"), place("B"), on_hand("x", A=1, B=2), on_hand("y", A=1))
    items = ((Sku("x"), Quantity(0)),) * (PAIRS_MAX // 2)
    shop.check(CheckAvailability(items=items, horizon_days=1))
    with pytest.raises(Rejected) as refused:
        shop.check(CheckAvailability(items=(*items, (Sku("y"), Quantity(0))), horizon_days=1))
    assert refused.value.rejection.reason is Reason.TOO_MANY_PAIRS


def test_a_rule_that_begins_or_ends_at_a_supply_counts_from_there_on(store: Shop) -> None:
    store.given(rule("r", 3, location="A", window_ms=(NOON_MS + DAY_MS, NOON_MS + 2 * DAY_MS)))
    store.given(rule("s", 9, location="A", window_ms=(NOON_MS + 2 * DAY_MS, NOON_MS + 3 * DAY_MS)))
    assert promised(store, scope=at_locations("A")) == [(0, 6), (3, 15)]


# --- the curve against brute force


@pytest.mark.slow
@given(st.lists(st.tuples(st.integers(1, 9), st.integers(-9, 9)), max_size=12))
def test_the_promise_is_the_lowest_balance_from_there_on(gaps: list[tuple[int, int]]) -> None:
    balances: Curve = []
    time_ms = 0
    for gap, balance in gaps:
        time_ms += gap
        balances.append((time_ms, balance))
    curve = promise_curve(balances)
    for at_ms, _ in balances:
        lowest = min(balance for when, balance in balances if when >= at_ms)
        told = [units for when, units in curve if when <= at_ms]
        assert told[-1] == max(0, lowest)
    values = [units for _, units in curve]
    assert values == sorted(set(values))
    assert [when for when, _ in curve] == sorted(when for when, _ in curve)


RULES = st.lists(
    st.tuples(
        st.sampled_from([RuleKind.SAFETY_STOCK, RuleKind.FULFILLMENT_MINIMUM]),
        st.integers(0, 25),
        st.integers(-3, 12),
        st.integers(1, 12),
        st.fixed_dictionaries(
            {},
            optional={
                "sku": st.sampled_from(["x", "other"]),
                "category": st.sampled_from(["c", "other"]),
                "location": st.sampled_from(["A", "B"]),
                "group": st.just("b"),
                "channel": st.sampled_from(["web", "app"]),
            },
        ),
    ),
    max_size=8,
)


@pytest.mark.slow
@given(RULES)
def test_each_day_is_promised_by_the_rules_that_win_on_it(
    rules: list[tuple[RuleKind, int, int, int, dict[str, str]]],
) -> None:
    shop = Shop(steps_per_check=100).given(place("A"), place("B"), group("b", "B"))
    shop.given(product("x", categories=("c",)), on_hand("x", A=10, B=20))
    for at, (kind, n, first, length, names) in enumerate(rules):
        span = (NOON_MS + first * DAY_MS, NOON_MS + (first + length) * DAY_MS)
        made = rule(f"r{at}", n, kind=kind, window_ms=span, **names)  # type: ignore[arg-type]
        shop.given(made)
    network, web = shop.state.network, demand("web")

    def balance(location_id: str, units: int, day: int) -> int:
        ask = Ask(web, TimeMs(NOON_MS + day * DAY_MS))
        subject = network.subject(Sku("x"), network.locations.index(LocationId(location_id)), ask)
        minimum = matching_rules(network.rules, RuleKind.FULFILLMENT_MINIMUM, subject)
        safety = matching_rules(network.rules, RuleKind.SAFETY_STOCK, subject)
        if minimum and units < minimum[0].quantity(units):
            return 0
        return max(0, units - safety[0].quantity(units)) if safety else units

    curve = dict(promised(shop, 15, demand=web))
    told = 0
    for day in range(16):
        told = curve.get(day, told)
        lowest = [
            min(balance(at, n, d) for d in range(day, 16)) for at, n in (("A", 10), ("B", 20))
        ]
        assert told == sum(lowest)


DAYS = st.integers(1, 12)


@pytest.mark.slow
@given(
    stocked=st.integers(0, 9),
    held=st.integers(0, 9),
    supplies=st.lists(st.tuples(DAYS, st.integers(1, 5)), max_size=5),
    closed=st.tuples(st.integers(0, 12), DAYS),
    withheld=st.tuples(st.integers(0, 12), DAYS, st.integers(0, 9)),
)
def test_each_day_is_promised_what_a_walk_over_all_days_finds(
    stocked: int,
    held: int,
    supplies: list[tuple[int, int]],
    closed: tuple[int, int],
    withheld: tuple[int, int, int],
) -> None:
    shop = Shop().given(place("A"), on_hand("x", A=stocked))
    if 0 < held <= stocked:
        shop.given(reserve(("x", "A", held)))
    held = held if held <= stocked else 0
    for number, (day, units) in enumerate(supplies):
        due_ms = NOON_MS + day * DAY_MS
        shop.given(stock(announce("x", "A", units, due_ms=due_ms, supply_id=f"po-{number}")))
    window_ms = (NOON_MS + withheld[0] * DAY_MS, NOON_MS + sum(withheld[:2]) * DAY_MS)
    shop.given(rule("r", withheld[2], window_ms=window_ms))
    shop.given(
        disable("A", start_ms=NOON_MS + closed[0] * DAY_MS, end_ms=NOON_MS + sum(closed) * DAY_MS)
    )

    def balance(day: int) -> int:
        there = stocked + sum(units for due, units in supplies if due <= day)
        kept = withheld[2] if withheld[0] <= day < sum(withheld[:2]) else 0
        return max(0, there - kept) - held

    curve = dict(promised(shop, 15))
    told = 0
    for day in range(16):
        told = curve.get(day, told)
        expected = max(0, min(balance(later) for later in range(day, 16)))
        assert told == (0 if closed[0] <= day < sum(closed) else expected)
