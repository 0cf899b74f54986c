"""How the parts of one order share its packages, for the bound.

A package is paid once, however many parts of the order use it. The bound solves each part for
itself, so each must bear a share of every package; in whatever way packages are divided, together
the parts pay no more than the order does, and the bound holds. The better the division, the
higher it is: a part that uses a package takes over from those of its siblings that do not, in
steps like those of the prices. At first all that could use it bear the same.
"""

import numpy as np
from numpy.typing import NDArray

from domgrpc.core.routing.backlog_batches import Batch, Offer, Pool
from domgrpc.core.routing.backlog_data import Numbers

_STEP = 0.5
"""Of a package, in the first pass."""
_HAIR = 1e-9
"""So much less than their shares do parts bear, which is more than rounding could add."""


class Shares:
    """The shares of all parts, by batch."""

    __slots__ = ("_pool", "_shares")

    def __init__(self, pool: Pool) -> None:
        """Divide every package equally among the parts that could use it."""
        self._pool = pool
        self._shares: dict[int, NDArray[np.float64]] = {
            number: np.ones(batch.packages.shape)
            for number, batch in enumerate(pool.batches)
            if not batch.is_whole
        }
        """By number of the batch: by candidate and part, in parts of the package."""
        self._divide()

    @property
    def can_shift(self) -> bool:
        """Whether any order has more than one part."""
        return bool(self._shares)

    def offers(self) -> list[Offer]:
        """Return what each batch is solved for; siblings share the stability cost equally."""
        return [self._offer(number, batch) for number, batch in enumerate(self._pool.batches)]

    def shift(self, picks: list[Numbers], step: float) -> None:
        """Shift shares to the parts that use a package, by so much of it at the most."""
        for number, shares in self._shares.items():
            candidates = np.arange(len(shares))[:, None]
            is_used = (picks[number][:, None] == candidates).any(axis=0)
            np.add(shares, _STEP * step * is_used, out=shares)
        self._divide()

    def _offer(self, number: int, batch: Batch) -> Offer:
        if batch.is_whole:
            return Offer(batch.costs, batch.packages, batch.changes)
        siblings = self._pool.parts.sibling_counts[batch.parts]
        borne = self._shares[number] * (1 - _HAIR)
        packages = (batch.packages * borne).astype(batch.costs.dtype)
        return Offer(batch.costs, packages, batch.changes // siblings.astype(batch.costs.dtype))

    def _divide(self) -> None:
        """Make the shares of each package add up to it."""
        if not self._shares:
            return
        backlog = self._pool.parts.backlog
        totals = np.zeros(backlog.package_costs.shape)
        orders = self._pool.parts.orders
        for number, shares in self._shares.items():
            batch = self._pool.batches[number]
            np.add.at(totals, (orders[batch.parts], batch.locations), shares)
        for number, shares in self._shares.items():
            batch = self._pool.batches[number]
            np.divide(shares, totals[orders[batch.parts], batch.locations], out=shares)
