"""The writer: the only one that changes the state. It joins the pure core with the log.

Calls wait in a bounded queue. A turn of the writer takes what waits, reads the clock once, lets
the core decide one call after the other (each sees what those before it did), appends all their
records as one frame with one sync, and only then answers. The sync runs inline: a turn has no
`await` between the first decision and the answers, so that whatever runs between turns, reads
above all, sees durable state only and has nothing to wait for.

A turn that fails leaves memory ahead of the disk. Then the writer answers nobody any more: the
process must end, and a restart reads what is really there. Running out of disk space is found
before a turn decides anything, so that it only refuses writes.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, cast

import msgspec
import structlog

from domgrpc.core.answers import Answer
from domgrpc.core.events import Record
from domgrpc.core.machine import DecisionBroken, Request, expire, handle, sweep_levels
from domgrpc.core.rejections import Rejected
from domgrpc.core.state import State
from domgrpc.core.stock_levels import SweepStockLevels
from domgrpc.core.values import TimeMs
from domgrpc.engine.calls import (
    Busy,
    CallFailed,
    DiskFullRefusal,
    Query,
    Reading,
    RevisionNotReached,
    Step,
    StepResult,
    Stopped,
    T,
)
from domgrpc.engine.clock import Clock
from domgrpc.engine.feed import Feed
from domgrpc.engine.gathering import Gathering
from domgrpc.engine.records import RecordBuffer
from domgrpc.storage.errors import DiskFull
from domgrpc.storage.log import Log

_log = structlog.get_logger()

GROUP_BYTES_MAX = 4 * 1024 * 1024
"""A group that has grown so large is committed before the next call is decided."""
_RECORD_BYTES_MAX = 16 * 1024 * 1024
_SPARE_STEPS_MAX = 1_024
_FULL_PAUSE_SECONDS = 0.5
"""How long to believe that the disk is full before asking it again."""


class _Waiting(msgspec.Struct, frozen=True, gc=False):
    steps: Sequence[Step]
    future: "asyncio.Future[list[StepResult]]"


class Writer:
    """One writer over one state and one log; lives in one event loop."""

    def __init__(
        self,
        state: State,
        log: Log,
        feed: Feed,
        *,
        clock: Clock,
        queue_max: int,
        commit_wait_seconds: float = 0.0,
    ) -> None:
        """Take over a recovered state and its log."""
        self.state = state
        self.log = log
        self.feed = feed
        self.clock = clock
        self.failed: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()
        """Done with the fault when the writer can go on no longer."""
        self.on_commit: list[Callable[[], None]] = []
        """Called after each commit: timers look whether they are set too late."""
        self.committed_bytes = 0
        """Bytes of records written, those since the snapshot that was recovered from included."""
        self.last_commit_seconds = clock.seconds()
        self._loop = asyncio.get_running_loop()
        self._queue: list[_Waiting] = []
        self._queued_count = 0
        self._queue_max = queue_max
        self._turn_handle: asyncio.Handle | None = None
        self._gathering = Gathering(commit_wait_seconds)
        self._full_until_seconds = 0.0
        self._newest_ms = state.time_ms
        self._is_open = True

    # --- what callers use

    @property
    def revision(self) -> int:
        """The newest revision. Between turns all of it is durable."""
        return self.state.revision

    @property
    def durable_revision(self) -> int:
        """The newest revision that is on disk."""
        return self.log.last_sequence

    async def submit(self, request: Request) -> Answer:
        """Have one command decided and made durable.

        Raises Busy, Stopped or DiskFullRefusal; then nothing was changed. A caller that is
        cancelled before its turn is not started.
        """
        (result,) = await self._enqueue((request,))
        if isinstance(result, Exception):
            raise result
        return cast("Answer", result)

    async def execute(self, steps: Sequence[Step]) -> list[StepResult]:
        """Have commands and queries run in order in one turn; a query may end in its exception."""
        return await self._enqueue(steps)

    async def read(
        self, query: Query[T], *, min_revision: int = 0, wait_seconds: float = 5.0
    ) -> Reading[T]:
        """Answer a query from durable state at least as new as `min_revision`.

        Raises Rejected, Stopped, or RevisionNotReached after `wait_seconds`.
        """
        if min_revision > self.state.revision:
            await self._reach(min_revision, wait_seconds)
        self._check_open()
        now_ms = self.now_ms()
        first_ms = self.state.reservations.next_deadline_ms()
        if first_ms is not None and first_ms <= now_ms:
            # A hold is over at its deadline, also on read: the expiry is logged first.
            self._run_turn([])
            self._check_open()
            now_ms = max(now_ms, self.state.time_ms)
        return Reading(self.state.revision, now_ms, query(self.state, now_ms))

    def expire_due(self) -> None:
        """Give back what is due, in a turn of its own; for the timer."""
        if self._is_open:
            self._run_turn([])

    def sweep(self, command: SweepStockLevels) -> None:
        """Compare the levels of a slice of SKUs in a turn of its own; for the timer."""
        if not self._is_open:
            return
        with _Failing(self):
            if not self._has_room():
                return
            now_ms = self.now_ms()
            buffer = self._expired(RecordBuffer(), now_ms)
            record = sweep_levels(self.state, command, now_ms)
            if record is not None:
                buffer.add(record)
            self._commit(buffer)

    def prepare_spare(self) -> bool:
        """Do one step of making the next segment; whether it is ready. Raises DiskFull."""
        with _Failing(self, passing=DiskFull):
            return self.log.prepare_spare()
        return False

    def seal(self) -> None:
        """Prove the last group durable, for an idle moment; 4 KiB and one sync."""
        if self._is_open:
            with _Failing(self):
                self.log.seal()

    def rotate(self) -> None:
        """Begin a new segment of the log. Raises DiskFull; then nothing has changed."""
        with _Failing(self, passing=DiskFull):
            self.log.rotate()

    def close_queue(self) -> None:
        """Refuse further calls; what waits is still run."""
        self._is_open = False
        if self._queue:
            self._run_turn(self._take_queue())
        self.feed.wake()

    def close(self) -> None:
        """Seal and close the log; the queue is closed already."""
        if not self.failed.done():
            self.log.seal()
            self.log.close()

    def fail(self, fault: BaseException) -> None:
        """Stop for good: memory may be ahead of the disk."""
        self._is_open = False
        if not self.failed.done():
            _log.error("engine_failed", error=str(fault), kind=type(fault).__name__)
            self.failed.set_result(fault)
        for waiting in self._take_queue():
            _refuse(waiting, Stopped("the server has failed; the outcome is unknown: retry"))
        self.feed.wake()

    def now_ms(self) -> TimeMs:
        """Return the time of a decision: never before the last, whatever the clock does."""
        self._newest_ms = max(self._newest_ms, self.clock.wall_ms())
        return self._newest_ms

    # --- the queue

    async def _enqueue(self, steps: Sequence[Step]) -> list[StepResult]:
        self._check_open()
        if self._queued_count + len(steps) > self._queue_max and self._queue:
            raise Busy(f"{self._queued_count} operations wait already, the most that is allowed")
        future: asyncio.Future[list[StepResult]] = self._loop.create_future()
        self._queue.append(_Waiting(steps, future))
        self._queued_count += len(steps)
        self._set_turn()
        return await future

    def _set_turn(self) -> None:
        if self._gathering.is_full(self._queued_count):
            if self._turn_handle is not None:
                self._turn_handle.cancel()
            self._turn_handle = self._loop.call_soon(self._turn)
        elif self._turn_handle is None:
            wait_seconds = self._gathering.wait_seconds()
            if wait_seconds:
                self._turn_handle = self._loop.call_later(wait_seconds, self._turn)
            else:
                self._turn_handle = self._loop.call_soon(self._turn)

    def _turn(self) -> None:
        self._turn_handle = None
        self._gathering.ended(len(self._queue))
        self._run_turn(self._take_queue())

    def _take_queue(self) -> list[_Waiting]:
        queue = self._queue
        self._queue = []
        self._queued_count = 0
        return queue

    def _check_open(self) -> None:
        if not self._is_open:
            raise Stopped("the server takes no further calls: try another, or again later")

    async def _reach(self, min_revision: int, wait_seconds: float) -> None:
        deadline = self._loop.time() + wait_seconds
        while self.state.revision < min_revision:
            self._check_open()
            left = deadline - self._loop.time()
            if left <= 0:
                raise RevisionNotReached(self.state.revision, min_revision)
            try:
                async with asyncio.timeout(left):
                    await self.feed.news()
            except TimeoutError:
                continue

    # --- a turn of the writer

    def _run_turn(self, queue: list[_Waiting]) -> None:
        answered: list[tuple[_Waiting, list[StepResult]]] = []
        with _Failing(self, queue):
            if not self._has_room():
                self._run_reads_only(queue)
                return
            now_ms = self.now_ms()
            buffer = self._expired(RecordBuffer(), now_ms)
            for waiting in queue:
                if waiting.future.done():
                    continue
                results, buffer = self._run_steps(waiting.steps, buffer, now_ms)
                answered.append((waiting, results))
            self._commit(buffer)
        if self.failed.done():
            return
        for waiting, results in answered:
            if not waiting.future.done():
                waiting.future.set_result(results)

    def _expired(self, buffer: RecordBuffer, now_ms: TimeMs) -> RecordBuffer:
        # Before anything is decided: nothing may see a hold that is over.
        while (record := expire(self.state, now_ms)) is not None:
            buffer = self._added(buffer, record)
        return buffer

    def _run_steps(
        self, steps: Sequence[Step], buffer: RecordBuffer, now_ms: TimeMs
    ) -> tuple[list[StepResult], RecordBuffer]:
        results: list[StepResult] = []
        for step in steps:
            if not isinstance(step, Request):
                results.append(self._query(step, now_ms))
                continue
            try:
                answer, record = handle(self.state, step, now_ms)
            except DecisionBroken as broken:
                # Deciding changes nothing: it fails its caller, who may well send it again.
                _log.exception("decision_failed")
                results.append(CallFailed(str(broken)))
                continue
            results.append(answer)
            if record is not None:
                buffer = self._added(buffer, record)
        return results, buffer

    def _added(self, buffer: RecordBuffer, record: Record) -> RecordBuffer:
        buffer.add(record)
        if len(buffer) < GROUP_BYTES_MAX:
            return buffer
        self._commit(buffer)
        if not self._has_room():
            raise DiskFull("the disk became full in the middle of a turn")
        return RecordBuffer()

    def _commit(self, buffer: RecordBuffer) -> None:
        records = buffer.records
        if not records:
            return
        payload = buffer.payload()
        self.log.append(records[0].revision, payload, len(records))
        self.committed_bytes += len(payload)
        self.last_commit_seconds = self.clock.seconds()
        self.feed.publish(records, payload)
        for look in self.on_commit:
            look()

    def _query(self, query: Query[Any], now_ms: TimeMs) -> StepResult:
        try:
            return Reading(self.state.revision, now_ms, query(self.state, now_ms))
        except Rejected as rejected:
            return rejected
        except Exception as broken:  # noqa: BLE001 - any bug of a query, whatever it raises
            # A query changes nothing: it fails its caller, not everybody.
            _log.exception("query_failed")
            return CallFailed(f"the query failed: {type(broken).__name__}")

    def _run_reads_only(self, queue: list[_Waiting]) -> None:
        # Without space nothing may be decided, because it could not be made durable.
        now_ms = self.now_ms()
        for waiting in queue:
            if waiting.future.done():
                continue
            if any(isinstance(step, Request) for step in waiting.steps):
                refusal = DiskFullRefusal("the disk is full: nothing was changed, try again later")
                _refuse(waiting, refusal)
                continue
            results = [self._query(cast("Query[Any]", step), now_ms) for step in waiting.steps]
            waiting.future.set_result(results)

    def _has_room(self) -> bool:
        """Whether whatever a turn decides can be appended without new space from the disk."""
        if self.log.has_room(GROUP_BYTES_MAX + _RECORD_BYTES_MAX):
            return True
        if self.clock.seconds() < self._full_until_seconds:
            return False
        try:
            for _ in range(_SPARE_STEPS_MAX):
                if self.log.prepare_spare():
                    return True
        except DiskFull as full:
            _log.warning("disk_full", error=str(full))
            self._full_until_seconds = self.clock.seconds() + _FULL_PAUSE_SECONDS
        return False


class _Failing:
    """Turns any exception inside a turn into the end of the writer.

    Running out of space is one too where something was decided already: memory is ahead then.
    """

    def __init__(
        self,
        writer: Writer,
        queue: Sequence[_Waiting] = (),
        *,
        passing: type[Exception] | tuple[()] = (),
    ) -> None:
        self._writer = writer
        self._queue = queue
        self._passing = passing

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, fault: BaseException | None, _trace: object) -> bool:
        if fault is None or isinstance(fault, self._passing):
            return False
        self._writer.fail(fault)
        for waiting in self._queue:
            _refuse(waiting, Stopped("the server failed while it worked: outcome unknown, retry"))
        return isinstance(fault, Exception)


def _refuse(waiting: _Waiting, refusal: Exception) -> None:
    if not waiting.future.done():
        waiting.future.set_exception(refusal)
