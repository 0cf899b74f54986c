"""An event loop in virtual time that runs what is ready in a seeded order.

asyncio promises callers no order among ready tasks, only happens to keep one; here each next
callback is drawn by lot. Where nothing is ready the clock is moved to the next timer. Between any
two callbacks the world may interrupt: `interruption` is called after so many of them and returns
after how many to be called again.
"""

import asyncio
import heapq
from collections.abc import Callable
from contextvars import Context
from random import Random
from typing import Any, TypeVarTuple

from tests.engine.virtual_time import VirtualClock

Values = TypeVarTuple("Values")
_BUSY_CALLBACKS_MAX = 200_000


class SeededLoop(asyncio.BaseEventLoop):  # tidy: allow inheritance: asyncio calls its methods
    """See the module. `escaped` is what callbacks raised into the loop."""

    # What asyncio's own loop keeps: callbacks that are ready, and timers as a heap.
    _ready: "list[asyncio.Handle]"
    _scheduled: "list[asyncio.TimerHandle]"
    _stopping: bool

    def __init__(self, clock: VirtualClock, random: Random) -> None:
        super().__init__()
        self._clock = clock
        self._draw = random.random
        self._ready = []
        self.escaped: list[dict[str, Any]] = []
        self.interruption: Callable[[], int] | None = None
        self._left = 1
        self.set_exception_handler(lambda _, context: self.escaped.append(context))

    def time(self) -> float:
        """Return the virtual time."""
        return self._clock.now_seconds

    def call_soon(
        self,
        callback: Callable[[*Values], object],
        *args: *Values,
        context: Context | None = None,
    ) -> asyncio.Handle:
        """Have something called in the drawn order; asyncio's own looks at much on the way."""
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def calm(self) -> None:
        """Interrupt no more, and go on in an order that costs the seed no draw."""
        self.interruption = None
        self._draw = Random(0).random

    def _run_once(self) -> None:
        ready, draw = self._ready, self._draw
        busy_count = 0
        while not self._stopping:
            if not ready:
                self._pass_time()
                busy_count = 0
            place = int(draw() * len(ready))
            handle = ready[place]
            ready[place] = ready[-1]
            ready.pop()
            if handle.cancelled():
                continue
            handle._run()  # noqa: SLF001 - it is the loop that runs handles
            busy_count += 1
            if busy_count > _BUSY_CALLBACKS_MAX:
                raise RuntimeError(f"busy for {busy_count} callbacks in one moment")
            if self.interruption is not None:
                self._left -= 1
                if self._left <= 0:
                    self._left = self.interruption()

    def _pass_time(self) -> None:
        scheduled = self._scheduled
        while scheduled and not self._ready:
            timer = heapq.heappop(scheduled)
            if timer.cancelled():
                continue
            self._clock.now_seconds = max(self._clock.now_seconds, timer.when())
            self._ready.append(timer)
            while scheduled and scheduled[0].when() <= self._clock.now_seconds:
                self._ready.append(heapq.heappop(scheduled))
        if not self._ready:
            raise RuntimeError("every task waits and no timer is set: this would hang")
