"""What the watches of stock and of orders have in common: a cursor in the feed, and how it is read.

A watch is a cursor in the engine's feed; what it has read waits nowhere but in gRPC's own flow
control. A reader that does not keep up is cut off by the feed. How records become messages is
given by those who watch.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Iterable, Iterator
from typing import Generic, Protocol, TypeVar

from domgrpc.core.events import Record
from domgrpc.engine.calls import RevisionNotReached
from domgrpc.engine.engine import Engine
from domgrpc.engine.feed import Cursor, WatcherTooSlow
from domgrpc.rpc.calls import Call
from domgrpc.rpc.draining import Drain
from domgrpc.rpc.refusals import Refused, TransportReason
from domgrpc.rpc.shapes import REVISION_MAX, whole
from domgrpc.rpc.sizes import MESSAGE_BYTES_MAX

FILTER_MAX = 1_000
"""SKUs, locations, orders, customers in the filter of a watch."""
MESSAGE_BYTES = 128 * 1024
"""A batch of changes that has grown so large goes out at the end of a record; in the middle of
one only with MESSAGE_BYTES_MAX of sizes.py."""


class Progress(Protocol):
    """What the messages of every watch have."""

    revision: int


Message = TypeVar("Message", bound=Progress)
Change = TypeVar("Change")


class Packing(Generic[Message, Change]):
    """How the changes in a record are found and written: the part in which watches differ."""

    def __init__(
        self,
        message: Callable[[], Message],
        changes_of: Callable[[Record], Iterable[Change]],
        add: Callable[[Message, Change, Record], int],
    ) -> None:
        """Take what makes an empty message, and what adds a change to it and counts its bytes."""
        self.message = message
        self.changes_of = changes_of
        self.add = add

    def mark(self, revision: int) -> Message:
        """Return a message that only says how far the watch has come."""
        mark = self.message()
        mark.revision = revision
        return mark

    def batches(
        self, records: Iterable[Record], wanted: Callable[[Change], bool]
    ) -> Iterator[Message]:
        """Pack the wanted changes of records into messages.

        The revision of a message is that of the last record that is whole in it. Only a record of
        more than 2 MiB is cut: its first changes then have a revision above that of their message.
        """
        answer, size_bytes, revision = self.message(), 0, 0
        for record in records:
            for change in self.changes_of(record):
                if not wanted(change):
                    continue
                if size_bytes >= MESSAGE_BYTES_MAX:
                    answer.revision = record.revision - 1
                    yield answer
                    answer, size_bytes = self.message(), 0
                size_bytes += self.add(answer, change, record)
            revision = record.revision
            if size_bytes >= MESSAGE_BYTES:
                answer.revision = revision
                yield answer
                answer, size_bytes = self.message(), 0
        if size_bytes:
            answer.revision = revision
            yield answer


class FeedWatch(Generic[Message, Change]):
    """One watch: its cursor, and the records that it has read but not sent."""

    def __init__(self, engine: Engine, drain: Drain, packing: Packing[Message, Change]) -> None:
        """Begin nowhere."""
        self.engine = engine
        self.drain = drain
        self.packing = packing
        self._cursor: Cursor | None = None
        self._unsent: deque[Record] = deque()

    def begin(self, after_revision: int) -> None:
        """Place the cursor, where it has none; raises RevisionTrimmed."""
        if self._cursor is None:
            self._cursor = self.engine.feed.open(after_revision)

    def close(self) -> None:
        """Leave the feed."""
        if self._cursor is not None:
            self._cursor.close()

    async def follow(self, wanted: Callable[[Change], bool]) -> AsyncGenerator[Message, None]:
        """Stream what happens from the cursor on, with marks of progress; the first at once."""
        cursor = self._cursor
        assert cursor is not None
        loop = asyncio.get_running_loop()
        sent_at = loop.time()
        # What the snapshot has read ahead, if anything.
        records: Collection[Record] = self._unsent
        while True:
            has_sent = False
            for answer in self.packing.batches(records, wanted):
                yield answer
                has_sent = True
            if not records or loop.time() - sent_at >= self.engine.feed.mark_seconds:
                yield self.packing.mark(cursor.revision)
                has_sent = True
            if has_sent:
                sent_at = loop.time()
            self.drain.check(resume_revision=cursor.revision)
            records = await cursor.next()
            if not records:
                # Perhaps woken for this.
                self.drain.check(resume_revision=cursor.revision)

    async def records_until(self, revision: int) -> AsyncIterator[list[Record]]:
        """Iterate what happened up to a revision that was read, for a snapshot in slices."""
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
            unsent.extend(await _next_of_snapshot(cursor))


async def _next_of_snapshot(cursor: Cursor) -> tuple[Record, ...]:
    try:
        return await cursor.next()
    except WatcherTooSlow:
        raise Refused(
            TransportReason.WATCH_TOO_SLOW,
            "the snapshot was read too slowly and is cut off: begin again, with a smaller "
            "filter or a faster reader",
        ) from None


def first_revision(start: str | None, after_revision: int, call: Call) -> int:
    """Return the revision behind which a watch without a snapshot begins.

    `start` is the choice of the request; without one it is now.
    """
    now = call.engine.durable_revision
    if start != "after_revision":
        return now
    revision = whole(after_revision, "after_revision", 0, REVISION_MAX)
    if revision > now:
        # Nobody can know it from this server: it was told so by another one.
        raise RevisionNotReached(now, revision)
    return revision
