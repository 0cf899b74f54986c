"""Sourcing: picks the locations of a hold that names none.

Fewest locations first, then the highest available. One location for everything where there is
one; else two of the fullest that have all of it together; else the smallest set that serves
each SKU whole (exact up to 8 SKUs, greedy above), and a SKU that no single location can serve is
taken from the fullest locations down, which needs the fewest for it alone. Stock comes before
backorder: what may be sold beyond the stock is only looked at when the stock in the scope does
not suffice.

`pick_locations` is the seam: the exact router takes its place without its callers changing.
"""

from collections.abc import Iterable, Iterator
from heapq import heapify, heappop, heappush
from itertools import combinations, islice, product, takewhile

import msgspec

from domgrpc.core.network import Ask, Network
from domgrpc.core.rejections import Alternative, Reason, Rejected
from domgrpc.core.reservations import LINES_MAX
from domgrpc.core.scopes import Area
from domgrpc.core.stock_index import AvailabilityView, availability_view
from domgrpc.core.values import LocationId, LocationIndex, Quantity, Sku

_EXACT_SKUS_MAX = 8
_ALTERNATIVES_MAX = 5
_PAIR = 2
_PAIR_CANDIDATES_MAX = 32
_OFFERS_MAX = 500_000
"""So many offers of locations to serve a SKU are weighed against each other."""
_PICKS_MAX = 2 * LINES_MAX
_PICKS_TO_CUT_MAX = 200_000
"""The same where only the best locations of those that were picked stay."""

Taken = dict[tuple[Sku, LocationIndex], int]


class Picking(msgspec.Struct, frozen=True, kw_only=True):
    """How locations are to be picked."""

    ask: Ask
    area: Area
    location_count_max: int = 0
    in_stock_only: bool = False
    taken: Taken = {}
    excluded: LocationIndex | None = None


class Pick(msgspec.Struct, frozen=True, gc=False):
    """Units of a SKU from a location."""

    sku: Sku
    index: LocationIndex
    quantity: int


class _Candidates:
    """The locations that offer one SKU, the fullest first."""

    __slots__ = ("_picking", "_sorted", "_stock_only", "_view", "sku", "wanted")

    def __init__(
        self,
        view: AvailabilityView | None,
        need: tuple[Sku, int],
        picking: Picking,
        *,
        stock_only: bool,
    ) -> None:
        self.sku, self.wanted = need
        self._view = view
        self._picking = picking
        self._stock_only = stock_only
        self._sorted: list[tuple[int, LocationIndex]] | None = None

    def available(self, index: LocationIndex) -> int:
        """Return the units that a location still offers to this picking."""
        picking = self._picking
        if self._view is None or index not in picking.area or index == picking.excluded:
            return 0
        offered = self._view.at(index, in_stock_only=self._stock_only)
        return max(0, offered - picking.taken.get((self.sku, index), 0))

    def ranked(self) -> Iterator[tuple[int, LocationIndex]]:
        """Iterate (units, location), most first; costs what is looked at."""
        if self._view is None:
            return
        area = self._picking.area.distances_m
        ranking = self._view.ranking(in_stock_only=self._stock_only)
        if self._picking.taken or (area is not None and len(area) < len(ranking)):
            if self._sorted is None:
                indexes = [index for _, index in ranking]
                if area is not None and len(area) < len(ranking):
                    indexes = list(area)
                offers = sorted((-self.available(index), index) for index in indexes)
                self._sorted = [(-negated, index) for negated, index in offers if negated < 0]
            yield from self._sorted
            return
        for negated, index in ranking:
            if (area is None or index in area) and index != self._picking.excluded:
                yield -negated, index

    def location_count(self) -> int:
        """Return how many locations offer any, without regard to the area."""
        if self._view is None:
            return 0
        return len(self._view.ranking(in_stock_only=self._stock_only))

    def most(self) -> int:
        """Return the most units that any location offers, or more."""
        if not self.location_count() or self._view is None:
            return 0
        return -self._view.ranking(in_stock_only=self._stock_only)[0][0]

    def serving_whole(self, count_max: int) -> list[tuple[int, LocationIndex]]:
        """Return (units, location) of those that can serve all that is wanted, most first."""
        whole = takewhile(lambda offer: offer[0] >= self.wanted, self.ranked())
        return list(islice(whole, count_max))


def pick_locations(
    network: Network, needs: dict[Sku, int], picking: Picking
) -> tuple[list[Pick], dict[Sku, int]]:
    """Pick locations for quantities by SKU; return the picks and what is missing by SKU.

    Costs O(log locations) for a SKU that the fullest location can serve, else what is looked
    at. Nothing is missing, or the picks are the most that could be found.
    """
    picks, missing = _pick(network, needs, picking, stock_only=True)
    if not missing or picking.in_stock_only:
        return picks, missing
    if picking.location_count_max:
        return _pick(network, needs, picking, stock_only=False)
    taken = dict(picking.taken)
    for pick in picks:
        key = (pick.sku, pick.index)
        taken[key] = taken.get(key, 0) + pick.quantity
    rest = msgspec.structs.replace(picking, taken=taken)
    further, missing = _pick(network, missing, rest, stock_only=False)
    return picks + further, missing


def alternatives(network: Network, sku: Sku, picking: Picking) -> tuple[Alternative, ...]:
    """Return where else a SKU, then its substitutes, could be had, most first."""
    found: list[Alternative] = []
    for other in (sku, *network.products.fields(sku).substitute_skus):
        if other != sku:
            # A substitute may well lie where the SKU itself is short.
            picking = msgspec.structs.replace(picking, excluded=None)
        for available, index in _candidates(network, (other, 0), picking, stock_only=True).ranked():
            if len(found) == _ALTERNATIVES_MAX:
                return tuple(found)
            location_id: LocationId = network.locations.by_index[index].location_id
            found.append(Alternative(other, location_id, Quantity(available)))
    return tuple(found)


def _candidates(
    network: Network, need: tuple[Sku, int], picking: Picking, *, stock_only: bool
) -> _Candidates:
    stock = network.stock.find(need[0])
    view = availability_view(network, stock, picking.ask) if stock is not None else None
    return _Candidates(view, need, picking, stock_only=stock_only)


def _pick(
    network: Network, needs: dict[Sku, int], picking: Picking, *, stock_only: bool
) -> tuple[list[Pick], dict[Sku, int]]:
    every = [_candidates(network, need, picking, stock_only=stock_only) for need in needs.items()]
    chosen = _one_for_all(every) or _smallest_cover(every)
    used = dict.fromkeys(sorted(chosen.values()))
    picks: list[Pick] = []
    missing: dict[Sku, int] = {}
    for candidates in every:
        first = chosen.get(candidates.sku)
        left = candidates.wanted
        if first is not None:
            picks.append(Pick(candidates.sku, first, left))
            continue
        for available, index in _chosen_first(candidates, used):
            quantity = min(left, available)
            picks.append(Pick(candidates.sku, index, quantity))
            left -= quantity
            if not left:
                break
        _check_pick_count(len(picks), picking)
        if left:
            missing[candidates.sku] = left
    if not missing and len({pick.index for pick in picks}) > _PAIR:
        picks = _from_pair(every) or picks
    return _within_count(picks, missing, picking.location_count_max)


def _check_pick_count(pick_count: int, picking: Picking) -> None:
    # Looked at on the way: a hold of a million lines is not drafted to be refused.
    if pick_count > (_PICKS_TO_CUT_MAX if picking.location_count_max else _PICKS_MAX):
        raise Rejected(
            Reason.TOO_MANY_LINES,
            f"the hold would be spread over more than {pick_count - 1} lines, {LINES_MAX} are "
            "allowed: ask for fewer SKUs or units",
            limit=LINES_MAX,
        )


def _one_for_all(every: list[_Candidates]) -> dict[Sku, LocationIndex]:
    # The SKU with the fewest locations leads; often it is the only one. The rarer come first
    # after it: they are the ones to fail.
    lead, *others = sorted(every, key=_Candidates.location_count)
    most_of_others = sum(candidates.most() for candidates in others)
    best: tuple[int, LocationIndex] | None = None
    for available, index in lead.ranked():
        if available < lead.wanted or (best and -best[0] > available + most_of_others):
            # Further down nothing can serve the lead, or nothing can be better.
            break
        total = available
        for candidates in others:
            offered = candidates.available(index)
            if offered < candidates.wanted:
                break
            total += offered
        else:
            best = (-total, index) if best is None else min(best, (-total, index))
    return {} if best is None else {candidates.sku: best[1] for candidates in every}


def _from_pair(every: list[_Candidates]) -> list[Pick] | None:
    # Two locations that have all of it together, looked for among the fullest; None for none.
    offered: dict[LocationIndex, int] = {}
    for candidates in every:
        for available, index in islice(candidates.ranked(), _PAIR_CANDIDATES_MAX):
            useful = min(available, candidates.wanted)
            offered[index] = offered.get(index, 0) + useful
    fullest = sorted(offered, key=lambda index: (-offered[index], index))[:_PAIR_CANDIDATES_MAX]
    wanted = sum(candidates.wanted for candidates in every)
    rarest_first = sorted(every, key=_Candidates.location_count)
    for pair in combinations(fullest, _PAIR):
        if sum(offered[index] for index in pair) < wanted:
            continue
        if all(sum(map(c.available, pair)) >= c.wanted for c in rarest_first):
            return [pick for candidates in every for pick in _split(candidates, pair)]
    return None


def _split(candidates: _Candidates, pair: Iterable[LocationIndex]) -> Iterator[Pick]:
    fuller, other = sorted(pair, key=lambda index: (-candidates.available(index), index))
    quantity = min(candidates.wanted, candidates.available(fuller))
    yield Pick(candidates.sku, fuller, quantity)
    if quantity < candidates.wanted:
        yield Pick(candidates.sku, other, candidates.wanted - quantity)


def _smallest_cover(every: list[_Candidates]) -> dict[Sku, LocationIndex]:
    """Cover the SKUs that single locations can serve whole with as few locations as possible.

    Breadth first over the sets of SKUs that k locations can cover; of several ways to the same
    set the one with the most available stays. At most 2^8 sets times the distinct masks.
    """
    # All of them, but where thousands of SKUs lie at hundreds of locations each.
    count_max = max(_PAIR_CANDIDATES_MAX, _OFFERS_MAX // len(every))
    serving = {c.sku: c.serving_whole(count_max) for c in every if c.wanted}
    coverable = [c for c in every if serving.get(c.sku)]
    if len(coverable) > _EXACT_SKUS_MAX:
        return _greedy_cover(coverable, serving)
    best_of_mask: dict[int, tuple[int, LocationIndex]] = {}
    masks: dict[LocationIndex, int] = {}
    for bit, candidates in enumerate(coverable):
        for _, index in serving[candidates.sku]:
            masks[index] = masks.get(index, 0) | 1 << bit
    for index, mask in masks.items():
        rank = (-sum(c.available(index) for c in coverable), index)
        best_of_mask[mask] = min(best_of_mask.get(mask, rank), rank)
    used = _fewest_masks({mask: rank[0] for mask, rank in best_of_mask.items()})
    chosen: dict[Sku, LocationIndex] = {}
    for mask in used:
        for bit, candidates in enumerate(coverable):
            if mask >> bit & 1:
                chosen.setdefault(candidates.sku, best_of_mask[mask][1])
    return chosen


def _fewest_masks(total_of_mask: dict[int, int]) -> tuple[int, ...]:
    # The shortest row of masks that together set every bit; of several, the least total.
    full = 0
    for mask in total_of_mask:
        full |= mask
    reached: dict[int, tuple[int, tuple[int, ...]]] = {0: (0, ())}
    while full not in reached:
        further: dict[int, tuple[int, tuple[int, ...]]] = {}
        for (covered, (total, used)), mask in product(reached.items(), total_of_mask):
            way = (total + total_of_mask[mask], (*used, mask))
            union = covered | mask
            if union not in reached and way < further.get(union, (1, ())):
                further[union] = way
        reached |= further
    return reached[full][1]


def _greedy_cover(
    coverable: list[_Candidates], serving: dict[Sku, list[tuple[int, LocationIndex]]]
) -> dict[Sku, LocationIndex]:
    # Always the location that serves most of what is left; ties by availability, then index. What
    # a location gains only falls, so that the best of the queue is looked at again, not all:
    # O(offers · log offers).
    skus_of: dict[LocationIndex, list[Sku]] = {}
    gains: dict[LocationIndex, tuple[int, int]] = {}
    for candidates in coverable:
        for available, index in serving[candidates.sku]:
            skus_of.setdefault(index, []).append(candidates.sku)
            sku_count, units = gains.get(index, (0, 0))
            gains[index] = (sku_count - 1, units - available)
    queue = [(*gain, index) for index, gain in gains.items()]
    heapify(queue)
    chosen: dict[Sku, LocationIndex] = {}
    while len(chosen) < len(coverable):
        sku_count, units, index = heappop(queue)
        if (sku_count, units) != gains[index]:
            heappush(queue, (*gains[index], index))
            continue
        for sku in skus_of[index]:
            if sku in chosen:
                continue
            chosen[sku] = index
            for available, other in serving[sku]:
                sku_count, units = gains[other]
                gains[other] = (sku_count + 1, units + available)
    return chosen


def _chosen_first(
    candidates: _Candidates, used: dict[LocationIndex, None]
) -> Iterator[tuple[int, LocationIndex]]:
    # Locations that are used anyway cost no further one. Looked for where there are fewer.
    if len(used) < candidates.location_count():
        offers = sorted((-candidates.available(index), index) for index in used)
        for negated, index in offers:
            if negated < 0:
                yield -negated, index
    else:
        yield from (offer for offer in candidates.ranked() if offer[1] in used)
    yield from (offer for offer in candidates.ranked() if offer[1] not in used)


def _within_count(
    picks: list[Pick], missing: dict[Sku, int], count_max: int
) -> tuple[list[Pick], dict[Sku, int]]:
    # With too many locations, those that carry the most units stay.
    units: dict[LocationIndex, int] = {}
    for pick in picks:
        units[pick.index] = units.get(pick.index, 0) + pick.quantity
    if not count_max or len(units) <= count_max:
        return picks, missing
    kept = dict.fromkeys(sorted(units, key=lambda index: (-units[index], index))[:count_max])
    for pick in picks:
        if pick.index not in kept:
            missing[pick.sku] = missing.get(pick.sku, 0) + pick.quantity
    return [pick for pick in picks if pick.index in kept], missing
