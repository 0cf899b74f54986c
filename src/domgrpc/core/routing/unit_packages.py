"""Units that may split, by weight, exactly: a dynamic programme over what is left to send.

What a candidate asks for a package is known for each content (`unit_grid.py`), steps of its rate
card included. With `one[j]` for a package of candidate j,

    some[j][u] = least of one[j][v] + some[j][u - v], as long as j has u
    left[j][u] = least of some[j][v] + left[j + 1][u - v]

and the best plan costs left[0][all]. Before that, what the units would cost if every candidate had
stock for each package anew bounds every plan from below, and every plan in which a candidate is;
those whose bound is above a plan at hand are left out, and usually two or three are left.

A limit of packages, where the best plan without it has too many, is one more lot: each package
takes a unit of it.
"""

from collections.abc import Iterable, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from domgrpc.core.routing.card_prices import prices_of
from domgrpc.core.routing.instance import NEVER, Numbers, RateCard
from domgrpc.core.routing.prices import Offers
from domgrpc.core.routing.unit_grid import (
    SCALE,
    UNITS_MAX,
    WORST,
    Grid,
    grid_of,
    pair_count,
)

_PAIRS_MAX = 120_000
_WORK_MAX = 2_400_000
"""So many sums of pairs in a search: some tens of milliseconds."""
_CELLS_MAX = 1 << 20
_FIRST = 6
"""So many of the most promising candidates are searched first, for a plan to measure others by."""
_DOMINANT_MAX = 4
_ROUNDS = 6

Flags = NDArray[np.bool_]
Parcel = tuple[int, tuple[tuple[int, int], ...]]
"""Who sends it, and (lot, units) of what is in it."""


class Weighing(msgspec.Struct, frozen=True, eq=False):
    """Lots by unit, and what packages of them weigh and cost."""

    offers: Offers
    unit_grams: Numbers
    """By lot; of a whole lot, all of it."""
    cards: Sequence[RateCard]
    card_indexes: Numbers
    once: Flags
    """By candidate, whether it sends one package at the most."""


class Packed(msgspec.Struct, frozen=True):
    """The plan found, and the proof; no parcels where there is no plan."""

    parcels: list[Parcel]
    cost: int
    lower_bound: int


def fits_grid(weighing: Weighing) -> bool:
    """Say whether the units are few enough to look at all contents."""
    needs = weighing.offers.needs
    assert needs is not None
    if int(needs.sum()) > UNITS_MAX:
        return False
    contents = float(np.prod(needs + 1.0))
    cells = contents * len(weighing.offers.package_costs)
    return cells <= _CELLS_MAX and pair_count(needs.tolist()) <= _PAIRS_MAX


def pack(weighing: Weighing, count_max: int) -> Packed:
    """Return the best plan, or a good one with its bound where that takes too long.

    Only for what fits the grid.
    """
    found = _Packing(weighing, 0).solved()
    if not count_max or len(found.parcels) <= count_max:
        return found
    limited = _Packing(weighing, count_max)
    if not limited.is_small:
        return Packed([], NEVER, found.lower_bound)
    return limited.solved()


class _Packing:
    # One dynamic programme; with a limit of packages, these are the last lot.

    __slots__ = ("_grid", "_has", "_lot_count", "_names", "_once", "_one", "_targets", "is_small")

    def __init__(self, weighing: Weighing, count_max: int) -> None:
        offers = weighing.offers
        assert offers.needs is not None
        needs = tuple(offers.needs.tolist())
        limited = (*needs, count_max) if count_max else needs
        self.is_small = pair_count(limited) <= _PAIRS_MAX
        if not self.is_small:
            return
        self._names = np.arange(len(offers.package_costs))
        self._once = weighing.once
        self._lot_count = len(needs)
        self._one, self._has = _package_table(weighing, grid_of(needs))
        self._grid = grid_of(limited)
        self._targets = [self._grid.size - 1]
        if count_max:
            places = count_max + 1
            one = np.full((len(self._names), self._grid.size), WORST, dtype=np.int64)
            one[:, 1::places] = self._one
            self._one, self._has = one, np.repeat(self._has, places, axis=1)
            self._targets = list(range(self._grid.size - count_max, self._grid.size))

    def solved(self) -> Packed:
        """Return the best plan of the candidates that there is time for, and the proof."""
        is_full = self._has[:, -1] & ~self._once
        self._keep(_undominated(self._one, is_full))
        relaxed = self._closed(self._one.min(axis=0), None)
        if relaxed[self._targets].min() >= WORST:
            return Packed([], NEVER, NEVER)
        lows = self._lows(relaxed)
        chosen = self._promising(lows)
        left = self._left(chosen)
        value = int(left[0][self._targets].min())
        rest = np.delete(lows, chosen)
        bound = min(value, int(rest.min(initial=WORST))) // SCALE
        if value >= WORST:
            return Packed([], NEVER, bound)
        return Packed(self._parcels(chosen, left), value // SCALE, bound)

    def _keep(self, places: Numbers) -> None:
        self._names, self._once = self._names[places], self._once[places]
        self._one, self._has = self._one[places], self._has[places]

    def _lows(self, relaxed: Numbers) -> Numbers:
        # What a plan with each candidate costs at least.
        lows = np.full(len(self._names), WORST)
        for target in self._targets:
            inside, beside = self._grid.parts(target)
            lows = np.minimum(lows, (self._one[:, inside] + relaxed[beside]).min(axis=1))
        return lows

    def _promising(self, lows: Numbers) -> Numbers:
        # Those that can be in a plan as good as that of the first; or as many as there is time for.
        order = lows.argsort(kind="stable")
        count_max = max(_FIRST, _WORK_MAX // (_ROUNDS * len(self._grid.inside)))
        if len(order) > _FIRST:
            value = int(self._left(np.sort(order[:_FIRST]))[0][self._targets].min())
            order = order[: int(np.count_nonzero(lows <= value))]
        return np.sort(order[:count_max])

    # --- the programme

    def _closed(self, one: Numbers, has: Flags | None) -> Numbers:
        # In any number of packages.
        some = one.copy()
        some[0] = 0
        while True:
            more = self._grid.sums(some, some)
            if has is not None:
                more[~has] = WORST
            if (more == some).all():
                return some
            some = more

    def _some(self, place: int) -> Numbers:
        some: Numbers = self._one[place].copy()
        if not self._once[place]:
            return self._closed(some, self._has[place])
        some[0] = 0
        return some

    def _left(self, chosen: Numbers) -> list[Numbers]:
        # What it costs to send each content from the candidates from each one on.
        last = np.full(self._grid.size, WORST, dtype=np.int64)
        last[0] = 0
        left = [last]
        for place in reversed(chosen.tolist()):
            left.append(self._grid.sums(self._some(place), left[-1]))
        left.reverse()
        return left

    # --- the plan

    def _parcels(self, chosen: Numbers, left: list[Numbers]) -> list[Parcel]:
        # Of all that are as good, the lowest candidates: as many packages as can be from the first,
        # then from the second; contents that leave the same are one.
        values = left[0][self._targets]
        target = self._targets[int(values.argmin())]
        trails: list[dict[int, int]] = [{target: target}]
        for number, place in enumerate(chosen.tolist()):
            trails.append(self._trail(self._some(place), left[number : number + 2], trails[-1]))
        parcels: list[Parcel] = []
        rest = 0
        for place, trail in zip(chosen[::-1].tolist(), reversed(trails), strict=False):
            content = trail[rest]
            parcels += self._parted(place, content - rest)
            rest = content
        return sorted(parcels)

    def _trail(
        self, some: Numbers, left: Sequence[Numbers], contents: Iterable[int]
    ) -> dict[int, int]:
        # What is left after most packages of one candidate, and what it was before.
        ways = []
        for content in contents:
            inside, beside = self._grid.parts(content)
            is_best = some[inside] + left[1][beside] == left[0][content]
            counts = some[inside[is_best]] % SCALE
            ways += [
                (-count, rest, content)
                for count, rest in zip(counts.tolist(), beside[is_best].tolist(), strict=True)
            ]
        ways.sort(reverse=True)
        most = ways[-1][0]
        return {rest: content for count, rest, content in ways if count == most}

    def _parted(self, place: int, content: int) -> list[Parcel]:
        # The packages of one candidate.
        one, some = self._one[place], self._some(place)
        found = []
        while content:
            inside, beside = self._grid.parts(content)
            at = int((one[inside] + some[beside] == some[content]).argmax())
            units = self._grid.digits[: self._lot_count, inside[at]].tolist()
            contents = tuple((lot, count) for lot, count in enumerate(units) if count)
            found.append((int(self._names[place]), contents))
            content = int(beside[at])
        return found


def _package_table(weighing: Weighing, grid: Grid) -> tuple[Numbers, Flags]:
    # What one package costs by candidate and content, and whether the candidate has that.
    offers = weighing.offers
    assert offers.units is not None
    costs = np.where(offers.units > 0, offers.costs, 0)
    one = costs.T @ grid.digits + offers.package_costs[:, None]
    grams = weighing.unit_grams @ grid.digits
    by_card = np.array([prices_of(card, grams) for card in weighing.cards], dtype=np.int64)
    one += by_card[weighing.card_indexes]
    has = np.ones(one.shape, dtype=np.bool_)
    for units, digits in zip(offers.units, grid.digits, strict=True):
        has &= digits <= units[:, None]
    one = np.minimum(one, NEVER) * SCALE + 1
    one[~has] = WORST
    one[:, 0] = WORST
    return np.minimum(one, WORST), has


def _undominated(one: Numbers, is_full: Flags) -> Numbers:
    # Without those that cost more, whatever they send, than one that has everything.
    places = np.arange(len(one))
    stays = np.ones(len(one), dtype=np.bool_)
    full = np.flatnonzero(is_full)
    for place in full[one[full, -1].argsort(kind="stable")][:_DOMINANT_MAX].tolist():
        best = one[place]
        is_worse = (one >= best).all(axis=1)
        is_dearer = ((one > best) | (one == WORST)).all(axis=1)
        stays &= ~(is_worse & ((places > place) | is_dearer))
    found: Numbers = np.flatnonzero(stays)
    return found
