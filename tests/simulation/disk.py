"""The simulated disk: the fake disk of the storage tests, which also counts, dies and garbles.

When the power goes, what was not synced is lost, torn or reordered sector by sector (fake_disk.py);
here a sector of it may also hold garbage afterwards, as a drive that was writing it leaves it.
"""

from collections.abc import Callable
from random import Random
from typing import Self

from domgrpc.storage.disk import Handle
from tests.storage.fake_disk import PLENTY_BYTES, SECTOR_BYTES, FakeDisk, FakeFile, PowerCutError


class SimulatedDisk(FakeDisk):  # tidy: allow inheritance: a fake disk that is watched
    """See the module. `changes` counts operations that write, sync or rename."""

    def __init__(self) -> None:
        super().__init__()
        self.capacity_bytes = PLENTY_BYTES
        self.changes = 0
        self.lies = False
        """Whether a sync of a file does nothing and says that it did."""
        self.was_troubled = False
        """Whether a write may have failed since the start of the server."""
        self.on_cut: Callable[[], None] | None = None
        """Told when the power goes in the middle of an operation."""
        self.trace: Callable[[str], None] | None = None
        self._written: list[FakeFile] = []
        """What may not be synced; each file that is not is among them."""

    def turn_off(self) -> None:
        """Let whatever is left of the process reach nothing any more."""
        self._is_off = True
        self.power_cut_at = self.operations

    def killed(self) -> Self:
        """Return the disk that the next process finds after a kill."""
        return self._as_found(self.after_kill())

    def cut(self, random: Random) -> Self:
        """Return the disk that the machine finds after a power cut."""
        return self._as_found(self.after_power_cut(random))

    def garbled(self, random: Random, before: FakeDisk) -> Self | None:
        """Return a copy with garbage in a sector that was not synced before; None without one."""
        found = [
            (name, start)
            for name, file in sorted(before.files.items())
            for start, _ in file.sectors()
            if name in self.files and start < len(self.files[name].current)
        ]
        if not found:
            return None
        name, start = random.choice(found)
        copy = self._as_found(self.after_kill())
        copy.files = {
            each: FakeFile(bytearray(file.current), bytearray(file.durable))
            for each, file in self.files.items()
        }
        copy._durable_files = dict(copy.files)  # noqa: SLF001 - of the same class
        sector = slice(start, start + SECTOR_BYTES)
        there = copy.files[name].current[sector]
        other = copy.files[name].current[max(start - SECTOR_BYTES, 0) :][: len(there)]
        flipped = bytearray(there)
        flipped[random.randrange(len(there))] ^= 1 << random.randrange(8)
        garbage = random.choice((random.randbytes(len(there)), other, flipped))
        copy.files[name].current[sector] = garbage
        copy.files[name].durable[sector] = garbage
        return copy

    def check_synced(self) -> None:
        """Object where the log holds bytes that are not durable and no write has failed."""
        if self.was_troubled:
            return
        # Asked for every answer: all files are looked at only where one is not synced.
        self._written = [file for file in self._written if file.pending]
        for name, file in self.files.items() if self._written else ():
            if file.pending:
                assert name[:4] != "log-", f"somebody is answered while {name} is not synced"

    # --- the operations that change something, each a step

    def create(self, name: str) -> Handle:
        self._step("create", name)
        return super().create(name)

    def pwrite(self, handle: Handle, data: bytes | bytearray, offset_bytes: int) -> None:
        if self.trace is not None or self._is_off:
            self._step("pwrite", handle, len(data), offset_bytes)
        else:
            self.changes += 1
        file = self._open[handle]
        if self.faults or self.capacity_bytes != PLENTY_BYTES:
            self.was_troubled = True
            super().pwrite(handle, data, offset_bytes)
            return
        # The usual case: nothing fails and there is space.
        file.write(data, offset_bytes)
        if not self.was_troubled:
            self._written.append(file)
        self._count()

    def truncate(self, handle: Handle, size_bytes: int) -> None:
        self._step("truncate", handle, size_bytes)
        super().truncate(handle, size_bytes)

    def fdatasync(self, handle: Handle) -> None:
        if self.trace is not None or self._is_off:
            self._step("fdatasync", handle)
        else:
            self.changes += 1
        if self.lies:
            self._count()
        elif self.faults:
            super().fdatasync(handle)
        else:
            self._count()
            self._open[handle].sync()

    def settle(self, handle: Handle) -> None:
        self._step("settle", handle)
        super().settle(handle)

    def rename(self, old: str, new: str) -> None:
        self._step("rename", old, new)
        super().rename(old, new)

    def unlink(self, name: str) -> None:
        self._step("unlink", name)
        super().unlink(name)

    def sync_directory(self) -> None:
        self._step("sync_directory")
        super().sync_directory()

    def _step(self, operation: str, *details: object) -> None:
        if self._is_off:
            raise PowerCutError
        self.changes += 1
        if self.trace is not None:
            self.trace(f"disk: {operation} {' '.join(map(str, details))}")

    def _count(self) -> None:
        # What the fake disk does, without its interruptions: this is called all the time.
        self.operations += 1
        if self.power_cut_at is not None and self.operations >= self.power_cut_at:
            self._is_off = True
            if self.on_cut is not None:
                self.on_cut()
            raise PowerCutError

    def _as_found(self, disk: FakeDisk) -> Self:
        found = type(self)()
        vars(found).update(vars(disk))
        found.changes = self.changes
        found.lies = self.lies
        found.capacity_bytes = PLENTY_BYTES
        found._written = list(found.files.values())  # noqa: SLF001 - of the same class
        return found
