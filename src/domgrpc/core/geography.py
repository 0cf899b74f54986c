"""Great-circle geography: which places lie within a radius of a point.

Floats live here and nowhere else in the core: distances are computed by the haversine formula
on a sphere of 6371 km and leave as whole metres. Places are kept sorted by latitude, so that a
query looks only at the band of latitudes that its circle can reach.
"""

import math

import msgspec
from sortedcontainers import SortedList

from domgrpc.core.values import LocationIndex

EARTH_RADIUS_M = 6_371_000
DEGREE_E7 = 10_000_000
_RADIANS_PER_E7 = math.pi / 180 / DEGREE_E7
_QUERIES_MAX = 4_096
_CACHED_HITS_MAX = 200_000
"""How many places all cached results may name together."""


class Point(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A place in degrees times 10^7, north and east positive."""

    latitude_e7: int
    longitude_e7: int


def distance_m(a: Point, b: Point) -> int:
    """Great-circle distance in whole metres (haversine, R = 6371 km)."""
    latitude_a = a.latitude_e7 * _RADIANS_PER_E7
    latitude_b = b.latitude_e7 * _RADIANS_PER_E7
    half_latitude = (latitude_b - latitude_a) / 2
    half_longitude = (b.longitude_e7 - a.longitude_e7) * _RADIANS_PER_E7 / 2
    chord = (
        math.sin(half_latitude) ** 2
        + math.cos(latitude_a) * math.cos(latitude_b) * math.sin(half_longitude) ** 2
    )
    return round(2 * EARTH_RADIUS_M * math.asin(min(1.0, math.sqrt(chord))))


class PlaceIndex:
    """The points of locations, searchable by circle.

    A search costs the locations in the circle's band of latitude; repeated searches (the same
    ZIP code's centre again and again) come from a bounded cache that any change empties.
    """

    __slots__ = ("_by_latitude", "_cache", "_cached_hit_count", "_points", "version")

    def __init__(self) -> None:
        """Start empty."""
        self._points: dict[LocationIndex, Point] = {}
        self._by_latitude: SortedList[tuple[int, LocationIndex]] = SortedList()
        self._cache: dict[tuple[Point, int], tuple[tuple[int, LocationIndex], ...]] = {}
        self._cached_hit_count = 0
        self.version = 0
        """Rises with every place that is set, a new one without a point too."""

    def place(self, index: LocationIndex, point: Point | None) -> None:
        """Set or, with None, remove the point of a location."""
        old = self._points.pop(index, None)
        if old is not None:
            self._by_latitude.remove((old.latitude_e7, index))
        if point is not None:
            self._points[index] = point
            self._by_latitude.add((point.latitude_e7, index))
        self.version += 1
        self._forget_results()

    def near(self, point: Point, radius_m: int) -> tuple[tuple[int, LocationIndex], ...]:
        """Return (metres, location) within the radius, nearest first, ties by location."""
        key = (point, radius_m)
        found = self._cache.get(key)
        if found is None:
            found = self._search(point, radius_m)
            self._cached_hit_count += len(found)
            if len(self._cache) >= _QUERIES_MAX or self._cached_hit_count > _CACHED_HITS_MAX:
                self._forget_results()
                self._cached_hit_count = len(found)
            self._cache[key] = found
        return found

    @property
    def cached_hit_count(self) -> int:
        """How many places the cached results name."""
        return self._cached_hit_count

    def _forget_results(self) -> None:
        self._cache.clear()
        self._cached_hit_count = 0

    def _search(self, point: Point, radius_m: int) -> tuple[tuple[int, LocationIndex], ...]:
        # Distances are rounded to the metre, so the band is a metre wider than the radius: a
        # place told as `radius_m` away may lie half a metre beyond it.
        reach_e7 = math.ceil((radius_m + 1) / EARTH_RADIUS_M / _RADIANS_PER_E7)
        low = (point.latitude_e7 - reach_e7, LocationIndex(-1))
        high = (point.latitude_e7 + reach_e7 + 1, LocationIndex(-1))
        hits = []
        for _, index in self._by_latitude.irange(low, high):
            metres = distance_m(point, self._points[index])
            if metres <= radius_m:
                hits.append((metres, index))
        return tuple(sorted(hits))

    def check_invariants(self) -> None:
        """Every point is in the index once, and nothing else is."""
        expected = sorted((p.latitude_e7, index) for index, p in self._points.items())
        assert list(self._by_latitude) == expected
