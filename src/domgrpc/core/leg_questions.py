"""The question of a leg: all that decides which locations may fulfil it, and the candidates.

Words only: candidates.py answers, leg_costs.py says what each candidate costs.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

import msgspec

from domgrpc.core.journey_columns import Columns, Prices
from domgrpc.core.journeys import TransportTable
from domgrpc.core.network import Ask
from domgrpc.core.orders import FulfillmentOrder
from domgrpc.core.products import ProductFields
from domgrpc.core.rule_effects import NO_EFFECTS, Effects
from domgrpc.core.rule_sets import Strategy
from domgrpc.core.scopes import Area
from domgrpc.core.values import (
    FOREVER_MS,
    QUANTITY_MAX,
    DeliveryMethod,
    LineId,
    LocationIndex,
    Sku,
)

FILTER_WORDS = {
    "disabled": "out of use",
    "method": "cannot do the method",
    "scope": "outside the scope",
    "stock": "have nothing of it",
    "excluded": "gave it back",
    "reach": "do not reach the customer",
    "capacity": "have no capacity left that day",
    "promise": "would be late",
    "rules": "excluded by rules",
    "packages": "would be a package too many",
}
"""What is said of locations that a filter removed, in the order of the filters."""
FILTERS = tuple(FILTER_WORDS)
"""What removes a location, in the order in which it is asked."""
OTHER_STORE = "not at the store asked for"

Units: TypeAlias = dict[LocationIndex, int]
Claims: TypeAlias = Mapping[Sku, Mapping[LocationIndex, int]]
Places: TypeAlias = tuple[list[LocationIndex], Sequence[int]]
"""Locations, and where each stands in the table."""
NO_CLAIMS: Claims = {}
NO_UNITS: Mapping[LocationIndex, int] = {}
ParcelFinder: TypeAlias = Callable[[LocationIndex, int], FulfillmentOrder | None]


class Need(msgspec.Struct, frozen=True, gc=False):
    """Units of one SKU that a leg asks for, and of which lines they are."""

    sku: Sku
    quantity: int
    lines: tuple[tuple[LineId, int], ...]
    fields: ProductFields
    whole: int = 0
    """Of how many units these are a part; 0 for all of them."""

    def share_of(self, price: int) -> int:
        """Return what a unit bears of a price for the line, which all of its units share."""
        return price // (self.whole or self.quantity)

    @property
    def splits(self) -> bool:
        """Whether its units may come from several locations, as far as the product says."""
        return not (self.fields.keep_together or self.fields.ship_alone)


def removed_words(name: str, method: DeliveryMethod) -> str:
    """Return what is said of locations that a filter removed from a leg of a method."""
    if name == "scope" and method in (DeliveryMethod.PICKUP, DeliveryMethod.CURBSIDE):
        return OTHER_STORE
    return FILTER_WORDS[name]


class Room(NamedTuple):
    """What a location can still be given on a day."""

    packages: int
    units: int


BOUNDLESS = Room(QUANTITY_MAX, QUANTITY_MAX)


class LegQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """All that decides which locations may fulfil a leg."""

    ask: Ask
    needs: tuple[Need, ...]
    table_of: Callable[[Sequence[LocationIndex], int], TransportTable]
    """Gives the table of the journey from a time on: of all locations, or of those, in order."""
    area: Area
    ranks: Sequence[int]
    """By location index: the place in the order of (priority, location id)."""
    only: LocationIndex | None = None
    """Where the customer collects; None for a leg that any location may fulfil."""
    excluded: tuple[LocationIndex, ...] = ()
    own: Claims = NO_CLAIMS
    taken: Claims = NO_CLAIMS
    mocked: Mapping[Sku, Units] | None = None
    effects: Effects = NO_EFFECTS
    """What rules say; their lines are the needs."""
    prices: Prices = Prices()
    promise_ms: int = FOREVER_MS
    promise_is_hard: bool = False
    parcel_at: ParcelFinder | None = None
    """Finds the open parcel from a location on a day that takes more; None where there is none."""
    parcel_grams: Callable[[FulfillmentOrder], int] | None = None
    """Says what an open parcel weighs, with all that joined it."""
    joins_only: bool = False
    """Whether the order has all packages that it may have: goods can only join open ones."""
    may_backorder: bool = True
    """Whether supply that is not there yet may be promised, where the products allow it."""
    columns: Columns | None = None
    """The costs of the journey from everywhere; None where a promise was asked for, or where
    there are too many locations to keep them."""
    room_left: Callable[[LocationIndex, int], Room] | None = None
    """How much a location can still be given on a day; None where no location has a limit."""


class LegLimits(msgspec.Struct, frozen=True, gc=False):
    """What the plan of a leg must keep to."""

    package_count_max: int = 0
    unit_split: bool = True
    partial: bool = True
    """Whether a need that may be split, and cannot be served whole, is served in part."""
    groups: tuple[tuple[int, ...], ...] = ()
    """Needs that must travel in one package, by place."""
    strategy: Strategy = Strategy.CHEAPEST
    shown: tuple[LocationIndex, ...] = ()
    """Locations that the decision tells of, whatever they cost."""
    share: int = 1
    """How many legs share what the search of an order may cost."""


class Place(msgspec.Struct, frozen=True, gc=False):
    """Where a candidate stands in a table of the journey, and from when its stock is there."""

    table: TransportTable
    row: int
    ready_ms: int = 0
    """0 for stock that is there; else when the supply that it waits for comes."""


class Candidates(msgspec.Struct, frozen=True):
    """The locations that may fulfil a leg, in the order of ties, and what each would cost.

    Those that wait for supply stand behind all others.
    """

    indexes: Sequence[LocationIndex]
    rows: Sequence[int]
    """Where each that has stock stands in the table."""
    table: TransportTable
    package_costs: Sequence[int]
    """What is weighed for a package: what is paid and what is priced."""
    unit_costs: Sequence[Sequence[int]]
    available: Sequence[Sequence[int]]
    removed: tuple[tuple[str, int], ...]
    removed_by: Mapping[LocationIndex, str]
    """For the locations that had stock: the filter that removed each."""
    dated: tuple[Place, ...] = ()
    parcels: Mapping[int, FulfillmentOrder] = {}
    """By candidate: the open parcel that goods from there join."""

    def place(self, candidate: int) -> Place:
        """Return where a candidate's costs and dates come from."""
        stocked_count = len(self.rows)
        if candidate < stocked_count:
            return Place(self.table, self.rows[candidate])
        return self.dated[candidate - stocked_count]


def excluded_for_all(effects: Effects, index: LocationIndex) -> bool:
    """Whether rules exclude a location for everything that is asked."""
    shared = effects.shared.excluded
    if shared is not None and shared[index]:
        return True
    masks = [line.excluded for line in effects.lines]
    return bool(masks) and all(mask is not None and mask[index] for mask in masks)
