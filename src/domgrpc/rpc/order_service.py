"""OrderService: check the shape, make the command, hand it on, shape the answer.

The stream has a module of its own: order_watch.py.
"""

from collections.abc import AsyncGenerator
from typing import TypeAlias

import msgspec

from domgrpc.core.dispatch import Command
from domgrpc.core.listings import Page
from domgrpc.core.order_queries import get_order, list_orders, quote_order
from domgrpc.core.orders import Order
from domgrpc.core.plans import Quote
from domgrpc.core.state import State
from domgrpc.core.values import Revision, TimeMs
from domgrpc.engine.admission import Priority
from domgrpc.rpc.calls import Call
from domgrpc.rpc.order_pages import order_filter
from domgrpc.rpc.order_watch import OrderWatches
from domgrpc.rpc.pages import Listing, OrderPlace, bounded_page, page_size
from domgrpc.rpc.sizes import order_bytes
from domgrpc.rpc.translate_order_answers import fill_order
from domgrpc.rpc.translate_orders import (
    advance_fulfillment_order,
    cancel_order,
    edit_order,
    hold_order,
    hold_quote,
    is_basic,
    order_id_of,
    place_order,
    quote_question,
    release_order,
)
from domgrpc.rpc.translate_plans import fill_quote
from domgrpc.v1 import order_pb2

_ORDERS: Listing[OrderPlace] = Listing("ListOrders", OrderPlace, (-1, ""))

_Change: TypeAlias = (
    order_pb2.PlaceOrderRequest
    | order_pb2.EditOrderRequest
    | order_pb2.CancelOrderRequest
    | order_pb2.HoldOrderRequest
    | order_pb2.ReleaseOrderRequest
    | order_pb2.AdvanceFulfillmentOrderRequest
)


class OrderService:
    """Orders: quoted, placed, changed, followed."""

    def __init__(self, watches: OrderWatches) -> None:
        """Take over the stream."""
        self._watches = watches

    async def QuoteOrder(self, message: order_pb2.QuoteOrderRequest, call: Call) -> order_pb2.Quote:
        """Say what can be promised, and hold the stock of the first option where asked to."""
        if message.HasField("hold_ttl"):
            quote, revision = await call.change(hold_quote(message), message.request_id, Quote)
        else:
            question = quote_question(message)
            reading = await call.read(
                lambda state, now_ms: quote_order(state, question, now_ms), message.min_revision
            )
            quote, revision = reading.value, reading.revision
        answer = order_pb2.Quote()
        fill_quote(answer, quote, revision)
        return answer

    async def PlaceOrder(self, message: order_pb2.PlaceOrderRequest, call: Call) -> order_pb2.Order:
        """Take an order: plan it, claim its stock and its capacity."""
        return await _changed(
            place_order(message), message, call, validate_only=message.validate_only
        )

    async def GetOrder(self, message: order_pb2.GetOrderRequest, call: Call) -> order_pb2.Order:
        """Return one order with its history."""
        order_id = order_id_of(message.order_id)
        basic = is_basic(message.view)
        reading = await call.read(lambda state, _: get_order(state, order_id), message.min_revision)
        return _order(reading.value, reading.revision, basic=basic)

    async def ListOrders(
        self, message: order_pb2.ListOrdersRequest, call: Call
    ) -> order_pb2.ListOrdersResponse:
        """List orders, oldest first."""
        wanted = order_filter(message)
        filters = msgspec.structs.astuple(wanted)
        after = _ORDERS.place(message.page_token, filters)
        size = page_size(message.page_size)
        basic = is_basic(message.view)

        def page(state: State, _now_ms: TimeMs) -> Page[Order]:
            return bounded_page(
                lambda most: list_orders(state, after, most, wanted), size, order_bytes
            )

        reading = await call.read(page, message.min_revision, Priority.LIST)
        answer = order_pb2.ListOrdersResponse(
            next_page_token=_ORDERS.token(reading.value, filters), revision=reading.revision
        )
        for order in reading.value.entries:
            fill_order(answer.orders.add(), order, reading.revision, is_basic=basic)
        return answer

    async def EditOrder(self, message: order_pb2.EditOrderRequest, call: Call) -> order_pb2.Order:
        """Add lines, change quantities or the address; only what changed is planned again."""
        return await _changed(
            edit_order(message), message, call, validate_only=message.validate_only
        )

    async def CancelOrder(
        self, message: order_pb2.CancelOrderRequest, call: Call
    ) -> order_pb2.Order:
        """Cancel units of lines, or all that can still be cancelled."""
        return await _changed(
            cancel_order(message), message, call, validate_only=message.validate_only
        )

    async def HoldOrder(self, message: order_pb2.HoldOrderRequest, call: Call) -> order_pb2.Order:
        """Let the work of an order wait."""
        return await _changed(hold_order(message), message, call)

    async def ReleaseOrder(
        self, message: order_pb2.ReleaseOrderRequest, call: Call
    ) -> order_pb2.Order:
        """Take a hold of an order off."""
        return await _changed(release_order(message), message, call)

    async def AdvanceFulfillmentOrder(
        self, message: order_pb2.AdvanceFulfillmentOrderRequest, call: Call
    ) -> order_pb2.Order:
        """Say how far the work of a location is."""
        return await _changed(advance_fulfillment_order(message), message, call)

    def WatchOrders(
        self, message: order_pb2.WatchOrdersRequest, call: Call
    ) -> AsyncGenerator[order_pb2.WatchOrdersResponse, None]:
        """Stream every change of orders."""
        return self._watches.run(message, call)


async def _changed(
    command: Command, message: _Change, call: Call, *, validate_only: bool = False
) -> order_pb2.Order:
    basic = is_basic(message.view)
    order, revision = await call.change(
        command, message.request_id, Order, validate_only=validate_only
    )
    return _order(order, revision, basic=basic)


def _order(order: Order, revision: Revision, *, basic: bool) -> order_pb2.Order:
    answer = order_pb2.Order()
    fill_order(answer, order, revision, is_basic=basic)
    return answer
