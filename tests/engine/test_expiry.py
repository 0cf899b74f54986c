"""A hold is over at its deadline exactly, and time never runs backwards."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from domgrpc.core.answers import Answer
from domgrpc.core.claims import EXPIRED_PER_RECORD_MAX
from domgrpc.core.listings import get_position
from domgrpc.core.rejections import Reason, Rejection
from domgrpc.core.reservations import Reservation, ReservationExpired, ReservationState
from domgrpc.core.state import State
from domgrpc.core.values import LocationId, ReservationId, Sku, TimeMs
from domgrpc.engine.engine import Engine
from tests.core.commands import confirm, on_hand, place, reserve
from tests.engine.rooms import Room, ask, given, send
from tests.engine.virtual_time import NOON_MS

TTL_MS = 60_000
DEADLINE_MS = NOON_MS + TTL_MS
LAST_ONE = reserve(("tea", "north", 1), as_id="mine", ttl_ms=TTL_MS)
ANOTHER = reserve(("tea", "north", 1))
HOUR_MS = 3_600_000


async def hold_the_last(engine: Engine) -> None:
    await given(engine, place("north"), on_hand("tea", north=1), LAST_ONE)


def free(state: State, now_ms: TimeMs) -> int:
    return get_position(state, Sku("tea"), LocationId("north"), now_ms).available_to_fulfill


def mine(state: State, _now_ms: TimeMs) -> Reservation:
    return state.reservations.get(ReservationId("mine"))


async def taken_by_another(engine: Engine) -> bool:
    (answer,) = await send(engine, ANOTHER)
    if isinstance(answer.outcome, Rejection):
        assert answer.outcome.reason is Reason.INSUFFICIENT_STOCK
        return False
    return True


async def free_on_read(engine: Engine) -> bool:
    return (await engine.read(free)).value == 1


async def free_in_execute(engine: Engine) -> bool:
    (found,) = await engine.execute([free])
    assert not isinstance(found, (Answer, Exception))
    return bool(found.value == 1)


async def too_late_to_confirm(engine: Engine) -> bool:
    (answer,) = await send(engine, confirm("mine"))
    if isinstance(answer.outcome, Rejection):
        assert answer.outcome.reason is Reason.RESERVATION_EXPIRED
        return True
    return False


SIGNS_OF_EXPIRY: tuple[Callable[[Engine], Awaitable[bool]], ...] = (
    taken_by_another,
    free_on_read,
    free_in_execute,
    too_late_to_confirm,
)


@pytest.mark.parametrize("is_over", SIGNS_OF_EXPIRY)
@pytest.mark.parametrize(("wall_ms", "expected"), [(DEADLINE_MS - 1, False), (DEADLINE_MS, True)])
@pytest.mark.parametrize("restarted", [False, True])
def test_a_hold_is_over_at_its_deadline_and_not_a_millisecond_before(
    is_over: Callable[[Engine], Awaitable[bool]], wall_ms: int, *, expected: bool, restarted: bool
) -> None:
    # Time passes in which no timer could run.
    room = Room()

    async def both(engine: Engine) -> bool:
        await hold_the_last(engine)
        room.clock.pass_until(wall_ms)
        return await is_over(engine)

    if not restarted:
        assert room.live(both) is expected
        return
    room.live(hold_the_last)
    room.cut_power()
    room.clock.set_wall(wall_ms)
    assert room.live(is_over) is expected


@pytest.mark.parametrize("restarted", [False, True])
def test_the_timer_gives_back_on_the_dot_without_any_call(*, restarted: bool) -> None:
    room = Room()

    async def wait_for_it(engine: Engine) -> None:
        if not restarted:
            await hold_the_last(engine)
        wait_ms = DEADLINE_MS - room.clock.wall_ms()
        await asyncio.sleep((wait_ms - 1) / 1_000)
        assert engine.revision == 3
        await asyncio.sleep(0.0015)
        assert engine.revision == 4

    if restarted:
        room.live(hold_the_last)
    room.live(wait_for_it)
    last = room.records()[-1]
    assert isinstance(last.events[0], ReservationExpired)
    assert last.time_ms == DEADLINE_MS


def test_the_timer_follows_the_earliest_deadline_as_holds_come_and_go() -> None:
    room = Room()

    async def three(engine: Engine) -> None:
        await given(engine, place("north"), on_hand("tea", north=9))
        for seconds in (30, 10, 20):
            await given(engine, reserve(("tea", "north", 1), ttl_ms=seconds * 1_000))
        await given(engine, reserve(("tea", "north", 1), as_id="kept", ttl_ms=5_000))
        await given(engine, confirm("kept"))
        await asyncio.sleep(60)

    room.live(three)
    expired = [
        record.time_ms - NOON_MS
        for record in room.records()
        if isinstance(record.events[0], ReservationExpired)
    ]
    assert expired == [10_000, 20_000, 30_000]


def test_a_deadline_that_passed_while_the_server_was_down_is_kept_at_the_start() -> None:
    room = Room()
    room.live(hold_the_last)
    room.clock.set_wall(DEADLINE_MS + HOUR_MS)

    async def only_wait(engine: Engine) -> int:
        await asyncio.sleep(0.001)
        return engine.revision

    assert room.live(only_wait) == 4


def test_what_expired_stays_expired_after_a_restart() -> None:
    room = Room()
    room.live(hold_the_last)
    room.clock.set_wall(DEADLINE_MS)
    room.live(free_on_read)
    room.cut_power()
    room.clock.set_wall(NOON_MS)

    async def look(engine: Engine) -> tuple[ReservationState, int]:
        return (await engine.read(mine)).value.state, (await engine.read(free)).value

    assert room.live(look) == (ReservationState.EXPIRED, 1)


def test_all_holds_that_are_due_are_given_back_before_a_read_however_many() -> None:
    room = Room(segment_size_bytes=1 << 20)
    count = 2 * EXPIRED_PER_RECORD_MAX + 10

    async def crowd(engine: Engine) -> int:
        await given(engine, place("north"), on_hand("tea", north=count))
        hold = reserve(("tea", "north", 1), ttl_ms=TTL_MS)
        await engine.execute([ask(hold, f"crowd-{number}") for number in range(count)])
        room.clock.pass_until(DEADLINE_MS)
        return (await engine.read(free)).value

    assert room.live(crowd) == count


def test_time_in_the_log_never_falls_and_never_jumps_with_the_wall_clock() -> None:
    room = Room()

    async def before(engine: Engine) -> None:
        await given(engine, place("north"), on_hand("tea", north=5))
        room.clock.set_wall(NOON_MS + 2 * HOUR_MS)
        await given(engine, reserve(("tea", "north", 1), as_id="mine", ttl_ms=TTL_MS))
        room.clock.set_wall(NOON_MS)
        await given(engine, reserve(("tea", "north", 1)))

    async def after(engine: Engine) -> None:
        await given(engine, reserve(("tea", "north", 1)))

    room.live(before)
    room.clock.set_wall(NOON_MS - 10 * HOUR_MS)
    room.live(after)
    times = [record.time_ms for record in room.records()]
    assert times == sorted(times)
    assert times[-1] < NOON_MS + 1_000


@pytest.mark.parametrize("jump_ms", [-HOUR_MS, -20_000, 20_000, HOUR_MS, 50 * 365 * 24 * HOUR_MS])
def test_a_hold_lasts_its_time_within_a_tenth_wherever_the_wall_clock_jumps(jump_ms: int) -> None:
    room = Room()

    async def jump(engine: Engine) -> list[ReservationState]:
        await hold_the_last(engine)
        room.clock.set_wall(room.clock.wall_ms() + jump_ms)
        states = []
        for wait_seconds in (TTL_MS * 0.0009, TTL_MS * 0.0003):
            await asyncio.sleep(wait_seconds)
            states.append((await engine.read(mine)).value.state)
        return states

    assert room.live(jump) == [ReservationState.HELD, ReservationState.EXPIRED]


def test_a_wall_clock_that_was_set_is_followed_slowly() -> None:
    room = Room()

    async def follow(engine: Engine) -> int:
        await given(engine, place("north"), on_hand("tea", north=5))
        room.clock.set_wall(room.clock.wall_ms() + 10_000)
        for _ in range(120):
            await asyncio.sleep(1)
            await engine.read(free)
        return (await engine.read(free)).time_ms

    assert room.live(follow) == pytest.approx(room.clock.wall_ms(), abs=1_000)


def test_a_reader_is_never_told_an_earlier_time_than_the_reader_before() -> None:
    room = Room()

    async def look_twice(engine: Engine) -> list[TimeMs]:
        await given(engine, place("north"), on_hand("tea", north=5))
        times = []
        for wall_ms in (NOON_MS + 500, NOON_MS + 1_000, NOON_MS + 100, NOON_MS + 2_000):
            room.clock.set_wall(wall_ms)
            times.append((await engine.read(free)).time_ms)
        return times

    times = room.live(look_twice)
    assert times == sorted(times)
