"""Parcel zones by distance, against those that a carrier publishes."""

import csv
import gzip
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domgrpc.core.geography import DEGREE_E7, Point, distance_m
from domgrpc.core.zones import NO_SPOT, distances_m, metres, spot_of, zone_of
from tests.tidy.project_files import ROOT

SAMPLE = ROOT / "../shared/data/usps_zones_sample.csv.gz"
points = st.builds(
    Point,
    st.integers(-90 * DEGREE_E7, 90 * DEGREE_E7),
    st.integers(-180 * DEGREE_E7, 180 * DEGREE_E7),
)


@pytest.mark.parametrize(
    ("miles", "zone"),
    [(50, 1), (150, 2), (300, 3), (600, 4), (1_000, 5), (1_400, 6), (1_800, 7)],
)
def test_a_zone_ends_at_its_distance(miles: int, zone: int) -> None:
    assert zone_of(metres(miles)) == zone
    assert zone_of(metres(miles) + 1) == zone + 1


def test_the_first_zone_begins_at_the_door_and_the_last_has_no_end() -> None:
    assert zone_of(0) == 1
    assert zone_of(20_000_000) == 8


@pytest.mark.slow
def test_the_zones_of_a_real_carrier_are_met_by_distance_alone() -> None:
    if not SAMPLE.exists():
        pytest.skip("the sample of a carrier's zones is not here")
    with gzip.open(SAMPLE, "rt") as rows:
        off = Counter(
            abs(zone_of(metres(int(row["mi"]))) - int(row["zone"])) for row in csv.DictReader(rows)
        )
    assert off[0] / off.total() > 0.85
    assert round((off[0] + off[1]) / off.total(), 3) >= 0.999


@given(points, points)
def test_chords_give_the_distances_that_haversines_give(here: Point, there: Point) -> None:
    (found,) = distances_m([spot_of(here)], spot_of(there))
    # Both formulas lose digits where places lie opposite each other.
    assert abs(found - distance_m(here, there)) <= (1 if found < 19_900_000 else 200)


@given(points)
def test_the_ends_of_the_world_are_half_its_girth_apart(here: Point) -> None:
    east = here.longitude_e7 - 180 * DEGREE_E7
    there = Point(-here.latitude_e7, east if here.longitude_e7 > 0 else east + 360 * DEGREE_E7)
    (found,) = distances_m([spot_of(here)], spot_of(there))
    assert 20_015_000 < found < 20_015_087
    assert distances_m([spot_of(here)], spot_of(here)) == [0]


def test_no_place_has_no_spot() -> None:
    assert spot_of(None) is NO_SPOT
