"""Packages that are priced by weight, in steps.

Up to LOTS_MAX lots are a dynamic programme over their subsets, exact: what a set of lots weighs is
known, so who sends it best, and for how much, is too (`subsets.py`).

With more, each rate card is replaced by a straight line below it, so much a package and so much a
gram: then the price of a package is a package cost and a cost of each lot again, the problem is
the plain one, and what that proves is a lower bound here too. Two lines are tried, which touch the
card at the weight of the whole order and at half of it; the highest bound counts, that by whole
steps (`bound_by_steps`) among them. The plans found are priced with the true cards and improved by
moving lots, so the answer is a plan with a certified gap, not always the best one.
"""

from bisect import bisect_left
from collections.abc import Sequence
from functools import cache
from itertools import chain, combinations

import msgspec
import numpy as np

from domgrpc.core.routing.card_prices import least_price, prices_of
from domgrpc.core.routing.found import Found
from domgrpc.core.routing.instance import NEVER, Numbers, RateCard
from domgrpc.core.routing.many_cells import route_many
from domgrpc.core.routing.subsets import LOTS_MAX, Partition, totals_of_subsets

_CELLS_MAX = 1 << 20
_MOVED_MAX = 64
_TARGETS_MAX = 8
"""So many lots are moved, each to so many packages: an order of hundreds ends in time."""
_PARCELS_MAX = 4
_CLUSTERS = 9
_TURNS = 6
Group = tuple[int, ...]
"""Lots in a package."""
Parcel = tuple[int, Group]
"""Who sends it, and what is in it."""


class Scales(msgspec.Struct, frozen=True, eq=False):
    """Lots to send, what they weigh, and what that costs."""

    costs: Numbers
    """Lots x candidates, NEVER where it cannot be."""
    package_costs: Numbers
    grams: Sequence[int]
    """By lot."""
    cards: Sequence[RateCard]
    card_indexes: Numbers
    """By candidate."""

    def prices(self, grams: int) -> Numbers:
        """Return what a package of that weight costs by candidate."""
        by_card = np.array([card.price(grams) for card in self.cards], dtype=np.int64)
        found: Numbers = by_card[self.card_indexes] + self.package_costs
        return found

    def best_for(self, lots: Sequence[int]) -> tuple[int, int]:
        """Return (cost, candidate) of the package that holds the lots."""
        totals = self.prices(sum([self.grams[lot] for lot in lots]))
        totals += self.costs[list(lots)].sum(axis=0)
        candidate = int(totals.argmin())
        return int(totals[candidate]), candidate


class Weighed(msgspec.Struct, frozen=True):
    """The plan found, and the proof."""

    parcels: list[Parcel]
    cost: int
    lower_bound: int
    node_count: int
    """No parcels: the search was cut off before it had a plan."""


def route_by_weight(scales: Scales, count_max: int, node_count_max: int) -> Weighed | None:
    """Return a plan for the lots, None where none of so few packages was found."""
    lot_count, candidate_count = scales.costs.shape
    if lot_count <= LOTS_MAX and candidate_count << lot_count <= _CELLS_MAX:
        return _exactly(scales, count_max)
    return _linearised(scales, count_max, node_count_max)


# --- exactly


def _exactly(scales: Scales, count_max: int) -> Weighed | None:
    whole = [(lot,) for lot in range(len(scales.grams))]
    partition = _parted(scales, whole, count_max)
    if partition.cost >= NEVER:
        return None
    parcels = [
        (candidate, tuple(lot for lot in range(len(whole)) if part >> lot & 1))
        for candidate, part in partition.packages()
    ]
    return Weighed(parcels, partition.cost, partition.cost, 0)


def _parted(scales: Scales, clusters: Sequence[Group], count_max: int) -> Partition:
    # The best way to part the clusters into packages.
    if len(clusters) == len(scales.grams):
        costs, weights = scales.costs, list(scales.grams)
    else:
        costs = np.array([scales.costs[list(lots)].sum(axis=0) for lots in clusters])
        weights = [sum([scales.grams[lot] for lot in lots]) for lots in clusters]
    totals = totals_of_subsets(costs)
    totals += scales.package_costs
    totals += _price_table(scales.cards, weights)[:, scales.card_indexes]
    who = totals.argmin(axis=1)
    return Partition(totals[np.arange(len(totals)), who], who, count_max)


def _price_table(cards: Sequence[RateCard], weights: Sequence[int]) -> Numbers:
    # The price of each set of lots (row) by card.
    grams = np.zeros(1, dtype=np.int64)
    for weight in weights:
        grams = np.concatenate((grams, grams + weight))
    return np.array([prices_of(card, grams) for card in cards], dtype=np.int64).T


# --- by straight lines below the cards


def _linearised(scales: Scales, count_max: int, node_count_max: int) -> Weighed | None:
    bound, node_count = bound_by_steps(scales, int(scales.costs.min(axis=1).sum()), count_max), 0
    plans = []
    grams = np.array(scales.grams, dtype=np.int64)[:, None]
    touchings = touching_grams(scales)
    for turn, touching in enumerate(touchings):
        nodes_left = (node_count_max - node_count) // (len(touchings) - turn)
        package_costs, slopes = linear_costs(scales, touching)
        costs = np.minimum(scales.costs + grams * slopes, NEVER)
        found = route_many(costs, package_costs, count_max, nodes_left)
        if found is None:
            return None
        bound, node_count = max(bound, found.lower_bound), node_count + found.node_count
        if found.chosen:
            groups = _regrouped(scales, _groups(scales, found), count_max)
            plans.append(_improved(scales, groups, count_max))
    cost, parcels = min(plans, default=(NEVER, []))
    return Weighed(parcels, cost, min(bound, cost), node_count)


def bound_by_steps(scales: Scales, goods: int, count_max: int) -> int:
    """Return what all lots cost at least, given what the goods in them do.

    All in one package is known to the micro. Of two packages or more, the weight fills steps of
    the cards as cheaply as steps can be filled, wherever the goods are.
    """
    grams = sum(scales.grams)
    one = int((scales.costs.sum(axis=0) + scales.prices(grams)).min())
    if count_max == 1:
        return min(one, NEVER)
    cheapest = [
        (int(scales.package_costs[scales.card_indexes == index].min()), card)
        for index, card in enumerate(scales.cards)
        if (scales.card_indexes == index).any()
    ]
    return min(one, goods + least_price(cheapest, grams, 2))


def touching_grams(scales: Scales) -> tuple[int, int]:
    """Return the weights at which lines below the cards are to touch them."""
    return sum(scales.grams), sum(scales.grams) // 2


def linear_costs(scales: Scales, touching: int) -> tuple[Numbers, Numbers]:
    """Return package costs and micros a gram, by candidate, that no plan is below."""
    lines = [line_below(card, touching, sum(scales.grams)) for card in scales.cards]
    fixed, slopes = np.array(lines, dtype=np.int64)[scales.card_indexes].T
    return scales.package_costs + fixed, slopes


def line_below(card: RateCard, touching: int, grams_max: int) -> tuple[int, int]:
    """Return (micros, micros a gram) of a line below all prices of packages up to that weight.

    Of those through the ends of steps the one that is highest at the weight `touching`; neither
    number is negative. A step is lowest against a rising line at its right end.
    """
    last = card.grams_max[-1]
    ends = [
        (parcels * last + grams, parcels * (card.micros[-1] + card.parcel_micros) + micros)
        for parcels in range(min(grams_max // last, _PARCELS_MAX) + 1)
        for grams, micros in zip(card.grams_max, card.micros, strict=True)
        if grams or not parcels
    ]
    # Prices of parcels add up, so a line through zero that is below one is below all.
    through_zero = (0, min(micros // grams for grams, micros in ends if grams))
    if ends[-1][0] < grams_max:
        return through_zero
    beyond = bisect_left(ends, (grams_max, 0))
    ends[beyond:] = [(max(1, grams_max), card.price(grams_max))]
    lines = [through_zero]
    for (grams, micros), (later_grams, later_micros) in combinations(ends, 2):
        slope = max(0, later_micros - micros) // (later_grams - grams)
        lines.append((min(end[1] - slope * end[0] for end in ends), slope))
    return max(
        (line for line in lines if line[0] >= 0), key=lambda line: line[0] + line[1] * touching
    )


def _groups(scales: Scales, found: Found) -> list[Group]:
    owners = scales.costs[:, found.chosen].argmin(axis=1).tolist()
    return [
        tuple(lot for lot, owner in enumerate(owners) if owner == place)
        for place in sorted(set(owners))
    ]


def _regrouped(scales: Scales, groups: list[Group], count_max: int) -> list[Group]:
    # Lots of a package are clustered, in another way each time, until so few clusters are left
    # that they can be parted exactly; the plan at hand is one of the ways, so it never gets worse.
    for turn in range(_TURNS):
        clusters = [group[turn:] + group[:turn] for group in groups]
        while len(clusters) < _CLUSTERS and max(map(len, clusters)) > 1:
            longest = max(clusters, key=len)
            clusters.remove(longest)
            half = len(longest) // 2
            clusters += [longest[:half], longest[half:]]
        if len(clusters) > LOTS_MAX:
            break
        parted = _parted(scales, clusters, count_max).packages()
        groups = [tuple(sorted(chain.from_iterable(_within(clusters, part)))) for _, part in parted]
    return groups


def _within(clusters: Sequence[Group], part: int) -> list[Group]:
    return [cluster for number, cluster in enumerate(clusters) if part >> number & 1]


def _improved(scales: Scales, groups: list[Group], count_max: int) -> tuple[int, list[Parcel]]:
    # Moves lots, one at a time, to where they are cheapest, a package of their own included.
    best_for = cache(scales.best_for)
    for lot in range(min(len(scales.grams), _MOVED_MAX)):
        home = next(group for group in groups if lot in group)
        others = [group for group in groups if group != home]
        left = tuple(other for other in home if other != lot)
        kept = [left] if left else []
        options = [groups]
        options += [
            [*kept, tuple(sorted((*group, lot))), *(one for one in others if one != group)]
            for group in others[:_TARGETS_MAX]
        ]
        if count_max == 0 or len(others) + len(kept) < count_max:
            options.append([*kept, (lot,), *others])
        groups = min(options, key=lambda option: sum([best_for(group)[0] for group in option]))
    parcels = sorted((best_for(group)[1], group) for group in groups)
    return sum(best_for(group)[0] for group in groups), parcels
