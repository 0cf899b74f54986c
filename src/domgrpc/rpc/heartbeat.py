"""The heartbeat: whether the event loop still runs, as seen from outside of it.

A sync runs inside the event loop (docs/decisions/0002-inline-sync.md), so while the disk hangs
nothing in the loop can say so. The loop leaves the time of its last beat here; whoever asks from
another thread compares it with now.
"""

import asyncio
from collections.abc import Callable

import structlog

_log = structlog.get_logger()

_BEAT_SECONDS = 0.2
STILL_SECONDS_MAX = 1.0
"""A loop that was silent for longer answers nobody: turns and other work take a tenth of it."""


class Heartbeat:
    """The beats of one event loop; costs it a timer five times a second."""

    def __init__(self, now: Callable[[], float]) -> None:
        """Start in the running loop; `now` gives seconds of a steady clock, to any thread."""
        self._now = now
        self._last_seconds = now()
        self._loop = asyncio.get_running_loop()
        self._timer = self._loop.call_soon(self._beat)

    def stop(self) -> None:
        """Beat no more; to whoever asks, the loop falls still."""
        self._timer.cancel()

    def is_still(self) -> bool:
        """Say whether the loop hangs; for any thread."""
        return self._now() - self._last_seconds > STILL_SECONDS_MAX

    def _beat(self) -> None:
        now_seconds = self._now()
        silent_seconds = now_seconds - self._last_seconds
        self._last_seconds = now_seconds
        if silent_seconds > STILL_SECONDS_MAX:
            _log.warning("stood_still", seconds=round(silent_seconds, 3))
        self._timer = self._loop.call_later(_BEAT_SECONDS, self._beat)
