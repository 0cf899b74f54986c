"""Lines whose units may come from several candidates.

The same branch and bound as `search.py`, with units in place of whole lots: candidate j offers at
most a_ij units of lot i at c_ij each, and of the lot q_i units are needed. Once it is known who is
open, filling every lot from its cheapest open candidates up is optimal. Prices are by unit,

    slack_j = F_j - sum over i of a_ij x max(0, v_i - c_ij)

and a plan with the candidates O costs at least sum of q_i x v_i + sum over O of slack_j, for the
same reason as there. At a node the units that the open candidates have for less than the price
count at their cost. A lot that is sent whole is one unit, which a candidate has or has not.

All candidates that are still allowed are weighed at once, in numpy: what one more of them would
change in the costs of the lots.
"""

from collections.abc import Iterable, Sequence
from itertools import zip_longest

import msgspec
import numpy as np

from domgrpc.core.routing.found import Found
from domgrpc.core.routing.instance import LINES_MAX, NEVER, AnyInstance, Numbers
from domgrpc.core.routing.lots import Lot, costs_of
from domgrpc.core.routing.prices import Aim, Offers, bound_by, improve_prices

SCALE = 2 * LINES_MAX
_STEPS = 8
_ROUNDS = 4
_SEARCHED_CELLS = 250
_CLOSE = 32
_PAIR = 2
_WORST = NEVER * SCALE


class Filled(msgspec.Struct, frozen=True, eq=False):
    """How open candidates fill the lots."""

    steps: list[tuple[Numbers, Numbers]]
    """(cost of a unit, units) of all lots, the dearest of each lot first."""
    missing: Numbers
    """By lot, the units that they do not have."""
    cost: int


class UnitSearch:
    """One search; `run` it once, then read `chosen`, `value` and `bound`."""

    __slots__ = (
        "_cost_rows",
        "_count_max",
        "_floor",
        "_names",
        "_needs",
        "_node_count_max",
        "_offers",
        "_package_costs",
        "_package_sums",
        "_prices",
        "_slack_sums",
        "_slacks",
        "_unit_rows",
        "_units",
        "bound",
        "chosen",
        "node_count",
        "value",
    )

    def __init__(self, offers: Offers, count_max: int, node_count_max: int) -> None:
        """Take the offers of all candidates; `count_max` 0 is no limit."""
        assert offers.units is not None
        assert offers.needs is not None
        self._offers = Offers(
            offers.costs * SCALE, offers.package_costs * SCALE + 1, offers.units, offers.needs
        )
        self._units = offers.units
        self._needs: list[int] = offers.needs.tolist()
        self._package_costs: list[int] = self._offers.package_costs.tolist()
        self._cost_rows: list[list[int]] = self._offers.costs.tolist()
        self._unit_rows: list[list[int]] = offers.units.tolist()
        self._names = np.arange(len(offers.package_costs))
        self._count_max = min(count_max or len(self._names), len(self._names))
        self._node_count_max = node_count_max
        self._floor = self._fill(range(len(self._names))).cost
        self._package_sums = np.sort(self._offers.package_costs)[: self._count_max].cumsum()
        self.chosen: tuple[int, ...] = ()
        self.value = self.bound = _WORST
        """No plan that was not looked at is better than the bound."""
        self.node_count = 0

    def run(self) -> None:
        """Look at all plans, or at as many as may be."""
        singles = self._offers.package_costs + self._change(self._fill(()), self._names)
        self._offer_all(
            (), np.flatnonzero((self._units >= np.array(self._needs)[:, None]).all(axis=0)), singles
        )
        if self._most(0, 0) < _PAIR:
            return
        self._start()
        self._visit((), np.arange(len(self._names)))

    # --- plans

    def _offer(self, places: Iterable[int], value: int) -> None:
        if value > self.value:
            return
        names = tuple(sorted(self._names[list(places)].tolist()))
        if value < self.value or names < self.chosen:
            self.value, self.chosen = value, names

    def _offer_all(self, opened: tuple[int, ...], places: Numbers, values: Numbers) -> None:
        # Of plans that differ by one candidate, the best.
        if len(places):
            best = int(values[places].min())
            if best <= self.value:
                for place in places[values[places] == best].tolist():
                    self._offer((*opened, place), best)

    def _start(self) -> None:
        # Prices, and the candidates that can be in a plan as good as a greedy one, by their slacks.
        has = self._units > 0
        share = self._offers.package_costs // np.maximum(self._units, 1)
        prices = np.where(has, self._offers.costs + share, _WORST).min(axis=1)
        self._greedy(prices)
        aim = self._aim()
        for turn in range(_ROUNDS):
            if self.chosen:
                prices = improve_prices(prices, self._offers, aim, _STEPS)
            bounded = bound_by(prices, self._offers, aim)
            self._keep(bounded.survivors(self.value, aim))
            if self._units.size <= _SEARCHED_CELLS:
                break
            if turn == 0 and self.value - bounded.bound > self.value // _CLOSE:
                self._greedy(prices)
            aim = self._aim()
        slacks = bound_by(prices, self._offers, aim).slacks if len(self._names) else has[0][:0]
        order = slacks.argsort(kind="stable")
        self._keep(order)
        self._prices = prices
        self._slacks = slacks[order]
        self._slack_sums = [0, *self._slacks[: self._count_max].cumsum().tolist()]

    def _aim(self) -> Aim:
        return Aim(_PAIR, max(_PAIR, self._most(0, 0)), self.value)

    def _keep(self, places: Numbers) -> None:
        # Leave out all other candidates.
        self._count_max = min(self._count_max, len(places))
        self._names = self._names[places]
        self._offers = self._offers.of(places)
        self._units = self._units[:, places]
        self._package_costs = self._offers.package_costs.tolist()
        self._cost_rows = self._offers.costs.tolist()
        self._unit_rows = self._units.tolist()

    def _greedy(self, worth: Numbers) -> None:
        opened: list[int] = []
        while True:
            filled = self._fill(opened)
            if not filled.missing.any():
                break
            gains = self._gains(filled, worth)
            gains[~((self._units > 0) & (filled.missing > 0)[:, None]).any(axis=0)] = -_WORST
            gains[opened] = -_WORST
            opened.append(int(gains.argmax()))
            if gains[opened[-1]] == -_WORST or len(opened) > self._count_max:
                return
        self._exchange(opened)

    def _gains(self, filled: Filled, worth: Numbers) -> Numbers:
        # What the candidates save where a missing unit costs what it is worth.
        costs, left = self._offers.costs, self._units
        gains = -self._offers.package_costs
        for dear, units in [(worth, filled.missing), *filled.steps]:
            taken = np.minimum(left, units[:, None])
            left = left - taken
            gains += (taken * np.maximum(dear[:, None] - costs, 0)).sum(axis=0)
        return gains

    def _exchange(self, opened: list[int]) -> None:
        # Drop packages, or exchange one for another, as long as that saves.
        package_costs = self._offers.package_costs
        value = int(package_costs[opened].sum()) + self._fill(opened).cost
        at = 0
        while at < len(opened):
            rest = opened[:at] + opened[at + 1 :]
            filled = self._fill(rest)
            paid = int(package_costs[rest].sum())
            at += 1
            if rest and not filled.missing.any() and paid + filled.cost <= value:
                opened, value, at = rest, paid + filled.cost, 0
                continue
            values = (
                paid
                + filled.cost
                + package_costs
                + self._change(filled, np.arange(len(self._names)))
            )
            values[(self._units < filled.missing[:, None]).any(axis=0)] = _WORST
            values[rest] = _WORST
            place = int(values.argmin())
            if values[place] < value:
                opened, value, at = [*rest, place], int(values[place]), 0
        self._offer(opened, value)

    # --- the tree

    def _most(self, paid: int, done: int) -> int:
        # How many packages more can be afforded.
        room = self.value - paid - self._floor
        return min(int(self._package_sums.searchsorted(room, side="right")), self._count_max - done)

    def _visit(self, opened: tuple[int, ...], allowed: Numbers) -> None:
        self.node_count += 1
        filled = self._fill(opened)
        paid = sum([self._package_costs[place] for place in opened])
        is_whole = not filled.missing.any()
        if is_whole and opened:
            self._offer(opened, paid + filled.cost)
        most = self._most(paid, len(opened))
        least = max(1, _PAIR - len(opened))
        if most < least:
            return
        floor = paid + self._priced(filled)
        room = self.value - floor - self._least_slacks(allowed, least - 1, most - 1)
        allowed = allowed[: int(self._slacks[allowed].searchsorted(room, side="right"))]
        if most == 1:
            self._try_last(opened, allowed, (filled, paid + filled.cost))
        elif self.node_count >= self._node_count_max:
            floor += self._least_slacks(allowed, least, most)
            least_floor = paid + self._floor + int(self._package_sums[least - 1])
            self.bound = min(self.bound, max(floor, least_floor))
        elif is_whole:
            saved = -self._change(filled, allowed)
            self._open_each(
                opened, allowed[saved >= self._offers.package_costs[allowed]], allowed[:0]
            )
        else:
            self._open_missing(opened, allowed, filled.missing)

    def _least_slacks(self, allowed: Numbers, least: int, most: int) -> int:
        # The least sum of so many slacks: all that are below 0, or as many as there must be.
        slacks = self._slacks[allowed]
        count = int(slacks.searchsorted(0))
        return int(slacks[: min(count, most)].sum()) if count >= least else self._slack_sums[least]

    def _priced(self, filled: Filled) -> int:
        # The lots at no more than their prices.
        total = filled.missing @ self._prices
        for costs, units in filled.steps:
            total += units @ np.minimum(costs, self._prices)
        return int(total)

    def _try_last(
        self, opened: tuple[int, ...], allowed: Numbers, before: tuple[Filled, int]
    ) -> None:
        filled, paid = before
        units = self._units[:, allowed]
        allowed = allowed[(units >= filled.missing[:, None]).all(axis=0)]
        values = np.full(len(self._names), _WORST)
        values[allowed] = paid + self._offers.package_costs[allowed] + self._change(filled, allowed)
        self._offer_all(opened, allowed, values)

    def _open_missing(self, opened: tuple[int, ...], allowed: Numbers, missing: Numbers) -> None:
        units = self._units[:, allowed]
        if (units.sum(axis=1) < missing).any():
            return
        counts = np.where(missing > 0, np.count_nonzero(units, axis=1), len(self._names) + 1)
        has = units[counts.argmin()] > 0
        self._open_each(opened, allowed[has], allowed[~has])

    def _open_each(self, opened: tuple[int, ...], branches: Numbers, others: Numbers) -> None:
        for number, place in enumerate(branches.tolist()):
            rest = np.concatenate((branches[number + 1 :], others))
            rest.sort()
            self._visit((*opened, place), rest)

    # --- filling

    def _fill(self, places: Iterable[int]) -> Filled:
        # The lots from their cheapest open candidates up. Few candidates are open, so lists are
        # faster than arrays here.
        used, missing = [], []
        cost = 0
        for costs, units, need in zip(self._cost_rows, self._unit_rows, self._needs, strict=True):
            left = need
            taken = []
            for price, most in sorted([(costs[place], units[place]) for place in places]):
                quantity = min(left, most)
                if quantity:
                    taken.append((price, quantity))
                    cost += price * quantity
                    left -= quantity
            taken.reverse()
            used.append(taken)
            missing.append(left)
        # The dearest of all lots, then the second dearest, and so on.
        steps = np.array(list(zip_longest(*used, fillvalue=(0, 0))), dtype=np.int64)
        return Filled([(step[:, 0], step[:, 1]) for step in steps], np.array(missing), cost)

    def _change(self, filled: Filled, places: Numbers) -> Numbers:
        # What one more candidate changes in the costs of the lots: it brings what is missing, and
        # takes the place of the dearest units.
        costs, left = self._offers.costs[:, places], self._units[:, places]
        taken = np.minimum(left, filled.missing[:, None])
        left = left - taken
        change = taken * costs
        for dear, units in filled.steps:
            taken = np.minimum(left, units[:, None])
            left = left - taken
            change -= taken * np.maximum(dear[:, None] - costs, 0)
        found: Numbers = change.sum(axis=0)
        return found


def unit_offers(instance: AnyInstance, lots: Sequence[Lot], package_costs: Numbers) -> Offers:
    """Return what the candidates offer of the lots, by unit where a line may split."""
    costs = costs_of(instance, lots)
    units = (costs < NEVER).astype(np.int64)
    needs = np.ones(len(lots), dtype=np.int64)
    for at, (line, *others) in enumerate(lots):
        if not others and instance.terms.may_split(line):
            needs[at] = instance.quantities[line]
            costs[at] = instance.unit_costs[line]
            np.minimum(np.asarray(instance.available[line]), needs[at], out=units[at])
    return Offers(costs, package_costs, units, needs)


def route_units(offers: Offers, count_max: int, node_count_max: int) -> Found | None:
    """Return the best plan of the lots by units, None where there is none of so few packages."""
    assert offers.units is not None
    assert offers.needs is not None
    if (offers.units.sum(axis=1) < offers.needs).any():
        return None
    search = UnitSearch(offers, count_max, node_count_max)
    search.run()
    bound = min(search.value, search.bound) // SCALE
    if not search.chosen and search.bound >= _WORST:
        return None
    return Found(search.chosen, search.value // SCALE, bound, search.node_count)


def filled_by(offers: Offers, chosen: Sequence[int]) -> list[list[tuple[int, int]]]:
    """Return by lot (candidate, units), from the cheapest of the chosen up."""
    assert offers.units is not None
    assert offers.needs is not None
    filled = []
    for costs, units, need in zip(offers.costs, offers.units, offers.needs.tolist(), strict=True):
        taken = []
        left = need
        for candidate in sorted(chosen, key=costs.__getitem__):
            quantity = min(left, int(units[candidate]))
            if quantity:
                taken.append((candidate, quantity))
                left -= quantity
        filled.append(taken)
    return filled
