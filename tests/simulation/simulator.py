"""The simulator: a chain of lives of one server, in virtual time, on a disk that fails.

Clients send what the workload says, again and again where they got no answer and sometimes where
they did. Between and in the middle of it the server is killed, the power is cut, the disk is full
or broken, the wall clock jumps, snapshots are written. After everything the auditor reads what
the log got, and all answers, positions and reservations are compared with its sums.

All that happens follows from the seed. The tasks of a life run in one thread on a virtual clock.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from random import Random

import msgspec

from domgrpc.core.answers import Answer
from domgrpc.core.dispatch import Command
from domgrpc.core.listings import (
    Page,
    PositionFilter,
    PositionView,
    ReservationFilter,
    list_positions,
    list_reservations,
)
from domgrpc.core.machine import Request
from domgrpc.core.rejections import NOT_KEPT, Rejection
from domgrpc.core.reservations import Reservation
from domgrpc.core.state import State
from domgrpc.core.values import TimeMs
from domgrpc.engine.calls import DiskFullRefusal, Stopped
from domgrpc.engine.engine import Engine, start_engine
from domgrpc.engine.snapshots import SnapshotRunning, VerificationRunning
from domgrpc.storage.errors import DiskFull, StorageError, StorageFault
from domgrpc.storage.reading import read_frames
from tests.engine.rooms import SEGMENT_BYTES, SMALL, ask, run_inside
from tests.engine.virtual_time import VirtualClock, VirtualLoop
from tests.simulation.auditor import Auditor
from tests.simulation.workload import Workload
from tests.storage.fake_disk import FakeDisk, Fault, PowerCutError

CLIENTS = ("web", "app", "till")
STEPS_PER_LIFE_MAX = 60
ANSWERED_KEPT = 300
Action = Callable[[Engine], Awaitable[None]]


class Simulation:
    """One run; see the module. `counts` says what happened how often."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.auditor = Auditor()
        self.counts: dict[str, int] = {}
        self._workload = Workload(self.random)
        self._clock = VirtualClock()
        self._disk = FakeDisk()
        self._request_count = 0
        self._unanswered: list[Request] = []
        self._answered: list[Request] = []
        self._unchecked: list[tuple[tuple[str, str], int, object]] = []
        self._background: list[asyncio.Task[None]] = []
        self._actions: list[tuple[int, Action]] = [
            (60, self._send_some),
            (12, self._send_message),
            (8, self._repeat_some),
            (6, self._give_up_on_some),
            (16, self._let_time_pass),
            (3, self._wait_for_a_deadline),
            (2, self._move_the_wall_clock),
            (6, self._compare_all),
            (2, self._write_a_snapshot),
            (1, self._verify),
            (1, self._fill_the_disk),
        ]

    def run(self, steps: int) -> None:
        """Live until so many steps were made."""
        while self.counts.get("steps", 0) < steps:
            with asyncio.Runner(loop_factory=partial(VirtualLoop, self._clock)) as runner:
                runner.run(self._live(steps))
                loop = runner.get_loop()
            assert isinstance(loop, VirtualLoop)
            assert not loop.escaped, f"raised where nobody catches it: {loop.escaped}"
            self._background.clear()

    # --- lives

    async def _live(self, steps_max: int) -> None:
        self._count("lives")
        try:
            engine = self._start()
        except (PowerCutError, StorageError):
            self._die()
            return
        self._read_log(engine)
        await self._compare_all(engine)
        if engine.revision == 0:
            await self._send(engine, [self._new(say) for say in self._workload.opening()])
        for _ in range(self.random.randint(1, STEPS_PER_LIFE_MAX)):
            if self.counts.get("steps", 0) >= steps_max or engine.failed.done():
                break
            self._count("steps")
            weights = [weight for weight, _ in self._actions]
            ((_, action),) = self.random.choices(self._actions, weights)
            await action(engine)
            self._read_log(engine)
        if self.random.random() < 0.2:
            self._count("orderly ends")
            await engine.close()
        self._die()

    def _start(self) -> Engine:
        if self.random.random() < 0.1:
            self._disk.power_cut_at = self._disk.operations + self.random.randint(1, 60)
        engine = start_engine(
            SMALL,
            clock=self._clock,
            disk=self._disk,
            random_bytes=self.random.randbytes,
            beside=partial(run_inside, self._disk),
        )
        self._disk.power_cut_at = None
        match self.random.randint(0, 4):
            case 0 | 1:
                operations = int(self.random.expovariate(1 / 60)) + 1
                self._disk.power_cut_at = self._disk.operations + operations
            case 2:
                self._plant_fault()
        return engine

    def _plant_fault(self) -> None:
        operation = self.random.choice(("pwrite", "fdatasync", "rename", "sync_directory"))
        error: StorageError = StorageFault("the disk failed")
        if operation == "pwrite" and self.random.random() < 0.5:
            error = DiskFull("no space for a moment")
        skip, written = self.random.randint(0, 80), self.random.randint(0, 5_000)
        self._disk.faults.append(Fault(operation, error, skip=skip, written_bytes=written))

    def _die(self) -> None:
        if self.random.random() < 0.3:
            self._count("kills")
            self._disk = self._disk.after_kill()
        else:
            self._count("power cuts")
            self._disk = self._disk.after_power_cut(self.random)
        self._disk.capacity_bytes = 1 << 40

    # --- what clients do

    async def _send_some(self, engine: Engine) -> None:
        again = self._unanswered[: self.random.randint(0, 4)]
        fresh = [self._new(self._workload.command()) for _ in range(self.random.randint(1, 6))]
        await self._send(engine, [*again, *fresh])

    async def _send_message(self, engine: Engine) -> None:
        requests = [self._new(self._workload.command()) for _ in range(self.random.randint(2, 8))]
        self._unanswered.extend(requests)
        try:
            answers = await engine.execute(requests)
        except (Stopped, DiskFullRefusal) as refusal:
            self._count(type(refusal).__name__)
            return
        for request, answer in zip(requests, answers, strict=True):
            self._take_answer(request, answer)

    async def _repeat_some(self, engine: Engine) -> None:
        if self._answered:
            chosen = self.random.choices(self._answered, k=3)
            await self._send(engine, [*chosen, chosen[0]])

    async def _give_up_on_some(self, engine: Engine) -> None:
        requests = [self._new(self._workload.command()) for _ in range(3)]
        self._unanswered.extend(requests)
        calls = [asyncio.ensure_future(engine.submit(request)) for request in requests]
        for _ in range(self.random.randint(0, 3)):
            await asyncio.sleep(0)
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        self._count("given up", len(calls))

    async def _send(self, engine: Engine, requests: list[Request]) -> None:
        self._unanswered.extend(r for r in requests if r not in self._unanswered)
        calls = (engine.submit(request) for request in requests)
        answers = await asyncio.gather(*calls, return_exceptions=True)
        for request, answer in zip(requests, answers, strict=True):
            self._take_answer(request, answer)

    def _new(self, command: Command) -> Request:
        self._request_count += 1
        client_id = self.random.choice(CLIENTS)
        preview = self.random.random() < 0.02
        return ask(command, f"r{self._request_count}", client_id=client_id, validate_only=preview)

    def _take_answer(self, request: Request, answer: object) -> None:
        if isinstance(answer, (Stopped, DiskFullRefusal)):
            self._count(type(answer).__name__)
            return
        assert isinstance(answer, Answer), answer
        if request in self._unanswered:
            self._unanswered.remove(request)
        outcome = answer.outcome
        if request.validate_only or (isinstance(outcome, Rejection) and outcome.reason in NOT_KEPT):
            return
        self._count(str(outcome.reason) if isinstance(outcome, Rejection) else "done")
        key = (request.client_id, request.request_id)
        plain = msgspec.msgpack.decode(msgspec.msgpack.encode(outcome))
        self._unchecked.append((key, answer.revision, plain))
        self._answered = [*self._answered[-ANSWERED_KEPT:], request]

    # --- what the world does

    async def _let_time_pass(self, _engine: Engine) -> None:
        await asyncio.sleep(self.random.expovariate(2.0))

    async def _wait_for_a_deadline(self, engine: Engine) -> None:
        held = [hold.expire_ms for hold in self.auditor.holds.values() if hold.state == 1]
        if held:
            wait_ms = min(held) - self._clock.wall_ms() + self.random.randint(-1, 1)
            await asyncio.sleep(max(0, wait_ms) / 1_000)
            await self._compare_all(engine)

    async def _move_the_wall_clock(self, _engine: Engine) -> None:
        self._clock.set_wall(self._clock.wall_ms() + self.random.randint(-5_000, 5_000))

    async def _fill_the_disk(self, engine: Engine) -> None:
        self._count("full disks")
        self._disk.capacity_bytes -= self._disk.free_bytes()
        self._disk.capacity_bytes += self.random.randint(0, 2 * SEGMENT_BYTES)
        for _ in range(self.random.randint(1, 8)):
            await self._send_some(engine)
            await self._compare_all(engine)
        self._disk.capacity_bytes = 1 << 40
        await asyncio.sleep(2)

    async def _write_a_snapshot(self, engine: Engine) -> None:
        self._start_in_background(engine.create_snapshot(""))
        await self._send_some(engine)

    async def _verify(self, engine: Engine) -> None:
        async def verify() -> None:
            report = await engine.verify()
            assert report.consistent, report.findings

        self._start_in_background(verify())
        await self._send_some(engine)

    def _start_in_background(self, work: Awaitable[object]) -> None:
        async def bounded() -> None:
            try:
                await work
            except (
                SnapshotRunning,
                VerificationRunning,
                Stopped,
                DiskFullRefusal,
                StorageError,
                PowerCutError,
            ) as refusal:
                self._count(f"background {type(refusal).__name__}")
            else:
                self._count("background done")

        task = asyncio.ensure_future(bounded())
        task.add_done_callback(raise_its_error)
        self._background.append(task)

    # --- what the auditor says

    def _read_log(self, engine: Engine) -> bool:
        """Let the auditor read what is durable, then check the answers; False without power."""
        last_sequence = engine.durable_revision
        try:
            for frame in read_frames(
                self._disk, from_sequence=self.auditor.revision + 1, last_sequence=last_sequence
            ):
                self.auditor.read(frame.payload, frame.count)
        except PowerCutError:
            return False
        for key, revision, outcome in self._unchecked:
            self.auditor.check_answer(key, revision, outcome)
        self._unchecked.clear()
        return True

    async def _compare_all(self, engine: Engine) -> None:
        try:
            reading = await engine.read(everything)
        except Stopped:
            return
        if not self._read_log(engine):
            return
        self._count("comparisons")
        positions, reservations = reading.value
        assert reading.revision == self.auditor.revision
        for view in positions:
            told = [view.on_hand, view.soft_reserved, view.allocated]
            assert self.auditor.positions[view.sku, view.location_id] == told, view
        pictures = {hold.name: hold.picture() for hold in self.auditor.holds.values()}
        assert pictures == {found.reservation_id: picture(found) for found in reservations}

    def _count(self, what: str, by: int = 1) -> None:
        self.counts[what] = self.counts.get(what, 0) + by


def raise_its_error(task: "asyncio.Task[None]") -> None:
    """Let the loop see what a task ended with."""
    if not task.cancelled():
        task.result()


def picture(reservation: Reservation) -> object:
    """Return of a reservation what the auditor knows."""
    lines = {
        (line.sku, line.location_id): (
            line.quantity,
            line.backordered_quantity,
            line.settled_quantity,
        )
        for line in reservation.lines
    }
    return int(reservation.state), lines


Everything = tuple[list[PositionView], list[Reservation]]


def everything(state: State, now_ms: TimeMs) -> Everything:
    """Return all positions and reservations, page by page as clients read them."""
    positions: list[PositionView] = []
    place: tuple[int, int, int] | None = (0, 0, -1)
    while place is not None:
        page = list_positions(state, place, 100, (PositionFilter(), now_ms))
        positions.extend(page.entries)
        place = page.next_place  # type: ignore[assignment]
    reservations: list[Reservation] = []
    after: tuple[int, str] | None = (0, "")
    while after is not None:
        found: Page[Reservation] = list_reservations(state, after, 100, ReservationFilter())
        reservations.extend(found.entries)
        after = found.next_place  # type: ignore[assignment]
    return positions, reservations
