"""Which error stands for what, and what the process that meets it ends with."""

import errno
import os

import pytest

from domgrpc.storage.errors import (
    Corruption,
    DiskFull,
    FolderInUse,
    FolderUnusable,
    FormatTooNew,
    HistoryTrimmed,
    OutOfSequence,
    StorageError,
    StorageFault,
    storage_error,
)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_no_space_and_no_quota_are_a_full_disk(number: int) -> None:
    error = storage_error(OSError(number, os.strerror(number)), "writing 5 bytes")
    assert isinstance(error, DiskFull)
    assert str(error).startswith(f"writing 5 bytes: {os.strerror(number)} (errno {number})")


@pytest.mark.parametrize("number", [errno.EIO, errno.EROFS, errno.EMFILE, errno.EFBIG])
def test_every_other_failure_is_a_fault(number: int) -> None:
    error = storage_error(OSError(number, os.strerror(number)), "writing 5 bytes")
    assert isinstance(error, StorageFault)


def test_every_error_ends_the_process_with_the_code_of_its_kind() -> None:
    damage = Corruption("log-1.seg", offset_bytes=4096, expected="a", found="b", sequence=7)
    errors: list[tuple[StorageError, int]] = [
        (StorageFault("broken"), 70),
        (DiskFull("full"), 70),
        (damage, 71),
        (FormatTooNew("log-1.seg", found="version 2", known="version 1"), 71),
        (HistoryTrimmed(from_sequence=1, first_sequence=5), 71),
        (OutOfSequence(expected_sequence=3, next_sequence=4), 72),
        (FolderInUse("data", holder_pid=7), 73),
        (FolderUnusable("data", reason="it is a file"), 73),
    ]
    assert [(error, error.exit_code) for error, _ in errors] == errors
    assert "log-1.seg is damaged at byte 4096 (sequence 7): expected a, found b" in str(damage)
