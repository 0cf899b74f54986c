"""The engine: opens a folder and runs the writer, its timers, its feed and its snapshots.

`open_engine` is the only place that puts these parts together; the server, the tests and the
tools all call it.
"""

import gc
import os
import resource
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import msgspec
import structlog

from domgrpc.config import Settings
from domgrpc.core.machine import change_retention
from domgrpc.core.values import TimeMs
from domgrpc.engine.admission import Admission
from domgrpc.engine.clock import Clock, SystemClock
from domgrpc.engine.dry_running import DryRunner
from domgrpc.engine.feed import Feed
from domgrpc.engine.recovery import check_recovered, load_newest_snapshot, replay_frames
from domgrpc.engine.reoptimizing import Reoptimizer
from domgrpc.engine.scrubbing import Scrubber
from domgrpc.engine.snapshots import Beside, Snapshots, run_beside
from domgrpc.engine.timers import Timers
from domgrpc.engine.writer import Writer
from domgrpc.storage.disk import Disk, LocalDisk
from domgrpc.storage.log import Log
from domgrpc.storage.snapshot import remove_unfinished_snapshots

_log = structlog.get_logger()

# Once: it is read from a file of the installed package.
_VERSION = version("domgrpc")
_GC_THRESHOLDS = (50_000, 50, 100)
"""Rarer passes of the cyclic collector: records and views are many and have no cycles."""


class EngineStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How the engine stands."""

    version: str
    revision: int
    durable_revision: int
    oldest_revision: int
    snapshot_revision: int
    start_time_ms: TimeMs
    uptime_ms: int
    location_count: int
    sku_count: int
    position_count: int
    held_reservation_count: int
    reservation_count: int
    open_order_count: int
    order_count: int
    kept_answer_count: int
    watcher_count: int
    log_size_bytes: int
    memory_bytes: int
    recovery_summary: str
    scrub_time_ms: TimeMs | None
    scrub_findings: tuple[str, ...]


class Engine:
    """The running parts of one folder. Made by `open_engine`."""

    def __init__(
        self,
        writer: Writer,
        snapshots: Snapshots,
        timers: Timers,
        *,
        disk: Disk,
        scrubber: Scrubber | None,
        summary: str,
    ) -> None:
        """Take over the parts."""
        self.writer = writer
        self._disk = disk
        self.feed = writer.feed
        # The calls of every request: handed out as they are, not wrapped.
        self.submit = writer.submit
        self.execute = writer.execute
        self.read = writer.read
        self.admission = writer.admission
        self.seconds = writer.clock.seconds
        self.create_snapshot = snapshots.write
        self.verify = snapshots.verify
        self.failed = writer.failed
        self.reoptimizer = Reoptimizer(writer)
        self.dry_runner = DryRunner(writer)
        self._snapshots = snapshots
        self._timers = timers
        self._scrubber = scrubber
        self._summary = summary
        self._is_closed = False
        self._start_time_ms = writer.clock.wall_ms()
        self._start_seconds = writer.clock.seconds()

    @property
    def revision(self) -> int:
        """The newest revision."""
        return self.writer.revision

    @property
    def durable_revision(self) -> int:
        """The newest revision on disk."""
        return self.writer.durable_revision

    def status(self) -> EngineStatus:
        """Say how the engine stands."""
        state = self.writer.state
        scrubber = self._scrubber
        return EngineStatus(
            version=_VERSION,
            revision=self.revision,
            durable_revision=self.durable_revision,
            oldest_revision=self.feed.oldest_revision,
            snapshot_revision=self._snapshots.last_revision,
            start_time_ms=self._start_time_ms,
            uptime_ms=round((self.writer.clock.seconds() - self._start_seconds) * 1_000),
            location_count=len(state.network.locations.by_index),
            sku_count=state.network.stock.sku_count,
            position_count=state.network.stock.position_count,
            held_reservation_count=len(state.reservations.deadlines),
            reservation_count=len(state.reservations.by_id),
            open_order_count=len(state.orders.by_id) - len(state.orders.finished),
            order_count=len(state.orders.by_id),
            kept_answer_count=len(state.answers.by_key),
            watcher_count=self.feed.watcher_count,
            log_size_bytes=self.writer.log.size_bytes,
            memory_bytes=_resident_bytes(),
            recovery_summary=self._summary,
            scrub_time_ms=scrubber.end_time_ms if scrubber is not None else None,
            scrub_findings=scrubber.findings if scrubber is not None else (),
        )

    async def close(self) -> None:
        """Answer what waits, refuse the rest, seal the log and give the folder free.

        Twice is the same as once.
        """
        if self._is_closed:
            return
        self._is_closed = True
        try:
            self.writer.close_queue()
            await self._timers.stop()
            if self._scrubber is not None:
                await self._scrubber.stop()
            await self._snapshots.stop()
            self.writer.close()
        finally:
            self._disk.unlock()


async def open_engine(
    settings: Settings, *, clock: Clock | None = None, disk: Disk | None = None
) -> Engine:
    """Recover a folder and start its engine.

    Raises FolderInUse, FolderUnusable, FormatTooNew, Corruption or StorageFault. Recovery blocks
    the event loop: nothing is served before it is done.
    """
    settings.check()
    return start_engine(
        settings,
        clock=clock or SystemClock(),
        disk=disk or LocalDisk(Path(settings.data_dir)),
    )


def start_engine(
    settings: Settings,
    *,
    clock: Clock,
    disk: Disk,
    random_bytes: Callable[[int], bytes] = os.urandom,
    beside: Beside = run_beside,
) -> Engine:
    """Do what `open_engine` does with settings that need not be within their limits.

    Everything that differs from one run to the next is passed in, so that a simulation can
    repeat a run. Called in the event loop that the engine will live in.
    """
    started = clock.seconds()
    disk.lock()
    try:
        writer, summary = _recover(settings, clock, disk, random_bytes)
    except BaseException:
        disk.unlock()
        raise
    summary += f" in {clock.seconds() - started:.2f} s"
    _log.info("recovered", summary=summary)
    folder = Path(settings.data_dir)
    snapshots = Snapshots(writer, disk, folder=folder, limits=settings.limits, beside=beside)
    timers = Timers(writer, snapshots, snapshot_log_bytes=settings.snapshot_log_bytes)
    scrubber = None
    if settings.scrub_interval_seconds:
        scrubber = Scrubber(disk, clock, interval_seconds=settings.scrub_interval_seconds)
    return Engine(writer, snapshots, timers, disk=disk, scrubber=scrubber, summary=summary)


def tune_collector() -> None:
    """Keep the cyclic collector off what recovery built, which lives as long as the process.

    For a process that serves one engine and nothing else; called once after `open_engine`.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_GC_THRESHOLDS)


def _recover(
    settings: Settings, clock: Clock, disk: Disk, random_bytes: Callable[[int], bytes]
) -> tuple[Writer, str]:
    remove_unfinished_snapshots(disk)
    loaded = load_newest_snapshot(disk, settings.limits)
    for damage in loaded.refused:
        _log.error("snapshot_damaged", error=str(damage))
    log = Log.open(
        disk,
        random_bytes=random_bytes,
        clock=clock.seconds,
        segment_bytes=settings.segment_size_bytes,
        known_sequence=loaded.snapshot_revision,
    )
    state = loaded.state
    feed = Feed(
        log,
        records_max=settings.feed_records_max,
        size_bytes_max=settings.feed_size_bytes_max,
        mark_seconds=settings.watch_mark_seconds,
    )
    frames = feed.restored(log.read(state.revision + 1))
    replayed = replay_frames(state, frames, last_revision=log.last_sequence)
    check_recovered(state, disk)
    writer = Writer(
        state,
        log,
        feed,
        clock=clock,
        admission=Admission(
            queue_max=settings.queue_max,
            queue_seconds_max=settings.queue_seconds_max,
            client_rate_max=settings.client_operations_per_second_max,
        ),
        commit_wait_seconds=settings.commit_wait_ms_max / 1_000,
    )
    _retain_as_set(writer, settings)
    # A server that is restarted often must come to write a snapshot too.
    writer.committer.committed_bytes = replayed.frame_bytes
    return writer, (
        f"revision {state.revision}: snapshot {loaded.snapshot_revision}, {replayed.record_count} "
        f"later records, {log.recovery_report.torn_bytes_cut} torn bytes cut"
    )


def _retain_as_set(writer: Writer, settings: Settings) -> None:
    # How much is kept is part of the state: a setting that differs from it becomes a record.
    retention = settings.limits.retention
    if retention == writer.state.retention:
        return
    if not writer.committer.has_room():
        _log.warning("retention_unchanged", reason="the disk is full: the next start changes it")
        return
    record = change_retention(writer.state, retention, writer.now_ms())
    if record is not None:
        writer.committer.add(record)
        writer.committer.commit()


def _resident_bytes() -> int:
    # Linux says the present size; elsewhere the largest so far must do.
    try:
        with Path("/proc/self/statm").open(encoding="ascii") as statm:
            return int(statm.read().split()[1]) * resource.getpagesize()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1_024
