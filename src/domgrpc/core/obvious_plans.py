"""The obvious plan: all of a leg in one package, from the place that is cheapest for all of it.

Where a unit costs the same whatever it is, a plan with the packages S costs at least what its
package with the cheapest units costs, if that one had to carry everything:

    sum of F_j over S + sum of q_i c_j(i)  >=  F_k + Q c_k,   k the cheapest per unit in S

So no plan is cheaper than the least F_k + Q c_k over all places, whatever their stock. If the
place that attains it has the stock, nothing has to be searched: the plan is proven by the bound.
Which place that is depends on the journey and the number of units only, so that it is looked up;
most orders of a retailer whose stores are stocked end here.
"""

from typing import NamedTuple, TypeAlias

from domgrpc.core.journey_columns import Best, Columns
from domgrpc.core.leg_questions import Need
from domgrpc.core.network import Ask, Network
from domgrpc.core.order_legs import Leg
from domgrpc.core.orders import NO_PARCEL, CandidateRows, FulfillmentLine, LegDecision
from domgrpc.core.plans import PlannedPackage
from domgrpc.core.routing.instance import NEVER
from domgrpc.core.stock_index import availability_view
from domgrpc.core.values import NO_LOCATION, LocationId, Micros, Quantity, TimeMs

_Rows: TypeAlias = list[tuple[int, ...]]
"""The units of each need at the best places."""
_Parts: TypeAlias = tuple[Micros, Micros, Micros]
"""What a plan costs: for the package, for the units, and what is weighed beside it."""


class PlainLeg(NamedTuple):
    """A leg that nothing concerns but stock, reach, and what is paid and weighed by its journey."""

    leg: Leg
    ask: Ask
    needs: tuple[Need, ...]
    columns: Columns
    package_micros: int
    """The price of each package beyond the first."""


class ObviousPlan(NamedTuple):
    """The one package, and why."""

    package: PlannedPackage
    decision: LegDecision


def obvious_plan(network: Network, plain: PlainLeg) -> ObviousPlan | None:
    """Return the obvious plan where it is proven at once, None where it takes more to tell.

    O(lines) and a look into each view for places that have nothing.
    """
    columns = plain.columns
    if columns.has_weight_rates or not len(columns.indexes):
        return None
    unit_count = 0
    for need in plain.needs:
        unit_count += need.quantity
        if need.fields.ship_alone:
            return None
    if columns.dearest_package_micros + unit_count * columns.dearest_unit_micros >= NEVER:
        return None
    best = columns.best(unit_count, network)
    rows = _available(network, plain, best)
    if rows is None:
        return None
    for row, need in zip(rows, plain.needs, strict=True):
        if row[0] < need.quantity:
            return None
    return _planned(plain, (best, rows, unit_count))


def _available(network: Network, plain: PlainLeg, best: Best) -> _Rows | None:
    # The units of each need at the places; None where not every place has something of one of
    # them: then it has to be counted which have nothing at all.
    location_count = len(network.locations.by_index)
    by_sku = network.stock.by_sku
    everywhere = False
    rows = []
    for need in plain.needs:
        stock = by_sku.get(need.sku)
        if stock is None:
            return None
        units = availability_view(network, stock, plain.ask).to_fulfill
        if len(units) == location_count:
            # Slots are in the order of locations.
            everywhere = everywhere or 0 not in units
            rows.append(tuple([units[index] for index in best.indexes]))
        else:
            slots = map(stock.slot, best.indexes)
            rows.append(tuple([units[slot] if slot >= 0 else 0 for slot in slots]))
    return rows if everywhere else None


def _planned(plain: PlainLeg, found: tuple[Best, _Rows, int]) -> ObviousPlan:
    best, _, unit_count = found
    index = best.indexes[0]
    paid = plain.columns.table.package_micros[index]
    units = unit_count * best.unit_costs[0]
    cost = best.package_costs[0] + units - plain.package_micros
    parts = (Micros(paid), Micros(units), Micros(cost - paid - units))
    return ObviousPlan(_package(plain, best, parts), _decision(plain, found, parts))


def _package(plain: PlainLeg, best: Best, parts: _Parts) -> PlannedPackage:
    leg, table, index = plain.leg, plain.columns.table, best.indexes[0]
    lines = [
        FulfillmentLine(line_id, need.sku, Quantity(quantity))
        for need in plain.needs
        for line_id, quantity in need.lines
    ]
    return PlannedPackage(
        best.location_ids[0],
        leg.delivery_method,
        tuple(lines),
        leg.store_id if leg.ends_at_store else NO_LOCATION,
        plain.ask.time_ms,
        TimeMs(table.ship_by_ms[index]),
        TimeMs(table.deliver_by_ms[index]),
        *parts,
        NO_PARCEL,
        table.ship_day[index],
    )


def _decision(plain: PlainLeg, found: tuple[Best, _Rows, int], parts: _Parts) -> LegDecision:
    best, rows, _ = found
    leg = plain.leg
    cost = Micros(sum(parts))
    runner_up, runner_up_ids = _runner_up(plain, found)
    return LegDecision(
        leg.delivery_method,
        leg.store_id,
        tuple([need.sku for need in plain.needs]),
        tuple([need.quantity for need in plain.needs]),
        cost,
        cost,
        True,  # noqa: FBT003 - is_proven; a keyword costs as much as the field
        0,
        len(plain.columns.indexes),
        plain.columns.removed(),
        *parts,
        runner_up,
        runner_up_ids,
        CandidateRows(
            best.location_ids,
            best.package_costs,
            (best.unit_costs,) * len(rows),
            tuple(rows),
        ),
        (),
        best.location_ids[:1],
    )


def _runner_up(
    plain: PlainLeg, found: tuple[Best, _Rows, int]
) -> tuple[Micros | None, tuple[LocationId, ...]]:
    # By the same bound: of the plans without the best place the second best is the cheapest,
    # where it has the stock.
    best, rows, unit_count = found
    if len(best.indexes) == 1:
        return None, ()
    for row, need in zip(rows, plain.needs, strict=True):
        if row[1] < need.quantity:
            return None, ()
    cost = best.package_costs[1] + unit_count * best.unit_costs[1]
    return Micros(cost - plain.package_micros), best.location_ids[1:2]
