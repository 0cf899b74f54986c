"""Draining: the server goes down, and streams that would never end by themselves are told."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import TypeVar

from domgrpc.rpc.refusals import Refused, TransportReason

Message = TypeVar("Message")
_LULL_SHARE = 0.8
_LULL_SECONDS_MIN = 0.02


class Drain:
    """Whether the server is going down; made in the event loop that it serves."""

    def __init__(self) -> None:
        """Start with the server up."""
        self._begun = asyncio.Event()
        self._refused_count = 0
        self._let_go = asyncio.Event()
        self._let_go.set()

    @property
    def has_begun(self) -> bool:
        """Whether the server is going down."""
        return self._begun.is_set()

    def begin(self) -> None:
        """Let every stream end at its next step."""
        self._begun.set()

    def check(self, **facts: object) -> None:
        """Refuse to go on once the server is going down; the facts say where to go on."""
        if self._begun.is_set():
            self._refused_count += 1
            raise Refused(
                TransportReason.SERVER_DRAINING,
                "the server is going down: connect again, and let a stream go on where it ended",
                **facts,
            )

    async def until_quiet(self, quiet_seconds: float) -> None:
        """Wait until nothing was refused for so long; gRPC holds nothing back then.

        Where callers keep coming, ever shorter lulls will do: in one of them gRPC holds nothing.
        """
        refused_count = -1
        while refused_count != self._refused_count:
            refused_count = self._refused_count
            await asyncio.sleep(quiet_seconds)
            quiet_seconds = max(quiet_seconds * _LULL_SHARE, _LULL_SECONDS_MIN)

    def hold_refusals(self) -> None:
        """Let callers wait for their refusal: who waits sends nothing further."""
        self._let_go.clear()

    def let_go(self) -> None:
        """Let the refusals go out that were held."""
        self._let_go.set()

    async def until_let_go(self) -> None:
        """Wait until a refusal may go out; usually at once."""
        await self._let_go.wait()

    async def until(self, messages: AsyncIterator[Message]) -> AsyncGenerator[Message, None]:
        """Iterate messages; SERVER_DRAINING where the server goes down while none comes."""
        begun = asyncio.ensure_future(self._begun.wait())
        following: asyncio.Future[Message] | None = None
        try:
            while True:
                self.check()
                following = asyncio.ensure_future(anext(messages))
                await asyncio.wait((following, begun), return_when=asyncio.FIRST_COMPLETED)
                if not following.done():
                    continue
                try:
                    message = following.result()
                except StopAsyncIteration:
                    return
                yield message
        finally:
            begun.cancel()
            if following is not None:
                following.cancel()
