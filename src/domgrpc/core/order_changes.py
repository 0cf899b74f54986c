"""Changing an order: deciding EditOrder, CancelOrder, HoldOrder and ReleaseOrder.

Only what changes is planned again. Units that no location has begun to work on are free to be
changed or cancelled; work that was released stays where it is until its location gives it back.
"""

import msgspec

from domgrpc.core.order_book import claim_changes
from domgrpc.core.order_checks import check_line_count, check_lines, check_terms
from domgrpc.core.order_commands import (
    CancelOrder,
    EditOrder,
    HoldOrder,
    OrderChanged,
    ReleaseOrder,
)
from domgrpc.core.order_placing import short_of
from domgrpc.core.order_planning import Planner, PlanQuestion, plan_order
from domgrpc.core.order_works import (
    Freed,
    put_in,
    stamped,
    taken_out,
    unreleased_quantity,
    with_decision,
    without_short,
)
from domgrpc.core.orders import (
    STORE_METHODS,
    FulfillmentOrder,
    Order,
    OrderHold,
    OrderLine,
    ShortagePolicy,
    StepKind,
    unsourced_quantities,
)
from domgrpc.core.plans import Plan
from domgrpc.core.rejections import Reason, Rejected, check_etag
from domgrpc.core.reservations import Caller
from domgrpc.core.taken import Taken
from domgrpc.core.values import (
    DeliveryMethod,
    LineId,
    LocationId,
    OrderId,
    Quantity,
)


def decide_edit_order(planner: Planner, command: EditOrder, caller: Caller) -> OrderChanged | None:
    """Change lines and the address, and plan what that leaves without a place.

    Refuses with LINE_RELEASED what somebody already works on, and a shortage as placing does.
    None where nothing differs.
    """
    old = order_to_change(planner, command.order_id, command.etag)
    wanted = {line.line_id: line for line in command.lines}
    lines, works = _edited(old, wanted, command)
    terms = old.terms
    if command.address is not None:
        terms = msgspec.structs.replace(terms, address=command.address)
    if (lines, terms) == (old.lines, old.terms):
        return None
    _check_not_empty(lines, old)
    check_line_count(len(lines))
    check_lines(planner.network, (line for line in lines if line.line_id in wanted))
    check_terms(planner.network, lines, terms)
    edited = msgspec.structs.replace(old, lines=lines, terms=terms, fulfillment_orders=works)
    # What was not planned before, because nobody could, is tried again with it.
    return replanned(planner, (old, edited), (caller, StepKind.EDITED, ""))


def decide_cancel_order(
    planner: Planner, command: CancelOrder, caller: Caller
) -> OrderChanged | None:
    """Cancel units; None where all of it is cancelled already.

    Refuses with LINE_RELEASED what somebody already works on, CANCELLATION_TOO_LARGE beyond
    what was ordered.
    """
    old = order_to_change(planner, command.order_id, command.etag)
    asked: dict[LineId, int] = {}
    if command.lines:
        for line_id, quantity in command.lines:
            asked[line_id] = asked.get(line_id, 0) + quantity
    else:
        unsourced = unsourced_quantities(old)
        for line in old.lines:
            units = unsourced.get(line.line_id, 0) + unreleased_quantity(old, line.line_id)
            asked[line.line_id] = units
        if not any(asked.values()):
            _check_all_cancelled(old)
            return None
    lines, works = _cancelled(old, asked)
    order = msgspec.structs.replace(old, lines=lines, fulfillment_orders=works)
    return changed_order(old, order, caller, (StepKind.CANCELLED, command.reason))


def decide_hold_order(planner: Planner, command: HoldOrder, caller: Caller) -> OrderChanged | None:
    """Let the work wait; None where a hold of the kind is there."""
    old = order_to_change(planner, command.order_id, command.etag)
    if any(hold.kind is command.kind for hold in old.holds):
        return None
    hold = OrderHold(command.kind, command.reason, caller.client_id, caller.at.time_ms)
    order = msgspec.structs.replace(old, holds=(*old.holds, hold))
    return changed_order(
        old, order, caller, (StepKind.HELD, f"{command.kind.name} {command.reason}")
    )


def decide_release_order(
    planner: Planner, command: ReleaseOrder, caller: Caller
) -> OrderChanged | None:
    """Take a hold off; None where there is none of the kind."""
    old = order_to_change(planner, command.order_id, command.etag)
    holds = tuple(hold for hold in old.holds if hold.kind is not command.kind)
    if len(holds) == len(old.holds):
        return None
    order = msgspec.structs.replace(old, holds=holds)
    detail = f"{command.kind.name} {command.reason}"
    return changed_order(old, order, caller, (StepKind.HOLD_RELEASED, detail))


# --- editing


def _edited(
    old: Order, wanted: dict[LineId, OrderLine], command: EditOrder
) -> tuple[tuple[OrderLine, ...], tuple[FulfillmentOrder, ...]]:
    works = old.fulfillment_orders
    lines: list[OrderLine] = []
    for line in old.lines:
        new = wanted.pop(line.line_id, None)
        moved = command.address is not None and _goes_to_address(line)
        target = line if new is None else _target(old, line, new)
        if moved or _place(target) != _place(line):
            _check_unreleased(old, line)
            works, _ = taken_out(works, line.line_id, line.quantity)
        elif target.quantity < line.quantity:
            works = _lessened(old, works, line, target)
        if target.quantity:
            lines.append(target)
    for line in wanted.values():
        if not line.sku:
            raise _line_not_found(old, line.line_id)
        if line.quantity:
            lines.append(line)
    return tuple(lines), works


def _target(old: Order, line: OrderLine, new: OrderLine) -> OrderLine:
    if not new.sku:
        # Only the quantity is said.
        new = msgspec.structs.replace(line, quantity=new.quantity)
    if new.sku != line.sku:
        raise Rejected(
            Reason.LINE_SKU_FIXED,
            f"line {line.line_id!r} of order {old.order_id!r} is of {line.sku!r}, not "
            f"{new.sku!r}: set it to 0 and add a line",
            order_id=old.order_id,
            line_id=line.line_id,
            sku=line.sku,
        )
    if 0 < new.quantity < line.cancelled_quantity or (not new.quantity and line.cancelled_quantity):
        # Cancelled units were ordered once; the line keeps them.
        new = msgspec.structs.replace(new, quantity=line.cancelled_quantity)
    return msgspec.structs.replace(new, cancelled_quantity=line.cancelled_quantity)


def _lessened(
    old: Order,
    works: tuple[FulfillmentOrder, ...],
    line: OrderLine,
    target: OrderLine,
) -> tuple[FulfillmentOrder, ...]:
    less = line.quantity - target.quantity
    less -= min(less, unsourced_quantities(old).get(line.line_id, 0))
    works, stuck = taken_out(works, line.line_id, less)
    if stuck:
        raise _line_released(old, line, stuck)
    return works


def _check_unreleased(old: Order, line: OrderLine) -> None:
    free = unsourced_quantities(old).get(line.line_id, 0)
    free += unreleased_quantity(old, line.line_id) + line.cancelled_quantity
    if free < line.quantity:
        raise _line_released(old, line, line.quantity - free)


def _check_not_empty(lines: tuple[OrderLine, ...], old: Order) -> None:
    if not any(line.quantity > line.cancelled_quantity for line in lines):
        raise Rejected(
            Reason.ORDER_WOULD_BE_EMPTY,
            f"nothing would be left of order {old.order_id!r}: cancel it instead",
            order_id=old.order_id,
        )


def _place(line: OrderLine) -> tuple[DeliveryMethod, LocationId]:
    return line.delivery_method, line.location_id


def _goes_to_address(line: OrderLine) -> bool:
    return line.delivery_method not in STORE_METHODS


# --- cancelling


def _cancelled(
    old: Order, asked: dict[LineId, int]
) -> tuple[tuple[OrderLine, ...], tuple[FulfillmentOrder, ...]]:
    works = old.fulfillment_orders
    unsourced = unsourced_quantities(old)
    lines: list[OrderLine] = []
    for line in old.lines:
        units = asked.pop(line.line_id, 0)
        if line.cancelled_quantity + units > line.quantity:
            raise _too_large(old, line, units)
        left = units - min(units, unsourced.get(line.line_id, 0))
        works, stuck = taken_out(works, line.line_id, left)
        if stuck:
            raise _line_released(old, line, stuck)
        cancelled = Quantity(line.cancelled_quantity + units)
        lines.append(msgspec.structs.replace(line, cancelled_quantity=cancelled))
    for line_id in asked:
        raise _line_not_found(old, line_id)
    return tuple(lines), works


def _check_all_cancelled(old: Order) -> None:
    stuck = [line for line in old.lines if line.cancelled_quantity < line.quantity]
    if stuck:
        line = stuck[0]
        raise _line_released(old, line, line.quantity - line.cancelled_quantity)


# --- planning what changed


def replanned(
    planner: Planner,
    orders: tuple[Order, Order],
    step: tuple[Caller, StepKind, str],
    *,
    excluded: tuple[LocationId, ...] = (),
) -> OrderChanged:
    """Plan what an order, changed from one value to another, has without a place.

    Units and capacity that the change gives back are free for it.
    """
    old, order = orders
    caller, kind, detail = step
    needs = unsourced_quantities(order)
    lines = tuple(
        msgspec.structs.replace(
            line, quantity=Quantity(needs[line.line_id]), cancelled_quantity=Quantity(0)
        )
        for line in order.lines
        if line.line_id in needs
    )
    plan = Plan((), (), (), 0)
    if lines:
        before = _given_back(old, order)
        question = PlanQuestion(
            lines, order.terms, caller.at.time_ms, before, excluded, order, whole=order.lines
        )
        taken = Taken()
        index_of = planner.network.locations.index_of
        taken.give_back(old.fulfillment_orders, order.fulfillment_orders, index_of)
        plan = plan_order(planner, question, taken)
        order = _with_shortages(planner, (old, order), (question, plan), kind)
    works, number = put_in(
        order.order_id, order.fulfillment_orders, plan, order.next_fulfillment_number
    )
    order = msgspec.structs.replace(order, fulfillment_orders=works, next_fulfillment_number=number)
    order = with_decision(order, plan, caller, kind)
    return changed_order(old, order, caller, (kind, detail))


def _with_shortages(
    planner: Planner,
    orders: tuple[Order, Order],
    planned: tuple[PlanQuestion, Plan],
    kind: StepKind,
) -> Order:
    # What was short before the change is no reason to refuse it.
    old, order = orders
    question, plan = planned
    policy = planner.shortage_policy(order.terms)
    if policy is ShortagePolicy.REFUSE and kind is StepKind.EDITED:
        before = unsourced_quantities(old)
        if any(each.quantity > before.get(each.line_id, 0) for each in plan.shortages):
            raise short_of(planner, question, plan)
    if policy is ShortagePolicy.CANCEL:
        return msgspec.structs.replace(order, lines=without_short(order.lines, plan))
    return order


def _given_back(old: Order, order: Order) -> Freed:
    return {
        (claim.sku, claim.location_id): -claim.allocated_delta
        for claim in claim_changes(old.fulfillment_orders, order.fulfillment_orders)
        if claim.allocated_delta < 0
    }


def changed_order(
    old: Order, order: Order, caller: Caller, step: tuple[StepKind, str]
) -> OrderChanged:
    """Return the event of a change: the stamped order and what it does to positions."""
    kind, detail = step
    claims = claim_changes(old.fulfillment_orders, order.fulfillment_orders)
    return OrderChanged(stamped(order, caller, kind, detail.strip()), claims, kind)


def order_to_change(planner: Planner, order_id: OrderId, etag: str) -> Order:
    """Return an order, or refuse with ORDER_NOT_FOUND or ETAG_MISMATCH."""
    order = planner.orders.get(order_id)
    check_etag(etag, order.revision, f"order {order_id!r}")
    return order


# --- refusals


def _line_released(old: Order, line: OrderLine, units: int) -> Rejected:
    return Rejected(
        Reason.LINE_RELEASED,
        f"{units} units of line {line.line_id!r} of order {old.order_id!r} were given to their "
        "location or have left it: they cannot be changed or cancelled here",
        order_id=old.order_id,
        line_id=line.line_id,
        released_quantity=units,
    )


def _too_large(old: Order, line: OrderLine, units: int) -> Rejected:
    left = line.quantity - line.cancelled_quantity
    return Rejected(
        Reason.CANCELLATION_TOO_LARGE,
        f"line {line.line_id!r} of order {old.order_id!r} has {left} units left, not {units}",
        order_id=old.order_id,
        line_id=line.line_id,
        left_quantity=left,
        asked_quantity=units,
    )


def _line_not_found(old: Order, line_id: LineId) -> Rejected:
    return Rejected(
        Reason.ORDER_LINE_NOT_FOUND,
        f"order {old.order_id!r} has no line {line_id!r}",
        order_id=old.order_id,
        line_id=line_id,
    )
