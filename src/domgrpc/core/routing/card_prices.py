"""What packages cost by their weight, many at once, and at least."""

from collections.abc import Sequence
from fractions import Fraction
from heapq import heappop, heappush

import numpy as np

from domgrpc.core.routing.instance import Numbers, RateCard

_STEPS_MAX = 300
"""So many weights are looked at for a bound."""


def prices_of(card: RateCard, grams: Numbers) -> Numbers:
    """Return the price of a package of each weight, as `RateCard.price` does of one."""
    micros = np.array((0, *card.micros), dtype=np.int64)
    full_counts, rests = np.divmod(grams, card.grams_max[-1])
    is_begun = (rests > 0) | (grams == 0)
    steps = np.searchsorted(card.grams_max, rests) + is_begun
    more_parcels = full_counts - ~is_begun
    found: Numbers = (
        full_counts * card.micros[-1] + micros[steps] + more_parcels * card.parcel_micros
    )
    return found


def least_price(cards: Sequence[tuple[int, RateCard]], grams: int, package_count_min: int) -> int:
    """Return what packages of that weight cost at least, however it is parted among them.

    `cards` are (package cost, rate card). A shortest path over what is left to send, along the
    ends of steps, guided by what a gram costs at least (Hart, Nilsson and Raphael 1968); cut off,
    its bound holds all the same. O(steps of all cards x weights looked at).
    """
    # (grams, micros, packages); a further full parcel is in a package that is paid already.
    items = [
        (end, cost + micros, 1)
        for cost, card in cards
        for end, micros in zip(card.grams_max, card.micros, strict=True)
    ]
    items += [(card.grams_max[-1], card.micros[-1] + card.parcel_micros, 0) for _, card in cards]
    best = min(Fraction(micros, end) for end, micros, _ in items if end)
    best_micros, best_grams = best.as_integer_ratio()
    queue = [(grams * best_micros // best_grams, 0, grams, package_count_min)]
    known = {(grams, package_count_min): 0}
    bound = 0
    for _ in range(_STEPS_MAX):
        bound, paid, left, missing = heappop(queue)
        if not left and not missing:
            return paid
        for end, micros, count in items:
            state = (max(0, left - end), max(0, missing - count))
            cost = paid + micros
            if state != (left, missing) and cost < known.get(state, cost + 1):
                known[state] = cost
                guess = cost + state[0] * best_micros // best_grams
                heappush(queue, (guess, cost, *state))
    return bound
