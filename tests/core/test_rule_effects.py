"""What rules mean for an order: as if every rule were asked about every line and location."""

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domgrpc.core.dispatch import Command
from domgrpc.core.location_groups import DeleteLocationGroup
from domgrpc.core.locations import (
    CreateLocation,
    LocationFields,
    UpdateLocation,
    decide_create_location,
    evolve_location_saved,
)
from domgrpc.core.network import Network
from domgrpc.core.products import ProductFields
from domgrpc.core.rule_effects import NO_EFFECTS, CompiledRuleSet, Effects
from domgrpc.core.rule_facts import LineFacts, OrderFacts
from domgrpc.core.rule_sets import RoutingRule, RuleEffect, RuleSetContent
from domgrpc.core.values import (
    Channel,
    DeliveryMethod,
    GroupId,
    Limits,
    LocationId,
    LocationIndex,
    LocationType,
    Quantity,
    Revision,
    RuleId,
    Sku,
    Stamp,
    TimeMs,
)
from tests.core.commands import disable, group, place
from tests.core.given import Shop
from tests.core.naive_rules import Case, Meaning, meaning_of
from tests.core.routing_rules import exclude, limit, prefer, require

WEB = OrderFacts(channel=Channel("web"), value_micros=60_000_000, line_count=1)
ONE = (LineFacts(Sku("x"), Quantity(1)),)
STORE, CENTER = LocationType.STORE, LocationType.DISTRIBUTION_CENTER


@pytest.fixture
def town(shop: Shop) -> Shop:
    """Build two stores and a distribution center."""
    return shop.given(place("a", STORE), place("b", CENTER), place("c", STORE))


def compiled(shop: Shop, *rules: RoutingRule) -> CompiledRuleSet:
    rule_set = CompiledRuleSet(RuleSetContent(rules=rules))
    rule_set.refresh(shop.state.network)
    return rule_set


def effects(
    shop: Shop,
    *rules: RoutingRule,
    order: OrderFacts = WEB,
    lines: Sequence[LineFacts] = ONE,
) -> Effects:
    return compiled(shop, *rules).effects(order, lines)


def line_of(*categories: str, quantity: int = 1) -> LineFacts:
    return LineFacts(Sku("x"), Quantity(quantity), 0, ProductFields(categories=categories))


# --- examples


def test_without_rules_nothing_is_said(town: Shop) -> None:
    assert effects(town) is NO_EFFECTS
    assert NO_EFFECTS.of_line(7).excluded is None


def test_an_exclusion_takes_its_locations_out(town: Shop) -> None:
    said = effects(town, exclude("r", "order.channel == 'web' && location.type == 'STORE'"))
    assert said.shared.excluded == b"\1\0\1"
    assert said.of_line(0).excluded == b"\1\0\1"
    assert said.shared.prices is None


def test_a_rule_does_nothing_where_its_condition_does_not_hold(town: Shop) -> None:
    rule = exclude("r", "order.channel == 'app' && location.type == 'STORE'")
    said = effects(town, rule)
    assert said.shared.excluded is None
    assert said.shared.rule_numbers == ()


def test_a_requirement_takes_all_others_out(town: Shop) -> None:
    assert effects(town, require("r", "location.type == 'STORE'")).shared.excluded == b"\0\1\0"


def test_preferences_add_up_and_may_be_bonuses(town: Shop) -> None:
    rules = (prefer("all", "", 5), prefer("stores", "location.type == 'STORE'", -7))
    prices = effects(town, *rules).shared.prices
    assert prices is not None
    assert list(prices) == [-2, 5, -2]


def test_the_smallest_limit_counts(town: Shop) -> None:
    rules = (limit("a", "", 3), limit("b", "order.value > 50", 2), limit("c", "false", 1))
    assert effects(town, *rules).package_count_max == 2


def test_a_rule_about_products_holds_for_their_lines_only(town: Shop) -> None:
    rules = (
        exclude("food", "'food' in product.categories && location.id == 'a'"),
        prefer("many", "line.quantity > 2 && location.id == 'b'", 9),
        limit("glass", "'glass' in product.categories", 1),
        exclude("never-c", "location.id == 'c'"),
    )
    lines = (line_of("food"), line_of(quantity=3))
    said = effects(town, *rules, lines=lines)
    assert said.shared.excluded == b"\0\0\1"
    assert said.of_line(0).excluded == b"\1\0\1"
    assert said.of_line(1).excluded == b"\0\0\1"
    assert said.of_line(0).prices is None
    assert list(said.of_line(1).prices or ()) == [0, 9, 0]
    assert said.package_count_max == 0
    assert effects(town, *rules, lines=(line_of("glass"),)).package_count_max == 1


def test_what_excluded_a_location_can_be_told(town: Shop) -> None:
    rule_set = compiled(
        town,
        exclude("stores", "location.type == 'STORE'"),
        require("b", "location.id != 'c'"),
        prefer("p", "", 1),
    )
    said = rule_set.effects(WEB, ONE).of_line(0)
    told = [rule_set.excluding(said, LocationIndex(index)) for index in range(3)]
    assert told == [("stores",), (), ("stores", "b")]
    assert rule_set.rule_ids(said.rule_numbers) == ("stores", "b", "p")


@pytest.mark.parametrize(
    "condition",
    [
        "order.line_count / (order.line_count - 1) > 0 && location.id == 'a'",
        "order.line_count % (order.line_count - 1) > 0 && location.id == 'a'",
        "line.quantity / (line.quantity - 1) > 0 && location.id == 'a'",
        "1 / (size(location.id) - 1) > 0",
        "location.groups[0] == 'x'",
        "int(order.channel) == 3 && location.id == 'a'",
        "order.line_count * 9223372036854775807 + 1 > 0 && location.id == 'a'",
    ],
)
@pytest.mark.parametrize("make", [exclude, require])
def test_a_rule_that_fails_excludes_nothing_and_is_told(
    town: Shop, condition: str, make: Callable[[str, str], RoutingRule]
) -> None:
    said = effects(town, make("bad", condition))
    assert said.of_line(0).excluded is None
    assert said.failed_rule_ids == ("bad",)


def test_a_rule_that_fails_at_one_location_holds_at_the_others(town: Shop) -> None:
    town.given(place("long"))
    rule = exclude("r", "1 / (size(location.id) - 1) > -1")
    said = effects(town, rule)
    assert said.shared.excluded == b"\0\0\0\1"
    assert said.failed_rule_ids == ("r",)


def test_a_rule_that_cannot_be_compiled_fails_in_every_order(town: Shop) -> None:
    said = effects(town, exclude("typo", "location.typ == 'STORE'"), prefer("p", "", 1))
    assert said.failed_rule_ids == ("typo",)
    assert list(said.shared.prices or ()) == [1, 1, 1]


def test_facts_of_time_are_those_of_utc(town: Shop) -> None:
    # 2025-06-15, a Sunday, at 23:59 UTC.
    order = OrderFacts(time_ms=TimeMs(1_750_031_940_000))
    rule = limit("r", "order.weekday == 7 && order.hour == 23", 1)
    assert effects(town, rule, order=order).package_count_max == 1
    later = OrderFacts(time_ms=TimeMs(1_750_032_000_000))
    rule = limit("r", "order.weekday == 1 && order.hour == 0", 1)
    assert effects(town, rule, order=later).package_count_max == 1


def test_a_number_beyond_64_bits_is_the_largest_there_is(town: Shop) -> None:
    order = OrderFacts(value_micros=10**30, unit_count=10**20)
    rule = limit("r", "order.value_micros == 9223372036854775807 && order.value > 1e23", 1)
    assert effects(town, rule, order=order).package_count_max == 1


def test_masks_follow_the_places(town: Shop) -> None:
    rule_set = compiled(
        town,
        exclude("stores", "location.type == 'STORE' || location.latitude > 40.0"),
        exclude("north", "'north' in location.groups"),
    )

    def excluded() -> bytes | None:
        rule_set.refresh(town.state.network)
        return rule_set.effects(WEB, ONE).shared.excluded

    assert excluded() == b"\1\0\1"
    town.given(place("d", STORE), place("e", CENTER, at=(41.0, 0.0)))
    assert excluded() == b"\1\0\1\1\1"
    town.given(group("north", "b"))
    assert excluded() == b"\1\1\1\1\1"
    assert excluded() == b"\1\1\1\1\1"


def test_one_location_that_changes_keeps_its_groups(town: Shop) -> None:
    rule_set = compiled(
        town.given(group("g", "a", "b")), exclude("g", "'g' in location.groups && location.id > ''")
    )
    town.given(disable("a"))
    rule_set.refresh(town.state.network)
    assert rule_set.effects(WEB, ONE).shared.excluded == b"\1\1\0"


# --- what is remembered is bounded


@pytest.mark.slow
def test_more_orders_than_are_remembered_mean_the_same(town: Shop) -> None:
    rule_set = compiled(town, limit("odd", "order.unit_count % 2 == 1", 1))
    orders = [OrderFacts(unit_count=count) for count in range(4_200)]
    assert [rule_set.effects(order, ONE).package_count_max for order in orders] == [0, 1] * 2_100
    assert rule_set.effects(orders[1], ONE).package_count_max == 1


@pytest.mark.slow
def test_more_lines_than_are_remembered_mean_the_same(town: Shop) -> None:
    rule_set = compiled(town, limit("odd", "line.quantity % 2 == 1", 1))
    lines = [(line_of(quantity=count),) for count in range(4_200)]
    assert [rule_set.effects(WEB, line).package_count_max for line in lines] == [0, 1] * 2_100
    assert rule_set.effects(WEB, lines[1]).package_count_max == 1


@pytest.mark.slow
def test_more_combinations_than_are_remembered_mean_the_same(town: Shop) -> None:
    rules = [
        prefer(f"bit-{bit}", f"order.unit_count / {1 << bit} % 2 == 1", 1 << bit)
        for bit in range(11)
    ]
    rule_set = compiled(town, *rules)
    for count in range(1, 1_100):
        prices = rule_set.effects(OrderFacts(unit_count=count), ONE).shared.prices
        assert list(prices or ()) == [count] * 3


@pytest.mark.slow
def test_more_locations_than_are_remembered_are_each_asked() -> None:
    network = Network(Limits())
    for number in range(4_200):
        fields = LocationFields(type=STORE, delivery_methods=())
        create = CreateLocation(location_id=LocationId(f"p{number}"), fields=fields)
        saved = decide_create_location(network.locations, create, Stamp(TimeMs(0), Revision(1)))
        assert saved is not None
        evolve_location_saved(network.locations, saved)
    rule_set = CompiledRuleSet(RuleSetContent(rules=(exclude("r", "location.id.endsWith('7')"),)))
    rule_set.refresh(network)
    excluded = rule_set.effects(WEB, ONE).shared.excluded
    assert excluded == bytes(number % 10 == 7 for number in range(4_200))


# --- like the naive way

ORDER_TERMS = (
    "order.channel == 'web'",
    "order.value > 20",
    "order.country in ['US', 'CA'] || order.region == ''",
    "order.unit_count / (order.line_count - 2) > 1",
    "order.delivery_method == 'PICKUP'",
    "order.hour < 12 && order.weekday > 3",
)
LINE_TERMS = (
    "'food' in product.categories",
    "product.weight_grams > 500 || line.quantity > 3",
    "line.unit_price * 2.0 > order.value",
    "100 / (line.quantity - 1) > 10",
    "product.keep_together || product.unit == 'kg'",
)
LOCATION_TERMS = (
    "location.type == 'STORE'",
    "location.groups.exists(g, g.startsWith('n'))",
    "location.latitude > 35.0 && location.has_point",
    "location.id in ['p0', 'p3'] || location.name == 'North'",
    "'PICKUP' in location.delivery_methods",
    "10 / (size(location.groups) - 1) > 2",
    "!location.backorder_enabled",
)


CHANGES: tuple[Command, ...] = (
    place("p0", STORE, at=(40.0, 0.0)),
    place("p1", CENTER),
    place("p3", STORE, at=(30.0, 0.0), backorder=True),
    place("p4", STORE),
    UpdateLocation(
        location_id=LocationId("p1"), fields=LocationFields(type=STORE, display_name="North")
    ),
    UpdateLocation(location_id=LocationId("p0"), fields=LocationFields(backorder_enabled=True)),
    group("north", "p0", "p1"),
    group("south", "p0"),
    DeleteLocationGroup(group_id=GroupId("south")),
)


@st.composite
def cases(draw: st.DrawFn, number: int) -> Case:
    """Draw a rule, its terms in any order."""
    some = [
        draw(st.lists(st.sampled_from(kind), max_size=2, unique=True))
        for kind in (ORDER_TERMS, LINE_TERMS, LOCATION_TERMS)
    ]
    terms = draw(st.permutations([term for kind in some for term in kind]))
    rule = RoutingRule(
        rule_id=RuleId(f"rule-{number}"),
        effect=draw(st.sampled_from(RuleEffect)),
        condition=" && ".join(f"({term})" for term in terms),
        price_micros=draw(st.integers(-9, 9)),
        package_count_max=draw(st.integers(1, 4)),
    )
    kinds = (ORDER_TERMS, LINE_TERMS, LOCATION_TERMS)
    return Case(rule, *([term for term in terms if term in kind] for kind in kinds))


@st.composite
def rule_books(draw: st.DrawFn) -> list[Case]:
    """Draw the rules of a set."""
    return [draw(cases(number)) for number in range(draw(st.integers(1, 6)))]


ORDERS = st.builds(
    OrderFacts,
    channel=st.sampled_from((Channel("web"), Channel("app"))),
    delivery_method=st.sampled_from(DeliveryMethod),
    value_micros=st.sampled_from((0, 19_000_000, 60_000_000)),
    country=st.sampled_from(("US", "DE")),
    region=st.sampled_from(("", "NY")),
    line_count=st.integers(1, 3),
    unit_count=st.integers(0, 9),
    time_ms=st.sampled_from((TimeMs(0), TimeMs(1_750_031_940_000))),
)
LINES = st.lists(
    st.builds(
        LineFacts,
        st.just(Sku("x")),
        st.integers(1, 5).map(Quantity),
        st.sampled_from((0, 30_000_000)),
        st.builds(
            ProductFields,
            categories=st.sampled_from(((), ("food",), ("food", "toys"))),
            weight_grams=st.sampled_from((0, 900)),
            keep_together=st.booleans(),
            unit=st.sampled_from(("each", "kg")),
        ),
    ),
    min_size=1,
    max_size=3,
)


def settled(effects: Effects, line_count: int, location_count: int) -> Meaning:
    """Return effects as plainly as the naive way does."""
    lines = [effects.of_line(number) for number in range(line_count)]
    none = [0] * location_count
    return Meaning(
        excluded=[[bool(flag) for flag in line.excluded or none] for line in lines],
        line_prices=[list(line.prices or none) for line in lines],
        package_prices=list(effects.shared.prices or none),
        package_count_max=effects.package_count_max,
        failed_rule_ids=list(effects.failed_rule_ids),
    )


@pytest.mark.slow
@settings(deadline=None)
@given(rule_books(), st.lists(st.tuples(ORDERS, LINES), min_size=1, max_size=6), st.data())
def test_effects_are_those_of_asking_every_rule_about_everything(
    book: list[Case], asked: list[tuple[OrderFacts, list[LineFacts]]], data: st.DataObject
) -> None:
    shop = Shop()
    rule_set = CompiledRuleSet(RuleSetContent(rules=tuple(case.rule for case in book)))
    changes = st.lists(st.sampled_from(CHANGES), max_size=3, unique=True)
    for order, lines in asked:
        for change in data.draw(changes):
            # Some come too early and are refused.
            shop.send(change)
        network = shop.state.network
        rule_set.refresh(network)
        # Twice: found out, and remembered.
        for _ in range(2):
            effects = rule_set.effects(order, lines)
            found = settled(effects, len(lines), len(network.locations.by_index))
            assert found == meaning_of(book, order, lines, network)
