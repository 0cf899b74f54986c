"""Why a location is not in the plan of a leg, by what was weighed when it was decided."""

from domgrpc.core.leg_solving import solve_leg
from domgrpc.core.orders import LegDecision
from domgrpc.core.plans import LocationExplanation
from domgrpc.core.routing.instance import Instance, Solution
from domgrpc.core.values import LocationId, Micros, Sku

_SEARCHES_MAX = 50
_SEARCHED_CELLS_MAX = 5_000
"""Lines times searches of one explanation."""


def explain_location(
    leg: LegDecision, location_id: LocationId, *, is_used: bool, is_as_decided: bool
) -> LocationExplanation | None:
    """Return why a location is or is not in a leg's plan; None where the rows do not name it.

    Of one that is used there is nothing more to say.

    The least that would have brought it in is by how much the best plan of the remembered
    candidates that has it send at least one whole line is dearer than the plan; one search for
    each line that it could send, up to a bound.
    """
    names = leg.rows.location_ids
    if location_id not in names:
        return None
    place = names.index(location_id)
    return LocationExplanation(
        location_id,
        is_used=is_used,
        removed_by="",
        missing=() if is_used else _missing(leg, place),
        cheaper_by_micros=Micros(0) if is_used else _difference(leg, place),
        is_as_decided=is_as_decided,
    )


def _missing(leg: LegDecision, place: int) -> tuple[tuple[Sku, int], ...]:
    return tuple(
        (sku, quantity - units[place])
        for sku, quantity, units in zip(leg.skus, leg.quantities, leg.rows.available, strict=True)
        if units[place] < quantity
    )


def _difference(leg: LegDecision, place: int) -> Micros | None:
    best: int | None = None
    for line in _likeliest(leg, place):
        solution = solve_leg(_forced(leg, place, line))
        if isinstance(solution, Solution):
            best = solution.cost if best is None else min(best, solution.cost)
    if best is None:
        return None
    chosen = solve_leg(_forced(leg, place, None))
    return Micros(max(0, best - chosen.cost)) if isinstance(chosen, Solution) else None


def _likeliest(leg: LegDecision, place: int) -> list[int]:
    # The lines that it has whole, those first that cost least more from there.
    rows = leg.rows
    more = {
        line: quantity * (rows.unit_micros[line][place] - min(rows.unit_micros[line]))
        for line, quantity in enumerate(leg.quantities)
        if rows.available[line][place] >= quantity
    }
    count_max = max(1, min(_SEARCHES_MAX, _SEARCHED_CELLS_MAX // len(leg.quantities)))
    return sorted(more, key=more.__getitem__)[:count_max]


def _forced(leg: LegDecision, place: int, forced_line: int | None) -> Instance:
    rows = leg.rows
    available = [list(units) for units in rows.available]
    if forced_line is not None:
        own = available[forced_line][place]
        available[forced_line] = [0] * len(rows.location_ids)
        available[forced_line][place] = own
    return Instance(
        quantities=leg.quantities,
        package_costs=rows.package_micros,
        unit_costs=rows.unit_micros,
        available=available,
    )
