"""The no-op server: the same messages over the same library, and nothing done in between.

It reads each request and answers with a prepared message, so that it shows what gRPC alone costs.
It is run as a program by unary_calls.py, which gives it the answers of the real server.
"""

import argparse
import asyncio
from pathlib import Path

import grpc

from domgrpc.v1.inventory_pb2 import CheckAvailabilityRequest, CheckAvailabilityResponse
from domgrpc.v1.reservation_pb2 import Reservation, ReserveStockRequest

SERVER_OPTIONS = (
    ("grpc.so_reuseport", 0),
    ("grpc.max_receive_message_length", 4 * 1024 * 1024),
    ("grpc.max_send_message_length", 32 * 1024 * 1024),
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_ping_strikes", 0),
)
"""Those of the real server that a connection between calls can feel."""


class NoopHandlers:
    """Answers every call with a message that was prepared."""

    def __init__(self, availability: bytes, reservation: bytes) -> None:
        """Prepare the answers from their bytes."""
        self._availability = CheckAvailabilityResponse.FromString(availability)
        self._reservation = Reservation.FromString(reservation)

    async def check_availability(
        self, _request: CheckAvailabilityRequest, _context: object
    ) -> CheckAvailabilityResponse:
        """Answer with the prepared figures."""
        return self._availability

    async def reserve_stock(self, _request: ReserveStockRequest, _context: object) -> Reservation:
        """Answer with the prepared reservation."""
        return self._reservation

    def register(self, server: grpc.aio.Server) -> None:
        """Serve both methods under their real names."""
        check = grpc.unary_unary_rpc_method_handler(
            self.check_availability,
            request_deserializer=CheckAvailabilityRequest.FromString,
            response_serializer=CheckAvailabilityResponse.SerializeToString,
        )
        reserve = grpc.unary_unary_rpc_method_handler(
            self.reserve_stock,
            request_deserializer=ReserveStockRequest.FromString,
            response_serializer=Reservation.SerializeToString,
        )
        services = (
            ("domgrpc.v1.InventoryService", "CheckAvailability", check),
            ("domgrpc.v1.ReservationService", "ReserveStock", reserve),
        )
        server.add_generic_rpc_handlers(
            tuple(
                grpc.method_handlers_generic_handler(service, {method: handler})
                for service, method, handler in services
            )
        )


async def serve(handlers: NoopHandlers) -> None:
    """Serve on a free port of this machine until the process is ended."""
    server = grpc.aio.server(options=SERVER_OPTIONS)
    handlers.register(server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(f"listening on 127.0.0.1:{port}", flush=True)
    await server.wait_for_termination()


def main() -> None:
    """Serve with the answers in the files that the arguments name."""
    parser = argparse.ArgumentParser(description="Answers two calls without doing anything.")
    parser.add_argument("availability", type=Path, help="a serialized CheckAvailabilityResponse")
    parser.add_argument("reservation", type=Path, help="a serialized Reservation")
    arguments = parser.parse_args()
    handlers = NoopHandlers(arguments.availability.read_bytes(), arguments.reservation.read_bytes())
    asyncio.run(serve(handlers))


if __name__ == "__main__":
    main()
