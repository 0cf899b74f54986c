"""The calls of OrderService, as methods of a client; the stream is in watching.py."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from domgrpc.client.calls import Caller
from domgrpc.client.coalescing import ALONE_WEIGHT, HotCall
from domgrpc.client.order_values import (
    ANY_METHOD,
    ANY_TERMS,
    Item,
    Terms,
    order_weight,
    write_defaults,
    write_items,
    write_terms,
)
from domgrpc.client.values import set_seconds, set_time
from domgrpc.v1.order_pb2 import (
    Address,
    AdvanceFulfillmentOrderRequest,
    CancelOrderRequest,
    EditOrderRequest,
    FulfillmentState,
    GetOrderRequest,
    HoldKind,
    HoldOrderRequest,
    ListOrdersRequest,
    ListOrdersResponse,
    Order,
    OrderStatus,
    OrderView,
    PlaceOrderRequest,
    Quote,
    QuoteOrderRequest,
    ReleaseOrderRequest,
)
from domgrpc.v1.types_pb2 import DeliveryMethod

_ANY_STATUS: Final = OrderStatus.ORDER_STATUS_UNSPECIFIED
_ANY_VIEW: Final = OrderView.ORDER_VIEW_UNSPECIFIED
_HEAVY_ITEM_COUNT: Final = 50
"""A quote or an order of so many lines takes the server long: its neighbours would wait."""
_TOKEN_CHARACTERS: Final = 2_000
"""A longer token is sent alone: a thousand of them would be larger than a message may be."""

QUOTE: Final = HotCall(
    QuoteOrderRequest,
    lambda stubs: stubs.orders.QuoteOrder,
    lambda operation: operation.quote_order,
    lambda result: result.quote,
    is_read=True,
)
PLACE: Final = HotCall(
    PlaceOrderRequest,
    lambda stubs: stubs.orders.PlaceOrder,
    lambda operation: operation.place_order,
    lambda result: result.order,
)
EDIT: Final = HotCall(
    EditOrderRequest,
    lambda stubs: stubs.orders.EditOrder,
    lambda operation: operation.edit_order,
    lambda result: result.order,
)
CANCEL: Final = HotCall(
    CancelOrderRequest,
    lambda stubs: stubs.orders.CancelOrder,
    lambda operation: operation.cancel_order,
    lambda result: result.order,
)
HOLD: Final = HotCall(
    HoldOrderRequest,
    lambda stubs: stubs.orders.HoldOrder,
    lambda operation: operation.hold_order,
    lambda result: result.order,
)
RELEASE: Final = HotCall(
    ReleaseOrderRequest,
    lambda stubs: stubs.orders.ReleaseOrder,
    lambda operation: operation.release_order,
    lambda result: result.order,
)
ADVANCE: Final = HotCall(
    AdvanceFulfillmentOrderRequest,
    lambda stubs: stubs.orders.AdvanceFulfillmentOrder,
    lambda operation: operation.advance_fulfillment_order,
    lambda result: result.order,
)
GET: Final = HotCall(
    GetOrderRequest,
    lambda stubs: stubs.orders.GetOrder,
    lambda operation: operation.get_order,
    lambda result: result.order,
    is_read=True,
)


async def quote_order(
    client: Caller,
    items: Sequence[Item],
    terms: Terms = ANY_TERMS,
    *,
    delivery_method: DeliveryMethod = ANY_METHOD,
    location_id: str = "",
    methods: Sequence[tuple[DeliveryMethod, str]] = (),
    hold_seconds: float | None = None,
    reservation_id: str = "",
    min_revision: int = 0,
    request_id: str = "",
    timeout_seconds: float | None = None,
) -> Quote:
    """Say what can be promised: options with dates, costs and a token each, the cheapest first.

    `methods` are (method, store) to quote all items by; a method that needs a store and has ""
    is quoted for the nearest ones. With `hold_seconds` the stock of the first option is held.
    """
    calls = client.calls
    alone = min_revision or methods or hold_seconds is not None
    request, batch = calls.begin(QUOTE, ALONE_WEIGHT if alone else _weight(items, terms))
    write_items(request.lines, items)
    write_terms(request.terms, terms)
    write_defaults(request, delivery_method, location_id)
    for method, store_id in methods:
        request.methods.add(delivery_method=method, location_id=store_id)
    request.min_revision = min_revision
    if hold_seconds is None:
        return await calls.finish(QUOTE, request, batch, timeout_seconds)
    set_seconds(request.hold_ttl, hold_seconds)
    request.request_id = request_id or calls.new_request_id()
    request.reservation_id = reservation_id
    return await calls.write(calls.stubs.orders.QuoteOrder, request, timeout_seconds)


async def place_order(
    client: Caller,
    items: Sequence[Item],
    terms: Terms = ANY_TERMS,
    *,
    order_id: str = "",
    delivery_method: DeliveryMethod = ANY_METHOD,
    location_id: str = "",
    quote_token: str = "",
    reservation_id: str = "",
    holds: Mapping[HoldKind, str] | None = None,
    validate_only: bool = False,
    view: OrderView = _ANY_VIEW,
    request_id: str = "",
    timeout_seconds: float | None = None,
) -> Order:
    """Take an order: choose where each item is fulfilled from and claim it, all or nothing.

    The order's id is the request's where none is given. `quote_token` has the plan of a quote
    booked, `reservation_id` takes over a hold, `holds` says why its work is to wait. Raises
    DomgrpcError, for example with INSUFFICIENT_STOCK and the short lines.
    """
    calls = client.calls
    # A token can be long; a batch must stay below the size of a message.
    weight = ALONE_WEIGHT if len(quote_token) > _TOKEN_CHARACTERS else _weight(items, terms)
    request, batch = calls.begin(PLACE, weight)
    request.request_id = request_id or calls.new_request_id()
    write_items(request.lines, items)
    write_terms(request.terms, terms)
    write_defaults(request, delivery_method, location_id)
    if order_id:
        request.order_id = order_id
    if quote_token or reservation_id:
        request.quote_token = quote_token
        request.reservation_id = reservation_id
    for kind, reason in (holds or {}).items():
        request.holds.add(kind=kind, reason=reason)
    if validate_only or view:
        request.validate_only = validate_only
        request.view = view
    return await calls.finish(PLACE, request, batch, timeout_seconds)


async def get_order(
    client: Caller,
    order_id: str,
    *,
    view: OrderView = _ANY_VIEW,
    min_revision: int = 0,
    timeout_seconds: float | None = None,
) -> Order:
    """Return one order with its history."""
    calls = client.calls
    # It may have to wait for a revision; in a batch others would wait with it.
    request, batch = calls.begin(GET, ALONE_WEIGHT if min_revision else 1)
    request.order_id = order_id
    request.view = view
    request.min_revision = min_revision
    return await calls.finish(GET, request, batch, timeout_seconds)


async def list_orders(
    client: Caller,
    *,
    status: OrderStatus = _ANY_STATUS,
    customer_id: str = "",
    location_id: str = "",
    sku: str = "",
    start_time: datetime | None = None,
    end_time: datetime | None = None,
    needs_attention: bool = False,
    view: OrderView = _ANY_VIEW,
    page_size: int = 0,
    page_token: str = "",
    min_revision: int = 0,
    timeout_seconds: float | None = None,
) -> ListOrdersResponse:
    """Return a page of orders, oldest first; see `paging.pages` for all of them.

    Placed from `start_time` on and before `end_time`.
    """
    request = ListOrdersRequest(
        page_size=page_size,
        page_token=page_token,
        status=status,
        customer_id=customer_id,
        location_id=location_id,
        sku=sku,
        needs_attention=needs_attention,
        view=view,
        min_revision=min_revision,
    )
    if start_time is not None:
        set_time(request.start_time, start_time)
    if end_time is not None:
        set_time(request.end_time, end_time)
    calls = client.calls
    return await calls.read(calls.stubs.orders.ListOrders, request, timeout_seconds)


async def edit_order(
    client: Caller,
    order_id: str,
    items: Sequence[Item] = (),
    *,
    quantities: Mapping[str, int] | None = None,
    address: Address | None = None,
    delivery_method: DeliveryMethod = ANY_METHOD,
    location_id: str = "",
    etag: str = "",
    validate_only: bool = False,
    view: OrderView = _ANY_VIEW,
    request_id: str = "",
    timeout_seconds: float | None = None,
) -> Order:
    """Change an order; only what changes is planned again.

    `quantities` gives lines of the order new quantities, by line_id; 0 removes one. `items` with
    their line_id are added, or replace a line as a whole.
    """
    calls = client.calls
    request, batch = calls.begin(EDIT, len(items) + len(quantities or ()) + 1)
    request.request_id = request_id or calls.new_request_id()
    request.order_id = order_id
    write_items(request.lines, items)
    for line_id, quantity in (quantities or {}).items():
        request.lines.add(line_id=line_id, quantity=quantity)
    if address is not None:
        request.address.CopyFrom(address)
    write_defaults(request, delivery_method, location_id)
    request.etag = etag
    request.validate_only = validate_only
    request.view = view
    return await calls.finish(EDIT, request, batch, timeout_seconds)


async def cancel_order(
    client: Caller,
    order_id: str,
    *,
    quantities: Mapping[str, int] | None = None,
    reason: str = "",
    etag: str = "",
    validate_only: bool = False,
    view: OrderView = _ANY_VIEW,
    request_id: str = "",
    timeout_seconds: float | None = None,
) -> Order:
    """Cancel units by line_id, or without `quantities` all that can still be cancelled."""
    calls = client.calls
    request, batch = calls.begin(CANCEL, len(quantities or ()) + 1)
    request.request_id = request_id or calls.new_request_id()
    request.order_id = order_id
    for line_id, quantity in (quantities or {}).items():
        request.lines.add(line_id=line_id, quantity=quantity)
    request.reason = reason
    request.etag = etag
    request.validate_only = validate_only
    request.view = view
    return await calls.finish(CANCEL, request, batch, timeout_seconds)


async def hold_order(
    client: Caller,
    order_id: str,
    kind: HoldKind,
    *,
    reason: str = "",
    etag: str = "",
    view: OrderView = _ANY_VIEW,
    request_id: str = "",
    timeout_seconds: float | None = None,
) -> Order:
    """Let the work of an order wait; holding again by the same kind changes nothing."""
    calls = client.calls
    request, batch = calls.begin(HOLD, 1)
    request.request_id = request_id or calls.new_request_id()
    request.order_id = order_id
    request.kind = kind
    request.reason = reason
    request.etag = etag
    request.view = view
    return await calls.finish(HOLD, request, batch, timeout_seconds)


async def release_order(
    client: Caller,
    order_id: str,
    kind: HoldKind,
    *,
    reason: str = "",
    etag: str = "",
    view: OrderView = _ANY_VIEW,
    request_id: str = "",
    timeout_seconds: float | None = None,
) -> Order:
    """Take a hold off; releasing what is not held changes nothing."""
    calls = client.calls
    request, batch = calls.begin(RELEASE, 1)
    request.request_id = request_id or calls.new_request_id()
    request.order_id = order_id
    request.kind = kind
    request.reason = reason
    request.etag = etag
    request.view = view
    return await calls.finish(RELEASE, request, batch, timeout_seconds)


async def advance_fulfillment_order(
    client: Caller,
    order_id: str,
    fulfillment_order_id: str,
    state: FulfillmentState,
    *,
    etag: str = "",
    view: OrderView = _ANY_VIEW,
    request_id: str = "",
    timeout_seconds: float | None = None,
) -> Order:
    """Say how far the work of a location is; saying it again changes nothing."""
    calls = client.calls
    request, batch = calls.begin(ADVANCE, 1)
    request.request_id = request_id or calls.new_request_id()
    request.order_id = order_id
    request.fulfillment_order_id = fulfillment_order_id
    request.state = state
    request.etag = etag
    request.view = view
    return await calls.finish(ADVANCE, request, batch, timeout_seconds)


def _weight(items: Sequence[Item], terms: Terms) -> int:
    return ALONE_WEIGHT if len(items) > _HEAVY_ITEM_COUNT else order_weight(items, terms)
