"""Limits of one call and one connection: what is beyond them is refused, and the server lives."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
from google.protobuf.message_factory import GetMessageClass

from domgrpc.config import InvalidSetting, Settings
from domgrpc.rpc.malformed import check_parser, parser
from domgrpc.rpc.registration import service_descriptors
from domgrpc.rpc.wire_values import UNCOUNTED_BYTES_MAX, VALUES_MAX, has_few_values, shape_of
from domgrpc.v1.admin_pb2 import GetStatusRequest
from domgrpc.v1.inventory_pb2 import UpdateStockRequest
from tests.hostile.http2 import (
    DATA,
    END_HEADERS,
    END_STREAM,
    HEADERS,
    Wire,
    call_fields,
    frame,
    literals,
    message,
)
from tests.hostile.mutation import varint
from tests.rpc.serving import Shop, counted, refusal, serving, within_time

MIB = 1024 * 1024
PARTING_SECONDS = 0.3
STANDARD = (
    "/grpc.health.v1.Health/Check",
    "/grpc.health.v1.Health/Watch",
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
)
KINDS = [
    method.input_type
    for service in service_descriptors()
    for method in service.methods
    if any(field.is_repeated for field in method.input_type.fields)
]


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    """A server that waits for nobody long."""
    async with serving(
        tmp_path,
        handshake_seconds=PARTING_SECONDS,
        max_connection_idle_seconds=PARTING_SECONDS,
    ) as running:
        yield running


async def code_of_call(call: Any) -> grpc.StatusCode:  # noqa: ANN401 - a call of any kind
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await within_time(call)
    return caught.value.code()


# --- one call


@pytest.mark.parametrize("path", STANDARD)
async def test_broken_bytes_to_a_standard_service_are_an_invalid_argument(
    shop: Shop, path: str
) -> None:
    stream: Any = shop.channel.stream_stream(path)()
    await stream.write(b"\xff\xff\xff")
    await stream.done_writing()
    refused = await within_time(refusal(stream.read()))
    assert (refused.code, refused.reason) == (
        grpc.StatusCode.INVALID_ARGUMENT,
        "MESSAGE_MALFORMED",
    )


@pytest.mark.parametrize(
    "path",
    [
        "/grpc.health.v1.Health/List",
        "/grpc.channelz.v1.Channelz/GetServers",
        "/grpc.admin.v1.Admin/Get",
        "/domgrpc.v1.AdminService/Shutdown",
    ],
)
async def test_what_is_not_served_is_unimplemented(shop: Shop, path: str) -> None:
    method: Any = shop.channel.unary_unary(path)
    assert await code_of_call(method(b"")) is grpc.StatusCode.UNIMPLEMENTED


@pytest.mark.parametrize(
    "metadata",
    [
        (("x-long", "y" * 9_000),),
        tuple((f"x-{number}", "") for number in range(300)),
    ],
)
async def test_metadata_beyond_eight_kib_is_refused(
    shop: Shop, metadata: tuple[tuple[str, str], ...]
) -> None:
    call = shop.admin.GetStatus(GetStatusRequest(), metadata=metadata)
    # Far above the limit gRPC may close the connection instead of answering.
    codes = (grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.UNAVAILABLE)
    assert await code_of_call(call) in codes
    allowed = (("x-long", "y" * 5_000),)
    await shop.admin.GetStatus(GetStatusRequest(), metadata=allowed, wait_for_ready=True)


async def test_a_message_nested_too_deeply_is_malformed(shop: Shop) -> None:
    raw = b""
    for _ in range(120):
        raw = b"\x0b" + raw + b"\x0c"
    method: Any = shop.channel.unary_unary("/domgrpc.v1.InventoryService/GetPosition")
    assert (await within_time(refusal(method(raw)))).reason == "MESSAGE_MALFORMED"


@pytest.mark.slow
async def test_a_bomb_of_gzip_is_refused_before_it_is_unpacked(shop: Shop) -> None:
    wire = await Wire.open(shop.address)
    stream = wire.next_stream()
    begin = literals(
        call_fields(b"/domgrpc.v1.AdminService/GetStatus", (b"grpc-encoding", b"gzip"))
    )
    bomb = message(gzip.compress(bytes(40 * MIB), 9), compressed=True)
    await wire.send(frame(HEADERS, END_HEADERS, stream, begin))
    for start in range(0, len(bomb), 16_000):
        await wire.send(frame(DATA, 0, stream, bomb[start : start + 16_000]))
    await wire.send(frame(DATA, END_STREAM, stream))
    status = await shop.admin.GetStatus(GetStatusRequest())
    assert status.revision == 0
    await wire.close()


# --- values


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: str(kind.name))
def test_many_tiny_values_in_a_large_message_are_malformed(kind: Any) -> None:  # noqa: ANN401
    parse = parser(GetMessageClass(kind))
    for field in kind.fields:
        if field.is_repeated:
            entry = varint(field.number << 3 | 2) + b"\x00"
            assert parse(entry * (UNCOUNTED_BYTES_MAX // 2)) is not None
            assert parse(entry * (VALUES_MAX + 1)) is None


def test_values_inside_of_messages_are_counted_too() -> None:
    updates = UpdateStockRequest(updates=[counted("A", "a", 1)] * 10)
    raw = updates.SerializeToString()
    shape = shape_of(UpdateStockRequest.DESCRIPTOR)
    # An update, its SKU, its location, its count, and the number in that.
    assert has_few_values(raw, shape, 50)
    assert not has_few_values(raw, shape, 49)


@pytest.mark.parametrize(
    "raw",
    [b"\xff", b"\x0a", b"\x0a\xff\xff", b"\x0f", b"\x09\x00", b"\x08" + b"\xff" * 30, b"\x0b\x0c"],
)
def test_bytes_that_are_no_message_are_left_to_the_parser(raw: bytes) -> None:
    assert has_few_values(raw, {}, 10)


@pytest.mark.slow
def test_a_large_message_of_the_size_that_the_api_allows_is_read() -> None:
    request = UpdateStockRequest(request_id="x")
    for number in range(10_000):
        request.updates.append(counted(f"sku-{number:020}", f"location-{number % 1_000:04}", 1))
    raw = request.SerializeToString()
    assert len(raw) > UNCOUNTED_BYTES_MAX
    assert parser(UpdateStockRequest)(raw) == request


def test_the_parser_is_one_that_bounds_nesting(monkeypatch: pytest.MonkeyPatch) -> None:
    check_parser()
    monkeypatch.setattr("domgrpc.rpc.malformed.api_implementation.Type", lambda: "python")
    with pytest.raises(RuntimeError, match="does not bound how deeply messages nest"):
        check_parser()


# --- one connection


@pytest.mark.slow
async def test_a_socket_that_says_nothing_is_closed(shop: Shop) -> None:
    wire = await Wire.open(shop.address, greets=False)
    await within_time(wire.until_closed())
    await wire.close()


@pytest.mark.slow
async def test_a_connection_without_calls_is_closed(shop: Shop) -> None:
    wire = await Wire.open(shop.address)
    await within_time(wire.until_closed())
    assert wire.was_sent_away
    await wire.close()


@pytest.mark.slow
async def test_more_calls_at_once_than_a_small_limit_would_let_through_are_answered(
    shop: Shop,
) -> None:
    asked = (shop.admin.GetStatus(GetStatusRequest()) for _ in range(900))
    assert len(await within_time(asyncio.gather(*asked))) == 900


@pytest.mark.parametrize("name", ["handshake_seconds", "max_connection_idle_seconds"])
def test_a_connection_limit_of_nothing_is_no_setting(tmp_path: Path, name: str) -> None:
    fields: dict[str, Any] = {"data_dir": tmp_path, name: 0}
    with pytest.raises(InvalidSetting, match=name):
        Settings(**fields).check()
