"""Moves: a new plan of many orders, booked as one step.

What one order gives back another may take, and an order that changed since the plan was made, or
whose part does not fit any more, keeps what it has.
"""

import msgspec

from domgrpc.core.order_commands import (
    MOVES_MAX,
    ApplyReplan,
    OrderChanged,
    OrderMove,
    OrdersReplanned,
    ReplanSummary,
)
from domgrpc.core.order_planning import plan_order
from domgrpc.core.order_works import Freed, claimed_units, lines_for, unreleased_quantities
from domgrpc.core.orders import FulfillmentOrder, Order, is_unreleased
from domgrpc.core.parcel_hosts import changes_with_hosts, take_packages, with_hosts
from domgrpc.core.planner import Planner, PlanQuestion
from domgrpc.core.plans import Plan
from domgrpc.core.quotes import plan_quoted
from domgrpc.core.rejections import Reason, Rejected
from domgrpc.core.replanning import rebooked
from domgrpc.core.reservations import Caller
from domgrpc.core.taken import Taken
from domgrpc.core.values import OrderId, Sku

MOVED_CELLS_MAX = 200_000
"""Packages times locations that one step books: a fraction of a second."""
_ROUNDS_MAX = 2
"""So often a new plan is tried as a whole; then its orders are moved one by one."""


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
    changes: list[OrderChanged] = []
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
    return OrdersReplanned(changes_with_hosts(planner, changes, caller), summary)


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
    ) -> tuple[list[OrderChanged], dict[OrderId, str]]:
        """Plan the moves, all of which give back what they have before any takes."""
        freed: dict[Sku, Freed] = {}
        taken = Taken()
        for order_id in moves:
            _give_back(self._planner, self._planner.orders.by_id[order_id], freed, taken)
        self._take_for_guests(tuple(moves), taken)
        changes = []
        failed: dict[OrderId, str] = {}
        for order_id, move in moves.items():
            plan = self._plan(move, freed, taken)
            if isinstance(plan, str):
                failed[order_id] = plan
            else:
                changes.append(self._changed(order_id, plan))
        return changes, failed

    def one_by_one(
        self, moves: dict[OrderId, OrderMove]
    ) -> tuple[list[OrderChanged], dict[OrderId, str]]:
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
            self._take_for_guests((order_id,), tried)
            plan = self._plan(move, own, tried)
            if isinstance(plan, str):
                failed[order_id] = plan
            else:
                freed |= own
                taken = tried
                changes.append(self._changed(order_id, plan))
        return changes, failed

    def _take_for_guests(self, moved: tuple[OrderId, ...], taken: Taken) -> None:
        # The package of a host that moves stays taken where guests stay behind.
        planner = self._planner
        orders = (planner.orders.by_id[order_id] for order_id in moved)
        settled = {
            order.order_id: msgspec.structs.replace(order, fulfillment_orders=_settled_works(order))
            for order in orders
        }
        after = with_hosts(planner, settled, self._caller.at.time_ms)
        take_packages(planner, taken, settled, after)

    def _plan(self, move: OrderMove, freed: dict[Sku, Freed], taken: Taken) -> Plan | str:
        old = self._planner.orders.by_id[move.order_id]
        lines = lines_for(old, unreleased_quantities(old))
        if not lines:
            return "nothing of it is open"
        own = {key: units for line in lines for key, units in freed.get(line.sku, {}).items()}
        time_ms = self._caller.at.time_ms
        question = PlanQuestion(
            lines,
            old.terms,
            time_ms,
            own,
            # The packages that stay count among those that it may have.
            order=msgspec.structs.replace(old, fulfillment_orders=_settled_works(old)),
            merges=False,
            whole=old.lines,
        )
        if move.order_id not in self._fresh:
            self._fresh[move.order_id] = _fresh_plan(self._planner, question, taken)
        fresh = self._fresh[move.order_id]
        if isinstance(fresh, str):
            return fresh
        return plan_quoted(self._planner, question, move.packages, fresh, taken=taken)

    def _changed(self, order_id: OrderId, plan: Plan) -> OrderChanged:
        old = self._planner.orders.by_id[order_id]
        return rebooked(old, _settled_works(old), plan, (self._caller, "backlog"))


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
