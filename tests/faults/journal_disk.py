"""A disk in memory that is quick to make from given files and writes down what is done to it.

It neither fails nor forgets: `tests/faults/crash_states.py` works out from the journal what a
power cut may leave at any moment. Content is kept as it was given until somebody writes to it, so
that a disk made of twenty files costs as much as one made of none.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from domgrpc.storage.disk import Handle
from domgrpc.storage.errors import StorageFault


class KilledError(Exception):
    """The process ended before a disk operation."""


@dataclass(eq=False, slots=True)
class File:
    """The bytes of one file, whatever its name is."""

    content: bytes | bytearray = b""


@dataclass(frozen=True, slots=True)
class Written:
    """Bytes were written at an offset."""

    file: File
    offset_bytes: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Cut:
    """A file was cut off."""

    file: File
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Synced:
    """All that was written to a file before is durable."""

    file: File


@dataclass(frozen=True, slots=True)
class Named:
    """A name was made (`old` is the same), changed, or removed (no `new`)."""

    old: str
    new: str | None
    file: File


@dataclass(frozen=True, slots=True)
class FolderSynced:
    """All names are durable."""


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """Everything up to a sequence was promised to be durable."""

    last_sequence: int


Operation = Written | Cut | Synced | Named | FolderSynced | Acknowledged


@dataclass(slots=True)
class JournalDisk:
    """See the module. `steps_left` is how many operations more are done before the kill."""

    files: dict[str, File] = field(default_factory=dict)
    journal: list[Operation] | None = None
    steps_left: int = -1
    _open: dict[Handle, File] = field(default_factory=dict)
    _handle_count: int = 0

    def contents(self) -> dict[str, bytes]:
        """Return what all files hold."""
        return {name: bytes(file.content) for name, file in self.files.items()}

    def note(self, operation: Operation) -> None:
        """Write something down."""
        if self.journal is not None:
            self.journal.append(operation)

    def open_count(self) -> int:
        """Return how many files are open."""
        return len(self._open)

    def lock(self) -> None:
        pass

    def unlock(self) -> None:
        pass

    def list_names(self) -> list[str]:
        self._step()
        return sorted(self.files)

    def create(self, name: str) -> Handle:
        self._step()
        if name in self.files:
            raise StorageFault(f"{name} exists")
        file = File()
        self.files[name] = file
        self.note(Named(name, name, file))
        return self._opened(file)

    def open(self, name: str, *, writable: bool = False) -> Handle:
        self._step()
        if name not in self.files:
            raise StorageFault(f"{name} is missing, writable={writable}")
        return self._opened(self.files[name])

    def close(self, handle: Handle) -> None:
        del self._open[handle]

    def size_bytes(self, handle: Handle) -> int:
        return len(self._open[handle].content)

    def read(self, handle: Handle, size_bytes: int, offset_bytes: int) -> bytes:
        self._step()
        content = self._open[handle].content
        if isinstance(content, bytearray):
            # A writer goes on with what a reader keeps a view of.
            return bytes(content[offset_bytes : offset_bytes + size_bytes])
        return content[offset_bytes : offset_bytes + size_bytes]

    def pwrite(self, handle: Handle, data: bytes | bytearray, offset_bytes: int) -> None:
        self._step()
        file = self._open[handle]
        content = file.content if isinstance(file.content, bytearray) else bytearray(file.content)
        content.extend(bytes(max(offset_bytes - len(content), 0)))
        content[offset_bytes : offset_bytes + len(data)] = data
        file.content = content
        self.note(Written(file, offset_bytes, bytes(data)))

    def truncate(self, handle: Handle, size_bytes: int) -> None:
        self._step()
        file = self._open[handle]
        file.content = bytes(file.content[:size_bytes])
        self.note(Cut(file, size_bytes))

    def fdatasync(self, handle: Handle) -> None:
        self._step()
        self.note(Synced(self._open[handle]))

    def settle(self, handle: Handle) -> None:
        self.fdatasync(handle)

    def rename(self, old: str, new: str) -> None:
        self._step()
        if old not in self.files:
            raise StorageFault(f"{old} is missing")
        file = self.files.pop(old)
        self.files[new] = file
        self.note(Named(old, new, file))

    def unlink(self, name: str) -> None:
        self._step()
        if name not in self.files:
            raise StorageFault(f"{name} is missing")
        self.note(Named(name, None, self.files.pop(name)))

    def sync_directory(self) -> None:
        self._step()
        self.note(FolderSynced())

    def free_bytes(self) -> int:
        return 1 << 40

    def _opened(self, file: File) -> Handle:
        self._handle_count += 1
        handle = Handle(self._handle_count)
        self._open[handle] = file
        return handle

    def _step(self) -> None:
        if self.steps_left == 0:
            raise KilledError
        self.steps_left -= 1


def holding(contents: Mapping[str, bytes]) -> JournalDisk:
    """Return a disk with these files."""
    return JournalDisk({name: File(content) for name, content in contents.items()})
