"""The shop of a test: a server with an empty folder."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.rpc.serving import Shop, serving


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    """Run a server for one test."""
    async with serving(tmp_path) as running:
        yield running
