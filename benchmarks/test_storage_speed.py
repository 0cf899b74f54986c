"""What a frame, an append and a recovery cost: pytest benchmarks/test_storage_speed.py.

Appends are measured twice: with the sync of a real disk, and on a disk that does not sync, which
shows what the code itself takes. The folder is where pytest keeps its temporary files; choose a
real disk with --basetemp.
"""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import cast

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from domgrpc.storage.disk import Disk, Handle, LocalDisk
from domgrpc.storage.frame import RECORDS, encode_frame
from domgrpc.storage.log import Log
from domgrpc.storage.snapshot import SnapshotWriter, check_snapshot

KIB = 1024
PAYLOAD_SIZES = (200, 64 * KIB, 256 * KIB)
RECORDS_IN_GROUP = 64
RECORD_BYTES = 200
RECOVERED_RECORDS = 1_000_000
SNAPSHOT_CHUNKS = 256
CHUNK_BYTES = 512 * KIB


class UnsyncedDisk:
    """The local disk without its syncs, for measuring only."""

    def __init__(self, root: Path) -> None:
        self._disk = LocalDisk(root)

    def __getattr__(self, name: str) -> object:
        return getattr(self._disk, name)

    def fdatasync(self, handle: Handle) -> None:
        """Leave the bytes to the kernel."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def disk(folder: Path) -> Iterator[LocalDisk]:
    made = LocalDisk(folder)
    yield made
    made.release()


def random_payload(size_bytes: int) -> bytes:
    return Random(1).randbytes(size_bytes)


def measure(
    benchmark: BenchmarkFixture,
    run: Callable[[], object],
    *,
    rounds: int,
    setup: Callable[[], None] | None = None,
) -> object:
    """Run something a fixed number of times, because it changes the disk."""
    return benchmark.pedantic(run, setup=setup, rounds=rounds)  # type: ignore[no-untyped-call]


def open_log(disk: Disk) -> Log:
    return Log.open(disk, random_bytes=os.urandom, clock=time.monotonic)


@pytest.mark.parametrize("payload_bytes", PAYLOAD_SIZES)
def test_encoding_a_frame(benchmark: BenchmarkFixture, payload_bytes: int) -> None:
    payload = random_payload(payload_bytes)

    def encode() -> bytes:
        return encode_frame(
            payload,
            kind=RECORDS,
            count=1,
            first_sequence=1,
            durable_bytes=4096,
            previous_crc=7,
            salt=bytes(16),
        )

    benchmark(encode)


@pytest.mark.parametrize("payload_bytes", PAYLOAD_SIZES)
@pytest.mark.parametrize("synced", [False, True], ids=["unsynced", "synced"])
def test_appending_a_group(
    benchmark: BenchmarkFixture,
    folder: Path,
    payload_bytes: int,
    synced: bool,  # noqa: FBT001
) -> None:
    # The rest of the disk is there, but only at run time.
    disk = LocalDisk(folder) if synced else cast("Disk", UnsyncedDisk(folder))
    log = open_log(disk)
    payload = random_payload(payload_bytes)

    def make_room() -> None:
        # Not measured, as the engine does it between groups.
        log.trim(log.last_sequence)
        while not log.prepare_spare():
            pass

    def append() -> None:
        log.append(log.last_sequence + 1, payload, 1)

    measure(benchmark, append, rounds=1000, setup=make_room)


def test_one_step_of_making_the_next_segment(benchmark: BenchmarkFixture, disk: LocalDisk) -> None:
    log = open_log(disk)

    def step() -> None:
        log.prepare_spare()

    measure(benchmark, step, rounds=60)


def test_recovering_a_million_records(benchmark: BenchmarkFixture, disk: LocalDisk) -> None:
    log = open_log(disk)
    payload = random_payload(RECORDS_IN_GROUP * RECORD_BYTES)
    while log.last_sequence < RECOVERED_RECORDS:
        log.append(log.last_sequence + 1, payload, RECORDS_IN_GROUP)
    log.seal()
    log.close()

    def recover() -> int:
        opened = open_log(disk)
        records = sum(frame.count for frame in opened.read(1))
        opened.close()
        return records

    assert measure(benchmark, recover, rounds=5) == RECOVERED_RECORDS


def test_writing_and_checking_a_snapshot(benchmark: BenchmarkFixture, disk: LocalDisk) -> None:
    payload = random_payload(CHUNK_BYTES)

    def write() -> None:
        with SnapshotWriter(disk, 1, random_bytes=os.urandom) as snapshot:
            for key in range(SNAPSHOT_CHUNKS):
                snapshot.write_chunk(1, key, payload)
            snapshot.finish(b"")

    measure(benchmark, write, rounds=5)
    assert check_snapshot(disk, disk.list_names()[0]).chunks == SNAPSHOT_CHUNKS
