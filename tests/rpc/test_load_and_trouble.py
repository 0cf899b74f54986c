"""A full queue, a full disk, a failed sync, a mistake of ours: each has its answer."""

import asyncio
import gc
from pathlib import Path

import grpc
import grpc.aio
import pytest
from google.rpc import error_details_pb2
from structlog.testing import capture_logs

from domgrpc.rpc.calls import Call, Edge
from domgrpc.rpc.draining import Drain
from domgrpc.rpc.journal import CallLog
from domgrpc.rpc.registration import handlers_of, register
from domgrpc.storage.errors import StorageFault
from domgrpc.storage.manifest import MANIFEST_BYTES
from domgrpc.v1 import admin_pb2, inventory_pb2
from domgrpc.v1.admin_pb2_grpc import AdminServiceStub
from domgrpc.v1.pipeline_pb2 import ExecuteRequest, Operation
from domgrpc.v1.reservation_pb2 import ReserveStockRequest
from tests.rpc.serving import (
    Shop,
    asked,
    counted,
    refusal,
    reserve_lines,
    serving,
)
from tests.storage.fake_disk import FakeDisk, Fault


async def test_a_full_queue_refuses_at_once_and_says_when_to_retry(tmp_path: Path) -> None:
    async with serving(tmp_path, queue_max=1) as shop:
        await shop.add_location("a")
        await shop.count(("A", "a", 1_000))
        requests = [
            ReserveStockRequest(request_id=f"r{number}", lines=reserve_lines(("A", "a", 1)))
            for number in range(60)
        ]
        # As after a turn with many callers: the next one waits for others, so that they meet.
        gathering = shop.engine.writer._gathering  # noqa: SLF001 - no call can set this up
        for _ in range(60):
            gathering.arrived(shop.engine.seconds())
        gathering.ended(shop.engine.seconds())
        calls = [shop.reservations.ReserveStock(request) for request in requests]
        outcomes = await asyncio.gather(*calls, return_exceptions=True)
        busy = [number for number, outcome in enumerate(outcomes) if isinstance(outcome, Exception)]
        assert busy, "60 calls at once never met in the queue"
        refused = await refusal(calls[busy[0]])
        assert (refused.code, refused.reason) == (
            grpc.StatusCode.RESOURCE_EXHAUSTED,
            "SERVER_BUSY",
        )
        assert refused.detail(error_details_pb2.RetryInfo).retry_delay.ToMilliseconds() > 0
        for number in busy:
            await shop.reservations.ReserveStock(requests[number])
        assert (await shop.position("A", "a")).soft_reserved == 60


async def test_a_full_disk_refuses_writes_and_still_answers_reads(tmp_path: Path) -> None:
    segment_bytes = 1024 * 1024
    disk = FakeDisk(capacity_bytes=MANIFEST_BYTES + 2 * segment_bytes)
    async with serving(tmp_path, disk=disk, segment_size_bytes=segment_bytes) as shop:
        await shop.add_location("a")
        written, request = await write_until_refused(shop)
        refused = await refusal(shop.inventory.UpdateStock(request))
        assert (refused.code, refused.reason) == (
            grpc.StatusCode.RESOURCE_EXHAUSTED,
            "DISK_FULL",
        )
        assert (await shop.position(f"{0:0120}", "a")).on_hand == written
        operations = [
            Operation(update_stock=request),
            Operation(check_availability=asked("A")),
        ]
        whole = await refusal(shop.pipeline.Execute(ExecuteRequest(operations=operations)))
        assert whole.reason == "DISK_FULL"
        reading = ExecuteRequest(operations=operations[1:])
        assert (await shop.pipeline.Execute(reading)).results[0].HasField("availability")


async def write_until_refused(shop: Shop) -> tuple[int, inventory_pb2.UpdateStockRequest]:
    """Fill the disk; return how many writes were answered, and the one that was not."""
    for number in range(100):
        rows = [counted(f"{row:0120}", "a", number + 1) for row in range(500)]
        request = inventory_pb2.UpdateStockRequest(request_id=shop.key(), updates=rows)
        try:
            await shop.inventory.UpdateStock(request)
        except grpc.aio.AioRpcError:
            return number, request
    pytest.fail("the disk never became full")


async def test_a_failed_sync_answers_nobody_with_success(tmp_path: Path) -> None:
    disk = FakeDisk()
    async with serving(tmp_path, disk=disk) as shop:
        await shop.add_location("a")
        disk.faults.append(Fault("fdatasync", StorageFault("no sync")))
        refused = await refusal(shop.add_location("b"))
        assert (refused.code, refused.reason) == (
            grpc.StatusCode.UNAVAILABLE,
            "SERVER_FAILED",
        )
        assert "outcome" in refused.message
        assert (await refusal(shop.position("A", "a"))).reason == "SERVER_FAILED"
        assert shop.engine.failed.done()


async def test_a_refused_call_is_gone_without_the_collector(shop: Shop) -> None:
    gc.collect()
    gc.disable()
    try:
        for _ in range(10):
            await refusal(shop.position("A", "nowhere"))
        left = [each for each in gc.get_objects() if isinstance(each, Call)]
    finally:
        gc.enable()
    # The last ones may be on their way still.
    assert len(left) < 5


class BrokenAdmin:
    """A service with a mistake in it."""

    def __getattr__(self, name: str) -> object:
        return self.fail

    async def fail(self, _message: object, _call: Call) -> object:
        """Make the mistake."""
        raise KeyError("something private")


async def test_a_mistake_of_ours_is_internal_and_written_down(shop: Shop) -> None:
    admin = admin_pb2.DESCRIPTOR.services_by_name["AdminService"]
    edge = Edge(shop.engine, CallLog("errors"), Drain(), by_certificate=False)
    server = grpc.aio.server()
    register(server, admin.full_name, handlers_of(edge, admin, BrokenAdmin()))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    with capture_logs() as lines:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            stub = AdminServiceStub(channel)
            refused = await refusal(stub.GetStatus(admin_pb2.GetStatusRequest()))
    await server.stop(0)
    assert (refused.code, refused.reason) == (grpc.StatusCode.INTERNAL, "INTERNAL")
    assert "private" not in str(refused.status)
    assert [line["event"] for line in lines] == ["handler_broken", "call_failed"]
    assert isinstance(lines[0]["exc_info"], KeyError)
