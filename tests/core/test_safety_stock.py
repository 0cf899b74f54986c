"""Safety stock rules: which units are withheld, from whom, and by which of several rules."""

import pytest

from domgrpc.core.availability import RuleDecision, explain_safety_stock
from domgrpc.core.network import Ask
from domgrpc.core.rejections import Reason
from domgrpc.core.safety_stock import (
    CreateSafetyStockRule,
    RuleKind,
    UpdateSafetyStockRule,
)
from domgrpc.core.values import (
    FOREVER_MS,
    Demand,
    LocationId,
    LocationIndex,
    LocationType,
    Sku,
)
from tests.core.commands import (
    PICKUP,
    SHIP,
    adjust,
    demand,
    group,
    limited,
    no_rule,
    on_hand,
    place,
    product,
    reserve,
    rule,
    stock,
)
from tests.core.given import NOON_MS, Shop

MINIMUM = RuleKind.FULFILLMENT_MINIMUM


@pytest.fixture
def store(shop: Shop) -> Shop:
    """Stores A and B and warehouse W with 10 of x each; A in group g; x in category toys."""
    return shop.given(
        place("A"),
        place("B"),
        place("W", LocationType.DISTRIBUTION_CENTER),
        group("g", "A"),
        product("x", categories=("toys", "sale")),
        on_hand("x", A=10, B=10, W=10),
    )


def offers(shop: Shop, by: Demand | None = None) -> list[int]:
    """Return what A, B and W offer of x."""
    return [each.available_to_fulfill for each in shop.available("x", demand=by).locations]


def update(
    created: CreateSafetyStockRule, *names: str, etag: str = "", allow_missing: bool = False
) -> UpdateSafetyStockRule:
    """Change the named fields of a rule to those of another one with its id."""
    return UpdateSafetyStockRule(
        rule_id=created.rule_id,
        fields=created.fields,
        field_names=names,
        etag=etag,
        allow_missing=allow_missing,
    )


def explained(
    shop: Shop, sku: str, location_id: str, by: Demand | None = None
) -> tuple[RuleDecision, ...]:
    """Return which rules win for one position."""
    ask = Ask(by or Demand(), shop.now_ms)
    return explain_safety_stock(shop.state.network, Sku(sku), LocationId(location_id), ask)


# --- values


def test_a_rule_without_conditions_withholds_everywhere(store: Shop) -> None:
    store.given(rule("r", 3))
    assert offers(store) == [7, 7, 7]
    assert store.atf("x") == 21


def test_a_percentage_is_of_the_stock_and_rounds_up(store: Shop) -> None:
    store.given(rule("r", percent=15), on_hand("x", A=10, B=1, W=100))
    assert offers(store) == [8, 0, 85]


def test_no_per_cent_withholds_nothing_and_all_withholds_everything(store: Shop) -> None:
    store.given(rule("r", percent=0))
    assert offers(store) == [10, 10, 10]
    store.given(no_rule("r"), rule("r", percent=100))
    assert offers(store) == [0, 0, 0]


def test_a_percentage_of_nothing_is_nothing(store: Shop) -> None:
    store.given(rule("r", percent=50), on_hand("x", A=0))
    assert store.here("x", "A").available_to_fulfill == 0
    parts = store.here("x", "A").parts
    assert parts is not None
    assert parts.figures.safety_stock == 0


def test_a_percentage_follows_the_stock_and_not_the_claims(store: Shop) -> None:
    store.given(rule("r", percent=50), reserve(("x", "A", 4)))
    assert store.here("x", "A").available_to_fulfill == 1
    store.given(stock(adjust("x", "A", 10)))
    assert store.here("x", "A").available_to_fulfill == 6


def test_more_withheld_than_there_is_leaves_nothing_and_takes_from_nobody_else(
    store: Shop,
) -> None:
    store.given(rule("r", 1000, location="A"))
    assert offers(store) == [0, 10, 10]
    assert store.atf("x") == 20


def test_claims_count_on_top_of_what_is_withheld(store: Shop) -> None:
    store.given(reserve(("x", "A", 4)), rule("r", 3))
    assert store.here("x", "A").available_to_fulfill == 3
    store.given(no_rule("r"), rule("r", 7))
    assert store.here("x", "A").available_to_fulfill == 0


def test_what_is_withheld_can_neither_be_held_nor_backordered_first(shop: Shop) -> None:
    shop.given(place("A", backorder=True), product("x", backorder=limited(5)), on_hand("x", A=10))
    shop.given(rule("r", 4))
    assert (shop.atf("x"), shop.ats("x")) == (6, 11)
    held = shop.holds(reserve(("x", "A", 8), as_id="r"))
    assert held.lines[0].backordered_quantity == 2
    assert (shop.atf("x"), shop.ats("x")) == (0, 3)
    assert shop.refuses(reserve(("x", "A", 4))) is Reason.INSUFFICIENT_STOCK


# --- conditions


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (rule("r", 3, sku="x"), [7, 7, 7]),
        (rule("r", 3, sku="X"), [10, 10, 10]),
        (rule("r", 3, location="B"), [10, 7, 10]),
        (rule("r", 3, group="g"), [7, 10, 10]),
        (rule("r", 3, kind_of_location=LocationType.STORE), [7, 7, 10]),
        (rule("r", 3, category="toys"), [7, 7, 7]),
        (rule("r", 3, category="toy"), [10, 10, 10]),
        (rule("r", 3, category="toys", location="W"), [10, 10, 7]),
        (rule("r", 3, sku="x", location="W", category="sale"), [10, 10, 7]),
        (rule("r", 3, group="g", location="B"), [10, 10, 10]),
    ],
)
def test_a_rule_counts_where_all_its_conditions_hold(
    store: Shop, made: CreateSafetyStockRule, expected: list[int]
) -> None:
    store.given(made)
    assert offers(store) == expected


def test_a_rule_for_a_channel_or_method_counts_for_that_demand_only(store: Shop) -> None:
    store.given(rule("r", 3, channel="web"), rule("s", 2, method=PICKUP, location="A"))
    assert offers(store) == [10, 10, 10]
    assert offers(store, demand("app")) == [10, 10, 10]
    assert offers(store, demand("web")) == [7, 7, 7]
    assert offers(store, demand("", PICKUP)) == [8, 10, 0]
    assert offers(store, demand("web", PICKUP)) == [8, 7, 0]
    assert offers(store, demand("web", SHIP)) == [7, 7, 7]


def test_a_rule_counts_for_holds_as_for_questions(store: Shop) -> None:
    store.given(rule("r", 3, channel="web"))
    refused = store.refusal(reserve(("x", "A", 8), demand=demand("web")))
    assert refused.short_lines[0].available_quantity == 7
    store.given(reserve(("x", "A", 8), demand=demand("app")))
    assert store.refuses(reserve(("x", "A", 1), demand=demand("web"))) is Reason.INSUFFICIENT_STOCK
    store.given(reserve(("x", "A", 2), demand=demand("app")))


def test_a_category_that_a_product_gets_or_loses_counts_at_once(store: Shop) -> None:
    store.given(on_hand("y", A=10), rule("r", 3, category="toys"))
    assert store.atf("y") == 10
    store.given(product("y", categories=("toys",)))
    assert store.atf("y") == 7


def test_a_window_holds_from_its_start_to_before_its_end_to_the_millisecond(store: Shop) -> None:
    store.given(rule("r", 3, location="A", window_ms=(NOON_MS + 1000, NOON_MS + 2000)))
    seen = [
        (ms, store.at(NOON_MS + ms).here("x", "A").available_to_fulfill)
        for ms in (0, 999, 1000, 1999, 2000)
    ]
    assert seen == [(0, 10), (999, 10), (1000, 7), (1999, 7), (2000, 10)]


def test_the_edge_of_a_window_changes_totals_that_were_asked_before(store: Shop) -> None:
    store.given(rule("r", 3, window_ms=(0, NOON_MS + 1000)))
    assert store.atf("x") == 21
    assert store.at(NOON_MS + 999).atf("x") == 21
    assert store.at(NOON_MS + 1000).atf("x") == 30


# --- one rule wins


def wins(shop: Shop, *rules: CreateSafetyStockRule, by: Demand | None = None) -> str:
    """Return which of several rules wins for x at A, whichever was created first."""
    winners = set()
    for order in (rules, rules[::-1]):
        shop.given(*order)
        parts = shop.here("x", "A", demand=by).parts
        assert parts is not None
        winners.add(parts.figures.safety_stock_rule_id)
        shop.given(*(no_rule(made.rule_id) for made in order))
    (winner,) = winners
    return winner


SOON = (0, NOON_MS + 1)
LATER = (0, NOON_MS + 2)
STORES = LocationType.STORE
WEB_PICKUP = demand("web", PICKUP)


def test_values_of_several_rules_are_not_added(store: Shop) -> None:
    store.given(rule("a", 1), rule("b", 2, sku="x"))
    assert offers(store) == [8, 8, 8]


def test_the_winner_may_withhold_less_or_nothing(store: Shop) -> None:
    store.given(rule("a", 5), rule("b", 0, location="A"))
    assert offers(store) == [10, 5, 5]


def test_most_conditions_win_over_everything_else(store: Shop) -> None:
    least = rule("b", 1, channel="web", method=PICKUP)
    assert wins(store, rule("a", 1, location="A", window_ms=SOON), least, by=WEB_PICKUP) == "b"
    many = rule("z", 1, channel="web", method=PICKUP, category="toys")
    assert wins(store, rule("a", 1, location="A", sku="x"), many, by=WEB_PICKUP) == "z"


def test_of_as_many_conditions_the_one_that_expires_soonest_wins(store: Shop) -> None:
    soon = rule("b", 1, channel="web", window_ms=SOON)
    assert wins(store, rule("a", 1, location="A"), soon, by=WEB_PICKUP) == "b"
    assert wins(store, rule("a", 1, location="A", window_ms=LATER), soon, by=WEB_PICKUP) == "b"
    starting = rule("b", 1, sku="x", window_ms=(NOON_MS, FOREVER_MS))
    assert wins(store, rule("c", 1, sku="x", window_ms=(5, FOREVER_MS)), starting) == "b"


@pytest.mark.parametrize(
    ("heavier", "lighter"),
    [
        (rule("z", 1, location="A"), rule("a", 1, sku="x")),
        (rule("z", 1, sku="x"), rule("a", 1, kind_of_location=STORES)),
        (rule("z", 1, sku="x"), rule("a", 1, group="g")),
        (rule("z", 1, kind_of_location=STORES), rule("a", 1, category="toys")),
        (rule("z", 1, group="g"), rule("a", 1, category="toys")),
        (rule("z", 1, category="toys"), rule("a", 1, method=PICKUP)),
        (rule("z", 1, method=PICKUP), rule("a", 1, channel="web")),
        (rule("z", 1, location="A", channel="web"), rule("a", 1, sku="x", group="g")),
        (rule("z", 1, sku="x", channel="web"), rule("a", 1, group="g", category="toys")),
        (
            rule("z", 1, group="g", kind_of_location=STORES),
            rule("a", 1, group="g", category="toys"),
        ),
    ],
)
def test_then_the_heaviest_dimension_wins(
    store: Shop, heavier: CreateSafetyStockRule, lighter: CreateSafetyStockRule
) -> None:
    assert wins(store, heavier, lighter, by=WEB_PICKUP) == "z"


def test_location_type_and_group_weigh_the_same_and_the_smaller_id_wins(store: Shop) -> None:
    by_type, by_group = rule("a", 1, kind_of_location=STORES), rule("b", 1, group="g")
    assert wins(store, by_type, by_group) == "a"
    by_type, by_group = rule("b", 1, kind_of_location=STORES), rule("a", 1, group="g")
    assert wins(store, by_type, by_group) == "a"


def test_of_rules_that_are_alike_the_smaller_id_wins(store: Shop) -> None:
    assert wins(store, rule("r10", 1), rule("r2", 2), rule("r9", 3)) == "r10"


def test_a_rule_for_a_place_that_never_had_the_product_counts_nowhere(store: Shop) -> None:
    store.given(place("far"), rule("far", 4, location="far"))
    assert offers(store) == [10, 10, 10]
    store.given(rule("b", 3, location="B"))
    assert offers(store) == [10, 7, 10]


@pytest.mark.slow
def test_however_many_channels_ask_each_meets_its_own_rule(store: Shop) -> None:
    store.given(rule("all", 4, sku="x"), rule("app", 5, sku="x", channel="app"))
    network = store.state.network
    stock_of = network.stock.find(Sku("x"))
    assert stock_of is not None
    network.refresh(store.now_ms)

    def winner(channel: str) -> str:
        ask = Ask(demand(channel), store.now_ms)
        found = network.winner(RuleKind.SAFETY_STOCK, stock_of, LocationIndex(0), ask)
        assert found is not None
        return found.rule_id

    assert {winner(f"shop-{number}") for number in range(200_001)} == {"all"}
    assert (winner("app"), winner("shop-0")) == ("app", "all")
