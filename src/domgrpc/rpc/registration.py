"""Registers the services of domgrpc.v1 with a gRPC server, from their descriptors.

The generated registration functions are not used: they deserialize in a way that answers broken
bytes with UNKNOWN and the name of a Python class. Here malformed.py reads them, and the wrapper of
the method refuses what it could not read. A method without a handler fails at the start.
"""

from collections.abc import Iterator
from typing import Any

import grpc
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


def service_handler(
    edge: Edge, service: ServiceDescriptor, handlers: object
) -> grpc.GenericRpcHandler:
    """Return what a gRPC server needs to serve a service; its methods are those of `handlers`."""
    return grpc.method_handlers_generic_handler(
        service.full_name,
        {
            method.name: _method_handler(
                edge, f"{service.name}/{method.name}", method, getattr(handlers, method.name)
            )
            for method in service.methods
        },
    )


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
