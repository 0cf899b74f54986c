"""A million requests of which many are repeats, some under a wrong id, while the server crashes.

65 % are new, 30 % repeat an earlier request to the byte, 5 % use the id of an answered request
for something else. Most are holds, one in seven is a step of an order. They go through Execute,
several messages at a time; the server is killed in the middle of some, and messages without an
answer are sent again. In the end the stock that is held and allocated must be exactly what each new
request asks for once.
"""

import asyncio
from collections import Counter as Multiset
from collections import deque
from collections.abc import Iterator
from random import Random

import grpc
import grpc.aio
import msgspec

from domgrpc.v1.admin_pb2 import GetStatusRequest
from domgrpc.v1.admin_pb2_grpc import AdminServiceStub
from domgrpc.v1.pipeline_pb2 import ExecuteRequest, ExecuteResponse, OperationResult
from domgrpc.v1.pipeline_pb2_grpc import PipelineServiceStub
from tests.faults.calls import (
    CHANNEL_OPTIONS,
    DEADLINE_SECONDS,
    digest,
    error_reason,
    open_place,
    positions,
)
from tests.faults.ledger import PLENTY
from tests.faults.numbered_requests import PERIOD, SKUS, STEPS, effects_of, fill, step_of
from tests.faults.serving import Serving
from tests.faults.table import Counter, Row, counting, judged
from tests.faults.trial import trial

REQUESTS = 1_000_000
CRASHES = 20
_PER_MESSAGE = 500
_IN_FLIGHT = 4
_KINDS = {
    "reuse": 0.05,
    "repeat": 0.30,
    # An order is drawn once for all its steps.
    "new": 0.65 * (PERIOD - STEPS + 1) / PERIOD,
}
"""How often each is drawn, so that these are the shares of the requests."""
_SNAPSHOT_BYTES = 64 * 1024 * 1024
_HARMS_KEPT = 20


class Planned(msgspec.Struct, frozen=True):
    """One request: the number that makes its id and content, or another content for that id."""

    number: int
    is_reuse: bool = False


class Duplicates:
    """One run; `harms` says what went wrong, the first few."""

    def __init__(self, server: Serving, total: int, crashes: int) -> None:
        """Prepare; nothing runs yet."""
        self.server = server
        self.harms: list[str] = []
        self.counts: Multiset[str] = Multiset()
        self.new_count = 0
        self._random = Random(4_000)
        self._answers: dict[int, str] = {}
        self._answered: list[int] = []
        message_count = -(-total // _PER_MESSAGE)
        self._left = message_count
        self._again: deque[list[Planned]] = deque()
        # Messages that are left when a crash is due; not the last few, which end too soon.
        self._crash_at = set(
            self._random.sample(range(message_count // 10, message_count), crashes)
        )

    async def run(self, counter: Counter) -> None:
        """Send everything, from one crash to the next, and compare the sums."""
        while self._left or self._again:
            self.server.start()
            target = await self.server.target()
            async with grpc.aio.insecure_channel(target, options=CHANNEL_OPTIONS) as channel:
                await open_place(channel, SKUS, PLENTY)
                await self._until_crash(channel, counter)
                if not self._left and not self._again:
                    await self._compare(channel)
        self.server.kill()

    async def _until_crash(self, channel: grpc.aio.Channel, counter: Counter) -> None:
        stub = PipelineServiceStub(channel)
        crashed = asyncio.Event()

        async def send_in_turn() -> None:
            for planned in self._messages(crashed):
                call = stub.Execute(_message_of(planned), timeout=DEADLINE_SECONDS)
                try:
                    self._take(planned, await call)
                except grpc.aio.AioRpcError:
                    # Not answered: the same again, after the crash.
                    assert crashed.is_set(), self.server.printed()[-2_000:]
                    self._again.append(planned)
                else:
                    counter.add(len(planned))

        async with asyncio.TaskGroup() as group:
            for _ in range(_IN_FLIGHT):
                group.create_task(send_in_turn())
            group.create_task(self._crash(crashed))

    async def _crash(self, crashed: asyncio.Event) -> None:
        """Kill the server a moment after the message at which a crash is due was taken."""
        while self._left or self._again:
            due = max(self._crash_at, default=0)
            if due > self._left:
                self._crash_at.remove(due)
                await asyncio.sleep(self._random.uniform(0, 0.1))
                crashed.set()
                self.server.kill()
                self.counts["crashes"] += 1
                return
            await asyncio.sleep(0.002)

    def _messages(self, crashed: asyncio.Event) -> Iterator[list[Planned]]:
        while not crashed.is_set():
            if self._again:
                yield self._again.popleft()
            elif self._left:
                self._left -= 1
                planned: list[Planned] = []
                while len(planned) < _PER_MESSAGE:
                    planned += self._plan()
                yield planned
            else:
                return

    def _plan(self) -> list[Planned]:
        (kind,) = self._random.choices(list(_KINDS), list(_KINDS.values()))
        if kind == "reuse" and self._answered:
            return [Planned(self._random.choice(self._answered), is_reuse=True)]
        if kind == "repeat" and self.new_count:
            self.counts["planned repeats"] += 1
            return [Planned(self._repeatable(self._random.randrange(self.new_count)))]
        first = self.new_count
        # All steps of an order in one message: they are done in the order in which they stand.
        self.new_count += STEPS if step_of(first) else 1
        return [Planned(number) for number in range(first, self.new_count)]

    def _repeatable(self, number: int) -> int:
        # What repeats a step under way may come before what that step needs, and is refused then.
        return (
            number if not step_of(number) or number in self._answers else number // PERIOD * PERIOD
        )

    def _take(self, planned: list[Planned], answer: ExecuteResponse) -> None:
        for request, result in zip(planned, answer.results, strict=True):
            self.counts["requests"] += 1
            if request.is_reuse:
                self._take_reuse(request, result)
                continue
            told = digest(result.SerializeToString())
            if result.WhichOneof("result") != (
                "order" if step_of(request.number) else "reservation"
            ):
                self._note(f"request {request.number} was refused: {result.error.message}")
            elif request.number not in self._answers:
                self._answers[request.number] = told
                self._answered.append(request.number)
            elif self._answers[request.number] != told:
                self._note(f"request {request.number} got another answer")
            else:
                self.counts["repeated"] += 1

    def _take_reuse(self, request: Planned, result: OperationResult) -> None:
        self.counts["reused"] += 1
        reason = error_reason(result.error)
        if reason != "REQUEST_ID_REUSED":
            self._note(f"the id of request {request.number} was reused, answer {reason or 'OK'}")

    async def _compare(self, channel: grpc.aio.Channel) -> None:
        held, allocated = effects_of(self.new_count)
        for sku, figures in (await positions(channel)).items():
            if figures != (PLENTY, held[sku], allocated[sku]):
                self._note(f"{sku}: {figures}, {held[sku]} and {allocated[sku]} were asked")
        status = await AdminServiceStub(channel).GetStatus(
            GetStatusRequest(), timeout=DEADLINE_SECONDS
        )
        if status.reservation_count != held.total():
            self._note(f"{status.reservation_count} reservations, {held.total()} were asked")

    def _note(self, harm: str) -> None:
        if len(self.harms) < _HARMS_KEPT:
            self.harms.append(harm)


def run(scale: float) -> list[Row]:
    """Send a million requests through twenty crashes."""
    return [asyncio.run(_run(round(REQUESTS * scale), max(1, round(CRASHES * scale))))]


async def _run(total: int, crashes: int) -> Row:
    options = ("--snapshot-log-bytes", str(_SNAPSHOT_BYTES))
    async with trial(*options) as tried:
        done = Duplicates(tried.server, total, crashes)
        with counting("requests", total) as counter:
            await done.run(counter)
    counts = done.counts
    return judged(
        "repeats and reused ids through crashes",
        must=f"{total:,} requests, {crashes} crashes, 0 double effects, equal answers",
        figure=f"{counts['requests']:,} requests, {counts['crashes']} crashes, "
        f"{len(done.harms)} harms",
        holds=counts["requests"] >= total and counts["crashes"] >= crashes and not done.harms,
        note=f"{counts['repeated']:,} repeated answers equal to the byte, {counts['reused']:,} "
        f"reused ids refused, {done.new_count:,} effects, "
        f"{done.new_count // PERIOD:,} orders of {STEPS} steps among them"
        + "".join(f"; {h}" for h in done.harms),
    )


def _message_of(planned: list[Planned]) -> ExecuteRequest:
    message = ExecuteRequest()
    for request in planned:
        fill(message.operations.add(), request.number, is_other=request.is_reuse)
    return message
