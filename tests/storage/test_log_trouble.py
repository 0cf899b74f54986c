"""A disk that is full or broken: what the log refuses, what it keeps, and when it gives up."""

from collections.abc import Callable
from random import Random

import pytest

from domgrpc.storage.errors import DiskFull, StorageFault
from domgrpc.storage.frame import BLOCK_BYTES
from domgrpc.storage.manifest import MANIFEST_BYTES
from domgrpc.storage.segment import segment_name
from tests.storage.fake_disk import FakeDisk, Fault, PowerCutError
from tests.storage.logs import SEGMENT_BYTES, append, fill, groups_of, log_names, open_log

FULL = DiskFull("no space")
BROKEN = StorageFault("input/output error")


def test_an_append_without_space_is_refused_and_works_when_space_returns() -> None:
    disk = FakeDisk()
    log = fill(disk, [b"a"])
    disk.faults.append(Fault("pwrite", FULL, written_bytes=1500))
    with pytest.raises(DiskFull):
        append(log, b"b" * 8000)
    assert log.last_sequence == 1
    assert append(log, b"c") == 2
    assert groups_of(open_log(disk)) == [(1, 1, b"a"), (2, 1, b"c")]


def test_what_a_refused_append_left_is_gone_before_the_next_one_is_written() -> None:
    disk = FakeDisk()
    log = fill(disk, [b"a"])
    disk.faults.append(Fault("pwrite", FULL, written_bytes=3 * BLOCK_BYTES))
    with pytest.raises(DiskFull):
        append(log, b"b" * 3 * BLOCK_BYTES)
    append(log, b"c")
    assert bytes(3 * BLOCK_BYTES) in disk.contents()[segment_name(1)][3 * BLOCK_BYTES :]


@pytest.mark.parametrize("written_bytes", [1, 63, 64, 600, 1500, 8191])
def test_a_kill_after_a_refused_append_loses_nothing(written_bytes: int) -> None:
    disk = FakeDisk()
    log = fill(disk, [b"a"])
    disk.faults.append(Fault("pwrite", FULL, written_bytes=written_bytes))
    with pytest.raises(DiskFull):
        append(log, b"b" * 8000)
    log = open_log(disk.after_kill())
    assert log.recovery_report.torn_bytes_cut in (BLOCK_BYTES, 2 * BLOCK_BYTES)
    assert groups_of(log) == [(1, 1, b"a")]


def test_cleaning_up_may_run_out_of_space_too_and_is_done_again() -> None:
    disk = FakeDisk()
    log = fill(disk, [b"a"])
    disk.faults += [Fault("pwrite", FULL, written_bytes=1500), Fault("pwrite", FULL)]
    for _ in range(2):
        with pytest.raises(DiskFull):
            append(log, b"b" * 8000)
    append(log, b"c")
    assert groups_of(open_log(disk)) == [(1, 1, b"a"), (2, 1, b"c")]


def test_a_disk_too_full_for_the_next_segment_refuses_appends_until_there_is_space() -> None:
    disk = FakeDisk(capacity_bytes=MANIFEST_BYTES + SEGMENT_BYTES + 3 * BLOCK_BYTES)
    log = fill(disk, [b"x"] * 6)
    for _ in range(2):
        with pytest.raises(DiskFull):
            append(log, b"y")
    assert log_names(disk) == [segment_name(1)]
    assert disk.free_bytes() == 3 * BLOCK_BYTES
    disk.capacity_bytes *= 2
    assert append(log, b"y") == 7
    assert len(groups_of(open_log(disk))) == 7


def test_a_spare_that_is_ready_lets_a_full_disk_take_another_segment() -> None:
    disk = FakeDisk(capacity_bytes=MANIFEST_BYTES + 2 * SEGMENT_BYTES)
    log = fill(disk, [b"x"] * 6)
    assert log.prepare_spare()
    for _ in range(6):
        append(log, b"y")
    with pytest.raises(DiskFull):
        append(log, b"z")
    assert log.last_sequence == 12


def test_a_spare_that_finds_no_space_gives_back_what_it_took() -> None:
    disk = FakeDisk(capacity_bytes=MANIFEST_BYTES + SEGMENT_BYTES + 3 * BLOCK_BYTES)
    log = open_log(disk)
    assert not log.prepare_spare(2 * BLOCK_BYTES)
    with pytest.raises(DiskFull):
        log.prepare_spare(2 * BLOCK_BYTES)
    assert disk.free_bytes() == 3 * BLOCK_BYTES
    assert append(log, b"a") == 1


@pytest.mark.parametrize("operation", ["create", "rename"])
def test_a_spare_that_cannot_get_its_name_for_lack_of_space_is_tried_again(operation: str) -> None:
    disk = FakeDisk()
    log = open_log(disk)
    disk.faults.append(Fault(operation, FULL))
    with pytest.raises(DiskFull):
        log.prepare_spare()
    assert log.prepare_spare()


@pytest.mark.parametrize("operation", ["pwrite", "rename"])
def test_a_rotation_without_space_changes_nothing(operation: str) -> None:
    disk = FakeDisk()
    log = fill(disk, [b"a"])
    log.prepare_spare()
    disk.faults.append(Fault(operation, FULL, written_bytes=100))
    with pytest.raises(DiskFull):
        log.rotate()
    assert append(log, b"b") == 2
    assert log.rotate()
    assert groups_of(open_log(disk)) == [(1, 1, b"a"), (2, 1, b"b")]


def test_a_trim_without_space_keeps_what_it_could_not_drop() -> None:
    disk = FakeDisk()
    log = fill(disk, [b"a"])
    log.rotate()
    append(log, b"b")
    disk.faults.append(Fault("rename", FULL))
    with pytest.raises(DiskFull):
        log.trim(2)
    assert groups_of(log) == [(1, 1, b"a"), (2, 1, b"b")]
    assert log.trim(2) == [segment_name(1)]


def test_a_rotation_that_cannot_be_completed_stops_the_log_and_a_restart_completes_it() -> None:
    disk = FakeDisk()
    log = fill(disk, [b"a"])
    log.prepare_spare()
    disk.faults.append(Fault("pwrite", FULL, skip=1))
    with pytest.raises(StorageFault, match="No space to close a segment"):
        log.rotate()
    with pytest.raises(StorageFault, match="refuses all work since a fault"):
        append(log, b"b")
    log = open_log(disk)
    assert append(log, b"b") == 2
    assert groups_of(open_log(disk)) == [(1, 1, b"a"), (2, 1, b"b")]


@pytest.mark.parametrize("operation", ["pwrite", "fdatasync"])
def test_a_fault_during_an_append_stops_the_log_for_good(operation: str) -> None:
    disk = FakeDisk()
    log = fill(disk, [b"a"])
    disk.faults.append(Fault(operation, BROKEN))
    with pytest.raises(StorageFault, match="input/output error"):
        append(log, b"b")
    refused: list[Callable[[], object]] = [
        lambda: log.append(2, b"b", 1),
        log.seal,
        log.rotate,
        log.prepare_spare,
        log.close,
        lambda: log.trim(2),
        lambda: log.read(1),
    ]
    operations = disk.operations
    for call in refused:
        with pytest.raises(StorageFault, match="refuses all work since a fault: input/output"):
            call()
    assert disk.operations == operations


def test_a_group_whose_sync_failed_is_not_there_after_a_restart() -> None:
    disk = FakeDisk()
    log = fill(disk, [b"a"])
    disk.faults.append(Fault("fdatasync", BROKEN))
    with pytest.raises(StorageFault):
        append(log, b"b")
    # The kernel still shows the bytes; opening must not believe them.
    assert b"b" in disk.contents()[segment_name(1)][2 * BLOCK_BYTES + 64 :][:1]
    assert groups_of(open_log(disk)) == [(1, 1, b"a")]


def test_a_group_that_was_only_in_the_cache_at_a_kill_is_durable_after_the_restart() -> None:
    disk = FakeDisk()
    log = fill(disk, [b"a"])
    disk.power_cut_at = disk.operations + 1
    with pytest.raises(PowerCutError):
        append(log, b"b")
    disk = disk.after_kill()
    log = open_log(disk)
    assert groups_of(log) == [(1, 1, b"a"), (2, 1, b"b")]
    for seed in range(20):
        after = open_log(disk.after_power_cut(Random(seed)))
        assert groups_of(after) == [(1, 1, b"a"), (2, 1, b"b")]


def test_whatever_breaks_into_an_append_stops_the_log() -> None:
    disk = FakeDisk()
    log = fill(disk, [b"a"])
    disk.power_cut_at = disk.operations + 1
    with pytest.raises(PowerCutError):
        append(log, b"b")
    with pytest.raises(StorageFault, match="refuses all work since a fault"):
        append(log, b"b")


def test_a_manifest_that_finds_no_space_stops_the_log_and_a_restart_has_everything() -> None:
    disk = FakeDisk()
    log = fill(disk, [b"a"])
    # It only writes over blocks that it has: behind the seal that is refused by a broken disk.
    disk.faults.append(Fault("pwrite", FULL, skip=1))
    with pytest.raises(StorageFault, match="The manifest cannot be written"):
        log.seal()
    with pytest.raises(StorageFault, match="refuses all work since a fault"):
        append(log, b"b")
    log = open_log(disk.after_power_cut(Random(1)))
    assert groups_of(log) == [(1, 1, b"a")]
    assert append(log, b"b") == 2
