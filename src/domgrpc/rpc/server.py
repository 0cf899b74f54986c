"""The server: puts the parts of the edge together, listens, and drains.

`Server` is made by the program and by tests alike. `serve` is what `domgrpc serve` runs: it opens
the engine, serves until SIGTERM or SIGINT, and drains. Draining goes: health says NOT_SERVING;
streams are told to connect again; further calls are refused; those under way may finish; refusals
are held back; when no more calls come, or after a while, the server stops and lets them go; the
engine closes.
"""

import asyncio
import ipaddress
import signal
from contextlib import suppress

import grpc
import grpc.aio
import structlog

from domgrpc.config import Settings
from domgrpc.core.state import State
from domgrpc.core.values import TimeMs
from domgrpc.engine.clock import SystemClock
from domgrpc.engine.engine import Engine, open_engine, tune_collector
from domgrpc.rpc.calls import Edge
from domgrpc.rpc.credentials import server_credentials
from domgrpc.rpc.draining import Drain
from domgrpc.rpc.health_port import HealthPort
from domgrpc.rpc.journal import CallLog, configure_journal
from domgrpc.rpc.malformed import check_parser
from domgrpc.rpc.postal_codes import prepare_postal_codes
from domgrpc.rpc.services import add_services
from domgrpc.rpc.standard_services import Health, add_reflection

_log = structlog.get_logger()

_MS_PER_SECOND = 1_000
_KEEPALIVE_SECONDS = 60
_KEEPALIVE_TIMEOUT_SECONDS = 20
_PING_INTERVAL_MS_MIN = 500
_HASTY_PINGS_MAX = 200
_METADATA_SIZE_BYTES_MAX = 8 * 1024
STREAMS_PER_CONNECTION_MAX = 1_024
"""Calls and streams of one connection at once, beyond which they are reset as UNAVAILABLE."""
_CONNECTION_AGE_GRACE_SECONDS = 30
_LAST_WORDS_SECONDS = 0.5
_QUIET_SECONDS = 0.2
"""When no call has come for so long, none waits inside gRPC any more."""
_PREPARE_SECONDS = 1.0
"""So soon after a start ZIP codes are unpacked where no order has asked for one."""
_REFUSING_SECONDS_MAX = 2.0
"""How long callers that do not wait before they try again can hold a drain up."""
CALLS_MAX = 20_000
"""Calls and streams under way at once; gRPC refuses more with RESOURCE_EXHAUSTED."""


class ListenFailed(Exception):
    """The address cannot be listened on; the message names it and what to do."""


class EngineFailed(Exception):
    """The engine cannot go on and answers nobody; `fault` says why. Restart to recover."""

    def __init__(self, fault: BaseException) -> None:
        """Carry the fault to whoever decides about the exit of the process."""
        super().__init__(f"the engine has failed: {_words_of(fault)}")
        self.fault = fault


def _words_of(fault: BaseException) -> str:
    if isinstance(fault, MemoryError):
        return (
            "there is no memory left; nothing that was answered is lost: give the server more, or "
            "let it keep less (kept_answers_max and the other limits), and start it again"
        )
    return str(fault) or type(fault).__name__


class Server:
    """One listening server over one engine. Starting and stopping happen once."""

    def __init__(self, engine: Engine, settings: Settings) -> None:
        """Register all services; nothing listens yet. Must be called in the event loop."""
        self._settings = settings
        self._engine = engine
        self._drain = Drain()
        self._server = grpc.aio.server(
            options=_options(settings), maximum_concurrent_rpcs=CALLS_MAX
        )
        edge = self._edge = Edge(
            engine,
            CallLog(settings.call_log),
            self._drain,
            by_certificate=settings.tls_client_ca_file is not None,
        )
        add_services(self._server, edge, self._drain)
        self._stopping: asyncio.Future[None] | None = None
        self._health = Health(self._server)
        add_reflection(self._server)
        self._health_port: HealthPort | None = None

    async def start(self) -> int:
        """Listen and return the port. Raises ListenFailed or InvalidSetting."""
        settings = self._settings
        address = _address(settings.host, settings.port)
        credentials = server_credentials(settings)
        port = _listen(self._server, address, credentials)
        facts: dict[str, int] = {}
        if settings.health_port is not None:
            facts["health_port"] = self._listen_for_health(settings.health_port, credentials)
        await self._server.start()
        await self._health.serving()
        if credentials is None and not _is_loopback(settings.host):
            _log.warning(
                "listening_without_tls",
                address=address,
                risk="anybody on the network can read and change stock",
                remedy="give a certificate and a key, or listen on 127.0.0.1",
            )
        _log.info("listening", host=settings.host, port=port, tls=credentials is not None, **facts)
        return port

    def _listen_for_health(self, port: int, credentials: grpc.ServerCredentials | None) -> int:
        self._health_port = HealthPort(self._engine.seconds, self._is_up)
        address = _address(self._settings.host, port)
        return self._health_port.start(lambda server: _listen(server, address, credentials))

    def _is_up(self) -> bool:
        # Asked by other threads: reads only.
        return not (self._drain.has_begun or self._engine.failed.done())

    async def stop(self, grace_seconds: float) -> None:
        """Drain: refuse further calls and give those under way so long to finish.

        Called again, it waits for the end of the first call.
        """
        if self._stopping is None:
            self._stopping = asyncio.ensure_future(self._stop(grace_seconds))
        await asyncio.shield(self._stopping)

    async def _stop(self, grace_seconds: float) -> None:
        await self._health.draining()
        self._drain.begin()
        # Watches sleep until something happens; this is something.
        self._engine.feed.wake()
        with suppress(TimeoutError):
            async with asyncio.timeout(max(grace_seconds, _LAST_WORDS_SECONDS)):
                await self._edge.until_idle()
                # What gRPC holds and Python has not begun would be cancelled without a reason.
                # Callers who try again at once are held back, or it would always hold some.
                self._drain.hold_refusals()
                async with asyncio.timeout(min(grace_seconds, _REFUSING_SECONDS_MAX)):
                    await self._drain.until_quiet(_QUIET_SECONDS)
        # Only now, and once: gRPC crashes where a handler speaks to a server that is gone, and
        # where it is stopped again while it stops. Who is left watches our health, has a last
        # answer on its way, or is cut off. Refusals go out behind the word that the connection
        # ends, so that nobody tries again on it.
        stopped = asyncio.ensure_future(self._server.stop(_LAST_WORDS_SECONDS))
        await asyncio.sleep(0)
        self._drain.let_go()
        await stopped
        if self._health_port is not None:
            self._health_port.stop()


async def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT, then drain.

    Raises what `open_engine` raises, ListenFailed, InvalidSetting, or EngineFailed where the
    engine failed under way. Signals are taken from the first moment, so that one that comes
    during recovery ends the program as soon as that is done.
    """
    settings.check()
    check_parser()
    configure_journal(settings.log_format)
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    engine = await open_engine(settings, clock=SystemClock())
    tune_collector()
    try:
        server = Server(engine, settings)
        if (await engine.read(_has_orders)).value:
            # Half a second, in which nobody must wait for an answer: now nobody does.
            prepare_postal_codes()
        await server.start()
        preparing = asyncio.ensure_future(_prepare_soon())
        await _until_stopped(engine, stopping)
        preparing.cancel()
        _log.info("draining", seconds=settings.drain_seconds)
        await server.stop(0.0 if engine.failed.done() else settings.drain_seconds)
    finally:
        await engine.close()
    if engine.failed.done():
        raise EngineFailed(engine.failed.result())
    _log.info("stopped")


def _has_orders(state: State, _now_ms: TimeMs) -> bool:
    return bool(state.orders.by_id)


async def _prepare_soon() -> None:
    # A shop without orders starts at once; its first order finds the data unpacked all the same.
    await asyncio.sleep(_PREPARE_SECONDS)
    try:
        await asyncio.to_thread(prepare_postal_codes)
    except Exception:  # noqa: BLE001 - whatever it is, only orders with such codes need it
        _log.exception("postal_codes_not_ready")


async def _until_stopped(engine: Engine, stopping: asyncio.Event) -> None:
    signalled = asyncio.ensure_future(stopping.wait())
    try:
        await asyncio.wait((signalled, engine.failed), return_when=asyncio.FIRST_COMPLETED)
    finally:
        signalled.cancel()


def _listen(
    server: grpc.aio.Server | grpc.Server,
    address: str,
    credentials: grpc.ServerCredentials | None,
) -> int:
    try:
        if credentials is None:
            return server.add_insecure_port(address)
        return server.add_secure_port(address, credentials)
    except RuntimeError:
        raise ListenFailed(
            f"cannot listen on {address}: the port is in use, the address is not one of this "
            "machine's, or it may not be used; choose another with --host and --port, "
            "or with --health-port"
        ) from None


def _address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _options(settings: Settings) -> list[tuple[str, int]]:
    age_ms = settings.max_connection_age_seconds * _MS_PER_SECOND
    return [
        # A second server on the port must fail, not share the calls.
        ("grpc.so_reuseport", 0),
        # Refused in the library's own threads, at a tenth of what a refusal costs in Python.
        ("grpc.server.max_pending_requests", settings.pending_calls_max),
        ("grpc.server.max_pending_requests_hard_limit", 2 * settings.pending_calls_max),
        ("grpc.max_receive_message_length", settings.receive_size_bytes_max),
        ("grpc.max_send_message_length", settings.send_size_bytes_max),
        # The same twice: between the two gRPC would refuse by the throw of a die.
        ("grpc.max_metadata_size", _METADATA_SIZE_BYTES_MAX),
        ("grpc.absolute_max_metadata_size", _METADATA_SIZE_BYTES_MAX),
        ("grpc.max_concurrent_streams", STREAMS_PER_CONNECTION_MAX),
        # Who connects and says nothing goes; so does who was served and says nothing more.
        ("grpc.server_handshake_timeout_ms", round(settings.handshake_seconds * _MS_PER_SECOND)),
        (
            "grpc.max_connection_idle_ms",
            round(settings.max_connection_idle_seconds * _MS_PER_SECOND),
        ),
        # Tills behind NAT ping every second to keep their connection; the default server cuts
        # such clients off. Who pings in a flood is cut off.
        ("grpc.http2.min_recv_ping_interval_without_data_ms", _PING_INTERVAL_MS_MIN),
        ("grpc.http2.max_ping_strikes", _HASTY_PINGS_MAX),
        ("grpc.keepalive_permit_without_calls", 1),
        # A peer that is gone without a word is noticed, and its streams end.
        ("grpc.keepalive_time_ms", _KEEPALIVE_SECONDS * _MS_PER_SECOND),
        ("grpc.keepalive_timeout_ms", _KEEPALIVE_TIMEOUT_SECONDS * _MS_PER_SECOND),
        ("grpc.http2.max_pings_without_data", 0),
        ("grpc.max_connection_age_ms", age_ms),
        ("grpc.max_connection_age_grace_ms", _CONNECTION_AGE_GRACE_SECONDS * _MS_PER_SECOND),
    ]
