"""What a turn does when it becomes long or the disk becomes full in its middle."""

import asyncio

import pytest

from domgrpc.core.answers import Answer
from domgrpc.core.machine import Request
from domgrpc.engine.calls import DiskFullRefusal
from domgrpc.engine.committing import GROUP_BYTES_MAX
from domgrpc.engine.engine import Engine
from tests.core.commands import count, on_hand, place, reserve, stock
from tests.engine.rooms import Room, ask, given
from tests.storage.fake_disk import FakeDisk

MEGABYTE = 1024 * 1024
SEGMENT_BYTES = 32 * MEGABYTE
"""The smallest that a setting allows: nothing here is smaller than in production."""
ROW_COUNT = 5_000


def large(number: int) -> Request:
    """Make a command whose record takes about half a megabyte."""
    rows = (count(f"{row:0100}", "north", number + 1) for row in range(ROW_COUNT))
    return ask(stock(*rows), f"large-{number}")


@pytest.mark.slow
def test_a_disk_that_fills_in_the_middle_of_a_turn_refuses_the_rest_of_it() -> None:
    room = Room(
        disk=FakeDisk(capacity_bytes=SEGMENT_BYTES + MEGABYTE), segment_size_bytes=SEGMENT_BYTES
    )

    async def fill(engine: Engine) -> list[object]:
        await given(engine, place("north"))
        return list(await engine.execute([large(number) for number in range(60)]))

    results = room.live(fill)
    kinds = [type(result) for result in results]
    done = kinds.count(Answer)
    assert 0 < done < 60
    assert kinds == [Answer] * done + [DiskFullRefusal] * (60 - done)
    # What was answered is there, and the server still works.
    assert len(room.records()) == 1 + done
    assert max(len(frame.payload) for frame in room.frames()) < GROUP_BYTES_MAX + MEGABYTE


@pytest.mark.slow
def test_reads_see_holds_end_on_a_full_disk_too() -> None:
    room = Room(
        disk=FakeDisk(capacity_bytes=SEGMENT_BYTES + MEGABYTE), segment_size_bytes=SEGMENT_BYTES
    )

    async def fill_and_wait(engine: Engine) -> int:
        await given(engine, place("north"), on_hand("tea", north=1))
        await given(engine, reserve(("tea", "north", 1), ttl_ms=60_000))
        await engine.execute([large(number) for number in range(60)])
        room.clock.pass_until(room.clock.wall_ms() + 60_000)
        reading = await engine.read(lambda state, _: len(state.reservations.deadlines))
        return reading.value

    assert room.live(fill_and_wait) == 0


def test_a_long_turn_lets_others_have_theirs_in_between() -> None:
    room = Room()
    seconds_per_call = 0.02

    async def crowd(engine: Engine) -> list[str]:
        await given(engine, place("north"))
        order: list[str] = []

        def slow(_state: object, _now_ms: object) -> None:
            room.clock.now_seconds += seconds_per_call

        async def call(number: int) -> None:
            await engine.execute([slow])
            order.append(f"call {number}")

        calls = [asyncio.ensure_future(call(number)) for number in range(9)]
        while not all(each.done() for each in calls):
            await asyncio.sleep(0.000_1)
            order.append("somebody else")
        return order

    order = room.live(crowd)
    first = order.index("somebody else", order.index("call 0"))
    assert [each for each in order if each != "somebody else"] == [f"call {n}" for n in range(9)]
    assert "call 8" in order[first:], "all nine were run in one turn"
