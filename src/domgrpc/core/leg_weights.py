"""Prices by weight, in the solver's words: the rate card of each candidate.

What is heavier than a parcel may be goes as several, and each asks for its package. What joins an
open parcel asks for what its weight adds to the parcel: nothing up to the end of the step that
the parcel is in.
"""

from collections.abc import Sequence
from typing import TypeAlias

from domgrpc.core.journeys import TransportTable
from domgrpc.core.leg_questions import Candidates, LegQuestion, Need
from domgrpc.core.routing.instance import RateCard, WeightRates

_NO_STEPS = RateCard((1 << 60,), (0,))
"""The weight steps of what has none."""
_PARCELS_MAX = 64
"""So many parcels are told apart of goods that join one; beyond, their prices repeat."""
_Numbers: TypeAlias = dict[RateCard, int]


def weight_rates(
    question: LegQuestion, found: Candidates, needs: Sequence[Need], grams: int
) -> WeightRates | None:
    """Return the cards of the candidates, None where nothing goes by weight.

    `grams` is what all goods weigh. O(candidates + cards).
    """
    if not found.table.cards and not any(place.table.cards for place in found.dated):
        return None
    numbers: _Numbers = {}
    indexes = []
    for candidate in range(len(found.indexes)):
        place = found.place(candidate)
        card = card_at(place.table, place.row)
        parcel = found.parcels.get(candidate)
        if parcel is not None and question.parcel_grams is not None and card is not _NO_STEPS:
            card = card_beyond(card, question.parcel_grams(parcel), grams)
        indexes.append(numbers.setdefault(card, len(numbers)))
    by_need = tuple(need.fields.weight_grams for need in needs)
    return WeightRates(by_need, tuple(numbers), indexes, tuple(found.parcels))


def card_at(table: TransportTable, row: int) -> RateCard:
    """Return by what card packages from a place of a table go."""
    if table.card[row] < 0:
        return _NO_STEPS
    steps = table.cards[table.card[row]]
    # Each parcel is a package to the carrier, and is handled as one.
    return RateCard(
        tuple(grams for grams, _ in steps),
        tuple(micros for _, micros in steps),
        table.package_micros[row],
    )


def cards_of(table: TransportTable) -> tuple[tuple[RateCard, ...], list[int]]:
    """Return the cards of a table, and by row which of them it goes by, -1 for none; O(rows)."""
    numbers: dict[tuple[int, int], int] = {}
    cards: list[RateCard] = []
    card_of = []
    for row, key in enumerate(zip(table.card, table.package_micros, strict=True)):
        if key[0] >= 0 and key not in numbers:
            numbers[key] = len(cards)
            cards.append(card_at(table, row))
        card_of.append(numbers.get(key, -1))
    return tuple(cards), card_of


def card_beyond(card: RateCard, grams: int, more_max: int) -> RateCard:
    """Return what more goods cost, up to a weight, that join a parcel of so many grams."""
    # What weighs nothing is free where the parcel is at the end of its step, too.
    last = card.grams_max[-1]
    paid = card.price(grams)
    first = max(0, grams - 1) // last
    ends = [
        number * last + end
        for number in range(first, min((grams + more_max) // last, first + _PARCELS_MAX) + 1)
        for end in card.grams_max
        if number * last + end >= grams
    ]
    return RateCard(
        tuple(end - grams for end in ends), tuple(card.price(end) - paid for end in ends)
    )
