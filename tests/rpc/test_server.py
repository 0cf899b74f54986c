"""The server around the services: health, reflection, draining, listening."""

import asyncio
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.rpc.error_details_pb2 import RetryInfo
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2
from grpc_status import rpc_status
from structlog.testing import capture_logs

from domgrpc.config import InvalidSetting, Settings
from domgrpc.core.locations import CreateLocation, LocationFields
from domgrpc.core.machine import Request
from domgrpc.core.values import ClientId, LocationId, LocationType, RequestId
from domgrpc.rpc.registration import service_descriptors
from domgrpc.rpc.server import ListenFailed, Server
from domgrpc.v1.inventory_pb2_grpc import InventoryServiceStub
from tests.rpc.serving import (
    WAIT_SECONDS,
    Shop,
    asked,
    refusal,
    refusal_of,
    serving,
    somebody_waits,
    within_time,
)

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
SETTINGS, PING, GOAWAY, ACK = 4, 6, 7, 1
"""Kinds of HTTP/2 frames, and the flag of an answer."""
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
SERVICES = [service.full_name for service in service_descriptors()]


def health(shop: Shop) -> Any:  # noqa: ANN401 - its types do not know its methods
    return health_pb2_grpc.HealthStub(shop.channel)


async def test_health_speaks_of_the_server_and_of_each_service(shop: Shop) -> None:
    for service in ("", *SERVICES):
        answer = await health(shop).Check(health_pb2.HealthCheckRequest(service=service))
        assert answer.status == SERVING


async def test_a_draining_server_says_first_that_it_does_not_serve(tmp_path: Path) -> None:
    async with serving(tmp_path) as shop:
        watch = health(shop).Watch(health_pb2.HealthCheckRequest())
        assert (await within_time(watch.read())).status == SERVING
        stopping = asyncio.ensure_future(shop.server.stop(0.1))
        assert (await within_time(watch.read())).status == NOT_SERVING
        watch.cancel()
        await within_time(stopping)


@pytest.mark.slow
async def test_a_watcher_of_health_does_not_hold_a_draining_server_up(tmp_path: Path) -> None:
    async with serving(tmp_path) as shop:
        watch = health(shop).Watch(health_pb2.HealthCheckRequest())
        assert (await within_time(watch.read())).status == SERVING
        await within_time(shop.server.stop(600))


@pytest.mark.slow
async def test_a_draining_server_finishes_the_calls_under_way(tmp_path: Path) -> None:
    async with serving(tmp_path) as shop:
        waiting = asyncio.ensure_future(
            shop.inventory.CheckAvailability(asked("A", min_revision=1), timeout=WAIT_SECONDS)
        )
        await somebody_waits(shop)
        stopping = asyncio.ensure_future(shop.server.stop(WAIT_SECONDS))
        await asyncio.sleep(0)
        assert (await refusal(shop.add_location("b"))).reason == "SERVER_DRAINING"
        # No call gets in any more, but the engine still works.
        fields = LocationFields(type=LocationType.STORE)
        command = CreateLocation(location_id=LocationId("a"), fields=fields)
        await shop.engine.submit(Request(command, ClientId("timer"), RequestId("1"), 0))
        assert (await within_time(waiting)).revision == 1
        await within_time(stopping)


@pytest.mark.slow
async def test_calls_that_reach_a_server_as_it_goes_down_are_refused_with_a_reason(
    tmp_path: Path,
) -> None:
    async with serving(tmp_path) as shop:
        await shop.add_location("a")
        # gRPC holds some of them when the drain begins, and more come while it lasts.
        calls = [asyncio.ensure_future(shop.add_location(f"b{number}")) for number in range(300)]
        stopping = asyncio.ensure_future(shop.server.stop(WAIT_SECONDS))
        ended = await within_time(asyncio.gather(*calls, return_exceptions=True))
        await within_time(stopping)
    errors = [end for end in ended if isinstance(end, grpc.aio.AioRpcError)]
    assert {refusal_of(error).reason for error in errors} == {"SERVER_DRAINING"}


@pytest.mark.slow
async def test_callers_that_try_again_at_once_are_told_to_come_back_and_never_cut_off(
    tmp_path: Path,
) -> None:
    async with serving(tmp_path) as shop:
        await shop.add_location("a")
        await shop.count(("A", "a", 1))
        callers = [asyncio.ensure_future(last_words(shop)) for _ in range(40)]
        stopping = asyncio.ensure_future(shop.server.stop(WAIT_SECONDS))
        ended = await within_time(asyncio.gather(*callers))
        await within_time(stopping)
    assert {error.code() for error in ended} == {grpc.StatusCode.UNAVAILABLE}


async def last_words(shop: Shop) -> grpc.aio.AioRpcError:
    """Call until the server is gone; return how that was told."""
    while True:
        try:
            await shop.position("A", "a")
        except grpc.aio.AioRpcError as error:
            if rpc_status.from_call(error) is None:  # type: ignore[arg-type] # reads metadata only
                return error
            told = refusal_of(error)
        else:
            continue
        assert told.reason == "SERVER_DRAINING"
        assert told.detail(RetryInfo).retry_delay.ToMilliseconds() > 0


@pytest.mark.slow
async def test_a_burst_of_many_calls_is_answered(shop: Shop) -> None:
    # Over several connections, as one may have so many calls only.
    own = (("grpc.use_local_subchannel_pool", 1),)
    channels = [grpc.aio.insecure_channel(shop.address, options=own) for _ in range(4)]
    stubs = [InventoryServiceStub(channel) for channel in channels]
    calls = [
        stub.CheckAvailability(asked("A"), timeout=WAIT_SECONDS)
        for stub in stubs
        for _ in range(600)
    ]
    ended = await asyncio.gather(*calls, return_exceptions=True)
    for channel in channels:
        await channel.close()
    assert not [end for end in ended if isinstance(end, BaseException)]


@pytest.mark.parametrize("version", ["v1", "v1alpha"])
async def test_reflection_answers_under_both_of_its_names(shop: Shop, version: str) -> None:
    call: Any = shop.channel.stream_stream(
        f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo",
        request_serializer=reflection_pb2.ServerReflectionRequest.SerializeToString,
        response_deserializer=reflection_pb2.ServerReflectionResponse.FromString,
    )()
    await call.write(reflection_pb2.ServerReflectionRequest(list_services=""))
    listed = await within_time(call.read())
    names = {service.name for service in listed.list_services_response.service}
    assert names >= {
        *SERVICES,
        "grpc.health.v1.Health",
        f"grpc.reflection.{version}.ServerReflection",
    }
    symbol = "domgrpc.v1.InventoryService"
    await call.write(reflection_pb2.ServerReflectionRequest(file_containing_symbol=symbol))
    answer = await within_time(call.read())
    files = [
        FileDescriptorProto.FromString(file).name
        for file in answer.file_descriptor_response.file_descriptor_proto
    ]
    assert "domgrpc/v1/inventory.proto" in files
    await call.done_writing()


async def test_a_taken_port_is_said_clearly(shop: Shop, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, port=shop.port)
    with pytest.raises(ListenFailed, match=rf"cannot listen on 127\.0\.0\.1:{shop.port}"):
        await Server(shop.engine, settings).start()


def test_a_segment_that_is_not_made_of_whole_sectors_is_refused(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, segment_size_bytes=40_000_000)
    with pytest.raises(InvalidSetting, match="segment_size_bytes is 40000000; a multiple of 4096"):
        settings.check()
    Settings(data_dir=tmp_path, segment_size_bytes=40_960_000).check()


async def test_listening_openly_without_tls_is_warned_of_loudly(tmp_path: Path) -> None:
    with capture_logs() as lines:
        async with serving(tmp_path, host="0.0.0.0"):  # noqa: S104 - what is warned of
            warnings = [line for line in lines if line["log_level"] == "warning"]
    assert [warning["event"] for warning in warnings] == ["listening_without_tls"]


async def test_a_certificate_that_cannot_be_read_is_said_clearly(
    shop: Shop, tmp_path: Path
) -> None:
    settings = Settings(
        data_dir=tmp_path,
        port=0,
        tls_certificate_file=tmp_path / "none.pem",
        tls_key_file=tmp_path / "none.key",
    )
    with pytest.raises(InvalidSetting, match=r"tls_certificate_file: .* cannot be read"):
        await Server(shop.engine, settings).start()


async def test_a_client_that_pings_all_the_time_is_not_cut_off(shop: Shop) -> None:
    # As HTTP/2 frames, because gRPC's own client pings once a second at most; the default server
    # takes offence at the third ping and says so in a GOAWAY.
    reader, writer = await asyncio.open_connection("127.0.0.1", shop.port)
    writer.write(PREFACE + frame(SETTINGS, b""))
    for _ in range(10):
        writer.write(frame(PING, b"till-NAT"))
        kind = flags = -1
        while (kind, flags) != (PING, ACK):
            header = await within_time(reader.readexactly(9))
            await within_time(reader.readexactly(int.from_bytes(header[:3], "big")))
            kind, flags = header[3], header[4]
            assert kind != GOAWAY
    writer.close()
    await writer.wait_closed()


def frame(kind: int, payload: bytes) -> bytes:
    """Return a frame of HTTP/2 for the connection as a whole."""
    return len(payload).to_bytes(3, "big") + bytes([kind, 0]) + bytes(4) + payload
