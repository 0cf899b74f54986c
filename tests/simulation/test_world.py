"""The loop and the disk of the simulation do what they are there for."""

import asyncio
from collections.abc import Callable
from random import Random

import pytest

from tests.engine.virtual_time import VirtualClock
from tests.simulation.disk import SimulatedDisk
from tests.simulation.loop import SeededLoop
from tests.storage.fake_disk import SECTOR_BYTES, PowerCutError


def order_of(seed: int) -> list[int]:
    """Return the order in which ten tasks got their turns."""
    seen: list[int] = []

    async def act(number: int) -> None:
        for _ in range(3):
            await asyncio.sleep(0)
            seen.append(number)

    async def all_of_them() -> None:
        await asyncio.gather(*(act(number) for number in range(10)))

    loop = SeededLoop(VirtualClock(), Random(seed))
    loop.run_until_complete(all_of_them())
    loop.close()
    return seen


def test_ready_tasks_run_in_an_order_that_follows_from_the_seed() -> None:
    assert order_of(1) == order_of(1)
    assert len({tuple(order_of(seed)) for seed in range(20)}) == 20


def test_an_hour_of_waiting_takes_no_time_and_ends_in_order() -> None:
    clock = VirtualClock()
    loop = SeededLoop(clock, Random(1))

    async def wait(seconds: float) -> float:
        await asyncio.sleep(seconds)
        return clock.now_seconds

    async def all_of_them() -> list[float]:
        return list(await asyncio.gather(wait(3_600), wait(60), wait(1)))

    assert loop.run_until_complete(all_of_them()) == [3_600, 60, 1]
    loop.close()


def test_a_task_that_waits_for_nothing_is_told_so() -> None:
    loop = SeededLoop(VirtualClock(), Random(1))
    hung = loop.create_future()
    with pytest.raises(RuntimeError, match="would hang"):
        loop.run_until_complete(hung)
    loop.close()


def test_the_world_interrupts_after_as_many_callbacks_as_it_says() -> None:
    loop = SeededLoop(VirtualClock(), Random(1))
    ran: list[int] = []
    seen: list[int] = []

    def interrupt() -> int:
        seen.append(len(ran))
        return 5

    for number in range(20):
        loop.call_soon(ran.append, number)
    loop.call_later(1, loop.stop)
    loop.interruption = interrupt
    loop.run_forever()
    loop.close()
    assert seen[:4] == [1, 6, 11, 16]


def written_disk() -> SimulatedDisk:
    disk = SimulatedDisk()
    handle = disk.create("log-1")
    disk.pwrite(handle, b"a" * SECTOR_BYTES, 0)
    disk.fdatasync(handle)
    disk.sync_directory()
    disk.pwrite(handle, b"b" * 4 * SECTOR_BYTES, SECTOR_BYTES)
    return disk


def test_what_was_not_synced_survives_a_power_cut_sector_by_sector() -> None:
    left = {bytes(written_disk().cut(Random(seed)).files["log-1"].durable) for seed in range(200)}
    assert all(each.startswith(b"a" * SECTOR_BYTES) for each in left)
    torn = {each for each in left if b"\0b" in each or b"b\0" in each}
    assert len(torn) > 5


def test_garbage_is_only_where_nothing_was_synced() -> None:
    changed_count = 0
    for seed in range(50):
        before = written_disk()
        cut = before.cut(Random(seed))
        garbled = cut.garbled(Random(seed), before)
        if garbled is None:
            # The file did not even grow.
            assert len(cut.files["log-1"].durable) == SECTOR_BYTES
            continue
        now, then = garbled.files["log-1"].durable, cut.files["log-1"].durable
        assert now[:SECTOR_BYTES] == then[:SECTOR_BYTES]
        assert len(now) == len(then)
        changed_count += now != then
    assert changed_count > 10
    synced = SimulatedDisk()
    synced.create("log-1")
    synced.sync_directory()
    assert synced.cut(Random(1)).garbled(Random(1), synced) is None


def test_a_disk_that_is_off_does_nothing_more() -> None:
    disk = written_disk()
    handle = disk.open("log-1", writable=True)
    found = disk.killed()
    disk.turn_off()
    changes = disk.changes
    operations: tuple[Callable[[], None], ...] = (
        lambda: disk.pwrite(handle, b"c" * SECTOR_BYTES, 0),
        lambda: disk.truncate(handle, 0),
        lambda: disk.settle(handle),
        lambda: disk.fdatasync(handle),
        lambda: disk.unlink("log-1"),
        lambda: disk.rename("log-1", "log-2"),
        disk.sync_directory,
    )
    for operation in operations:
        with pytest.raises(PowerCutError):
            operation()
    assert disk.changes == changes
    assert found.contents() == written_disk().contents()
