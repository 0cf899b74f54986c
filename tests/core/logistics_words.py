"""Rate cards, lanes, calendars and journeys in few words, for tests."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import msgspec

from domgrpc.core.calendars import (
    WEEKDAYS,
    CalendarFields,
    CalendarOwner,
    DeleteLocationCalendar,
    OpeningHours,
    SaveLocationCalendar,
    Schedule,
    SpecialDay,
)
from domgrpc.core.carriers import (
    DeleteLane,
    DeleteRateCard,
    LaneFields,
    RateCardFields,
    SaveLane,
    SaveRateCard,
    Surcharge,
    WeightStep,
    ZoneRate,
)
from domgrpc.core.holiday_dates import EPOCH_ORDINAL, HolidayRegion
from domgrpc.core.time_zones import time_zone
from domgrpc.core.values import (
    Day,
    DeliveryMethod,
    LocationId,
    LocationType,
    Micros,
    ServiceId,
    TimeMs,
)

HOME = DeliveryMethod.SHIP_TO_HOME
NEW_YORK = "America/New_York"
BERLIN = "Europe/Berlin"
ADELAIDE = "Australia/Adelaide"
"""Half an hour off the full hours, with daylight saving."""
WORKDAYS = (1, 2, 3, 4, 5)


def at(text: str, zone: str = "UTC") -> TimeMs:
    """Return the instant at which clocks of a zone show a text as 2026-03-08 14:00."""
    local = datetime.fromisoformat(text).replace(tzinfo=time_zone(zone))
    return TimeMs(int(local.timestamp() * 1_000))


def local(time_ms: int, zone: str | ZoneInfo = "UTC") -> str:
    """Return what clocks of a zone show at an instant."""
    rules = time_zone(zone) if isinstance(zone, str) else zone
    return f"{datetime.fromtimestamp(time_ms / 1_000, UTC).astimezone(rules):%Y-%m-%d %H:%M}"


def day(text: str) -> Day:
    """Return the day of a date as 2026-12-24."""
    return Day(date.fromisoformat(text).toordinal() - EPOCH_ORDINAL)


# --- calendars


def schedule(
    zone: str = "UTC",
    *,
    weekdays: tuple[int, ...] = WEEKDAYS,
    hours: tuple[int, int] = (8, 20),
    cut_off: int = 14,
    handling_minutes: int = 0,
    lead_days: int = 0,
    holidays: tuple[str, str] = ("", ""),
    special: tuple[tuple[str, int, int], ...] = (),
) -> Schedule:
    """Return a schedule: hours of the day as given, on each of the weekdays."""
    opened, closed = hours
    return Schedule(
        time_zone=zone,
        opening_hours=tuple(
            OpeningHours(weekday, opened * 60, closed * 60) for weekday in weekdays
        ),
        cut_off_minute=cut_off * 60,
        pickup_cut_off_minute=cut_off * 60,
        handling_minutes=handling_minutes,
        lead_days=lead_days,
        holidays=HolidayRegion(*holidays),
        special_days=tuple(
            SpecialDay(day(text), opened * 60, closed * 60) for text, opened, closed in special
        ),
    )


def calendar(
    owner: str | LocationType, fields: CalendarFields | Schedule, *, etag: str = ""
) -> SaveLocationCalendar:
    """Save the calendar of a location or of a type."""
    if isinstance(fields, Schedule):
        fields = CalendarFields(fields)
    return SaveLocationCalendar(owner=owner_of(owner), fields=fields, etag=etag)


def no_calendar(owner: str | LocationType, *, etag: str = "") -> DeleteLocationCalendar:
    """Delete a calendar."""
    return DeleteLocationCalendar(owner=owner_of(owner), etag=etag)


def owner_of(owner: str | LocationType) -> CalendarOwner:
    """Return whose calendar it is."""
    if isinstance(owner, LocationType):
        return CalendarOwner(location_type=owner)
    return CalendarOwner(LocationId(owner))


# --- carriers


def rate(
    zone: int,
    package: int = 0,
    *,
    unit: int = 0,
    kilogram: int = 0,
    mile: int = 0,
    steps: tuple[tuple[int, int], ...] = (),
) -> ZoneRate:
    """Return the prices of a zone in micros."""
    return ZoneRate(
        zone,
        Micros(package),
        Micros(unit),
        Micros(kilogram),
        Micros(mile),
        tuple(WeightStep(grams, Micros(micros)) for grams, micros in steps),
    )


def rates(*packages: int) -> tuple[ZoneRate, ...]:
    """Return zones from 1 on with a price for the package each."""
    return tuple(rate(zone, package) for zone, package in enumerate(packages, 1))


def card(
    service_id: str,
    zone_rates: tuple[ZoneRate, ...],
    *,
    methods: tuple[DeliveryMethod, ...] = (HOME,),
    surcharges: tuple[Surcharge, ...] = (),
    origin_types: tuple[LocationType, ...] = (),
    grams_max: int = 0,
    metres_max: int = 0,
    etag: str = "",
) -> SaveRateCard:
    """Save a rate card."""
    fields = RateCardFields(
        delivery_methods=methods,
        zone_rates=zone_rates,
        surcharges=surcharges,
        origin_types=origin_types,
        package_grams_max=grams_max,
        distance_m_max=metres_max,
    )
    return SaveRateCard(service_id=ServiceId(service_id), fields=fields, etag=etag)


def no_card(service_id: str, *, etag: str = "") -> DeleteRateCard:
    """Delete a rate card."""
    return DeleteRateCard(service_id=ServiceId(service_id), etag=etag)


def lane(service_id: str, fields: LaneFields, *, etag: str = "") -> SaveLane:
    """Save a lane."""
    return SaveLane(service_id=ServiceId(service_id), fields=fields, etag=etag)


def no_lane(service_id: str, *, etag: str = "") -> DeleteLane:
    """Delete a lane."""
    return DeleteLane(service_id=ServiceId(service_id), etag=etag)


def every_day(*transit_days: int, by: int = 20) -> LaneFields:
    """Return a lane that moves and delivers on all days."""
    return LaneFields(
        transit_days, business_days=False, delivery_weekdays=WEEKDAYS, deliver_by_minute=by * 60
    )


def changed(command: SaveLocationCalendar, **fields: object) -> SaveLocationCalendar:
    """Return a calendar with other fields beside its schedule."""
    return msgspec.structs.replace(
        command, fields=msgspec.structs.replace(command.fields, **fields)
    )
