"""Draining: the server goes down, and streams that would never end by themselves are told."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import TypeVar

from domgrpc.rpc.refusals import Refused, TransportReason

Message = TypeVar("Message")


class Drain:
    """Whether the server is going down; made in the event loop that it serves."""

    def __init__(self) -> None:
        """Start with the server up."""
        self._begun = asyncio.Event()

    def begin(self) -> None:
        """Let every stream end at its next step."""
        self._begun.set()

    def check(self, **facts: object) -> None:
        """Refuse to go on once the server is going down; the facts say where to go on."""
        if self._begun.is_set():
            raise Refused(
                TransportReason.SERVER_DRAINING,
                "the server is going down: connect again, and let a stream go on where it ended",
                **facts,
            )

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
