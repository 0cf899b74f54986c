"""What candidates cost: what is paid for a package and a unit, and what is weighed beside it."""

from collections.abc import Collection, Sequence

from domgrpc.core.freight import GRAMS_PER_KILOGRAM
from domgrpc.core.journey_columns import late_days
from domgrpc.core.journeys import TransportTable
from domgrpc.core.leg_questions import LegQuestion, Need, Places, Units
from domgrpc.core.values import LocationIndex


def package_costs(
    question: LegQuestion, table: TransportTable, places: Places, joined: Collection[int]
) -> list[int]:
    """Return what is weighed for a package from each place: the freight, lateness, wishes.

    What joins an open parcel, as goods from the places named by number do, is no package more.
    """
    kept, rows = places
    more = question.prices.package_micros
    costs = [table.package_micros[row] for row in rows]
    late = question.prices.late_day_micros
    for place in joined:
        costs[place] = 0
    if late:
        arrivals = [table.deliver_by_ms[row] for row in rows]
        if max(arrivals, default=0) > question.promise_ms:
            costs = [
                cost + late * late_days(question.promise_ms, arrival_ms)
                for cost, arrival_ms in zip(costs, arrivals, strict=True)
            ]
    wishes = question.effects.shared.prices
    if wishes is not None:
        costs = [max(0, cost + wishes[index]) for cost, index in zip(costs, kept, strict=True)]
    if more:
        costs = [cost if place in joined else cost + more for place, cost in enumerate(costs)]
    return costs


def unit_costs(
    question: LegQuestion,
    table: TransportTable,
    place: int,
    found: tuple[list[LocationIndex], Sequence[int], Units],
) -> list[int]:
    """Return what is weighed for a unit of a need from each place: freight, scarcity, wishes."""
    kept, rows, units = found
    paid = table.unit_micros
    need = question.needs[place]
    if need.fields.weight_grams:
        costs = [unit_cost(need, table, row) for row in rows]
    else:
        costs = [paid[row] for row in rows]
    scarcity = question.prices.scarcity_micros
    if scarcity:
        costs = [
            cost + scarcity // max(1, units.get(index, 0))
            for cost, index in zip(costs, kept, strict=True)
        ]
    wishes = question.effects.lines[place].prices if question.effects.lines else None
    if wishes is not None:
        # A price for the line, spread over its units.
        costs = [
            max(0, cost + need.share_of(wishes[index]))
            for cost, index in zip(costs, kept, strict=True)
        ]
    return costs


def unit_cost(need: Need, table: TransportTable, row: int) -> int:
    """Return what is paid for a unit of a need from a place of the table."""
    by_weight = need.fields.weight_grams * table.kilogram_micros[row] // GRAMS_PER_KILOGRAM
    return table.unit_micros[row] + by_weight
