"""What callers put into calls: lines, scopes, stock updates, times.

Resources (locations, products, rules) go in and come out as the messages of `domgrpc.v1`; what
would be tedious to build as a message has a small function here.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple, TypeAlias

from google.protobuf.duration_pb2 import Duration
from google.protobuf.internal.containers import RepeatedCompositeFieldContainer
from google.protobuf.timestamp_pb2 import Timestamp

from domgrpc.v1.inventory_pb2 import (
    InboundKind,
    InboundReceipt,
    InboundSupply,
    StockAdjustment,
    StockCount,
    StockMove,
    StockUpdate,
)
from domgrpc.v1.reservation_pb2 import LineQuantity, ReserveLine
from domgrpc.v1.types_pb2 import GroupList, LocationList, NearPoint, Point, Scope, StockCondition

_MICROS_PER_SECOND: Final = 1_000_000
_NANOS_PER_MICRO: Final = 1_000

_Lines: TypeAlias = (
    "RepeatedCompositeFieldContainer[ReserveLine] | RepeatedCompositeFieldContainer[LineQuantity]"
)


class Line(NamedTuple):
    """Units of one SKU, at a location or, where that is empty, wherever the service picks."""

    sku: str
    quantity: int
    location_id: str = ""


# --- scopes


def at_locations(location_ids: Sequence[str]) -> Scope:
    """Return the scope of exactly these locations, 1 to 10,000."""
    return Scope(locations=LocationList(location_ids=location_ids))


def in_groups(group_ids: Sequence[str]) -> Scope:
    """Return the scope of the members of these groups, 1 to 100."""
    return Scope(groups=GroupList(group_ids=group_ids))


def near(
    latitude_degrees: float,
    longitude_degrees: float,
    *,
    radius_km: float,
    location_count_max: int = 0,
) -> Scope:
    """Return the scope of the locations within a radius, nearest first; 0 for no other limit."""
    point = Point(latitude_degrees=latitude_degrees, longitude_degrees=longitude_degrees)
    circle = NearPoint(point=point, radius_km=radius_km, location_count_max=location_count_max)
    return Scope(near=circle)


# --- stock updates


def count_stock(
    sku: str,
    location_id: str,
    on_hand: int,
    *,
    expected_on_hand: int | None = None,
    effective_time: datetime | None = None,
) -> StockUpdate:
    """Return an update that sets an absolute count of sellable stock."""
    count = StockCount(on_hand=on_hand, expected_on_hand=expected_on_hand)
    set_time(count.effective_time, effective_time)
    return StockUpdate(sku=sku, location_id=location_id, count=count)


def adjust_stock(
    sku: str,
    location_id: str,
    delta: int,
    *,
    reason: str = "",
    condition: StockCondition = StockCondition.STOCK_CONDITION_UNSPECIFIED,
    effective_time: datetime | None = None,
) -> StockUpdate:
    """Return an update that adds to a bucket or takes away from it."""
    adjustment = StockAdjustment(delta=delta, condition=condition, reason=reason)
    set_time(adjustment.effective_time, effective_time)
    return StockUpdate(sku=sku, location_id=location_id, adjustment=adjustment)


def move_stock(
    sku: str,
    location_id: str,
    quantity: int,
    *,
    to_location_id: str = "",
    from_condition: StockCondition = StockCondition.STOCK_CONDITION_UNSPECIFIED,
    to_condition: StockCondition = StockCondition.STOCK_CONDITION_UNSPECIFIED,
    reason: str = "",
) -> StockUpdate:
    """Return an update that moves units between locations or conditions."""
    move = StockMove(
        quantity=quantity,
        to_location_id=to_location_id,
        from_condition=from_condition,
        to_condition=to_condition,
        reason=reason,
    )
    return StockUpdate(sku=sku, location_id=location_id, move=move)


def announce_supply(
    sku: str,
    location_id: str,
    supply_id: str,
    *,
    quantity: int,
    due_time: datetime | None = None,
    kind: InboundKind = InboundKind.INBOUND_KIND_UNSPECIFIED,
) -> StockUpdate:
    """Return an update that announces dated supply; quantity 0 withdraws it."""
    inbound = InboundSupply(supply_id=supply_id, kind=kind, quantity=quantity)
    set_time(inbound.due_time, due_time)
    return StockUpdate(sku=sku, location_id=location_id, inbound=inbound)


def receive_supply(
    sku: str,
    location_id: str,
    supply_id: str,
    *,
    quantity: int,
    condition: StockCondition = StockCondition.STOCK_CONDITION_UNSPECIFIED,
    close: bool = False,
) -> StockUpdate:
    """Return an update that takes announced supply into stock; `close` withdraws the rest."""
    receipt = InboundReceipt(
        supply_id=supply_id, quantity=quantity, condition=condition, close=close
    )
    return StockUpdate(sku=sku, location_id=location_id, receipt=receipt)


# --- written in place by the service modules


def write_lines(target: _Lines, lines: Sequence[Line]) -> None:
    """Write lines into a request; about half a microsecond each."""
    add = target.add
    for sku, quantity, location_id in lines:
        line = add()
        line.sku = sku
        line.quantity = quantity
        if location_id:
            line.location_id = location_id


def scope_weight(scope: Scope | None) -> int:
    """Return how many ids a scope carries."""
    if scope is None:
        return 0
    return len(scope.locations.location_ids) + len(scope.groups.group_ids)


def set_time(target: Timestamp, time: datetime | None) -> None:
    """Write a time; None leaves the field unset. Raises ValueError for one without a zone."""
    if time is None:
        return
    if time.tzinfo is None:
        raise ValueError(f"{time.isoformat()} names no time zone: give it one, for example UTC")
    target.FromDatetime(time.astimezone(UTC))


def set_seconds(target: Duration, seconds: float) -> None:
    """Write a duration, to the microsecond."""
    if isinstance(seconds, int):
        target.seconds = seconds
        return
    target.seconds, micros = divmod(round(seconds * _MICROS_PER_SECOND), _MICROS_PER_SECOND)
    target.nanos = micros * _NANOS_PER_MICRO
