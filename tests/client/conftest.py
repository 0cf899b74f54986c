"""A server and a client of it for one test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from domgrpc.client import DomgrpcClient
from tests.client.scripted import ScriptedServer
from tests.rpc.serving import Shop, serving


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    """Run a real server."""
    async with serving(tmp_path) as running:
        yield running


@pytest.fixture
async def client(shop: Shop) -> AsyncIterator[DomgrpcClient]:
    """Connect to the real server."""
    async with DomgrpcClient(shop.address, client_id="till-3") as connected:
        yield connected


@pytest.fixture
async def scripted() -> AsyncIterator[ScriptedServer]:
    """Run a server that refuses as it is told to."""
    server = ScriptedServer()
    await server.start()
    yield server
    await server.stop()
