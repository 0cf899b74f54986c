"""Recovery: the newest whole snapshot, the later records of the log, the same state again.

Records are applied by the same code that applied them when they were new. What memory holds
afterwards is checked against itself before the first call is answered.
"""

import gc
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import msgspec

from domgrpc.core.events import Record
from domgrpc.core.machine import replay
from domgrpc.core.state import State
from domgrpc.core.values import Limits
from domgrpc.engine.dump import load_chunk
from domgrpc.engine.records import decode_records
from domgrpc.storage.disk import Disk
from domgrpc.storage.errors import Corruption, FormatTooNew
from domgrpc.storage.frame import Frame, frame_bytes
from domgrpc.storage.segment import list_segment_names
from domgrpc.storage.snapshot import (
    SnapshotFacts,
    SnapshotReading,
    check_belongs,
    list_snapshots,
    snapshot_sequence,
)

_KNOWN = "the records and chunks of format version 1"


class Loaded(msgspec.Struct, frozen=True):
    """A state from a snapshot, and which one it was; revision 0 for none."""

    state: State
    snapshot_revision: int
    refused: tuple[Corruption, ...] = ()
    facts: SnapshotFacts | None = None
    """What the snapshot says of itself; None for none."""


def load_newest_snapshot(disk: Disk, limits: Limits) -> Loaded:
    """Build the state of the newest whole snapshot, an empty one where there is none.

    A damaged snapshot, or one of another log, is passed over for the one before it; the log is
    kept from that one on.
    """
    refused: list[Corruption] = []
    for name in reversed(list_snapshots(disk)):
        try:
            state, facts = _load(disk, name, limits)
        except Corruption as damage:
            refused.append(damage)
            continue
        return Loaded(state, snapshot_sequence(name), tuple(refused), facts)
    return Loaded(State(limits), 0, tuple(refused))


class Replayed(msgspec.Struct, frozen=True):
    """How much was applied: records, and the bytes of the frames that held them."""

    record_count: int
    frame_bytes: int


def replay_frames(state: State, frames: Iterable[Frame], *, last_revision: int) -> Replayed:
    """Apply the records behind the state's revision, up to another."""
    first_revision = state.revision
    size_bytes = 0
    with collector_paused():
        for frame in frames:
            size_bytes += frame_bytes(len(frame.payload))
            _replay_frame(state, frame, first_revision, last_revision)
    return Replayed(state.revision - first_revision, size_bytes)


def check_recovered(state: State, disk: Disk) -> None:
    """Raise Corruption where the recovered state contradicts itself."""
    try:
        state.check_invariants()
    except MemoryError:
        raise
    except Exception as error:
        names = (*list_snapshots(disk), *list_segment_names(disk), "the folder")
        raise Corruption(
            names[0],
            offset_bytes=0,
            expected=f"files that make one state, this and {len(names) - 2} later ones",
            found="values that contradict each other",
            sequence=state.revision,
        ) from error


def _replay_frame(state: State, frame: Frame, after_revision: int, last_revision: int) -> None:
    for record in _records_of(frame):
        if after_revision < record.revision <= last_revision:
            _replay_one(state, record, frame)


def _replay_one(state: State, record: Record, frame: Frame) -> None:
    try:
        replay(state, record)
    except MemoryError:
        raise
    except Exception as error:
        # Its checksum is right and its words are known, so somebody wrote it like this.
        raise Corruption(
            frame.segment_name,
            offset_bytes=frame.offset_bytes,
            expected="a record that follows from those before it",
            found="one that does not",
            sequence=record.revision,
        ) from error


def _load(disk: Disk, name: str, limits: Limits) -> tuple[State, SnapshotFacts]:
    state = State(limits)
    reading = SnapshotReading(disk, name, snapshot_sequence(name))
    with collector_paused():
        for chunk in reading.chunks():
            try:
                load_chunk(state, chunk.kind, chunk.key, chunk.payload)
            except (KeyError, msgspec.DecodeError) as error:
                # Its checksum is right, so somebody wrote it like this.
                found = f"a chunk of kind {chunk.kind} that is not understood ({error})"
                raise FormatTooNew(name, found=found, known=_KNOWN) from error
            except MemoryError:
                raise
            except Exception as error:  # whatever senseless values bring about
                raise Corruption(
                    name,
                    offset_bytes=0,
                    expected="chunks that fit together",
                    found=f"one of kind {chunk.kind} that does not",
                    sequence=snapshot_sequence(name),
                ) from error
    assert reading.facts is not None
    check_belongs(disk, reading.facts)
    return state, reading.facts


def _records_of(frame: Frame) -> list[Record]:
    try:
        records = decode_records(frame.payload, frame.count)
    except ValueError as error:
        # What msgspec raises, also for text that is no UTF-8.
        place = f"byte {frame.offset_bytes} (sequence {frame.first_sequence})"
        found = f"a group at {place} that is not understood ({error})"
        raise FormatTooNew(frame.segment_name, found=found, known=_KNOWN) from error
    for sequence, record in enumerate(records, start=frame.first_sequence):
        if record.revision != sequence:
            raise Corruption(
                frame.segment_name,
                offset_bytes=frame.offset_bytes,
                expected=f"the record of revision {sequence}",
                found=f"that of revision {record.revision}",
                sequence=sequence,
            )
    return records


@contextmanager
def collector_paused() -> Iterator[None]:
    """Build many long-lived objects without the cyclic collector looking at them again and again.

    Nothing that recovery builds is a cycle; without this a large state loads several times slower.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
