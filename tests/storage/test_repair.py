"""Repairs that an operator orders: giving up the end as planned, or saving what can be read."""

from pathlib import Path
from random import Random

import pytest

from domgrpc.storage.belonging import salt_behind
from domgrpc.storage.disk import LocalDisk
from domgrpc.storage.errors import Corruption, FolderInUse, RepairRefused
from domgrpc.storage.frame import BLOCK_BYTES
from domgrpc.storage.repair import REPAIRS_NAME, plan_truncation, salvage, truncate
from domgrpc.storage.segment import segment_name
from domgrpc.storage.snapshot import SnapshotWriter, check_snapshot, list_snapshots, snapshot_name
from tests.storage.damage import flip
from tests.storage.fake_disk import FakeDisk, PowerCutError
from tests.storage.logs import SEGMENT_BYTES, append, groups_of, open_log

GROUPS = [(1, 2, b"a"), (3, 1, b"b"), (4, 1, b"c"), (5, 1, b"d"), (6, 1, b"e")]


def five_groups(*, snapshot_at: int = 0) -> FakeDisk:
    """Make a log of three segments: two groups, two groups, one; closed in order."""
    disk = FakeDisk()
    log = open_log(disk)
    for first_sequence, count, payload in GROUPS:
        if first_sequence in (4, 6):
            log.rotate()
        append(log, payload, count)
        if log.last_sequence == snapshot_at:
            with SnapshotWriter(disk, snapshot_at, random_bytes=Random(1).randbytes) as snapshot:
                snapshot.write_chunk(1, 0, b"the state")
                snapshot.finish(b"digest")
    log.seal()
    log.close()
    disk.unlock()
    return disk


def damaged(disk: FakeDisk, name: str, block: int) -> FakeDisk:
    """Flip a bit in a block of a file."""
    files = disk.contents()
    files[name] = flip(files[name], (block * BLOCK_BYTES + 100) * 8)
    return FakeDisk.holding(files)


# --- truncation


def test_damage_in_the_middle_is_given_up_as_planned() -> None:
    disk = damaged(five_groups(), segment_name(4), 1)
    with pytest.raises(Corruption):
        open_log(FakeDisk.holding(disk.contents()))
    plan = plan_truncation(disk, 3)
    assert (plan.segment_name, plan.offset_bytes) == (segment_name(1), 3 * BLOCK_BYTES)
    assert plan.given_up == (segment_name(4), segment_name(6))
    assert plan.damage is not None
    truncate(disk, 3, plan.digest)
    log = open_log(disk)
    assert groups_of(log) == GROUPS[:2]
    assert append(log, b"new") == 4


def test_what_is_given_up_stays_under_other_names_and_is_noted() -> None:
    disk = damaged(five_groups(), segment_name(4), 2)
    before = disk.contents()
    truncate(disk, 4, plan_truncation(disk, 4).digest)
    after = disk.contents()
    for name in (segment_name(4), segment_name(6)):
        assert after["cut-" + name] == before[name]
    assert b"truncated at 4" in after[REPAIRS_NAME]


def test_a_newer_snapshot_is_given_up_too() -> None:
    disk = five_groups(snapshot_at=5)
    plan = plan_truncation(disk, 4)
    assert plan.given_up == (segment_name(6), snapshot_name(5))
    truncate(disk, 4, plan.digest)
    assert list_snapshots(disk) == []
    assert groups_of(open_log(disk)) == GROUPS[:3]


def test_a_snapshot_right_here_is_given_up_with_the_segment_that_it_is_tied_to() -> None:
    disk = five_groups(snapshot_at=5)
    assert plan_truncation(disk, 5).given_up == (segment_name(6), snapshot_name(5))
    assert plan_truncation(five_groups(snapshot_at=4), 4).given_up == (segment_name(6),)


def test_the_end_of_a_group_is_needed() -> None:
    for sequence in (0, 1, 7, 100):
        with pytest.raises(RepairRefused):
            plan_truncation(five_groups(), sequence)


def test_nothing_behind_damage_can_be_kept() -> None:
    disk = damaged(five_groups(), segment_name(1), 1)
    with pytest.raises(RepairRefused):
        plan_truncation(disk, 5)


def test_another_digest_changes_nothing() -> None:
    disk = five_groups()
    digest = plan_truncation(disk, 3).digest
    before = {name: content for name, content in disk.contents().items() if name != "LOCK"}
    with pytest.raises(RepairRefused):
        truncate(disk, 4, digest)
    after = {name: content for name, content in disk.contents().items() if name != "LOCK"}
    assert after == before


def test_a_folder_in_use_is_not_repaired(tmp_path: Path) -> None:
    holder = LocalDisk(tmp_path)
    holder.lock()
    with pytest.raises(FolderInUse):
        truncate(LocalDisk(tmp_path), 3, "any digest")
    holder.release()


def test_a_truncation_that_is_interrupted_anywhere_can_be_ordered_again() -> None:
    whole = damaged(five_groups(snapshot_at=5), segment_name(4), 2)
    reached_the_end = False
    for step in range(1, 200):
        disk = FakeDisk.holding(whole.contents())
        disk.power_cut_at = step
        try:
            truncate(disk, 3, plan_truncation(disk, 3).digest)
            reached_the_end = True
        except PowerCutError:
            disk = disk.after_power_cut(Random(step))
        if plan_is_due(disk):
            truncate(disk, 3, plan_truncation(disk, 3).digest)
        log = open_log(FakeDisk.holding(disk.contents()))
        assert groups_of(log) == GROUPS[:2]
        if reached_the_end:
            return
    pytest.fail("the truncation never came to its end")


def plan_is_due(disk: FakeDisk) -> bool:
    """Say whether the folder is not yet what it should be."""
    try:
        return groups_of(open_log(FakeDisk.holding(disk.contents()))) != GROUPS[:2]
    except Corruption:
        return True


# --- salvage


def test_what_lies_before_the_damage_is_saved_into_a_new_folder() -> None:
    source = damaged(five_groups(), segment_name(4), 2)
    before = source.contents()
    target = FakeDisk()
    saved = salvage(source, target, segment_bytes=SEGMENT_BYTES, random_bytes=Random(3).randbytes)
    assert (saved.records, saved.last_sequence) == (4, 4)
    assert saved.damage is not None
    assert groups_of(open_log(target)) == GROUPS[:3]
    assert source.contents() == before


def test_a_snapshot_is_saved_with_what_follows_it_although_the_log_before_it_is_damaged() -> None:
    source = damaged(five_groups(snapshot_at=3), segment_name(1), 1)
    target = FakeDisk()
    saved = salvage(source, target, segment_bytes=SEGMENT_BYTES, random_bytes=Random(3).randbytes)
    assert (saved.snapshot_sequence, saved.last_sequence, saved.damage) == (3, 6, None)
    assert list_snapshots(target) == [snapshot_name(3)]
    assert check_snapshot(target, snapshot_name(3)).log_salt == salt_behind(target, 3)
    assert groups_of(open_log(target, known_sequence=3)) == GROUPS[2:]


def test_a_snapshot_is_saved_and_the_gap_named_where_the_log_goes_on_later() -> None:
    files = five_groups(snapshot_at=3).contents()
    del files[segment_name(1)], files[segment_name(4)]
    target = FakeDisk()
    saved = salvage(
        FakeDisk.holding(files),
        target,
        segment_bytes=SEGMENT_BYTES,
        random_bytes=Random(3).randbytes,
    )
    assert (saved.snapshot_sequence, saved.records) == (3, 0)
    assert saved.damage is not None
    assert (saved.damage.file_name, saved.damage.sequence) == (segment_name(4), 4)
    assert list_snapshots(target) == [snapshot_name(3)]
    assert append(open_log(target, known_sequence=3), b"new") == 4


def test_a_snapshot_of_another_log_that_ends_within_a_group_is_no_silent_end() -> None:
    source = five_groups()
    with SnapshotWriter(source, 1, random_bytes=Random(1).randbytes) as snapshot:
        snapshot.write_chunk(1, 0, b"the state")
        snapshot.finish(b"digest")
    saved = salvage(
        source, FakeDisk(), segment_bytes=SEGMENT_BYTES, random_bytes=Random(3).randbytes
    )
    assert (saved.snapshot_sequence, saved.records) == (1, 0)
    assert saved.damage is not None
    assert saved.damage.sequence == 2


def test_saving_needs_an_empty_folder() -> None:
    with pytest.raises(RepairRefused):
        salvage(five_groups(), five_groups(), segment_bytes=SEGMENT_BYTES, random_bytes=bytes)


def test_where_nothing_is_whole_nothing_is_saved() -> None:
    files = five_groups().contents()
    del files[segment_name(1)]
    with pytest.raises(RepairRefused):
        salvage(
            FakeDisk.holding(files), FakeDisk(), segment_bytes=SEGMENT_BYTES, random_bytes=bytes
        )
