"""A verification finds what differs, in memory or in a file, and nothing where nothing does."""

import asyncio
from collections.abc import Callable

import msgspec
import pytest

from domgrpc.core.answers import KeptAnswers
from domgrpc.core.reservations import Reservation
from domgrpc.core.values import Quantity, ReservationId, Sku, TimeMs
from domgrpc.engine import dump
from domgrpc.engine.engine import Engine
from domgrpc.engine.snapshots import VerifyReport
from domgrpc.engine.snapshotting import writer_version
from domgrpc.storage.segment import list_segment_names
from domgrpc.storage.snapshot import (
    SnapshotWriter,
    list_snapshots,
    read_snapshot,
    snapshot_sequence,
)
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


def test_a_deadline_that_differs_in_memory_is_found() -> None:
    async def poke(engine: Engine) -> VerifyReport:
        await day(engine)
        deadlines = engine.writer.state.reservations.deadlines
        time_ms, key = deadlines.pop()
        deadlines.add((TimeMs(time_ms + 1), key))
        return await engine.verify()

    report = Room().live(poke)
    assert not report.consistent
    assert "what belongs to no shard" in report.findings[0]


def forget_the_oldest(answers: KeptAnswers) -> None:
    del answers.by_key[answers.order.popleft()]


def forget_the_newest(answers: KeptAnswers) -> None:
    del answers.by_key[answers.order.pop()]


def change_one(answers: KeptAnswers) -> None:
    key = answers.order[len(answers.order) // 2]
    kept = answers.by_key[key]
    answers.by_key[key] = msgspec.structs.replace(kept, fingerprint=kept.fingerprint ^ 1)


def keep_one_more(answers: KeptAnswers) -> None:
    answers.keep("web unheard-of", answers.by_key[answers.order[-1]])


@pytest.mark.parametrize("answers_per_part", [1, 7, 1_000])
@pytest.mark.parametrize(
    "damage", [forget_the_oldest, forget_the_newest, change_one, keep_one_more]
)
def test_a_kept_answer_that_differs_in_memory_is_found(
    monkeypatch: pytest.MonkeyPatch, answers_per_part: int, damage: Callable[[KeptAnswers], None]
) -> None:
    monkeypatch.setattr(dump, "ANSWERS_PER_PART", answers_per_part)

    async def poke(engine: Engine) -> VerifyReport:
        await day(engine)
        damage(engine.writer.state.answers)
        return await engine.verify()

    report = Room().live(poke)
    assert not report.consistent
    assert "kept answers" in report.findings[0]


@pytest.mark.parametrize(
    ("version", "is_found"), [(writer_version(), True), ("domgrpc of tomorrow", False)]
)
def test_a_snapshot_that_loads_as_another_state_is_found(version: str, *, is_found: bool) -> None:
    room = Room()

    async def rewrite(engine: Engine) -> tuple[str, VerifyReport]:
        await day(engine)
        name = list_snapshots(room.disk)[-1]
        chunks = list(read_snapshot(room.disk, name))
        with SnapshotWriter(
            room.disk,
            snapshot_sequence(name),
            random_bytes=room.random.randbytes,
            writer_version=version,
        ) as writer:
            for chunk in chunks:
                writer.write_chunk(chunk.kind, chunk.key, chunk.payload)
            writer.finish(b"what was in memory")
        return name, await engine.verify()

    name, report = room.live(rewrite)
    assert report.consistent is not is_found
    assert len(report.findings) == is_found
    assert all(name in finding for finding in report.findings)


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
