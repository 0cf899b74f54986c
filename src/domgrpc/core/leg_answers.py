"""The answer of a leg: packages from what the solver chose, and the decision that explains them."""

from operator import itemgetter
from typing import TypeAlias

import msgspec

from domgrpc.core.candidates import stocked
from domgrpc.core.journey_columns import CHEAPEST_MAX, cheapest_of
from domgrpc.core.leg_costs import unit_cost
from domgrpc.core.leg_questions import Candidates, LegQuestion, Need
from domgrpc.core.network import Network
from domgrpc.core.order_legs import Leg, shared_out
from domgrpc.core.orders import (
    NO_PARCEL,
    NO_ROWS,
    CandidateRows,
    FulfillmentLine,
    LegDecision,
)
from domgrpc.core.plans import LineShortage, PlannedPackage
from domgrpc.core.routing.instance import (
    Instance,
    Package,
    Solution,
)
from domgrpc.core.values import (
    NO_LOCATION,
    LineId,
    LocationId,
    LocationIndex,
    Micros,
    Quantity,
    Sku,
    TimeMs,
)

_CELLS_TOLD_MAX = 8_192
"""So many lines x candidates a decision tells of: it stays in the order, and in every event."""
Asked: TypeAlias = tuple[Leg, LegQuestion, Candidates]


class LegPlan(msgspec.Struct, frozen=True):
    """How a leg is fulfilled: its packages, what nobody can fill, and why so."""

    packages: tuple[PlannedPackage, ...]
    shortages: tuple[LineShortage, ...]
    decision: LegDecision


def planned_leg(
    asked: Asked,
    places: list[int],
    answer: tuple[Instance, Solution],
    told: tuple[Network, tuple[LocationIndex, ...]],
) -> LegPlan:
    """Return the packages of a solution and why they are these.

    `places` are those of the needs that were served, `told` says which locations to tell of.
    """
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
    asked: Asked,
    what: tuple[list[int], Instance],
    package: Package,
    notes: tuple[Network, dict[LineId, int], dict[tuple[int, LocationIndex], int]],
) -> PlannedPackage:
    leg, question, found = asked
    places, instance = what
    network, done, _ = notes
    candidate = package.candidate
    index = found.indexes[candidate]
    place = found.place(candidate)
    table, row = place.table, place.row
    parcel = found.parcels.get(candidate)
    by_weight = _step_price(instance, package)
    paid = by_weight + (table.package_micros[row] if parcel is None else 0)
    units, weighed, lines = 0, by_weight + instance.package_costs[candidate], []
    for number, quantity in package.contents:
        need = question.needs[places[number]]
        units += quantity * unit_cost(need, table, row)
        weighed += quantity * instance.unit_costs[number][candidate]
        late = _backordered(asked, places[number], (package, quantity), notes)
        lines += _shares(need, quantity, late, done)
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


def _backordered(
    asked: Asked,
    need_place: int,
    sent: tuple[Package, int],
    notes: tuple[Network, dict[LineId, int], dict[tuple[int, LocationIndex], int]],
) -> int:
    # Units of a package beyond the stock: of those that wait for supply, what is not there yet.
    _, question, found = asked
    package, quantity = sent
    network, _, used = notes
    index = found.indexes[package.candidate]
    key = (need_place, index)
    before = used.get(key, 0)
    used[key] = before + quantity
    if not found.place(package.candidate).ready_ms:
        return 0
    left = stocked(network, question.needs[need_place], question).get(index, 0) - before
    return quantity - max(0, min(left, quantity))


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
    asked: Asked,
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


def nothing_planned(leg: Leg, question: LegQuestion, found: Candidates) -> LegPlan:
    """Return the plan of a leg of which nobody can fill anything."""
    decision = LegDecision(
        leg.delivery_method,
        leg.store_id,
        tuple(need.sku for need in question.needs),
        tuple(need.quantity for need in question.needs),
        Micros(0),
        Micros(0),
        is_proven=False,
        node_count=0,
        candidate_count=len(found.indexes),
        removed=found.removed,
        failed_rule_ids=question.effects.failed_rule_ids,
    )
    return LegPlan((), _shortages(question.needs, {}), decision)


def given_up(decision: LegDecision, leg: Leg) -> LegDecision:
    """Return the decision of a leg that is not fulfilled, because a part of the order is short."""
    units: dict[Sku, int] = {}
    for line in leg.lines:
        units[line.sku] = units.get(line.sku, 0) + line.quantity
    return msgspec.structs.replace(
        decision,
        skus=tuple(units),
        quantities=tuple(units.values()),
        cost_micros=Micros(0),
        lower_bound_micros=Micros(0),
        is_proven=False,
        package_micros=Micros(0),
        units_micros=Micros(0),
        price_micros=Micros(0),
        runner_up_micros=None,
        runner_up_location_ids=(),
        rows=NO_ROWS,
        used_location_ids=(),
    )


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
        told += cheapest_of(instance.package_costs)
        kept = sorted(list(dict.fromkeys(told))[:count_max])
    if len(kept) == 1:
        # The getter of one place gives no tuple.
        kept *= 2
    of = itemgetter(*kept)
    places = slice(len(dict.fromkeys(kept)))
    by_index = network.locations.by_index
    rows = CandidateRows(
        tuple(by_index[index].location_id for index in of(found.indexes)[places]),
        of(instance.package_costs)[places],
        tuple(of(row)[places] for row in instance.unit_costs),
        tuple(of(row)[places] for row in instance.available),
    )
    rates = instance.terms.weight_rates
    if rates is None:
        return rows
    return msgspec.structs.replace(
        rows,
        cards=tuple(tuple(zip(card.grams_max, card.micros, strict=True)) for card in rates.cards),
        card_indexes=of(rates.card_indexes)[places],
        unit_grams=rates.unit_grams,
        parcel_micros=tuple(card.parcel_micros for card in rates.cards),
        once=tuple(place in rates.once for place in kept[places]),
        splits=tuple(map(instance.terms.may_split, range(len(instance.quantities)))),
    )
