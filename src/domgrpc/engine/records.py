"""Records as bytes: what a frame of the log holds, and the fingerprint of a request.

A frame's payload is the msgpack encodings of its records, one behind the other
(docs/data-format.md, Records).
"""

import msgspec
from xxhash import xxh3_64_intdigest

from domgrpc.core.dispatch import Command
from domgrpc.core.events import Record

_RECORDS = msgspec.msgpack.Encoder()
_COMMANDS = msgspec.msgpack.Encoder()
_RECORD_LISTS = msgspec.msgpack.Decoder(list[Record])
_ARRAY_32 = b"\xdd"


class RecordBuffer:
    """Records on their way into one frame."""

    __slots__ = ("_buffer", "records")

    def __init__(self) -> None:
        """Start empty."""
        self._buffer = bytearray()
        self.records: list[Record] = []

    def __len__(self) -> int:
        """Return the size in bytes."""
        return len(self._buffer)

    def add(self, record: Record) -> None:
        """Append a record."""
        _RECORDS.encode_into(record, self._buffer, -1)
        self.records.append(record)

    def payload(self) -> bytes:
        """Return the payload of the frame."""
        return bytes(self._buffer)


def decode_records(payload: bytes, count: int) -> list[Record]:
    """Return the records of a frame's payload; ValueError where it holds other than `count`."""
    # An array header in front makes the row of records one value for the decoder.
    return _RECORD_LISTS.decode(_ARRAY_32 + count.to_bytes(4, "big") + payload)


def fingerprint(command: Command) -> int:
    """Return 64 bits that stand for a command's content, the same in every process."""
    return xxh3_64_intdigest(_COMMANDS.encode(command))
