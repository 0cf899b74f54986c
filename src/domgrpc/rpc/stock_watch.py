"""WatchInventory: every change of stock, from a revision or from a consistent snapshot on.

A watch is a cursor in the engine's feed; what it has read waits nowhere but in gRPC's own flow
control. A reader that does not keep up is cut off by the feed. A snapshot is walked in slices
(inventory_walk.py), each as of its own revision. Between two slices go out the changes since the
last one of those positions that were sent already, and only of those. So when the last slice is
out, everything that was sent is as of its revision.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Iterable, Iterator
from typing import TypeAlias

from domgrpc.core.changes import PositionChange, position_changes
from domgrpc.core.events import Record
from domgrpc.core.values import LocationId, Sku
from domgrpc.engine.calls import Reading, RevisionNotReached
from domgrpc.engine.feed import Cursor, WatcherTooSlow
from domgrpc.rpc.calls import Call
from domgrpc.rpc.draining import Drain
from domgrpc.rpc.inventory_walk import START, Place, Selection, Slice, covered, read_slice
from domgrpc.rpc.refusals import InvalidField, Refused, TransportReason
from domgrpc.rpc.shapes import REVISION_MAX, identifier, item_count, whole
from domgrpc.rpc.sizes import MESSAGE_BYTES_MAX, change_bytes
from domgrpc.rpc.translate_stock import fill_change, fill_position
from domgrpc.v1 import inventory_pb2

FILTER_MAX = 1_000
MESSAGE_BYTES = 128 * 1024
"""A batch of changes that has grown so large goes out at the end of a record; in the middle of
one only with MESSAGE_BYTES_MAX."""

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
        watch = _Watch(call, selection, self._drain)
        wanted: _Wanted = selection.wants_level if message.levels_only else selection.wants
        try:
            if message.snapshot:
                async for answer in watch.snapshot():
                    yield answer
            else:
                watch.begin(_first_revision(message, call))
            async for answer in watch.follow(wanted):
                yield answer
        finally:
            watch.close()


class _Watch:
    """One watch: its cursor, and the records that it has read but not sent."""

    def __init__(self, call: Call, selection: Selection, drain: Drain) -> None:
        self._engine = call.engine
        self._selection = selection
        self._drain = drain
        self._cursor: Cursor | None = None
        self._unsent: deque[Record] = deque()

    def begin(self, after_revision: int) -> None:
        """Place the cursor; raises RevisionTrimmed."""
        self._cursor = self._engine.feed.open(after_revision)

    def close(self) -> None:
        """Leave the feed."""
        if self._cursor is not None:
            self._cursor.close()

    async def snapshot(self) -> AsyncGenerator[_Answer, None]:
        """Stream all positions, and meanwhile the changes of those that were sent."""
        place, is_last = START, False
        while not is_last:
            self._drain.check()
            reading = await self._slice(place)
            if self._cursor is None:
                self.begin(reading.revision)
            async for answer in self._changes_behind(place, reading.revision):
                yield answer
            place, is_last = reading.value.place, reading.value.is_last
            answer = _Answer(revision=reading.revision, snapshot_complete=is_last)
            for view in reading.value.positions:
                fill_position(answer.positions.add(), view, reading.revision)
            if is_last or reading.value.positions:
                yield answer

    async def follow(self, wanted: _Wanted) -> AsyncGenerator[_Answer, None]:
        """Stream what happens from the cursor on, with marks of progress; the first at once."""
        cursor = self._cursor
        assert cursor is not None
        loop = asyncio.get_running_loop()
        sent_at = loop.time()
        # What the snapshot has read ahead, if anything.
        records: Collection[Record] = self._unsent
        while True:
            has_sent = False
            for answer in batches(records, wanted):
                yield answer
                has_sent = True
            if not records or loop.time() - sent_at >= self._engine.feed.mark_seconds:
                yield _Answer(revision=cursor.revision)
                has_sent = True
            if has_sent:
                sent_at = loop.time()
            self._drain.check(resume_revision=cursor.revision)
            records = await cursor.next()
            if not records:
                # Perhaps woken for this.
                self._drain.check(resume_revision=cursor.revision)

    async def _slice(self, after: Place) -> Reading[Slice]:
        selection = self._selection
        return await self._engine.read(
            lambda state, now_ms: read_slice(state, now_ms, selection, after)
        )

    async def _changes_behind(self, place: Place, revision: int) -> AsyncGenerator[_Answer, None]:
        # The changes up to a revision of the positions that were sent before.
        async for records in self._records_until(revision):
            passed = await self._passed(records, place)
            for answer in batches(records, passed):
                yield answer

    async def _passed(self, records: list[Record], place: Place) -> _Wanted:
        selection = self._selection
        changes = [
            change
            for record in records
            for change in position_changes(record)
            if selection.wants(change)
        ]
        reading = await self._engine.read(
            lambda state, _: covered(state, selection, changes, place)
        )
        keys = reading.value
        return lambda change: (change.sku, change.location_id) in keys

    async def _records_until(self, revision: int) -> AsyncIterator[list[Record]]:
        cursor = self._cursor
        assert cursor is not None
        unsent = self._unsent
        while True:
            records = []
            while unsent and unsent[0].revision <= revision:
                records.append(unsent.popleft())
            if records:
                yield records
            if unsent or cursor.revision >= revision:
                return
            # The revision was read, so it is durable and in the feed: this does not wait.
            unsent.extend(await self._next_of_snapshot(cursor))

    async def _next_of_snapshot(self, cursor: Cursor) -> tuple[Record, ...]:
        try:
            return await cursor.next()
        except WatcherTooSlow:
            raise Refused(
                TransportReason.WATCH_TOO_SLOW,
                "the snapshot was read too slowly and is cut off: begin again, with a smaller "
                "filter or a faster reader",
            ) from None


def batches(records: Iterable[Record], wanted: _Wanted) -> Iterator[_Answer]:
    """Pack the wanted changes of records into messages.

    The revision of a message is that of the last record that is whole in it. Only a record of
    more than 2 MiB is cut: its first changes then have a revision above that of their message.
    """
    answer, size_bytes, revision = _Answer(), 0, 0
    for record in records:
        for change in position_changes(record):
            if not wanted(change):
                continue
            if size_bytes >= MESSAGE_BYTES_MAX:
                answer.revision = record.revision - 1
                yield answer
                answer, size_bytes = _Answer(), 0
            fill_change(answer.changes.add(), change, record.revision, record.time_ms)
            size_bytes += change_bytes(change)
        revision = record.revision
        if size_bytes >= MESSAGE_BYTES:
            answer.revision = revision
            yield answer
            answer, size_bytes = _Answer(), 0
    if size_bytes:
        answer.revision = revision
        yield answer


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


def _first_revision(message: inventory_pb2.WatchInventoryRequest, call: Call) -> int:
    now = call.engine.durable_revision
    if message.WhichOneof("start") != "after_revision":
        return now
    revision = whole(message.after_revision, "after_revision", 0, REVISION_MAX)
    if revision > now:
        # Nobody can know it from this server: it was told so by another one.
        raise RevisionNotReached(now, revision)
    return revision
