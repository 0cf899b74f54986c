"""Taken: stock and capacity that plans of the same step take, before any of them is booked.

Legs of one order, and orders of one batch, are planned one after the other; what one takes is not
there for the next. Work that the step takes back is counted below zero: its capacity is free.
"""

from collections.abc import Iterable, Mapping

from domgrpc.core.orders import FulfillmentOrder, FulfillmentState
from domgrpc.core.plans import PlannedPackage
from domgrpc.core.values import LocationId, LocationIndex, Sku

WorkDay = tuple[LocationIndex, int]
"""A location and a day of its capacity."""


class Taken:
    """Units by SKU and location, and packages and units of work by location and day."""

    __slots__ = ("units", "work")

    def __init__(self) -> None:
        """Begin with nothing."""
        self.units: dict[Sku, dict[LocationIndex, int]] = {}
        self.work: dict[WorkDay, tuple[int, int]] = {}

    def copied(self) -> "Taken":
        """Return the same as a value of its own; O(what is in it)."""
        copy = Taken()
        copy.units.update((sku, dict(units)) for sku, units in self.units.items())
        copy.work.update(self.work)
        return copy

    def become(self, other: "Taken") -> None:
        """Take over what the other has."""
        self.units, self.work = other.units, other.work

    def take(
        self,
        packages: Iterable[PlannedPackage],
        index_of: Mapping[LocationId, LocationIndex],
        *,
        sign: int = 1,
    ) -> None:
        """Add what packages take; a negative sign puts it back."""
        for package in packages:
            index = index_of[package.location_id]
            for line in package.lines:
                there = self.units.setdefault(line.sku, {})
                there[index] = there.get(index, 0) + sign * line.quantity
            units = sum(line.quantity for line in package.lines)
            self._work((index, package.capacity_day), sign * (not package.parcel_id), sign * units)

    def give_back(
        self,
        before: Iterable[FulfillmentOrder],
        after: Iterable[FulfillmentOrder],
        index_of: Mapping[LocationId, LocationIndex],
    ) -> None:
        """Count the capacity as free that the work before took and the work after does not."""
        for works, sign in ((before, -1), (after, 1)):
            for work in works:
                if work.state is not FulfillmentState.CANCELLED:
                    units = sum(line.quantity for line in work.lines)
                    key = (index_of[work.location_id], work.capacity_day)
                    self._work(key, sign * (not work.parcel_id), sign * units)

    def _work(self, key: WorkDay, packages: int, units: int) -> None:
        before = self.work.get(key, (0, 0))
        self.work[key] = (before[0] + packages, before[1] + units)
