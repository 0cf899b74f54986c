"""Open parcels: goods join one of the same customer and address that leaves on the same day.

That costs no package. What ships alone joins nothing, and nothing joins it.
"""

from collections.abc import Iterable, Mapping
from itertools import islice

import msgspec

from domgrpc.core.leg_questions import ParcelFinder
from domgrpc.core.network import Network
from domgrpc.core.order_book import (
    PARCEL_METHODS,
    Orders,
    ParcelKey,
    Parcels,
    order_of,
    takes_more,
)
from domgrpc.core.order_legs import Leg
from domgrpc.core.orders import FulfillmentLine, FulfillmentOrder, Order, OrderLine, OrderTerms
from domgrpc.core.values import FulfillmentOrderId, LocationId, LocationIndex, OrderId, TimeMs

_PARCELS_TRIED_MAX = 20
"""So many parcels of one place and day are looked at for one that takes more."""
GUESTS_MAX = 10
"""So much work joins one parcel: where its host goes, all of their orders are in one event."""
GUEST_LINES_MAX = 500
"""An order of more lines joins no parcel of others, for the same reason."""


class ParcelQuestion(msgspec.Struct, frozen=True):
    """Who asks for parcels, and when."""

    terms: OrderTerms
    order: Order | None
    """The order that it is for, as it will be: its own parcels come first."""
    time_ms: TimeMs
    line_count: int
    """Lines of the whole order."""
    opened: tuple[FulfillmentOrder, ...] = ()
    """Parcels to the same customer and address that the same step opens."""


def parcel_finder(
    network: Network, orders: Orders, leg: Leg, question: ParcelQuestion
) -> ParcelFinder | None:
    """Return what finds the parcel from a location on a day that takes more; None for none."""
    terms, order = question.terms, question.order
    if leg.delivery_method not in PARCEL_METHODS:
        return None
    own = _own_parcels(leg, order) if order is not None else {}
    others: Parcels = {}
    if terms.customer_id and question.line_count <= GUEST_LINES_MAX:
        others = orders.parcels.get((terms.customer_id, terms.address), {})
    fields = network.products.fields
    is_open = own or others or question.opened
    if not is_open or all(fields(line.sku).ship_alone for line in leg.lines):
        return None
    # The book still has the order as it was.
    own_id = order.order_id if order is not None else None

    def parcel_at(index: LocationIndex, day: int) -> FulfillmentOrder | None:
        location_id = network.locations.by_index[index].location_id
        works = [own[location_id, day]] if (location_id, day) in own else []
        key = (location_id, leg.delivery_method, day)
        works += [work for work in question.opened if takes_more(work) and _key(work) == key]
        works += _of_others(orders, others.get(key, {}), own_id)
        for work in works:
            if work.ship_by_time_ms > question.time_ms and not _travels_alone(network, work.lines):
                return work
        return None

    return parcel_at


def _own_parcels(leg: Leg, order: Order) -> dict[tuple[LocationId, int], FulfillmentOrder]:
    own: dict[tuple[LocationId, int], FulfillmentOrder] = {}
    for work in order.fulfillment_orders:
        if takes_more(work) and work.delivery_method is leg.delivery_method:
            own.setdefault((work.location_id, work.capacity_day), work)
    return own


def _key(work: FulfillmentOrder) -> ParcelKey:
    return work.location_id, work.delivery_method, work.capacity_day


def _of_others(
    orders: Orders,
    there: Mapping[FulfillmentOrderId, FulfillmentOrder],
    own_id: OrderId | None,
) -> list[FulfillmentOrder]:
    return [
        work
        for key, work in islice(there.items(), _PARCELS_TRIED_MAX)
        if (own_id is None or order_of(key) != own_id)
        and len(orders.guests.get(key, ())) < GUESTS_MAX
    ]


def _travels_alone(network: Network, lines: Iterable[OrderLine | FulfillmentLine]) -> bool:
    return any(network.products.fields(line.sku).ship_alone for line in lines)
