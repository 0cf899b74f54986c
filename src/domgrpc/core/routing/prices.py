"""Prices of the lots by subgradient steps: the bound where many packages can be afforded.

What prices prove stands in `search.py`. Slacks may be below 0 here; then as many packages as pay,
at least `count_min` and at most `count_max`, count into the bound:

    sum of v + the least sum of so many slacks

It is highest at prices by which each lot is wanted by about one of the candidates that pay: a step
raises the price of a lot that none of those has at less than its price, and lowers that of a lot
that several have, in proportion to the distance from the bound to the best plan known (Held, Wolfe
and Crowder 1974). All is exact integers, so each bound is a proof, however its prices were found.
"""

import msgspec
import numpy as np
from numpy.typing import NDArray

from domgrpc.core.routing.instance import Numbers, rows_at_once

_STALLED_MAX = 2
_SUM_MAX = 1 << 60
_UPPER_LARGE = 1 << 44
"""Below, no price of a whole lot can get out of bounds in so few steps."""


class Aim(msgspec.Struct, frozen=True):
    """What prices are to prove: how many packages a plan has, and the cost to come up to."""

    count_min: int
    count_max: int
    upper: int


class Offers(msgspec.Struct, frozen=True, eq=False):
    """What the candidates offer: for each lot (row) the cost of a unit, and how many units.

    `units` and `needs` None: lots are sent whole, and who cannot has the cost NEVER.
    """

    costs: Numbers
    package_costs: Numbers
    units: Numbers | None = None
    needs: Numbers | None = None

    def of(self, places: Numbers) -> "Offers":
        """Return what these candidates offer."""
        units = None if self.units is None else self.units[:, places]
        return Offers(self.costs[:, places], self.package_costs[places], units, self.needs)

    def scaled(self, scale: int) -> "Offers":
        """Return the same with costs so many times as high, and 1 more for each package."""
        package_costs = self.package_costs * scale + 1
        return Offers(self.costs * scale, package_costs, self.units, self.needs)

    @property
    def price_max(self) -> Numbers:
        """Return by lot how high a price may be, that sums of them stay in bounds."""
        needs = 1 if self.needs is None else self.needs
        found: Numbers = _SUM_MAX // (len(self.costs) * np.broadcast_to(needs, len(self.costs)))
        return found

    def slacks(self, prices: Numbers) -> Numbers:
        """Return by candidate what a package costs less what the lots would pay there."""
        found: Numbers
        if self.units is not None:
            saved = (np.maximum(prices[:, None] - self.costs, 0) * self.units).sum(axis=0)
            found = self.package_costs - saved
            return found
        found = self.package_costs - np.add.reduce(prices)
        # Some rows at a time: a second array as large as the costs would take far longer.
        for rows in rows_at_once(*self.costs.shape):
            paid = np.minimum(self.costs[rows], prices[rows, None])
            found += np.add.reduce(paid, axis=0)
        return found

    def has(self, never: int) -> NDArray[np.bool_]:
        """Return who has something of which lot; `never` is the cost of what cannot be."""
        return self.costs < never if self.units is None else self.units > 0

    def floor(self) -> int:
        """Return what the lots cost from where each is cheapest."""
        if self.units is None or self.needs is None:
            return int(self.costs.min(axis=1).sum())
        order, taken = _cheapest(self.costs, self.units, self.needs)
        return int((taken * np.take_along_axis(self.costs, order, axis=1)).sum())

    def suffices(self) -> bool:
        """Say whether there is enough of every lot."""
        assert self.units is not None
        return bool((self.units.sum(axis=1) >= self.needs).all())

    def used(self) -> Numbers:
        """Return who sends something where all is sent from where it is cheapest."""
        if self.units is None or self.needs is None:
            return np.unique(self.costs.argmin(axis=1))
        order, taken = _cheapest(self.costs, self.units, self.needs)
        return np.unique(order[taken > 0])


def _cheapest(costs: Numbers, units: Numbers, needs: Numbers) -> tuple[Numbers, Numbers]:
    # By lot, the candidates from the cheapest up, and what each sends.
    order = costs.argsort(axis=1, kind="stable")
    units = np.take_along_axis(units, order, axis=1)
    before = units.cumsum(axis=1) - units
    return order, np.clip(needs[:, None] - before, 0, units)


class Bounded(msgspec.Struct, frozen=True, eq=False):
    """Prices, and what they prove."""

    prices: Numbers
    slacks: Numbers
    chosen: Numbers
    """The candidates with the least slacks, as many as make the bound."""
    pull: Numbers
    """By lot, the units needed less those that the chosen would send."""
    bound: int

    def survivors(self, upper: int, aim: Aim) -> Numbers:
        """Return the candidates that can be in a plan that costs no more than `upper`."""
        least = self.slacks[self.chosen]
        dearest = int(least.max())
        # Beside any one there are the others at least: all of these, or all but one where one of
        # them is only among them because so many there must be, or no more may be.
        if dearest < 0 and len(least) < aim.count_max:
            dearest = 0
        room = upper - self.bound + dearest
        found: Numbers = np.flatnonzero(self.slacks <= room)
        return found


def bound_by(prices: Numbers, offers: Offers, aim: Aim) -> Bounded:
    """Return what the prices prove of plans whose candidates are among these."""
    slacks = offers.slacks(prices)
    negative_count = int(np.count_nonzero(slacks < 0))
    count = min(max(aim.count_min, negative_count), aim.count_max, len(slacks))
    chosen = slacks.argpartition(count - 1)[:count]
    wanted = offers.costs[:, chosen] < prices[:, None]
    if offers.units is None or offers.needs is None:
        pull = 1 - np.add.reduce(wanted, axis=1)
        worth = int(np.add.reduce(prices))
    else:
        pull = offers.needs - np.add.reduce(wanted * offers.units[:, chosen], axis=1)
        worth = int(prices @ offers.needs)
    return Bounded(prices, slacks, chosen, pull, worth + int(np.add.reduce(slacks[chosen])))


def improve_prices(prices: Numbers, offers: Offers, aim: Aim, step_count: int) -> Numbers:
    """Return the best prices on the way of so many steps."""
    best = now = bound_by(prices, offers, aim)
    pace, stalled = 1.0, 0
    is_large = offers.units is not None or aim.upper >= _UPPER_LARGE
    price_max = offers.price_max if is_large else None
    for _ in range(step_count):
        pull = now.pull.astype(np.float64)
        size = float(pull @ pull)
        if size == 0 or best.bound > aim.upper:
            break
        step = pace * (aim.upper - best.bound) / size
        if step < 1:
            # Some price moves by 1 at least: that is a package where costs tie.
            step = max(step, 1 / float(np.abs(pull).max()))
        change = np.rint(step * pull)
        if price_max is None:
            raised = now.prices + change.astype(np.int64)
        else:
            raised = now.prices + np.clip(change, -_SUM_MAX, _SUM_MAX).astype(np.int64)
            raised = np.clip(raised, -price_max, price_max)
        now = bound_by(raised, offers, aim)
        if now.bound > best.bound:
            best, stalled = now, 0
        else:
            stalled += 1
            if stalled > _STALLED_MAX:
                pace, stalled = pace / 2, 0
    return best.prices
