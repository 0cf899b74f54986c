"""Every folder that a power cut may leave, worked out from the journal of a disk.

The contract of `Disk` is taken at its word: of what was written and not synced any set of sectors
may be there, whatever the order of the writes was; a length that was not synced may be or not; a
name that was made, changed or removed counts for nothing until the folder is synced. At each
moment of the journal all sets are tried where there are few enough, else the telling ones
(none, all, each beginning, each single one, all but one) and then sets drawn by a seeded die.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from xxhash import xxh3_64_intdigest

from tests.faults.journal_disk import (
    Acknowledged,
    Cut,
    File,
    FolderSynced,
    Named,
    Operation,
    Synced,
    Written,
)

SECTOR_BYTES = 512
ImageKey = tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Image:
    """What a power cut left, and the last sequence that was promised before it."""

    files: dict[str, bytes]
    key: ImageKey
    """Equal for equal files."""
    acknowledged: int


@dataclass(frozen=True, slots=True)
class Piece:
    """The least that is there or not: a sector, a length to grow to, or one to be cut to."""

    offset_bytes: int
    data: bytes | None = None
    grows: bool = False

    def apply(self, content: bytearray) -> None:
        """Have it reach the disk."""
        if self.data is not None:
            # What lies behind the end of the file is not there, though it was written.
            content[self.offset_bytes : self.offset_bytes + len(self.data)] = self.data[
                : max(len(content) - self.offset_bytes, 0)
            ]
        elif self.grows:
            content.extend(bytes(max(self.offset_bytes - len(content), 0)))
        else:
            del content[self.offset_bytes :]


@dataclass(slots=True)
class Fate:
    """One file: what of it is durable, and the pieces that may be."""

    durable: bytes
    digest: int
    pending: list[Written | Cut] = field(default_factory=list)
    pieces: list[Piece] = field(default_factory=list)

    def add(self, operation: Written | Cut) -> None:
        """Take note of a change that is not durable."""
        self.pending.append(operation)
        self.pieces = list(_pieces(self.durable, self.pending))

    def sync(self) -> None:
        """Make all changes durable."""
        self.durable = self.after(self.pieces)
        self.digest = xxh3_64_intdigest(self.durable)
        self.pending.clear()
        self.pieces.clear()

    def after(self, pieces: Sequence[Piece]) -> bytes:
        """Return the content where these pieces reached the disk."""
        content = bytearray(self.durable)
        for piece in pieces:
            piece.apply(content)
        return bytes(content)


class CrashStates:
    """Goes through a journal and builds what each moment of it may leave."""

    def __init__(
        self,
        files: Mapping[str, File],
        contents: Mapping[str, bytes],
        die: Random,
        *,
        sets_per_moment_max: int,
        share: float = 1.0,
    ) -> None:
        """Begin with files and what they durably held when the journal began.

        Of the sets of a moment only a share is built, drawn by the die, none and all always.
        """
        self._die = die
        self._share = share
        self._sets_max = sets_per_moment_max
        self._names = dict(files)
        self._fates = {
            files[name]: Fate(content, xxh3_64_intdigest(content))
            for name, content in contents.items()
        }
        self._pending_names: list[Named] = []
        self._acknowledged = 0
        self.exhaustive_moments = 0
        self.moments = 0

    def images(self, journal: Sequence[Operation]) -> Iterator[Image]:
        """Yield the images of the moment after each operation."""
        for operation in journal:
            self._apply(operation)
            yield from self._moment()

    def _apply(self, operation: Operation) -> None:
        match operation:
            case Written() | Cut():
                self._fates[operation.file].add(operation)
            case Synced():
                self._fates[operation.file].sync()
            case Named():
                self._fates.setdefault(operation.file, Fate(b"", xxh3_64_intdigest(b"")))
                self._pending_names.append(operation)
            case FolderSynced():
                self._names = self._names_after(self._pending_names)
                self._pending_names = []
            case Acknowledged():
                self._acknowledged = operation.last_sequence

    def _moment(self) -> Iterator[Image]:
        reachable = {*self._names.values(), *(named.file for named in self._pending_names)}
        files = [file for file, fate in self._fates.items() if fate.pieces and file in reachable]
        choices: list[tuple[File | None, Piece | Named]] = [
            (None, named) for named in self._pending_names
        ]
        choices += [(file, piece) for file in files for piece in self._fates[file].pieces]
        self.moments += 1
        self.exhaustive_moments += 1 << len(choices) <= self._sets_max
        whole = (1 << len(choices)) - 1
        for chosen in _sets(len(choices), self._sets_max, self._die):
            if chosen in (0, whole) or self._die.random() < self._share:
                yield self._image(
                    [choice for place, choice in enumerate(choices) if chosen >> place & 1]
                )

    def _image(self, chosen: Sequence[tuple[File | None, Piece | Named]]) -> Image:
        named = [choice for _, choice in chosen if isinstance(choice, Named)]
        pieces: dict[File, list[Piece]] = {}
        for file, choice in chosen:
            if file is not None and isinstance(choice, Piece):
                pieces.setdefault(file, []).append(choice)
        names = self._names_after(named) if named else self._names
        files: dict[str, bytes] = {}
        key: list[tuple[str, int]] = []
        for name in sorted(names):
            fate = self._fates[names[name]]
            content, digest = fate.durable, fate.digest
            if names[name] in pieces:
                content = fate.after(pieces[names[name]])
                digest = xxh3_64_intdigest(content)
            files[name] = content
            key.append((name, digest))
        return Image(files, tuple(key), self._acknowledged)

    def _names_after(self, changes: Sequence[Named]) -> dict[str, File]:
        names = dict(self._names)
        for change in changes:
            if change.old != change.new and names.get(change.old) is not change.file:
                # The making of the old name is not there, so nothing can be made of it.
                continue
            names.pop(change.old, None)
            if change.new is not None:
                names[change.new] = change.file
        return names


def _pieces(durable: bytes, pending: Sequence[Written | Cut]) -> Iterator[Piece]:
    content = bytearray(durable)
    changed: set[int] = set()
    for operation in pending:
        if isinstance(operation, Cut):
            del content[operation.size_bytes :]
            yield Piece(operation.size_bytes)
            continue
        start, end = operation.offset_bytes, operation.offset_bytes + len(operation.data)
        before = bytes(content).ljust(end, b"\0")
        if end > len(content):
            content.extend(bytes(end - len(content)))
            yield Piece(end, grows=True)
        content[start:end] = operation.data
        for sector in range(start // SECTOR_BYTES * SECTOR_BYTES, end, SECTOR_BYTES):
            data = bytes(content[sector : sector + SECTOR_BYTES])
            # Zeros over zeros change nothing, unless something else may be there by then.
            if sector in changed or data != before[sector : sector + SECTOR_BYTES]:
                changed.add(sector)
                yield Piece(sector, data)


def _sets(count: int, limit: int, die: Random) -> Iterator[int]:
    """Yield sets of so many things as numbers, at most `limit` of them, each one once."""
    whole = (1 << count) - 1
    if whole < limit:
        yield from range(whole + 1)
        return
    told = {0, whole}
    told.update((1 << length) - 1 for length in range(count))
    told.update(1 << place for place in range(count))
    told.update(whole ^ 1 << place for place in range(count))
    chosen = sorted(told)[:limit] if len(told) > limit else sorted(told)
    yield from chosen
    for _ in range(limit - len(chosen)):
        density = die.choice((0.1, 0.5, 0.9))
        drawn = sum(1 << place for place in range(count) if die.random() < density)
        if drawn not in told:
            told.add(drawn)
            yield drawn
