"""Profiles: what transport looks at of every location, side by side.

Built from the calendars and places of all locations and kept until one of them changes. Locations
with the same schedule and type share a slot, so that what follows from these two is computed once
for all of them.
"""

from array import array

import msgspec

from domgrpc.core.calendars import CalendarFields, Calendars, CapacityUnit, Schedule
from domgrpc.core.locations import Locations
from domgrpc.core.opening_days import OpeningDays
from domgrpc.core.time_zones import nautical_zone
from domgrpc.core.values import LocationType
from domgrpc.core.zones import Spot, spot_of


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
        "calendars",
        "package_micros",
        "priority",
        "slot_of",
        "slots",
        "spots",
        "unit_micros",
    )

    def __init__(self, locations: Locations, calendars: Calendars) -> None:
        """Look at every location; O(locations)."""
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
        self.package_micros = array("q", [each.package_micros for each in self.calendars])
        self.unit_micros = array("q", [each.unit_micros for each in self.calendars])
        self.priority = array("q", [each.priority for each in self.calendars])

    def days_of(self, index: int) -> OpeningDays:
        """Return when a location is open."""
        return self.slots[self.slot_of[index]].days

    def capacity(self, index: int) -> Capacity:
        """Return how much a location can do in a day."""
        fields = self.calendars[index]
        return Capacity(fields.daily_capacity, fields.capacity_unit)
