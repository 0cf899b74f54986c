"""The sorted stock index: per SKU and demand, the locations by what is available.

An `AvailabilityView` keeps ATF and ATS of each of a SKU's positions for one demand, their totals
and, once somebody picks by it, the locations sorted by ATS. It is built when first asked
(O(locations of the SKU)) and afterwards catches up with the slots that changed since, so that a
total costs what changed, not what exists. It is built anew when a place, product or rule
changed or the edge of a window was passed. Totals of groups are kept beside it in the same way.
"""

from array import array
from typing import TypeAlias

from sortedcontainers import SortedList

from domgrpc.core.network import Ask, Network
from domgrpc.core.offers import sku_offers
from domgrpc.core.positions import SkuStock
from domgrpc.core.values import GroupId, LocationIndex

Ranking: TypeAlias = "SortedList[tuple[int, LocationIndex]]"
"""(minus available, location) in order: the first has the most."""
_VIEWS_PER_SKU_MAX = 16


class GroupTotals:
    """The totals of one group list within a view."""

    __slots__ = ("members", "to_fulfill", "to_sell")

    def __init__(self, members: dict[LocationIndex, int]) -> None:
        """Start with nothing counted."""
        self.members = members
        self.to_fulfill = 0
        self.to_sell = 0


class AvailabilityView:
    """What one SKU offers to one demand, position by position and in total."""

    __slots__ = (
        "_ask",
        "_network",
        "_rankings",
        "_stock",
        "_version",
        "groups",
        "seen_count",
        "slot_count",
        "to_fulfill",
        "to_fulfill_total",
        "to_sell",
        "to_sell_total",
        "valid_until_ms",
    )

    def __init__(self, network: Network, stock: SkuStock, ask: Ask) -> None:
        """Compute every position's figures; see `sku_offers` for what it costs."""
        self._network = network
        self._stock = stock
        self._version, self.valid_until_ms = network.refresh(ask.time_ms)
        self._ask = ask
        self.slot_count = len(stock.location_indexes)
        self.to_fulfill, self.to_sell = sku_offers(network, stock, ask)
        self.to_fulfill_total = sum(self.to_fulfill)
        self.to_sell_total = sum(self.to_sell)
        self._rankings: list[Ranking | None] = [None, None]
        self.groups: dict[tuple[GroupId, ...], GroupTotals] = {}
        self.seen_count = len(stock.changed_slots)

    def is_current(self, version: int, ask: Ask) -> bool:
        """Whether the view may be brought up to date rather than built anew."""
        return version == self._version and ask.time_ms < self.valid_until_ms

    def catch_up(self) -> None:
        """Take in the slots that changed since; O(changes · log locations)."""
        changed = self._stock.changed_slots
        count = len(changed)
        if self.seen_count == count:
            return
        if self.seen_count == count - 1:
            self._update(changed[-1])
        else:
            for slot in dict.fromkeys(changed[self.seen_count :]):
                self._update(slot)
        self.seen_count = count

    def available(self, *, in_stock_only: bool) -> "array[int]":
        """Return ATF by slot where only stock counts, else ATS."""
        return self.to_fulfill if in_stock_only else self.to_sell

    def at(self, index: LocationIndex, *, in_stock_only: bool) -> int:
        """Return the ATF or ATS at a location, 0 where the SKU has no position."""
        slot = self._stock.slot(index)
        return self.available(in_stock_only=in_stock_only)[slot] if slot >= 0 else 0

    def ranking(self, *, in_stock_only: bool) -> "Ranking":
        """Return (-ATF or -ATS, location) of the positions that offer anything, most first."""
        ranking = self._rankings[in_stock_only]
        if ranking is None:
            indexes = self._stock.location_indexes
            ranking = self._rankings[in_stock_only] = SortedList(
                (-available, LocationIndex(indexes[slot]))
                for slot, available in enumerate(self.available(in_stock_only=in_stock_only))
                if available > 0
            )
        return ranking

    def group_totals(
        self, group_ids: tuple[GroupId, ...], members: dict[LocationIndex, int]
    ) -> GroupTotals:
        """Return the totals of a list of groups, kept from the second time on."""
        totals = self.groups.get(group_ids)
        if totals is None:
            totals = GroupTotals(members)
            for slot, index in enumerate(self._stock.location_indexes):
                if index in members:
                    totals.to_fulfill += self.to_fulfill[slot]
                    totals.to_sell += self.to_sell[slot]
            if len(self.groups) >= _VIEWS_PER_SKU_MAX:
                self.groups.clear()
            self.groups[group_ids] = totals
        return totals

    def _update(self, slot: int) -> None:
        to_fulfill, to_sell = self._network.sellable(self._stock, slot, self._ask)
        fulfill_delta = to_fulfill - self.to_fulfill[slot]
        sell_delta = to_sell - self.to_sell[slot]
        if not fulfill_delta and not sell_delta:
            return
        index = LocationIndex(self._stock.location_indexes[slot])
        by_sale, by_stock = self._rankings
        if by_stock is not None:
            _rerank(by_stock, index, self.to_fulfill[slot], to_fulfill)
        if by_sale is not None:
            _rerank(by_sale, index, self.to_sell[slot], to_sell)
        self.to_fulfill[slot] = to_fulfill
        self.to_sell[slot] = to_sell
        self.to_fulfill_total += fulfill_delta
        self.to_sell_total += sell_delta
        for totals in self.groups.values():
            if index in totals.members:
                totals.to_fulfill += fulfill_delta
                totals.to_sell += sell_delta


def _rerank(ranking: "Ranking", index: LocationIndex, old: int, new: int) -> None:
    if old == new:
        return
    if old > 0:
        ranking.remove((-old, index))
    if new > 0:
        ranking.add((-new, index))


def availability_view(network: Network, stock: SkuStock, ask: Ask) -> AvailabilityView:
    """Return the current view of a SKU for a demand, from the cache where it is."""
    version, _ = network.refresh(ask.time_ms)
    view = stock.views.get(ask.demand) if stock.views else None
    if isinstance(view, AvailabilityView) and view.is_current(version, ask):
        view.catch_up()
        return view
    if stock.views is not None and len(stock.views) >= _VIEWS_PER_SKU_MAX:
        network.stock.forget_view(stock, next(iter(stock.views)))
    view = AvailabilityView(network, stock, ask)
    if network.backorders_by_date(stock.sku):
        # What may be sold moves with the clock: the view holds for this moment only.
        return view
    network.stock.add_view(stock, ask.demand, view)
    return view


def check_view(view: AvailabilityView, network: Network, stock: SkuStock, ask: Ask) -> None:
    """Assert that a view says what a fresh one and each slot would; for tests."""
    fresh = AvailabilityView(network, stock, ask)
    view.catch_up()
    each = [network.sellable(stock, slot, ask) for slot in range(len(stock.location_indexes))]
    assert list(zip(view.to_fulfill, view.to_sell, strict=True)) == each
    assert list(view.to_fulfill) == list(fresh.to_fulfill)
    assert list(view.to_sell) == list(fresh.to_sell)
    assert view.to_fulfill_total == fresh.to_fulfill_total
    assert view.to_sell_total == fresh.to_sell_total
    for in_stock_only in (False, True):
        assert list(view.ranking(in_stock_only=in_stock_only)) == list(
            fresh.ranking(in_stock_only=in_stock_only)
        )
