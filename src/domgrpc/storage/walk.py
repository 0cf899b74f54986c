"""Walks the frames of one segment and judges what lies behind the last whole one.

A frame counts only when its checksum is right, it carries the salt of its segment, it continues
the sequence, and it repeats the checksum of the frame before it. Where the walk stops, the bytes
are either zeros (the segment goes on there), or what an interrupted write left, or damage.

One write is under way at a time, into zeros, and is synced before the next starts. So what an
interrupted write leaves has a sector, or at least the last byte, that is still zero, nothing
behind it, and no later frame that says it was durable. Whatever is not like that is damage, and
damage is never cut off.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from domgrpc.storage.disk import Disk, Handle
from domgrpc.storage.errors import Corruption
from domgrpc.storage.frame import (
    BLOCK_BYTES,
    END,
    FRAME_HEADER_BYTES,
    RECORDS,
    SEAL,
    Frame,
    FrameHeader,
    decode_frame_header,
    decode_payload,
    is_incomplete,
)
from domgrpc.storage.segment import SegmentHeader, decode_segment_header

_WINDOW_BYTES: Final = 1024 * 1024
_ZEROS = bytes(_WINDOW_BYTES)
_KINDS = (RECORDS, SEAL, END)


class Window:
    """A view that moves over one open file, reading at least 1 MiB at a time."""

    __slots__ = ("_data", "_disk", "_handle", "_start_bytes", "size_bytes")

    def __init__(self, disk: Disk, handle: Handle) -> None:
        self._disk = disk
        self._handle = handle
        self._start_bytes = 0
        self._data = memoryview(b"")
        self.size_bytes = disk.size_bytes(handle)

    def view(self, offset_bytes: int, size_bytes: int) -> memoryview:
        """Return bytes of the file, fewer only where it ends."""
        begin = offset_bytes - self._start_bytes
        if begin < 0 or begin + size_bytes > len(self._data):
            wanted_bytes = max(size_bytes, _WINDOW_BYTES)
            self._data = memoryview(self._disk.read(self._handle, wanted_bytes, offset_bytes))
            self._start_bytes = offset_bytes
            begin = 0
        return self._data[begin : begin + size_bytes]

    def end_of_bytes(self, start_bytes: int) -> int:
        """Return the end of the last block that is not all zeros, or the start if all are."""
        end_bytes = start_bytes
        for offset_bytes in range(start_bytes, self.size_bytes, _WINDOW_BYTES):
            data = bytes(self.view(offset_bytes, _WINDOW_BYTES))
            if not _ZEROS.startswith(data):
                used_bytes = len(data.rstrip(b"\0"))
                end_bytes = (offset_bytes + used_bytes + BLOCK_BYTES - 1) & -BLOCK_BYTES
        return end_bytes


@dataclass(frozen=True, slots=True)
class Tail:
    """Where the next frame goes, and how far what an interrupted write left behind reaches."""

    offset_bytes: int
    torn_end_bytes: int

    @property
    def torn_bytes(self) -> int:
        """Bytes to cut off, zero when the segment was left in order."""
        return self.torn_end_bytes - self.offset_bytes


class SegmentWalk:
    """The frames of one segment in order, and after the last of them where and why they end."""

    __slots__ = (
        "_unsound",
        "frames_with_records",
        "header",
        "last_crc",
        "name",
        "next_salt",
        "next_sequence",
        "offset_bytes",
        "window",
    )

    def __init__(self, name: str, window: Window) -> None:
        """Read the first block; raises `Corruption` or `FormatTooNew`."""
        block = bytes(window.view(0, BLOCK_BYTES))
        self.name = name
        self.window = window
        self.header: SegmentHeader = decode_segment_header(name, block, window.size_bytes)
        self.offset_bytes = BLOCK_BYTES
        self.next_sequence = self.header.first_sequence
        self.last_crc = self.header.crc
        self.next_salt: bytes | None = None
        self.frames_with_records = 0
        self._unsound: FrameHeader | None = None

    def frames(self) -> Iterator[Frame]:
        """Yield the frames with records and the seals; the end frame only sets `next_salt`."""
        while (frame := self._next_frame()) is not None:
            header = frame.header
            if header.kind == END:
                self.next_salt = frame.payload
                return
            self.next_sequence += header.count
            self.frames_with_records += header.kind == RECORDS
            self.last_crc = header.crc
            yield frame

    def judge_tail(self) -> Tail:
        """Say what lies behind the last frame; raises `Corruption` unless a write explains it.

        Costs one pass over the rest of the segment.
        """
        start_bytes = self.offset_bytes
        end_bytes = self.window.end_of_bytes(start_bytes)
        tail = Tail(start_bytes, end_bytes)
        if tail.torn_bytes == 0:
            return tail
        if self.next_salt is not None:
            raise self.damage("zeros after the frame that ends the segment", "other bytes")
        later_bytes = self._later_proof(end_bytes)
        if later_bytes is not None:
            found = f"bytes that are none, though the frame at byte {later_bytes} proves it durable"
            raise self.damage(self._wanted(), found)
        # A header that is wrong says nothing, but every frame fills one block at least.
        size_bytes = BLOCK_BYTES if self._unsound is None else self._unsound.size_bytes
        if not is_incomplete(bytes(self.window.view(start_bytes, size_bytes))):
            raise self.damage(self._wanted(), "a whole one with a wrong checksum")
        if self._unsound is not None and tail.torn_bytes > size_bytes:
            raise self.damage(self._wanted(), "an interrupted one with more bytes behind it")
        return tail

    def damage(self, expected: str, found: str) -> Corruption:
        """Return the error that names the place where the walk stopped."""
        return Corruption(
            self.name,
            offset_bytes=self.offset_bytes,
            expected=expected,
            found=found,
            sequence=self.next_sequence,
        )

    def _wanted(self) -> str:
        return f"a frame for sequence {self.next_sequence}"

    def _next_frame(self) -> Frame | None:
        # No frame is shorter than a block, and most are no longer.
        view = self.window.view(self.offset_bytes, BLOCK_BYTES)
        header = decode_frame_header(view)
        if header is None:
            return None
        size_bytes = header.size_bytes
        self._check_place(header, size_bytes)
        if size_bytes != len(view):
            view = self.window.view(self.offset_bytes, size_bytes)
        payload = decode_payload(header, view)
        if payload is None:
            self._unsound = header
            return None
        frame = Frame(header, payload, self.name, self.offset_bytes)
        self.offset_bytes += size_bytes
        return frame

    def _check_place(self, header: FrameHeader, size_bytes: int) -> None:
        """Refuse a frame that is right in itself but does not belong where it lies."""
        room_bytes = self.header.size_bytes - self.offset_bytes
        if header.kind != END:
            room_bytes -= BLOCK_BYTES
        if header.salt != self.header.salt:
            raise self.damage(self._wanted(), "a frame of another segment")
        if header.first_sequence != self.next_sequence:
            raise self.damage(self._wanted(), f"one for sequence {header.first_sequence}")
        if header.previous_crc != self.last_crc:
            expected = f"a frame that follows checksum {self.last_crc:#010x}"
            raise self.damage(expected, f"one that follows {header.previous_crc:#010x}")
        if header.kind not in _KINDS or (header.count > 0) != (header.kind == RECORDS):
            raise self.damage(self._wanted(), f"kind {header.kind} with {header.count} records")
        if header.durable_bytes > self.offset_bytes or size_bytes > room_bytes:
            raise self.damage("a frame that fits its place", f"{size_bytes} bytes")

    def _later_proof(self, end_bytes: int) -> int | None:
        """Return where a later frame says that the place where the walk stopped was durable."""
        for offset_bytes in range(self.offset_bytes + BLOCK_BYTES, end_bytes, BLOCK_BYTES):
            header = decode_frame_header(self.window.view(offset_bytes, FRAME_HEADER_BYTES))
            if header is None or header.salt != self.header.salt:
                continue
            if header.durable_bytes > self.offset_bytes:
                return offset_bytes
        return None
