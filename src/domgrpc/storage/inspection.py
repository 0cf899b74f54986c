"""Looks at a log without opening it: for people, and for a check beside a running server.

Needs no lock and changes nothing. In `verify_log` damage is a result, not an error.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from domgrpc.storage.disk import Disk
from domgrpc.storage.errors import Corruption, HistoryTrimmed
from domgrpc.storage.frame import RECORDS, Frame
from domgrpc.storage.reading import LogWalk, SegmentEnd
from domgrpc.storage.segment import first_sequence_of, list_segment_names


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFacts:
    """What a log holds up to its end, up to a given sequence, or up to the first damage.

    `segments` are those that were read to their end. `torn_bytes` is what an interrupted write
    left, which the next start cuts off.
    """

    segments: tuple[SegmentEnd, ...]
    frames: int
    records: int
    first_sequence: int
    last_sequence: int
    torn_bytes: int
    damage: Corruption | None


def inspect_log(disk: Disk) -> Iterator[Frame]:
    """Yield every frame with its place, seals too, oldest first; raises `Corruption`."""
    return LogWalk(disk, list_segment_names(disk)).frames()


def verify_log(disk: Disk, *, last_sequence: int | None = None) -> LogFacts:
    """Read the whole log, or up to a sequence that is known to be durable.

    Beside a running server give the sequence. Without it the end of the log is read while it is
    written, so what then looks like damage, or was trimmed meanwhile, is read a second time.
    """
    with suppress(HistoryTrimmed):
        facts = _read_through(disk, last_sequence)
        if facts.damage is None:
            return facts
    return _read_through(disk, last_sequence)


def _read_through(disk: Disk, last_sequence: int | None) -> LogFacts:
    frames, records, damage = 0, 0, None
    first_sequence = 1
    walk = LogWalk(disk, ())
    try:
        names = list_segment_names(disk)
        first_sequence = first_sequence_of(names[0]) if names else 1
        walk = LogWalk(disk, names)
        for frame in walk.frames():
            frames += frame.kind == RECORDS
            records += frame.count
            if last_sequence is not None and frame.last_sequence >= last_sequence:
                break
    except Corruption as error:
        damage = error
    return LogFacts(
        segments=tuple(walk.ends),
        frames=frames,
        records=records,
        first_sequence=first_sequence,
        last_sequence=first_sequence + records - 1,
        torn_bytes=sum(end.tail.torn_bytes for end in walk.ends),
        damage=damage,
    )
