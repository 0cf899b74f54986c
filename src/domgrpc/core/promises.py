"""Promises: what can be promised of a SKU by date, over the positions of an area.

Each location's curve is the cumulative minimum of its projected balance, with the rules of each
day on the stock of that day; curves are added up. The rules that concern the SKU are collected
once, and what wins when is computed once for the locations that the same rules match, so that a
position costs its own supplies and the windows that touch it.
"""

from collections.abc import Iterable
from heapq import heappop, heappush
from itertools import chain

import msgspec

from domgrpc.core.network import Ask, Network
from domgrpc.core.positions import SkuStock
from domgrpc.core.safety_stock import (
    RuleKind,
    SafetyStockRule,
    Subject,
    matches_goods,
    matches_place,
    rank,
)
from domgrpc.core.supply import promise_curve
from domgrpc.core.values import DAY_MS, LocationIndex, RuleId, TimeMs

Winners = list[tuple[int, SafetyStockRule | None]]
"""(from when, the rule that wins from then on), by time; the first one is now."""
_NO_WINNERS: Winners = [(0, None)]


class _Span(msgspec.Struct, frozen=True):
    """Who asks, and from when to when."""

    ask: Ask
    end_ms: int


def available_to_promise(
    network: Network, stock: SkuStock, slots: Iterable[int], by: tuple[Ask, int]
) -> tuple[tuple[TimeMs, int], ...]:
    """Return (from when, ATP) steps over positions, the first one now; `by` is (ask, days).

    While a location is disabled its curve is 0. O(rules that may match the SKU), and for each
    position O(n log n) in its supplies and the edges of windows that touch it.
    """
    ask, days = by
    network.refresh(ask.time_ms)
    span = _Span(ask, ask.time_ms + days * DAY_MS)
    rules = [
        _RulesOfSku(network, kind, stock, span)
        for kind in (RuleKind.FULFILLMENT_MINIMUM, RuleKind.SAFETY_STOCK)
    ]
    changes: dict[int, int] = {}
    for slot in slots:
        promised = 0
        for time_ms, quantity in _location_curve(network, stock, slot, (span, rules)):
            changes[time_ms] = changes.get(time_ms, 0) + quantity - promised
            promised = quantity
    steps: list[tuple[TimeMs, int]] = [(ask.time_ms, changes.pop(ask.time_ms, 0))]
    for time_ms, change in sorted(changes.items()):
        if change:
            steps.append((TimeMs(time_ms), steps[-1][1] + change))
    return tuple(steps)


class _RulesOfSku:
    """The rules of a kind that may match a SKU's positions within a span, best first."""

    __slots__ = ("_kind", "_network", "_rules", "_span", "_winners")

    def __init__(self, network: Network, kind: RuleKind, stock: SkuStock, span: _Span) -> None:
        goods = network.goods(stock.sku, span.ask)
        found = network.rules.anywhere(kind, stock.sku)
        self._network = network
        self._kind = kind
        self._span = span
        self._rules = [rule for rule in found if self._concerns(rule, goods)]
        self._winners: dict[tuple[RuleId, ...], Winners] = {(): _NO_WINNERS}

    def winners(self, stock: SkuStock, index: LocationIndex) -> Winners:
        """Return which rule wins at a location, and from when on."""
        network = self._network
        location_id = network.locations.by_index[index].location_id
        local = network.rules.at_location(self._kind, location_id)
        if not self._rules and not local:
            return _NO_WINNERS
        subject = network.subject(stock.sku, index, self._span.ask)
        concerned = chain(self._rules, (rule for rule in local if self._concerns(rule, subject)))
        matching = [rule for rule in concerned if matches_place(rule.fields, subject)]
        key = tuple(rule.rule_id for rule in matching)
        found = self._winners.get(key)
        if found is None:
            found = self._winners[key] = winners_by_time(matching, self._span.ask.time_ms)
        return found

    def _concerns(self, rule: SafetyStockRule, subject: Subject) -> bool:
        fields, span = rule.fields, self._span
        in_time = fields.start_time_ms <= span.end_ms and fields.end_time_ms > span.ask.time_ms
        return in_time and matches_goods(fields, subject)


def winners_by_time(matching: list[SafetyStockRule], now_ms: int) -> Winners:
    """Return which of the rules wins from when on, by their windows; O(n log n)."""
    ranked = sorted(matching, key=rank)
    places = sorted(range(len(ranked)), key=lambda place: ranked[place].fields.start_time_ms)
    edges = {now_ms}
    for rule in ranked:
        edges.update((rule.fields.start_time_ms, rule.fields.end_time_ms))
    open_places: list[int] = []
    begun = 0
    winners: Winners = []
    for edge in sorted(edge for edge in edges if edge >= now_ms):
        while begun < len(places) and ranked[places[begun]].fields.start_time_ms <= edge:
            heappush(open_places, places[begun])
            begun += 1
        while open_places and ranked[open_places[0]].fields.end_time_ms <= edge:
            heappop(open_places)
        winner = ranked[open_places[0]] if open_places else None
        if not winners or winner is not winners[-1][1]:
            winners.append((edge, winner))
    return winners


def _location_curve(
    network: Network, stock: SkuStock, slot: int, by: tuple[_Span, list[_RulesOfSku]]
) -> list[tuple[int, int]]:
    span, (minimums, safeties) = by
    now_ms, end_ms = span.ask.time_ms, span.end_ms
    index = LocationIndex(stock.location_indexes[slot])
    if not network.locations.can_deliver(index, span.ask.demand.delivery_method):
        return []
    supplies = stock.supplies(index)
    due = list(supplies.due(now_ms, end_ms)) if supplies is not None else []
    window = network.locations.windows[index]
    minimum, safety = minimums.winners(stock, index), safeties.winners(stock, index)
    edges: set[int] = {now_ms, *(supply.due_time_ms for supply in due)}
    for later in (window, (time_ms for time_ms, _ in minimum), (time_ms for time_ms, _ in safety)):
        edges.update(edge for edge in later if now_ms < edge <= end_ms)
    times = sorted(edges)
    on_hand = stock.on_hand[slot]
    claimed = stock.soft_reserved[slot] + stock.allocated[slot]
    balances: list[tuple[int, int]] = []
    arrived = minimum_place = safety_place = 0
    for time_ms in times:
        while arrived < len(due) and due[arrived].due_time_ms <= time_ms:
            on_hand += due[arrived].quantity
            arrived += 1
        minimum_place = _place_at(minimum, minimum_place, time_ms)
        safety_place = _place_at(safety, safety_place, time_ms)
        rules = (minimum[minimum_place][1], safety[safety_place][1])
        balances.append((time_ms, _balance(on_hand, claimed, rules)))
    return _masked(promise_curve(balances), times, window)


def _place_at(winners: Winners, place: int, time_ms: int) -> int:
    # Times rise, so that all of them together walk over the winners once.
    while place + 1 < len(winners) and winners[place + 1][0] <= time_ms:
        place += 1
    return place


def _balance(
    on_hand: int, claimed: int, rules: tuple[SafetyStockRule | None, SafetyStockRule | None]
) -> int:
    # The rules of that day decide, on the stock of that day.
    minimum, safety = rules
    if minimum is not None and on_hand - claimed < minimum.quantity(on_hand):
        return 0
    if safety is not None:
        on_hand = max(0, on_hand - safety.quantity(on_hand))
    return on_hand - claimed


def _masked(
    curve: list[tuple[int, int]], times: list[int], window: tuple[int, int]
) -> list[tuple[int, int]]:
    # 0 while the location is disabled, the curve's own value outside.
    steps: list[tuple[int, int]] = []
    values = dict(curve)
    value = 0
    for time_ms in times:
        value = values.get(time_ms, value)
        steps.append((time_ms, 0 if window[0] <= time_ms < window[1] else value))
    return steps
