"""A whole data folder of 64 KiB: two segments with several groups, two snapshots, a spare.

It was written by the engine, sealed and closed in order. Beside it stands what it looked like
after each step before, for whoever wants to bring back an old file, or to have it killed.
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from random import Random

from domgrpc.engine.calls import Stopped
from domgrpc.engine.engine import Engine
from domgrpc.storage.frame import BLOCK_BYTES
from domgrpc.storage.inspection import inspect_log
from tests.engine.rooms import state_digest
from tests.engine.virtual_time import VirtualClock, VirtualLoop
from tests.faults.journal_disk import JournalDisk, KilledError, holding
from tests.faults.shop_day import execute, open_shop, orders, start_shop

_PAUSE_SECONDS = 0.2
# Orders before the first snapshot, between the two, and after the second.
_ORDERS = (2, 3, 2)


@dataclass(frozen=True, slots=True)
class SmallFolder:
    """See the module. `stages` are the folder after each step; the last is sealed, not closed."""

    files: dict[str, bytes]
    stages: list[dict[str, bytes]]
    state_digest: str
    last_sequence: int
    starts: dict[str, list[int]]
    """Where in each segment its first block and its frames start, and where they end."""


def killed_folder(seed: int, operation_count: int) -> dict[str, bytes]:
    """Return the folder where the engine was killed after so many operations of the disk."""
    disk = JournalDisk(steps_left=operation_count)
    with (
        suppress(KilledError, Stopped),
        asyncio.Runner(loop_factory=partial(VirtualLoop, VirtualClock())) as runner,
    ):
        runner.run(_live(disk, VirtualClock(), Random(seed), []))
    return disk.contents()


def write_folder(seed: int) -> SmallFolder:
    """Write the folder; other seeds give other salts, as another server's folder would have."""
    disk = JournalDisk()
    clock = VirtualClock()
    stages: list[dict[str, bytes]] = []
    with asyncio.Runner(loop_factory=partial(VirtualLoop, clock)) as runner:
        digest, last_sequence = runner.run(_live(disk, clock, Random(seed), stages))
    files = disk.contents()
    return SmallFolder(files, stages, digest, last_sequence, _starts(files))


async def _live(
    disk: JournalDisk, clock: VirtualClock, die: Random, stages: list[dict[str, bytes]]
) -> tuple[str, int]:
    engine = start_shop(disk, clock, die)
    await open_shop(engine)
    for number, count in enumerate(_ORDERS):
        if number:
            await engine.create_snapshot()
            await asyncio.sleep(_PAUSE_SECONDS)
            stages.append(disk.contents())
        await _order(engine, die, count, (disk, stages))
    digest, last_sequence = state_digest(engine), engine.durable_revision
    # Time for the spare and the seal.
    await asyncio.sleep(_PAUSE_SECONDS)
    stages.append(disk.contents())
    await engine.close()
    return digest, last_sequence


async def _order(
    engine: Engine, die: Random, count: int, seen: tuple[JournalDisk, list[dict[str, bytes]]]
) -> None:
    disk, stages = seen
    for _ in range(count):
        await execute(engine, orders(engine, die, 1))
        stages.append(disk.contents())


def _starts(files: dict[str, bytes]) -> dict[str, list[int]]:
    starts: dict[str, list[int]] = {}
    for frame in inspect_log(holding(files)):
        places = starts.setdefault(frame.segment_name, [0])
        places.append(frame.offset_bytes)
    for name, places in starts.items():
        # The frame that ends a segment is not shown; behind the last frame lie zeros.
        end_bytes = len(files[name].rstrip(b"\0")) + BLOCK_BYTES - 1 & -BLOCK_BYTES
        places.extend(range(places[-1] + BLOCK_BYTES, end_bytes + 1, BLOCK_BYTES))
    return starts
