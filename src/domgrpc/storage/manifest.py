"""The manifest: what a folder must hold, beside what its files say of themselves.

The chain of the log proves every segment that something follows. It cannot prove that the newest
segment, or all of them, were not lost, or put back as they were at an earlier time. So a small
file names the newest segment and a sequence that was durable, and counts the runs (the epoch).

It has two slots of a block each, written in turn and synced: while one is being written the other
is whole. The newer whole slot counts. A slot that is damaged costs what it alone knew, and is
written over next.
"""

from dataclasses import dataclass, replace
from struct import Struct
from typing import Final

from crc32c import crc32c

from domgrpc.storage.disk import Disk, Handle
from domgrpc.storage.errors import Corruption, FormatTooNew
from domgrpc.storage.frame import BLOCK_BYTES, SALT_BYTES

MANIFEST_NAME: Final = "MANIFEST"
MANIFEST_VERSION: Final = 1
_SLOT_COUNT: Final = 2
MANIFEST_BYTES: Final = _SLOT_COUNT * BLOCK_BYTES

_TEMPORARY_NAME = "MANIFEST.tmp"
_MAGIC = b"DGRPCMAN"
_LITTLE_ENDIAN = 1
_CRC32C = 1
_SLOT = Struct("<8sHBBIIQQQQQ16s")
_CHECKSUM = Struct("<I")
_CHECKED_BYTES = BLOCK_BYTES - _CHECKSUM.size


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What one slot says. A folder without segments has no newest one: sequence 0."""

    generation: int = 0
    epoch: int = 0
    """How many runs have opened the folder for writing."""
    oldest_sequence: int = 0
    """The first sequence of the oldest segment."""
    newest_sequence: int = 0
    """The first sequence of the newest segment."""
    newest_salt: bytes = bytes(SALT_BYTES)
    durable_sequence: int = 0
    """A record that was durable when this was written; later ones may be too."""


class ManifestFile:
    """The manifest of a folder; for the holder of its lock."""

    __slots__ = ("_disk", "_handle", "_next_slot", "current", "damage")

    def __init__(self, disk: Disk) -> None:
        """Read it, and change nothing; raises `Corruption` where neither slot is whole.

        A folder without one, new or from an earlier version, gets it by the first `write`.
        """
        self._disk = disk
        self._handle: Handle | None = None
        self._next_slot = 0
        self.current = Manifest()
        self.damage: Corruption | None = None
        if MANIFEST_NAME in disk.list_names():
            self._handle = disk.open(MANIFEST_NAME, writable=True)
            try:
                self._read(self._handle)
            except BaseException:
                self.close()
                raise

    def write(self, **changes: int | bytes) -> None:
        """Change fields, durably; costs one write of a block and one sync."""
        manifest = replace(
            self.current,
            generation=self.current.generation + 1,
            **changes,  # type: ignore[arg-type]  # fields of the manifest, by name
        )
        if self._handle is None:
            self._handle = self._make(manifest)
        else:
            self._disk.pwrite(self._handle, _encode(manifest), self._next_slot * BLOCK_BYTES)
            self._disk.fdatasync(self._handle)
            self._next_slot = 1 - self._next_slot
        self.current = manifest

    def close(self) -> None:
        """Close the file."""
        if self._handle is not None:
            self._disk.close(self._handle)
            self._handle = None

    def _read(self, handle: Handle) -> None:
        self._disk.settle(handle)
        found = read_manifest(self._disk, handle)
        self.current = found.manifest
        self.damage = found.damage
        self._next_slot = found.next_slot

    def _make(self, manifest: Manifest) -> Handle:
        disk = self._disk
        if _TEMPORARY_NAME in disk.list_names():
            disk.unlink(_TEMPORARY_NAME)
        handle = disk.create(_TEMPORARY_NAME)
        # Both slots are whole from the start, so that zeros are damage.
        disk.pwrite(handle, _encode(manifest) * _SLOT_COUNT, 0)
        disk.fdatasync(handle)
        disk.rename(_TEMPORARY_NAME, MANIFEST_NAME)
        disk.sync_directory()
        return handle


@dataclass(frozen=True, slots=True)
class FoundManifest:
    """The newer whole slot, the damage of the other one if any, and where to write next."""

    manifest: Manifest
    damage: Corruption | None
    next_slot: int


def read_manifest(disk: Disk, handle: Handle) -> FoundManifest:
    """Read both slots of an open manifest; raises `Corruption` where neither is whole."""
    whole: dict[int, Manifest] = {}
    damage: Corruption | None = None
    for slot in range(_SLOT_COUNT):
        try:
            whole[slot] = _decode(disk.read(handle, BLOCK_BYTES, slot * BLOCK_BYTES), slot)
        except Corruption as error:
            damage = error
    if not whole:
        assert damage is not None
        raise damage
    newer = max(whole, key=lambda slot: whole[slot].generation)
    return FoundManifest(whole[newer], damage, 1 - newer)


def _encode(manifest: Manifest) -> bytes:
    fields = _SLOT.pack(
        _MAGIC,
        MANIFEST_VERSION,
        _LITTLE_ENDIAN,
        _CRC32C,
        0,
        0,
        manifest.generation,
        manifest.epoch,
        manifest.oldest_sequence,
        manifest.newest_sequence,
        manifest.durable_sequence,
        manifest.newest_salt,
    )
    checked = fields.ljust(_CHECKED_BYTES, b"\0")
    return checked + _CHECKSUM.pack(crc32c(checked))


def _decode(block: bytes, slot: int) -> Manifest:
    crc = _CHECKSUM.unpack(block[_CHECKED_BYTES:])[0] if len(block) == BLOCK_BYTES else None
    if crc is None or crc32c(block[:_CHECKED_BYTES]) != crc or block[:8] != _MAGIC:
        raise Corruption(
            MANIFEST_NAME,
            offset_bytes=slot * BLOCK_BYTES,
            expected="a slot of the manifest with a right checksum",
            found=f"{len(block)} bytes that are not",
        )
    _, version, byte_order, checksum, required, _, *rest = _SLOT.unpack_from(block)
    if (version, byte_order, checksum, required) != (MANIFEST_VERSION, _LITTLE_ENDIAN, _CRC32C, 0):
        raise FormatTooNew(
            MANIFEST_NAME,
            found=f"manifest version {version} (byte order {byte_order}, checksum {checksum},"
            f" required features {required:#x})",
            known=f"manifest version {MANIFEST_VERSION}",
        )
    generation, epoch, oldest, newest, durable, salt = rest
    return Manifest(
        generation=generation,
        epoch=epoch,
        oldest_sequence=oldest,
        newest_sequence=newest,
        durable_sequence=durable,
        newest_salt=salt,
    )
