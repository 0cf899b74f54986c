"""Backlogs to plan: customers drawn by population, real stores, zones by distance, seeded.

How scarce the stock is decides how much can be saved, so here is how it comes about. Each SKU has
in all `stock_per_cent` of what the orders want of it, rounded up. It lies at 1 + Poisson(7) of the
locations, where large locations (sizes are Pareto distributed) carry more SKUs than small ones, and
its units are spread over them as unevenly as chance will have it (a uniformly drawn division).
Nothing looks at where the customers are. So nearly every unit that there is will be wanted, often
from far away, and some lines of several units find them nowhere in one place.

Orders have 1 to 8 lines, 2.2 on average (geometric); 15 % of the lines are of 2 to 4 units. SKUs
are drawn by Zipf with exponent 0.8: the top 1 % take a quarter of the lines. A package costs by
zone and by the handling of its location, a unit by zone and by the weight of its SKU. Not to send a
line costs 40, well above sending it alone from the other end of the country.
"""

import msgspec
import numpy as np
from numpy.typing import NDArray

from benchmarks.routing_instances import (
    MICROS,
    ZONE_MILES,
    ZONE_PACKAGE_MICROS,
    ZONE_UNIT_MICROS,
    Geography,
)
from domgrpc.core.routing.backlog_data import NOWHERE, Backlog, Numbers

LINES_MAX = 8
LINES_MEAN = 2.2
BACKORDER_MICROS = 40 * MICROS
_SINGLE_SHARE = 0.85
_ZIPF_EXPONENT = 0.8
_MORE_LOCATIONS_MEAN = 7
_KILOGRAMS = np.array([0.2, 0.5, 1.0, 3.0])


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """What kind of backlog to draw."""

    order_count: int = 10_000
    location_count: int = 50
    sku_count: int = 2_000
    stock_per_cent: int = 110
    """Of what is wanted of each SKU."""
    seed: int = 1


class Drawn(msgspec.Struct, frozen=True, eq=False):
    """A backlog, and the distances that a simple rule goes by."""

    backlog: Backlog
    miles: NDArray[np.float64]
    """By order and location."""


def draw_backlog(geography: Geography, setting: Setting) -> Drawn:
    """Draw a backlog whose orders have no plan yet."""
    chance = np.random.default_rng(setting.seed)
    stores = chance.choice(len(geography.stores), setting.location_count, replace=False)
    places = chance.choice(len(geography.places), setting.order_count, p=geography.populations)
    miles = np.stack([geography.miles(place, stores) for place in places.tolist()])
    zones = np.searchsorted(ZONE_MILES, miles)
    handling = chance.integers(40, 250, setting.location_count) * (MICROS // 100)
    starts, skus, quantities = _draw_lines(chance, setting)
    owners = np.repeat(np.arange(setting.order_count), np.diff(starts))
    kilograms = chance.choice(_KILOGRAMS, setting.sku_count)[skus]
    wanted = np.zeros(setting.sku_count, np.int64)
    np.add.at(wanted, skus, quantities)
    line_count = len(skus)
    backlog = Backlog(
        line_starts=starts,
        skus=skus,
        quantities=quantities,
        package_costs=ZONE_PACKAGE_MICROS[zones].astype(np.int64) + handling,
        unit_costs=(ZONE_UNIT_MICROS[zones[owners]] * kilograms[:, None]).astype(np.int64),
        backorder_costs=np.full(line_count, BACKORDER_MICROS),
        allowed=np.ones((line_count, setting.location_count), np.bool_),
        stock=_draw_stock(chance, setting, wanted),
        present=np.full(line_count, NOWHERE),
        planned=np.zeros(setting.order_count, np.bool_),
        released=np.zeros(setting.order_count, np.bool_),
    )
    return Drawn(backlog, miles)


def _draw_lines(chance: np.random.Generator, setting: Setting) -> tuple[Numbers, Numbers, Numbers]:
    """Return the first line of each order, and SKU and quantity by line."""
    counts = np.arange(1, LINES_MAX + 1)
    odds = (1 - 1 / LINES_MEAN) ** counts
    line_counts = chance.choice(counts, setting.order_count, p=odds / odds.sum())
    popularity = np.arange(1, setting.sku_count + 1) ** -_ZIPF_EXPONENT
    popularity /= popularity.sum()
    skus = np.concatenate(
        [
            chance.choice(setting.sku_count, count, replace=False, p=popularity)
            for count in line_counts.tolist()
        ]
    )
    is_single = chance.random(len(skus)) < _SINGLE_SHARE
    quantities = np.where(is_single, 1, chance.integers(2, 5, len(skus)))
    return np.cumsum([0, *line_counts]), skus, quantities


def _draw_stock(chance: np.random.Generator, setting: Setting, wanted: Numbers) -> Numbers:
    """Return units by SKU and location."""
    sizes = chance.pareto(1.5, setting.location_count) + 0.3
    stock = np.zeros((setting.sku_count, setting.location_count), np.int64)
    totals = -(-wanted * setting.stock_per_cent // 100)
    for sku, total in enumerate(totals.tolist()):
        count = min(setting.location_count, 1 + chance.poisson(_MORE_LOCATIONS_MEAN))
        carriers = chance.choice(
            setting.location_count, count, replace=False, p=sizes / sizes.sum()
        )
        stock[sku, carriers] = chance.multinomial(total, chance.dirichlet(np.ones(count)))
    return stock
