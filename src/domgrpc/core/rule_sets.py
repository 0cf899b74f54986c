"""Rule sets: what routing is told to do, as versioned and immutable values.

    DRAFT -> VALIDATED [-> DRY_RUN] -> ACTIVE at a revision -> RETIRED [-> ACTIVE, rolled back]

A rule set gets its version when it is created and its content never changes. Exactly one is
ACTIVE: activating one retires the other in the same event. Version 0 is built in and active until
another is. Here are the words; rule_effects.py makes rules fast, rule_checks.py refuses bad ones,
rule_set_book.py keeps the sets, decides and applies.
"""

import enum

import msgspec

from domgrpc.core.values import DAY_MS, MINUTE_MS, Revision, RuleId, RuleSetVersion, TimeMs

RULES_MAX = 500
CONDITION_CHARACTERS_MAX = 2_000
CONDITIONS_CHARACTERS_MAX = 100_000
"""All conditions of a set together."""
PRICE_MICROS_MAX = 10**12
"""A million currency units."""
PACKAGES_MAX = 500
"""The most packages that a limit may name."""
BUILT_IN = RuleSetVersion(0)


class RuleSetState(enum.IntEnum):
    """Where a rule set is in its life."""

    DRAFT = 1
    VALIDATED = 2
    DRY_RUN = 3
    ACTIVE = 4
    RETIRED = 5


class Strategy(enum.IntEnum):
    """How plans are compared; all but CHEAPEST are the textbook's, for comparison."""

    CHEAPEST = 1
    BY_PRIORITY = 2
    NEAREST_FIRST = 3
    HIGHEST_STOCK_FIRST = 4
    FEWEST_PACKAGES = 5
    FASTEST = 6


class Unfilled(enum.IntEnum):
    """What becomes of what no location can fill."""

    REFUSE = 1
    BACKORDER = 2
    CANCEL = 3


class RuleEffect(enum.IntEnum):
    """What a rule does where its condition holds."""

    EXCLUDE = 1
    """Its locations are not used."""
    REQUIRE = 2
    """Only its locations are used."""
    PREFER = 3
    """Its locations cost `price_micros` more, or less where that is negative."""
    LIMIT = 4
    """The order has at most `package_count_max` packages."""


class RoutingRule(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """A condition and its effect; an empty condition always holds."""

    rule_id: RuleId
    effect: RuleEffect
    condition: str = ""
    price_micros: int = 0
    package_count_max: int = 0


class RoutingPrices(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """What plans cost beside carriers and handling, in micros of the currency unit."""

    split_penalty_micros: int = 0
    """For each package beyond the first."""
    late_day_micros: int = 1_000_000
    """For each package and day after the promise."""
    scarcity_weight_permille: int = 0
    """How much of a unit's scarcity price counts; 0 for none, 1000 for all."""


class RoutingLimits(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """What plans must keep to."""

    package_count_max: int = 0
    """Packages of an order; 0 for any number."""
    split_minimum_value_micros: int = 0
    """Orders below this value come from one location, or not at all."""
    unit_split_allowed: bool = True
    """Whether the units of one line may come from several locations."""
    radius_m: int = 0
    """Only locations so near to the customer are candidates; 0 for all."""


class Replanning(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """When a plan that stands is changed."""

    stability_price_micros: int = 500_000
    """A new plan must save more than this."""
    cool_down_ms: int = 30 * MINUTE_MS
    """A location that gave work of an order back gets none of that order for so long."""


class RuleSetContent(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """All that a rule set says; the defaults are those of the built-in one."""

    display_name: str = ""
    strategy: Strategy = Strategy.CHEAPEST
    prices: RoutingPrices = RoutingPrices()
    limits: RoutingLimits = RoutingLimits()
    unfilled: Unfilled = Unfilled.BACKORDER
    replanning: Replanning = Replanning()
    promise_ms: int = 5 * DAY_MS
    """When an order is promised that asks for no date, after it was placed."""
    rules: tuple[RoutingRule, ...] = ()


class RuleSet(msgspec.Struct, frozen=True, array_like=True, tag=14, tag_field="tag"):
    """A version of the rules, and where it is in its life."""

    version: RuleSetVersion
    content: RuleSetContent
    state: RuleSetState
    create_time_ms: TimeMs
    update_time_ms: TimeMs
    revision: Revision
    """At which its state changed last."""
    warnings: tuple[str, ...] = ()
    """What validating found odd but possible."""
    active_revision: Revision = Revision(0)
    """At which it became active last; 0 for never."""


# --- commands and events


class CreateRuleSet(msgspec.Struct, frozen=True, array_like=True, kw_only=True, tag=True):
    """Add a draft; it gets the next version."""

    content: RuleSetContent


class ValidateRuleSet(msgspec.Struct, frozen=True, array_like=True, kw_only=True, tag=True):
    """Check a draft's rules, alone and against each other."""

    version: RuleSetVersion


class DryRunRuleSet(msgspec.Struct, frozen=True, array_like=True, kw_only=True, tag=True):
    """Note that a validated rule set was tried on so many orders."""

    version: RuleSetVersion
    order_count: int = 0


class ActivateRuleSet(msgspec.Struct, frozen=True, array_like=True, kw_only=True, tag=True):
    """Route by a validated or retired rule set from now on."""

    version: RuleSetVersion


class RuleSetCreated(msgspec.Struct, frozen=True, array_like=True, tag=23):
    """A draft was added."""

    rule_set: RuleSet


class RuleSetStateChanged(msgspec.Struct, frozen=True, array_like=True, tag=24):
    """A rule set went on in its life; becoming ACTIVE retires the one that was."""

    version: RuleSetVersion
    state: RuleSetState
    warnings: tuple[str, ...] = ()


BUILT_IN_CONTENT = RuleSetContent(display_name="Built in: cheapest plan, no rules")


def preset(strategy: Strategy) -> RuleSetContent:
    """Return the rule set of a strategy: no rules, all else as built in."""
    name = strategy.name.replace("_", " ").capitalize()
    return RuleSetContent(display_name=name, strategy=strategy)
