"""What can go wrong with stored bytes, one class for each thing a caller does about it.

`exit_code` is the contract with whoever supervises the process: 70 the disk failed, 71 the bytes
are damaged or not ours to read, 72 another writer got ahead, 73 the folder cannot be used.
"""

import errno
from typing import ClassVar

DISK_FULL_ERRORS = frozenset({errno.ENOSPC, errno.EDQUOT})


class StorageError(Exception):
    """Stored bytes could not be written, read or trusted."""

    exit_code: ClassVar[int] = 70


class StorageFault(StorageError):
    """The disk failed, so what it holds is unknown: stop the process, restart, recover."""


class DiskFull(StorageError):
    """There is no space (or quota) left; nothing was acknowledged and the call may be repeated."""


class Corruption(StorageError):
    """Bytes that were durable are damaged, missing or in the wrong place."""

    exit_code: ClassVar[int] = 71

    def __init__(
        self, file_name: str, *, offset_bytes: int, expected: str, found: str, sequence: int = 0
    ) -> None:
        super().__init__(
            f"{_shown(file_name)} is damaged at byte {offset_bytes}"
            + (f" (sequence {sequence})" if sequence else "")
            + f": expected {expected}, found {found}. Nothing was changed. Keep a copy of the"
            " folder, then restore the file from a backup."
        )
        self.file_name = file_name
        self.offset_bytes = offset_bytes
        self.sequence = sequence
        self.expected = expected
        self.found = found


class FormatTooNew(StorageError):
    """A file was written in a format that this version does not know."""

    exit_code: ClassVar[int] = 71

    def __init__(self, file_name: str, *, found: str, known: str) -> None:
        super().__init__(
            f"{_shown(file_name)} has {found}, this version of domgrpc reads {known}."
            " Run the newer version that wrote it."
        )
        self.file_name = file_name
        self.found = found
        self.known = known


class FolderInUse(StorageError):
    """Another process holds the lock of the folder."""

    exit_code: ClassVar[int] = 73

    def __init__(self, folder: str, *, holder_pid: int | None) -> None:
        holder = "another process" if holder_pid is None else f"process {holder_pid}"
        super().__init__(
            f"The data folder {folder} is in use by {holder}."
            " Stop that one first, or give this one a folder of its own."
        )
        self.folder = folder
        self.holder_pid = holder_pid


class FolderUnusable(StorageError):
    """The folder cannot be made, opened or written."""

    exit_code: ClassVar[int] = 73

    def __init__(self, folder: str, *, reason: str) -> None:
        super().__init__(
            f"The data folder {folder} cannot be used: {reason}."
            " Give a folder on a local disk that this user may write."
        )
        self.folder = folder
        self.reason = reason


class RepairRefused(StorageError):
    """A repair that an operator ordered does not fit what the folder holds; nothing was changed."""

    exit_code: ClassVar[int] = 73


class OutOfSequence(StorageError):
    """An append expected another place in the log than the next one."""

    exit_code: ClassVar[int] = 72

    def __init__(self, *, expected_sequence: int, next_sequence: int) -> None:
        super().__init__(
            f"The append expected to write sequence {expected_sequence}, the next one is"
            f" {next_sequence}. Another writer got ahead, or a group was lost on the way:"
            " restart and recover."
        )
        self.expected_sequence = expected_sequence
        self.next_sequence = next_sequence


class HistoryTrimmed(StorageError):
    """Records were asked for that are older than the oldest one kept."""

    exit_code: ClassVar[int] = 71

    def __init__(self, *, from_sequence: int, first_sequence: int) -> None:
        super().__init__(
            f"Sequence {from_sequence} was asked for, the log starts at {first_sequence}."
            " Start from a snapshot instead."
        )
        self.from_sequence = from_sequence
        self.first_sequence = first_sequence


def storage_error(error: OSError, doing: str) -> StorageError:
    """Return the storage error that an operating system error amounts to."""
    text = f"{doing}: {error.strerror} (errno {error.errno})"
    if error.errno in DISK_FULL_ERRORS:
        return DiskFull(f"{text}. Free some space; nothing that was acknowledged is lost.")
    return StorageFault(f"{text}. Check the disk, then restart: what is durable is read again.")


def _shown(file_name: str) -> str:
    """Return a file name as it may stand in a line: a name may hold the end of one."""
    return file_name if file_name.isprintable() else ascii(file_name)
