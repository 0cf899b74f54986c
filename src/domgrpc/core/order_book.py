"""The order book: all orders, where their open work lies, and what events do to them.

Units of work that has not left are counted in `allocated` of their positions. Beside the orders
the book keeps what planning asks for at every order: how much of a location's capacity each day
is taken, which parcels of a customer could take more, and at which locations open work lies. All
of these are views of the orders, built again from a snapshot.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

import msgspec
from sortedcontainers import SortedDict, SortedList

from domgrpc.core.network import Network
from domgrpc.core.order_commands import ClaimChange, OrderChanged, OrderPlaced
from domgrpc.core.orders import (
    NO_PARCEL,
    Address,
    Attention,
    FulfillmentOrder,
    FulfillmentState,
    Order,
    is_claiming,
    is_finished,
    is_unreleased,
    waiting_skus,
)
from domgrpc.core.rejections import Reason, Rejected
from domgrpc.core.reservation_book import Reservations
from domgrpc.core.reservations import ReservationState
from domgrpc.core.values import (
    CustomerId,
    DeliveryMethod,
    FulfillmentOrderId,
    Limits,
    LocationId,
    LocationIndex,
    OrderId,
    Retention,
    Revision,
    Sku,
    Stamp,
    TimeMs,
)
from domgrpc.core.waiting import Waiting

Recipient = tuple[CustomerId, Address]
ParcelKey = tuple[LocationId, DeliveryMethod, int]
"""From where, how, and the day on which it leaves."""
Parcels = dict[ParcelKey, SortedDict[FulfillmentOrderId, FulfillmentOrder]]
_NONE: Mapping[FulfillmentOrderId, None] = MappingProxyType({})

# --- state


class Orders:
    """All orders that are remembered. Lookups are O(1), changes O(parts of the order)."""

    __slots__ = (
        "_finished_max",
        "_listing",
        "by_id",
        "finished",
        "guests",
        "hosts",
        "limits",
        "open_at",
        "parcels",
        "stirred_count",
        "used_capacity",
        "waiting",
    )

    def __init__(self, limits: Limits, retention: Retention, waiting: Waiting) -> None:
        """Start empty."""
        self.waiting = waiting
        """The orders that wait for stock."""
        self.limits = limits
        self._finished_max = retention.finished_orders_max
        self.by_id: dict[OrderId, Order] = {}
        self.finished: dict[OrderId, Revision] = {}
        """Those of which nothing is left to do and at which revision, in order of finishing."""
        self.open_at: dict[LocationId, SortedDict[OrderId, int]] = {}
        """By location: the orders with unreleased work there, and how many pieces of it."""
        self.parcels: dict[Recipient, Parcels] = {}
        """By customer and address: the parcels on their way there that could take more."""
        self.guests: dict[FulfillmentOrderId, SortedDict[FulfillmentOrderId, OrderId]] = {}
        """By host: the work that is in its parcel and has not left, and of which order it is."""
        self.hosts: dict[OrderId, int] = {}
        """The orders that such work names, forgotten ones too, and how often."""
        self.used_capacity: dict[tuple[LocationId, int], list[int]] = {}
        """By location and day: [packages, units] of the work that takes that day's capacity."""
        self.stirred_count = 0
        """Rises with every change of an order whose work was stuck where it cannot be done."""
        self._listing: SortedList[tuple[TimeMs, OrderId]] | None = None

    def get(self, order_id: OrderId) -> Order:
        """Return an order or refuse with ORDER_NOT_FOUND."""
        order = self.by_id.get(order_id)
        if order is None:
            raise Rejected(
                Reason.ORDER_NOT_FOUND,
                f"order {order_id!r} does not exist, or ended long ago and is forgotten",
                order_id=order_id,
            )
        return order

    def after(self, place: tuple[int, str]) -> Iterator[Order]:
        """Iterate the orders created behind (create time, id), oldest first.

        The sorted listing is made by the first call, O(n log n), and kept from then on.
        """
        if self._listing is None:
            self._listing = SortedList(
                (order.create_time_ms, key) for key, order in self.by_id.items()
            )
        first = (TimeMs(place[0]), OrderId(place[1]))
        for _, order_id in self._listing.irange(first, None, (False, True)):
            yield self.by_id[order_id]

    def retain(self, retention: Retention) -> None:
        """Remember so many finished ones from now on; what is beyond is forgotten."""
        self._finished_max = retention.finished_orders_max
        self._forget_oldest()

    def restore(self, orders: list[Order]) -> None:
        """Add orders from a snapshot, in their order; `finished` comes on its own."""
        for order in orders:
            self.by_id[order.order_id] = order
            self._count(order, 1)

    def restore_finished(self, finished: list[tuple[OrderId, Revision]]) -> None:
        """Add the finished ones of a snapshot; entries of orders that changed since are left."""
        for order_id, revision in finished:
            order = self.by_id.get(order_id)
            if order is not None and order.revision == revision:
                self.finished[order_id] = revision

    def store(self, order: Order) -> None:
        """Put an order in place of its former value and keep the views."""
        old = self.by_id.get(order.order_id)
        same = _NONE if old is None else _unchanged(old, order)
        if old is not None:
            self._count(old, -1, same)
            self.stirred_count += old.attention is Attention.LOCATION_DISABLED
        elif self._listing is not None:
            self._listing.add((order.create_time_ms, order.order_id))
        self.by_id[order.order_id] = order
        self._count(order, 1, same)
        self.waiting.note_change((order.create_time_ms, order.order_id))
        if is_finished(order):
            # One that was among them keeps its place.
            self.finished[order.order_id] = order.revision
            self._forget_oldest()
        else:
            self.finished.pop(order.order_id, None)

    def claims(self, network: Network) -> dict[tuple[Sku, LocationIndex], int]:
        """Return what all orders claim by SKU and location; O(everything)."""
        claimed: dict[tuple[Sku, LocationIndex], int] = {}
        for order in self.by_id.values():
            for work in filter(is_claiming, order.fulfillment_orders):
                index = network.locations.index_of[work.location_id]
                for line in work.lines:
                    key = (line.sku, index)
                    claimed[key] = claimed.get(key, 0) + line.quantity
        return claimed

    def check_invariants(self) -> None:
        """The views are those of the orders, and every order adds up."""
        fresh = Orders(self.limits, Retention(finished_orders_max=self._finished_max), Waiting())
        fresh.restore(list(self.by_id.values()))
        assert fresh.open_at == self.open_at
        assert fresh.used_capacity == self.used_capacity
        assert fresh.parcels == self.parcels
        assert fresh.guests == self.guests
        assert fresh.hosts == self.hosts
        fresh.waiting.check_same(self.waiting)
        assert len(self.finished) <= self._finished_max
        finished = {key: order.revision for key, order in self.by_id.items() if is_finished(order)}
        assert self.finished == finished
        for order in self.by_id.values():
            _check_order(order)
            for work in order.fulfillment_orders:
                if work.parcel_id and is_claiming(work):
                    self._check_guest(order, work)

    def _count(
        self, order: Order, sign: int, same: Mapping[FulfillmentOrderId, None] = _NONE
    ) -> None:
        # `same` is the work that is counted already and stays so.
        self.waiting.count((order.create_time_ms, order.order_id), waiting_skus(order), sign)
        for work in order.fulfillment_orders:
            if work.state is FulfillmentState.CANCELLED or work.fulfillment_order_id in same:
                continue
            self._count_capacity(work, sign)
            if work.parcel_id and is_claiming(work):
                self._count_guest(order.order_id, work, sign)
            if is_unreleased(work):
                self._count_open(order.order_id, work.location_id, sign)
                self._count_parcel(order, work, sign)

    def _count_capacity(self, work: FulfillmentOrder, sign: int) -> None:
        key = (work.location_id, work.capacity_day)
        used = self.used_capacity.get(key)
        if used is None:
            used = self.used_capacity[key] = [0, 0]
        used[0] += 0 if work.parcel_id else sign
        for line in work.lines:
            used[1] += sign * line.quantity
        if not used[1]:
            del self.used_capacity[key]

    def _count_open(self, order_id: OrderId, location_id: LocationId, sign: int) -> None:
        orders = self.open_at.get(location_id)
        if orders is None:
            orders = self.open_at[location_id] = SortedDict()
        count = orders.get(order_id, 0) + sign
        if count:
            orders[order_id] = count
            return
        del orders[order_id]
        if not orders:
            del self.open_at[location_id]

    def _count_guest(self, order_id: OrderId, work: FulfillmentOrder, sign: int) -> None:
        host_id = order_of(work.parcel_id)
        self.hosts[host_id] = self.hosts.get(host_id, 0) + sign
        if not self.hosts[host_id]:
            del self.hosts[host_id]
        guests = self.guests.get(work.parcel_id)
        if guests is None:
            guests = self.guests[work.parcel_id] = SortedDict()
        if sign > 0:
            guests[work.fulfillment_order_id] = order_id
            return
        del guests[work.fulfillment_order_id]
        if not guests:
            del self.guests[work.parcel_id]

    def _check_guest(self, order: Order, work: FulfillmentOrder) -> None:
        # The parcel has one host, which counts it. What was begun may be in one that left.
        host_order = self.by_id.get(order_of(work.parcel_id))
        works = () if host_order is None else host_order.fulfillment_orders
        host = next((w for w in works if w.fulfillment_order_id == work.parcel_id), None)
        if host is None or not is_claiming(host):
            left = host_order is None or (
                host is not None and host.state is not FulfillmentState.CANCELLED
            )
            assert left and not is_unreleased(work), work  # noqa: PT018 - one rule
            return
        assert host_order is not None
        assert host.parcel_id == NO_PARCEL, work
        assert _way(host_order, host) == _way(order, work), work

    def _count_parcel(self, order: Order, work: FulfillmentOrder, sign: int) -> None:
        terms = order.terms
        if not (terms.customer_id and takes_more(work)):
            return
        recipient = (terms.customer_id, terms.address)
        key = (work.location_id, work.delivery_method, work.capacity_day)
        parcels = self.parcels.setdefault(recipient, {})
        there = parcels.get(key)
        if there is None:
            there = parcels[key] = SortedDict()
        if sign > 0:
            there[work.fulfillment_order_id] = work
            return
        del there[work.fulfillment_order_id]
        if not there:
            del parcels[key]
        if not parcels:
            del self.parcels[recipient]

    def _forget_oldest(self) -> None:
        while len(self.finished) > self._finished_max:
            key = next(iter(self.finished))
            del self.finished[key]
            old = self.by_id.pop(key)
            self._count(old, -1)
            if self._listing is not None:
                self._listing.remove((old.create_time_ms, key))


PARCEL_METHODS = (DeliveryMethod.SHIP_TO_HOME, DeliveryMethod.DROP_SHIP)


def takes_more(work: FulfillmentOrder) -> bool:
    """Whether other goods may join the parcel of some work.

    What waits for supply takes nothing more: that would have to wait too.
    """
    return (
        work.state is FulfillmentState.OPEN
        and work.parcel_id == NO_PARCEL
        and work.delivery_method in PARCEL_METHODS
    )


def order_of(work_id: FulfillmentOrderId) -> OrderId:
    """Return the order that work belongs to: ids of work are those of orders and a number."""
    return OrderId(work_id.rpartition("/")[0])


def _unchanged(old: Order, order: Order) -> Mapping[FulfillmentOrderId, None]:
    # Most changes concern one location's work of several; of one there is nothing to be spared.
    is_single = not order.fulfillment_orders[1:]
    if is_single or old.terms != order.terms:
        return _NONE
    before = {work.fulfillment_order_id: work for work in old.fulfillment_orders}
    return {
        work.fulfillment_order_id: None
        for work in order.fulfillment_orders
        if before.get(work.fulfillment_order_id) == work
    }


def _way(order: Order, work: FulfillmentOrder) -> tuple[Recipient, ParcelKey]:
    terms = order.terms
    key = (work.location_id, work.delivery_method, work.capacity_day)
    return (terms.customer_id, terms.address), key


def _check_order(order: Order) -> None:
    left = {line.line_id: line.quantity - line.cancelled_quantity for line in order.lines}
    for work in order.fulfillment_orders:
        assert work.lines, work
        for line in work.lines:
            assert line.quantity > 0, line
            if work.state is not FulfillmentState.CANCELLED:
                left[line.line_id] -= line.quantity
    assert all(units >= 0 for units in left.values()), order


# --- evolve


def evolve_order_placed(
    network: Network, books: tuple[Orders, Reservations], event: OrderPlaced, at: Stamp
) -> None:
    """Store the order and claim its units; a hold that it took over is over."""
    orders, reservations = books
    if event.reservation_id:
        _take_over(network, reservations, event, at)
    _claim(network, event.claims)
    orders.store(event.order)


def evolve_order_changed(network: Network, orders: Orders, event: OrderChanged) -> None:
    """Store the new content, that of guests, and what it does to positions."""
    _claim(network, event.claims)
    orders.store(event.order)
    for guest in event.guests:
        orders.store(guest)


def _take_over(network: Network, reservations: Reservations, event: OrderPlaced, at: Stamp) -> None:
    # The hold becomes a claim of the order: confirmed, and nothing of it left to settle.
    hold = reservations.by_id[event.reservation_id]
    lines = []
    for line in event.taken_over:
        index = network.locations.index_of[line.location_id]
        stock, slot = network.stock.locate(line.sku, index)
        assert stock is not None, line
        stock.soft_reserved[slot] -= line.quantity
        network.stock.touch(stock, slot)
        lines.append(msgspec.structs.replace(line, settled_quantity=line.quantity))
    reservations.store(
        msgspec.structs.replace(
            hold,
            state=ReservationState.CONFIRMED,
            lines=tuple(lines),
            update_time_ms=at.time_ms,
            revision=at.revision,
        )
    )


def _claim(network: Network, claims: tuple[ClaimChange, ...]) -> None:
    index_of = network.locations.index_of
    by_sku = network.stock.by_sku
    for claim in claims:
        stock = by_sku[claim.sku]
        slot = stock.slot(index_of[claim.location_id])
        assert slot >= 0, claim
        stock.allocated[slot] += claim.allocated_delta
        if claim.on_hand_delta:
            stock.on_hand[slot] += claim.on_hand_delta
        network.stock.touch(stock, slot)
