"""The spare: a file of zeros, made ahead, that becomes the next segment by being renamed.

Writing into blocks that already hold zeros on disk costs a sync about a third less than growing
a file, and it cannot run out of space. The zeros are written in small synced steps, so that the
writer never waits long, neither for a step nor behind the dirty pages that a step leaves.
"""

from typing import Final

from domgrpc.storage.disk import Disk, Handle
from domgrpc.storage.errors import DiskFull
from domgrpc.storage.frame import BLOCK_BYTES
from domgrpc.storage.walk import Window

SPARE_NAME: Final = "spare.seg"
SPARE_TEMPORARY_NAME: Final = "spare.seg.tmp"
STEP_BYTES_DEFAULT: Final = 512 * 1024


class Spare:
    """At most one spare segment, ready or being filled."""

    __slots__ = ("_disk", "_filled_bytes", "_handle", "ready", "size_bytes")

    def __init__(self, disk: Disk, size_bytes: int) -> None:
        """Keep the spare that a run before this one left, if it is whole, else remove it."""
        self._disk = disk
        self.size_bytes = size_bytes
        self._handle: Handle | None = None
        self._filled_bytes = 0
        names = disk.list_names()
        if SPARE_TEMPORARY_NAME in names:
            disk.unlink(SPARE_TEMPORARY_NAME)
        self.ready = SPARE_NAME in names and self._is_whole()
        if SPARE_NAME in names and not self.ready:
            disk.unlink(SPARE_NAME)

    def step(self, step_bytes: int = STEP_BYTES_DEFAULT) -> bool:
        """Write that many zeros more and sync them; return whether the spare is ready.

        On `DiskFull` the space taken so far is given back, and the next step starts over.
        """
        if self.ready:
            return True
        try:
            if self._handle is None:
                self._handle = self._disk.create(SPARE_TEMPORARY_NAME)
            step_bytes = min(step_bytes, self.size_bytes - self._filled_bytes)
            self._disk.pwrite(self._handle, bytes(step_bytes), self._filled_bytes)
            self._disk.fdatasync(self._handle)
            self._filled_bytes += step_bytes
            if self._filled_bytes == self.size_bytes:
                self._disk.rename(SPARE_TEMPORARY_NAME, SPARE_NAME)
                self._disk.sync_directory()
                self.close()
                self.ready = True
        except DiskFull:
            self._give_up()
            raise
        return self.ready

    def take(self, name: str, first_block: bytes) -> Handle:
        """Turn the spare into the segment of that name and return it open for writing.

        Fills the spare first where it is not ready: 64 MiB take about 0.1 s. On `DiskFull` no
        segment was made.
        """
        while not self.ready:
            self.step()
        handle = self._disk.open(SPARE_NAME, writable=True)
        try:
            # The first block is durable before the name is: a segment that has its name is whole.
            self._disk.pwrite(handle, first_block, 0)
            self._disk.fdatasync(handle)
            self._disk.rename(SPARE_NAME, name)
        except DiskFull:
            self._disk.close(handle)
            raise
        self._disk.sync_directory()
        self.ready = False
        return handle

    def close(self) -> None:
        """Close the file that is being filled, if any; what is in it is of no use later."""
        if self._handle is not None:
            self._disk.close(self._handle)
            self._handle = None
        self._filled_bytes = 0

    def _give_up(self) -> None:
        if self._handle is not None:
            self.close()
            self._disk.unlink(SPARE_TEMPORARY_NAME)

    def _is_whole(self) -> bool:
        """Say whether the file has the right length and zeros behind its first block."""
        handle = self._disk.open(SPARE_NAME)
        try:
            self._disk.settle(handle)
            window = Window(self._disk, handle)
            return (
                window.size_bytes == self.size_bytes
                and window.end_of_bytes(BLOCK_BYTES) == BLOCK_BYTES
            )
        finally:
            self._disk.close(handle)
