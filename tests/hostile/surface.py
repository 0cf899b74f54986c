"""Every handler of the server without a wire: real handlers over a real engine, in this process.

A call goes the way that gRPC takes it: the method is looked up in the handlers that the server
registers, its bytes go through the registered reader, its answers through the registered writer.
Only the socket is left out, so that a call costs some hundred microseconds and its exceptions are
seen as they are.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import aclosing
from typing import Any, NoReturn

import grpc
import msgspec
from google.protobuf.descriptor import MethodDescriptor
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2

from domgrpc.engine.engine import Engine
from domgrpc.rpc.answering import STATUS_METADATA
from domgrpc.rpc.calls import Edge
from domgrpc.rpc.draining import Drain
from domgrpc.rpc.journal import CallLog
from domgrpc.rpc.registration import Handlers, service_descriptors
from domgrpc.rpc.services import add_services
from domgrpc.rpc.standard_services import REFLECTION_SERVICES, Health, add_reflection
from tests.hostile.verdicts import Ending

Metadata = tuple[tuple[str, str | bytes], ...]
ANSWERS_MAX = 4
"""Answers that are taken of a stream before it is left."""
STREAM_SECONDS_MAX = 2.0


class Method(msgspec.Struct, frozen=True):
    """A method that the server serves."""

    path: str
    descriptor: Any
    is_ours: bool

    @property
    def name(self) -> str:
        """The last word of its path."""
        return self.path.rpartition("/")[2]


class CallOver(Exception):
    """The handler ended its call with a status, as the exception of gRPC does."""


class CallContext:
    """What a handler asks of gRPC about its call."""

    def __init__(self, metadata: Metadata, seconds: float) -> None:
        self.code = grpc.StatusCode.OK
        self.message = ""
        self.trailer: Metadata = ()
        self.written: list[Any] = []
        self._metadata = metadata
        self._seconds = seconds

    def time_remaining(self) -> float:
        """Return the seconds until the caller's deadline."""
        return self._seconds

    def peer(self) -> str:
        """Return where the caller is."""
        return "ipv4:127.0.0.1:1"

    def invocation_metadata(self) -> Metadata:
        """Return what the caller sent beside its message."""
        return self._metadata

    def auth_context(self) -> Mapping[str, Iterable[bytes]]:
        """Return what TLS knows of the caller."""
        return {}

    def set_trailing_metadata(self, trailer: Metadata) -> None:
        """Send something beside the answer."""
        self.trailer = trailer

    def set_code(self, code: grpc.StatusCode) -> None:
        """Choose the status without ending the call."""
        self.code = code

    def set_details(self, message: str) -> None:
        """Choose the text of the status without ending the call."""
        self.message = message

    async def write(self, answer: object) -> None:
        """Send an answer of a stream."""
        self.written.append(answer)

    async def abort(
        self, code: grpc.StatusCode, message: str = "", trailer: Metadata = ()
    ) -> NoReturn:
        """End the call with a status."""
        self.code, self.message, self.trailer = code, message, trailer
        raise CallOver


class _Registered:
    """Takes the handlers that parts of the server register."""

    def __init__(self) -> None:
        self.handlers: list[grpc.GenericRpcHandler] = []

    def add_generic_rpc_handlers(self, handlers: Sequence[grpc.GenericRpcHandler]) -> None:
        """Take handlers as a server does."""
        self.handlers.extend(handlers)

    def add_registered_method_handlers(self, service_name: str, handlers: Handlers) -> None:
        """Do nothing about those whose calls wait in queues of their own: they come again."""


class _Details(msgspec.Struct, frozen=True):
    method: str
    invocation_metadata: Metadata = ()


class Surface:
    """The methods of a server over an engine. Made in the event loop of the engine."""

    def __init__(self, engine: Engine, *, call_log: str = "off") -> None:
        drain = Drain()
        registered: Any = _Registered()
        edge = Edge(engine, CallLog(call_log), drain, by_certificate=False)
        add_services(registered, edge, drain)
        Health(registered)
        add_reflection(registered)
        self._handlers: dict[str, Any] = {}
        for method in METHODS:
            found = [handler.service(_Details(method.path)) for handler in registered.handlers]
            (self._handlers[method.path],) = [handler for handler in found if handler is not None]

    async def call(
        self, method: Method, raws: Sequence[bytes], metadata: Metadata = (), seconds: float = 5.0
    ) -> Ending:
        """Make a call; methods that take one message are sent the first only."""
        context = CallContext(metadata, seconds)
        answers: list[bytes] = []
        raised = ""
        is_late = False
        try:
            async with asyncio.timeout(min(seconds, STREAM_SECONDS_MAX)):
                await self._run(self._handlers[method.path], raws, context, answers)
        except CallOver:
            pass
        except TimeoutError:
            is_late = True
            context.code = grpc.StatusCode.DEADLINE_EXCEEDED
        except Exception as fault:  # noqa: BLE001 - whatever it is, it is a finding
            raised = f"{type(fault).__name__}: {fault}"
        status = dict(context.trailer).get(STATUS_METADATA, b"")
        assert isinstance(status, bytes)
        return Ending(
            context.code,
            context.message,
            status,
            sum(len(name) + len(value) for name, value in context.trailer),
            tuple(answers),
            raised,
            bool(status) or (method.is_ours and not is_late),
        )

    async def _run(
        self,
        handler: Any,  # noqa: ANN401 - as gRPC keeps it, of any method
        raws: Sequence[bytes],
        context: CallContext,
        answers: list[bytes],
    ) -> None:
        read, write = handler.request_deserializer, handler.response_serializer
        if handler.unary_unary is not None:
            answer = await handler.unary_unary(read(raws[0]), context)
            if context.code is grpc.StatusCode.OK:
                answers.append(write(answer))
            return
        if handler.stream_stream is not None:
            streamed = handler.stream_stream(_sent(read, raws), context)
        else:
            streamed = handler.unary_stream(read(raws[0]), context)
        if asyncio.iscoroutine(streamed):
            await streamed
            return
        async with aclosing(streamed) as results:
            async for result in results:
                answers.append(write(result))
                if len(answers) >= ANSWERS_MAX:
                    return


async def _sent(read: Any, raws: Sequence[bytes]) -> AsyncIterator[Any]:  # noqa: ANN401 - a reader
    for raw in raws:
        yield read(raw)


def _methods() -> Iterable[Method]:
    for service in service_descriptors():
        yield from _of(service, service.full_name, is_ours=True)
    health = health_pb2.DESCRIPTOR.services_by_name["Health"]
    yield from (
        each for each in _of(health, health.full_name, is_ours=False) if each.name != "List"
    )
    reflection = reflection_pb2.DESCRIPTOR.services_by_name["ServerReflection"]
    for name in REFLECTION_SERVICES:
        yield from _of(reflection, name, is_ours=False)


def _of(service: Any, name: str, *, is_ours: bool) -> Iterable[Method]:  # noqa: ANN401
    descriptors: Sequence[MethodDescriptor] = service.methods
    return [Method(f"/{name}/{each.name}", each, is_ours) for each in descriptors]


METHODS: tuple[Method, ...] = tuple(_methods())
"""Every method that a server serves, the standard ones included."""
