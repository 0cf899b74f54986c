"""Dry runs: what a rule set would have made of the newest orders, beside the active one.

Each order is planned twice as if it were placed now: all units that it was placed for, a promise as
far ahead as it was then, the stock and the capacity of now with its own given back to it. Each by
itself, so that neither plan is in the way of the other, and nothing is changed. What a quote
promised is not remembered, so only orders are tried.
"""

from collections.abc import Sequence
from itertools import islice

import msgspec

from domgrpc.core.order_planning import plan_order
from domgrpc.core.order_works import claimed_units
from domgrpc.core.orders import Order, OrderLine, OrderTerms
from domgrpc.core.planner import Planner, PlanQuestion
from domgrpc.core.plans import Plan
from domgrpc.core.rejections import Rejected
from domgrpc.core.taken import Taken
from domgrpc.core.values import (
    LocationId,
    Micros,
    OrderId,
    Quantity,
    RuleSetVersion,
    TimeMs,
)

DRY_RUN_ORDERS_DEFAULT = 100
DRY_RUN_ORDERS_MAX = 1_000
TRIED_LOCATIONS_MAX = 20
"""So many locations of a plan are told."""


class TriedPlan(msgspec.Struct, frozen=True, kw_only=True):
    """An order's plan under one rule set, in short."""

    cost_micros: Micros
    paid_micros: Micros
    """What of it carriers and handling are paid; the rest are prices of the rule set."""
    package_count: int
    location_ids: tuple[LocationId, ...]
    """Where from, each once, in the order of the packages; up to a bound."""
    unfilled_quantity: int


class TriedOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order under the active rule set and under the one that is tried."""

    order_id: OrderId
    active: TriedPlan
    tried: TriedPlan
    differs: bool
    """Whether any unit would come from elsewhere, or in another package."""


class UntriedOrder(msgspec.Struct, frozen=True):
    """An order that cannot be planned any more, and why."""

    order_id: OrderId
    reason: str


def newest_orders(planner: Planner, count: int) -> list[OrderId]:
    """Return the orders placed last, the newest first; O(count)."""
    return list(islice(reversed(planner.orders.by_id), count))


def orders_to_try(
    planner: Planner, order_ids: Sequence[OrderId], line_count_max: int
) -> list[OrderId]:
    """Return the first of some orders that have so many lines together, one at least."""
    found: list[OrderId] = []
    for order_id in order_ids:
        order = planner.orders.by_id.get(order_id)
        line_count_max -= 0 if order is None else len(order.lines)
        if found and line_count_max < 0:
            break
        found.append(order_id)
    return found


def try_order(
    planner: Planner, order_id: OrderId, version: RuleSetVersion, now_ms: TimeMs
) -> TriedOrder | UntriedOrder:
    """Plan an order by the active rule set and by another; O(two plans of it)."""
    order = planner.orders.by_id.get(order_id)
    if order is None:
        return UntriedOrder(order_id, "it ended and is forgotten")
    try:
        active = _planned(planner, order, None, now_ms)
        tried = _planned(planner, order, version, now_ms)
    except Rejected as rejected:
        return UntriedOrder(order_id, str(rejected))
    return TriedOrder(
        order_id=order_id,
        active=_in_short(active),
        tried=_in_short(tried),
        differs=_places(active) != _places(tried),
    )


def _planned(
    planner: Planner, order: Order, version: RuleSetVersion | None, now_ms: TimeMs
) -> Plan:
    taken = Taken()
    taken.give_back(order.fulfillment_orders, (), planner.network.locations.index_of)
    question = PlanQuestion(
        tuple(map(_as_placed, order.lines)),
        _terms_now(order, now_ms),
        now_ms,
        claimed_units(order.fulfillment_orders),
        rule_set_version=version,
        merges=False,
    )
    return plan_order(planner, question, taken)


def _as_placed(line: OrderLine) -> OrderLine:
    return msgspec.structs.replace(line, cancelled_quantity=Quantity(0))


def _terms_now(order: Order, now_ms: TimeMs) -> OrderTerms:
    promise_ms = order.terms.promise_time_ms
    if promise_ms is None:
        return order.terms
    moved_ms = TimeMs(promise_ms + now_ms - order.create_time_ms)
    return msgspec.structs.replace(order.terms, promise_time_ms=moved_ms)


def _in_short(plan: Plan) -> TriedPlan:
    locations = dict.fromkeys(package.location_id for package in plan.packages)
    paid = sum(each.package_cost_micros + each.units_cost_micros for each in plan.packages)
    price = sum(leg.price_micros for leg in plan.legs) if plan.packages else 0
    return TriedPlan(
        cost_micros=Micros(paid + price),
        paid_micros=Micros(paid),
        package_count=len(plan.packages),
        location_ids=tuple(locations)[:TRIED_LOCATIONS_MAX],
        unfilled_quantity=sum(shortage.quantity for shortage in plan.shortages),
    )


def _places(plan: Plan) -> list[tuple[LocationId, tuple[tuple[str, int], ...]]]:
    return sorted(
        (
            package.location_id,
            tuple(sorted((str(line.line_id), int(line.quantity)) for line in package.lines)),
        )
        for package in plan.packages
    )
