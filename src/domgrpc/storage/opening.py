"""Opens the segments of a folder for writing: reads all, then repairs what a crash explains.

Repair means two things and no others: zeros go over what an interrupted write left at the very
end, and a segment gets its last frame when the writer died between making the next segment and
writing it. Both may be interrupted and done again any number of times.
"""

from dataclasses import dataclass

from domgrpc.storage.disk import Disk
from domgrpc.storage.errors import Corruption
from domgrpc.storage.frame import RECORDS
from domgrpc.storage.manifest import Manifest
from domgrpc.storage.reading import LogWalk, SegmentEnd
from domgrpc.storage.segment import SegmentHeader, list_segment_names, segment_name
from domgrpc.storage.writer import SegmentWriter


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundLog:
    """What a folder held, repaired and ready for the next frame; no writer in an empty one."""

    segments: tuple[SegmentHeader, ...]
    writer: SegmentWriter | None
    next_sequence: int
    unsealed: bool
    frames: int
    records: int
    torn_bytes: int


def open_segments(
    disk: Disk, manifest: Manifest, *, first_sequence: int, known_sequence: int | None
) -> FoundLog:
    """Read every segment, check all against manifest and `known_sequence`, repair, open the last.

    `first_sequence` is where the log of an empty folder starts.
    """
    # A run that was killed may have left names that only the kernel knows of. What is written
    # below refers to them, so they must not vanish when the power goes.
    disk.sync_directory()
    walk = LogWalk(disk, list_segment_names(disk), settle=True)
    frames, records, unsealed = 0, 0, False
    for frame in walk.frames():
        unsealed = frame.kind == RECORDS
        frames += unsealed
        records += frame.count
    next_sequence = walk.ends[-1].next_sequence if walk.ends else first_sequence
    _check_listed(walk, manifest, next_sequence)
    if known_sequence is not None:
        oldest_sequence = walk.ends[0].header.first_sequence if walk.ends else first_sequence
        _check_known(oldest_sequence, next_sequence, known_sequence)
    torn_bytes = sum(end.tail.torn_bytes for end in walk.ends)
    if walk.unclosed is not None:
        next_salt = walk.ends[-1].header.salt
        _open_end(disk, walk.unclosed).end(next_sequence=next_sequence, next_salt=next_salt)
    return FoundLog(
        segments=tuple(end.header for end in walk.ends),
        writer=_open_end(disk, walk.ends[-1]) if walk.ends else None,
        next_sequence=next_sequence,
        # A segment that was made after the last record proves it durable, as a seal does.
        unsealed=unsealed and next_sequence > walk.ends[-1].header.first_sequence,
        frames=frames,
        records=records,
        torn_bytes=torn_bytes,
    )


def _open_end(disk: Disk, end: SegmentEnd) -> SegmentWriter:
    """Open a segment where its last whole frame ends, with only zeros on disk behind that."""
    writer = SegmentWriter(
        disk,
        disk.open(end.name, writable=True),
        header=end.header,
        offset_bytes=end.tail.offset_bytes,
        last_crc=end.last_crc,
    )
    if end.tail.torn_bytes:
        writer.zero_to(end.tail.torn_end_bytes)
    return writer


def _check_listed(walk: LogWalk, manifest: Manifest, next_sequence: int) -> None:
    """Check that nothing is gone from the end of the log that the manifest knows of."""
    newest = manifest.newest_sequence
    if newest and not any(
        (end.header.first_sequence, end.header.salt) == (newest, manifest.newest_salt)
        for end in walk.ends
    ):
        raise Corruption(
            segment_name(newest),
            offset_bytes=0,
            expected="the segment that the MANIFEST names",
            found="no such file, or one of another log or another time",
            sequence=newest,
        )
    if next_sequence <= manifest.durable_sequence:
        last = walk.ends[-1]
        raise Corruption(
            last.name,
            offset_bytes=last.tail.offset_bytes,
            expected=f"records up to sequence {manifest.durable_sequence} at least, which the"
            " MANIFEST says were durable",
            found=f"{next_sequence - 1} as the last one: the end is lost, or an older copy was"
            " put back",
            sequence=manifest.durable_sequence,
        )


def _check_known(oldest_sequence: int, next_sequence: int, known_sequence: int) -> None:
    if oldest_sequence <= known_sequence + 1 <= next_sequence:
        return
    raise Corruption(
        segment_name(min(oldest_sequence, known_sequence + 1)),
        offset_bytes=0,
        expected=f"records up to sequence {known_sequence} at least, which a snapshot proves"
        " durable, and none missing behind it",
        found=f"{oldest_sequence} to {next_sequence - 1}: segments are missing",
        sequence=known_sequence,
    )
