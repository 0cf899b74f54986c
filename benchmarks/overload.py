"""Overload: what a server still does in time when it is offered far more than it can do.

The capacity is measured first: calls of 200 operations (100 reserves of 2 lines, each released by
the next operation, so that the state stays as large as it is) with three in flight. Then 1, 2, 5
and 10 times that is offered by a schedule that does not wait for answers, each call with a
deadline of half a second. Goodput counts the operations that were answered before the deadline.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator

import grpc
import msgspec

from benchmarks.load_figures import percentile, resident_bytes
from benchmarks.offered_load import Message, churn_message
from benchmarks.processes import CHANNEL_OPTIONS, RunningServer, fresh_domgrpc_server
from benchmarks.results import Better, Result
from benchmarks.stocked_server import stock_server

EXECUTE = "/domgrpc.v1.PipelineService/Execute"
RESERVES_PER_CALL = 100
DEADLINE_SECONDS = 0.5
IN_FLIGHT = 3
MEGABYTE = 1_000_000

_TICK_SECONDS = 0.005
_RECOVERY_SECONDS_MAX = 10.0
_PROBE_SECONDS = 0.01
# What admits and refuses calls is left as it is by default. Answers and finished reservations are
# kept up to a number: a small one, so that memory is full before it is measured.
_SERVER_OPTIONS = (
    "--kept-answers-max=20000",
    "--finished-reservations-max=20000",
    "--feed-size-bytes-max=8000000",
    "--snapshot-log-bytes=0",
)


class Scale(msgspec.Struct, frozen=True, kw_only=True):
    """How long is measured."""

    capacity_seconds: float
    level_seconds: float


FULL = Scale(capacity_seconds=10.0, level_seconds=30.0)
QUICK = Scale(capacity_seconds=1.0, level_seconds=1.0)
LEVELS = (1, 2, 5, 10)


class Level(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one level of load."""

    multiple: int
    offered: float
    """Operations a second that were really sent."""
    goodput: float
    latencies: list[float]
    codes: Counter[str]
    grown_bytes: int
    recovery_seconds: float


def run(*, quick: bool) -> list[Result]:
    """Measure the capacity, then each multiple of it on the same server."""
    scale = QUICK if quick else FULL
    with fresh_domgrpc_server(*_SERVER_OPTIONS) as server:
        stock_server(server.target)
        capacity, levels = asyncio.run(_measure(server, scale))
    return list(_results(capacity, levels))


async def _measure(server: RunningServer, scale: Scale) -> tuple[float, list[Level]]:
    message = churn_message(RESERVES_PER_CALL)
    async with grpc.aio.insecure_channel(server.target, options=CHANNEL_OPTIONS) as channel:
        await channel.channel_ready()
        load = _Load(channel, message)
        # Once for the memory, once for the figure.
        await load.closed(scale.capacity_seconds)
        capacity = await load.closed(scale.capacity_seconds)
        levels = [await load.level(server, scale, each, capacity) for each in LEVELS]
    return capacity, levels


class _Load:
    """Sends the calls and notes what became of them."""

    def __init__(self, channel: grpc.aio.Channel, message: Message) -> None:
        self._execute: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(EXECUTE)
        self._message = message
        self._operation_count = 2 * RESERVES_PER_CALL
        self._latencies: list[float] = []
        self._codes: Counter[str] = Counter()

    async def closed(self, seconds: float) -> float:
        """Keep a few calls in flight; return operations a second."""
        end = time.perf_counter() + seconds

        async def send_in_turn() -> int:
            count = 0
            while time.perf_counter() < end:
                await self._execute(self._message.next(), timeout=60.0)
                count += self._operation_count
            return count

        counts = await asyncio.gather(*(send_in_turn() for _ in range(IN_FLIGHT)))
        return sum(counts) / seconds

    async def level(
        self, server: RunningServer, scale: Scale, multiple: int, capacity: float
    ) -> Level:
        """Offer a multiple of the capacity for a while, then see how soon all is well again."""
        self._latencies, self._codes = [], Counter()
        before_bytes = resident_bytes(server.pid)
        started = time.perf_counter()
        sent_count, most_bytes = await self._offer(
            server, multiple * capacity / self._operation_count, scale.level_seconds
        )
        passed = time.perf_counter() - started
        return Level(
            multiple=multiple,
            offered=sent_count * self._operation_count / passed,
            goodput=len(self._latencies) * self._operation_count / passed,
            latencies=self._latencies,
            codes=self._codes,
            grown_bytes=most_bytes - before_bytes,
            recovery_seconds=await self._recovery_seconds(),
        )

    async def _offer(
        self, server: RunningServer, calls_per_second: float, seconds: float
    ) -> tuple[int, int]:
        started = time.perf_counter()
        sent_count, most_bytes = 0, 0
        under_way: set[asyncio.Task[None]] = set()
        while (passed := time.perf_counter() - started) < seconds:
            for _ in range(int(passed * calls_per_second) - sent_count):
                task = asyncio.ensure_future(self._send())
                under_way.add(task)
                task.add_done_callback(under_way.discard)
                sent_count += 1
            most_bytes = max(most_bytes, resident_bytes(server.pid))
            await asyncio.sleep(_TICK_SECONDS)
        await asyncio.gather(*under_way)
        return sent_count, most_bytes

    async def _send(self) -> None:
        started = time.perf_counter()
        try:
            await self._execute(self._message.next(), timeout=DEADLINE_SECONDS)
        except grpc.aio.AioRpcError as error:
            self._codes[error.code().name] += 1
        else:
            self._latencies.append(time.perf_counter() - started)
            self._codes["OK"] += 1

    async def _recovery_seconds(self) -> float:
        """Return the time from the end of the load to the first call that is answered again."""
        started = time.perf_counter()
        while (passed := time.perf_counter() - started) < _RECOVERY_SECONDS_MAX:
            try:
                await self._execute(self._message.next(), timeout=DEADLINE_SECONDS)
            except grpc.aio.AioRpcError:
                await asyncio.sleep(_PROBE_SECONDS)
            else:
                return time.perf_counter() - started
        return passed


# --- what came of it

_GOODPUT_MUSTS = {2: (0.8, None), 5: (0.5, None), 10: (None, 0.8)}


def _results(capacity: float, levels: list[Level]) -> Iterator[Result]:
    peak = max(capacity, *(level.goodput for level in levels))
    yield Result(
        name="Overload: capacity, operations in calls of 200",
        value=capacity,
        unit="/s",
        better=Better.HIGHER,
        note=f"{IN_FLIGHT} calls in flight; peak goodput at any level {peak:,.0f}/s",
    )
    for level in levels:
        must, aim = _GOODPUT_MUSTS.get(level.multiple, (None, None))
        yield Result(
            name=f"Overload: goodput at {level.multiple} x of the capacity, of the peak",
            value=level.goodput / peak,
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
