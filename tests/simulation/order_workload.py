"""What clients do with orders and routing, chosen by the same seeded die as the rest.

Names come from short lists here too. Of the answers this part remembers the newest orders and
quotes, so that a good part of what it asks next can be done.
"""

from collections.abc import Callable, Sequence
from random import Random
from typing import TypeVar

import msgspec

from domgrpc.core.dispatch import Command
from domgrpc.core.geography import Point
from domgrpc.core.order_commands import (
    AdvanceFulfillmentOrder,
    ApplyReplan,
    CancelOrder,
    EditOrder,
    HoldOrder,
    HoldQuote,
    OrderMove,
    PlaceOrder,
    ReleaseOrder,
)
from domgrpc.core.orders import (
    STORE_METHODS,
    Address,
    FulfillmentOrder,
    FulfillmentState,
    HoldKind,
    Order,
    OrderLine,
    OrderTerms,
    ShortagePolicy,
    is_unreleased,
)
from domgrpc.core.plans import Quote, QuotedPackage, QuotedPlan, QuoteQuestion
from domgrpc.core.scopes import Scope
from domgrpc.core.values import (
    DAY_MS,
    AddressType,
    Channel,
    CustomerId,
    DeliveryMethod,
    FulfillmentOrderId,
    LineId,
    LocationId,
    Micros,
    OrderId,
    Quantity,
    ReservationId,
    Sku,
    TimeMs,
)

T = TypeVar("T")
HOME, PICKUP, CURBSIDE, TO_STORE = (
    DeliveryMethod.SHIP_TO_HOME,
    DeliveryMethod.PICKUP,
    DeliveryMethod.CURBSIDE,
    DeliveryMethod.SHIP_TO_STORE,
)
METHODS = (HOME, HOME, HOME, HOME, HOME, PICKUP, PICKUP, CURBSIDE, TO_STORE)
POINTS = ((40.71, -74.01), (41.88, -87.63), (34.05, -118.24), (29.76, -95.37), (47.61, -122.33))
ALL_ZONES = (2, 2, 2, 2, 5, 5, 5, 5)
SERVICES = ("ground", "air", "bike")
CONDITIONS = (
    "location.type == 'STORE'",
    "location.type != 'STORE'",
    "location.id == 'place-1'",
    "order.channel == 'web' && location.type == 'STORE'",
    "line.sku == 'sku-3' && location.id == 'place-2'",
)
TYPO = "location.typ == 'STORE'"
RULE_SETS_KNOWN = 12
ORDERS_KEPT = 30
QUOTES_KEPT = 8
TARGETS = {
    FulfillmentState.SCHEDULED: (FulfillmentState.OPEN, FulfillmentState.RELEASED),
    FulfillmentState.OPEN: (FulfillmentState.RELEASED,),
    FulfillmentState.RELEASED: (
        FulfillmentState.SHIPPED,
        FulfillmentState.SHIPPED,
        FulfillmentState.READY,
        FulfillmentState.CANCELLED,
    ),
    FulfillmentState.SHIPPED: (FulfillmentState.DELIVERED, FulfillmentState.READY),
    FulfillmentState.READY: (FulfillmentState.COLLECTED,),
}


class Names(msgspec.Struct, frozen=True):
    """What the rest of the workload lends: names, and what only it knows how to draw."""

    skus: tuple[str, ...]
    places: tuple[str, ...]
    scope: Callable[[], Scope]
    hold_id: Callable[[], str]
    etag: Callable[[], str]


class OrderWorkload:
    """See the module. Plain worlds have no limits but stock, so that the auditor knows more."""

    def __init__(
        self, random: Random, now_ms: Callable[[], int], names: Names, *, is_plain: bool
    ) -> None:
        self._draw = random.random
        self._now_ms = now_ms
        self._names = names
        self._is_plain = is_plain
        self._orders: dict[OrderId, Order] = {}
        self._quotes: list[tuple[tuple[OrderLine, ...], OrderTerms, QuotedPlan]] = []
        self._order_count = 0
        self.makers: list[tuple[int, Callable[[], Command]]] = [
            (8, self._place_order),
            (1, self._hold_quote),
            (3, self._edit),
            (2, self._cancel),
            (1, self._hold),
            (1, self._release),
            (9, self._advance),
            (1, self._replan),
        ]

    # --- what is remembered

    def placed(self, order: Order) -> None:
        """Note an order as it stands."""
        self._orders.pop(order.order_id, None)
        self._orders[order.order_id] = order
        if len(self._orders) > ORDERS_KEPT:
            del self._orders[next(iter(self._orders))]

    def quoted(self, question: QuoteQuestion, quote: Quote) -> None:
        """Note what was promised."""
        for option in quote.options[:2]:
            lines = question.lines
            if option.delivery_method:
                lines = tuple(
                    msgspec.structs.replace(
                        line,
                        delivery_method=option.delivery_method,
                        location_id=option.location_id,
                    )
                    for line in lines
                )
            self._quotes.append((lines, question.terms, option.quoted))
        del self._quotes[:-QUOTES_KEPT]

    def order_id(self) -> OrderId:
        """Return the id of an order that was seen, or of none."""
        if not self._orders or self._draw() < 0.03:
            return OrderId("nobody")
        return self._pick(tuple(self._orders))

    def question(self) -> QuoteQuestion:
        """Return a question for what can be promised."""
        ways: tuple[tuple[DeliveryMethod, LocationId], ...] = ()
        if self._draw() < 0.4:
            store = LocationId(self._pick(("", self._pick(self._names.places))))
            ways = ((HOME, LocationId("")), (PICKUP, store))
        return QuoteQuestion(self._lines(), self._terms(), ways)

    # --- orders

    def _place_order(self) -> Command:
        self._order_count += 1
        order_id = OrderId(f"order-{self._order_count}")
        if self._draw() < 0.04:
            order_id = self.order_id()
        elif self._draw() < 0.02:
            order_id = OrderId("")
        lines, terms, quoted = self._lines(), self._terms(), None
        if self._quotes and self._draw() < 0.2:
            lines, terms, quoted = self._pick(self._quotes)
            if self._draw() < 0.1:
                lines = self._lines()
            if self._draw() < 0.15:
                over_ms = TimeMs(max(1, self._now_ms() - 1))
                quoted = msgspec.structs.replace(quoted, expire_time_ms=over_ms)
        hold_id = ""
        if quoted is not None and quoted.reservation_id:
            hold_id = quoted.reservation_id
        elif self._draw() < 0.15:
            hold_id = self._names.hold_id()
        holds = ((HoldKind.FRAUD, "odd"),) if self._draw() < 0.06 else ()
        return PlaceOrder(lines, terms, order_id, quoted, ReservationId(hold_id), holds)

    def _hold_quote(self) -> Command:
        question = self.question()
        name = f"quote-{self._order_count}"
        ttl_ms = 990 + int(self._draw() * 30_000)
        return HoldQuote(
            question.lines, question.terms, ttl_ms, ReservationId(name), question.methods
        )

    def _edit(self) -> Command:
        order_id = self.order_id()
        order = self._orders.get(order_id)
        known = order.lines if order is not None else self._lines()
        lines = tuple(self._changed(line) for line in known if self._draw() < 0.5)
        if self._draw() < 0.3:
            lines += (self._line(f"more-{int(self._draw() * 3)}"),)
        if self._draw() < 0.1:
            lines += (OrderLine(LineId("none"), Sku(""), Quantity(1), HOME),)
        address = self._address() if self._draw() < 0.25 else None
        return EditOrder(order_id, lines, address, self._etag_of(order))

    def _changed(self, line: OrderLine) -> OrderLine:
        lot, units = self._draw(), Quantity(int(self._draw() * 4))
        if lot < 0.6:
            # Only the quantity is said.
            return msgspec.structs.replace(
                line, sku=Sku(""), quantity=units, cancelled_quantity=Quantity(0)
            )
        if lot < 0.65:
            other = Sku(self._pick(self._names.skus))
            return msgspec.structs.replace(line, sku=other, cancelled_quantity=Quantity(0))
        new = self._line(line.line_id)
        return msgspec.structs.replace(new, sku=line.sku)

    def _cancel(self) -> Command:
        order_id = self.order_id()
        order = self._orders.get(order_id)
        lines: tuple[tuple[LineId, Quantity], ...] = ()
        if order is not None and self._draw() < 0.6:
            line = self._pick(order.lines)
            lines = ((line.line_id, Quantity(1 + int(self._draw() * 2))),)
            if self._draw() < 0.1:
                lines += ((LineId("none"), Quantity(1)),)
        return CancelOrder(order_id, lines, "unwanted", self._etag_of(order))

    def _hold(self) -> Command:
        return HoldOrder(self.order_id(), self._pick(tuple(HoldKind)), "odd", self._names.etag())

    def _release(self) -> Command:
        order_id = self.order_id()
        order = self._orders.get(order_id)
        kind = self._pick(tuple(HoldKind))
        if order is not None and order.holds and self._draw() < 0.8:
            kind = order.holds[0].kind
        return ReleaseOrder(order_id, kind, "", self._names.etag())

    def _advance(self) -> Command:
        order_id = self.order_id()
        order = self._orders.get(order_id)
        work_id, state = FulfillmentOrderId(f"{order_id}/1"), FulfillmentState.RELEASED
        if order is not None and order.fulfillment_orders:
            work = self._pick(order.fulfillment_orders)
            work_id = work.fulfillment_order_id
            state = self._pick(TARGETS.get(work.state, tuple(FulfillmentState)))
        if self._draw() < 0.05:
            state = self._pick(tuple(FulfillmentState))
        return AdvanceFulfillmentOrder(order_id, work_id, state, self._names.etag())

    def _replan(self) -> Command:
        moves = []
        for _ in range(1 + int(self._draw() * 3)):
            order = self._orders.get(self.order_id())
            if order is not None:
                packages = self._packages(order)
                moves.append(OrderMove(order.order_id, order.revision, packages))
        return ApplyReplan(tuple(moves))

    def _packages(self, order: Order) -> tuple[QuotedPackage, ...]:
        # All open work of an order, some of it from elsewhere.
        found: dict[tuple[str, DeliveryMethod, str], dict[LineId, int]] = {}
        for work in filter(is_unreleased, order.fulfillment_orders):
            place = self._place_for(work)
            key = (place, work.delivery_method, work.destination_location_id)
            units = found.setdefault(key, {})
            for line in work.lines:
                units[line.line_id] = units.get(line.line_id, 0) + line.quantity
        return tuple(
            QuotedPackage(LocationId(place), method, LocationId(target), tuple(units.items()))
            for (place, method, target), units in found.items()
        )

    def _place_for(self, work: FulfillmentOrder) -> str:
        return self._pick((work.location_id, self._pick(self._names.places)))

    # --- their parts

    def _lines(self) -> tuple[OrderLine, ...]:
        count = 1 if self._draw() < 0.6 else 2 + int(self._draw() * 2)
        return tuple(self._line(f"line-{number}") for number in range(count))

    def _line(self, name: str) -> OrderLine:
        method = self._pick(METHODS)
        store = self._pick(self._names.places) if method in STORE_METHODS else ""
        if store and self._draw() < 0.02:
            store = "new-4"
        sku = self._pick(self._names.skus) if self._draw() < 0.99 else "sku-none"
        lot = self._draw()
        # Now and then more than there is, so that some of it waits.
        units = 1 + int(lot * 3) if lot < 0.85 else int(lot * 40)
        return OrderLine(
            LineId(name),
            Sku(sku),
            Quantity(units),
            method,
            LocationId(store),
            Micros(int(self._draw() * 90_000_000)),
            package_group=self._pick(("", "", "", "", "g")) if not self._is_plain else "",
        )

    def _terms(self) -> OrderTerms:
        promise_ms, is_hard = None, False
        if self._draw() < 0.2:
            promise_ms = TimeMs(max(1, self._now_ms() + int(self._draw() * 8 * DAY_MS)))
            is_hard = not self._is_plain and self._draw() < 0.4
        customer_id, address = self._recipient()
        return OrderTerms(
            channel=Channel(self._pick(("", "web"))),
            customer_id=customer_id,
            address=address,
            promise_time_ms=promise_ms,
            promise_is_hard=is_hard,
            package_count_max=self._pick((0, 0, 0, 0, 0 if self._is_plain else 2, 1)),
            ship_complete=self._draw() < (0.05 if self._is_plain else 0.3),
            shortage_policy=self._pick(tuple(ShortagePolicy)),
            scope=(self._names.scope() or self._names.scope()) if self._draw() < 0.4 else None,
        )

    def _recipient(self) -> tuple[CustomerId, Address]:
        known = [order.terms for order in self._orders.values() if order.terms.customer_id]
        if known and self._draw() < 0.6:
            # Somebody whose parcel may still be open.
            terms = self._pick(known)
            return terms.customer_id, terms.address
        return CustomerId(self._pick(("", "ann", "bob"))), self._address()

    def _address(self) -> Address:
        if self._draw() < 0.05:
            return Address(postal_code="00000")
        latitude, longitude = self._pick(POINTS)
        there = Point(round(latitude * 10**7), round(longitude * 10**7))
        return Address(point=there, address_type=AddressType(1 + there.latitude_e7 // 100_000 % 2))

    def _etag_of(self, order: Order | None) -> str:
        if order is not None and self._draw() < 0.2:
            return str(order.revision)
        return self._names.etag()

    def _pick(self, choices: Sequence[T]) -> T:
        return choices[int(self._draw() * len(choices))]
