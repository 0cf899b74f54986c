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


class Bounded(msgspec.Struct, frozen=True, eq=False):
    """Prices, and what they prove."""

    prices: Numbers
    slacks: Numbers
    chosen: Numbers
    """The candidates with the least slacks, as many as make the bound."""
    pull: Numbers
    """By lot, 1 less the number of those that want it."""
    bound: int

    def survivors(self, upper: int) -> Numbers:
        """Return the candidates that can be in a plan that costs no more than `upper`."""
        least = self.slacks[self.chosen]
        # Beside any one there are the others at least: all but the dearest of them.
        room = upper - self.bound + int(least.max())
        found: Numbers = np.flatnonzero(self.slacks <= room)
        return found


def bound_by(prices: Numbers, costs: Numbers, package_costs: Numbers, aim: Aim) -> Bounded:
    """Return what the prices prove of plans whose candidates are among these."""
    paid = prices[:, None] - costs
    np.maximum(paid, 0, out=paid)
    slacks = package_costs - paid.sum(axis=0)
    count = min(max(aim.count_min, np.count_nonzero(slacks < 0)), aim.count_max, len(slacks))
    chosen = slacks.argpartition(count - 1)[:count]
    pull = 1 - np.count_nonzero(paid[:, chosen], axis=1)
    bound = int(prices.sum()) + int(slacks[chosen].sum())
    return Bounded(prices, slacks, chosen, pull, bound)


def improve_prices(
    prices: Numbers, costs: Numbers, package_costs: Numbers, stride: tuple[Aim, int]
) -> Numbers:
    """Return the best prices on the way of so many steps."""
    aim, step_count = stride
    best = now = bound_by(prices, costs, package_costs, aim)
    pace, stalled = 1.0, 0
    for _ in range(step_count):
        size = int(now.pull @ now.pull)
        if size == 0 or best.bound > aim.upper:
            break
        step = int(pace * (aim.upper - now.bound) / size)
        now = bound_by(now.prices + step * now.pull, costs, package_costs, aim)
        if now.bound > best.bound:
            best, stalled = now, 0
        else:
            stalled += 1
            if stalled > _STALLED_MAX:
                pace, stalled = pace / 2, 0
    return best.prices
