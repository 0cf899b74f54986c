"""HTTP/2 by hand: single frames, also such as no library would send, and a wire to send them on.

A library keeps its user from breaking the protocol, which is what is wanted here. Headers are
encoded as literals that no table keeps, except where a block is made to abuse the table.
"""

import asyncio
from collections.abc import Iterable
from contextlib import suppress

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, _PRIORITY, RST_STREAM, SETTINGS, _PUSH, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = (
    range(10)
)
END_STREAM = ACK = 0x1
END_HEADERS = 0x4
PADDED = 0x8
INITIAL_WINDOW_SIZE = 4
CANCEL = 8
_HEADER_BYTES = 9
_READ_BYTES = 64 * 1024
_STREAM_MAX = 2**31 - 1

Fields = Iterable[tuple[bytes, bytes]]


def frame(kind: int, flags: int = 0, stream: int = 0, payload: bytes = b"") -> bytes:
    """Return a frame."""
    head = len(payload).to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big")
    return head + payload


def literals(fields: Fields) -> bytes:
    """Return a block of headers that is kept in no table."""
    return b"".join(b"\x00" + _text(name) + _text(value) for name, value in fields)


def indexed(fields: Fields) -> bytes:
    """Return a block of headers, each of which the receiver must keep in its table."""
    return b"".join(b"\x40" + _text(name) + _text(value) for name, value in fields)


def table_size(size_bytes: int) -> bytes:
    """Return the part of a block that changes the size of the receiver's table."""
    return integer(size_bytes, 5, 0x20)


def integer(value: int, prefix_bits: int, first: int = 0) -> bytes:
    """Return a number as HPACK writes it, behind the bits of the first byte."""
    most = (1 << prefix_bits) - 1
    if value < most:
        return bytes((first | value,))
    found = bytearray((first | most,))
    value -= most
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)


def call_fields(path: bytes, *more: tuple[bytes, bytes]) -> list[tuple[bytes, bytes]]:
    """Return the headers that begin a gRPC call."""
    return [
        (b":method", b"POST"),
        (b":scheme", b"http"),
        (b":path", path),
        (b":authority", b"localhost"),
        (b"content-type", b"application/grpc"),
        (b"te", b"trailers"),
        *more,
    ]


def message(raw: bytes, *, compressed: bool = False) -> bytes:
    """Return a message as gRPC puts it into DATA."""
    return bytes((compressed,)) + len(raw).to_bytes(4, "big") + raw


def _text(value: bytes) -> bytes:
    return integer(len(value), 7) + value


class Wire:
    """A connection to a server; what the server says is read, counted and thrown away.

    With `reads=False` nothing is read, so that the server's answers pile up at the server.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._stream = -1
        self.is_closed = False
        self.was_sent_away = False
        """Whether the server said GOAWAY."""
        self._task: asyncio.Task[None] | None = None

    @classmethod
    async def open(
        cls, target: str, *, settings: bytes = b"", greets: bool = True, reads: bool = True
    ) -> "Wire":
        """Connect, and greet as HTTP/2 wants it unless told not to."""
        host, _, port = target.rpartition(":")
        wire = cls(*await asyncio.open_connection(host, int(port)))
        if reads:
            wire._task = asyncio.ensure_future(wire._read_all())
        if greets:
            await wire.send(PREFACE + frame(SETTINGS, payload=settings) + frame(SETTINGS, ACK))
        return wire

    def next_stream(self) -> int:
        """Return the number of a new stream."""
        self._stream = min(self._stream + 2, _STREAM_MAX)
        return self._stream

    async def send(self, data: bytes) -> None:
        """Send bytes; where the server has closed, nothing happens but that it is noted."""
        try:
            self._writer.write(data)
            await self._writer.drain()
        except (ConnectionError, RuntimeError):
            self.is_closed = True

    async def until_closed(self) -> None:
        """Wait until the server closes."""
        assert self._task is not None, "nobody reads, so nobody would notice"
        await asyncio.wait([self._task])

    async def close(self) -> None:
        """Hang up."""
        if self._task is not None:
            self._task.cancel()
        self._writer.close()
        with suppress(ConnectionError, TimeoutError, OSError):
            async with asyncio.timeout(1):
                await self._writer.wait_closed()

    async def _read_all(self) -> None:
        held = b""
        try:
            while data := await self._reader.read(_READ_BYTES):
                held = self._look(held + data)
        except ConnectionError:
            # A reset is one more way to hang up.
            held = b""
        self.is_closed = True

    def _look(self, held: bytes) -> bytes:
        """Look at the kinds of the whole frames, and return what is left."""
        place = 0
        while place + _HEADER_BYTES <= len(held):
            end = place + _HEADER_BYTES + int.from_bytes(held[place : place + 3], "big")
            if end > len(held):
                break
            self.was_sent_away = self.was_sent_away or held[place + 3] == GOAWAY
            place = end
        return held[place:]
