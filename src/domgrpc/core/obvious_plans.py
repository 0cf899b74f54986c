"""The obvious plan: all of a leg in one package, from the place that is cheapest for all of it.

Where a unit costs the same whatever it is, a plan with the packages S costs at least what its
package with the cheapest units costs, if that one had to carry everything:

    sum of F_j over S + sum of q_i c_j(i)  >=  F_k + Q c_k,   k the cheapest per unit in S

So no plan is cheaper than the least F_k + Q c_k over all places, whatever their stock. If the
place that attains it has the stock, nothing has to be searched: the plan is proven by the bound.
Which place that is depends on the journey and the number of units only, so that it is looked up;
most orders of a retailer whose stores are stocked end here.
"""

from typing import TypeAlias

import msgspec

from domgrpc.core.candidates import is_plain
from domgrpc.core.journey_columns import Columns
from domgrpc.core.leg_questions import LegQuestion
from domgrpc.core.network import Network
from domgrpc.core.order_legs import Leg
from domgrpc.core.orders import NO_PARCEL, CandidateRows, FulfillmentLine, LegDecision
from domgrpc.core.plans import PlannedPackage
from domgrpc.core.stock_index import availability_view
from domgrpc.core.values import NO_LOCATION, LocationId, LocationIndex, Micros, Quantity, TimeMs

_Found: TypeAlias = tuple[Columns, tuple[int, ...], list[tuple[int, ...]], int]
"""The columns, the best places in them, the units of each need there, and all units asked."""


class ObviousPlan(msgspec.Struct, frozen=True, gc=False):
    """The one package, and why."""

    package: PlannedPackage
    decision: LegDecision


def obvious_plan(network: Network, leg: Leg, question: LegQuestion) -> ObviousPlan | None:
    """Return the obvious plan where it is proven at once, None where it takes more to tell.

    O(lines) and a look into each view for places that have nothing.
    """
    columns = question.columns
    if columns is None or not is_plain(question, columns) or not columns.indexes:
        return None
    unit_count = 0
    for need in question.needs:
        unit_count += need.quantity
        if need.fields.ship_alone:
            return None
    places = columns.best(unit_count)
    rows = _available(network, question, columns, places)
    if rows is None or any(
        row[0] < need.quantity for row, need in zip(rows, question.needs, strict=True)
    ):
        return None
    return _planned(network, leg, question, (columns, places, rows, unit_count))


def _available(
    network: Network, question: LegQuestion, columns: Columns, places: tuple[int, ...]
) -> list[tuple[int, ...]] | None:
    # The units of each need at the places; None where not every place has something of one of
    # them: then it has to be counted which have nothing at all.
    location_count = len(network.locations.by_index)
    indexes = [columns.indexes[place] for place in places]
    everywhere = False
    rows = []
    for need in question.needs:
        stock = network.stock.find(need.sku)
        if stock is None:
            return None
        units = availability_view(network, stock, question.ask).to_fulfill
        if len(units) == location_count:
            everywhere = everywhere or 0 not in units
            rows.append(tuple([units[index] for index in indexes]))
        else:
            slots = [stock.slot(index) for index in indexes]
            rows.append(tuple([units[slot] if slot >= 0 else 0 for slot in slots]))
    return rows if everywhere else None


def _planned(network: Network, leg: Leg, question: LegQuestion, found: _Found) -> ObviousPlan:
    columns, places, _, unit_count = found
    best = places[0]
    index = columns.indexes[best]
    paid = columns.table.package_micros[index]
    units = unit_count * columns.unit_costs[best]
    cost = columns.package_costs[best] + units - question.prices.package_micros
    parts = (Micros(paid), Micros(units), Micros(cost - paid - units))
    package = _package(network, leg, question, (columns, index, parts))
    return ObviousPlan(package, _decision(network, leg, question, (found, parts)))


def _package(
    network: Network,
    leg: Leg,
    question: LegQuestion,
    what: tuple[Columns, LocationIndex, tuple[Micros, Micros, Micros]],
) -> PlannedPackage:
    columns, index, parts = what
    table = columns.table
    lines = [
        FulfillmentLine(line_id, need.sku, Quantity(quantity))
        for need in question.needs
        for line_id, quantity in need.lines
    ]
    return PlannedPackage(
        network.locations.by_index[index].location_id,
        leg.delivery_method,
        tuple(lines),
        leg.store_id if leg.ends_at_store else NO_LOCATION,
        question.ask.time_ms,
        TimeMs(table.ship_by_ms[index]),
        TimeMs(table.deliver_by_ms[index]),
        *parts,
        NO_PARCEL,
        table.ship_day[index],
    )


def _decision(
    network: Network,
    leg: Leg,
    question: LegQuestion,
    what: tuple[_Found, tuple[Micros, Micros, Micros]],
) -> LegDecision:
    found, parts = what
    columns, places, rows, _ = found
    by_index = network.locations.by_index
    names = tuple([by_index[columns.indexes[place]].location_id for place in places])
    cost = Micros(sum(parts))
    runner_up, runner_up_ids = _runner_up(network, question, found)
    unit_costs = tuple([columns.unit_costs[place] for place in places])
    return LegDecision(
        leg.delivery_method,
        leg.store_id,
        tuple([need.sku for need in question.needs]),
        tuple([need.quantity for need in question.needs]),
        cost,
        cost,
        True,  # noqa: FBT003 - is_proven; a keyword costs as much as the field
        0,
        len(columns.indexes),
        columns.removed,
        *parts,
        runner_up,
        runner_up_ids,
        CandidateRows(
            names,
            tuple([columns.package_costs[place] for place in places]),
            (unit_costs,) * len(rows),
            tuple(rows),
        ),
        (),
        names[:1],
    )


def _runner_up(
    network: Network,
    question: LegQuestion,
    found: _Found,
) -> tuple[Micros | None, tuple[LocationId, ...]]:
    # By the same bound: of the plans without the best place the second best is the cheapest,
    # where it has the stock.
    columns, places, rows, unit_count = found
    if len(places) == 1 or any(
        row[1] < need.quantity for row, need in zip(rows, question.needs, strict=True)
    ):
        return None, ()
    second = places[1]
    cost = columns.package_costs[second] + unit_count * columns.unit_costs[second]
    location = network.locations.by_index[columns.indexes[second]]
    return Micros(cost - question.prices.package_micros), (location.location_id,)
