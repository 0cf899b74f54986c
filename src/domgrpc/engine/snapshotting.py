"""What the process beside the server does: write a snapshot, or fold the files anew to compare.

Run as a program (`python -m domgrpc.engine.snapshotting`) it reads one `Job` as JSON from its
standard input and writes one report as JSON to its standard output. It recovers as a restart
does, so that every snapshot is also a rehearsal of one; it needs memory for a second state.
"""

import gc
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from importlib.metadata import version
from pathlib import Path

import msgspec

from domgrpc.core.state import State
from domgrpc.core.values import Limits
from domgrpc.engine.dump import digest, dump, part_digests
from domgrpc.engine.recovery import Loaded, load_newest_snapshot, replay_frames
from domgrpc.storage.belonging import salt_behind
from domgrpc.storage.disk import Disk, LocalDisk
from domgrpc.storage.errors import Corruption
from domgrpc.storage.inspection import verify_log
from domgrpc.storage.reading import read_frames
from domgrpc.storage.snapshot import (
    WRITER_VERSION_BYTES_MAX,
    SnapshotWriter,
    check_snapshot,
    list_snapshots,
    remove_old_snapshots,
    snapshot_sequence,
)

SNAPSHOTS_KEPT = 2
_NICENESS = 10


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """What to do. Without `revisions` a snapshot at `revision`; with them, digests.

    `revisions` are the ones at which the server took the digest of each part, so never falling;
    `revision` is the last of them, and `first_revision` the oldest one that the log must still
    hold.
    """

    folder: str
    revision: int
    limits: Limits
    revisions: tuple[int, ...] = ()
    first_revision: int = 1


class Written(msgspec.Struct, frozen=True):
    """A snapshot was written."""

    revision: int
    size_bytes: int


class Folded(msgspec.Struct, frozen=True):
    """The files were read and folded: the digests in the order of the job's revisions."""

    digests: tuple[str, ...]
    frame_count: int
    findings: tuple[str, ...]


def write_snapshot(
    disk: Disk, job: Job, *, random_bytes: Callable[[int], bytes] = os.urandom
) -> Written:
    """Rebuild the state at a revision from the files and write it as a snapshot."""
    loaded = load_newest_snapshot(disk, job.limits)
    state = loaded.state
    _replay_to(disk, state, job.revision)
    with SnapshotWriter(
        disk,
        job.revision,
        random_bytes=random_bytes,
        writer_version=writer_version(),
        log_salt=salt_behind(disk, job.revision),
    ) as writer:
        state_digest = digest(_written(writer, dump(state)))
        facts = writer.finish(bytes.fromhex(state_digest))
    # A damaged one is no safety net, so it must not count as one of those that are kept.
    for damage in loaded.refused:
        if damage.file_name != facts.name:
            disk.unlink(damage.file_name)
    # Here rather than in the server: unlinking a large file takes a while.
    remove_old_snapshots(disk, keep=SNAPSHOTS_KEPT)
    return Written(job.revision, facts.size_bytes)


def fold_files(disk: Disk, job: Job) -> Folded:
    """Read everything again, and take the digests at the revisions at which the server did."""
    facts = verify_log(disk, last_sequence=job.revision)
    if facts.damage is not None:
        return Folded((), facts.frames, (str(facts.damage),))
    findings = []
    if facts.first_sequence != job.first_revision:
        findings.append(
            f"the log starts with revision {facts.first_sequence}, not {job.first_revision}"
        )
    loaded = load_newest_snapshot(disk, job.limits)
    findings.extend(str(damage) for damage in loaded.refused)
    findings.extend(_damage_of_older_snapshots(disk, loaded.snapshot_revision))
    findings.extend(_loss_of_loading(loaded))
    state = loaded.state
    parts = part_digests(state)
    digests = []
    for revision in job.revisions:
        _replay_to(disk, state, revision)
        # Where the files hold fewer answers than memory there is no such part.
        digests.append(next(parts, ("", ""))[1])
    try:
        state.check_invariants()
    except AssertionError as broken:
        findings.append(f"the state folded from the files contradicts itself: {broken!r}")
    return Folded(tuple(digests), facts.frames, tuple(findings))


@cache
def writer_version() -> str:
    """Return what this program writes into the head of a snapshot; looked up once, in files."""
    return f"domgrpc {version('domgrpc')}"[:WRITER_VERSION_BYTES_MAX]


def _written(
    writer: SnapshotWriter, chunks: Iterable[tuple[int, int, bytes]]
) -> Iterator[tuple[int, int, bytes]]:
    for chunk in chunks:
        writer.write_chunk(*chunk)
        yield chunk


def _loss_of_loading(loaded: Loaded) -> Iterator[str]:
    # Another version may have written the same state with more fields or fewer.
    facts = loaded.facts
    if facts is None or facts.writer_version != writer_version():
        return
    if bytes.fromhex(digest(dump(loaded.state))) != facts.state_digest:
        yield f"{facts.name} does not make the state that it was written from"


def _damage_of_older_snapshots(disk: Disk, loaded_revision: int) -> Iterator[str]:
    # They are what a start falls back on.
    for name in list_snapshots(disk):
        if snapshot_sequence(name) < loaded_revision:
            try:
                check_snapshot(disk, name)
            except Corruption as damage:
                yield str(damage)


def _replay_to(disk: Disk, state: State, revision: int) -> None:
    if state.revision < revision:
        frames = read_frames(disk, from_sequence=state.revision + 1, last_sequence=revision)
        replay_frames(state, frames, last_revision=revision)


def main() -> None:
    """Do the job that standard input describes."""
    os.nice(_NICENESS)
    # The state is built once and never has cycles; the process ends right after.
    gc.disable()
    job = msgspec.json.decode(sys.stdin.buffer.read(), type=Job)
    disk = LocalDisk(Path(job.folder), make=False)
    report = fold_files(disk, job) if job.revisions else write_snapshot(disk, job)
    sys.stdout.buffer.write(msgspec.json.encode(report))


if __name__ == "__main__":
    main()
