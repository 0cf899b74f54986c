"""Health on a port of its own: answers also while the event loop hangs.

A small server of gRPC's threaded kind, in the same process, that knows one method of
`grpc.health.v1` and nothing of stock: NOT_SERVING while the server goes down, has failed, or has
been silent for a second. docs/decisions/0011-health-port.md says why it is not the main port.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from google.rpc.status_pb2 import Status
from grpc_health.v1 import health_pb2

from domgrpc.rpc.answering import STATUS_METADATA
from domgrpc.rpc.calls import malformed
from domgrpc.rpc.heartbeat import Heartbeat
from domgrpc.rpc.malformed import parser
from domgrpc.rpc.registration import service_descriptors
from domgrpc.rpc.standard_services import HEALTH_SERVICE
from domgrpc.rpc.status import code_of, fill_status

_THREADS = 2
_CALLS_MAX = 16
"""Calls under way at once; gRPC refuses more with RESOURCE_EXHAUSTED."""
_STOP_SECONDS_MAX = 1.0
_OPTIONS = (
    # A second server on the port must fail, not share the calls.
    ("grpc.so_reuseport", 0),
    ("grpc.max_concurrent_streams", _CALLS_MAX),
    ("grpc.max_receive_message_length", 1_024),
    ("grpc.max_metadata_size", 8 * 1_024),
    ("grpc.absolute_max_metadata_size", 8 * 1_024),
    ("grpc.server_handshake_timeout_ms", 10_000),
    ("grpc.max_connection_idle_ms", 300_000),
)


class HealthPort:
    """The threaded server, and the heartbeat of the event loop that it was started in."""

    def __init__(self, now: Callable[[], float], is_up: Callable[[], bool]) -> None:
        """Register the method; nothing listens yet. Threads will call both arguments."""
        self._now = now
        self._is_up = is_up
        self._heartbeat: Heartbeat | None = None
        self._parse = parser(health_pb2.HealthCheckRequest)
        self._services = frozenset(("", *(each.full_name for each in service_descriptors())))
        self._server = grpc.server(
            ThreadPoolExecutor(_THREADS, "health"),
            options=_OPTIONS,
            maximum_concurrent_rpcs=_CALLS_MAX,
        )
        check: grpc.RpcMethodHandler[Any, Any] = grpc.unary_unary_rpc_method_handler(
            self._check, response_serializer=health_pb2.HealthCheckResponse.SerializeToString
        )
        handler = grpc.method_handlers_generic_handler(HEALTH_SERVICE, {"Check": check})
        self._server.add_generic_rpc_handlers((handler,))

    def start(self, listen: Callable[[grpc.Server], int]) -> int:
        """Listen, and watch the running loop from now on; return what `listen` does, the port."""
        port = listen(self._server)
        self._heartbeat = Heartbeat(self._now)
        self._server.start()
        return port

    def stop(self) -> None:
        """Answer no more; takes some milliseconds."""
        if self._heartbeat is not None:
            self._heartbeat.stop()
        self._server.stop(None).wait(_STOP_SECONDS_MAX)

    def _check(self, raw: bytes, context: grpc.ServicerContext) -> health_pb2.HealthCheckResponse:
        # Read here: what gRPC itself cannot read it refuses as INTERNAL.
        request: Any = self._parse(raw)
        if request is None:
            _abort_malformed(context)
        elif request.service not in self._services:
            context.abort(grpc.StatusCode.NOT_FOUND, "there is no such service")
        serving = health_pb2.HealthCheckResponse.SERVING
        not_serving = health_pb2.HealthCheckResponse.NOT_SERVING
        status = serving if self._is_serving() else not_serving
        return health_pb2.HealthCheckResponse(status=status)

    def _is_serving(self) -> bool:
        return self._is_up() and self._heartbeat is not None and not self._heartbeat.is_still()


def _abort_malformed(context: grpc.ServicerContext) -> None:
    problem = malformed()
    status = Status()
    fill_status(status, problem)
    context.set_trailing_metadata(((STATUS_METADATA, status.SerializeToString()),))
    context.abort(code_of(problem), status.message)
