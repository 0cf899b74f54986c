"""Profiles: what transport looks at of every location, side by side.

Built from the calendars and places of all locations and kept until one of them changes. Locations
with the same schedule and type share a slot, so that what follows from these two is computed once
for all of them.
"""

from array import array
from collections.abc import Sequence

import msgspec

from domgrpc.core.calendars import CalendarFields, Calendars, CapacityUnit, Schedule
from domgrpc.core.locations import Locations
from domgrpc.core.opening_days import OpeningDays
from domgrpc.core.time_zones import nautical_zone
from domgrpc.core.values import LocationType
from domgrpc.core.vectors import WIDE_MIN, Spots, spots_of
from domgrpc.core.vectors import distances_m as wide_distances_m
from domgrpc.core.zones import NO_SPOT, Spot, distances_m, spot_of

UNKNOWN_M = -1
_DISTANCES_KEPT_MAX = 32
"""Of how many destinations: one customer is asked about for several delivery methods."""


class Slot(msgspec.Struct, frozen=True):
    """A schedule and a type that locations share."""

    days: OpeningDays
    location_type: LocationType


class Capacity(msgspec.Struct, frozen=True, gc=False):
    """How much a location can do in a day; 0 for no limit."""

    daily: int
    unit: CapacityUnit


class Profiles:
    """The locations by index, each list as long as there are locations."""

    __slots__ = (
        "_distances",
        "_wide_spots",
        "calendars",
        "has_handling",
        "indexes",
        "package_micros",
        "priority",
        "slot_of",
        "slots",
        "spots",
        "unit_micros",
        "unplaced",
    )

    def __init__(self, locations: Locations, calendars: Calendars) -> None:
        """Look at every location; O(locations)."""
        self.indexes = range(len(locations.by_index))
        self.slots: list[Slot] = []
        self.slot_of: list[int] = []
        self.calendars: list[CalendarFields] = []
        self.spots: list[Spot] = []
        known: dict[tuple[Schedule, LocationType], int] = {}
        days: dict[Schedule, OpeningDays] = {}
        for location in locations.by_index:
            fields = calendars.of(location)
            schedule = fields.schedule
            if not schedule.time_zone:
                zone = nautical_zone(location.point)
                schedule = msgspec.structs.replace(schedule, time_zone=zone)
            key = (schedule, location.type)
            slot = known.get(key)
            if slot is None:
                slot = known[key] = len(self.slots)
                opening = days.setdefault(schedule, OpeningDays(schedule))
                self.slots.append(Slot(opening, location.type))
            self.slot_of.append(slot)
            self.calendars.append(fields)
            self.spots.append(spot_of(location.point))
        self.unplaced = [index for index, spot in enumerate(self.spots) if spot is NO_SPOT]
        self._distances: dict[Spot, array[int]] = {}
        self._wide_spots: Spots | None = None
        if len(self.spots) > WIDE_MIN:
            self._wide_spots = spots_of(self.spots)
        self.package_micros = array("q", [each.package_micros for each in self.calendars])
        self.unit_micros = array("q", [each.unit_micros for each in self.calendars])
        self.has_handling = any(self.package_micros) or any(self.unit_micros)
        self.priority = array("q", [each.priority for each in self.calendars])

    def distances(self, there: Spot) -> "array[int]":
        """Return the distance of each location in metres, UNKNOWN_M where there is none."""
        found = self._distances.get(there)
        if found is None:
            if len(self._distances) >= _DISTANCES_KEPT_MAX:
                self._distances.clear()
            if self._wide_spots is None or there is NO_SPOT:
                found = measured(self.spots, self.unplaced, there)
            else:
                found = wide_distances_m(self._wide_spots, there)
                _forget(found, self.unplaced)
            self._distances[there] = found
        return found

    def of(self, indexes: Sequence[int]) -> "SomeProfiles":
        """Return the profiles of some locations, in that order."""
        return SomeProfiles(self, array("q", indexes))

    def days_of(self, index: int) -> OpeningDays:
        """Return when a location is open."""
        return self.slots[self.slot_of[index]].days

    def capacity(self, index: int) -> Capacity:
        """Return how much a location can do in a day."""
        fields = self.calendars[index]
        return Capacity(fields.daily_capacity, fields.capacity_unit)


class SomeProfiles:
    """The profiles of some locations, each list in their order."""

    __slots__ = (
        "has_handling",
        "indexes",
        "package_micros",
        "priority",
        "slot_of",
        "spots",
        "unit_micros",
        "unplaced",
    )

    def __init__(self, profiles: Profiles, indexes: "array[int]") -> None:
        """Look up each of the locations."""
        self.indexes = indexes
        self.slot_of = [profiles.slot_of[index] for index in indexes]
        self.spots = [profiles.spots[index] for index in indexes]
        self.unplaced = [place for place, spot in enumerate(self.spots) if spot is NO_SPOT]
        self.has_handling = profiles.has_handling
        self.package_micros = array("q", [profiles.package_micros[index] for index in indexes])
        self.unit_micros = array("q", [profiles.unit_micros[index] for index in indexes])
        self.priority = array("q", [profiles.priority[index] for index in indexes])

    def distances(self, there: Spot) -> "array[int]":
        """Return the distance of each location in metres, UNKNOWN_M where there is none."""
        return measured(self.spots, self.unplaced, there)


def measured(spots: list[Spot], unplaced: list[int], there: Spot) -> "array[int]":
    """Return how far each spot is from one, UNKNOWN_M where either is nowhere."""
    if there is NO_SPOT:
        return array("q", [UNKNOWN_M]) * len(spots)
    found = array("q", distances_m(spots, there))
    _forget(found, unplaced)
    return found


def _forget(found: "array[int]", unplaced: list[int]) -> None:
    for place in unplaced:
        found[place] = UNKNOWN_M
