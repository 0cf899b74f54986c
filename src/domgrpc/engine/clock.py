"""The clock: passed in, so that tests and the simulator own the time."""

import time
from typing import Final, Protocol

import structlog

from domgrpc.core.values import TimeMs

_log = structlog.get_logger()

_APART_MS: Final = 1_000
_FOLLOWING_SHARE: Final = 0.1
# Linux has a clock that goes on while the machine sleeps; elsewhere the monotonic one must do.
_STEADY_CLOCK: Final[int] = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class Clock(Protocol):
    """Where time comes from."""

    def wall_ms(self) -> TimeMs:
        """Return milliseconds since 1970 UTC; may jump."""

    def seconds(self) -> float:
        """Return seconds of a clock that never jumps; only differences mean something."""


class SystemClock:
    """The clock of the machine."""

    def wall_ms(self) -> TimeMs:
        """Return the machine's wall clock."""
        return TimeMs(time.time_ns() // 1_000_000)

    def seconds(self) -> float:
        """Return the machine's monotonic clock, with the time that the machine slept."""
        return time.clock_gettime(_STEADY_CLOCK)


class DecisionTime:
    """The time of decisions, in milliseconds since 1970 UTC: it never jumps and never runs back.

    It goes with the steady clock and follows the wall clock. Where the wall clock is away by more
    than a second, somebody has set it: then it is followed at a tenth of the time that passes, so
    that no deadline of a hold comes early or late by more than that tenth. A log that has seen a
    later time than the wall clock's goes on from there.
    """

    __slots__ = ("_clock", "_is_apart", "_now_ms", "_seconds")

    def __init__(self, clock: Clock, newest_ms: TimeMs) -> None:
        """Go on from the newest time of the log, or from the wall clock where that is later."""
        self._clock = clock
        self._now_ms = float(max(newest_ms, clock.wall_ms()))
        self._seconds = clock.seconds()
        self._is_apart = False

    def now_ms(self) -> TimeMs:
        """Return the time of a decision that is made now."""
        seconds = self._clock.seconds()
        passed_ms = (seconds - self._seconds) * 1_000
        self._seconds = seconds
        wall_ms = self._clock.wall_ms()
        apart_ms = wall_ms - (self._now_ms + passed_ms)
        if -_APART_MS <= apart_ms <= _APART_MS:
            self._now_ms = max(self._now_ms, wall_ms)
            self._is_apart = False
        else:
            if not self._is_apart:
                self._note_apart(apart_ms)
            step_ms = passed_ms * _FOLLOWING_SHARE
            self._now_ms += passed_ms + max(-step_ms, min(step_ms, apart_ms))
        return TimeMs(int(self._now_ms))

    def _note_apart(self, apart_ms: float) -> None:
        self._is_apart = True
        _log.warning("wall_clock_apart", apart_seconds=round(apart_ms / 1_000, 3))
