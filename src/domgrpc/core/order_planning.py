"""Planning an order: its lines become legs, each leg a routing question, each answer packages.

Legs are planned one after the other, in the order in which their first lines stand, and what one
takes is not there for the next.
"""

from collections.abc import Callable, Sequence
from functools import partial

import msgspec

from domgrpc.core.asked_units import mocked_units, units_by_index
from domgrpc.core.journey_columns import Columns
from domgrpc.core.journeys import Journey, TransportTable, goes_home
from domgrpc.core.leg_answers import LegPlan, given_up
from domgrpc.core.leg_questions import (
    LegLimits,
    LegQuestion,
    Need,
    ParcelFinder,
)
from domgrpc.core.leg_routing import route_leg
from domgrpc.core.network import Ask
from domgrpc.core.obvious_plans import PlainLeg, obvious_plan
from domgrpc.core.open_parcels import ParcelQuestion, parcel_finder, parcel_grams
from domgrpc.core.order_facts import Asking
from domgrpc.core.order_legs import (
    Leg,
    left_out,
    legs_of,
    needs_of,
    package_count,
    package_groups,
    parts_of,
    value_of,
)
from domgrpc.core.orders import (
    LegDecision,
    OrderTerms,
    ShortagePolicy,
)
from domgrpc.core.planner import Planner, PlanQuestion
from domgrpc.core.plans import LineShortage, Plan, PlannedPackage
from domgrpc.core.rule_effects import NO_EFFECTS, CompiledRuleSet, Effects
from domgrpc.core.rule_sets import Strategy
from domgrpc.core.scopes import EVERYWHERE, Area, NearPoint, resolve_scope
from domgrpc.core.taken import Taken
from domgrpc.core.values import (
    DeliveryMethod,
    Demand,
    LocationId,
    LocationIndex,
    TimeMs,
)

_WHOLE_TABLES_MAX = 256
"""Up to so many locations a table is made of all of them, whichever are asked about."""


def plan_order(planner: Planner, question: PlanQuestion, taken: Taken | None = None) -> Plan:
    """Plan lines; O(legs x (positions of their SKUs + the search)).

    What is in `taken` is not there for it, and what it takes is added. Refuses with what a scope
    or a line names that does not exist.
    """
    rules = planner.rules(question.rule_set_version)
    version = question.rule_set_version
    if version is None:
        version = planner.rule_sets.active_version
    several = taken is not None
    taken = Taken() if taken is None else taken
    index_of = planner.network.locations.index_of
    packages: list[PlannedPackage] = []
    decisions: list[LegDecision] = []
    shortages: list[LineShortage] = []
    legs = legs_of(question.lines)
    for leg in legs:
        found = _obvious_leg(planner, question, leg, (rules, taken))
        if found is None:
            asked, limits = leg_question(planner, question, leg, (rules, taken))
            if len(legs) > 1:
                limits = msgspec.structs.replace(limits, share=len(legs))
            found = route_leg(planner.network, leg, asked, limits)
        packages += _collectable(planner, leg, found.packages)
        decisions.append(found.decision)
        shortages += found.shortages
        if several or len(legs) > 1:
            taken.take(found.packages, index_of)
    if shortages and question.terms.ship_complete:
        if several:
            taken.take(packages, index_of, sign=-1)
        packages.clear()
        decisions = list(map(given_up, decisions, legs))
        shortages = [LineShortage(line.line_id, line.sku, line.quantity) for line in question.lines]
    return Plan(tuple(packages), tuple(decisions), tuple(shortages), version)


def _collectable(
    planner: Planner, leg: Leg, packages: tuple[PlannedPackage, ...]
) -> tuple[PlannedPackage, ...]:
    # What customers collect, with the time until which it waits for them.
    if not leg.ends_at_store:
        return packages
    locations = planner.network.locations
    until_ms = partial(planner.logistics.collect_by_ms, locations, locations.index(leg.store_id))
    return tuple(
        msgspec.structs.replace(package, collect_by_time_ms=until_ms(package.deliver_by_time_ms))
        for package in packages
    )


# --- one leg


def ask_of(terms: OrderTerms, method: DeliveryMethod, time_ms: TimeMs) -> Ask:
    """Return who asks for the stock of a leg, and when."""
    return Ask(Demand(terms.channel, method), time_ms)


def _obvious_leg(
    planner: Planner, question: PlanQuestion, leg: Leg, shared: tuple[CompiledRuleSet, Taken]
) -> LegPlan | None:
    # Most legs are plain, and most plain legs are obvious: the whole question is not even put.
    rules, taken = shared
    network, terms = planner.network, question.terms
    if not (_asks_nothing(question) and _has_only_prices(rules)) or leg.starts_at_store:
        return None
    prices = planner.prices(rules)
    if prices.scarcity_micros or planner.journeys.has_capacity():
        return None
    if question.merges and _parcels(planner, question, leg) is not None:
        return None
    needs = needs_of(leg.lines, network.products.fields)
    if taken.units and any(need.sku in taken.units for need in needs):
        return None
    ask = ask_of(terms, leg.delivery_method, question.time_ms)
    promise_ms = question.time_ms + rules.content.promise_ms
    columns = planner.journeys.columns(_journey(planner, leg, terms), ask, prices, promise_ms)
    if columns is None:
        return None
    plain = PlainLeg(leg, ask, needs, columns, prices.package_micros)
    found = obvious_plan(network, plain)
    return None if found is None else LegPlan((found.package,), (), found.decision)


def _asks_nothing(question: PlanQuestion) -> bool:
    # Whether whoever asks leaves everything to the costs.
    return (
        question.terms.scope is None
        and question.terms.promise_time_ms is None
        and question.order is None
        and question.mocked is None
        and not (question.own or question.excluded or question.strategy or question.shown)
    )


def _has_only_prices(rules: CompiledRuleSet) -> bool:
    content = rules.content
    cheapest = content.strategy is Strategy.CHEAPEST
    return cheapest and not content.rules and not content.limits.radius_m


def leg_question(
    planner: Planner, question: PlanQuestion, leg: Leg, shared: tuple[CompiledRuleSet, Taken]
) -> tuple[LegQuestion, LegLimits]:
    """Return all that decides how a leg is fulfilled, and what its plan must keep to."""
    rules, taken = shared
    network, terms = planner.network, question.terms
    needs = parts_of(needs_of(leg.lines, network.products.fields), leg, question.beside)
    effects = NO_EFFECTS
    if rules.content.rules:
        asking = Asking(terms, question.whole or question.lines, question.time_ms)
        effects = rules.effects(asking.order_facts(leg), asking.line_facts(leg, needs))
    network.refresh(question.time_ms)
    journey = _journey(planner, leg, terms)
    prices = planner.prices(rules)
    promise_ms = _promise_ms(question, rules)
    ask = ask_of(terms, leg.delivery_method, question.time_ms)
    is_open = terms.promise_time_ms is None
    columns = planner.journeys.columns(journey, ask, prices, promise_ms) if is_open else None
    count_max = _package_count_max(question, rules, effects)
    there = package_count(question.order, leg) if count_max and question.order is not None else 0
    asked = LegQuestion(
        ask=ask,
        needs=needs,
        table_of=_table_of(planner, journey, columns),
        area=_area(planner, question, leg, rules.content.limits.radius_m),
        ranks=planner.journeys.ranks(),
        only=network.locations.index(leg.store_id) if leg.starts_at_store else None,
        excluded=tuple(map(network.locations.index, _left_out(question, rules))),
        own=units_by_index(network, question.own),
        taken=taken.units,
        mocked=mocked_units(network, question.mocked),
        effects=effects,
        prices=prices,
        columns=columns,
        promise_ms=promise_ms,
        promise_is_hard=terms.promise_is_hard,
        parcel_at=_parcels(planner, question, leg),
        parcel_grams=partial(parcel_grams, network, planner.orders, question.order),
        may_backorder=question.may_backorder and question.mocked is None,
        room_left=planner.room_check(taken),
        joins_only=0 < count_max <= there,
    )
    more_max = 0 if asked.joins_only else count_max - there
    return asked, _limits(planner, question, leg, (rules, needs, more_max))


def _limits(
    planner: Planner,
    question: PlanQuestion,
    leg: Leg,
    found: tuple[CompiledRuleSet, tuple[Need, ...], int],
) -> LegLimits:
    rules, needs, package_count_max = found
    strategy = question.strategy
    policy = planner.shortage_policy(question.terms, question.rule_set_version)
    return LegLimits(
        package_count_max,
        rules.content.limits.unit_split_allowed,
        partial=policy is not ShortagePolicy.REFUSE,
        groups=package_groups(leg.lines, needs),
        strategy=Strategy[strategy] if strategy else rules.content.strategy,
        shown=tuple(planner.network.locations.index(name) for name in question.shown),
    )


def _promise_ms(question: PlanQuestion, rules: CompiledRuleSet) -> TimeMs:
    promise_ms = question.terms.promise_time_ms
    if promise_ms is None:
        return TimeMs(question.time_ms + rules.content.promise_ms)
    return promise_ms


def _left_out(question: PlanQuestion, rules: CompiledRuleSet) -> tuple[LocationId, ...]:
    since_ms = question.time_ms - rules.content.replanning.cool_down_ms
    return left_out(question.order, question.excluded, since_ms)


def _package_count_max(question: PlanQuestion, rules: CompiledRuleSet, effects: Effects) -> int:
    limits = rules.content.limits
    counts = [question.terms.package_count_max, limits.package_count_max, effects.package_count_max]
    if limits.split_minimum_value_micros > value_of(question.whole or question.lines):
        counts.append(1)
    return min(filter(None, counts), default=0)


def _journey(planner: Planner, leg: Leg, terms: OrderTerms) -> Journey:
    locations = planner.network.locations
    there = locations.index(leg.store_id) if leg.ends_at_store else terms.address.point
    residential = goes_home(leg.delivery_method, terms.address.address_type)
    return Journey(leg.delivery_method, there, is_residential=residential)


def _table_of(
    planner: Planner, journey: Journey, columns: Columns | None
) -> Callable[[Sequence[LocationIndex], int], TransportTable]:
    locations = planner.network.locations
    logistics = planner.logistics
    if len(locations.by_index) <= _WHOLE_TABLES_MAX:
        return lambda _, time_ms: logistics.table(locations, journey, TimeMs(time_ms))
    if columns is None:
        return lambda indexes, time_ms: logistics.table(
            locations, journey, TimeMs(time_ms), only=indexes
        )
    table = columns.table
    return lambda indexes, time_ms: (
        table
        if table.from_ms <= time_ms < table.valid_until_ms
        else logistics.table(locations, journey, TimeMs(time_ms), only=indexes)
    )


def _area(planner: Planner, question: PlanQuestion, leg: Leg, radius_m: int) -> Area:
    network = planner.network
    scope = question.terms.scope
    area = EVERYWHERE if scope is None else resolve_scope(network, scope)
    point = question.terms.address.point
    if radius_m and point is not None and not leg.ends_at_store:
        near = resolve_scope(network, NearPoint(point, radius_m)).distances_m or {}
        area = Area({index: metres for index, metres in near.items() if index in area})
    return area


def _parcels(planner: Planner, question: PlanQuestion, leg: Leg) -> ParcelFinder | None:
    if not question.merges:
        return None
    whole, time_ms = question.whole or question.lines, question.time_ms
    asked = ParcelQuestion(question.terms, question.order, time_ms, len(whole), question.opened)
    return parcel_finder(planner.network, planner.orders, leg, asked)
