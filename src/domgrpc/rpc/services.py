"""The services of the API together, each with what it needs: the only place that makes them."""

import grpc.aio

from domgrpc.rpc.admin_service import AdminService
from domgrpc.rpc.calls import Edge
from domgrpc.rpc.draining import Drain
from domgrpc.rpc.inventory_service import InventoryService
from domgrpc.rpc.location_service import LocationService
from domgrpc.rpc.logistics_service import LogisticsService
from domgrpc.rpc.order_service import OrderService
from domgrpc.rpc.order_watch import OrderWatches
from domgrpc.rpc.pipeline_service import PipelineService
from domgrpc.rpc.product_service import ProductService
from domgrpc.rpc.registration import handlers_of, register, service_descriptors
from domgrpc.rpc.reservation_service import ReservationService
from domgrpc.rpc.routing_service import RoutingService
from domgrpc.rpc.stock_feed import StockFeeds
from domgrpc.rpc.stock_watch import StockWatches


def add_services(server: grpc.aio.Server, edge: Edge, drain: Drain) -> None:
    """Have a gRPC server serve the whole API over one engine."""
    services: dict[str, object] = {
        "LocationService": LocationService(),
        "ProductService": ProductService(),
        "InventoryService": InventoryService(StockFeeds(drain), StockWatches(drain)),
        "ReservationService": ReservationService(),
        "LogisticsService": LogisticsService(),
        "OrderService": OrderService(OrderWatches(drain)),
        "RoutingService": RoutingService(edge.engine.reoptimizer, edge.engine.dry_runner),
        "PipelineService": PipelineService(),
        "AdminService": AdminService(),
    }
    for service in service_descriptors():
        register(server, service.full_name, handlers_of(edge, service, services[service.name]))
