"""Open legs: the unreleased work of orders as numbers, for planning all of it together.

Words only: open_work.py collects them, open_costs.py says what they cost.
"""

import msgspec

from domgrpc.core.plans import QuotedPackage
from domgrpc.core.replan_proposals import Staying
from domgrpc.core.routing.instance import RateCard
from domgrpc.core.values import (
    DeliveryMethod,
    LineId,
    LocationId,
    LocationIndex,
    OrderId,
    Revision,
    Sku,
)

LEG_COST_MAX = 1 << 40
"""A leg that may cost more, in micros, stays where it is: a million of the currency unit."""
BACKORDER_MICROS = 1 << 42
"""What it counts to leave open work without a place: more than any place costs."""
UNITS_MAX = 1 << 40


class OpenNeed(msgspec.Struct, frozen=True, array_like=True):
    """Units of one SKU in one parcel: of which lines they are, and where they lie now.

    Needs of one leg that are of one SKU share what a location has of it.
    """

    sku: Sku
    quantity: int
    lines: tuple[tuple[LineId, int], ...]
    present: LocationIndex
    unit_costs: bytes
    """By location, as int64 of this machine: micros a unit."""
    allowed: bytes
    """By location: 1 where they may lie."""
    unit_grams: int = 0
    parcel: int = 0
    """The number of its parcel in the leg."""
    is_stuck: bool = False
    """Whether it would not be planned so any more where it lies: there it only stays as it is."""


class OpenLeg(msgspec.Struct, frozen=True, array_like=True):
    """A leg of an order that may be planned again."""

    delivery_method: DeliveryMethod
    store_id: LocationId
    needs: tuple[OpenNeed, ...]
    package_costs: bytes
    """By location, as int64 of this machine: micros."""
    cards: tuple[RateCard, ...] = ()
    """What packages cost more by their weight."""
    card_of: bytes = b""
    """By location, as int64 of this machine: its card, -1 for none. Empty where there are none."""
    free_micros: int = 0
    """What its first package costs less than each further one."""
    groups: tuple[tuple[int, ...], ...] = ()
    """Needs that must travel in one package, by place."""
    package_count_max: int = 0
    """0 for no limit."""

    @property
    def grams(self) -> int:
        """Return what all of it weighs."""
        return sum(need.quantity * need.unit_grams for need in self.needs)


class OpenOrder(msgspec.Struct, frozen=True, array_like=True):
    """An order with legs that may be planned again, and the packages that stay."""

    order_id: OrderId
    revision: Revision
    legs: tuple[OpenLeg, ...]
    staying: tuple[QuotedPackage, ...]
    staying_micros: int
    """What the packages cost that stay."""
    reasons: tuple[Staying, ...]
    """By package that stays: why."""
