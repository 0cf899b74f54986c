"""Rows as rate cards, lanes and calendars: which column is which field, and what its cell means.

An empty cell is the default of the field, because saving replaces the whole resource.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final, TypeAlias

from domgrpc.cli.choices import Capacity, LocationKind, Method, number_of
from domgrpc.cli.loading.cells import (
    BadCell,
    choice,
    name,
    number,
    quantity,
    several,
    truth,
    words,
)
from domgrpc.cli.loading.times import clock, hours, per_cent, price, weekdays
from domgrpc.v1.logistics_pb2 import Lane, LocationCalendar, RateCard, ZoneRate

if TYPE_CHECKING:
    from domgrpc.v1.logistics_pb2 import HolidayRegion

CARD_COLUMNS: Final = (
    "display_name",
    "delivery_methods",
    "origin_types",
    "package_grams_max",
    "distance_meters_max",
    "surcharges",
)
ZONE_COLUMNS: Final = ("package_price", "unit_price", "kilogram_price", "unit_mile_price")
STEP_COLUMNS: Final = ("weight_grams_max", "weight_price")
_INT32_MAX: Final = 2**31 - 1
_INT64_MAX: Final = 2**63 - 1

Cells: TypeAlias = Mapping[str, str]


# --- rate cards


def zone_of(cells: Cells) -> int:
    """Return the zone of a row; raises BadCell."""
    return number(cells["zone"], "zone", low=0, high=_INT32_MAX)


def fill_card(card: RateCard, cells: Cells) -> None:
    """Write what the rows of a service say together of the card; raises BadCell."""
    card.display_name = words(cells.get("display_name", ""), "display_name")
    for method in several(cells.get("delivery_methods", "")):
        card.delivery_methods.append(number_of(choice(method, "delivery_methods", Method)))
    for kind in several(cells.get("origin_types", "")):
        card.origin_types.append(number_of(choice(kind, "origin_types", LocationKind)))
    for column in ("package_grams_max", "distance_meters_max"):
        if cells.get(column):
            setattr(card, column, number(cells[column], column, low=0, high=_INT64_MAX))
    for surcharge in several(cells.get("surcharges", "")):
        _add_surcharge(card, words(surcharge, "surcharges"))


def fill_zone(rate: ZoneRate, cells: Cells) -> None:
    """Write what the rows of a zone say together of its prices; raises BadCell."""
    for column in ZONE_COLUMNS:
        if cells.get(column):
            setattr(rate, column.replace("_price", "_micros"), price(cells[column], column))


def step_of(cells: Cells) -> tuple[int, int] | None:
    """Return the weight step of a row, None where it has none; raises BadCell."""
    given = [bool(cells.get(column)) for column in STEP_COLUMNS]
    if not any(given):
        return None
    if not all(given):
        raise BadCell("weight_grams_max", "and weight_price go together: give both or none")
    grams = number(cells["weight_grams_max"], "weight_grams_max", low=1, high=_INT64_MAX)
    return grams, price(cells["weight_price"], "weight_price")


def _add_surcharge(card: RateCard, text: str) -> None:
    # fuel=12.5% or homes=4.00@home
    title, equals, value = text.rpartition("=")
    amount, at, where = value.partition("@")
    if not equals or (at and where.strip().lower() != "home"):
        problem = f"has {text[:40]!a}; write for example fuel=12.5% or homes=4.00@home"
        raise BadCell("surcharges", problem)
    added = card.surcharges.add(name=title.strip(), residential_only=bool(at))
    if amount.strip().endswith("%"):
        added.basis_points = per_cent(amount, "surcharges")
    else:
        added.package_micros = price(amount, "surcharges")


# --- lanes


def lane_of(cells: Cells) -> Lane:
    """Return the lane of a row; raises BadCell."""
    lane = Lane(service_id=name(cells["service_id"], "service_id"))
    for days in several(cells["transit_days"]):
        lane.transit_days.append(number(days, "transit_days", low=0, high=_INT32_MAX))
    if cells.get("calendar_days"):
        lane.calendar_days = truth(cells["calendar_days"], "calendar_days")
    for days in several(cells.get("delivery_weekdays", "")):
        numbers = weekdays(days, "delivery_weekdays")
        lane.delivery_weekdays.extend(numbers)  # type: ignore[arg-type]  # of the enum
    if cells.get("deliver_by"):
        lane.deliver_by_minute = clock(cells["deliver_by"], "deliver_by")
    _write_holidays(lane.holidays, cells)
    return lane


def _write_holidays(region: "HolidayRegion", cells: Cells) -> None:
    for column in ("country", "subdivision"):
        cell = cells.get(f"holiday_{column}", "")
        if cell:
            setattr(region, column, words(cell.strip(), f"holiday_{column}"))


# --- calendars


def calendar_of(cells: Cells) -> LocationCalendar:
    """Return the calendar of a row; raises BadCell."""
    calendar = LocationCalendar()
    _write_owner(calendar, cells)
    _write_hours(calendar, cells)
    _write_holidays(calendar.holidays, cells)
    calendar.time_zone = words(cells.get("time_zone", "").strip(), "time_zone")
    for column, (field, read) in _CALENDAR_COLUMNS.items():
        if cells.get(column):
            setattr(calendar, field, read(cells[column], column))
    return calendar


def _count(text: str, column: str) -> int:
    return number(text, column, low=0, high=_INT32_MAX)


def _capacity_unit(text: str, column: str) -> int:
    return int(number_of(choice(text, column, Capacity)))


# column -> the field, and what reads its cell
_CALENDAR_COLUMNS: Final[Mapping[str, tuple[str, Callable[[str, str], int]]]] = {
    "cut_off": ("cut_off_minute", clock),
    "pickup_cut_off": ("pickup_cut_off_minute", clock),
    "handling_minutes": ("handling_minutes", _count),
    "lead_days": ("lead_days", _count),
    "pickup_window_hours": ("pickup_window_hours", _count),
    "priority": ("priority", _count),
    "package_price": ("package_micros", price),
    "unit_price": ("unit_micros", price),
    "daily_capacity": ("daily_capacity", quantity),
    "capacity_unit": ("capacity_unit", _capacity_unit),
}


def _write_hours(calendar: LocationCalendar, cells: Cells) -> None:
    for text in several(cells["opening_hours"]):
        days, _, times = text.partition(" ")
        opened, closed = hours(times, "opening_hours")
        for day in weekdays(days, "opening_hours"):
            calendar.opening_hours.add(
                weekday=day,
                open_minute=opened,
                close_minute=closed,
            )
    for text in several(cells.get("special_days", "")):
        date, _, times = text.partition(" ")
        is_closed = times.strip().lower() == "closed"
        opened, closed = (0, 0) if is_closed else hours(times, "special_days")
        calendar.special_days.add(
            date=words(date, "special_days"), open_minute=opened, close_minute=closed
        )


def _write_owner(calendar: LocationCalendar, cells: Cells) -> None:
    location_id, kind = cells.get("location_id", ""), cells.get("location_type", "")
    if bool(location_id) == bool(kind):
        raise BadCell("location_id", "or location_type says whose calendar it is: give one")
    if location_id:
        calendar.location_id = name(location_id, "location_id")
    else:
        calendar.location_type = number_of(choice(kind, "location_type", LocationKind))
