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
import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import structlog

from domgrpc.core.answers import Answer
from domgrpc.core.events import Record
from domgrpc.core.machine import DecisionBroken, Request, expire, handle, sweep_levels
from domgrpc.core.rejections import Rejected
from domgrpc.core.state import State
from domgrpc.core.stock_levels import SweepStockLevels
from domgrpc.core.values import TimeMs
from domgrpc.engine.admission import TURN_SECONDS_MAX, Admission, Ticket
from domgrpc.engine.calls import (
    Busy,
    CallFailed,
    DeadlinePassed,
    DiskFullRefusal,
    Failed,
    Query,
    Reading,
    RevisionNotReached,
    Step,
    StepResult,
    Stopped,
    T,
    Waiting,
    refuse,
)
from domgrpc.engine.clock import Clock, DecisionTime
from domgrpc.engine.committing import Committer
from domgrpc.engine.failing import Failing
from domgrpc.engine.feed import Feed
from domgrpc.engine.gathering import BREATH_SECONDS, Breath, Gathering
from domgrpc.storage.errors import DiskFull
from domgrpc.storage.log import Log

_log = structlog.get_logger()

_NO_TICKET = Ticket()


class Writer:
    """One writer over one state and one log; lives in one event loop."""

    def __init__(
        self,
        state: State,
        log: Log,
        feed: Feed,
        *,
        clock: Clock,
        admission: Admission,
        commit_wait_seconds: float = 0.0,
    ) -> None:
        """Take over a recovered state and its log."""
        self.state = state
        self.log = log
        self.feed = feed
        self.clock = clock
        self.admission = admission
        self.committer = Committer(log, feed, clock)
        self.failed: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()
        """Done with the fault when the writer can go on no longer."""
        self._loop = asyncio.get_running_loop()
        self._queue: list[Waiting] = []
        self._turn_handle: asyncio.Handle | None = None
        self._turn_is_next = False
        self._gathering = Gathering(commit_wait_seconds)
        self._breath: Breath | None = None
        self._busy_since_seconds: float | None = None
        self._first_deadline_seconds = math.inf
        self._time = DecisionTime(clock, state.time_ms)
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

    async def submit(self, request: Request, ticket: Ticket = _NO_TICKET) -> Answer:
        """Have one command decided and made durable.

        Raises Busy, DeadlinePassed, Stopped or DiskFullRefusal; then nothing was changed. A
        caller that is cancelled before its turn is not started.
        """
        (result,) = await self._enqueue((request,), ticket)
        if isinstance(result, Exception):
            raise result
        assert isinstance(result, Answer), "a request is answered"
        return result

    async def execute(self, steps: Sequence[Step], ticket: Ticket = _NO_TICKET) -> list[StepResult]:
        """Have commands and queries run in order in one turn; a query may end in its exception."""
        return await self._enqueue(steps, ticket)

    async def read(
        self,
        query: Query[T],
        ticket: Ticket = _NO_TICKET,
        *,
        min_revision: int = 0,
        wait_seconds: float = 5.0,
    ) -> Reading[T]:
        """Answer a query from durable state at least as new as `min_revision`.

        Raises Rejected, Busy, DeadlinePassed, Stopped, or RevisionNotReached after
        `wait_seconds`.
        """
        if min_revision > self.state.revision:
            await self._reach(min_revision, wait_seconds)
        self._check_open()
        self.admission.admit_read(ticket, self.clock.seconds())
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
        """Compare the levels of a slice of positions in a turn of its own; for the timer."""
        self.run_alone(partial(sweep_levels, self.state, command), self.now_ms())

    def run_alone(self, decide: Callable[[TimeMs], Record | None], now_ms: TimeMs) -> bool | None:
        """Decide in a turn of its own; whether that led to a record, None where none fits."""
        if not self._is_open:
            return None
        with Failing(self.fail):
            self._give_back_due(now_ms)
            has_room = self.committer.has_room()
            record = decide(now_ms) if has_room else None
            if record is not None:
                self.committer.add(record)
            # What was given back is decided, and waits for no room.
            self.committer.commit()
            return record is not None if has_room else None
        return None

    def prepare_spare(self) -> bool:
        """Do one step of making the next segment; whether it is ready. Raises DiskFull."""
        with Failing(self.fail, passing=DiskFull):
            return self.log.prepare_spare()
        return False

    def seal(self) -> None:
        """Prove the last group durable, for an idle moment; 4 KiB and one sync."""
        if self._is_open:
            with Failing(self.fail):
                self.log.seal()

    def rotate(self) -> None:
        """Begin a new segment of the log. Raises DiskFull; then nothing has changed."""
        with Failing(self.fail, passing=DiskFull):
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
            refuse(waiting, Failed("the server has failed; the outcome is unknown: retry"))
        self.feed.wake()

    def now_ms(self) -> TimeMs:
        """Return the time of a decision: never before the last, whatever the clock does."""
        return self._time.now_ms()

    # --- the queue

    async def _enqueue(self, steps: Sequence[Step], ticket: Ticket) -> list[StepResult]:
        self._check_open()
        now_seconds = self.clock.seconds()
        self.admission.admit(ticket, len(steps), now_seconds)
        self._gathering.arrived(now_seconds)
        future: asyncio.Future[list[StepResult]] = self._loop.create_future()
        self._queue.append(Waiting(steps, future, ticket.client_id, ticket.deadline_seconds))
        self._first_deadline_seconds = min(self._first_deadline_seconds, ticket.deadline_seconds)
        self._set_turn()
        return await future

    def _set_turn(self) -> None:
        if self._turn_is_next:
            return
        if self._turn_handle is None and self.admission.is_refusing(self.clock.seconds()):
            self._breathe()
            return
        is_full = self._gathering.is_full(self.admission.queued_count)
        if self._turn_handle is not None and not is_full:
            return
        wait_seconds = 0.0 if is_full else self._gathering.wait_seconds()
        if not wait_seconds:
            if self._turn_handle is not None:
                self._turn_handle.cancel()
            self._turn_is_next = True
            self._turn_handle = self._loop.call_soon(self._turn)
        else:
            self._turn_handle = self._loop.call_later(wait_seconds, self._turn)

    def _turn(self) -> None:
        self._turn_handle = None
        self._turn_is_next = False
        started_seconds = self.clock.seconds()
        gap_seconds = started_seconds - (self._busy_since_seconds or started_seconds)
        done_count = self._run_turn(self._take_queue())
        now_seconds = self.clock.seconds()
        self._gathering.ended(now_seconds, sync_seconds=self.committer.last_sync_seconds)
        if done_count:
            seconds = now_seconds - started_seconds
            self.admission.learn(done_count, seconds, now_seconds, gap_seconds=gap_seconds)
        # While more waits, what is done between turns counts too: callers wait for all of it.
        self._busy_since_seconds = now_seconds if self._queue else None

    def _breathe(self) -> None:
        """Let in what waits in gRPC before the next turn; it is refused there, or has its place."""
        arrived_count, now_seconds = self.admission.arrived_count, self.clock.seconds()
        if self._breath is None:
            self._breath = Breath(arrived_count, now_seconds)
            self._busy_since_seconds = self._busy_since_seconds or now_seconds
        self._turn_is_next = True
        if self._breath.goes_on(arrived_count, now_seconds, self._first_deadline_seconds):
            self._turn_handle = self._loop.call_later(BREATH_SECONDS, self._breathe)
        else:
            self._breath = None
            self._turn()

    def _take_queue(self) -> list[Waiting]:
        queue = self._queue
        self._queue = []
        self._first_deadline_seconds = math.inf
        self.admission.emptied()
        return queue

    def _check_open(self) -> None:
        if self.failed.done():
            raise Failed("the server has failed and must be restarted: try again later")
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

    def _run_turn(self, queue: list[Waiting]) -> int:
        """Decide, commit and answer; return how many operations were done."""
        answered: list[tuple[Waiting, list[StepResult]]] = []
        left: list[Waiting] = []
        with Failing(self.fail, queue):
            now_ms = self.now_ms()
            started_seconds = self.clock.seconds()
            self._give_back_due(now_ms)
            now_seconds = started_seconds
            done_count = 0
            for place, waiting in enumerate(queue):
                # One at least is run, however long it may take: only turns teach how long.
                if self._is_refused(waiting, now_seconds, is_first=not answered):
                    continue
                answered.append((waiting, self._run_steps(waiting.steps, now_ms)))
                done_count += len(waiting.steps)
                now_seconds = self.clock.seconds()
                if now_seconds - started_seconds > TURN_SECONDS_MAX and self._is_open:
                    left = queue[place + 1 :]
                    break
            self.committer.commit()
        if self.failed.done():
            return 0
        for waiting, results in answered:
            if not waiting.future.done():
                waiting.future.set_result(results)
        if left:
            self._put_back(left)
        return done_count

    def _put_back(self, left: list[Waiting]) -> None:
        # Others had their turn in between: reads, health, answers on their way.
        self._queue = left + self._queue
        for waiting in left:
            self.admission.put_back(waiting.client_id, len(waiting.steps))
        self._first_deadline_seconds = min(waiting.deadline_seconds for waiting in left)
        self._breathe()

    def _give_back_due(self, now_ms: TimeMs) -> None:
        # Before anything is decided: nothing may see a hold that is over.
        while self.committer.has_room_to_expire():
            record = expire(self.state, now_ms)
            if record is None:
                return
            self.committer.add(record)

    def _is_refused(self, waiting: Waiting, now_seconds: float, *, is_first: bool) -> bool:
        if waiting.future.done():
            return True
        left_seconds = waiting.deadline_seconds - now_seconds
        if left_seconds <= 0:
            # Nobody waits for it any more: what was promised to others comes first.
            self.admission.note_refused(now_seconds)
            refuse(waiting, DeadlinePassed())
            return True
        if not is_first and self.admission.own_seconds(len(waiting.steps)) > left_seconds:
            self.admission.note_refused(now_seconds)
            refuse(waiting, Busy("others took longer than expected: nothing was done, try again"))
            return True
        if not self.committer.has_room() and any(
            isinstance(step, Request) for step in waiting.steps
        ):
            # Without space nothing may be decided, because it could not be made durable.
            refuse(waiting, DiskFullRefusal())
            return True
        return False

    def _run_steps(self, steps: Sequence[Step], now_ms: TimeMs) -> list[StepResult]:
        results: list[StepResult] = []
        add = self.committer.add
        has_room = True
        for step in steps:
            if not isinstance(step, Request):
                results.append(self._query(step, now_ms))
                continue
            if not has_room:
                # The disk became full behind the steps before, which are whole and stay.
                results.append(DiskFullRefusal())
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
                has_room = add(record)
        return results

    def _query(self, query: Query[Any], now_ms: TimeMs) -> StepResult:
        try:
            return Reading(self.state.revision, now_ms, query(self.state, now_ms))
        except Rejected as rejected:
            return rejected
        except Exception as broken:  # noqa: BLE001 - any bug of a query, whatever it raises
            # A query changes nothing: it fails its caller, not everybody.
            _log.exception("query_failed")
            return CallFailed(f"the query failed: {type(broken).__name__}")
