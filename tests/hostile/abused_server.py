"""A real server under abuse, with a well-behaved client beside it that measures.

Three processes: the server, the attacker (abuses.py), and this one, which asks for a position every
few milliseconds on a connection of its own. Compared are its answers before and during an abuse,
the memory and the processor time of the server, and its revision, which no abuse may move.
"""

import asyncio
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import msgspec

from benchmarks.processes import RunningServer, fresh_domgrpc_server
from domgrpc.v1.admin_pb2 import GetStatusRequest
from domgrpc.v1.admin_pb2_grpc import AdminServiceStub
from domgrpc.v1.inventory_pb2 import GetPositionRequest, InventoryPosition, UpdateStockRequest
from domgrpc.v1.inventory_pb2_grpc import InventoryServiceStub
from domgrpc.v1.location_pb2 import LOCATION_TYPE_STORE, CreateLocationRequest, Location
from domgrpc.v1.location_pb2_grpc import LocationServiceStub
from tests.faults.table import Row, counting, judged
from tests.hostile.abuses import ABUSES, Deeds
from tests.rpc.serving import counted

SECONDS = 15.0
"""How long each abuse goes on in a full run."""
SECONDS_MIN = 1.0
SLOWER_MAX = 5.0
"""How many times longer the probe may take at the 99th percentile."""
GROWTH_MIB_MAX = 64
CORES_MAX = 1.0
FAILED_SHARE_MAX = 0.01
"""Probes that may be refused, because the server is busy."""
CALM_SECONDS_MAX = 5.0
HANDSHAKE_SECONDS = 2.0
_PROBE_PAUSE_SECONDS = 0.005
_PROBE_SECONDS_MAX = 10.0
_SAMPLE_SECONDS = 0.1
_TICKS_PER_SECOND = 100
_NICENESS = "5"


class Measured(msgspec.Struct, kw_only=True):
    """What one abuse did to the server and to the client beside it."""

    name: str
    deeds: Deeds
    calm_p99_ms: float
    """The larger of before and after: whatever else this machine does, it did then too."""
    p99_ms: float
    probe_count: int
    failed: dict[str, int]
    """Probes that were not answered, by code."""
    growth_mib: int
    cores: float
    effects: int
    """Revisions that the abuse brought about."""


class Probe:
    """Asks for a position again and again, and keeps how long each answer took, in milliseconds."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        # By its name: the types of the stubs know only the calls that block.
        self._ask: Any = channel.unary_unary(
            "/domgrpc.v1.InventoryService/GetPosition",
            GetPositionRequest.SerializeToString,
            InventoryPosition.FromString,
        )
        self.times_ms: list[float] = []
        self.failed: Counter[str] = Counter()

    async def run(self) -> None:
        """Ask until cancelled."""
        asked = GetPositionRequest(sku="A", location_id="a")
        while True:
            started = time.perf_counter()
            try:
                await self._ask(asked, timeout=_PROBE_SECONDS_MAX)
            except grpc.aio.AioRpcError as error:
                self.failed[error.code().name] += 1
            self.times_ms.append((time.perf_counter() - started) * 1_000)
            await asyncio.sleep(_PROBE_PAUSE_SECONDS)

    @property
    def p99_ms(self) -> float:
        """The 99th percentile."""
        ordered = sorted(self.times_ms)
        return ordered[min(len(ordered) * 99 // 100, len(ordered) - 1)] if ordered else 0.0


def http2_rows(scale: float) -> list[Row]:
    """Abuse a server in every way and return the rows of the table."""
    seconds = max(SECONDS * scale, SECONDS_MIN)
    rows = []
    with counting("http2", len(ABUSES)) as counter, abused_server() as server:
        for name in ABUSES:
            rows.extend(rows_of(asyncio.run(measure(server, name, seconds))))
            counter.add()
    return rows


@contextmanager
def abused_server() -> Iterator[RunningServer]:
    """Run a server that gives new connections little time, so that a test can wait for it."""
    with fresh_domgrpc_server("--handshake-seconds", str(HANDSHAKE_SECONDS)) as server:
        asyncio.run(_open_shop(server.target))
        yield server


def rows_of(measured: Measured) -> list[Row]:
    """Return the row of one abuse."""
    slower = measured.p99_ms / max(measured.calm_p99_ms, 1e-3)
    deeds = measured.deeds
    failed_count = sum(measured.failed.values())
    failed = ", ".join(f"{count} {code}" for code, count in measured.failed.items()) or "none"
    holds = (
        slower <= SLOWER_MAX
        and measured.growth_mib <= GROWTH_MIB_MAX
        and measured.cores <= CORES_MAX
        and measured.effects == 0
        and failed_count <= measured.probe_count * FAILED_SHARE_MAX
    )
    return [
        judged(
            measured.name,
            must=f"p99 <= {SLOWER_MAX:.0f}x, +{GROWTH_MIB_MAX} MiB, 0 effects",
            figure=f"{slower:.1f}x, {measured.growth_mib:+} MiB, {measured.effects} effects",
            holds=holds,
            note=f"p99 {measured.calm_p99_ms:.1f} ms calm, {measured.p99_ms:.1f} ms under "
            f"{deeds.frames:,} frames on {deeds.connections:,} connections, {deeds.cut_off:,} of "
            f"them cut off; {measured.cores:.2f} cores; of "
            f"{measured.probe_count:,} probes failed: {failed}",
        )
    ]


async def measure(server: RunningServer, name: str, seconds: float) -> Measured:
    """Measure a calm while, then one with an abuse."""
    async with grpc.aio.insecure_channel(server.target) as channel:
        admin: Any = AdminServiceStub(channel)
        calm_seconds = min(seconds, CALM_SECONDS_MAX) / 2
        before = await _probed(channel, asyncio.sleep(calm_seconds))
        before_mib, before_seconds = resident_mib(server.pid), processor_seconds(server.pid)
        revision = (await admin.GetStatus(GetStatusRequest())).revision
        started = time.perf_counter()
        peak = _Peak(server.pid)
        watching = asyncio.ensure_future(peak.watch())
        abusing = asyncio.ensure_future(_abused(name, server.target, seconds))
        abused = await _probed(channel, abusing)
        watching.cancel()
        took_seconds = time.perf_counter() - started
        cores = (processor_seconds(server.pid) - before_seconds) / took_seconds
        after = await _probed(channel, asyncio.sleep(calm_seconds))
        return Measured(
            name=name,
            deeds=abusing.result(),
            calm_p99_ms=max(before.p99_ms, after.p99_ms),
            p99_ms=abused.p99_ms,
            probe_count=len(abused.times_ms),
            failed=dict(abused.failed),
            growth_mib=peak.mib - before_mib,
            cores=cores,
            effects=(await admin.GetStatus(GetStatusRequest())).revision - revision,
        )


async def _probed(channel: grpc.aio.Channel, while_this: Awaitable[object]) -> Probe:
    probe = Probe(channel)
    probing = asyncio.ensure_future(probe.run())
    await while_this
    probing.cancel()
    await asyncio.wait([probing])
    return probe


async def _abused(name: str, target: str, seconds: float) -> Deeds:
    command = ("nice", "-n", _NICENESS, sys.executable, "-m", "tests.hostile.abuses")
    process = await asyncio.create_subprocess_exec(
        *command, name, target, str(seconds), stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"the abuse {name!r} ended with status {process.returncode}")
    return msgspec.json.decode(output, type=Deeds)


class _Peak:
    """The most memory that a process had while it was watched."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self.mib = resident_mib(pid)

    async def watch(self) -> None:
        while True:
            self.mib = max(self.mib, resident_mib(self._pid))
            await asyncio.sleep(_SAMPLE_SECONDS)


def resident_mib(pid: int) -> int:
    """Return the memory of a process."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) // 1024
    raise RuntimeError(f"process {pid} is gone: the server did not survive")


def processor_seconds(pid: int) -> float:
    """Return the processor time that a process has used."""
    fields: Sequence[str] = (
        Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    )
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_SECOND


async def _open_shop(target: str) -> None:
    async with grpc.aio.insecure_channel(target) as channel:
        location = Location(location_id="a", type=LOCATION_TYPE_STORE)
        await LocationServiceStub(channel).CreateLocation(
            CreateLocationRequest(request_id="a", location=location)
        )
        await InventoryServiceStub(channel).UpdateStock(
            UpdateStockRequest(request_id="stock", updates=[counted("A", "a", 10)])
        )
