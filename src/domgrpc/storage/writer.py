"""Writes frames into one segment: one write and one sync each, the only place that does.

The bytes behind the last frame are zeros on disk before a frame is written over them. The rules
that tell an interrupted write from damage rest on that, so whatever a failed write left is
zeroed and synced before the next frame.
"""

from typing import Final

from domgrpc.storage.disk import Disk, Handle
from domgrpc.storage.errors import DiskFull
from domgrpc.storage.frame import (
    BLOCK_BYTES,
    END,
    SALT_BYTES,
    encode_frame,
    frame_bytes,
    frame_crc,
)
from domgrpc.storage.segment import (
    SegmentHeader,
    decode_segment_header,
    encode_segment_header,
    segment_name,
)
from domgrpc.storage.spare import Spare

_STEP_BYTES: Final = 1024 * 1024
_ORIGIN_SALT: Final = bytes(SALT_BYTES)
"""What the first segment of a log names as the salt of the one before it."""


class SegmentWriter:
    """One open segment and the place in it where the next frame goes."""

    __slots__ = ("_disk", "_handle", "_left_over_end_bytes", "header", "last_crc", "offset_bytes")

    def __init__(
        self, disk: Disk, handle: Handle, *, header: SegmentHeader, offset_bytes: int, last_crc: int
    ) -> None:
        """Take over an open segment whose bytes from the offset on are zeros."""
        self._disk = disk
        self._handle = handle
        self.header = header
        self.offset_bytes = offset_bytes
        self.last_crc = last_crc
        self._left_over_end_bytes = 0

    def has_room(self, payload_bytes: int) -> bool:
        """Say whether a frame fits and leaves a block for the frame that ends the segment."""
        end_bytes = self.offset_bytes + frame_bytes(payload_bytes)
        return end_bytes + BLOCK_BYTES <= self.header.size_bytes

    def write(self, payload: bytes, *, kind: int, count: int, first_sequence: int) -> None:
        """Write one frame and return when it is durable.

        After `DiskFull` the segment is as it was before, and the call may be repeated.
        """
        if self._left_over_end_bytes:
            self.zero_to(self._left_over_end_bytes)
            self._left_over_end_bytes = 0
        frame = encode_frame(
            payload,
            kind=kind,
            count=count,
            first_sequence=first_sequence,
            # Every frame is synced before the next is written, so all before this is durable.
            durable_bytes=self.offset_bytes,
            previous_crc=self.last_crc,
            salt=self.header.salt,
        )
        try:
            self._disk.pwrite(self._handle, frame, self.offset_bytes)
        except DiskFull:
            self._left_over_end_bytes = self.offset_bytes + len(frame)
            raise
        self._disk.fdatasync(self._handle)
        self.offset_bytes += len(frame)
        self.last_crc = frame_crc(frame)

    def zero_to(self, end_bytes: int) -> None:
        """Put zeros from the place of the next frame up to an offset, and sync them."""
        for offset_bytes in range(self.offset_bytes, end_bytes, _STEP_BYTES):
            zeros = bytes(min(_STEP_BYTES, end_bytes - offset_bytes))
            self._disk.pwrite(self._handle, zeros, offset_bytes)
        self._disk.fdatasync(self._handle)

    def end(self, *, next_sequence: int, next_salt: bytes) -> None:
        """Write the frame that ends the segment and names the one that follows; then close it."""
        self.write(next_salt, kind=END, count=0, first_sequence=next_sequence)
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._disk.close(self._handle)


def start_segment(
    disk: Disk, spare: Spare, *, salt: bytes, first_sequence: int, before: SegmentWriter | None
) -> SegmentWriter:
    """Make the segment that starts with a sequence out of the spare; the one before stays open.

    On `DiskFull` nothing has changed.
    """
    name = segment_name(first_sequence)
    block = encode_segment_header(
        SegmentHeader(
            size_bytes=spare.size_bytes,
            first_sequence=first_sequence,
            previous_crc=0 if before is None else before.last_crc,
            salt=salt,
            previous_salt=_ORIGIN_SALT if before is None else before.header.salt,
        )
    )
    handle = spare.take(name, block)
    header = decode_segment_header(name, block, spare.size_bytes)
    return SegmentWriter(disk, handle, header=header, offset_bytes=BLOCK_BYTES, last_crc=header.crc)
