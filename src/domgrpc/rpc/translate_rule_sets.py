"""Rule sets between messages and the core."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from domgrpc.core.rule_sets import (
    CONDITION_CHARACTERS_MAX,
    CONDITIONS_CHARACTERS_MAX,
    PACKAGES_MAX,
    PRICE_MICROS_MAX,
    RULES_MAX,
    CreateRuleSet,
    Replanning,
    RoutingLimits,
    RoutingPrices,
    RoutingRule,
    RuleEffect,
    RuleSet,
    RuleSetContent,
    RuleSetState,
    Strategy,
    Unfilled,
)
from domgrpc.core.values import DAY_MS, Revision, RuleId, RuleSetVersion
from domgrpc.rpc.refusals import InvalidField
from domgrpc.rpc.shapes import (
    chosen,
    duration_ms,
    identifier,
    item_count,
    set_duration,
    set_timestamp,
    text,
    whole,
)
from domgrpc.v1 import rule_set_pb2

NAME_BYTES_MAX = 200
VERSION_MAX = 2**31 - 1
SCARCITY_PERMILLE_MAX = 1_000_000
RADIUS_M_MAX = 20_100_000
"""Half way round the earth, and a little more."""
COOL_DOWN_MS_MAX = 30 * DAY_MS
PROMISE_MS_MAX = 365 * DAY_MS
_BYTES_A_CHARACTER = 4
# A long condition stands on several lines.
_SPACES = {ord(character): " " for character in "\t\r\n"}

_Part = TypeVar("_Part")
_Read = TypeVar("_Read")

STATES: Mapping[int, RuleSetState] = {state.value: state for state in RuleSetState}
_STRATEGIES: Mapping[int, Strategy] = {0: Strategy.CHEAPEST} | {
    strategy.value: strategy for strategy in Strategy
}
_POLICIES: Mapping[int, Unfilled] = {0: Unfilled.BACKORDER} | {
    policy.value: policy for policy in Unfilled
}
_EFFECTS: Mapping[int, RuleEffect] = {effect.value: effect for effect in RuleEffect}


# --- messages to commands


def create_rule_set(message: rule_set_pb2.CreateRuleSetRequest) -> CreateRuleSet:
    """Read CreateRuleSet; what rules mean is checked when the set is validated."""
    if not message.HasField("rule_set"):
        raise InvalidField("rule_set", "is missing")
    try:
        return CreateRuleSet(content=_content(message.rule_set))
    except InvalidField as invalid:
        raise invalid.within("rule_set") from None


def version_of(value: int) -> RuleSetVersion:
    """Read the version of a rule set."""
    return RuleSetVersion(whole(value, "version", 0, VERSION_MAX))


def _content(message: rule_set_pb2.RuleSet) -> RuleSetContent:
    usual = RuleSetContent()
    promise_ms = usual.promise_ms
    if message.HasField("promise"):
        promise_ms = _milliseconds(message, "promise", PROMISE_MS_MAX)
    return RuleSetContent(
        display_name=text(message.display_name, "display_name", NAME_BYTES_MAX),
        strategy=chosen(message.strategy, "strategy", _STRATEGIES),
        prices=_within("prices", _prices, message.prices),
        limits=_within("limits", _limits, message.limits),
        unfilled=chosen(message.unfilled_policy, "unfilled_policy", _POLICIES),
        replanning=_within("replanning", _replanning, message.replanning),
        promise_ms=promise_ms,
        rules=_rules(message),
    )


def _within(path: str, read: Callable[[_Part], _Read], message: _Part) -> _Read:
    try:
        return read(message)
    except InvalidField as invalid:
        raise invalid.within(path) from None


def _prices(message: rule_set_pb2.RoutingPrices) -> RoutingPrices:
    late = message.late_day_micros
    if not message.HasField("late_day_micros"):
        late = RoutingPrices().late_day_micros
    return RoutingPrices(
        split_penalty_micros=_price(message.split_penalty_micros, "split_penalty_micros"),
        late_day_micros=_price(late, "late_day_micros"),
        scarcity_weight_permille=whole(
            message.scarcity_weight_permille, "scarcity_weight_permille", 0, SCARCITY_PERMILLE_MAX
        ),
    )


def _limits(message: rule_set_pb2.RoutingLimits) -> RoutingLimits:
    has_said = message.HasField("unit_split_allowed")
    return RoutingLimits(
        package_count_max=whole(message.package_count_max, "package_count_max", 0, PACKAGES_MAX),
        split_minimum_value_micros=_price(
            message.split_minimum_value_micros, "split_minimum_value_micros"
        ),
        unit_split_allowed=message.unit_split_allowed if has_said else True,
        radius_m=whole(message.radius_m, "radius_m", 0, RADIUS_M_MAX),
    )


def _replanning(message: rule_set_pb2.ReplanningRules) -> Replanning:
    usual = Replanning()
    price, cool_down_ms = usual.stability_price_micros, usual.cool_down_ms
    if message.HasField("stability_price_micros"):
        price = _price(message.stability_price_micros, "stability_price_micros")
    if message.HasField("cool_down"):
        cool_down_ms = _milliseconds(message, "cool_down", COOL_DOWN_MS_MAX)
    return Replanning(stability_price_micros=price, cool_down_ms=cool_down_ms)


def _rules(message: rule_set_pb2.RuleSet) -> tuple[RoutingRule, ...]:
    item_count(len(message.rules), "rules", 0, RULES_MAX)
    rules = tuple(
        _within(f"rules[{place}]", _rule, rule) for place, rule in enumerate(message.rules)
    )
    character_count = sum(len(rule.condition) for rule in rules)
    if character_count > CONDITIONS_CHARACTERS_MAX:
        raise InvalidField(
            "rules",
            f"have conditions of {character_count} characters together; up to "
            f"{CONDITIONS_CHARACTERS_MAX} are allowed",
        )
    return rules


def _rule(message: rule_set_pb2.RoutingRule) -> RoutingRule:
    return RoutingRule(
        rule_id=RuleId(identifier(message.rule_id, "rule_id")),
        effect=chosen(message.effect, "effect", _EFFECTS),
        condition=_condition(message.condition),
        price_micros=whole(
            message.price_micros, "price_micros", -PRICE_MICROS_MAX, PRICE_MICROS_MAX
        ),
        package_count_max=whole(message.package_count_max, "package_count_max", 0, PACKAGES_MAX),
    )


def _condition(value: str) -> str:
    if len(value) > CONDITION_CHARACTERS_MAX:
        raise InvalidField(
            "condition",
            f"has {len(value)} characters; up to {CONDITION_CHARACTERS_MAX} are allowed: write "
            "several rules",
        )
    text(value.translate(_SPACES), "condition", _BYTES_A_CHARACTER * CONDITION_CHARACTERS_MAX)
    return value


def _price(value: int, path: str) -> int:
    return whole(value, path, 0, PRICE_MICROS_MAX)


def _milliseconds(
    message: rule_set_pb2.RuleSet | rule_set_pb2.ReplanningRules, name: str, high_ms: int
) -> int:
    found_ms = duration_ms(getattr(message, name), name)
    if not 0 <= found_ms <= high_ms:
        raise InvalidField(
            name, f"is {found_ms / 1_000:g} s; 0 to {high_ms // 1_000} s are allowed"
        )
    return found_ms


# --- the core to messages


def fill_rule_set(message: rule_set_pb2.RuleSet, rule_set: RuleSet, revision: Revision) -> None:
    """Write a rule set into a message in place, its defaults too."""
    content = rule_set.content
    message.version = rule_set.version
    message.display_name = content.display_name
    message.strategy = content.strategy  # type: ignore[assignment]  # the same numbers, by a test
    message.unfilled_policy = content.unfilled  # type: ignore[assignment]  # the same
    _fill_figures(message, content)
    for rule in content.rules:
        message.rules.add(
            rule_id=rule.rule_id,
            condition=rule.condition,
            effect=rule.effect,
            price_micros=rule.price_micros,
            package_count_max=rule.package_count_max,
        )
    message.state = rule_set.state  # type: ignore[assignment]  # the same
    message.warnings.extend(rule_set.warnings)
    message.active_revision = rule_set.active_revision
    set_timestamp(message.create_time, rule_set.create_time_ms)
    set_timestamp(message.update_time, rule_set.update_time_ms)
    message.revision = revision


def _fill_figures(message: rule_set_pb2.RuleSet, content: RuleSetContent) -> None:
    prices, limits, replanning = content.prices, content.limits, content.replanning
    message.prices.split_penalty_micros = prices.split_penalty_micros
    message.prices.late_day_micros = prices.late_day_micros
    message.prices.scarcity_weight_permille = prices.scarcity_weight_permille
    message.limits.package_count_max = limits.package_count_max
    message.limits.split_minimum_value_micros = limits.split_minimum_value_micros
    message.limits.unit_split_allowed = limits.unit_split_allowed
    message.limits.radius_m = limits.radius_m
    message.replanning.stability_price_micros = replanning.stability_price_micros
    set_duration(message.replanning.cool_down, replanning.cool_down_ms * 1_000)
    set_duration(message.promise, content.promise_ms * 1_000)
