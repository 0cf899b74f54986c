"""Waiting: which orders wait for which SKUs, oldest first, and what came for them since.

A view of the orders beside the stock, which tells it of every figure that changes. Where nothing
waits for a SKU that costs nothing; where something does, only a position that has more than it was
seen to have stirs its SKU. Orders are not looked at here: whoever plans them again asks what
stirred and goes through the orders behind it in its own time.
"""

from collections.abc import Iterator, Sequence
from itertools import islice

from sortedcontainers import SortedDict

from domgrpc.core.values import LocationIndex, OrderId, Sku, TimeMs

OrderKey = tuple[TimeMs, OrderId]
"""When an order was placed, and its id: the order in which orders are served."""
FIRST_KEY: OrderKey = (TimeMs(-1), OrderId(""))
"""Before all orders."""


class Waiters:
    """The orders that wait for one SKU, and the free units that its positions were seen to have."""

    __slots__ = ("keys", "seen_units")

    def __init__(self) -> None:
        """Start empty."""
        self.keys: SortedDict[OrderKey, None] = SortedDict()
        self.seen_units: dict[LocationIndex, int] = {}


class Waiting:
    """The orders that wait, all and by SKU. Changes are O(SKUs of the order · log orders)."""

    __slots__ = ("by_sku", "changed", "keys", "stirred")

    def __init__(self) -> None:
        """Start empty."""
        self.keys: SortedDict[OrderKey, None] = SortedDict()
        self.by_sku: dict[Sku, Waiters] = {}
        self.stirred: dict[Sku, None] = {}
        """SKUs of which there may be more since somebody last went through their orders."""
        self.changed: dict[OrderKey, None] = {}
        """Orders that were placed or changed and wait."""

    def count(self, key: OrderKey, skus: Sequence[Sku], sign: int) -> None:
        """Let an order wait for SKUs, or by a negative sign no more; nothing without SKUs."""
        if skus and sign > 0:
            self._add(key, skus)
        elif skus:
            self._remove(key, skus)

    def note_change(self, key: OrderKey) -> None:
        """Note that an order was placed or changed, where it waits; O(1)."""
        if key in self.keys:
            self.changed[key] = None

    def _add(self, key: OrderKey, skus: Sequence[Sku]) -> None:
        self.keys[key] = None
        for sku in skus:
            waiters = self.by_sku.get(sku)
            if waiters is None:
                waiters = self.by_sku[sku] = Waiters()
            waiters.keys[key] = None

    def _remove(self, key: OrderKey, skus: Sequence[Sku]) -> None:
        # What nobody waits for is forgotten.
        del self.keys[key]
        self.changed.pop(key, None)
        for sku in skus:
            waiters = self.by_sku[sku]
            del waiters.keys[key]
            if not waiters.keys:
                del self.by_sku[sku]
                self.stirred.pop(sku, None)

    def note(self, sku: Sku, index: LocationIndex, free_units: int) -> None:
        """Take in what is free of a SKU at a location; O(1)."""
        waiters = self.by_sku.get(sku)
        if waiters is None:
            return
        seen_units = waiters.seen_units.get(index)
        if seen_units is None or free_units > seen_units:
            self.stirred[sku] = None
        waiters.seen_units[index] = free_units

    def stir(self, sku: Sku) -> None:
        """Note that more of a SKU may be sold for another reason than its stock; O(1)."""
        if sku in self.by_sku:
            self.stirred[sku] = None

    def after(self, place: OrderKey, sku: Sku | None, count_max: int) -> list[OrderKey]:
        """Return orders behind a place that wait, for a SKU or for any, oldest first."""
        keys = self.keys
        if sku is not None:
            waiters = self.by_sku.get(sku)
            if waiters is None:
                return []
            keys = waiters.keys
        behind: Iterator[OrderKey] = keys.irange(place, None, (False, True))
        return list(islice(behind, count_max))

    def check_same(self, other: "Waiting") -> None:
        """Assert that the same orders wait for the same SKUs, and nobody for what stirred."""
        assert list(self.keys) == list(other.keys)
        assert self.by_sku.keys() == other.by_sku.keys()
        for sku, waiters in self.by_sku.items():
            assert list(waiters.keys) == list(other.by_sku[sku].keys)
        assert all(sku in other.by_sku for sku in other.stirred)
        assert all(key in other.keys for key in other.changed)
