"""Commands in few words, for tests: each function writes one command and fills in the usual."""

from domgrpc.core.geography import DEGREE_E7, Point
from domgrpc.core.location_groups import CreateLocationGroup
from domgrpc.core.locations import CreateLocation, LocationFields, SetLocationState
from domgrpc.core.products import BackorderPolicy, CreateProducts, ProductFields
from domgrpc.core.reservations import (
    ConfirmReservation,
    Expiration,
    LineQuantity,
    MoveReservation,
    ReleaseReservation,
    ReserveStock,
    SettlementOutcome,
    SettleReservation,
    UpdateReservation,
)
from domgrpc.core.safety_stock import CreateSafetyStockRule, DeleteSafetyStockRule, RuleFields
from domgrpc.core.safety_stock import RuleKind as Kind
from domgrpc.core.scopes import Scope
from domgrpc.core.stock_changes import (
    AdjustStock,
    AnnounceSupply,
    ApplyStockBatch,
    CountStock,
    MoveStock,
    ReceiveSupply,
    StockUpdate,
    UpdateStock,
)
from domgrpc.core.supply import InboundKind, Supply
from domgrpc.core.values import (
    FOREVER_MS,
    BackorderMode,
    Channel,
    DeliveryMethod,
    Demand,
    GroupId,
    LocationId,
    LocationType,
    Quantity,
    ReservationId,
    RuleId,
    Sku,
    SourceId,
    StockCondition,
    SupplyId,
    TimeMs,
)

Line = tuple[str, str, int]
"""SKU, location ("" for anywhere), quantity."""
SELLABLE = StockCondition.SELLABLE
SHIP = DeliveryMethod.SHIP_TO_HOME
PICKUP = DeliveryMethod.PICKUP


# --- places and products


def place(
    location_id: str,
    kind: LocationType = LocationType.STORE,
    *,
    at: tuple[float, float] | None = None,
    methods: tuple[DeliveryMethod, ...] | None = None,
    backorder: bool = False,
) -> CreateLocation:
    """Create a location, a store unless told otherwise."""
    fields = LocationFields(
        type=kind,
        point=None if at is None else point(*at),
        delivery_methods=methods,
        backorder_enabled=backorder,
    )
    return CreateLocation(location_id=LocationId(location_id), fields=fields)


def point(latitude: float, longitude: float) -> Point:
    """Return a point given in degrees."""
    return Point(round(latitude * DEGREE_E7), round(longitude * DEGREE_E7))


def disable(
    location_id: str, *, start_ms: int | None = None, end_ms: int = FOREVER_MS, reason: str = "snow"
) -> SetLocationState:
    """Disable a location, from now on and for ever unless told otherwise."""
    return SetLocationState(
        location_id=LocationId(location_id),
        enabled=False,
        reason=reason,
        start_time_ms=None if start_ms is None else TimeMs(start_ms),
        end_time_ms=TimeMs(end_ms),
    )


def enable(location_id: str) -> SetLocationState:
    """Enable a location."""
    return SetLocationState(location_id=LocationId(location_id), enabled=True)


def group(group_id: str, *location_ids: str, name: str = "") -> CreateLocationGroup:
    """Create a group of locations."""
    members = tuple(LocationId(location_id) for location_id in location_ids)
    return CreateLocationGroup(group_id=GroupId(group_id), display_name=name, location_ids=members)


def product(
    sku: str,
    *,
    categories: tuple[str, ...] = (),
    backorder: BackorderPolicy | None = None,
    substitutes: tuple[str, ...] = (),
) -> CreateProducts:
    """Create one product."""
    fields = ProductFields(
        categories=categories,
        backorder_policy=backorder or BackorderPolicy(),
        substitute_skus=tuple(Sku(substitute) for substitute in substitutes),
    )
    return CreateProducts(products=((Sku(sku), fields),))


def limited(quantity: int) -> BackorderPolicy:
    """Allow so many units beyond the stock."""
    return BackorderPolicy(mode=BackorderMode.LIMITED, limit_quantity=Quantity(quantity))


def from_inbound(horizon_days: int) -> BackorderPolicy:
    """Allow what is due within so many days."""
    return BackorderPolicy(mode=BackorderMode.INBOUND, horizon_days=horizon_days)


def unlimited() -> BackorderPolicy:
    """Allow any number of units beyond the stock."""
    return BackorderPolicy(mode=BackorderMode.UNLIMITED)


# --- stock


def stock(*updates: StockUpdate) -> UpdateStock:
    """Apply updates, all or none."""
    return UpdateStock(updates)


def on_hand(sku: str, **by_location: int) -> UpdateStock:
    """Count a SKU at several locations."""
    return stock(*(count(sku, name, units) for name, units in by_location.items()))


def count(
    sku: str,
    location_id: str,
    units: int,
    *,
    expected: int | None = None,
    as_of_ms: int | None = None,
) -> CountStock:
    """Set on_hand to a count."""
    return CountStock(
        Sku(sku),
        LocationId(location_id),
        Quantity(units),
        expected_on_hand=None if expected is None else Quantity(expected),
        effective_time_ms=None if as_of_ms is None else TimeMs(as_of_ms),
    )


def adjust(
    sku: str,
    location_id: str,
    delta: int,
    *,
    condition: StockCondition = SELLABLE,
    reason: str = "",
    as_of_ms: int | None = None,
) -> AdjustStock:
    """Add to or take from a bucket."""
    return AdjustStock(
        Sku(sku),
        LocationId(location_id),
        delta,
        condition=condition,
        reason=reason,
        effective_time_ms=None if as_of_ms is None else TimeMs(as_of_ms),
    )


def move(
    sku: str,
    location_id: str,
    units: int,
    *,
    to: str = "",
    conditions: tuple[StockCondition, StockCondition] = (SELLABLE, SELLABLE),
    reason: str = "",
) -> MoveStock:
    """Move units to another location, another condition, or both."""
    return MoveStock(
        Sku(sku),
        LocationId(location_id),
        Quantity(units),
        from_condition=conditions[0],
        to_location_id=LocationId(to),
        to_condition=conditions[1],
        reason=reason,
    )


def announce(
    sku: str, location_id: str, units: int, *, due_ms: int, supply_id: str = "po-1"
) -> AnnounceSupply:
    """Announce dated supply."""
    supply = Supply(
        SupplyId(supply_id), InboundKind.PURCHASE_ORDER, Quantity(units), TimeMs(due_ms)
    )
    return AnnounceSupply(Sku(sku), LocationId(location_id), supply)


def receive(
    sku: str,
    location_id: str,
    units: int,
    *,
    supply_id: str = "po-1",
    condition: StockCondition = SELLABLE,
    close: bool = False,
) -> ReceiveSupply:
    """Take announced supply in."""
    return ReceiveSupply(
        Sku(sku),
        LocationId(location_id),
        SupplyId(supply_id),
        Quantity(units),
        condition=condition,
        close=close,
    )


def feed(sequence: int, *updates: StockUpdate, source: str = "till-1") -> ApplyStockBatch:
    """Send one batch of a feed."""
    return ApplyStockBatch(SourceId(source), sequence, updates)


# --- rules


def rule(
    rule_id: str,
    units: int | None = None,
    *,
    kind: Kind = Kind.SAFETY_STOCK,
    percent: int | None = None,
    window_ms: tuple[int, int] = (0, FOREVER_MS),
    method: DeliveryMethod = DeliveryMethod.UNSPECIFIED,
    kind_of_location: LocationType = LocationType.UNSPECIFIED,
    **names: str,
) -> CreateSafetyStockRule:
    """Create a rule; `names` are sku, category, location, group and channel."""
    fields = RuleFields(
        kind,
        sku=Sku(names.pop("sku", "")),
        category=names.pop("category", ""),
        location_id=LocationId(names.pop("location", "")),
        group_id=GroupId(names.pop("group", "")),
        location_type=kind_of_location,
        delivery_method=method,
        channel=Channel(names.pop("channel", "")),
        fixed_quantity=None if units is None else Quantity(units),
        percent_of_on_hand=percent,
        start_time_ms=TimeMs(window_ms[0]),
        end_time_ms=TimeMs(window_ms[1]),
    )
    assert not names, names
    return CreateSafetyStockRule(rule_id=RuleId(rule_id), fields=fields)


def no_rule(rule_id: str) -> DeleteSafetyStockRule:
    """Delete a rule."""
    return DeleteSafetyStockRule(rule_id=RuleId(rule_id))


def demand(channel: str = "", method: DeliveryMethod = DeliveryMethod.UNSPECIFIED) -> Demand:
    """Say where a demand comes from and how the goods go."""
    return Demand(Channel(channel), method)


# --- reservations


def lines_of(lines: tuple[Line, ...]) -> tuple[LineQuantity, ...]:
    """Return lines as commands carry them."""
    return tuple(
        LineQuantity(Sku(sku), LocationId(location_id), Quantity(units))
        for sku, location_id, units in lines
    )


def reserve(
    *lines: Line,
    as_id: str = "",
    ttl_ms: int | None = None,
    until_ms: int | None = None,
    demand: Demand | None = None,
    scope: Scope = None,
    location_count_max: int = 0,
    allow_partial: bool = False,
    in_stock_only: bool = False,
    reference: str = "",
) -> ReserveStock:
    """Hold stock."""
    return ReserveStock(
        lines_of(lines),
        reservation_id=ReservationId(as_id),
        demand=demand or Demand(),
        expiration=Expiration(None if until_ms is None else TimeMs(until_ms), ttl_ms),
        scope=scope,
        location_count_max=location_count_max,
        allow_partial=allow_partial,
        in_stock_only=in_stock_only,
        reference=reference,
    )


def change(
    reservation_id: str,
    *lines: Line,
    ttl_ms: int | None = None,
    until_ms: int | None = None,
    scope: Scope = None,
    in_stock_only: bool = False,
    etag: str = "",
) -> UpdateReservation:
    """Change a hold in place."""
    expiration = None
    if ttl_ms is not None or until_ms is not None:
        expiration = Expiration(None if until_ms is None else TimeMs(until_ms), ttl_ms)
    return UpdateReservation(
        ReservationId(reservation_id),
        lines_of(lines),
        expiration=expiration,
        scope=scope,
        in_stock_only=in_stock_only,
        etag=etag,
    )


def relocate(
    reservation_id: str,
    sku: str,
    source: str,
    target: str = "",
    *,
    units: int = 0,
    scope: Scope = None,
    in_stock_only: bool = False,
    etag: str = "",
) -> MoveReservation:
    """Move units of a hold from one location to another."""
    return MoveReservation(
        ReservationId(reservation_id),
        Sku(sku),
        LocationId(source),
        LocationId(target),
        quantity=Quantity(units),
        scope=scope,
        in_stock_only=in_stock_only,
        etag=etag,
    )


def confirm(reservation_id: str, *, revive: bool = False, etag: str = "") -> ConfirmReservation:
    """Confirm a hold."""
    return ConfirmReservation(ReservationId(reservation_id), revive_if_available=revive, etag=etag)


def release(reservation_id: str, *, reason: str = "", etag: str = "") -> ReleaseReservation:
    """Give a hold back."""
    return ReleaseReservation(ReservationId(reservation_id), reason=reason, etag=etag)


def ship(reservation_id: str, *lines: Line, etag: str = "") -> SettleReservation:
    """Say that confirmed units left."""
    return SettleReservation(
        ReservationId(reservation_id), SettlementOutcome.SHIPPED, lines_of(lines), etag=etag
    )


def cancel(reservation_id: str, *lines: Line, etag: str = "") -> SettleReservation:
    """Say that confirmed units are not wanted any more."""
    return SettleReservation(
        ReservationId(reservation_id), SettlementOutcome.CANCELLED, lines_of(lines), etag=etag
    )
