"""Opens a folder the way the engine does at its start, and says what came of it.

The steps are those of the engine, in its order, without the parts that only serve. What a
snapshot holds and what the state is follow from bytes alone, so neither is worked out twice.
"""

from dataclasses import dataclass
from random import Random

from xxhash import xxh3_128_digest

from domgrpc.engine.dump import digest, dump
from domgrpc.engine.recovery import load_newest_snapshot, replay_frames
from domgrpc.storage.errors import Corruption
from domgrpc.storage.frame import BLOCK_BYTES, Frame
from domgrpc.storage.log import Log
from domgrpc.storage.snapshot import list_snapshots, remove_unfinished_snapshots, snapshot_name
from tests.faults.journal_disk import JournalDisk, holding
from tests.faults.shop_day import SEGMENT_BYTES, SETTINGS
from tests.storage.logs import Group, groups

_KNOWN_MAX = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a folder gave: its records by group, its state, and what was passed over."""

    groups: list[Group]
    first_sequence: int
    last_sequence: int
    snapshot_sequence: int
    state_digest: str
    refused: tuple[Corruption, ...]
    torn_bytes: int


_Key = tuple[tuple[str, bytes], ...]


@dataclass(frozen=True, slots=True)
class _Snapshots:
    """The snapshots of a folder, which one is used (by its digest), and what it amounts to.

    `files` are those beside the log that they must belong to.
    """

    used: bytes
    files: dict[str, bytes]
    sequence: int
    refused: tuple[Corruption, ...]


class Opener:
    """Opens folders; remembers what snapshots hold and to what states they lead."""

    def __init__(self) -> None:
        self._known: dict[_Key, _Snapshots] = {}
        self._digests: dict[tuple[bytes, int, bytes], str] = {}

    def open(self, disk: JournalDisk) -> Found:
        """Recover a folder; raises what the engine would."""
        snapshots = self._snapshots(disk)
        log = _open_log(disk, snapshots)
        frames = list(log.read(log.first_sequence))
        later = [frame for frame in frames if frame.last_sequence > snapshots.sequence]
        log.close()
        return Found(
            groups=groups(frames),
            first_sequence=log.first_sequence,
            last_sequence=log.last_sequence,
            snapshot_sequence=snapshots.sequence,
            state_digest=self._state_digest(snapshots, later),
            refused=snapshots.refused,
            torn_bytes=log.recovery_report.torn_bytes_cut,
        )

    def open_again(self, disk: JournalDisk, found: Found) -> bool:
        """Start once more, and say whether nothing was left to mend and all is as it was found.

        Where not one byte of log and snapshots has changed, neither has the state.
        """
        left = _kept(disk)
        snapshots = self._snapshots(disk)
        log = _open_log(disk, snapshots)
        report = log.recovery_report
        log.close()
        return (report.last_sequence, report.torn_bytes_cut, snapshots.sequence) == (
            found.last_sequence,
            0,
            found.snapshot_sequence,
        ) and _kept(disk) == left

    def _snapshots(self, disk: JournalDisk) -> _Snapshots:
        remove_unfinished_snapshots(disk)
        snapshots = {name: bytes(disk.files[name].content) for name in list_snapshots(disk)}
        # Of the log the first blocks say whether a snapshot belongs to it.
        log = {name: file.content for name, file in disk.files.items() if name.startswith("log-")}
        parts = [*snapshots.items(), *((name, log[name][:BLOCK_BYTES]) for name in sorted(log))]
        key = tuple((name, xxh3_128_digest(content)) for name, content in parts)
        if key not in self._known:
            if len(self._known) > _KNOWN_MAX:
                self._known.clear()
            files = snapshots | {name: bytes(content) for name, content in log.items()}
            loaded = load_newest_snapshot(holding(files), SETTINGS.limits)
            used = dict(key).get(snapshot_name(loaded.snapshot_revision), b"")
            self._known[key] = _Snapshots(used, files, loaded.snapshot_revision, loaded.refused)
        return self._known[key]

    def _state_digest(self, snapshots: _Snapshots, frames: list[Frame]) -> str:
        last_sequence = frames[-1].last_sequence if frames else 0
        records = xxh3_128_digest(b"".join(frame.payload for frame in frames))
        known = (snapshots.used, last_sequence, records)
        if known not in self._digests:
            if len(self._digests) > _KNOWN_MAX:
                self._digests.clear()
            state = load_newest_snapshot(holding(snapshots.files), SETTINGS.limits).state
            replay_frames(state, frames, last_revision=max(last_sequence, state.revision))
            state.check_invariants()
            self._digests[known] = digest(dump(state))
        return self._digests[known]


def _kept(disk: JournalDisk) -> dict[str, bytes]:
    contents = disk.contents()
    # It counts the starts, so every start changes it.
    contents.pop("MANIFEST", None)
    return contents


def _open_log(disk: JournalDisk, snapshots: _Snapshots) -> Log:
    return Log.open(
        disk,
        random_bytes=Random(1).randbytes,
        clock=float,
        segment_bytes=SEGMENT_BYTES,
        known_sequence=snapshots.sequence,
    )
