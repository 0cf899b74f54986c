"""Open parcels: goods join one of the same customer and address that leaves on the same day.

That costs no package. What ships alone joins nothing, and nothing joins it.
"""

from collections.abc import Iterable, Mapping
from itertools import islice

import msgspec

from domgrpc.core.leg_questions import ParcelFinder
from domgrpc.core.network import Network
from domgrpc.core.order_book import PARCEL_METHODS, Orders, Parcels, takes_more
from domgrpc.core.order_legs import Leg
from domgrpc.core.orders import FulfillmentLine, FulfillmentOrder, Order, OrderLine, OrderTerms
from domgrpc.core.values import FulfillmentOrderId, LocationId, LocationIndex, TimeMs

_PARCELS_TRIED_MAX = 20
"""So many parcels of one place and day are looked at for one that takes more."""


class ParcelQuestion(msgspec.Struct, frozen=True):
    """Who asks for parcels, and when."""

    terms: OrderTerms
    order: Order | None
    """The order that it is for, as it will be: its own parcels come first."""
    time_ms: TimeMs


def parcel_finder(
    network: Network, orders: Orders, leg: Leg, question: ParcelQuestion
) -> ParcelFinder | None:
    """Return what finds the parcel from a location on a day that takes more; None for none."""
    terms, order = question.terms, question.order
    if leg.delivery_method not in PARCEL_METHODS:
        return None
    own = _own_parcels(leg, order) if order is not None else {}
    others: Parcels = {}
    if terms.customer_id:
        others = orders.parcels.get((terms.customer_id, terms.address), {})
    fields = network.products.fields
    if not (own or others) or all(fields(line.sku).ship_alone for line in leg.lines):
        return None
    # The book still has the order as it was.
    own_prefix = f"{order.order_id}/" if order is not None else None

    def parcel_at(index: LocationIndex, day: int) -> FulfillmentOrder | None:
        location_id = network.locations.by_index[index].location_id
        works = [own[location_id, day]] if (location_id, day) in own else []
        there = others.get((location_id, leg.delivery_method, day))
        if there is not None:
            works += _of_others(there, own_prefix)
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


def _of_others(
    there: Mapping[FulfillmentOrderId, FulfillmentOrder], own_prefix: str | None
) -> list[FulfillmentOrder]:
    first = islice(there.items(), _PARCELS_TRIED_MAX)
    return [work for key, work in first if own_prefix is None or not key.startswith(own_prefix)]


def _travels_alone(network: Network, lines: Iterable[OrderLine | FulfillmentLine]) -> bool:
    return any(network.products.fields(line.sku).ship_alone for line in lines)
