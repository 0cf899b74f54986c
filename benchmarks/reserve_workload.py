"""The reserves that every candidate of the throughput comparison runs: two lines each.

Seeded, so that all candidates get the same lines; each reserve has its own id. Stock is so high
that nothing is refused: the comparison is about the way of a reserve, not about refusals.
"""

import random
from collections.abc import Iterator

import msgspec

SKU_COUNT = 2_000
LOCATION_COUNT = 20
ON_HAND = 1_000_000_000
TTL_SECONDS = 900


class Line(msgspec.Struct, frozen=True):
    """Units of one SKU at one location."""

    sku: str
    location_id: str
    quantity: int


class Reserve(msgspec.Struct, frozen=True):
    """One reserve: its id and its two lines, of different SKUs."""

    reserve_id: str
    first: Line
    second: Line


def skus() -> list[str]:
    """Return the SKUs that have stock."""
    return [sku_name(number) for number in range(SKU_COUNT)]


def locations() -> list[str]:
    """Return the locations, each of which has stock of every SKU."""
    return [location_name(number) for number in range(LOCATION_COUNT)]


def sku_name(number: int) -> str:
    """Name a SKU as a retailer's item number looks."""
    return f"SKU-{number:06d}"


def location_name(number: int) -> str:
    """Name a location as a store's number looks."""
    return f"store-{number:04d}"


def reserves(count: int, *, seed: int) -> Iterator[Reserve]:
    """Yield `count` reserves; the same seed yields the same ones."""
    chance = random.Random(seed)
    for number in range(count):
        first, second = chance.sample(range(SKU_COUNT), 2)
        yield Reserve(
            f"reserve-{seed:04d}-{number:08d}",
            _line(chance, first),
            _line(chance, second),
        )


def _line(chance: random.Random, sku: int) -> Line:
    location = location_name(chance.randrange(LOCATION_COUNT))
    return Line(sku_name(sku), location, chance.randint(1, 3))
