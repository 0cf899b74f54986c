"""Stock levels: low, out of stock and back in stock, once for each crossing.

A position's level compares its ATF, without regard to channel and method, with the winning rules
of kind LOW_STOCK and OUT_OF_STOCK (0 where there is none). It is compared when a figure of the
position changes and, by a sweep over all positions in slices, after something changed that rules
look at. A change of level is an event: replay needs no rules, and watchers miss none.
"""

from bisect import bisect_right
from typing import TypeAlias

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

SweepPlace: TypeAlias = tuple[int, int, int]
"""(shard, ordinal of the SKU in it, location index): a position, whether it exists or not."""
SWEEP_START: SweepPlace = (0, 0, -1)

_ANY_DEMAND = Demand()


class SweepStockLevels(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """Compare the levels of up to `position_count` positions behind a place.

    Positions go by shard, SKU and location; a SKU without positions counts as one.
    """

    place: SweepPlace
    position_count: int


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
    """Return the crossings of a slice of positions."""
    slices, _ = _slices(network, command)
    crossings = (
        decide_level(network, stock, slot, at) for stock, slots in slices for slot in slots
    )
    return tuple(crossing for crossing in crossings if crossing is not None)


def place_after(network: Network, command: SweepStockLevels) -> SweepPlace | None:
    """Return the place of the last position of a slice, None where nothing is behind it."""
    return _slices(network, command)[1]


def _slices(
    network: Network, command: SweepStockLevels
) -> tuple[list[tuple[SkuStock, range]], SweepPlace | None]:
    # (SKU, slots) of a slice, and the place at which the next one goes on.
    shard_number, ordinal, last_index = command.place
    place: SweepPlace | None = None
    slices: list[tuple[SkuStock, range]] = []
    left = command.position_count
    for stock in network.stock.skus_after(shard_number, ordinal - 1):
        if left <= 0:
            return slices, place
        indexes = stock.location_indexes
        resumed = (stock.shard_number, stock.ordinal) == (shard_number, ordinal)
        first = bisect_right(indexes, last_index) if resumed else 0
        slots = range(first, min(len(indexes), first + left))
        slices.append((stock, slots))
        # A SKU that was looked at to its end the last time costs nothing.
        left -= len(slots) or (not resumed)
        end_index = indexes[slots.stop - 1] if slots.stop else -1
        place = (stock.shard_number, stock.ordinal, end_index)
        if slots.stop < len(indexes):
            return slices, place
    return slices, None


def evolve_level_changed(network: Network, event: StockLevelChanged) -> None:
    """Store the level."""
    stock = network.stock.ensure(event.sku)
    slot = stock.slot(network.locations.index_of[event.location_id])
    network.stock.set_level(stock, slot, event.level)
