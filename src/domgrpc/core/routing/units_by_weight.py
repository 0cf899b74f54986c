"""Units that may split in packages that are priced by weight.

Few units are a dynamic programme (`unit_packages.py`), exact. With more, the plan is the best of
three: of the lots in bundles of several units, by the same programme; of lines below the rate cards
(`by_weight.py`), which the unit search takes for the prices; and, at the caller's, of whole lots.
What their packages hold is parted anew where that is cheaper. What the lines prove, or the steps,
is the lower bound.
"""

from collections.abc import Sequence

import msgspec
import numpy as np

from domgrpc.core.routing.by_weight import (
    Scales,
    bound_by_steps,
    linear_costs,
    route_by_weight,
    touching_grams,
)
from domgrpc.core.routing.instance import NEVER
from domgrpc.core.routing.prices import Offers
from domgrpc.core.routing.subsets import LOTS_MAX
from domgrpc.core.routing.unit_packages import Packed, Parcel, Weighing, fits_grid, pack
from domgrpc.core.routing.units import filled_by, route_units


class WeighedUnits(msgspec.Struct, frozen=True):
    """The plan found, and the proof; no parcels where the search was cut off before it had one."""

    parcels: list[Parcel]
    cost: int
    lower_bound: int
    node_count: int


def route_units_by_weight(
    weighing: Weighing, scales: Scales, count_max: int, node_count_max: int
) -> WeighedUnits | None:
    """Return a plan for the lots, None where there is none of so few packages."""
    offers = weighing.offers
    assert offers.units is not None
    assert offers.needs is not None
    if (offers.units.sum(axis=1) < offers.needs).any():
        return None
    if fits_grid(weighing):
        packed = pack(weighing, count_max)
        if packed.parcels:
            return WeighedUnits(packed.parcels, packed.cost, packed.lower_bound, 0)
        if packed.lower_bound >= NEVER:
            return None
    return _bounded(weighing, scales, count_max, node_count_max)


def _bounded(
    weighing: Weighing, scales: Scales, count_max: int, node_count_max: int
) -> WeighedUnits | None:
    offers = weighing.offers
    assert offers.units is not None
    assert offers.needs is not None
    cheapest = np.where(offers.units, offers.costs, NEVER).min(axis=1)
    bound = bound_by_steps(scales, int(cheapest @ offers.needs), count_max)
    plans = [_in_bundles(weighing, count_max)]
    node_count = 0
    touchings = touching_grams(scales)
    for turn, touching in enumerate(touchings):
        nodes_left = (node_count_max - node_count) // (len(touchings) - turn)
        package_costs, slopes = linear_costs(scales, touching)
        costs = np.minimum(offers.costs + weighing.unit_grams[:, None] * slopes, NEVER)
        linear = Offers(costs, package_costs, offers.units, offers.needs)
        found = route_units(linear, count_max, nodes_left)
        if found is None:
            return None
        bound, node_count = max(bound, found.lower_bound), node_count + found.node_count
        if found.chosen:
            plans.append(_priced(weighing, filled_by(linear, found.chosen)))
    best = min(
        (_regrouped(weighing, plan, count_max) for plan in plans), key=lambda plan: plan.cost
    )
    return WeighedUnits(best.parcels, best.cost, min(bound, best.cost), node_count)


def _priced(weighing: Weighing, filled: Sequence[Sequence[tuple[int, int]]]) -> Packed:
    # One package from each candidate, by what it truly costs.
    offers = weighing.offers
    contents: dict[int, list[tuple[int, int]]] = {}
    cost = 0
    for lot, taken in enumerate(filled):
        for candidate, units in taken:
            cost += units * int(offers.costs[lot, candidate])
            contents.setdefault(candidate, []).append((lot, units))
    for candidate, lots in contents.items():
        grams = sum([units * int(weighing.unit_grams[lot]) for lot, units in lots])
        cost += int(offers.package_costs[candidate])
        cost += weighing.cards[weighing.card_indexes[candidate]].price(grams)
    parcels = [(candidate, tuple(lots)) for candidate, lots in sorted(contents.items())]
    return Packed(parcels, cost, 0)


def _regrouped(weighing: Weighing, plan: Packed, count_max: int) -> Packed:
    # What the packages hold of each lot, parted anew: the best packages of these portions.
    portions = [portion for _, contents in plan.parcels for portion in contents]
    if not 0 < len(portions) <= LOTS_MAX:
        return plan
    offers = weighing.offers
    assert offers.units is not None
    lots = [lot for lot, _ in portions]
    units = np.array([count for _, count in portions], dtype=np.int64)
    has = offers.units[lots] >= units[:, None]
    scales = Scales(
        np.where(has, offers.costs[lots] * units[:, None], NEVER),
        offers.package_costs,
        (weighing.unit_grams[lots] * units).tolist(),
        weighing.cards,
        weighing.card_indexes,
    )
    found = route_by_weight(scales, count_max, 1)
    if found is None or found.cost >= plan.cost:
        return plan
    filling = [
        (candidate, [portions[place] for place in group]) for candidate, group in found.parcels
    ]
    parcels = [(candidate, _summed(contents)) for candidate, contents in filling]
    is_there = _has_stock(weighing, parcels)
    return Packed(parcels, found.cost, 0) if is_there else plan


def _has_stock(weighing: Weighing, parcels: Sequence[Parcel]) -> bool:
    # Whether the candidates have what all their packages hold together.
    units = weighing.offers.units
    assert units is not None
    taken: dict[tuple[int, int], int] = {}
    for candidate, contents in parcels:
        for lot, count in contents:
            taken[lot, candidate] = taken.get((lot, candidate), 0) + count
    senders = [candidate for candidate, _ in parcels if weighing.once[candidate]]
    return len(senders) == len(dict.fromkeys(senders)) and all(
        count <= units[place] for place, count in taken.items()
    )


def _summed(portions: Sequence[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    units: dict[int, int] = {}
    for lot, count in portions:
        units[lot] = units.get(lot, 0) + count
    return tuple(sorted(units.items()))


# --- in bundles


class _Bundle(msgspec.Struct, frozen=True):
    # Units of a lot that travel together.
    lot: int
    units: int


def _in_bundles(weighing: Weighing, count_max: int) -> Packed:
    # So many units to a bundle that the programme can look at all contents; what is left of a lot
    # is a bundle of its own. Honest plans, but not all: they prove nothing.
    needs = weighing.offers.needs
    assert needs is not None
    sizes = np.ones(len(needs), dtype=np.int64)
    while True:
        bundles = [
            _Bundle(lot, units)
            for lot, (need, size) in enumerate(zip(needs.tolist(), sizes.tolist(), strict=True))
            for units in (size, need % size)
            if units
        ]
        bundled = _bundled(weighing, bundles)
        if fits_grid(bundled):
            break
        if (sizes >= needs).all():
            return Packed([], NEVER, 0)
        lot = int(np.where(sizes < needs, needs // sizes, 0).argmax())
        sizes[lot] = min(int(needs[lot]), 2 * int(sizes[lot]))
    packed = pack(bundled, count_max)
    parcels = [
        (
            candidate,
            _summed([(bundles[place].lot, n * bundles[place].units) for place, n in contents]),
        )
        for candidate, contents in packed.parcels
    ]
    return Packed(parcels, packed.cost, 0)


def _bundled(weighing: Weighing, bundles: Sequence[_Bundle]) -> Weighing:
    offers = weighing.offers
    assert offers.units is not None
    assert offers.needs is not None
    lots = [bundle.lot for bundle in bundles]
    sizes = np.array([bundle.units for bundle in bundles], dtype=np.int64)
    needs, units = [], []
    for place, bundle in enumerate(bundles):
        need, has = int(offers.needs[bundle.lot]), offers.units[bundle.lot]
        if place and bundles[place - 1].lot == bundle.lot:
            # The rest, where it is there beside the full bundles.
            needs.append(1)
            full = bundles[place - 1].units
            units.append((has % full >= bundle.units) | (has >= need))
        else:
            needs.append(need // bundle.units)
            units.append(np.minimum(has // bundle.units, needs[-1]))
    costs = np.where(offers.units[lots] > 0, offers.costs[lots] * sizes[:, None], NEVER)
    return msgspec.structs.replace(
        weighing,
        offers=Offers(
            costs,
            offers.package_costs,
            np.array(units, dtype=np.int64),
            np.array(needs, dtype=np.int64),
        ),
        unit_grams=weighing.unit_grams[lots] * sizes,
    )
