"""The simulator: a chain of lives of one server, in virtual time, on a disk that fails.

The server is the real core, engine, storage and timers. All that happens follows from the seed:
which client does what (workload.py, clients.py), in which order ready callbacks run (loop.py),
what breaks and when (life.py, disk.py). After everything the auditor, which shares no code with
the server, reads what the log got and judges every record and answer (auditor.py). What a step
is, is said in world.py.
"""

import asyncio
from collections.abc import Callable

import msgspec

from domgrpc.core.events import Record
from domgrpc.core.machine import replay
from domgrpc.core.state import State
from domgrpc.engine.dump import digest, dump
from domgrpc.storage.errors import Corruption
from tests.simulation.disk import SimulatedDisk
from tests.simulation.life import Life
from tests.simulation.loop import SeededLoop
from tests.simulation.world import World

_KILL_SHARE = 0.3
_GARBAGE_SHARE = 0.3
_RECORDS = msgspec.msgpack.Decoder(list[Record])


class Simulation:
    """One run of one seed; see the module. `trace` is told every step."""

    def __init__(self, seed: int, trace: Callable[[str], None] | None = None) -> None:
        self.world = World(seed)
        self._trace = trace
        self._clean_disk: SimulatedDisk | None = None
        self._digest_left: tuple[int, str] | None = None

    def run(self, steps: int) -> None:
        """Live until so many steps were made."""
        world = self.world
        if self._trace is not None:
            world.trace = self._trace
        while world.steps < steps:
            self._live(steps)

    def replayed_digest(self) -> str:
        """Return the digest of the state that all records from the first on lead to."""
        state = State(self.world.character.settings.limits)
        for piece in self.world.history:
            for record in _RECORDS.decode(piece):
                replay(state, record)
        assert state.revision == self.world.auditor.revision
        state.check_invariants()
        found = digest(dump(state))
        left = self._digest_left
        assert left is None or left == (state.revision, found), "replay led to another state"
        return found

    def _live(self, steps: int) -> None:
        world = self.world
        world.count("lives")
        disk = world.disk
        disk.trace = world.trace
        loop = SeededLoop(world.clock, world.random)
        life = Life(world, loop, steps)
        try:
            life.live(self._digest_left)
        except Corruption as damage:
            self._take_back_garbage(damage)
            return
        finally:
            world.is_over = True
            disk.turn_off()
            escaped = list(loop.escaped)
            _take_apart(loop)
        assert not escaped, f"raised where nobody catches it: {escaped}"
        if life.has_started:
            self._digest_left = life.digest_left
            self._clean_disk = None
        self._go_down(life.ended)

    def _go_down(self, how: str) -> None:
        world, before = self.world, self.world.disk
        if how != "power cut" and world.random.random() < _KILL_SHARE:
            world.count("kills")
            world.disk = before.killed()
            return
        world.count("power cuts")
        world.disk = before.cut(world.random)
        if world.random.random() < _GARBAGE_SHARE:
            garbled = world.disk.garbled(world.random, before)
            if garbled is not None:
                world.count("garbled sectors")
                self._clean_disk = self._clean_disk or world.disk
                world.disk = garbled

    def _take_back_garbage(self, damage: Corruption) -> None:
        # A refusal is right where a sector holds garbage: what cannot be told from damage to what
        # was acknowledged is not cut off. The operator puts the disk in order.
        clean = self._clean_disk
        if clean is None:
            raise damage
        self.world.count("garbage refused")
        clean.changes = self.world.disk.changes
        self.world.disk = clean
        self._clean_disk = None


def _take_apart(loop: SeededLoop) -> None:
    """Cancel what still runs on a loop whose server is dead, at no draw from the seed."""
    loop.calm()
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    if tasks:
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
    loop.close()
