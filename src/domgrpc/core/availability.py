"""Availability queries: what can be fulfilled, sold and promised of many SKUs at one moment.

Totals come from the views of stock_index.py, so that a total over everything or over groups
costs what changed since it was last asked, and a total over named or near locations costs their
number. What costs its positions, figures by location and promises by date, is bounded in pairs of
SKU and location.
"""

from collections.abc import Iterator

import msgspec

from domgrpc.core.network import Ask, Figures, Network
from domgrpc.core.positions import SkuStock
from domgrpc.core.promises import available_to_promise
from domgrpc.core.rejections import Reason, Rejected
from domgrpc.core.safety_stock import RuleKind, SafetyStockRule, matching_rules
from domgrpc.core.scopes import Area, GroupList, Scope, resolve_scope
from domgrpc.core.stock_index import AvailabilityView, availability_view
from domgrpc.core.values import (
    Demand,
    GroupId,
    LocationId,
    Quantity,
    RuleId,
    Sku,
    TimeMs,
)

PAIRS_MAX = 10_000
PAIRS_PER_MESSAGE_MAX = 100_000
"""Of all questions in one message: half a second of the server's time."""


class CheckAvailability(msgspec.Struct, frozen=True):
    """The question: SKUs with the quantity wanted (0 for none), where, for which demand."""

    items: tuple[tuple[Sku, Quantity], ...]
    scope: Scope = None
    demand: Demand = Demand()
    include_locations: bool = False
    include_parts: bool = False
    horizon_days: int = 0


class LocationAvailability(msgspec.Struct, frozen=True, gc=False):
    """What one location offers of a SKU; distance 0 where the scope is no circle."""

    location_id: LocationId
    available_to_fulfill: int
    available_to_sell: int
    distance_m: int
    parts: "AvailabilityParts | None" = None


class AvailabilityParts(msgspec.Struct, frozen=True, gc=False):
    """The parts of one figure."""

    on_hand: int
    soft_reserved: int
    allocated: int
    figures: Figures

    @property
    def oversold(self) -> int:
        """Return the claims beyond on_hand."""
        return max(0, self.soft_reserved + self.allocated - self.on_hand)


class SkuAvailability(msgspec.Struct, frozen=True):
    """What is available of one SKU; `promise` is (from when, ATP) steps."""

    sku: Sku
    known: bool
    available_to_fulfill: int
    available_to_sell: int
    sufficient: bool
    locations: tuple[LocationAvailability, ...] = ()
    promise: tuple[tuple[TimeMs, int], ...] = ()


class PairBudget:
    """How many pairs the questions of one message may still list or promise."""

    __slots__ = ("left_count",)

    def __init__(self) -> None:
        """Start with the most that one message may ask for."""
        self.left_count = PAIRS_PER_MESSAGE_MAX

    def take(self, pair_count: int) -> None:
        """Take the pairs of a question, or refuse with TOO_MANY_PAIRS and take none."""
        if pair_count > self.left_count:
            raise Rejected(
                Reason.TOO_MANY_PAIRS,
                f"the questions of this message have {PAIRS_PER_MESSAGE_MAX - self.left_count} "
                f"positions so far and this one {pair_count}; {PAIRS_PER_MESSAGE_MAX} can be "
                "listed or promised in one message: ask in another",
                pair_count=pair_count,
                limit=PAIRS_PER_MESSAGE_MAX,
            )
        self.left_count -= pair_count


def check_availability(
    network: Network, query: CheckAvailability, now_ms: TimeMs, budget: PairBudget | None = None
) -> tuple[SkuAvailability, ...]:
    """Answer the question in the order of its items, or refuse with TOO_MANY_PAIRS."""
    area = resolve_scope(network, query.scope)
    ask = Ask(query.demand, now_ms)
    network.refresh(now_ms)
    if query.include_locations or query.horizon_days:
        pair_count = _check_pairs(network, query, area)
        if budget is not None:
            budget.take(pair_count)
    return tuple(_of_sku(network, item, query, (area, ask)) for item in query.items)


def _of_sku(
    network: Network,
    item: tuple[Sku, Quantity],
    query: CheckAvailability,
    where: tuple[Area, Ask],
) -> SkuAvailability:
    sku, wanted = item
    area, ask = where
    stock = network.stock.find(sku)
    if stock is None:
        return SkuAvailability(
            sku=sku, known=False, available_to_fulfill=0, available_to_sell=0, sufficient=False
        )
    view = availability_view(network, stock, ask)
    to_fulfill, to_sell = _totals(stock, view, query.scope, area)
    locations: tuple[LocationAvailability, ...] = ()
    if query.include_locations:
        build = _location_with_parts if query.include_parts else _location
        locations = tuple(
            build(network, stock, (view, ask), found) for found in _slots(stock, area)
        )
    promise: tuple[tuple[TimeMs, int], ...] = ()
    if query.horizon_days:
        slots = (slot for slot, _ in _slots(stock, area))
        promise = available_to_promise(network, stock, slots, (ask, query.horizon_days))
    return SkuAvailability(
        sku=sku,
        known=True,
        available_to_fulfill=to_fulfill,
        available_to_sell=to_sell,
        sufficient=0 < wanted <= to_sell,
        locations=locations,
        promise=promise,
    )


def _totals(stock: SkuStock, view: AvailabilityView, scope: Scope, area: Area) -> tuple[int, int]:
    if area.distances_m is None:
        return view.to_fulfill_total, view.to_sell_total
    if isinstance(scope, GroupList):
        group_ids: tuple[GroupId, ...] = scope.group_ids
        totals = view.group_totals(group_ids, area.distances_m)
        return totals.to_fulfill, totals.to_sell
    slots = [slot for slot, _ in _slots(stock, area)]
    return sum(view.to_fulfill[slot] for slot in slots), sum(view.to_sell[slot] for slot in slots)


def _slots(stock: SkuStock, area: Area) -> Iterator[tuple[int, int]]:
    # (slot, metres) of the positions in the area, in the order of answers.
    if area.distances_m is None:
        for slot in range(len(stock.location_indexes)):
            yield slot, 0
        return
    for index, metres in area.distances_m.items():
        slot = stock.slot(index)
        if slot >= 0:
            yield slot, metres


def _location(
    network: Network, stock: SkuStock, by: tuple[AvailabilityView, Ask], found: tuple[int, int]
) -> LocationAvailability:
    view, _ = by
    slot, metres = found
    location = network.locations.by_index[stock.location_indexes[slot]]
    return LocationAvailability(
        location.location_id, view.to_fulfill[slot], view.to_sell[slot], metres
    )


def _location_with_parts(
    network: Network, stock: SkuStock, by: tuple[AvailabilityView, Ask], found: tuple[int, int]
) -> LocationAvailability:
    slot, _ = found
    parts = AvailabilityParts(
        on_hand=stock.on_hand[slot],
        soft_reserved=stock.soft_reserved[slot],
        allocated=stock.allocated[slot],
        figures=network.figures(stock, slot, by[1]),
    )
    return msgspec.structs.replace(_location(network, stock, by, found), parts=parts)


def _check_pairs(network: Network, query: CheckAvailability, area: Area) -> int:
    stocks = [stock for sku, _ in query.items if (stock := network.stock.find(sku)) is not None]
    in_area = len(network.locations.by_index if area.distances_m is None else area.distances_m)
    pair_count = sum(min(len(stock.location_indexes), in_area) for stock in stocks)
    if pair_count > PAIRS_MAX and area.distances_m is not None:
        # That was only a bound: not every position lies in the area.
        pair_count = sum(1 for stock in stocks for _ in _slots(stock, area))
    if pair_count > PAIRS_MAX:
        raise Rejected(
            Reason.TOO_MANY_PAIRS,
            f"{len(query.items)} SKUs have {pair_count} positions in the scope, {PAIRS_MAX} can be "
            "listed or promised in a call: ask for fewer SKUs, a smaller scope, or totals",
            pair_count=pair_count,
            limit=PAIRS_MAX,
        )
    return pair_count


# --- explaining rules


class RuleDecision(msgspec.Struct, frozen=True):
    """Which rule of a kind wins, its value in units, and the losers, best first."""

    kind: RuleKind
    rule_id: RuleId
    quantity: int
    other_rule_ids: tuple[RuleId, ...]


def explain_safety_stock(
    network: Network, sku: Sku, location_id: LocationId, ask: Ask
) -> tuple[RuleDecision, ...]:
    """Say for each kind that has a matching rule which one wins for a position."""
    network.refresh(ask.time_ms)
    index = network.locations.index(location_id)
    stock = network.stock.find(sku)
    slot = stock.slot(index) if stock is not None else -1
    on_hand = stock.on_hand[slot] if stock is not None and slot >= 0 else 0
    subject = network.subject(sku, index, ask)
    decisions = []
    for kind in RuleKind:
        matching: list[SafetyStockRule] = matching_rules(network.rules, kind, subject)
        if matching:
            winner, *others = matching
            decisions.append(
                RuleDecision(
                    kind,
                    winner.rule_id,
                    winner.quantity(on_hand),
                    tuple(rule.rule_id for rule in others),
                )
            )
    return tuple(decisions)
