"""The damage harness: whole logs, one wound each, and never a silent change.

Every outcome is one of two: opening is refused with `Corruption`, or the log gives exactly the
groups that it held. The one exception is written down as a test of its own.
"""

from collections.abc import Iterator
from itertools import product
from random import Random

import pytest

from domgrpc.storage.errors import Corruption
from domgrpc.storage.frame import BLOCK_BYTES, SECTOR_BYTES
from domgrpc.storage.log import Log
from domgrpc.storage.manifest import MANIFEST_NAME
from domgrpc.storage.segment import segment_name
from tests.storage.damage import flip, forge_frame, patch, zero_sector
from tests.storage.fake_disk import FakeDisk
from tests.storage.logs import Group, append, groups_of, open_log

SEGMENT_BYTES = 5 * BLOCK_BYTES
FIRST, SECOND, THIRD = segment_name(1), segment_name(3), segment_name(5)
GROUPS = [(number, 1, bytes([96 + number]) * 100) for number in range(1, 6)]
PAYLOADS = [payload for _, _, payload in GROUPS]
UNUSED = {FIRST: 4, SECOND: 4, THIRD: 3}
"""The first block of each segment that nothing was written to."""


def write_log(payloads: list[bytes], *, seal: bool = True) -> dict[str, bytes]:
    """Return the files of a log with two groups in each segment but the last.

    Without the manifest, so that the log alone has to notice; test_manifest.py has the rest.
    """
    disk = FakeDisk()
    log = open_log(disk, segment_bytes=SEGMENT_BYTES)
    write_pairs(log, payloads)
    if seal:
        log.seal()
    files = disk.contents()
    del files[MANIFEST_NAME]
    return files


def write_pairs(log: Log, payloads: list[bytes]) -> None:
    for payload in payloads:
        if log.last_sequence in (2, 4):
            log.rotate()
        append(log, payload)


@pytest.fixture(scope="module")
def sealed() -> dict[str, bytes]:
    files = write_log(PAYLOADS)
    assert sorted(files) == [FIRST, SECOND, THIRD]
    return files


@pytest.fixture(scope="module")
def unsealed() -> dict[str, bytes]:
    return write_log(PAYLOADS, seal=False)


def opened(files: dict[str, bytes], *, known_sequence: int | None = 0) -> list[Group] | Corruption:
    """Return what a log with these files gives, or why it is refused."""
    disk = FakeDisk.holding(files)
    try:
        log = open_log(disk, segment_bytes=SEGMENT_BYTES, known_sequence=known_sequence)
    except Corruption as damage:
        # Who refuses has changed nothing.
        assert disk.contents() == files
        assert disk.open_handles() == 0
        return damage
    return groups_of(log)


def is_used(name: str, offset_bytes: int) -> bool:
    """Say whether the undamaged segment has something at an offset."""
    return offset_bytes < UNUSED[name] * BLOCK_BYTES


def is_seal(name: str, offset_bytes: int) -> bool:
    """Say whether the offset is in the seal at the end of the log."""
    return name == THIRD and offset_bytes // BLOCK_BYTES == 2


def some_bits(content: bytes) -> Iterator[int]:
    """Yield all bits of the ends of each block and one of each other sector."""
    die = Random(7)
    for block in range(0, len(content), BLOCK_BYTES):
        yield from range(block * 8, (block + 96) * 8)
        for sector in range(block, block + BLOCK_BYTES, SECTOR_BYTES):
            yield (sector + die.randrange(SECTOR_BYTES)) * 8 + die.randrange(8)
        yield from range((block + BLOCK_BYTES - 12) * 8, (block + BLOCK_BYTES) * 8)


@pytest.mark.slow
@pytest.mark.parametrize("name", [FIRST, SECOND, THIRD])
def test_a_flipped_bit_is_never_silent(sealed: dict[str, bytes], name: str) -> None:
    for bit in some_bits(sealed[name]):
        found = opened(sealed | {name: flip(sealed[name], bit)})
        if is_used(name, bit // 8):
            assert isinstance(found, Corruption), bit
            assert found.file_name == name
            assert found.offset_bytes <= bit // 8
        else:
            assert isinstance(found, Corruption) or found == GROUPS


@pytest.mark.slow
def test_a_flipped_bit_of_the_last_group_is_told_from_a_torn_write(
    unsealed: dict[str, bytes],
) -> None:
    last_block = range(BLOCK_BYTES * 8, 2 * BLOCK_BYTES * 8, 61)
    for bit in last_block:
        found = opened(unsealed | {THIRD: flip(unsealed[THIRD], bit)})
        assert isinstance(found, Corruption), bit
        assert (found.file_name, found.offset_bytes, found.sequence) == (THIRD, BLOCK_BYTES, 5)


@pytest.mark.parametrize("name", [FIRST, SECOND, THIRD])
def test_a_lost_sector_is_never_silent(sealed: dict[str, bytes], name: str) -> None:
    for offset_bytes in range(0, SEGMENT_BYTES, SECTOR_BYTES):
        found = opened(sealed | {name: zero_sector(sealed[name], offset_bytes)})
        if found == GROUPS:
            # Nothing was there to lose, or only the seal and not what it seals.
            lost = sealed[name][offset_bytes : offset_bytes + SECTOR_BYTES]
            assert is_seal(name, offset_bytes) or not lost.strip(b"\0")
        else:
            assert isinstance(found, Corruption), offset_bytes


def test_a_lost_sector_of_the_last_group_passes_for_a_torn_write_until_it_is_sealed(
    unsealed: dict[str, bytes],
) -> None:
    for offset_bytes in range(BLOCK_BYTES, 2 * BLOCK_BYTES, SECTOR_BYTES):
        damaged = zero_sector(unsealed[THIRD], offset_bytes)
        assert opened(unsealed | {THIRD: damaged}) == GROUPS[:-1]


def test_a_block_copied_over_another_is_never_silent(sealed: dict[str, bytes]) -> None:
    places = list(product((FIRST, SECOND, THIRD), range(0, SEGMENT_BYTES, BLOCK_BYTES)))
    for (source, source_bytes), (target, target_bytes) in product(places, places):
        block = sealed[source][source_bytes : source_bytes + BLOCK_BYTES]
        damaged = patch(sealed[target], target_bytes, block)
        found = opened(sealed | {target: damaged})
        if damaged == sealed[target]:
            assert found == GROUPS
        elif is_used(target, target_bytes) and not is_seal(target, target_bytes):
            assert isinstance(found, Corruption), (source, source_bytes, target, target_bytes)
        else:
            assert isinstance(found, Corruption) or found == GROUPS


@pytest.mark.parametrize("name", [FIRST, SECOND, THIRD])
def test_a_segment_that_was_cut_or_grew_is_refused(sealed: dict[str, bytes], name: str) -> None:
    for size_bytes in (0, 1, BLOCK_BYTES - 1, BLOCK_BYTES, SEGMENT_BYTES - 1):
        assert isinstance(opened(sealed | {name: sealed[name][:size_bytes]}), Corruption)
    assert isinstance(opened(sealed | {name: sealed[name] + b"\0"}), Corruption)


@pytest.mark.parametrize("name", [FIRST, SECOND, THIRD])
def test_a_missing_segment_is_refused_by_name(sealed: dict[str, bytes], name: str) -> None:
    files = {other: content for other, content in sealed.items() if other != name}
    found = opened(files)
    assert isinstance(found, Corruption)
    assert found.file_name == name


def test_a_log_that_is_gone_though_a_snapshot_exists_is_refused() -> None:
    found = opened({}, known_sequence=5)
    assert isinstance(found, Corruption)
    assert found.sequence == 5


def test_a_log_that_ends_before_the_snapshot_or_starts_behind_it_is_refused(
    sealed: dict[str, bytes],
) -> None:
    assert isinstance(opened(sealed, known_sequence=6), Corruption)
    assert opened(sealed, known_sequence=5) == GROUPS
    trimmed = {name: sealed[name] for name in (SECOND, THIRD)}
    assert isinstance(opened(trimmed, known_sequence=1), Corruption)
    assert opened(trimmed, known_sequence=2) == GROUPS[2:]
    assert opened(trimmed, known_sequence=None) == GROUPS[2:]


def test_renamed_and_swapped_segments_are_refused(sealed: dict[str, bytes]) -> None:
    for name, other in product(sealed, sealed):
        if name != other:
            swapped = sealed | {name: sealed[other], other: sealed[name]}
            assert isinstance(opened(swapped), Corruption)
            assert isinstance(opened(sealed | {name: sealed[other]}), Corruption)
    for name, content in sealed.items():
        renamed = {key: other for key, other in sealed.items() if key != name}
        assert isinstance(opened(renamed | {segment_name(9): content}), Corruption)


@pytest.mark.parametrize("name", ["log-1.seg", "log-0000000000000001.seg.bak", "log-.seg"])
def test_a_stranger_among_the_segments_is_refused_by_name(
    sealed: dict[str, bytes], name: str
) -> None:
    found = opened(sealed | {name: sealed[FIRST]})
    assert isinstance(found, Corruption)
    assert found.file_name == name


@pytest.mark.parametrize("name", [FIRST, SECOND, THIRD])
def test_a_segment_of_another_log_is_refused(sealed: dict[str, bytes], name: str) -> None:
    disk = FakeDisk()
    disk.operations = 1000
    other = open_log(disk, segment_bytes=SEGMENT_BYTES)
    write_pairs(other, PAYLOADS)
    other.seal()
    assert isinstance(opened(sealed | {name: disk.contents()[name]}), Corruption)


def test_an_older_copy_of_a_segment_that_was_ended_is_refused(sealed: dict[str, bytes]) -> None:
    for groups in (1, 2):
        older = write_log(PAYLOADS[:groups], seal=False)
        found = opened(sealed | {FIRST: older[FIRST]})
        assert isinstance(found, Corruption)
        assert found.file_name in (FIRST, SECOND)


def test_damage_in_the_middle_is_named_by_segment_offset_and_sequence(
    sealed: dict[str, bytes],
) -> None:
    found = opened(sealed | {SECOND: flip(sealed[SECOND], (2 * BLOCK_BYTES + 70) * 8)})
    assert isinstance(found, Corruption)
    assert (found.file_name, found.offset_bytes, found.sequence) == (SECOND, 2 * BLOCK_BYTES, 4)
    assert "expected a frame for sequence 4" in str(found)


def test_a_lost_group_with_later_ones_behind_it_is_damage_and_not_a_torn_tail(
    sealed: dict[str, bytes],
) -> None:
    damaged = patch(sealed[THIRD], BLOCK_BYTES, bytes(BLOCK_BYTES))
    found = opened(sealed | {THIRD: damaged})
    assert isinstance(found, Corruption)
    assert f"the frame at byte {2 * BLOCK_BYTES} proves it durable" in str(found)


def test_an_interrupted_write_with_strange_bytes_behind_it_is_damage(
    unsealed: dict[str, bytes],
) -> None:
    damaged = zero_sector(unsealed[THIRD], 2 * BLOCK_BYTES - SECTOR_BYTES)
    damaged = patch(damaged, 2 * BLOCK_BYTES, b"strange")
    found = opened(unsealed | {THIRD: damaged})
    assert isinstance(found, Corruption)
    assert "an interrupted one with more bytes behind it" in str(found)


FORGERIES = {
    "kind 9 with 1 records": (12, b"\x09"),
    "kind 2 with 1 records": (12, b"\x02"),
    "kind 1 with 0 records": (20, bytes(4)),
    "one for sequence 6": (24, b"\x06"),
    "a frame that fits its place": (32, b"\x01\x10"),
    "one that follows 0x": (40, b"\x00\x00"),
    "a frame of another segment": (48, bytes(16)),
}


@pytest.mark.parametrize("message", FORGERIES)
def test_a_frame_that_is_right_in_itself_but_not_in_its_place_is_refused(
    unsealed: dict[str, bytes], message: str
) -> None:
    offset_bytes, data = FORGERIES[message]
    frame = unsealed[THIRD][BLOCK_BYTES : 2 * BLOCK_BYTES]
    forged = patch(unsealed[THIRD], BLOCK_BYTES, forge_frame(frame, offset_bytes, data))
    found = opened(unsealed | {THIRD: forged})
    assert isinstance(found, Corruption)
    assert message in str(found)


def test_frames_that_leave_no_room_for_the_end_of_the_segment_are_refused(
    unsealed: dict[str, bytes],
) -> None:
    frame = unsealed[THIRD][BLOCK_BYTES : 2 * BLOCK_BYTES]
    claim = (3 * BLOCK_BYTES).to_bytes(4, "little")
    forged = patch(unsealed[THIRD], BLOCK_BYTES, forge_frame(frame, 16, claim))
    found = opened(unsealed | {THIRD: forged})
    assert isinstance(found, Corruption)
    assert "a frame that fits its place" in str(found)
