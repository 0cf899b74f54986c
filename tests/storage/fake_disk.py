"""A disk in memory that loses power, tears writes, fails and fills up when it is told to.

What was written but not synced is kept apart, sector by sector, and names apart from bytes. When
the power goes each such sector and each such name survives or not by the throw of a seeded die.
A sync that fails drops what it should have written and leaves it readable, as Linux does.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Self

from domgrpc.storage.disk import Handle
from domgrpc.storage.errors import DiskFull, StorageError, StorageFault

SECTOR_BYTES = 512
PLENTY_BYTES = 1 << 40
"""So much space that nobody need add up how much of it is taken."""


class PowerCutError(Exception):
    """The power went during a disk operation."""


@dataclass
class FakeFile:
    """The bytes of one file: what reads see, what is durable, and the writes in between.

    The writes are whole sectors, as they were right after each; they are cut apart when the power
    goes.
    """

    current: bytearray = field(default_factory=bytearray)
    durable: bytearray = field(default_factory=bytearray)
    pending: list[tuple[int, bytes]] = field(default_factory=list)

    def write(self, data: bytes | bytearray, offset_bytes: int) -> None:
        current = self.current
        end_bytes = offset_bytes + len(data)
        if end_bytes > len(current):
            current.extend(bytes(end_bytes - len(current)))
        current[offset_bytes:end_bytes] = data
        if not (offset_bytes % SECTOR_BYTES or end_bytes % SECTOR_BYTES):
            self.pending.append((offset_bytes, bytes(data)))
            return
        start = offset_bytes // SECTOR_BYTES * SECTOR_BYTES
        self.pending.append(
            (start, bytes(current[start : -(-end_bytes // SECTOR_BYTES) * SECTOR_BYTES]))
        )

    def sync(self) -> None:
        durable = self.durable
        for start, data in self.pending:
            if start > len(durable):
                durable.extend(bytes(start - len(durable)))
            durable[start : start + len(data)] = data
        self.pending.clear()

    def sectors(self) -> Iterator[tuple[int, bytes]]:
        """Iterate the sectors that were written and not synced, in the order of the writes."""
        for start, data in self.pending:
            for place in range(0, len(data), SECTOR_BYTES):
                yield start + place, data[place : place + SECTOR_BYTES]

    def after_power_cut(self, random: Random, survival: float) -> "FakeFile":
        left = bytearray(self.durable)
        if len(self.current) > len(left) and random.random() < survival:
            left.extend(bytes(len(self.current) - len(left)))
        for start, data in self.sectors():
            if start + len(data) <= len(left) and random.random() < survival:
                left[start : start + len(data)] = data
        return FakeFile(bytearray(left), left)


@dataclass
class Fault:
    """One failure to come: of which operation, after how many good ones, with which error.

    A failing write leaves `written_bytes` of its data behind.
    """

    operation: str
    error: StorageError
    skip: int = 0
    written_bytes: int = 0


class FakeDisk:
    """See the module. `capacity_bytes` bounds the sum of all file lengths."""

    def __init__(self, *, capacity_bytes: int = PLENTY_BYTES) -> None:
        self.capacity_bytes = capacity_bytes
        self.files: dict[str, FakeFile] = {}
        self.faults: list[Fault] = []
        self.operations = 0
        self.power_cut_at: int | None = None
        self.locked = False
        self.interruption: Callable[[], None] | None = None
        """Called before each operation, to be the other process that works meanwhile."""
        self._durable_files: dict[str, FakeFile] = {}
        self._pending_names: list[tuple[str, str | None, FakeFile]] = []
        self._open: dict[Handle, FakeFile] = {}
        self._is_off = False

    @classmethod
    def holding(cls, contents: dict[str, bytes]) -> Self:
        """Make a disk on which files with these contents are durable."""
        disk = cls()
        for name, content in contents.items():
            disk.files[name] = FakeFile(bytearray(content), bytearray(content))
        disk.sync_directory()
        return disk

    def contents(self) -> dict[str, bytes]:
        """Return what all files hold now, as a reader would see it."""
        return {name: bytes(file.current) for name, file in self.files.items()}

    def after_kill(self) -> "FakeDisk":
        """Return the disk that the next process finds: all is there, and as durable as it was."""
        disk = FakeDisk(capacity_bytes=self.capacity_bytes)
        disk.operations = self.operations
        disk.files = self.files
        disk._durable_files = self._durable_files
        disk._pending_names = self._pending_names
        return disk

    def after_power_cut(self, random: Random) -> "FakeDisk":
        """Return the disk that the machine finds when it starts again."""
        survival = random.choice((0.0, 0.2, 0.5, 0.8, 1.0))
        names = dict(self._durable_files)
        for old, new, file in self._pending_names:
            if random.random() >= survival or (new is not None and old != new and old not in names):
                continue
            names.pop(old, None)
            if new is not None:
                names[new] = file
        disk = FakeDisk(capacity_bytes=self.capacity_bytes)
        disk.files = {
            name: file.after_power_cut(random, survival) for name, file in sorted(names.items())
        }
        disk.sync_directory()
        return disk

    def lock(self) -> None:
        self.locked = True

    def unlock(self) -> None:
        self.locked = False

    def list_names(self) -> list[str]:
        return sorted(self.files)

    def create(self, name: str) -> Handle:
        self._expect(name not in self.files, f"{name} exists")
        self._raise_due("create")
        file = FakeFile()
        self.files[name] = file
        self._pending_names.append((name, name, file))
        self._count()
        return self._opened(file)

    def open(self, name: str, *, writable: bool = False) -> Handle:
        self._expect(name in self.files, f"{name} is missing, writable={writable}")
        self._raise_due("open")
        self._count()
        self._expect(name in self.files, f"{name} went away")
        return self._opened(self.files[name])

    def close(self, handle: Handle) -> None:
        del self._open[handle]

    def size_bytes(self, handle: Handle) -> int:
        return len(self._open[handle].current)

    def read(self, handle: Handle, size_bytes: int, offset_bytes: int) -> bytes:
        self._count()
        with memoryview(self._open[handle].current) as view:
            return bytes(view[offset_bytes : offset_bytes + size_bytes])

    def pwrite(self, handle: Handle, data: bytes | bytearray, offset_bytes: int) -> None:
        file = self._open[handle]
        growth_bytes = max(offset_bytes + len(data) - len(file.current), 0)
        if self.capacity_bytes < PLENTY_BYTES and growth_bytes > (free_bytes := self.free_bytes()):
            file.write(data[: max(len(data) - growth_bytes + free_bytes, 0)], offset_bytes)
            raise DiskFull("the fake disk is full")
        fault = self._due_fault("pwrite")
        if fault is not None:
            file.write(data[: fault.written_bytes], offset_bytes)
            raise fault.error
        file.write(data, offset_bytes)
        self._count()

    def truncate(self, handle: Handle, size_bytes: int) -> None:
        file = self._open[handle]
        del file.current[size_bytes:]
        file.durable = bytearray(file.current)
        file.pending.clear()
        self._count()

    def fdatasync(self, handle: Handle) -> None:
        file = self._open[handle]
        fault = self._due_fault("fdatasync")
        if fault is not None:
            file.pending.clear()
            raise fault.error
        self._count()
        file.sync()

    def settle(self, handle: Handle) -> None:
        file = self._open[handle]
        file.sync()
        file.current = bytearray(file.durable)
        self._count()

    def rename(self, old: str, new: str) -> None:
        self._expect(old in self.files, f"{old} is missing")
        self._raise_due("rename")
        file = self.files.pop(old)
        self.files[new] = file
        self._pending_names.append((old, new, file))
        self._count()

    def unlink(self, name: str) -> None:
        self._expect(name in self.files, f"{name} is missing")
        self._pending_names.append((name, None, self.files.pop(name)))
        self._count()

    def sync_directory(self) -> None:
        self._raise_due("sync_directory")
        self._count()
        self._durable_files = dict(self.files)
        self._pending_names.clear()

    def free_bytes(self) -> int:
        return self.capacity_bytes - sum(len(file.current) for file in self.files.values())

    def open_handles(self) -> int:
        """Return how many files are open, to see that none is forgotten."""
        return len(self._open)

    def _opened(self, file: FakeFile) -> Handle:
        handle = Handle(self.operations)
        self._open[handle] = file
        return handle

    def _expect(self, holds: bool, message: str) -> None:  # noqa: FBT001 (an assertion)
        if self._is_off:
            raise PowerCutError
        if not holds:
            raise StorageFault(message)

    def _count(self) -> None:
        self.operations += 1
        if self.interruption is not None:
            self.interruption()
        if self.power_cut_at is not None and self.operations >= self.power_cut_at:
            self._is_off = True
            raise PowerCutError

    def _raise_due(self, operation: str) -> None:
        fault = self._due_fault(operation)
        if fault is not None:
            raise fault.error

    def _due_fault(self, operation: str) -> Fault | None:
        if self._is_off:
            raise PowerCutError
        for fault in self.faults:
            if fault.operation != operation:
                continue
            if fault.skip == 0:
                self.faults.remove(fault)
                return fault
            fault.skip -= 1
        return None
