"""Location calendars between messages and the core."""

from collections.abc import Mapping
from datetime import date

from domgrpc.core.calendars import (
    CalendarFields,
    CalendarOwner,
    CapacityUnit,
    DeleteLocationCalendar,
    LocationCalendar,
    OpeningHours,
    SaveLocationCalendar,
    Schedule,
    SpecialDay,
)
from domgrpc.core.holiday_dates import EPOCH_ORDINAL
from domgrpc.core.values import QUANTITY_MAX, Day, LocationId, Revision
from domgrpc.rpc.refusals import InvalidField
from domgrpc.rpc.shapes import ETAG_BYTES_MAX, chosen, identifier, item_count, shown, text, whole
from domgrpc.rpc.translate_locations import TYPES
from domgrpc.rpc.translate_logistics import (
    fill_region,
    fill_stamps,
    micros,
    minute,
    region_of,
    weekday,
)
from domgrpc.v1 import logistics_pb2

HANDLING_MINUTES_MAX = 43_200
LEAD_DAYS_MAX = 90
SPECIAL_DAYS_MAX = 1_000
PICKUP_WINDOW_HOURS_MAX = 2_160
PRIORITY_MAX = 1_000_000
ZONE_NAME_BYTES_MAX = 64
YEAR_MIN, YEAR_MAX = 1970, 9998

_WEEKDAYS_MAX = 7
_UNITS: Mapping[int, CapacityUnit] = {0: CapacityUnit.PACKAGES} | {
    unit.value: unit for unit in CapacityUnit
}
_USUAL_SCHEDULE = Schedule()
_USUAL = CalendarFields(_USUAL_SCHEDULE)


def save_calendar(message: logistics_pb2.SaveLocationCalendarRequest) -> SaveLocationCalendar:
    """Read SaveLocationCalendar; the core looks at it as a whole."""
    if not message.HasField("calendar"):
        raise InvalidField("calendar", "is missing")
    etag = text(message.etag, "etag", ETAG_BYTES_MAX)
    try:
        return SaveLocationCalendar(
            owner=owner_of(message.calendar), fields=_fields(message.calendar), etag=etag
        )
    except InvalidField as invalid:
        raise invalid.within("calendar") from None


def delete_calendar(
    message: logistics_pb2.DeleteLocationCalendarRequest,
) -> DeleteLocationCalendar:
    """Read DeleteLocationCalendar."""
    return DeleteLocationCalendar(
        owner=owner_of(message), etag=text(message.etag, "etag", ETAG_BYTES_MAX)
    )


def owner_of(
    message: logistics_pb2.LocationCalendar
    | logistics_pb2.GetLocationCalendarRequest
    | logistics_pb2.DeleteLocationCalendarRequest,
) -> CalendarOwner:
    """Return whose calendar a message is about."""
    match message.WhichOneof("owner"):
        case "location_id":
            return CalendarOwner(LocationId(identifier(message.location_id, "location_id")))
        case "location_type":
            kind = chosen(message.location_type, "location_type", TYPES)
            return CalendarOwner(location_type=kind)
        case _:
            raise InvalidField("owner", "is missing; location_id or location_type is needed")


def fill_calendar(
    message: logistics_pb2.LocationCalendar, calendar: LocationCalendar, revision: Revision
) -> None:
    """Write a calendar in place."""
    owner, fields, schedule = calendar.owner, calendar.fields, calendar.fields.schedule
    if owner.location_id:
        message.location_id = owner.location_id
    else:
        message.location_type = owner.location_type  # type: ignore[assignment]  # the same
    message.time_zone = schedule.time_zone
    for hours in schedule.opening_hours:
        message.opening_hours.add(
            weekday=hours.weekday,
            open_minute=hours.open_minute,
            close_minute=hours.close_minute,
        )
    message.cut_off_minute = schedule.cut_off_minute
    message.pickup_cut_off_minute = schedule.pickup_cut_off_minute
    message.handling_minutes = schedule.handling_minutes
    message.lead_days = schedule.lead_days
    fill_region(message.holidays, schedule.holidays)
    for special in schedule.special_days:
        message.special_days.add(
            date=date.fromordinal(special.day + EPOCH_ORDINAL).isoformat(),
            open_minute=special.open_minute,
            close_minute=special.close_minute,
        )
    message.pickup_window_hours = fields.pickup_window_hours
    message.package_micros = fields.package_micros
    message.unit_micros = fields.unit_micros
    message.priority = fields.priority
    message.daily_capacity = fields.daily_capacity
    message.capacity_unit = fields.capacity_unit  # type: ignore[assignment]  # the same
    fill_stamps(message, calendar, revision)


def _fields(message: logistics_pb2.LocationCalendar) -> CalendarFields:
    return CalendarFields(
        schedule=_schedule(message),
        pickup_window_hours=(
            whole(message.pickup_window_hours, "pickup_window_hours", 1, PICKUP_WINDOW_HOURS_MAX)
            if message.HasField("pickup_window_hours")
            else _USUAL.pickup_window_hours
        ),
        package_micros=micros(message.package_micros, "package_micros"),
        unit_micros=micros(message.unit_micros, "unit_micros"),
        priority=(
            whole(message.priority, "priority", 0, PRIORITY_MAX)
            if message.HasField("priority")
            else _USUAL.priority
        ),
        daily_capacity=whole(message.daily_capacity, "daily_capacity", 0, QUANTITY_MAX),
        capacity_unit=chosen(message.capacity_unit, "capacity_unit", _UNITS),
    )


def _schedule(message: logistics_pb2.LocationCalendar) -> Schedule:
    usual = _USUAL_SCHEDULE
    return Schedule(
        time_zone=text(message.time_zone, "time_zone", ZONE_NAME_BYTES_MAX),
        opening_hours=_opening_hours(message),
        cut_off_minute=(
            minute(message.cut_off_minute, "cut_off_minute")
            if message.HasField("cut_off_minute")
            else usual.cut_off_minute
        ),
        pickup_cut_off_minute=(
            minute(message.pickup_cut_off_minute, "pickup_cut_off_minute")
            if message.HasField("pickup_cut_off_minute")
            else usual.pickup_cut_off_minute
        ),
        handling_minutes=(
            whole(message.handling_minutes, "handling_minutes", 0, HANDLING_MINUTES_MAX)
            if message.HasField("handling_minutes")
            else usual.handling_minutes
        ),
        lead_days=whole(message.lead_days, "lead_days", 0, LEAD_DAYS_MAX),
        holidays=region_of(message.holidays),
        special_days=_special_days(message),
    )


def _opening_hours(message: logistics_pb2.LocationCalendar) -> tuple[OpeningHours, ...]:
    item_count(len(message.opening_hours), "opening_hours", 0, _WEEKDAYS_MAX)
    found = [
        OpeningHours(
            weekday(hours.weekday, f"opening_hours[{place}].weekday"),
            minute(hours.open_minute, f"opening_hours[{place}].open_minute"),
            minute(hours.close_minute, f"opening_hours[{place}].close_minute"),
        )
        for place, hours in enumerate(message.opening_hours)
    ]
    return tuple(sorted(found, key=lambda hours: hours.weekday))


def _special_days(message: logistics_pb2.LocationCalendar) -> tuple[SpecialDay, ...]:
    item_count(len(message.special_days), "special_days", 0, SPECIAL_DAYS_MAX)
    found = [
        SpecialDay(
            _day(special.date, f"special_days[{place}].date"),
            minute(special.open_minute, f"special_days[{place}].open_minute"),
            minute(special.close_minute, f"special_days[{place}].close_minute"),
        )
        for place, special in enumerate(message.special_days)
    ]
    return tuple(sorted(found, key=lambda special: special.day))


def _day(value: str, path: str) -> Day:
    # ISO 8601 has other forms of the same day, but one is enough.
    try:
        day = date.fromisoformat(value)
    except ValueError:
        day = date.min
    if day.isoformat() != value or not YEAR_MIN <= day.year <= YEAR_MAX:
        allowed = f"a date as 2026-12-24 from {YEAR_MIN} to {YEAR_MAX} is needed"
        raise InvalidField(path, f"is {shown(value)}; {allowed}")
    return Day(day.toordinal() - EPOCH_ORDINAL)
