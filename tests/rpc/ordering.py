"""Orders in few words: a small chain around New York, and calls of its order service."""

from collections.abc import Sequence

from domgrpc.v1 import order_pb2 as pb
from domgrpc.v1 import types_pb2 as ty
from domgrpc.v1.location_pb2 import LOCATION_TYPE_DISTRIBUTION_CENTER
from tests.rpc.serving import Field, Shop

SHIP = ty.DELIVERY_METHOD_SHIP_TO_HOME
PICKUP = ty.DELIVERY_METHOD_PICKUP
NEW_YORK = ty.Point(latitude_degrees=40.75, longitude_degrees=-73.99)
NEWARK = ty.Point(latitude_degrees=40.73, longitude_degrees=-74.17)
CHICAGO = ty.Point(latitude_degrees=41.88, longitude_degrees=-87.63)
HOME = pb.OrderTerms(channel="web", customer_id="ann", address=pb.Address(postal_code="10001"))


async def open_chain(shop: Shop) -> None:
    """Make a store in New York, one in Newark and a warehouse in Chicago, all with A, B and C."""
    await shop.add_location("york", point=NEW_YORK)
    await shop.add_location("newark", point=NEWARK)
    await shop.add_location("chicago", point=CHICAGO, type=LOCATION_TYPE_DISTRIBUTION_CENTER)
    await shop.count(
        *((sku, place, 10) for sku in "ABC" for place in ("york", "newark", "chicago"))
    )


def line(sku: str, quantity: int = 1, **fields: Field) -> pb.OrderLine:
    """Return a line."""
    return pb.OrderLine(sku=sku, quantity=quantity, **fields)


def placing(*lines: pb.OrderLine, **fields: Field) -> pb.PlaceOrderRequest:
    """Return a request to place an order at home in New York."""
    fields.setdefault("terms", HOME)
    return pb.PlaceOrderRequest(lines=lines, **fields)


async def place(shop: Shop, *lines: pb.OrderLine, **fields: Field) -> pb.Order:
    """Place an order."""
    fields.setdefault("request_id", shop.key())
    return await shop.orders.PlaceOrder(placing(*lines, **fields))


async def advance(shop: Shop, order: pb.Order, *states: str, number: int = 0) -> pb.Order:
    """Take a piece of an order's work through states, by their short names."""
    work = order.fulfillment_orders[number]
    for state in states:
        order = await shop.orders.AdvanceFulfillmentOrder(
            pb.AdvanceFulfillmentOrderRequest(
                request_id=shop.key(),
                order_id=order.order_id,
                fulfillment_order_id=work.fulfillment_order_id,
                state=f"FULFILLMENT_STATE_{state}",
            )
        )
    return order


async def cancel(shop: Shop, order: pb.Order, **fields: Field) -> pb.Order:
    """Cancel an order or a part of it."""
    return await shop.orders.CancelOrder(
        pb.CancelOrderRequest(request_id=shop.key(), order_id=order.order_id, **fields)
    )


async def edit(shop: Shop, order: pb.Order, *lines: pb.OrderLine, **fields: Field) -> pb.Order:
    """Change an order."""
    return await shop.orders.EditOrder(
        pb.EditOrderRequest(request_id=shop.key(), order_id=order.order_id, lines=lines, **fields)
    )


async def quote(shop: Shop, *lines: pb.OrderLine, **fields: Field) -> pb.Quote:
    """Ask what can be promised at home in New York."""
    fields.setdefault("terms", HOME)
    return await shop.orders.QuoteOrder(pb.QuoteOrderRequest(lines=lines, **fields))


def places(works: Sequence[pb.FulfillmentOrder]) -> list[tuple[str, list[tuple[str, int]]]]:
    """Return where each piece of work lies, and what is in it."""
    return [
        (work.location_id, [(each.sku, each.quantity) for each in work.lines]) for work in works
    ]
