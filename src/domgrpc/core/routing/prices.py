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

from domgrpc.core.routing.instance import Numbers

_STALLED_MAX = 2


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
    paid = prices[:, None] - offers.costs
    np.maximum(paid, 0, out=paid)
    units, needs = offers.units, offers.needs
    slacks = offers.package_costs - (paid if units is None else paid * units).sum(axis=0)
    negative_count = int(np.count_nonzero(slacks < 0))
    count = min(max(aim.count_min, negative_count), aim.count_max, len(slacks))
    chosen = slacks.argpartition(count - 1)[:count]
    if units is None or needs is None:
        pull = 1 - (paid[:, chosen] > 0).sum(axis=1)
        worth = int(prices.sum())
    else:
        pull = needs - ((paid[:, chosen] > 0) * units[:, chosen]).sum(axis=1)
        worth = int(prices @ needs)
    return Bounded(prices, slacks, chosen, pull, worth + int(slacks[chosen].sum()))


def improve_prices(prices: Numbers, offers: Offers, aim: Aim, step_count: int) -> Numbers:
    """Return the best prices on the way of so many steps."""
    best = now = bound_by(prices, offers, aim)
    pace, stalled = 1.0, 0
    for _ in range(step_count):
        size = int(now.pull @ now.pull)
        if size == 0 or best.bound > aim.upper:
            break
        step = pace * (aim.upper - best.bound) / size
        now = bound_by(now.prices + (step * now.pull).astype(np.int64), offers, aim)
        if now.bound > best.bound:
            best, stalled = now, 0
        else:
            stalled += 1
            if stalled > _STALLED_MAX:
                pace, stalled = pace / 2, 0
    return best.prices
