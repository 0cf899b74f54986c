"""The disk as storage sees it: one flat folder of files, and nothing it can do by itself.

`Disk` is the seam where a simulated disk goes in; `LocalDisk` is the real one. What lives here
knows names, offsets and bytes, never what they mean.

Contract of every method: it does all it says or raises `DiskFull` (no space or quota; part of a
write may have happened) or `StorageFault` (anything else). Nothing is durable before the call
that says so: bytes after `fdatasync`, names after `sync_directory`. A failed sync must not be
tried again: the kernel may have dropped the bytes and report success the second time.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NewType, Protocol

from domgrpc.storage.errors import FolderInUse, FolderUnusable, StorageFault, storage_error

Handle = NewType("Handle", int)
"""An open file; valid until it is closed."""

LOCK_NAME = "LOCK"

_FOLDER_MODE = 0o700
_FILE_MODE = 0o600
# A link planted in the folder must not lead a write elsewhere, and no child may inherit a file.
_OPEN_FLAGS = os.O_NOFOLLOW | os.O_CLOEXEC


class Disk(Protocol):
    """One folder of files with plain names."""

    def lock(self) -> None:
        """Become the only writer; no effect when this object holds the lock. Or `FolderInUse`."""

    def unlock(self) -> None:
        """Let the lock go."""

    def list_names(self) -> list[str]:
        """Return the names of all files, sorted."""

    def create(self, name: str) -> Handle:
        """Make an empty file that must not exist and open it for reading and writing."""

    def open(self, name: str, *, writable: bool = False) -> Handle:
        """Open a file that must exist."""

    def close(self, handle: Handle) -> None:
        """Close an open file; what was not synced stays not synced."""

    def size_bytes(self, handle: Handle) -> int:
        """Return the length of an open file."""

    def read(self, handle: Handle, size_bytes: int, offset_bytes: int) -> bytes:
        """Return that many bytes from an offset, fewer only where the file ends."""

    def pwrite(self, handle: Handle, data: bytes | bytearray, offset_bytes: int) -> None:
        """Write all the bytes at an offset."""

    def truncate(self, handle: Handle, size_bytes: int) -> None:
        """Cut the file off at a length."""

    def fdatasync(self, handle: Handle) -> None:
        """Return only when the bytes and the length of the file are durable."""

    def settle(self, handle: Handle) -> None:
        """Make the file durable and forget cached pages, so that reads come from the device."""

    def rename(self, old: str, new: str) -> None:
        """Give a file another name, in place of a file that has it."""

    def unlink(self, name: str) -> None:
        """Remove a file."""

    def sync_directory(self) -> None:
        """Return only when all creations, renames and removals are durable."""

    def free_bytes(self) -> int:
        """Return the space that this user may still fill."""


class LocalDisk:
    """A folder of the local file system (folder mode 0700 when it is made here, files 0600).

    A forked child would keep the lock of its parent alive, even after the parent was killed, so
    helper processes must be spawned, never forked.
    """

    __slots__ = ("_folder", "_lock", "root")

    def __init__(self, root: Path, *, make: bool = True) -> None:
        """Open the folder, and make it first unless told not to; raises `FolderUnusable`."""
        self.root = root
        self._lock: int | None = None
        try:
            if make:
                root.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
            # Every later call goes through this descriptor: moving the folder aside while we
            # run cannot split the files over two places.
            self._folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise FolderUnusable(str(root), reason=str(error.strerror)) from error

    def lock(self) -> None:
        """Take the lock, and leave this process's id in the lock file for whoever is refused."""
        if self._lock is not None:
            return
        try:
            flags = os.O_RDWR | os.O_CREAT | _OPEN_FLAGS
            lock = os.open(LOCK_NAME, flags, _FILE_MODE, dir_fd=self._folder)
        except OSError as error:
            raise FolderUnusable(str(self.root), reason=f"LOCK: {error.strerror}") from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise FolderInUse(str(self.root), holder_pid=_holder_pid(lock)) from error
        except OSError as error:
            os.close(lock)
            raise FolderUnusable(str(self.root), reason=f"LOCK: {error.strerror}") from error
        self._lock = lock
        with _translated("writing LOCK"):
            os.ftruncate(lock, 0)
            os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)

    def unlock(self) -> None:
        """Let the lock go; the lock file stays, because removing it would race with a locker."""
        lock = self._lock
        if lock is None:
            return
        self._lock = None
        with _translated("letting LOCK go"):
            try:
                os.ftruncate(lock, 0)
            finally:
                os.close(lock)

    def release(self) -> None:
        """Let the lock and the folder go; the object is of no use afterwards."""
        self.unlock()
        os.close(self._folder)

    def list_names(self) -> list[str]:
        """Return the names of all files, sorted."""
        with _translated("listing the data folder"):
            return sorted(os.listdir(self._folder))

    def create(self, name: str) -> Handle:
        """Make an empty file that must not exist and open it for reading and writing."""
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | _OPEN_FLAGS
        with _translated(f"creating {name}"):
            return Handle(os.open(name, flags, _FILE_MODE, dir_fd=self._folder))

    def open(self, name: str, *, writable: bool = False) -> Handle:
        """Open a file that must exist."""
        flags = (os.O_RDWR if writable else os.O_RDONLY) | _OPEN_FLAGS
        with _translated(f"opening {name}"):
            return Handle(os.open(name, flags, dir_fd=self._folder))

    def close(self, handle: Handle) -> None:
        """Close an open file; what was not synced stays not synced."""
        with _translated("closing a file"):
            os.close(handle)

    def size_bytes(self, handle: Handle) -> int:
        """Return the length of an open file."""
        with _translated("reading the length of a file"):
            return os.fstat(handle).st_size

    def read(self, handle: Handle, size_bytes: int, offset_bytes: int) -> bytes:
        """Return that many bytes from an offset, fewer only where the file ends."""
        with _translated(f"reading {size_bytes} bytes at byte {offset_bytes}"):
            return os.pread(handle, size_bytes, offset_bytes)

    def pwrite(self, handle: Handle, data: bytes | bytearray, offset_bytes: int) -> None:
        """Write all the bytes at an offset, going on after a short write."""
        with _translated(f"writing {len(data)} bytes at byte {offset_bytes}"):
            written = os.pwrite(handle, data, offset_bytes)
            while written < len(data):
                rest = memoryview(data)[written:]
                written += os.pwrite(handle, rest, offset_bytes + written)

    def truncate(self, handle: Handle, size_bytes: int) -> None:
        """Cut the file off at a length."""
        with _translated(f"cutting a file to {size_bytes} bytes"):
            os.ftruncate(handle, size_bytes)

    def fdatasync(self, handle: Handle) -> None:
        """Return only when the bytes and the length of the file are durable."""
        with _synced("syncing a file"):
            os.fdatasync(handle)

    def settle(self, handle: Handle) -> None:
        """Make the file durable and forget cached pages, so that reads come from the device.

        After a failed sync the cache may hold bytes that the device does not, and after a kill
        it may hold a whole group that was never synced: neither may be answered from.
        """
        with _synced("syncing a file"):
            os.fdatasync(handle)
            os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)

    def rename(self, old: str, new: str) -> None:
        """Give a file another name, in place of a file that has it."""
        with _translated(f"renaming {old} to {new}"):
            os.rename(old, new, src_dir_fd=self._folder, dst_dir_fd=self._folder)

    def unlink(self, name: str) -> None:
        """Remove a file."""
        with _translated(f"removing {name}"):
            os.unlink(name, dir_fd=self._folder)

    def sync_directory(self) -> None:
        """Return only when all creations, renames and removals are durable."""
        with _synced("syncing the data folder"):
            os.fsync(self._folder)

    def free_bytes(self) -> int:
        """Return the space that this user may still fill."""
        with _translated("reading the free space"):
            facts = os.fstatvfs(self._folder)
            return facts.f_bavail * facts.f_frsize


def _holder_pid(lock: int) -> int | None:
    """Read who holds the lock, where the file says so, and close it."""
    try:
        text = os.pread(lock, 32, 0).strip()
    except OSError:
        # Who it is only makes the refusal kinder.
        text = b""
    os.close(lock)
    return int(text) if text.isdigit() else None


@contextmanager
def _translated(doing: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise storage_error(error, doing) from error


@contextmanager
def _synced(doing: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        # Even a sync that failed for lack of space is a fault: what is on disk is now unknown.
        raise StorageFault(f"{doing}: {error.strerror} (errno {error.errno}). Restart.") from error
