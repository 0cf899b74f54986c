"""The bytes of every released format can be read for ever, and today's are those of its version.

When the format changes: raise its version, keep the file in golden/, add the new one beside it.
"""

from pathlib import Path
from random import Random

import pytest

from domgrpc.storage.belonging import UNKNOWN_SALT, salt_behind
from domgrpc.storage.errors import FormatTooNew
from domgrpc.storage.frame import BLOCK_BYTES
from domgrpc.storage.inspection import verify_log
from domgrpc.storage.log import Log
from domgrpc.storage.segment import segment_name
from domgrpc.storage.snapshot import (
    Chunk,
    SnapshotWriter,
    check_snapshot,
    read_snapshot,
    snapshot_name,
)
from tests.storage.damage import forge_first_block
from tests.storage.fake_disk import FakeDisk
from tests.storage.golden_files import parse, render
from tests.storage.logs import append, fill, groups_of

GOLDEN = Path(__file__).parent / "golden"
BEFORE_THE_MANIFEST = GOLDEN / "version_1.txt"
BEFORE_THE_SALT = GOLDEN / "version_1_manifest_1.txt"
TODAY = GOLDEN / "version_1_manifest_1_snapshot_2.txt"
PAYLOADS = [b"the first group", b"with zeros" + bytes(1000), bytes(range(256)) * 20, b""]
CHUNKS = [Chunk(1, 0, b"positions"), Chunk(2, 2**40, b""), Chunk(1, 1, bytes(range(256)))]


def open_golden(disk: FakeDisk) -> Log:
    return Log.open(
        disk,
        random_bytes=Random(20251122).randbytes,
        clock=lambda: 0.0,
        segment_bytes=6 * BLOCK_BYTES,
    )


def write_files() -> dict[str, bytes]:
    """Write what the golden file holds: two segments, each kind of frame, and a snapshot."""
    disk = FakeDisk()
    log = open_golden(disk)
    for number, payload in enumerate(PAYLOADS, start=1):
        append(log, payload, number)
    log.rotate()
    last_sequence = log.last_sequence
    with SnapshotWriter(
        disk,
        last_sequence,
        random_bytes=Random(1).randbytes,
        writer_version="domgrpc 0.1.0",
        log_salt=salt_behind(disk, last_sequence),
    ) as snapshot:
        for chunk in CHUNKS:
            snapshot.write_chunk(chunk.kind, chunk.key, chunk.payload)
        snapshot.finish(b"digest of the state")
    append(log, b"behind the snapshot")
    log.seal()
    return disk.contents()


EVERY_FORMAT = pytest.mark.parametrize(
    "golden", [BEFORE_THE_MANIFEST, BEFORE_THE_SALT, TODAY], ids=lambda path: path.stem
)


def disk_with(golden: Path) -> FakeDisk:
    return FakeDisk.holding(parse(golden.read_text()))


@EVERY_FORMAT
def test_the_log_of_every_format_can_be_read_and_goes_on(golden: Path) -> None:
    log = open_golden(disk_with(golden))
    later = [(11, 1, b"behind the snapshot")] if golden == TODAY else []
    assert groups_of(log) == [
        (1, 1, PAYLOADS[0]),
        (2, 2, PAYLOADS[1]),
        (4, 3, PAYLOADS[2]),
        (7, 4, PAYLOADS[3]),
        *later,
    ]
    assert append(log, b"more") == 11 + len(later)


@EVERY_FORMAT
def test_the_snapshot_of_every_format_can_be_read(golden: Path) -> None:
    disk = disk_with(golden)
    facts = check_snapshot(disk, snapshot_name(10))
    assert (facts.log_salt != UNKNOWN_SALT) == (golden == TODAY)
    assert (facts.chunks, facts.state_digest) == (3, b"digest of the state")
    assert facts.writer_version == "domgrpc 0.1.0"
    assert list(read_snapshot(disk, facts.name)) == CHUNKS


def test_the_same_work_writes_the_same_bytes_as_when_the_version_was_made() -> None:
    assert render(write_files()) == TODAY.read_text()


NEWER = {
    "format version 2": (8, b"\x02"),
    "byte order 2": (10, b"\x02"),
    "checksum 2": (11, b"\x02"),
    "required features 0x1": (12, b"\x01"),
    "blocks of 8192": (20, b"\x00\x20"),
}


@pytest.mark.parametrize("message", NEWER)
def test_a_log_of_a_newer_format_is_refused_with_both_versions(message: str) -> None:
    disk = FakeDisk()
    fill(disk, [b"a"])
    name = segment_name(1)
    newer = forge_first_block(disk.contents()[name], *NEWER[message])
    newer_disk = FakeDisk.holding({name: newer})
    with pytest.raises(FormatTooNew, match=f"{message}.* reads format version 1") as refused:
        open_golden(newer_disk)
    assert refused.value.exit_code == 71
    with pytest.raises(FormatTooNew):
        verify_log(newer_disk)


def test_a_feature_that_may_be_ignored_is_ignored() -> None:
    disk = FakeDisk()
    log = fill(disk, [])
    name = segment_name(log.first_sequence)
    marked = forge_first_block(disk.contents()[name], 16, b"\x01")
    assert groups_of(open_golden(FakeDisk.holding({name: marked}))) == []
