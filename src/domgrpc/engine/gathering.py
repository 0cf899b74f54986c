"""Gathering: how long a turn of the writer is put off for calls that are arriving.

A sync costs as much as deciding ten calls, and the event loop brings the calls of many callers one
or two at a time. So a turn waits half a millisecond for each call but one that the turn before
had: many callers share a sync, and a caller who is alone waits for nobody
(docs/decisions/0008-gathering.md).
"""

_WAIT_SECONDS_PER_CALL = 0.0005
_FULL_TURN_COUNT = 256
"""Operations that make a turn worth its sync; more are taken when they wait already."""


class Gathering:
    """Learns from turn to turn how many callers there are."""

    __slots__ = ("_last_call_count", "_wait_seconds_max")

    def __init__(self, wait_seconds_max: float) -> None:
        """Never wait longer than `wait_seconds_max`."""
        self._wait_seconds_max = wait_seconds_max
        self._last_call_count = 1

    def wait_seconds(self) -> float:
        """Return how long the turn of a first call waits for others."""
        wait_seconds = (self._last_call_count - 1) * _WAIT_SECONDS_PER_CALL
        return min(wait_seconds, self._wait_seconds_max)

    def is_full(self, operation_count: int) -> bool:
        """Whether a turn of so many operations begins at once."""
        return operation_count >= _FULL_TURN_COUNT

    def ended(self, call_count: int) -> None:
        """Note how many calls a turn had."""
        self._last_call_count = call_count
