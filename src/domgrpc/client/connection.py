"""The channel to a server: its options, TLS, and the stubs of every service on it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import grpc
import grpc.aio

from domgrpc.v1.admin_pb2_grpc import AdminServiceStub
from domgrpc.v1.inventory_pb2_grpc import InventoryServiceStub
from domgrpc.v1.location_pb2_grpc import LocationServiceStub
from domgrpc.v1.logistics_pb2_grpc import LogisticsServiceStub
from domgrpc.v1.order_pb2_grpc import OrderServiceStub
from domgrpc.v1.pipeline_pb2_grpc import PipelineServiceStub
from domgrpc.v1.product_pb2_grpc import ProductServiceStub
from domgrpc.v1.reservation_pb2_grpc import ReservationServiceStub
from domgrpc.v1.routing_pb2_grpc import RoutingServiceStub

RECEIVE_SIZE_BYTES_MAX: Final = 64 * 1024 * 1024
_OPTIONS: Final = (
    # An answer may be larger than what servers accept, by default 4 MiB.
    ("grpc.max_receive_message_length", RECEIVE_SIZE_BYTES_MAX),
    # The client repeats calls itself, with a budget and the same request_id.
    ("grpc.enable_retries", 0),
    # A server that restarts is found again at once, not after gRPC's default of a second or more.
    # The least backoff stays gRPC's own: it is also how long a server may take to greet, and one
    # on a busy machine may take a second.
    ("grpc.initial_reconnect_backoff_ms", 50),
    ("grpc.max_reconnect_backoff_ms", 1_000),
    # A connection that died without a word is noticed while calls or watches are open.
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    # Two clients in one process have two connections, and one's outage is not the other's.
    ("grpc.use_local_subchannel_pool", 1),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """How to speak TLS: whom to trust, and who we are where the server asks.

    Without `ca_file` the machine's own list of authorities holds. `certificate_file` and
    `key_file` go together. `server_name` is expected in the server's certificate in place of the
    host of the target.
    """

    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None
    server_name: str = ""


class Stubs:
    """The bound methods of every service on one channel."""

    __slots__ = (
        "admin",
        "inventory",
        "locations",
        "logistics",
        "orders",
        "pipeline",
        "products",
        "reservations",
        "routing",
    )

    def __init__(self, channel: grpc.aio.Channel) -> None:
        """Bind them."""
        self.admin = AdminServiceStub(channel)
        self.inventory = InventoryServiceStub(channel)
        self.locations = LocationServiceStub(channel)
        self.logistics = LogisticsServiceStub(channel)
        self.orders = OrderServiceStub(channel)
        self.pipeline = PipelineServiceStub(channel)
        self.products = ProductServiceStub(channel)
        self.reservations = ReservationServiceStub(channel)
        self.routing = RoutingServiceStub(channel)


def open_channel(target: str, tls: Tls | None) -> grpc.aio.Channel:
    """Return a channel to `host:port`; it connects when the first call is made.

    Raises OSError for a certificate file that cannot be read and ValueError for a certificate
    without its key.
    """
    if tls is None:
        return grpc.aio.insecure_channel(target, options=_OPTIONS)
    if (tls.certificate_file is None) != (tls.key_file is None):
        raise ValueError("certificate_file and key_file go together: give both or none")
    credentials = grpc.ssl_channel_credentials(
        root_certificates=_content(tls.ca_file),
        private_key=_content(tls.key_file),
        certificate_chain=_content(tls.certificate_file),
    )
    named = (("grpc.ssl_target_name_override", tls.server_name),) if tls.server_name else ()
    return grpc.aio.secure_channel(target, credentials, options=(*_OPTIONS, *named))


def _content(path: Path | None) -> bytes | None:
    return None if path is None else path.read_bytes()
