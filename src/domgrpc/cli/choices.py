"""The words of enums as people type them, and the numbers behind them.

A test compares each list with its enum in the protos. They stand here as words, so that the help
of the command line needs no protobuf.
"""

from enum import StrEnum
from typing import Any


class Method(StrEnum):
    """How goods reach the customer."""

    SHIP_TO_HOME = "ship-to-home"
    PICKUP = "pickup"
    CURBSIDE = "curbside"
    SHIP_TO_STORE = "ship-to-store"
    LOCAL_DELIVERY = "local-delivery"
    DROP_SHIP = "drop-ship"


class LocationKind(StrEnum):
    """What a location is."""

    DISTRIBUTION_CENTER = "distribution-center"
    STORE = "store"
    SUPPLIER = "supplier"
    HUB = "hub"
    RETURN_CENTER = "return-center"
    VIRTUAL = "virtual"


class Condition(StrEnum):
    """The condition of stock."""

    SELLABLE = "sellable"
    DAMAGED = "damaged"
    QUALITY_HOLD = "quality-hold"
    IN_TRANSIT = "in-transit"


class Level(StrEnum):
    """How well stocked a position is."""

    IN_STOCK = "in-stock"
    LOW_STOCK = "low-stock"
    OUT_OF_STOCK = "out-of-stock"


class Inbound(StrEnum):
    """What kind of dated supply."""

    PURCHASE_ORDER = "purchase-order"
    TRANSFER = "transfer"
    RETURN = "return"


class RuleKind(StrEnum):
    """What a rule's value means."""

    SAFETY_STOCK = "safety-stock"
    FULFILLMENT_MINIMUM = "fulfillment-minimum"
    LOW_STOCK = "low-stock"
    OUT_OF_STOCK = "out-of-stock"


class HoldState(StrEnum):
    """Where a reservation is in its life."""

    HELD = "held"
    CONFIRMED = "confirmed"
    RELEASED = "released"
    EXPIRED = "expired"


class Outcome(StrEnum):
    """What happened to confirmed units."""

    SHIPPED = "shipped"
    CANCELLED = "cancelled"


class Backorder(StrEnum):
    """What may be sold beyond the stock."""

    NONE = "none"
    LIMITED = "limited"
    INBOUND = "inbound"
    UNLIMITED = "unlimited"


class Strategy(StrEnum):
    """How plans are compared."""

    CHEAPEST = "cheapest"
    BY_PRIORITY = "by-priority"
    NEAREST_FIRST = "nearest-first"
    HIGHEST_STOCK_FIRST = "highest-stock-first"
    FEWEST_PACKAGES = "fewest-packages"
    FASTEST = "fastest"


class RuleSetLife(StrEnum):
    """Where a rule set is in its life."""

    DRAFT = "draft"
    VALIDATED = "validated"
    DRY_RUN = "dry-run"
    ACTIVE = "active"
    RETIRED = "retired"


class OrderState(StrEnum):
    """How far an order is."""

    OPEN = "open"
    ON_HOLD = "on-hold"
    PARTIALLY_SHIPPED = "partially-shipped"
    SHIPPED = "shipped"
    PARTIALLY_DELIVERED = "partially-delivered"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"


class WorkState(StrEnum):
    """How far the work of a location is."""

    SCHEDULED = "scheduled"
    OPEN = "open"
    RELEASED = "released"
    SHIPPED = "shipped"
    READY = "ready"
    DELIVERED = "delivered"
    COLLECTED = "collected"
    CANCELLED = "cancelled"


class WhyHeld(StrEnum):
    """Why the work of an order waits."""

    FRAUD = "fraud"
    PAYMENT = "payment"
    ADDRESS = "address"
    OTHER = "other"


class Shortage(StrEnum):
    """What becomes of units that nobody can fill."""

    REFUSE = "refuse"
    BACKORDER = "backorder"
    CANCEL = "cancel"


class Capacity(StrEnum):
    """What a daily capacity counts."""

    PACKAGES = "packages"
    UNITS = "units"


Choice = (
    Method
    | LocationKind
    | Condition
    | Level
    | Inbound
    | RuleKind
    | HoldState
    | Outcome
    | Backorder
    | Strategy
    | RuleSetLife
    | Capacity
    | OrderState
    | WorkState
    | WhyHeld
    | Shortage
)


def number_of(choice: Choice | None) -> Any:  # noqa: ANN401 - each generated enum is its own int
    """Return the number of a word in its enum, 0 (unspecified) for none."""
    if choice is None:
        return 0
    # The members stand in the order of the protos, and most of those count from 1.
    place = list(type(choice)).index(choice)
    numbers = _NUMBERS_WITH_GAPS.get(type(choice))
    return place + 1 if numbers is None else numbers[place]


_NUMBERS_WITH_GAPS = {
    OrderState: (1, 2, 3, 4, 5, 6, 9),
    WorkState: (1, 2, 3, 8, 9, 10, 11, 12),
}
