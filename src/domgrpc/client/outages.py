"""How long a stream that was broken off tries to come back."""

import asyncio
from collections.abc import Callable
from typing import Final

from domgrpc.client.errors import DomgrpcError
from domgrpc.client.retries import Retries

OUTAGE_SECONDS_MAX: Final = 60.0


class Outage:
    """The time since a stream last brought news, and the waits in it."""

    __slots__ = ("_began", "_now", "_retries", "_retry_count", "_seconds_max")

    def __init__(self, retries: Retries, *, seconds_max: float) -> None:
        """Begin with none; `seconds_max` bounds how long one may last."""
        self._retries = retries
        self._seconds_max = seconds_max
        self._now: Callable[[], float] = asyncio.get_running_loop().time
        self._began: float | None = None
        self._retry_count = 0

    def end(self) -> None:
        """Note that the stream works."""
        if self._began is not None:
            self._began = None
            self._retry_count = 0

    async def wait(self, error: DomgrpcError) -> None:
        """Wait before the stream is opened again; raise the error where it has lasted too long."""
        now = self._now()
        if self._began is None:
            self._began = now
        wait_seconds = self._retries.backoff_seconds(self._retry_count)
        if now + wait_seconds - self._began > self._seconds_max:
            raise error
        self._retry_count += 1
        await asyncio.sleep(wait_seconds)
