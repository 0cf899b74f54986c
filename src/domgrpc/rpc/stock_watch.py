"""WatchInventory: every change of stock, from a revision or from a consistent snapshot on.

A snapshot is walked in slices (inventory_walk.py), each as of its own revision. Between two slices
go out the changes since the last one of those positions that were sent already, and only of
those. So when the last slice is out, everything that was sent is as of its revision.
"""

from collections.abc import AsyncGenerator, Callable
from typing import TypeAlias

from domgrpc.core.changes import PositionChange, position_changes
from domgrpc.core.events import Record
from domgrpc.core.values import LocationId, Sku
from domgrpc.engine.calls import Reading
from domgrpc.rpc.calls import Call
from domgrpc.rpc.draining import Drain
from domgrpc.rpc.feed_watch import FILTER_MAX, FeedWatch, Packing, first_revision
from domgrpc.rpc.inventory_walk import START, Place, Selection, Slice, covered, read_slice
from domgrpc.rpc.refusals import InvalidField
from domgrpc.rpc.shapes import identifier, item_count
from domgrpc.rpc.sizes import change_bytes
from domgrpc.rpc.translate_stock import fill_change, fill_position
from domgrpc.v1 import inventory_pb2

_Answer: TypeAlias = inventory_pb2.WatchInventoryResponse
_Wanted: TypeAlias = Callable[[PositionChange], bool]


class StockWatches:
    """Runs the watches of a server."""

    def __init__(self, drain: Drain) -> None:
        """Start with none."""
        self._drain = drain

    async def run(
        self, message: inventory_pb2.WatchInventoryRequest, call: Call
    ) -> AsyncGenerator[_Answer, None]:
        """Stream a watch until the caller goes away, falls behind, or the server goes down."""
        selection = _selection(message)
        if message.snapshot and message.levels_only:
            raise InvalidField("levels_only", "is set together with snapshot; choose one")
        feed = FeedWatch(call.engine, self._drain, _PACKING)
        wanted: _Wanted = selection.wants_level if message.levels_only else selection.wants
        try:
            if message.snapshot:
                async for answer in _snapshot(feed, selection):
                    yield answer
            else:
                start = message.WhichOneof("start")
                feed.begin(first_revision(start, message.after_revision, call))
            async for answer in feed.follow(wanted):
                yield answer
        finally:
            feed.close()


def _add(answer: _Answer, change: PositionChange, record: Record) -> int:
    fill_change(answer.changes.add(), change, record.revision, record.time_ms)
    return change_bytes(change)


_PACKING = Packing(_Answer, position_changes, _add)


# --- the snapshot


async def _snapshot(
    feed: FeedWatch[_Answer, PositionChange], selection: Selection
) -> AsyncGenerator[_Answer, None]:
    """Stream all positions, and meanwhile the changes of those that were sent."""
    place, is_last = START, False
    while not is_last:
        feed.drain.check()
        reading = await _slice(feed, selection, place)
        feed.begin(reading.revision)
        # The changes up to a revision of the positions that were sent before.
        async for records in feed.records_until(reading.revision):
            passed = await _passed(feed, selection, (records, place))
            for answer in feed.packing.batches(records, passed):
                yield answer
        place, is_last = reading.value.place, reading.value.is_last
        answer = _Answer(revision=reading.revision, snapshot_complete=is_last)
        for view in reading.value.positions:
            fill_position(answer.positions.add(), view, reading.revision)
        if is_last or reading.value.positions:
            yield answer


async def _slice(
    feed: FeedWatch[_Answer, PositionChange], selection: Selection, after: Place
) -> Reading[Slice]:
    return await feed.engine.read(lambda state, now_ms: read_slice(state, now_ms, selection, after))


async def _passed(
    feed: FeedWatch[_Answer, PositionChange],
    selection: Selection,
    news: tuple[list[Record], Place],
) -> _Wanted:
    records, place = news
    changes = [
        change
        for record in records
        for change in position_changes(record)
        if selection.wants(change)
    ]
    reading = await feed.engine.read(lambda state, _: covered(state, selection, changes, place))
    keys = reading.value
    return lambda change: (change.sku, change.location_id) in keys


# --- what is watched


def _selection(message: inventory_pb2.WatchInventoryRequest) -> Selection:
    item_count(len(message.skus), "skus", 0, FILTER_MAX)
    item_count(len(message.location_ids), "location_ids", 0, FILTER_MAX)
    skus = dict.fromkeys(
        Sku(identifier(sku, f"skus[{place}]")) for place, sku in enumerate(message.skus)
    )
    return Selection(
        {sku: place for place, sku in enumerate(skus)},
        frozenset(
            LocationId(identifier(location_id, f"location_ids[{place}]"))
            for place, location_id in enumerate(message.location_ids)
        ),
    )
