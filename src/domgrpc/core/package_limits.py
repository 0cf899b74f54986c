"""Package limits: whether packages that somebody fixed beforehand may be, all of them together.

The router keeps to these limits while it plans. What a quote promised, or a plan of many orders
moves, is planned again one package at a time, which sees none of them: what must stay together,
what must not be split, and how many packages may travel the same way.
"""

from collections.abc import Iterable

from domgrpc.core.leg_questions import LegLimits, LegQuestion
from domgrpc.core.order_legs import legs_of
from domgrpc.core.order_planning import leg_question
from domgrpc.core.planner import Planner, PlanQuestion
from domgrpc.core.plans import PlannedPackage
from domgrpc.core.taken import Taken
from domgrpc.core.values import LineId, Sku

_Contents = dict[Sku, int]
"""Units by SKU of one package."""


def broken_limit(
    planner: Planner, question: PlanQuestion, packages: Iterable[PlannedPackage]
) -> str:
    """Return which limit packages break as the fulfilment of what is asked; empty for none.

    O(legs + lines + packages). Lines that no package has are no matter here.
    """
    rules = planner.rules(question.rule_set_version)
    leg_of: dict[LineId, int] = {}
    legs = legs_of(question.lines)
    for number, leg in enumerate(legs):
        leg_of.update((line.line_id, number) for line in leg.lines)
    own: list[list[PlannedPackage]] = [[] for _ in legs]
    for package in packages:
        own[leg_of[package.lines[0].line_id]].append(package)
    for leg, travelling in zip(legs, own, strict=True):
        asked, limits = leg_question(planner, question, leg, (rules, Taken()))
        contents = [_contents(package) for package in travelling]
        problem = (
            _too_many(asked, limits, travelling)
            or _torn_need(asked, limits, contents)
            or _torn_group(asked, limits, contents)
        )
        if problem:
            return problem
    return ""


def _contents(package: PlannedPackage) -> _Contents:
    units: _Contents = {}
    for line in package.lines:
        units[line.sku] = units.get(line.sku, 0) + line.quantity
    return units


def _too_many(asked: LegQuestion, limits: LegLimits, packages: list[PlannedPackage]) -> str:
    count = sum(not package.parcel_id for package in packages)
    # No limit is a limit of as many as there are.
    count_max = 0 if asked.joins_only else limits.package_count_max or count
    if count > count_max:
        return f"it would travel in {count} packages, {count_max} are allowed"
    return ""


def _torn_need(asked: LegQuestion, limits: LegLimits, contents: list[_Contents]) -> str:
    for need in asked.needs:
        if limits.unit_split and need.splits:
            continue
        shares = [units[need.sku] for units in contents if need.sku in units]
        if shares and shares != [need.quantity]:
            return f"the {need.quantity} units of {need.sku!r} must leave in one package"
    return ""


def _torn_group(asked: LegQuestion, limits: LegLimits, contents: list[_Contents]) -> str:
    for group in limits.groups:
        wanted = {asked.needs[place].sku: asked.needs[place].quantity for place in group}
        sent = [units for units in contents if not wanted.keys().isdisjoint(units)]
        if sent and {sku: sent[0].get(sku, 0) for sku in wanted} != wanted:
            return f"{', '.join(wanted)} must leave in one package"
    return ""
