"""Offers: what all positions of one SKU offer to one demand, at once.

The same figures as `Network.sellable` gives for one slot, several times faster: which rules match
the SKU and the demand, and in which order, is found once, and only what depends on the place is
asked for every position.
"""

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import repeat
from operator import add

from domgrpc.core.network import Ask, Network
from domgrpc.core.positions import SkuStock
from domgrpc.core.safety_stock import (
    RuleKind,
    SafetyStockRule,
    Subject,
    matches_goods,
)
from domgrpc.core.values import LocationId, LocationIndex, LocationType, RuleId


def sku_offers(network: Network, stock: SkuStock, ask: Ask) -> "tuple[array[int], array[int]]":
    """Return ATF and ATS by slot; `network.refresh` was called for this time.

    O(rules that may match the SKU), and for each position O(those of them that name a place).
    """
    by_index, windows = network.locations.by_index, network.locations.windows
    method_masks = network.locations.method_masks
    time_ms, method = ask.time_ms, ask.demand.delivery_method
    backorder_quantity = _backorder_quantity(network, stock, ask)
    to_fulfill = array("q", bytes(8 * len(stock.on_hand)))
    to_sell = array("q", to_fulfill)
    columns = zip(
        stock.location_indexes,
        stock.on_hand,
        map(add, stock.soft_reserved, stock.allocated),
        _winners(network, RuleKind.FULFILLMENT_MINIMUM, stock, ask),
        _winners(network, RuleKind.SAFETY_STOCK, stock, ask),
        strict=False,
    )
    for slot, (index, on_hand, claimed, minimum, safety) in enumerate(columns):
        start_ms, end_ms = windows[index]
        mask = method_masks[index]
        if start_ms <= time_ms < end_ms or not (mask >> method & 1 if method else mask):
            continue
        unclaimed = on_hand - claimed
        if minimum is not None and unclaimed < minimum.quantity(on_hand):
            continue
        if safety is not None:
            unclaimed = max(0, on_hand - safety.quantity(on_hand)) - claimed
        if unclaimed > 0:
            to_fulfill[slot] = to_sell[slot] = unclaimed
        if by_index[index].backorder_enabled:
            quantity = backorder_quantity
            if quantity is None:
                quantity = network.backorder_quantity(stock, LocationIndex(index), time_ms)
            to_sell[slot] = max(0, unclaimed + quantity)
    return to_fulfill, to_sell


def _backorder_quantity(network: Network, stock: SkuStock, ask: Ask) -> int | None:
    # None where it is another at every location.
    if network.backorders_by_date(stock.sku):
        return None
    return network.backorder_quantity(stock, LocationIndex(0), ask.time_ms)


# --- which rule wins at each position


def _winners(
    network: Network, kind: RuleKind, stock: SkuStock, ask: Ask
) -> Iterable[SafetyStockRule | None]:
    # Slot by slot, as `Network.winner` says; endless where the place does not matter.
    rules = network.rules
    if not network.may_win(kind):
        return repeat(None)
    goods = _goods(network, stock, ask)
    ranks = rules.ranks
    matching = _matching(rules.anywhere(kind, stock.sku), goods)
    ranked = sorted(matching, key=lambda rule: ranks[rule.rule_id])
    local = rules.by_location(kind)
    if not local and (not ranked or _is_for_any_place(ranked[0])):
        return repeat(ranked[0] if ranked else None)
    winners: list[SafetyStockRule | None] = [None] * len(stock.location_indexes)
    open_slots: Sequence[int] = range(len(winners))
    for rule in ranked:
        for slot in _slots_inside(network, stock, rule, open_slots):
            winners[slot] = winners[slot] or rule
        if not rule.fields.location_id:
            open_slots = [slot for slot in open_slots if winners[slot] is None]
    for slot, rules_here in _local_rules(network, stock, local):
        best = _best(network, stock, slot, _matching(rules_here, goods))
        found = winners[slot]
        if best is not None and (found is None or ranks[best.rule_id] < ranks[found.rule_id]):
            winners[slot] = best
    return winners


def _best(
    network: Network, stock: SkuStock, slot: int, rules: Iterable[SafetyStockRule]
) -> SafetyStockRule | None:
    inside = (rule for rule in rules if _slots_inside(network, stock, rule, (slot,)))
    return min(inside, key=lambda rule: network.rules.ranks[rule.rule_id], default=None)


def _slots_inside(
    network: Network, stock: SkuStock, rule: SafetyStockRule, slots: Sequence[int]
) -> Sequence[int]:
    # Those of the slots whose place the rule is for.
    fields, indexes = rule.fields, stock.location_indexes
    if fields.location_id:
        slot = stock.slot(network.locations.index_of[fields.location_id])
        slots = (slot,) if slot >= 0 else ()
    if fields.group_id:
        members = network.groups.members[fields.group_id]
        slots = [slot for slot in slots if indexes[slot] in members]
    if fields.location_type:
        by_index = network.locations.by_index
        slots = [slot for slot in slots if by_index[indexes[slot]].type == fields.location_type]
    return slots


def _local_rules(
    network: Network, stock: SkuStock, local: Mapping[str, Mapping[RuleId, SafetyStockRule]]
) -> Iterator[tuple[int, Iterable[SafetyStockRule]]]:
    # (slot, rules found by its location); whichever are fewer are gone through.
    locations = network.locations
    if len(local) < len(stock.location_indexes):
        for location_id, rules in local.items():
            slot = stock.slot(locations.index_of[LocationId(location_id)])
            if slot >= 0:
                yield slot, rules.values()
        return
    for slot, index in enumerate(stock.location_indexes):
        found = local.get(locations.by_index[index].location_id)
        if found:
            yield slot, found.values()


def _goods(network: Network, stock: SkuStock, ask: Ask) -> Subject:
    # Without a place: only what `matches_goods` looks at.
    return Subject(
        sku=stock.sku,
        categories=network.products.fields(stock.sku).categories,
        location_id=LocationId(""),
        location_type=LocationType.UNSPECIFIED,
        group_ids=(),
        demand=ask.demand,
        time_ms=ask.time_ms,
    )


def _matching(rules: Iterable[SafetyStockRule], goods: Subject) -> Iterator[SafetyStockRule]:
    # Those that match but for the place.
    for rule in rules:
        fields = rule.fields
        in_time = fields.start_time_ms <= goods.time_ms < fields.end_time_ms
        if in_time and matches_goods(fields, goods):
            yield rule


def _is_for_any_place(rule: SafetyStockRule) -> bool:
    fields = rule.fields
    return not (fields.location_id or fields.location_type or fields.group_id)
