"""Server processes of a benchmark: on a free port of this machine only, always ended.

The processes speak over loopback. What they print goes into a file beside their data and is shown
where they fail.
"""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
import msgspec

from benchmarks.temporary_places import PROJECT, temporary_folder
from domgrpc.v1.admin_pb2 import GetStatusRequest
from domgrpc.v1.admin_pb2_grpc import AdminServiceStub

PROFILE_VARIABLE = "DOMGRPC_BENCH_PROFILE"
"""Names a file: the domgrpc server is sampled and writes where its time went at its end."""

CHANNEL_OPTIONS = (
    ("grpc.max_receive_message_length", 64 * 1024 * 1024),
    # A channel of its own for each server, whatever the process has open already.
    ("grpc.use_local_subchannel_pool", 1),
)

_START_SECONDS_MAX = 120.0
_STOP_SECONDS_MAX = 60.0
_POLL_SECONDS = 0.005
_PORT = re.compile(r'127\.0\.0\.1:(\d+)|"port": ?(\d+)')
"""As the no-op server prints it, and as a server that does not write to a terminal logs it."""
_SHOWN_CHARACTERS_MAX = 2_000


class ServerFailed(Exception):
    """A server process did not start, or ended by itself."""


class RunningServer(msgspec.Struct, frozen=True):
    """A server process that takes calls."""

    target: str
    pid: int
    start_seconds: float
    """From the start of the process until it answered; of `listening`, until it listened."""
    folder: Path | None = None
    """Where its data lies; None for a server that has none."""


@contextmanager
def domgrpc_server(folder: Path, *options: str) -> Iterator[RunningServer]:
    """Start `domgrpc serve` on a data folder, wait for its first answer; drain and end it after."""
    profile = os.environ.get(PROFILE_VARIABLE)
    program = ["-m", "benchmarks.sampled", profile] if profile else []
    program += [_console_script(), "serve", "--data-dir", str(folder), "--port", "0"]
    with listening(*program, *options, log=folder.with_suffix(".log")) as server:
        waited = time.perf_counter()
        with grpc.insecure_channel(server.target, options=CHANNEL_OPTIONS) as channel:
            AdminServiceStub(channel).GetStatus(GetStatusRequest(), timeout=_START_SECONDS_MAX)
        waited = time.perf_counter() - waited
        start_seconds = server.start_seconds + waited
        yield RunningServer(server.target, server.pid, start_seconds, folder)


@contextmanager
def fresh_domgrpc_server(*options: str) -> Iterator[RunningServer]:
    """Start `domgrpc serve` on a new data folder, which goes away after."""
    with temporary_folder() as place, domgrpc_server(place / "data", *options) as server:
        yield server


@contextmanager
def listening(*arguments: str, log: Path) -> Iterator[RunningServer]:
    """Run a Python program until it prints the address it listens on; end it after."""
    started = time.perf_counter()
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, *arguments], cwd=PROJECT, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        port = _wait_for_port(process, log)
        yield RunningServer(f"127.0.0.1:{port}", process.pid, time.perf_counter() - started)
    finally:
        _end(process)


def _console_script() -> str:
    # That of this very environment, whatever the search path says.
    return str(Path(sys.executable).with_name("domgrpc"))


def _wait_for_port(process: "subprocess.Popen[bytes]", log: Path) -> int:
    deadline = time.monotonic() + _START_SECONDS_MAX
    while time.monotonic() < deadline and process.poll() is None:
        found = _PORT.search(log.read_text(encoding="utf-8", errors="replace"))
        if found is not None:
            return int(found[1] or found[2])
        time.sleep(_POLL_SECONDS)
    shown = log.read_text(encoding="utf-8", errors="replace")[-_SHOWN_CHARACTERS_MAX:]
    raise ServerFailed(f"{process.args!r} (status {process.poll()}) did not listen: {shown}")


def _end(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(_STOP_SECONDS_MAX)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
