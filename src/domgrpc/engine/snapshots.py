"""Snapshots and verification, as the server sees them: it starts a process and waits.

For a snapshot the writer only begins a new segment of the log, in less than a millisecond where
the spare segment is ready. For a verification it takes digests of its own state, part by part
with other calls in between, and has the files folded to exactly the same revisions.
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeAlias, TypeVar

import msgspec
import structlog

from domgrpc.core.values import Limits
from domgrpc.engine.beside import run_module
from domgrpc.engine.calls import DiskFullRefusal, Stopped
from domgrpc.engine.dump import digest, part_digests
from domgrpc.engine.snapshotting import SNAPSHOTS_KEPT, Folded, Job, Written
from domgrpc.engine.writer import Writer
from domgrpc.storage.disk import Disk
from domgrpc.storage.errors import DiskFull
from domgrpc.storage.snapshot import list_snapshots, snapshot_sequence

_log = structlog.get_logger()

_REPORTS_KEPT_MAX = 1_000
_SPARE_STEPS_MAX = 4_096
_Report = TypeVar("_Report", Written, Folded)

Beside: TypeAlias = Callable[[Job], Awaitable[bytes]]
"""Does a job beside the server and returns its report as JSON; raises BesideFailed."""


class SnapshotRunning(Exception):
    """A snapshot is being written already."""


class VerificationRunning(Exception):
    """A verification, or a snapshot that it would disturb, is under way."""


class SnapshotReport(msgspec.Struct, frozen=True):
    """A snapshot on disk."""

    revision: int
    size_bytes: int
    duration_ms: int
    writer_pause_us: int


class VerifyReport(msgspec.Struct, frozen=True):
    """What a verification found; `state_digest` is over all parts."""

    consistent: bool
    findings: tuple[str, ...]
    revision: int
    state_digest: str
    frame_count: int
    duration_ms: int


class Snapshots:
    """Writes snapshots and verifies, one at a time."""

    def __init__(
        self, writer: Writer, disk: Disk, *, folder: Path, limits: Limits, beside: Beside
    ) -> None:
        """Take over the snapshots of a folder; `beside` is `run_beside` but in simulations."""
        self._writer = writer
        self._disk = disk
        self._folder = folder
        self._limits = limits
        self._beside = beside
        self._is_busy = False
        self._is_stopped = False
        self._job: asyncio.Future[bytes] | None = None
        self._reports: dict[str, SnapshotReport] = {}
        names = list_snapshots(disk)
        self.last_revision = snapshot_sequence(names[-1]) if names else 0

    async def write(self, request_id: str = "") -> SnapshotReport:
        """Write a snapshot of now and trim the log behind the one before.

        Raises SnapshotRunning; DiskFullRefusal; BesideFailed where the process beside the
        server failed; Stopped where the server closes.
        """
        if request_id in self._reports:
            return self._reports[request_id]
        if self._is_busy:
            raise SnapshotRunning("a snapshot or a verification is under way: ask again later")
        self._is_busy = True
        try:
            report = await self._write()
        finally:
            self._is_busy = False
        if request_id:
            self._reports[request_id] = report
            if len(self._reports) > _REPORTS_KEPT_MAX:
                del self._reports[next(iter(self._reports))]
        return report

    async def verify(self) -> VerifyReport:
        """Compare memory with the files folded anew. Raises VerificationRunning."""
        if self._is_busy:
            raise VerificationRunning("a snapshot or a verification is under way: ask again later")
        self._is_busy = True
        try:
            return await self._verify()
        finally:
            self._is_busy = False

    async def _write(self) -> SnapshotReport:
        clock = self._writer.clock
        started = clock.seconds()
        try:
            pause = await self._rotate()
        except DiskFull as full:
            raise DiskFullRefusal(f"no space for a snapshot: {full}") from full
        revision = self._writer.revision
        written = await self._run(Job(folder="", revision=revision, limits=self._limits), Written)
        self.last_revision = revision
        self._trim()
        report = SnapshotReport(
            revision,
            written.size_bytes,
            round((clock.seconds() - started) * 1_000),
            round(pause * 1_000_000),
        )
        _log.info("snapshot_written", **msgspec.structs.asdict(report))
        return report

    async def _rotate(self) -> float:
        """Begin a new segment; return for how long calls had to wait, in seconds."""
        # A rotation without a spare would zero-fill a whole segment while calls wait.
        for _ in range(_SPARE_STEPS_MAX):
            if self._writer.prepare_spare() or self._writer.failed.done():
                break
            await asyncio.sleep(0)
        started = self._writer.clock.seconds()
        self._writer.rotate()
        if self._writer.failed.done():
            raise Stopped("the server has failed: no snapshot was written")
        return self._writer.clock.seconds() - started

    def _trim(self) -> None:
        # The log stays from the older snapshot on: a damaged newest one loses nothing.
        names = list_snapshots(self._disk)
        if len(names) == SNAPSHOTS_KEPT:
            self._writer.log.trim(snapshot_sequence(names[0]) + 1)

    async def _verify(self) -> VerifyReport:
        clock = self._writer.clock
        started = clock.seconds()
        parts = []
        revisions = []
        for part in part_digests(self._writer.state):
            parts.append(part)
            revisions.append(self._writer.revision)
            await asyncio.sleep(0)
        job = Job(
            folder="",
            revision=revisions[-1],
            limits=self._limits,
            revisions=tuple(revisions),
            first_revision=self._writer.log.first_sequence,
        )
        folded = await self._run(job, Folded)
        findings = list(folded.findings)
        if len(folded.digests) == len(parts):
            findings.extend(
                f"memory and files differ in {name} at revision {revision}"
                for (name, mine), revision, theirs in zip(
                    parts, revisions, folded.digests, strict=True
                )
                if mine != theirs
            )
        return VerifyReport(
            not findings,
            tuple(findings),
            revisions[-1],
            digest((number, 0, part.encode()) for number, (_, part) in enumerate(parts)),
            folded.frame_count,
            round((clock.seconds() - started) * 1_000),
        )

    async def _run(self, job: Job, report: type[_Report]) -> _Report:
        job = msgspec.structs.replace(job, folder=str(self._folder))
        self._job = asyncio.ensure_future(self._beside(job))
        try:
            return msgspec.json.decode(await self._job, type=report)
        except asyncio.CancelledError:
            if self._is_stopped:
                raise Stopped("the server closes: what was under way is given up") from None
            self._job.cancel()
            raise

    async def stop(self) -> None:
        """Give up what is under way; the process beside the server has ended afterwards."""
        self._is_stopped = True
        if self._job is not None and not self._job.done():
            self._job.cancel()
            await asyncio.gather(self._job, return_exceptions=True)


async def run_beside(job: Job) -> bytes:
    """Do a job in a process of its own; where the caller is cancelled the process is ended."""
    return await run_module("domgrpc.engine.snapshotting", msgspec.json.encode(job))
