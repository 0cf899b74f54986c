"""Planning open orders again: away from a location that is out of use, and as a whole.

Work that nobody else can do stays where it is, and its order is flagged. A new plan of many
orders is booked as one step: what one order gives back another may take, and an order that
changed since the plan was made, or whose part does not fit any more, keeps what it has.
"""

import msgspec

from domgrpc.core.locations import Location
from domgrpc.core.order_book import claim_changes
from domgrpc.core.order_commands import (
    MOVES_MAX,
    ApplyReplan,
    OrderChanged,
    OrderMove,
    OrdersReplanned,
    ReplanSummary,
)
from domgrpc.core.order_planning import Planner, PlanQuestion, plan_order
from domgrpc.core.order_works import (
    Freed,
    claimed_units,
    put_in,
    stamped,
    taken_out,
    unreleased_quantities,
    with_decision,
)
from domgrpc.core.orders import (
    Attention,
    FulfillmentOrder,
    Order,
    OrderLine,
    StepKind,
    is_unreleased,
)
from domgrpc.core.plans import LineShortage, Plan
from domgrpc.core.quotes import plan_quoted
from domgrpc.core.rejections import Reason, Rejected
from domgrpc.core.reservations import Caller
from domgrpc.core.taken import Taken
from domgrpc.core.values import (
    LineId,
    LocationId,
    OrderId,
    Quantity,
    Sku,
    TimeMs,
)

PLANNING_FAILED = "planning it failed"
"""What an order's history and the summary say where planning it broke by a bug of ours."""
OUTAGE_ORDERS_PER_RECORD_MAX = 100
MOVED_CELLS_MAX = 200_000
"""Packages times locations that one step books: a fraction of a second."""
_ROUNDS_MAX = 2
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
            changed = _moved_away(planner, order, (location_ids, tried), caller)
        except AssertionError:
            raise
        except Exception as broken:  # noqa: BLE001 - one order must not keep all others there
            changed = _left_there(order, caller, f"{PLANNING_FAILED}: {type(broken).__name__}")
            skipped.append((order_id, changed.order.history[-1].detail))
        else:
            taken.become(tried)
            if changed.order.attention is Attention.LOCATION_DISABLED:
                skipped.append((order_id, "no other location can do all of its work"))
        changes.append(changed)
    if not changes:
        return None
    applied = tuple(change.order.order_id for change in changes if change.claims)
    return OrdersReplanned(tuple(changes), ReplanSummary(applied, tuple(skipped)))


def _left_there(old: Order, caller: Caller, detail: str) -> OrderChanged:
    order = stamped(old, caller, StepKind.REPLANNED, detail)
    order = msgspec.structs.replace(order, attention=Attention.LOCATION_DISABLED)
    return OrderChanged(order, (), StepKind.REPLANNED)


def _moved_away(
    planner: Planner,
    old: Order,
    where: tuple[tuple[LocationId, ...], Taken],
    caller: Caller,
) -> OrderChanged:
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
        left = (LineShortage(line.line_id, line.sku, line.quantity) for line in question.lines)
        plan = Plan((), (), tuple(left), 0)
    stuck = {shortage.line_id: shortage.quantity for shortage in plan.shortages}
    works = old.fulfillment_orders
    leaving = {line_id: units - stuck.get(line_id, 0) for line_id, units in needs.items()}
    works, _ = taken_out(works, leaving, only_at=location_ids)
    detail = f"away from {', '.join(location_ids)}"
    changed = _rebooked(old, works, plan, (caller, detail))
    if stuck:
        order = msgspec.structs.replace(changed.order, attention=Attention.LOCATION_DISABLED)
        changed = msgspec.structs.replace(changed, order=order)
    return changed


def lines_for(order: Order, needs: dict[LineId, int]) -> tuple[OrderLine, ...]:
    """Return the lines of an order with these quantities, those without any left out."""
    return tuple(
        msgspec.structs.replace(
            line, quantity=Quantity(needs[line.line_id]), cancelled_quantity=Quantity(0)
        )
        for line in order.lines
        if needs.get(line.line_id)
    )


def _rebooked(
    old: Order, works: tuple[FulfillmentOrder, ...], plan: Plan, why: tuple[Caller, str]
) -> OrderChanged:
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
    """Book the moves that still fit, all in one step; say why the others do not.

    Refuses so many moves at so many locations that everybody else would wait for them.
    """
    _check_size(planner, command.moves)
    skipped: dict[OrderId, str] = {}
    moves: dict[OrderId, OrderMove] = {}
    for move in command.moves:
        problem = _stale(planner, move, moves)
        if problem:
            skipped[move.order_id] = problem
        else:
            moves[move.order_id] = move
    booking = _Booking(planner, caller)
    changes: tuple[OrderChanged, ...] = ()
    for _ in range(_ROUNDS_MAX):
        changes, failed = booking.as_a_whole(moves)
        if not failed:
            break
        # What it would have given back is not free for the others: all is tried without it.
        skipped.update(failed)
        for order_id in failed:
            del moves[order_id]
    else:
        changes, failed = booking.one_by_one(moves)
        skipped.update(failed)
        for order_id in failed:
            del moves[order_id]
    summary = ReplanSummary(tuple(moves), tuple(skipped.items()))
    return OrdersReplanned(changes, summary)


def move_count_max(location_count: int) -> int:
    """Return how many moves of one package each are booked at once."""
    return max(1, min(MOVES_MAX, MOVED_CELLS_MAX // max(1, location_count)))


def _check_size(planner: Planner, moves: tuple[OrderMove, ...]) -> None:
    # One order is booked whatever its size, as it was when it was placed.
    location_count = len(planner.network.locations.by_index)
    package_count = sum(max(1, len(move.packages)) for move in moves)
    if len(moves) > 1 and package_count * location_count > MOVED_CELLS_MAX:
        raise Rejected(
            Reason.REPLAN_TOO_LARGE,
            f"{len(moves)} moves of {package_count} packages at {location_count} locations would "
            f"keep all others waiting: hand on moves of {move_count_max(location_count)} packages "
            "or of one order at a time",
            package_count=package_count,
            package_count_max=move_count_max(location_count),
        )


def _stale(planner: Planner, move: OrderMove, moves: dict[OrderId, OrderMove]) -> str:
    order = planner.orders.by_id.get(move.order_id)
    if order is None:
        return "it does not exist"
    if order.revision != move.order_revision:
        return f"it changed at revision {order.revision}"
    if move.order_id in moves:
        return "it is named twice"
    return ""


class _Booking:
    """Tries moves together, and then what fits of them."""

    __slots__ = ("_caller", "_fresh", "_planner")

    def __init__(self, planner: Planner, caller: Caller) -> None:
        """Begin with nothing tried."""
        self._planner = planner
        self._caller = caller
        self._fresh: dict[OrderId, Plan | str] = {}
        """How the orders would be planned now, or why they cannot be."""

    def as_a_whole(
        self, moves: dict[OrderId, OrderMove]
    ) -> tuple[tuple[OrderChanged, ...], dict[OrderId, str]]:
        """Plan the moves, all of which give back what they have before any takes."""
        freed: dict[Sku, Freed] = {}
        taken = Taken()
        for order_id in moves:
            _give_back(self._planner, self._planner.orders.by_id[order_id], freed, taken)
        changes = []
        failed: dict[OrderId, str] = {}
        for order_id, move in moves.items():
            plan = self._plan(move, freed, taken)
            if isinstance(plan, str):
                failed[order_id] = plan
            else:
                changes.append(self._changed(order_id, plan))
        return tuple(changes), failed

    def one_by_one(
        self, moves: dict[OrderId, OrderMove]
    ) -> tuple[tuple[OrderChanged, ...], dict[OrderId, str]]:
        """Plan the moves; each gets what is free or was given back before it.

        One that fails is in nobody's way.
        """
        freed: dict[Sku, Freed] = {}
        taken = Taken()
        changes = []
        failed: dict[OrderId, str] = {}
        for order_id, move in moves.items():
            old = self._planner.orders.by_id[order_id]
            own = {line.sku: dict(freed.get(line.sku, {})) for line in old.lines}
            tried = taken.copied()
            _give_back(self._planner, old, own, tried)
            plan = self._plan(move, own, tried)
            if isinstance(plan, str):
                failed[order_id] = plan
            else:
                freed |= own
                taken = tried
                changes.append(self._changed(order_id, plan))
        return tuple(changes), failed

    def _plan(self, move: OrderMove, freed: dict[Sku, Freed], taken: Taken) -> Plan | str:
        old = self._planner.orders.by_id[move.order_id]
        lines = lines_for(old, unreleased_quantities(old))
        if not lines:
            return "nothing of it is open"
        own = {key: units for line in lines for key, units in freed.get(line.sku, {}).items()}
        time_ms = self._caller.at.time_ms
        question = PlanQuestion(lines, old.terms, time_ms, own, merges=False, whole=old.lines)
        if move.order_id not in self._fresh:
            self._fresh[move.order_id] = _fresh_plan(self._planner, question, taken)
        fresh = self._fresh[move.order_id]
        if isinstance(fresh, str):
            return fresh
        return plan_quoted(self._planner, question, move.packages, fresh, taken=taken)

    def _changed(self, order_id: OrderId, plan: Plan) -> OrderChanged:
        old = self._planner.orders.by_id[order_id]
        return _rebooked(old, _settled_works(old), plan, (self._caller, "backlog"))


def _give_back(planner: Planner, order: Order, freed: dict[Sku, Freed], taken: Taken) -> None:
    open_works = _open_works(order)
    for key, units in claimed_units(open_works).items():
        of_sku = freed.setdefault(key[0], {})
        of_sku[key] = of_sku.get(key, 0) + units
    taken.give_back(open_works, (), planner.network.locations.index_of)


def _fresh_plan(planner: Planner, question: PlanQuestion, taken: Taken) -> Plan | str:
    try:
        return plan_order(planner, question, taken.copied())
    except Rejected as rejected:
        return str(rejected)


def _settled_works(order: Order) -> tuple[FulfillmentOrder, ...]:
    return tuple(work for work in order.fulfillment_orders if not is_unreleased(work))


def _open_works(order: Order) -> tuple[FulfillmentOrder, ...]:
    return tuple(filter(is_unreleased, order.fulfillment_orders))
