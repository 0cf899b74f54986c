"""The head of a snapshot: its version, the sequence, who wrote it, and the log that it is tied to.

The first 64 bytes, with the magic, the version and their checksum, stay as they are in every later
version, so that a newer one is told from damage. Version 2 added the salt behind them.
"""

from dataclasses import dataclass
from struct import Struct
from typing import Final

from crc32c import crc32c

from domgrpc.storage.belonging import UNKNOWN_SALT
from domgrpc.storage.errors import Corruption, FormatTooNew
from domgrpc.storage.walk import Window

SNAPSHOT_VERSION: Final = 2
SALT_OFFSET_BYTES: Final = 64
"""Where the salt stands, right behind what every version has."""

_WITHOUT_SALT = 1
_MAGIC = b"DGRPCSNP"
_FIELDS = Struct("<8sHBBIIQ32s")
_CHECKSUM = Struct("<I")
_LITTLE_ENDIAN = 1
_CRC32C_AND_XXH3 = 1
_SALT_BYTES = len(UNKNOWN_SALT)


@dataclass(frozen=True, slots=True)
class SnapshotHead:
    """What stands in front of the chunks, and how many bytes it takes."""

    writer_version: str
    log_salt: bytes
    size_bytes: int


def encode_head(last_sequence: int, writer_version: str, log_salt: bytes) -> bytes:
    """Return the head of a snapshot."""
    fields = _FIELDS.pack(
        _MAGIC,
        SNAPSHOT_VERSION,
        _LITTLE_ENDIAN,
        _CRC32C_AND_XXH3,
        0,
        0,
        last_sequence,
        writer_version.encode(),
    )
    return b"".join((fields, _checksum(fields), log_salt, _checksum(log_salt)))


def decode_head(name: str, window: Window, last_sequence: int) -> SnapshotHead:
    """Return what the head says; raises `Corruption` and `FormatTooNew`."""
    block = bytes(window.view(0, SALT_OFFSET_BYTES))
    checked = block[: _FIELDS.size]
    if _checksum(checked) != block[_FIELDS.size :] or checked[:8] != _MAGIC:
        expected = "a snapshot header with a right checksum"
        raise _damage(name, last_sequence, (0, expected, "other bytes"))
    _, version, byte_order, checksums, required, _, sequence, writer = _FIELDS.unpack(checked)
    is_known = version in (_WITHOUT_SALT, SNAPSHOT_VERSION)
    if not is_known or (byte_order, checksums, required) != (_LITTLE_ENDIAN, _CRC32C_AND_XXH3, 0):
        raise FormatTooNew(
            name,
            found=f"snapshot version {version} (byte order {byte_order}, checksums"
            f" {checksums}, required features {required:#x})",
            known=f"snapshot version {SNAPSHOT_VERSION}",
        )
    if sequence != last_sequence:
        told = f"the snapshot of {last_sequence}", f"that of {sequence}"
        raise _damage(name, last_sequence, (0, *told))
    writer_version = str(writer.rstrip(b"\0").decode(errors="replace"))
    if version == _WITHOUT_SALT:
        return SnapshotHead(writer_version, UNKNOWN_SALT, SALT_OFFSET_BYTES)
    end_bytes = SALT_OFFSET_BYTES + _SALT_BYTES + _CHECKSUM.size
    block = bytes(window.view(SALT_OFFSET_BYTES, end_bytes - SALT_OFFSET_BYTES))
    log_salt = block[:_SALT_BYTES]
    if _checksum(log_salt) != block[_SALT_BYTES:]:
        told = "the salt of a segment with a right checksum", "other bytes"
        raise _damage(name, last_sequence, (SALT_OFFSET_BYTES, *told))
    return SnapshotHead(writer_version, log_salt, end_bytes)


def _checksum(data: bytes) -> bytes:
    return _CHECKSUM.pack(crc32c(data))


def _damage(name: str, last_sequence: int, told: tuple[int, str, str]) -> Corruption:
    offset_bytes, expected, found = told
    return Corruption(
        name, offset_bytes=offset_bytes, expected=expected, found=found, sequence=last_sequence
    )
