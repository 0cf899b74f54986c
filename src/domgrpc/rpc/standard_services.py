"""The standard services beside ours: health, and reflection under both of its names.

grpcio-reflection serves `grpc.reflection.v1alpha` only. The messages of v1 have the same bytes, so
the same servicer answers under the v1 name too. The registration functions of both libraries are
not used, because they answer broken bytes with UNKNOWN and the name of a Python class.
"""

from typing import Any

import grpc
import grpc.aio
from grpc_health.v1 import health_pb2
from grpc_health.v1.health import aio as health
from grpc_reflection.v1alpha import reflection, reflection_pb2

from domgrpc.rpc.malformed import parser, refusing, refusing_streams
from domgrpc.rpc.registration import Handlers, register, service_descriptors

REFLECTION_SERVICES = (reflection.SERVICE_NAME, "grpc.reflection.v1.ServerReflection")
HEALTH_SERVICE = "grpc.health.v1.Health"
_SERVER = ""
"""The name under which health speaks of the server as a whole."""


class Health:
    """What `grpc.health.v1` says of the server and of each service."""

    def __init__(self, server: grpc.aio.Server) -> None:
        """Register; everything is NOT_SERVING until `serving` is called."""
        self._servicer = health.HealthServicer()
        self._services = (_SERVER, *(service.full_name for service in service_descriptors()))
        register(server, HEALTH_SERVICE, _health_handlers(self._servicer))

    async def serving(self) -> None:
        """Say that every service serves."""
        for service in self._services:
            await self._servicer.set(service, health_pb2.HealthCheckResponse.SERVING)

    async def draining(self) -> None:
        """Say that no service serves any more, whatever is set later."""
        await self._servicer.enter_graceful_shutdown()


def _health_handlers(servicer: health.HealthServicer) -> Handlers:
    # The library knows no List in asyncio, so there is none: it would answer UNKNOWN.
    parse = parser(health_pb2.HealthCheckRequest)
    serialize = health_pb2.HealthCheckResponse.SerializeToString
    return {
        "Check": grpc.unary_unary_rpc_method_handler(refusing(servicer.Check), parse, serialize),
        "Watch": grpc.unary_stream_rpc_method_handler(refusing(servicer.Watch), parse, serialize),
    }


def add_reflection(server: grpc.aio.Server) -> None:
    """Serve reflection of our services under its v1 and its v1alpha name."""
    names = (
        *(service.full_name for service in service_descriptors()),
        HEALTH_SERVICE,
        *REFLECTION_SERVICES,
    )
    servicer: Any = reflection.aio.ReflectionServicer(names)
    for service_name in REFLECTION_SERVICES:
        handler = grpc.stream_stream_rpc_method_handler(
            refusing_streams(servicer.ServerReflectionInfo),
            request_deserializer=parser(reflection_pb2.ServerReflectionRequest),
            response_serializer=reflection_pb2.ServerReflectionResponse.SerializeToString,
        )
        register(server, service_name, {"ServerReflectionInfo": handler})
