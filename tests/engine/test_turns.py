"""What a turn does when it becomes long or the disk becomes full in its middle."""

import asyncio
import math

import pytest

from domgrpc.core.answers import Answer
from domgrpc.core.machine import Request
from domgrpc.engine.admission import Ticket
from domgrpc.engine.calls import Busy, DiskFullRefusal
from domgrpc.engine.committing import GROUP_BYTES_MAX
from domgrpc.engine.engine import Engine
from domgrpc.engine.gathering import Breath
from tests.core.commands import count, on_hand, place, reserve, stock
from tests.engine.rooms import Room, ask, given
from tests.engine.tea_shop import TEA, holds, open_shop
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


def test_between_long_turns_everything_that_arrives_is_let_in() -> None:
    room = Room()
    arriving_count = 30

    async def crowd(engine: Engine) -> list[str]:
        await given(engine, place("north"))
        order: list[str] = []
        begun = asyncio.Event()

        def slow(_state: object, _now_ms: object) -> None:
            order.append("slow")
            begun.set()
            room.clock.now_seconds += 0.06

        async def arrive() -> None:
            # One after the other, as gRPC hands calls over.
            for _ in range(arriving_count):
                engine.admission.arrived_count += 1
                order.append("arrived")
                await asyncio.sleep(0.000_5)

        calls = [asyncio.ensure_future(engine.execute([slow])) for _ in range(2)]
        await begun.wait()
        await asyncio.gather(arrive(), *calls)
        return order

    assert room.live(crowd) == ["slow", *["arrived"] * arriving_count, "slow"]


def test_calls_that_keep_arriving_put_the_next_turn_off_by_no_more_than_a_turn() -> None:
    breath = Breath(7, 0.0)
    assert sum(breath.goes_on(8 + number, 0.0, math.inf) for number in range(1_000)) == 50


def test_the_next_turn_begins_when_no_call_has_arrived_for_some_milliseconds() -> None:
    breath = Breath(7, 0.0)
    waits = [breath.goes_on(count, 0.0, math.inf) for count in (7, 7, 8, 8, 8)]
    assert waits == [True, True, True, True, False]


def test_the_next_turn_waits_for_a_quarter_of_the_time_that_somebody_has_left() -> None:
    breath = Breath(7, 1.0)
    waits = [breath.goes_on(8 + number, 1.0 + number / 1_000, 1.02) for number in range(8)]
    assert waits == [True] * 6 + [False] * 2


def test_what_a_long_queue_costs_between_its_turns_is_learnt_too() -> None:
    room = Room()

    async def crowd(engine: Engine) -> float:
        await given(engine, place("north"))

        def slow(_state: object, _now_ms: object) -> None:
            room.clock.now_seconds += 0.06 / 100

        async def pass_time() -> None:
            while not all(call.done() for call in calls):
                await asyncio.sleep(0)
                room.clock.now_seconds += 0.06

        calls = [asyncio.ensure_future(engine.execute([slow] * 100)) for _ in range(40)]
        await pass_time()
        return engine.admission.expected_seconds(100)

    assert room.live(crowd) > 0.1


def test_a_server_that_refuses_lets_in_what_waits_before_its_next_turn() -> None:
    room = Room()

    async def crowd(engine: Engine) -> list[str]:
        await open_shop(engine)
        order: list[str] = []

        async def call(number: int) -> None:
            await engine.submit(ask(TEA, f"call-{number}"))
            order.append("answered")

        async def arrive() -> None:
            for number in range(20):
                engine.admission.arrived_count += 1
                order.append("arrived")
                calls.append(asyncio.ensure_future(call(number)))
                await asyncio.sleep(0.001)

        calls: list[asyncio.Future[None]] = []
        for _ in range(50):
            late = Ticket(deadline_seconds=engine.seconds() + 1e-9)
            with pytest.raises(Busy):
                engine.admission.check_time(late, 1, engine.seconds())
        await arrive()
        await asyncio.gather(*calls)
        return order

    assert room.live(crowd) == ["arrived"] * 20 + ["answered"] * 20
    assert len(room.frames()) == 2


def test_a_turn_that_looks_whether_more_callers_come_waits_for_all_of_them() -> None:
    room = Room(commit_wait_ms_max=5.0)

    async def crowd(engine: Engine) -> int:
        await open_shop(engine)
        gathering = engine.writer._gathering  # noqa: SLF001 - what many single turns have led to
        for number in range(1_000):
            gathering.arrived(engine.seconds() + number / 1_000)
            gathering.ended(engine.seconds() + number / 1_000)
        before_count = len(room.frames())
        calls = []
        for number in range(5):
            calls.append(asyncio.ensure_future(engine.submit(ask(TEA, f"call-{number}"))))
            await asyncio.sleep(0.000_3)
        await asyncio.gather(*calls)
        return len(room.frames()) - before_count

    assert room.live(crowd) == 1


def test_a_call_that_others_made_too_late_is_not_started() -> None:
    room = Room(commit_wait_ms_max=5.0)

    async def crowd(engine: Engine) -> list[object]:
        await open_shop(engine)

        def slow(_state: object, _now_ms: object) -> None:
            room.clock.now_seconds += 0.04

        soon = Ticket(deadline_seconds=engine.seconds() + 0.041)
        requests = holds(100)
        calls = [
            asyncio.ensure_future(engine.execute([slow])),
            asyncio.ensure_future(engine.execute(requests, soon)),
        ]
        return list(await asyncio.gather(*calls, return_exceptions=True))

    _, late = room.live(crowd)
    assert isinstance(late, Busy)
    assert len(room.records()) == 2
