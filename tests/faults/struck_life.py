"""One life of a shop on a real folder in which a system call may be struck, and its aftermath.

    python -m tests.faults.struck_life FOLDER

says on the standard output what it promises, and ends as `domgrpc serve` does: 0 in order, or the
exit code of what went wrong. The folder and its calls are real, the time is virtual, so that a
second of patience with a full disk costs nothing.
"""

import asyncio
import os
import sys
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from random import Random

import msgspec

from domgrpc.engine.beside import BesideFailed
from domgrpc.engine.calls import DiskFullRefusal, Stopped
from domgrpc.engine.dump import digest, dump
from domgrpc.engine.engine import Engine, start_engine
from domgrpc.engine.recovery import load_newest_snapshot, replay_frames
from domgrpc.engine.snapshotting import Job, write_snapshot
from domgrpc.storage.disk import LocalDisk
from domgrpc.storage.errors import DiskFull, StorageError
from domgrpc.storage.reading import read_frames
from tests.engine.rooms import state_digest
from tests.engine.virtual_time import VirtualClock, VirtualLoop
from tests.faults.shop_day import SETTINGS, execute, open_shop, orders
from tests.faults.workers import silence_engines

_RESTS = (0.0, 0.2, 1.5)
_TRIES = 3
_PATIENCE_SECONDS = 1.2


class Promise(msgspec.Struct, frozen=True, array_like=True):
    """A revision that was answered, and the state after it."""

    revision: int
    state_digest: str


class Aftermath(msgspec.Struct, frozen=True, kw_only=True):
    """What a start after the life finds."""

    last_sequence: int
    group_count_behind: int
    """Groups behind the last promise."""
    promised_digest: str
    """The digest of the state folded up to the last promise."""
    is_same_again: bool
    goes_on: bool


Tell = Callable[[Promise], None]


def live(folder: Path, tell: Tell) -> int:
    """Open the folder, trade, write snapshots, close; return the exit code."""
    clock = VirtualClock()
    disk: list[LocalDisk] = []
    try:
        with asyncio.Runner(loop_factory=partial(VirtualLoop, clock)) as runner:
            disk.append(LocalDisk(folder))
            fault = runner.run(_life(disk[0], clock, tell))
    except StorageError as error:
        return error.exit_code
    return 0 if fault is None else getattr(fault, "exit_code", 70)


async def _life(disk: LocalDisk, clock: VirtualClock, tell: Tell) -> BaseException | None:
    engine = _start(disk, clock)
    try:
        _promise(engine, tell)
        await _trade(engine, tell)
    except (Stopped, BesideFailed):
        if not engine.failed.done():
            raise
    finally:
        await engine.close()
    return engine.failed.result() if engine.failed.done() else None


def _start(disk: LocalDisk, clock: VirtualClock) -> Engine:
    return start_engine(
        msgspec.structs.replace(SETTINGS, data_dir=disk.root),
        clock=clock,
        disk=disk,
        random_bytes=Random(1).randbytes,
        beside=partial(_write_beside, disk.root),
    )


async def _write_beside(folder: Path, job: Job) -> bytes:
    """Write a snapshot as the process beside the server does, with descriptors of its own."""
    await asyncio.sleep(0)
    try:
        written = write_snapshot(LocalDisk(folder, make=False), job)
    except (StorageError, OSError) as error:
        raise BesideFailed(f"the process beside the server failed: {error}") from error
    return msgspec.json.encode(written)


async def _trade(engine: Engine, tell: Tell) -> None:
    die = Random(5)
    await _patiently(engine, partial(open_shop, engine))
    _promise(engine, tell)
    for count in (1, 1, 40, 1):
        await _patiently(engine, partial(_order, engine, die, count))
        _promise(engine, tell)
    for seconds in _RESTS:
        await asyncio.sleep(seconds)
        await _patiently(engine, engine.create_snapshot)
        await _patiently(engine, partial(_order, engine, die, 1))
        _promise(engine, tell)


async def _order(engine: Engine, die: Random, count: int) -> None:
    await execute(engine, orders(engine, die, count))


async def _patiently(engine: Engine, action: Callable[[], Awaitable[object]]) -> None:
    """Do something that may be refused; a client would try it again, and give up in the end."""
    for _ in range(_TRIES):
        try:
            await action()
        except (DiskFullRefusal, DiskFull):
            await asyncio.sleep(_PATIENCE_SECONDS)
        except (Stopped, BesideFailed):
            if engine.failed.done():
                raise
            # Only the snapshot was given up.
            return
        else:
            return


def _promise(engine: Engine, tell: Tell) -> None:
    tell(Promise(engine.durable_revision, state_digest(engine)))


def look(folder: Path, promised: int) -> Aftermath:
    """Start the folder twice, fold it up to what was promised, and trade a little more."""
    clock = VirtualClock()
    with asyncio.Runner(loop_factory=partial(VirtualLoop, clock)) as runner:
        first = runner.run(_looked(folder, clock, promised, goes_on=False))
        second = runner.run(_looked(folder, clock, promised, goes_on=True))
    is_same = (first.last_sequence, first.promised_digest) == (
        second.last_sequence,
        second.promised_digest,
    )
    return msgspec.structs.replace(second, is_same_again=is_same)


async def _looked(folder: Path, clock: VirtualClock, promised: int, *, goes_on: bool) -> Aftermath:
    disk = LocalDisk(folder)
    engine = _start(disk, clock)
    found = engine.durable_revision
    behind = [frame for frame in read_frames(disk) if frame.first_sequence > promised]
    folded = await _folded_digest(disk, promised)
    if goes_on:
        await open_shop(engine)
        await execute(engine, orders(engine, Random(9), 3))
        assert engine.durable_revision == engine.revision > found
    await engine.close()
    disk.release()
    return Aftermath(
        last_sequence=found,
        group_count_behind=len(behind),
        promised_digest=folded,
        is_same_again=False,
        goes_on=goes_on,
    )


async def _folded_digest(disk: LocalDisk, promised: int) -> str:
    state = load_newest_snapshot(disk, SETTINGS.limits).state
    if state.revision < promised:
        frames = read_frames(disk, from_sequence=state.revision + 1, last_sequence=promised)
        replay_frames(state, frames, last_revision=promised)
    state.check_invariants()
    return digest(dump(state))


def main() -> int:
    """Live on the folder that the command line names, and end as a server would."""
    silence_engines()

    def tell(promise: Promise) -> None:
        os.write(1, msgspec.json.encode(promise) + b"\n")

    code = live(Path(sys.argv[1]), tell)
    os.write(1, f"ended {time.monotonic()}\n".encode())
    return code


if __name__ == "__main__":
    sys.exit(main())
