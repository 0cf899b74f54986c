"""One life of a server: it starts on what the last one left, serves, and ends somehow.

It ends between two callbacks of the event loop or in the middle of a disk operation, by a kill, a
power cut, a broken disk or in good order. At that moment everything stops: the tasks that are
left are only taken apart, and the disk does nothing for them any more.
"""

import asyncio
from collections.abc import Coroutine, Sequence
from functools import partial
from typing import Any

import msgspec

from domgrpc.core.events import Record
from domgrpc.core.listings import (
    Page,
    PositionFilter,
    ReservationFilter,
    list_positions,
    list_reservations,
)
from domgrpc.core.order_queries import OrderFilter, list_orders
from domgrpc.core.orders import Order
from domgrpc.core.reservations import Reservation
from domgrpc.core.state import State
from domgrpc.core.values import TimeMs
from domgrpc.engine.dump import digest, dump
from domgrpc.engine.engine import Engine, start_engine
from domgrpc.engine.snapshotting import Job, fold_files, write_snapshot
from domgrpc.storage.errors import DiskFull, StorageError, StorageFault
from tests.engine.rooms import SEGMENT_BYTES
from tests.simulation.auditor import check_listing
from tests.simulation.books import Plain
from tests.simulation.clients import REFUSALS, Client
from tests.simulation.loop import SeededLoop
from tests.simulation.order_replans import left_undone
from tests.simulation.world import World
from tests.storage.fake_disk import PLENTY_BYTES, Fault, PowerCutError

HOUR_MS = 3_600_000
YEAR_2106_MS = (1 << 32) * 1_000
FAULTY_OPERATIONS = ("pwrite", "fdatasync", "rename", "sync_directory", "create")
LOOKS, LOOK_SECONDS = 4, 1
CALLBACKS_BETWEEN = 40
"""About how many callbacks run before the world may interrupt."""


class Life:
    """See the module. `digest_left` is that of the memory at the end, where the end shows it."""

    def __init__(self, world: World, loop: SeededLoop, steps_max: int) -> None:
        self.ended = ""
        self.error: BaseException | None = None
        self.has_started = False
        self.digest_left: tuple[int, str] | None = None
        self._world = world
        self._random = world.random
        self._loop = loop
        self._steps_max = steps_max
        self._disk = world.disk
        self._engine: Engine | None = None
        self._clients: list[asyncio.Task[None]] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._began_ms = 0
        self._began_seconds = 0.0
        self._jump_count = 0
        self._callbacks_left = self._random.expovariate(1 / world.character.life_callbacks)

    def live(self, before: tuple[int, str] | None) -> None:
        """Run from start to end; `before` is the digest that the last life left."""
        self._disk.on_cut = partial(self.end, "power cut")
        self._tasks.append(self._spawn(self._serve(before)))
        self._loop.run_forever()
        self._look_at_fault()
        if self.error is not None:
            raise self._world.violation or self.error

    def end(self, how: str) -> None:
        """Stop everything; whatever comes now reaches nobody."""
        if self.ended:
            return
        self._world.step("the server ends:", how)
        self._world.count(f"ended by {how}")
        self.ended = how
        self._world.is_over = True
        self._disk.on_cut = None
        self._disk.turn_off()
        self._loop.interruption = None
        self._loop.stop()

    def _look_at_fault(self) -> None:
        # A server may fail only where its disk did.
        failed = self._engine.failed if self._engine is not None else None
        if failed is not None and failed.done():
            fault = failed.result()
            if not isinstance(fault, (StorageError, PowerCutError)):
                self.error = fault

    # --- the start

    async def _serve(self, before: tuple[int, str] | None) -> None:
        self._world.step("the server starts")
        character = self._world.character
        if self._random.random() < character.cut_share / 4:
            self._cut_power_within(60)
        self._began_seconds = self._world.clock.seconds()
        engine = start_engine(
            self._world.settings(),
            clock=self._world.clock,
            disk=self._disk,
            random_bytes=self._random.randbytes,
            beside=self._work_beside,
        )
        self._disk.power_cut_at = None
        self._engine = engine
        self.has_started = True
        self._world.is_over = False
        self._check_start(engine, before)
        self._began_ms = max(self._world.auditor.books.time_ms, self._world.clock.wall_ms())
        engine.failed.add_done_callback(lambda _: self.end("fault"))
        await self._check_all()
        if not self._world.auditor.books.locations:
            await engine.execute(self._opening())
        self._plan_the_end()
        for number in range(character.client_count):
            self._clients.append(self._spawn(Client(self._world, engine, number).live()))
        if self._random.random() < character.watch_share:
            self._tasks.append(self._spawn(self._watch()))
        self._tasks.append(self._spawn(self._operate()))
        self._loop.interruption = self._interrupt

    async def _work_beside(self, job: Job) -> bytes:
        # The process beside the server, with calls before and after its work. A cut of the power
        # may come at any operation of it.
        await asyncio.sleep(0)
        if job.revisions:
            report = msgspec.json.encode(fold_files(self._disk, job))
        else:
            written = write_snapshot(self._disk, job, random_bytes=self._random.randbytes)
            report = msgspec.json.encode(written)
        await asyncio.sleep(0)
        return report

    def _check_start(self, engine: Engine, before: tuple[int, str] | None) -> None:
        auditor = self._world.auditor
        lost_count = auditor.revision - engine.revision
        assert lost_count <= 0, f"{lost_count} revisions that were durable are lost"
        self._world.read_log(self._disk, engine.revision)
        assert auditor.revision == engine.revision
        if before is None:
            return
        # The start itself writes a record where it is told to keep less of the past.
        assert engine.revision - before[0] in (0, 1), "records that nobody asked for"
        if engine.revision == before[0]:
            found = digest(dump(engine.writer.state))
            assert found == before[1], "replay led to another state than the one that was left"
            self._world.count("digests compared")

    def _opening(self) -> list[Any]:
        requests = self._world.opening()
        for request in requests:
            self._world.called("the opener", request)
        return requests

    def _plan_the_end(self) -> None:
        lot, character = self._random.random(), self._world.character
        if lot < character.cut_share:
            self._cut_power_within(character.cut_operations)
        elif lot < character.cut_share + character.fault_share:
            operation = self._random.choice(FAULTY_OPERATIONS)
            error: StorageError = StorageFault("the disk failed")
            if operation in ("pwrite", "create") and self._random.random() < 0.5:
                error = DiskFull("no space for a moment")
            skip, written = (
                self._random.randint(0, character.cut_operations),
                self._random.randint(0, 5_000),
            )
            self._disk.faults.append(Fault(operation, error, skip=skip, written_bytes=written))

    def _cut_power_within(self, operations: int) -> None:
        self._disk.power_cut_at = self._disk.operations + self._random.randint(1, operations)

    # --- in the middle of it

    def _interrupt(self) -> int:
        assert self._engine is not None
        self._callbacks_left -= CALLBACKS_BETWEEN
        self._world.read_feed(self._engine.feed, self._disk)
        self._check_pace()
        if self._callbacks_left < 0 or self._world.steps >= self._steps_max:
            self._leave_digest()
            self.end("kill")
        elif self._random.random() < self._world.character.disconnect_share * CALLBACKS_BETWEEN:
            self._random.choice(self._clients).cancel()
        return 1 + int(self._random.random() * 2 * CALLBACKS_BETWEEN)

    def _check_pace(self) -> None:
        # Whatever the wall clock does, no hold is over early by more than a tenth of its time and
        # the second within which a clock that was set is followed at once.
        passed_ms = (self._world.clock.seconds() - self._began_seconds) * 1_000
        logged_ms = self._world.auditor.books.time_ms - self._began_ms
        limit_ms = passed_ms * 1.1 + 1_000 * (1 + self._jump_count)
        assert logged_ms <= limit_ms, f"time ran by {logged_ms} ms within {passed_ms} ms"

    def _leave_digest(self) -> None:
        # Between two callbacks all of memory is durable, unless a turn has failed.
        engine = self._engine
        if engine is not None and not engine.failed.done():
            self._world.read_feed(engine.feed, self._disk)
            self.digest_left = (engine.revision, digest(dump(engine.writer.state)))

    async def _operate(self) -> None:
        actions = (
            self._fill_the_disk,
            self._snapshot,
            self._verify,
            self._check_all,
            self._check_all,
            self._jump,
            self._jump,
            self._close,
        )
        while True:
            await asyncio.sleep(self._random.expovariate(1 / 5))
            try:
                await self._random.choice(actions)()
            except REFUSALS as refusal:
                self._world.refused("the operator", refusal)

    async def _fill_the_disk(self) -> None:
        self._world.count("full disks")
        self._disk.capacity_bytes -= self._disk.free_bytes()
        self._disk.capacity_bytes += self._random.randint(0, 2 * SEGMENT_BYTES)
        await asyncio.sleep(self._random.expovariate(1 / 5))
        self._disk.capacity_bytes = PLENTY_BYTES

    async def _snapshot(self) -> None:
        assert self._engine is not None
        await self._given_up_at_times(self._engine.create_snapshot(""))
        self._world.count("snapshots asked")

    async def _verify(self) -> None:
        assert self._engine is not None
        report = await self._given_up_at_times(self._engine.verify())
        if report is not None:
            assert report.consistent, report.findings
            self._world.count("verifications")

    async def _given_up_at_times(self, work: Coroutine[Any, Any, Any]) -> Plain:
        if self._random.random() < 0.5:
            return await work
        task = self._loop.create_task(work)
        for _ in range(self._random.randint(0, 80)):
            await asyncio.sleep(0)
        if not task.done():
            self._world.count("jobs given up")
            task.cancel()
        results = await asyncio.gather(task, return_exceptions=True)
        if isinstance(results[0], asyncio.CancelledError):
            return None
        return task.result()

    async def _jump(self) -> None:
        if self._random.random() > self._world.character.clock_share:
            return
        clock = self._world.clock
        now_ms, some_ms = clock.wall_ms(), self._random.randint(-5_000, 5_000)
        two_hours_ms = self._random.choice((-2, 2)) * HOUR_MS
        target_ms = self._random.choice(
            (now_ms + some_ms, now_ms + some_ms, now_ms + two_hours_ms, 0, YEAR_2106_MS)
        )
        self._world.step("the wall clock jumps to", target_ms)
        self._world.count("clock jumps")
        clock.set_wall(target_ms)
        self._jump_count += 1

    async def _close(self) -> None:
        if self._random.random() < 0.2:
            assert self._engine is not None
            await self._engine.close()
            self._leave_digest()
            self.end("orderly stop")

    async def _check_all(self) -> None:
        assert self._engine is not None
        reading = await self._engine.read(everything)
        self._world.read_feed(self._engine.feed, self._disk)
        assert reading.revision == self._world.auditor.revision
        check_listing(self._world.auditor, *reading.value)
        self._world.count("comparisons")
        await self._check_timers()

    async def _check_timers(self) -> None:
        assert self._engine is not None
        # Nobody else fills the disk meanwhile, and what is to be done is done in a moment. What
        # came between two looks and was gone again may be there anew in the third.
        left = dict(left_undone(self._world.auditor.books).items())
        for _ in range(LOOKS):
            if not left:
                return
            await asyncio.sleep(LOOK_SECONDS)
            self._world.read_feed(self._engine.feed, self._disk)
            now = left_undone(self._world.auditor.books)
            left = {name: at for name, at in left.items() if now.get(name) == at}
        assert not left, f"{left} lie where nobody can do them, or wait for nothing, and stay"

    async def _watch(self) -> None:
        while True:
            await self._follow()
            await asyncio.sleep(1)

    async def _follow(self) -> None:
        assert self._engine is not None
        auditor = self._world.auditor
        try:
            cursor = self._engine.feed.open(max(0, auditor.revision - self._random.randint(0, 50)))
            while True:
                before = cursor.revision
                records = await cursor.next()
                if self._world.is_over:
                    return
                # Falls behind now and then, so that it is fed from memory, the log or not at all.
                await asyncio.sleep(self._random.random())
                revisions = [record.revision for record in records]
                assert revisions == list(range(before + 1, cursor.revision + 1)), "a gap in a watch"
                self._world.read_feed(self._engine.feed, self._disk)
                auditor.read(plain_of(records))
        except REFUSALS as refusal:
            self._world.count(f"watch: {type(refusal).__name__}")

    # --- tasks

    def _spawn(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        task = self._loop.create_task(work)
        task.add_done_callback(self._look_at_end)
        return task

    def _look_at_end(self, task: "asyncio.Task[None]") -> None:
        if task.cancelled() or self.ended:
            return
        error = task.exception()
        if error is not None:
            self.error = self.error or error
            self.end("an error")


def everything(state: State, now_ms: TimeMs) -> tuple[Plain, Plain, Plain]:
    """Return all positions, reservations and orders as plain lists, page by page as clients do."""
    positions: list[Plain] = []
    place: Plain = (0, 0, -1)
    while place is not None:
        page = list_positions(state, place, 100, (PositionFilter(), now_ms))
        positions.extend(
            [view.sku, view.location_id, view.on_hand, view.soft_reserved, view.allocated]
            for view in page.entries
        )
        place = page.next_place
    reservations: list[Plain] = []
    after: Plain = (0, "")
    while after is not None:
        found: Page[Reservation] = list_reservations(state, after, 100, ReservationFilter())
        reservations.extend(plain_of(found.entries))
        after = found.next_place
    orders: list[Plain] = []
    after = (0, "")
    while after is not None:
        listed: Page[Order] = list_orders(state, after, 20, OrderFilter())
        orders.extend(plain_of(listed.entries))
        after = listed.next_place
    return positions, reservations, orders


def plain_of(values: Sequence[Reservation] | Sequence[Order] | Sequence[Record]) -> list[Plain]:
    """Return values as the lists that the log would hold."""
    plain: list[Plain] = msgspec.msgpack.decode(msgspec.msgpack.encode(values))
    return plain
