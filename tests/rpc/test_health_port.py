"""Health on a port of its own: it answers while the event loop of the server hangs."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from threading import Event
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2
from grpc_health.v1.health_pb2_grpc import HealthStub
from structlog.testing import capture_logs

from domgrpc.config import Settings
from domgrpc.rpc.server import ListenFailed, Server
from domgrpc.rpc.standard_services import HEALTH_SERVICE
from domgrpc.storage.disk import Handle, LocalDisk
from domgrpc.storage.errors import StorageFault
from tests.rpc.serving import WAIT_SECONDS, HandClock, Shop, refusal, serving, within_time
from tests.storage.fake_disk import FakeDisk, Fault

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
HANGING_MS = 1_500
"""How far the clock is moved while the disk hangs: more than the second that is believed."""


class HangingDisk(LocalDisk):  # tidy: allow inheritance: a real disk whose syncs can hang
    """Its next sync of a file hangs once `hangs` is true, until `goes_on` is set."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.hangs = False
        self.is_hanging = Event()
        self.goes_on = Event()

    def fdatasync(self, handle: Handle) -> None:
        """Sync a file, sooner or later."""
        if self.hangs:
            self.hangs = False
            self.is_hanging.set()
            self.goes_on.wait(WAIT_SECONDS)
        super().fdatasync(handle)


class Probe:
    """Asks for health as a supervisor does: from outside of the event loop."""

    def __init__(self, port: int) -> None:
        own = (("grpc.use_local_subchannel_pool", 1),)
        self._channel = grpc.insecure_channel(f"127.0.0.1:{port}", options=own)
        self._stub: Any = HealthStub(self._channel)  # its types do not know its methods

    def asks(self, service: str = "") -> int:
        """Return the status that is told."""
        request = health_pb2.HealthCheckRequest(service=service)
        status: int = self._stub.Check(request, timeout=WAIT_SECONDS).status
        return status

    def sends(self, method: str, message: bytes) -> grpc.StatusCode:
        """Send bytes to a method; return how that ends."""
        call: Any = self._channel.unary_unary(f"/{HEALTH_SERVICE}/{method}")
        try:
            call(message, timeout=WAIT_SECONDS)
        except grpc.RpcError as error:
            code: grpc.StatusCode = error.code()
            return code
        return grpc.StatusCode.OK

    def close(self) -> None:
        """Close the connection."""
        self._channel.close()


@asynccontextmanager
async def probed(folder: Path, **options: Any) -> AsyncIterator[tuple[Shop, Probe]]:  # noqa: ANN401
    with capture_logs() as lines:
        async with serving(folder, health_port=0, **options) as shop:
            (listening,) = (line for line in lines if line["event"] == "listening")
            probe = Probe(listening["health_port"])
            try:
                yield shop, probe
            finally:
                probe.close()


async def test_it_serves_for_the_server_and_for_each_service(tmp_path: Path) -> None:
    async with probed(tmp_path) as (_, probe):
        for service in ("", "domgrpc.v1.InventoryService"):
            assert await asyncio.to_thread(probe.asks, service) == SERVING
        nobody = health_pb2.HealthCheckRequest(service="nobody").SerializeToString()
        assert await asyncio.to_thread(probe.sends, "Check", nobody) is grpc.StatusCode.NOT_FOUND


async def test_while_a_sync_hangs_it_does_not_serve_and_then_it_does_again(tmp_path: Path) -> None:
    disk, clock = HangingDisk(tmp_path), HandClock()
    async with probed(tmp_path, disk=disk, clock=clock) as (shop, probe):

        def seen_from_outside() -> int:
            disk.is_hanging.wait(WAIT_SECONDS)
            clock.now_ms += HANGING_MS
            status = probe.asks()
            disk.goes_on.set()
            return status

        seen = asyncio.ensure_future(asyncio.to_thread(seen_from_outside))
        disk.hangs = True
        # Answered when the disk goes on, and not before.
        await within_time(shop.add_location("a"))
        assert disk.goes_on.is_set()
        assert await within_time(seen) == NOT_SERVING
        with capture_logs() as lines:
            while await within_time(asyncio.to_thread(probe.asks)) != SERVING:
                pass
        assert {line["event"] for line in lines} <= {"stood_still"}


@pytest.mark.slow
async def test_a_server_that_goes_down_or_has_failed_does_not_serve(tmp_path: Path) -> None:
    disk = FakeDisk()
    async with probed(tmp_path, disk=disk) as (shop, probe):
        disk.faults.append(Fault("fdatasync", StorageFault("no sync")))
        assert (await refusal(shop.add_location("b"))).reason == "SERVER_FAILED"
        assert await asyncio.to_thread(probe.asks) == NOT_SERVING
    async with probed(tmp_path / "other") as (shop, probe):
        stopping = asyncio.ensure_future(shop.server.stop(WAIT_SECONDS))
        await asyncio.sleep(0)
        assert await asyncio.to_thread(probe.asks) == NOT_SERVING
        await within_time(stopping)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("method", "message", "code"),
    [
        ("Check", b"\xff", grpc.StatusCode.INVALID_ARGUMENT),
        ("Check", b"\x0a" + bytes(2_000), grpc.StatusCode.RESOURCE_EXHAUSTED),
        ("Watch", b"", grpc.StatusCode.UNIMPLEMENTED),
        ("Else", b"", grpc.StatusCode.UNIMPLEMENTED),
    ],
)
async def test_it_takes_one_method_and_well_formed_messages_only(
    tmp_path: Path, method: str, message: bytes, code: grpc.StatusCode
) -> None:
    async with probed(tmp_path) as (_, probe):
        assert await asyncio.to_thread(probe.sends, method, message) is code


async def test_a_taken_health_port_is_said_clearly(shop: Shop, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, port=0, health_port=shop.port)
    with pytest.raises(ListenFailed, match=rf"127\.0\.0\.1:{shop.port}.* --health-port"):
        await Server(shop.engine, settings).start()
