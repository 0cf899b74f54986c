"""What can be said about stock: the commands that change it and the events that did.

Events carry deltas: whoever adds them up has the figures.
"""

import enum

import msgspec

from domgrpc.core.rejections import Rejection
from domgrpc.core.supply import Supply
from domgrpc.core.values import (
    LocationId,
    Quantity,
    Sku,
    SourceId,
    StockCondition,
    SupplyId,
    TimeMs,
)

SELLABLE = StockCondition.SELLABLE


class Cause(enum.IntEnum):
    """What changed a bucket of stock."""

    ADJUSTED = 1
    MOVED = 2
    RECEIVED = 3


# --- commands


class CountStock(msgspec.Struct, frozen=True, array_like=True, tag=1, gc=False):
    """Set on_hand to an absolute count; `effective_time_ms` None means now."""

    sku: Sku
    location_id: LocationId
    on_hand: Quantity
    expected_on_hand: Quantity | None = None
    effective_time_ms: TimeMs | None = None


class AdjustStock(msgspec.Struct, frozen=True, array_like=True, tag=2, gc=False):
    """Add to or take from a bucket."""

    sku: Sku
    location_id: LocationId
    delta: int
    condition: StockCondition = SELLABLE
    reason: str = ""
    effective_time_ms: TimeMs | None = None


class MoveStock(msgspec.Struct, frozen=True, array_like=True, tag=3, gc=False):
    """Move units between conditions or locations; an empty target is the same location."""

    sku: Sku
    location_id: LocationId
    quantity: Quantity
    from_condition: StockCondition = SELLABLE
    to_location_id: LocationId = LocationId("")
    to_condition: StockCondition = SELLABLE
    reason: str = ""


class AnnounceSupply(msgspec.Struct, frozen=True, array_like=True, tag=4):
    """Announce, replace or, with quantity 0, withdraw dated supply."""

    sku: Sku
    location_id: LocationId
    supply: Supply


class ReceiveSupply(msgspec.Struct, frozen=True, array_like=True, tag=5, gc=False):
    """Take announced supply into a bucket."""

    sku: Sku
    location_id: LocationId
    supply_id: SupplyId
    quantity: Quantity
    condition: StockCondition = SELLABLE
    close: bool = False


StockUpdate = CountStock | AdjustStock | MoveStock | AnnounceSupply | ReceiveSupply


class UpdateStock(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """Apply updates in order, all or none."""

    updates: tuple[StockUpdate, ...]


class ApplyStockBatch(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """Apply the updates of one batch of a feed, each alone; known sequences are skipped."""

    source: SourceId
    sequence: int
    updates: tuple[StockUpdate, ...]


# --- events


class StockCounted(msgspec.Struct, frozen=True, array_like=True, tag=1, gc=False):
    """on_hand was counted; `delta` is what the count changed. Time 0 is the event's own."""

    sku: Sku
    location_id: LocationId
    delta: int
    effective_time_ms: TimeMs = TimeMs(0)


class BucketChanged(msgspec.Struct, frozen=True, array_like=True, tag=2, gc=False):
    """A bucket of stock rose or fell. Time 0 is the event's own."""

    sku: Sku
    location_id: LocationId
    delta: int
    cause: Cause
    condition: StockCondition = SELLABLE
    reason: str = ""
    effective_time_ms: TimeMs = TimeMs(0)


class SupplyChanged(msgspec.Struct, frozen=True, array_like=True, tag=3):
    """Dated supply is now this; quantity 0 means that it is gone."""

    sku: Sku
    location_id: LocationId
    supply: Supply


StockChange = StockCounted | BucketChanged | SupplyChanged


class StockSummary(msgspec.Struct, frozen=True, array_like=True, tag=2, tag_field="tag", gc=False):
    """What an UpdateStock did."""

    update_count: int
    created_sku_count: int


class BatchSummary(msgspec.Struct, frozen=True, array_like=True, tag=3, tag_field="tag"):
    """What a batch of a feed did; refusals by index within the batch."""

    sequence: int
    applied_count: int
    refusals: tuple[tuple[int, Rejection], ...] = ()
    duplicate: bool = False


class StockUpdated(msgspec.Struct, frozen=True, array_like=True, tag=7):
    """Stock was changed by one call."""

    changes: tuple[StockChange, ...]
    summary: StockSummary


class StockBatchApplied(msgspec.Struct, frozen=True, array_like=True, tag=8):
    """A batch of a feed was applied."""

    source: SourceId
    changes: tuple[StockChange, ...]
    summary: BatchSummary
