"""Filling the plan at fixed prices, those first who would regret it most.

At the prices of the bound every part has a cheapest plan, but some positions are wanted by more
parts than they can serve. In each round, of the parts that fit

- those that pay for nothing are booked: nobody else wants their positions;
- of those whose positions are not contested now, a share is booked, the lowest prices first;
- of those that want a contested position, a share is booked, the highest regret first: what it
  would cost them more, prices included, to do without the contested positions.

Whoever no longer fits wishes again for what is left. Only a share is booked at a time, since with
every booking the others' alternatives and so their regrets change.
"""

from collections.abc import Callable

import numpy as np

from domgrpc.core.routing.backlog_batches import Batch, Offer, Pool, priced
from domgrpc.core.routing.backlog_data import NOWHERE, Booleans, Numbers
from domgrpc.core.routing.backlog_ledger import Ledger
from domgrpc.core.routing.backlog_subsets import cheapest_values
from domgrpc.core.routing.backlog_twins import solve_within

_SHARE = 0.1
_COUNT_MIN = 20
"""So many of each kind are booked in a round at least."""


class Filling:
    """The wishes of the parts that are not booked yet."""

    __slots__ = ("_ledger", "_pool", "_prices", "_values", "_waiting", "_wishes")

    def __init__(self, pool: Pool, ledger: Ledger, prices: Numbers) -> None:
        """Begin with all open parts."""
        self._pool = pool
        self._ledger = ledger
        self._prices = prices
        self._waiting = pool.parts.open_parts
        self._wishes = np.full(len(pool.parts.backlog.skus), NOWHERE)
        """By line: the location of the cheapest plan at the prices."""
        self._values = np.zeros(pool.parts.count, np.int64)
        """By part: what that plan costs, prices included."""

    def run(self, keep_going: Callable[[int], bool]) -> bool:
        """Book everything, and say whether `keep_going`, asked before each round, let it."""
        self._wish(self._waiting)
        round_count = 0
        while len(self._waiting):
            if not keep_going(round_count):
                return False
            round_count += 1
            is_booked = self._book(self._choose())
            self._waiting = self._waiting[~is_booked[self._waiting]]
            self._wish(self._waiting[self._is_short()])
        return True

    def _wish(self, parts: Numbers) -> None:
        for batch in self._pool.select(parts):
            offer = priced(batch, self._offer(batch), self._prices)
            answer = solve_within(batch, offer, self._ledger, _nothing(batch))
            self._wishes[batch.lines] = batch.locations_of(answer.picks)
            self._values[batch.parts] = answer.values

    def _offer(self, batch: Batch) -> Offer:
        return self._ledger.offer(batch, _nothing(batch))

    def _demand(self) -> tuple[Numbers, Numbers, Numbers]:
        """Return owners (places in `waiting`), positions and quantities of what is wished for."""
        parts = self._pool.parts
        lines, owners = parts.lines_of(self._waiting)
        positions = parts.positions_of(lines, self._wishes[lines])
        is_sent = positions != NOWHERE
        owners, positions = owners[is_sent], positions[is_sent]
        quantities = parts.backlog.quantities[lines[is_sent]]
        if not parts.has_twins[self._waiting].any():
            return owners, positions, quantities
        # Twins at one position wish for the sum.
        pairs, numbers = np.unique(np.stack([owners, positions]), axis=1, return_inverse=True)
        sums = np.zeros(pairs.shape[1], np.int64)
        np.add.at(sums, numbers.reshape(-1), quantities)
        return pairs[0], pairs[1], sums

    def _is_short(self) -> Booleans:
        """By waiting part: whether its wish no longer fits."""
        owners, positions, quantities = self._demand()
        is_short = np.zeros(len(self._waiting), np.bool_)
        is_short[owners[quantities > self._ledger.left[positions]]] = True
        return is_short

    def _choose(self) -> Numbers:
        """Return the parts whose turn it is, in their order."""
        owners, positions, quantities = self._demand()
        wanted = np.zeros_like(self._ledger.left)
        np.add.at(wanted, positions, quantities)
        is_scarce = wanted > self._ledger.left
        is_contested = np.zeros(len(self._waiting), np.bool_)
        is_contested[owners[is_scarce[positions]]] = True
        ranks = np.zeros(len(self._waiting), np.int64)
        np.maximum.at(ranks, owners, self._prices[positions])
        is_free = ~is_contested & (ranks == 0)
        ranks[is_contested] = -self._regrets(self._waiting[is_contested], is_scarce)
        quiet = np.flatnonzero(~is_contested & ~is_free)
        loud = np.flatnonzero(is_contested)
        turns = (np.flatnonzero(is_free), _first_share(quiet, ranks), _first_share(loud, ranks))
        return self._waiting[np.concatenate(turns)]

    def _regrets(self, contested: Numbers, is_scarce: Booleans) -> Numbers:
        """Return what parts would pay more at the same prices, were the scarce positions closed."""
        regrets = np.zeros(self._pool.parts.count, np.int64)
        for batch in self._pool.select(contested):
            offer = priced(batch, self._offer(batch), self._prices)
            closed = batch.costs.dtype.type(batch.closed)
            costs = np.where(is_scarce[batch.positions], closed, offer.costs)
            values = cheapest_values(batch, Offer(costs, offer.packages, offer.changes))
            regrets[batch.parts] = values - self._values[batch.parts]
        return regrets[contested]

    def _book(self, parts: Numbers) -> Booleans:
        """Book those parts that still fit when their turn comes, and say which."""
        is_booked = np.zeros(self._pool.parts.count, np.bool_)
        starts = self._pool.parts.starts
        for part in parts.tolist():
            wish = self._wishes[starts[part] : starts[part + 1]].tolist()
            if self._ledger.fits(part, wish):
                self._ledger.book(part, wish)
                is_booked[part] = True
        return is_booked


def _nothing(batch: Batch) -> Numbers:
    """Return the picks of parts that are not sent."""
    return np.full(batch.lines.shape, NOWHERE)


def _first_share(places: Numbers, ranks: Numbers) -> Numbers:
    """Return the share of the places whose ranks are lowest, lowest first."""
    count = max(_COUNT_MIN, int(len(places) * _SHARE))
    return places[np.argsort(ranks[places], kind="stable")[:count]]
