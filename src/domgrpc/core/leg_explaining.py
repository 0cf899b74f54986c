"""Why a location is not in the plan of a leg, by what was weighed when it was decided."""

from operator import mul

from domgrpc.core.leg_solving import solve_leg
from domgrpc.core.orders import LegDecision
from domgrpc.core.plans import LocationExplanation
from domgrpc.core.routing.instance import (
    PLAIN,
    Instance,
    RateCard,
    Solution,
    Terms,
    WeightRates,
)
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
        removed_by="" if is_used else _removed_by(leg, place),
        missing=() if is_used else _missing(leg, place),
        cheaper_by_micros=Micros(0) if is_used else _difference(leg, place),
        is_as_decided=is_as_decided,
    )


def _removed_by(leg: LegDecision, place: int) -> str:
    # A candidate that has nothing of what is sent has some of what the limit of packages kept out.
    is_limited = any(name == "packages" for name, _ in leg.removed)
    return "packages" if is_limited and not any(row[place] for row in leg.rows.available) else ""


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
        terms=_terms(leg) if rows.cards else PLAIN,
    )


def _terms(leg: LegDecision) -> Terms:
    rows = leg.rows
    once = tuple(place for place, is_once in enumerate(rows.once) if is_once)
    rates = WeightRates(rows.unit_grams, _cards(leg), rows.card_indexes, once)
    return Terms(unit_split=any(rows.splits) and rows.splits, weight_rates=rates)


def _cards(leg: LegDecision) -> tuple[RateCard, ...]:
    return tuple(
        RateCard(tuple(grams for grams, _ in steps), tuple(micros for _, micros in steps), parcel)
        for steps, parcel in zip(leg.rows.cards, leg.rows.parcel_micros, strict=True)
    )


def weights_micros(leg: LegDecision) -> tuple[int, ...]:
    """Return what weight adds to one package from each candidate told of.

    In it is all that the candidate has of the leg; 0 where nothing goes by weight.
    """
    rows = leg.rows
    if not rows.cards:
        return (0,) * len(rows.location_ids)
    cards = _cards(leg)
    found = []
    for place, card in enumerate(rows.card_indexes):
        sent = [
            min(units[place], quantity)
            for units, quantity in zip(rows.available, leg.quantities, strict=True)
        ]
        found.append(cards[card].price(sum(map(mul, sent, rows.unit_grams))))
    return tuple(found)
