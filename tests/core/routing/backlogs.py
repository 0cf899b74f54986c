"""Backlogs for tests: written out by hand, or drawn at random."""

import random

import numpy as np
from hypothesis import strategies as st

from domgrpc.core.routing.backlog_data import NOWHERE, Backlog


def written(
    orders: list[dict[int, int]],
    stock: list[list[int]],
    *,
    packages: list[list[int]],
    units: list[list[int]] | None = None,
    backorders: int = 100,
    present: list[int] | None = None,
    stability_cost: int = 0,
) -> Backlog:
    """Return the backlog of orders, each given as quantities by SKU; units cost 1 by default.

    Where a present plan is given, all orders are planned.
    """
    quantities = [quantity for order in orders for quantity in order.values()]
    line_count, location_count = len(quantities), len(stock[0])
    return Backlog(
        line_starts=np.cumsum([0, *map(len, orders)]),
        skus=np.array([sku for order in orders for sku in order]),
        quantities=np.array(quantities),
        package_costs=np.array(packages),
        unit_costs=np.array(units) if units else np.ones((line_count, location_count), np.int64),
        backorder_costs=np.full(line_count, backorders),
        allowed=np.ones((line_count, location_count), np.bool_),
        stock=np.array(stock),
        present=np.array(present) if present else np.full(line_count, NOWHERE),
        planned=np.full(len(orders), present is not None),
        released=np.zeros(len(orders), np.bool_),
        stability_cost=stability_cost,
    )


def drawn(
    seed: int,
    *,
    order_count: int,
    line_count_max: int,
    location_count: int,
    micros_max: int = 10**6,
    twins: bool = False,
) -> Backlog:
    """Return a random backlog; costs are so many that ties are as good as impossible.

    Some lines are forbidden somewhere, some orders have present plans, some are released. With
    twins, lines of an order are often of one SKU.
    """
    chance = random.Random(seed)
    sku_count = 1 + (line_count_max + 1) // 2 if twins else line_count_max + 1
    line_counts = [chance.randint(1, line_count_max) for _ in range(order_count)]
    line_count = sum(line_counts)

    def rows(count: int, low: int, high: int) -> list[list[int]]:
        return [[chance.randint(low, high) for _ in range(location_count)] for _ in range(count)]

    places = [chance.choice((NOWHERE, *range(location_count))) for _ in range(line_count)]
    planned = [chance.random() < 0.5 for _ in range(order_count)]
    return Backlog(
        line_starts=np.cumsum([0, *line_counts]),
        skus=np.concatenate(
            [
                chance.choices(range(sku_count), k=count)
                if twins
                else chance.sample(range(sku_count), count)
                for count in line_counts
            ]
        ),
        quantities=np.array([chance.choice((1, 1, 1, 2, 3)) for _ in range(line_count)]),
        package_costs=np.array(rows(order_count, 0, micros_max)),
        unit_costs=np.array(rows(line_count, 0, micros_max // 2)),
        backorder_costs=np.array([chance.randint(0, 5 * micros_max) for _ in range(line_count)]),
        allowed=np.array(rows(line_count, 0, 5)) > 0,
        stock=np.array(rows(sku_count, 0, 3)),
        present=np.array(places),
        planned=np.array(planned),
        released=np.array([each and chance.random() < 0.3 for each in planned]),
        stability_cost=chance.choice((0, micros_max // 3)),
    )


seeds = st.integers(0, 2**32)
