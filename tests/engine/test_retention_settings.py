"""A start with other settings of what is kept writes them down, and no start depends on them."""

import msgspec
import pytest

from domgrpc.config import InvalidSetting, Settings
from domgrpc.core.events import RetentionChanged
from domgrpc.core.values import Limits, ReservationId, Retention
from domgrpc.engine.engine import Engine
from domgrpc.storage.spare import SPARE_NAME
from tests.core.commands import confirm, on_hand, place, release, reserve
from tests.engine.rooms import SMALL, Room, given, state_digest
from tests.engine.virtual_time import VirtualClock
from tests.storage.fake_disk import FakeDisk

FEW = Limits(finished_reservations_max=1, kept_answers_max=2)
MINUTE_MS = 60_000


async def look(engine: Engine) -> tuple[int, str]:
    return engine.revision, state_digest(engine)


async def revive(engine: Engine) -> None:
    """Let r expire, others end, and r come back."""
    clock = engine.writer.clock
    assert isinstance(clock, VirtualClock)
    await given(engine, place("north"), on_hand("tea", north=9))
    await given(engine, reserve(("tea", "north", 1), as_id="r", ttl_ms=MINUTE_MS))
    clock.set_wall(engine.writer.now_ms() + MINUTE_MS)
    await given(engine, reserve(("tea", "north", 1), as_id="s"), release("s"))
    await given(engine, reserve(("tea", "north", 1), as_id="t"), release("t"))
    await given(engine, confirm("r", revive=True))


def changes(room: Room) -> list[Retention]:
    """Return what the log says of what is kept, in order."""
    return [
        event.retention
        for record in room.records()
        for event in record.events
        if isinstance(event, RetentionChanged)
    ]


def test_settings_that_are_the_usual_ones_write_nothing() -> None:
    room = Room()
    assert room.live(look)[0] == 0
    assert room.records() == []


def test_a_start_with_fewer_to_keep_recovers_first_and_forgets_then() -> None:
    room = Room()
    room.live(revive)
    revision, _ = room.live(look)
    room.settings = msgspec.structs.replace(room.settings, limits=FEW)

    async def kept(engine: Engine) -> tuple[bool, int]:
        state = engine.writer.state
        assert (await engine.verify()).consistent
        return ReservationId("r") in state.reservations.by_id, len(state.answers.by_key)

    assert room.live(kept) == (True, 2)
    assert changes(room) == [FEW.retention]
    assert room.live(look)[0] == revision + 1


@pytest.mark.parametrize("with_snapshot", [False, True])
def test_the_next_start_finds_the_same_state_and_a_third_the_settings_that_went_back(
    *, with_snapshot: bool
) -> None:
    room = Room(limits=FEW)

    async def day(engine: Engine) -> tuple[int, str]:
        await revive(engine)
        if with_snapshot:
            await engine.create_snapshot("one")
            await engine.create_snapshot("two")
        return await look(engine)

    before = room.live(day)
    assert room.live(look) == before
    room.settings = msgspec.structs.replace(room.settings, limits=Limits())
    assert room.live(look)[0] == before[0] + 1
    assert changes(room)[-1] == Retention()


def test_a_disk_without_room_starts_with_what_was_kept_before() -> None:
    room = Room()
    room.live(revive)
    revision, _ = room.live(look)
    room.settings = msgspec.structs.replace(room.settings, limits=FEW)
    files = room.disk.contents()
    room.disk = FakeDisk.holding({name: files[name] for name in files if name != SPARE_NAME})
    free_bytes = room.disk.free_bytes()
    room.disk.capacity_bytes -= free_bytes
    assert room.live(look)[0] == revision
    room.disk.capacity_bytes += free_bytes
    assert room.live(look)[0] == revision + 1


@pytest.mark.parametrize("name", list(msgspec.structs.asdict(Limits())))
@pytest.mark.parametrize("value", [0, -1, 10**12 + 1])
def test_a_limit_outside_its_range_is_refused_by_name(name: str, value: int) -> None:
    settings = Settings(data_dir=SMALL.data_dir, limits=Limits(**{name: value}))
    with pytest.raises(InvalidSetting, match=f"limits.{name} is {value}"):
        settings.check()
    Settings(data_dir=SMALL.data_dir, limits=Limits(**{name: 1})).check()
