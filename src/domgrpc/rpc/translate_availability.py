"""Availability between messages and the core."""

from collections.abc import Callable
from typing import cast

from domgrpc.core.availability import (
    AvailabilityParts,
    CheckAvailability,
    LocationAvailability,
    SkuAvailability,
)
from domgrpc.core.scopes import Scope
from domgrpc.core.values import QUANTITY_MAX, Quantity, Sku
from domgrpc.engine.calls import Reading
from domgrpc.rpc.refusals import InvalidField
from domgrpc.rpc.shapes import (
    IDENTIFIER_BYTES_MAX,
    identifier,
    item_count,
    quantity,
    set_timestamp,
    whole,
)
from domgrpc.rpc.translate_scope import ANY_DEMAND, demand_of, scope_of
from domgrpc.v1 import inventory_pb2

ITEMS_MAX = 10_000
HORIZON_DAYS_MAX = 3_650

_METRES_PER_KM = 1_000


def read_question(message: inventory_pb2.CheckAvailabilityRequest) -> CheckAvailability:
    """Read the question: 1 to 10,000 SKUs."""
    channel = message.channel
    method = message.delivery_method
    horizon_days = message.horizon_days
    return CheckAvailability(
        _items(message),
        _scope(message) if message.HasField("scope") else None,
        demand_of(channel, method) if channel or method else ANY_DEMAND,
        message.include_locations,
        message.include_parts,
        whole(horizon_days, "horizon_days", 0, HORIZON_DAYS_MAX) if horizon_days else 0,
    )


def _items(
    message: inventory_pb2.CheckAvailabilityRequest,
) -> tuple[tuple[Sku, Quantity], ...]:
    messages = message.items[:]
    item_count(len(messages), "items", 1, ITEMS_MAX)
    items: list[tuple[str, int]] = []
    for item in messages:
        sku = item.sku
        units = item.quantity
        if not (
            sku.isascii()
            and sku.isprintable()
            and 0 < len(sku) <= IDENTIFIER_BYTES_MAX
            and 0 <= units <= QUANTITY_MAX
        ):
            identifier(sku, f"items[{len(items)}].sku")
            quantity(units, f"items[{len(items)}].quantity")
        items.append((sku, units))
    return cast("tuple[tuple[Sku, Quantity], ...]", tuple(items))


def _scope(message: inventory_pb2.CheckAvailabilityRequest) -> Scope:
    try:
        return scope_of(message.scope)
    except InvalidField as invalid:
        raise invalid.within("scope") from None


def fill_availability(
    message: inventory_pb2.CheckAvailabilityResponse,
    reading: Reading[tuple[SkuAvailability, ...]],
) -> None:
    """Write the answer in place."""
    add = message.items.add
    for view in reading.value:
        _fill_sku(add(), view)
    message.revision = reading.revision
    set_timestamp(message.as_of_time, reading.time_ms)


def _fill_sku(message: inventory_pb2.SkuAvailability, view: SkuAvailability) -> None:
    message.sku = view.sku
    if not view.known:
        return
    message.known = True
    message.available_to_fulfill = view.available_to_fulfill
    message.available_to_sell = view.available_to_sell
    if view.sufficient:
        message.sufficient = True
    if view.locations:
        _fill_locations(message.locations.add, view.locations)
    for time_ms, units in view.promise:
        step = message.available_to_promise.add()
        set_timestamp(step.start_time, time_ms)
        step.quantity = units


def _fill_locations(
    add: Callable[[], inventory_pb2.LocationAvailability],
    views: tuple[LocationAvailability, ...],
) -> None:
    # Up to 10,000 of them in one answer: what is zero is not written.
    for view in views:
        entry = add()
        entry.location_id = view.location_id
        if view.available_to_fulfill:
            entry.available_to_fulfill = view.available_to_fulfill
        if view.available_to_sell:
            entry.available_to_sell = view.available_to_sell
        if view.distance_m:
            entry.distance_km = view.distance_m / _METRES_PER_KM
        if view.parts is not None:
            _fill_parts(entry.parts, view.parts)


def _fill_parts(message: inventory_pb2.AvailabilityParts, parts: AvailabilityParts) -> None:
    figures = parts.figures
    message.on_hand = parts.on_hand
    message.soft_reserved = parts.soft_reserved
    message.allocated = parts.allocated
    message.safety_stock = figures.safety_stock
    message.safety_stock_rule_id = figures.safety_stock_rule_id
    message.fulfillment_minimum_rule_id = figures.fulfillment_minimum_rule_id
    message.backorder_quantity = figures.backorder_quantity
    message.oversold = parts.oversold
    if figures.excluded_reason is not None:
        message.excluded_reason = figures.excluded_reason.value
