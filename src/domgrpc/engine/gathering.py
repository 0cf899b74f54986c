"""Gathering: how long a turn of the writer is put off for calls that are arriving.

A sync costs as much as deciding ten calls, and the event loop brings the calls of many callers one
after the other. So a turn waits for each call but one that turns have had of late, twice as long
as one took to come: many callers share a sync, and a caller who is alone waits for nobody. Where
one turn follows the other with a single call each, one of many waits all the same, to see whether
more would come: else a server that has little time would never find out
(docs/decisions/0019-gathering-learns-the-spacing.md).
"""

import math

_WAIT_SECONDS_PER_CALL_MIN = 0.0005
_TIMES_SPACING = 2.0
"""Less, and a turn of two calls would never become one of three."""
_LEARNING_SHARE = 0.2
"""How fast the number of callers is believed to fall (it rises at once), and the spacing learnt."""
_ALONE_COUNT = 1.5
"""Fewer callers than that are one."""
_DENSE_SECONDS = 0.002
"""Turns that follow each other faster may leave calls waiting."""
_PROBING_TURNS = 128
"""So few that nobody's 99th percentile knows of it."""
_PROBE_SECONDS = 0.002
_SLOW_SYNC_SECONDS = 0.02
"""A disk is slow whose syncs take so long: a hundred times what they should."""
_SLOW_WAIT_SECONDS_MAX = 0.1
_FULL_TURN_COUNT = 256
"""Operations that make a turn worth its sync; more are taken when they wait already."""


class Gathering:
    """Learns from turn to turn how many callers there are, and how long a sync takes."""

    __slots__ = (
        "_arrived_count",
        "_caller_count",
        "_ended_seconds",
        "_first_seconds",
        "_last_seconds",
        "_last_sync_seconds",
        "_single_count",
        "_spacing_seconds",
        "_wait_seconds_max",
    )

    def __init__(self, wait_seconds_max: float) -> None:
        """Wait no longer than `wait_seconds_max`; on a slow disk up to half of a sync."""
        self._wait_seconds_max = wait_seconds_max
        self._arrived_count = 0
        self._first_seconds = self._last_seconds = 0.0
        self._caller_count = 1.0
        self._spacing_seconds = 0.0
        self._single_count = 0
        self._ended_seconds = -math.inf
        self._last_sync_seconds = 0.0

    def arrived(self, now_seconds: float) -> None:
        """Note a call for the next turn."""
        if not self._arrived_count:
            self._first_seconds = now_seconds
        self._arrived_count += 1
        self._last_seconds = now_seconds

    def wait_seconds(self) -> float:
        """Return how long the turn of a first call, which has just arrived, waits for others."""
        if not self._wait_seconds_max:
            return 0.0
        if self._last_sync_seconds > _SLOW_SYNC_SECONDS:
            # Nothing came in during the sync, so how many callers there are is not known; those
            # that come in now share the next.
            return min(self._last_sync_seconds / 2, _SLOW_WAIT_SECONDS_MAX)
        each_seconds = max(_WAIT_SECONDS_PER_CALL_MIN, _TIMES_SPACING * self._spacing_seconds)
        wait_seconds = (self._caller_count - 1) * each_seconds
        if self._single_count >= _PROBING_TURNS:
            self._single_count = 0
            wait_seconds = max(wait_seconds, _PROBE_SECONDS)
        return min(wait_seconds, self._wait_seconds_max)

    def is_full(self, operation_count: int) -> bool:
        """Whether a turn of so many operations begins at once."""
        return operation_count >= _FULL_TURN_COUNT

    def ended(self, now_seconds: float, *, sync_seconds: float = 0.0) -> None:
        """Note that the turn of those that arrived has ended, and how long its sync took."""
        arrived_count = self._arrived_count
        is_dense = self._first_seconds - self._ended_seconds < _DENSE_SECONDS
        self._arrived_count = 0
        self._ended_seconds = now_seconds
        self._last_sync_seconds = sync_seconds
        self._single_count = self._single_count + 1 if arrived_count <= 1 and is_dense else 0
        if arrived_count > 1:
            spacing_seconds = (self._last_seconds - self._first_seconds) / (arrived_count - 1)
            self._spacing_seconds += (spacing_seconds - self._spacing_seconds) * _LEARNING_SHARE
        fallen = self._caller_count + (arrived_count - self._caller_count) * _LEARNING_SHARE
        self._caller_count = max(1.0, arrived_count, fallen if fallen >= _ALONE_COUNT else 1.0)


BREATH_SECONDS = 0.001
_BREATHS_MAX = 50
_WAITING_SHARE = 0.25
"""How much of the time that a call has left the breath before its turn may take."""
_QUIET_BREATHS = 2
"""How many without a call mean that gRPC holds none: it takes a while to hand over the next."""


class Breath:
    """The time before a turn of a server that is offered more than it can do.

    The event loop takes one call from gRPC with each pass. Between turns that is fewer than come,
    and the rest would grow old inside gRPC, where nobody refuses it. So the next turn waits while
    calls keep arriving, as long as a turn at most, and no longer than a quarter of the time that
    anybody in the queue has left; what arrives is refused or gets its place.
    """

    __slots__ = ("_arrived_count", "_began_seconds", "_left", "_quiet_count")

    def __init__(self, arrived_count: int, now_seconds: float) -> None:
        """Begin; the count is that of all calls so far."""
        self._arrived_count = arrived_count
        self._began_seconds = now_seconds
        self._left = _BREATHS_MAX
        self._quiet_count = 0

    def goes_on(
        self, arrived_count: int, now_seconds: float, first_deadline_seconds: float
    ) -> bool:
        """Whether to wait for another millisecond; the deadline is the first of the queue."""
        if arrived_count != self._arrived_count:
            self._arrived_count = arrived_count
            self._quiet_count = 0
        self._quiet_count += 1
        self._left -= 1
        passed_seconds = now_seconds - self._began_seconds
        seconds_max = (first_deadline_seconds - self._began_seconds) * _WAITING_SHARE
        return (
            self._quiet_count <= _QUIET_BREATHS
            and self._left >= 0
            and passed_seconds <= seconds_max
        )
