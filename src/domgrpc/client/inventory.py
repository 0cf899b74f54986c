"""The calls of InventoryService about stock, as methods of a client; rules are in rules.py."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from domgrpc.client.calls import Caller
from domgrpc.client.coalescing import ALONE_WEIGHT, HotCall
from domgrpc.client.values import scope_weight
from domgrpc.v1.inventory_pb2 import (
    CheckAvailabilityRequest,
    CheckAvailabilityResponse,
    GetPositionRequest,
    InventoryPosition,
    ListPositionsRequest,
    ListPositionsResponse,
    StockUpdate,
    UpdateStockRequest,
    UpdateStockResponse,
)
from domgrpc.v1.types_pb2 import DeliveryMethod, Scope, StockLevel

_ANY_METHOD: Final = DeliveryMethod.DELIVERY_METHOD_UNSPECIFIED
_ANY_LEVEL: Final = StockLevel.STOCK_LEVEL_UNSPECIFIED
UPDATE_STOCK: Final = HotCall(
    UpdateStockRequest,
    lambda stubs: stubs.inventory.UpdateStock,
    lambda operation: operation.update_stock,
    lambda result: result.stock,
)
CHECK_AVAILABILITY: Final = HotCall(
    CheckAvailabilityRequest,
    lambda stubs: stubs.inventory.CheckAvailability,
    lambda operation: operation.check_availability,
    lambda result: result.availability,
    is_read=True,
)


async def update_stock(
    client: Caller,
    updates: Sequence[StockUpdate],
    *,
    validate_only: bool = False,
    request_id: str = "",
    timeout_seconds: float | None = None,
) -> UpdateStockResponse:
    """Apply up to 10,000 updates in order, all or none; values.py has functions that make them."""
    calls = client.calls
    request, batch = calls.begin(UPDATE_STOCK, len(updates))
    request.request_id = request_id or calls.new_request_id()
    request.updates.extend(updates)
    request.validate_only = validate_only
    return await calls.finish(UPDATE_STOCK, request, batch, timeout_seconds)


async def check_availability(
    client: Caller,
    items: Sequence[str] | Mapping[str, int],
    *,
    scope: Scope | None = None,
    channel: str = "",
    delivery_method: DeliveryMethod = _ANY_METHOD,
    include_locations: bool = False,
    include_parts: bool = False,
    horizon_days: int = 0,
    min_revision: int = 0,
    timeout_seconds: float | None = None,
) -> CheckAvailabilityResponse:
    """Say what is available of SKUs, in one consistent snapshot.

    `items` are SKUs, or SKUs with the quantity wanted of each. The answer is in their order.
    """
    weight = len(items) + scope_weight(scope)
    if include_locations or horizon_days or min_revision:
        # Its answer may have megabytes, which neighbours would wait for or which are too many
        # together; a revision may have to be waited for.
        weight = ALONE_WEIGHT
    calls = client.calls
    request, batch = calls.begin(CHECK_AVAILABILITY, weight)
    add = request.items.add
    for sku, quantity in _quantities(items):
        item = add()
        item.sku = sku
        if quantity:
            item.quantity = quantity
    if scope is not None:
        request.scope.CopyFrom(scope)
    request.channel = channel
    request.delivery_method = delivery_method
    request.include_locations = include_locations
    request.include_parts = include_parts
    request.horizon_days = horizon_days
    request.min_revision = min_revision
    return await calls.finish(CHECK_AVAILABILITY, request, batch, timeout_seconds)


async def get_position(
    client: Caller,
    sku: str,
    location_id: str,
    *,
    min_revision: int = 0,
    timeout_seconds: float | None = None,
) -> InventoryPosition:
    """Return the figures of one SKU at one location."""
    calls = client.calls
    request = GetPositionRequest(sku=sku, location_id=location_id, min_revision=min_revision)
    return await calls.read(calls.stubs.inventory.GetPosition, request, timeout_seconds)


async def list_positions(
    client: Caller,
    *,
    sku: str = "",
    location_id: str = "",
    level: StockLevel = _ANY_LEVEL,
    page_size: int = 0,
    page_token: str = "",
    min_revision: int = 0,
    timeout_seconds: float | None = None,
) -> ListPositionsResponse:
    """Return a page of positions in a stable order; see `paging.pages` for all of them."""
    calls = client.calls
    request = ListPositionsRequest(
        page_size=page_size,
        page_token=page_token,
        sku=sku,
        location_id=location_id,
        level=level,
        min_revision=min_revision,
    )
    return await calls.read(calls.stubs.inventory.ListPositions, request, timeout_seconds)


def _quantities(items: Sequence[str] | Mapping[str, int]) -> Iterable[tuple[str, int]]:
    if isinstance(items, str):
        # A string is a sequence of strings, so nothing else would tell "SKU" from "S", "K", "U".
        raise TypeError(f"items is the single string {items!r}: give a list of SKUs")
    if isinstance(items, Mapping):
        return items.items()
    return [(sku, 0) for sku in items]
