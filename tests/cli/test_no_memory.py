"""Memory that runs out anywhere in `serve` ends it with a word for that, never with a trace."""

from pathlib import Path
from typing import NoReturn

import pytest

from domgrpc.cli.exits import Ended
from domgrpc.cli.serve import run
from domgrpc.config import Settings
from domgrpc.rpc import server


async def out_of_memory(_settings: Settings) -> NoReturn:
    raise MemoryError


def test_memory_that_runs_out_outside_of_the_engine_ends_with_70(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(server, "serve", out_of_memory)
    with pytest.raises(Ended, match="give the server more") as ended:
        run(Settings(data_dir=Path("nowhere")))
    assert (ended.value.exit_code, ended.value.reason) == (70, "OUT_OF_MEMORY")
