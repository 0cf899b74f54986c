"""Location calendars: when a location works, what its work costs, and how much it can do.

A calendar belongs to one location, or to a type of locations whose members have none of their
own; where neither exists, `usual_calendar` holds. The part that dates follow from is a Schedule
of its own, so that a thousand stores that share one have their dates computed once
(opening_days.py); costs, priority and capacity are plain numbers beside it.
"""

import enum
from collections.abc import Iterator
from typing import TypeAlias

import msgspec
from sortedcontainers import SortedDict

from domgrpc.core.holiday_dates import NO_HOLIDAYS, HolidayRegion, region_problem
from domgrpc.core.locations import Location, Locations
from domgrpc.core.moments import hour_text
from domgrpc.core.rejections import Reason, Rejected, check_etag, check_no_etag
from domgrpc.core.time_zones import zone_names
from domgrpc.core.values import (
    DAY_MINUTES,
    DAY_MS,
    Day,
    Limits,
    LocationId,
    LocationType,
    Micros,
    Revision,
    Stamp,
    TimeMs,
)

WEEKDAYS = (1, 2, 3, 4, 5, 6, 7)
"""Monday to Sunday, as ISO 8601 counts them."""

OwnerKey: TypeAlias = tuple[int, str]
"""What calendars are sorted by: those of types first, then those of locations by id."""


# --- what a calendar says


class OpeningHours(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """When a location works on a weekday, in minutes since local midnight."""

    weekday: int
    open_minute: int
    close_minute: int


class SpecialDay(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One date with hours of its own, before weekdays and holidays; closed without any."""

    day: Day
    open_minute: int = 0
    close_minute: int = 0


class Schedule(msgspec.Struct, frozen=True, array_like=True):
    """What dates follow from. An empty time zone is that of the location's longitude."""

    time_zone: str = ""
    opening_hours: tuple[OpeningHours, ...] = ()
    cut_off_minute: int = 14 * 60
    pickup_cut_off_minute: int = 18 * 60
    handling_minutes: int = 60
    lead_days: int = 0
    """Open days that pass before the handling begins."""
    holidays: HolidayRegion = NO_HOLIDAYS
    special_days: tuple[SpecialDay, ...] = ()


class CapacityUnit(enum.IntEnum):
    """What a daily capacity counts."""

    PACKAGES = 1
    UNITS = 2


class CalendarFields(msgspec.Struct, frozen=True, array_like=True):
    """What a caller says of a location, or of the locations of a type."""

    schedule: Schedule
    pickup_window_hours: int = 72
    """How long goods wait for their customer at least."""
    package_micros: Micros = Micros(0)
    unit_micros: Micros = Micros(0)
    priority: int = 100
    """Among plans of one cost the smaller number wins."""
    daily_capacity: int = 0
    """0 for no limit."""
    capacity_unit: CapacityUnit = CapacityUnit.PACKAGES


class CalendarOwner(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Whose calendar it is: a location, or with an empty id a type of locations."""

    location_id: LocationId = LocationId("")
    location_type: LocationType = LocationType.UNSPECIFIED

    @property
    def key(self) -> OwnerKey:
        """Return what the calendar is found and sorted by."""
        if self.location_id:
            return (len(LocationType), self.location_id)
        return (self.location_type, "")

    @property
    def texts(self) -> tuple[str, str]:
        """Return the owner as two texts, of which one is empty or "0"."""
        return (self.location_id, str(self.location_type.value))

    def __str__(self) -> str:
        if self.location_id:
            return f"location {self.location_id!r}"
        return f"locations of type {self.location_type.name}"


# --- commands, events and state


class LocationCalendar(msgspec.Struct, frozen=True, array_like=True, tag=12, tag_field="tag"):
    """A calendar as it is kept."""

    owner: CalendarOwner
    fields: CalendarFields
    create_time_ms: TimeMs
    update_time_ms: TimeMs
    revision: Revision


class SaveLocationCalendar(msgspec.Struct, frozen=True, array_like=True, kw_only=True, tag=True):
    """Create a calendar or replace it as a whole."""

    owner: CalendarOwner
    fields: CalendarFields
    etag: str = ""


class DeleteLocationCalendar(msgspec.Struct, frozen=True, array_like=True, kw_only=True, tag=True):
    """Remove a calendar."""

    owner: CalendarOwner
    etag: str = ""


class LocationCalendarSaved(msgspec.Struct, frozen=True, array_like=True, tag=21):
    """A calendar was created or replaced; the whole new content."""

    calendar: LocationCalendar


class Calendars:
    """All calendars by their owner. Lookups are O(1)."""

    __slots__ = ("by_key", "limits", "version")

    def __init__(self, limits: Limits) -> None:
        """Start empty."""
        self.limits = limits
        self.by_key: SortedDict[OwnerKey, LocationCalendar] = SortedDict()
        self.version = 0

    def get(self, owner: CalendarOwner) -> LocationCalendar:
        """Return a calendar or refuse with CALENDAR_NOT_FOUND."""
        calendar = self.by_key.get(owner.key)
        if calendar is None:
            raise Rejected(
                Reason.CALENDAR_NOT_FOUND,
                f"no calendar was saved for {owner}: a more general one holds, or the usual one",
                location_id=owner.location_id,
                location_type=owner.location_type.name if owner.location_type else "",
            )
        return calendar

    def of(self, location: Location) -> CalendarFields:
        """Return what holds for a location: its own calendar, its type's, or the usual one."""
        found = self.by_key.get(CalendarOwner(location.location_id).key)
        if found is None:
            found = self.by_key.get((location.type, ""))
        return found.fields if found is not None else usual_calendar(location.type)

    def check_invariants(self, locations: Locations) -> None:
        """Every calendar is found by its owner, and every owner exists."""
        for key, calendar in self.by_key.items():
            assert calendar.owner.key == key
            owner = calendar.owner
            assert bool(owner.location_id) != bool(owner.location_type)
            assert not owner.location_id or owner.location_id in locations.index_of


def usual_calendar(kind: LocationType) -> CalendarFields:
    """Return what holds where no calendar was saved: open every day from 8 to 20 o'clock."""
    hours = tuple(OpeningHours(weekday, 8 * 60, 20 * 60) for weekday in WEEKDAYS)
    lead_days = 2 if kind is LocationType.SUPPLIER else 0
    return CalendarFields(Schedule(opening_hours=hours, lead_days=lead_days))


# --- decide


def decide_save_calendar(
    state: Calendars, locations: Locations, command: SaveLocationCalendar, at: Stamp
) -> LocationCalendarSaved | None:
    """Create or replace; None where the same calendar exists.

    Refuses with LOCATION_NOT_FOUND, CALENDAR_INVALID, ETAG_MISMATCH and CAPACITY_EXCEEDED.
    """
    owner, fields = command.owner, command.fields
    if owner.location_id:
        locations.index(owner.location_id)
    _check_whole(owner, fields, at)
    old = state.by_key.get(owner.key)
    if old is None:
        check_no_etag(command.etag, f"a calendar of {owner}")
        _check_room(state)
        return LocationCalendarSaved(
            LocationCalendar(owner, fields, at.time_ms, at.time_ms, at.revision)
        )
    check_etag(command.etag, old.revision, f"the calendar of {owner}")
    if old.fields == fields:
        return None
    return LocationCalendarSaved(
        LocationCalendar(owner, fields, old.create_time_ms, at.time_ms, at.revision)
    )


def decide_delete_calendar(state: Calendars, command: DeleteLocationCalendar) -> CalendarOwner:
    """Return whose calendar goes, or refuse with CALENDAR_NOT_FOUND or ETAG_MISMATCH."""
    old = state.get(command.owner)
    check_etag(command.etag, old.revision, f"the calendar of {command.owner}")
    return old.owner


def _check_room(state: Calendars) -> None:
    if len(state.by_key) >= state.limits.calendars_max:
        raise Rejected(
            Reason.CAPACITY_EXCEEDED,
            f"there are {len(state.by_key)} calendars already, the most that is allowed",
            limit=state.limits.calendars_max,
        )


def _check_whole(owner: CalendarOwner, fields: CalendarFields, at: Stamp) -> None:
    for field, problem in _problems(fields.schedule, at.time_ms):
        raise Rejected(Reason.CALENDAR_INVALID, f"the calendar of {owner} {problem}", field=field)


def _problems(schedule: Schedule, now_ms: TimeMs) -> Iterator[tuple[str, str]]:
    # The field and what is wrong with it.
    weekdays = [hours.weekday for hours in schedule.opening_hours]
    days = [special.day for special in schedule.special_days]
    if schedule.time_zone and schedule.time_zone not in zone_names():
        name = schedule.time_zone
        yield "time_zone", f"names the unknown time zone {name!r}: use one as Europe/Berlin"
    holiday_problem = region_problem(schedule.holidays)
    if holiday_problem is not None:
        yield "holidays", holiday_problem
    if len(dict.fromkeys(weekdays)) < len(weekdays):
        yield "opening_hours", f"names a weekday twice: {weekdays}, where 1 is Monday"
    if len(dict.fromkeys(days)) < len(days):
        yield "special_days", "names a date twice"
    for hours in schedule.opening_hours:
        if not _in_order(hours.open_minute, hours.close_minute):
            yield "opening_hours", _disordered(hours.open_minute, hours.close_minute)
    for special in schedule.special_days:
        if special.close_minute and not _in_order(special.open_minute, special.close_minute):
            yield "special_days", _disordered(special.open_minute, special.close_minute)
    # Where it is still yesterday depends on the zone.
    first = now_ms // DAY_MS - 1
    if not weekdays and not any(
        special.close_minute and special.day >= first for special in schedule.special_days
    ):
        yield "opening_hours", "has no open day: give opening hours for at least one weekday"


def _in_order(open_minute: int, close_minute: int) -> bool:
    return 0 <= open_minute < close_minute <= DAY_MINUTES


def _disordered(open_minute: int, close_minute: int) -> str:
    return (
        f"opens at {hour_text(open_minute)} and closes at {hour_text(close_minute)}: give an "
        "opening before the closing, within one day"
    )


# --- evolve


def evolve_calendar_saved(state: Calendars, event: LocationCalendarSaved) -> None:
    """Store the new content."""
    state.by_key[event.calendar.owner.key] = event.calendar
    state.version += 1


def evolve_calendar_deleted(state: Calendars, owner: CalendarOwner) -> None:
    """Forget the calendar."""
    del state.by_key[owner.key]
    state.version += 1


# --- views


def calendars_after(state: Calendars, after: OwnerKey) -> Iterator[LocationCalendar]:
    """Iterate the calendars behind a key: those of types, then those of locations by id."""
    for key in state.by_key.irange(after, None, (False, True)):
        yield state.by_key[key]
