"""Starts on forged folders: every one ends with a server or with a named refusal, never a crash.

A folder is made once by a server that took every kind of command. Each execution forges something
in it and starts a server on the result, in memory.
"""

import asyncio
import logging
from functools import partial
from random import Random

import structlog

from domgrpc.engine.engine import Engine, start_engine
from domgrpc.storage.errors import StorageError
from tests.engine.every_command import EVERY_COMMAND
from tests.engine.rooms import SMALL, Room, run_inside, send
from tests.engine.virtual_time import VirtualClock, VirtualLoop
from tests.hostile.call_lives import Found, Tally
from tests.hostile.forged_files import Files, Forger
from tests.hostile.verdicts import text_finding
from tests.storage.fake_disk import FakeDisk

STARTS_PER_LIFE = 200
EXIT_CODE = 71
"""How a server ends that refuses a damaged folder."""


class FileLife:
    """A number of starts, each on a forged folder; see the module."""

    def __init__(self, seed: int, life: int, tally: Tally) -> None:
        self._life = life
        self._tally = tally
        self._forger = Forger(Random(f"{seed}:{life}:files"))

    def live(self, starts: int) -> None:
        """Start so many servers."""
        files = folder()
        for number in range(starts):
            forged = self._forger.forged(files)
            self._tally.executions += 1
            end, what = start_on(forged)
            self._tally.ends[end] += 1
            if what:
                case = f"start {number} on a forged folder"
                self._tally.found.append(Found(self._life, what, case))


def start_on(files: Files) -> tuple[str, str]:
    """Start a server on files; return how that ended, and what is wrong with it if anything."""
    clock = VirtualClock()
    with asyncio.Runner(loop_factory=partial(VirtualLoop, clock)) as runner:
        try:
            runner.run(_started(FakeDisk.holding(files), clock))
        except StorageError as refusal:
            name = type(refusal).__name__
            if refusal.exit_code != EXIT_CODE:
                return name, f"exit code {refusal.exit_code}: {refusal}"
            return name, text_finding(str(refusal))
        except Exception as fault:  # noqa: BLE001 - whatever it is, it is a finding
            return "crash", f"a start raised {type(fault).__name__}: {fault}"
    return "started", ""


async def _started(disk: FakeDisk, clock: VirtualClock) -> None:
    engine = start_engine(
        SMALL,
        clock=clock,
        disk=disk,
        random_bytes=Random(1).randbytes,
        beside=partial(run_inside, disk),
    )
    await engine.close()


def folder() -> Files:
    """Return the files of a server that took every kind of command, half of it in a snapshot."""
    room = Room()
    room.live(_every_command)
    return room.disk.contents()


async def _every_command(engine: Engine) -> None:
    middle = len(EVERY_COMMAND) // 2
    await send(engine, *EVERY_COMMAND[:middle])
    await engine.create_snapshot()
    await send(engine, *EVERY_COMMAND[middle:], first=middle)
    await engine.close()


def quiet() -> None:
    """Keep the servers from writing a line for every start."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
