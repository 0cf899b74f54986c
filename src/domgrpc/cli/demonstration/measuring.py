"""A scene about speed: what one client process reaches against one server process."""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from domgrpc.cli.demonstration.stage import Stage
from domgrpc.client import Line, count_stock

_WORKERS: Final = 600
_SKUS_ASKED: Final = 5
_UNITS: Final = 10**9
_SINGLE_SHARE: Final = 0.25
"""The part of the time that goes to the single call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """How many calls were answered in how long, and how long the middle one took."""

    count: int
    seconds: float
    median_ms: float

    @property
    def per_second(self) -> float:
        """Calls a second."""
        return self.count / self.seconds


async def measure_rates(stage: Stage) -> None:
    """Show how fast it goes, and prove that every reservation made on the way was counted."""
    stage.narration.scene("How fast is it here?")
    location_id = stage.retailer.center.location_id
    lines = [Line(sku, 1, location_id) for sku in stage.retailer.crowd_skus[2:]]
    client = await stage.client("load")
    await client.update_stock([count_stock(line.sku, location_id, _UNITS) for line in lines])
    stage.narration.say(
        f"This process is the only client, and shares {len(os.sched_getaffinity(0))} processors "
        "with the server. Every reservation is on disk before it is answered."
    )
    one, reserves, checks = await _measure_calls(stage, lines)
    rows = {
        "reserve 2 lines, one after the other": one,
        f"reserve 2 lines, {_WORKERS} callers at once": reserves,
        f"check {_SKUS_ASKED} products everywhere, {_WORKERS} callers": checks,
    }
    stage.narration.table(
        ("call", "per second", "median ms"),
        [(name, f"{r.per_second:,.0f}", f"{r.median_ms:.1f}") for name, r in rows.items()],
        left=frozenset({"call"}),
    )
    made = one.count + reserves.count
    stage.promise(
        f"{made:,} reservations answered, {made:,} units of each line held",
        expected=[made, made],
        came=[(await stage.position(line.sku, location_id)).soft_reserved for line in lines],
    )
    stage.note(
        "rates",
        single_reserves_per_second=one.per_second,
        single_reserve_median_ms=one.median_ms,
        reserves_per_second=reserves.per_second,
        checks_per_second=checks.per_second,
    )


async def _measure_calls(stage: Stage, lines: list[Line]) -> tuple[Rate, Rate, Rate]:
    """Measure single reservations, many at once, and many questions at once."""
    client = await stage.client("load")
    skus = stage.retailer.skus[:_SKUS_ASKED]

    async def reserve() -> None:
        await client.reserve_stock(lines)

    async def check() -> None:
        await client.check_availability(skus)

    seconds = stage.script.rate_seconds
    with stage.narration.waiting("measuring"):
        return (
            await _measure(reserve, workers=1, seconds=seconds * _SINGLE_SHARE),
            await _measure(reserve, workers=_WORKERS, seconds=seconds),
            await _measure(check, workers=_WORKERS, seconds=seconds),
        )


async def _measure(call: Callable[[], Awaitable[None]], *, workers: int, seconds: float) -> Rate:
    started = time.perf_counter()
    end = started + seconds
    durations: list[float] = []

    async def work() -> None:
        before = time.perf_counter()
        while before < end:
            await call()
            now = time.perf_counter()
            durations.append(now - before)
            before = now

    await asyncio.gather(*(work() for _ in range(workers)))
    durations.sort()
    return Rate(
        count=len(durations),
        seconds=time.perf_counter() - started,
        median_ms=durations[len(durations) // 2] * 1_000,
    )
