"""WatchInventory over the wire: every change, from any revision on, without a gap or a repeat."""

import asyncio
from pathlib import Path

import grpc
import grpc.aio
import pytest
from google.protobuf.duration_pb2 import Duration

from domgrpc.rpc import feed_watch
from domgrpc.v1 import inventory_pb2 as pb
from domgrpc.v1 import reservation_pb2, types_pb2
from domgrpc.v1.admin_pb2 import GetStatusRequest
from domgrpc.v1.inventory_pb2_grpc import InventoryServiceStub
from tests.rpc.serving import WAIT_SECONDS, Field, Refusal, Shop, adjusted, counted, serving
from tests.rpc.watching import read, read_to_end, read_until, refused, told, watching, write


@pytest.fixture
async def stocked(shop: Shop) -> Shop:
    """A shop with a few positions; its setup makes three revisions."""
    await shop.add_location("a")
    await shop.add_location("b")
    await shop.count(("A", "a", 5), ("A", "b", 7), ("B", "a", 1))
    return shop


async def test_every_change_says_what_made_it(stocked: Shop) -> None:
    async with watching(stocked) as call:
        assert (await read(call)).revision == 3
        held = await stocked.hold(("A", "a", 2), ttl=Duration(seconds=60))
        await stocked.reservations.ConfirmReservation(
            reservation_pb2.ConfirmReservationRequest(
                request_id=stocked.key(), reservation_id=held.reservation_id
            )
        )
        await stocked.reservations.SettleReservation(
            reservation_pb2.SettleReservationRequest(
                request_id=stocked.key(),
                reservation_id=held.reservation_id,
                outcome=reservation_pb2.SETTLEMENT_OUTCOME_SHIPPED,
            )
        )
        await write(stocked, counted("A", "a", 9), adjusted("A", "b", -1))
        changes = await read_until(call, 7)
    assert told(changes) == [
        ("A", "a", "HELD"),
        ("A", "a", "CONFIRMED"),
        ("A", "a", "SHIPPED"),
        ("A", "a", "COUNTED"),
        ("A", "b", "ADJUSTED"),
    ]
    deltas = [
        (change.on_hand_delta, change.soft_reserved_delta, change.allocated_delta)
        for change in changes
    ]
    assert deltas == [(0, 2, 0), (0, -2, 2), (-2, 0, -2), (6, 0, 0), (-1, 0, 0)]
    assert [change.revision for change in changes] == [4, 5, 6, 7, 7]
    assert changes[0].reservation_id == held.reservation_id
    assert changes[0].change_time == held.create_time


async def test_an_expiry_is_seen_without_anybody_asking_for_it(stocked: Shop) -> None:
    async with watching(stocked) as call:
        await read(call)
        await stocked.hold(("B", "a", 1), ttl=Duration(seconds=60))
        stocked.clock.now_ms += 60_000
        await write(stocked, adjusted("A", "a", 1))
        changes = await read_until(call, 6)
    assert ("B", "a", "EXPIRED") in told(changes)


async def test_a_crossing_of_a_level_is_told_once(stocked: Shop) -> None:
    async with watching(stocked, levels_only=True) as call:
        await read(call)
        await write(stocked, adjusted("B", "a", -1), adjusted("A", "a", 1))
        await write(stocked, counted("B", "a", 0))
        await write(stocked, counted("B", "a", 4))
        changes = await read_until(call, 6)
    assert [(change.sku, change.level) for change in changes] == [
        ("B", types_pb2.STOCK_LEVEL_OUT_OF_STOCK),
        ("B", types_pb2.STOCK_LEVEL_IN_STOCK),
    ]


async def test_a_watch_is_filtered_by_sku_and_location(stocked: Shop) -> None:
    async with (
        watching(stocked, skus=["A"]) as by_sku,
        watching(stocked, location_ids=["a"]) as by_place,
        watching(stocked, skus=["A"], location_ids=["b", "c"]) as by_both,
    ):
        for call in (by_sku, by_place, by_both):
            await read(call)
        await write(stocked, adjusted("A", "a", 1), adjusted("A", "b", 1), adjusted("B", "a", 1))
        assert [change.location_id for change in await read_until(by_sku, 4)] == ["a", "b"]
        assert [change.sku for change in await read_until(by_place, 4)] == ["A", "B"]
        assert told(await read_until(by_both, 4)) == [("A", "b", "ADJUSTED")]


async def test_a_watch_that_resumes_misses_and_repeats_nothing(stocked: Shop) -> None:
    seen: list[int] = []
    after = stocked.engine.revision
    for step in range(5):
        async with watching(stocked, after_revision=after) as call:
            for _ in range(3):
                await write(stocked, adjusted("A", "a", step + 1))
            last = stocked.engine.revision - step % 2
            while after < last:
                message = await read(call)
                seen.extend(change.on_hand_delta for change in message.changes)
                after = message.revision
    async with watching(stocked, after_revision=after) as call:
        changes = await read_until(call, stocked.engine.revision)
        seen.extend(change.on_hand_delta for change in changes)
    assert seen == [step + 1 for step in range(5) for _ in range(3)]


async def test_a_watch_from_long_ago_is_fed_from_the_log(tmp_path: Path) -> None:
    async with serving(tmp_path, feed_records_max=1) as shop:
        await shop.add_location("a")
        for number in range(20):
            await shop.count(("A", "a", number))
        async with watching(shop, after_revision=0) as call:
            changes = await read_until(call, shop.engine.revision)
        assert sum(change.on_hand_delta for change in changes) == 19


async def test_a_quiet_watch_gets_marks_of_progress(tmp_path: Path) -> None:
    async with serving(tmp_path, watch_mark_seconds=0.01) as shop:
        await shop.add_location("a")
        async with watching(shop, skus=["B"]) as call:
            assert (await read(call)).revision == 1
            await shop.count(("A", "a", 1))
            await read_until(call, 2)
            mark = await read(call)
            assert mark == pb.WatchInventoryResponse(revision=2)


async def test_a_watch_from_a_trimmed_revision_is_out_of_range(tmp_path: Path) -> None:
    async with serving(tmp_path, segment_size_bytes=1024 * 1024) as shop:
        await shop.add_location("a")
        oldest = shop.engine.feed.oldest_revision
        async with watching(shop, after_revision=oldest) as call:
            await read(call)
        reason = await trim_and_watch(shop)
    assert (reason.code, reason.reason) == (grpc.StatusCode.OUT_OF_RANGE, "REVISION_TRIMMED")
    assert int(reason.facts["oldest_revision"]) > 1


async def trim_and_watch(shop: Shop) -> Refusal:
    for number in range(3):
        await shop.count(("A", "a", number))
        shop.engine.writer.rotate()
    shop.engine.writer.log.trim(shop.engine.revision)
    async with watching(shop, after_revision=0) as call:
        return await refused(call)


async def test_a_revision_of_another_server_is_refused(stocked: Shop) -> None:
    async with watching(stocked, after_revision=4) as call:
        unknown = await refused(call)
    assert (unknown.code, unknown.reason) == (
        grpc.StatusCode.UNAVAILABLE,
        "REVISION_NOT_REACHED",
    )
    assert unknown.facts == {"revision": "3", "min_revision": "4"}


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"skus": [""]}, "skus[0]"),
        ({"skus": ["A"] * 1_001}, "skus"),
        ({"location_ids": ["a", "x" * 129]}, "location_ids[1]"),
        ({"location_ids": ["a"] * 1_001}, "location_ids"),
        ({"snapshot": True, "levels_only": True}, "levels_only"),
        ({"after_revision": -1}, "after_revision"),
    ],
    ids=["sku", "skus", "location", "locations", "levels", "revision"],
)
async def test_a_misshapen_watch_is_refused(
    stocked: Shop, fields: dict[str, Field], field: str
) -> None:
    async with watching(stocked, **fields) as call:
        assert (await refused(call)).field == field


async def test_a_watch_that_is_left_leaves_the_feed(stocked: Shop) -> None:
    async with watching(stocked) as call:
        await read(call)
        assert stocked.engine.feed.watcher_count == 1
    async with asyncio.timeout(WAIT_SECONDS):
        while (await stocked.admin.GetStatus(GetStatusRequest())).watcher_count:
            continue


async def test_a_draining_server_says_from_where_to_resume(tmp_path: Path) -> None:
    async with serving(tmp_path, watch_mark_seconds=60) as shop:
        await shop.add_location("a")
        call = shop.inventory.WatchInventory(pb.WatchInventoryRequest())
        await read(call)
        await shop.server.stop(0.1)
        ended = await refused(call)
    assert (ended.code, ended.reason) == (grpc.StatusCode.UNAVAILABLE, "SERVER_DRAINING")
    assert ended.facts == {"resume_revision": "1"}


@pytest.mark.slow
async def test_a_reader_that_does_not_keep_up_is_cut_off_with_its_place(
    tmp_path: Path,
) -> None:
    # A connection that holds little, so that the server soon waits for the reader.
    narrow = [("grpc.http2.bdp_probe", 0), ("grpc.http2.lookahead_bytes", 1_024)]
    async with (
        serving(tmp_path, feed_records_max=2) as shop,
        grpc.aio.insecure_channel(shop.address, options=narrow) as channel,
    ):
        await shop.add_location("a")
        call = InventoryServiceStub(channel).WatchInventory(pb.WatchInventoryRequest())
        await read(call)
        many = [adjusted(f"{number:0100}", "a", 1) for number in range(1_000)]
        for _ in range(6):
            await write(shop, *many)
        seen, slow = await read_to_end(call)
    assert (slow.code, slow.reason) == (grpc.StatusCode.ABORTED, "WATCH_TOO_SLOW")
    assert slow.facts == {"resume_revision": str(seen)}
    assert seen < shop.engine.revision


async def test_a_record_of_many_changes_is_cut_and_says_so(
    stocked: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_watch, "MESSAGE_BYTES_MAX", 200)
    async with watching(stocked) as call:
        await read(call)
        await write(stocked, *(adjusted("A", "a", number) for number in range(1, 10)))
        revisions: list[int] = []
        changes: list[pb.StockChange] = []
        while not revisions or revisions[-1] < 4:
            message = await read(call)
            revisions.append(message.revision)
            changes.extend(message.changes)
    assert len(revisions) > 1
    assert revisions == [3] * (len(revisions) - 1) + [4]
    assert [change.on_hand_delta for change in changes] == list(range(1, 10))
