"""Cells about money, days and times of day, as files of prices and opening hours have them."""

import re
from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Final

from domgrpc.cli.loading.cells import BadCell, choice

MICROS_MAX: Final = 10**12
_MICROS: Final = 1_000_000
_BASIS_POINTS_PER_CENT: Final = 100
_BASIS_POINTS_MAX: Final = 100_000
_DAY_MINUTES: Final = 1_440
_AMOUNT: Final = re.compile(r"[0-9]{1,12}(\.[0-9]{1,6})?").fullmatch
_CLOCK: Final = re.compile(r"([0-9]{1,2}):([0-5][0-9])").fullmatch


class Day(StrEnum):
    """A day of the week, Monday first."""

    MON = "mon"
    TUE = "tue"
    WED = "wed"
    THU = "thu"
    FRI = "fri"
    SAT = "sat"
    SUN = "sun"


_DAYS: Final = tuple(Day)
_RANGES: Final[Mapping[str, tuple[Day, ...]]] = {"daily": _DAYS}


def price(text: str, column: str) -> int:
    """Read an amount of the currency, up to six decimals, as micros."""
    amount = text.strip()
    if not _AMOUNT(amount) or (micros := int(Decimal(amount) * _MICROS)) > MICROS_MAX:
        raise BadCell(column, f"is {_shown(text)}; an amount such as 8.76 up to 1000000 is needed")
    return micros


def per_cent(text: str, column: str) -> int:
    """Read a per cent with its sign, as hundredths."""
    amount = text.strip().removesuffix("%")
    points = Decimal(amount) * _BASIS_POINTS_PER_CENT if _AMOUNT(amount) else Decimal(-1)
    if not 0 <= points <= _BASIS_POINTS_MAX or points != int(points):
        raise BadCell(column, f"has {_shown(text)}; a per cent such as 12.5% is needed")
    return int(points)


def clock(text: str, column: str) -> int:
    """Read a time of day, 0:00 to 24:00, as minutes."""
    match = _CLOCK(text.strip())
    minutes = int(match[1]) * 60 + int(match[2]) if match else -1
    if not 0 <= minutes <= _DAY_MINUTES:
        raise BadCell(column, f"has {_shown(text)}; a time such as 08:30 is needed")
    return minutes


def hours(text: str, column: str) -> tuple[int, int]:
    """Read two times as 08:00-20:00."""
    opened, dash, closed = text.partition("-")
    if not dash:
        raise BadCell(column, f"has {_shown(text)}; hours such as 08:00-20:00 are needed")
    return clock(opened, column), clock(closed, column)


def weekdays(text: str, column: str) -> tuple[int, ...]:
    """Read a day as mon, days as mon-fri, or daily; 1 is Monday."""
    word = text.strip().lower()
    found = _RANGES.get(word)
    if found is None:
        first, _, last = word.partition("-")
        places = [_DAYS.index(choice(day, column, Day)) for day in (first, last or first)]
        found = _DAYS[places[0] : places[1] + 1]
        if not found:
            raise BadCell(column, f"has {_shown(text)}, which ends before it begins")
    return tuple(_DAYS.index(day) + 1 for day in found)


def _shown(text: str) -> str:
    return f"{text[:40]!a}"
