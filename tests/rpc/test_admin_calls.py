"""AdminService over the wire: status, snapshots, verification."""

import asyncio
from collections.abc import Awaitable
from pathlib import Path
from typing import TypeVar

import grpc
import grpc.aio
import pytest

from domgrpc.v1 import admin_pb2
from tests.rpc.ordering import cancel, line, open_chain, place
from tests.rpc.serving import NOON_MS, Refusal, Shop, refusal, refusal_of, serving

Answer = TypeVar("Answer")


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


async def test_the_status_counts_orders_and_those_of_which_something_is_left_to_do(
    shop: Shop,
) -> None:
    await open_chain(shop)
    first = await place(shop, line("A"))
    await place(shop, line("B"))
    assert await order_counts(shop) == (2, 2)
    await cancel(shop, first)
    assert await order_counts(shop) == (1, 2)


async def order_counts(shop: Shop) -> tuple[int, int]:
    found = await status(shop)
    return found.open_order_count, found.order_count


@pytest.mark.slow
async def test_the_status_waits_for_a_revision(shop: Shop) -> None:
    late = admin_pb2.GetStatusRequest(min_revision=1)
    refused = await refusal(shop.admin.GetStatus(late, timeout=0.5))
    assert refused.reason == "REVISION_NOT_REACHED"


async def one_of_two(
    *calls: Awaitable[Answer],
) -> tuple[Answer, Refusal]:
    """Make two calls at once, one of which must be refused; return the answer and the refusal."""
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    (error,) = (each for each in outcomes if isinstance(each, grpc.aio.AioRpcError))
    (answer,) = (each for each in outcomes if not isinstance(each, BaseException))
    return answer, refusal_of(error)


@pytest.mark.slow
async def test_a_snapshot_is_written_once_for_each_request(tmp_path: Path) -> None:
    async with serving(tmp_path) as shop:
        await shop.add_location("a")
        made, refused = await one_of_two(snapshot(shop, "one"), snapshot(shop, "two"))
        assert made.revision == 1
        assert made.size_bytes > 0
        assert (refused.code, refused.reason) == (
            grpc.StatusCode.FAILED_PRECONDITION,
            "SNAPSHOT_RUNNING",
        )
        await shop.count(("A", "a", 1))
        third = await snapshot(shop, "three")
        assert await snapshot(shop, "three") == third
        assert third.revision == (await status(shop)).snapshot_revision == 2
    async with serving(tmp_path) as shop:
        assert "snapshot 2" in (await status(shop)).recovery_summary


@pytest.mark.slow
async def test_a_verification_compares_files_and_memory(shop: Shop) -> None:
    await shop.add_location("a")
    await shop.count(("A", "a", 1))
    verify = shop.admin.VerifyState
    found, refused = await one_of_two(
        verify(admin_pb2.VerifyStateRequest()), verify(admin_pb2.VerifyStateRequest())
    )
    assert found.consistent
    assert not found.findings
    assert found.revision == 2
    assert found.frame_count > 0
    assert found.state_digest
    assert refused.reason == "VERIFICATION_RUNNING"


async def test_a_snapshot_needs_a_request_id(shop: Shop) -> None:
    assert (await refusal(snapshot(shop, ""))).reason == "REQUEST_ID_MISSING"
