"""Stock levels: low, out of stock and back in stock, once for each crossing.

A position's level compares its ATF, without regard to channel and method, with the winning rules
of kind LOW_STOCK and OUT_OF_STOCK (0 where there is none). It is compared when a figure of the
position changes and, by a sweep over all SKUs in slices, after a rule, product or place
changed. A change of level is an event: replay needs no rules, and watchers miss none.
"""

import msgspec

from domgrpc.core.network import Ask, Network
from domgrpc.core.positions import SkuStock
from domgrpc.core.safety_stock import RuleKind
from domgrpc.core.values import (
    Demand,
    LocationId,
    LocationIndex,
    Sku,
    Stamp,
    StockLevel,
    TimeMs,
)

_ANY_DEMAND = Demand()


class SweepStockLevels(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """Compare the levels of up to `sku_count` SKUs behind a place in the order of SKUs."""

    shard_number: int
    ordinal: int
    sku_count: int


class StockLevelChanged(msgspec.Struct, frozen=True, array_like=True, tag=9, gc=False):
    """A position crossed into a level, at this many units of ATF."""

    sku: Sku
    location_id: LocationId
    level: StockLevel
    available_quantity: int


def stock_level(
    network: Network, stock: SkuStock, slot: int, now_ms: TimeMs
) -> tuple[StockLevel, int]:
    """Return a position's level and the ATF that makes it so."""
    ask = Ask(_ANY_DEMAND, now_ms)
    index = LocationIndex(stock.location_indexes[slot])
    on_hand = stock.on_hand[slot]
    safety = network.winner(RuleKind.SAFETY_STOCK, stock, index, ask)
    withheld = safety.quantity(on_hand) if safety is not None else 0
    available = max(0, stock.free(slot) - withheld)
    out = network.winner(RuleKind.OUT_OF_STOCK, stock, index, ask)
    if available <= (out.quantity(on_hand) if out is not None else 0):
        return StockLevel.OUT_OF_STOCK, available
    low = network.winner(RuleKind.LOW_STOCK, stock, index, ask)
    if low is not None and available <= low.quantity(on_hand):
        return StockLevel.LOW_STOCK, available
    return StockLevel.IN_STOCK, available


def decide_level(
    network: Network, stock: SkuStock, slot: int, at: Stamp
) -> StockLevelChanged | None:
    """Return the crossing of a position, None where it stays in its level."""
    if not network.stock.levels_by_rule:
        # The usual case, several times in every command.
        free = stock.free(slot)
        level = StockLevel.IN_STOCK if free > 0 else StockLevel.OUT_OF_STOCK
        if level == stock.levels[slot]:
            return None
        available = max(0, free)
    else:
        network.refresh(at.time_ms)
        level, available = stock_level(network, stock, slot, at.time_ms)
        if level == stock.levels[slot]:
            return None
    location = network.locations.by_index[stock.location_indexes[slot]]
    return StockLevelChanged(stock.sku, location.location_id, level, available)


def decide_sweep(
    network: Network, command: SweepStockLevels, at: Stamp
) -> tuple[StockLevelChanged, ...]:
    """Return the crossings of a slice of SKUs."""
    crossings = []
    skus = network.stock.skus_after(command.shard_number, command.ordinal)
    for _, stock in zip(range(command.sku_count), skus, strict=False):
        for slot in range(len(stock.location_indexes)):
            crossing = decide_level(network, stock, slot, at)
            if crossing is not None:
                crossings.append(crossing)
    return tuple(crossings)


def place_after(network: Network, place: tuple[int, int], sku_count: int) -> tuple[int, int] | None:
    """Return the place behind the next SKUs in the order of SKUs, None at the end."""
    last = None
    for _, stock in zip(range(sku_count), network.stock.skus_after(*place), strict=False):
        last = (stock.shard_number, stock.ordinal)
    return last


def evolve_level_changed(network: Network, event: StockLevelChanged) -> None:
    """Store the level."""
    stock = network.stock.ensure(event.sku)
    slot = stock.slot(network.locations.index_of[event.location_id])
    network.stock.set_level(stock, slot, event.level)
