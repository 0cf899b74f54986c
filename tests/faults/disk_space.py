"""A disk that becomes full and is freed again, under load: refused, read, resumed.

The file systems are small ones of their own, in memory and on a loop device; both need root.
"""

import asyncio
import itertools
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path

import grpc
import grpc.aio
import msgspec

from domgrpc.v1.inventory_pb2 import GetPositionRequest, StockAdjustment, UpdateStockRequest
from domgrpc.v1.inventory_pb2_grpc import InventoryServiceStub
from tests.faults.calls import DEADLINE_SECONDS, Sender, reason_of
from tests.faults.ledger import PLACE, TEA
from tests.faults.mounts import (
    loop_file_system,
    memory_file_system,
    missing_for_loop,
    missing_for_memory,
)
from tests.faults.table import Row, judged, skipped
from tests.faults.trial import percentile, trial

FULL_SECONDS = 5.0
_MEMORY_BYTES = 160 * 1024 * 1024
_ORDERS_PER_MESSAGE = 20
_UPDATES_PER_BULK = 4_000
_REASON_BYTES = 64
_CHUNK_BYTES = 1024 * 1024
_READ_SECONDS_MAX = 0.5
_RESUME_SECONDS_MAX = 5.0
_PAUSE_SECONDS = 0.02
_MUST = "refused as DISK_FULL, reads live, resumes, 0 lost"


class Seen(msgspec.Struct):
    """What was seen of one full disk."""

    reasons: set[str]
    refused: int
    read_seconds: list[float]
    resumed_seconds: float


def run(scale: float) -> list[Row]:
    """Fill a file system in memory and one on a loop device."""
    seconds = max(0.5, FULL_SECONDS * scale)
    return [run_kind("tmpfs", seconds), run_kind("ext4", seconds)]


def run_kind(kind: str, seconds: float) -> Row:
    """Fill a small file system, keep it full for so long, and free it again."""
    what = f"disk full and freed again ({kind})"
    missing = missing_for_memory() if kind == "tmpfs" else missing_for_loop(kind)
    if missing:
        return skipped(what, must=_MUST, reason=missing)
    with _small_place(kind) as place:
        return asyncio.run(_full_and_freed(what, place, seconds))


@contextmanager
def _small_place(kind: str) -> Iterator[Path]:
    if kind == "tmpfs":
        with memory_file_system(_MEMORY_BYTES) as place:
            yield place
    else:
        with loop_file_system(kind) as file_system:
            yield file_system.place


async def _full_and_freed(what: str, place: Path, seconds: float) -> Row:
    ballast = place / "ballast"
    async with trial(data_dir=place / "data") as tried:
        async with tried.serving() as (channel, sender):
            fill(ballast)
            seen = await _while_full(channel, sender, seconds)
            ballast.unlink()
            seen.resumed_seconds = await _until_written(sender)
            await sender.open_and_check(channel)
        harms = await tried.last_harms()
        answered = len(tried.ledger.answers)
    slowest = percentile(seen.read_seconds, 0.99)
    return judged(
        what,
        must=_MUST,
        figure=f"{seen.refused} refused ({', '.join(sorted(seen.reasons))}), read p99 "
        f"{slowest * 1_000:.1f} ms, resumed in {seen.resumed_seconds:.2f} s, {len(harms)} lost",
        holds=seen.reasons == {"DISK_FULL"}
        and slowest <= _READ_SECONDS_MAX
        and seen.resumed_seconds <= _RESUME_SECONDS_MAX
        and not harms,
        note=f"{answered:,} answers compared" + "; ".join(["", *harms]),
    )


def fill(ballast: Path) -> None:
    """Write until nothing more fits."""
    with ballast.open("wb", buffering=0) as file:
        for size_bytes in (_CHUNK_BYTES, 1):
            with suppress(OSError):
                _write_on(file, bytes(size_bytes))


def _write_on(file: FileIO, chunk: bytes) -> None:
    while True:
        file.write(chunk)


async def _while_full(channel: grpc.aio.Channel, sender: Sender, seconds: float) -> Seen:
    """Use the space up, then read and order for so long; all orders must be refused by then."""
    seen = Seen(set(), 0, [], 0.0)
    reads = InventoryServiceStub(channel)
    request = GetPositionRequest(sku=TEA, location_id=PLACE)
    end = float("inf")
    number = 0
    while time.monotonic() <= end:
        number += 1
        orders = [f"full-{number}-{3 * place}" for place in range(_ORDERS_PER_MESSAGE)]
        try:
            await sender.execute(orders)
            await reads.UpdateStock(_bulk(number), timeout=DEADLINE_SECONDS)
        except grpc.aio.AioRpcError as error:
            seen.refused += 1
            seen.reasons.add(reason_of(error) or error.code().name)
            end = min(end, time.monotonic() + seconds)
            await asyncio.sleep(_PAUSE_SECONDS)
        started = time.monotonic()
        await reads.GetPosition(request, timeout=DEADLINE_SECONDS)
        if seen.refused:
            seen.read_seconds.append(time.monotonic() - started)
    return seen


def _bulk(number: int) -> UpdateStockRequest:
    """Return a change that takes much room in the log."""
    request = UpdateStockRequest(request_id=f"bulk-{number}")
    adjustment = StockAdjustment(delta=1, reason="b" * _REASON_BYTES)
    for _ in range(_UPDATES_PER_BULK):
        request.updates.add(sku="bulk", location_id=PLACE, adjustment=adjustment)
    return request


async def _until_written(sender: Sender) -> float:
    """Return after how many seconds a new order is answered."""
    started = time.monotonic()
    for attempt in itertools.count():
        try:
            await sender.execute([f"freed-{attempt}-0"])
        except grpc.aio.AioRpcError:
            if time.monotonic() - started > DEADLINE_SECONDS:
                break
            await asyncio.sleep(_PAUSE_SECONDS)
        else:
            break
    return time.monotonic() - started
