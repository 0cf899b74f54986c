"""Lives of a server that is sent nothing but hostile calls, each on a disk and a clock of its own.

After a number of calls the server is dropped as by a kill and started again on what it wrote: what
hostile calls brought into the log must be recovered to the same state.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from functools import partial
from random import Random

import grpc
import msgspec
from google.rpc.status_pb2 import Status

from domgrpc.core.values import Limits
from domgrpc.engine.engine import Engine
from domgrpc.v1.pipeline_pb2 import ExecuteResponse
from tests.engine.rooms import Room, state_digest
from tests.hostile.cases import Case, Cases
from tests.hostile.good_messages import OPENING_COUNT, good_messages
from tests.hostile.surface import METHODS, Surface
from tests.hostile.verdicts import Ending, finding

CALLS_PER_LIFE = 2_000
_CALLS_AT_ONCE = 8
_CHECKED_EVERY = 25
_SEGMENT_BYTES = 2 * 1024 * 1024
_EXECUTE = next(method for method in METHODS if method.name == "Execute")
LIMITS = Limits(
    locations_max=300,
    groups_max=60,
    rules_max=60,
    rule_sets_max=60,
    skus_max=600,
    sources_max=20,
    held_per_client_max=300,
    reservations_max=1_000,
    finished_reservations_max=200,
    orders_max=400,
    finished_orders_max=100,
    kept_answers_max=1_000,
    remembered_deltas_max=500,
)
"""Small, so that the refusals at the limits are met too."""


class Found(msgspec.Struct, frozen=True):
    """Something that a call must not bring about, and the call."""

    life: int
    what: str
    case: str


class Tally(msgspec.Struct):
    """What was seen: how often each end, and what must not be."""

    executions: int = 0
    ends: Counter[str] = msgspec.field(default_factory=Counter)
    found: list[Found] = msgspec.field(default_factory=list)


class CallLife:
    """One life; see the module."""

    def __init__(self, seed: int, life: int, tally: Tally) -> None:
        self._life = life
        self._tally = tally
        self._cases = Cases(f"{seed}:{life}")
        self._random = Random(f"{seed}:{life}:time")

    def live(self, calls: int) -> None:
        """Make so many calls, and start again from what they left."""
        room = Room(limits=LIMITS, segment_size_bytes=_SEGMENT_BYTES)
        try:
            digest = room.live(partial(self._calls, room, calls))
            recovered = room.live(_digest_of)
        except Exception as fault:  # noqa: BLE001 - whatever it is, it is a finding
            self._note(f"the server broke: {type(fault).__name__}: {fault}", "a whole life")
            return
        if recovered != digest:
            self._note("another state after recovery", "a whole life")

    async def _calls(self, room: Room, calls: int, engine: Engine) -> str:
        surface = Surface(engine)
        await open_shop(surface)
        left = calls
        for turn in range(-(-calls // _CALLS_AT_ONCE)):
            cases = [self._cases.next() for _ in range(min(_CALLS_AT_ONCE, left))]
            left -= len(cases)
            endings = await asyncio.gather(
                *(
                    surface.call(each.method, each.raws, each.metadata, each.seconds)
                    for each in cases
                )
            )
            for case, ending in zip(cases, endings, strict=True):
                self._judge(case, ending)
            if engine.failed.done():
                fault = engine.failed.result()
                raise RuntimeError(f"the engine failed by {fault!r}, in calls {cases_made(cases)}")
            if turn % _CHECKED_EVERY == 0:
                engine.writer.state.check_invariants()
                room.clock.set_wall(room.clock.wall_ms() + self._random.choice((0, 1, 60_000)))
        engine.writer.state.check_invariants()
        return state_digest(engine)

    def _judge(self, case: Case, ending: Ending) -> None:
        self._tally.executions += 1
        self._tally.ends[ending.reason] += 1
        self._cases.learn(case, ending.reason)
        what = finding(ending, inner_errors(case, ending))
        if what:
            self._note(what, str(case))

    def _note(self, what: str, case: str) -> None:
        self._tally.found.append(Found(self._life, what, case))


def cases_made(cases: Sequence[Case]) -> str:
    """Return calls that were made at once, in few words."""
    return "; ".join(str(case) for case in cases)


def inner_errors(case: Case, ending: Ending) -> list[Status]:
    """Return the errors in an answer that holds many."""
    if case.method is not _EXECUTE:
        return []
    results = [each for raw in ending.answers for each in ExecuteResponse.FromString(raw).results]
    return [each.error for each in results if each.HasField("error")]


async def _digest_of(engine: Engine) -> str:
    return state_digest(engine)


async def open_shop(surface: Surface) -> None:
    """Make the places, the goods and the holds that most messages are about."""
    paths = {method.path: method for method in METHODS}
    for path, raw in good_messages()[:OPENING_COUNT]:
        ending = await surface.call(paths[path], [raw])
        assert ending.code is grpc.StatusCode.OK, (path, ending.message)
