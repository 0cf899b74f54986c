"""Positions: the figures of every SKU at every location, millions of them, in one process.

A SKU belongs to shard crc32(sku) mod 64, which the data format fixes; nothing in one shard
points into another. A `SkuStock` keeps the figures of its positions in parallel arrays sorted by
location index, about 45 bytes a position; a position is a SKU's stock and a slot in its arrays.

Views (stock_index.py) follow a SKU by its `changed_slots`: every change of a figure appends the
slot, and a view catches up from where it last looked. A SKU without views records nothing; views
that fall far behind are dropped, so that what is recorded stays in proportion to the positions.
"""

from array import array
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Iterator
from typing import Protocol
from zlib import crc32

from sortedcontainers import SortedList

from domgrpc.core.supply import InboundSupplies
from domgrpc.core.values import (
    LocationIndex,
    Quantity,
    Sku,
    StockCondition,
    StockLevel,
)
from domgrpc.core.waiting import Waiting

SHARD_COUNT = 64
VIEW_SLOTS_MAX = 4_000_000
"""How many slots all cached views may cover together; the oldest views go first."""
VIEW_SLOTS_MIN = 32
"""A view counts as so many slots at least: it has a size without any."""
CHANGED_SLOTS_MIN = 64
"""So many changes are recorded before a view can be behind, or twice the slots of the SKU."""
_IN_STOCK = int(StockLevel.IN_STOCK)


class StockView(Protocol):
    """What is cached of one SKU: how many slots it covers, how many changes it has taken in."""

    slot_count: int
    seen_count: int


class SkuStock:
    """The positions of one SKU. Finding a slot is O(log locations)."""

    __slots__ = (
        "allocated",
        "changed_slots",
        "conditions",
        "count_times_ms",
        "inbound",
        "levels",
        "location_indexes",
        "on_hand",
        "ordinal",
        "shard_number",
        "sku",
        "soft_reserved",
        "views",
    )

    def __init__(self, sku: Sku, shard_number: int, ordinal: int) -> None:
        """Start without positions."""
        self.sku = sku
        self.shard_number = shard_number
        self.ordinal = ordinal
        self.location_indexes = array("i")
        self.on_hand = array("q")
        self.soft_reserved = array("q")
        self.allocated = array("q")
        self.count_times_ms = array("q")
        self.levels = array("b")
        self.conditions: dict[tuple[LocationIndex, StockCondition], Quantity] | None = None
        self.inbound: dict[LocationIndex, InboundSupplies] | None = None
        self.views: dict[object, StockView] | None = None
        self.changed_slots: list[int] = []

    def slot(self, index: LocationIndex) -> int:
        """Return the slot of a location, -1 where the SKU has no position there."""
        indexes = self.location_indexes
        slot = bisect_left(indexes, index)
        return slot if slot < len(indexes) and indexes[slot] == index else -1

    def add_slot(self, index: LocationIndex, level: StockLevel) -> int:
        """Add an empty position and return its slot; O(locations of the SKU)."""
        slot = bisect_left(self.location_indexes, index)
        self.location_indexes.insert(slot, index)
        self.on_hand.insert(slot, 0)
        self.soft_reserved.insert(slot, 0)
        self.allocated.insert(slot, 0)
        self.count_times_ms.insert(slot, 0)
        self.levels.insert(slot, level)
        return slot

    def free(self, slot: int) -> int:
        """Return on_hand minus claims; below 0 where the position is oversold."""
        return self.on_hand[slot] - self.soft_reserved[slot] - self.allocated[slot]

    def condition_quantity(self, index: LocationIndex, condition: StockCondition) -> int:
        """Return the units at a location in one condition, SELLABLE included."""
        if condition is StockCondition.SELLABLE:
            slot = self.slot(index)
            return self.on_hand[slot] if slot >= 0 else 0
        return self.conditions.get((index, condition), 0) if self.conditions else 0

    def add_condition(self, index: LocationIndex, condition: StockCondition, delta: int) -> None:
        """Change a bucket that is not SELLABLE; an empty one is forgotten."""
        if self.conditions is None:
            self.conditions = {}
        quantity = self.conditions.pop((index, condition), 0) + delta
        if quantity:
            self.conditions[index, condition] = Quantity(quantity)

    def supplies(self, index: LocationIndex) -> InboundSupplies | None:
        """Return the announced supply of a location, None for none."""
        return self.inbound.get(index) if self.inbound else None

    def ensure_supplies(self, index: LocationIndex) -> InboundSupplies:
        """Return the announced supply of a location to change it."""
        if self.inbound is None:
            self.inbound = {}
        supplies = self.inbound.get(index)
        if supplies is None:
            supplies = self.inbound[index] = InboundSupplies()
        return supplies

    def check_invariants(self) -> None:
        """Arrays are parallel and sorted, figures are in range."""
        indexes = self.location_indexes
        assert list(indexes) == sorted(set(indexes))
        columns = (self.on_hand, self.soft_reserved, self.allocated)
        for column in (*columns, self.count_times_ms, self.levels):
            assert len(column) == len(indexes)
        for column in columns:
            assert not column or min(column) >= 0
        for quantity in (self.conditions or {}).values():
            assert quantity > 0
        for supplies in (self.inbound or {}).values():
            supplies.check_invariants()


class Shard:
    """The SKUs of one shard in the order in which they were first seen."""

    __slots__ = ("order",)

    def __init__(self) -> None:
        """Start empty."""
        self.order: list[SkuStock] = []


class Stock:
    """All positions in 64 shards, and a directory of their SKUs."""

    __slots__ = (
        "_view_slot_count",
        "_views",
        "by_sku",
        "levels_by_rule",
        "low_positions",
        "position_count",
        "shards",
        "touched",
        "waiting",
    )

    def __init__(self) -> None:
        """Start empty."""
        self.by_sku: dict[Sku, SkuStock] = {}
        self.shards = tuple(Shard() for _ in range(SHARD_COUNT))
        self.position_count = 0
        self.levels_by_rule = False
        """Whether any rule exists; without one a level depends on its own position only."""
        # Positions that are low or out, by SKU and location, for lists that read only these.
        self.low_positions: SortedList[tuple[Sku, LocationIndex]] = SortedList()
        # Positions whose level may have changed within the present record, with repeats.
        self.touched: list[tuple[SkuStock, LocationIndex]] = []
        self.waiting = Waiting()
        """What orders wait for, a view of theirs: told of every figure that changes."""
        self._views: OrderedDict[tuple[Sku, object], int] = OrderedDict()
        self._view_slot_count = 0

    def find(self, sku: Sku) -> SkuStock | None:
        """Return a SKU's stock, None where the SKU has never been seen."""
        return self.by_sku.get(sku)

    def locate(self, sku: Sku, index: LocationIndex) -> tuple[SkuStock | None, int]:
        """Return (a SKU's stock, the slot of a location), with None and -1 for what is not there.

        `find` and `slot` in one, because every line of every hold asks it three times.
        """
        stock = self.by_sku.get(sku)
        if stock is None:
            return None, -1
        indexes = stock.location_indexes
        slot = bisect_left(indexes, index)
        if slot < len(indexes) and indexes[slot] == index:
            return stock, slot
        return stock, -1

    def ensure(self, sku: Sku) -> SkuStock:
        """Return a SKU's stock; a SKU not seen before joins its shard."""
        stock = self.by_sku.get(sku)
        if stock is None:
            number = shard_number_of(sku)
            stock = SkuStock(sku, number, len(self.shards[number].order))
            self.add(stock)
        return stock

    def add(self, stock: SkuStock) -> None:
        """Let a SKU join its shard."""
        self.by_sku[stock.sku] = stock
        self.shards[stock.shard_number].order.append(stock)

    def ensure_slot(self, stock: SkuStock, index: LocationIndex, level: StockLevel) -> int:
        """Return the slot of a location; a new position is counted and starts at `level`."""
        slot = stock.slot(index)
        if slot < 0:
            slot = stock.add_slot(index, level)
            # Slots have moved: what views remember of them is void.
            self.forget_views(stock)
            self.position_count += 1
            if level is not StockLevel.IN_STOCK:
                self.low_positions.add((stock.sku, index))
        return slot

    def touch(self, stock: SkuStock, slot: int) -> None:
        """Note that a figure of the slot changed: for views, its level and who waits for it."""
        free = stock.on_hand[slot] - stock.soft_reserved[slot] - stock.allocated[slot]
        if self.levels_by_rule or (free > 0) != (stock.levels[slot] == _IN_STOCK):
            self.touched.append((stock, LocationIndex(stock.location_indexes[slot])))
        if self.waiting.by_sku:
            self.waiting.note(stock.sku, LocationIndex(stock.location_indexes[slot]), free)
        if stock.views is not None:
            stock.changed_slots.append(slot)
            count = len(stock.changed_slots)
            if count > CHANGED_SLOTS_MIN and count > 2 * len(stock.location_indexes):
                self._trim_changes(stock)

    def set_level(self, stock: SkuStock, slot: int, level: StockLevel) -> None:
        """Store a position's level and keep the list of low ones."""
        index = LocationIndex(stock.location_indexes[slot])
        was_low = stock.levels[slot] != StockLevel.IN_STOCK
        stock.levels[slot] = level
        if was_low and level is StockLevel.IN_STOCK:
            self.low_positions.remove((stock.sku, index))
        elif not was_low and level is not StockLevel.IN_STOCK:
            self.low_positions.add((stock.sku, index))

    @property
    def sku_count(self) -> int:
        """How many SKUs have been seen."""
        return len(self.by_sku)

    def skus(self) -> Iterator[SkuStock]:
        """Iterate all SKUs, shard by shard, in order of first sight."""
        for shard in self.shards:
            yield from shard.order

    def skus_after(self, shard_number: int, ordinal: int) -> Iterator[SkuStock]:
        """Iterate the SKUs behind a place in the same order; entering costs O(1)."""
        first = ordinal + 1
        for shard in self.shards[shard_number:]:
            for place in range(first, len(shard.order)):
                yield shard.order[place]
            first = 0

    def add_view(self, stock: SkuStock, key: object, view: StockView) -> None:
        """Cache a view of a SKU and drop the oldest ones where there are too many."""
        self.forget_view(stock, key)
        if stock.views is None:
            stock.views = {}
        stock.views[key] = view
        # The view before it, if it was the only one, has taken the list of changes with it.
        view.seen_count = len(stock.changed_slots)
        slot_count = max(view.slot_count, VIEW_SLOTS_MIN)
        self._views[stock.sku, key] = slot_count
        self._view_slot_count += slot_count
        while self._view_slot_count > VIEW_SLOTS_MAX and len(self._views) > 1:
            old_sku, old_key = next(iter(self._views))
            self.forget_view(self.by_sku[old_sku], old_key)

    def forget_view(self, stock: SkuStock, key: object) -> None:
        """Drop a view of a SKU where there is one; it is built again when next asked."""
        if stock.views is None or key not in stock.views:
            return
        del stock.views[key]
        self._view_slot_count -= self._views.pop((stock.sku, key))
        if not stock.views:
            stock.views = None
            stock.changed_slots.clear()

    def forget_views(self, stock: SkuStock) -> None:
        """Drop all views of a SKU."""
        for key in list(stock.views or ()):
            self.forget_view(stock, key)

    @property
    def view_count(self) -> int:
        """How many views are cached."""
        return len(self._views)

    def _trim_changes(self, stock: SkuStock) -> None:
        # A view that is behind by half of the record is as cheap to build as to catch up; what
        # all others have seen is forgotten. What is left is half at most, so that it is rare.
        half = len(stock.changed_slots) // 2
        views = stock.views or {}
        for key in [key for key, view in views.items() if view.seen_count < half]:
            self.forget_view(stock, key)
        seen = min((view.seen_count for view in views.values()), default=0)
        del stock.changed_slots[:seen]
        for view in views.values():
            view.seen_count -= seen

    def check_invariants(self) -> None:
        """Counts, shards and the list of low positions agree with the SKUs."""
        low: list[tuple[Sku, LocationIndex]] = []
        position_count = 0
        for number, shard in enumerate(self.shards):
            for ordinal, stock in enumerate(shard.order):
                assert (stock.shard_number, stock.ordinal) == (number, ordinal)
                assert shard_number_of(stock.sku) == number
                assert self.by_sku[stock.sku] is stock
                stock.check_invariants()
                position_count += len(stock.location_indexes)
                low.extend(low_positions_of(stock))
        assert sum(len(shard.order) for shard in self.shards) == len(self.by_sku)
        assert self.position_count == position_count
        cached = [(sku, key) for sku, stock in self.by_sku.items() for key in stock.views or ()]
        assert len(cached) == len(self._views)
        assert all(each in self._views for each in cached)
        assert self._view_slot_count == sum(self._views.values())
        assert list(self.low_positions) == sorted(low)


def shard_number_of(sku: Sku) -> int:
    """Return the shard that a SKU belongs to; part of the data format."""
    return crc32(sku.encode()) % SHARD_COUNT


def low_positions_of(stock: SkuStock) -> Iterator[tuple[Sku, LocationIndex]]:
    """Iterate the positions of a SKU that are low or out; one glance where none is."""
    if stock.levels.count(_IN_STOCK) == len(stock.levels):
        return
    for index, level in zip(stock.location_indexes, stock.levels, strict=True):
        if level != _IN_STOCK:
            yield stock.sku, LocationIndex(index)
