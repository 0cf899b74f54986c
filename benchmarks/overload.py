"""Overload: what a server still does in time when it is offered far more than it can do.

The capacity is what calls of 200 operations (100 reserves of 2 lines, each released by the next
operation, so that the state stays as large as it is) come to with three in flight. Then 1, 2, 5
and 10 times that is offered by a schedule that does not wait for answers (offering.py), each call
with a deadline of half a second. Goodput counts the operations that were answered before the
deadline. The speed of a machine drifts: the capacity is measured before and after each level, and
the peak is the mean of the two, or the goodput where that is larger.
"""

import asyncio
import time
from collections.abc import Iterator
from typing import TypeAlias

import grpc
import msgspec

from benchmarks.load_figures import median, percentile, resident_bytes
from benchmarks.offered_load import churn_message
from benchmarks.offering import DEADLINE_SECONDS, EXECUTE, Offer, offer_beside
from benchmarks.processes import CHANNEL_OPTIONS, RunningServer, fresh_domgrpc_server
from benchmarks.results import Better, Result
from benchmarks.stocked_server import stock_server

RESERVES_PER_CALL = 100
OPERATIONS_PER_CALL = 2 * RESERVES_PER_CALL
IN_FLIGHT = 3
MEGABYTE = 1_000_000

_SAMPLE_SECONDS = 0.02
_RECOVERY_SECONDS_MAX = 10.0
_PROBE_SECONDS = 0.01
_NUMBERS_PER_LEVEL = 5_000_000
_PROBES_FROM = 90_000_000
# What admits and refuses calls is left as it is by default. Answers and finished reservations are
# kept up to a number: a small one, so that memory is full before it is measured.
SERVER_OPTIONS = (
    "--kept-answers-max=20000",
    "--finished-reservations-max=20000",
    "--feed-size-bytes-max=8000000",
    "--snapshot-log-bytes=0",
)


class Scale(msgspec.Struct, frozen=True, kw_only=True):
    """How long is measured."""

    capacity_seconds: float
    level_seconds: float


FULL = Scale(capacity_seconds=6.0, level_seconds=30.0)
QUICK = Scale(capacity_seconds=1.0, level_seconds=1.0)
LEVELS = (1, 2, 5, 10)

Execute: TypeAlias = "grpc.aio.UnaryUnaryMultiCallable[bytes, bytes]"


class Level(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one level of load."""

    multiple: int
    capacity: float
    """Before and after it, the mean."""
    offered: float
    """Operations a second that were really sent."""
    goodput: float
    latencies: list[float]
    codes: dict[str, int]
    grown_bytes: int
    recovery_seconds: float


def run(*, quick: bool) -> list[Result]:
    """Measure each multiple of the capacity on the same server."""
    scale = QUICK if quick else FULL
    with fresh_domgrpc_server(*SERVER_OPTIONS) as server:
        stock_server(server.target)
        levels = asyncio.run(_measure(server, scale))
    return list(_results(levels))


async def _measure(server: RunningServer, scale: Scale) -> list[Level]:
    # Until its memory has grown to what it keeps.
    await capacity_of(server.target, 2 * scale.capacity_seconds)
    return [await _level(server, scale, each) for each in LEVELS]


async def capacity_of(target: str, seconds: float) -> float:
    """Keep a few calls in flight; return operations a second."""
    message = churn_message(RESERVES_PER_CALL)
    end = time.perf_counter() + seconds

    async def send_in_turn() -> int:
        count = 0
        while time.perf_counter() < end:
            await execute(message.next(), timeout=60.0)
            count += OPERATIONS_PER_CALL
        return count

    async with grpc.aio.insecure_channel(target, options=CHANNEL_OPTIONS) as channel:
        await channel.channel_ready()
        execute: Execute = channel.unary_unary(EXECUTE)
        counts = await asyncio.gather(*(send_in_turn() for _ in range(IN_FLIGHT)))
    return sum(counts) / seconds


async def _level(server: RunningServer, scale: Scale, multiple: int) -> Level:
    """Offer a multiple of the capacity for a while, then see how soon all is well again."""
    capacity = await capacity_of(server.target, scale.capacity_seconds)
    before_bytes = resident_bytes(server.pid)
    peak = _Peak(server.pid)
    watching = asyncio.ensure_future(peak.watch())
    offered = await offer_beside(
        Offer(
            target=server.target,
            client="overload",
            reserves_per_call=RESERVES_PER_CALL,
            first_number=multiple * _NUMBERS_PER_LEVEL,
            calls_per_second=multiple * capacity / OPERATIONS_PER_CALL,
            seconds=scale.level_seconds,
        )
    )
    recovery_seconds = await _recovery_seconds(server.target)
    watching.cancel()
    capacity_after = await capacity_of(server.target, scale.capacity_seconds)
    return Level(
        multiple=multiple,
        capacity=(capacity + capacity_after) / 2,
        offered=offered.sent_count * OPERATIONS_PER_CALL / offered.seconds,
        goodput=len(offered.latencies) * OPERATIONS_PER_CALL / offered.seconds,
        latencies=offered.latencies,
        codes=offered.codes,
        grown_bytes=peak.most_bytes - before_bytes,
        recovery_seconds=recovery_seconds,
    )


class _Peak:
    """The most memory that a server had while it was watched."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self.most_bytes = resident_bytes(pid)

    async def watch(self) -> None:
        while True:
            self.most_bytes = max(self.most_bytes, resident_bytes(self._pid))
            await asyncio.sleep(_SAMPLE_SECONDS)


async def _recovery_seconds(target: str) -> float:
    """Return the time from the end of the load to the first call that is answered again."""
    message = churn_message(RESERVES_PER_CALL, first_number=_PROBES_FROM)
    async with grpc.aio.insecure_channel(target, options=CHANNEL_OPTIONS) as channel:
        execute: Execute = channel.unary_unary(EXECUTE)
        started = time.perf_counter()
        while (passed := time.perf_counter() - started) < _RECOVERY_SECONDS_MAX:
            try:
                await execute(message.next(), timeout=DEADLINE_SECONDS)
            except grpc.aio.AioRpcError:
                await asyncio.sleep(_PROBE_SECONDS)
            else:
                return time.perf_counter() - started
    return passed


# --- what came of it

_GOODPUT_MUSTS = {2: (0.8, None), 5: (0.5, None), 10: (None, 0.8)}


def _results(levels: list[Level]) -> Iterator[Result]:
    capacities = [level.capacity for level in levels]
    yield Result(
        name="Overload: capacity, operations in calls of 200",
        value=median(capacities),
        unit="/s",
        better=Better.HIGHER,
        note=f"{IN_FLIGHT} calls in flight; between {min(capacities):,.0f} and "
        f"{max(capacities):,.0f}/s around the levels",
    )
    for level in levels:
        must, aim = _GOODPUT_MUSTS.get(level.multiple, (None, None))
        yield Result(
            name=f"Overload: goodput at {level.multiple} x of the capacity, of the peak",
            value=level.goodput / max(level.capacity, level.goodput),
            unit="x",
            better=Better.HIGHER,
            must=must,
            aim=aim,
            note=_level_note(level),
        )
    yield Result(
        name="Overload: memory that the server grew by, at most",
        value=max(level.grown_bytes for level in levels) / MEGABYTE,
        unit="MB",
        better=Better.LOWER,
        must=64,
        note="over its size before the level; kept answers and reservations are bounded low",
    )
    yield Result(
        name="Overload: until a call is answered in time again, at most",
        value=max(level.recovery_seconds for level in levels),
        unit="s",
        better=Better.LOWER,
        must=1.0,
    )


def _level_note(level: Level) -> str:
    p99 = percentile(level.latencies, 99) * 1_000 if level.latencies else float("nan")
    codes = ", ".join(f"{count:,} {name}" for name, count in sorted(level.codes.items()))
    return (
        f"offered {level.offered:,.0f}/s, in time {level.goodput:,.0f}/s, p99 of the accepted "
        f"{p99:.0f} ms, grew {level.grown_bytes / MEGABYTE:.0f} MB, well again after "
        f"{level.recovery_seconds:.2f} s; {codes}"
    )
