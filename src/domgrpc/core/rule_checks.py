"""Checks of a rule set: each rule alone, and the rules against each other.

A rule that cannot mean anything is refused with its id, and an expression with the line and the
column where it goes wrong. Rules that hold together and leave no location are refused as a
contradiction, by the locations that there are; what is odd but may be meant becomes a warning.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from domgrpc.core.network import Network
from domgrpc.core.rejections import Reason, Rejected
from domgrpc.core.rule_conditions import Condition, split
from domgrpc.core.rule_expressions import BadExpression
from domgrpc.core.rule_masks import Masks
from domgrpc.core.rule_questions import Part, Questions
from domgrpc.core.rule_sets import RoutingRule, RuleEffect, RuleSetContent
from domgrpc.core.values import RuleId

WARNINGS_MAX = 50
_WRONG_RULES_TOLD_MAX = 10
_REQUIRED_COMPARED_MAX = 50
_SHOWN_CHARACTERS_MAX = 24
_ALWAYS = Part()
_WHOLE = (RuleEffect.EXCLUDE, RuleEffect.REQUIRE)


class _Checked(msgspec.Struct, frozen=True):
    """A rule, its condition, and the present locations that it is about and that it excludes."""

    rule: RoutingRule
    condition: Condition
    matched: int
    excluded: int

    @property
    def holds_when(self) -> tuple[Part, Part]:
        """Return what must hold of the order and the line."""
        return self.condition.order, self.condition.line

    @property
    def is_always(self) -> bool:
        """Whether the rule holds for every line of every order."""
        return self.holds_when == (_ALWAYS, _ALWAYS)


def check_rules(content: RuleSetContent, network: Network) -> tuple[str, ...]:
    """Return warnings; refuse with RULE_SET_INVALID or RULE_SET_CONTRADICTORY.

    O(rules * locations that differ in what the rules name).
    """
    conditions = _check_each(content.rules)
    _check_ids(content.rules)
    masks = Masks([condition.location for condition in conditions])
    masks.refresh(network)
    every = int.from_bytes(b"\1" * masks.count, "little")
    checked = []
    for rule, condition, mask in zip(content.rules, conditions, masks.matched, strict=True):
        matched = int.from_bytes(mask, "little")
        excluded = {RuleEffect.EXCLUDE: matched, RuleEffect.REQUIRE: every & ~matched}
        checked.append(_Checked(rule, condition, matched, excluded.get(rule.effect, 0)))
    if not every:
        return ()
    _check_together(checked, every)
    warnings = [*_warnings(checked, every), *_disjoint(checked)]
    return tuple(warnings[:WARNINGS_MAX])


# --- one rule


def _check_each(rules: Sequence[RoutingRule]) -> list[Condition]:
    """Return the conditions of rules; refuse with what is wrong with any of them, at once."""
    conditions, wrong = [], []
    for rule in rules:
        try:
            conditions.append(_check_rule(rule))
        except Rejected as refused:
            wrong.append(refused.rejection)
    if not wrong:
        return conditions
    told = "; ".join(each.message for each in wrong[:_WRONG_RULES_TOLD_MAX])
    left_count = len(wrong) - _WRONG_RULES_TOLD_MAX
    more = f"; and {left_count} more rules are wrong" if left_count > 0 else ""
    # The facts are those of the first.
    facts: dict[str, Any] = dict(wrong[0].facts)
    raise Rejected(Reason.RULE_SET_INVALID, told + more, **facts)


def _check_rule(rule: RoutingRule) -> Condition:
    try:
        condition = split(rule.condition)
    except BadExpression as bad:
        raise _pointing(rule, bad) from None
    if Questions((condition.order, condition.line, condition.location)).is_broken:
        raise _pointing(rule, BadExpression("the CEL library cannot compile this", 0))
    fault = _fault_of(rule, condition)
    if fault:
        raise Rejected(
            Reason.RULE_SET_INVALID, f"rule {rule.rule_id!r}: {fault}", rule_id=rule.rule_id
        )
    return condition


def _fault_of(rule: RoutingRule, condition: Condition) -> str:
    names_locations = condition.location != _ALWAYS
    if rule.effect in _WHOLE and not names_locations:
        return (
            f"{rule.effect.name} needs a term about locations in its condition, for example "
            "location.type == 'STORE'; without one it would be about all of them"
        )
    if rule.effect is RuleEffect.PREFER and not rule.price_micros:
        return "PREFER needs a price_micros other than 0; below 0 is a bonus"
    if rule.effect is RuleEffect.LIMIT and rule.package_count_max < 1:
        return "LIMIT needs a package_count_max of at least 1"
    if rule.effect is RuleEffect.LIMIT and names_locations:
        return "LIMIT is about the order: its condition must not name location"
    return ""


def _pointing(rule: RoutingRule, bad: BadExpression) -> Rejected:
    before = rule.condition[: bad.position]
    line = before.count("\n") + 1
    column = bad.position - (before.rfind("\n") + 1) + 1
    where = f"line {line}, column {column}" if "\n" in rule.condition else f"column {column}"
    rest = rule.condition[bad.position :].partition("\n")[0]
    there = f"at {rest[:_SHOWN_CHARACTERS_MAX]!r}" if rest.strip() else "at the end"
    return Rejected(
        Reason.RULE_SET_INVALID,
        f"rule {rule.rule_id!r}, condition, {where}, {there}: {bad.message}",
        rule_id=rule.rule_id,
        line=line,
        column=column,
    )


def _check_ids(rules: Sequence[RoutingRule]) -> None:
    numbers: dict[RuleId, int] = {}
    for number, rule in enumerate(rules, 1):
        before = numbers.setdefault(rule.rule_id, number)
        if before != number:
            raise Rejected(
                Reason.RULE_SET_INVALID,
                f"rules {before} and {number} have the same rule_id {rule.rule_id!r}: "
                "give each its own",
                rule_id=rule.rule_id,
            )


# --- rules together


def _check_together(checked: Sequence[_Checked], every: int) -> None:
    """Refuse rules that hold for the same lines and leave them no location."""
    always = [one for one in checked if one.is_always]
    groups: dict[tuple[Part, Part], list[_Checked]] = {(_ALWAYS, _ALWAYS): []}
    for one in checked:
        if not one.is_always:
            groups.setdefault(one.holds_when, []).append(one)
    for held in groups.values():
        together = [one for one in (*always, *held) if one.excluded]
        # A rule that alone leaves nothing, of some orders only, is a warning.
        if len(together) > 1 or any(one.is_always for one in together):
            _check_something_left(together, every)


def _check_something_left(together: Sequence[_Checked], every: int) -> None:
    excluded = 0
    for count, one in enumerate(together, 1):
        excluded |= one.excluded
        if excluded == every:
            raise _contradiction(_needed(together[:count], every))


def _needed(together: Sequence[_Checked], every: int) -> list[RuleId]:
    """Return the fewest of the rules, dropping from the first, that still leave nothing."""
    needed = list(together)
    for one in together:
        excluded = 0
        for other in needed:
            excluded |= other.excluded if other is not one else 0
        if excluded == every:
            needed.remove(one)
    return [one.rule.rule_id for one in needed]


def _contradiction(rule_ids: Sequence[RuleId]) -> Rejected:
    names = ", ".join(repr(rule_id) for rule_id in rule_ids)
    what = f"rule {names} leaves" if len(rule_ids) == 1 else f"rules {names} together leave"
    return Rejected(
        Reason.RULE_SET_CONTRADICTORY,
        f"{what} no location of those that there are now: change or drop one",
        rule_ids=",".join(rule_ids),
    )


def _warnings(checked: Sequence[_Checked], every: int) -> Iterator[str]:
    for one in checked:
        name, effect = repr(one.rule.rule_id), one.rule.effect
        if one.excluded == every:
            yield f"rule {name} leaves no location to what it is about"
        elif not one.matched and effect is not RuleEffect.LIMIT:
            yield f"rule {name} is about no location that there is now"


def _disjoint(checked: Sequence[_Checked]) -> Iterator[str]:
    required = [one for one in checked if one.rule.effect is RuleEffect.REQUIRE and one.matched]
    required = required[:_REQUIRED_COMPARED_MAX]
    for number, one in enumerate(required):
        for other in required[:number]:
            if not one.matched & other.matched:
                yield (
                    f"rules {other.rule.rule_id!r} and {one.rule.rule_id!r} leave no location "
                    "where both hold"
                )
