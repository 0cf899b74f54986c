"""Puts the stock of the reserve workload into a server, and its reserves into messages."""

import grpc

from benchmarks import reserve_workload
from benchmarks.reserve_workload import ON_HAND, TTL_SECONDS, Reserve
from domgrpc.v1.inventory_pb2 import StockCount, StockUpdate, UpdateStockRequest
from domgrpc.v1.inventory_pb2_grpc import InventoryServiceStub
from domgrpc.v1.location_pb2 import LOCATION_TYPE_STORE, CreateLocationRequest, Location
from domgrpc.v1.location_pb2_grpc import LocationServiceStub
from domgrpc.v1.reservation_pb2 import ReserveLine, ReserveStockRequest

_SKUS_PER_CALL = 200
_DEADLINE_SECONDS = 60.0


def stock_server(target: str) -> None:
    """Create the locations of the workload on an empty server and stock every SKU at each."""
    with grpc.insecure_channel(target) as channel:
        create_locations(channel, reserve_workload.locations())
        count_stock(channel, reserve_workload.skus(), reserve_workload.locations())


def create_locations(channel: grpc.Channel, names: list[str]) -> None:
    """Create stores."""
    stub = LocationServiceStub(channel)
    for name in names:
        location = Location(location_id=name, display_name=name, type=LOCATION_TYPE_STORE)
        stub.CreateLocation(
            CreateLocationRequest(request_id=f"create:{name}", location=location),
            timeout=_DEADLINE_SECONDS,
        )


def count_stock(channel: grpc.Channel, skus: list[str], locations: list[str]) -> None:
    """Count plenty of every SKU at every location."""
    stub = InventoryServiceStub(channel)
    for start in range(0, len(skus), _SKUS_PER_CALL):
        request = UpdateStockRequest(request_id=f"count:{start}")
        for sku in skus[start : start + _SKUS_PER_CALL]:
            request.updates.extend(
                StockUpdate(sku=sku, location_id=name, count=StockCount(on_hand=ON_HAND))
                for name in locations
            )
        stub.UpdateStock(request, timeout=_DEADLINE_SECONDS)


def reserve_request(reserve: Reserve) -> ReserveStockRequest:
    """Return the message of a reserve, which holds for a quarter of an hour."""
    request = ReserveStockRequest(request_id=reserve.reserve_id)
    for line in (reserve.first, reserve.second):
        request.lines.append(
            ReserveLine(sku=line.sku, location_id=line.location_id, quantity=line.quantity)
        )
    request.ttl.seconds = TTL_SECONDS
    return request
