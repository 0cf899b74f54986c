"""The fuzzer led by coverage: `make fuzz`, which runs it in an environment of its own.

    python -m tests.hostile.guided [-runs=N] [-seed=S] [FOLDER]

The arguments are those of libFuzzer, FOLDER keeps what it found worth keeping. An input is a byte
for the method and the bytes of one message; it is changed by the fields of its message, as in
mutation.py, so that most inputs reach the handlers. It stops at the first call that breaks a rule
of verdicts.py.
"""

import asyncio
import sys
from functools import partial
from random import Random

import atheris
from msgspec.structs import replace

with atheris.instrument_imports(include=["domgrpc.rpc", "domgrpc.core", "domgrpc.engine"]):
    from domgrpc.engine.engine import start_engine
    from tests.hostile.surface import METHODS, Surface

from tests.engine.rooms import SMALL, run_inside
from tests.engine.virtual_time import VirtualClock, VirtualLoop
from tests.hostile.call_lives import LIMITS, inner_errors, open_shop
from tests.hostile.cases import Case, parsed
from tests.hostile.file_lives import quiet
from tests.hostile.good_messages import good_messages
from tests.hostile.mutation import Mutator
from tests.hostile.verdicts import finding
from tests.storage.fake_disk import FakeDisk

CALLS_PER_LIFE = 2_000
LIFE_SECONDS_MAX = 800.0
_SEGMENT_BYTES = 2 * 1024 * 1024
_BY_LIBFUZZER = 0.2
_AFRESH = 0.1


class RuleBroken(Exception):
    """A call ended as none may; libFuzzer keeps its input."""


class Target:
    """What libFuzzer calls: one server after the other, each for a number of calls."""

    def __init__(self) -> None:
        self._calls = 0
        self._good = [
            bytes((number,)) + raw
            for path, raw in good_messages()
            for number, method in enumerate(METHODS)
            if method.path == path
        ]
        self._begin()

    def call(self, data: bytes) -> None:
        """Make the call that an input is; raise RuleBroken where its end is none."""
        if not data:
            return
        self._calls += 1
        if self._calls % CALLS_PER_LIFE == 0 or self._loop.time() > LIFE_SECONDS_MAX:
            self._engine.writer.state.check_invariants()
            self._loop.close()
            self._begin()
        case = Case(METHODS[data[0] % len(METHODS)], (data[1:],), (), 1.0)
        ending = self._loop.run_until_complete(
            self._surface.call(case.method, case.raws, case.metadata, case.seconds)
        )
        what = finding(ending, inner_errors(case, ending))
        if what or self._engine.failed.done():
            raise RuleBroken(f"{case}: {what or 'the engine failed'}")

    def mutate(self, data: bytes, size_bytes_max: int, seed: int) -> bytes:
        """Return another input, made from one."""
        random = Random(seed)
        if not data or random.random() < _AFRESH:
            data = random.choice(self._good)
        if random.random() < _BY_LIBFUZZER:
            mutated: bytes = atheris.Mutate(data[1:], max(1, size_bytes_max - 1))
            return data[:1] + mutated
        method = METHODS[data[0] % len(METHODS)]
        message = parsed(method, data[1:])
        Mutator(random).changed(message, random.choice((1, 2, 4)))
        changed = data[:1] + message.SerializeToString()
        return changed if len(changed) <= size_bytes_max else data

    def _begin(self) -> None:
        clock = VirtualClock()
        disk = FakeDisk()
        self._loop = VirtualLoop(clock)
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._start(clock, disk))

    async def _start(self, clock: VirtualClock, disk: FakeDisk) -> None:
        self._engine = start_engine(
            replace(SMALL, limits=LIMITS, segment_size_bytes=_SEGMENT_BYTES),
            clock=clock,
            disk=disk,
            random_bytes=Random(1).randbytes,
            beside=partial(run_inside, disk),
        )
        self._surface = Surface(self._engine)
        await open_shop(self._surface)


def main() -> None:
    """Hand the target over to libFuzzer."""
    quiet()
    target = Target()
    atheris.Setup(sys.argv, target.call, custom_mutator=target.mutate)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
