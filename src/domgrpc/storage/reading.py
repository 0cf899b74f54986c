"""Reads the log over its segments, oldest first, and checks that each follows the one before.

Needs no lock and changes nothing, so that another process may read while one writes: it gives
the last sequence that it knows to be durable and never looks behind it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from domgrpc.storage.disk import Disk
from domgrpc.storage.errors import Corruption, HistoryTrimmed, StorageFault
from domgrpc.storage.frame import RECORDS, Frame
from domgrpc.storage.segment import (
    SegmentHeader,
    first_sequence_of,
    list_segment_names,
    segment_name,
)
from domgrpc.storage.walk import SegmentWalk, Tail, Window


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentEnd:
    """The state of one segment after all its frames were read."""

    name: str
    header: SegmentHeader
    frames: int
    next_sequence: int
    last_crc: int
    tail: Tail
    next_salt: bytes | None


class LogWalk:
    """Every frame of some neighbouring segments in order, up to the end of the log.

    After the last frame, `ends` holds one entry for each segment, and `unclosed` the one before
    the last when a crash came between making the last one and closing the one before it.
    """

    __slots__ = ("_disk", "_names", "_settle", "ends", "unclosed")

    def __init__(self, disk: Disk, names: tuple[str, ...], *, settle: bool = False) -> None:
        """Read the named segments; `settle` makes each durable first and reads past the cache."""
        self._disk = disk
        self._names = names
        self._settle = settle
        self.ends: list[SegmentEnd] = []
        self.unclosed: SegmentEnd | None = None

    def frames(self) -> Iterator[Frame]:
        """Yield the frames with records and the seals; raises `Corruption` at the first damage.

        A segment that the writer trims while it is read here ends in `HistoryTrimmed`.
        """
        for name in self._names:
            try:
                yield from self._segment_frames(name)
            except (Corruption, StorageFault) as error:
                kept = list_segment_names(self._disk)
                if name in kept or not kept:
                    raise
                raise HistoryTrimmed(
                    from_sequence=first_sequence_of(name), first_sequence=first_sequence_of(kept[0])
                ) from error
        if self.ends and self.ends[-1].next_salt is not None:
            raise Corruption(
                segment_name(self.ends[-1].next_sequence),
                offset_bytes=0,
                expected=f"the segment that follows {self.ends[-1].name}",
                found="no such file",
                sequence=self.ends[-1].next_sequence,
            )

    def _segment_frames(self, name: str) -> Iterator[Frame]:
        handle = self._disk.open(name)
        try:
            if self._settle:
                self._disk.settle(handle)
            walk = SegmentWalk(name, Window(self._disk, handle))
            if self.ends:
                self._check_link(self.ends[-1], walk)
            for frame in walk.frames():
                if self.unclosed is not None:
                    self._check_closed()
                yield frame
            tail = walk.judge_tail()
            if tail.torn_bytes or walk.next_salt is not None:
                self._check_closed()
        finally:
            self._disk.close(handle)
        self.ends.append(
            SegmentEnd(
                name=name,
                header=walk.header,
                frames=walk.frames_with_records,
                next_sequence=walk.next_sequence,
                last_crc=walk.last_crc,
                tail=tail,
                next_salt=walk.next_salt,
            )
        )

    def _check_link(self, before: SegmentEnd, walk: SegmentWalk) -> None:
        """Check that a segment is the one that follows another, by all that ties them."""
        header = walk.header
        if before.next_salt is None:
            # Legal only when the writer died after making this segment and before closing the
            # one before it; then nothing was ever written here.
            self.unclosed = before
        if header.first_sequence != before.next_sequence:
            self._check_closed()
            raise Corruption(
                segment_name(before.next_sequence),
                offset_bytes=0,
                expected=f"the segment that follows {before.name}",
                found=f"no such file, {walk.name} comes next",
                sequence=before.next_sequence,
            )
        tie = (header.previous_salt, header.previous_crc, before.next_salt or header.salt)
        if tie != (before.header.salt, before.last_crc, header.salt):
            raise Corruption(
                walk.name,
                offset_bytes=0,
                expected=f"the segment that follows {before.name}",
                found="a segment of another log, or of another time",
                sequence=header.first_sequence,
            )

    def _check_closed(self) -> None:
        if self.unclosed is not None:
            raise Corruption(
                self.unclosed.name,
                offset_bytes=self.unclosed.tail.offset_bytes,
                expected=f"a frame for sequence {self.unclosed.next_sequence}, because later"
                " segments exist",
                found="none",
                sequence=self.unclosed.next_sequence,
            )


def read_frames(
    disk: Disk, *, from_sequence: int = 0, last_sequence: int | None = None
) -> Iterator[Frame]:
    """Yield the frames with records from the one that holds a sequence up to another.

    The first frame may start before `from_sequence`; zero asks for the oldest kept. Without a
    `last_sequence` it reads to the end of the log and leaves out an interrupted write; with one
    it never looks further, and a log that ends earlier is `Corruption`. Raises `HistoryTrimmed`.
    """
    names = list_segment_names(disk)
    first_sequence = first_sequence_of(names[0]) if names else 1
    if 0 < from_sequence < first_sequence:
        raise HistoryTrimmed(from_sequence=from_sequence, first_sequence=first_sequence)
    if last_sequence is not None and max(from_sequence, first_sequence) > last_sequence:
        return
    older = sum(first_sequence_of(name) <= from_sequence for name in names)
    walk = LogWalk(disk, names[max(older - 1, 0) :])
    reached_sequence = first_sequence - 1
    for frame in walk.frames():
        header = frame.header
        reached_sequence = header.first_sequence + header.count - 1
        if header.kind == RECORDS and reached_sequence >= from_sequence:
            yield frame
        if last_sequence is not None and reached_sequence >= last_sequence:
            return
    if last_sequence is not None:
        raise Corruption(
            names[-1] if names else segment_name(1),
            offset_bytes=0,
            expected=f"records up to sequence {last_sequence}",
            found=f"{reached_sequence} as the last one",
            sequence=reached_sequence,
        )
