"""The log as its user sees it, on a disk that works."""

from itertools import pairwise

import pytest

from domgrpc.storage.errors import Corruption, HistoryTrimmed, OutOfSequence, StorageFault
from domgrpc.storage.frame import BLOCK_BYTES, COUNT_MAX
from domgrpc.storage.log import Log
from domgrpc.storage.reading import read_frames
from domgrpc.storage.segment import segment_name
from tests.storage.fake_disk import FakeDisk
from tests.storage.logs import SEGMENT_BYTES, append, fill, groups, groups_of, log_names, open_log


def test_an_empty_folder_becomes_an_empty_log() -> None:
    disk = FakeDisk()
    log = open_log(disk)
    assert (log.first_sequence, log.last_sequence) == (1, 0)
    assert groups_of(log) == []
    assert log_names(disk) == [segment_name(1)]
    assert disk.locked


def test_a_new_log_may_start_at_any_sequence() -> None:
    log = Log.open(
        FakeDisk(),
        random_bytes=bytes,
        clock=lambda: 0.0,
        segment_bytes=SEGMENT_BYTES,
        first_sequence=100,
        known_sequence=99,
    )
    assert append(log, b"a") == 100
    assert log.first_sequence == 100


def test_records_get_dense_sequences_in_the_order_of_their_groups() -> None:
    log = open_log(FakeDisk())
    assert log.append(1, b"a", 3) == 3
    assert log.append(4, b"b", 1) == 4
    assert groups_of(log) == [(1, 3, b"a"), (4, 1, b"b")]


def test_an_append_that_expects_another_sequence_is_refused() -> None:
    log = fill(FakeDisk(), [b"a"])
    with pytest.raises(OutOfSequence, match="expected to write sequence 1, the next one is 2"):
        log.append(1, b"again", 1)
    assert append(log, b"b") == 2


@pytest.mark.parametrize(("size_bytes", "count"), [(1, 0), (1, COUNT_MAX + 1), (SEGMENT_BYTES, 1)])
def test_a_group_outside_the_limits_is_refused(size_bytes: int, count: int) -> None:
    log = open_log(FakeDisk())
    with pytest.raises(ValueError, match=r"1 to \d+ records and at most \d+ bytes"):
        log.append(1, b"x" * size_bytes, count)
    assert append(log, b"a") == 1


@pytest.mark.parametrize("segment_bytes", [0, 2 * BLOCK_BYTES, 3 * BLOCK_BYTES + 1])
def test_a_segment_size_that_cannot_work_is_refused(segment_bytes: int) -> None:
    with pytest.raises(ValueError, match="multiple of 4096 and at least 12288"):
        open_log(FakeDisk(), segment_bytes=segment_bytes)


def test_the_longest_payload_fits_into_a_segment_of_its_own() -> None:
    log = fill(FakeDisk(), [b"a"])
    payload = b"x" * log.payload_bytes_max
    append(log, payload)
    assert groups_of(log)[1] == (2, 1, payload)


def test_a_log_opened_again_holds_what_it_held_and_goes_on() -> None:
    disk = FakeDisk()
    log = fill(disk, [b"a", b"b"])
    log.close()
    log = open_log(disk)
    assert append(log, b"c") == 3
    assert groups_of(log) == [(1, 1, b"a"), (2, 1, b"b"), (3, 1, b"c")]


def test_opening_reports_what_was_found() -> None:
    disk = FakeDisk()
    log = open_log(disk)
    log.append(1, b"a", 5)
    log.rotate()
    log.append(6, b"b", 2)
    ticks = iter((10.0, 12.5))
    report = Log.open(
        disk, random_bytes=bytes, clock=lambda: next(ticks), segment_bytes=SEGMENT_BYTES
    ).recovery_report
    assert (report.segments, report.frames, report.records) == (2, 2, 7)
    assert (report.first_sequence, report.last_sequence) == (1, 7)
    assert (report.torn_bytes_cut, report.seconds) == (0, 2.5)


def test_a_full_segment_is_followed_by_the_next() -> None:
    disk = FakeDisk()
    payloads = [bytes([65 + number]) * 100 for number in range(20)]
    log = fill(disk, payloads)
    assert log_names(disk) == [
        segment_name(1),
        segment_name(7),
        segment_name(13),
        segment_name(19),
    ]
    assert [payload for _, _, payload in groups_of(log)] == payloads
    assert [payload for _, _, payload in groups_of(open_log(disk))] == payloads
    assert log.size_bytes == 4 * SEGMENT_BYTES


def test_a_rotation_starts_a_new_segment_once() -> None:
    disk = FakeDisk()
    log = fill(disk, [b"a"])
    assert log.rotate()
    assert not log.rotate()
    assert log_names(disk) == [segment_name(1), segment_name(2)]


def test_reading_may_start_inside_a_group_and_in_any_segment() -> None:
    log = open_log(FakeDisk())
    for payload in (b"a", b"b", b"c"):
        append(log, payload, 10)
        log.rotate()
    assert groups(log.read(15)) == [(11, 10, b"b"), (21, 10, b"c")]
    assert groups(log.read(21)) == [(21, 10, b"c")]
    assert groups(log.read(31)) == []


def test_a_reader_sees_only_what_was_durable_when_it_asked() -> None:
    log = fill(FakeDisk(), [b"a"])
    reader = log.read(1)
    append(log, b"b")
    assert groups(reader) == [(1, 1, b"a")]


def test_another_process_reads_without_the_lock_up_to_a_given_sequence() -> None:
    disk = FakeDisk()
    fill(disk, [b"a", b"b", b"c"])
    disk.unlock()
    assert groups(read_frames(disk, from_sequence=2, last_sequence=2)) == [(2, 1, b"b")]
    assert groups(read_frames(disk)) == [(1, 1, b"a"), (2, 1, b"b"), (3, 1, b"c")]
    assert groups(read_frames(FakeDisk())) == []
    assert not disk.locked


def test_a_reader_that_was_promised_more_than_there_is_gets_damage() -> None:
    disk = FakeDisk()
    fill(disk, [b"a"])
    with pytest.raises(Corruption, match="expected records up to sequence 2, found 1 as the last"):
        list(read_frames(disk, last_sequence=2))
    with pytest.raises(Corruption, match="expected records up to sequence 1, found 0 as the last"):
        list(read_frames(FakeDisk(), last_sequence=1))


def test_trimming_drops_whole_segments_and_never_the_current_one() -> None:
    disk = FakeDisk()
    log = open_log(disk)
    for payload in (b"a", b"b", b"c"):
        append(log, payload, 10)
        log.rotate()
    assert log.trim(20) == [segment_name(1)]
    assert log.first_sequence == 11
    assert log.trim(1000) == [segment_name(11), segment_name(21)]
    assert (log.first_sequence, log.last_sequence) == (31, 30)
    append(log, b"d")
    assert groups_of(open_log(disk)) == [(31, 1, b"d")]


def test_records_that_were_trimmed_cannot_be_read() -> None:
    log = fill(FakeDisk(), [b"a"])
    log.rotate()
    append(log, b"b")
    log.trim(2)
    with pytest.raises(HistoryTrimmed, match="Sequence 1 was asked for, the log starts at 2"):
        list(log.read(1))
    assert groups(log.read(0)) == [(2, 1, b"b")]


def test_trimming_below_a_reader_ends_it_with_a_clear_error() -> None:
    log = fill(FakeDisk(), [b"a"])
    log.rotate()
    append(log, b"b")
    log.rotate()
    reader = log.read(1)
    next(reader)
    log.trim(3)
    with pytest.raises(HistoryTrimmed, match="Sequence 2 was asked for, the log starts at 3"):
        next(reader)


def test_the_space_of_trimmed_segments_comes_back_in_steps() -> None:
    disk = FakeDisk()
    segment_bytes = 2304 * BLOCK_BYTES  # 9 MiB
    log = open_log(disk, segment_bytes=segment_bytes)
    append(log, b"a")
    log.rotate()
    log.trim(2)
    used_bytes = [-disk.free_bytes()]
    while len(log_names(disk)) > 1:
        assert not log.prepare_spare(BLOCK_BYTES)
        used_bytes.append(-disk.free_bytes())
    steps = [before - after for before, after in pairwise(used_bytes)]
    assert steps == [4 << 20, 4 << 20, segment_bytes - (8 << 20)]


def test_a_restart_finds_trimmed_segments_that_still_take_space() -> None:
    disk = FakeDisk()
    log = fill(disk, [b"a"])
    log.rotate()
    log.trim(2)
    log = open_log(disk)
    assert log_names(disk) == [segment_name(2), "trimmed-" + segment_name(1)]
    log.prepare_spare(BLOCK_BYTES)
    assert log_names(disk) == [segment_name(2)]


def test_what_only_sounds_like_a_trimmed_segment_is_left_alone() -> None:
    disk = FakeDisk()
    fill(disk, [b"a"])
    disk.close(disk.create("trimmed-x"))
    open_log(disk).prepare_spare(BLOCK_BYTES)
    assert "trimmed-x" in disk.list_names()


def test_the_spare_is_made_in_steps_and_taken_by_the_next_rotation() -> None:
    disk = FakeDisk()
    log = fill(disk, [b"a"])
    steps = 1
    while not log.prepare_spare(3 * BLOCK_BYTES):
        steps += 1
        assert not log.spare_ready
    assert steps == 3
    assert log.spare_ready
    assert log.prepare_spare()
    operations = disk.operations
    log.rotate()
    # Open, write, sync, rename, sync the folder; write and sync the end of the old segment, and
    # the manifest.
    assert disk.operations - operations == 9
    assert not log.spare_ready


def test_a_log_says_whether_it_can_do_without_new_space() -> None:
    log = fill(FakeDisk(), [b"x"] * 5)
    assert log.has_room(1)
    append(log, b"x")
    assert not log.has_room(1)
    log.prepare_spare()
    assert log.has_room(1)


def test_a_rotation_finishes_a_spare_that_is_half_done() -> None:
    disk = FakeDisk()
    log = fill(disk, [b"a"])
    log.prepare_spare(BLOCK_BYTES)
    log.rotate()
    assert log_names(disk) == [segment_name(1), segment_name(2)]
    assert groups_of(open_log(disk)) == [(1, 1, b"a")]


def test_a_restart_keeps_a_whole_spare_and_removes_any_other() -> None:
    disk = FakeDisk()
    log = open_log(disk)
    log.prepare_spare()
    assert open_log(disk).spare_ready
    assert not open_log(disk, segment_bytes=2 * SEGMENT_BYTES).spare_ready
    log = open_log(disk)
    log.prepare_spare(BLOCK_BYTES)
    assert not open_log(disk).spare_ready
    assert log_names(disk) == [segment_name(1)]


def test_a_spare_that_is_not_all_zeros_is_not_used() -> None:
    disk = FakeDisk()
    open_log(disk).prepare_spare()
    disk.files["spare.seg"].write(b"x", 2 * BLOCK_BYTES)
    assert not open_log(disk).spare_ready


def test_a_seal_is_written_once_after_each_group() -> None:
    disk = FakeDisk()
    log = open_log(disk)
    assert not log.seal()
    append(log, b"a")
    assert log.seal()
    assert not log.seal()
    log = open_log(disk)
    assert not log.seal()
    append(log, b"b")
    assert open_log(disk).seal()
    assert groups_of(open_log(disk)) == [(1, 1, b"a"), (2, 1, b"b")]


def test_a_seal_without_room_for_it_is_a_rotation() -> None:
    disk = FakeDisk()
    log = fill(disk, [b"x"] * 6)
    assert log.seal()
    assert log_names(disk) == [segment_name(1), segment_name(7)]
    assert not log.seal()
    assert not open_log(disk).seal()


def test_a_closed_log_refuses_all_work_and_holds_no_file_open() -> None:
    disk = FakeDisk()
    log = fill(disk, [b"a"])
    log.prepare_spare(BLOCK_BYTES)
    log.close()
    assert disk.open_handles() == 0
    with pytest.raises(StorageFault, match="the log was closed"):
        append(log, b"b")
    with pytest.raises(StorageFault, match="the log was closed"):
        log.read(1)
