"""The places of US ZIP codes, for addresses that bring no coordinates.

The `zipcodes` package unpacks its data at the first look, half a second in which nothing else
runs, and each look walks all of it, a millisecond. So a server that has orders looks once before
it listens, and what was looked up is kept by whole areas: the codes that share three digits, a
thousand areas in all.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

import zipcodes

from domgrpc.core.geography import DEGREE_E7, Point

_AREAS_MAX = 1_000
_AREA_DIGITS = 3
_CODE_DIGITS = 5
# The library cuts longer texts down to five digits, and panics at some letters.
_CODE = re.compile(r"[0-9]{5}(?:-?[0-9]{4})?").fullmatch
_ANY_CODE = "10001"


class PostalArea(NamedTuple):
    """What is known of a ZIP code."""

    point: Point
    state: str
    """Two letters, as IL."""


def prepare_postal_codes() -> None:
    """Unpack the data, so that no call has to wait for it."""
    postal_area(_ANY_CODE)


def postal_area(postal_code: str) -> PostalArea | None:
    """Return where a US ZIP code of five or nine digits is; None for what is none."""
    if _CODE(postal_code) is None:
        return None
    return _areas(postal_code[:_AREA_DIGITS]).get(postal_code[:_CODE_DIGITS])


@lru_cache(maxsize=_AREAS_MAX)
def _areas(digits: str) -> Mapping[str, PostalArea]:
    found = zipcodes.similar_to(digits)  # type: ignore[no-untyped-call]  # it ships no types
    areas = {entry["zip_code"]: _area(entry) for entry in found}
    return {code: area for code, area in areas.items() if area is not None}


def _area(entry: Mapping[str, str]) -> PostalArea | None:
    latitude_e7, longitude_e7 = (round(float(entry[way]) * DEGREE_E7) for way in ("lat", "long"))
    # Codes of the armed forces abroad have no place.
    return PostalArea(Point(latitude_e7, longitude_e7), entry["state"]) if latitude_e7 else None
