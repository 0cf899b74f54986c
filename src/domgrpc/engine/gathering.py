"""Gathering: how long a turn of the writer is put off for calls that are arriving.

A call needs a few passes of the event loop from the socket to the queue. While passes bring calls
it pays to let them in, because a sync costs as much as deciding ten of them; a caller who is
alone waits for the few quiet passes only, some tens of microseconds (docs/decisions/0008).
"""

import asyncio

_QUIET_PASSES = 4
"""Passes of the event loop without a new call after which a turn begins."""
_FULL_TURN_COUNT = 256
"""Operations that make a turn worth its sync; more are taken when they wait already."""


class Gathering:
    """Decides pass by pass whether the next turn waits for more calls."""

    __slots__ = ("_began_seconds", "_call_count", "_loop", "_quiet_passes", "_wait_seconds_max")

    def __init__(self, loop: asyncio.AbstractEventLoop, wait_seconds_max: float) -> None:
        """Gather in an event loop, never longer than `wait_seconds_max`."""
        self._loop = loop
        self._wait_seconds_max = wait_seconds_max
        self._began_seconds = 0.0
        self._call_count = 0
        self._quiet_passes = 0

    def begin(self) -> None:
        """Begin with the first call of a turn."""
        self._began_seconds = self._loop.time()
        self._call_count = 0
        self._quiet_passes = 0

    def goes_on(self, call_count: int, operation_count: int) -> bool:
        """Whether to look again after one more pass, with so many calls and operations there."""
        if call_count > self._call_count:
            self._call_count = call_count
            self._quiet_passes = 0
        else:
            self._quiet_passes += 1
        return (
            self._quiet_passes < _QUIET_PASSES
            and operation_count < _FULL_TURN_COUNT
            and self._loop.time() - self._began_seconds < self._wait_seconds_max
        )
