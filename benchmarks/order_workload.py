"""The orders that are placed when their rate is measured: 2.2 lines on average, 50 candidates each.

Fifty stores over the contiguous United States, each with plenty of every SKU, so that every store
is a candidate of every line and nothing is refused. Customers live at two thousand places, so that
what a journey costs is asked for again, as it is in a real day, and in part for the first time.
Seeded: the same seed gives the same orders.
"""

import random
from collections.abc import Iterator

import msgspec

SKU_COUNT = 2_000
LOCATION_COUNT = 50
PLACE_COUNT = 2_000
ON_HAND = 1_000_000_000
LINE_COUNTS = (1, 1, 1, 1, 2, 2, 2, 3, 3, 6)
"""As often as each stands here: 2.2 on average, most orders small, a few large."""


class Spot(msgspec.Struct, frozen=True):
    """A place in degrees."""

    latitude: float
    longitude: float


class PlacedOrder(msgspec.Struct, frozen=True):
    """An order: its id, its SKUs with units, and where the customer lives."""

    order_id: str
    lines: tuple[tuple[str, int], ...]
    spot: Spot


def skus() -> list[str]:
    """Return the SKUs that have stock."""
    return [f"SKU-{number:06d}" for number in range(SKU_COUNT)]


def locations() -> dict[str, Spot]:
    """Return the stores by id, each of which has stock of every SKU."""
    chance = random.Random(50)
    return {f"store-{number:04d}": _spot(chance) for number in range(LOCATION_COUNT)}


def orders(count: int, *, seed: int) -> Iterator[PlacedOrder]:
    """Yield `count` orders; the same seed yields the same ones."""
    chance = random.Random(seed)
    homes = random.Random(2_000)
    spots = [_spot(homes) for _ in range(PLACE_COUNT)]
    known = skus()
    for number in range(count):
        chosen = chance.sample(known, chance.choice(LINE_COUNTS))
        yield PlacedOrder(
            f"order-{seed:04d}-{number:08d}",
            tuple((sku, chance.choice((1, 1, 1, 1, 2))) for sku in chosen),
            chance.choice(spots),
        )


def _spot(chance: random.Random) -> Spot:
    return Spot(chance.uniform(29.0, 47.0), chance.uniform(-122.0, -72.0))
