"""The disk is full, fails, or is slow to come back: nothing acknowledged is lost, nothing lies."""

import asyncio

import pytest

from domgrpc.core.answers import Answer
from domgrpc.core.listings import get_position
from domgrpc.core.machine import Request
from domgrpc.core.rejections import Rejection
from domgrpc.core.state import State
from domgrpc.core.values import LocationId, Sku, TimeMs
from domgrpc.engine.calls import CallFailed, DiskFullRefusal, Reading, Stopped
from domgrpc.engine.engine import Engine
from domgrpc.storage.errors import DiskFull, StorageError, StorageFault
from tests.core.commands import on_hand, place, reserve
from tests.engine.rooms import SEGMENT_BYTES, Room, as_bytes, ask, given, state_digest
from tests.storage.fake_disk import Fault

HOLD = reserve(("tea", "north", 1))
A_WHILE_SECONDS = 2.0


def on_hand_at_north(state: State, now_ms: TimeMs) -> int:
    return get_position(state, Sku("tea"), LocationId("north"), now_ms).on_hand


async def open_shop(engine: Engine) -> None:
    await given(engine, place("north"), on_hand("tea", north=1_000))


def fill_up(room: Room) -> None:
    room.disk.capacity_bytes -= room.disk.free_bytes()


async def hold_until_refused(engine: Engine) -> list[Request]:
    """Hold until the disk is full; return the requests that were answered."""
    answered: list[Request] = []
    for number in range(100):
        request = ask(HOLD, f"hold-{number}")
        try:
            await engine.submit(request)
        except DiskFullRefusal:
            return answered
        answered.append(request)
    pytest.fail("the disk never became full")


# --- full


def test_a_full_disk_refuses_writes_answers_reads_and_goes_on_when_space_returns() -> None:
    room = Room()

    async def through_it(engine: Engine) -> list[bytes]:
        await open_shop(engine)
        fill_up(room)
        answered = await hold_until_refused(engine)
        digest = state_digest(engine)
        with pytest.raises(DiskFullRefusal):
            await engine.submit(ask(HOLD, "refused"))
        assert (await engine.read(on_hand_at_north)).value == 1_000
        (found,) = await engine.execute([on_hand_at_north])
        assert isinstance(found, Reading)
        assert state_digest(engine) == digest
        assert not engine.failed.done()
        room.disk.capacity_bytes += 10 * SEGMENT_BYTES
        await asyncio.sleep(A_WHILE_SECONDS)
        answers = [await engine.submit(request) for request in (*answered, ask(HOLD, "refused"))]
        assert [answer.replayed for answer in answers] == [True] * len(answered) + [False]
        return [as_bytes(answer) for answer in answers]

    answers = room.live(through_it)
    room.cut_power()

    async def again(engine: Engine) -> list[bytes]:
        names = [*(f"hold-{number}" for number in range(len(answers) - 1)), "refused"]
        return [as_bytes(await engine.submit(ask(HOLD, name))) for name in names]

    assert room.live(again) == answers


def test_writes_are_taken_again_without_a_restart_even_where_no_timer_ran() -> None:
    room = Room()

    async def through_it(engine: Engine) -> Answer:
        await open_shop(engine)
        fill_up(room)
        await hold_until_refused(engine)
        room.disk.capacity_bytes += 10 * SEGMENT_BYTES
        room.clock.now_seconds += A_WHILE_SECONDS
        return await engine.submit(ask(HOLD, "later"))

    assert not isinstance(room.live(through_it).outcome, Rejection)


def test_on_a_full_disk_an_execute_with_a_command_in_it_is_refused_as_a_whole() -> None:
    room = Room()

    async def mixed(engine: Engine) -> None:
        await open_shop(engine)
        fill_up(room)
        await hold_until_refused(engine)
        with pytest.raises(DiskFullRefusal):
            await engine.execute([on_hand_at_north, ask(HOLD, "mixed")])

    room.live(mixed)


def test_a_server_starts_and_reads_on_a_full_disk() -> None:
    room = Room()

    async def fill_it(engine: Engine) -> str:
        await open_shop(engine)
        fill_up(room)
        await hold_until_refused(engine)
        return state_digest(engine)

    digest = room.live(fill_it)
    room.cut_power()
    fill_up(room)

    async def look(engine: Engine) -> str:
        assert (await engine.read(on_hand_at_north)).value == 1_000
        with pytest.raises(DiskFullRefusal):
            await engine.submit(ask(HOLD, "refused"))
        return state_digest(engine)

    assert room.live(look) == digest


def test_a_disk_without_room_for_the_first_segment_refuses_the_start() -> None:
    room = Room()
    room.disk.capacity_bytes = SEGMENT_BYTES // 2
    with pytest.raises(DiskFull):
        room.live(open_shop)
    assert not room.disk.locked


def test_a_snapshot_for_which_there_is_no_room_is_refused_and_the_server_goes_on() -> None:
    room = Room()

    async def snapshot(engine: Engine) -> int:
        await open_shop(engine)
        await engine.create_snapshot("first")
        await given(engine, HOLD)
        engine.writer.rotate()
        fill_up(room)
        with pytest.raises((DiskFullRefusal, DiskFull)):
            await engine.create_snapshot("second")
        assert engine.status().snapshot_revision == 2
        room.disk.capacity_bytes += 10 * SEGMENT_BYTES
        await asyncio.sleep(A_WHILE_SECONDS)
        return (await engine.create_snapshot("second")).revision

    assert room.live(snapshot) == 3
    assert not [name for name in room.disk.list_names() if name.endswith(".tmp")]


# --- failing


@pytest.mark.parametrize(
    ("operation", "error"),
    [
        ("fdatasync", StorageFault("no sync")),
        ("pwrite", StorageFault("no write")),
        # Some file systems need space even to write over what is there.
        ("pwrite", DiskFull("no space to write over zeros")),
    ],
)
@pytest.mark.parametrize("seed", range(3))
def test_a_group_that_cannot_be_made_durable_ends_the_engine_and_answers_nobody(
    operation: str, error: StorageError, seed: int
) -> None:
    room = Room()
    room.live(open_shop)
    digest_before = room.live(settled_digest)

    async def fail(engine: Engine) -> None:
        await asyncio.sleep(1)
        room.disk.faults.append(Fault(operation, error, written_bytes=512))
        calls = [engine.submit(ask(HOLD, f"hold-{number}")) for number in range(3)]
        for found in await asyncio.gather(*calls, return_exceptions=True):
            assert isinstance(found, Stopped)
        assert await engine.failed is error
        with pytest.raises(Stopped):
            await engine.read(on_hand_at_north)
        with pytest.raises(Stopped):
            await engine.submit(ask(HOLD, "later"))
        await engine.close()

    room.live(fail)
    room.cut_power(seed)
    assert room.live(settled_digest) == digest_before


async def settled_digest(engine: Engine) -> str:
    """Return the digest; that anything can be told at all is part of the promise."""
    await asyncio.sleep(0)
    return state_digest(engine)


@pytest.mark.parametrize("operation", ["create", "pwrite", "fdatasync", "rename"])
def test_a_fault_while_room_is_made_for_a_turn_ends_the_engine_too(operation: str) -> None:
    room = Room()
    room.live(open_shop)

    async def fail(engine: Engine) -> None:
        # The spare is used up: the turn itself has to make the next one.
        engine.writer.rotate()
        room.disk.faults.append(Fault(operation, StorageFault("no segment")))
        calls = [engine.submit(ask(HOLD, f"hold-{number}")) for number in range(3)]
        for found in await asyncio.gather(*calls, return_exceptions=True):
            assert isinstance(found, Stopped)
        assert engine.failed.done()

    room.live(fail)
    assert len(room.records()) == 2


def test_after_a_failed_sync_no_further_sync_is_tried() -> None:
    room = Room()

    async def fail(engine: Engine) -> int:
        await open_shop(engine)
        await asyncio.sleep(1)
        room.disk.faults.append(Fault("fdatasync", StorageFault("no sync")))
        with pytest.raises(Stopped):
            await engine.submit(ask(HOLD, "lost"))
        operations = room.disk.operations
        await asyncio.sleep(30)
        await engine.close()
        return room.disk.operations - operations

    assert room.live(fail) == 0


def test_calls_in_the_queue_are_told_when_the_engine_fails() -> None:
    room = Room()

    async def fail(engine: Engine) -> None:
        await open_shop(engine)
        calls = [asyncio.ensure_future(engine.submit(ask(HOLD, f"h{n}"))) for n in range(3)]
        await asyncio.sleep(0)
        engine.writer.fail(StorageFault("told to"))
        for found in await asyncio.gather(*calls, return_exceptions=True):
            assert isinstance(found, Stopped)

    room.live(fail)
    assert len(room.records()) == 2


def test_the_first_fault_is_the_one_that_is_told() -> None:
    async def fail_twice(engine: Engine) -> str:
        engine.writer.fail(StorageFault("first"))
        engine.writer.fail(StorageFault("second"))
        return str(await engine.failed)

    assert Room().live(fail_twice) == "first"


def test_what_breaks_while_a_command_is_decided_fails_its_caller_only() -> None:
    # No command of ours is like this; a bug of ours would be.
    room = Room()
    nonsense = Request("no command", "web", "n", 0)  # type: ignore[arg-type]

    async def break_it(engine: Engine) -> None:
        await open_shop(engine)
        calls = [engine.submit(nonsense), engine.submit(ask(HOLD, "after"))]
        found = await asyncio.gather(*calls, return_exceptions=True)
        assert isinstance(found[0], CallFailed)
        assert isinstance(found[1], Answer)
        assert not engine.failed.done()

    room.live(break_it)
    assert len(room.records()) == 3
