"""The segment: one file of the log, its name and its first block.

A segment has its full length from the start and holds zeros where nothing was written yet. The
first block says which format follows and ties the segment to the one before it. The magic, the
version and the checksum at the end of the block stay where they are in every later format.
"""

import re
from dataclasses import dataclass
from struct import Struct
from typing import Final

from crc32c import crc32c

from domgrpc.storage.disk import Disk
from domgrpc.storage.errors import Corruption, FormatTooNew
from domgrpc.storage.frame import BLOCK_BYTES

FORMAT_VERSION: Final = 1
SEGMENT_BYTES_DEFAULT: Final = 64 * 1024 * 1024
SEGMENT_BYTES_MIN: Final = 3 * BLOCK_BYTES
"""One block for the header, one for a frame, one for the frame that ends the segment."""

_MAGIC = b"DGRPCLOG"
_HEADER = Struct("<8sHBBIIIQQI4x16s16s")
_CHECKSUM = Struct("<I")
_CHECKED_BYTES = BLOCK_BYTES - _CHECKSUM.size
_LITTLE_ENDIAN = 1
_CRC32C = 1
_NAME = re.compile(r"log-([0-9a-f]{16})\.seg")


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentHeader:
    """What the first block of a segment says, and its checksum (`crc`)."""

    size_bytes: int
    first_sequence: int
    previous_crc: int
    salt: bytes
    previous_salt: bytes
    crc: int = 0


def segment_name(first_sequence: int) -> str:
    """Return the file name of the segment that starts with a sequence."""
    return f"log-{first_sequence:016x}.seg"


def list_segment_names(disk: Disk) -> tuple[str, ...]:
    """Return the names of all segments, oldest first; a stranger among them is `Corruption`."""
    names = tuple(name for name in disk.list_names() if name.startswith("log-"))
    for name in names:
        if _NAME.fullmatch(name) is None:
            raise Corruption(
                name,
                offset_bytes=0,
                expected="segments to be called log-<16 hex digits>.seg",
                found="another name; move the file away if it is a copy",
            )
    return names


def first_sequence_of(name: str) -> int:
    """Return the sequence in the name of a segment."""
    return int(name[len("log-") : -len(".seg")], 16)


def encode_segment_header(header: SegmentHeader) -> bytes:
    """Return the first block of a segment; the checksum in the header is not looked at."""
    fields = _HEADER.pack(
        _MAGIC,
        FORMAT_VERSION,
        _LITTLE_ENDIAN,
        _CRC32C,
        0,
        0,
        BLOCK_BYTES,
        header.size_bytes,
        header.first_sequence,
        header.previous_crc,
        header.salt,
        header.previous_salt,
    )
    checked = fields.ljust(_CHECKED_BYTES, b"\0")
    return checked + _CHECKSUM.pack(crc32c(checked))


def decode_segment_header(name: str, block: bytes, size_bytes: int) -> SegmentHeader:
    """Return what the first block says, checked against the name and length of the file."""
    crc = _CHECKSUM.unpack(block[_CHECKED_BYTES:])[0] if len(block) == BLOCK_BYTES else None
    if crc is None or crc32c(block[:_CHECKED_BYTES]) != crc or block[:8] != _MAGIC:
        raise Corruption(
            name,
            offset_bytes=0,
            expected="the first block of a log segment with a right checksum",
            found=f"{len(block)} bytes that are not",
            sequence=first_sequence_of(name),
        )
    _, version, byte_order, checksum, required, _, block_bytes, *rest = _HEADER.unpack_from(block)
    # Only now: damage to these fields must be told as damage, not as a newer format.
    found = (version, byte_order, checksum, required, block_bytes)
    if found != (FORMAT_VERSION, _LITTLE_ENDIAN, _CRC32C, 0, BLOCK_BYTES):
        raise FormatTooNew(
            name,
            found=f"format version {version} (byte order {byte_order}, checksum {checksum},"
            f" required features {required:#x}, blocks of {block_bytes})",
            known=f"format version {FORMAT_VERSION}",
        )
    stated_bytes, first_sequence, previous_crc, salt, previous_salt = rest
    _check_identity(name, ("length", stated_bytes, size_bytes))
    _check_identity(name, ("first sequence", first_sequence, first_sequence_of(name)))
    return SegmentHeader(
        size_bytes=stated_bytes,
        first_sequence=first_sequence,
        previous_crc=previous_crc,
        salt=salt,
        previous_salt=previous_salt,
        crc=crc,
    )


def _check_identity(name: str, fact: tuple[str, int, int]) -> None:
    what, stated, actual = fact
    if stated != actual:
        raise Corruption(
            name,
            offset_bytes=0,
            expected=f"{what} {stated}, as its first block says",
            found=f"{actual}: the file was cut, copied or renamed",
            sequence=first_sequence_of(name),
        )
