"""A verification finds what differs, in memory or in a file, and nothing where nothing does."""

import asyncio

import msgspec
import pytest

from domgrpc.core.reservations import Reservation
from domgrpc.core.values import Quantity, ReservationId, Sku
from domgrpc.engine.engine import Engine
from domgrpc.engine.snapshots import VerifyReport
from domgrpc.storage.segment import list_segment_names
from domgrpc.storage.snapshot import list_snapshots
from tests.core.commands import adjust, stock
from tests.engine.every_command import EVERY_COMMAND
from tests.engine.rooms import Room, given, send
from tests.storage.fake_disk import FakeFile

HALF = len(EVERY_COMMAND) // 2


async def day(engine: Engine) -> None:
    """A day with two snapshots in it and records behind them."""
    await send(engine, *EVERY_COMMAND[:HALF])
    await engine.create_snapshot("one")
    await send(engine, *EVERY_COMMAND[HALF:-3], first=HALF)
    await engine.create_snapshot("two")
    await send(engine, *EVERY_COMMAND[-3:], first=len(EVERY_COMMAND) - 3)
    await asyncio.sleep(1)


async def verified(engine: Engine) -> VerifyReport:
    await day(engine)
    return await engine.verify()


def test_a_sound_engine_is_found_consistent() -> None:
    report = Room().live(verified)
    assert report.consistent
    assert report.findings == ()
    assert report.revision >= len(EVERY_COMMAND)
    assert report.frame_count > 3


def test_the_same_state_has_the_same_digest_after_a_restart() -> None:
    room = Room()
    before = room.live(verified)
    after = room.live(lambda engine: engine.verify())
    assert (after.state_digest, after.revision) == (before.state_digest, before.revision)


def test_calls_may_come_between_the_parts_of_a_verification() -> None:
    async def busy(engine: Engine) -> VerifyReport:
        await day(engine)
        verification = asyncio.ensure_future(engine.verify())
        count = 0
        while not verification.done():
            await given(engine, stock(adjust(f"new-{count}", "south", 1)))
            count += 1
        assert count > 5
        return await verification

    assert Room().live(busy).consistent


@pytest.mark.parametrize("column", ["on_hand", "soft_reserved", "allocated", "count_times_ms"])
def test_a_number_that_differs_in_memory_is_found(column: str) -> None:
    async def poke(engine: Engine) -> VerifyReport:
        await day(engine)
        tea = engine.writer.state.network.stock.find(Sku("tea"))
        getattr(tea, column)[0] += 1
        return await engine.verify()

    report = Room().live(poke)
    assert not report.consistent
    assert "differ in shard" in report.findings[0]


def test_a_reservation_that_differs_in_memory_is_found() -> None:
    async def poke(engine: Engine) -> VerifyReport:
        await day(engine)
        held: dict[ReservationId, Reservation] = engine.writer.state.reservations.by_id
        key = ReservationId("open")
        (line,) = held[key].lines
        more = msgspec.structs.replace(line, quantity=Quantity(2))
        held[key] = msgspec.structs.replace(held[key], lines=(more,))
        return await engine.verify()

    report = Room().live(poke)
    assert not report.consistent
    assert "what belongs to no shard" in report.findings[0]


def flip_durably(file: FakeFile, at_byte: int) -> None:
    file.current[at_byte] ^= 1
    file.durable[at_byte] ^= 1


@pytest.mark.parametrize("which", ["older snapshot", "newer snapshot", "older log", "newer log"])
def test_a_flipped_bit_in_a_file_is_found_and_the_file_named(which: str) -> None:
    room = Room()

    async def damaged(engine: Engine) -> tuple[str, VerifyReport]:
        await day(engine)
        age, kind = which.split()
        names = list_snapshots(room.disk) if kind == "snapshot" else list_segment_names(room.disk)
        assert len(names) >= 2
        name = names[0] if age == "older" else names[-1]
        flip_durably(room.disk.files[name], 4_200 if kind == "log" else 300)
        return name, await engine.verify()

    name, report = room.live(damaged)
    assert not report.consistent
    assert any(name in finding for finding in report.findings)


def test_a_missing_segment_is_found() -> None:
    room = Room()

    async def lost(engine: Engine) -> VerifyReport:
        await day(engine)
        names = list_segment_names(room.disk)
        del room.disk.files[names[0]]
        return await engine.verify()

    assert not room.live(lost).consistent


def test_a_verification_changes_nothing() -> None:
    room = Room()

    async def verify(engine: Engine) -> bool:
        await day(engine)
        before = room.disk.contents()
        await engine.verify()
        return room.disk.contents() == before

    assert room.live(verify)
