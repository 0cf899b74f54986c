"""Plain legs: those that nothing concerns but stock, reach and the costs of their journey.

Most legs are. Their candidates are vectors over all locations, so that thousands of them cost
little more than fifty. What such a leg cannot be served from stock is left to leg_routing, which
looks at what is short, and at supply that is still to come.
"""

import msgspec
import numpy as np

from domgrpc.core.freight import GRAMS_PER_KILOGRAM
from domgrpc.core.journey_columns import CHEAPEST_MAX, Columns
from domgrpc.core.leg_answers import LegPlan, planned_leg
from domgrpc.core.leg_parts import PART_LINES_MAX
from domgrpc.core.leg_questions import Candidates, LegLimits, LegQuestion, Need
from domgrpc.core.leg_solving import CELLS_MAX, WIDE_LINES_MAX, leg_terms, solve_leg
from domgrpc.core.network import Network
from domgrpc.core.order_legs import Leg
from domgrpc.core.routing.instance import (
    NEVER,
    AnyInstance,
    ArrayInstance,
    Instance,
    Package,
    Solution,
    Terms,
    Unservable,
)
from domgrpc.core.rule_effects import NO_EFFECTS
from domgrpc.core.rule_sets import Strategy
from domgrpc.core.stock_index import availability_view
from domgrpc.core.values import LocationIndex
from domgrpc.core.vectors import Numbers, numbers_of

_LISTS_MAX = 1_000
"""Up to so many lines x candidates the solver is quicker on lists."""


def plain_leg(
    network: Network, leg: Leg, question: LegQuestion, limits: LegLimits
) -> LegPlan | None:
    """Plan a plain leg, None where it is none, or where stock cannot serve all of it.

    O(locations x needs) in vectors, and the search.
    """
    columns = question.columns
    if columns is None or not _is_plain(question, limits, columns):
        return None
    everywhere = _units(network, question)
    if everywhere is None:
        return None
    most: Numbers = everywhere.max(axis=0)
    stocked = np.flatnonzero(most[columns.indexes])
    candidates = _Stocked(
        columns,
        columns.indexes[stocked],
        columns.package_costs[stocked],
        columns.removed(most),
    )
    units = everywhere[:, candidates.indexes]
    if not _can_serve(question.needs, units, limits):
        return None
    instance = _instance(question, limits, (candidates, columns.unit_costs[stocked], units))
    solution = solve_leg(instance, share=limits.share)
    if isinstance(solution, Unservable):
        return None
    return _answered(network, leg, question, (candidates, instance, solution))


class _Stocked(msgspec.Struct, frozen=True, eq=False):
    # The candidates that have any stock: where they are, and what a package costs from each.
    columns: Columns
    indexes: Numbers
    package_costs: Numbers
    removed: tuple[tuple[str, int], ...]


def _is_plain(question: LegQuestion, limits: LegLimits, columns: Columns) -> bool:
    # No filter but stock and reach, no price but what is paid.
    return (
        question.area.distances_m is None
        and question.only is None
        and question.effects is NO_EFFECTS
        and question.room_left is None
        and question.mocked is None
        and not columns.table.cards
        and not question.prices.scarcity_micros
        and question.parcel_at is None
        and not question.joins_only
        and not (question.own or question.excluded)
        and not any(need.sku in question.taken for need in question.needs)
        and limits.strategy is Strategy.CHEAPEST
        and not limits.shown
        and _fits(question.needs, columns)
        and _is_short(question.needs, columns)
    )


def _is_short(needs: tuple[Need, ...], columns: Columns) -> bool:
    # A long leg is solved in parts, and textbook rules are tried beside that.
    count = len(needs)
    cells = count * len(columns.indexes)
    return count <= WIDE_LINES_MAX or (count <= PART_LINES_MAX and cells <= CELLS_MAX)


def _fits(needs: tuple[Need, ...], columns: Columns) -> bool:
    # Whether whatever a plan may cost stays far below what 64 bits hold.
    dearest = columns.dearest_package_micros * len(needs)
    per_kilogram = int(columns.kilogram_micros.max(initial=0))
    for need in needs:
        by_weight = need.fields.weight_grams * per_kilogram // GRAMS_PER_KILOGRAM
        dearest += need.quantity * (columns.dearest_unit_micros + by_weight)
    return dearest < NEVER


def _units(network: Network, question: LegQuestion) -> Numbers | None:
    # ATF by need and location index; None where a SKU has no position at all.
    location_count = len(network.locations.by_index)
    everywhere = np.zeros((len(question.needs), location_count), dtype=np.int64)
    for row, need in zip(everywhere, question.needs, strict=True):
        stock = network.stock.find(need.sku)
        if stock is None or not stock.location_indexes:
            return None
        units = numbers_of(availability_view(network, stock, question.ask).to_fulfill)
        if len(units) == location_count:
            row[:] = units
        else:
            row[np.frombuffer(stock.location_indexes, dtype=np.int32)] = units
    return everywhere


def _can_serve(needs: tuple[Need, ...], units: Numbers, limits: LegLimits) -> bool:
    wanted = np.array([need.quantity for need in needs], dtype=np.int64)
    most = units.max(axis=1, initial=0)
    if limits.unit_split:
        splits = np.array([need.splits for need in needs])
        most = np.where(splits, units.sum(axis=1), most)
    if (most < wanted).any():
        return False
    whole = units >= wanted[:, None]
    return all(whole[list(group)].all(axis=0).any() for group in limits.groups)


def _instance(
    question: LegQuestion, limits: LegLimits, found: tuple[_Stocked, Numbers, Numbers]
) -> AnyInstance:
    candidates, unit_costs, units = found
    needs = question.needs
    quantities = [need.quantity for need in needs]
    terms = leg_terms(needs, quantities, limits, None)
    costs = np.broadcast_to(unit_costs, units.shape)
    grams = np.array([need.fields.weight_grams for need in needs], dtype=np.int64)
    if candidates.columns.has_weight_rates and grams.any():
        by_weight = _kilogram_micros(candidates) * grams[:, None] // GRAMS_PER_KILOGRAM
        costs = costs + by_weight
    if units.size > _LISTS_MAX:
        return ArrayInstance(
            quantities=quantities,
            package_costs=candidates.package_costs,
            unit_costs=costs,
            available=units,
            terms=terms,
        )
    return _as_lists(quantities, candidates.package_costs, (costs, units), terms)


def _kilogram_micros(candidates: _Stocked) -> Numbers:
    table = candidates.columns.table
    return numbers_of(table.kilogram_micros)[candidates.indexes]


def _as_lists(
    quantities: list[int], package_costs: Numbers, cells: tuple[Numbers, Numbers], terms: Terms
) -> Instance:
    unit_costs, available = cells
    return Instance(
        quantities=quantities,
        package_costs=package_costs.tolist(),
        unit_costs=unit_costs.tolist(),
        available=available.tolist(),
        terms=terms,
    )


# --- the answer


def _answered(
    network: Network,
    leg: Leg,
    question: LegQuestion,
    found: tuple[_Stocked, AnyInstance, Solution],
) -> LegPlan:
    """Return the plan of a solution: told are its candidates, and those of the cheapest packages.

    They alone become plain numbers again.
    """
    candidates, instance, solution = found
    told = [package.candidate for package in solution.packages]
    if solution.runner_up is not None:
        told.append(solution.runner_up.candidate)
    told += candidates.package_costs.argsort(kind="stable")[:CHEAPEST_MAX].tolist()
    told = sorted(dict.fromkeys(told))
    costs = np.asarray(instance.unit_costs, dtype=np.int64)[:, told]
    units = np.asarray(instance.available, dtype=np.int64)[:, told]
    few = _as_lists(
        list(instance.quantities), candidates.package_costs[told], (costs, units), instance.terms
    )
    narrow = _narrow(candidates, told, few)
    places = list(range(len(question.needs)))
    answer = (few, _renumbered(solution, told))
    plan = planned_leg((leg, question, narrow), places, answer, (network, ()))
    decision = msgspec.structs.replace(plan.decision, candidate_count=len(candidates.indexes))
    return msgspec.structs.replace(plan, decision=decision)


def _narrow(candidates: _Stocked, told: list[int], few: Instance) -> Candidates:
    columns = candidates.columns
    indexes = [LocationIndex(index) for index in candidates.indexes[told].tolist()]
    return Candidates(
        indexes,
        indexes,
        columns.table,
        few.package_costs,
        few.unit_costs,
        few.available,
        candidates.removed,
        {},
    )


def _renumbered(solution: Solution, told: list[int]) -> Solution:
    number_of = {candidate: number for number, candidate in enumerate(told)}
    packages = tuple(
        Package(number_of[package.candidate], package.contents) for package in solution.packages
    )
    runner_up = solution.runner_up
    if runner_up is not None:
        runner_up = msgspec.structs.replace(runner_up, candidate=number_of[runner_up.candidate])
    return msgspec.structs.replace(solution, packages=packages, runner_up=runner_up)
