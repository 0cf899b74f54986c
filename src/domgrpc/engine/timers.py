"""Timers: what the engine does by itself, without a caller.

Deadlines of holds (on the dot, though correctness never waits for a timer), the zero-filled
segment ahead, seals of an idle log, snapshots by the growth of the log, the sweep over stock
levels after rules or places changed, and new plans where work is displaced (outages.py) or waits
for stock (backorders.py). Everything is done in small steps between turns.
"""

import asyncio
from contextlib import suppress

import structlog

from domgrpc.core.stock_levels import SWEEP_START, SweepPlace, SweepStockLevels, place_after
from domgrpc.engine.backorders import Backorders
from domgrpc.engine.outages import Outages
from domgrpc.engine.snapshots import Snapshots
from domgrpc.engine.writer import Writer
from domgrpc.storage.errors import DiskFull

_log = structlog.get_logger()

_STEP_SECONDS = 0.01
"""Pause between two steps of background work; also how long a log is idle before it is sealed."""
_PAUSE_PER_STEP = 9
"""A pause is at least so many times as long as the step before it."""
_RETRY_SECONDS = 0.5
"""How long to wait where what is due could not be written."""
_IDLE_SECONDS = 1.0
_POSITIONS_PER_SWEEP = 500


class Timers:
    """The background work of one engine."""

    def __init__(self, writer: Writer, snapshots: Snapshots, *, snapshot_log_bytes: int) -> None:
        """Start the work; `stop` ends it."""
        self._writer = writer
        self._snapshots = snapshots
        self._snapshot_log_bytes = snapshot_log_bytes
        self._snapshot_at_bytes = snapshot_log_bytes
        self._loop = asyncio.get_running_loop()
        self._deadline_ms: int | None = None
        self._deadline_timer: asyncio.TimerHandle | None = None
        self._swept_version: tuple[int, int] | None = None
        # The run before this one may have died in the middle of a sweep: begin with one.
        self._sweep_place: SweepPlace | None = SWEEP_START
        self._sweep_again = False
        self._had_rules = False
        self._snapshot_task: asyncio.Task[None] | None = None
        self._committed = asyncio.Event()
        self._outages = Outages(writer)
        self._backorders = Backorders(writer)
        writer.committer.on_commit += [
            self._look_at_deadline,
            self._outages.look_after_commit,
            self._backorders.look_after_commit,
            self._committed.set,
        ]
        self._look_at_deadline()
        self._task = self._loop.create_task(self._work())

    async def stop(self) -> None:
        """End the background work; a snapshot that is being written is given up."""
        self._writer.committer.on_commit.clear()
        self._outages.stop()
        self._backorders.stop()
        if self._deadline_timer is not None:
            self._deadline_timer.cancel()
        for task in (self._task, self._snapshot_task):
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    # --- deadlines

    def _look_at_deadline(self) -> None:
        first_ms = self._writer.state.reservations.next_deadline_ms()
        if first_ms != self._deadline_ms:
            self._set_deadline(first_ms, 0.0)

    def _set_deadline(self, first_ms: int | None, late_seconds: float) -> None:
        if self._deadline_timer is not None:
            self._deadline_timer.cancel()
            self._deadline_timer = None
        self._deadline_ms = first_ms
        if first_ms is not None:
            wait_seconds = (first_ms - self._writer.now_ms()) / 1_000
            wait_seconds = wait_seconds if wait_seconds > 0 else late_seconds
            self._deadline_timer = self._loop.call_later(wait_seconds, self._expire)

    def _expire(self) -> None:
        self._writer.expire_due()
        if not self._writer.failed.done():
            # What is still due could not be written: not at once again, or nobody else gets a turn.
            first_ms = self._writer.state.reservations.next_deadline_ms()
            self._set_deadline(first_ms, _RETRY_SECONDS)

    # --- background work

    async def _work(self) -> None:
        clock = self._writer.clock
        pause_seconds = _STEP_SECONDS
        while not self._writer.failed.done():
            await asyncio.sleep(pause_seconds)
            started_seconds = clock.seconds()
            try:
                is_idle = self._step()
                # On a slow disk a step waits for it too: callers come before it.
                step_seconds = clock.seconds() - started_seconds
                pause_seconds = max(_STEP_SECONDS, step_seconds * _PAUSE_PER_STEP)
                if is_idle:
                    await self._until_commit()
            except DiskFull as full:
                _log.warning("disk_full", error=str(full))
                await asyncio.sleep(1.0)
            except Exception as fault:  # noqa: BLE001 - the outermost loop of this task
                self._writer.fail(fault)

    async def _until_commit(self) -> None:
        # A window of a rule or a place opens and closes without a commit.
        now_ms = self._writer.now_ms()
        _, boundary_ms = self._writer.state.network.refresh(now_ms)
        self._committed.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(min(_IDLE_SECONDS, (boundary_ms - now_ms) / 1_000)):
                await self._committed.wait()

    def _step(self) -> bool:
        """Do what is next; return whether nothing is left to do until something happens."""
        if not self._writer.prepare_spare():
            return False
        self._sweep_levels()
        now_ms = self._writer.now_ms()
        self._outages.look(now_ms)
        self._backorders.look(now_ms)
        idle_seconds = self._writer.clock.seconds() - self._writer.committer.last_commit_seconds
        if idle_seconds >= _STEP_SECONDS:
            self._writer.seal()
        if self._is_snapshot_due():
            committed_bytes = self._writer.committer.committed_bytes
            self._snapshot_at_bytes = committed_bytes + self._snapshot_log_bytes
            self._snapshot_task = self._loop.create_task(self._write_snapshot())
        return idle_seconds >= _STEP_SECONDS and self._sweep_place is None

    def _sweep_levels(self) -> None:
        network = self._writer.state.network
        version = network.level_version(self._writer.now_ms())
        has_rules = bool(network.rules.by_id)
        if version != self._swept_version:
            # Without rules, now and before, a level changes only with its own position. A sweep
            # under way goes on: changes one after the other must not keep it at the beginning.
            if self._swept_version is not None and (has_rules or self._had_rules):
                self._sweep_again = True
            self._swept_version = version
            self._had_rules = has_rules
        if self._sweep_place is None and self._sweep_again:
            self._sweep_place = SWEEP_START
            self._sweep_again = False
        if self._sweep_place is None:
            return
        command = SweepStockLevels(self._sweep_place, _POSITIONS_PER_SWEEP)
        self._writer.sweep(command)
        self._sweep_place = place_after(network, command)

    def _is_snapshot_due(self) -> bool:
        committed_bytes = self._writer.committer.committed_bytes
        if not self._snapshot_log_bytes or committed_bytes < self._snapshot_at_bytes:
            return False
        return self._snapshot_task is None or self._snapshot_task.done()

    async def _write_snapshot(self) -> None:
        try:
            await self._snapshots.write()
        except Exception as refusal:  # noqa: BLE001 - the outermost call of this task
            _log.warning("snapshot_skipped", error=str(refusal), kind=type(refusal).__name__)
