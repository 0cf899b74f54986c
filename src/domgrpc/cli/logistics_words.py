"""How a rate card, a lane and a calendar look to people: in the words of the tables and files."""

import sys
from typing import TYPE_CHECKING, Final

from domgrpc.cli.columns import CALENDARS, LANES, RATE_CARDS, clock
from domgrpc.cli.output import plain, print_facts
from domgrpc.cli.tables import Column, Row, print_table

if TYPE_CHECKING:
    from domgrpc.v1.logistics_pb2 import LocationCalendar, RateCard

_MICROS: Final = 1_000_000
_GRAMS: Final = 1_000
_METERS: Final = 1_000


def _price(micros: int) -> str:
    return f"{micros / _MICROS:,.2f}" if micros else ""


def _fine_price(micros: int) -> str:
    return f"{micros / _MICROS:,.6f}".rstrip("0").rstrip(".") if micros else ""


def _kilograms(grams: int) -> str:
    return f"{grams / _GRAMS:,g} kg" if grams else ""


def _steps(row: Row) -> str:
    return ", ".join(
        f"to {_kilograms(step.grams_max)} {step.micros / _MICROS:,.2f}" for step in row.weight_steps
    )


def opening(row: Row) -> str:
    """Return the hours of a day, or that it is closed."""
    if not row.close_minute:
        return "closed"
    return f"{clock(row.open_minute)}-{clock(row.close_minute)}"


ZONE_RATES: Final = (
    Column("zone", lambda row: row.zone, is_number=True),
    Column("package", lambda row: _price(row.package_micros), is_number=True),
    Column("unit", lambda row: _price(row.unit_micros), is_number=True),
    Column("kilogram", lambda row: _price(row.kilogram_micros), is_number=True),
    Column("unit and mile", lambda row: _fine_price(row.unit_mile_micros), is_number=True),
    Column("by weight", _steps),
)
OPEN_DAYS: Final = (
    Column("day", lambda row: row.date),
    Column("open", opening),
)


def print_row(columns: tuple[Column, ...], row: Row, **more: object) -> None:
    """Print one row as facts, in the words of its table."""
    facts: dict[str, object] = {column.heading: column.value(row) for column in columns}
    print_facts({**facts, **more, "etag": row.etag})


def print_card(card: "RateCard") -> None:
    """Print a rate card: what it is for, then what it asks by zone."""
    print_row(
        RATE_CARDS,
        card,
        surcharges=[_surcharge(each) for each in card.surcharges],
        origins=plain(card)["origin_types"],
        heaviest=_kilograms(card.package_grams_max),
        farthest=f"{card.distance_meters_max / _METERS:,g} km" if card.distance_meters_max else "",
    )
    sys.stdout.write("\n")
    print_table(ZONE_RATES, card.zone_rates)


def print_lane(lane: Row) -> None:
    """Print a lane."""
    print_row(LANES, lane)


def print_calendar(calendar: "LocationCalendar") -> None:
    """Print a calendar, and the days on which it differs."""
    print_row(
        CALENDARS,
        calendar,
        **{
            "pickup cut-off": clock(calendar.pickup_cut_off_minute)
            if calendar.HasField("pickup_cut_off_minute")
            else "",
            "handling": f"{calendar.handling_minutes} minutes",
            "lead days": calendar.lead_days,
            "pickup window": f"{calendar.pickup_window_hours} hours",
            "package": _price(calendar.package_micros),
            "unit": _price(calendar.unit_micros),
        },
    )
    if calendar.special_days:
        sys.stdout.write("\n")
        print_table(OPEN_DAYS, calendar.special_days)


def _surcharge(row: Row) -> str:
    parts = []
    if row.basis_points:
        parts.append(f"{row.basis_points / 100:g} %")
    if row.package_micros:
        parts.append(_price(row.package_micros))
    return f"{row.name} {' and '.join(parts)}" + (" at homes" if row.residential_only else "")
