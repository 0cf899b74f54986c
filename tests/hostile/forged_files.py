"""Logs and snapshots that somebody forged: any bytes, under checksums that are right.

A flipped bit stops at the first checksum. To reach what lies behind, a file is taken apart into
its frames or chunks, these are changed, and the file is put together again with every checksum,
chain and digest as its format wants them.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random
from typing import Any

import msgspec

from domgrpc.storage.frame import BLOCK_BYTES, FRAME_HEADER_BYTES, Frame, encode_frame, frame_crc
from domgrpc.storage.reading import read_frames
from domgrpc.storage.segment import decode_segment_header
from domgrpc.storage.snapshot import Chunk, SnapshotWriter, read_snapshot, snapshot_sequence
from tests.hostile.mutation import EXTREME_NUMBERS
from tests.hostile.nasty_strings import LONE_SURROGATES, NASTY_STRINGS
from tests.storage.damage import forge_first_block, forge_frame, patch
from tests.storage.fake_disk import FakeDisk

Files = dict[str, bytes]
_MSGPACK_MAX = 2**64 - 1
_NUMBER_BYTES = 8
_REPLACED = 0.1
_LEFT_OUT = 0.04
_TWICE = 0.04
_DEPTHS = (2, 50, 2_000, 100_000)


class Forger:
    """A source of forged folders; the same seed makes the same ones."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._values = ValueForger(random)
        self._ways: Sequence[Callable[[Files], Files]] = (
            self._records, self._records, self._records, self._records,
            self._frames, self._frame_headers, self._segment_headers,
            self._chunks, self._chunks, self._chunks, self._chunks,
            self._bits, self._names,
        )  # fmt: skip

    def forged(self, files: Files) -> Files:
        """Return the files with something else in them."""
        return self._random.choice(self._ways)(dict(files))

    # --- the log

    def _records(self, files: Files) -> Files:
        name, frames = self._some_segment(files)
        place = self._random.randrange(len(frames))
        frames[place] = replace(
            frames[place], payload=self._payload(frames[place].payload, frames[place].count)
        )
        return files | {name: rebuilt_segment(name, files[name], frames)}

    def _frames(self, files: Files) -> Files:
        name, frames = self._some_segment(files)
        first, second = (self._random.randrange(len(frames)) for _ in range(2))
        match self._random.randrange(4):
            case 0:
                frames.insert(first, frames[second])
            case 1:
                del frames[first]
            case 2:
                payloads = frames[second].payload, frames[first].payload
                frames[first] = replace(frames[first], payload=payloads[0])
                frames[second] = replace(frames[second], payload=payloads[1])
            case _:
                count = self._random.choice((0, 1, 2, 1_000, 2**32 - 1))
                frames[first] = replace(
                    frames[first], header=replace(frames[first].header, count=count)
                )
        return files | {name: rebuilt_segment(name, files[name], frames)}

    def _frame_headers(self, files: Files) -> Files:
        name, frames = self._some_segment(files)
        frame = self._random.choice(frames)
        end_bytes = frame.offset_bytes + frame.header.size_bytes
        raw = files[name][frame.offset_bytes : end_bytes]
        forged = forge_frame(raw, self._random.randrange(8, FRAME_HEADER_BYTES), self._few_bytes())
        content = files[name][: frame.offset_bytes] + forged[: len(raw)] + files[name][end_bytes:]
        return files | {name: content[: len(files[name])]}

    def _segment_headers(self, files: Files) -> Files:
        name = self._random.choice(segments(files))
        offset_bytes = self._random.randrange(80)
        return files | {name: forge_first_block(files[name], offset_bytes, self._few_bytes())}

    # --- snapshots

    def _chunks(self, files: Files) -> Files:
        name = self._random.choice([name for name in sorted(files) if name.endswith(".snap")])
        chunks = list(read_snapshot(FakeDisk.holding({name: files[name]}), name))
        place = self._random.randrange(len(chunks))
        chunk = chunks[place]
        match self._random.randrange(10):
            case 0:
                del chunks[place]
            case 1:
                chunks.insert(place, chunk)
            case 2:
                kind = self._random.choice((0, 1, 2, 3, 5, 8, 13, 99, 2**32 - 1))
                chunks[place] = replace(chunk, kind=kind)
            case 3:
                key = self._random.choice((0, 1, 63, 64, 10**6, 2**64 - 1))
                chunks[place] = replace(chunk, key=key)
            case _:
                chunks[place] = replace(chunk, payload=self._payload(chunk.payload))
        # Only snapshots: the log would make up for one that is refused.
        return files | {name: rebuilt_snapshot(name, chunks)}

    # --- any file

    def _bits(self, files: Files) -> Files:
        name = self._random.choice(sorted(files))
        content = bytearray(files[name])
        for _ in range(self._random.randrange(1, 4)):
            content[self._random.randrange(min(len(content), 8 * BLOCK_BYTES))] ^= 1 << (
                self._random.randrange(8)
            )
        return files | {name: bytes(content)}

    def _names(self, files: Files) -> Files:
        name = self._random.choice(sorted(files))
        other = self._random.choice(
            ("log-0000000000000001.seg.old", "snapshot-ffffffffffffffff.snap", "log-\n.seg", name)
        )
        content = files.pop(name)
        if other != name:
            files[other] = content
        return files

    # --- parts

    def _some_segment(self, files: Files) -> tuple[str, list[Frame]]:
        frames = list(read_frames(FakeDisk.holding(only_log(files))))
        name = self._random.choice(frames).segment_name
        return name, [frame for frame in frames if frame.segment_name == name]

    def _payload(self, payload: bytes, count: int = 1) -> bytes:
        if self._random.random() < 0.15:
            return self._damaged(payload)
        return self._values.changed_payload(payload, count)

    def _damaged(self, payload: bytes) -> bytes:
        damaged = bytearray(payload or b"\xc0")
        match self._random.randrange(4):
            case 0:
                return bytes(damaged[: self._random.randrange(len(damaged))])
            case 1:
                # As deep as a parser that calls itself would not survive.
                return b"\x91" * self._random.choice(_DEPTHS) + bytes(damaged)
            case 2:
                # A list of four thousand million entries that are not there.
                return b"\xdd\xff\xff\xff\xff" + bytes(damaged)
            case _:
                damaged[self._random.randrange(len(damaged))] = self._random.randrange(256)
                return bytes(damaged)

    def _few_bytes(self) -> bytes:
        if self._random.random() < 0.5:
            return self._random.choice((b"\0", b"\xff", b"\xff" * 4, bytes(8), b"\x7f\xff\xff\xff"))
        return self._random.randbytes(self._random.randrange(1, 9))


class ValueForger:
    """Changes values within MessagePack, which records and chunks are made of."""

    def __init__(self, random: Random) -> None:
        self._random = random

    def changed_payload(self, payload: bytes, count: int) -> bytes:
        """Return a payload of so many values with one of them changed."""
        # An array header in front makes the row of values one value for the decoder.
        row = b"\xdd" + count.to_bytes(4, "big") + payload
        values: list[Any] = msgspec.msgpack.decode(row)
        place = self._random.randrange(len(values))
        values[place] = self.changed(values[place])
        return b"".join(msgspec.msgpack.encode(value) for value in values)

    def changed(self, value: Any) -> Any:  # noqa: ANN401 - any value
        """Return the value with something in it changed."""
        if self._random.random() < _REPLACED:
            return self._value()
        match value:
            case [_, *_]:
                return self._changed_list(value)
            case dict() if value:
                return self._changed_mapping(value)
            case bytes() if len(value) >= _NUMBER_BYTES:
                number = self._random.choice(EXTREME_NUMBERS)
                start = self._random.randrange(len(value) // _NUMBER_BYTES) * _NUMBER_BYTES
                return patch(value, start, number.to_bytes(_NUMBER_BYTES, "little", signed=True))
            case int() if not isinstance(value, bool):
                near = value + self._random.choice((1, -1, 64, -1_000))
                return max(-(2**63), min(_MSGPACK_MAX, near))
        return self._value()

    def _changed_list(self, value: list[Any]) -> list[Any]:
        place = self._random.randrange(len(value))
        dice = self._random.random()
        if dice < _LEFT_OUT:
            return value[:place] + value[place + 1 :]
        if dice < _LEFT_OUT + _TWICE:
            return [*value[:place], value[place], *value[place:]]
        return [*value[:place], self.changed(value[place]), *value[place + 1 :]]

    def _changed_mapping(self, value: dict[Any, Any]) -> dict[Any, Any]:
        key = self._random.choice(list(value))
        if self._random.random() < _LEFT_OUT:
            return {name: each for name, each in value.items() if name != key}
        return value | {key: self.changed(value[key])}

    def _value(self) -> object:
        match self._random.randrange(8):
            case 0 | 1 | 2:
                return self._random.choice(EXTREME_NUMBERS)
            case 3 | 4:
                return self._random.choice((*NASTY_STRINGS, "a", "b", "A", "B"))
            case 5:
                return self._random.choice((None, True, False, 1.5, float("nan"), b"x"))
            case 6:
                return self._random.choice(([], {}, [[]], [0] * 20, {"": 0}))
            case _:
                return self._random.choice((*LONE_SURROGATES, "x" * 300)).encode(
                    "utf-8", "surrogatepass"
                )


def rebuilt_segment(name: str, segment: bytes, frames: Sequence[Frame]) -> bytes:
    """Return a segment with these frames one after the other, each following the one before.

    Frames that do not fit any more are left out, and so is what followed the last one.
    """
    header = decode_segment_header(name, segment[:BLOCK_BYTES], len(segment))
    content = bytearray(segment[:BLOCK_BYTES])
    previous_crc = header.crc
    for frame in frames:
        raw = encode_frame(
            frame.payload,
            kind=frame.kind,
            count=frame.count,
            first_sequence=frame.first_sequence,
            durable_bytes=min(frame.header.durable_bytes, len(content)),
            previous_crc=previous_crc,
            salt=header.salt,
        )
        if len(content) + len(raw) > len(segment) - BLOCK_BYTES:
            break
        content += raw
        previous_crc = frame_crc(raw)
    return bytes(content).ljust(len(segment), b"\0")


def rebuilt_snapshot(name: str, chunks: Sequence[Chunk]) -> bytes:
    """Return a snapshot file of these chunks, as the writer of snapshots would have made it."""
    disk = FakeDisk()
    with SnapshotWriter(
        disk, snapshot_sequence(name), random_bytes=Random(0).randbytes, writer_version="0"
    ) as writer:
        for chunk in chunks:
            writer.write_chunk(chunk.kind, chunk.key, chunk.payload)
        writer.finish(state_digest=b"")
    return disk.contents()[name]


def segments(files: Files) -> list[str]:
    """Return the names of the segments."""
    return [name for name in sorted(files) if name.startswith("log-")]


def only_log(files: Files) -> Files:
    """Return the segments alone."""
    return {name: files[name] for name in segments(files)}
