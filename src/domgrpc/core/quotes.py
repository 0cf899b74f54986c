"""Quotes: what can be promised before there is an order, and booking what was promised.

A quote reserves nothing by itself. Its token says which location was to send what; when the order
comes, exactly that is planned again, package by package, under the filters as they stand then.
Whatever a token claims, no more is booked than there is.
"""

from collections.abc import Iterable, Iterator
from typing import TypeAlias
from zlib import crc32

import msgspec

from domgrpc.core.candidates import removed_by, units_at
from domgrpc.core.leg_questions import removed_words
from domgrpc.core.network import Ask
from domgrpc.core.order_checks import check_lines
from domgrpc.core.order_legs import legs_of
from domgrpc.core.order_planning import leg_question, plan_order
from domgrpc.core.orders import NO_ROWS, STORE_METHODS, LegDecision, OrderLine, OrderTerms
from domgrpc.core.package_limits import broken_limit
from domgrpc.core.planner import Planner, PlanQuestion
from domgrpc.core.plans import (
    LineShortage,
    Plan,
    PlannedPackage,
    Quote,
    QuotedPackage,
    QuotedPlan,
    QuoteMiss,
    QuoteOption,
    QuoteQuestion,
)
from domgrpc.core.possible_orders import check_possible
from domgrpc.core.rejections import Rejected, counted
from domgrpc.core.scopes import LocationList, resolve_scope
from domgrpc.core.taken import Taken
from domgrpc.core.values import (
    NO_LOCATION,
    TTL_MS_DEFAULT,
    DeliveryMethod,
    Demand,
    LineId,
    LocationId,
    Micros,
    Quantity,
    Sku,
    TimeMs,
)

NEAREST_STORES_MAX = 3
"""So many stores are offered for a method that needs one, where the question names none."""
_NEAREST_RADIUS_M = 160_934
"""100 miles: nobody collects farther away."""

_Part: TypeAlias = tuple[PlannedPackage, ...]
"""The packages of what was fixed beforehand as one."""


def make_quote(planner: Planner, question: QuoteQuestion, now_ms: TimeMs) -> Quote:
    """Plan every way that was asked for; whole plans first, the cheapest of them first.

    Refuses with SKU_NOT_FOUND. A way that no stock could cure is no option, or refused where it is
    the only one.
    """
    check_lines(planner.network, question.lines)
    expire_time_ms = TimeMs(now_ms + TTL_MS_DEFAULT)
    options, misses = [], []
    for method, store_id in _ways(planner, question, now_ms):
        if method in STORE_METHODS and not store_id:
            misses.append(QuoteMiss(method, store_id))
            continue
        lines = lines_by(question.lines, (method, store_id))
        asked = PlanQuestion(lines, question.terms, now_ms)
        plan = plan_order(planner, asked)
        if _is_possible(planner, asked, plan, is_only=not method) and plan.packages:
            content = content_fingerprint(lines, question.terms)
            quoted = QuotedPlan(
                content, expire_time_ms, quoted_packages(plan), Micros(plan.cost_micros)
            )
            options.append(_option((method, store_id), plan, quoted))
        else:
            misses.append(QuoteMiss(method, store_id, plan))
    options.sort(
        key=lambda option: (
            bool(option.plan.shortages),
            option.plan.cost_micros,
            option.deliver_by_time_ms,
        )
    )
    return Quote(tuple(options), expire_time_ms, misses=tuple(misses))


def lines_by(
    lines: tuple[OrderLine, ...], way: tuple[DeliveryMethod, LocationId]
) -> tuple[OrderLine, ...]:
    """Return lines that all travel one way; UNSPECIFIED for the ways that they name."""
    method, store_id = way
    if not method:
        return lines
    return tuple(
        msgspec.structs.replace(line, delivery_method=method, location_id=store_id)
        for line in lines
    )


def _is_possible(planner: Planner, asked: PlanQuestion, plan: Plan, *, is_only: bool) -> bool:
    # What can never be fulfilled is not offered; where nothing else was asked, it is refused.
    if not plan.shortages:
        return True
    try:
        check_possible(planner, asked)
    except Rejected:
        if is_only:
            raise
        return False
    return True


def content_fingerprint(lines: tuple[OrderLine, ...], terms: OrderTerms) -> int:
    """Return 32 bits that tell what was quoted from anything else."""
    return crc32(msgspec.msgpack.encode((lines, terms)))


def quoted_packages(plan: Plan) -> tuple[QuotedPackage, ...]:
    """Return what a token remembers of a plan."""
    return tuple(
        QuotedPackage(
            package.location_id,
            package.delivery_method,
            package.destination_location_id,
            tuple((line.line_id, line.quantity) for line in package.lines),
        )
        for package in plan.packages
    )


def plan_quoted(
    planner: Planner,
    question: PlanQuestion,
    packages: tuple[QuotedPackage, ...],
    fresh: Plan,
    *,
    taken: Taken | None = None,
    may_be_short: bool = False,
) -> Plan | str:
    """Return the plan of exactly these packages, or why it cannot be.

    What is in `taken` is not there for it; what it takes is added only where all of it can be.
    With `may_be_short`, lines that they do not cover are planned as things stand now.

    The fresh plan gives the bounds: the decision says by how much the quoted plan is dearer than
    what would be decided now.
    """
    rest = _uncovered(question.lines, packages)
    if isinstance(rest, str):
        return rest
    used = taken.copied() if taken is not None else Taken()
    parts = _found(planner, question, packages, used)
    if isinstance(parts, str):
        return parts
    found = _packages_of(parts)
    shortages: tuple[LineShortage, ...] = ()
    if rest:
        if not may_be_short:
            return "its packages are not what the lines ask for"
        more, shortages = _more(planner, question, rest, (found, used))
        if shortages and question.terms.ship_complete:
            return "all of it was to be sent, and a part is short"
        parts.append(more)
    if taken is not None:
        taken.become(used)
    penalty = planner.rules(question.rule_set_version).content.prices.split_penalty_micros
    found = _with_penalties(parts, penalty)
    legs = tuple(_booked(leg, found, fresh) for leg in fresh.legs)
    return Plan(tuple(found), legs, shortages, fresh.rule_set_version)


def _packages_of(parts: list[_Part]) -> list[PlannedPackage]:
    return [package for part in parts for package in part]


def _with_penalties(parts: list[_Part], penalty: int) -> list[PlannedPackage]:
    # Each part was planned as if it were all of its leg, with its first package free of the price
    # of a split; only the first of all is.
    found: list[PlannedPackage] = []
    opened: set[tuple[DeliveryMethod, LocationId]] = set()
    for part in parts:
        dear: set[tuple[DeliveryMethod, LocationId]] = set()
        for package in part:
            way = (package.delivery_method, package.destination_location_id)
            is_first = not package.parcel_id and way not in dear
            if is_first:
                dear.add(way)
            if is_first and way in opened:
                price = Micros(package.price_micros + penalty)
                package = msgspec.structs.replace(package, price_micros=price)  # noqa: PLW2901
            found.append(package)
        opened |= dear
    return found


def _found(
    planner: Planner, question: PlanQuestion, packages: tuple[QuotedPackage, ...], used: Taken
) -> list[_Part] | str:
    # Where two parcels are cheaper than a heavy one, what was one package leaves as two.
    area = resolve_scope(planner.network, question.terms.scope)
    parts: list[_Part] = []
    for package in packages:
        if planner.network.locations.index(package.location_id) not in area:
            return f"{package.location_id!r} is outside of the scope"
        alone = _alone(question, package)
        part = plan_order(planner, alone, used)
        if part.shortages or not part.packages:
            used.take(part.packages, planner.network.locations.index_of, sign=-1)
            why = _why_not(planner, alone, package.location_id, used)
            return f"{package.location_id!r} cannot send it any more ({why})"
        parts.append(part.packages)
    return broken_limit(planner, question, _packages_of(parts)) or parts


def _why_not(planner: Planner, alone: PlanQuestion, location_id: LocationId, used: Taken) -> str:
    # The filter that removes the place, or what is left there.
    leg = legs_of(alone.lines)[0]
    rules = planner.rules(alone.rule_set_version)
    asked, _ = leg_question(planner, alone, leg, (rules, used))
    index = planner.network.locations.index(location_id)
    filtered = removed_by(planner.network, asked, index)
    if filtered not in ("", "stock"):
        return removed_words(filtered, leg.delivery_method)
    for need, units in zip(asked.needs, units_at(planner.network, asked, index), strict=True):
        if units < need.quantity:
            wanted = counted(need.quantity, "unit")
            return f"{units} of {wanted} of {need.sku!r} are left there"
    return "it has all of it, and cannot do all of it that day, or not in one package"


def _more(
    planner: Planner,
    question: PlanQuestion,
    rest: dict[LineId, int],
    there: tuple[list[PlannedPackage], Taken],
) -> tuple[tuple[PlannedPackage, ...], tuple[LineShortage, ...]]:
    # What may not travel beside what was promised stays short.
    found, used = there
    asked = _part(question, rest)
    more = plan_order(planner, asked, used)
    if not broken_limit(planner, question, [*found, *more.packages]):
        return more.packages, more.shortages
    used.take(more.packages, planner.network.locations.index_of, sign=-1)
    return (), tuple(LineShortage(line.line_id, line.sku, line.quantity) for line in asked.lines)


def _ways(
    planner: Planner, question: QuoteQuestion, now_ms: TimeMs
) -> Iterator[tuple[DeliveryMethod, LocationId]]:
    if not question.methods:
        yield DeliveryMethod.UNSPECIFIED, NO_LOCATION
    for method, store_id in question.methods:
        if store_id or method not in STORE_METHODS:
            yield method, store_id
            continue
        nearest = _nearest(planner, question, method, now_ms) or [NO_LOCATION]
        yield from ((method, each) for each in nearest)


def _nearest(
    planner: Planner, question: QuoteQuestion, method: DeliveryMethod, now_ms: TimeMs
) -> list[LocationId]:
    point = question.terms.address.point
    if point is None:
        return []
    locations = planner.network.locations
    ask = Ask(Demand(question.terms.channel, method), now_ms)
    found: list[LocationId] = []
    for _, index in locations.places.near(point, _NEAREST_RADIUS_M):
        if planner.network.exclusion(index, ask) is None:
            found.append(locations.by_index[index].location_id)
            if len(found) == NEAREST_STORES_MAX:
                break
    return found


def _option(way: tuple[DeliveryMethod, LocationId], plan: Plan, quoted: QuotedPlan) -> QuoteOption:
    return QuoteOption(
        *way,
        plan,
        quoted,
        max(package.ship_by_time_ms for package in plan.packages),
        max(package.deliver_by_time_ms for package in plan.packages),
        min(filter(None, (each.collect_by_time_ms for each in plan.packages)), default=TimeMs(0)),
    )


def _uncovered(
    lines: tuple[OrderLine, ...], packages: tuple[QuotedPackage, ...]
) -> dict[LineId, int] | str:
    # The units that packages leave over; or why they cannot be of these lines.
    known = {line.line_id: line for line in lines}
    left: dict[LineId, int] = {line.line_id: line.quantity for line in lines}
    for package in packages:
        if not package.lines:
            return f"nothing was to come from {package.location_id!r}"
        for line_id, quantity in package.lines:
            line = known.get(line_id)
            if line is None or quantity < 1:
                return f"it does not have line {line_id!r} so"
            if package.delivery_method is not line.delivery_method or (
                line.delivery_method in STORE_METHODS
                and package.destination_location_id != line.location_id
            ):
                return f"line {line_id!r} was to travel another way"
            left[line_id] -= quantity
    if any(units < 0 for units in left.values()):
        return "its packages are not what the lines ask for"
    return {line_id: units for line_id, units in left.items() if units}


def _alone(question: PlanQuestion, package: QuotedPackage) -> PlanQuestion:
    # One package as an order of its own that only its location may fulfil.
    quantities: dict[LineId, int] = {}
    for line_id, quantity in package.lines:
        quantities[line_id] = quantities.get(line_id, 0) + quantity
    terms = msgspec.structs.replace(
        question.terms, scope=LocationList((package.location_id,)), ship_complete=False
    )
    return msgspec.structs.replace(_part(question, quantities), terms=terms)


def _part(question: PlanQuestion, quantities: dict[LineId, int]) -> PlanQuestion:
    # What rules look at stays the whole order.
    lines = tuple(
        msgspec.structs.replace(line, quantity=Quantity(quantities[line.line_id]))
        for line in question.lines
        if line.line_id in quantities
    )
    return msgspec.structs.replace(
        question,
        lines=lines,
        whole=question.whole or question.lines,
        beside=question.beside or question.lines,
    )


def _booked(leg: LegDecision, packages: list[PlannedPackage], fresh: Plan) -> LegDecision:
    own = _of_leg(leg, packages)
    paid = sum(package.package_cost_micros for package in own)
    units = sum(package.units_cost_micros for package in own)
    price = sum(package.price_micros for package in own)
    cost = paid + units + price
    booked = msgspec.structs.replace(
        leg,
        cost_micros=Micros(cost),
        lower_bound_micros=Micros(min(cost, leg.lower_bound_micros)),
        is_proven=bool(own) and cost <= leg.lower_bound_micros,
        package_micros=Micros(paid),
        units_micros=Micros(units),
        price_micros=Micros(price),
    )
    if _sent(own) == _sent(_of_leg(leg, fresh.packages)):
        return booked
    # What the fresh plan was weighed against says nothing about a plan that was fixed.
    sent: dict[Sku, int] = {}
    for package in own:
        for line in package.lines:
            sent[line.sku] = sent.get(line.sku, 0) + line.quantity
    return msgspec.structs.replace(
        booked,
        skus=tuple(sent) or leg.skus,
        quantities=tuple(sent.values()) or leg.quantities,
        used_location_ids=tuple(dict.fromkeys(package.location_id for package in own)),
        runner_up_micros=None,
        runner_up_location_ids=(),
        rows=NO_ROWS,
    )


def _of_leg(leg: LegDecision, packages: Iterable[PlannedPackage]) -> list[PlannedPackage]:
    return [
        package
        for package in packages
        if package.delivery_method is leg.delivery_method
        and package.destination_location_id in (NO_LOCATION, leg.destination_location_id)
    ]


def _sent(packages: list[PlannedPackage]) -> list[tuple[LocationId, list[tuple[LineId, int]]]]:
    # Which place sends what, in an order of its own.
    return sorted(
        (package.location_id, sorted((line.line_id, line.quantity) for line in package.lines))
        for package in packages
    )
