"""The clock: passed in, so that tests and the simulator own the time."""

import time
from typing import Protocol

from domgrpc.core.values import TimeMs


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
        """Return the machine's monotonic clock."""
        return time.perf_counter()
