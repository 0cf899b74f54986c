"""A server that is made to be killed: it reserves without end and says what was answered.

    python -m tests.engine.reserving FOLDER LIFE

Prints the id of each reservation right after its answer. Writes snapshots all the time.
"""

import asyncio
import sys
from pathlib import Path

import msgspec

from domgrpc.config import Settings
from domgrpc.core.rejections import Rejection
from domgrpc.engine.clock import SystemClock
from domgrpc.engine.engine import Engine, start_engine
from domgrpc.storage.disk import LocalDisk
from tests.core.commands import adjust, confirm, place, release, reserve, stock
from tests.engine.rooms import SMALL, ask

SEGMENT_BYTES = 512 * 1024
SNAPSHOT_LOG_BYTES = 50_000
CALLER_COUNT = 6


def settings_of(folder: Path) -> Settings:
    """Return the settings under which a folder lives."""
    return msgspec.structs.replace(
        SMALL,
        data_dir=folder,
        segment_size_bytes=SEGMENT_BYTES,
        snapshot_log_bytes=SNAPSHOT_LOG_BYTES,
    )


async def reserve_on(engine: Engine, caller: str) -> None:
    """Reserve for ever; every third hold is confirmed, every third released."""
    number = 0
    while True:
        name = f"{caller}-{number}"
        steps = [ask(reserve(("tea", "north", 2), ("cup", "north", 1), as_id=name), name)]
        if number % 3:
            end = confirm(name) if number % 3 == 1 else release(name)
            steps.append(ask(end, f"{name}-end"))
        answers = await engine.execute(steps)
        for answer in answers:
            assert not isinstance(getattr(answer, "outcome", None), Rejection), answer
        sys.stdout.write(f"{name}\n")
        sys.stdout.flush()
        number += 1


async def serve(folder: Path, life: str) -> None:
    """Open the folder and let callers at it."""
    engine = start_engine(settings_of(folder), clock=SystemClock(), disk=LocalDisk(folder))
    plenty = stock(adjust("tea", "north", 10**6), adjust("cup", "north", 10**6))
    await engine.execute([ask(place("north"), "place"), ask(plenty, "plenty")])
    async with asyncio.TaskGroup() as callers:
        for number in range(CALLER_COUNT):
            callers.create_task(reserve_on(engine, f"{life}-{number}"))


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), sys.argv[2]))
