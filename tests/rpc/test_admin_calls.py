"""AdminService over the wire: status, snapshots, verification."""

import asyncio
from pathlib import Path

import grpc
import pytest

from domgrpc.v1 import admin_pb2
from tests.rpc.serving import NOON_MS, Shop, refusal, serving


async def snapshot(shop: Shop, request_id: str) -> admin_pb2.Snapshot:
    return await shop.admin.CreateSnapshot(admin_pb2.CreateSnapshotRequest(request_id=request_id))


async def status(shop: Shop) -> admin_pb2.ServerStatus:
    return await shop.admin.GetStatus(admin_pb2.GetStatusRequest())


async def test_the_status_counts_what_there_is(shop: Shop) -> None:
    await shop.add_location("a")
    await shop.count(("A", "a", 5), ("B", "a", 5))
    await shop.hold(("A", "a", 1))
    found = await status(shop)
    assert found.version
    assert found.revision == found.durable_revision == 3
    assert (found.location_count, found.sku_count, found.position_count) == (1, 2, 2)
    assert (found.held_reservation_count, found.reservation_count) == (1, 1)
    assert found.kept_answer_count == 3
    assert found.start_time.ToMilliseconds() == NOON_MS
    assert found.log_size_bytes > 0
    assert found.memory_bytes > 0
    assert "revision 0" in found.recovery_summary


async def test_the_status_waits_for_a_revision(shop: Shop) -> None:
    late = admin_pb2.GetStatusRequest(min_revision=1)
    refused = await refusal(shop.admin.GetStatus(late, timeout=0.2))
    assert refused.reason == "REVISION_NOT_REACHED"


@pytest.mark.slow
async def test_a_snapshot_is_written_once_for_each_request(tmp_path: Path) -> None:
    async with serving(tmp_path) as shop:
        await shop.add_location("a")
        first, other = await asyncio.gather(snapshot(shop, "one"), refusal(snapshot(shop, "two")))
        assert first.revision == 1
        assert first.size_bytes > 0
        assert (other.code, other.reason) == (
            grpc.StatusCode.FAILED_PRECONDITION,
            "SNAPSHOT_RUNNING",
        )
        await shop.count(("A", "a", 1))
        assert await snapshot(shop, "one") == first
        assert (await status(shop)).snapshot_revision == 1
    async with serving(tmp_path) as shop:
        assert "snapshot 1" in (await status(shop)).recovery_summary


@pytest.mark.slow
async def test_a_verification_compares_files_and_memory(shop: Shop) -> None:
    await shop.add_location("a")
    await shop.count(("A", "a", 1))
    request = admin_pb2.VerifyStateRequest()
    found, other = await asyncio.gather(
        shop.admin.VerifyState(request), refusal(shop.admin.VerifyState(request))
    )
    assert found.consistent
    assert not found.findings
    assert found.revision == 2
    assert found.frame_count > 0
    assert found.state_digest
    assert other.reason == "VERIFICATION_RUNNING"


async def test_a_snapshot_needs_a_request_id(shop: Shop) -> None:
    assert (await refusal(snapshot(shop, ""))).reason == "REQUEST_ID_MISSING"
