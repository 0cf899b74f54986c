"""The rival Redis: the same reserves as a Lua script, each batch synced to its log.

Two hashes hold stock and held units by position, and each reservation is a key that expires. The
script checks both lines and then takes both. Redis does less than domgrpc does: nothing gives the
units of an expired key back, no retry is recognised, and nothing can be asked about the past.
The client speaks the Redis protocol with prepared bytes, so that it is not what is measured.
"""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks import reserve_workload
from benchmarks.reserve_workload import ON_HAND, TTL_SECONDS, Reserve
from benchmarks.temporary_places import temporary_folder

PIPELINED = 200
IN_FLIGHT = 1
"""Batches on their way at a time; more made Redis no faster here."""

_START_SECONDS_MAX = 10.0
_POLL_SECONDS = 0.02
_FIELDS_PER_COMMAND = 2_000

# KEYS: the reservation. ARGV: two positions, their quantities, the time to live in milliseconds.
SCRIPT = """
local stock = redis.call('HMGET', 'stock', ARGV[1], ARGV[3])
local held = redis.call('HMGET', 'held', ARGV[1], ARGV[3])
if tonumber(stock[1] or 0) - tonumber(held[1] or 0) < tonumber(ARGV[2]) then return 0 end
if tonumber(stock[2] or 0) - tonumber(held[2] or 0) < tonumber(ARGV[4]) then return 0 end
redis.call('HINCRBY', 'held', ARGV[1], ARGV[2])
redis.call('HINCRBY', 'held', ARGV[3], ARGV[4])
redis.call('SET', KEYS[1], table.concat(ARGV, ' '), 'PX', ARGV[5])
return 1
"""


class RedisFailed(Exception):
    """Redis did not start, or answered an error."""


def redis_version() -> str | None:
    """Return the version of the installed server, None where there is none."""
    program = shutil.which("redis-server")
    if program is None:
        return None
    shown = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    return next(
        (word.removeprefix("v=") for word in shown.stdout.split() if word.startswith("v=")), "?"
    )


class RedisStock:
    """A Redis with the stock of the workload in it. Made by `redis_stock`."""

    def __init__(self, connection: socket.socket) -> None:
        """Take over a connection and fill the stock."""
        self._connection = connection
        self._answers = connection.makefile("rb")
        self._load()
        self._digest = self._ask("SCRIPT", "LOAD", SCRIPT)

    def prepare(self, count: int, *, seed: int) -> list[bytes]:
        """Return the bytes of batches of `PIPELINED` reserves."""
        wanted = [self._reserve(each) for each in reserve_workload.reserves(count, seed=seed)]
        return [b"".join(wanted[start : start + PIPELINED]) for start in range(0, count, PIPELINED)]

    def run(self, batches: list[bytes], count: int) -> float:
        """Run prepared reserves and return how many a second; raise where one failed."""
        started = time.perf_counter()
        answered = 0
        for batch in batches[:IN_FLIGHT]:
            self._connection.sendall(batch)
        for batch in [*batches[IN_FLIGHT:], *[b""] * min(IN_FLIGHT, len(batches))]:
            for _ in range(min(PIPELINED, count - answered)):
                self._take_one()
                answered += 1
            self._connection.sendall(batch)
        return count / (time.perf_counter() - started)

    def _take_one(self) -> None:
        answer = self._answers.readline()
        if answer != b":1\r\n":
            raise RedisFailed(f"a reserve was answered {answer!r} instead of 1")

    def _load(self) -> None:
        names = [
            f"{sku}|{location}"
            for sku in reserve_workload.skus()
            for location in reserve_workload.locations()
        ]
        for start in range(0, len(names), _FIELDS_PER_COMMAND):
            pairs = [
                word
                for name in names[start : start + _FIELDS_PER_COMMAND]
                for word in (name, str(ON_HAND))
            ]
            self._ask("HSET", "stock", *pairs)

    def _reserve(self, each: Reserve) -> bytes:
        first, second = each.first, each.second
        return command(
            "EVALSHA",
            self._digest,
            "1",
            f"reservation:{each.reserve_id}",
            f"{first.sku}|{first.location_id}",
            str(first.quantity),
            f"{second.sku}|{second.location_id}",
            str(second.quantity),
            str(TTL_SECONDS * 1_000),
        )

    def _ask(self, *words: str) -> str:
        self._connection.sendall(command(*words))
        line = self._answers.readline()
        if line.startswith(b"-") or not line:
            raise RedisFailed(f"{words[0]} was answered {line!r}")
        if line.startswith(b"$"):
            return self._answers.read(int(line[1:]) + 2)[:-2].decode()
        return line[1:-2].decode()


def command(*words: str) -> bytes:
    """Return a command in the Redis protocol."""
    parts = [f"*{len(words)}\r\n".encode()]
    for word in words:
        encoded = word.encode()
        parts.append(b"$%d\r\n%s\r\n" % (len(encoded), encoded))
    return b"".join(parts)


@contextmanager
def redis_stock() -> Iterator[RedisStock]:
    """Start a Redis of our own in a temporary folder, synced at every batch; end it after."""
    program = shutil.which("redis-server")
    if program is None:
        raise RedisFailed("redis-server is not installed")
    with temporary_folder() as folder:
        port = _free_port()
        settings = f"--bind 127.0.0.1 --port {port} --appendonly yes --appendfsync always --save"
        process = subprocess.Popen(
            [program, *settings.split(), "", "--dir", str(folder)], stdout=subprocess.DEVNULL
        )
        try:
            with _connect(port, process) as connection:
                yield RedisStock(connection)
        finally:
            process.terminate()
            process.wait()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def _connect(port: int, process: "subprocess.Popen[bytes]") -> socket.socket:
    deadline = time.monotonic() + _START_SECONDS_MAX
    while time.monotonic() < deadline and process.poll() is None:
        try:
            connection = socket.create_connection(("127.0.0.1", port))
        except OSError:
            time.sleep(_POLL_SECONDS)
            continue
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection
    raise RedisFailed(f"redis-server did not listen within {_START_SECONDS_MAX:.0f} s")
