"""Records what a real engine does to its disk over a few lives, each ended by a kill.

A kill loses nothing that was written: the next life finds all of it, synced or not. Beside the
journal stands what the engine promised: its groups of records, and the digest of its state after
each of them.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from random import Random

from domgrpc.core.state import State
from domgrpc.engine.calls import Stopped
from domgrpc.engine.dump import digest, dump
from domgrpc.engine.engine import Engine
from domgrpc.storage.reading import read_frames
from tests.engine.rooms import state_digest
from tests.engine.virtual_time import VirtualClock, VirtualLoop
from tests.faults.journal_disk import Acknowledged, File, JournalDisk, KilledError, Operation
from tests.faults.shop_day import SETTINGS, open_shop, start_shop, trade
from tests.storage.logs import Group

LIFE_COUNT = 3
STEPS_PER_LIFE = 15
_OPERATIONS_PER_LIFE_MAX = 150


@dataclass(slots=True)
class Promises:
    """All groups that a folder ever got, by first sequence, and the states after them."""

    groups: dict[int, Group] = field(default_factory=dict)
    digests: dict[int, str] = field(default_factory=lambda: {0: _empty_digest()})

    def forget_after(self, last_sequence: int) -> None:
        """Drop what a power cut took: what comes in its place is something else."""
        self.groups = {
            first: group for first, group in self.groups.items() if first <= last_sequence
        }
        self.digests = {
            sequence: state for sequence, state in self.digests.items() if sequence <= last_sequence
        }


@dataclass(frozen=True, slots=True)
class Recording:
    """What was durable when it began, and everything that was done afterwards."""

    files: dict[str, File]
    contents: dict[str, bytes]
    journal: list[Operation]


class Recorder:
    """One shop on one disk over several lives."""

    def __init__(
        self,
        contents: Mapping[str, bytes],
        promises: Promises,
        die: Random,
        *,
        last_sequence: int = 0,
    ) -> None:
        """Begin with a folder, empty or as a power cut left it, and what was promised before.

        `last_sequence` is the last one that the folder has.
        """
        promises.forget_after(last_sequence)
        self._promises = promises
        self._die = die
        self._clock = VirtualClock()
        files = {name: File(content) for name, content in contents.items()}
        journal: list[Operation] = [Acknowledged(last_sequence)]
        self._disk = JournalDisk(dict(files), journal)
        self._recording = Recording(files, dict(contents), journal)

    def record(self) -> Recording:
        """Live several lives, the last to its end, and return what they did."""
        for _ in range(LIFE_COUNT - 1):
            self._disk.steps_left = self._die.randrange(_OPERATIONS_PER_LIFE_MAX)
            self._live()
        self._disk.steps_left = -1
        self._live()
        return self._recording

    def _live(self) -> None:
        with asyncio.Runner(loop_factory=partial(VirtualLoop, self._clock)) as runner:
            try:
                runner.run(self._life())
            except (KilledError, Stopped):
                # Nothing is closed: that is how a kill leaves a folder.
                return

    async def _life(self) -> None:
        engine = start_shop(self._disk, self._clock, self._die)
        self._promise(engine)
        await open_shop(engine)
        self._promise(engine)
        answered = partial(self._promise, engine)
        await trade(engine, self._die, step_count=STEPS_PER_LIFE, answered=answered)

    def _promise(self, engine: Engine) -> None:
        last_sequence = engine.durable_revision
        promises = self._promises
        # Beside the engine, so that reading takes no step towards the kill and is not recorded.
        beside = JournalDisk(self._disk.files)
        newest = max(promises.groups, default=1)
        for frame in read_frames(beside, last_sequence=last_sequence):
            if frame.first_sequence >= newest:
                promises.groups[frame.first_sequence] = (
                    frame.first_sequence,
                    frame.count,
                    frame.payload,
                )
        promises.digests[last_sequence] = state_digest(engine)
        self._disk.note(Acknowledged(last_sequence))


def _empty_digest() -> str:
    return digest(dump(State(SETTINGS.limits)))
