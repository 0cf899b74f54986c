"""Orders to route: customers drawn by population, real stores, zones by distance, seeded.

The candidates of an order are the nearest stores or a random part of all of them, half each. Each
SKU is carried by so many, from nearly all to one in twenty. Half of the networks have distribution
centres, which carry nearly everything; the others have none, so that large orders need many
packages: the hard case. Costs are half by parcel zone with handling costs by store, half by the
public calibration of 8.76 a package, 0.42 a unit and 0.00054 more per mile; scarce stock is dearer.
"""

import csv
import gzip
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from benchmarks.retail_invoices import DATA_FOLDER, STORES_FILE
from domgrpc.core.routing.instance import (
    PLAIN,
    ArrayInstance,
    Instance,
    RateCard,
    Terms,
    WeightRates,
)

PLACES_FILE = "us_places.csv.gz"
MICROS = 1_000_000
ZONE_MILES = np.array([50, 150, 300, 600, 1_000, 1_400, 1_800])
"""The last mile of the zones 1 to 7; 8 is above."""
ZONE_PACKAGE_MICROS = np.array([7.6, 7.9, 8.5, 9.4, 10.7, 12.2, 13.9, 16.1]) * MICROS
ZONE_UNIT_MICROS = np.array([0.30, 0.34, 0.40, 0.50, 0.64, 0.80, 0.98, 1.20]) * MICROS
_CARRIED_SHARES = (0.95, 0.8, 0.6, 0.4, 0.2, 0.05)
_EARTH_RADIUS_MILES = 3_958.8

Floats = NDArray[np.float64]


class Geography(msgspec.Struct, frozen=True, eq=False):
    """Where people live and where stores are, in radians (latitude, longitude)."""

    places: Floats
    populations: Floats
    """As shares of all."""
    stores: Floats

    def miles(self, place: int, stores: NDArray[np.int64]) -> Floats:
        """Return the great-circle miles from a place to stores."""
        here, there = self.places[place], self.stores[stores]
        chord = (
            np.sin((there[:, 0] - here[0]) / 2) ** 2
            + np.cos(here[0]) * np.cos(there[:, 0]) * np.sin((there[:, 1] - here[1]) / 2) ** 2
        )
        found: Floats = 2 * _EARTH_RADIUS_MILES * np.arcsin(np.sqrt(np.minimum(1.0, chord)))
        return found


class Routed(msgspec.Struct, frozen=True, eq=False):
    """An order with what the textbook strategies ask about its candidates."""

    instance: ArrayInstance
    miles: Floats
    priorities: NDArray[np.int64]
    delivery_days: NDArray[np.int64]

    def listed(self) -> Instance:
        """Return the instance as lists."""
        return self.instance.as_lists()


def draw_size(chance: np.random.Generator) -> tuple[int, int]:
    """Draw (lines, candidates): 1 to 20 lines, most with 50 to 160 candidates, up to 2,000.

    A third are as on marketplaces, a third as of groceries, the others of any size.
    """
    kind = chance.integers(3)
    if kind == 0:
        line_count = 1 if chance.random() < 0.9 else 2
    elif kind == 1:
        line_count = min(20, int(chance.geometric(1 / 6)))
    else:
        line_count = int(chance.integers(1, 21))
    if chance.random() < 0.7:
        return line_count, int(chance.integers(50, 161))
    return line_count, round(5 * 400 ** float(chance.random()))


def draw_weights(chance: np.random.Generator, routed: "Routed", card_count: int) -> WeightRates:
    """Draw a weight for each line, and rate cards of the zones with steps up to 30 kg."""
    grams_max = (450, 900, 2_000, 5_000, 10_000, 20_000, 30_000)
    growth = np.array([1.0, 1.15, 1.35, 1.8, 2.4, 3.4, 4.4])
    cards = tuple(
        RateCard(grams_max, tuple((ZONE_PACKAGE_MICROS[zone] * growth).astype(int).tolist()))
        for zone in range(card_count)
    )
    zones = np.searchsorted(ZONE_MILES, routed.miles).clip(max=card_count - 1)
    grams = chance.choice([150, 400, 900, 2_500, 6_000], size=len(routed.instance.quantities))
    return WeightRates(tuple(grams.tolist()), cards, zones.tolist())


def read_geography(folder: Path = DATA_FOLDER) -> Geography:
    """Read both files; FileNotFoundError where they are absent."""
    places, populations = [], []
    for row in _rows(folder / PLACES_FILE):
        if int(row["population"]):
            places.append((float(row["lat"]), float(row["lon"])))
            populations.append(int(row["population"]))
    stores = [(float(row["lat"]), float(row["lon"])) for row in _rows(folder / STORES_FILE)]
    weights = np.array(populations, dtype=np.float64)
    return Geography(
        np.radians(np.array(places)), weights / weights.sum(), np.radians(np.array(stores))
    )


def draw(
    geography: Geography,
    chance: np.random.Generator,
    size: tuple[int, int],
    terms: Terms = PLAIN,
) -> Routed:
    """Draw an order of so many (lines, candidates) that can be served."""
    line_count, candidate_count = size
    place = chance.choice(len(geography.places), p=geography.populations)
    stores = np.arange(len(geography.stores))
    if chance.random() < 0.5:
        by_miles = geography.miles(int(place), stores).argsort(kind="stable")
        stores = by_miles[:candidate_count]
    else:
        stores = chance.choice(stores, candidate_count, replace=False)
    stores.sort()
    miles = geography.miles(int(place), stores)
    zones = np.searchsorted(ZONE_MILES, miles)
    is_centre = np.zeros(candidate_count, dtype=bool)
    if chance.random() < 0.5:
        is_centre[chance.integers(candidate_count, size=1 + candidate_count // 100)] = True
    package_costs, unit_costs = _costs(chance, miles, zones, line_count)
    units = _stock(chance, is_centre, line_count)
    quantities = np.where(
        chance.random(line_count) < 0.8, 1, chance.integers(2, 6, size=line_count)
    )
    for line in np.nonzero((units < quantities[:, None]).all(axis=1))[0]:
        units[line, chance.integers(candidate_count)] = quantities[line]
    unit_costs += (units < 2) * 150_000
    return Routed(
        instance=ArrayInstance(
            quantities=quantities.tolist(),
            package_costs=package_costs,
            unit_costs=unit_costs,
            available=units,
            terms=terms,
        ),
        miles=miles,
        priorities=chance.permutation(candidate_count) // 10,
        delivery_days=1 + zones // 2,
    )


def _costs(
    chance: np.random.Generator, miles: Floats, zones: NDArray[np.int64], line_count: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    count = len(miles)
    if chance.random() < 0.5:
        handling = chance.integers(40, 250, size=count) * 10_000
        package_costs = ZONE_PACKAGE_MICROS[zones].astype(np.int64) + handling
        kilograms = chance.choice([0.2, 0.5, 1.0, 3.0], size=line_count)
        unit_costs = (ZONE_UNIT_MICROS[zones][None, :] * kilograms[:, None]).astype(np.int64)
    else:
        package_costs = np.full(count, 8_760_000)
        unit_costs = np.tile((420_000 + 540 * miles).astype(np.int64), (line_count, 1))
    return package_costs, unit_costs


def _stock(
    chance: np.random.Generator, is_centre: NDArray[np.bool_], line_count: int
) -> NDArray[np.int64]:
    shares = chance.choice(_CARRIED_SHARES, size=line_count)
    odds = np.where(is_centre[None, :], 0.97, shares[:, None])
    carried = chance.random((line_count, len(is_centre))) < odds
    return carried * chance.integers(1, 13, size=carried.shape)


def _rows(path: Path) -> list[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
