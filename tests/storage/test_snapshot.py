"""Snapshots: whole or refused, and never in the way of the ones before."""

from collections.abc import Callable
from contextlib import suppress
from random import Random

import pytest

from domgrpc.storage.errors import Corruption, DiskFull, FormatTooNew, StorageFault
from domgrpc.storage.snapshot import (
    CHUNK_PAYLOAD_BYTES_MAX,
    Chunk,
    SnapshotFacts,
    SnapshotWriter,
    check_snapshot,
    list_snapshots,
    newest_whole_snapshot,
    read_snapshot,
    remove_old_snapshots,
    remove_unfinished_snapshots,
    snapshot_name,
    snapshot_sequence,
)
from tests.storage.damage import flip, forge_checksum, patch
from tests.storage.fake_disk import FakeDisk, Fault, PowerCutError

CHUNKS = [Chunk(1, 7, b"first"), Chunk(2, 0, b""), Chunk(3, 2**64 - 1, b"third" * 100)]
HEAD_BYTES = 84
DIGEST = b"digest of the state"


def writer(disk: FakeDisk, last_sequence: int = 41) -> SnapshotWriter:
    return SnapshotWriter(
        disk, last_sequence, random_bytes=Random(1).randbytes, writer_version="domgrpc 0.1.0"
    )


def write(disk: FakeDisk, last_sequence: int = 41, chunks: list[Chunk] = CHUNKS) -> SnapshotFacts:
    with writer(disk, last_sequence) as snapshot:
        for chunk in chunks:
            snapshot.write_chunk(chunk.kind, chunk.key, chunk.payload)
        return snapshot.finish(DIGEST)


@pytest.fixture
def content() -> bytes:
    disk = FakeDisk()
    name = write(disk).name
    return disk.contents()[name]


def damage_of(content: bytes, last_sequence: int = 41) -> Corruption:
    disk = FakeDisk.holding({snapshot_name(last_sequence): content})
    with pytest.raises(Corruption) as refused:
        list(read_snapshot(disk, snapshot_name(last_sequence)))
    assert disk.open_handles() == 0
    return refused.value


def test_a_snapshot_gives_back_its_chunks_and_says_what_it_is() -> None:
    disk = FakeDisk()
    facts = write(disk)
    assert disk.list_names() == [facts.name] == ["snapshot-0000000000000029.snap"]
    assert list(read_snapshot(disk, facts.name)) == CHUNKS
    assert check_snapshot(disk, facts.name) == facts
    assert (facts.last_sequence, facts.chunks, facts.state_digest) == (41, 3, DIGEST)
    assert facts.writer_version == "domgrpc 0.1.0"
    assert facts.size_bytes == len(disk.contents()[facts.name])
    assert snapshot_sequence(facts.name) == 41
    assert disk.open_handles() == 0


def test_a_snapshot_without_chunks_is_whole() -> None:
    disk = FakeDisk()
    facts = write(disk, 0, [])
    assert list(read_snapshot(disk, facts.name)) == []


def test_a_snapshot_of_many_windows_streams_and_is_synced_on_the_way() -> None:
    disk = FakeDisk()
    chunks = [Chunk(1, key, bytes([key]) * 700_000) for key in range(30)]
    facts = write(disk, 1, chunks)
    assert list(read_snapshot(disk, facts.name)) == chunks


def test_limits_are_told_before_anything_is_written() -> None:
    with writer(FakeDisk()) as snapshot:
        with pytest.raises(ValueError, match="so split it"):
            snapshot.write_chunk(1, 1, bytes(CHUNK_PAYLOAD_BYTES_MAX + 1))
        with pytest.raises(ValueError, match="a state digest of 65 bytes; at most 64"):
            snapshot.finish(b"x" * 65)


def test_a_snapshot_that_was_not_finished_leaves_nothing() -> None:
    disk = FakeDisk()
    with suppress(KeyError), writer(disk) as snapshot:
        snapshot.write_chunk(1, 1, b"a")
        raise KeyError
    assert disk.list_names() == []
    assert disk.open_handles() == 0
    with pytest.raises(ValueError, match="finished or given up already"):
        snapshot.finish(DIGEST)


def test_a_disk_that_fills_up_keeps_the_old_snapshot() -> None:
    disk = FakeDisk(capacity_bytes=2_000_000)
    write(disk, 40)
    with pytest.raises(DiskFull):
        write(disk, 41, [Chunk(1, 1, bytes(3_000_000))])
    assert list_snapshots(disk) == disk.list_names() == [snapshot_name(40)]


def test_a_snapshot_that_reads_back_wrong_never_gets_its_name() -> None:
    disk = FakeDisk()

    def rot() -> None:
        for file in disk.files.values():
            file.current[100:101] = b"!"

    disk.interruption = rot
    with pytest.raises(Corruption):
        write(disk)
    assert disk.list_names() == []


def test_the_newest_whole_snapshot_is_found_and_damaged_ones_are_told_of() -> None:
    disk = FakeDisk()
    assert newest_whole_snapshot(disk).facts is None
    for last_sequence in (5, 300, 70):
        write(disk, last_sequence)
    assert list_snapshots(disk) == [snapshot_name(5), snapshot_name(70), snapshot_name(300)]
    disk.files[snapshot_name(300)].current[200] ^= 1
    choice = newest_whole_snapshot(disk)
    assert choice.facts is not None
    assert choice.facts.last_sequence == 70
    assert [damage.file_name for damage in choice.refused] == [snapshot_name(300)]


def test_old_snapshots_are_removed_but_for_the_last_two() -> None:
    disk = FakeDisk()
    for last_sequence in (1, 2, 3, 4):
        write(disk, last_sequence)
    assert remove_old_snapshots(disk) == [snapshot_name(1), snapshot_name(2)]
    assert remove_old_snapshots(disk) == []
    assert list_snapshots(disk) == [snapshot_name(3), snapshot_name(4)]


def test_what_a_killed_writer_left_is_removed_and_nothing_else() -> None:
    disk = FakeDisk()
    write(disk, 1)
    disk.create("snapshot-of-mine.txt")
    left = writer(disk, 2)
    left.write_chunk(1, 1, b"a")
    removed = remove_unfinished_snapshots(disk)
    assert removed == [name for name in removed if name.startswith(snapshot_name(2))]
    assert disk.list_names() == [snapshot_name(1), "snapshot-of-mine.txt"]
    assert len(removed) == 1


@pytest.mark.slow
def test_every_flipped_bit_of_a_snapshot_is_noticed(content: bytes) -> None:
    for bit in range(0, len(content) * 8, 3):
        assert damage_of(flip(content, bit)).file_name == snapshot_name(41)


def test_a_snapshot_of_any_other_length_is_refused(content: bytes) -> None:
    for size_bytes in range(len(content)):
        damage_of(content[:size_bytes])
    damage_of(content + b"\0")


def test_a_renamed_snapshot_is_refused(content: bytes) -> None:
    assert "that of 41" in str(damage_of(content, last_sequence=42))


def test_chunks_in_another_order_are_refused(content: bytes) -> None:
    start, middle, end = HEAD_BYTES, HEAD_BYTES + 37, HEAD_BYTES + 69
    first, second = content[start:middle], content[middle:end]
    found = damage_of(content[:start] + second + first + content[end:])
    assert "chunk 0" in str(found)


def test_a_chunk_of_another_snapshot_is_refused(content: bytes) -> None:
    disk = FakeDisk()
    facts = write(disk, 41, [Chunk(1, 7, b"FIRST"), *CHUNKS[1:]])
    other = disk.contents()[facts.name]
    end = HEAD_BYTES + 37
    assert "another one" in str(
        damage_of(content[:HEAD_BYTES] + other[HEAD_BYTES:end] + content[end:])
    )


def test_a_chunk_that_claims_more_than_the_cap_is_refused_before_it_is_read(
    content: bytes,
) -> None:
    claim = (CHUNK_PAYLOAD_BYTES_MAX + 1).to_bytes(4, "little")
    assert "other bytes" in str(damage_of(patch(content, HEAD_BYTES + 12, claim)))


@pytest.mark.parametrize(("offset_bytes", "message"), [(8, "version 3"), (12, "features 0x3")])
def test_a_snapshot_of_a_newer_format_is_told_as_such_and_not_passed_over(
    content: bytes, offset_bytes: int, message: str
) -> None:
    newer = forge_checksum(patch(content, offset_bytes, b"\x03"), slice(0, 60), 60)
    disk = FakeDisk.holding({snapshot_name(41): newer})
    with pytest.raises(FormatTooNew, match=message) as refused:
        newest_whole_snapshot(disk)
    assert "reads snapshot version 2" in str(refused.value)


@pytest.mark.parametrize("operation", ["pwrite", "fdatasync", "rename", "sync_directory"])
def test_a_broken_disk_never_leaves_half_a_snapshot(operation: str) -> None:
    disk = FakeDisk()
    write(disk, 40)
    disk.faults.append(Fault(operation, StorageFault("input/output error")))
    with pytest.raises(StorageFault):
        write(disk, 41, [Chunk(1, key, bytes(1_000_000)) for key in range(20)])
    assert [check_snapshot(disk, name).name for name in list_snapshots(disk)] == disk.list_names()


def test_a_power_cut_at_any_operation_leaves_the_old_or_the_new_snapshot() -> None:
    def run(disk: FakeDisk) -> None:
        write(disk, 40)
        finished.append(40)
        write(disk, 41)
        finished.append(41)
        remove_old_snapshots(disk, keep=1)

    finished: list[int] = []
    power_cut_at, is_cut = 1, True
    while is_cut:
        finished.clear()
        disk = FakeDisk()
        disk.power_cut_at = power_cut_at
        is_cut = was_cut(run, disk)
        power_cut_at += 1
        for seed in range(5):
            after = disk.after_power_cut(Random(seed))
            remove_unfinished_snapshots(after)
            choice = newest_whole_snapshot(after)
            assert choice.refused == ()
            found = 0 if choice.facts is None else choice.facts.last_sequence
            assert found >= max(finished, default=0)


def was_cut(run: Callable[[FakeDisk], None], disk: FakeDisk) -> bool:
    try:
        run(disk)
    except PowerCutError:
        return True
    return False
