"""The fulfilment minimum, and keeping and explaining rules."""

import msgspec
import pytest

from domgrpc.core.answers import Deleted
from domgrpc.core.availability import RuleDecision, explain_safety_stock
from domgrpc.core.network import Ask
from domgrpc.core.rejections import Reason, Rejected
from domgrpc.core.safety_stock import (
    CreateSafetyStockRule,
    DeleteSafetyStockRule,
    RuleKind,
    SafetyStockRule,
    UpdateSafetyStockRule,
)
from domgrpc.core.values import (
    FOREVER_MS,
    DeliveryMethod,
    Demand,
    Limits,
    LocationId,
    LocationType,
    Quantity,
    RuleId,
    Sku,
)
from tests.core.commands import (
    SHIP,
    demand,
    group,
    limited,
    no_rule,
    on_hand,
    place,
    product,
    reserve,
    rule,
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


# --- the fulfilment minimum


def test_below_the_minimum_a_location_is_not_used_at_all(store: Shop) -> None:
    store.given(rule("m", 5, kind=MINIMUM, location="A"))
    assert offers(store) == [10, 10, 10]
    store.given(reserve(("x", "A", 5)))
    assert store.here("x", "A").available_to_fulfill == 5
    store.given(reserve(("x", "A", 1)))
    here = store.here("x", "A")
    assert here.available_to_fulfill == 0
    assert here.parts is not None
    assert here.parts.figures.excluded_reason is Reason.BELOW_FULFILLMENT_MINIMUM
    assert here.parts.figures.fulfillment_minimum_rule_id == "m"
    assert store.refuses(reserve(("x", "A", 1))) is Reason.INSUFFICIENT_STOCK
    assert store.atf("x") == 20


def test_below_the_minimum_nothing_is_backordered_either(shop: Shop) -> None:
    shop.given(place("A", backorder=True), product("x", backorder=limited(5)), on_hand("x", A=4))
    assert shop.ats("x") == 9
    shop.given(rule("m", 5, kind=MINIMUM))
    assert shop.ats("x") == 0


def test_the_minimum_is_for_the_demand_that_its_rule_names(store: Shop) -> None:
    store.given(rule("m", 11, kind=MINIMUM, method=SHIP, kind_of_location=LocationType.STORE))
    assert offers(store) == [10, 10, 10]
    assert offers(store, demand("", SHIP)) == [0, 0, 10]
    assert offers(store, demand("", DeliveryMethod.CURBSIDE)) == [10, 10, 0]


def test_a_minimum_may_be_a_percentage_of_the_stock(store: Shop) -> None:
    store.given(rule("m", percent=75, kind=MINIMUM), reserve(("x", "A", 2)), reserve(("x", "B", 3)))
    assert offers(store) == [8, 0, 10]


def test_minimum_and_safety_stock_are_decided_apart(store: Shop) -> None:
    store.given(rule("m", 10, kind=MINIMUM), rule("s", 4, sku="x", location="A"))
    assert offers(store) == [6, 10, 10]


# --- keeping rules


def test_a_new_rule_is_as_its_creator_said(store: Shop) -> None:
    made = store.gives(SafetyStockRule, rule("r", 3, sku="x"))
    assert (made.rule_id, made.fields.fixed_quantity, made.fields.sku) == ("r", 3, "x")
    assert made.create_time_ms == made.update_time_ms == NOON_MS


def test_a_rule_names_places_that_exist_and_skus_that_may_come(store: Shop) -> None:
    assert store.refuses(rule("r", 1, location="Z")) is Reason.LOCATION_NOT_FOUND
    assert store.refuses(rule("r", 1, group="Z")) is Reason.GROUP_NOT_FOUND
    store.given(rule("r", 1, sku="later"), on_hand("later", A=3))
    assert store.atf("later") == 2


def test_creating_the_same_rule_again_changes_nothing_and_another_is_refused(store: Shop) -> None:
    made = store.gives(SafetyStockRule, rule("r", 3))
    store.later(1000)
    assert store.gives(SafetyStockRule, rule("r", 3)) == made
    assert store.refuses(rule("r", 4)) is Reason.RULE_ID_TAKEN
    assert store.refuses(rule("r", 3, sku="x")) is Reason.RULE_ID_TAKEN


def test_an_update_changes_the_named_fields_and_counts_at_once(store: Shop) -> None:
    made = store.gives(SafetyStockRule, rule("r", 3, location="A"))
    assert offers(store) == [7, 10, 10]
    store.later(1000)
    changed = store.gives(SafetyStockRule, update(rule("r", 9, location="B"), "location_id"))
    assert offers(store) == [10, 7, 10]
    assert changed.create_time_ms == NOON_MS
    assert changed.update_time_ms == NOON_MS + 1000
    assert changed.revision > made.revision
    store.given(update(rule("r", percent=50), "fixed_quantity", "percent_of_on_hand"))
    assert offers(store) == [10, 5, 10]


def test_an_update_can_move_a_rule_between_sku_location_and_neither(store: Shop) -> None:
    store.given(rule("r", 3, sku="y"))
    store.given(update(rule("r", location="A"), "sku", "location_id"))
    assert offers(store) == [7, 10, 10]
    store.given(update(rule("r"), "location_id"))
    assert offers(store) == [7, 7, 7]
    store.given(update(rule("r", kind=MINIMUM), "kind"))
    assert offers(store) == [10, 10, 10]


def test_an_update_must_name_places_that_exist(store: Shop) -> None:
    store.given(rule("r", 3))
    assert store.refuses(update(rule("r", group="Z"), "group_id")) is Reason.GROUP_NOT_FOUND
    nowhere = update(rule("r", location="Z"), "location_id")
    assert store.refuses(nowhere) is Reason.LOCATION_NOT_FOUND


def test_an_update_that_changes_nothing_keeps_the_etag(store: Shop) -> None:
    made = store.gives(SafetyStockRule, rule("r", 3))
    assert store.gives(SafetyStockRule, update(rule("r", 3), "fixed_quantity")) == made


def test_an_unknown_rule_is_created_by_an_update_that_allows_it(store: Shop) -> None:
    assert store.refuses(update(rule("r", 3), "sku")) is Reason.RULE_NOT_FOUND
    made = store.gives(SafetyStockRule, update(rule("r", 3), "sku", allow_missing=True))
    assert made.fields.fixed_quantity == 3
    nowhere = update(rule("s", 3, location="Z"), "sku", allow_missing=True)
    assert store.refuses(nowhere) is Reason.LOCATION_NOT_FOUND


# --- a rule as a whole


WHOLE = [
    (rule("r", 1, kind=RuleKind.LOW_STOCK), rule("r", 1, channel="app"), "channel"),
    (rule("r", 1, kind=RuleKind.OUT_OF_STOCK), rule("r", 1, method=SHIP), "delivery_method"),
    (rule("r", 1, window_ms=(5, 9)), rule("r", 1, window_ms=(9, FOREVER_MS)), "start_time_ms"),
    (rule("r", 1, window_ms=(5, 9)), rule("r", 1, window_ms=(0, 5)), "end_time_ms"),
    (rule("r", 1), rule("r"), "fixed_quantity"),
    (rule("r", 1), rule("r", percent=5), "percent_of_on_hand"),
]
"""A good rule, and another one whose named field makes it bad."""


@pytest.mark.parametrize(("good", "other", "name"), WHOLE, ids=lambda value: str(value)[:16])
def test_an_update_may_not_make_a_rule_that_could_not_be_created(
    store: Shop, good: CreateSafetyStockRule, other: CreateSafetyStockRule, name: str
) -> None:
    store.given(good)
    assert store.refuses(update(other, name)) is Reason.RULE_INVALID
    value = {name: getattr(other.fields, name)}
    merged = msgspec.structs.replace(good.fields, **value)
    fresh = CreateSafetyStockRule(rule_id=RuleId("s"), fields=merged)
    assert store.refuses(fresh) is Reason.RULE_INVALID
    assert store.refuses(update(fresh, "sku", allow_missing=True)) is Reason.RULE_INVALID
    assert store.gives(SafetyStockRule, good).fields == good.fields


def test_a_rule_of_one_demand_cannot_become_a_threshold(store: Shop) -> None:
    store.given(rule("r", 1, channel="app"))
    threshold = rule("r", 1, kind=RuleKind.LOW_STOCK)
    assert store.refuses(update(threshold, "kind")) is Reason.RULE_INVALID
    changed = store.gives(SafetyStockRule, update(threshold, "kind", "channel"))
    assert (changed.fields.kind, changed.fields.channel) == (RuleKind.LOW_STOCK, "")


def test_an_etag_of_a_rule_that_was_deleted_is_refused(store: Shop) -> None:
    made = store.gives(SafetyStockRule, rule("r", 3))
    store.given(DeleteSafetyStockRule(rule_id=RuleId("r")))
    again = update(rule("r", 4), "fixed_quantity", etag=str(made.revision), allow_missing=True)
    assert store.refuses(again) is Reason.ETAG_MISMATCH


def test_updates_and_deletions_respect_the_etag(store: Shop) -> None:
    made = store.gives(SafetyStockRule, rule("r", 3))
    changed = store.gives(
        SafetyStockRule, update(rule("r", 4), "fixed_quantity", etag=str(made.revision))
    )
    stale = str(made.revision)
    assert store.refuses(update(rule("r", 5), "sku", etag=stale)) is Reason.ETAG_MISMATCH
    assert (
        store.refuses(DeleteSafetyStockRule(rule_id=RuleId("r"), etag=stale))
        is Reason.ETAG_MISMATCH
    )
    store.gives(Deleted, DeleteSafetyStockRule(rule_id=RuleId("r"), etag=str(changed.revision)))


def test_a_deleted_rule_withholds_nothing(store: Shop) -> None:
    store.given(rule("r", 3))
    assert store.atf("x") == 21
    store.gives(Deleted, no_rule("r"))
    assert store.atf("x") == 30
    assert store.refuses(no_rule("r")) is Reason.RULE_NOT_FOUND
    store.given(rule("r", 1))
    assert store.atf("x") == 27


def test_the_number_of_rules_is_bounded() -> None:
    shop = Shop(Limits(rules_max=1)).given(rule("r", 1))
    assert shop.refuses(rule("s", 1)) is Reason.CAPACITY_EXCEEDED
    shop.given(rule("r", 1), no_rule("r"), rule("s", 1))


# --- explaining


def test_an_explanation_names_the_winner_of_each_kind_and_the_losers_best_first(
    store: Shop,
) -> None:
    store.given(
        rule("a", 1),
        rule("b", percent=25, location="A", sku="x"),
        rule("c", 2, category="toys"),
        rule("d", 2, channel="app"),
        rule("m", 3, kind=MINIMUM),
        rule("l", 4, kind=RuleKind.LOW_STOCK, sku="x"),
        rule("o", 1, kind=RuleKind.OUT_OF_STOCK, location="B"),
    )
    assert explained(store, "x", "A") == (
        RuleDecision(RuleKind.SAFETY_STOCK, RuleId("b"), 3, (RuleId("c"), RuleId("a"))),
        RuleDecision(MINIMUM, RuleId("m"), 3, ()),
        RuleDecision(RuleKind.LOW_STOCK, RuleId("l"), 4, ()),
    )
    assert [found.rule_id for found in explained(store, "x", "B", demand("app"))] == [
        "c",
        "m",
        "l",
        "o",
    ]


def test_a_position_without_stock_or_rules_can_be_explained(store: Shop) -> None:
    assert explained(store, "x", "A") == ()
    store.given(rule("r", percent=50))
    decision = RuleDecision(RuleKind.SAFETY_STOCK, RuleId("r"), 0, ())
    assert explained(store, "unknown", "A") == (decision,)
    with pytest.raises(Rejected, match="Z"):
        explained(store, "x", "Z")


def test_an_explanation_respects_windows(store: Shop) -> None:
    store.given(rule("r", 1, window_ms=(NOON_MS + 1, NOON_MS + 2)))
    seen = [len(explained(store.at(NOON_MS + ms), "x", "A")) for ms in (0, 1, 2)]
    assert seen == [0, 1, 0]


def test_figures_say_which_rule_made_them(store: Shop) -> None:
    store.given(rule("r", 3, location="A"), rule("m", 20, kind=MINIMUM, location="B"))
    here, there, elsewhere = (each.parts for each in store.available("x").locations)
    assert here is not None
    assert there is not None
    assert elsewhere is not None
    assert (here.figures.safety_stock, here.figures.safety_stock_rule_id) == (3, "r")
    assert here.figures.fulfillment_minimum_rule_id == ""
    assert there.figures.fulfillment_minimum_rule_id == "m"
    assert (elsewhere.figures.safety_stock, elsewhere.figures.safety_stock_rule_id) == (0, "")


def test_the_greatest_value_withholds_everything(store: Shop) -> None:
    most = msgspec.structs.replace(rule("r").fields, fixed_quantity=Quantity(10**12))
    store.given(CreateSafetyStockRule(rule_id=RuleId("r"), fields=most))
    assert store.ats("x") == 0
