"""Scrubbing: the older files are read again now and then, before anybody needs them.

A segment or snapshot that went bad on the disk is of no use the day a restart asks for it. So all
closed segments and all snapshots are read through, checksum by checksum and past the cache, in
small steps between calls. What is found is told, in the log and in the status; nothing is changed.
"""

import asyncio
from collections.abc import Generator

import structlog

from domgrpc.core.values import TimeMs
from domgrpc.engine.clock import Clock
from domgrpc.storage.disk import Disk
from domgrpc.storage.errors import StorageError
from domgrpc.storage.segment import list_segment_names
from domgrpc.storage.snapshot import list_snapshots, read_snapshot
from domgrpc.storage.walk import SegmentWalk, Window

_log = structlog.get_logger()

_STEP_PAUSE_SECONDS = 0.01
"""Between two frames or chunks: at most some hundred of them a second."""


class Scrubber:
    """The background reader of one folder."""

    def __init__(self, disk: Disk, clock: Clock, *, interval_seconds: float) -> None:
        """Start; the first pass comes after an interval, because recovery has just read all."""
        self.findings: tuple[str, ...] = ()
        """What the last pass found wrong."""
        self.end_time_ms: TimeMs | None = None
        """When the last pass ended."""
        self._disk = disk
        self._clock = clock
        self._interval_seconds = interval_seconds
        self._task = asyncio.get_running_loop().create_task(self._work())

    async def stop(self) -> None:
        """End the work."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def run_once(self) -> None:
        """Read every closed segment and every snapshot once."""
        findings = []
        for name in (*list_segment_names(self._disk)[:-1], *list_snapshots(self._disk)):
            finding = await self._check(name)
            if finding is not None:
                _log.error("scrub_found_damage", file=name, finding=finding)
                findings.append(finding)
        self.findings = tuple(findings)
        self.end_time_ms = self._clock.wall_ms()

    async def _work(self) -> None:
        while True:
            await asyncio.sleep(self._interval_seconds)
            try:
                await self.run_once()
            except Exception:  # noqa: BLE001 - the outermost loop of this task
                # A file that cannot be listed or read is no reason to stop looking.
                _log.exception("scrub_failed")

    async def _check(self, name: str) -> str | None:
        steps = self._steps_through(name)
        try:
            for _ in steps:
                await asyncio.sleep(_STEP_PAUSE_SECONDS)
        except StorageError as error:
            # A file that is trimmed while it is read looks damaged, or is not there.
            return str(error) if name in self._disk.list_names() else None
        finally:
            steps.close()
        return None

    def _steps_through(self, name: str) -> Generator[None]:
        if name.endswith(".snap"):
            for _ in read_snapshot(self._disk, name):
                yield
            return
        handle = self._disk.open(name)
        try:
            self._disk.settle(handle)
            walk = SegmentWalk(name, Window(self._disk, handle))
            for _ in walk.frames():
                yield
            walk.judge_tail()
            if walk.next_salt is None:
                raise walk.damage("the frame that ends the segment", "none")
        finally:
            self._disk.close(handle)
