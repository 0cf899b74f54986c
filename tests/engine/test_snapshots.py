"""Snapshots: written beside the server while calls go on, one at a time, and given up cleanly."""

import asyncio
from pathlib import Path

import pytest

from domgrpc.core.answers import Answer
from domgrpc.engine.beside import BesideFailed
from domgrpc.engine.calls import Stopped
from domgrpc.engine.engine import Engine
from domgrpc.engine.snapshots import SnapshotReport, SnapshotRunning, VerificationRunning
from domgrpc.storage.disk import LocalDisk
from domgrpc.storage.segment import list_segment_names
from domgrpc.storage.snapshot import check_snapshot, list_snapshots
from tests.core.commands import adjust, on_hand, place, stock
from tests.engine.every_command import EVERY_COMMAND
from tests.engine.rooms import Folder, Room, ask, given, send, state_digest, turn_a_bit


async def open_shop(engine: Engine) -> None:
    await given(engine, place("north"), on_hand("tea", north=1_000))


async def look(engine: Engine) -> str:
    return state_digest(engine)


async def write_on(engine: Engine, until: "asyncio.Future[SnapshotReport]") -> int:
    """Write while something is under way; return how many calls were answered."""
    count = 0
    while not until.done():
        answer = await engine.submit(ask(stock(adjust("tea", "north", 1)), f"on-{count}"))
        assert isinstance(answer, Answer)
        count += 1
        await asyncio.sleep(0.001)
    return count


# --- inside, in virtual time


def test_a_snapshot_says_what_it_did() -> None:
    room = Room()

    async def snapshot(engine: Engine) -> SnapshotReport:
        await open_shop(engine)
        report = await engine.create_snapshot("")
        assert engine.status().snapshot_revision == 2
        return report

    report = room.live(snapshot)
    (name,) = list_snapshots(room.disk)
    assert report.revision == 2
    assert report.size_bytes == len(room.disk.contents()[name])


def test_a_repeated_request_gets_the_first_report_and_writes_nothing() -> None:
    async def twice(engine: Engine) -> bool:
        await open_shop(engine)
        first = await engine.create_snapshot("mine")
        await given(engine, place("south"))
        again = await engine.create_snapshot("mine")
        other = await engine.create_snapshot("other")
        assert other.revision == 3
        return first is again

    assert Room().live(twice)


def test_snapshots_and_verifications_run_one_at_a_time() -> None:
    async def at_once(engine: Engine) -> None:
        await open_shop(engine)
        snapshot = asyncio.ensure_future(engine.create_snapshot("one"))
        await asyncio.sleep(0)
        with pytest.raises(SnapshotRunning):
            await engine.create_snapshot("two")
        with pytest.raises(VerificationRunning):
            await engine.verify()
        await snapshot
        verification = asyncio.ensure_future(engine.verify())
        await asyncio.sleep(0)
        with pytest.raises(SnapshotRunning):
            await engine.create_snapshot("two")
        with pytest.raises(VerificationRunning):
            await engine.verify()
        assert (await verification).consistent
        assert (await engine.create_snapshot("two")).revision == 2

    Room().live(at_once)


def test_two_snapshots_are_kept_and_the_log_from_the_older_one_on() -> None:
    room = Room()

    async def many(engine: Engine) -> list[tuple[int, int]]:
        found = []
        for number in range(5):
            await given(engine, place(f"p{number}"))
            await engine.create_snapshot("")
            await asyncio.sleep(1)
            found.append((len(list_snapshots(room.disk)), engine.status().oldest_revision))
        return found

    assert room.live(many) == [(1, 0), (2, 1), (2, 2), (2, 3), (2, 4)]
    assert len(list_segment_names(room.disk)) == 2


def test_two_snapshots_of_one_revision_are_one() -> None:
    room = Room()

    async def twice(engine: Engine) -> str:
        await open_shop(engine)
        for name in ("one", "two", "three"):
            assert (await engine.create_snapshot(name)).revision == 2
        return state_digest(engine)

    digest = room.live(twice)
    assert len(list_snapshots(room.disk)) == 1
    room.cut_power()
    assert room.live(look) == digest


def test_a_snapshot_of_nothing_is_one_too() -> None:
    room = Room()

    async def empty(engine: Engine) -> int:
        return (await engine.create_snapshot("")).revision

    assert room.live(empty) == 0
    room.live(open_shop)


def test_a_snapshot_that_fails_leaves_the_next_one_alone() -> None:
    room = Room()

    async def fail_once(engine: Engine) -> None:
        await open_shop(engine)
        room.disk.capacity_bytes -= room.disk.free_bytes()
        with pytest.raises(Exception, match="full"):
            await engine.create_snapshot("one")
        room.disk.capacity_bytes *= 10
        await given(engine, place("south"))
        assert (await engine.create_snapshot("one")).revision == 3

    room.live(fail_once)


def test_a_snapshot_after_the_engine_failed_is_refused() -> None:
    room = Room()

    async def fail(engine: Engine) -> None:
        await open_shop(engine)
        engine.writer.fail(RuntimeError("told to"))
        with pytest.raises(Stopped):
            await engine.create_snapshot("one")

    room.live(fail)
    assert list_snapshots(room.disk) == []


@pytest.mark.parametrize("operations", range(1, 60, 3))
def test_a_power_cut_anywhere_in_a_snapshot_loses_nothing(operations: int) -> None:
    room = Room()

    async def day(engine: Engine) -> str:
        await send(engine, *EVERY_COMMAND[:30])
        await engine.create_snapshot("one")
        await send(engine, *EVERY_COMMAND[30:], first=30)
        return state_digest(engine)

    async def crash(engine: Engine) -> None:
        room.disk.power_cut_at = room.disk.operations + operations
        await asyncio.gather(engine.create_snapshot("two"), return_exceptions=True)

    digest = room.live(day)
    room.live(crash)
    for seed in range(2):
        room.cut_power(seed)
        assert room.live(look) == digest


# --- beside, on a real disk


@pytest.mark.slow
def test_calls_go_on_while_a_process_beside_the_server_writes_the_snapshot(tmp_path: Path) -> None:
    folder = Folder(tmp_path)

    async def snapshot(engine: Engine) -> tuple[str, int]:
        await send(engine, *EVERY_COMMAND)
        snapshot = asyncio.ensure_future(engine.create_snapshot("one"))
        count = await write_on(engine, snapshot)
        report = await snapshot
        assert count > 10
        assert len(EVERY_COMMAND) <= report.revision <= engine.revision - count + 1
        assert (await engine.verify()).consistent
        return state_digest(engine), report.revision

    digest, revision = folder.live(snapshot)
    (name,) = list_snapshots(LocalDisk(tmp_path))
    assert check_snapshot(LocalDisk(tmp_path), name).last_sequence == revision
    assert folder.live(look) == digest


@pytest.mark.slow
def test_a_process_that_fails_is_reported_and_the_server_goes_on(tmp_path: Path) -> None:
    folder = Folder(tmp_path)

    async def damaged(engine: Engine) -> int:
        await open_shop(engine)
        turn_a_bit(tmp_path, at_byte=4_200)
        with pytest.raises(BesideFailed, match="log says why"):
            await engine.create_snapshot("one")
        turn_a_bit(tmp_path, at_byte=4_200)
        await given(engine, place("south"))
        return (await engine.create_snapshot("one")).revision

    assert folder.live(damaged) == 3


@pytest.mark.slow
def test_closing_gives_up_the_snapshot_that_is_being_written(tmp_path: Path) -> None:
    folder = Folder(tmp_path)

    async def close(engine: Engine) -> str:
        await open_shop(engine)
        snapshot = asyncio.ensure_future(engine.create_snapshot("one"))
        await asyncio.sleep(0.1)
        await engine.close()
        with pytest.raises(Stopped):
            await snapshot
        return state_digest(engine)

    digest = folder.live(close)
    assert folder.live(look) == digest
    assert not list(tmp_path.glob("snapshot-*"))


@pytest.mark.slow
def test_a_caller_that_gives_up_ends_its_snapshot(tmp_path: Path) -> None:
    folder = Folder(tmp_path)

    async def give_up(engine: Engine) -> int:
        await open_shop(engine)
        snapshot = asyncio.ensure_future(engine.create_snapshot("one"))
        await asyncio.sleep(0.1)
        snapshot.cancel()
        await asyncio.gather(snapshot, return_exceptions=True)
        return (await engine.create_snapshot("one")).revision

    assert folder.live(give_up) == 2
