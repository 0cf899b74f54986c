"""Registers the services of domgrpc.v1 with a gRPC server, from their descriptors.

The generated registration functions are not used: they deserialize in a way that answers broken
bytes with UNKNOWN and the name of a Python class. Here malformed.py reads them, and the wrapper of
the method refuses what it could not read. A method without a handler fails at the start.

gRPC hands the calls of all methods over one by one, in the order in which they came: whoever fills
that queue holds everybody up. The calls of some methods wait in queues of their own.
"""

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

import grpc
import grpc.aio
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message_factory import GetMessageClass

from domgrpc.rpc.allowances import allowance_of
from domgrpc.rpc.answering import streaming, unary
from domgrpc.rpc.calls import Edge
from domgrpc.rpc.malformed import parser
from domgrpc.v1 import (
    admin_pb2,
    inventory_pb2,
    location_pb2,
    logistics_pb2,
    order_pb2,
    pipeline_pb2,
    product_pb2,
    reservation_pb2,
    routing_pb2,
)

_FILES = (
    location_pb2,
    product_pb2,
    inventory_pb2,
    reservation_pb2,
    logistics_pb2,
    order_pb2,
    routing_pb2,
    pipeline_pb2,
    admin_pb2,
)


def service_descriptors() -> Iterator[ServiceDescriptor]:
    """Iterate the services of the API."""
    for file in _FILES:
        yield from file.DESCRIPTOR.services_by_name.values()


# Each makes every call a little dearer, whatever its method: gRPC looks at all queues each time.
QUEUED_ALONE = frozenset(
    {
        "grpc.health.v1.Health/Check",
        "domgrpc.v1.InventoryService/CheckAvailability",
        "domgrpc.v1.InventoryService/GetPosition",
        "domgrpc.v1.ReservationService/ReserveStock",
        "domgrpc.v1.ReservationService/ConfirmReservation",
        "domgrpc.v1.ReservationService/ReleaseReservation",
        "domgrpc.v1.OrderService/PlaceOrder",
        "domgrpc.v1.PipelineService/Execute",
    }
)
"""What customers and probes wait for, and what many operations are sent by."""

Handlers: TypeAlias = Mapping[str, "grpc.RpcMethodHandler[Any, Any]"]
"""By the name of the method."""


def register(server: grpc.aio.Server, service_name: str, handlers: Handlers) -> None:
    """Have a server that has not started serve a service."""
    alone = {name: each for name, each in handlers.items() if _is_alone(service_name, name)}
    server.add_registered_method_handlers(service_name, alone)
    # All of them in the common way too: before grpcio 1.84 the line above does nothing.
    every = grpc.method_handlers_generic_handler(service_name, dict(handlers))
    server.add_generic_rpc_handlers((every,))


def _is_alone(service_name: str, method_name: str) -> bool:
    return f"{service_name}/{method_name}" in QUEUED_ALONE


def handlers_of(edge: Edge, service: ServiceDescriptor, implementation: object) -> Handlers:
    """Return what serves each method of a service: the methods of `implementation`."""
    return {
        method.name: _method_handler(
            edge, f"{service.name}/{method.name}", method, getattr(implementation, method.name)
        )
        for method in service.methods
    }


def _method_handler(
    edge: Edge,
    name: str,
    method: MethodDescriptor,
    handle: Any,  # noqa: ANN401 - the descriptor says which kind of handler it is
) -> "grpc.RpcMethodHandler[Any, Any]":
    parse = parser(GetMessageClass(method.input_type))
    serialize = GetMessageClass(method.output_type).SerializeToString
    if method.client_streaming:
        return grpc.stream_stream_rpc_method_handler(
            streaming(edge, name, handle), parse, serialize
        )
    if method.server_streaming:
        return grpc.unary_stream_rpc_method_handler(streaming(edge, name, handle), parse, serialize)
    allowance = allowance_of(f"{method.containing_service.full_name}/{method.name}")
    return grpc.unary_unary_rpc_method_handler(
        unary(edge, name, handle, allowance), parse, serialize
    )
