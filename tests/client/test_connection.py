"""The connection to a server that takes its time."""

import asyncio
import socket
from contextlib import suppress

import pytest

from domgrpc.client import DomgrpcClient

# Ten times what the client waits before it connects again after a failure.
PATIENCE_SECONDS = 0.5


async def until_hung_up(peer: socket.socket) -> None:
    """Read until the other side closes the connection."""
    while await asyncio.get_running_loop().sock_recv(peer, 65_536):
        pass


@pytest.mark.slow
async def test_a_busy_server_that_is_slow_to_greet_is_not_given_up() -> None:
    # A bare socket: what the client connects again goes with the listener that never took it.
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0)
        port = listener.getsockname()[1]
        async with DomgrpcClient(f"127.0.0.1:{port}") as client:
            call = asyncio.create_task(client.get_status())
            # The server never says a word of HTTP/2.
            peer, _ = await asyncio.get_running_loop().sock_accept(listener)
            with peer, pytest.raises(TimeoutError):
                await asyncio.wait_for(until_hung_up(peer), PATIENCE_SECONDS)
            assert not call.done()
            call.cancel()
            with suppress(asyncio.CancelledError):
                await call
