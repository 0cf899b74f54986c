"""Rules the slow way: every term asked of every line and location, with values inside values."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from domgrpc.core.network import Network
from domgrpc.core.rule_facts import FACTS, LineFacts, OrderFacts, Place
from domgrpc.core.rule_questions import library
from domgrpc.core.rule_sets import RoutingRule, RuleEffect
from domgrpc.core.values import LocationIndex

Answer = bool | None
"""None where a term fails."""


@dataclass
class Meaning:
    """What the rules of a set mean for one order, by line and location index."""

    excluded: list[list[bool]]
    line_prices: list[list[int]]
    package_prices: list[int]
    package_count_max: int
    failed_rule_ids: list[str]


@dataclass
class Case:
    """A rule with its terms still apart."""

    rule: RoutingRule
    order_terms: Sequence[str]
    line_terms: Sequence[str]
    location_terms: Sequence[str]


def meaning_of(
    cases: Sequence[Case], order: OrderFacts, lines: Sequence[LineFacts], network: Network
) -> Meaning:
    """Ask every rule about every line and location."""
    count = len(network.locations.by_index)
    meaning = Meaning(
        excluded=[[False] * count for _ in lines],
        line_prices=[[0] * count for _ in lines],
        package_prices=[0] * count,
        package_count_max=0,
        failed_rule_ids=[],
    )
    for case in cases:
        if _is_failing(meaning, case, (order, lines, network)):
            meaning.failed_rule_ids.append(case.rule.rule_id)
    return meaning


def _is_failing(
    meaning: Meaning, case: Case, about: tuple[OrderFacts, Sequence[LineFacts], Network]
) -> bool:
    order, lines, network = about
    asked = _all_hold(case.order_terms, {"order": order})
    if not asked:
        return asked is None
    places = [_all_hold(case.location_terms, {"location": place}) for place in _places(network)]
    on_lines = [
        _all_hold(case.line_terms, {"order": order, "line": line, "product": line})
        for line in lines
    ]
    if not case.line_terms:
        _apply_to_package(meaning, case.rule, places)
    for number, held in enumerate(on_lines):
        if held:
            _apply_to_line(meaning, case.rule, number, places)
            if case.line_terms and case.rule.effect is RuleEffect.PREFER:
                _add(meaning.line_prices[number], case.rule, places)
    if case.rule.effect is RuleEffect.LIMIT and (any(on_lines) or not case.line_terms):
        limits = [case.rule.package_count_max, meaning.package_count_max]
        meaning.package_count_max = min(limit for limit in limits if limit)
    used = any(on_lines) or not case.line_terms
    return None in on_lines or (used and None in places)


def _apply_to_package(meaning: Meaning, rule: RoutingRule, places: Sequence[Answer]) -> None:
    if rule.effect is RuleEffect.PREFER:
        _add(meaning.package_prices, rule, places)


def _apply_to_line(
    meaning: Meaning, rule: RoutingRule, number: int, places: Sequence[Answer]
) -> None:
    for index, matched in enumerate(places):
        out = {RuleEffect.EXCLUDE: matched is True, RuleEffect.REQUIRE: matched is False}
        meaning.excluded[number][index] |= out.get(rule.effect, False)


def _add(prices: list[int], rule: RoutingRule, places: Sequence[Answer]) -> None:
    for index, matched in enumerate(places):
        prices[index] += rule.price_micros if matched else 0


def _places(network: Network) -> Iterator[Place]:
    for number, location in enumerate(network.locations.by_index):
        index = LocationIndex(number)
        groups = [name for name, inside in network.groups.members.items() if index in inside]
        yield Place(location, tuple(sorted(groups)))


def _all_hold(terms: Sequence[str], owners: dict[str, object]) -> Answer:
    if not terms:
        return True
    context: dict[str, Any] = {}
    for name, fact in FACTS.items():
        root, _, field = name.partition(".")
        if root in owners:
            context.setdefault(root, {})[field] = fact.read(owners[root])
    source = " && ".join(f"({term})" for term in terms)
    try:
        held: bool = library().compile(source).execute(context)
    except (ArithmeticError, LookupError):
        return None
    return held
