"""The work of an order as values: what can be taken out of it, and what a plan puts into it.

Nothing here decides whether something is allowed but for one rule: only units that nobody has
begun to work on can be taken back, backordered ones first, then those planned last.
"""

import msgspec

from domgrpc.core.orders import (
    DECISIONS_MAX,
    HISTORY_MAX,
    NO_PARCEL,
    Attention,
    Decision,
    FulfillmentLine,
    FulfillmentOrder,
    FulfillmentState,
    Order,
    OrderLine,
    OrderStep,
    StepKind,
    is_claiming,
    is_unreleased,
    unsourced_quantities,
)
from domgrpc.core.plans import Plan, PlannedPackage
from domgrpc.core.reservations import Caller
from domgrpc.core.values import (
    FulfillmentOrderId,
    LineId,
    LocationId,
    OrderId,
    Quantity,
    Sku,
)

Freed = dict[tuple[Sku, LocationId], int]
"""Units by SKU and location that a change gives back."""


def taken_out(
    works: tuple[FulfillmentOrder, ...],
    units: dict[LineId, int],
    *,
    only_at: tuple[LocationId, ...] = (),
) -> tuple[tuple[FulfillmentOrder, ...], dict[LineId, int]]:
    """Take units of lines out of unreleased work, what was planned last first; O(the work).

    With `only_at` only out of the work of these locations.

    Returns the work that stays, at the prices that it had, and the units that could not be taken.
    Work that is left empty is gone.
    """
    left = {line_id: count for line_id, count in units.items() if count}
    stay: list[FulfillmentOrder] = []
    for work in reversed(works):
        elsewhere = bool(only_at) and work.location_id not in only_at
        if not left or elsewhere or not is_unreleased(work):
            stay.append(work)
            continue
        lines = []
        for line in work.lines:
            taken = min(left.get(line.line_id, 0), line.quantity)
            if taken:
                left[line.line_id] -= taken
            if line.quantity > taken:
                lines.append(_less(line, taken))
        if lines:
            same = lines == list(work.lines)
            stay.append(work if same else msgspec.structs.replace(work, lines=tuple(lines)))
    stay.reverse()
    return tuple(stay), {line_id: count for line_id, count in left.items() if count}


def unreleased_quantities(order: Order) -> dict[LineId, int]:
    """Return the units of each line that lie in unreleased work; lines without are left out."""
    found: dict[LineId, int] = {}
    for work in filter(is_unreleased, order.fulfillment_orders):
        for line in work.lines:
            found[line.line_id] = found.get(line.line_id, 0) + line.quantity
    return found


def claimed_units(works: tuple[FulfillmentOrder, ...]) -> Freed:
    """Return what work claims by SKU and location."""
    claimed: Freed = {}
    for work in filter(is_claiming, works):
        for line in work.lines:
            key = (line.sku, work.location_id)
            claimed[key] = claimed.get(key, 0) + line.quantity
    return claimed


def put_in(
    order_id: OrderId, works: tuple[FulfillmentOrder, ...], plan: Plan, next_number: int
) -> tuple[tuple[FulfillmentOrder, ...], int]:
    """Add the packages of a plan to the work of an order; return it and the next number.

    A package that joins an unreleased parcel of the same order becomes part of that work.
    """
    result = list(works)
    places = {work.fulfillment_order_id: place for place, work in enumerate(works)}
    for package in plan.packages:
        place = places.get(package.parcel_id) if package.parcel_id else None
        if place is not None and result[place].delivery_method is package.delivery_method:
            result[place] = _joined(result[place], package)
            continue
        result.append(_work(FulfillmentOrderId(f"{order_id}/{next_number}"), package))
        next_number += 1
    return tuple(result), next_number


def stamped(order: Order, caller: Caller, kind: StepKind, detail: str) -> Order:
    """Return an order with one more step of history and the time of the change."""
    at = caller.at
    step = OrderStep(at.revision, at.time_ms, kind, caller.client_id, detail)
    history = (*order.history, step)
    if len(history) > HISTORY_MAX:
        history = (history[0], *history[2:])
    return msgspec.structs.replace(
        order,
        history=history,
        update_time_ms=at.time_ms,
        revision=at.revision,
        attention=attention_of(order),
    )


def lines_for(order: Order, needs: dict[LineId, int]) -> tuple[OrderLine, ...]:
    """Return the lines of an order with these quantities, those without any left out."""
    return tuple(
        msgspec.structs.replace(
            line, quantity=Quantity(needs[line.line_id]), cancelled_quantity=Quantity(0)
        )
        for line in order.lines
        if needs.get(line.line_id)
    )


def without_short(lines: tuple[OrderLine, ...], plan: Plan) -> tuple[OrderLine, ...]:
    """Return the lines of an order with the units cancelled that a plan is short of."""
    short = {each.line_id: each.quantity for each in plan.shortages}
    return tuple(
        msgspec.structs.replace(
            line, cancelled_quantity=Quantity(line.cancelled_quantity + short[line.line_id])
        )
        if line.line_id in short
        else line
        for line in lines
    )


def with_decision(order: Order, plan: Plan, caller: Caller, kind: StepKind) -> Order:
    """Return an order with the decision of a plan, the oldest beyond the bound forgotten."""
    if not plan.legs:
        return order
    decision = decision_of(plan, caller, kind)
    return msgspec.structs.replace(order, decisions=(*order.decisions, decision)[-DECISIONS_MAX:])


def decision_of(plan: Plan, caller: Caller, kind: StepKind) -> Decision:
    """Return what is remembered of why a plan was made."""
    at = caller.at
    return Decision(at.revision, at.time_ms, kind, plan.rule_set_version, plan.legs)


def attention_of(order: Order) -> Attention:
    """Return why somebody should look at an order as it stands; the gravest cause."""
    if unsourced_quantities(order):
        return Attention.BACKORDERED
    promise_ms = order.terms.promise_time_ms
    if promise_ms is not None and any(
        work.deliver_by_time_ms > promise_ms
        for work in order.fulfillment_orders
        if is_claiming(work)
    ):
        return Attention.PROMISE_LATE
    if order.decisions and any(leg.failed_rule_ids for leg in order.decisions[-1].legs):
        return Attention.RULE_FAILED
    return Attention.NONE


def _less(line: FulfillmentLine, taken: int) -> FulfillmentLine:
    if not taken:
        return line
    # Backordered units go first.
    backordered = max(0, line.backordered_quantity - taken)
    return msgspec.structs.replace(
        line,
        quantity=Quantity(line.quantity - taken),
        backordered_quantity=Quantity(backordered),
    )


def _joined(work: FulfillmentOrder, package: PlannedPackage) -> FulfillmentOrder:
    lines = {line.line_id: line for line in work.lines}
    for line in package.lines:
        old = lines.get(line.line_id)
        lines[line.line_id] = line if old is None else _sum(old, line)
    return msgspec.structs.replace(
        work,
        lines=tuple(lines.values()),
        package_cost_micros=work.package_cost_micros + package.package_cost_micros,
        units_cost_micros=work.units_cost_micros + package.units_cost_micros,
        price_micros=work.price_micros + package.price_micros,
    )


def _sum(old: FulfillmentLine, line: FulfillmentLine) -> FulfillmentLine:
    return msgspec.structs.replace(
        old,
        quantity=Quantity(old.quantity + line.quantity),
        backordered_quantity=Quantity(old.backordered_quantity + line.backordered_quantity),
    )


def _work(key: FulfillmentOrderId, package: PlannedPackage) -> FulfillmentOrder:
    state = FulfillmentState.SCHEDULED if package.is_dated else FulfillmentState.OPEN
    return FulfillmentOrder(
        key,
        package.location_id,
        package.delivery_method,
        state,
        package.lines,
        package.destination_location_id,
        package.ready_time_ms,
        package.ship_by_time_ms,
        package.deliver_by_time_ms,
        package.package_cost_micros,
        package.units_cost_micros,
        package.price_micros,
        package.parcel_id or NO_PARCEL,
        package.capacity_day,
        collect_by_time_ms=package.collect_by_time_ms,
    )
