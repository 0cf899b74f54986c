"""Vectors: the same sum for thousands of places at once, on numpy.

In Python a place costs a part of a microsecond for each step, and two thousand of them more than
all the rest of an order. Below `WIDE_MIN` places plain lists are quicker.
"""

from array import array
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from domgrpc.core.zones import DIAMETER_M, MILLIMETRES_PER_MILE, Spot

WIDE_MIN = 256
Numbers: TypeAlias = NDArray[np.int64]
Spots: TypeAlias = NDArray[np.float64]
_INT64_MAX = (1 << 63) - 1


def numbers_of(values: "array[int]") -> Numbers:
    """Look at an array of "q" as a vector, without a copy; it must not grow meanwhile."""
    return np.frombuffer(values, dtype=np.int64)


def array_of(values: Numbers) -> "array[int]":
    """Return a vector as an array of "q"."""
    copy = array("q")
    copy.frombytes(values.tobytes())
    return copy


def spots_of(spots: Sequence[Spot]) -> Spots:
    """Put the spots of places side by side, for `distances_m`."""
    return np.array(spots, dtype=np.float64).reshape(-1, 3)


def distances_m(spots: Spots, there: Spot) -> "array[int]":
    """Return how far each spot is from one, in whole metres; see `zones.distances_m`."""
    chords = np.sqrt(np.square(spots - np.array(there)).sum(axis=1))
    return array_of((DIAMETER_M * np.arcsin(chords) + 0.5).astype(np.int64))


def bands_of(distances: "array[int]", edges: Sequence[int]) -> list[int]:
    """Return for each distance how many edges it lies beyond."""
    found: list[int] = np.searchsorted(edges, numbers_of(distances)).tolist()
    return found


def mile_prices(rates: "array[int]", distances: "array[int]") -> Numbers | None:
    """Return the price of a unit's way for each place, to the nearest micro.

    None where a product would not fit into 64 bits; `freight.miles_micros` has no such bound.
    """
    per_mile, ways = numbers_of(rates), numbers_of(distances)
    if int(per_mile.max(initial=0)) * (int(ways.max(initial=0)) + 1) >= _INT64_MAX // 1_000:
        return None
    prices: Numbers = (per_mile * ways * 1_000 + MILLIMETRES_PER_MILE // 2) // MILLIMETRES_PER_MILE
    return prices
