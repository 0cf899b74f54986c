"""An event loop in virtual time that runs what is ready in a seeded order.

asyncio promises callers no order among ready tasks, only happens to keep one; here each next
callback is drawn by lot. Where nothing is ready the clock is moved to the next timer. Between any
two callbacks the world may interrupt: `interruption` is called after so many of them and returns
after how many to be called again.
"""

import asyncio
import heapq
from collections.abc import Callable
from contextvars import Context, copy_context
from random import Random
from typing import Any, TypeVarTuple

from tests.engine.virtual_time import VirtualClock

Values = TypeVarTuple("Values")
_BUSY_CALLBACKS_MAX = 200_000


class _Callback(asyncio.Handle):  # tidy: allow inheritance: tasks and futures are handed one
    """A handle that asks nobody whether the loop is debugged; the loop runs it by itself."""

    __slots__ = ()
    _callback: Callable[..., object]
    _context: Context
    _repr: str | None
    _source_traceback: None

    def __init__(
        self,
        callback: Callable[..., object],
        args: tuple[Any, ...],
        loop: asyncio.AbstractEventLoop,
        context: Context | None,
    ) -> None:
        self._callback = callback
        self._args = args
        self._loop = loop
        self._context = copy_context() if context is None else context
        self._cancelled = False
        self._repr = self._source_traceback = None


class _Timer(asyncio.TimerHandle):  # tidy: allow inheritance: whoever sets a timer is handed one
    """A timer of the same kind."""

    __slots__ = ()
    _callback: Callable[..., object]
    _context: Context
    _repr: str | None
    _source_traceback: None
    _when: float

    def __init__(
        self,
        when: float,
        callback: Callable[..., object],
        args: tuple[Any, ...],
        loop: asyncio.AbstractEventLoop,
        *,
        context: Context | None,
    ) -> None:
        self._when = when
        self._callback = callback
        self._args = args
        self._loop = loop
        self._context = copy_context() if context is None else context
        self._cancelled = False
        self._repr = self._source_traceback = None
        self._scheduled = True

    def __lt__(self, other: "_Timer") -> bool:  # type: ignore[override]
        # All timers of the loop are of this class.
        return self._when < other._when


class SeededLoop(asyncio.BaseEventLoop):  # tidy: allow inheritance: asyncio calls its methods
    """See the module. `escaped` is what callbacks raised into the loop."""

    # What asyncio's own loop keeps: callbacks that are ready, and timers as a heap.
    _ready: "list[_Callback | _Timer]"
    _scheduled: "list[_Timer]"
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
        handle = _Callback(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def call_later(
        self,
        delay: float,
        callback: Callable[[*Values], object],
        *args: *Values,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Have something called after so many virtual seconds."""
        return self.call_at(self._clock.now_seconds + delay, callback, *args, context=context)

    def call_at(
        self,
        when: float,
        callback: Callable[[*Values], object],
        *args: *Values,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Have something called at a virtual time."""
        timer = _Timer(when, callback, args, self, context=context)
        heapq.heappush(self._scheduled, timer)
        return timer

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
            if handle._cancelled:  # noqa: SLF001 - it is the loop that runs handles
                continue
            try:
                handle._context.run(handle._callback, *handle._args)  # noqa: SLF001
            except (SystemExit, KeyboardInterrupt):
                raise
            except BaseException as error:  # noqa: BLE001 - asyncio's loops do so too
                self.escaped.append({"exception": error, "handle": handle})
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
