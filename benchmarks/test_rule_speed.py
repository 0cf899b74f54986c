"""Times of routing rules: 20 rules over 2,000 locations, 5 of them with terms about the order.

Run by `make bench BENCH=hot_functions`, or alone: pytest benchmarks/test_rule_speed.py.
"""

from itertools import count

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from domgrpc.core.locations import (
    CreateLocation,
    LocationFields,
    decide_create_location,
    evolve_location_saved,
)
from domgrpc.core.network import Network
from domgrpc.core.products import ProductFields
from domgrpc.core.rule_checks import check_rules
from domgrpc.core.rule_effects import CompiledRuleSet
from domgrpc.core.rule_facts import LineFacts, OrderFacts
from domgrpc.core.rule_set_book import RuleSets
from domgrpc.core.rule_sets import RoutingRule, RuleEffect, RuleSetContent
from domgrpc.core.values import (
    Channel,
    Limits,
    LocationId,
    LocationType,
    Quantity,
    Revision,
    RuleId,
    Sku,
    Stamp,
    TimeMs,
)

LOCATION_COUNT = 2_000
TYPES = (LocationType.STORE, LocationType.DISTRIBUTION_CENTER, LocationType.SUPPLIER)
ABOUT_ORDERS = (
    "order.channel == 'web' && location.type == 'STORE'",
    "order.value > 50 && location.id.startsWith('place-1')",
    "order.country == 'US' && location.type == 'SUPPLIER'",
    "order.line_count > 2 && location.has_point",
    "order.region in ['CA', 'NY'] && location.id == 'place-5'",
)
ABOUT_LINES = "'food' in product.categories && location.type == 'STORE'"
ORDER = OrderFacts(
    channel=Channel("web"), value_micros=60_000_000, country="US", region="CA", line_count=3
)
LINES = [
    LineFacts(Sku(f"sku-{number}"), Quantity(1), 0, ProductFields(categories=("food",)))
    for number in range(3)
]


@pytest.fixture(scope="module")
def network() -> Network:
    made = Network(Limits())
    for number in range(LOCATION_COUNT):
        fields = LocationFields(type=TYPES[number % len(TYPES)])
        create = CreateLocation(location_id=LocationId(f"place-{number}"), fields=fields)
        saved = decide_create_location(made.locations, create, Stamp(TimeMs(0), Revision(1)))
        assert saved is not None
        evolve_location_saved(made.locations, saved)
    return made


def contents(*more: str) -> RuleSetContent:
    of_locations = (f"location.id.endsWith('{number}')" for number in range(15))
    conditions = (*ABOUT_ORDERS, *of_locations, *more)
    return RuleSetContent(
        rules=tuple(
            RoutingRule(
                rule_id=RuleId(f"rule-{number}"),
                effect=RuleEffect.EXCLUDE if number % 4 == 0 else RuleEffect.PREFER,
                condition=condition,
                price_micros=100_000,
            )
            for number, condition in enumerate(conditions)
        )
    )


def compiled(network: Network, *more: str) -> CompiledRuleSet:
    rules = CompiledRuleSet(contents(*more))
    rules.refresh(network)
    return rules


def test_rules_none(network: Network, benchmark: BenchmarkFixture) -> None:
    rule_sets = RuleSets(Limits())
    benchmark(lambda: rule_sets.active(network).effects(ORDER, LINES))


def test_rules_of_a_known_order(network: Network, benchmark: BenchmarkFixture) -> None:
    benchmark(compiled(network).effects, ORDER, LINES)


def test_rules_of_a_known_order_and_lines(network: Network, benchmark: BenchmarkFixture) -> None:
    benchmark(compiled(network, ABOUT_LINES).effects, ORDER, LINES)


def test_rules_of_a_new_order(network: Network, benchmark: BenchmarkFixture) -> None:
    rules, values = compiled(network), count(1)

    def another() -> tuple[tuple[OrderFacts, list[LineFacts]], dict[str, object]]:
        number = next(values)
        order = OrderFacts(
            channel=Channel(("web", "app")[number % 2]),
            value_micros=number * 1_000_000,
            country=("US", "CA")[number // 2 % 2],
            region=("NY", "TX")[number // 4 % 2],
            line_count=number % 5,
        )
        return (order, LINES), {}

    benchmark.pedantic(rules.effects, setup=another, rounds=2_000)  # type: ignore[no-untyped-call]


def test_rules_compiled(benchmark: BenchmarkFixture) -> None:
    benchmark.pedantic(CompiledRuleSet, (contents(),), rounds=30)  # type: ignore[no-untyped-call]


def test_rules_asked_of_every_location(network: Network, benchmark: BenchmarkFixture) -> None:
    def fresh() -> tuple[tuple[CompiledRuleSet, Network], dict[str, object]]:
        return (CompiledRuleSet(contents()), network), {}

    measure = benchmark.pedantic
    measure(CompiledRuleSet.refresh, setup=fresh, rounds=20)  # type: ignore[no-untyped-call]


def test_rules_validated(network: Network, benchmark: BenchmarkFixture) -> None:
    measure = benchmark.pedantic
    measure(check_rules, (contents(), network), rounds=20)  # type: ignore[no-untyped-call]
