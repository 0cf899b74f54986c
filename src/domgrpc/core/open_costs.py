"""Open costs: what open work costs where it lies or would lie, to the micro, weight steps included.

The search takes no weight steps: it is given prices that are exact for a leg of one SKU, and a
straight line below the steps for others. So what it proves is a lower bound here too, and what it
finds is counted again by `leg_cost`, which is what placing counts.
"""

from array import array
from collections.abc import Sequence

from domgrpc.core.freight import Steps
from domgrpc.core.open_work import OpenLeg, rate_card
from domgrpc.core.routing.by_weight import line_below
from domgrpc.core.values import LocationIndex


def leg_cost(leg: OpenLeg, places: Sequence[LocationIndex]) -> int:
    """Return what a leg costs with its needs, one after the other, at these places; O(needs)."""
    packages = memoryview(leg.package_costs).cast("q")
    grams: dict[LocationIndex, int] = {}
    cost = -leg.free_micros
    for need, place in zip(leg.needs, places, strict=True):
        grams[place] = grams.get(place, 0) + need.quantity * need.unit_grams
        cost += need.quantity * memoryview(need.unit_costs).cast("q")[place]
    cost += sum(packages[place] for place in grams)
    if leg.cards:
        card_of = memoryview(leg.card_of).cast("q")
        cost += sum(
            rate_card(leg.cards[card_of[place]]).price(weight)
            for place, weight in grams.items()
            if card_of[place] >= 0
        )
    return cost


def present_places(leg: OpenLeg) -> list[LocationIndex]:
    """Return where the needs of a leg lie now."""
    return [need.present for need in leg.needs]


def is_carried_out(leg: OpenLeg, places: Sequence[LocationIndex]) -> bool:
    """Whether these places keep to what must travel together, and in so few packages."""
    if any(place < 0 for place in places):
        return False
    count_max = leg.package_count_max
    if count_max and len(dict.fromkeys(places)) > count_max:
        return False
    return all(len({places[need] for need in group}) == 1 for group in leg.groups)


def search_rows(leg: OpenLeg) -> tuple[bytes, list[bytes]]:
    """Return the costs that the search is given: of packages, and by need of units, by location.

    No plan of the leg costs less by `leg_cost`, but for what its first package is free of.
    """
    rows = [need.unit_costs for need in leg.needs]
    if not leg.cards:
        return leg.package_costs, rows
    lines = [_line(leg, card) for card in leg.cards]
    fixed = [micros for micros, _ in lines] + [0]
    slopes = [slope for _, slope in lines] + [0]
    # Card -1, none, is the last.
    card_of = memoryview(leg.card_of).cast("q")
    packages = memoryview(leg.package_costs).cast("q")
    package_costs = array(
        "q", [cost + fixed[card] for cost, card in zip(packages, card_of, strict=True)]
    )
    return package_costs.tobytes(), [
        array(
            "q",
            [
                cost + need.unit_grams * slopes[card]
                for cost, card in zip(memoryview(row).cast("q"), card_of, strict=True)
            ],
        ).tobytes()
        for need, row in zip(leg.needs, rows, strict=True)
    ]


def _line(leg: OpenLeg, steps: Steps) -> tuple[int, int]:
    card, grams = rate_card(steps), leg.grams
    if len(leg.needs) == 1 or not grams:
        # What a package of it weighs is known.
        return card.price(grams), 0
    return line_below(card, grams, grams)
