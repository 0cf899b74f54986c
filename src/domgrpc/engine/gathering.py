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


BREATH_SECONDS = 0.001
_BREATHS_MAX = 50
_QUIET_BREATHS = 2
"""How many without a call mean that gRPC holds none: it takes a while to hand over the next."""


class Breath:
    """The time before a turn of a server that is offered more than it can do.

    The event loop takes one call from gRPC with each pass. Between turns that is fewer than come,
    and the rest would grow old inside gRPC, where nobody refuses it. So the next turn waits while
    calls keep arriving, as long as a turn at most; what arrives is refused or gets its place.
    """

    __slots__ = ("_arrived_count", "_left", "_quiet_count")

    def __init__(self, arrived_count: int) -> None:
        """Begin; the count is that of all calls so far."""
        self._arrived_count = arrived_count
        self._left = _BREATHS_MAX
        self._quiet_count = 0

    def goes_on(self, arrived_count: int) -> bool:
        """Whether to wait for another millisecond."""
        if arrived_count != self._arrived_count:
            self._arrived_count = arrived_count
            self._quiet_count = 0
        self._quiet_count += 1
        self._left -= 1
        return self._quiet_count <= _QUIET_BREATHS and self._left >= 0
