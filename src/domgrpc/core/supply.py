"""Dated supply: what is announced to arrive, and what can be promised from it.

Supply of one position is kept by the caller's id and sorted by due time. ATP in the
cumulative-minimum form: for a date d, the minimum of the projected balance from d to the
horizon. Overdue supply is promised to nobody until it gets a new date or is received.
"""

import enum
from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator

import msgspec

from domgrpc.core.values import Quantity, SupplyId, TimeMs

SUPPLIES_PER_POSITION_MAX = 10_000
"""Every promise by date and every backorder by supply reads those of the position."""


class InboundKind(enum.IntEnum):
    """What kind of dated supply."""

    PURCHASE_ORDER = 1
    TRANSFER = 2
    RETURN = 3


class Supply(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Units announced to be sellable at a time."""

    supply_id: SupplyId
    kind: InboundKind
    quantity: Quantity
    due_time_ms: TimeMs


class InboundSupplies:
    """The supplies of one position. Finding costs O(log n), sums what they read.

    Most positions have one or none, and there are millions: a plain list is kept in order.
    """

    __slots__ = ("_by_due", "_by_id")

    def __init__(self) -> None:
        """Start empty."""
        self._by_id: dict[SupplyId, Supply] = {}
        self._by_due: list[tuple[TimeMs, SupplyId]] = []

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[Supply]:
        """Iterate by due time."""
        return (self._by_id[supply_id] for _, supply_id in self._by_due)

    def get(self, supply_id: SupplyId) -> Supply | None:
        """Return one supply, None where it is not announced."""
        return self._by_id.get(supply_id)

    def put(self, supply: Supply) -> None:
        """Set a supply, or withdraw it where its quantity is 0."""
        old = self._by_id.pop(supply.supply_id, None)
        if old is not None:
            del self._by_due[bisect_left(self._by_due, (old.due_time_ms, old.supply_id))]
        if supply.quantity > 0:
            self._by_id[supply.supply_id] = supply
            insort(self._by_due, (supply.due_time_ms, supply.supply_id))

    def due(self, after_ms: int, until_ms: int) -> Iterator[Supply]:
        """Iterate the supplies due after one time and up to another, by due time."""
        by_due = self._by_due
        first = bisect_left(by_due, (TimeMs(after_ms + 1), SupplyId("")))
        end = bisect_left(by_due, (TimeMs(until_ms + 1), SupplyId("")), lo=first)
        for place in range(first, end):
            yield self._by_id[by_due[place][1]]

    def quantity_due(self, after_ms: int, until_ms: int) -> int:
        """Sum the units due after one time and up to another."""
        return sum(supply.quantity for supply in self.due(after_ms, until_ms))

    def check_invariants(self) -> None:
        """Both orders hold the same supplies, none of them empty."""
        assert len(self._by_id) == len(self._by_due)
        assert self._by_due == sorted(self._by_due)
        for due_time_ms, supply_id in self._by_due:
            supply = self._by_id[supply_id]
            assert (supply.supply_id, supply.due_time_ms) == (supply_id, due_time_ms)
            assert supply.quantity > 0


def promise_curve(balances: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Turn (time, projected balance) steps into (time, ATP) steps.

    The balances are given by rising time; ATP at each is the minimum of the balance there and
    later, never below 0, and steps that do not change it are left out. O(n).
    """
    steps: list[tuple[int, int]] = []
    lowest: int | None = None
    for time_ms, balance in reversed(list(balances)):
        lowest = balance if lowest is None else min(lowest, balance)
        promised = max(0, lowest)
        if steps and steps[-1][1] == promised:
            steps[-1] = (time_ms, promised)
        else:
            steps.append((time_ms, promised))
    steps.reverse()
    return steps
