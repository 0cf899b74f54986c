"""Backorders: what waits is planned again when there may be something for it.

Orders wait with units that nobody could fill, or with work that is stuck where it cannot be done.
Trying one changes nothing unless it helps: then its units are planned as a new order's would be,
or its work goes elsewhere, or, where its location is in use again, it is flagged no more. Units
that a location gave back do not go back there by themselves: it said that it cannot.
"""

from collections.abc import Iterable, Sequence

import msgspec

from domgrpc.core.order_commands import OrderChanged, OrdersReplanned, ReplanSummary
from domgrpc.core.order_planning import ask_of, plan_order
from domgrpc.core.order_works import lines_for, stamped
from domgrpc.core.orders import (
    Attention,
    FulfillmentState,
    Order,
    OrderLine,
    StepKind,
    is_unreleased,
    unsourced_quantities,
)
from domgrpc.core.parcel_hosts import changes_with_hosts
from domgrpc.core.planner import Planner, PlanQuestion
from domgrpc.core.rejections import Rejected
from domgrpc.core.replanning import NOBODY_ELSE, PLANNING_FAILED, moved_away, rebooked
from domgrpc.core.reservations import Caller
from domgrpc.core.stock_index import availability_view
from domgrpc.core.taken import Taken
from domgrpc.core.values import DeliveryMethod, Demand, LineId, LocationId, OrderId, Sku, TimeMs

_AT_LOCATION = (DeliveryMethod.PICKUP, DeliveryMethod.CURBSIDE)


def decide_waiting(
    planner: Planner, order_ids: Iterable[OrderId], caller: Caller
) -> OrdersReplanned | None:
    """Try orders that wait, one after the other; None where nothing could be done for any.

    What the plan of one takes is not there for the next. O(1) for an order of whose SKUs nothing
    is left that may be sold, otherwise what planning it costs.
    """
    attempt = _Attempt(planner, caller)
    changes = []
    broken: list[tuple[OrderId, Exception]] = []
    for order_id in order_ids:
        order = planner.orders.by_id.get(order_id)
        if order is None:
            continue
        try:
            changed = attempt.changed(order)
        except AssertionError:
            raise
        except Exception as error:  # noqa: BLE001 - one order must not keep all others waiting
            broken.append((order_id, error))
            continue
        if changed is not None:
            changes.append(changed)
    if not changes:
        if broken:
            raise broken[0][1]
        return None
    applied = tuple(change.order.order_id for change in changes if change.claims)
    skipped = [
        (change.order.order_id, NOBODY_ELSE)
        for change in changes
        if change.order.attention is Attention.LOCATION_DISABLED
    ]
    skipped += [(order_id, f"{PLANNING_FAILED}: {type(e).__name__}") for order_id, e in broken]
    told = changes_with_hosts(planner, changes, caller)
    return OrdersReplanned(told, ReplanSummary(applied, tuple(skipped)))


class _Attempt:
    """One step that tries orders: what their plans have taken, and what is there to sell."""

    __slots__ = ("_caller", "_offers", "_planner", "_taken", "_time_ms")

    def __init__(self, planner: Planner, caller: Caller) -> None:
        """Begin with nothing taken."""
        self._planner = planner
        self._caller = caller
        self._time_ms: TimeMs = caller.at.time_ms
        self._taken = Taken()
        # Nothing changes within the step: the figures of a SKU are looked up once for a demand.
        self._offers: dict[tuple[Sku, Demand], Sequence[int]] = {}

    def changed(self, order: Order) -> OrderChanged | None:
        """Return what can be done for an order, None where that is nothing."""
        is_flagged = order.attention is Attention.LOCATION_DISABLED
        stuck_at = self._stuck_at(order) if is_flagged else ()
        # Units that wait come first: what is stuck has a claim, and is tried in the next step.
        served = self._served(order, is_stuck=bool(stuck_at))
        if served is not None or not is_flagged:
            return served
        if stuck_at:
            return self._moved(order, stuck_at)
        order = stamped(order, self._caller, StepKind.REPLANNED, "its locations are in use")
        return OrderChanged(order, (), StepKind.REPLANNED)

    def _stuck_at(self, order: Order) -> tuple[LocationId, ...]:
        locations = self._planner.network.locations
        places = dict.fromkeys(
            work.location_id for work in order.fulfillment_orders if is_unreleased(work)
        )
        return tuple(
            location_id
            for location_id in places
            if not locations.is_enabled(locations.index(location_id), self._time_ms)
        )

    def _moved(self, order: Order, stuck_at: tuple[LocationId, ...]) -> OrderChanged | None:
        needs = {
            line.line_id: int(line.quantity)
            for work in order.fulfillment_orders
            if is_unreleased(work) and work.location_id in stuck_at
            for line in work.lines
        }
        if not self._may_help(order, lines_for(order, needs)):
            return None
        changed = moved_away(self._planner, order, (stuck_at, self._taken), self._caller)
        return changed if changed.claims else None

    def _served(self, order: Order, *, is_stuck: bool) -> OrderChanged | None:
        needs = unsourced_quantities(order)
        lines = lines_for(order, needs)
        if not self._may_help(order, lines):
            return None
        question = PlanQuestion(
            lines,
            order.terms,
            self._time_ms,
            excluded=given_back_by(order, needs),
            order=order,
            whole=order.lines,
        )
        try:
            plan = plan_order(self._planner, question, self._taken)
        except Rejected:
            # What its scope names is gone: nobody may do it.
            return None
        if not plan.packages:
            return None
        why = (self._caller, "backordered units")
        changed = rebooked(order, order.fulfillment_orders, plan, why)
        if is_stuck:
            flagged = msgspec.structs.replace(changed.order, attention=Attention.LOCATION_DISABLED)
            return msgspec.structs.replace(changed, order=flagged)
        return changed

    def _may_help(self, order: Order, lines: tuple[OrderLine, ...]) -> bool:
        # What is sent as a whole is helped by all of its units only, anything else by one.
        if order.terms.ship_complete:
            return bool(lines) and all(
                self._are_offered(order, line, line.quantity) for line in lines
            )
        return any(self._are_offered(order, line, 1) for line in lines)

    def _are_offered(self, order: Order, line: OrderLine, count: int) -> bool:
        """Whether so many units of a line may be sold, by whomever; O(locations of the SKU)."""
        demand = ask_of(order.terms, line.delivery_method, self._time_ms).demand
        key = (line.sku, demand)
        if key not in self._offers:
            self._offers[key] = self._offered(order, line)
        units = self._offers[key]
        network = self._planner.network
        taken = self._taken.units.get(line.sku)
        if line.delivery_method in _AT_LOCATION:
            index = network.locations.index(line.location_id)
            _, slot = network.stock.locate(line.sku, index)
            gone = taken.get(index, 0) if taken else 0
            return slot >= 0 and bool(units[slot] - gone >= count)
        if not taken:
            return sum(units) >= count
        indexes = network.stock.by_sku[line.sku].location_indexes
        # Compared as they stand side by side: index and units of one slot.
        left = (
            max(0, there - taken.get(index, 0))  # type: ignore[call-overload]
            for index, there in zip(indexes, units, strict=True)
        )
        return bool(sum(left) >= count)

    def _offered(self, order: Order, line: OrderLine) -> Sequence[int]:
        network = self._planner.network
        stock = network.stock.find(line.sku)
        ask = ask_of(order.terms, line.delivery_method, self._time_ms)
        return () if stock is None else availability_view(network, stock, ask).to_sell


def given_back_by(order: Order, needs: dict[LineId, int]) -> tuple[LocationId, ...]:
    """Return the locations that gave work of some lines back; O(the order)."""
    return tuple(
        dict.fromkeys(
            work.location_id
            for work in order.fulfillment_orders
            if work.state is FulfillmentState.CANCELLED
            and any(line.line_id in needs for line in work.lines)
        )
    )
