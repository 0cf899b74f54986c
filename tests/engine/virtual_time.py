"""Time that only moves when everything waits: an hour of timers runs in a moment, in order.

`VirtualLoop` is asyncio's own loop on a clock of ours. Where every task waits for a timer, the
clock is moved to that timer; where everything waits for nothing at all, the test has hung and is
told so. The wall clock can be moved apart from it, as an operator or a time server would.
"""

import asyncio
import selectors
from typing import Any, cast

from domgrpc.core.values import TimeMs

_BUSY_STEPS_MAX = 20_000
_LIFE_SECONDS_MAX = 1_000.0
NOON_MS = 1_750_000_000_000
"""When every test begins."""


class VirtualClock:
    """The clock of one machine; it outlives the engines on it."""

    def __init__(self) -> None:
        self.now_seconds = 0.0
        self.wall_reads = 0
        self._wall_offset_ms = NOON_MS
        # The time that has passed, and the same in milliseconds: it is asked for again and again.
        self._passed_seconds = 0.0
        self._passed_ms = 0

    def wall_ms(self) -> TimeMs:
        """Return the wall clock, in milliseconds of 1970."""
        self.wall_reads += 1
        if self.now_seconds != self._passed_seconds:
            # Rounded first: a sum of fractions may end a hair before the millisecond it means.
            self._passed_ms = round(self.now_seconds * 1_000_000) // 1_000
            self._passed_seconds = self.now_seconds
        return TimeMs(self._wall_offset_ms + self._passed_ms)

    def seconds(self) -> float:
        """Return the clock that never jumps."""
        return self.now_seconds

    def pass_until(self, wall_ms: int) -> None:
        """Let time pass in which nothing could run, as when the machine is busy or asleep."""
        passed_ms = wall_ms - self.wall_ms()
        assert passed_ms >= 0, "time does not run backwards"
        self.now_seconds += passed_ms / 1_000

    def set_wall(self, wall_ms: int) -> None:
        """Move the wall clock; timers, which go by the other clock, notice nothing."""
        self._wall_offset_ms += wall_ms - self.wall_ms()


class VirtualLoop(asyncio.SelectorEventLoop):  # tidy: allow inheritance: asyncio calls its methods
    """A loop that moves a clock instead of waiting."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self.escaped: list[dict[str, Any]] = []
        """What callbacks raised into the loop, which would only log it."""
        # The loop only calls the methods below; the rest goes to the real selector.
        super().__init__(cast("selectors.BaseSelector", _VirtualSelector(clock)))
        self.set_exception_handler(lambda _, context: self.escaped.append(context))

    def time(self) -> float:
        """Return the virtual time."""
        return self._clock.now_seconds


class _VirtualSelector:
    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self._real = selectors.DefaultSelector()
        self._busy_steps = 0
        self._waited_seconds = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = self._real.select(0)
        if ready:
            return ready
        if timeout is None:
            raise RuntimeError("every task waits and no timer is set: this test would hang")
        self._busy_steps = 0 if timeout > 0 else self._busy_steps + 1
        if self._busy_steps > _BUSY_STEPS_MAX:
            raise RuntimeError(f"the loop was busy for {_BUSY_STEPS_MAX} steps in one moment")
        self._clock.now_seconds += timeout
        self._waited_seconds += timeout
        if self._waited_seconds > _LIFE_SECONDS_MAX:
            # Timers that set themselves again would go on for ever beside a task that hangs.
            raise RuntimeError(f"nothing has ended within {_LIFE_SECONDS_MAX} virtual seconds")
        return []

    def __getattr__(self, name: str) -> object:
        return getattr(self._real, name)
