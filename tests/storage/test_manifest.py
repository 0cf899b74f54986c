"""The manifest: what the chain of the log cannot know is noticed, and a bad slot costs nothing."""

import pytest

from domgrpc.storage.errors import Corruption, FormatTooNew, StorageFault
from domgrpc.storage.frame import BLOCK_BYTES
from domgrpc.storage.manifest import MANIFEST_NAME, Manifest, ManifestFile
from domgrpc.storage.segment import segment_name
from tests.storage.damage import flip, forge_checksum, patch
from tests.storage.fake_disk import FakeDisk, Fault
from tests.storage.logs import append, fill, groups_of, open_log

PAYLOADS = [b"a", b"b", b"c"]
GROUPS = [(1, 1, b"a"), (2, 1, b"b"), (3, 1, b"c")]


def manifest_of(disk: FakeDisk) -> Manifest:
    return ManifestFile(FakeDisk.holding(disk.contents())).current


def closed_log() -> FakeDisk:
    """Make a log of two segments that was closed in order."""
    disk = FakeDisk()
    log = fill(disk, PAYLOADS[:2])
    log.rotate()
    append(log, PAYLOADS[2])
    log.seal()
    log.close()
    return disk


def refusal(files: dict[str, bytes]) -> Corruption:
    disk = FakeDisk.holding(files)
    with pytest.raises(Corruption) as caught:
        open_log(disk)
    assert disk.contents() == files, "who refuses has changed nothing"
    assert disk.open_handles() == 0
    return caught.value


def test_it_names_the_newest_segment_and_what_was_durable() -> None:
    found = manifest_of(closed_log())
    assert (found.epoch, found.oldest_sequence, found.newest_sequence) == (1, 1, 3)
    assert found.durable_sequence == 3


def test_each_run_has_an_epoch_of_its_own() -> None:
    disk = FakeDisk()
    for epoch in range(1, 4):
        log = open_log(disk)
        if epoch > 1:
            assert manifest_of(disk).epoch == epoch - 1, "opening alone changes nothing"
        append(log, b"a")
        assert manifest_of(disk).epoch == epoch
        log.close()
        disk.unlock()


def test_a_folder_without_one_gets_one() -> None:
    files = closed_log().contents()
    del files[MANIFEST_NAME]
    disk = FakeDisk.holding(files)
    log = open_log(disk)
    assert groups_of(log) == GROUPS
    append(log, b"d")
    assert manifest_of(disk).durable_sequence == 3


def test_a_lost_log_is_noticed_without_any_snapshot() -> None:
    files = closed_log().contents()
    for name in [name for name in files if name.endswith(".seg")]:
        del files[name]
    assert refusal(files).file_name == segment_name(3)


def test_a_lost_newest_segment_is_noticed_though_nothing_closed_the_one_before() -> None:
    disk = FakeDisk()
    log = fill(disk, PAYLOADS)
    before = disk.contents()[segment_name(1)]
    log.rotate()
    files = {**disk.contents(), segment_name(1): before}
    del files[segment_name(4)]
    assert refusal(files).file_name == segment_name(4)


def test_an_older_copy_of_the_newest_segment_is_noticed() -> None:
    disk = closed_log()
    older = disk.contents()[segment_name(3)]
    disk.unlock()
    log = open_log(disk)
    append(log, b"d")
    log.close()
    damage = refusal({**disk.contents(), segment_name(3): older})
    assert (damage.file_name, damage.sequence) == (segment_name(3), 4)


def test_an_older_copy_of_the_whole_folder_is_just_an_older_folder() -> None:
    disk = closed_log()
    older = disk.contents()
    log = open_log(FakeDisk.holding(older))
    assert append(log, b"another") == 4


@pytest.mark.slow
def test_a_flipped_bit_costs_a_slot_and_never_more() -> None:
    files = closed_log().contents()
    whole = files[MANIFEST_NAME]
    # The fields bit by bit, the zeros behind them in steps.
    bits = [*range(88 * 8), *range(88 * 8, BLOCK_BYTES * 8, 997), *range(4092 * 8, 4096 * 8)]
    for slot in range(2):
        for bit in bits:
            damaged = flip(whole, slot * BLOCK_BYTES * 8 + bit)
            log = open_log(FakeDisk.holding({**files, MANIFEST_NAME: damaged}))
            assert groups_of(log) == GROUPS
            found = log.recovery_report.manifest_damage
            assert found is not None
            assert found.offset_bytes == slot * BLOCK_BYTES


@pytest.mark.parametrize("size_bytes", [0, 1, BLOCK_BYTES - 1])
def test_a_manifest_without_a_whole_slot_is_refused(size_bytes: int) -> None:
    files = closed_log().contents()
    damage = refusal({**files, MANIFEST_NAME: files[MANIFEST_NAME][:size_bytes]})
    assert damage.file_name == MANIFEST_NAME


def test_zeros_in_both_slots_are_damage() -> None:
    files = closed_log().contents()
    assert refusal({**files, MANIFEST_NAME: bytes(2 * BLOCK_BYTES)}).file_name == MANIFEST_NAME


def test_a_manifest_of_a_newer_version_is_not_touched() -> None:
    files = closed_log().contents()
    newer = forge_checksum(patch(files[MANIFEST_NAME], 8, b"\x02"), slice(0, 4092), 4092)
    disk = FakeDisk.holding({**files, MANIFEST_NAME: newer})
    with pytest.raises(FormatTooNew):
        open_log(disk)
    assert disk.open_handles() == 0


@pytest.mark.parametrize("written_bytes", [0, 1, 512, 2_000, BLOCK_BYTES - 1])
def test_a_write_that_a_power_cut_interrupts_leaves_the_other_slot(written_bytes: int) -> None:
    disk = FakeDisk()
    log = fill(disk, PAYLOADS)
    before = manifest_of(disk)
    disk.faults.append(Fault("pwrite", StorageFault("cut"), written_bytes=written_bytes))
    with pytest.raises(StorageFault):
        log.close()
    found = manifest_of(disk.after_kill())
    assert found == before
    assert groups_of(open_log(disk.after_kill())) == GROUPS
