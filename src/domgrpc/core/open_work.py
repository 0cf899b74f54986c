"""Open work: the unreleased legs of orders that may be planned again, all of them together.

A leg takes part as far as its work has its stock; what cannot take part stays where it is, and
`Staying` says why. What a leg would cost from each location is computed as placing would, so that
a plan of all of them can be compared with it (open_figures.py, open_costs.py).
"""

from array import array

import msgspec

from domgrpc.core.candidates import costs_everywhere
from domgrpc.core.network import Ask
from domgrpc.core.open_figures import Lying, open_legs
from domgrpc.core.open_legs import UNITS_MAX, OpenLeg, OpenOrder
from domgrpc.core.order_legs import Leg
from domgrpc.core.order_planning import ask_of, leg_question
from domgrpc.core.order_works import claimed_units
from domgrpc.core.orders import (
    FulfillmentOrder,
    FulfillmentState,
    Order,
    OrderLine,
    is_unreleased,
)
from domgrpc.core.planner import Planner, PlanQuestion
from domgrpc.core.plans import QuotedPackage
from domgrpc.core.rejections import Rejected
from domgrpc.core.replan_proposals import BacklogQuestion, Staying
from domgrpc.core.scopes import Area, resolve_scope
from domgrpc.core.taken import Taken
from domgrpc.core.values import (
    DeliveryMethod,
    LineId,
    LocationId,
    LocationIndex,
    OrderId,
    Quantity,
    Sku,
    TimeMs,
)

_Works = tuple[FulfillmentOrder, ...]
_How = tuple[BacklogQuestion, Area, TimeMs]


def open_order_ids(planner: Planner, question: BacklogQuestion) -> list[OrderId]:
    """Return the orders with unreleased work in the scope, by id, up to the bound asked for.

    Of more than that, those that cost most.
    """
    area = resolve_scope(planner.network, question.scope)
    index_of = planner.network.locations.index_of
    found: dict[OrderId, None] = {}
    for location_id, orders in planner.orders.open_at.items():
        if index_of[location_id] in area:
            found.update(dict.fromkeys(orders))
    ids = sorted(found)
    if len(ids) > question.order_count_max:
        by_id = planner.orders.by_id
        ids.sort(key=lambda order_id: -_cost(by_id[order_id].fulfillment_orders))
        ids = sorted(ids[: question.order_count_max])
    return ids


def open_order(
    planner: Planner, order_id: OrderId, question: BacklogQuestion, time_ms: TimeMs
) -> OpenOrder | None:
    """Return an order's open work as numbers; None where it is gone.

    O(locations x lines).
    """
    order = planner.orders.by_id.get(order_id)
    if order is None:
        return None
    area = resolve_scope(planner.network, question.scope)
    groups: dict[tuple[DeliveryMethod, LocationId], list[FulfillmentOrder]] = {}
    for work in filter(is_unreleased, order.fulfillment_orders):
        key = (work.delivery_method, work.destination_location_id)
        groups.setdefault(key, []).append(work)
    legs: list[OpenLeg] = []
    staying: dict[FulfillmentOrder, Staying] = {}
    shares = _shares(planner, [work for works in groups.values() for work in works])
    for works in groups.values():
        found = shares or _open_leg(planner, order, works, (question, area, time_ms))
        if isinstance(found, Staying):
            staying |= dict.fromkeys(works, found)
        else:
            legs += found[0]
            staying |= dict.fromkeys(found[1], Staying.BACKORDERED)
    return OpenOrder(
        order.order_id,
        order.revision,
        tuple(legs),
        tuple(map(_package, staying)),
        _cost(tuple(staying)),
        tuple(staying.values()),
    )


def shared_stock(
    planner: Planner, orders: list[OpenOrder], time_ms: TimeMs
) -> dict[Sku, "array[int]"]:
    """Return by SKU and location the units that these orders may use, their own included.

    Of several methods by which a SKU is asked for, the one that leaves least counts. Where less is
    left than was promised, it is less than what lies there.
    """
    network = planner.network
    network.refresh(time_ms)
    own: dict[tuple[Sku, LocationIndex], int] = {}
    asks: dict[Sku, dict[Ask, None]] = {}
    for each in orders:
        terms = planner.orders.by_id[each.order_id].terms
        for leg in each.legs:
            for need in leg.needs:
                key = (need.sku, need.present)
                own[key] = own.get(key, 0) + need.quantity
                ask = ask_of(terms, leg.delivery_method, time_ms)
                asks.setdefault(need.sku, {})[ask] = None
    return {sku: _usable(planner, sku, list(found), own) for sku, found in asks.items()}


def _usable(
    planner: Planner, sku: Sku, asks: list[Ask], own: dict[tuple[Sku, LocationIndex], int]
) -> "array[int]":
    network = planner.network
    units = array("q", bytes(8 * len(network.locations.by_index)))
    stock = network.stock.find(sku)
    assert stock is not None, sku
    for slot, number in enumerate(stock.location_indexes):
        index = LocationIndex(number)
        mine = own.get((sku, index), 0)
        least = min(network.sellable(stock, slot, ask, mine)[0] for ask in asks)
        units[index] = min(max(least, 0), UNITS_MAX)
    return units


def _open_leg(
    planner: Planner, order: Order, works: list[FulfillmentOrder], how: _How
) -> tuple[list[OpenLeg], _Works] | Staying:
    # The leg, what ships alone apart, and the work of it that stays; or why all of it does.
    waiting = tuple(filter(_waits, works))
    moving = tuple(work for work in works if work not in waiting)
    stays = _stays(planner, order, (moving, waiting), how[1])
    if stays is not None:
        return stays
    index_of = planner.network.locations.index_of
    leg = Leg(moving[0].delivery_method, moving[0].destination_location_id, _lines(order, moving))
    rest = tuple(work for work in order.fulfillment_orders if work not in moving)
    whole = PlanQuestion(
        leg.lines,
        order.terms,
        how[2],
        order=msgspec.structs.replace(order, fulfillment_orders=rest),
        merges=False,
        whole=order.lines,
        beside=_lines(order, (*moving, *waiting)),
    )
    # Its own work of a day does not stand in its way.
    taken = Taken()
    taken.give_back(moving, (), index_of)
    try:
        asked = leg_question(planner, whole, leg, (planner.rules(None), taken))
    except Rejected:
        return Staying.SCOPE_GONE
    latest_ms = _latest_ms(order, moving, allow_late=how[0].allow_late)
    parcels = [(work, index_of[work.location_id]) for work in moving]
    lying = Lying(parcels, _short(planner, asked[0].ask, moving), latest_ms)
    found = open_legs(costs_everywhere(planner.network, asked[0]), leg, asked, lying)
    if isinstance(found, Staying):
        return found
    if not waiting:
        found[0] = msgspec.structs.replace(found[0], free_micros=asked[0].prices.package_micros)
    return found, waiting


def _stays(
    planner: Planner, order: Order, works: tuple[_Works, _Works], area: Area
) -> Staying | None:
    moving, waiting = works
    index_of = planner.network.locations.index_of
    if any(index_of[work.location_id] not in area for work in (*moving, *waiting)):
        return Staying.OUT_OF_SCOPE
    if not moving or _is_grouped(order, moving, waiting):
        return Staying.BACKORDERED
    if moving[0].delivery_method in (DeliveryMethod.PICKUP, DeliveryMethod.CURBSIDE):
        return Staying.COLLECTED
    return None


def _shares(planner: Planner, works: list[FulfillmentOrder]) -> Staying | None:
    # All open work of an order that moves is booked anew: what rides in another parcel would pay
    # for one of its own, and so would the guests of what hosts them.
    if any(work.parcel_id for work in works):
        return Staying.RIDES
    hosts = any(work.fulfillment_order_id in planner.orders.guests for work in works)
    return Staying.HOSTS if hosts else None


def _short(planner: Planner, ask: Ask, works: _Works) -> frozenset[tuple[Sku, LocationIndex]]:
    # Where there is less by now than is promised, whoever it is promised to.
    network = planner.network
    found = set()
    for (sku, location_id), units in claimed_units(works).items():
        index, stock = network.locations.index_of[location_id], network.stock.find(sku)
        assert stock is not None, sku
        if network.sellable(stock, stock.slot(index), ask, units)[0] < units:
            found.add((sku, index))
    return frozenset(found)


def _waits(work: FulfillmentOrder) -> bool:
    is_scheduled = work.state is FulfillmentState.SCHEDULED
    return is_scheduled or any(line.backordered_quantity for line in work.lines)


def _is_grouped(order: Order, moving: _Works, waiting: _Works) -> bool:
    # Whether a part of it must travel with what waits.
    groups = {line.line_id: line.package_group for line in order.lines if line.package_group}
    there = {groups.get(line.line_id) for work in waiting for line in work.lines}
    return any(groups.get(line.line_id, "") in there for work in moving for line in work.lines)


def _lines(order: Order, works: _Works) -> tuple[OrderLine, ...]:
    units: dict[LineId, int] = {}
    for work in works:
        for line in work.lines:
            units[line.line_id] = units.get(line.line_id, 0) + line.quantity
    return tuple(
        msgspec.structs.replace(
            line, quantity=Quantity(units[line.line_id]), cancelled_quantity=Quantity(0)
        )
        for line in order.lines
        if line.line_id in units
    )


def _latest_ms(order: Order, works: _Works, *, allow_late: bool) -> int | None:
    # Nothing may come later than it was promised, or than it is planned to come.
    if allow_late:
        return None
    planned_ms = max(work.deliver_by_time_ms for work in works)
    return max(planned_ms, order.terms.promise_time_ms or 0)


def _cost(works: _Works) -> int:
    return sum(
        work.package_cost_micros + work.units_cost_micros + work.price_micros
        for work in works
        if is_unreleased(work)
    )


def _package(work: FulfillmentOrder) -> QuotedPackage:
    return QuotedPackage(
        work.location_id,
        work.delivery_method,
        work.destination_location_id,
        tuple((line.line_id, line.quantity) for line in work.lines),
    )
