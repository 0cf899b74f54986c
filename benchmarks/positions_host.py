"""A process that holds millions of positions, for five_million_positions.py, which runs it.

    python -m benchmarks.positions_host core 100000 50
    python -m benchmarks.positions_host load 100000 50 FOLDER
    python -m benchmarks.positions_host probe FOLDER

`core` builds the state alone, `load` a data folder through the engine, and `probe` watches how
long the writer stands still while a snapshot is written. The last line printed is a report as
JSON. Each runs in a process of its own, so that what it says about memory is about nothing else.
"""

import asyncio
import gc
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from benchmarks.load_figures import resident_bytes
from benchmarks.reserve_workload import location_name, reserves, sku_name
from domgrpc.config import Settings
from domgrpc.core.dispatch import Command
from domgrpc.core.locations import CreateLocation, LocationFields
from domgrpc.core.machine import Request, handle
from domgrpc.core.rejections import Rejection
from domgrpc.core.reservations import LineQuantity, ReserveStock
from domgrpc.core.state import State
from domgrpc.core.stock_changes import CountStock, UpdateStock
from domgrpc.core.values import (
    ClientId,
    Limits,
    LocationId,
    LocationType,
    Quantity,
    RequestId,
    Sku,
    TimeMs,
)
from domgrpc.engine.engine import Engine, open_engine
from domgrpc.engine.records import fingerprint

_UPDATES_PER_COMMAND = 10_000
_QUANTITIES = 250
_BASELINE_SECONDS = 5.0
_RESERVES_MAX = 2_000_000


class Built(msgspec.Struct, frozen=True):
    """How a process came to hold its positions."""

    position_count: int
    growth_bytes: int
    """Resident memory after, less resident memory before."""
    seconds: float


class Probed(msgspec.Struct, frozen=True):
    """How long reserves, one after the other, waited at the longest."""

    quiet_ms: float
    """While nothing else went on."""
    during_ms: float
    """While a snapshot was written."""
    writer_pause_us: int
    """What the engine itself says."""
    snapshot_seconds: float
    snapshot_bytes: int
    reserve_count: int


class CommandRefused(Exception):
    """The core refused what the benchmark asked."""


# --- building


def build_core(sku_count: int, location_count: int) -> Built:
    """Build the state alone: no log, no server."""
    state = State(Limits())
    before = _settled_bytes()
    started = time.perf_counter()
    for number, command in enumerate(_commands(sku_count, location_count)):
        answer, _ = handle(state, _request(command, str(number)), TimeMs(1_000 + number))
        if isinstance(answer.outcome, Rejection):
            raise CommandRefused(answer.outcome.message)
    seconds = time.perf_counter() - started
    return Built(state.network.stock.position_count, _settled_bytes() - before, seconds)


async def load(sku_count: int, location_count: int, folder: Path) -> Built:
    """Build the same through the engine, with its log, and leave a snapshot of it behind."""
    engine = await open_engine(Settings(data_dir=folder, snapshot_log_bytes=0))
    before = _settled_bytes()
    started = time.perf_counter()
    for number, command in enumerate(_commands(sku_count, location_count)):
        answer = await engine.submit(_request(command, str(number)))
        if isinstance(answer.outcome, Rejection):
            raise CommandRefused(answer.outcome.message)
    seconds = time.perf_counter() - started
    built = Built(engine.status().position_count, _settled_bytes() - before, seconds)
    await engine.create_snapshot("load")
    await engine.close()
    return built


def _commands(sku_count: int, location_count: int) -> Iterator[Command]:
    locations = [LocationId(location_name(number)) for number in range(location_count)]
    for location in locations:
        yield CreateLocation(location_id=location, fields=LocationFields(type=LocationType.STORE))
    skus_at_a_time = _UPDATES_PER_COMMAND // location_count
    for start in range(0, sku_count, skus_at_a_time):
        yield UpdateStock(
            tuple(
                CountStock(
                    Sku(sku_name(number)),
                    location,
                    Quantity((number * 7 + place * 13) % _QUANTITIES),
                )
                for number in range(start, min(start + skus_at_a_time, sku_count))
                for place, location in enumerate(locations)
            )
        )


def _request(command: Command, request_id: str) -> Request:
    return Request(command, ClientId("benchmark"), RequestId(request_id), fingerprint(command))


def _settled_bytes() -> int:
    gc.collect()
    return resident_bytes(os.getpid())


# --- probing


async def probe(folder: Path) -> Probed:
    """Reserve without a break, first alone, then beside a snapshot, and time every answer."""
    engine = await open_engine(Settings(data_dir=folder, snapshot_log_bytes=0))
    waits = _Waits(engine)
    reserving = asyncio.create_task(waits.reserve_all_the_time())
    await asyncio.sleep(_BASELINE_SECONDS)
    quiet_ms = waits.take_longest_ms()
    report = await engine.create_snapshot("probe")
    during_ms = waits.take_longest_ms()
    waits.goes_on = False
    await reserving
    await engine.close()
    return Probed(
        quiet_ms,
        during_ms,
        report.writer_pause_us,
        report.duration_ms / 1_000,
        report.size_bytes,
        waits.count,
    )


class _Waits:
    """Reserves one after the other and remembers the longest time between two answers."""

    def __init__(self, engine: Engine) -> None:
        self.goes_on = True
        self.count = 0
        self._engine = engine
        self._longest_seconds = 0.0
        self._answered = time.perf_counter()

    async def reserve_all_the_time(self) -> None:
        for reserve in reserves(_RESERVES_MAX, seed=1):
            if not self.goes_on:
                break
            lines = tuple(
                LineQuantity(Sku(line.sku), LocationId(line.location_id), Quantity(1))
                for line in (reserve.first, reserve.second)
            )
            # A refusal for want of stock is as good an answer as any here.
            await self._engine.submit(_request(ReserveStock(lines), reserve.reserve_id))
            self._note()
            self.count += 1

    def take_longest_ms(self) -> float:
        """Return the longest time since the last call, that which still goes on included."""
        self._note()
        longest_ms = self._longest_seconds * 1_000
        self._longest_seconds = 0.0
        return longest_ms

    def _note(self) -> None:
        now = time.perf_counter()
        self._longest_seconds = max(self._longest_seconds, now - self._answered)
        self._answered = now


def main() -> None:
    """Do what the arguments say and print the report."""
    match sys.argv[1:]:
        case ["core", skus, locations]:
            report: Built | Probed = build_core(int(skus), int(locations))
        case ["load", skus, locations, folder]:
            report = asyncio.run(load(int(skus), int(locations), Path(folder)))
        case ["probe", folder]:
            report = asyncio.run(probe(Path(folder)))
        case _:
            sys.exit(__doc__)
    print(msgspec.json.encode(report).decode())


if __name__ == "__main__":
    main()
