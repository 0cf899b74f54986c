"""Looking at a log from outside, also while it is written."""

import pytest

from domgrpc.storage.errors import Corruption, StorageFault
from domgrpc.storage.frame import BLOCK_BYTES, RECORDS, SEAL
from domgrpc.storage.inspection import inspect_log, verify_log
from domgrpc.storage.segment import segment_name
from tests.storage.damage import flip
from tests.storage.fake_disk import FakeDisk
from tests.storage.logs import append, open_log


def write_log() -> FakeDisk:
    disk = FakeDisk()
    log = open_log(disk)
    append(log, b"a", 2)
    log.seal()
    log.rotate()
    append(log, b"b", 3)
    return disk


def test_every_frame_is_shown_with_its_place() -> None:
    shown = [
        (frame.segment_name, frame.offset_bytes, frame.kind, frame.first_sequence, frame.count)
        for frame in inspect_log(write_log())
    ]
    assert shown == [
        (segment_name(1), BLOCK_BYTES, RECORDS, 1, 2),
        (segment_name(1), 2 * BLOCK_BYTES, SEAL, 3, 0),
        (segment_name(3), BLOCK_BYTES, RECORDS, 3, 3),
    ]


def test_a_whole_log_is_counted_without_the_lock() -> None:
    disk = write_log()
    disk.unlock()
    facts = verify_log(disk)
    assert (facts.frames, facts.records) == (2, 5)
    assert (facts.first_sequence, facts.last_sequence) == (1, 5)
    assert [(end.name, end.frames) for end in facts.segments] == [
        (segment_name(1), 1),
        (segment_name(3), 1),
    ]
    assert (facts.torn_bytes, facts.damage) == (0, None)
    assert not disk.locked


def test_an_empty_folder_has_no_records() -> None:
    facts = verify_log(FakeDisk())
    assert (facts.records, facts.first_sequence, facts.last_sequence) == (0, 1, 0)
    assert facts.damage is None


def test_the_first_damage_is_a_result_with_what_came_before_it() -> None:
    disk = write_log()
    files = disk.contents()
    files[segment_name(3)] = flip(files[segment_name(3)], (BLOCK_BYTES + 66) * 8)
    facts = verify_log(FakeDisk.holding(files))
    assert facts.damage is not None
    assert (facts.damage.file_name, facts.damage.sequence) == (segment_name(3), 3)
    assert (facts.frames, facts.last_sequence) == (1, 2)


def test_a_stranger_among_the_segments_is_damage() -> None:
    facts = verify_log(FakeDisk.holding({"log-copy.seg": b""}))
    assert isinstance(facts.damage, Corruption)
    assert facts.records == 0


def test_what_an_interrupted_write_left_is_counted_and_left_alone() -> None:
    disk = write_log()
    disk.files[segment_name(3)].write(b"x" * 600, 2 * BLOCK_BYTES + 512)
    before = disk.contents()
    facts = verify_log(disk)
    assert (facts.torn_bytes, facts.records, facts.damage) == (BLOCK_BYTES, 5, None)
    assert disk.contents() == before


def test_a_check_beside_a_writer_looks_no_further_than_it_is_told() -> None:
    disk = write_log()
    disk.files[segment_name(3)].write(b"being written" * 400, 2 * BLOCK_BYTES)
    assert verify_log(disk).damage is not None
    facts = verify_log(disk, last_sequence=5)
    assert (facts.last_sequence, facts.damage) == (5, None)


def test_damage_that_is_gone_at_a_second_look_was_a_write_under_way() -> None:
    disk = write_log()
    file = disk.files[segment_name(3)]
    whole = bytes(file.current)
    file.write(b"being written" * 400, 2 * BLOCK_BYTES)
    finished_at = disk.operations + 8

    def finish() -> None:
        if disk.operations == finished_at:
            file.current[:] = whole

    disk.interruption = finish
    assert verify_log(disk).damage is None
    assert disk.operations > finished_at


def test_a_log_that_is_trimmed_while_it_is_checked_is_checked_again() -> None:
    disk = write_log()
    trimmed_at = disk.operations + 1

    def trim() -> None:
        if disk.operations == trimmed_at:
            disk.rename(segment_name(1), "trimmed-" + segment_name(1))

    disk.interruption = trim
    facts = verify_log(disk)
    assert (facts.first_sequence, facts.last_sequence, facts.damage) == (3, 5, None)


def test_a_log_that_goes_away_while_it_is_checked_is_a_fault() -> None:
    disk = write_log()
    disk.interruption = disk.files.clear
    with pytest.raises(StorageFault, match="went away"):
        verify_log(disk)
