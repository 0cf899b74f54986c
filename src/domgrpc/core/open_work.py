"""Open work: the unreleased legs of orders as numbers, for planning all of them together.

A leg takes part as far as its work has its stock and is sent whole by SKU; what cannot take part
stays where it is, and `Staying` says why. What a leg would cost from each location is computed as
placing would, so that a plan of all of them can be compared with it; open_costs.py adds it up.
"""

from array import array
from collections.abc import Iterator

import msgspec

from domgrpc.core.candidates import Everywhere, costs_everywhere
from domgrpc.core.freight import Steps
from domgrpc.core.leg_questions import LegLimits, LegQuestion
from domgrpc.core.network import Ask
from domgrpc.core.order_legs import Leg
from domgrpc.core.order_planning import ask_of, leg_question
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
from domgrpc.core.routing.instance import RateCard
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

LEG_COST_MAX = 1 << 40
"""A leg that may cost more, in micros, stays where it is: a million of the currency unit."""
BACKORDER_MICROS = 1 << 42
"""What it counts to leave open work without a place: more than any place costs."""
_UNITS_MAX = 1 << 40


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
    unit_grams: int = 0


class OpenLeg(msgspec.Struct, frozen=True, array_like=True):
    """A leg of an order that may be planned again."""

    delivery_method: DeliveryMethod
    store_id: LocationId
    needs: tuple[OpenNeed, ...]
    package_costs: bytes
    """By location, as int64 of this machine: micros."""
    cards: tuple[Steps, ...] = ()
    """What packages cost more by their weight."""
    card_of: bytes = b""
    """By location, as int64 of this machine: its card, -1 for none. Empty where there are none."""
    free_micros: int = 0
    """What its first package costs less than each further one."""
    groups: tuple[tuple[int, ...], ...] = ()
    """Needs that must travel in one package, by place."""
    package_count_max: int = 0
    """0 for no limit."""

    @property
    def grams(self) -> int:
        """Return what all of it weighs."""
        return sum(need.quantity * need.unit_grams for need in self.needs)


class OpenOrder(msgspec.Struct, frozen=True, array_like=True):
    """An order with legs that may be planned again, and the packages that stay."""

    order_id: OrderId
    revision: Revision
    legs: tuple[OpenLeg, ...]
    staying: tuple[QuotedPackage, ...]
    staying_micros: int
    """What the packages cost that stay."""
    reasons: tuple[Staying, ...]
    """By package that stays: why."""


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
    rides = any(work.parcel_id for works in groups.values() for work in works)
    for works in groups.values():
        # Booked anew, what rides in another parcel would pay for one of its own.
        found = (
            Staying.RIDES if rides else _open_leg(planner, order, works, (question, area, time_ms))
        )
        if isinstance(found, Staying):
            staying |= dict.fromkeys(works, found)
        else:
            legs.append(found[0])
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

    Of several methods by which a SKU is asked for, the one that leaves least counts. What lies
    somewhere may stay there, even where less is left than was promised.
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
        units[index] = min(max(least, mine), _UNITS_MAX)
    return units


def _open_leg(
    planner: Planner, order: Order, works: list[FulfillmentOrder], how: _How
) -> tuple[OpenLeg, _Works] | Staying:
    # The leg, and the work of it that stays; or why all of it does.
    waiting = tuple(filter(_waits, works))
    moving = tuple(work for work in works if work not in waiting)
    stays = _stays(planner, order, (moving, waiting), how[1])
    if stays is not None:
        return stays
    leg = Leg(moving[0].delivery_method, moving[0].destination_location_id, _lines(order, moving))
    rest = tuple(work for work in order.fulfillment_orders if work not in moving)
    whole = PlanQuestion(
        leg.lines,
        order.terms,
        how[2],
        order=msgspec.structs.replace(order, fulfillment_orders=rest),
        merges=False,
        whole=order.lines,
    )
    try:
        asked = leg_question(planner, whole, leg, (planner.rules(None), Taken()))
    except Rejected:
        return Staying.SCOPE_GONE
    latest_ms = _latest_ms(order, moving, allow_late=how[0].allow_late)
    where = (_present(planner, moving), latest_ms)
    found = _numbers(costs_everywhere(planner.network, asked[0]), leg, asked, where)
    if isinstance(found, Staying):
        return found
    if not waiting:
        found = msgspec.structs.replace(found, free_micros=asked[0].prices.package_micros)
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
    if any(work.fulfillment_order_id in planner.orders.guests for work in moving):
        return Staying.HOSTS
    places = {work.location_id for work in moving}
    pairs = {(line.sku, work.location_id) for work in moving for line in work.lines}
    if len({sku for sku, _ in pairs}) < len(pairs):
        return Staying.SPLIT
    return Staying.SEVERAL_PARCELS if len(places) < len(moving) else None


def _waits(work: FulfillmentOrder) -> bool:
    is_scheduled = work.state is FulfillmentState.SCHEDULED
    return is_scheduled or any(line.backordered_quantity for line in work.lines)


def _is_grouped(order: Order, moving: _Works, waiting: _Works) -> bool:
    # Whether a part of it must travel with what waits.
    groups = {line.line_id: line.package_group for line in order.lines if line.package_group}
    there = {groups.get(line.line_id) for work in waiting for line in work.lines}
    return any(groups.get(line.line_id, "") in there for work in moving for line in work.lines)


def _numbers(
    everywhere: Everywhere,
    leg: Leg,
    asked: tuple[LegQuestion, LegLimits],
    where: tuple[dict[Sku, LocationIndex], int | None],
) -> OpenLeg | Staying:
    question, limits = asked
    present, latest_ms = where
    if any(need.fields.ship_alone for need in question.needs):
        return Staying.SHIPS_ALONE
    if any(everywhere.arrivals_ms[present[need.sku]] < 0 for need in question.needs):
        return Staying.UNREACHABLE
    allowed = [_allowed(everywhere, number, latest_ms) for number in range(len(question.needs))]
    for need, places in zip(question.needs, allowed, strict=True):
        places[present[need.sku]] = 1
    anywhere = bytearray(map(max, *allowed)) if len(allowed) > 1 else allowed[0]
    packages = _priced(everywhere.package_costs, anywhere)
    units = list(map(_priced, everywhere.unit_costs, allowed))
    grams = sum(need.quantity * need.fields.weight_grams for need in question.needs)
    dearest = sum(max(row) * need.quantity for row, need in zip(units, question.needs, strict=True))
    by_weight = max((_price(card, grams) for card in everywhere.cards), default=0)
    dearest += (max(packages) + by_weight) * len(question.needs)
    if dearest > LEG_COST_MAX or sum(need.quantity for need in question.needs) > _UNITS_MAX:
        return Staying.TOO_LARGE
    needs = [
        OpenNeed(
            need.sku,
            need.quantity,
            need.lines,
            present[need.sku],
            array("q", row).tobytes(),
            bytes(places),
            need.fields.weight_grams,
        )
        for need, row, places in zip(question.needs, units, allowed, strict=True)
    ]
    return OpenLeg(
        leg.delivery_method,
        leg.store_id,
        tuple(needs),
        array("q", packages).tobytes(),
        everywhere.cards,
        array("q", everywhere.card_of).tobytes() if everywhere.cards else b"",
        groups=limits.groups,
        package_count_max=limits.package_count_max,
    )


def _price(card: Steps, grams: int) -> int:
    return rate_card(card).price(grams)


def rate_card(steps: Steps) -> RateCard:
    """Return what weight steps cost, as the solver counts it."""
    return RateCard(tuple(grams for grams, _ in steps), tuple(micros for _, micros in steps))


def _present(planner: Planner, works: _Works) -> dict[Sku, LocationIndex]:
    # Where each SKU of the works lies.
    index_of = planner.network.locations.index_of
    return {line.sku: index_of[work.location_id] for work in works for line in work.lines}


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


def _allowed(everywhere: Everywhere, number: int, latest_ms: int | None) -> bytearray:
    if latest_ms is None:
        return bytearray(everywhere.allowed[number])
    return bytearray(
        use and arrival_ms <= latest_ms
        for use, arrival_ms in zip(everywhere.allowed[number], everywhere.arrivals_ms, strict=True)
    )


def _priced(costs: list[int], allowed: bytearray) -> list[int]:
    # What is not allowed has a price that says nothing; it would be beyond all bounds.
    return [cost if use else 0 for cost, use in zip(costs, allowed, strict=True)]


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
