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
from domgrpc.storage.errors import Corruption
from domgrpc.storage.frame import Frame
from domgrpc.storage.snapshot import (
    list_snapshots,
    read_snapshot,
    snapshot_sequence,
)


class Loaded(msgspec.Struct, frozen=True):
    """A state from a snapshot, and which one it was; revision 0 for none."""

    state: State
    snapshot_revision: int
    refused: tuple[Corruption, ...] = ()


def load_newest_snapshot(disk: Disk, limits: Limits) -> Loaded:
    """Build the state of the newest whole snapshot, an empty one where there is none.

    A damaged snapshot is passed over for the one before it; the log is kept from that one on.
    """
    refused: list[Corruption] = []
    for name in reversed(list_snapshots(disk)):
        try:
            state = _load(disk, name, limits)
        except Corruption as damage:
            refused.append(damage)
            continue
        return Loaded(state, snapshot_sequence(name), tuple(refused))
    return Loaded(State(limits), 0, tuple(refused))


def replay_frames(state: State, frames: Iterable[Frame], *, last_revision: int) -> int:
    """Apply the records behind the state's revision, up to another; return how many."""
    count = 0
    with collector_paused():
        for record in _records(frames):
            if state.revision < record.revision <= last_revision:
                replay(state, record)
                count += 1
    return count


def _load(disk: Disk, name: str, limits: Limits) -> State:
    state = State(limits)
    with collector_paused():
        for chunk in read_snapshot(disk, name):
            load_chunk(state, chunk.kind, chunk.key, chunk.payload)
    return state


def _records(frames: Iterable[Frame]) -> Iterator[Record]:
    for frame in frames:
        yield from decode_records(frame.payload, frame.count)


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
