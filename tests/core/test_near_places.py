"""Near a point: distances on the globe, the radius, and the order of answers."""

import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domgrpc.core.geography import EARTH_RADIUS_M, PlaceIndex, Point, distance_m
from domgrpc.core.locations import LocationFields, UpdateLocation
from domgrpc.core.scopes import Scope
from domgrpc.core.values import LocationId, LocationIndex
from tests.core.commands import disable, on_hand, place, point, reserve
from tests.core.given import Shop, sources
from tests.core.scope_words import near

NEW_YORK = (40.7128, -74.0060)
LOS_ANGELES = (34.0522, -118.2437)
CHICAGO = (41.8781, -87.6298)
HALF_ROUND_KM = 20_038


@pytest.fixture
def cities(shop: Shop) -> Shop:
    """Stores in three cities and one that is nowhere, with stock of x in each."""
    return shop.given(
        place("LA", at=LOS_ANGELES),
        place("NOWHERE"),
        place("CHI", at=CHICAGO),
        place("NY", at=NEW_YORK),
        on_hand("x", LA=1, NOWHERE=10, CHI=100, NY=1000),
    )


def around(shop: Shop, scope: Scope) -> dict[str, float]:
    """Return the locations of an answer with their distance in km."""
    return {
        each.location_id: each.distance_m / 1000
        for each in shop.available("x", scope=scope).locations
    }


@pytest.mark.parametrize(
    ("a", "b", "kilometres"),
    [
        (NEW_YORK, LOS_ANGELES, 3936),
        ((51.4700, -0.4543), (40.6413, -73.7781), 5540),
        ((35.5494, 139.7798), (37.6213, -122.3790), 8283),
        ((-33.9399, 151.1753), (-33.3930, -70.7858), 11339),
    ],
)
def test_known_distances_are_right(
    a: tuple[float, float], b: tuple[float, float], kilometres: float
) -> None:
    assert distance_m(point(*a), point(*b)) / 1000 == pytest.approx(kilometres, rel=0.003)
    assert distance_m(point(*a), point(*b)) == distance_m(point(*b), point(*a))


def test_new_york_is_3936_km_from_los_angeles(cities: Shop) -> None:
    assert round(around(cities, near(*LOS_ANGELES, 5000))["NY"]) == 3936


def test_locations_come_nearest_first_and_those_without_a_point_never(cities: Shop) -> None:
    assert list(around(cities, near(*NEW_YORK, HALF_ROUND_KM))) == ["NY", "CHI", "LA"]
    assert list(around(cities, near(*LOS_ANGELES, HALF_ROUND_KM))) == ["LA", "CHI", "NY"]
    assert around(cities, near(*NEW_YORK, HALF_ROUND_KM))["NY"] == 0


def test_the_total_is_that_of_the_circle(cities: Shop) -> None:
    assert cities.atf("x", scope=near(*NEW_YORK, 100)) == 1000
    assert cities.atf("x", scope=near(*NEW_YORK, 1200)) == 1100
    assert cities.atf("x", scope=near(0.0, 0.0, 100)) == 0


def test_a_location_on_the_rim_is_inside(cities: Shop) -> None:
    rim_km = distance_m(point(*NEW_YORK), point(*CHICAGO)) / 1000
    assert "CHI" in around(cities, near(*NEW_YORK, rim_km))
    assert "CHI" not in around(cities, near(*NEW_YORK, rim_km - 0.001))


@pytest.mark.parametrize("step", [1, -1])
@pytest.mark.parametrize("degrees", [0.00123, 1.0, 12.34567])
def test_a_location_on_the_rim_due_north_or_south_is_inside(degrees: float, step: int) -> None:
    index = PlaceIndex()
    rim = point(40.0 + step * degrees, -74.0)
    index.place(LocationIndex(0), rim)
    rim_m = distance_m(point(40.0, -74.0), rim)
    assert len(index.near(point(40.0, -74.0), rim_m)) == 1
    assert len(index.near(point(40.0, -74.0), rim_m - 1)) == 0


def test_only_so_many_locations_count_as_are_asked_for_nearest_first(cities: Shop) -> None:
    assert list(around(cities, near(*NEW_YORK, 5000, 2))) == ["NY", "CHI"]
    assert cities.atf("x", scope=near(*NEW_YORK, 5000, 2)) == 1100
    assert cities.atf("x", scope=near(*NEW_YORK, 5000, 9)) == 1101


def test_of_places_as_near_the_one_created_first_comes_first(shop: Shop) -> None:
    shop.given(place("B", at=CHICAGO), place("A", at=CHICAGO), on_hand("x", A=1, B=1))
    assert list(around(shop, near(*NEW_YORK, 5000))) == ["B", "A"]


def test_a_location_that_moves_is_found_where_it_is_now(cities: Shop) -> None:
    here = near(*NEW_YORK, 100)
    assert list(around(cities, here)) == ["NY"]
    fields = LocationFields(point=point(*LOS_ANGELES))
    cities.given(UpdateLocation(location_id=LocationId("NY"), fields=fields))
    assert list(around(cities, here)) == []
    fields = LocationFields(point=point(*NEW_YORK))
    cities.given(UpdateLocation(location_id=LocationId("CHI"), fields=fields))
    assert list(around(cities, here)) == ["CHI"]
    fields = LocationFields(clear_point=True)
    cities.given(UpdateLocation(location_id=LocationId("CHI"), fields=fields))
    assert list(around(cities, here)) == []


def test_a_hold_near_a_point_is_taken_inside_the_circle(cities: Shop) -> None:
    held = cities.holds(reserve(("x", "", 1100), scope=near(*NEW_YORK, 1200)))
    assert sorted(sources(held)) == ["CHI", "NY"]
    cities.refuses(reserve(("x", "", 1), scope=near(*NEW_YORK, 1200)))
    cities.given(reserve(("x", "", 1), scope=near(*NEW_YORK, 5000)))


def test_a_disabled_location_still_takes_its_place_among_the_nearest(cities: Shop) -> None:
    cities.given(disable("NY"))
    assert cities.atf("x", scope=near(*NEW_YORK, 5000, 1)) == 0


# --- against brute force

POINTS = st.builds(
    point,
    st.one_of(st.floats(-90, 90), st.sampled_from((-90.0, 0.0, 90.0, 89.9999999, -45.0))),
    st.one_of(st.floats(-180, 180), st.sampled_from((-180.0, 180.0, 179.9999999, 0.0, -90.0))),
)
RADII = st.one_of(st.integers(1, 20_038_000), st.sampled_from((1, 1000, 20_015_087, 20_038_000)))


def exact_distance_m(a: Point, b: Point) -> float:
    """Return the angle between two unit vectors, times the radius."""
    one, other = unit_vector(a), unit_vector(b)
    cross = (
        one[1] * other[2] - one[2] * other[1],
        one[2] * other[0] - one[0] * other[2],
        one[0] * other[1] - one[1] * other[0],
    )
    dot = sum(x * y for x, y in zip(one, other, strict=True))
    return EARTH_RADIUS_M * math.atan2(math.hypot(*cross), dot)


def unit_vector(place: Point) -> tuple[float, float, float]:
    """Return the direction of a place from the middle of the earth."""
    latitude = math.radians(place.latitude_e7 / 1e7)
    longitude = math.radians(place.longitude_e7 / 1e7)
    flat = math.cos(latitude)
    return flat * math.cos(longitude), flat * math.sin(longitude), math.sin(latitude)


def test_the_earth_is_6371_km_in_radius() -> None:
    assert EARTH_RADIUS_M == 6_371_000


@pytest.mark.slow
@given(a=POINTS, b=POINTS)
@example(a=point(90, 0), b=point(90, 180))
@example(a=point(0, 180), b=point(0, -180))
@example(a=point(0, 0), b=point(0, 180))
@example(a=point(90, 0), b=point(-90, 77))
def test_distances_agree_with_vectors_to_the_metre(a: Point, b: Point) -> None:
    # Near the antipode the haversine loses digits; half a metre of rounding comes on top.
    expected = exact_distance_m(a, b)
    tolerance_m = 1 if expected < 20_000_000 else 2
    assert abs(distance_m(a, b) - expected) <= tolerance_m


@pytest.mark.slow
@given(places=st.lists(POINTS, max_size=25), middle=POINTS, radius_m=st.one_of(st.none(), RADII))
@example(places=[point(0, 179.99), point(0, -179.99)], middle=point(0, 180), radius_m=2000)
@example(places=[point(89.9, 0), point(89.9, 180)], middle=point(90, -90), radius_m=12_000)
@example(places=[point(-90, 5), point(-89, 99)], middle=point(-90, 0), radius_m=0)
@example(places=[point(40.5, -74)], middle=point(40, -74), radius_m=None)
def test_a_circle_holds_what_a_look_at_every_place_finds(
    places: list[Point], middle: Point, radius_m: int | None
) -> None:
    if radius_m is None:
        # A place exactly on the rim.
        radius_m = distance_m(middle, places[0]) if places else 0
    index = PlaceIndex()
    for number, where in enumerate(places):
        index.place(LocationIndex(number), where)
    index.check_invariants()
    every = sorted((distance_m(middle, where), number) for number, where in enumerate(places))
    expected = [found for found in every if found[0] <= radius_m]
    assert list(index.near(middle, radius_m)) == expected
    assert list(index.near(middle, radius_m)) == expected


@pytest.mark.slow
@given(
    moves=st.lists(st.tuples(st.integers(0, 5), st.one_of(st.none(), POINTS)), max_size=30),
    middle=POINTS,
)
def test_places_that_move_are_found_where_they_are(
    moves: list[tuple[int, Point | None]], middle: Point
) -> None:
    index = PlaceIndex()
    now: dict[int, Point | None] = {}
    for number, where in moves:
        index.place(LocationIndex(number), where)
        now[number] = where
        found = {number for _, number in index.near(middle, 20_038_000)}
        assert found == {number for number, where in now.items() if where is not None}
    index.check_invariants()


def test_any_number_of_points_may_be_asked_about() -> None:
    index = PlaceIndex()
    index.place(LocationIndex(0), point(40.0, -74.0))
    for number in range(5_000):
        assert len(index.near(point(40.0, -74.0), 1_000 + number)) == 1
    index.place(LocationIndex(1), point(40.0, -74.0))
    assert len(index.near(point(40.0, -74.0), 1_000)) == 2


@pytest.mark.slow
def test_what_is_remembered_of_searches_is_bounded_in_places_too() -> None:
    places = PlaceIndex()
    for number in range(1_000):
        places.place(LocationIndex(number), Point(number, number))
    for number in range(201):
        assert len(places.near(Point(0, number), 20_000_000)) == 1_000
        assert places.cached_hit_count <= 200_000
    places.place(LocationIndex(0), None)
    assert places.cached_hit_count == 0
