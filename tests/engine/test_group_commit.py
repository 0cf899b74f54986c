"""The queue of the writer: many calls become one group, in order, or are refused at once."""

import asyncio

import pytest

from domgrpc.core.answers import Answer
from domgrpc.core.listings import PositionView, get_position
from domgrpc.core.machine import Request
from domgrpc.core.rejections import Reason, Rejected
from domgrpc.core.reservations import Reservation
from domgrpc.core.state import State
from domgrpc.core.values import ClientId, LocationId, Sku, TimeMs
from domgrpc.engine.admission import Ticket
from domgrpc.engine.calls import Busy, CallFailed, Reading, Step, Stopped
from domgrpc.engine.engine import Engine
from tests.core.commands import place
from tests.engine.rooms import Room, as_bytes, ask, send, state_digest
from tests.engine.tea_shop import TEA, holds, open_shop


def tea_at_north(state: State, now_ms: TimeMs) -> PositionView:
    return get_position(state, Sku("tea"), LocationId("north"), now_ms)


def broken(state: State, _now_ms: TimeMs) -> int:
    return len(state.network.locations.by_index) // 0


async def gather(engine: Engine, requests: list[Request]) -> list[Answer]:
    return list(await asyncio.gather(*(engine.submit(request) for request in requests)))


def test_calls_that_wait_together_become_one_frame_in_the_order_of_the_calls() -> None:
    room = Room()
    room.live(open_shop)
    frames_before = len(room.frames())
    answers = room.live(lambda engine: gather(engine, holds(500)))
    assert [answer.revision for answer in answers] == list(range(3, 503))
    assert len(room.frames()) == frames_before + 1
    assert room.frames()[-1].count == 500
    assert [record.request_id for record in room.records()[2:]] == [
        request.request_id for request in holds(500)
    ]


def test_calls_that_come_one_after_the_other_get_a_frame_each() -> None:
    room = Room()
    room.live(open_shop)
    frames_before = len(room.frames())

    async def one_by_one(engine: Engine) -> None:
        for request in holds(5):
            await engine.submit(request)

    room.live(one_by_one)
    assert len(room.frames()) == frames_before + 5


def test_a_turn_reads_the_clock_once_and_stamps_all_its_records_alike() -> None:
    room = Room()

    async def many_places(engine: Engine) -> int:
        requests = [ask(place(f"p{number}"), f"r{number}") for number in range(100)]
        reads_before = room.clock.wall_reads
        await gather(engine, requests)
        return room.clock.wall_reads - reads_before

    assert room.live(many_places) == 1
    assert len({record.time_ms for record in room.records()}) == 1


def test_two_calls_with_one_request_id_in_one_turn_act_once() -> None:
    room = Room()

    async def twins(engine: Engine) -> list[Answer]:
        await open_shop(engine)
        return await gather(engine, [ask(TEA, "twin"), ask(TEA, "twin")])

    first, second = room.live(twins)
    assert as_bytes(first) == as_bytes(second)
    assert [first.replayed, second.replayed] == [False, True]
    assert len(room.records()) == 3


def test_each_step_sees_what_the_steps_before_it_did() -> None:
    async def mixed(engine: Engine) -> list[object]:
        await open_shop(engine)
        steps: list[Step] = [
            tea_at_north,
            ask(TEA, "one"),
            tea_at_north,
            ask(TEA, "two"),
            tea_at_north,
        ]
        return list(await engine.execute(steps))

    found = Room().live(mixed)
    reserved = [each.value.soft_reserved for each in found if isinstance(each, Reading)]
    assert reserved == [0, 1, 2]
    revisions = [each.revision for each in found if isinstance(each, (Reading, Answer))]
    assert revisions == [2, 3, 3, 4, 4]


def test_an_execute_of_nothing_is_answered_with_nothing() -> None:
    assert Room().live(lambda engine: engine.execute([])) == []


def test_a_query_that_is_refused_or_broken_fails_alone() -> None:
    def unknown(state: State, now_ms: TimeMs) -> PositionView:
        return get_position(state, Sku("mug"), LocationId("north"), now_ms)

    async def mixed(engine: Engine) -> list[object]:
        await open_shop(engine)
        steps: list[Step] = [ask(TEA, "one"), unknown, broken, ask(TEA, "two")]
        found: list[object] = list(await engine.execute(steps))
        assert not engine.failed.done()
        return found

    room = Room()
    first, refused, failed, second = room.live(mixed)
    assert isinstance(first, Answer)
    assert isinstance(refused, Rejected)
    assert refused.rejection.reason is Reason.POSITION_NOT_FOUND
    assert isinstance(failed, CallFailed)
    assert isinstance(second, Answer)
    assert len(room.records()) == 4


def test_a_broken_query_alone_fails_its_reader_and_nobody_else() -> None:
    async def read_twice(engine: Engine) -> int:
        await open_shop(engine)
        with pytest.raises(ZeroDivisionError):
            await engine.read(broken)
        assert not engine.failed.done()
        return (await engine.read(tea_at_north)).value.on_hand

    assert Room().live(read_twice) == 1_000


def test_a_call_that_is_cancelled_before_its_turn_is_not_started() -> None:
    room = Room()

    async def give_up(engine: Engine) -> str:
        await open_shop(engine)
        calls = [asyncio.ensure_future(engine.submit(request)) for request in holds(3)]
        await asyncio.sleep(0)
        calls[1].cancel()
        done = await asyncio.gather(*calls, return_exceptions=True)
        assert isinstance(done[1], asyncio.CancelledError)
        assert isinstance(done[2], Answer)
        return state_digest(engine)

    room.live(give_up)
    assert [record.request_id for record in room.records()[2:]] == ["hold-0", "hold-2"]


def test_a_call_that_is_cancelled_after_its_turn_is_answered_to_its_retry() -> None:
    room = Room()

    async def give_up(engine: Engine) -> Answer:
        await open_shop(engine)
        committed = asyncio.Event()
        engine.writer.committer.on_commit.append(committed.set)
        call = asyncio.ensure_future(engine.submit(ask(TEA, "late")))
        await committed.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        return await engine.submit(ask(TEA, "late"))

    answer = room.live(give_up)
    assert isinstance(answer.outcome, Reservation)
    assert len(room.records()) == 3


def test_a_full_queue_refuses_at_once_and_changes_nothing() -> None:
    room = Room(queue_max=10)

    async def crowd(engine: Engine) -> list[object]:
        await open_shop(engine)
        calls = (
            engine.submit(request, Ticket(ClientId(f"till-{number}")))
            for number, request in enumerate(holds(15))
        )
        return list(await asyncio.gather(*calls, return_exceptions=True))

    found = room.live(crowd)
    assert all(isinstance(each, Answer) for each in found[:10])
    assert all(isinstance(each, Busy) for each in found[10:])
    assert len(room.records()) == 2 + 10


def test_a_queue_takes_calls_again_after_its_turn() -> None:
    async def waves(engine: Engine) -> int:
        await open_shop(engine)
        for wave in range(3):
            requests = [ask(TEA, f"{wave}-{number}") for number in range(8)]
            await gather(engine, requests)
        return engine.revision

    assert Room(queue_max=10).live(waves) == 26


def test_a_message_longer_than_the_queue_is_taken_when_nothing_waits_and_else_refused() -> None:
    async def long_ones(engine: Engine) -> list[object]:
        await open_shop(engine)
        first, second = (holds(25), [ask(TEA, f"more-{number}") for number in range(25)])
        calls = (engine.execute(first), engine.execute(second))
        return list(await asyncio.gather(*calls, return_exceptions=True))

    first, second = Room(queue_max=10).live(long_ones)
    assert isinstance(first, list)
    assert isinstance(second, Busy)


def test_closing_answers_what_waits_and_refuses_what_comes_after() -> None:
    room = Room()

    async def close_on_them(engine: Engine) -> list[object]:
        await open_shop(engine)
        calls = [asyncio.ensure_future(engine.submit(request)) for request in holds(5)]
        await asyncio.sleep(0)
        await engine.close()
        return list(await asyncio.gather(*calls, return_exceptions=True))

    found = room.live(close_on_them)
    assert all(isinstance(each, Answer) for each in found)
    assert len(room.records()) == 2 + 5


def test_a_closed_engine_refuses_commands_and_reads() -> None:
    async def too_late(engine: Engine) -> None:
        await open_shop(engine)
        await engine.close()
        with pytest.raises(Stopped):
            await engine.submit(ask(TEA, "late"))
        with pytest.raises(Stopped):
            await engine.execute([tea_at_north])
        with pytest.raises(Stopped):
            await engine.read(tea_at_north)

    Room().live(too_late)


def test_closing_twice_is_the_same_as_once() -> None:
    async def close_twice(engine: Engine) -> None:
        await engine.close()
        await engine.close()

    Room().live(close_twice)


def test_closing_leaves_no_file_open_and_gives_the_folder_free() -> None:
    room = Room()

    async def close(engine: Engine) -> tuple[int, bool]:
        await send(engine, place("north"))
        await engine.close()
        return room.disk.open_handles(), room.disk.locked

    assert room.live(close) == (0, False)


def test_an_orderly_end_leaves_a_sealed_log() -> None:
    room = Room()

    async def close(engine: Engine) -> None:
        await send(engine, place("north"))
        await engine.close()

    async def recovered(engine: Engine) -> str:
        return engine.status().recovery_summary

    room.live(close)
    room.cut_power()
    assert "1 later records, 0 torn bytes cut" in room.live(recovered)
