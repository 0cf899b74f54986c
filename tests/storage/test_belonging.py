"""A snapshot belongs to the log that it was written beside, and to no other of the same name."""

from random import Random

import pytest

from domgrpc.storage.belonging import UNKNOWN_SALT, belongs, salt_behind
from domgrpc.storage.errors import Corruption
from domgrpc.storage.log import Log
from domgrpc.storage.segment import segment_name
from domgrpc.storage.snapshot import (
    SnapshotWriter,
    check_snapshot,
    newest_whole_snapshot,
    snapshot_name,
)
from tests.storage.damage import flip
from tests.storage.fake_disk import FakeDisk
from tests.storage.logs import SEGMENT_BYTES, append


def two_segments(seed: int, *, snapshot_at: int = 2) -> FakeDisk:
    """Make a log of two records in each of two segments, and a snapshot after one of them."""
    disk = FakeDisk()
    log = Log.open(
        disk,
        random_bytes=Random(seed).randbytes,
        clock=lambda: 0.0,
        segment_bytes=SEGMENT_BYTES,
    )
    append(log, b"a", 2)
    log.rotate()
    append(log, b"b", 2)
    log.seal()
    with SnapshotWriter(
        disk,
        snapshot_at,
        random_bytes=Random(seed).randbytes,
        log_salt=salt_behind(disk, snapshot_at),
    ) as writer:
        writer.write_chunk(1, 0, b"state")
        writer.finish(b"digest")
    return disk


def with_snapshot_of(disk: FakeDisk, other: FakeDisk, sequence: int = 2) -> FakeDisk:
    name = snapshot_name(sequence)
    return FakeDisk.holding(disk.contents() | {name: other.contents()[name]})


def test_a_snapshot_repeats_the_salt_of_the_segment_behind_it() -> None:
    disk = two_segments(1)
    facts = check_snapshot(disk, snapshot_name(2))
    assert facts.log_salt == salt_behind(disk, 2) != UNKNOWN_SALT
    assert newest_whole_snapshot(disk).facts == facts


def test_a_snapshot_of_another_log_is_refused_at_its_salt() -> None:
    mixed = with_snapshot_of(two_segments(1), two_segments(2))
    with pytest.raises(Corruption, match="one of another log") as refused:
        check_snapshot(mixed, snapshot_name(2))
    assert (refused.value.offset_bytes, refused.value.sequence) == (64, 2)
    assert newest_whole_snapshot(mixed).facts is None


def test_a_snapshot_of_a_log_with_another_seam_is_refused() -> None:
    salt = salt_behind(two_segments(2), 2)
    assert not belongs(two_segments(1), 3, salt)
    assert not belongs(two_segments(1), 4, salt)


def test_a_snapshot_that_does_not_say_is_believed() -> None:
    inside = two_segments(1, snapshot_at=3)
    assert check_snapshot(inside, snapshot_name(3)).log_salt == UNKNOWN_SALT


def test_of_a_log_that_is_itself_lost_or_damaged_the_log_says_so() -> None:
    disk = two_segments(1)
    salt = check_snapshot(disk, snapshot_name(2)).log_salt
    files = disk.contents()
    assert belongs(FakeDisk(), 2, salt)
    later = {segment_name(3): flip(files[segment_name(3)], 100)}
    assert belongs(FakeDisk.holding(later), 2, salt)
    assert belongs(FakeDisk.holding(later), 1, salt)
