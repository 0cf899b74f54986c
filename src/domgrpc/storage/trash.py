"""Gives the space of trimmed segments back to the file system bit by bit.

Removing a file of 64 MiB at once takes about 15 ms, in which the writer would stand still.
Renaming it is cheap and takes it out of the log; shrinking it in steps is cheap as well.
"""

import re
from typing import Final

from domgrpc.storage.disk import Disk

_PREFIX = "trimmed-"
_OURS: Final = re.compile(r"trimmed-log-[0-9a-f]{16}\.seg")
_STEP_BYTES: Final = 4 * 1024 * 1024


class Trash:
    """The files of a folder that are no longer part of the log."""

    __slots__ = ("_disk", "_names")

    def __init__(self, disk: Disk) -> None:
        """Find what a run before this one left."""
        self._disk = disk
        # Nothing but segments is ever put here: what else is called so, a folder even, is not ours.
        self._names = [name for name in disk.list_names() if _OURS.fullmatch(name)]

    def add(self, name: str) -> None:
        """Take a file out of the log, durably."""
        self._disk.rename(name, _PREFIX + name)
        self._disk.sync_directory()
        self._names.append(_PREFIX + name)

    def step(self) -> bool:
        """Cut 4 MiB off, or remove what is left; return whether there was anything to do.

        Takes about 1 ms. Nothing here needs to be durable: a restart finds the rest again.
        """
        if not self._names:
            return False
        handle = self._disk.open(self._names[-1], writable=True)
        try:
            left_bytes = self._disk.size_bytes(handle) - _STEP_BYTES
            if left_bytes > 0:
                self._disk.truncate(handle, left_bytes)
                return True
        finally:
            self._disk.close(handle)
        self._disk.unlink(self._names.pop())
        return True
