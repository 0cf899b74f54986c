"""Effects: what the rules of a set mean for one order, as masks and prices by location index.

A rule set is compiled once: its conditions are split (rule_conditions.py) and what they say of
locations lies ready as masks (rule_masks.py). An order is looked up by the facts that the rules
name: what was asked before is not asked again, so that most orders cost a few microseconds.
"""

from array import array
from collections.abc import Iterable, Sequence
from itertools import compress

import msgspec

from domgrpc.core.network import Network
from domgrpc.core.rule_conditions import Condition, split
from domgrpc.core.rule_expressions import BadExpression
from domgrpc.core.rule_facts import FACTS, LineFacts, OrderFacts, Value
from domgrpc.core.rule_masks import Masks
from domgrpc.core.rule_questions import Questions
from domgrpc.core.rule_sets import RoutingRule, RuleEffect, RuleSetContent
from domgrpc.core.values import LocationIndex, RuleId

_ORDERS_MAX = 4_096
_LINES_MAX = 4_096
_COMBINATIONS_MAX = 1_024
_COMBINATION_BYTES_MAX = 64 * 1024 * 1024
_BYTES_A_PLACE = 9
"""Of a combination of rules: one for the mask, eight for the price."""


class LineEffects(msgspec.Struct, frozen=True):
    """What rules mean for one line.

    `excluded` has 1 at the index of a location that may not be used, `prices` what a package, or
    this line in it, costs more there in micros. None where no rule says anything.
    """

    excluded: bytes | None = None
    prices: "array[int] | None" = None
    rule_numbers: tuple[int, ...] = ()


NOTHING = LineEffects()


class Effects(msgspec.Struct, frozen=True):
    """What rules mean for one order.

    `shared` holds for every line, and its prices for every package; `lines` is empty where no
    rule speaks of single lines, else each of them includes the exclusions of `shared`, and its
    prices are to be paid once for the line at a location, beside those of the package. A price
    below zero is a bonus: whoever adds it up lets no cost fall below zero. The masks and prices
    are kept for other orders too: they must not be changed.
    """

    shared: LineEffects = NOTHING
    lines: tuple[LineEffects, ...] = ()
    package_count_max: int = 0
    """0 where no rule limits it."""
    failed_rule_ids: tuple[RuleId, ...] = ()
    """Rules that failed and were left out: the decision is to be flagged."""

    def of_line(self, number: int) -> LineEffects:
        """Return what rules mean for a line; its prices are those of the line alone."""
        if self.lines:
            return self.lines[number]
        return LineEffects(self.shared.excluded, None, self.shared.rule_numbers)


NO_EFFECTS = Effects()


class _OrderOutcome(msgspec.Struct, frozen=True):
    """What the rules say of orders with certain facts; lines are looked at where rules are left."""

    held: tuple[int, ...]
    about_lines: tuple[int, ...]
    failed: tuple[int, ...]
    effects: Effects


class CompiledRuleSet:
    """A rule set, ready to be asked. `refresh` was called since places changed."""

    __slots__ = (
        "_broken",
        "_combinations",
        "_conditions",
        "_half_failed",
        "_known_effects",
        "_known_lines",
        "_known_orders",
        "_line_questions",
        "_line_reads",
        "_mask_numbers",
        "_masks",
        "_order_questions",
        "_order_reads",
        "_rules",
        "content",
        "is_plain",
    )

    def __init__(self, content: RuleSetContent) -> None:
        """Compile; 0.5 ms a rule. A rule that cannot be is broken: it fails in every order."""
        self.content = content
        self.is_plain = not content.rules
        """Whether there are no rules at all."""
        self._rules: list[RoutingRule] = []
        self._conditions: list[Condition] = []
        self._broken: list[RuleId] = []
        for rule in content.rules:
            try:
                self._conditions.append(split(rule.condition))
                self._rules.append(rule)
            except BadExpression:
                self._broken.append(rule.rule_id)
        self._order_questions = Questions([condition.order for condition in self._conditions])
        self._line_questions = Questions([condition.line for condition in self._conditions])
        self._order_reads = [FACTS[fact].read for fact in self._order_questions.facts]
        self._line_reads = [
            (FACTS[fact].read, fact.startswith("order.")) for fact in self._line_questions.facts
        ]
        parts = dict.fromkeys(condition.location for condition in self._conditions)
        numbers = {part: number for number, part in enumerate(parts)}
        self._mask_numbers = [numbers[condition.location] for condition in self._conditions]
        self._masks = Masks(list(parts))
        self._known_orders: dict[tuple[Value, ...], _OrderOutcome] = {}
        self._known_lines: dict[tuple[Value, ...], list[bool | None]] = {}
        self._known_effects: dict[tuple[Value, ...], Effects] = {}
        self._combinations: dict[tuple[tuple[int, ...], tuple[int, ...] | None], LineEffects] = {}
        # Whether a rule failed at some location.
        self._half_failed = [False] * len(self._rules)

    def refresh(self, network: Network) -> None:
        """Look at locations that came or changed; O(1) where none did."""
        if self._masks.refresh(network):
            self._known_orders.clear()
            self._known_effects.clear()
            self._combinations.clear()
            self._half_failed = [1 in self._masks.failed[n] for n in self._mask_numbers]

    def effects(self, order: OrderFacts, lines: Sequence[LineFacts]) -> Effects:
        """Return what the rules mean for an order and its lines."""
        if self.is_plain:
            return NO_EFFECTS
        values = tuple([read(order) for read in self._order_reads])
        outcome = self._known_orders.get(values)
        if outcome is None:
            outcome = self._look_at_order(values)
        if not outcome.about_lines:
            return outcome.effects
        return self._look_at_lines(outcome, order, lines)

    def rule_ids(self, rule_numbers: Iterable[int]) -> tuple[RuleId, ...]:
        """Return the ids of rules by the numbers that effects carry."""
        return tuple(self._rules[number].rule_id for number in rule_numbers)

    def excluding(self, effects: LineEffects, index: LocationIndex) -> tuple[RuleId, ...]:
        """Return the rules that exclude a location."""
        found = (n for n in effects.rule_numbers if self._excluded_by(n) >> 8 * index & 1)
        return self.rule_ids(found)

    def _look_at_order(self, values: tuple[Value, ...]) -> _OrderOutcome:
        held, about_lines, failed = [], [], []
        for number, answer in enumerate(self._order_questions.ask(values)):
            if answer is None:
                failed.append(number)
            elif answer and self._conditions[number].line.source:
                about_lines.append(number)
            elif answer:
                held.append(number)
        effects = Effects(
            shared=self._combined(tuple(held), None),
            package_count_max=self._least_limit(held),
            failed_rule_ids=self._failed_ids(held, failed),
        )
        outcome = _OrderOutcome(tuple(held), tuple(about_lines), tuple(failed), effects)
        if len(self._known_orders) >= _ORDERS_MAX:
            self._known_orders.clear()
        self._known_orders[values] = outcome
        return outcome

    def _look_at_lines(
        self, outcome: _OrderOutcome, order: OrderFacts, lines: Sequence[LineFacts]
    ) -> Effects:
        reads = self._line_reads
        asked = [
            tuple([read(order if of_order else line) for read, of_order in reads]) for line in lines
        ]
        key = (outcome.about_lines, outcome.held, outcome.failed, *asked)
        effects = self._known_effects.get(key)
        if effects is None:
            effects = self._effects_on(outcome, asked)
            if len(self._known_effects) >= _ORDERS_MAX:
                self._known_effects.clear()
            self._known_effects[key] = effects
        return effects

    def _effects_on(self, outcome: _OrderOutcome, asked: list[tuple[Value, ...]]) -> Effects:
        found, held, failed = [], list(outcome.held), list(outcome.failed)
        for values in asked:
            answers = self._about_line(values)
            held_here = tuple(number for number in outcome.about_lines if answers[number])
            held += held_here
            failed += (number for number in outcome.about_lines if answers[number] is None)
            found.append(self._combined(outcome.held, held_here))
        return Effects(
            shared=outcome.effects.shared,
            lines=tuple(found),
            package_count_max=self._least_limit(held),
            failed_rule_ids=self._failed_ids(held, failed),
        )

    def _about_line(self, values: tuple[Value, ...]) -> list[bool | None]:
        answers = self._known_lines.get(values)
        if answers is None:
            answers = self._line_questions.ask(values)
            if len(self._known_lines) >= _LINES_MAX:
                self._known_lines.clear()
            self._known_lines[values] = answers
        return answers

    def _combined(self, held: tuple[int, ...], of_line: tuple[int, ...] | None) -> LineEffects:
        """Return what rules mean together: for a package, or with `of_line` for a line."""
        key = (held, of_line)
        known = self._combinations.get(key)
        if known is None:
            numbers = held if of_line is None else (*held, *of_line)
            prices = self._prices(held if of_line is None else of_line)
            known = LineEffects(self._exclusions(numbers), prices, numbers)
            count_max = _COMBINATION_BYTES_MAX // (_BYTES_A_PLACE * self._masks.count + 1)
            if len(self._combinations) >= min(_COMBINATIONS_MAX, count_max):
                self._combinations.clear()
            self._combinations[key] = known
        return known

    def _exclusions(self, numbers: Iterable[int]) -> bytes | None:
        excluded = 0
        for number in numbers:
            excluded |= self._excluded_by(number)
        return excluded.to_bytes(self._masks.count, "little") if excluded else None

    def _excluded_by(self, number: int) -> int:
        """Return the locations that a rule excludes, a byte each, as one number."""
        mask = self._mask_numbers[number]
        matched = int.from_bytes(self._masks.matched[mask], "little")
        match self._rules[number].effect:
            case RuleEffect.EXCLUDE:
                return matched
            case RuleEffect.REQUIRE:
                every = int.from_bytes(b"\1" * self._masks.count, "little")
                return every & ~matched & ~int.from_bytes(self._masks.failed[mask], "little")
            case _:
                return 0

    def _prices(self, numbers: Iterable[int]) -> "array[int] | None":
        preferences = [n for n in numbers if self._rules[n].effect is RuleEffect.PREFER]
        if not preferences:
            return None
        prices = array("q", bytes(8 * self._masks.count))
        for number in preferences:
            price = self._rules[number].price_micros
            for index in compress(
                range(len(prices)), self._masks.matched[self._mask_numbers[number]]
            ):
                prices[index] += price
        return prices

    def _least_limit(self, numbers: Iterable[int]) -> int:
        rules = [self._rules[number] for number in numbers]
        limits = [rule.package_count_max for rule in rules if rule.effect is RuleEffect.LIMIT]
        return min(limits, default=0)

    def _failed_ids(self, held: Iterable[int], failed: Iterable[int]) -> tuple[RuleId, ...]:
        numbers = dict.fromkeys([*failed, *(n for n in held if self._half_failed[n])])
        return (*self._broken, *self.rule_ids(sorted(numbers)))
