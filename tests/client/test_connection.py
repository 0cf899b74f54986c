"""The connection to a server that takes its time."""

import asyncio
from contextlib import closing, suppress

import pytest

from domgrpc.client import DomgrpcClient

# Ten times what the client waits before it connects again after a failure.
PATIENCE_SECONDS = 0.5


async def until_hung_up(reader: asyncio.StreamReader) -> None:
    """Read until the other side closes the connection."""
    while await reader.read(65_536):
        pass


@pytest.mark.slow
async def test_a_busy_server_that_is_slow_to_greet_is_not_given_up() -> None:
    accepted = asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]]()
    writers: list[asyncio.StreamWriter] = []

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        await accepted.put((reader, writer))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, DomgrpcClient(f"127.0.0.1:{port}") as client:
        call = asyncio.create_task(client.get_status())
        # The server never says a word of HTTP/2.
        reader, writer = await accepted.get()
        with closing(writer), pytest.raises(TimeoutError):
            await asyncio.wait_for(until_hung_up(reader), PATIENCE_SECONDS)
        assert not call.done()
        call.cancel()
        with suppress(asyncio.CancelledError):
            await call
    # The client may have connected again since; closing a server leaves its connections open.
    for each in writers:
        each.close()
        with suppress(ConnectionError):
            await each.wait_closed()
