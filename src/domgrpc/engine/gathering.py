"""Gathering: how long a turn of the writer is put off for calls that are arriving.

A sync costs as much as deciding ten calls, and the event loop brings the calls of many callers one
or two at a time. So a turn waits half a millisecond for each call but one that the turn before
had: many callers share a sync, and a caller who is alone waits for nobody
(docs/decisions/0008-gathering.md).
"""

_WAIT_SECONDS_PER_CALL = 0.0005
_SLOW_SYNC_SECONDS = 0.02
"""A disk is slow whose syncs take so long: a hundred times what they should."""
_SLOW_WAIT_SECONDS_MAX = 0.1
_FULL_TURN_COUNT = 256
"""Operations that make a turn worth its sync; more are taken when they wait already."""


class Gathering:
    """Learns from turn to turn how many callers there are, and how long a sync takes."""

    __slots__ = ("_last_call_count", "_last_sync_seconds", "_wait_seconds_max")

    def __init__(self, wait_seconds_max: float) -> None:
        """Wait no longer than `wait_seconds_max`; on a slow disk up to half of a sync."""
        self._wait_seconds_max = wait_seconds_max
        self._last_call_count = 1
        self._last_sync_seconds = 0.0

    def wait_seconds(self) -> float:
        """Return how long the turn of a first call waits for others."""
        if not self._wait_seconds_max:
            return 0.0
        if self._last_sync_seconds > _SLOW_SYNC_SECONDS:
            # Nothing came in during the sync, so how many callers there are is not known; those
            # that come in now share the next.
            return min(self._last_sync_seconds / 2, _SLOW_WAIT_SECONDS_MAX)
        wait_seconds = (self._last_call_count - 1) * _WAIT_SECONDS_PER_CALL
        return min(wait_seconds, self._wait_seconds_max)

    def is_full(self, operation_count: int) -> bool:
        """Whether a turn of so many operations begins at once."""
        return operation_count >= _FULL_TURN_COUNT

    def ended(self, call_count: int, sync_seconds: float = 0.0) -> None:
        """Note how many calls a turn had, and how long it waited for the disk."""
        self._last_call_count = call_count
        self._last_sync_seconds = sync_seconds
