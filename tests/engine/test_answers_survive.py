"""Whatever was answered is there after a kill or a power cut, and is answered the same again."""

import asyncio
from typing import get_args

import msgspec
import pytest

from domgrpc.core.answers import Answer, Outcome
from domgrpc.core.dispatch import DECIDE
from domgrpc.core.rejections import Reason, Rejection
from domgrpc.core.values import Limits
from domgrpc.engine.calls import Stopped
from domgrpc.engine.engine import Engine
from domgrpc.storage.errors import StorageFault
from tests.core.commands import on_hand, place, reserve
from tests.engine.every_command import EVERY_COMMAND, GOODS, PLACES
from tests.engine.rooms import Room, as_bytes, ask, given, send, state_digest
from tests.storage.fake_disk import Fault

REQUESTS = [ask(command, f"r{number}") for number, command in enumerate(EVERY_COMMAND)]
SHOP = (*PLACES, *GOODS)


async def whole_day(engine: Engine) -> tuple[list[bytes], str]:
    answers = await send(engine, *EVERY_COMMAND)
    return [as_bytes(answer) for answer in answers], state_digest(engine)


async def repeated(engine: Engine) -> tuple[list[bytes], str, list[bool]]:
    """Send everything again; nothing may act, or the digest says so."""
    before = state_digest(engine)
    answers = await send(engine, *EVERY_COMMAND)
    assert state_digest(engine) == before
    return [as_bytes(answer) for answer in answers], before, [a.replayed for a in answers]


def test_the_day_has_every_kind_of_command_and_of_answer() -> None:
    answers = Room().live(lambda engine: send(engine, *EVERY_COMMAND))
    assert {type(command) for command in EVERY_COMMAND} == DECIDE.keys()
    assert {type(answer.outcome) for answer in answers} == set(get_args(Outcome))


@pytest.mark.parametrize("seed", range(4))
def test_after_a_power_cut_the_state_and_every_answer_are_the_same(seed: int) -> None:
    room = Room()
    answers, digest = room.live(whole_day)
    room.cut_power(seed)
    again, digest_again, replayed = room.live(repeated)
    assert (again, digest_again) == (answers, digest)
    assert all(replayed)


def test_ten_restarts_later_the_state_and_every_answer_are_the_same() -> None:
    room = Room()
    answers, digest = room.live(whole_day)
    for seed in range(10):
        room.cut_power(seed)
        again, digest_again, _ = room.live(repeated)
        assert (again, digest_again) == (answers, digest)


@pytest.mark.parametrize("place_of_snapshot", range(0, len(REQUESTS), 6))
def test_a_snapshot_in_between_changes_nothing(place_of_snapshot: int) -> None:
    room = Room()

    async def day_with_snapshots(engine: Engine) -> list[bytes]:
        answers = await send(engine, *EVERY_COMMAND[:place_of_snapshot])
        await engine.create_snapshot("first")
        rest = EVERY_COMMAND[place_of_snapshot:]
        answers += await send(engine, *rest[:3], first=place_of_snapshot)
        await engine.create_snapshot("second")
        answers += await send(engine, *rest[3:], first=place_of_snapshot + 3)
        return [as_bytes(answer) for answer in answers]

    plain = Room()
    answers, digest = plain.live(whole_day)
    assert room.live(day_with_snapshots) == answers
    room.cut_power()
    again, digest_again, _ = room.live(repeated)
    assert (again, digest_again) == (answers, digest)


def test_an_execute_survives_like_single_calls() -> None:
    room = Room()

    async def at_once(engine: Engine) -> list[bytes]:
        return [as_bytes(answer) for answer in await engine.execute(REQUESTS)]

    answers = room.live(at_once)
    single, _ = Room().live(whole_day)
    assert answers == single
    room.cut_power()
    again, _, replayed = room.live(repeated)
    assert again == answers
    assert all(replayed)


def test_a_kept_request_id_with_other_content_is_still_refused_after_a_restart() -> None:
    room = Room()
    room.live(lambda engine: given(engine, place("north")))
    room.cut_power()

    async def reuse(engine: Engine) -> Answer:
        return await engine.submit(ask(place("south"), "given-0-0"))

    outcome = room.live(reuse).outcome
    assert isinstance(outcome, Rejection)
    assert outcome.reason is Reason.REQUEST_ID_REUSED


def test_a_refusal_that_may_be_overcome_is_no_answer_to_a_retry() -> None:
    room = Room(limits=Limits(held_per_client_max=1))

    async def two_holds(engine: Engine) -> Answer:
        await given(engine, place("north"), on_hand("tea", north=9), reserve(("tea", "north", 1)))
        return await engine.submit(ask(reserve(("tea", "north", 1)), "second"))

    async def retry(engine: Engine) -> Answer:
        return await engine.submit(ask(reserve(("tea", "north", 1)), "second"))

    assert isinstance(room.live(two_holds).outcome, Rejection)
    room.clock.set_wall(room.clock.wall_ms() + 86_400_000)
    assert not isinstance(room.live(retry).outcome, Rejection)


def test_a_preview_leaves_no_trace() -> None:
    room = Room()

    async def preview(engine: Engine) -> tuple[str, str, int]:
        await given(engine, place("north"), on_hand("tea", north=9))
        before = state_digest(engine)
        hold = reserve(("tea", "north", 1))
        shown = await engine.submit(ask(hold, "p", validate_only=True))
        refused = await engine.submit(ask(reserve(("tea", "north", 99)), "p", validate_only=True))
        assert not isinstance(shown.outcome, Rejection)
        assert isinstance(refused.outcome, Rejection)
        return before, state_digest(engine), engine.revision

    before, after, revision = room.live(preview)
    assert (before, revision) == (after, 2)
    assert len(room.records()) == 2


# --- crashes in the middle


async def prepare(_: Engine) -> None:
    """Let the timers make the next segment, so that the next write is that of a group."""
    await asyncio.sleep(1)


async def hold_two(engine: Engine) -> list[bytes] | None:
    """Two holds in one message; None where the server failed meanwhile."""
    steps = [ask(reserve(("tea", "north", 1)), name) for name in ("x", "y")]
    try:
        return [as_bytes(answer) for answer in await engine.execute(steps)]
    except Stopped:
        return None


def crash_after(operations: int, seed: int) -> tuple[Room, bool]:
    """Cut the power at some disk operation of a group; say whether the group was answered."""
    room = Room()
    room.live(lambda engine: send(engine, *SHOP))

    async def crash(engine: Engine) -> bool:
        room.disk.power_cut_at = room.disk.operations + operations
        return await hold_two(engine) is not None

    answered = room.live(crash)
    room.cut_power(seed)
    return room, answered


@pytest.mark.parametrize("operations", range(1, 9))
@pytest.mark.parametrize("seed", range(5))
def test_a_group_that_a_power_cut_tore_is_there_as_a_whole_or_not_at_all(
    operations: int, seed: int
) -> None:
    room, answered = crash_after(operations, seed)
    before = len(SHOP)

    async def found(engine: Engine) -> int:
        return engine.revision - before

    kept = room.live(found)
    assert kept in (0, 2)
    assert kept == 2 or not answered


@pytest.mark.parametrize("operations", range(1, 9))
def test_a_retry_after_a_crash_acts_once(operations: int) -> None:
    room, _ = crash_after(operations, seed=operations)
    plain, _ = crash_after(99, seed=0)

    async def retry(engine: Engine) -> tuple[list[bytes] | None, str]:
        return await hold_two(engine), state_digest(engine)

    assert room.live(retry) == plain.live(retry)


def test_a_torn_frame_is_cut_off_and_the_next_group_takes_its_place() -> None:
    room = Room()
    room.live(lambda engine: send(engine, *SHOP))

    async def tear(engine: Engine) -> None:
        # The first write of a run is that of the manifest.
        half = Fault("pwrite", StorageFault("half of it"), skip=1, written_bytes=600)
        room.disk.faults.append(half)
        with pytest.raises(Stopped):
            await engine.submit(ask(place("west"), "torn"))

    async def go_on(engine: Engine) -> tuple[str, int]:
        (answer,) = await send(engine, place("west"), first=500)
        return engine.status().recovery_summary, answer.revision

    room.live(prepare)
    before = len(room.records())
    room.live(tear)
    summary, revision = room.live(go_on)
    assert "4096 torn bytes cut" in summary
    assert revision == before + 1
    assert [record.revision for record in room.records()] == [*range(1, before + 2)]


def test_requests_read_back_from_the_log_name_their_sender_and_time() -> None:
    room = Room()
    room.live(whole_day)
    by_request = {record.request_id: record for record in room.records() if record.request_id}
    assert list(by_request) == [request.request_id for request in REQUESTS]
    for request in REQUESTS:
        record = by_request[request.request_id]
        assert (record.client_id, record.fingerprint) == (request.client_id, request.fingerprint)


def test_the_fingerprint_tells_requests_of_other_content_apart() -> None:
    contents = {msgspec.msgpack.encode(command) for command in EVERY_COMMAND}
    assert len({request.fingerprint for request in REQUESTS}) == len(contents)
