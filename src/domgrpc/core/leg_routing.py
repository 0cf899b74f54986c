"""Routing one leg: from candidates to packages, with the decision that explains them.

What the candidates cannot serve is short; the rest is solved exactly or, where a rule set says
so, by a textbook strategy. Where stock alone cannot serve a leg, what may be sold beyond it is
weighed too, as candidates with the date on which their supply comes.
"""

from collections.abc import Sequence
from operator import ge, itemgetter
from typing import TypeAlias

import msgspec

from domgrpc.core.candidates import (
    CHEAPEST_MAX,
    Candidates,
    LegQuestion,
    Need,
    candidates_of,
    cheapest_of,
    stocked,
    unit_cost,
)
from domgrpc.core.dated_candidates import with_dated
from domgrpc.core.leg_solving import (
    crowded_cells,
    follow_strategy,
    solve_leg,
    without_cells,
)
from domgrpc.core.network import Network
from domgrpc.core.obvious_plans import obvious_plan
from domgrpc.core.order_legs import Leg, shared_out
from domgrpc.core.orders import (
    NO_PARCEL,
    CandidateRows,
    FulfillmentLine,
    LegDecision,
)
from domgrpc.core.plans import LineShortage, PlannedPackage
from domgrpc.core.routing.instance import (
    Instance,
    Package,
    RateCard,
    Solution,
    Terms,
    Unservable,
    WeightRates,
)
from domgrpc.core.rule_sets import Strategy
from domgrpc.core.values import (
    NO_LOCATION,
    LineId,
    LocationId,
    LocationIndex,
    Micros,
    Quantity,
    TimeMs,
)

_NO_STEPS = ((1 << 60, 0),)
"""The weight steps of what has none."""
_PLAIN = Terms()
_CELLS_TOLD_MAX = 8_192
"""So many lines x candidates a decision tells of: it stays in the order, and in every event."""
_Asked: TypeAlias = tuple[Leg, LegQuestion, Candidates]


class LegLimits(msgspec.Struct, frozen=True, gc=False):
    """What the plan of a leg must keep to."""

    package_count_max: int = 0
    unit_split: bool = True
    partial: bool = True
    """Whether a need that may be split, and cannot be served whole, is served in part."""
    groups: tuple[tuple[int, ...], ...] = ()
    """Needs that must travel in one package, by place."""
    strategy: Strategy = Strategy.CHEAPEST
    shown: tuple[LocationIndex, ...] = ()
    """Locations that the decision tells of, whatever they cost."""


class LegPlan(msgspec.Struct, frozen=True):
    """How a leg is fulfilled: its packages, what nobody can fill, and why so."""

    packages: tuple[PlannedPackage, ...]
    shortages: tuple[LineShortage, ...]
    decision: LegDecision


def route_leg(network: Network, leg: Leg, question: LegQuestion, limits: LegLimits) -> LegPlan:
    """Plan a leg; see the module."""
    if limits.strategy is Strategy.CHEAPEST and not limits.shown:
        obvious = obvious_plan(network, leg, question)
        if obvious is not None:
            return LegPlan((obvious.package,), (), obvious.decision)
    found = candidates_of(network, question)
    served = _served(question, found, limits)
    if served != _wanted(question) and question.may_backorder:
        found = with_dated(network, question, found, split=limits.unit_split)
        served = _served(question, found, limits)
    while places := [place for place, units in enumerate(served) if units]:
        instance = _instance(question, found, (places, served), limits)
        if limits.strategy is Strategy.CHEAPEST:
            solution = solve_leg(instance)
        else:
            solution = follow_strategy(instance, limits.strategy, found)
        if isinstance(solution, Unservable):
            break
        crowded = crowded_cells(question, found, solution)
        if not crowded:
            told = (network, limits.shown)
            return _planned((leg, question, found), places, (instance, solution), told)
        found = without_cells(found, [(candidate, places[line]) for candidate, line in crowded])
        served = _served(question, found, limits)
    return _nothing(leg, question, found)


# --- what can be served


def _wanted(question: LegQuestion) -> list[int]:
    return [need.quantity for need in question.needs]


def _served(question: LegQuestion, found: Candidates, limits: LegLimits) -> list[int]:
    """Return the units of each need that candidates have together.

    What must not be split, and a group, is served whole by one candidate or not at all.
    """
    served = []
    for need, units in zip(question.needs, found.available, strict=True):
        splits = limits.unit_split and need.splits
        most = sum(units) if splits else max(units, default=0)
        if most >= need.quantity:
            served.append(need.quantity)
        else:
            served.append(most if splits and limits.partial else 0)
    for group in limits.groups:
        rows = [found.available[place] for place in group]
        wanted = [question.needs[place].quantity for place in group]
        if not any(all(map(ge, column, wanted)) for column in zip(*rows, strict=True)):
            for place in group:
                served[place] = 0
    return served


# --- the question in numbers


def _instance(
    question: LegQuestion,
    found: Candidates,
    what: tuple[list[int], list[int]],
    limits: LegLimits,
) -> Instance:
    places, served = what
    number_of = {place: number for number, place in enumerate(places)}
    needs = [question.needs[place] for place in places]
    alone = tuple(n for n, need in enumerate(needs) if need.fields.ship_alone)
    groups = tuple(
        tuple(number_of[place] for place in group if place in number_of) for group in limits.groups
    )
    split = _may_split(needs, [served[place] for place in places], limits)
    rates = _weight_rates(found, needs)
    plain = not (alone or groups or split or rates or limits.package_count_max)
    return Instance(
        quantities=[served[place] for place in places],
        package_costs=found.package_costs,
        unit_costs=[found.unit_costs[place] for place in places],
        available=[found.available[place] for place in places],
        terms=_PLAIN
        if plain
        else Terms(
            unit_split=split,
            package_count_max=limits.package_count_max,
            together=tuple(group for group in groups if len(group) > 1),
            alone=tuple(n for n in alone if not any(n in group for group in groups)),
            weight_rates=rates,
        ),
    )


def _may_split(
    needs: Sequence[Need], quantities: list[int], limits: LegLimits
) -> bool | tuple[bool, ...]:
    splits = tuple(
        quantity > 1 and limits.unit_split and need.splits
        for need, quantity in zip(needs, quantities, strict=True)
    )
    return splits if any(splits) else False


def _weight_rates(found: Candidates, needs: Sequence[Need]) -> WeightRates | None:
    if not found.table.cards and not any(place.table.cards for place in found.dated):
        return None
    numbers: dict[tuple[tuple[int, int], ...], int] = {}
    indexes = []
    for candidate in range(len(found.indexes)):
        place = found.place(candidate)
        card = place.table.card[place.row]
        steps = place.table.cards[card] if card >= 0 else _NO_STEPS
        indexes.append(numbers.setdefault(steps, len(numbers)))
    cards = tuple(
        RateCard(tuple(grams for grams, _ in steps), tuple(micros for _, micros in steps))
        for steps in numbers
    )
    return WeightRates(tuple(need.fields.weight_grams for need in needs), cards, indexes)


# --- the answer in packages


def _planned(
    asked: _Asked,
    places: list[int],
    answer: tuple[Instance, Solution],
    told: tuple[Network, tuple[LocationIndex, ...]],
) -> LegPlan:
    network, shown = told
    question = asked[1]
    done: dict[LineId, int] = {}
    used: dict[tuple[int, LocationIndex], int] = {}
    packages = _but_the_first(
        question,
        [
            _package(asked, (places, answer[0]), package, (network, done, used))
            for package in answer[1].packages
        ],
    )
    shortages = _shortages(question.needs, done)
    decision = _decision(asked, places, answer, packages)
    rows = _rows(network, asked[2], answer, shown)
    runner_up, places_of_it = _runner_up(network, asked[2], answer[1])
    decision = msgspec.structs.replace(
        decision,
        rows=rows,
        runner_up_micros=None
        if runner_up is None
        else Micros(runner_up - (answer[1].cost - decision.cost_micros)),
        runner_up_location_ids=places_of_it,
    )
    return LegPlan(packages, shortages, decision)


def _runner_up(
    network: Network, found: Candidates, solution: Solution
) -> tuple[int | None, tuple[LocationId, ...]]:
    # The same packages, but one of them from another candidate: what that costs, and from where.
    runner_up = solution.runner_up
    if runner_up is None:
        return None, ()
    used = [package.candidate for package in solution.packages]
    used[runner_up.package] = runner_up.candidate
    by_index = network.locations.by_index
    names = (by_index[found.indexes[candidate]].location_id for candidate in used)
    return runner_up.cost, tuple(dict.fromkeys(names))


def _but_the_first(
    question: LegQuestion, packages: list[PlannedPackage]
) -> tuple[PlannedPackage, ...]:
    # The price of a package is for each beyond the first.
    for place, package in enumerate(packages):
        if not package.parcel_id:
            price = package.price_micros - question.prices.package_micros
            packages[place] = msgspec.structs.replace(package, price_micros=Micros(price))
            break
    return tuple(packages)


def _package(
    asked: _Asked,
    what: tuple[list[int], Instance],
    package: Package,
    notes: tuple[Network, dict[LineId, int], dict[tuple[int, LocationIndex], int]],
) -> PlannedPackage:
    leg, question, found = asked
    places, instance = what
    network, done, used = notes
    candidate = package.candidate
    index = found.indexes[candidate]
    place = found.place(candidate)
    table, row = place.table, place.row
    parcel = None
    if question.parcel_at is not None and not place.ready_ms:
        parcel = question.parcel_at(index, table.ship_day[row])
    by_weight = _step_price(instance, package)
    paid = by_weight + (table.package_micros[row] if parcel is None else 0)
    units = 0
    weighed = by_weight + instance.package_costs[candidate]
    lines: list[FulfillmentLine] = []
    for number, quantity in package.contents:
        need = question.needs[places[number]]
        units += quantity * unit_cost(need, table, row)
        weighed += quantity * instance.unit_costs[number][candidate]
        key = (places[number], index)
        backordered = 0
        if place.ready_ms:
            left = stocked(network, need, question).get(index, 0) - used.get(key, 0)
            backordered = quantity - max(0, min(left, quantity))
        used[key] = used.get(key, 0) + quantity
        lines += _shares(need, quantity, backordered, done)
    return PlannedPackage(
        network.locations.by_index[index].location_id,
        leg.delivery_method,
        tuple(lines),
        leg.store_id if leg.ends_at_store else NO_LOCATION,
        TimeMs(place.ready_ms or question.ask.time_ms),
        TimeMs(table.ship_by_ms[row]),
        TimeMs(table.deliver_by_ms[row]),
        Micros(paid),
        Micros(units),
        Micros(weighed - paid - units),
        NO_PARCEL if parcel is None else parcel.fulfillment_order_id,
        table.ship_day[row],
        place.ready_ms > 0,
    )


def _shares(
    need: Need, quantity: int, backordered: int, done: dict[LineId, int]
) -> list[FulfillmentLine]:
    lines = []
    for line_id, units in reversed(shared_out(need, quantity, done)):
        late = min(units, backordered)
        backordered -= late
        lines.append(FulfillmentLine(line_id, need.sku, Quantity(units), Quantity(late)))
    lines.reverse()
    return lines


def _step_price(instance: Instance, package: Package) -> int:
    rates = instance.terms.weight_rates
    if rates is None:
        return 0
    grams = sum(rates.unit_grams[line] * quantity for line, quantity in package.contents)
    return rates.cards[rates.card_indexes[package.candidate]].price(grams)


def _shortages(needs: tuple[Need, ...], done: dict[LineId, int]) -> tuple[LineShortage, ...]:
    return tuple(
        LineShortage(line_id, need.sku, Quantity(quantity - done.get(line_id, 0)))
        for need in needs
        for line_id, quantity in need.lines
        if quantity > done.get(line_id, 0)
    )


# --- why


def _decision(
    asked: _Asked,
    places: list[int],
    answer: tuple[Instance, Solution],
    packages: tuple[PlannedPackage, ...],
) -> LegDecision:
    leg, question, found = asked
    instance, solution = answer
    paid = sum(package.package_cost_micros for package in packages)
    units = sum(package.units_cost_micros for package in packages)
    priced = any(not package.parcel_id for package in packages)
    first = question.prices.package_micros if priced else 0
    return LegDecision(
        leg.delivery_method,
        leg.store_id,
        tuple(question.needs[place].sku for place in places),
        tuple(instance.quantities),
        Micros(solution.cost - first),
        Micros(solution.lower_bound - first),
        solution.is_proven,
        solution.node_count,
        len(found.indexes),
        found.removed,
        Micros(paid),
        Micros(units),
        Micros(solution.cost - first - paid - units),
        failed_rule_ids=question.effects.failed_rule_ids,
        used_location_ids=tuple(dict.fromkeys(package.location_id for package in packages)),
    )


def _nothing(leg: Leg, question: LegQuestion, found: Candidates) -> LegPlan:
    decision = LegDecision(
        leg.delivery_method,
        leg.store_id,
        tuple(need.sku for need in question.needs),
        tuple(_wanted(question)),
        Micros(0),
        Micros(0),
        is_proven=True,
        node_count=0,
        candidate_count=len(found.indexes),
        removed=found.removed,
        failed_rule_ids=question.effects.failed_rule_ids,
    )
    return LegPlan((), _shortages(question.needs, {}), decision)


def _rows(
    network: Network,
    found: Candidates,
    answer: tuple[Instance, Solution],
    shown: tuple[LocationIndex, ...],
) -> CandidateRows:
    instance, solution = answer
    count = len(found.indexes)
    kept = list(range(count))
    count_max = max(1, _CELLS_TOLD_MAX // len(instance.quantities))
    if count > min(CHEAPEST_MAX, count_max):
        told = [n for n, index in enumerate(found.indexes) if index in shown] if shown else []
        told += [package.candidate for package in solution.packages]
        told += cheapest_of(instance.package_costs) if found.cheapest is None else found.cheapest
        kept = sorted(list(dict.fromkeys(told))[:count_max])
    if len(kept) == 1:
        # The getter of one place gives no tuple.
        kept *= 2
    of = itemgetter(*kept)
    places = slice(len(dict.fromkeys(kept)))
    by_index = network.locations.by_index
    return CandidateRows(
        tuple(by_index[index].location_id for index in of(found.indexes)[places]),
        of(instance.package_costs)[places],
        tuple(of(row)[places] for row in instance.unit_costs),
        tuple(of(row)[places] for row in instance.available),
    )
