"""The start: the newest whole snapshot and the log behind it, or a clear refusal."""

from random import Random

import msgspec
import pytest

from domgrpc.core.events import Record
from domgrpc.core.values import Limits, Revision
from domgrpc.engine.dump import digest, dump
from domgrpc.engine.engine import Engine
from domgrpc.engine.recovery import load_newest_snapshot, replay_frames
from domgrpc.engine.snapshotting import Job, write_snapshot
from domgrpc.storage.errors import Corruption, StorageError
from domgrpc.storage.log import Log
from domgrpc.storage.segment import list_segment_names
from domgrpc.storage.snapshot import SnapshotWriter, list_snapshots
from tests.core.commands import place
from tests.engine.every_command import EVERY_COMMAND
from tests.engine.rooms import SEGMENT_BYTES, Room, given, send, state_digest
from tests.storage.damage import flip
from tests.storage.fake_disk import FakeDisk


async def whole_day(engine: Engine) -> str:
    await send(engine, *EVERY_COMMAND)
    return state_digest(engine)


async def look(engine: Engine) -> str:
    return state_digest(engine)


async def snapshot_and_more(engine: Engine) -> str:
    """Write a snapshot, some more, another one, and more: two snapshots and a trimmed log."""
    half = len(EVERY_COMMAND) // 2
    await send(engine, *EVERY_COMMAND[:half])
    await engine.create_snapshot("one")
    await send(engine, *EVERY_COMMAND[half:], first=half)
    await engine.create_snapshot("two")
    await given(engine, place("west"))
    return state_digest(engine)


def damage(room: Room, name: str, *, at_byte: int = 200) -> None:
    """Flip a bit of a file, durably."""
    contents = room.disk.contents()
    contents[name] = flip(contents[name], at_byte * 8)
    room.disk = FakeDisk.holding(contents)


@pytest.mark.parametrize("revision", [0, 1, 5, 17, 30, len(EVERY_COMMAND)])
def test_snapshot_and_tail_make_the_same_state_as_the_whole_log(revision: int) -> None:
    room = Room()
    expected = room.live(whole_day)
    write_snapshot(room.disk, Job(folder="", revision=revision, limits=Limits()))
    loaded = load_newest_snapshot(room.disk, Limits())
    assert loaded.snapshot_revision == loaded.state.revision == revision
    last_revision = len(room.records())
    replayed = replay_frames(loaded.state, room.frames(), last_revision=last_revision)
    assert replayed.record_count == last_revision - revision
    loaded.state.check_invariants()
    assert digest(dump(loaded.state)) == expected


def test_the_start_says_what_it_found() -> None:
    room = Room()
    room.live(snapshot_and_more)

    async def summary(engine: Engine) -> str:
        return engine.status().recovery_summary

    last = len(EVERY_COMMAND)
    expected = f"revision {last + 1}: snapshot {last}, 1 later records, 0 torn bytes cut"
    assert expected in room.live(summary)


def test_ten_starts_in_a_row_change_no_file() -> None:
    room = Room()
    digest_before = room.live(snapshot_and_more)
    contents = room.disk.contents()
    for _ in range(10):
        assert room.live(look) == digest_before
    assert room.disk.contents() == contents


def test_a_damaged_newest_snapshot_is_passed_over_for_the_older_one() -> None:
    room = Room()
    expected = room.live(snapshot_and_more)
    damage(room, list_snapshots(room.disk)[-1])
    assert room.live(look) == expected


def test_a_snapshot_of_another_server_with_the_same_name_is_passed_over() -> None:
    def server(seed: int, *names: str) -> Room:
        async def snapshot(engine: Engine) -> None:
            for name in names:
                await given(engine, place(name))
            await engine.create_snapshot("")

        room = Room()
        room.random = Random(seed)
        room.live(snapshot)
        return room

    ours, theirs = server(1, "north", "east"), server(2, "south", "west")
    (name,) = list_snapshots(ours.disk)
    expected = ours.live(look)
    foreign = theirs.disk.contents()[name]
    ours.disk = FakeDisk.holding(ours.disk.contents() | {name: foreign})
    assert ours.live(look) == expected
    (refused,) = load_newest_snapshot(ours.disk, Limits()).refused
    assert "one of another log" in str(refused)


def test_a_damaged_snapshot_is_no_safety_net_for_the_next_one() -> None:
    # After the next snapshot two whole ones must be there, with the log from the older one on.
    room = Room()
    room.live(snapshot_and_more)
    damage(room, list_snapshots(room.disk)[-1])

    async def third(engine: Engine) -> str:
        await given(engine, place("east"))
        await engine.create_snapshot("three")
        await given(engine, place("far"))
        return state_digest(engine)

    expected = room.live(third)
    damage(room, list_snapshots(room.disk)[-1])
    assert room.live(look) == expected


def test_a_damaged_snapshot_is_replaced_by_a_whole_one_of_the_same_revision() -> None:
    room = Room()

    async def snapshot(engine: Engine) -> None:
        await engine.create_snapshot("")

    room.live(lambda engine: given(engine, place("north")))
    room.live(snapshot)
    (name,) = list_snapshots(room.disk)
    damage(room, name)
    room.live(snapshot)
    assert list_snapshots(room.disk) == [name]
    assert load_newest_snapshot(room.disk, Limits()).refused == ()


def test_where_all_snapshots_are_damaged_and_the_log_was_trimmed_the_start_is_refused() -> None:
    room = Room()

    async def trimmed(engine: Engine) -> None:
        for number in range(4):
            await given(engine, place(f"p{number}"))
            await engine.create_snapshot(f"s{number}")

    room.live(trimmed)
    for name in list_snapshots(room.disk):
        damage(room, name)
    before = room.disk.contents()
    with pytest.raises(Corruption):
        room.live(look)
    assert room.disk.contents() == before
    assert not room.disk.locked


def test_unfinished_snapshots_are_removed_at_the_start() -> None:
    room = Room()
    room.live(whole_day)
    writer = SnapshotWriter(room.disk, 3, random_bytes=bytes)
    writer.write_chunk(1, 0, b"half")
    assert any(name.endswith(".tmp") for name in room.disk.list_names())
    room.live(look)
    assert not any(name.endswith(".tmp") for name in room.disk.list_names())


# --- what does not fit together


@pytest.mark.parametrize(
    ("snapshot_revision", "missing"),
    [(0, [0]), (1, [0, 1]), (4, [0, 1, 2, 3, 4]), (4, [3, 4]), (4, [4]), (4, [1]), (2, [3])],
)
def test_a_log_that_does_not_reach_or_continue_the_snapshot_is_refused(
    snapshot_revision: int, missing: list[int]
) -> None:
    room = Room()

    async def a_segment_for_each_record(engine: Engine) -> None:
        for number in range(4):
            await given(engine, place(f"p{number}"))
            engine.writer.rotate()

    room.live(a_segment_for_each_record)
    job = Job(folder="", revision=snapshot_revision, limits=Limits())
    write_snapshot(room.disk, job)
    contents = room.disk.contents()
    names = list_segment_names(room.disk)
    assert len(names) == 5
    for number in missing:
        del contents[names[number]]
    room.disk = FakeDisk.holding(contents)
    with pytest.raises(Corruption):
        room.live(look)
    assert not room.disk.locked
    assert room.disk.contents() == contents


def test_segments_that_the_snapshot_makes_up_for_may_be_missing() -> None:
    room = Room()
    room.live(snapshot_and_more)
    assert list_segment_names(room.disk)[0] > "log-0000000000000001.seg"
    room.live(look)


def append_forged(room: Room, payload: bytes, count: int) -> None:
    """Put a group into the log whose checksums are right and whose content is not ours."""
    log = Log.open(
        room.disk,
        random_bytes=room.random.randbytes,
        clock=room.clock.seconds,
        segment_bytes=SEGMENT_BYTES,
    )
    log.append(log.last_sequence + 1, payload, count)
    log.close()


UNKNOWN_EVENT = msgspec.msgpack.encode([2, 1, [[99, "from the future"]], "web", "r", 1])


@pytest.mark.parametrize(
    "payload",
    [
        UNKNOWN_EVENT,
        b"\xc1",
        msgspec.msgpack.encode(["two", 1, []]),
        msgspec.msgpack.encode(Record(Revision(2), 0, ())) * 2,  # type: ignore[arg-type]
        b"",
    ],
    ids=["unknown event", "no msgpack", "wrong type", "more than counted", "nothing"],
)
def test_records_that_cannot_be_read_stop_the_start_with_their_place(payload: bytes) -> None:
    room = Room()
    room.live(lambda engine: given(engine, place("north")))
    append_forged(room, payload, 1)
    before = room.disk.contents()
    with pytest.raises(StorageError, match=r"log-.*seg.* 8192") as caught:
        room.live(look)
    assert caught.value.exit_code == 71
    assert room.disk.contents() == before


@pytest.mark.parametrize("revision", [1, 3])
def test_a_record_that_does_not_continue_the_state_stops_the_start(revision: int) -> None:
    room = Room()
    room.live(lambda engine: given(engine, place("north")))
    record = msgspec.structs.replace(room.records()[0], revision=Revision(revision))
    append_forged(room, msgspec.msgpack.encode(record), 1)
    with pytest.raises(StorageError) as caught:
        room.live(look)
    assert caught.value.exit_code == 71


@pytest.mark.parametrize("kind", [99, 2])
def test_a_snapshot_chunk_that_cannot_be_read_stops_the_start(kind: int) -> None:
    # Whole, so not passed over: who wrote it knows more than we do.
    room = Room()
    room.live(lambda engine: given(engine, place("north")))
    with SnapshotWriter(room.disk, 1, random_bytes=bytes) as writer:
        writer.write_chunk(kind, 0, msgspec.msgpack.encode({"from": "the future"}))
        writer.finish(b"")
    with pytest.raises(StorageError, match="snapshot-") as caught:
        room.live(look)
    assert caught.value.exit_code == 71
