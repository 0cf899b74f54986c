"""The log: records in order, durable when `append` returns, read back whole or not at all.

The log is a row of segments (files). A group of records becomes one frame: one write, one sync.
Frames and segments are chained by checksums, so that nothing can vanish, move or come back from
another time without being noticed. Opening reads everything, cuts off what an interrupted write
left at the very end, and refuses whatever else is not right.

A log object that met a fault refuses every further call: after a failed sync nobody knows what
is on disk, and only a restart reads it again. Running out of space is no fault: the append is
refused, nothing of it stays, and it may be repeated.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Self

from domgrpc.storage.disk import Disk
from domgrpc.storage.errors import Corruption, DiskFull, OutOfSequence, StorageFault
from domgrpc.storage.frame import (
    BLOCK_BYTES,
    COUNT_MAX,
    FRAME_HEADER_BYTES,
    PAYLOAD_BYTES_MAX,
    RECORDS,
    SALT_BYTES,
    SEAL,
    TRAILER_BYTES,
    Frame,
)
from domgrpc.storage.manifest import ManifestFile
from domgrpc.storage.opening import FoundLog, open_segments
from domgrpc.storage.reading import read_frames
from domgrpc.storage.segment import SEGMENT_BYTES_DEFAULT, SEGMENT_BYTES_MIN, segment_name
from domgrpc.storage.spare import STEP_BYTES_DEFAULT, Spare
from domgrpc.storage.trash import Trash
from domgrpc.storage.writer import SegmentWriter, start_segment


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryReport:
    """What opening a log found, and what it cut off."""

    segments: int
    frames: int
    records: int
    first_sequence: int
    last_sequence: int
    torn_bytes_cut: int
    epoch: int
    manifest_damage: Corruption | None
    seconds: float


class Log:
    """The open log of one folder, made by `Log.open`; for one task of one process."""

    __slots__ = (
        "_disk",
        "_epoch",
        "_guard",
        "_manifest",
        "_next_sequence",
        "_random_bytes",
        "_segments",
        "_spare",
        "_trash",
        "_unsealed",
        "_writer",
        "payload_bytes_max",
        "recovery_report",
    )

    @classmethod
    def open(
        cls,
        disk: Disk,
        *,
        random_bytes: Callable[[int], bytes],
        clock: Callable[[], float],
        segment_bytes: int = SEGMENT_BYTES_DEFAULT,
        first_sequence: int = 1,
        known_sequence: int | None = None,
    ) -> Self:
        """Lock the folder, read the whole log and make it ready for the next append.

        An empty folder gets a log that starts at `first_sequence`. `known_sequence` is the last
        one that something else (the newest snapshot; zero if there is none) proves to have been
        durable: a log that ends before it, or starts after the one that follows, is `Corruption`.
        `random_bytes` makes the salt of each segment, `clock` gives seconds for the report.
        Raises `FolderInUse`, `Corruption`, `FormatTooNew`, `DiskFull` or `StorageFault`.
        """
        if segment_bytes % BLOCK_BYTES or segment_bytes < SEGMENT_BYTES_MIN:
            raise ValueError(
                f"segment_bytes is {segment_bytes}; it must be a multiple of {BLOCK_BYTES}"
                f" and at least {SEGMENT_BYTES_MIN}"
            )
        started_seconds = clock()
        disk.lock()
        manifest = ManifestFile(disk)
        try:
            found = open_segments(
                disk, manifest.current, first_sequence=first_sequence, known_sequence=known_sequence
            )
        except BaseException:
            manifest.close()
            raise
        spare = Spare(disk, segment_bytes)
        log = cls(disk, found, random_bytes=random_bytes, spare=spare, manifest=manifest)
        log.recovery_report = RecoveryReport(
            segments=len(log._segments),
            frames=found.frames,
            records=found.records,
            first_sequence=log.first_sequence,
            last_sequence=log.last_sequence,
            torn_bytes_cut=found.torn_bytes,
            epoch=log._epoch,
            manifest_damage=manifest.damage,
            seconds=clock() - started_seconds,
        )
        return log

    def __init__(
        self,
        disk: Disk,
        found: FoundLog,
        *,
        random_bytes: Callable[[int], bytes],
        spare: Spare,
        manifest: ManifestFile,
    ) -> None:
        """Take over what `open` found; an empty folder gets its first segment here."""
        self.recovery_report: RecoveryReport
        self._disk = disk
        self._random_bytes = random_bytes
        self._spare = spare
        room_bytes = spare.size_bytes - 2 * BLOCK_BYTES
        self.payload_bytes_max = min(
            PAYLOAD_BYTES_MAX, room_bytes - FRAME_HEADER_BYTES - TRAILER_BYTES
        )
        """The longest payload that `append` takes."""
        self._trash = Trash(disk)
        self._guard = _Guard()
        self._next_sequence = found.next_sequence
        self._unsealed = found.unsealed
        self._segments = list(found.segments)
        self._manifest = manifest
        self._epoch = manifest.current.epoch + 1
        self._writer = found.writer or self._start_segment(None)
        if found.writer is None:
            # A new folder; any other is left as it is until the first record of this run.
            self._note_durable()

    @property
    def first_sequence(self) -> int:
        """The oldest sequence kept, or the next one while the log has no records."""
        return self._segments[0].first_sequence

    @property
    def last_sequence(self) -> int:
        """The last durable sequence, one less than the first while the log has no records."""
        return self._next_sequence - 1

    @property
    def size_bytes(self) -> int:
        """The space that the segments take on disk, without the spare and what was trimmed."""
        return sum(header.size_bytes for header in self._segments)

    @property
    def spare_ready(self) -> bool:
        """Whether the next rotation finds a segment that is made already."""
        return self._spare.ready

    def has_room(self, payload_bytes: int) -> bool:
        """Whether appends of so many bytes together need no new space from the disk."""
        return self._spare.ready or self._writer.has_room(payload_bytes)

    def append(self, expected_sequence: int, payload: bytes, count: int) -> int:
        """Make a group of records durable and return the sequence of the last one.

        The records get the sequences from `expected_sequence` on, which must be the next one
        (`OutOfSequence`). One write and one sync; at the end of a segment also a rotation. After
        `DiskFull` the log is as before. After a `StorageFault` it is unknown whether the group
        is durable, and the log refuses every further call.
        """
        if expected_sequence != self._next_sequence:
            raise OutOfSequence(
                expected_sequence=expected_sequence, next_sequence=self._next_sequence
            )
        if not 0 < count <= COUNT_MAX or len(payload) > self.payload_bytes_max:
            raise ValueError(
                f"a group of {count} records in {len(payload)} bytes; it must have 1 to"
                f" {COUNT_MAX} records and at most {self.payload_bytes_max} bytes"
            )
        with self._guard:
            if self._manifest.current.epoch != self._epoch:
                # Before the first record of a run: its epoch, and what it found durable.
                self._note_durable()
            if not self._writer.has_room(len(payload)):
                self._rotate()
            self._writer.write(payload, kind=RECORDS, count=count, first_sequence=expected_sequence)
            self._unsealed = True
            self._next_sequence += count
        return self._next_sequence - 1

    def seal(self) -> bool:
        """Prove the last group durable, so that damage to it can never look like a torn write.

        For idle moments and before `close`: two writes and syncs of 4 KiB, the second that of the
        manifest, which proves that the end was there at all. Returns whether
        there was anything to seal.
        """
        with self._guard:
            if not self._unsealed:
                return False
            if self._writer.has_room(0):
                self._writer.write(b"", kind=SEAL, count=0, first_sequence=self._next_sequence)
                self._unsealed = False
                self._write_manifest()
            else:
                self._rotate()
            return True

    def rotate(self) -> bool:
        """Start a new segment, so that `trim` can remove this one later.

        Returns False, and does nothing, when the current segment has no records.
        """
        with self._guard:
            if self._writer.header.first_sequence == self._next_sequence:
                return False
            self._rotate()
            return True

    def prepare_spare(self, step_bytes: int = STEP_BYTES_DEFAULT) -> bool:
        """Do one step of the work that can be done ahead; return whether all of it is done.

        Gives the space of trimmed segments back (4 MiB a step), then makes the next segment
        (`step_bytes` a step, written and synced). A step takes about 1 ms, 3 on a slow disk. On
        `DiskFull` the space that the next segment took so far is given back.
        """
        with self._guard:
            return not self._trash.step() and self._spare.step(step_bytes)

    def read(self, from_sequence: int) -> Iterator[Frame]:
        """Yield the frames with records, from the one that holds a sequence to the last durable.

        The first may start before `from_sequence`. Raises `HistoryTrimmed` or `Corruption`.
        """
        with self._guard:
            last_sequence = self.last_sequence
        return read_frames(self._disk, from_sequence=from_sequence, last_sequence=last_sequence)

    def trim(self, before_sequence: int) -> list[str]:
        """Drop the segments whose records are all older than a sequence; return their names.

        The current segment always stays. Costs a rename and a sync of the folder for each; the
        space comes back while `prepare_spare` is called.
        """
        removed: list[str] = []
        with self._guard:
            while len(self._segments) > 1 and self._segments[1].first_sequence <= before_sequence:
                # Oldest first and each durable before the next: a crash leaves no gap.
                name = segment_name(self._segments[0].first_sequence)
                self._trash.add(name)
                del self._segments[0]
                removed.append(name)
            if removed:
                self._write_manifest()
        return removed

    def close(self) -> None:
        """Close the files; the lock stays with the disk. `seal` first for an orderly end."""
        with self._guard:
            self._write_manifest()
            self._manifest.close()
            self._writer.close()
            self._spare.close()
        self._guard.fault = StorageFault("the log was closed")

    def _rotate(self) -> None:
        before = self._writer
        writer = self._start_segment(before)
        try:
            # The new segment is durable by name. Only now may the old one say that it exists:
            # the other way round a crash in between would look like a lost segment.
            before.end(next_sequence=self._next_sequence, next_salt=writer.header.salt)
        except DiskFull as full:
            # Half a rotation cannot be taken back while running; a restart completes it.
            raise StorageFault(f"No space to close a segment. {full} Restart.") from full
        self._unsealed = False
        self._writer = writer
        self._write_manifest()

    def _write_manifest(self) -> None:
        try:
            self._note_durable()
        except DiskFull as full:
            # It only writes over blocks that it has: a disk that refuses that is broken.
            raise StorageFault(f"The manifest cannot be written. {full} Restart.") from full

    def _note_durable(self) -> None:
        self._manifest.write(
            epoch=self._epoch,
            oldest_sequence=self._segments[0].first_sequence,
            newest_sequence=self._writer.header.first_sequence,
            newest_salt=self._writer.header.salt,
            durable_sequence=self.last_sequence,
        )

    def _start_segment(self, before: SegmentWriter | None) -> SegmentWriter:
        writer = start_segment(
            self._disk,
            self._spare,
            salt=self._random_bytes(SALT_BYTES),
            first_sequence=self._next_sequence,
            before=before,
        )
        self._segments.append(writer.header)
        return writer


class _Guard:
    """A block of work on a log that no fault may have met: remembers the first, refuses the rest.

    Every append enters one, so it is made once for each log and is no generator.
    """

    __slots__ = ("fault",)

    def __init__(self) -> None:
        self.fault: BaseException | None = None

    def __enter__(self) -> None:
        if self.fault is not None:
            raise StorageFault(
                f"The log refuses all work since a fault: {self.fault} Restart and recover."
            ) from self.fault

    def __exit__(self, _kind: object, fault: BaseException | None, _trace: object) -> None:
        # Whatever broke in, the file may now hold more than the log knows.
        if fault is not None and not isinstance(fault, DiskFull):
            self.fault = fault
