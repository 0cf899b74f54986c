"""How a rule set looks to people: its figures as money and spans of time, and what comes next."""

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from domgrpc.cli.output import time_text, word
from domgrpc.cli.plan_tables import counted, money

if TYPE_CHECKING:
    from google.protobuf.duration_pb2 import Duration

    from domgrpc.v1.rule_set_pb2 import RuleSet

_UNITS: Final = (("day", 86_400), ("hour", 3_600), ("minute", 60))
_METERS: Final = 1_000
_PERMILLE: Final = 10


def rule_set_facts(rule_set: "RuleSet") -> dict[str, object]:
    """Return what a rule set says beside its rules; what is as usual is left out."""
    prices, limits = rule_set.prices, rule_set.limits
    return {
        # 0 is a version too, and would be left out as nothing.
        "version": str(rule_set.version),
        "state": word(rule_set, "state"),
        "name": rule_set.display_name,
        "strategy": word(rule_set, "strategy"),
        "promise": f"{span(rule_set.promise)} after placing",
        "a split costs": money(prices.split_penalty_micros) if prices.split_penalty_micros else "",
        "a late day costs": money(prices.late_day_micros) if prices.late_day_micros else "nothing",
        "scarcity counts": f"{prices.scarcity_weight_permille / _PERMILLE:g} %"
        if prices.scarcity_weight_permille
        else "",
        "packages": f"up to {limits.package_count_max}" if limits.package_count_max else "",
        "one place below": money(limits.split_minimum_value_micros)
        if limits.split_minimum_value_micros
        else "",
        "units of a line": "" if limits.unit_split_allowed else "from one location",
        "radius": f"{limits.radius_m / _METERS:,g} km" if limits.radius_m else "",
        "what is short": word(rule_set, "unfilled_policy"),
        "replanned to save": f"more than {money(rule_set.replanning.stability_price_micros)}",
        "asked again after": span(rule_set.replanning.cool_down),
        "active since": f"revision {rule_set.active_revision:,}"
        if word(rule_set, "state") == "ACTIVE" and rule_set.active_revision
        else "",
        "created": time_text(rule_set.create_time) if rule_set.version else "",
        "warnings": list(rule_set.warnings),
    }


def span(duration: "Duration") -> str:
    """Return a span of time in the largest unit that it is whole in."""
    seconds = duration.seconds
    for unit, size in _UNITS:
        if seconds and not seconds % size and not duration.nanos:
            return counted(seconds // size, unit)
    return str(timedelta(seconds=seconds, milliseconds=duration.nanos // 1_000_000))


def next_step(rule_set: "RuleSet") -> str:
    """Say in a line where a rule set stands, and by which command it goes on."""
    version = rule_set.version
    named = f"rule set {version}" + (f" ({rule_set.display_name})" if rule_set.display_name else "")
    what = f"{named}: {word(rule_set, 'strategy')}, {counted(len(rule_set.rules), 'rule')}"
    match word(rule_set, "state"):
        case "DRAFT":
            return f"{what}, a draft; next: domgrpc rules validate {version}"
        case "VALIDATED":
            return (
                f"{what}, validated; next: domgrpc rules activate {version}, or first "
                f"domgrpc rules dry-run {version}"
            )
        case "DRY_RUN":
            return f"{what}, tried; next: domgrpc rules activate {version}"
        case "ACTIVE":
            return f"{what}, active from now on; back with: domgrpc rules activate VERSION"
        case state:
            return f"{what}, {state.lower()}; in force again by: domgrpc rules activate {version}"
