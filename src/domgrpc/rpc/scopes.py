"""What a caller must be allowed to do in order to call a method: the one table of scopes.

Nothing enforces it yet: callers are not authenticated beyond their certificate, and every caller
may call every method. It is here so that a method cannot be added without saying what it is: a
test holds the table against the descriptors of all services. Who enforces it asks `scope_of`,
which denies what the table does not name.
"""

import enum
from collections.abc import Mapping


class Scope(enum.StrEnum):
    """What a method does, from the harmless to the dangerous; none includes another."""

    OPEN = "open"
    """Tells nothing but that the server is there, and what the published protos say."""
    READ = "read"
    """Reads what the business knows."""
    WRITE = "write"
    """Moves stock and claims: what tills, checkouts and feeds do all day."""
    CONFIGURE = "configure"
    """Changes what the business is: locations, products, rules."""
    ADMIN = "admin"
    """Looks after the server itself."""


_OPEN = (
    "grpc.health.v1.Health/Check",
    "grpc.health.v1.Health/Watch",
    "grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    "grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
)
_READ = (
    "domgrpc.v1.LocationService/GetLocation",
    "domgrpc.v1.LocationService/ListLocations",
    "domgrpc.v1.LocationService/GetLocationGroup",
    "domgrpc.v1.LocationService/ListLocationGroups",
    "domgrpc.v1.ProductService/GetProduct",
    "domgrpc.v1.ProductService/ListProducts",
    "domgrpc.v1.ProductService/BatchGetProducts",
    "domgrpc.v1.InventoryService/CheckAvailability",
    "domgrpc.v1.InventoryService/GetPosition",
    "domgrpc.v1.InventoryService/ListPositions",
    "domgrpc.v1.InventoryService/WatchInventory",
    "domgrpc.v1.InventoryService/GetSafetyStockRule",
    "domgrpc.v1.InventoryService/ListSafetyStockRules",
    "domgrpc.v1.InventoryService/ExplainSafetyStock",
    "domgrpc.v1.ReservationService/GetReservation",
    "domgrpc.v1.ReservationService/ListReservations",
    "domgrpc.v1.RoutingService/GetRuleSet",
    "domgrpc.v1.RoutingService/ListRuleSets",
    "domgrpc.v1.LogisticsService/GetRateCard",
    "domgrpc.v1.LogisticsService/ListRateCards",
    "domgrpc.v1.LogisticsService/GetLane",
    "domgrpc.v1.LogisticsService/ListLanes",
    "domgrpc.v1.LogisticsService/GetLocationCalendar",
    "domgrpc.v1.LogisticsService/ListLocationCalendars",
    "domgrpc.v1.OrderService/GetOrder",
    "domgrpc.v1.OrderService/ListOrders",
    "domgrpc.v1.OrderService/WatchOrders",
    "domgrpc.v1.RoutingService/SimulateRouting",
    "domgrpc.v1.RoutingService/ExplainDecision",
)
_WRITE = (
    "domgrpc.v1.InventoryService/UpdateStock",
    "domgrpc.v1.InventoryService/StreamStockUpdates",
    "domgrpc.v1.ReservationService/ReserveStock",
    "domgrpc.v1.ReservationService/UpdateReservation",
    "domgrpc.v1.ReservationService/MoveReservation",
    "domgrpc.v1.ReservationService/ConfirmReservation",
    "domgrpc.v1.ReservationService/ReleaseReservation",
    "domgrpc.v1.ReservationService/SettleReservation",
    # It may hold the stock that it quotes.
    "domgrpc.v1.OrderService/QuoteOrder",
    "domgrpc.v1.OrderService/PlaceOrder",
    "domgrpc.v1.OrderService/EditOrder",
    "domgrpc.v1.OrderService/CancelOrder",
    "domgrpc.v1.OrderService/HoldOrder",
    "domgrpc.v1.OrderService/ReleaseOrder",
    "domgrpc.v1.OrderService/AdvanceFulfillmentOrder",
    "domgrpc.v1.RoutingService/ReoptimizeBacklog",
    "domgrpc.v1.RoutingService/ApplyReplan",
    # Each of its operations is a method above that reads or writes, none configures.
    "domgrpc.v1.PipelineService/Execute",
)
_CONFIGURE = (
    "domgrpc.v1.LocationService/CreateLocation",
    "domgrpc.v1.LocationService/UpdateLocation",
    "domgrpc.v1.LocationService/SetLocationState",
    "domgrpc.v1.LocationService/CreateLocationGroup",
    "domgrpc.v1.LocationService/UpdateLocationGroup",
    "domgrpc.v1.LocationService/DeleteLocationGroup",
    "domgrpc.v1.ProductService/CreateProduct",
    "domgrpc.v1.ProductService/UpdateProduct",
    "domgrpc.v1.ProductService/BatchCreateProducts",
    "domgrpc.v1.ProductService/BatchUpdateProducts",
    "domgrpc.v1.InventoryService/CreateSafetyStockRule",
    "domgrpc.v1.InventoryService/UpdateSafetyStockRule",
    "domgrpc.v1.InventoryService/DeleteSafetyStockRule",
    "domgrpc.v1.RoutingService/CreateRuleSet",
    "domgrpc.v1.RoutingService/ValidateRuleSet",
    "domgrpc.v1.RoutingService/ActivateRuleSet",
    # It moves the rule set on, and changes nothing else.
    "domgrpc.v1.RoutingService/DryRunRuleSet",
    "domgrpc.v1.LogisticsService/SaveRateCard",
    "domgrpc.v1.LogisticsService/DeleteRateCard",
    "domgrpc.v1.LogisticsService/SaveLane",
    "domgrpc.v1.LogisticsService/DeleteLane",
    "domgrpc.v1.LogisticsService/SaveLocationCalendar",
    "domgrpc.v1.LogisticsService/DeleteLocationCalendar",
)
_ADMIN = (
    "domgrpc.v1.AdminService/GetStatus",
    "domgrpc.v1.AdminService/CreateSnapshot",
    "domgrpc.v1.AdminService/VerifyState",
)

SCOPES: Mapping[str, Scope] = {
    method: scope
    for scope, methods in (
        (Scope.OPEN, _OPEN),
        (Scope.READ, _READ),
        (Scope.WRITE, _WRITE),
        (Scope.CONFIGURE, _CONFIGURE),
        (Scope.ADMIN, _ADMIN),
    )
    for method in methods
}
"""By full name, as service/method: the scope that a caller needs."""


def scope_of(method: str) -> Scope | None:
    """Return the scope for a path as gRPC gives it, `/service/method`; None is denied to all."""
    return SCOPES.get(method.removeprefix("/"))


def is_allowed(method: str, scopes: frozenset[Scope]) -> bool:
    """Say whether somebody with these scopes may call a method; what is unknown nobody may."""
    scope = scope_of(method)
    return scope is not None and (scope is Scope.OPEN or scope in scopes)
