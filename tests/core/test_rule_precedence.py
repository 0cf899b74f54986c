"""Precedence of rules against a plain sort, on random rules and random demands."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domgrpc.core.availability import explain_safety_stock
from domgrpc.core.network import Ask
from domgrpc.core.offers import sku_offers
from domgrpc.core.safety_stock import (
    LEVEL_KINDS,
    CreateSafetyStockRule,
    RuleFields,
    RuleKind,
)
from domgrpc.core.values import (
    FOREVER_MS,
    Channel,
    DeliveryMethod,
    Demand,
    GroupId,
    LocationId,
    LocationType,
    Quantity,
    RuleId,
    Sku,
    TimeMs,
)
from tests.core.commands import group, limited, on_hand, place, product, reserve
from tests.core.given import NOON_MS, Shop

SKUS = {"x": ("toys", "sale"), "y": ("toys",), "z": ()}
LOCATIONS = {"A": LocationType.STORE, "B": LocationType.STORE, "W": LocationType.HUB}
GROUPS = {"g": ("A", "W"), "h": ("A", "B")}
EDGES = (0, NOON_MS - 1, NOON_MS, NOON_MS + 1, FOREVER_MS)


def maybe(*values: str) -> st.SearchStrategy[str]:
    """Name one of the values, or none."""
    return st.sampled_from(("", "", *values))


def whole(fields: RuleFields) -> RuleFields:
    """Make of fields that are each right a rule that is right as a whole."""
    is_level = fields.kind in LEVEL_KINDS
    later = fields.end_time_ms > fields.start_time_ms
    return msgspec.structs.replace(
        fields,
        delivery_method=DeliveryMethod.UNSPECIFIED if is_level else fields.delivery_method,
        channel=Channel("") if is_level else fields.channel,
        end_time_ms=fields.end_time_ms if later else FOREVER_MS,
    )


RULES = st.lists(
    st.builds(
        RuleFields,
        kind=st.sampled_from(RuleKind),
        sku=maybe(*SKUS).map(Sku),
        category=maybe("toys", "sale"),
        location_id=maybe(*LOCATIONS).map(LocationId),
        group_id=maybe(*GROUPS).map(GroupId),
        location_type=st.sampled_from([*LocationType][:4]),
        delivery_method=st.sampled_from([*DeliveryMethod][:3]),
        channel=maybe("web", "app").map(Channel),
        fixed_quantity=st.integers(0, 9).map(Quantity),
        percent_of_on_hand=st.none(),
        start_time_ms=st.sampled_from(EDGES[:4]).map(TimeMs),
        end_time_ms=st.sampled_from(EDGES[1:]).map(TimeMs),
    ).map(whole),
    max_size=12,
)
DEMANDS = st.builds(
    Demand,
    channel=maybe("web", "app").map(Channel),
    delivery_method=st.sampled_from([*DeliveryMethod][:3]),
)


def matches(fields: RuleFields, sku: str, location_id: str, by: Demand) -> bool:
    """Say whether a rule is about a position, a demand and noon."""
    return all(
        (
            fields.sku in ("", sku),
            fields.category == "" or fields.category in SKUS[sku],
            fields.location_id in ("", location_id),
            fields.group_id == "" or location_id in GROUPS[fields.group_id],
            fields.location_type in (LocationType.UNSPECIFIED, LOCATIONS[location_id]),
            fields.delivery_method in (DeliveryMethod.UNSPECIFIED, by.delivery_method),
            fields.channel in ("", by.channel),
            fields.start_time_ms <= NOON_MS < fields.end_time_ms,
        )
    )


def order(rule: tuple[str, RuleFields]) -> tuple[object, ...]:
    """Return the place of a rule among those that match, the winner first."""
    rule_id, fields = rule
    dimensions = (
        bool(fields.location_id),
        bool(fields.sku),
        bool(fields.location_type) + bool(fields.group_id),
        bool(fields.category),
        bool(fields.delivery_method),
        bool(fields.channel),
    )
    heaviest_first = tuple(-named for named in dimensions)
    return (-sum(dimensions), fields.end_time_ms, heaviest_first, rule_id)


@pytest.mark.slow
@given(rules=RULES, by=DEMANDS, sku=st.sampled_from([*SKUS]), location_id=st.sampled_from("ABW"))
def test_rules_rank_as_a_plain_sort_says(
    rules: list[RuleFields], by: Demand, sku: str, location_id: str
) -> None:
    shop = Shop().given(*(place(name, kind) for name, kind in LOCATIONS.items()))
    shop.given(*(group(name, *members) for name, members in GROUPS.items()))
    shop.given(*(product(name, categories=named) for name, named in SKUS.items()))
    shop.given(on_hand(sku, **{location_id: 20}))
    named = {f"rule-{number}": fields for number, fields in enumerate(rules)}
    for rule_id, fields in named.items():
        shop.given(CreateSafetyStockRule(rule_id=RuleId(rule_id), fields=fields))

    expected: dict[RuleKind, list[str]] = {}
    for rule_id, fields in sorted(named.items(), key=order):
        if matches(fields, sku, location_id, by):
            expected.setdefault(fields.kind, []).append(rule_id)

    where = Sku(sku), LocationId(location_id)
    decisions = explain_safety_stock(shop.state.network, *where, Ask(by, NOON_MS))
    ranked = {found.kind: [found.rule_id, *found.other_rule_ids] for found in decisions}
    assert ranked == expected
    parts = shop.here(sku, location_id, demand=by).parts
    assert parts is not None
    assert parts.figures.safety_stock_rule_id == expected.get(RuleKind.SAFETY_STOCK, [""])[0]
    winner = expected.get(RuleKind.SAFETY_STOCK)
    assert parts.figures.safety_stock == (named[winner[0]].fixed_quantity if winner else 0)


CROWDED_RULES = st.lists(
    st.builds(
        RuleFields,
        kind=st.sampled_from((RuleKind.SAFETY_STOCK, RuleKind.FULFILLMENT_MINIMUM)),
        sku=maybe("x").map(Sku),
        category=maybe("toys"),
        location_id=maybe("A", "B").map(LocationId),
        group_id=maybe("g").map(GroupId),
        location_type=st.sampled_from((*LocationType,)[:1] * 2 + (LocationType.STORE,)),
        channel=maybe("web").map(Channel),
        fixed_quantity=st.integers(0, 9).map(Quantity),
        start_time_ms=st.sampled_from((0, 0, NOON_MS, NOON_MS + 1)).map(TimeMs),
    ),
    max_size=12,
)
"""Rules of which many match the same position."""


@pytest.mark.slow
@given(rules=CROWDED_RULES, by=DEMANDS, backorder=st.booleans())
def test_all_positions_at_once_offer_what_each_offers_alone(
    rules: list[RuleFields], by: Demand, *, backorder: bool
) -> None:
    shop = Shop().given(
        *(place(name, kind, backorder=backorder) for name, kind in LOCATIONS.items())
    )
    shop.given(*(group(name, *members) for name, members in GROUPS.items()))
    shop.given(*(product(name, categories=named) for name, named in SKUS.items()))
    shop.given(product("w", backorder=limited(3)))
    shop.given(*(on_hand(sku, A=4, B=6, W=20) for sku in (*SKUS, "w")))
    shop.given(reserve(("x", "A", 3), ("y", "W", 1), ("w", "B", 6)))
    shop.given(
        *(
            CreateSafetyStockRule(rule_id=RuleId(f"rule-{number}"), fields=fields)
            for number, fields in enumerate(rules)
        )
    )
    network = shop.state.network
    ask = Ask(by, NOON_MS)
    network.refresh(NOON_MS)
    for stock in network.stock.skus():
        offers = zip(*sku_offers(network, stock, ask), strict=True)
        assert list(offers) == [network.sellable(stock, slot, ask) for slot in range(3)]
