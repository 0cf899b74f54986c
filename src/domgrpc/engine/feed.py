"""The feed: durable records for watchers, from memory where they are new, else from the log.

A watcher is a cursor that asks for what comes next; nothing is buffered for it. The newest
records stay in memory up to a number and a size. A cursor that was live and fell behind them is
cut off with the revision to resume from, so that a slow watcher costs the writer nothing; one
that begins in the past is fed from the log until it has caught up, batch by batch from where the
last one ended.
"""

import asyncio
from bisect import bisect_right
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from itertools import islice

import msgspec

from domgrpc.core.events import Record
from domgrpc.core.values import Revision
from domgrpc.engine.records import decode_records
from domgrpc.storage.errors import StorageError
from domgrpc.storage.frame import Frame
from domgrpc.storage.log import Log

RECORDS_PER_BATCH_MAX = 1_000


class RevisionTrimmed(Exception):
    """The log no longer holds the revision; `oldest_revision` is the first that it does."""

    def __init__(self, revision: int, oldest_revision: int) -> None:
        """Say both revisions."""
        super().__init__(
            f"changes after revision {revision} are no longer kept, only those after "
            f"{oldest_revision - 1}: begin with a snapshot"
        )
        self.oldest_revision = oldest_revision


class WatcherTooSlow(Exception):
    """The watcher fell behind what memory keeps; it may resume from `resume_revision`."""

    def __init__(self, resume_revision: int) -> None:
        """Say where to resume."""
        super().__init__(
            f"the watch was read too slowly and is cut off: resume after revision {resume_revision}"
        )
        self.resume_revision = resume_revision


class _Group(msgspec.Struct, frozen=True, gc=False):
    first_revision: int
    record_count: int
    payload: bytes


class Feed:
    """The newest durable records and whoever waits for more."""

    def __init__(
        self, log: Log, *, records_max: int, size_bytes_max: int, mark_seconds: float
    ) -> None:
        """Start with nothing in memory."""
        self.mark_seconds = mark_seconds
        self.watcher_count = 0
        self._log = log
        self._records_max = records_max
        self._size_bytes_max = size_bytes_max
        # Groups as bytes: as objects they would take ten times the memory.
        self._groups: deque[_Group] = deque()
        self._record_count = 0
        self._size_bytes = 0
        self._decoded: tuple[_Group, list[Record]] | None = None
        self._waiting: list[asyncio.Future[None]] = []

    @property
    def last_revision(self) -> int:
        """The newest durable revision."""
        return self._log.last_sequence

    @property
    def oldest_revision(self) -> int:
        """The oldest revision that a watch may resume after."""
        return self._log.first_sequence - 1

    @property
    def waiting_count(self) -> int:
        """How many wait for news, watchers and reads of a revision to come."""
        return len(self._waiting)

    def publish(self, records: list[Record], payload: bytes) -> None:
        """Add a group that is durable and wake who waits."""
        self._decoded = (self._remember(records[0].revision, len(records), payload), records)
        self.wake()

    def restored(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """Iterate the frames that recovery applies and remember the newest of them.

        Else every watcher that connects again after a restart would be fed from the files.
        """
        for frame in frames:
            self._remember(frame.first_sequence, frame.count, frame.payload)
            yield frame

    def _remember(self, first_revision: int, record_count: int, payload: bytes) -> _Group:
        group = _Group(first_revision, record_count, payload)
        self._groups.append(group)
        self._record_count += record_count
        self._size_bytes += len(payload)
        while len(self._groups) > 1 and (
            self._record_count > self._records_max or self._size_bytes > self._size_bytes_max
        ):
            oldest = self._groups.popleft()
            self._record_count -= oldest.record_count
            self._size_bytes -= len(oldest.payload)
        return group

    def wake(self) -> None:
        """Let every waiting cursor look again."""
        for waiting in self._waiting:
            if not waiting.done():
                waiting.set_result(None)
        self._waiting.clear()

    def open(self, after_revision: int) -> "Cursor":
        """Begin behind a revision; raises RevisionTrimmed where the log no longer holds it."""
        if after_revision < self.oldest_revision:
            raise RevisionTrimmed(after_revision, self.oldest_revision + 1)
        return Cursor(self, after_revision)

    def from_memory(self, after_revision: int) -> list[Record] | None:
        """Return the next records from memory, None where they are no longer there."""
        if after_revision >= self.last_revision:
            return []
        groups = self._groups
        if not groups or after_revision + 1 < groups[0].first_revision:
            return None
        newest = groups[-1]
        if after_revision + 1 == newest.first_revision:
            # Whoever follows live has all but the newest group.
            return self._records_of(newest)[:RECORDS_PER_BATCH_MAX]
        found: list[Record] = []
        for place in range(self._place_of(after_revision + 1), len(groups)):
            group = groups[place]
            found.extend(r for r in self._records_of(group) if r.revision > after_revision)
            if len(found) >= RECORDS_PER_BATCH_MAX:
                break
        return found[:RECORDS_PER_BATCH_MAX]

    def history(self, after_revision: int) -> Generator[Record]:
        """Iterate the records in the files, up to the newest one of now.

        The first step walks from the start of the segment (20 us a frame), the others go on from
        there. Raises RevisionTrimmed.
        """
        records = (
            record
            for frame in self._log.read(after_revision + 1)
            for record in decode_records(frame.payload, frame.count)
        )
        try:
            for record in records:
                if record.revision > after_revision:
                    after_revision = record.revision
                    yield record
        except StorageError as error:
            # A file that is trimmed while it is read here looks damaged, or is not there.
            if after_revision < self.oldest_revision:
                raise RevisionTrimmed(after_revision, self.oldest_revision + 1) from error
            raise

    async def news(self) -> bool:
        """Wait for a publication; False where none came within the mark's time."""
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiting)
        try:
            async with asyncio.timeout(self.mark_seconds):
                await waiting
        except TimeoutError:
            return False
        finally:
            # Also when the watcher itself went away; a wake has emptied the list already.
            if waiting in self._waiting:
                self._waiting.remove(waiting)
        return True

    def _place_of(self, revision: int) -> int:
        return bisect_right(self._groups, revision, key=lambda group: group.first_revision) - 1

    def _records_of(self, group: "_Group") -> list[Record]:
        # All watchers that wait ask for the newest group: it is decoded once, or never.
        if self._decoded is None or self._decoded[0] is not group:
            self._decoded = (group, decode_records(group.payload, group.record_count))
        return self._decoded[1]


class Cursor:
    """One watcher's place in the feed."""

    def __init__(self, feed: Feed, after_revision: int) -> None:
        """Begin behind a revision."""
        self.revision = Revision(after_revision)
        self._feed = feed
        self._history: Generator[Record] | None = None
        self._is_live = False
        self._is_open = True
        feed.watcher_count += 1

    async def next(self) -> tuple[Record, ...]:
        """Return up to 1,000 further records; none where nothing happened for a while.

        Raises WatcherTooSlow for a cursor that was live and fell behind, RevisionTrimmed for
        one that never caught up before its place was trimmed.
        """
        if self.revision >= self._feed.last_revision and not await self._feed.news():
            return ()
        records = self._feed.from_memory(self.revision)
        if records is None and self._is_live:
            raise WatcherTooSlow(self.revision)
        if records is None:
            records = self._from_log()
        else:
            self._is_live = True
            self._leave_history()
        if records:
            self.revision = records[-1].revision
        return tuple(records)

    def close(self) -> None:
        """Leave the feed; twice is the same as once."""
        if self._is_open:
            self._is_open = False
            self._feed.watcher_count -= 1
            self._leave_history()

    def _from_log(self) -> list[Record]:
        if self._history is not None:
            records = list(islice(self._history, RECORDS_PER_BATCH_MAX))
            if records:
                return records
        # The first time, or at the end of what the log held when it was last begun.
        self._history = self._feed.history(self.revision)
        return list(islice(self._history, RECORDS_PER_BATCH_MAX))

    def _leave_history(self) -> None:
        if self._history is not None:
            self._history.close()
            self._history = None
