"""Units that may split in packages that are priced by weight: bounded, not exact.

Each rate card is replaced by lines below it, as for many lots in `by_weight.py`; the unit search
then proves a lower bound, and its plan is priced with the true cards.
"""

from collections.abc import Sequence

import msgspec
import numpy as np

from domgrpc.core.routing.by_weight import Scales, linear_costs, touching_grams
from domgrpc.core.routing.instance import NEVER
from domgrpc.core.routing.prices import Offers
from domgrpc.core.routing.units import filled_by, route_units

Filling = list[list[tuple[int, int]]]
"""By lot (candidate, units)."""


class WeighedUnits(msgspec.Struct, frozen=True):
    """The plan found, and the proof; no filling where the search was cut off before it had one."""

    filling: Filling
    cost: int
    lower_bound: int
    node_count: int


def route_units_by_weight(
    offers: Offers, scales: Scales, count_max: int, node_count_max: int
) -> WeighedUnits | None:
    """Return a plan for the lots, None where there is none of so few packages."""
    assert offers.needs is not None
    grams = np.array(scales.grams, dtype=np.int64) // offers.needs
    best = WeighedUnits([], NEVER, 0, 0)
    touchings = touching_grams(scales)
    for turn, touching in enumerate(touchings):
        nodes_left = (node_count_max - best.node_count) // (len(touchings) - turn)
        package_costs, slopes = linear_costs(scales, touching)
        linear = Offers(
            np.minimum(offers.costs + grams[:, None] * slopes, NEVER),
            package_costs,
            offers.units,
            offers.needs,
        )
        found = route_units(linear, count_max, nodes_left)
        if found is None:
            return None
        filling, cost = best.filling, best.cost
        if found.chosen:
            filled = filled_by(linear, found.chosen)
            true_cost = _priced(offers, scales, filled, grams.tolist())
            if true_cost < cost:
                filling, cost = filled, true_cost
        bound = max(best.lower_bound, found.lower_bound)
        best = WeighedUnits(filling, cost, bound, best.node_count + found.node_count)
    return best


def _priced(offers: Offers, scales: Scales, filled: Filling, grams: Sequence[int]) -> int:
    weights: dict[int, int] = {}
    cost = 0
    for lot, taken in enumerate(filled):
        for candidate, units in taken:
            cost += units * int(offers.costs[lot, candidate])
            weights[candidate] = weights.get(candidate, 0) + units * grams[lot]
    priced = [
        int(scales.package_costs[candidate])
        + scales.cards[scales.card_indexes[candidate]].price(weight)
        for candidate, weight in weights.items()
    ]
    return int(cost + sum(priced))
