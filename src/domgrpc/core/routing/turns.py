"""A search by batches in turns, between which the prices are improved.

A search that grows stops, spends some steps on better prices in the scaled costs, by which also
plans of one cost but fewer packages differ, and starts again with the candidates that are left.
"""

import msgspec
import numpy as np

from domgrpc.core.routing.batches import SCALE, BatchSearch, Limits
from domgrpc.core.routing.instance import Numbers
from domgrpc.core.routing.prices import Aim, Offers, bound_by, improve_prices

_NODES_FIRST = 1_500
_NODES_SOON = 20
_MANY = 20
_GROWTH = 3
_STEPS = 40


class Field(msgspec.Struct, frozen=True, eq=False):
    """The candidates that can still be in the best plan."""

    names: Numbers
    offers: Offers
    """Not scaled yet."""
    prices: Numbers


def searched(field: Field, limits: Limits, chosen: tuple[int, ...], cost: int) -> BatchSearch:
    """Search the field for what is better than the best plan known, or comes before it.

    Where no plan is known nothing is chosen and costs NEVER.
    """
    names, scaled = field.names, field.offers.scaled(SCALE)
    price_max = field.offers.price_max // SCALE
    prices = np.clip(field.prices, -price_max, price_max) * SCALE
    value = cost * SCALE + len(chosen)
    count_max = min(limits.count_max, len(names))
    proven = bound_by(prices, scaled, Aim(limits.count_min, count_max, value)).bound
    # Where only plans of one cost are left, the search would look at all of those; where there are
    # many packages it hardly ends.
    is_soon = value - proven <= SCALE or len(chosen) > _MANY
    turn = _NODES_SOON if is_soon else _NODES_FIRST
    left = limits.node_count_max
    while True:
        search = BatchSearch(names, scaled, prices, limits.within(min(turn, left)))
        search.offer(chosen, value)
        search.run()
        chosen, value = search.chosen, search.value
        is_last = turn >= left
        left -= search.node_count
        if is_last or search.bound >= value:
            break
        turn = max(_NODES_FIRST, turn * _GROWTH)
        aim = Aim(limits.count_min, min(count_max, len(names)), value)
        prices = improve_prices(prices, scaled, aim, _STEPS)
        bounded = bound_by(prices, scaled, aim)
        proven = max(proven, bounded.bound)
        places = bounded.survivors(value, aim)
        if len(places) == len(chosen):
            # A plan as good has as many packages, so there is no other.
            proven = value
            break
        names, scaled = names[places], scaled.of(places)
    search.bound = max(search.bound, min(proven, value))
    search.node_count = limits.node_count_max - left
    return search
