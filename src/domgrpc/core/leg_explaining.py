"""Why a location is not in the plan of a leg, by what was weighed when it was decided."""

from domgrpc.core.orders import CandidateRow, LegDecision
from domgrpc.core.plans import LocationExplanation
from domgrpc.core.routing.instance import Instance, Solution
from domgrpc.core.routing.solver import solve
from domgrpc.core.values import LocationId, Micros, Sku


def explain_location(
    leg: LegDecision, location_id: LocationId, *, is_as_decided: bool
) -> LocationExplanation | None:
    """Return why a location is or is not in a leg's plan; None where the rows do not name it.

    The least that would have brought it in is by how much the best plan of the remembered
    candidates that has it send at least one whole line is dearer than the plan; one search for
    each line that it could send.
    """
    names = [row.location_id for row in leg.rows]
    if location_id not in names:
        return None
    place = names.index(location_id)
    return LocationExplanation(
        location_id,
        is_used=location_id in leg.used_location_ids,
        removed_by="",
        missing=_missing(leg, leg.rows[place]),
        cheaper_by_micros=_difference(leg, place),
        is_as_decided=is_as_decided,
    )


def _missing(leg: LegDecision, row: CandidateRow) -> tuple[tuple[Sku, int], ...]:
    return tuple(
        (sku, quantity - units)
        for sku, quantity, units in zip(leg.skus, leg.quantities, row.available, strict=True)
        if units < quantity
    )


def _difference(leg: LegDecision, place: int) -> Micros | None:
    best: int | None = None
    own = leg.rows[place].available
    for line, quantity in enumerate(leg.quantities):
        if own[line] < quantity:
            continue
        solution = solve(_forced(leg, place, line))
        if isinstance(solution, Solution):
            best = solution.cost if best is None else min(best, solution.cost)
    if best is None:
        return None
    chosen = solve(_forced(leg, place, None))
    return Micros(max(0, best - chosen.cost)) if isinstance(chosen, Solution) else None


def _forced(leg: LegDecision, place: int, forced_line: int | None) -> Instance:
    return Instance(
        quantities=leg.quantities,
        package_costs=[row.package_micros for row in leg.rows],
        unit_costs=[[row.unit_micros[line] for row in leg.rows] for line in range(len(leg.skus))],
        available=[
            [
                row.available[line] if line != forced_line or number == place else 0
                for number, row in enumerate(leg.rows)
            ]
            for line in range(len(leg.skus))
        ],
    )
