"""Committing: records become durable as one group, and whoever waits for them is told.

The only place that appends to the log. What is decided is added to a group; a group is one frame
of the log, one write and one sync. Running out of disk space is found before anything is
decided: a change is begun only while the log has room for the largest group and record, expiry
as long as there is any room to speak of.
"""

from collections.abc import Callable

import structlog

from domgrpc.core.events import Record
from domgrpc.engine.clock import Clock
from domgrpc.engine.feed import Feed
from domgrpc.engine.records import RecordBuffer
from domgrpc.storage.errors import DiskFull
from domgrpc.storage.frame import frame_bytes
from domgrpc.storage.log import Log

_log = structlog.get_logger()

GROUP_BYTES_MAX = 4 * 1024 * 1024
"""A group that has grown so large is committed before the next call is decided."""
RECORD_BYTES_MAX = 16 * 1024 * 1024
"""The largest record that a command may lead to; the limits of the API keep below it."""
EXPIRY_ROOM_BYTES = 4 * 1024 * 1024
"""Room for giving back holds, which goes on after changes are refused."""
_CHANGE_ROOM_BYTES = GROUP_BYTES_MAX + RECORD_BYTES_MAX + EXPIRY_ROOM_BYTES
_SPARE_STEPS_MAX = 4_096
_FULL_PAUSE_SECONDS = 0.5
"""How long to believe that the disk is full before asking it again."""


class Committer:
    """One log, the group that is being gathered for it, and who is told of commits."""

    def __init__(self, log: Log, feed: Feed, clock: Clock) -> None:
        """Begin with an empty group."""
        self.log = log
        self.on_commit: list[Callable[[], None]] = []
        """Called after each commit: timers look whether they are set too late."""
        self.committed_bytes = 0
        """Bytes that the log grew by since the snapshot that was recovered from."""
        self.last_commit_seconds = clock.seconds()
        """When the last commit ended."""
        self.last_sync_seconds = 0.0
        """How long it waited for the disk."""
        self._feed = feed
        self._clock = clock
        self._group = RecordBuffer()
        self._full_until_seconds = 0.0

    def add(self, record: Record) -> bool:
        """Add a record to the group, which is committed once it is large.

        Returns whether there is room for whatever is decided next.
        """
        self._group.add(record)
        if len(self._group) < GROUP_BYTES_MAX:
            return True
        self.commit()
        return self.has_room()

    def commit(self) -> None:
        """Make the group durable; a fault leaves memory ahead of the disk."""
        group = self._group
        records = group.records
        if not records:
            return
        self._group = RecordBuffer()
        payload = group.payload()
        started_seconds = self._clock.seconds()
        self.log.append(records[0].revision, payload, len(records))
        self.committed_bytes += frame_bytes(len(payload))
        self.last_commit_seconds = self._clock.seconds()
        self.last_sync_seconds = self.last_commit_seconds - started_seconds
        self._feed.publish(records, payload)
        for look in self.on_commit:
            look()

    def has_room_to_expire(self) -> bool:
        """Whether holds that are over can be given back, group and record, without new space."""
        return self.log.has_room(len(self._group) + EXPIRY_ROOM_BYTES) or self.has_room()

    def has_room(self) -> bool:
        """Whether whatever is decided next can be appended without new space from the disk."""
        if self.log.has_room(len(self._group) + _CHANGE_ROOM_BYTES):
            return True
        if self._clock.seconds() < self._full_until_seconds:
            return False
        try:
            for _ in range(_SPARE_STEPS_MAX):
                if self.log.prepare_spare():
                    return True
        except DiskFull as full:
            _log.warning("disk_full", error=str(full))
            self._full_until_seconds = self._clock.seconds() + _FULL_PAUSE_SECONDS
        return False
