"""What arrives: bytes that are no message, sizes, names of callers, callers that go away."""

import asyncio
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
from structlog.testing import capture_logs

from domgrpc.rpc.registration import service_descriptors
from domgrpc.v1 import admin_pb2, location_pb2
from domgrpc.v1.reservation_pb2 import ReserveStockRequest
from tests.rpc.serving import (
    Shop,
    asked,
    refusal,
    reserve_lines,
    serving,
    somebody_waits,
    within_time,
)


def raw(shop: Shop, method: str) -> "grpc.aio.UnaryUnaryMultiCallable[bytes, bytes]":
    """Return a method that sends and receives bytes as they are."""
    return shop.channel.unary_unary(f"/domgrpc.v1.{method}")


# --- bytes and sizes


async def test_bytes_that_are_no_message_are_an_invalid_argument(shop: Shop) -> None:
    for service in service_descriptors():
        for method in service.methods:
            if method.client_streaming:
                stream: Any = shop.channel.stream_stream(f"/{service.full_name}/{method.name}")()
                await stream.write(b"\xff\xff\xff")
                refused = await within_time(refusal(stream_end(stream)))
            elif method.server_streaming:
                watch: Any = shop.channel.unary_stream(f"/{service.full_name}/{method.name}")
                refused = await within_time(refusal(stream_end(watch(b"\xff\xff\xff"))))
            else:
                refused = await refusal(raw(shop, f"{service.name}/{method.name}")(b"\xff\xff"))
            assert (refused.code, refused.reason) == (
                grpc.StatusCode.INVALID_ARGUMENT,
                "MESSAGE_MALFORMED",
            )


async def stream_end(call: Any) -> None:  # noqa: ANN401 - a stream of either kind
    async for _ in call:
        continue


async def test_a_text_that_is_no_utf_8_is_malformed(shop: Shop) -> None:
    refused = await refusal(raw(shop, "InventoryService/GetPosition")(b"\x0a\x02\xc3\x28"))
    assert refused.reason == "MESSAGE_MALFORMED"


async def test_a_message_above_the_limit_is_refused_and_one_below_is_not(
    tmp_path: Path,
) -> None:
    async with serving(tmp_path, receive_size_bytes_max=64 * 1024) as shop:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await shop.add_location("x" * 70_000)
        assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert (await refusal(shop.add_location("x" * 60_000))).reason == "INVALID_FIELD"


async def test_gzip_is_accepted(shop: Shop) -> None:
    made = await shop.locations.CreateLocation(
        location_pb2.CreateLocationRequest(
            request_id="1",
            location=location_pb2.Location(
                location_id="a", type=location_pb2.LOCATION_TYPE_STORE, display_name="A" * 200
            ),
        ),
        compression=grpc.Compression.Gzip,
    )
    assert made.display_name == "A" * 200


async def test_an_unknown_method_is_unimplemented(shop: Shop) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await raw(shop, "OrderService/ForgetOrder")(b"")
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


# --- callers


async def test_a_caller_may_name_itself(shop: Shop) -> None:
    await shop.add_location("a")
    await shop.count(("A", "a", 1))
    request = ReserveStockRequest(request_id="1", lines=reserve_lines(("A", "a", 1)))
    held = await shop.reservations.ReserveStock(request, metadata=(("domgrpc-client", "till:7"),))
    assert held.client_id == "till:7"


@pytest.mark.parametrize("name", ["", "two words", "x" * 65, "a/b"])
async def test_a_malformed_client_name_is_refused(shop: Shop, name: str) -> None:
    refused = await refusal(
        shop.admin.GetStatus(admin_pb2.GetStatusRequest(), metadata=(("domgrpc-client", name),))
    )
    assert (refused.reason, refused.field) == ("INVALID_FIELD", "domgrpc-client")


@pytest.mark.slow
async def test_a_caller_that_goes_away_changed_stock_once_or_not_at_all(shop: Shop) -> None:
    await shop.add_location("a")
    await shop.count(("A", "a", 1_000))
    for number in range(60):
        request_id = f"gone-{number}"
        call = shop.reservations.ReserveStock(
            ReserveStockRequest(request_id=request_id, lines=reserve_lines(("A", "a", 1)))
        )
        for _ in range(number % 20):
            await asyncio.sleep(0)
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)
        await shop.hold(("A", "a", 1), request_id=request_id)
    assert (await shop.position("A", "a")).soft_reserved == 60


async def test_a_handler_ends_when_its_caller_is_gone(tmp_path: Path) -> None:
    async with serving(tmp_path, call_log="all") as shop:
        with capture_logs() as lines:
            waiting = shop.inventory.CheckAvailability(asked("A", min_revision=2))
            await somebody_waits(shop)
            waiting.cancel()
            line = await within_time(cancelled_line(shop, lines))
    assert line["method"] == "InventoryService/CheckAvailability"


async def cancelled_line(
    shop: Shop, lines: list[MutableMapping[str, Any]]
) -> MutableMapping[str, Any]:
    """Return the line of a call that was cancelled; asking meanwhile lets it end."""
    while True:
        for line in lines:
            if line.get("code") == "CANCELLED":
                return line
        await shop.admin.GetStatus(admin_pb2.GetStatusRequest())
