"""Planning open orders again: away from a location that is out of use, and as a whole.

Work that nobody else can do stays where it is, and its order is flagged. A new plan of many
orders is booked as one step: what one order gives back another may take, and an order that
changed since the plan was made, or whose part does not fit any more, keeps what it has.
"""

import msgspec

from domgrpc.core.locations import Location
from domgrpc.core.order_claims import claim_changes
from domgrpc.core.order_commands import (
    ApplyReplan,
    OrderChanged,
    OrderMove,
    OrdersReplanned,
    ReplanSummary,
)
from domgrpc.core.order_planning import plan_order
from domgrpc.core.order_works import (
    Freed,
    claimed_units,
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
from domgrpc.core.parcel_hosts import changes_with_hosts, take_packages, with_hosts
from domgrpc.core.planner import Planner, PlanQuestion
from domgrpc.core.plans import Plan, nothing_planned
from domgrpc.core.quotes import plan_quoted
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
_ROUNDS_MAX = 4
"""So often a new plan is tried as a whole; then its orders are moved one by one."""
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
    works = old.fulfillment_orders
    leaving = {line_id: units - stuck.get(line_id, 0) for line_id, units in needs.items()}
    works, _ = taken_out(works, leaving, only_at=location_ids)
    detail = f"away from {', '.join(location_ids)}"
    changed = rebooked(old, works, plan, (caller, detail))
    if stuck:
        order = msgspec.structs.replace(changed.order, attention=Attention.LOCATION_DISABLED)
        changed = msgspec.structs.replace(changed, order=order)
    return changed


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


# --- a new plan of many orders


def decide_apply_replan(planner: Planner, command: ApplyReplan, caller: Caller) -> OrdersReplanned:
    """Book the moves that still fit, all in one step; say why the others do not."""
    skipped: dict[OrderId, str] = {}
    moves: dict[OrderId, OrderMove] = {}
    for move in command.moves:
        problem = _stale(planner, move, moves)
        if problem:
            skipped[move.order_id] = problem
        else:
            moves[move.order_id] = move
    changes: list[OrderChanged] = []
    for _ in range(_ROUNDS_MAX):
        changes, failed = _booked_moves(planner, moves, caller)
        if not failed:
            break
        # What it would have given back is not free for the others: all is tried without it.
        skipped.update(failed)
        for order_id in failed:
            del moves[order_id]
    else:
        changes, failed = _one_by_one(planner, moves, caller)
        skipped.update(failed)
        for order_id in failed:
            del moves[order_id]
    summary = ReplanSummary(tuple(moves), tuple(skipped.items()))
    return OrdersReplanned(changes_with_hosts(planner, changes, caller), summary)


def _stale(planner: Planner, move: OrderMove, moves: dict[OrderId, OrderMove]) -> str:
    order = planner.orders.by_id.get(move.order_id)
    if order is None:
        return "it does not exist"
    if order.revision != move.order_revision:
        return f"it changed at revision {order.revision}"
    if move.order_id in moves:
        return "it is named twice"
    return ""


def _booked_moves(
    planner: Planner, moves: dict[OrderId, OrderMove], caller: Caller
) -> tuple[list[OrderChanged], dict[OrderId, str]]:
    freed: Freed = {}
    taken = Taken()
    for order_id in moves:
        open_works = _open_works(planner.orders.by_id[order_id])
        for key, units in claimed_units(open_works).items():
            freed[key] = freed.get(key, 0) + units
        taken.give_back(open_works, (), planner.network.locations.index_of)
    _take_for_guests(planner, taken, tuple(moves), caller)
    changes = []
    failed: dict[OrderId, str] = {}
    for order_id, move in moves.items():
        old = planner.orders.by_id[order_id]
        plan = _planned_move(planner, old, move, (freed, taken, caller))
        if isinstance(plan, str):
            failed[order_id] = plan
            continue
        changes.append(rebooked(old, _settled_works(old), plan, (caller, "backlog")))
    return changes, failed


def _one_by_one(
    planner: Planner, moves: dict[OrderId, OrderMove], caller: Caller
) -> tuple[list[OrderChanged], dict[OrderId, str]]:
    # Each gets what is free or was given back before it: one that fails is in nobody's way.
    freed: Freed = {}
    taken = Taken()
    changes = []
    failed: dict[OrderId, str] = {}
    for order_id, move in moves.items():
        old = planner.orders.by_id[order_id]
        open_works = _open_works(old)
        with_own = dict(freed)
        for key, units in claimed_units(open_works).items():
            with_own[key] = with_own.get(key, 0) + units
        tried = taken.copied()
        tried.give_back(open_works, (), planner.network.locations.index_of)
        _take_for_guests(planner, tried, (order_id,), caller)
        plan = _planned_move(planner, old, move, (with_own, tried, caller))
        if isinstance(plan, str):
            failed[order_id] = plan
            continue
        freed, taken = with_own, tried
        changes.append(rebooked(old, _settled_works(old), plan, (caller, "backlog")))
    return changes, failed


def _take_for_guests(
    planner: Planner, taken: Taken, moved: tuple[OrderId, ...], caller: Caller
) -> None:
    # The package of a host that moves stays taken where guests stay behind.
    orders = (planner.orders.by_id[order_id] for order_id in moved)
    settled = {
        order.order_id: msgspec.structs.replace(order, fulfillment_orders=_settled_works(order))
        for order in orders
    }
    after = with_hosts(planner, settled, caller.at.time_ms)
    take_packages(planner, taken, settled, after)


def _settled_works(order: Order) -> tuple[FulfillmentOrder, ...]:
    return tuple(work for work in order.fulfillment_orders if not is_unreleased(work))


def _open_works(order: Order) -> tuple[FulfillmentOrder, ...]:
    return tuple(filter(is_unreleased, order.fulfillment_orders))


def _planned_move(
    planner: Planner,
    old: Order,
    move: OrderMove,
    how: tuple[Freed, Taken, Caller],
) -> Plan | str:
    freed, taken, caller = how
    needs: dict[LineId, int] = {}
    for work in _open_works(old):
        for line in work.lines:
            needs[line.line_id] = needs.get(line.line_id, 0) + line.quantity
    lines = lines_for(old, needs)
    if not lines:
        return "nothing of it is open"
    question = PlanQuestion(
        lines,
        old.terms,
        caller.at.time_ms,
        freed,
        # The packages that stay count among those that it may have.
        order=msgspec.structs.replace(old, fulfillment_orders=_settled_works(old)),
        merges=False,
        whole=old.lines,
    )
    try:
        fresh = plan_order(planner, question, taken.copied())
    except Rejected as rejected:
        return str(rejected)
    return plan_quoted(planner, question, move.packages, fresh, taken=taken)
