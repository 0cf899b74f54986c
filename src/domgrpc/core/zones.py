"""Parcel zones: how far a parcel travels, in the eight classes that carriers price by.

The zone follows from the great-circle distance alone. That is exact for 85 % of the pairs of
places that carriers publish, and within one zone for nearly all.

Distances to one place from thousands are what routing asks for, so the trigonometry of a place
is done once: it becomes a point on a small sphere, and two places are as far apart as the chord
between their points says.
"""

from bisect import bisect_left
from math import asin, cos, dist, pi, sin
from typing import TypeAlias

from domgrpc.core.geography import DEGREE_E7, EARTH_RADIUS_M, Point

ZONES = (1, 2, 3, 4, 5, 6, 7, 8)
ZONE_MILES_MAX = (50, 150, 300, 600, 1_000, 1_400, 1_800)
"""The farthest of each zone; the last one is everything beyond."""
MILLIMETRES_PER_MILE = 1_609_344

Spot: TypeAlias = tuple[float, float, float]
NO_SPOT: Spot = (0.0, 0.0, 0.0)
"""Stands for a place without coordinates; it has a distance, which means nothing."""

# A diameter of 1, so that a chord is what asin takes; a little less, so that the rounding of the
# chord between two ends of the world stays below 1.
_RADIUS = 0.5 * (1 - 1e-14)
_RADIANS_PER_E7 = pi / 180 / DEGREE_E7
DIAMETER_M = 2 * EARTH_RADIUS_M


def metres(miles: int) -> int:
    """Return miles as whole metres, rounded down."""
    return miles * MILLIMETRES_PER_MILE // 1_000


def zone_of(distance_m: int) -> int:
    """Return the zone of a distance."""
    return bisect_left(zone_metres(), distance_m) + 1


def zone_metres() -> list[int]:
    """Return the farthest distance of each zone but the last."""
    return [metres(miles) for miles in ZONE_MILES_MAX]


def spot_of(point: Point | None) -> Spot:
    """Return where a point lies on the small sphere."""
    if point is None:
        return NO_SPOT
    latitude = point.latitude_e7 * _RADIANS_PER_E7
    longitude = point.longitude_e7 * _RADIANS_PER_E7
    across = _RADIUS * cos(latitude)
    return across * cos(longitude), across * sin(longitude), _RADIUS * sin(latitude)


def distances_m(spots: list[Spot], there: Spot) -> list[int]:
    """Return how far each of the spots is from one, in whole metres."""
    diameter_m = DIAMETER_M
    return [int(diameter_m * asin(dist(spot, there)) + 0.5) for spot in spots]
