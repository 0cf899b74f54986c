"""What the solver takes for granted about an instance, as checks for tests and callers in doubt."""

from itertools import pairwise

import numpy as np

from domgrpc.core.routing.instance import (
    CANDIDATES_MAX,
    LINES_MAX,
    NEVER,
    QUANTITY_MAX,
    AnyInstance,
    RateCard,
)


def check_instance(instance: AnyInstance) -> None:
    """Assert that the instance is one: shapes, ranges, terms, and sums that stay below NEVER."""
    quantities = list(instance.quantities)
    line_count, candidate_count = len(quantities), len(instance.package_costs)
    assert 1 <= line_count <= LINES_MAX, f"{line_count} lines"
    assert candidate_count <= CANDIDATES_MAX, f"{candidate_count} candidates"
    for matrix in (instance.unit_costs, instance.available):
        rows = [len(row) for row in matrix]
        assert rows == [candidate_count] * line_count, f"rows of {rows} candidates"
    assert all(1 <= quantity <= QUANTITY_MAX for quantity in quantities), f"units: {quantities}"
    _check_terms(instance, line_count)
    # As floats: what is far too large must not overflow on the way to being refused.
    packages = np.array(instance.package_costs, dtype=np.float64)
    units = np.array(instance.unit_costs, dtype=np.float64).reshape(line_count, -1)
    assert packages.min(initial=0) >= 0, "a package cost is below 0"
    assert units.min(initial=0) >= 0, "a unit cost is below 0"
    dearest = dearest_micros(instance)
    assert dearest < NEVER, f"a plan could cost {dearest} micros"


def dearest_micros(instance: AnyInstance) -> int:
    """Return what no plan costs more than; below NEVER, all sums of the solver fit. O(cells)."""
    goods = sum(
        quantity * int(max(costs, default=0))
        for quantity, costs in zip(instance.quantities, instance.unit_costs, strict=True)
    )
    package = int(max(instance.package_costs, default=0))
    # With split lines every unit may, in a bound, be in a package of its own.
    quantities = instance.quantities
    package_count = sum(quantities) if instance.terms.unit_split else len(quantities)
    return goods + package_count * (package + _dearest_rate(instance))


def _check_terms(instance: AnyInstance, line_count: int) -> None:
    terms = instance.terms
    bound = [*terms.alone, *(line for group in terms.together for line in group)]
    assert len(set(bound)) == len(bound), f"lines under two terms: {sorted(bound)}"
    assert all(0 <= line < line_count for line in bound), f"unknown lines: {sorted(bound)}"
    assert all(len(group) > 1 for group in terms.together), "a group of one line"
    assert terms.package_count_max >= 0, "a negative limit of packages"
    if not isinstance(terms.unit_split, bool):
        assert len(terms.unit_split) == line_count, "unit_split is not by line"
    rates = terms.weight_rates
    if rates is not None:
        assert len(rates.unit_grams) == line_count, "unit_grams are not by line"
        assert min(rates.unit_grams) >= 0, "a weight is below 0"
        assert len(rates.card_indexes) == len(instance.package_costs), "cards are not by candidate"
        assert all(0 <= index < len(rates.cards) for index in rates.card_indexes), "unknown card"
        assert all(0 <= one < len(rates.card_indexes) for one in rates.once), "unknown candidate"
        for card in rates.cards:
            _check_card(card)


def _check_card(card: RateCard) -> None:
    assert card.grams_max, "a rate card without steps"
    assert len(card.grams_max) == len(card.micros), "steps without a price"
    assert card.parcel_micros >= 0, "a parcel that costs less than nothing"
    assert card.grams_max[0] >= 0, "a step that ends below 0 grams"
    assert card.grams_max[-1] > 0, "a card for nothing that weighs"
    assert all(low < high for low, high in pairwise(card.grams_max)), "steps out of order"
    assert all(0 <= low <= high for low, high in pairwise((0, *card.micros))), "falling prices"


def _dearest_rate(instance: AnyInstance) -> int:
    rates = instance.terms.weight_rates
    if rates is None:
        return 0
    grams = sum(q * g for q, g in zip(instance.quantities, rates.unit_grams, strict=True))
    return max(card.price(grams) for card in rates.cards)
