"""What planning is asked, and what it looks at: places and stock, transport, rules and orders."""

from collections.abc import Callable, Mapping

import msgspec

from domgrpc.core.calendars import CapacityUnit
from domgrpc.core.journey_columns import KnownJourneys, Prices
from domgrpc.core.leg_questions import (
    BOUNDLESS,
    Room,
)
from domgrpc.core.logistics import Logistics
from domgrpc.core.network import Network
from domgrpc.core.order_book import Orders
from domgrpc.core.orders import (
    FulfillmentOrder,
    Order,
    OrderLine,
    OrderTerms,
    ShortagePolicy,
)
from domgrpc.core.plans import MockStock
from domgrpc.core.rule_effects import CompiledRuleSet
from domgrpc.core.rule_set_book import RuleSets
from domgrpc.core.rule_sets import Unfilled
from domgrpc.core.taken import Taken
from domgrpc.core.values import (
    QUANTITY_MAX,
    LocationId,
    LocationIndex,
    RuleSetVersion,
    Sku,
    TimeMs,
)

_SCARCITY_MICROS = 1_000_000
"""The scarcity price of a unit that is the last one of its SKU at its location."""
_PERMILLE = 1_000
_POLICIES = {
    Unfilled.BACKORDER: ShortagePolicy.BACKORDER,
    Unfilled.REFUSE: ShortagePolicy.REFUSE,
    Unfilled.CANCEL: ShortagePolicy.CANCEL,
}


class PlanQuestion(msgspec.Struct, frozen=True):
    """What is to be planned, when, and what belongs to whoever asks."""

    lines: tuple[OrderLine, ...]
    terms: OrderTerms
    time_ms: TimeMs
    own: Mapping[tuple[Sku, LocationId], int] = {}
    """Units that are claimed by the asker and free for it."""
    excluded: tuple[LocationId, ...] = ()
    order: Order | None = None
    """The order that it is for, as it will be: its open parcels take more goods."""
    rule_set_version: RuleSetVersion | None = None
    """None for the active one."""
    mocked: tuple[MockStock, ...] | None = None
    strategy: str = ""
    """The name of a strategy in place of the rule set's own; empty for that."""
    may_backorder: bool = True
    merges: bool = True
    """Whether goods may join parcels that are open."""
    whole: tuple[OrderLine, ...] = ()
    """All lines of the order where `lines` are a part of it: what rules look at."""
    beside: tuple[OrderLine, ...] = ()
    """All lines that one plan is made of part by part: what rules price a line at is shared by all
    of its units. Empty where `lines` are all."""
    shown: tuple[LocationId, ...] = ()
    """Locations that the decision is to tell of, whatever they cost."""
    opened: tuple[FulfillmentOrder, ...] = ()
    """Parcels to the same customer and address that the same step opens."""


class Planner:
    """What planning looks at; holds nothing of its own but views."""

    __slots__ = (
        "_known_rules",
        "_prices",
        "journeys",
        "logistics",
        "network",
        "orders",
        "rule_sets",
    )

    def __init__(
        self, network: Network, logistics: Logistics, rule_sets: RuleSets, orders: Orders
    ) -> None:
        """Look at the parts of a state."""
        self.network = network
        self.logistics = logistics
        self.rule_sets = rule_sets
        self.orders = orders
        self.journeys = KnownJourneys(network, logistics)
        self._known_rules: CompiledRuleSet | None = None
        self._prices = Prices()

    def shortage_policy(
        self, terms: OrderTerms, version: RuleSetVersion | None = None
    ) -> ShortagePolicy:
        """Return what becomes of units that nobody can fill: as the order or the rules say."""
        if terms.shortage_policy is not ShortagePolicy.UNSPECIFIED:
            return terms.shortage_policy
        return _POLICIES[self.rules(version).content.unfilled]

    def prices(self, rules: CompiledRuleSet) -> Prices:
        """Return what a rule set weighs beside money that is paid."""
        if rules is not self._known_rules:
            prices = rules.content.prices
            self._prices = Prices(
                prices.split_penalty_micros,
                prices.late_day_micros,
                prices.scarcity_weight_permille * _SCARCITY_MICROS // _PERMILLE,
            )
            self._known_rules = rules
        return self._prices

    def rules(self, version: RuleSetVersion | None) -> CompiledRuleSet:
        """Return the rules of a version or, for None, the active ones."""
        if version is None:
            return self.rule_sets.active(self.network)
        return self.rule_sets.compiled(version, self.network)

    def room_check(self, taken: Taken) -> Callable[[LocationIndex, int], Room] | None:
        """Return what says how much capacity is left; None where no location has a limit."""
        if not self.journeys.has_capacity():
            return None
        return lambda index, day: self.room(index, day, taken)

    def room(self, index: LocationIndex, day: int, taken: Taken) -> Room:
        """Return how many packages and units a location can still be given on a day."""
        capacity = self.logistics.capacity(self.network.locations, index)
        if not capacity.daily:
            return BOUNDLESS
        location_id = self.network.locations.by_index[index].location_id
        packages, units = self.orders.used_capacity.get((location_id, day), (0, 0))
        more_packages, more_units = taken.work.get((index, day), (0, 0))
        if capacity.unit is CapacityUnit.PACKAGES:
            return Room(max(0, capacity.daily - packages - more_packages), QUANTITY_MAX)
        return Room(QUANTITY_MAX, max(0, capacity.daily - units - more_units))
