"""Planning open orders again, away from a location that is out of use.

Work that nobody else can do stays where it is, and its order is flagged. order_moves.py books
plans that somebody else made.
"""

import msgspec

from domgrpc.core.locations import Location
from domgrpc.core.order_claims import claim_changes
from domgrpc.core.order_commands import (
    OrderChanged,
    OrdersReplanned,
    ReplanSummary,
)
from domgrpc.core.order_planning import plan_order
from domgrpc.core.order_works import (
    lines_for,
    put_in,
    stamped,
    taken_out,
    with_decision,
)
from domgrpc.core.orders import (
    Attention,
    FulfillmentOrder,
    Order,
    StepKind,
    is_unreleased,
)
from domgrpc.core.parcel_hosts import changes_with_hosts
from domgrpc.core.parcel_prices import lightened
from domgrpc.core.planner import Planner, PlanQuestion
from domgrpc.core.plans import Plan, nothing_planned
from domgrpc.core.rejections import Rejected
from domgrpc.core.reservations import Caller
from domgrpc.core.taken import Taken
from domgrpc.core.values import (
    LineId,
    LocationId,
    OrderId,
    TimeMs,
)

PLANNING_FAILED = "planning it failed"
"""What an order's history and the summary say where planning it broke by a bug of ours."""
OUTAGE_ORDERS_PER_RECORD_MAX = 100
NOBODY_ELSE = "no other location can do all of its work"
OUTAGE_LINES_PER_RECORD_MAX = 5_000
"""Beyond so many lines a record takes no further order."""


# --- outages


def displaced_orders(planner: Planner, now_ms: TimeMs) -> dict[OrderId, tuple[LocationId, ...]]:
    """Return the orders with open work at locations out of use, and at which; up to a bound.

    Those that were tried in the same outage and are flagged since are left out.
    O(locations with open work + orders at those out of use).
    """
    locations, orders = planner.network.locations, planner.orders
    found: dict[OrderId, tuple[LocationId, ...]] = {}
    line_count = 0
    closed = [
        location_id
        for location_id in orders.open_at
        if not locations.is_enabled(locations.index(location_id), now_ms)
    ]
    for location_id in sorted(closed):
        location = locations.get(location_id)
        for order_id in orders.open_at[location_id]:
            order = orders.by_id[order_id]
            if order_id in found:
                found[order_id] = (*found[order_id], location_id)
            elif not _was_tried(order, location) and not _is_full(len(found), line_count):
                found[order_id] = (location_id,)
                line_count += len(order.lines)
    return found


def _is_full(order_count: int, line_count: int) -> bool:
    return order_count >= OUTAGE_ORDERS_PER_RECORD_MAX or line_count >= OUTAGE_LINES_PER_RECORD_MAX


def _was_tried(order: Order, location: Location) -> bool:
    # In this outage: the flag of an earlier one says nothing about what is possible by now.
    window = location.disabled_window
    return (
        order.attention is Attention.LOCATION_DISABLED
        and order.revision > location.revision
        and window is not None
        and order.update_time_ms >= window.start_time_ms
    )


def decide_outage(planner: Planner, caller: Caller) -> OrdersReplanned | None:
    """Plan a number of displaced orders again; None where there are none.

    One after the other: what the plan of one takes is not there for the next.
    """
    displaced = displaced_orders(planner, caller.at.time_ms)
    taken = Taken()
    changes = []
    skipped = []
    for order_id, location_ids in displaced.items():
        order = planner.orders.by_id[order_id]
        tried = taken.copied()
        try:
            changed = moved_away(planner, order, (location_ids, tried), caller)
        except AssertionError:
            raise
        except Exception as broken:  # noqa: BLE001 - one order must not keep all others there
            changed = _left_there(order, caller, f"{PLANNING_FAILED}: {type(broken).__name__}")
            skipped.append((order_id, changed.order.history[-1].detail))
        else:
            taken.become(tried)
            if changed.order.attention is Attention.LOCATION_DISABLED:
                skipped.append((order_id, NOBODY_ELSE))
        changes.append(changed)
    if not changes:
        return None
    applied = tuple(change.order.order_id for change in changes if change.claims)
    told = changes_with_hosts(planner, changes, caller)
    return OrdersReplanned(told, ReplanSummary(applied, tuple(skipped)))


def _left_there(old: Order, caller: Caller, detail: str) -> OrderChanged:
    order = stamped(old, caller, StepKind.REPLANNED, detail)
    order = msgspec.structs.replace(order, attention=Attention.LOCATION_DISABLED)
    return OrderChanged(order, (), StepKind.REPLANNED)


def moved_away(
    planner: Planner,
    old: Order,
    where: tuple[tuple[LocationId, ...], Taken],
    caller: Caller,
) -> OrderChanged:
    """Plan the open work of an order again that lies at some locations; the rest is flagged."""
    location_ids, taken = where
    needs: dict[LineId, int] = {}
    displaced = [w for w in _open_works(old) if w.location_id in location_ids]
    staying = tuple(work for work in old.fulfillment_orders if work not in displaced)
    for work in displaced:
        for line in work.lines:
            needs[line.line_id] = needs.get(line.line_id, 0) + line.quantity
    question = PlanQuestion(
        lines_for(old, needs),
        old.terms,
        caller.at.time_ms,
        excluded=location_ids,
        order=msgspec.structs.replace(old, fulfillment_orders=staying),
        may_backorder=False,
        whole=old.lines,
    )
    try:
        plan = plan_order(planner, question, taken)
    except Rejected:
        # What its scope names is gone: nobody else may do it.
        plan = nothing_planned(question.lines)
    stuck = {shortage.line_id: shortage.quantity for shortage in plan.shortages}
    leaving = {line_id: units - stuck.get(line_id, 0) for line_id, units in needs.items()}
    works, _ = taken_out(old.fulfillment_orders, leaving, only_at=location_ids)
    left = msgspec.structs.replace(old, fulfillment_orders=works)
    works = lightened(planner, old, left, caller.at.time_ms).fulfillment_orders
    detail = _outcome(location_ids, plan)
    changed = rebooked(old, works, plan, (caller, detail))
    if stuck:
        order = msgspec.structs.replace(changed.order, attention=Attention.LOCATION_DISABLED)
        changed = msgspec.structs.replace(changed, order=order)
    return changed


def _outcome(location_ids: tuple[LocationId, ...], plan: Plan) -> str:
    # What history says: work that stays has not gone away.
    places = ", ".join(location_ids)
    if not plan.packages:
        return f"still at {places}: {NOBODY_ELSE}"
    return f"away from {places}" + (f" in part: {NOBODY_ELSE}" if plan.shortages else "")


def rebooked(
    old: Order, works: tuple[FulfillmentOrder, ...], plan: Plan, why: tuple[Caller, str]
) -> OrderChanged:
    """Return the event of a new plan: its packages beside the work that stays."""
    caller, detail = why
    works, number = put_in(old.order_id, works, plan, old.next_fulfillment_number)
    order = msgspec.structs.replace(old, fulfillment_orders=works, next_fulfillment_number=number)
    order = with_decision(order, plan, caller, StepKind.REPLANNED)
    claims = claim_changes(old.fulfillment_orders, works)
    return OrderChanged(
        stamped(order, caller, StepKind.REPLANNED, detail), claims, StepKind.REPLANNED
    )


def _open_works(order: Order) -> tuple[FulfillmentOrder, ...]:
    return tuple(filter(is_unreleased, order.fulfillment_orders))
