"""A real server in the test's own event loop: listening on 127.0.0.1, on a folder of the test.

`Shop` holds the server, its engine and a stub for each service; `serving` starts and stops one.
The wall clock stands still until a test moves it; the rest is as in production. The functions
below read errors and write messages in few words.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Iterable, Sequence
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from time import perf_counter
from typing import Any, TypeAlias, TypeVar

import grpc
import grpc.aio
import msgspec
import pytest
from google.protobuf.message import Message
from google.rpc import error_details_pb2
from google.rpc.status_pb2 import Status
from grpc_status import rpc_status

from domgrpc.config import Settings
from domgrpc.core.values import TimeMs
from domgrpc.engine.engine import Engine, start_engine
from domgrpc.rpc.postal_codes import prepare_postal_codes
from domgrpc.rpc.server import Server
from domgrpc.storage.disk import Disk, LocalDisk
from domgrpc.v1 import (
    admin_pb2,
    inventory_pb2,
    location_pb2,
    reservation_pb2,
)
from domgrpc.v1.admin_pb2_grpc import AdminServiceStub
from domgrpc.v1.inventory_pb2_grpc import InventoryServiceStub
from domgrpc.v1.location_pb2_grpc import LocationServiceStub
from domgrpc.v1.logistics_pb2_grpc import LogisticsServiceStub
from domgrpc.v1.order_pb2_grpc import OrderServiceStub
from domgrpc.v1.pipeline_pb2_grpc import PipelineServiceStub
from domgrpc.v1.product_pb2_grpc import ProductServiceStub
from domgrpc.v1.reservation_pb2_grpc import ReservationServiceStub
from domgrpc.v1.routing_pb2_grpc import RoutingServiceStub

NOON_MS = 1_750_000_000_000
"""When every test begins."""
WAIT_SECONDS = 10.0
"""How long a test waits for what must come; only a broken server lets it wait so long."""

Field: TypeAlias = Any
"""What a field of a message, or a setting, takes."""
Detail = TypeVar("Detail", bound=Message)
T = TypeVar("T")


class HandClock:
    """A clock that tests move by hand; it also goes on by itself, without the wall clock."""

    def __init__(self) -> None:
        self.now_ms = NOON_MS

    def wall_ms(self) -> TimeMs:
        """Return the time that the test has set."""
        return TimeMs(self.now_ms)

    def seconds(self) -> float:
        """Return the steady clock, for which the time that a test skips has passed too."""
        return perf_counter() + (self.now_ms - NOON_MS) / 1_000


class Shop:
    """A running server and what talks to it."""

    def __init__(self, server: Server, engine: Engine, clock: HandClock, port: int) -> None:
        self.server = server
        self.engine = engine
        self.clock = clock
        self.port = port
        self._numbers = count(1)
        self.talk_through(grpc.aio.insecure_channel(self.address))

    def talk_through(self, channel: grpc.aio.Channel) -> None:
        """Use a channel for every call from now on."""
        self.channel = channel
        self.locations = LocationServiceStub(self.channel)
        self.products = ProductServiceStub(self.channel)
        self.inventory = InventoryServiceStub(self.channel)
        self.reservations = ReservationServiceStub(self.channel)
        self.logistics = LogisticsServiceStub(self.channel)
        self.routing = RoutingServiceStub(self.channel)
        self.orders = OrderServiceStub(self.channel)
        self.pipeline = PipelineServiceStub(self.channel)
        self.routing = RoutingServiceStub(self.channel)
        self.admin = AdminServiceStub(self.channel)

    @property
    def address(self) -> str:
        """Where the server listens."""
        return f"127.0.0.1:{self.port}"

    def key(self) -> str:
        """Return a request id that was not used yet."""
        return f"request-{next(self._numbers)}"

    async def add_location(self, location_id: str, **fields: Field) -> location_pb2.Location:
        """Create a store."""
        fields.setdefault("type", location_pb2.LOCATION_TYPE_STORE)
        location = location_pb2.Location(location_id=location_id, **fields)
        return await self.locations.CreateLocation(
            location_pb2.CreateLocationRequest(request_id=self.key(), location=location)
        )

    async def add_group(self, group_id: str, *location_ids: str) -> location_pb2.LocationGroup:
        """Create a group of locations."""
        group = location_pb2.LocationGroup(group_id=group_id, location_ids=location_ids)
        return await self.locations.CreateLocationGroup(
            location_pb2.CreateLocationGroupRequest(request_id=self.key(), group=group)
        )

    async def count(self, *counts: tuple[str, str, int]) -> inventory_pb2.UpdateStockResponse:
        """Count stock: (SKU, location, units)."""
        return await self.inventory.UpdateStock(
            inventory_pb2.UpdateStockRequest(
                request_id=self.key(), updates=[counted(*each) for each in counts]
            )
        )

    async def hold(
        self, *lines: tuple[str, str, int], **fields: Field
    ) -> reservation_pb2.Reservation:
        """Hold stock: (SKU, location, units)."""
        fields.setdefault("request_id", self.key())
        return await self.reservations.ReserveStock(
            reservation_pb2.ReserveStockRequest(lines=reserve_lines(*lines), **fields)
        )

    async def position(self, sku: str, location_id: str) -> inventory_pb2.InventoryPosition:
        """Return the figures of one SKU at one location."""
        return await self.inventory.GetPosition(
            inventory_pb2.GetPositionRequest(sku=sku, location_id=location_id)
        )


@asynccontextmanager
async def serving(
    folder: Path,
    *,
    clock: HandClock | None = None,
    disk: Disk | None = None,
    **settings: Field,
) -> AsyncIterator[Shop]:
    """Run a server on a folder; small segments and no snapshots unless the settings say so."""
    chosen = Settings(
        data_dir=folder,
        port=0,
        segment_size_bytes=2 * 1024 * 1024,
        snapshot_log_bytes=0,
        call_log="off",
    )
    chosen = msgspec.structs.replace(chosen, **settings)
    prepare_postal_codes()
    clock = clock or HandClock()
    engine = start_engine(chosen, clock=clock, disk=disk or LocalDisk(folder))
    server = Server(engine, chosen)
    try:
        shop = Shop(server, engine, clock, await server.start())
        try:
            yield shop
        finally:
            await shop.channel.close()
            await server.stop(0)
    finally:
        await engine.close()


# --- errors


class Refusal:
    """An error that a call was answered with, taken apart."""

    def __init__(self, status: Status) -> None:
        self.status = status
        self.code = next(code for code in grpc.StatusCode if code.value[0] == status.code)
        info = self.detail(error_details_pb2.ErrorInfo)
        assert info.domain == "domgrpc"
        self.reason = info.reason
        self.facts = dict(info.metadata)
        self.message = status.message

    def detail(self, kind: type[Detail]) -> Detail:
        """Return the detail of a kind."""
        (found,) = self.details(kind)
        return found

    def details(self, kind: type[Detail]) -> list[Detail]:
        """Return all details of a kind."""
        found = []
        for packed in self.status.details:
            message = kind()
            if packed.Unpack(message):
                found.append(message)
        return found

    @property
    def field(self) -> str:
        """The field of the request that is wrong."""
        (violation,) = self.detail(error_details_pb2.BadRequest).field_violations
        return violation.field


async def refusal(call: Awaitable[object]) -> Refusal:
    """Make a call that must be refused, and take its error apart."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return refusal_of(caught.value)


def refusal_of(error: grpc.aio.AioRpcError) -> Refusal:
    """Take the error of a call apart, as any client can by the standard library for it."""
    # The library wants the two methods below, which an error of asyncio's kind has too.
    status: Status | None = rpc_status.from_call(error)  # type: ignore[arg-type]
    assert status is not None, error
    assert status.code == error.code().value[0]
    assert status.message == error.details()
    return Refusal(status)


# --- messages


def counted(sku: str, location_id: str, on_hand: int) -> inventory_pb2.StockUpdate:
    """Return an update that counts."""
    return inventory_pb2.StockUpdate(
        sku=sku, location_id=location_id, count=inventory_pb2.StockCount(on_hand=on_hand)
    )


def adjusted(sku: str, location_id: str, delta: int) -> inventory_pb2.StockUpdate:
    """Return an update that adjusts."""
    return inventory_pb2.StockUpdate(
        sku=sku, location_id=location_id, adjustment=inventory_pb2.StockAdjustment(delta=delta)
    )


def reserve_lines(*lines: tuple[str, str, int]) -> Sequence[reservation_pb2.ReserveLine]:
    """Return lines to hold: (SKU, location, units)."""
    return [
        reservation_pb2.ReserveLine(sku=sku, location_id=location_id, quantity=quantity)
        for sku, location_id, quantity in lines
    ]


def asked(*skus: str, **fields: Field) -> inventory_pb2.CheckAvailabilityRequest:
    """Return a question about SKUs."""
    items = [inventory_pb2.AvailabilityItem(sku=sku) for sku in skus]
    return inventory_pb2.CheckAvailabilityRequest(items=items, **fields)


async def within_time(awaited: Awaitable[T]) -> T:
    """Wait for what must come soon."""
    async with asyncio.timeout(WAIT_SECONDS):
        return await awaited


async def trailer(call: "grpc.aio.UnaryUnaryCall[Any, Any]") -> dict[str, Any]:
    """Return the trailing metadata of a call."""
    pairs: Iterable[tuple[str, Any]] = await call.trailing_metadata() or ()
    return dict(pairs)


async def somebody_waits(shop: Shop) -> None:
    """Return when a call waits for a revision; asking meanwhile lets it come so far."""
    async with asyncio.timeout(WAIT_SECONDS):
        while not shop.engine.feed.waiting_count:
            await shop.admin.GetStatus(admin_pb2.GetStatusRequest())
