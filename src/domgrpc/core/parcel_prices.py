"""Parcel prices: what work costs by its weight, and what it costs less once units leave it.

What joins a parcel is asked for what its weight adds, so what leaves it takes away what its weight
added, at the rates of the day: an order that is made smaller costs what it would have cost placed
so, as long as its rates stand. Who has a parcel pays for what is its own at the least, though the
guests of other orders paid for the step that is gone.
"""

import msgspec

from domgrpc.core.freight import GRAMS_PER_KILOGRAM
from domgrpc.core.journeys import UNREACHABLE, Journey, TransportTable, goes_home
from domgrpc.core.leg_weights import card_at
from domgrpc.core.network import Network
from domgrpc.core.open_parcels import parcel_grams
from domgrpc.core.order_book import Orders, order_of
from domgrpc.core.orders import FulfillmentLine, FulfillmentOrder, Order, OrderTerms
from domgrpc.core.planner import Planner
from domgrpc.core.values import FulfillmentOrderId, Micros, TimeMs


def lightened(planner: Planner, old: Order, order: Order, now_ms: TimeMs) -> Order:
    """Return an order with its work priced for the units that it has no more.

    `old` is the order as the book has it. Work that only lost units costs no more than before;
    where no carrier goes any more it costs what it did for a package. O(the work + its parcels)
    for each work that lost units.
    """
    after = {work.fulfillment_order_id: work for work in order.fulfillment_orders}
    # Work that is gone has taken what it paid with it. Of the rest one after the other becomes
    # lighter, what was planned last first, as its units were taken: each by its own weight.
    works = [work for work in old.fulfillment_orders if work.fulfillment_order_id in after]
    for place in reversed(range(len(works))):
        before, work = works[place], after[works[place].fulfillment_order_id]
        if _units(work) == _units(before):
            continue
        was = _with_works(old, works)
        works[place] = work
        now = _with_works(old, works)
        works[place] = _less_paid(planner, (was, before), (now, work), now_ms)
    return _with_works(order, works)


def package_micros(
    planner: Planner, terms: OrderTerms, work: FulfillmentOrder, now_ms: TimeMs
) -> int | None:
    """Return what the package of a work would cost by itself; None where no carrier goes."""
    table = _way(planner, terms, work, now_ms)
    return None if table is None else _alone_micros(planner.network, table, work)


def _less_paid(
    planner: Planner,
    was: tuple[Order, FulfillmentOrder],
    now: tuple[Order, FulfillmentOrder],
    now_ms: TimeMs,
) -> FulfillmentOrder:
    old, before = was
    _, work = now
    table = _way(planner, old.terms, before, now_ms)
    shares = [_units_share(planner.network, table, each.lines) for each in (before, work)]
    if not shares[0]:
        shares = [_units(before), _units(work)]
    units_micros = before.units_cost_micros * shares[1] // shares[0]
    paid_micros = before.package_cost_micros
    if table is not None and table.cards:
        card = card_at(table, 0)
        heavy, light = (_parcel_grams(planner, *each) for each in (was, now))
        own = 0 if work.parcel_id else _alone_micros(planner.network, table, work)
        saved = card.price(heavy) - card.price(light)
        paid_micros = Micros(min(paid_micros, max(own, paid_micros - saved)))
    return msgspec.structs.replace(
        work, package_cost_micros=paid_micros, units_cost_micros=Micros(units_micros)
    )


def _alone_micros(network: Network, table: TransportTable, work: FulfillmentOrder) -> int:
    grams = sum(
        line.quantity * network.products.fields(line.sku).weight_grams for line in work.lines
    )
    return table.package_micros[0] + card_at(table, 0).price(grams)


def _way(
    planner: Planner, terms: OrderTerms, work: FulfillmentOrder, now_ms: TimeMs
) -> TransportTable | None:
    # What the way of a work costs today, as a table of one row; None where no carrier goes.
    locations = planner.network.locations
    index = locations.index(work.location_id)
    to_store = work.destination_location_id
    there = locations.index(to_store) if to_store else terms.address.point
    residential = goes_home(work.delivery_method, terms.address.address_type)
    journey = Journey(work.delivery_method, there, is_residential=residential)
    table = planner.logistics.table(locations, journey, now_ms, only=(index,))
    return None if table.deliver_by_ms[0] == UNREACHABLE else table


def _units_share(
    network: Network, table: TransportTable | None, lines: tuple[FulfillmentLine, ...]
) -> int:
    # What units cost at today's rates: by what they share the price that was paid for them.
    if table is None:
        return 0
    piece, kilogram = table.unit_micros[0], table.kilogram_micros[0]
    fields = network.products.fields
    return sum(
        line.quantity * (piece + fields(line.sku).weight_grams * kilogram // GRAMS_PER_KILOGRAM)
        for line in lines
    )


def _parcel_grams(planner: Planner, order: Order, work: FulfillmentOrder) -> int:
    # What the parcel weighs that a work of an order is in.
    host = _find(planner.orders, work.parcel_id) if work.parcel_id else work
    return parcel_grams(planner.network, planner.orders, order, host)


def _find(orders: Orders, work_id: FulfillmentOrderId) -> FulfillmentOrder:
    works = orders.by_id[order_of(work_id)].fulfillment_orders
    return next(work for work in works if work.fulfillment_order_id == work_id)


def _with_works(order: Order, works: list[FulfillmentOrder]) -> Order:
    return msgspec.structs.replace(order, fulfillment_orders=tuple(works))


def _units(work: FulfillmentOrder) -> int:
    return sum(line.quantity for line in work.lines)
