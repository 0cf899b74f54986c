"""Five million positions: their memory, a restart from a snapshot of them, the writer meanwhile.

100,000 SKUs at 50 locations each, built once. The memory is the growth of a process while it
takes them in: of the core alone, and of a server that recovered them compared with an empty one.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import TypeVar

import grpc
import msgspec

from benchmarks.load_figures import resident_bytes
from benchmarks.positions_host import Built, Probed
from benchmarks.processes import domgrpc_server
from benchmarks.results import Better, Result
from benchmarks.temporary_places import PROJECT, temporary_folder
from domgrpc.v1.admin_pb2 import GetStatusRequest
from domgrpc.v1.admin_pb2_grpc import AdminServiceStub

_PROCESS_SECONDS_MAX = 900.0
_DEADLINE_SECONDS = 30.0

_Report = TypeVar("_Report")


class HostFailed(Exception):
    """A process of the benchmark failed, or holds other positions than it should."""


class Scale(msgspec.Struct, frozen=True):
    """How many positions."""

    sku_count: int
    location_count: int

    @property
    def position_count(self) -> int:
        """SKUs times locations."""
        return self.sku_count * self.location_count


FULL = Scale(100_000, 50)
QUICK = Scale(2_000, 20)


class Restarted(msgspec.Struct, frozen=True):
    """A server process that recovered the positions."""

    seconds: float
    growth_bytes: int
    summary: str


def run(*, quick: bool) -> list[Result]:
    """Build the positions twice, restart on them, and snapshot them under load."""
    scale = QUICK if quick else FULL
    size = (str(scale.sku_count), str(scale.location_count))
    with temporary_folder() as place:
        folder = place / "data"
        core = _host(Built, "core", *size)
        loaded = _host(Built, "load", *size, str(folder))
        for built in (core, loaded):
            if built.position_count != scale.position_count:
                raise HostFailed(f"{built.position_count} positions were built")
        restarted = _restart(place, folder, scale)
        # What was written so far must not delay the syncs that are timed.
        os.sync()
        probed = _host(Probed, "probe", str(folder))
    return [
        *_memory(scale, core, loaded, restarted),
        Result(
            name="restart from a snapshot of them, to the first answer over gRPC",
            value=restarted.seconds,
            unit="s",
            better=Better.LOWER,
            must=15,
            aim=5,
            note=restarted.summary,
        ),
        *_pauses(probed),
    ]


def _host(report: type[_Report], *arguments: str) -> _Report:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.positions_host", *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=PROJECT,
        timeout=_PROCESS_SECONDS_MAX,
    )
    if done.returncode:
        raise HostFailed(f"{arguments} failed: {done.stdout}{done.stderr}")
    return msgspec.json.decode(done.stdout.splitlines()[-1], type=report)


def _restart(place: Path, folder: Path, scale: Scale) -> Restarted:
    with domgrpc_server(place / "empty") as empty:
        empty_bytes = resident_bytes(empty.pid)
    with (
        domgrpc_server(folder) as server,
        grpc.insecure_channel(server.target) as channel,
    ):
        status = AdminServiceStub(channel).GetStatus(GetStatusRequest(), timeout=_DEADLINE_SECONDS)
        if status.position_count != scale.position_count:
            raise HostFailed(f"{status.position_count} positions came back")
        growth_bytes = resident_bytes(server.pid) - empty_bytes
        return Restarted(server.start_seconds, growth_bytes, status.recovery_summary)


def _memory(scale: Scale, core: Built, loaded: Built, restarted: Restarted) -> list[Result]:
    cases = (
        ("the core alone", core.growth_bytes, 250, 120, f"built in {core.seconds:.0f} s"),
        (
            "a server that recovered them",
            restarted.growth_bytes,
            250,
            120,
            "against a server on an empty folder",
        ),
        (
            "an engine that was given them",
            loaded.growth_bytes,
            None,
            None,
            f"with the newest records kept for watchers; taken in within {loaded.seconds:.0f} s",
        ),
    )
    return [
        Result(
            name=f"memory of {scale.position_count:,} positions, {case}: each",
            value=growth_bytes / scale.position_count,
            unit="B",
            better=Better.LOWER,
            must=must,
            aim=aim,
            note=note,
        )
        for case, growth_bytes, must, aim, note in cases
    ]


def _pauses(probed: Probed) -> list[Result]:
    longest = Result(
        name="snapshot of them: longest time between two answers",
        value=probed.during_ms,
        unit="ms",
        better=Better.LOWER,
        must=50,
        aim=10,
        note=f"{probed.quiet_ms:.1f} ms without a snapshot; {probed.reserve_count} durable "
        f"reserves one after the other; the snapshot took {probed.snapshot_seconds:.1f} s and "
        f"{probed.snapshot_bytes / 1e6:.0f} MB",
    )
    reported = msgspec.structs.replace(
        longest,
        name="snapshot of them: writer_pause, as the server reports it",
        value=probed.writer_pause_us / 1_000,
        note="the same snapshot",
    )
    return [longest, reported]
