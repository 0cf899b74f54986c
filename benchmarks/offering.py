"""Offers calls by a schedule, whatever comes back: a process of its own, which gives way.

On a machine of few processors the server must not wait for those who load it: real clients have
machines of their own. What falls behind the schedule for that is sent later, all at once.
"""

import asyncio
import sys
import time
from collections import Counter

import grpc
import grpc.aio
import msgspec

from benchmarks.offered_load import Message, churn_message
from benchmarks.processes import CHANNEL_OPTIONS
from benchmarks.temporary_places import PROJECT
from domgrpc.rpc.calls import CLIENT_METADATA

EXECUTE = "/domgrpc.v1.PipelineService/Execute"
DEADLINE_SECONDS = 0.5
_TICK_SECONDS = 0.005
_NICENESS = "5"


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """Calls of `reserves_per_call` reserves, each of which is released at once."""

    target: str
    client: str
    reserves_per_call: int
    first_number: int
    """Of the ids: no other client may have them."""
    calls_per_second: float
    seconds: float
    deadline_seconds: float = DEADLINE_SECONDS


class Offered(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it."""

    sent_count: int
    seconds: float
    latencies: list[float]
    """Of the calls that were answered in time."""
    codes: dict[str, int]


async def offer_beside(offer: Offer) -> Offered:
    """Run the process and return what it found. Raises RuntimeError where it failed."""
    process = await asyncio.create_subprocess_exec(
        *("nice", "-n", _NICENESS, sys.executable, "-m", "benchmarks.offering"),
        cwd=PROJECT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate(msgspec.json.encode(offer))
    if process.returncode:
        raise RuntimeError(f"the process that offers ended with status {process.returncode}")
    return msgspec.json.decode(output, type=Offered)


class _Offering:
    def __init__(self, channel: grpc.aio.Channel, offer: Offer) -> None:
        self._execute: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(EXECUTE)
        self._message: Message = churn_message(
            offer.reserves_per_call, first_number=offer.first_number
        )
        self._metadata = ((CLIENT_METADATA, offer.client),)
        self._offer = offer
        self._latencies: list[float] = []
        self._codes: Counter[str] = Counter()

    async def run(self) -> Offered:
        offer = self._offer
        # Begun when connected: the first calls wait for nothing but the server.
        await self._send()
        self._latencies.clear()
        self._codes.clear()
        sent_count = 0
        under_way: set[asyncio.Task[None]] = set()
        started = time.perf_counter()
        while (passed := time.perf_counter() - started) < offer.seconds:
            for _ in range(int(passed * offer.calls_per_second) - sent_count):
                task = asyncio.ensure_future(self._send())
                under_way.add(task)
                task.add_done_callback(under_way.discard)
                sent_count += 1
            await asyncio.sleep(_TICK_SECONDS)
        seconds = time.perf_counter() - started
        await asyncio.gather(*under_way)
        return Offered(
            sent_count=sent_count,
            seconds=seconds,
            latencies=self._latencies,
            codes=dict(self._codes),
        )

    async def _send(self) -> None:
        started = time.perf_counter()
        try:
            await self._execute(
                self._message.next(),
                timeout=self._offer.deadline_seconds,
                metadata=self._metadata,
            )
        except grpc.aio.AioRpcError as error:
            self._codes[error.code().name] += 1
        else:
            self._latencies.append(time.perf_counter() - started)
            self._codes["OK"] += 1


async def _offered(offer: Offer) -> Offered:
    async with grpc.aio.insecure_channel(offer.target, options=CHANNEL_OPTIONS) as channel:
        await channel.channel_ready()
        return await _Offering(channel, offer).run()


def main() -> None:
    """Read an offer from standard input, and write what came of it to standard output."""
    offer = msgspec.json.decode(sys.stdin.buffer.read(), type=Offer)
    sys.stdout.buffer.write(msgspec.json.encode(asyncio.run(_offered(offer))))


if __name__ == "__main__":
    main()
