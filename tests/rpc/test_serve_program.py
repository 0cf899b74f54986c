"""`serve` as a program: it says where it listens, drains on SIGTERM, and names what stops it."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest

from domgrpc.v1 import inventory_pb2
from domgrpc.v1.inventory_pb2_grpc import InventoryServiceStub
from tests.rpc.serving import WAIT_SECONDS, within_time
from tests.rpc.watching import read, refused

PROGRAM = """
import asyncio, sys
from pathlib import Path
from domgrpc.config import Settings
from domgrpc.rpc.server import serve
folder, port = sys.argv[1:]
asyncio.run(serve(Settings(data_dir=Path(folder), port=int(port), log_format="json")))
"""
pytestmark = pytest.mark.slow


class Program:
    """A running program and the lines that it has written."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.lines: list[dict[str, Any]] = []

    async def until(self, event: str) -> dict[str, Any]:
        """Read lines until one of an event."""
        assert self.process.stderr is not None
        while raw := await within_time(self.process.stderr.readline()):
            self.lines.append(json.loads(raw))
            if self.lines[-1]["event"] == event:
                return self.lines[-1]
        pytest.fail(f"it ended without {event}: {self.lines}")

    async def end(self) -> tuple[int, str]:
        """Wait for the end; return the exit status and what was still written."""
        _, rest = await within_time(self.process.communicate())
        assert self.process.returncode is not None
        return self.process.returncode, rest.decode()


@asynccontextmanager
async def running(folder: Path, port: int = 0) -> AsyncIterator[Program]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        PROGRAM,
        str(folder),
        str(port),
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield Program(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_drains_the_server_and_tells_its_watchers(
    tmp_path: Path, number: signal.Signals
) -> None:
    async with running(tmp_path) as program:
        port = (await program.until("listening"))["port"]
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            stub = InventoryServiceStub(channel)
            watch = stub.WatchInventory(inventory_pb2.WatchInventoryRequest())
            await read(watch)
            program.process.send_signal(number)
            assert (await refused(watch)).reason == "SERVER_DRAINING"
        status, rest = await program.end()
    assert status == 0
    events = [json.loads(line)["event"] for line in rest.splitlines()]
    assert events[0] == "draining"
    assert events[-1] == "stopped"


async def test_a_taken_port_or_folder_ends_the_program_with_its_reason(tmp_path: Path) -> None:
    async with running(tmp_path / "one") as first:
        port = (await first.until("listening"))["port"]
        async with running(tmp_path / "two", port) as second:
            status, rest = await second.end()
            assert status != 0
            assert f"cannot listen on 127.0.0.1:{port}" in rest
        async with running(tmp_path / "one") as third:
            status, rest = await third.end()
            assert status != 0
            assert f"in use by process {first.process.pid}" in rest


async def test_what_was_answered_survives_the_death_of_the_server(tmp_path: Path) -> None:
    async with running(tmp_path) as program:
        port = (await program.until("listening"))["port"]
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            feed = InventoryServiceStub(channel).StreamStockUpdates()
            await feed.write(inventory_pb2.StreamStockUpdatesRequest(source="s", sequence=7))
            answered = await within_time(feed.read())
            program.process.kill()
            await program.process.wait()
    assert isinstance(answered, inventory_pb2.StreamStockUpdatesResponse)
    async with running(tmp_path) as program, asyncio.timeout(WAIT_SECONDS):
        port = (await program.until("listening"))["port"]
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            feed = InventoryServiceStub(channel).StreamStockUpdates()
            await feed.write(inventory_pb2.StreamStockUpdatesRequest(source="s"))
            standing = await within_time(feed.read())
            assert isinstance(standing, inventory_pb2.StreamStockUpdatesResponse)
            assert (standing.last_sequence, standing.revision) == (7, answered.revision)
