"""Crash images: all that may be left is built, right folders pass, lying disks are caught."""

from random import Random

import pytest

from tests.faults.crash_images import check_chain, check_journal, crash_row
from tests.faults.crash_states import CrashStates, ImageKey
from tests.faults.journal_disk import FolderSynced, JournalDisk, Operation, Synced
from tests.faults.recording import Promises, Recorder
from tests.faults.table import Verdict

BLOCK = b"a" * 512 + b"b" * 512


def images_of(disk: JournalDisk) -> list[dict[str, bytes]]:
    """Return the different folders that a power cut may leave after the last operation."""
    assert disk.journal is not None
    states = CrashStates({}, {}, Random(1), sets_per_moment_max=1_024)
    by_key: dict[ImageKey, dict[str, bytes]] = {}
    for operation in disk.journal:
        by_key = {image.key: image.files for image in states.images([operation])}
    return list(by_key.values())


def test_of_two_sectors_that_were_not_synced_any_may_be_there() -> None:
    disk = JournalDisk(journal=[])
    handle = disk.create("file")
    disk.pwrite(handle, bytes(1024), 0)
    disk.fdatasync(handle)
    disk.sync_directory()
    disk.pwrite(handle, BLOCK, 0)
    found = [image["file"] for image in images_of(disk)]
    assert sorted(found) == sorted(
        [bytes(1024), BLOCK[:512] + bytes(512), bytes(512) + BLOCK[512:], BLOCK]
    )


def test_what_was_synced_is_there_whatever_else_is_not() -> None:
    disk = JournalDisk(journal=[])
    handle = disk.create("file")
    disk.pwrite(handle, BLOCK, 0)
    disk.fdatasync(handle)
    disk.sync_directory()
    disk.rename("file", "other")
    assert sorted(images_of(disk), key=str) == [{"file": BLOCK}, {"other": BLOCK}]


def test_a_file_that_grew_may_have_its_length_without_its_bytes_but_no_bytes_without_it() -> None:
    disk = JournalDisk(journal=[])
    handle = disk.create("file")
    disk.sync_directory()
    disk.pwrite(handle, b"a" * 512, 0)
    assert sorted(image["file"] for image in images_of(disk)) == [b"", bytes(512), b"a" * 512]


def test_a_name_that_was_not_synced_may_be_missing_though_its_bytes_were() -> None:
    disk = JournalDisk(journal=[])
    handle = disk.create("file")
    disk.pwrite(handle, BLOCK, 0)
    disk.fdatasync(handle)
    assert sorted(images_of(disk), key=str) == [{"file": BLOCK}, {}]


@pytest.mark.slow
def test_whatever_a_power_cut_leaves_has_all_that_was_acknowledged_and_nothing_else() -> None:
    tally = check_chain(seed=0, image_count=1_000)
    assert tally.told == []
    assert tally.torn > 0
    assert tally.ahead > 0
    assert crash_row(tally, 1_000, 1.0).verdict is Verdict.MET


@pytest.mark.slow
@pytest.mark.parametrize("kind", [Synced, FolderSynced])
def test_a_disk_that_syncs_nothing_is_caught(kind: type[Operation]) -> None:
    promises = Promises()
    recording = Recorder({}, promises, Random(3)).record()
    lying = [operation for operation in recording.journal if not isinstance(operation, kind)]
    tally = check_journal(recording, lying[:60], promises)
    assert tally.violations > 0
    assert crash_row(tally, 1, 1.0).verdict is Verdict.MISSED
