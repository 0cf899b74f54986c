"""The walk over all positions that a watch's snapshot makes, in slices of bounded work.

Positions are walked in an order that never changes: SKUs in the order in which they were first
seen, shard by shard, or in the order of the filter; locations by their index. New ones only ever
appear at places of their own, so that a place behind the walk was either sent or did not exist
when the walk passed; in both cases its later changes complete what was sent.

The functions are queries: they read the state and change nothing.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from domgrpc.core.changes import PositionChange
from domgrpc.core.listings import PositionView, position_view
from domgrpc.core.positions import SkuStock
from domgrpc.core.state import State
from domgrpc.core.values import LocationId, Sku, TimeMs
from domgrpc.rpc.sizes import MESSAGE_BYTES_MAX, position_bytes

POSITIONS_PER_SLICE_MAX = 500
SCANNED_PER_SLICE_MAX = 5_000

Place = tuple[int, int, int]
"""Shard and ordinal of the SKU (0 and its place in the filter), index of the location."""
START: Place = (0, 0, -1)
_BEHIND_ALL_LOCATIONS = 2**31
_END: Place = (2**31, 0, 0)


class Selection(msgspec.Struct, frozen=True):
    """What a watch is about: SKUs by their place in the filter, and locations; empty for all."""

    skus: Mapping[Sku, int]
    location_ids: frozenset[LocationId]

    def wants(self, change: PositionChange) -> bool:
        """Whether a change is of a position that is watched."""
        return (not self.skus or change.sku in self.skus) and (
            not self.location_ids or change.location_id in self.location_ids
        )

    def wants_level(self, change: PositionChange) -> bool:
        """Whether a change is the crossing of a stock level that is watched."""
        return change.level is not None and self.wants(change)


class Slice(msgspec.Struct, frozen=True):
    """Positions of a slice, the last place that was looked at, and whether none is behind it."""

    positions: tuple[PositionView, ...]
    place: Place
    is_last: bool = False


def read_slice(state: State, now_ms: TimeMs, selection: Selection, after: Place) -> Slice:
    """Return the next positions behind a place; looks at 5,000, returns 500 at most.

    It also ends with the position that brings it above 2 MiB: one has 10,000 supplies at most.
    """
    network = state.network
    locations = network.locations.by_index
    wanted = selection.location_ids
    views: list[PositionView] = []
    scanned_count = size_bytes = 0
    for stock, first, second in _stocks(state, selection, after):
        indexes = stock.location_indexes
        resumed = (first, second) == after[:2]
        for slot in range(bisect_right(indexes, after[2]) if resumed else 0, len(indexes)):
            if not wanted or locations[indexes[slot]].location_id in wanted:
                views.append(position_view(network, stock, slot, now_ms))
                size_bytes += position_bytes(views[-1])
            scanned_count += 1
            if (
                len(views) == POSITIONS_PER_SLICE_MAX
                or scanned_count >= SCANNED_PER_SLICE_MAX
                or size_bytes > MESSAGE_BYTES_MAX
            ):
                return Slice(tuple(views), (first, second, indexes[slot]))
        # A SKU without positions costs too; the one resumed at was counted by the slice before,
        # so that every slice gets on.
        scanned_count += not resumed
        if scanned_count >= SCANNED_PER_SLICE_MAX:
            return Slice(tuple(views), (first, second, _BEHIND_ALL_LOCATIONS))
    return Slice(tuple(views), _END, is_last=True)


def covered(
    state: State, selection: Selection, changes: Iterable[PositionChange], place: Place
) -> frozenset[tuple[Sku, LocationId]]:
    """Return the positions of changes that a walk up to a place has passed."""
    index_of = state.network.locations.index_of
    found = {}
    for change in changes:
        key = (change.sku, change.location_id)
        if key not in found:
            stock = state.network.stock.find(change.sku)
            assert stock is not None, change
            sku_place = (
                (0, selection.skus.get(change.sku, _END[0]))
                if selection.skus
                else (stock.shard_number, stock.ordinal)
            )
            found[key] = (*sku_place, index_of[change.location_id]) <= place
    return frozenset(key for key, is_behind in found.items() if is_behind)


def _stocks(
    state: State, selection: Selection, after: Place
) -> Iterator[tuple[SkuStock, int, int]]:
    if not selection.skus:
        for stock in state.network.stock.skus_after(after[0], after[1] - 1):
            yield stock, stock.shard_number, stock.ordinal
        return
    for sku, place in selection.skus.items():
        found = state.network.stock.find(sku) if place >= after[1] else None
        if found is not None:
            yield found, 0, place
