"""A read waits for the revision that its caller has seen elsewhere, up to a time."""

import asyncio

import pytest

from domgrpc.core.state import State
from domgrpc.core.values import TimeMs
from domgrpc.engine.calls import Reading, RevisionNotReached, Stopped
from domgrpc.engine.engine import Engine
from tests.core.commands import place
from tests.engine.rooms import Room, send


def place_count(state: State, _now_ms: TimeMs) -> int:
    return len(state.network.locations.by_index)


def test_a_read_of_a_revision_that_is_there_waits_for_nothing() -> None:
    room = Room()

    async def look(engine: Engine) -> Reading[int]:
        await send(engine, place("a"), place("b"))
        return await engine.read(place_count, min_revision=2, wait_seconds=0.0)

    reading = room.live(look)
    assert (reading.revision, reading.value) == (2, 2)
    assert room.clock.now_seconds == 0.0


def test_a_read_waits_until_the_revision_is_reached() -> None:
    room = Room()

    async def look(engine: Engine) -> tuple[Reading[int], float]:
        waiting = asyncio.ensure_future(engine.read(place_count, min_revision=3))
        for number in range(3):
            await asyncio.sleep(1)
            assert not waiting.done()
            await send(engine, place(f"p{number}"), first=number)
        return await waiting, room.clock.now_seconds

    reading, seconds = room.live(look)
    assert (reading.revision, reading.value) == (3, 3)
    assert seconds == pytest.approx(3)


@pytest.mark.parametrize("wait_seconds", [0.0, 0.2, 12.0])
def test_a_revision_that_does_not_come_is_refused_after_the_wait(wait_seconds: float) -> None:
    room = Room()

    async def look(engine: Engine) -> RevisionNotReached:
        await send(engine, place("a"))
        with pytest.raises(RevisionNotReached) as caught:
            await engine.read(place_count, min_revision=9, wait_seconds=wait_seconds)
        return caught.value

    refusal = room.live(look)
    assert (refusal.revision, refusal.min_revision) == (1, 9)
    assert room.clock.now_seconds == pytest.approx(wait_seconds)


def test_waiting_readers_leave_nothing_behind_when_they_are_cancelled() -> None:
    async def look(engine: Engine) -> int:
        waiting = asyncio.ensure_future(engine.read(place_count, min_revision=9))
        await asyncio.sleep(0.1)
        assert engine.feed.waiting_count == 1
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        return engine.feed.waiting_count

    assert Room().live(look) == 0


def test_a_reader_that_waits_is_refused_when_the_engine_closes() -> None:
    room = Room()

    async def look(engine: Engine) -> float:
        waiting = asyncio.ensure_future(engine.read(place_count, min_revision=9, wait_seconds=60))
        await asyncio.sleep(1)
        await engine.close()
        with pytest.raises(Stopped):
            await waiting
        return room.clock.now_seconds

    assert room.live(look) == pytest.approx(1)
