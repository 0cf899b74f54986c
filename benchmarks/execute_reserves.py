"""Durable reserves through `Execute`, and the same through Redis and PostgreSQL in the same run.

The client prepares all messages first and only counts the answers while it runs, so that it is
not what is measured; afterwards every answer is read and must be a held reservation. Rounds of
the candidates alternate. What each rival does, and does not do, is told in its module.
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack

import grpc
import msgspec

from benchmarks.load_figures import median, processor_seconds
from benchmarks.postgres_reserves import (
    FUNCTION,
    STATEMENTS,
    PostgresStock,
    postgres_programs,
    postgres_stock,
)
from benchmarks.processes import CHANNEL_OPTIONS, RunningServer, fresh_domgrpc_server
from benchmarks.redis_reserves import PIPELINED, RedisStock, redis_stock, redis_version
from benchmarks.reserve_workload import reserves
from benchmarks.results import Better, Result, skipped
from benchmarks.stocked_server import reserve_request, stock_server
from domgrpc.v1.pipeline_pb2 import ExecuteRequest, ExecuteResponse
from domgrpc.v1.reservation_pb2 import RESERVATION_STATE_HELD

EXECUTE = "/domgrpc.v1.PipelineService/Execute"
IN_FLIGHT = 3
"""Calls on their way at a time: one is worked on, one waits, one travels."""

_DEADLINE_SECONDS = 60.0


class Scale(msgspec.Struct, frozen=True, kw_only=True):
    """How much is run."""

    rounds: int
    reserves_per_round: int
    operations_per_call: int
    postgres_seconds: int


FULL = Scale(rounds=5, reserves_per_round=60_000, operations_per_call=1_000, postgres_seconds=3)
QUICK = Scale(rounds=1, reserves_per_round=1_000, operations_per_call=100, postgres_seconds=1)


class ReserveRefused(Exception):
    """An operation was answered with anything but a held reservation."""


class _Rates:
    """What the rounds of all candidates came to, reserves a second each."""

    def __init__(self) -> None:
        self.ours: list[float] = []
        self.redis: list[float] = []
        self.statements: list[float] = []
        self.function: list[float] = []
        self.server_us: list[float] = []


def run(*, quick: bool) -> list[Result]:
    """Measure the rate, and its ratios to the rivals that are installed."""
    scale = QUICK if quick else FULL
    rates = _Rates()
    with ExitStack() as stack:
        server = stack.enter_context(fresh_domgrpc_server())
        stock_server(server.target)
        rounds: list[Callable[[int], None]] = [
            lambda seed: _run_domgrpc(server, scale, seed, rates)
        ]
        if redis_version() is not None:
            in_redis = stack.enter_context(redis_stock())
            rounds.append(lambda seed: _run_redis(in_redis, scale, seed, rates))
        if postgres_programs() is not None:
            in_postgres = stack.enter_context(postgres_stock())
            rounds.append(lambda _: _run_postgres(in_postgres, scale, rates))
        for seed in range(scale.rounds):
            for each in rounds:
                each(seed)
    return _results(scale, rates)


# --- one round of each


def _run_domgrpc(server: RunningServer, scale: Scale, seed: int, rates: _Rates) -> None:
    requests = list(_execute_requests(scale, seed))
    used = processor_seconds(server.pid)
    seconds, answers = asyncio.run(_send(server.target, requests))
    used = processor_seconds(server.pid) - used
    for answer in answers:
        _check_held(answer)
    rates.ours.append(scale.reserves_per_round / seconds)
    rates.server_us.append(used / scale.reserves_per_round * 1e6)


async def _send(target: str, requests: Sequence[bytes]) -> tuple[float, list[bytes]]:
    answers: list[bytes] = []
    async with grpc.aio.insecure_channel(target, options=CHANNEL_OPTIONS) as channel:
        await channel.channel_ready()
        execute: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(EXECUTE)
        waiting = iter(requests)

        async def send_in_turn() -> None:
            answers.extend(
                [await execute(request, timeout=_DEADLINE_SECONDS) for request in waiting]
            )

        started = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for _ in range(IN_FLIGHT):
                group.create_task(send_in_turn())
        return time.perf_counter() - started, answers


def _execute_requests(scale: Scale, seed: int) -> Iterator[bytes]:
    request = ExecuteRequest()
    for reserve in reserves(scale.reserves_per_round, seed=seed):
        request.operations.add().reserve_stock.CopyFrom(reserve_request(reserve))
        if len(request.operations) == scale.operations_per_call:
            yield request.SerializeToString()
            request = ExecuteRequest()


def _check_held(answer: bytes) -> None:
    for result in ExecuteResponse.FromString(answer).results:
        reservation = result.reservation
        if reservation.state != RESERVATION_STATE_HELD or len(reservation.lines) != 2:
            raise ReserveRefused(f"a reserve was answered: {result}")


def _run_redis(redis: RedisStock, scale: Scale, seed: int, rates: _Rates) -> None:
    batches = redis.prepare(scale.reserves_per_round, seed=seed)
    rates.redis.append(redis.run(batches, scale.reserves_per_round))


def _run_postgres(postgres: PostgresStock, scale: Scale, rates: _Rates) -> None:
    rates.statements.append(postgres.run(STATEMENTS, scale.postgres_seconds))
    rates.function.append(postgres.run(FUNCTION, scale.postgres_seconds))


# --- what came of it


def _results(scale: Scale, rates: _Rates) -> list[Result]:
    ours = median(rates.ours)
    rate = Result(
        name="Execute: durable reserves of 2 lines",
        value=ours,
        unit="/s",
        better=Better.HIGHER,
        must=25_000,
        aim=60_000,
        note=f"{scale.operations_per_call} operations a call, {IN_FLIGHT} calls in flight, "
        f"prepared messages; {min(rates.ours):,.0f} to {max(rates.ours):,.0f}/s in "
        f"{scale.rounds} rounds; {median(rates.server_us):.1f} us of processor time each",
    )
    redis = _ratio(
        "Execute against Redis, appendfsync always",
        (ours, rates.redis),
        (1, 3),
        f"pipelined {PIPELINED}, prepared commands",
    )
    statements = _ratio(
        "Execute against PostgreSQL, a transaction each",
        (ours, rates.statements),
        (10, 25),
        f"its statements come over {STATEMENTS.connections} connections, from pgbench",
    )
    function = _ratio(
        "Execute against PostgreSQL, a stored function each",
        (ours, rates.function),
        (None, None),
        f"the fastest way there: one statement each, over {FUNCTION.connections} connections",
    )
    return [rate, redis, statements, function]


def _ratio(
    name: str,
    rates: tuple[float, list[float]],
    limits: tuple[float | None, float | None],
    note: str,
) -> Result:
    ours, theirs = rates
    must, aim = limits
    unmeasured = Result(
        name=name, value=None, unit="x", better=Better.HIGHER, must=must, aim=aim, note=note
    )
    if not theirs:
        return skipped(unmeasured, "it is not installed on this machine")
    rate = median(theirs)
    return msgspec.structs.replace(
        unmeasured, value=ours / rate, note=f"it reached {rate:,.0f}/s: {note}"
    )
