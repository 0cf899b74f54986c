"""Stock in: counts, adjustments, moves and dated supply, alone or in batches of a feed.

The words are in stock_changes.py and the deciding of a single update in stock_draft.py; here
whole commands are decided and their events applied.
"""

from domgrpc.core.delta_memory import DeltaMemory, RememberedDelta
from domgrpc.core.network import Network
from domgrpc.core.rejections import Reason, Rejected, Rejection
from domgrpc.core.stock_changes import (
    SELLABLE,
    ApplyStockBatch,
    BatchSummary,
    BucketChanged,
    StockBatchApplied,
    StockChange,
    StockCounted,
    StockSummary,
    StockUpdated,
    SupplyChanged,
    UpdateStock,
)
from domgrpc.core.stock_draft import Draft
from domgrpc.core.values import SourceId, Stamp, StockLevel, TimeMs


class Feeds:
    """The last sequence applied for each source of a feed."""

    __slots__ = ("last_sequences", "sources_max")

    def __init__(self, sources_max: int) -> None:
        """Start empty; know at most `sources_max` sources."""
        self.sources_max = sources_max
        self.last_sequences: dict[SourceId, int] = {}


# --- decide


def decide_update_stock(
    network: Network, memory: DeltaMemory, command: UpdateStock, at: Stamp
) -> StockUpdated:
    """Decide all updates in order, all or none; a refusal names the update's place."""
    draft = Draft(network, memory, at)
    for place, update in enumerate(command.updates):
        try:
            draft.apply(update)
        except Rejected as rejected:
            rejected.rejection.facts["update_index"] = str(place)
            raise
    summary = StockSummary(len(command.updates), len(draft.new_skus))
    return StockUpdated(tuple(draft.changes), summary)


def decide_apply_batch(
    network: Network, memory: DeltaMemory, command: ApplyStockBatch, at: Stamp
) -> StockBatchApplied:
    """Decide each update alone; what is refused is listed and the rest applied."""
    draft = Draft(network, memory, at)
    refusals: list[tuple[int, Rejection]] = []
    for place, update in enumerate(command.updates):
        try:
            draft.apply(update)
        except Rejected as rejected:
            refusals.append((place, rejected.rejection))
    summary = BatchSummary(
        sequence=command.sequence,
        applied_count=len(command.updates) - len(refusals),
        refusals=tuple(refusals),
    )
    return StockBatchApplied(command.source, tuple(draft.changes), summary)


def check_source_room(feeds: Feeds, source: SourceId) -> None:
    """Refuse a source beyond the most that are remembered."""
    if source not in feeds.last_sequences and len(feeds.last_sequences) >= feeds.sources_max:
        raise Rejected(
            Reason.CAPACITY_EXCEEDED,
            f"{feeds.sources_max} feed sources are known already, the most that is allowed: "
            "use an existing source name",
            limit=feeds.sources_max,
        )


# --- evolve


def evolve_stock_updated(
    network: Network, memory: DeltaMemory, event: StockUpdated, at: Stamp
) -> None:
    """Apply all changes."""
    for change in event.changes:
        evolve_stock_change(network, memory, change, at)


def evolve_batch_applied(
    network: Network, memory: DeltaMemory, event: StockBatchApplied, at: Stamp
) -> None:
    """Apply all changes; the caller notes the sequence."""
    for change in event.changes:
        evolve_stock_change(network, memory, change, at)


def evolve_stock_change(
    network: Network, memory: DeltaMemory, change: StockChange, at: Stamp
) -> None:
    """Apply one change; a new position that starts with stock starts in stock."""
    index = network.locations.index_of[change.location_id]
    stock = network.stock.ensure(change.sku)
    if isinstance(change, SupplyChanged):
        # Where nothing was ever stocked the supply is what makes it a position.
        network.stock.ensure_slot(stock, index, StockLevel.OUT_OF_STOCK)
        stock.ensure_supplies(index).put(change.supply)
        network.stock.forget_views(stock)
        network.stock.waiting.stir(change.sku)
        return
    if isinstance(change, BucketChanged) and change.condition is not SELLABLE:
        network.stock.ensure_slot(stock, index, StockLevel.OUT_OF_STOCK)
        stock.add_condition(index, change.condition, change.delta)
        return
    level = StockLevel.IN_STOCK if change.delta > 0 else StockLevel.OUT_OF_STOCK
    slot = network.stock.ensure_slot(stock, index, level)
    stock.on_hand[slot] += change.delta
    network.stock.touch(stock, slot)
    effective_ms = change.effective_time_ms or at.time_ms
    if isinstance(change, StockCounted):
        stock.count_times_ms[slot] = max(stock.count_times_ms[slot], effective_ms)
    else:
        memory.remember(RememberedDelta(change.sku, index, TimeMs(effective_ms), change.delta))
