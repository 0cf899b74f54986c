"""Stock prices: what a unit at a position is worth to those who want it, and the bound.

Let every order pay a price for each unit that it takes, and pay back what the whole stock is worth:

    bound(prices) = sum over parts of the cheapest plan, prices included
                    - sum over positions of price x units

Whatever the prices, no plan within the stock costs less: it pays for units at most what the stock
is worth, and each of its parts costs at least the cheapest plan. Where parts belong to one order,
each bears its share of a package and of the stability cost, so that together they bear them once
at most. Prices and costs are whole numbers, so that the bound is exact. (Lagrangian relaxation.)

The bound is raised by subgradient ascent (Held, Wolfe and Crowder 1974): the price of a position
rises with the units that are wanted beyond what is there and falls with those that nobody wants,
in steps that shrink from pass to pass; half of a step's direction is the last step's, which damps
the swing of prices. A position with many units moves less for each unit.
"""

from collections.abc import Callable
from operator import mul

import msgspec
import numpy as np

from domgrpc.core.routing.backlog_batches import Batch, Offer, Pool, priced
from domgrpc.core.routing.backlog_data import NOWHERE, Numbers
from domgrpc.core.routing.backlog_parts import Parts
from domgrpc.core.routing.backlog_subsets import solve

_FIRST_STEP = 0.14
"""Times the cost of the median part, for one unit too many at a position with few."""
_LAST_STEP = 0.02
"""Of the first."""
_NEW_DIRECTION = 0.5
"""The share of a pass in its direction; the rest is the last one's."""


class Bound(msgspec.Struct, frozen=True, eq=False):
    """The best bound and the prices that prove it, in units of the scale."""

    value: int
    prices: Numbers
    """By position."""
    pass_count: int


class _Response(msgspec.Struct, frozen=True, eq=False):
    """What all parts do at given prices."""

    bound: int
    excess: Numbers
    """By position: units wanted less units there."""
    usual_cost: int
    """The median of what parts cost, those left out that cost nothing."""


def raise_bound(
    pool: Pool, prices: Numbers, pass_count: int, keep_going: Callable[[Bound], bool]
) -> bool:
    """Raise the bound in so many passes, each of which solves every part at the prices then.

    `keep_going` gets the best bound after each pass; where it says no, no pass follows, and so does
    this. Where the bound is as high as it can be, fewer passes are made.
    """
    offers = [_shared(batch, pool.parts) for batch in pool.batches]
    best = Bound(0, np.zeros_like(prices), 0)
    exact = prices.astype(np.float64)
    direction = np.zeros_like(exact)
    damping = 1 / np.sqrt(pool.parts.capacity + 1)
    step = 0.0
    for number in range(1, pass_count + 1):
        prices = np.rint(exact).astype(np.int64)
        response = _respond(pool, offers, prices)
        value = max(best.value, response.bound)
        best = Bound(value, prices if response.bound == value else best.prices, number)
        excess = np.where(prices > 0, response.excess, np.maximum(response.excess, 0))
        if not keep_going(best):
            return False
        if not excess.any():
            break
        step = step * _LAST_STEP ** (1 / pass_count) or _FIRST_STEP * response.usual_cost
        direction += _NEW_DIRECTION * (excess - direction)
        exact = np.clip(exact + step * damping * direction, 0, pool.parts.price_max)
    return True


def _shared(batch: Batch, parts: Parts) -> Offer:
    """Return the costs as the bound counts them: parts of an order share what it pays once."""
    counts = parts.sibling_counts[batch.parts].astype(batch.costs.dtype)
    return Offer(batch.costs, batch.packages // counts, batch.changes // counts)


def _respond(pool: Pool, offers: list[Offer], prices: Numbers) -> _Response:
    capacity = pool.parts.capacity
    wanted = np.zeros_like(capacity)
    values = [wanted[:0]]
    for batch, offer in zip(pool.batches, offers, strict=True):
        answer = solve(batch, priced(batch, offer, prices))
        rows, columns = np.nonzero(answer.picks != NOWHERE)
        positions = batch.positions[rows, answer.picks[rows, columns], columns]
        np.add.at(wanted, positions, batch.quantities[rows, 0, columns])
        values.append(answer.values)
    costs = np.concatenate(values)
    # Worth in numbers of any size: the product of a price and a stock may leave 64 bits.
    worth = sum(map(mul, prices.tolist(), capacity.tolist()))
    paid = costs[costs > 0]
    usual_cost = int(np.median(paid)) if len(paid) else 0
    return _Response(int(costs.sum(dtype=np.int64)) - worth, wanted - capacity, usual_cost)
