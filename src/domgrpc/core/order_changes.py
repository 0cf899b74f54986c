"""Changing an order: deciding EditOrder, CancelOrder, HoldOrder and ReleaseOrder.

Only what changes is planned again. Units that no location has begun to work on are free to be
changed or cancelled; work that was released stays where it is until its location gives it back.
"""

import msgspec

from domgrpc.core.order_checks import check_line_count, check_terms
from domgrpc.core.order_claims import claim_changes
from domgrpc.core.order_commands import (
    CancelOrder,
    EditOrder,
    HoldOrder,
    OrderChanged,
    ReleaseOrder,
)
from domgrpc.core.order_editing import cancelled, edited, grown_lines
from domgrpc.core.order_placing import short_of
from domgrpc.core.order_planning import plan_order
from domgrpc.core.order_works import (
    Freed,
    lines_for,
    put_in,
    stamped,
    with_decision,
    without_short,
)
from domgrpc.core.orders import (
    FulfillmentOrder,
    Order,
    OrderHold,
    ShortagePolicy,
    StepKind,
    is_finished,
    is_unreleased,
    order_status,
    unsourced_quantities,
)
from domgrpc.core.parcel_hosts import Changed, guests_of, hosts_among, take_packages, with_hosts
from domgrpc.core.parcel_prices import lightened
from domgrpc.core.planner import Planner, PlanQuestion
from domgrpc.core.plans import Plan, nothing_planned
from domgrpc.core.possible_orders import check_possible
from domgrpc.core.rejections import Reason, Rejected, check_etag
from domgrpc.core.reservations import Caller
from domgrpc.core.taken import Taken
from domgrpc.core.values import (
    LocationId,
    OrderId,
)


def decide_edit_order(planner: Planner, command: EditOrder, caller: Caller) -> OrderChanged | None:
    """Change lines and the address, and plan what that leaves without a place.

    Refuses with LINE_RELEASED what somebody already works on, a shortage as placing does, and
    with ORDER_FINISHED an order of which nothing is left to do. None where nothing differs.
    """
    old = order_to_change(planner, command.order_id, command.etag)
    _check_unfinished(old)
    terms = old.terms
    if command.address is not None:
        terms = msgspec.structs.replace(terms, address=command.address)
    lines, works = edited(planner, old, command)
    if (lines, terms) == (old.lines, old.terms):
        return None
    check_line_count(len(lines))
    check_terms(planner.network, lines, terms)
    grown = lines if command.address is not None else grown_lines(old.lines, lines)
    if grown:
        check_possible(planner, PlanQuestion(grown, terms, caller.at.time_ms, order=old))
    order = msgspec.structs.replace(old, lines=lines, terms=terms, fulfillment_orders=works)
    order = lightened(planner, old, order, caller.at.time_ms)
    # What was not planned before, because nobody could, is tried again with it.
    return replanned(planner, (old, order), (caller, StepKind.EDITED, ""))


def decide_cancel_order(
    planner: Planner, command: CancelOrder, caller: Caller
) -> OrderChanged | None:
    """Cancel units; None where all of it is cancelled already.

    Refuses with LINE_RELEASED what somebody already works on, CANCELLATION_TOO_LARGE beyond
    what was ordered.
    """
    old = order_to_change(planner, command.order_id, command.etag)
    lines, works = cancelled(old, command.lines)
    if lines == old.lines:
        return None
    order = msgspec.structs.replace(old, lines=lines, fulfillment_orders=works)
    order = lightened(planner, old, order, caller.at.time_ms)
    return changed_order(planner, order, caller, (StepKind.CANCELLED, command.reason))


def decide_hold_order(planner: Planner, command: HoldOrder, caller: Caller) -> OrderChanged | None:
    """Let the work wait; None where a hold of the kind is there.

    Refuses with ORDER_FINISHED where no work is left that could wait. A hold that was there
    before the order ended can still be taken off.
    """
    old = order_to_change(planner, command.order_id, command.etag)
    if any(hold.kind is command.kind for hold in old.holds):
        return None
    _check_unfinished(old)
    hold = OrderHold(command.kind, command.reason, caller.client_id, caller.at.time_ms)
    order = msgspec.structs.replace(old, holds=(*old.holds, hold))
    detail = f"{command.kind.name} {command.reason}"
    return changed_order(planner, order, caller, (StepKind.HELD, detail))


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
    return changed_order(planner, order, caller, (StepKind.HOLD_RELEASED, detail))


# --- planning what changed


def replanned(
    planner: Planner,
    orders: tuple[Order, Order],
    step: tuple[Caller, StepKind, str],
    *,
    excluded: tuple[LocationId, ...] = (),
) -> OrderChanged:
    """Plan what an order, changed from one value to another, has without a place.

    Units and capacity that the change gives back are free for it. An order that ships complete
    has all planned that nobody has begun, or nothing of it.
    """
    _, order = orders
    caller, kind, detail = step
    tried = _tried(planner, orders, step, excluded)
    if tried.plan.shortages and order.terms.ship_complete:
        tried = _complete(planner, orders, step, (excluded, tried))
    order = tried.after[order.order_id]
    if not tried.is_lost:
        order = _with_shortages(planner, (orders[0], order), (tried.question, tried.plan), kind)
    works, number = put_in(
        order.order_id, order.fulfillment_orders, tried.plan, order.next_fulfillment_number
    )
    order = msgspec.structs.replace(order, fulfillment_orders=works, next_fulfillment_number=number)
    order = with_decision(order, tried.plan, caller, kind)
    return _changed(planner, {**tried.after, order.order_id: order}, caller, (kind, detail))


class _Tried(msgspec.Struct, frozen=True):
    """What a plan was asked for, with which orders as they would be, and what came of it."""

    after: dict[OrderId, Order]
    question: PlanQuestion
    plan: Plan
    is_lost: bool = False
    """Whether nobody could be asked: what the order's scope names is gone."""


def _tried(
    planner: Planner,
    orders: tuple[Order, Order],
    step: tuple[Caller, StepKind, str],
    excluded: tuple[LocationId, ...],
) -> _Tried:
    old, order = orders
    caller, kind, _ = step
    after = with_hosts(planner, {order.order_id: order}, caller.at.time_ms)
    order = after[order.order_id]
    question = PlanQuestion(
        lines_for(order, unsourced_quantities(order)),
        order.terms,
        caller.at.time_ms,
        _given_back(old, order),
        excluded,
        order,
        whole=order.lines,
        opened=_opened(planner, orders, after),
    )
    if not question.lines:
        return _Tried(after, question, Plan((), (), (), 0))
    taken = Taken()
    index_of = planner.network.locations.index_of
    taken.give_back(old.fulfillment_orders, order.fulfillment_orders, index_of)
    take_packages(planner, taken, {order.order_id: order}, after)
    try:
        return _Tried(after, question, plan_order(planner, question, taken))
    except Rejected:
        if kind is StepKind.EDITED and _asks_for_more(old, order):
            raise
        # Work can be given back all the same: what waits does so until the scope is there again.
        return _Tried(after, question, nothing_planned(question.lines), is_lost=True)


def _asks_for_more(old: Order, order: Order) -> bool:
    return old.terms != order.terms or bool(grown_lines(old.lines, order.lines))


def _complete(
    planner: Planner,
    orders: tuple[Order, Order],
    step: tuple[Caller, StepKind, str],
    before: tuple[tuple[LocationId, ...], _Tried],
) -> _Tried:
    # All that nobody has begun is planned anew together, or waits together. Short units that are
    # to be cancelled leave the rest complete.
    old, order = orders
    excluded, tried = before
    begun = tuple(work for work in order.fulfillment_orders if not is_unreleased(work))
    if begun == order.fulfillment_orders:
        return tried
    whole = msgspec.structs.replace(order, fulfillment_orders=begun)
    again = _tried(planner, (old, whole), step, excluded)
    may_cancel = planner.shortage_policy(order.terms) is ShortagePolicy.CANCEL
    return tried if again.plan.shortages and may_cancel and not tried.is_lost else again


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


def _opened(
    planner: Planner, orders: tuple[Order, Order], after: Changed
) -> tuple[FulfillmentOrder, ...]:
    # What goes elsewhere by now joins no parcel of its former guests.
    old, order = orders
    if old.terms.address != order.terms.address:
        return ()
    return tuple(hosts_among(planner, {order.order_id: order}, after))


def changed_order(
    planner: Planner, order: Order, caller: Caller, step: tuple[StepKind, str]
) -> OrderChanged:
    """Return the event of a change: the stamped order and what it does to positions.

    Guests whose host it takes away change with it.
    """
    after = with_hosts(planner, {order.order_id: order}, caller.at.time_ms)
    return _changed(planner, after, caller, step)


def _changed(
    planner: Planner, after: dict[OrderId, Order], caller: Caller, step: tuple[StepKind, str]
) -> OrderChanged:
    # The first is the order that changes, the others are those of guests.
    kind, detail = step
    order_id, order = next(iter(after.items()))
    claims = claim_changes(
        planner.orders.get(order_id).fulfillment_orders, order.fulfillment_orders
    )
    guests = guests_of(planner, {order_id: order}, after, caller)
    stamp = stamped(order, caller, kind, detail.strip())
    return OrderChanged(stamp, claims, kind, tuple(guests))


def order_to_change(planner: Planner, order_id: OrderId, etag: str) -> Order:
    """Return an order, or refuse with ORDER_NOT_FOUND or ETAG_MISMATCH."""
    order = planner.orders.get(order_id)
    check_etag(etag, order.revision, f"order {order_id!r}")
    return order


def _check_unfinished(order: Order) -> None:
    # What was cancelled or is with the customer stays so: no edit brings an order back to life.
    if is_finished(order):
        status = order_status(order)
        raise Rejected(
            Reason.ORDER_FINISHED,
            f"order {order.order_id!r} is {status.name}, nothing of it is left to do: place a new "
            "order",
            order_id=order.order_id,
            status=status.name,
        )
