"""A server that stood still for longer than its callers wait does nothing for them afterwards."""

import asyncio
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest

from domgrpc.v1 import inventory_pb2, location_pb2, reservation_pb2
from domgrpc.v1.inventory_pb2_grpc import InventoryServiceStub
from domgrpc.v1.location_pb2_grpc import LocationServiceStub
from domgrpc.v1.reservation_pb2_grpc import ReservationServiceStub
from tests.faults.serving import SMALL_SEGMENTS, Serving
from tests.rpc.serving import counted, reserve_lines

CALL_COUNT = 40
SHORT_SECONDS = 0.5


def hold(number: int) -> reservation_pb2.ReserveStockRequest:
    """Hold one unit."""
    lines = reserve_lines(("tea", "north", 1))
    return reservation_pb2.ReserveStockRequest(request_id=f"late-{number}", lines=lines)


async def open_shop(channel: grpc.aio.Channel) -> None:
    """Have a thousand units at one place."""
    location = location_pb2.Location(location_id="north", type=location_pb2.LOCATION_TYPE_STORE)
    await LocationServiceStub(channel).CreateLocation(
        location_pb2.CreateLocationRequest(request_id="place", location=location)
    )
    updates = [counted("tea", "north", 1_000)]
    await InventoryServiceStub(channel).UpdateStock(
        inventory_pb2.UpdateStockRequest(request_id="stock", updates=updates)
    )


async def code_of(call: "grpc.aio.UnaryUnaryCall[Any, Any]") -> grpc.StatusCode:
    """Return how a call ended."""
    return await call.code()


async def held_units(channel: grpc.aio.Channel) -> int:
    """Return how many units are held."""
    position = await InventoryServiceStub(channel).GetPosition(
        inventory_pb2.GetPositionRequest(sku="tea", location_id="north")
    )
    return int(position.soft_reserved)


@pytest.mark.slow
async def test_requests_whose_callers_are_gone_when_it_wakes_up_have_no_effect(
    tmp_path: Path,
) -> None:
    serving = Serving(tmp_path, *SMALL_SEGMENTS)
    serving.start()
    try:
        async with grpc.aio.insecure_channel(await serving.target()) as channel:
            await open_shop(channel)
            stub = ReservationServiceStub(channel)
            serving.stand_still()
            calls = [stub.ReserveStock(hold(n), timeout=SHORT_SECONDS) for n in range(CALL_COUNT)]
            codes = await asyncio.gather(*map(code_of, calls))
            assert set(codes) == {grpc.StatusCode.DEADLINE_EXCEEDED}
            serving.go_on()
            # On the same connection, so read by the server behind those.
            assert await held_units(channel) == 0
            again = await asyncio.gather(*(stub.ReserveStock(hold(n)) for n in range(CALL_COUNT)))
            assert len({each.reservation_id for each in again}) == CALL_COUNT
            assert await held_units(channel) == CALL_COUNT
    finally:
        serving.end()
