"""What opened candidates send, for many sets of candidates at once.

A row stands for a set of opened candidates. Once it is known who is open, sending everything from
the cheapest of them up is best, so a row needs no more than what each lot then costs. Whole lots
come from one candidate each: what is kept is the cost of the cheapest, NEVER or more while none of
the opened has the lot. Lots by unit are filled from several: what is kept is a key for each opened
candidate, cheapest first, made of its rank among the costs of the lot and of the units it has.
"""

from typing import Any, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from domgrpc.core.routing.instance import NEVER, Numbers
from domgrpc.core.routing.prices import Offers

_UNIT_BITS = 41
_UNITS = (1 << _UNIT_BITS) - 1

Marks = NDArray[np.bool_]


class Sent(msgspec.Struct, frozen=True, eq=False):
    """What rows send, by row."""

    cost: Numbers
    """Of what is sent."""
    missing: NDArray[np.integer[Any]]
    """By lot, the units that are not sent."""
    is_whole: Marks
    """Whether nothing is missing."""
    priced: Numbers
    """The cost where no unit costs more than its price, a missing one its price."""

    def of(self, rows: Numbers) -> "Sent":
        """Return the same of some rows."""
        return Sent(self.cost[rows], self.missing[rows], self.is_whole[rows], self.priced[rows])

    def between(self, some: slice) -> "Sent":
        """Return the same of rows that stand beside each other."""
        return Sent(self.cost[some], self.missing[some], self.is_whole[some], self.priced[some])


class Shape(Protocol):
    """How lots are sent. Arrays of rows may have any axes before that of the row."""

    def root(self) -> Numbers:
        """Return one row without candidates."""

    def added(self, rows: Numbers, places: Numbers) -> Numbers:
        """Return the rows with one candidate more in each."""

    def added_each(self, rows: Numbers) -> Numbers:
        """Return for each row as many as there are candidates, with one more in each."""

    def depth(self, opened_count: int) -> int:
        """Return in how many steps a row with one more than so many candidates is made."""

    def cost(self, rows: Numbers) -> Numbers:
        """Return what the lots cost, NEVER or more where something is missing."""

    def priced(self, rows: Numbers, prices: Numbers) -> Numbers:
        """Return the cost where no unit costs more than its price, a missing one its price."""

    def sent(self, rows: Numbers, prices: Numbers) -> Sent:
        """Return what the rows send."""


def shape_of(offers: Offers, never: int) -> "Shape":
    """Return how the lots of the offers are sent; `never` is the cost of what cannot be."""
    return WholeLots(offers.costs, never) if offers.units is None else Units(offers)


class WholeLots:
    """Lots that come from one candidate each."""

    def __init__(self, costs: Numbers, never: int) -> None:
        """Take the costs of the lots by candidate."""
        self._columns = np.ascontiguousarray(costs.T)
        self._never = never

    def root(self) -> Numbers:
        """Return one row without candidates."""
        return np.full((1, self._columns.shape[1]), self._never)

    def added(self, rows: Numbers, places: Numbers) -> Numbers:
        """Return the rows with one candidate more in each."""
        return np.minimum(rows, self._columns.take(places, axis=0))

    def added_each(self, rows: Numbers) -> Numbers:
        """Return for each row as many as there are candidates, with one more in each."""
        return np.minimum(rows[..., None, :], self._columns)

    def depth(self, opened_count: int) -> int:  # noqa: ARG002
        """Return in how many steps a row with one more than so many candidates is made."""
        return 1

    def cost(self, rows: Numbers) -> Numbers:
        """Return what the lots cost, NEVER or more where something is missing."""
        return _sums(rows)

    def priced(self, rows: Numbers, prices: Numbers) -> Numbers:
        """Return the cost where no unit costs more than its price, a missing one its price."""
        return _sums(np.minimum(rows, prices))

    def sent(self, rows: Numbers, prices: Numbers) -> Sent:
        """Return what the rows send."""
        missing = (rows >= self._never).view(np.int8)
        cost = _sums(rows)
        return Sent(cost, missing, cost < self._never, self.priced(rows, prices))


class Units:
    """Lots whose units come from several candidates."""

    def __init__(self, offers: Offers) -> None:
        """Take offers by unit."""
        assert offers.units is not None
        assert offers.needs is not None
        order = offers.costs.argsort(axis=1, kind="stable")
        self._sorted = np.take_along_axis(offers.costs, order, axis=1).ravel()
        ranks = order.argsort(axis=1)
        self._keys = np.ascontiguousarray(((ranks << _UNIT_BITS) | offers.units).T)
        self._starts = np.arange(len(order)) * order.shape[1]
        self._needs = offers.needs
        self._nothing = np.zeros(len(order), dtype=np.int64)

    def root(self) -> Numbers:
        """Return one row without candidates."""
        return np.empty((1, 0, len(self._needs)), dtype=np.int64)

    def added(self, rows: Numbers, places: Numbers) -> Numbers:
        """Return the rows with one candidate more in each."""
        dearer = self._keys.take(places, axis=0)
        if rows.shape[-2] == 0:
            return dearer.reshape(*rows.shape[:-3], len(places), 1, len(self._needs))
        first = np.minimum(rows[..., 0, :], dearer)
        found = np.empty((*first.shape[:-1], rows.shape[-2] + 1, first.shape[-1]), dtype=np.int64)
        found[..., 0, :] = first
        dearer = np.maximum(rows[..., 0, :], dearer)
        for step in range(1, rows.shape[-2]):
            np.minimum(rows[..., step, :], dearer, out=found[..., step, :])
            dearer = np.maximum(rows[..., step, :], dearer)
        found[..., -1, :] = dearer
        return found

    def added_each(self, rows: Numbers) -> Numbers:
        """Return for each row as many as there are candidates, with one more in each."""
        return self.added(rows[..., None, :, :], np.arange(len(self._keys)))

    def depth(self, opened_count: int) -> int:
        """Return in how many steps a row with one more than so many candidates is made."""
        return opened_count + 1

    def priced(self, rows: Numbers, prices: Numbers) -> Numbers:
        """Return the cost where no unit costs more than its price, a missing one its price."""
        return self.sent(rows, prices).priced

    def cost(self, rows: Numbers) -> Numbers:
        """Return what the lots cost, NEVER or more where something is missing."""
        sent = self.sent(rows, self._nothing)
        return np.where(sent.is_whole, sent.cost, NEVER)

    def sent(self, rows: Numbers, prices: Numbers) -> Sent:
        """Return what the rows send."""
        left: Numbers = self._needs
        if rows.shape[-2] == 0:
            left = np.broadcast_to(left, (*rows.shape[:-2], len(left)))
        cost = priced = np.zeros(rows.shape[:-2], dtype=np.int64)
        for step in range(rows.shape[-2]):
            keys = rows[..., step, :]
            taken = np.minimum(keys & _UNITS, left)
            left = left - taken
            costs = self._sorted.take((keys >> _UNIT_BITS) + self._starts)
            cost = cost + np.einsum("...i,...i", taken, costs)
            priced = priced + np.einsum("...i,...i", taken, np.minimum(costs, prices))
        is_whole = np.logical_not(left.any(axis=-1))
        return Sent(cost, left, is_whole, priced + left @ prices)


def _sums(rows: Numbers) -> Numbers:
    # Of the few numbers of each row; three times as fast as sum, which is made for long rows.
    found: Numbers = np.einsum("...i->...", rows)
    return found
