"""The frame: one group of records, checksummed, as it lies in a segment.

Pure functions over bytes; nothing here reads or writes a file. docs/data-format.md tells the
layout in prose. A frame fills whole blocks of 4 KiB, so that writing the next one never touches
a sector that was already acknowledged. No sector of a whole frame is all zeros (padding is not
zero, the last bytes are not zero, and a payload with a long run of zeros is masked), so in a
zero-filled segment a zero sector, or a zero as the last byte, tells an interrupted write.
"""

from dataclasses import dataclass
from struct import Struct
from typing import Final

from crc32c import crc32c
from xxhash import xxh3_128_digest

BLOCK_BYTES: Final = 4096
SECTOR_BYTES: Final = 512
SALT_BYTES: Final = 16
PAYLOAD_BYTES_MAX: Final = 64 * 1024 * 1024
COUNT_MAX: Final = 2**32 - 1

RECORDS: Final = 1
"""Kind of a frame that carries records."""
SEAL: Final = 2
"""Kind of an empty frame that only proves that everything before it was durable."""
END: Final = 3
"""Kind of the last frame of a segment; its payload is the salt of the next segment."""

FRAME_HEADER_BYTES: Final = 64
TRAILER_BYTES: Final = 8
_MAGIC = b"DGFR"
_CHECKSUM = Struct("<I")
_CHECKSUMS = Struct("<II")
_FIELDS = Struct("<4sBBHIIQQI4x16s")
_MASKED = 1
_TRAILER = b"frameEND"
_FILL_AND_TRAILER = b"\xa5" * BLOCK_BYTES + _TRAILER
_ZERO_SECTOR = bytes(SECTOR_BYTES)
# Zero: crc32c keeps the interpreter lock. Letting it go for some microseconds would hand it to
# another thread for milliseconds.
_KEEP_LOCK = 0


@dataclass(slots=True)
class FrameHeader:
    """The first 64 bytes of a frame, after their checksum was found right.

    Never changed, though not frozen: recovery makes one for every group, and making a frozen one
    takes twice as long as reading it.
    """

    crc: int
    kind: int
    masked: bool
    payload_bytes: int
    count: int
    first_sequence: int
    durable_bytes: int
    previous_crc: int
    salt: bytes

    @property
    def size_bytes(self) -> int:
        """Bytes that the frame takes in the segment."""
        return frame_bytes(self.payload_bytes)


@dataclass(slots=True)
class Frame:
    """One frame as it was read, with the place where it lies; never changed."""

    header: FrameHeader
    payload: bytes
    segment_name: str
    offset_bytes: int

    @property
    def first_sequence(self) -> int:
        """Sequence of the first record, or of the next one when the frame has none."""
        return self.header.first_sequence

    @property
    def last_sequence(self) -> int:
        """Sequence of the last record, one less than the first when the frame has none."""
        return self.header.first_sequence + self.header.count - 1

    @property
    def kind(self) -> int:
        """`RECORDS` or `SEAL`."""
        return self.header.kind

    @property
    def count(self) -> int:
        """Number of records."""
        return self.header.count


def frame_bytes(payload_bytes: int) -> int:
    """Return the bytes that a frame with such a payload takes, a multiple of 4 KiB."""
    used = FRAME_HEADER_BYTES + payload_bytes + TRAILER_BYTES
    return (used + BLOCK_BYTES - 1) & -BLOCK_BYTES


def encode_frame(
    payload: bytes,
    *,
    kind: int,
    count: int,
    first_sequence: int,
    durable_bytes: int,
    previous_crc: int,
    salt: bytes,
) -> bytes:
    """Return the bytes of one frame; the payload is copied once.

    `durable_bytes` says how much of the segment was durable before this frame was written. The
    caller has checked the limits. Costs about 3 us, and 60 us more for each MiB of payload.
    """
    flags = 0
    if _ZERO_SECTOR in payload:
        payload = _mask(payload, salt)
        flags = _MASKED
    payload_bytes = len(payload)
    fields = _FIELDS.pack(
        _MAGIC,
        kind,
        flags,
        0,
        payload_bytes,
        count,
        first_sequence,
        durable_bytes,
        previous_crc,
        salt,
    )
    head = _CHECKSUM.pack(crc32c(fields, 0, _KEEP_LOCK)) + fields
    tail = _FILL_AND_TRAILER[FRAME_HEADER_BYTES + payload_bytes - frame_bytes(payload_bytes) :]
    crc = crc32c(head, 0, _KEEP_LOCK)
    crc = crc32c(payload, crc, _KEEP_LOCK)
    crc = crc32c(tail, crc, _KEEP_LOCK)
    return b"".join((_CHECKSUM.pack(crc), head, payload, tail))


def frame_crc(frame: bytes) -> int:
    """Return the checksum of an encoded frame, which the next frame repeats."""
    crc: int = _CHECKSUM.unpack_from(frame)[0]
    return crc


def decode_frame_header(view: memoryview) -> FrameHeader | None:
    """Return the header that starts the bytes, None when its checksum does not fit.

    The length in it is within the cap, so that a caller may read that much.
    """
    if len(view) < FRAME_HEADER_BYTES:
        return None
    crc, header_crc = _CHECKSUMS.unpack_from(view)
    if crc32c(view[8:FRAME_HEADER_BYTES], 0, _KEEP_LOCK) != header_crc:
        return None
    (
        magic,
        kind,
        flags,
        _,
        payload_bytes,
        count,
        first_sequence,
        durable_bytes,
        previous_crc,
        salt,
    ) = _FIELDS.unpack_from(view, 8)
    if magic != _MAGIC or flags > _MASKED or payload_bytes > PAYLOAD_BYTES_MAX:
        return None
    return FrameHeader(
        crc,
        kind,
        flags == _MASKED,
        payload_bytes,
        count,
        first_sequence,
        durable_bytes,
        previous_crc,
        salt,
    )


def decode_payload(header: FrameHeader, view: memoryview) -> bytes | None:
    """Return the payload of the frame that fills the bytes, None when its checksum is wrong."""
    if crc32c(view[4:], 0, _KEEP_LOCK) != header.crc:
        return None
    payload = bytes(view[FRAME_HEADER_BYTES : FRAME_HEADER_BYTES + header.payload_bytes])
    return _mask(payload, header.salt) if header.masked else payload


def is_incomplete(data: bytes) -> bool:
    """Say whether bytes of a frame were never written: a sector or the last byte is zero."""
    return data.endswith(b"\0") or any(
        data.startswith(_ZERO_SECTOR, offset) for offset in range(0, len(data), SECTOR_BYTES)
    )


def _mask(payload: bytes, salt: bytes) -> bytes:
    """XOR the payload with a stream made from the salt; doing it twice gives it back."""
    # A stream that a payload cannot know in advance cannot be cancelled by one on purpose.
    size_bytes = len(payload)
    stream = (xxh3_128_digest(salt) * (size_bytes // SALT_BYTES + 1))[:size_bytes]
    mixed = int.from_bytes(payload, "little") ^ int.from_bytes(stream, "little")
    return mixed.to_bytes(size_bytes, "little")
