"""A room: one disk and one clock, and the engines that live there one after the other.

`Room.live` starts an engine, runs a scenario with it in virtual time, and drops it as a kill
does: no task of it runs on, nothing is closed. What the next engine finds is up to the test: all
that was written (`live` again) or what a power cut leaves (`cut_power`). Segments are small, so
that a few commands fill several. `Folder` is the same on a real disk, in real time.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from random import Random
from typing import TypeVar

import msgspec

from domgrpc.config import Settings
from domgrpc.core.answers import Answer
from domgrpc.core.dispatch import Command
from domgrpc.core.events import Record
from domgrpc.core.machine import Request
from domgrpc.core.rejections import Rejection
from domgrpc.core.values import ClientId, RequestId
from domgrpc.engine.clock import SystemClock
from domgrpc.engine.dump import digest, dump
from domgrpc.engine.engine import Engine, start_engine
from domgrpc.engine.records import decode_records, fingerprint
from domgrpc.engine.snapshotting import Job, fold_files, write_snapshot
from domgrpc.storage.disk import Disk, LocalDisk
from domgrpc.storage.frame import Frame
from domgrpc.storage.reading import read_frames
from tests.engine.virtual_time import VirtualClock, VirtualLoop
from tests.storage.fake_disk import FakeDisk

T = TypeVar("T")
Scenario = Callable[[Engine], Awaitable[T]]

SEGMENT_BYTES = 64 * 1024
SMALL = Settings(data_dir=Path("nowhere"), segment_size_bytes=SEGMENT_BYTES, snapshot_log_bytes=0)


class Room:
    """See the module. `settings` are fields of Settings other than the small ones."""

    def __init__(self, *, disk: FakeDisk | None = None, **settings: object) -> None:
        self.settings = msgspec.structs.replace(SMALL, **settings)
        self.disk = disk or FakeDisk()
        self.clock = VirtualClock()
        self.random = Random(7)

    def live(self, scenario: Scenario[T]) -> T:
        """Run a scenario with a new engine and drop the engine; return what the scenario does."""
        with asyncio.Runner(loop_factory=partial(VirtualLoop, self.clock)) as runner:
            result = runner.run(self._run(scenario))
            loop = runner.get_loop()
        assert isinstance(loop, VirtualLoop)
        assert not loop.escaped, f"raised where nobody catches it: {loop.escaped}"
        self.disk = self.disk.after_kill()
        return result

    def cut_power(self, seed: int = 0) -> None:
        """Lose of the disk's content what was not synced, in part or whole."""
        self.disk = self.disk.after_power_cut(Random(seed))

    def frames(self) -> list[Frame]:
        """Return the frames of the log."""
        return list(read_frames(self.disk))

    def records(self) -> list[Record]:
        """Return the records of the log."""
        return [
            record
            for frame in self.frames()
            for record in decode_records(frame.payload, frame.count)
        ]

    async def _run(self, scenario: Scenario[T]) -> T:
        engine = start_engine(
            self.settings,
            clock=self.clock,
            disk=self.disk,
            random_bytes=self.random.randbytes,
            beside=partial(run_inside, self.disk),
        )
        return await scenario(engine)


class Folder:
    """A real folder, and the engines that live there one after the other."""

    def __init__(self, path: Path, **settings: object) -> None:
        self.settings = msgspec.structs.replace(SMALL, data_dir=path, **settings)

    def start(self, disk: LocalDisk | None = None) -> Engine:
        """Start an engine in the running loop."""
        disk = disk or LocalDisk(self.settings.data_dir)
        return start_engine(self.settings, clock=SystemClock(), disk=disk)

    def live(self, scenario: Scenario[T]) -> T:
        """Run a scenario with a new engine and drop the engine; return what the scenario does."""

        async def run() -> T:
            return await scenario(self.start(disk))

        disk = LocalDisk(self.settings.data_dir)
        try:
            with asyncio.Runner() as runner:
                return runner.run(run())
        finally:
            disk.release()


async def run_inside(disk: Disk, job: Job) -> bytes:
    """Do the work of the process beside the server here; calls may come before and after."""
    await asyncio.sleep(0)
    work = fold_files if job.revisions else write_snapshot
    report = msgspec.json.encode(work(disk, job))
    await asyncio.sleep(0)
    return report


# --- what scenarios say


def ask(
    command: Command, request_id: str, *, client_id: str = "web", validate_only: bool = False
) -> Request:
    """Return a request as a client sends it."""
    return Request(
        command, ClientId(client_id), RequestId(request_id), fingerprint(command), validate_only
    )


async def send(engine: Engine, *commands: Command, first: int = 0) -> list[Answer]:
    """Submit commands one after the other, as requests r0, r1 and so on."""
    return [
        await engine.submit(ask(command, f"r{number}"))
        for number, command in enumerate(commands, start=first)
    ]


async def given(engine: Engine, *commands: Command) -> None:
    """Submit commands in one message of which none may be refused."""
    revision = engine.revision
    answers = await engine.execute(
        [ask(command, f"given-{revision}-{place}") for place, command in enumerate(commands)]
    )
    for answer in answers:
        assert isinstance(answer, Answer)
        assert not isinstance(answer.outcome, Rejection), answer


def state_digest(engine: Engine) -> str:
    """Return the digest of all that the engine knows, kept answers included."""
    return digest(dump(engine.writer.state))


def as_bytes(answer: object) -> bytes:
    """Return what a client would compare of an answer: its revision and outcome, as bytes."""
    assert isinstance(answer, Answer), answer
    return msgspec.msgpack.encode((answer.revision, answer.outcome))


def turn_a_bit(folder: Path, *, at_byte: int) -> None:
    """Turn a bit over in the oldest segment of a folder, or back."""
    name = min(folder.glob("log-*.seg"))
    with name.open("r+b") as segment:
        segment.seek(at_byte)
        (byte,) = segment.read(1)
        segment.seek(at_byte)
        segment.write(bytes((byte ^ 1,)))
