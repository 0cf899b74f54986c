"""Open work: the unreleased legs of orders as numbers, for planning all of them together.

A leg takes part where each of its lines lies at one location, its stock is there, and nothing but
stock, dates and rules binds it; all other work stays where it is. What a leg would cost from each
location is computed as placing would, so that a plan of all of them can be compared with it.
"""

from array import array
from collections.abc import Iterator

import msgspec

from domgrpc.core.candidates import Everywhere, costs_everywhere
from domgrpc.core.network import Ask
from domgrpc.core.order_legs import Leg
from domgrpc.core.order_planning import Planner, PlanQuestion, ask_of, leg_question
from domgrpc.core.orders import (
    FulfillmentOrder,
    FulfillmentState,
    Order,
    OrderLine,
    is_unreleased,
)
from domgrpc.core.plans import QuotedPackage
from domgrpc.core.rejections import Rejected
from domgrpc.core.replan_proposals import BacklogQuestion
from domgrpc.core.scopes import Area, resolve_scope
from domgrpc.core.taken import Taken
from domgrpc.core.values import (
    DeliveryMethod,
    LineId,
    LocationId,
    LocationIndex,
    OrderId,
    Quantity,
    Revision,
    Sku,
    TimeMs,
)

BACKORDER_MICROS = 1 << 44
"""What it counts to leave open work without a place: more than any place costs."""


class OpenNeed(msgspec.Struct, frozen=True, array_like=True):
    """Units of one SKU of a leg, of which lines they are, and where they lie now."""

    sku: Sku
    quantity: int
    lines: tuple[tuple[LineId, int], ...]
    present: LocationIndex
    unit_costs: bytes
    """By location, as int64 of this machine: micros a unit."""
    allowed: bytes
    """By location: 1 where they may lie."""


class OpenLeg(msgspec.Struct, frozen=True, array_like=True):
    """A leg of an order that may be planned again."""

    delivery_method: DeliveryMethod
    store_id: LocationId
    needs: tuple[OpenNeed, ...]
    package_costs: bytes
    """By location, as int64 of this machine: micros."""


class OpenOrder(msgspec.Struct, frozen=True, array_like=True):
    """An order with legs that may be planned again, and the packages that stay."""

    order_id: OrderId
    revision: Revision
    legs: tuple[OpenLeg, ...]
    staying: tuple[QuotedPackage, ...]


def open_order_ids(planner: Planner, question: BacklogQuestion) -> list[OrderId]:
    """Return the orders with unreleased work in the scope, by id, up to the bound asked for."""
    area = resolve_scope(planner.network, question.scope)
    index_of = planner.network.locations.index_of
    found: dict[OrderId, None] = {}
    for location_id, orders in planner.orders.open_at.items():
        if index_of[location_id] in area:
            found.update(dict.fromkeys(orders))
    return sorted(found)[: question.order_count_max]


def open_order(
    planner: Planner, order_id: OrderId, question: BacklogQuestion, time_ms: TimeMs
) -> OpenOrder | None:
    """Return an order's open work as numbers; None where nothing of it may move.

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
    staying: list[QuotedPackage] = []
    for works in groups.values():
        leg = _open_leg(planner, order, works, (question, area, time_ms))
        if leg is None:
            staying += [_package(work) for work in works]
        else:
            legs.append(leg)
    if not legs:
        return None
    return OpenOrder(order.order_id, order.revision, tuple(legs), tuple(staying))


def shared_stock(
    planner: Planner, orders: list[OpenOrder], time_ms: TimeMs
) -> dict[Sku, "array[int]"]:
    """Return by SKU and location the units that these orders may use, their own included.

    Of several methods by which a SKU is asked for, the one that leaves least counts.
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
        units[index] = min(network.sellable(stock, slot, ask, mine)[0] for ask in asks)
    return units


def _open_leg(
    planner: Planner,
    order: Order,
    works: list[FulfillmentOrder],
    how: tuple[BacklogQuestion, Area, TimeMs],
) -> OpenLeg | None:
    asked, area, time_ms = how
    present = _present(planner, works)
    if present is None or any(
        planner.network.locations.index(work.location_id) not in area for work in works
    ):
        return None
    leg = Leg(works[0].delivery_method, works[0].destination_location_id, _lines(order, works))
    if leg.starts_at_store or any(line.package_group for line in leg.lines):
        return None
    whole = PlanQuestion(leg.lines, order.terms, time_ms, order=order, merges=False)
    rules = planner.rules(None)
    try:
        question, limits = leg_question(planner, whole, leg, (rules, Taken()))
    except Rejected:
        # What its scope names is gone: it stays where it is.
        return None
    if limits.package_count_max or any(need.fields.ship_alone for need in question.needs):
        return None
    everywhere = costs_everywhere(planner.network, question)
    latest_ms = _latest_ms(order, works, allow_late=asked.allow_late)
    allowed = [_allowed(everywhere, number, latest_ms) for number in range(len(question.needs))]
    needs = []
    for need, places, costs in zip(question.needs, allowed, everywhere.unit_costs, strict=True):
        places[present[need.sku]] = 1
        needs.append(
            OpenNeed(
                need.sku,
                need.quantity,
                need.lines,
                present[need.sku],
                _priced(costs, places),
                bytes(places),
            )
        )
    anywhere = bytearray(map(max, *allowed)) if len(allowed) > 1 else allowed[0]
    packages = _priced(everywhere.package_costs, anywhere)
    return OpenLeg(leg.delivery_method, leg.store_id, tuple(needs), packages)


def _present(planner: Planner, works: list[FulfillmentOrder]) -> dict[Sku, LocationIndex] | None:
    # Where each SKU of the works lies; None where one lies at two places, or waits for supply.
    found: dict[Sku, LocationIndex] = {}
    for work in works:
        if work.state is FulfillmentState.SCHEDULED:
            return None
        index = planner.network.locations.index(work.location_id)
        for line in work.lines:
            if found.setdefault(line.sku, index) != index or line.backordered_quantity:
                return None
    return found


def _lines(order: Order, works: list[FulfillmentOrder]) -> tuple[OrderLine, ...]:
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


def _latest_ms(order: Order, works: list[FulfillmentOrder], *, allow_late: bool) -> int | None:
    # Nothing may come later than it was promised, or than it is planned to come.
    if allow_late:
        return None
    planned_ms = max(work.deliver_by_time_ms for work in works)
    return max(planned_ms, order.terms.promise_time_ms or 0)


def _allowed(everywhere: Everywhere, number: int, latest_ms: int | None) -> bytearray:
    if latest_ms is None:
        return bytearray(everywhere.allowed[number])
    return bytearray(
        use and arrival_ms <= latest_ms
        for use, arrival_ms in zip(everywhere.allowed[number], everywhere.arrivals_ms, strict=True)
    )


def _priced(costs: list[int], allowed: bytearray) -> bytes:
    # What is not allowed has a price that says nothing; it would be beyond all bounds.
    return array(
        "q", [cost if use else 0 for cost, use in zip(costs, allowed, strict=True)]
    ).tobytes()


def _package(work: FulfillmentOrder) -> QuotedPackage:
    return QuotedPackage(
        work.location_id,
        work.delivery_method,
        work.destination_location_id,
        tuple((line.line_id, line.quantity) for line in work.lines),
    )


def moved_packages(
    order: OpenOrder, places: Iterator[LocationIndex], location_ids: list[LocationId]
) -> tuple[QuotedPackage, ...]:
    """Return the packages of an order whose needs, one after the other, lie at `places`."""
    packages = list(order.staying)
    for leg in order.legs:
        contents: dict[LocationIndex, list[tuple[LineId, int]]] = {}
        for need in leg.needs:
            contents.setdefault(next(places), []).extend(need.lines)
        for index, lines in contents.items():
            ends = leg.store_id
            packages.append(
                QuotedPackage(location_ids[index], leg.delivery_method, ends, tuple(lines))
            )
    return tuple(packages)
