"""Freight: what a service asks for a package into a zone, surcharges included."""

from collections.abc import Iterable
from typing import TypeAlias

import msgspec

from domgrpc.core.carriers import RateCardFields
from domgrpc.core.zones import MILLIMETRES_PER_MILE

BASIS_POINTS = 10_000
GRAMS_PER_KILOGRAM = 1_000

Steps: TypeAlias = tuple[tuple[int, int], ...]
"""Up to how many grams a package costs how many micros more."""


class Freight(msgspec.Struct, frozen=True, gc=False):
    """The parts of a price."""

    package_micros: int = 0
    unit_micros: int = 0
    kilogram_micros: int = 0
    unit_mile_micros: int = 0
    steps: Steps = ()

    def of_one_unit(self, grams: int, distance_m: int) -> int:
        """Return the price of a parcel with one unit."""
        return (
            self.package_micros
            + self.unit_micros
            + self.kilogram_micros * grams // GRAMS_PER_KILOGRAM
            + step_micros(self.steps, grams)
            + mile_micros(self.unit_mile_micros, distance_m)
        )


def freight_of(card: RateCardFields, zone: int, *, is_residential: bool) -> Freight:
    """Return what a card asks for a zone that it has.

    Surcharges in per cent are added up and raise every part, each to the nearest micro.
    """
    rate = card.zone_rates[zone - 1]
    due = [each for each in card.surcharges if is_residential or not each.residential_only]
    points = BASIS_POINTS + sum(each.basis_points for each in due)

    def raised(micros: int) -> int:
        return (micros * points + BASIS_POINTS // 2) // BASIS_POINTS

    return Freight(
        raised(rate.package_micros) + sum(each.package_micros for each in due),
        raised(rate.unit_micros),
        raised(rate.kilogram_micros),
        raised(rate.unit_mile_micros),
        _of_a_parcel(
            card.package_grams_max,
            tuple((step.grams_max, raised(step.micros)) for step in rate.weight_steps),
        ),
    )


def _of_a_parcel(grams_max: int, steps: Steps) -> Steps:
    # What is heavier than one parcel may be is priced as several, so the steps end there.
    if not grams_max:
        return steps
    last = next((micros for grams, micros in steps if grams >= grams_max), 0)
    return (*(step for step in steps if step[0] < grams_max), (grams_max, last))


def miles_micros(rates: Iterable[int], distances_m: Iterable[int]) -> list[int]:
    """Return the price of a unit's way for many rates and ways."""
    half, mile = MILLIMETRES_PER_MILE // 2, MILLIMETRES_PER_MILE
    ways = zip(rates, distances_m, strict=True)
    return [(rate * metres * 1_000 + half) // mile for rate, metres in ways]


def mile_micros(unit_mile_micros: int, distance_m: int) -> int:
    """Return the price of a unit's way, to the nearest micro."""
    return miles_micros((unit_mile_micros,), (distance_m,))[0]


def step_micros(steps: Steps, grams: int) -> int:
    """Return the price of a package by its weight; what is heavier than all steps fills several.

    Without what the further parcels ask for as packages.
    """
    if not steps:
        return 0
    full, rest = divmod(grams, steps[-1][0])
    above = (micros for grams_max, micros in steps if rest <= grams_max)
    return full * steps[-1][1] + (next(above) if rest else 0)
