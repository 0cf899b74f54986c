"""Routing rule sets in few words, for tests."""

from domgrpc.core.rule_sets import (
    ActivateRuleSet,
    CreateRuleSet,
    DryRunRuleSet,
    RoutingRule,
    RuleEffect,
    RuleSetContent,
    ValidateRuleSet,
)
from domgrpc.core.values import RuleId, RuleSetVersion


def exclude(rule_id: str, condition: str) -> RoutingRule:
    """Write a rule that takes locations out."""
    return RoutingRule(rule_id=RuleId(rule_id), effect=RuleEffect.EXCLUDE, condition=condition)


def require(rule_id: str, condition: str) -> RoutingRule:
    """Write a rule that leaves only its locations."""
    return RoutingRule(rule_id=RuleId(rule_id), effect=RuleEffect.REQUIRE, condition=condition)


def prefer(rule_id: str, condition: str, price_micros: int) -> RoutingRule:
    """Write a rule that makes locations dearer, or cheaper."""
    return RoutingRule(
        rule_id=RuleId(rule_id),
        effect=RuleEffect.PREFER,
        condition=condition,
        price_micros=price_micros,
    )


def limit(rule_id: str, condition: str, package_count_max: int) -> RoutingRule:
    """Write a rule that bounds the packages of an order."""
    return RoutingRule(
        rule_id=RuleId(rule_id),
        effect=RuleEffect.LIMIT,
        condition=condition,
        package_count_max=package_count_max,
    )


def draft(*rules: RoutingRule, name: str = "") -> CreateRuleSet:
    """Create a rule set."""
    return CreateRuleSet(content=RuleSetContent(display_name=name, rules=rules))


def validate(version: int) -> ValidateRuleSet:
    """Validate a rule set."""
    return ValidateRuleSet(version=RuleSetVersion(version))


def tried(version: int, order_count: int = 100) -> DryRunRuleSet:
    """Note that a rule set was tried."""
    return DryRunRuleSet(version=RuleSetVersion(version), order_count=order_count)


def activate(version: int) -> ActivateRuleSet:
    """Activate a rule set."""
    return ActivateRuleSet(version=RuleSetVersion(version))
