"""Fairness: what others keep beside one client that sends a hundred times its share.

Ten clients with equal shares would fill half of the server: calls of 200 operations with a
deadline of half a second. Nine keep to their share, alone first and then beside the tenth, which
sends a hundred times as much, from a process of its own: once with the same deadline, once with
ten times as much. A counter confirms holds and a shop window reads positions all the while.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from itertools import count

import grpc
import grpc.aio
import msgspec

from benchmarks.offered_load import churn_message
from benchmarks.offering import DEADLINE_SECONDS, EXECUTE, Offer, Offered, offer_beside
from benchmarks.overload import (
    OPERATIONS_PER_CALL,
    RESERVES_PER_CALL,
    SERVER_OPTIONS,
    Execute,
    capacity_of,
)
from benchmarks.processes import CHANNEL_OPTIONS, fresh_domgrpc_server
from benchmarks.reserve_workload import location_name, sku_name
from benchmarks.results import Better, Result
from benchmarks.stocked_server import stock_server
from domgrpc.rpc.calls import CLIENT_METADATA
from domgrpc.v1.inventory_pb2 import GetPositionRequest
from domgrpc.v1.reservation_pb2 import (
    ConfirmReservationRequest,
    ReserveLine,
    ReserveStockRequest,
)

CLIENT_COUNT = 10
GREEDY_TIMES = 100
CONFIRMS_PER_SECOND = 40
READS_PER_SECOND = 40
PATIENT_SECONDS = 10 * DEADLINE_SECONDS
_RESERVE = "/domgrpc.v1.ReservationService/ReserveStock"
_CONFIRM = "/domgrpc.v1.ReservationService/ConfirmReservation"
_READ = "/domgrpc.v1.InventoryService/GetPosition"
_HEAD_START_SECONDS = 2.0
"""Until the process that offers has started, and its load is there."""


class Scale(msgspec.Struct, frozen=True, kw_only=True):
    """How long is measured."""

    capacity_seconds: float
    phase_seconds: float


FULL = Scale(capacity_seconds=8.0, phase_seconds=20.0)
QUICK = Scale(capacity_seconds=1.0, phase_seconds=1.0)

Call = Callable[[], Awaitable[object]]


class Kept(msgspec.Struct, frozen=True):
    """How many calls were answered in time, of how many."""

    in_time: int
    sent: int

    @property
    def share(self) -> float:
        """Of those that were sent."""
        return self.in_time / max(1, self.sent)


class Phase(msgspec.Struct, frozen=True):
    """What became of the calls of a while."""

    shares: Kept
    confirms: Kept
    reads: Kept


def run(*, quick: bool) -> list[Result]:
    """Measure the capacity, the nine alone, and the nine beside the tenth."""
    scale = QUICK if quick else FULL
    with fresh_domgrpc_server(*SERVER_OPTIONS) as server:
        stock_server(server.target)
        return asyncio.run(_measure(server.target, scale))


async def _measure(target: str, scale: Scale) -> list[Result]:
    capacity = await capacity_of(target, scale.capacity_seconds)
    share_per_second = capacity / OPERATIONS_PER_CALL / 2 / CLIENT_COUNT
    shop = _Shop(target, share_per_second)
    await shop.hold(3 * scale.phase_seconds)
    calm = await shop.phase(scale.phase_seconds)
    results: list[Result] = []
    for number, deadline_seconds in enumerate((DEADLINE_SECONDS, PATIENT_SECONDS)):
        greedy = Offer(
            target=target,
            client="greedy",
            reserves_per_call=RESERVES_PER_CALL,
            first_number=50_000_000 + number * 10_000_000,
            calls_per_second=share_per_second * GREEDY_TIMES,
            seconds=_HEAD_START_SECONDS + scale.phase_seconds,
            deadline_seconds=deadline_seconds,
        )
        offering = asyncio.ensure_future(offer_beside(greedy))
        await asyncio.sleep(_HEAD_START_SECONDS)
        beside = await shop.phase(scale.phase_seconds)
        results.extend(_results(calm, beside, await offering, deadline_seconds))
    return results


class _Shop:
    """The nine that keep to their share, and the counter; each with a connection of its own."""

    def __init__(self, target: str, share_per_second: float) -> None:
        self._target = target
        self._share_per_second = share_per_second
        self._message = churn_message(RESERVES_PER_CALL, first_number=10_000_000)
        self._numbers = count()

    async def phase(self, seconds: float) -> Phase:
        """Have all of them call for a while."""
        async with asyncio.TaskGroup() as group:
            clients = [
                group.create_task(self._share(number, seconds))
                for number in range(CLIENT_COUNT - 1)
            ]
            counter = group.create_task(self._confirm(seconds))
            window = group.create_task(self._read(seconds))
        kept = [client.result() for client in clients]
        shares = Kept(sum(each.in_time for each in kept), sum(each.sent for each in kept))
        return Phase(shares, counter.result(), window.result())

    async def hold(self, seconds: float) -> None:
        """Make what is confirmed in so many seconds of phases."""
        count = round(seconds * CONFIRMS_PER_SECOND) + 10
        self._holds = [f"hold-{next(self._numbers)}" for _ in range(count)]
        line = ReserveLine(sku=sku_name(0), location_id=location_name(0), quantity=1)
        async with grpc.aio.insecure_channel(self._target, options=CHANNEL_OPTIONS) as channel:
            reserve: Execute = channel.unary_unary(_RESERVE)
            for name in self._holds:
                request = ReserveStockRequest(request_id=name, reservation_id=name, lines=[line])
                request.ttl.seconds = 900
                await reserve(request.SerializeToString())

    async def _share(self, number: int, seconds: float) -> Kept:
        # One after the other, and not nine at a time.
        await asyncio.sleep(number / (CLIENT_COUNT - 1) / self._share_per_second)
        name = f"client-{number}"
        return await self._calls(
            name, EXECUTE, self._message.next, per_second=self._share_per_second, seconds=seconds
        )

    async def _confirm(self, seconds: float) -> Kept:
        def following() -> bytes:
            name = self._holds.pop()
            request = ConfirmReservationRequest(request_id=f"confirm-{name}", reservation_id=name)
            return request.SerializeToString()

        return await self._calls(
            "counter", _CONFIRM, following, per_second=CONFIRMS_PER_SECOND, seconds=seconds
        )

    async def _read(self, seconds: float) -> Kept:
        request = GetPositionRequest(sku=sku_name(0), location_id=location_name(0))
        raw = request.SerializeToString()
        return await self._calls(
            "window", _READ, lambda: raw, per_second=READS_PER_SECOND, seconds=seconds
        )

    async def _calls(
        self,
        name: str,
        method: str,
        following: Callable[[], bytes],
        *,
        per_second: float,
        seconds: float,
    ) -> Kept:
        """Call by a schedule that waits for no answer; count what is answered in time."""
        metadata = ((CLIENT_METADATA, name),)
        in_time = sent = 0

        async def call() -> None:
            nonlocal in_time
            try:
                await send(following(), timeout=DEADLINE_SECONDS, metadata=metadata)
            except grpc.aio.AioRpcError:
                return
            in_time += 1

        async with grpc.aio.insecure_channel(self._target, options=CHANNEL_OPTIONS) as channel:
            send: Execute = channel.unary_unary(method)
            started = time.perf_counter()
            async with asyncio.TaskGroup() as group:
                while (due := started + sent / per_second) < started + seconds:
                    await asyncio.sleep(max(0.0, due - time.perf_counter()))
                    group.create_task(call())
                    sent += 1
        return Kept(in_time, sent)


def _results(
    calm: Phase, beside: Phase, greedy: Offered, deadline_seconds: float
) -> Iterator[Result]:
    beside_whom = f"beside {GREEDY_TIMES} x the share with {deadline_seconds:g} s"
    yield Result(
        name=f"Fairness: what nine clients keep {beside_whom}",
        value=beside.shares.share / max(calm.shares.share, 1e-9),
        unit="x",
        better=Better.HIGHER,
        must=0.9,
        note=f"in time {calm.shares.in_time:,} of {calm.shares.sent:,} calls alone, "
        f"{beside.shares.in_time:,} of {beside.shares.sent:,} beside it; of its own "
        f"{len(greedy.latencies):,} of {greedy.sent_count:,}",
    )
    for name, must, of_beside, of_calm in (
        ("confirmations", 0.99, beside.confirms, calm.confirms),
        ("reads", 0.9, beside.reads, calm.reads),
    ):
        yield Result(
            name=f"Fairness: {name} answered in time {beside_whom}",
            value=of_beside.share,
            unit="x",
            better=Better.HIGHER,
            must=must,
            note=f"{of_beside.in_time:,} of {of_beside.sent:,}; alone "
            f"{of_calm.in_time:,} of {of_calm.sent:,}",
        )
