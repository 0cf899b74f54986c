"""The network: all that decides what one position offers to one demand at one time.

ATF of a position is max(0, on_hand - soft_reserved - allocated - safety_stock); a location that
is disabled, cannot do the method or is below its fulfilment minimum contributes nothing. ATS
adds what the product's backorder policy allows there. Nothing is stored: a figure is a view of
positions, rules and locations.
"""

import msgspec

from domgrpc.core.location_groups import LocationGroups
from domgrpc.core.locations import Locations
from domgrpc.core.positions import SkuStock, Stock
from domgrpc.core.products import Products
from domgrpc.core.rejections import Reason
from domgrpc.core.safety_stock import (
    RuleKind,
    SafetyStockRule,
    SafetyStockRules,
    Subject,
    matching_rules,
)
from domgrpc.core.values import (
    DAY_MS,
    NO_LOCATION,
    QUANTITY_MAX,
    BackorderMode,
    DeliveryMethod,
    Demand,
    GroupId,
    Limits,
    LocationId,
    LocationIndex,
    LocationType,
    RuleId,
    Sku,
    TimeMs,
)

_WINNERS_MAX = 200_000
_NO_RULE = RuleId("")


class Ask(msgspec.Struct, frozen=True, gc=False):
    """Who asks and when."""

    demand: Demand
    time_ms: TimeMs


class Figures(msgspec.Struct, frozen=True, gc=False):
    """What one position offers to one demand, and what makes it so."""

    available_to_fulfill: int
    available_to_sell: int
    safety_stock: int = 0
    backorder_quantity: int = 0
    safety_stock_rule_id: RuleId = _NO_RULE
    fulfillment_minimum_rule_id: RuleId = _NO_RULE
    excluded_reason: Reason | None = None


class Network:
    """Places, products, stock and rules, and the figures that they make together."""

    __slots__ = (
        "_boundary_ms",
        "_kinds",
        "_plain_places",
        "_rule_boundary_ms",
        "_rule_groups",
        "_rule_version",
        "_unusable",
        "_version",
        "_winners",
        "groups",
        "locations",
        "products",
        "rules",
        "stock",
    )

    def __init__(self, limits: Limits) -> None:
        """Start empty."""
        self.locations = Locations(limits)
        self.groups = LocationGroups(limits)
        self.products = Products(limits)
        self.stock = Stock()
        self.rules = SafetyStockRules(limits)
        self._winners: dict[
            tuple[RuleKind, Sku, LocationIndex, Demand], SafetyStockRule | None
        ] = {}
        self._plain_places: dict[DeliveryMethod, list[LocationId | None]] = {}
        self._unusable: dict[DeliveryMethod, tuple[tuple[int, int, int], tuple[int, int]]] = {}
        self._version = -1
        self._boundary_ms = 0
        self._rule_version = -1
        self._rule_boundary_ms = 0
        # The groups that rules name, with their members.
        self._rule_groups: tuple[tuple[GroupId, dict[LocationIndex, None]], ...] = ()
        # The kinds of the rules whose window is open: of any other none wins anywhere.
        self._kinds: frozenset[RuleKind] = frozenset()

    def refresh(self, now_ms: TimeMs) -> tuple[int, int]:
        """Return (version of places, products and rules; when a window next opens or closes).

        Called before figures are computed, so that no cached winner outlives a change or an
        edge. O(1) unless something changed that figures depend on, then O(locations + rules).
        """
        version = (
            self.locations.version + self.groups.version + self.products.version
        ) + self.rules.version
        if version != self._version or now_ms >= self._boundary_ms:
            self._look_at_rules(now_ms)
            self._plain_places.clear()
            self._version = version
            self._boundary_ms = min(self.locations.next_boundary_ms(now_ms), self._rule_boundary_ms)
        return version, self._boundary_ms

    def level_version(self, now_ms: TimeMs) -> tuple[int, int]:
        """Return what changes where the level of a position may change without its figures."""
        self.refresh(now_ms)
        return self._rule_version, self._rule_boundary_ms

    def _look_at_rules(self, now_ms: TimeMs) -> None:
        version = (
            self.locations.rule_version + self.groups.version + self.products.rule_version
        ) + self.rules.version
        if version == self._rule_version and now_ms < self._rule_boundary_ms:
            return
        self._winners.clear()
        fields = (rule.fields for rule in self.rules.by_id.values())
        self._kinds = frozenset(f.kind for f in fields if f.start_time_ms <= now_ms < f.end_time_ms)
        self._rule_version = version
        self._rule_boundary_ms = self.rules.next_boundary_ms(now_ms)
        named = dict.fromkeys(rule.fields.group_id for rule in self.rules.by_id.values())
        members = self.groups.members
        self._rule_groups = tuple((name, members[name]) for name in named if name)

    def sellable(self, stock: SkuStock, slot: int, ask: Ask, own: int = 0) -> tuple[int, int]:
        """Return (ATF, ATS) of a position: `figures` without the reasons, for hot paths.

        `own` units of the claims belong to the asker and are not counted against it.
        """
        index: LocationIndex = stock.location_indexes[slot]  # type: ignore[assignment]
        locations = self.locations
        start_ms, end_ms = locations.windows[index]
        mask = locations.method_masks[index]
        method = ask.demand.delivery_method
        if start_ms <= ask.time_ms < end_ms or not (mask >> method & 1 if method else mask):
            return 0, 0
        on_hand = stock.on_hand[slot]
        claimed = stock.soft_reserved[slot] + stock.allocated[slot] - own
        if RuleKind.FULFILLMENT_MINIMUM in self._kinds:
            minimum = self.winner(RuleKind.FULFILLMENT_MINIMUM, stock, index, ask)
            if minimum is not None and on_hand - claimed < minimum.quantity(on_hand):
                return 0, 0
        if RuleKind.SAFETY_STOCK in self._kinds:
            rule = self.winner(RuleKind.SAFETY_STOCK, stock, index, ask)
            if rule is not None:
                on_hand = max(0, on_hand - rule.quantity(on_hand))
        unclaimed = on_hand - claimed
        if not locations.by_index[index].backorder_enabled:
            return (unclaimed, unclaimed) if unclaimed > 0 else (0, 0)
        backorder = self.backorder_quantity(stock, index, ask.time_ms)
        return max(0, unclaimed), max(0, unclaimed + backorder)

    def plain_places(self, ask: Ask) -> list[LocationId | None]:
        """Return by location index the id of each usable location; empty where rules withhold.

        At these locations ATF is what is unclaimed, and no more needs to be asked: the case of
        most holds, which are taken by the hundred thousand. `refresh` was called for this time.
        """
        if self.may_win(RuleKind.FULFILLMENT_MINIMUM) or self.may_win(RuleKind.SAFETY_STOCK):
            return []
        method = ask.demand.delivery_method
        places = self._plain_places.get(method)
        if places is None:
            places = self._plain_places[method] = []
        by_index = self.locations.by_index
        if len(places) < len(by_index):
            places.extend(
                None if self.exclusion(LocationIndex(index), ask) else by_index[index].location_id
                for index in range(len(places), len(by_index))
            )
        return places

    def figures(self, stock: SkuStock, slot: int, ask: Ask) -> Figures:
        """Return what a position offers, with its parts and the rules that won."""
        index = LocationIndex(stock.location_indexes[slot])
        on_hand = stock.on_hand[slot]
        minimum = self.winner(RuleKind.FULFILLMENT_MINIMUM, stock, index, ask)
        rule = self.winner(RuleKind.SAFETY_STOCK, stock, index, ask)
        reason = self.exclusion(index, ask)
        if reason is None and minimum is not None:
            short = stock.free(slot) < minimum.quantity(on_hand)
            reason = Reason.BELOW_FULFILLMENT_MINIMUM if short else None
        to_fulfill, to_sell = self.sellable(stock, slot, ask)
        backorder = 0
        if self.locations.by_index[index].backorder_enabled:
            backorder = self.backorder_quantity(stock, index, ask.time_ms)
        return Figures(
            available_to_fulfill=to_fulfill,
            available_to_sell=to_sell,
            safety_stock=rule.quantity(on_hand) if rule else 0,
            backorder_quantity=backorder,
            safety_stock_rule_id=rule.rule_id if rule else _NO_RULE,
            fulfillment_minimum_rule_id=minimum.rule_id if minimum else _NO_RULE,
            excluded_reason=reason,
        )

    def exclusion(self, index: LocationIndex, ask: Ask) -> Reason | None:
        """Return why a location as a whole may not be used, None where it may."""
        if not self.locations.is_enabled(index, ask.time_ms):
            return Reason.LOCATION_DISABLED
        if not self.locations.can_deliver(index, ask.demand.delivery_method):
            return Reason.DELIVERY_METHOD_UNSUPPORTED
        return None

    def unusable_counts(self, ask: Ask) -> tuple[int, int]:
        """Return how many locations are out of use, and how many others cannot do the method.

        O(locations) where something changed since the last time, else O(1).
        """
        method = ask.demand.delivery_method
        known = self._unusable.get(method)
        version = (*self.refresh(ask.time_ms), len(self.locations.by_index))
        if known is None or known[0] != version:
            disabled = incapable = 0
            for index in range(len(self.locations.by_index)):
                reason = self.exclusion(LocationIndex(index), ask)
                disabled += reason is Reason.LOCATION_DISABLED
                incapable += reason is Reason.DELIVERY_METHOD_UNSUPPORTED
            known = self._unusable[method] = (version, (disabled, incapable))
        return known[1]

    def backorder_quantity(self, stock: SkuStock, index: LocationIndex, now_ms: TimeMs) -> int:
        """Return how far claims may exceed the stock at a location that allows backorders."""
        product = self.products.by_sku.get(stock.sku)
        if product is None:
            return 0
        policy = product.fields.backorder_policy
        if policy.mode is BackorderMode.NONE:
            return 0
        if policy.mode is BackorderMode.LIMITED:
            return policy.limit_quantity
        if policy.mode is BackorderMode.UNLIMITED:
            return QUANTITY_MAX
        supplies = stock.supplies(index)
        if supplies is None:
            return 0
        return supplies.quantity_due(now_ms, now_ms + policy.horizon_days * DAY_MS)

    def backorders_by_date(self, sku: Sku) -> bool:
        """Whether what may be sold of a SKU changes by itself as supply comes near."""
        product = self.products.by_sku.get(sku)
        return product is not None and product.fields.backorder_policy.mode is BackorderMode.INBOUND

    def winner(
        self, kind: RuleKind, stock: SkuStock, index: LocationIndex, ask: Ask
    ) -> SafetyStockRule | None:
        """Return the rule of a kind that wins now; `refresh` was called for this time."""
        if kind not in self._kinds:
            return None
        key = (kind, stock.sku, index, ask.demand)
        if key in self._winners:
            return self._winners[key]
        if len(self._winners) >= _WINNERS_MAX:
            self._winners.clear()
        matching = matching_rules(self.rules, kind, self.subject(stock.sku, index, ask))
        winner = self._winners[key] = matching[0] if matching else None
        return winner

    def may_win(self, kind: RuleKind) -> bool:
        """Whether there is a rule of a kind in its window; `refresh` was called for this time."""
        return kind in self._kinds

    def goods(self, sku: Sku, ask: Ask) -> Subject:
        """Collect what the conditions of rules look at but for the place; O(1)."""
        return Subject(
            sku=sku,
            categories=self.products.fields(sku).categories,
            location_id=NO_LOCATION,
            location_type=LocationType.UNSPECIFIED,
            group_ids=(),
            demand=ask.demand,
            time_ms=ask.time_ms,
        )

    def subject(self, sku: Sku, index: LocationIndex, ask: Ask) -> Subject:
        """Collect what the conditions of rules look at; O(groups that rules name).

        `refresh` was called for this time.
        """
        location = self.locations.by_index[index]
        return Subject(
            sku=sku,
            categories=self.products.fields(sku).categories,
            location_id=location.location_id,
            location_type=location.type,
            group_ids=tuple(name for name, inside in self._rule_groups if index in inside),
            demand=ask.demand,
            time_ms=ask.time_ms,
        )

    def check_invariants(self) -> None:
        """Every part agrees with itself, and positions refer to existing locations."""
        self.locations.check_invariants()
        self.groups.check_invariants(self.locations)
        self.stock.check_invariants()
        self.rules.check_invariants()
        for stock in self.stock.skus():
            # Sorted, as the SKU has checked.
            assert not stock.location_indexes or (
                stock.location_indexes[0] >= 0
                and stock.location_indexes[-1] < len(self.locations.by_index)
            )
