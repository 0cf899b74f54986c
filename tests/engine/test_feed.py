"""A watcher gets every record once and in order, from memory or from the log, or is cut off."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from domgrpc.core.events import Record
from domgrpc.core.locations import CreateLocation, LocationFields
from domgrpc.core.values import LocationId, LocationType
from domgrpc.engine.engine import Engine
from domgrpc.engine.feed import (
    RECORDS_PER_BATCH_MAX,
    Cursor,
    RevisionTrimmed,
    WatcherTooSlow,
)
from tests.core.commands import adjust, on_hand, place, stock
from tests.engine.rooms import SEGMENT_BYTES, Room, ask, given, send

MARK_SECONDS = 5.0


async def add_places(engine: Engine, count: int, *, group: int = 10) -> None:
    """Commit so many records in groups of a size."""
    first = engine.revision
    for start in range(first, first + count, group):
        numbers = range(start, min(start + group, first + count))
        await engine.execute([ask(place(f"p{number}"), f"p{number}") for number in numbers])


async def read_on(cursor: Cursor) -> list[int]:
    """Return the revisions that a cursor gives until it says that nothing is new."""
    found: list[int] = []
    while records := await cursor.next():
        assert len(records) <= RECORDS_PER_BATCH_MAX
        found.extend(record.revision for record in records)
    return found


async def until(cursor: Cursor, revision: int) -> list[Record]:
    """Return records up to a revision without waiting for a mark."""
    found: list[Record] = []
    while cursor.revision < revision:
        found.extend(await cursor.next())
    return found


@pytest.mark.parametrize("restarted", [False, True])
@pytest.mark.parametrize("after", [0, 1, 9, 10, 11, 24, 25])
def test_a_watch_gives_what_comes_after_its_revision(*, restarted: bool, after: int) -> None:
    # Before a restart the records come from memory, afterwards from the log.
    room = Room()

    async def watch(engine: Engine) -> list[int]:
        if not restarted:
            await add_places(engine, 25)
        return await read_on(engine.feed.open(after))

    if restarted:
        room.live(lambda engine: add_places(engine, 25))
    assert room.live(watch) == [*range(after + 1, 26)]


def test_a_watch_of_the_past_catches_up_and_goes_on_with_the_present() -> None:
    room = Room(feed_records_max=20)
    room.live(lambda engine: add_places(engine, 30))

    async def watch(engine: Engine) -> list[int]:
        cursor = engine.feed.open(0)
        found: list[int] = [record.revision for record in await until(cursor, 30)]
        for _ in range(5):
            waiting = asyncio.ensure_future(cursor.next())
            await add_places(engine, 4, group=4)
            found.extend(record.revision for record in await waiting)
        return found

    assert room.live(watch) == [*range(1, 51)]


def test_a_watch_may_stop_anywhere_and_resume_there() -> None:
    room = Room(feed_records_max=15)
    room.live(lambda engine: add_places(engine, 40, group=7))

    async def in_parts(engine: Engine) -> list[list[int]]:
        await add_places(engine, 20, group=7)
        parts = []
        for after in (0, 3, 38, 41, 55, 59):
            cursor = engine.feed.open(after)
            parts.append(await read_on(cursor))
            cursor.close()
        return parts

    for after, part in zip((0, 3, 38, 41, 55, 59), room.live(in_parts), strict=True):
        assert part == [*range(after + 1, 61)]


def test_a_watch_gives_the_records_that_the_log_holds() -> None:
    room = Room()

    async def watch(engine: Engine) -> list[Record]:
        await given(engine, place("north"), on_hand("tea", north=3))
        await given(engine, stock(adjust("tea", "north", -1)), stock(adjust("tea", "north", 4)))
        return await until(engine.feed.open(0), 4)

    assert room.live(watch) == room.records()


def test_long_history_comes_in_batches_of_a_bounded_size() -> None:
    room = Room(segment_size_bytes=1 << 20)
    count = 2 * RECORDS_PER_BATCH_MAX + 50

    async def sizes(engine: Engine) -> list[int]:
        cursor = engine.feed.open(0)
        found = []
        while cursor.revision < count:
            found.append(len(await cursor.next()))
        return found

    async def fill_and_look(engine: Engine) -> list[int]:
        await add_places(engine, count, group=300)
        return await sizes(engine)

    expected = [RECORDS_PER_BATCH_MAX, RECORDS_PER_BATCH_MAX, 50]
    assert room.live(fill_and_look) == expected
    assert room.live(sizes) == expected


def test_a_watcher_waits_for_news_and_gets_them_at_once() -> None:
    room = Room()

    async def watch(engine: Engine) -> float:
        cursor = engine.feed.open(0)
        waiting = asyncio.ensure_future(cursor.next())
        await asyncio.sleep(2)
        await send(engine, place("north"))
        (record,) = await waiting
        assert (record.revision, cursor.revision) == (1, 1)
        return room.clock.now_seconds

    assert room.live(watch) == pytest.approx(2)


def test_a_watcher_without_news_gets_a_mark_of_progress() -> None:
    room = Room(watch_mark_seconds=MARK_SECONDS)

    async def watch(engine: Engine) -> list[float]:
        await send(engine, place("north"))
        cursor = engine.feed.open(1)
        marks = []
        for _ in range(3):
            assert await cursor.next() == ()
            assert cursor.revision == 1
            marks.append(room.clock.now_seconds)
        return marks

    assert room.live(watch) == pytest.approx([5, 10, 15])


def test_a_watch_from_a_revision_still_to_come_waits_for_it() -> None:
    room = Room()

    async def watch(engine: Engine) -> list[int]:
        cursor = engine.feed.open(5)
        waiting = asyncio.ensure_future(until(cursor, 8))
        await asyncio.sleep(0)
        await add_places(engine, 8, group=1)
        return [record.revision for record in await waiting]

    assert room.live(watch) == [6, 7, 8]


# --- too slow


async def fall_behind(engine: Engine) -> Cursor:
    """Return a cursor that was live at revision 5 and then was not read for a long time."""
    cursor = engine.feed.open(0)
    await add_places(engine, 5)
    await until(cursor, 5)
    await add_places(engine, 200)
    return cursor


def test_a_live_watcher_that_falls_behind_is_cut_off_with_where_to_resume() -> None:
    room = Room(feed_records_max=50)

    async def watch(engine: Engine) -> tuple[int, list[int]]:
        cursor = await fall_behind(engine)
        with pytest.raises(WatcherTooSlow) as caught:
            await cursor.next()
        resumed = engine.feed.open(caught.value.resume_revision)
        return caught.value.resume_revision, await read_on(resumed)

    assert room.live(watch) == (5, [*range(6, 206)])


def test_memory_for_watchers_is_bounded_by_bytes_too() -> None:
    room = Room(feed_size_bytes_max=2_000)

    async def watch(engine: Engine) -> None:
        cursor = await fall_behind(engine)
        with pytest.raises(WatcherTooSlow):
            await cursor.next()

    room.live(watch)


def test_a_watcher_within_what_memory_keeps_is_not_cut_off() -> None:
    async def watch(engine: Engine) -> list[int]:
        return await read_on(await fall_behind(engine))

    assert Room(feed_records_max=200).live(watch) == [*range(6, 206)]


def test_the_newest_group_stays_in_memory_even_where_it_is_larger_than_the_bound() -> None:
    async def watch(engine: Engine) -> list[int]:
        cursor = engine.feed.open(0)
        await add_places(engine, 1)
        await until(cursor, 1)
        await add_places(engine, 100, group=100)
        return await read_on(cursor)

    assert Room(feed_records_max=10).live(watch) == [*range(2, 102)]


# --- trimmed


async def trim(engine: Engine) -> None:
    """Write snapshots and records until the log has lost its beginning."""
    for _ in range(3):
        await add_places(engine, 30)
        await engine.create_snapshot("")


@pytest.mark.parametrize("restarted", [False, True])
def test_what_was_trimmed_is_refused_with_the_oldest_that_is_left(*, restarted: bool) -> None:
    room = Room()

    async def watch(engine: Engine) -> tuple[int, list[int]]:
        if not restarted:
            await trim(engine)
        with pytest.raises(RevisionTrimmed) as caught:
            engine.feed.open(0)
        oldest = caught.value.oldest_revision
        assert engine.status().oldest_revision == oldest - 1
        with pytest.raises(RevisionTrimmed):
            engine.feed.open(oldest - 2)
        return oldest, await read_on(engine.feed.open(oldest - 1))

    if restarted:
        room.live(trim)
    assert room.live(watch) == (61, [*range(61, 91)])


def test_a_watcher_whose_place_is_trimmed_before_it_reads_is_told_so() -> None:
    room = Room(feed_records_max=5)

    async def watch(engine: Engine) -> int:
        await add_places(engine, 3)
        cursor = engine.feed.open(0)
        await trim(engine)
        with pytest.raises(RevisionTrimmed) as caught:
            await cursor.next()
        return caught.value.oldest_revision

    assert room.live(watch) == 64


@pytest.mark.slow
@pytest.mark.parametrize("segment_bytes", [SEGMENT_BYTES, 2 << 20])
def test_a_watcher_whose_place_is_trimmed_while_it_catches_up_is_told_so(
    segment_bytes: int,
) -> None:
    # In small segments the next one is gone, in a large one the one that is being read.
    room = Room(feed_records_max=5, segment_size_bytes=segment_bytes)
    count = 2 * RECORDS_PER_BATCH_MAX
    padding = LocationFields(type=LocationType.STORE, display_name="x" * 1_000)

    async def watch(engine: Engine) -> int:
        for start in range(0, count, 25):
            ids = [LocationId(f"long-{number}") for number in range(start, start + 25)]
            commands = [CreateLocation(location_id=name, fields=padding) for name in ids]
            await engine.execute([ask(command, command.location_id) for command in commands])
        cursor = engine.feed.open(0)
        assert len(await cursor.next()) == RECORDS_PER_BATCH_MAX
        await trim(engine)
        await asyncio.sleep(1)
        with pytest.raises(RevisionTrimmed) as caught:
            await until(cursor, count)
        return caught.value.oldest_revision

    assert room.live(watch) == count + 61


# --- nothing is left behind


Ending = Callable[["asyncio.Task[tuple[Record, ...]]", Cursor], Awaitable[None]]


async def cancelled(task: "asyncio.Task[tuple[Record, ...]]", _: Cursor) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def got_a_mark(task: "asyncio.Task[tuple[Record, ...]]", _: Cursor) -> None:
    assert await task == ()


@pytest.mark.parametrize("ending", [cancelled, got_a_mark])
def test_a_watcher_that_leaves_leaves_nothing_behind(ending: Ending) -> None:
    async def come_and_go(engine: Engine) -> tuple[int, int]:
        for _ in range(20):
            cursor = engine.feed.open(0)
            task = asyncio.ensure_future(cursor.next())
            await asyncio.sleep(0.1)
            assert (engine.feed.watcher_count, engine.feed.waiting_count) == (1, 1)
            await ending(task, cursor)
            cursor.close()
            cursor.close()
        return engine.feed.watcher_count, engine.feed.waiting_count

    assert Room().live(come_and_go) == (0, 0)


def test_the_status_counts_the_watchers() -> None:
    async def count(engine: Engine) -> list[int]:
        first, second = engine.feed.open(0), engine.feed.open(0)
        counts = [engine.status().watcher_count]
        first.close()
        counts.append(engine.status().watcher_count)
        second.close()
        return [*counts, engine.status().watcher_count]

    assert Room().live(count) == [2, 1, 0]


def test_a_watcher_costs_the_others_no_file_and_no_lock() -> None:
    room = Room()
    room.live(lambda engine: add_places(engine, 30))

    async def watch(engine: Engine) -> int:
        before = room.disk.open_handles()
        for after in range(0, 30, 3):
            cursor = engine.feed.open(after)
            await cursor.next()
            cursor.close()
        return room.disk.open_handles() - before

    assert room.live(watch) == 0
    assert room.disk.free_bytes() > SEGMENT_BYTES
