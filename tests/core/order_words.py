"""Words for tests of orders: places on a map, orders in few words, and the work they lead to."""

from domgrpc.core.geography import Point
from domgrpc.core.order_commands import (
    AdvanceFulfillmentOrder,
    CancelOrder,
    EditOrder,
    HoldOrder,
    PlaceOrder,
    ReleaseOrder,
)
from domgrpc.core.orders import (
    Address,
    FulfillmentState,
    HoldKind,
    Order,
    OrderLine,
    OrderTerms,
    ShortagePolicy,
)
from domgrpc.core.plans import QuotedPlan
from domgrpc.core.values import (
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
)

SHIP, PICKUP = DeliveryMethod.SHIP_TO_HOME, DeliveryMethod.PICKUP
CHICAGO, DALLAS, BOSTON = (41.88, -87.63), (32.78, -96.80), (42.36, -71.06)


def point(latitude: float, longitude: float) -> Point:
    """Write a place in degrees."""
    return Point(round(latitude * 10**7), round(longitude * 10**7))


def line(
    sku: str,
    units: int = 1,
    *,
    by: DeliveryMethod = SHIP,
    at: str = "",
    name: str = "",
    price: int = 0,
    group: str = "",
) -> OrderLine:
    """Write a line; its id is the SKU unless it has a name."""
    return OrderLine(
        LineId(name or sku),
        Sku(sku),
        Quantity(units),
        by,
        LocationId(at),
        Micros(price),
        package_group=group,
    )


def terms(
    to: tuple[float, float] | None = CHICAGO,
    *,
    customer: str = "",
    channel: str = "web",
    business: bool = False,
    **more: object,
) -> OrderTerms:
    """Write the terms of an order to a place."""
    kind = AddressType.COMMERCIAL if business else AddressType.RESIDENTIAL
    where = point(*to) if to is not None else None
    address = Address(point=where, address_type=kind)
    return OrderTerms(
        channel=Channel(channel),
        customer_id=CustomerId(customer),
        address=address,
        **more,  # type: ignore[arg-type]
    )


REFUSING = ShortagePolicy.REFUSE


def order(
    *lines: OrderLine,
    as_id: str = "o",
    to: tuple[float, float] | None = CHICAGO,
    customer: str = "",
    quoted: QuotedPlan | None = None,
    hold: str = "",
    holds: tuple[tuple[HoldKind, str], ...] = (),
    **more: object,
) -> PlaceOrder:
    """Write an order."""
    return PlaceOrder(
        lines,
        terms(to, customer=customer, **more),  # type: ignore[arg-type]
        OrderId(as_id),
        quoted,
        ReservationId(hold),
        holds,
    )


def edit(
    order_id: str, *lines: OrderLine, to: tuple[float, float] | None = None, etag: str = ""
) -> EditOrder:
    """Write an edit."""
    address = Address(point=point(*to)) if to is not None else None
    return EditOrder(OrderId(order_id), lines, address, etag)


def cancel_order(order_id: str, **units: int) -> CancelOrder:
    """Write a cancellation, of all that can be or of lines."""
    lines = tuple((LineId(name), Quantity(count)) for name, count in units.items())
    return CancelOrder(OrderId(order_id), lines, "changed their mind")


def put_on_hold(order_id: str, kind: HoldKind = HoldKind.FRAUD) -> HoldOrder:
    """Write a hold."""
    return HoldOrder(OrderId(order_id), kind, "looks odd")


def take_off_hold(order_id: str, kind: HoldKind = HoldKind.FRAUD) -> ReleaseOrder:
    """Write the end of a hold."""
    return ReleaseOrder(OrderId(order_id), kind)


def advance(work_id: str, state: FulfillmentState) -> AdvanceFulfillmentOrder:
    """Write a step of the work."""
    order_id = work_id.partition("/")[0]
    return AdvanceFulfillmentOrder(OrderId(order_id), FulfillmentOrderId(work_id), state)


def work_of(placed: Order) -> dict[str, dict[str, int]]:
    """Return units by location, then SKU, of the work that is not cancelled."""
    found: dict[str, dict[str, int]] = {}
    for work in placed.fulfillment_orders:
        if work.state is FulfillmentState.CANCELLED:
            continue
        units = found.setdefault(work.location_id, {})
        for each in work.lines:
            units[each.sku] = units.get(each.sku, 0) + each.quantity
    return found


def units_at(placed: Order) -> dict[tuple[str, str], int]:
    """Return units by line and location of the work that is not cancelled."""
    found: dict[tuple[str, str], int] = {}
    for work in placed.fulfillment_orders:
        if work.state is FulfillmentState.CANCELLED:
            continue
        for each in work.lines:
            key = (each.line_id, work.location_id)
            found[key] = found.get(key, 0) + each.quantity
    return found
