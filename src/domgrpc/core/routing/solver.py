"""The entrance of the solver: picks the method that proves an instance fastest.

| what is asked | method | where |
|---|---|---|
| up to three lines, few candidates | one candidate that provably beats any two | `at_once.py` |
| whole lots, below some 500 cells | branch and bound over lists | `few_cells.py`, `search.py` |
| up to five lots, many candidates | dynamic programme over subsets | `subsets.py` |
| more lots, many candidates | prices, few packages, batches | `many_cells.py`, `few_packages.py` |
| prices by weight | subsets; above 12 lots lines below the cards | `by_weight.py` |
| lines whose units may split | batches of nodes, by unit | `units.py`, `turns.py` |
| both, few units | dynamic programme over what is left | `unit_packages.py` |
| both, more units | bundles of units, lines below the cards | `units_by_weight.py` |

All are exact but the last, those with lines below the cards, and those that hit the node limit;
these say how far from the best plan they are at most. Lines that ship alone are orders of their
own.
"""

from collections.abc import Iterable, Sequence
from operator import add

import msgspec
import numpy as np

from domgrpc.core.routing.at_once import solve_at_once
from domgrpc.core.routing.by_weight import Scales, route_by_weight
from domgrpc.core.routing.few_cells import route_few
from domgrpc.core.routing.found import Found
from domgrpc.core.routing.instance import (
    NEVER,
    NODE_COUNT_MAX_DEFAULT,
    PLAIN,
    AnyInstance,
    Instance,
    Obstacle,
    Package,
    RunnerUp,
    Solution,
    Unservable,
    WeightRates,
)
from domgrpc.core.routing.lots import Lot, cost_rows, costs_of, lots_of
from domgrpc.core.routing.many_cells import route_many
from domgrpc.core.routing.obstacles import obstacle_to
from domgrpc.core.routing.runner_up import (
    exchanged_in_arrays,
    exchanged_in_lists,
    runner_up_of,
)
from domgrpc.core.routing.unit_packages import Flags, Weighing
from domgrpc.core.routing.units import filled_by, route_units, unit_offers
from domgrpc.core.routing.units_by_weight import route_units_by_weight

CELLS_AS_LISTS_MAX = 500
"""Above, an instance of lists is worth the way into numpy."""


class Limits(msgspec.Struct, frozen=True):
    """How far the search may go."""

    package_count_max: int
    """0 is no limit."""
    node_count_max: int
    with_runner_up: bool


class Routed(msgspec.Struct, frozen=True):
    """Packages for some of the lots."""

    packages: list[Package]
    cost: int
    lower_bound: int
    node_count: int
    runner_up: RunnerUp | None = None
    knows_runner_up: bool = False
    """Otherwise it is still to be looked for."""


def solve(
    instance: AnyInstance,
    *,
    node_count_max: int = NODE_COUNT_MAX_DEFAULT,
    with_runner_up: bool = True,
) -> Solution | Unservable:
    """Return the plan of least cost with its proof, or why there is none.

    The plan is proven optimal unless the search needed more than `node_count_max` nodes, or the
    method only bounds; then the lower bound says how good it is at least. The same instance gives
    the same answer.
    """
    terms = instance.terms
    if (terms is PLAIN or terms == PLAIN) and isinstance(instance, Instance):
        solution = solve_at_once(instance, with_runner_up=with_runner_up)
        if solution is not None:
            return solution
    lots = lots_of(len(instance.quantities), instance.terms)
    if isinstance(lots, Unservable) or not len(instance.package_costs):
        return obstacle_to(instance)
    parts: list[Routed] = []
    for lot in lots.alone:
        routed = _alone(instance, lot)
        if routed is None:
            return obstacle_to(instance)
        parts.append(routed)
    if lots.shared:
        limits = Limits(lots.package_count_max, node_count_max, with_runner_up)
        routed = _shared(instance, lots.shared, limits)
        if routed is None:
            return obstacle_to(instance)
        if not routed.packages:
            return Unservable(Obstacle.SEARCH, ())
        parts.append(routed)
    return _joined(instance, parts, with_runner_up=with_runner_up)


def _joined(instance: AnyInstance, parts: Sequence[Routed], *, with_runner_up: bool) -> Solution:
    packages: list[Package] = []
    cost = bound = node_count = 0
    for part in parts:
        packages += part.packages
        cost += part.cost
        bound += part.lower_bound
        node_count += part.node_count
    packages.sort(key=lambda package: (package.candidate, package.contents))
    sent = tuple(packages)
    if not with_runner_up:
        return Solution(sent, cost, bound, node_count)
    if len(parts) == 1 and parts[0].knows_runner_up:
        return Solution(sent, cost, bound, node_count, parts[0].runner_up)
    return Solution(sent, cost, bound, node_count, runner_up_of(instance, sent, cost))


def _alone(instance: AnyInstance, lot: Lot) -> Routed | None:
    totals = costs_of(instance, [lot])[0] + np.asarray(instance.package_costs)
    rates = instance.terms.weight_rates
    if rates is not None:
        grams = rates.unit_grams[lot[0]] * instance.quantities[lot[0]]
        prices = [card.price(grams) for card in rates.cards]
        totals += np.array(prices, dtype=np.int64)[np.asarray(rates.card_indexes)]
    candidate = int(totals.argmin())
    cost = int(totals[candidate])
    return Routed([_package(instance, candidate, lot)], cost, cost, 0) if cost < NEVER else None


def _shared(instance: AnyInstance, lots: list[Lot], limits: Limits) -> Routed | None:
    terms = instance.terms
    splits = any(len(lot) == 1 and terms.may_split(lot[0]) for lot in lots)
    if terms.weight_rates is not None:
        return _by_weight(instance, lots, limits, splits=splits)
    if splits:
        return _by_units(instance, lots, limits)
    return _whole(instance, lots, limits)


def _whole(instance: AnyInstance, lots: list[Lot], limits: Limits) -> Routed | None:
    cells = len(lots) * len(instance.package_costs)
    if isinstance(instance, Instance) and cells <= CELLS_AS_LISTS_MAX:
        return _in_lists(instance, lots, limits)
    return _in_arrays(instance, lots, limits)


def _in_lists(instance: Instance, lots: list[Lot], limits: Limits) -> Routed | None:
    package_costs = instance.package_costs
    rows = cost_rows(instance, lots)
    found = route_few(rows, package_costs, limits.package_count_max, limits.node_count_max)
    if found is None or not found.chosen:
        return _unfinished(found)
    owners = [min(found.chosen, key=row.__getitem__) for row in rows]
    routed = _without_idle(instance, found, _packages(instance, lots, owners))
    candidates = [package.candidate for package in routed.packages]
    if len(candidates) == 1 or not limits.with_runner_up:
        return routed
    totals = []
    for one in candidates:
        by_candidate: Iterable[int] = package_costs
        for row, owner in zip(rows, owners, strict=True):
            if owner == one:
                by_candidate = map(add, by_candidate, row)
        totals.append(list(by_candidate))
    return _told(routed, exchanged_in_lists(totals, candidates, routed.cost))


def _in_arrays(instance: AnyInstance, lots: list[Lot], limits: Limits) -> Routed | None:
    matrix = costs_of(instance, lots)
    package_costs = np.asarray(instance.package_costs, dtype=np.int64)
    found = route_many(matrix, package_costs, limits.package_count_max, limits.node_count_max)
    if found is None or not found.chosen:
        return _unfinished(found)
    if len(found.chosen) == 1:
        return _without_idle(instance, found, _packages(instance, lots, found.chosen * len(lots)))
    owners = np.array(found.chosen)[matrix[:, found.chosen].argmin(axis=1)]
    routed = _without_idle(instance, found, _packages(instance, lots, owners.tolist()))
    if not limits.with_runner_up:
        return routed
    candidates = [package.candidate for package in routed.packages]
    totals = [matrix[owners == one].sum(axis=0) + package_costs for one in candidates]
    runner_up = exchanged_in_arrays(totals, candidates, routed.cost)
    return _told(routed, runner_up)


def _told(routed: Routed, runner_up: RunnerUp | None) -> Routed:
    return Routed(
        routed.packages,
        routed.cost,
        routed.lower_bound,
        routed.node_count,
        runner_up,
        knows_runner_up=True,
    )


def _unfinished(found: Found | None) -> Routed | None:
    # No plan: there is none, or the search was cut off before it had one.
    return None if found is None else Routed([], NEVER, found.lower_bound, found.node_count)


def _without_idle(instance: AnyInstance, found: Found, packages: list[Package]) -> Routed:
    # The best plan uses all that it opens; one at which a search was cut off may not.
    cost = found.cost
    if len(packages) < len(found.chosen):
        used = [package.candidate for package in packages]
        cost -= sum([int(instance.package_costs[one]) for one in found.chosen if one not in used])
    bound = min(cost, found.lower_bound)
    if found.next_one is None:
        return Routed(packages, cost, bound, found.node_count)
    next_cost, candidate = found.next_one
    runner_up = RunnerUp(next_cost, 0, candidate) if next_cost < NEVER else None
    return Routed(packages, cost, bound, found.node_count, runner_up, knows_runner_up=True)


def _by_units(instance: AnyInstance, lots: list[Lot], limits: Limits) -> Routed | None:
    offers = unit_offers(instance, lots, np.asarray(instance.package_costs, dtype=np.int64))
    found = route_units(offers, limits.package_count_max, limits.node_count_max)
    if found is None or not found.chosen:
        return _unfinished(found)
    packages = _filled(instance, lots, filled_by(offers, found.chosen))
    return _without_idle(instance, found, packages)


def _by_weight(
    instance: AnyInstance, lots: list[Lot], limits: Limits, *, splits: bool
) -> Routed | None:
    rates = instance.terms.weight_rates
    assert rates is not None
    quantities = instance.quantities
    package_costs = np.asarray(instance.package_costs, dtype=np.int64)
    scales = Scales(
        costs_of(instance, lots),
        package_costs,
        [sum(rates.unit_grams[line] * quantities[line] for line in lot) for lot in lots],
        rates.cards,
        np.asarray(rates.card_indexes, dtype=np.int64),
    )
    # Where both methods are tried they share the nodes.
    counts = (limits.package_count_max, limits.node_count_max // (1 + splits))
    found = route_by_weight(scales, *counts) if scales.costs.min(axis=1).max() < NEVER else None
    routed = None
    if found is not None:
        packages = [
            _package(instance, candidate, [line for at in group for line in lots[at]])
            for candidate, group in found.parcels
        ]
        routed = Routed(packages, found.cost, found.lower_bound, found.node_count)
    if routed is not None and not _keeps_to(rates, routed.packages):
        routed = None
        splits = True
    if not splits:
        return routed
    split = route_units_by_weight(_weighing(instance, lots, scales), scales, *counts)
    if split is None:
        return None
    bound = min(split.lower_bound, split.cost)
    node_count = split.node_count + (0 if found is None else found.node_count)
    if routed is not None and routed.cost < split.cost:
        return Routed(routed.packages, routed.cost, min(routed.cost, bound), node_count)
    packages = [
        _contents(instance, lots, candidate, contents) for candidate, contents in split.parcels
    ]
    return Routed(packages, split.cost, bound, node_count)


def _weighing(instance: AnyInstance, lots: Sequence[Lot], scales: Scales) -> Weighing:
    offers = unit_offers(instance, lots, scales.package_costs)
    assert offers.needs is not None
    return Weighing(
        offers,
        np.array(scales.grams, dtype=np.int64) // offers.needs,
        scales.cards,
        scales.card_indexes,
        _is_once(instance),
    )


def _is_once(instance: AnyInstance) -> Flags:
    rates = instance.terms.weight_rates
    assert rates is not None
    once = np.zeros(len(instance.package_costs), dtype=np.bool_)
    once[list(rates.once)] = True
    return once


def _keeps_to(rates: WeightRates, packages: Sequence[Package]) -> bool:
    # Whether those who send one package at the most do so.
    senders = [package.candidate for package in packages if package.candidate in rates.once]
    return len(senders) == len(dict.fromkeys(senders))


def _contents(
    instance: AnyInstance, lots: Sequence[Lot], candidate: int, contents: Iterable[tuple[int, int]]
) -> Package:
    # A whole lot is one unit, which stands for all units of its lines.
    sent: list[tuple[int, int]] = []
    for at, units in contents:
        lot = lots[at]
        is_split = len(lot) == 1 and instance.terms.may_split(lot[0])
        sent += [(line, units if is_split else instance.quantities[line]) for line in lot]
    return Package(candidate, tuple(sorted(sent)))


def _filled(
    instance: AnyInstance, lots: Sequence[Lot], filled: Sequence[Sequence[tuple[int, int]]]
) -> list[Package]:
    sent: dict[int, list[tuple[int, int]]] = {}
    for at, taken in enumerate(filled):
        for candidate, units in taken:
            sent.setdefault(candidate, []).append((at, units))
    return [_contents(instance, lots, candidate, sent[candidate]) for candidate in sent]


def _packages(instance: AnyInstance, lots: Sequence[Lot], owners: Sequence[int]) -> list[Package]:
    sent: dict[int, list[int]] = {}
    for lot, owner in zip(lots, owners, strict=True):
        sent.setdefault(owner, []).extend(lot)
    return [_package(instance, candidate, lines) for candidate, lines in sorted(sent.items())]


def _package(instance: AnyInstance, candidate: int, lines: Iterable[int]) -> Package:
    return Package(candidate, tuple([(line, instance.quantities[line]) for line in sorted(lines)]))
