"""Plans and quotes: how lines would be fulfilled, what can be promised before there is an order.

A plan is what the router found; a quote offers plans with a token each, which placing the order
honours while the stock it saw is still there.
"""

import msgspec

from domgrpc.core.orders import (
    NO_PARCEL,
    Decision,
    FulfillmentLine,
    LegDecision,
    OrderLine,
    OrderTerms,
)
from domgrpc.core.reservations import Reservation
from domgrpc.core.values import (
    DeliveryMethod,
    FulfillmentOrderId,
    LineId,
    LocationId,
    Micros,
    OrderId,
    Quantity,
    ReservationId,
    Sku,
    TimeMs,
)


class PlannedPackage(msgspec.Struct, frozen=True, array_like=True):
    """One package of a plan: as a fulfilment order has it, without id and state."""

    location_id: LocationId
    delivery_method: DeliveryMethod
    lines: tuple[FulfillmentLine, ...]
    destination_location_id: LocationId = LocationId("")
    ready_time_ms: TimeMs = TimeMs(0)
    ship_by_time_ms: TimeMs = TimeMs(0)
    deliver_by_time_ms: TimeMs = TimeMs(0)
    package_cost_micros: Micros = Micros(0)
    units_cost_micros: Micros = Micros(0)
    price_micros: Micros = Micros(0)
    parcel_id: FulfillmentOrderId = NO_PARCEL
    capacity_day: int = 0
    is_dated: bool = False
    """Whether it waits for supply that is not there yet."""
    collect_by_time_ms: TimeMs = TimeMs(0)


class LineShortage(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Units of a line that nobody can fill."""

    line_id: LineId
    sku: Sku
    quantity: Quantity


class Plan(msgspec.Struct, frozen=True, array_like=True):
    """How lines would be fulfilled, and why so."""

    packages: tuple[PlannedPackage, ...]
    legs: tuple[LegDecision, ...]
    shortages: tuple[LineShortage, ...]
    rule_set_version: int

    @property
    def cost_micros(self) -> int:
        """Return the cost of all legs."""
        return sum(leg.cost_micros for leg in self.legs)


def nothing_planned(lines: tuple[OrderLine, ...]) -> Plan:
    """Return the plan of lines that no location may be asked for: all of them are short."""
    short = (LineShortage(line.line_id, line.sku, line.quantity) for line in lines)
    return Plan((), (), tuple(short), 0)


class QuotedPackage(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A package that a quote promised: where from, and what of which line."""

    location_id: LocationId
    delivery_method: DeliveryMethod
    destination_location_id: LocationId
    lines: tuple[tuple[LineId, int], ...]


class QuotedPlan(msgspec.Struct, frozen=True, array_like=True):
    """What the token of a quote stands for: the plan to be booked, while it still can be."""

    content: int
    """Fingerprint of the lines and terms that were quoted."""
    expire_time_ms: TimeMs
    packages: tuple[QuotedPackage, ...]
    cost_micros: Micros
    reservation_id: ReservationId = ReservationId("")


class QuoteOption(msgspec.Struct, frozen=True, array_like=True):
    """One way to fulfil what was asked: by which method, when, at what cost."""

    delivery_method: DeliveryMethod
    """UNSPECIFIED for the methods that the lines themselves name."""
    location_id: LocationId
    """The store of a method that has one."""
    plan: Plan
    quoted: QuotedPlan
    ship_by_time_ms: TimeMs
    deliver_by_time_ms: TimeMs
    collect_by_time_ms: TimeMs = TimeMs(0)
    """Until when the first of its packages waits to be collected; 0 where none does."""


class QuoteMiss(msgspec.Struct, frozen=True, array_like=True):
    """A way by which nothing can be promised."""

    delivery_method: DeliveryMethod
    location_id: LocationId
    """The store of a method that has one; empty also where no store is near enough."""
    plan: Plan | None = None
    """The plan without packages: what is short, and what removed locations; None for no store."""


class Quote(msgspec.Struct, frozen=True, array_like=True, tag=17, tag_field="tag"):
    """What can be promised for an order that is not placed yet; the cheapest option first."""

    options: tuple[QuoteOption, ...]
    expire_time_ms: TimeMs
    reservation: Reservation | None = None
    """The hold on the stock of the first option, where one was asked for."""
    misses: tuple[QuoteMiss, ...] = ()
    """What came to nothing; never of a quote that is kept with its hold."""


# --- questions and views


class QuoteQuestion(msgspec.Struct, frozen=True, array_like=True):
    """What may be promised for these lines; no methods means those that the lines name."""

    lines: tuple[OrderLine, ...]
    terms: OrderTerms
    methods: tuple[tuple[DeliveryMethod, LocationId], ...] = ()
    """Each with its store, or without one for the nearest stores that can do it."""


class MockStock(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """In a simulation: these units can be sold there, whatever is really there."""

    sku: Sku
    location_id: LocationId
    quantity: Quantity


class SimulationQuestion(msgspec.Struct, frozen=True, array_like=True):
    """How an order would be planned; nothing is changed."""

    lines: tuple[OrderLine, ...]
    terms: OrderTerms
    rule_set_version: int | None = None
    """None for the one that is active."""
    strategy: str = ""
    """The name of a preset in place of the rule set's own; empty for that."""
    stock: tuple[MockStock, ...] = ()
    order_id: OrderId = OrderId("")
    """Plan this order again instead of `lines`, its own units counted as free."""


class LocationExplanation(msgspec.Struct, frozen=True, array_like=True):
    """Why a location is not in a plan, and the least that would have brought it in."""

    location_id: LocationId
    is_used: bool
    removed_by: str
    """The filter that removed it, empty where it was weighed."""
    missing: tuple[tuple[Sku, int], ...]
    """Units that it lacks of each SKU to serve it whole; of one that may not be used, none."""
    cheaper_by_micros: Micros | None
    """It would have been used were it cheaper by more than this; None where it cannot be."""
    is_as_decided: bool
    """Whether this is from what was weighed then; else from how things stand now."""
    delivery_method: DeliveryMethod = DeliveryMethod.UNSPECIFIED
    """The leg that it is said of, by its method and, where it has one, its store."""
    destination_location_id: LocationId = LocationId("")


class Explanation(msgspec.Struct, frozen=True, array_like=True):
    """A decision of an order, and a location that was asked about."""

    order_id: OrderId
    decision: Decision
    decision_count: int
    locations: tuple[LocationExplanation, ...] = ()
