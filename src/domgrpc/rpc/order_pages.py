"""What a page of orders is asked for."""

from collections.abc import Mapping
from typing import Final

from domgrpc.core.order_queries import OrderFilter
from domgrpc.core.orders import OrderStatus
from domgrpc.core.values import FOREVER_MS, CustomerId, LocationId, Sku, TimeMs
from domgrpc.rpc.shapes import chosen, identifier_or_empty, timestamp_ms
from domgrpc.v1 import order_pb2

_STATUSES: Final[Mapping[int, OrderStatus]] = {status.value: status for status in OrderStatus}


def order_filter(message: order_pb2.ListOrdersRequest) -> OrderFilter:
    """Read what ListOrders asks for."""
    customer_id = identifier_or_empty(message.customer_id, "customer_id")
    location_id = identifier_or_empty(message.location_id, "location_id")
    sku = identifier_or_empty(message.sku, "sku")
    start_time_ms, end_time_ms = _times(message)
    return OrderFilter(
        status=chosen(message.status, "status", _STATUSES) if message.status else None,
        customer_id=CustomerId(customer_id) if customer_id else None,
        location_id=LocationId(location_id) if location_id else None,
        sku=Sku(sku) if sku else None,
        start_time_ms=start_time_ms,
        end_time_ms=end_time_ms,
        needs_attention=message.needs_attention,
    )


def _times(message: order_pb2.ListOrdersRequest) -> tuple[TimeMs, TimeMs]:
    """Read when the orders were placed; the end is exclusive."""
    start_time_ms, end_time_ms = TimeMs(0), FOREVER_MS
    if message.HasField("start_time"):
        start_time_ms = timestamp_ms(message.start_time, "start_time")
    if message.HasField("end_time"):
        end_time_ms = timestamp_ms(message.end_time, "end_time")
    return start_time_ms, end_time_ms
