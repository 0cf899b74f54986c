"""Older files that went bad are found while the server runs, and nothing else happens."""

import asyncio

import pytest

from domgrpc.engine.engine import Engine
from domgrpc.storage.segment import list_segment_names
from domgrpc.storage.snapshot import list_snapshots
from tests.engine.rooms import Room
from tests.engine.tea_shop import holds, open_shop
from tests.storage.damage import flip
from tests.storage.fake_disk import FakeFile

INTERVAL_SECONDS = 300.0


async def write(engine: Engine) -> None:
    """Write closed segments and a snapshot."""
    await open_shop(engine)
    await engine.execute(holds(100))
    await engine.create_snapshot()
    await engine.execute(holds(200)[100:])
    await engine.create_snapshot()


def spoil(room: Room, name: str) -> None:
    """Flip a bit in the middle of what was written to a file."""
    file: FakeFile = room.disk.files[name]
    bit = 8 * (4_096 + 300)
    file.current[:] = flip(bytes(file.current), bit)
    file.durable[:] = flip(bytes(file.durable), bit)


@pytest.mark.parametrize("kind", ["segment", "snapshot"])
def test_damage_is_found_within_an_interval_and_told(kind: str) -> None:
    room = Room(scrub_interval_seconds=INTERVAL_SECONDS)

    async def wait(engine: Engine) -> tuple[str, tuple[str, ...], int | None]:
        await write(engine)
        names = list_segment_names(room.disk) if kind == "segment" else list_snapshots(room.disk)
        spoil(room, names[0])
        assert engine.status().scrub_time_ms is None
        await asyncio.sleep(INTERVAL_SECONDS + 60)
        status = engine.status()
        await engine.submit(holds(201)[200])
        return names[0], status.scrub_findings, status.scrub_time_ms

    name, findings, time_ms = room.live(wait)
    assert len(findings) == 1
    assert name in findings[0]
    assert time_ms is not None


def test_whole_files_have_no_findings() -> None:
    room = Room(scrub_interval_seconds=INTERVAL_SECONDS)

    async def wait(engine: Engine) -> tuple[tuple[str, ...], int | None]:
        await write(engine)
        await asyncio.sleep(INTERVAL_SECONDS + 60)
        return engine.status().scrub_findings, engine.status().scrub_time_ms

    findings, time_ms = room.live(wait)
    assert (findings, time_ms is None) == ((), False)


def test_a_segment_that_is_trimmed_while_it_is_read_is_no_damage() -> None:
    room = Room(scrub_interval_seconds=INTERVAL_SECONDS)

    async def trim(engine: Engine) -> tuple[str, ...]:
        await write(engine)
        await asyncio.sleep(INTERVAL_SECONDS)
        while len(list_segment_names(room.disk)) > 1:
            await engine.execute(holds(300)[200:])
            await engine.create_snapshot()
            await asyncio.sleep(0.05)
            if engine.status().scrub_time_ms is not None:
                break
        await asyncio.sleep(60)
        return engine.status().scrub_findings

    assert room.live(trim) == ()
