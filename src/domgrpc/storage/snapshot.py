"""Snapshots: a state at one sequence, as checksummed chunks in a file of its own.

A snapshot is written beside the others under a temporary name, synced, read back, and only then
renamed, so a file with a snapshot's name was whole once. What the chunks hold is the caller's
affair: a kind, a key and bytes. Reading streams, with one chunk in memory at a time.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from struct import Struct
from typing import Final, Self

from crc32c import crc32c
from xxhash import xxh3_128

from domgrpc.storage.belonging import UNKNOWN_SALT, belongs
from domgrpc.storage.disk import Disk, Handle
from domgrpc.storage.errors import Corruption
from domgrpc.storage.snapshot_head import (
    SALT_OFFSET_BYTES,
    SnapshotHead,
    decode_head,
    encode_head,
)
from domgrpc.storage.walk import Window

CHUNK_PAYLOAD_BYTES_MAX: Final = 64 * 1024 * 1024
STATE_DIGEST_BYTES_MAX: Final = 64
WRITER_VERSION_BYTES_MAX: Final = 32

_NAME = re.compile(r"snapshot-([0-9a-f]{16})\.snap")
_TEMPORARY_NAME = re.compile(r"snapshot-[0-9a-f]{16}\.snap\.[0-9a-f]+\.tmp")
_BUFFER_BYTES = 1024 * 1024
# Syncing as we go keeps the dirty pages few: the log's own sync may have to wait for them.
_SYNC_BYTES = 16 * 1024 * 1024
_CHECKSUM = Struct("<I")
_CHUNK_MAGIC = b"DGCH"
_CHUNK = Struct("<4sIIQQ")
_CHUNK_HEADER_BYTES = _CHUNK.size + _CHECKSUM.size
_FOOTER_MAGIC = b"DGEN"
_FOOTER = Struct("<4sIQQ16s64s")
_FOOTER_BYTES = _FOOTER.size + _CHECKSUM.size


@dataclass(frozen=True, slots=True)
class Chunk:
    """One piece of a snapshot."""

    kind: int
    key: int
    payload: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotFacts:
    """What a whole snapshot file says of itself."""

    name: str
    last_sequence: int
    writer_version: str
    log_salt: bytes
    """That of the segment that begins behind it; zeros where it does not say."""
    chunks: int
    size_bytes: int
    content_digest: bytes
    state_digest: bytes


@dataclass(frozen=True, slots=True)
class SnapshotChoice:
    """The newest whole snapshot, if any, and the damage that ruled newer ones out."""

    facts: SnapshotFacts | None
    refused: tuple[Corruption, ...]


class SnapshotWriter:
    """Writes one snapshot; a context manager that leaves nothing behind unless it was finished.

    `random_bytes` makes the temporary name, so that a writer left over from a killed run cannot
    rename the file of another one. `DiskFull` and `StorageFault` end the snapshot, not the log.
    """

    __slots__ = (
        "_buffer",
        "_chunks",
        "_content",
        "_disk",
        "_handle",
        "_last_sequence",
        "_offset_bytes",
        "_synced_bytes",
        "_temporary_name",
    )

    def __init__(
        self,
        disk: Disk,
        last_sequence: int,
        *,
        random_bytes: Callable[[int], bytes],
        writer_version: str = "",
        log_salt: bytes = UNKNOWN_SALT,
    ) -> None:
        """Make the temporary file; `writer_version` (up to 32 bytes) comes back with the facts.

        `log_salt` ties it to a log: what `salt_behind` returns for the sequence.
        """
        self._disk = disk
        self._last_sequence = last_sequence
        self._temporary_name = f"{snapshot_name(last_sequence)}.{random_bytes(4).hex()}.tmp"
        self._handle: Handle | None = disk.create(self._temporary_name)
        self._chunks = 0
        self._content = xxh3_128()
        self._offset_bytes = 0
        self._synced_bytes = 0
        self._buffer = bytearray(encode_head(last_sequence, writer_version, log_salt))

    def __enter__(self) -> Self:
        """Return the writer itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Remove the temporary file unless the snapshot was finished."""
        if self._handle is not None:
            self._disk.close(self._handle)
            self._handle = None
            self._disk.unlink(self._temporary_name)

    def write_chunk(self, kind: int, key: int, payload: bytes) -> None:
        """Add a chunk; kind and key (unsigned, 32 and 64 bits) come back with the payload."""
        if len(payload) > CHUNK_PAYLOAD_BYTES_MAX:
            raise ValueError(
                f"a snapshot chunk of {len(payload)} bytes; at most {CHUNK_PAYLOAD_BYTES_MAX}"
                " are allowed, so split it"
            )
        fields = _CHUNK.pack(_CHUNK_MAGIC, kind, len(payload), key, self._chunks)
        self._chunks += 1
        self._buffer += _CHECKSUM.pack(crc32c(payload, crc32c(fields))) + fields
        self._buffer += payload
        if len(self._buffer) >= _BUFFER_BYTES:
            self._flush()

    def finish(self, state_digest: bytes) -> SnapshotFacts:
        """Make the snapshot durable, read it back, and give it its name.

        `state_digest` (up to 64 bytes) is what the caller will compare the loaded state with.
        """
        if len(state_digest) > STATE_DIGEST_BYTES_MAX:
            raise ValueError(
                f"a state digest of {len(state_digest)} bytes; at most {STATE_DIGEST_BYTES_MAX}"
            )
        handle = self._flush()
        content_digest = self._content.digest()
        fields = _FOOTER.pack(
            _FOOTER_MAGIC,
            len(state_digest),
            self._chunks,
            self._offset_bytes,
            content_digest,
            state_digest,
        )
        self._disk.pwrite(handle, _CHECKSUM.pack(crc32c(fields)) + fields, self._offset_bytes)
        # Settled, so that the check reads the device and not our own memory.
        self._disk.settle(handle)
        facts = _check(self._disk, self._temporary_name, self._last_sequence)
        name = snapshot_name(self._last_sequence)
        self._disk.rename(self._temporary_name, name)
        self._disk.close(handle)
        self._handle = None
        self._disk.sync_directory()
        return replace(facts, name=name)

    def _flush(self) -> Handle:
        handle = self._handle
        if handle is None:
            raise ValueError("the snapshot was finished or given up already")
        self._disk.pwrite(handle, self._buffer, self._offset_bytes)
        self._content.update(self._buffer)
        self._offset_bytes += len(self._buffer)
        self._buffer.clear()
        if self._offset_bytes - self._synced_bytes >= _SYNC_BYTES:
            self._disk.fdatasync(handle)
            self._synced_bytes = self._offset_bytes
        return handle


def snapshot_name(last_sequence: int) -> str:
    """Return the file name of the snapshot of the state after a sequence."""
    return f"snapshot-{last_sequence:016x}.snap"


def snapshot_sequence(name: str) -> int:
    """Return the sequence in the name of a snapshot."""
    return int(name[len("snapshot-") : -len(".snap")], 16)


def list_snapshots(disk: Disk) -> list[str]:
    """Return the names of all finished snapshots, oldest first."""
    return [name for name in disk.list_names() if _NAME.fullmatch(name)]


def read_snapshot(disk: Disk, name: str) -> Iterator[Chunk]:
    """Yield the chunks in the order they were written, each one checked.

    That the whole is right is known only when the last chunk was taken without `Corruption`:
    throw away what was built before it.
    """
    reading = SnapshotReading(disk, name, snapshot_sequence(name))
    yield from reading.chunks()


def check_snapshot(disk: Disk, name: str) -> SnapshotFacts:
    """Read a snapshot through and return what it says of itself; raises `Corruption`.

    Also where it is one of another log.
    """
    facts = _check(disk, name, snapshot_sequence(name))
    check_belongs(disk, facts)
    return facts


def check_belongs(disk: Disk, facts: SnapshotFacts) -> None:
    """Raise `Corruption` where a snapshot is not one of the log beside it."""
    if not belongs(disk, facts.last_sequence, facts.log_salt):
        raise Corruption(
            facts.name,
            offset_bytes=SALT_OFFSET_BYTES,
            expected="a snapshot of this log",
            found="one of another log, or of another time",
            sequence=facts.last_sequence,
        )


def newest_whole_snapshot(disk: Disk) -> SnapshotChoice:
    """Find the newest snapshot that is whole, reading it through; damaged ones are told of.

    A snapshot of a newer format is not passed over: raises `FormatTooNew`.
    """
    refused: list[Corruption] = []
    for name in reversed(list_snapshots(disk)):
        try:
            return SnapshotChoice(check_snapshot(disk, name), tuple(refused))
        except Corruption as damage:
            refused.append(damage)
    return SnapshotChoice(None, tuple(refused))


def remove_old_snapshots(disk: Disk, *, keep: int = 2) -> list[str]:
    """Remove all but the newest snapshots and return the names of those removed.

    The log must be kept from the oldest snapshot that stays, because a damaged newest one is
    made up for by the one before it and the log.
    """
    names = list_snapshots(disk)
    removed = names[: max(len(names) - keep, 0)]
    _unlink_all(disk, removed)
    return removed


def remove_unfinished_snapshots(disk: Disk) -> list[str]:
    """Remove what snapshots left behind that never got finished; for the holder of the lock."""
    removed = [name for name in disk.list_names() if _TEMPORARY_NAME.fullmatch(name)]
    _unlink_all(disk, removed)
    return removed


class SnapshotReading:
    """One pass over a snapshot file; `facts` are there once it is through.

    What `read_snapshot` does, for those who also want to know what the file says of itself.
    """

    __slots__ = ("_disk", "_last_sequence", "_name", "facts")

    def __init__(self, disk: Disk, name: str, last_sequence: int) -> None:
        """Prepare to read; the file is opened by `chunks`."""
        self._disk = disk
        self._name = name
        self._last_sequence = last_sequence
        self.facts: SnapshotFacts | None = None

    def chunks(self) -> Iterator[Chunk]:
        """Yield the chunks, each one checked; raises `Corruption` and `FormatTooNew`."""
        handle = self._disk.open(self._name)
        try:
            window = Window(self._disk, handle)
            head = decode_head(self._name, window, self._last_sequence)
            offset_bytes, chunks = head.size_bytes, 0
            content = xxh3_128(window.view(0, offset_bytes))
            while (view := self._chunk_view(window, offset_bytes, chunks)) is not None:
                content.update(view)
                _, kind, _, key, _ = _CHUNK.unpack_from(view, _CHECKSUM.size)
                yield Chunk(kind, key, bytes(view[_CHUNK_HEADER_BYTES:]))
                offset_bytes += len(view)
                chunks += 1
            self._check_footer(window, (offset_bytes, chunks, content.digest()), head)
        finally:
            self._disk.close(handle)

    def _chunk_view(self, window: Window, offset_bytes: int, number: int) -> memoryview | None:
        """Return the whole bytes of the next chunk, None where the footer comes next."""
        head = window.view(offset_bytes, _CHUNK_HEADER_BYTES)
        if head[_CHECKSUM.size : _CHECKSUM.size + 4] == _FOOTER_MAGIC:
            return None
        wanted = f"chunk {number} with a right checksum, or the footer"
        if len(head) < _CHUNK_HEADER_BYTES:
            raise self._damage(offset_bytes, wanted, "the end of the file")
        magic, _, payload_bytes, _, found_number = _CHUNK.unpack_from(head, _CHECKSUM.size)
        if magic != _CHUNK_MAGIC or payload_bytes > CHUNK_PAYLOAD_BYTES_MAX:
            raise self._damage(offset_bytes, wanted, "other bytes")
        view = window.view(offset_bytes, _CHUNK_HEADER_BYTES + payload_bytes)
        if _CHECKSUM.pack(crc32c(view[_CHECKSUM.size :])) != view[: _CHECKSUM.size]:
            raise self._damage(offset_bytes, wanted, "a chunk with a wrong one")
        if found_number != number:
            raise self._damage(offset_bytes, wanted, f"chunk {found_number}")
        return view

    def _check_footer(
        self, window: Window, counted: tuple[int, int, bytes], head: SnapshotHead
    ) -> None:
        offset_bytes, chunks, content_digest = counted
        footer = bytes(window.view(offset_bytes, _FOOTER_BYTES))
        checksum, checked = footer[: _CHECKSUM.size], footer[_CHECKSUM.size :]
        if _CHECKSUM.pack(crc32c(checked)) != checksum:
            raise self._damage(offset_bytes, "a footer with a right checksum", "other bytes")
        _, digest_bytes, *stated, state_digest = _FOOTER.unpack(checked)
        if stated != [chunks, offset_bytes, content_digest]:
            raise self._damage(offset_bytes, "the footer of these chunks", "another one")
        size_bytes = offset_bytes + _FOOTER_BYTES
        if window.size_bytes != size_bytes:
            raise self._damage(size_bytes, "the end of the file", "more bytes")
        self.facts = SnapshotFacts(
            name=self._name,
            last_sequence=self._last_sequence,
            writer_version=head.writer_version,
            log_salt=head.log_salt,
            chunks=chunks,
            size_bytes=size_bytes,
            content_digest=content_digest,
            state_digest=state_digest[:digest_bytes],
        )

    def _damage(self, offset_bytes: int, expected: str, found: str) -> Corruption:
        return Corruption(
            self._name,
            offset_bytes=offset_bytes,
            expected=expected,
            found=found,
            sequence=self._last_sequence,
        )


def _check(disk: Disk, name: str, last_sequence: int) -> SnapshotFacts:
    reading = SnapshotReading(disk, name, last_sequence)
    for _ in reading.chunks():
        pass
    assert reading.facts is not None
    return reading.facts


def _unlink_all(disk: Disk, names: list[str]) -> None:
    for name in names:
        disk.unlink(name)
    if names:
        disk.sync_directory()
