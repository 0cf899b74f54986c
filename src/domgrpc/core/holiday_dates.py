"""Public holidays by country and subdivision, from the holidays library.

The library knows names and languages too; here a holiday is a day on which nobody works. Dates
on which a holiday is observed count as well. A year is computed once.
"""

from collections.abc import Mapping
from functools import lru_cache

import holidays
import msgspec

from domgrpc.core.values import Day

EPOCH_ORDINAL = 719_163
"""The number that Python gives to 1970-01-01."""


class HolidayRegion(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Whose holidays count: a country by ISO 3166-1 code, perhaps a subdivision; "" for none."""

    country: str = ""
    subdivision: str = ""


NO_HOLIDAYS = HolidayRegion()


@lru_cache(maxsize=1)
def _known_regions() -> Mapping[str, list[str]]:
    return holidays.list_supported_countries()


def region_problem(region: HolidayRegion) -> str | None:
    """Say what is wrong with a region, None for nothing."""
    if not region.country:
        return "names a subdivision without its country" if region.subdivision else None
    subdivisions = _known_regions().get(region.country)
    if subdivisions is None:
        return f"names the unknown country {region.country!r}: use a code as US or DE"
    if region.subdivision and region.subdivision not in subdivisions:
        known = ", ".join(subdivisions) or "none"
        return f"names the unknown subdivision {region.subdivision!r}: {region.country} has {known}"
    return None


@lru_cache(maxsize=4_000)
def holidays_in(region: HolidayRegion, year: int) -> frozenset[Day]:
    """Return the holidays of a year; a year that the library does not know has none."""
    assert region.country, "no region has no holidays"
    subdivision = region.subdivision or None
    found = holidays.country_holidays(region.country, subdiv=subdivision, years=year)
    return frozenset(Day(date.toordinal() - EPOCH_ORDINAL) for date in found if date.year == year)
