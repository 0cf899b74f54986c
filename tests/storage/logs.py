"""Makes logs for tests: small segments, seeded salts, a clock that stands still."""

from collections.abc import Iterable
from random import Random

from domgrpc.storage.frame import BLOCK_BYTES, Frame
from domgrpc.storage.log import Log
from domgrpc.storage.manifest import MANIFEST_NAME
from tests.storage.fake_disk import FakeDisk

SEGMENT_BYTES = 8 * BLOCK_BYTES

Group = tuple[int, int, bytes]
"""First sequence, count and payload of a group of records."""


def open_log(
    disk: FakeDisk, *, segment_bytes: int = SEGMENT_BYTES, known_sequence: int | None = None
) -> Log:
    """Open the log of a disk; two logs opened at different times get different salts."""
    return Log.open(
        disk,
        random_bytes=Random(disk.operations).randbytes,
        clock=lambda: 0.0,
        segment_bytes=segment_bytes,
        known_sequence=known_sequence,
    )


def log_names(disk: FakeDisk) -> list[str]:
    """Return the names of the files that make up the log and its spare, without the manifest."""
    return [name for name in disk.list_names() if name != MANIFEST_NAME]


def append(log: Log, payload: bytes, count: int = 1) -> int:
    """Append a group at the end."""
    return log.append(log.last_sequence + 1, payload, count)


def fill(disk: FakeDisk, payloads: Iterable[bytes]) -> Log:
    """Open the log of a disk and append a group for each payload."""
    log = open_log(disk)
    for payload in payloads:
        append(log, payload)
    return log


def groups(frames: Iterable[Frame]) -> list[Group]:
    """Return what frames carry, without where they lie."""
    return [(frame.first_sequence, frame.count, frame.payload) for frame in frames]


def groups_of(log: Log) -> list[Group]:
    """Return all groups of a log that was never trimmed."""
    return groups(log.read(log.first_sequence))
