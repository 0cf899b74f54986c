"""Load of unary calls from one asyncio process: so many calls in flight, always.

Requests are prepared bytes and answers stay bytes, so that the client, which costs as much as a
server does, is as light as it can be; it is the same for every server that is compared.
"""

import asyncio
import time
from collections.abc import Iterator, Sequence

import grpc
import msgspec

from benchmarks.load_figures import processor_seconds
from benchmarks.processes import CHANNEL_OPTIONS, RunningServer

CONCURRENCY = 64
_DEADLINE_SECONDS = 30.0


class UnaryRound(msgspec.Struct, frozen=True):
    """What one round of calls came to."""

    calls_per_second: float
    server_us_per_call: float
    """Processor time of the server process, all its threads."""
    server_load: float
    """How much of one core the server used: well below 1, the client was the limit."""


async def run_round(server: RunningServer, path: str, requests: Sequence[bytes]) -> UnaryRound:
    """Make all the calls as fast as they are answered; the first error ends the round."""
    async with grpc.aio.insecure_channel(server.target, options=CHANNEL_OPTIONS) as channel:
        await channel.channel_ready()
        method: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(path)
        waiting = iter(requests)
        used = processor_seconds(server.pid)
        started = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for _ in range(CONCURRENCY):
                group.create_task(_call_in_turn(method, waiting))
        seconds = time.perf_counter() - started
        used = processor_seconds(server.pid) - used
    return UnaryRound(len(requests) / seconds, used / len(requests) * 1e6, used / seconds)


async def _call_in_turn(
    method: "grpc.aio.UnaryUnaryMultiCallable[bytes, bytes]", waiting: Iterator[bytes]
) -> None:
    for request in waiting:
        await method(request, timeout=_DEADLINE_SECONDS)
