"""Repairs that only an operator may order: give up a damaged end, or save what can be read.

Neither ever happens by itself. Giving up the end (`plan_truncation`, `truncate`) is done in two
steps: the plan says what would be lost and has a digest, and the truncation wants that digest
back, so that nobody gives up anything else than what was looked at. What is given up stays in the
folder under other names; each repair leaves a line in `REPAIRS`. Saving (`salvage`) leaves the
damaged folder as it is and writes a new one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from xxhash import xxh3_64_hexdigest

from domgrpc.storage.belonging import salt_behind
from domgrpc.storage.disk import Disk
from domgrpc.storage.errors import Corruption, HistoryTrimmed, RepairRefused
from domgrpc.storage.frame import BLOCK_BYTES, Frame
from domgrpc.storage.log import Log
from domgrpc.storage.manifest import ManifestFile
from domgrpc.storage.reading import LogWalk, read_frames
from domgrpc.storage.segment import (
    SegmentHeader,
    decode_segment_header,
    first_sequence_of,
    list_segment_names,
    segment_name,
)
from domgrpc.storage.snapshot import (
    SnapshotReading,
    SnapshotWriter,
    list_snapshots,
    newest_whole_snapshot,
    snapshot_sequence,
)

REPAIRS_NAME: Final = "REPAIRS"
_CUT_PREFIX = "cut-"
_COPY_NAME = "repair.tmp"
_STEP_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Truncation:
    """What giving up everything behind a sequence would do."""

    sequence: int
    segment_name: str
    offset_bytes: int
    """Where in the segment the end goes."""
    given_up: tuple[str, ...]
    """Segments and snapshots that are put aside whole."""
    damage: Corruption | None
    """What is wrong behind the sequence; None where nothing is."""

    @property
    def digest(self) -> str:
        """What `truncate` wants to be told, so that it does this and nothing else."""
        parts = (self.sequence, self.segment_name, self.offset_bytes, *self.given_up)
        return xxh3_64_hexdigest(" ".join(map(str, parts)).encode())


def plan_truncation(disk: Disk, sequence: int) -> Truncation:
    """Find what giving up everything behind a sequence would do; changes nothing.

    The sequence must be the last of a group, because groups are kept whole or not at all. Raises
    `RepairRefused` where it is not, or where damage lies before it.
    """
    names = list_segment_names(disk)
    walk = LogWalk(disk, names)
    place: Frame | None = None
    damage: Corruption | None = None
    try:
        for frame in walk.frames():
            if frame.count and frame.last_sequence <= sequence:
                place = frame
    except Corruption as error:
        damage = error
    if place is None or place.last_sequence != sequence:
        reached = place.last_sequence if place is not None else 0
        raise RepairRefused(
            f"the log cannot be ended at {sequence}: the last whole group up to there ends with "
            f"{reached}. Give the last sequence of a group that is whole."
        )
    later = [name for name in names if first_sequence_of(name) > sequence]
    # Also the one right here, where the segment that it is tied to goes.
    tied = segment_name(sequence + 1) in later
    newer = [name for name in list_snapshots(disk) if snapshot_sequence(name) + tied > sequence]
    return Truncation(
        sequence=sequence,
        segment_name=place.segment_name,
        offset_bytes=place.offset_bytes + place.header.size_bytes,
        given_up=(*later, *newer),
        damage=damage,
    )


def truncate(disk: Disk, sequence: int, digest: str) -> Truncation:
    """Give up everything behind a sequence, as the plan of that digest says.

    May be interrupted and ordered again. Raises `RepairRefused` where the plan is another one
    now, and `FolderInUse`.
    """
    disk.lock()
    try:
        plan = plan_truncation(disk, sequence)
        if plan.digest != digest:
            raise RepairRefused(
                f"the folder is not what was looked at: the digest is {plan.digest} now, not "
                f"{digest}. Look again."
            )
        _give_up(disk, plan)
    finally:
        disk.unlock()
    return plan


def _give_up(disk: Disk, plan: Truncation) -> None:
    manifest = ManifestFile(disk)
    # The segment as it is, and as it will be, are whole on disk before anything has its name.
    _copy(disk, plan.segment_name, _CUT_PREFIX + plan.segment_name)
    header = _copy(disk, plan.segment_name, _COPY_NAME, kept_bytes=plan.offset_bytes)
    disk.sync_directory()
    for name in plan.given_up:
        disk.rename(name, _CUT_PREFIX + name)
    disk.rename(_COPY_NAME, plan.segment_name)
    disk.sync_directory()
    manifest.write(
        newest_sequence=first_sequence_of(plan.segment_name),
        newest_salt=header.salt,
        durable_sequence=plan.sequence,
    )
    manifest.close()
    put_aside = ", ".join(plan.given_up) or "nothing"
    _note(disk, f"truncated at {plan.sequence} ({plan.digest}); put aside {put_aside}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Salvaged:
    """What was saved into a new folder, and the damage that ended it."""

    first_sequence: int
    last_sequence: int
    records: int
    snapshot_sequence: int
    damage: Corruption | None


def salvage(
    source: Disk, target: Disk, *, segment_bytes: int, random_bytes: Callable[[int], bytes]
) -> Salvaged:
    """Write what can be read of a folder, from its newest whole snapshot on, into an empty one.

    Raises `RepairRefused` where the target is not empty, or where neither the beginning of the
    log nor a snapshot that it continues is whole.
    """
    if target.list_names():
        raise RepairRefused("the folder to save into is not empty: give a new one")
    snapshot = newest_whole_snapshot(source).facts
    begin = snapshot.last_sequence if snapshot is not None else 0
    names = list_segment_names(source)
    if snapshot is None and (not names or first_sequence_of(names[0]) != 1):
        raise RepairRefused("no snapshot is whole and the log has no beginning: nothing to save")
    log = Log.open(
        target,
        random_bytes=random_bytes,
        clock=lambda: 0.0,
        segment_bytes=segment_bytes,
        first_sequence=begin + 1,
        known_sequence=begin or None,
    )
    if snapshot is not None:
        # Behind the log, whose first segment it is tied to.
        _copy_snapshot(source, target, snapshot.name, random_bytes)
    records, damage = _copy_frames(source, log, begin)
    log.seal()
    log.close()
    target.unlock()
    return Salvaged(
        first_sequence=begin + 1,
        last_sequence=begin + records,
        records=records,
        snapshot_sequence=begin,
        damage=damage,
    )


def _copy(disk: Disk, name: str, copy_name: str, kept_bytes: int | None = None) -> SegmentHeader:
    """Copy a segment durably, with zeros behind the bytes that are kept; return its header."""
    if copy_name in disk.list_names():
        disk.unlink(copy_name)
    source = disk.open(name)
    target = disk.create(copy_name)
    try:
        size_bytes = disk.size_bytes(source)
        end_bytes = size_bytes if kept_bytes is None else kept_bytes
        for offset_bytes in range(0, size_bytes, _STEP_BYTES):
            step_bytes = min(_STEP_BYTES, size_bytes - offset_bytes)
            wanted_bytes = max(0, min(step_bytes, end_bytes - offset_bytes))
            kept = disk.read(source, wanted_bytes, offset_bytes) if wanted_bytes else b""
            disk.pwrite(target, kept.ljust(step_bytes, b"\0"), offset_bytes)
        disk.fdatasync(target)
        block = disk.read(target, BLOCK_BYTES, 0)
    finally:
        disk.close(source)
        disk.close(target)
    return decode_segment_header(name, block, size_bytes)


def _copy_snapshot(
    source: Disk, target: Disk, name: str, random_bytes: Callable[[int], bytes]
) -> None:
    sequence = snapshot_sequence(name)
    reading = SnapshotReading(source, name, sequence)
    log_salt = salt_behind(target, sequence)
    with SnapshotWriter(target, sequence, random_bytes=random_bytes, log_salt=log_salt) as writer:
        for chunk in reading.chunks():
            writer.write_chunk(chunk.kind, chunk.key, chunk.payload)
        assert reading.facts is not None
        writer.finish(reading.facts.state_digest)


def _copy_frames(source: Disk, log: Log, begin: int) -> tuple[int, Corruption | None]:
    """Append the groups behind a sequence until the end or the first damage."""
    records = 0
    try:
        for frame in read_frames(source, from_sequence=begin + 1):
            if frame.first_sequence <= begin:
                # A group is saved whole or not at all, and so is nothing behind it.
                return 0, _no_group(begin + 1, f"it in the group of {frame.first_sequence}")
            log.append(frame.first_sequence, frame.payload, frame.count)
            records += frame.count
    except HistoryTrimmed as gap:
        return 0, _no_group(begin + 1, f"{gap.first_sequence} as the first one")
    except Corruption as damage:
        return records, damage
    return records, None


def _no_group(sequence: int, found: str) -> Corruption:
    return Corruption(
        segment_name(sequence),
        offset_bytes=0,
        expected=f"a group that begins with sequence {sequence}, behind the snapshot",
        found=found,
        sequence=sequence,
    )


def _note(disk: Disk, text: str) -> None:
    """Add a line to the list of repairs."""
    names = disk.list_names()
    handle = (
        disk.open(REPAIRS_NAME, writable=True)
        if REPAIRS_NAME in names
        else disk.create(REPAIRS_NAME)
    )
    try:
        disk.pwrite(handle, f"{text}\n".encode(), disk.size_bytes(handle))
        disk.fdatasync(handle)
    finally:
        disk.close(handle)
    disk.sync_directory()
