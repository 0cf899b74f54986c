"""Good plans quickly: the upper bound that the proofs work against.

Nothing here is proven; but every plan is one, and all is deterministic.
"""

from itertools import combinations

import numpy as np

from domgrpc.core.routing.instance import NEVER, Numbers

_PAIR = 2
_TRIES_MAX = 64


def greedy_plan(costs: Numbers, package_costs: Numbers, worth: Numbers) -> tuple[list[int], int]:
    """Return the places of a plan, lowest first, and its cost; every lot has a candidate.

    Opens the candidate that saves most against what the lots are worth, until no lot is missing
    and none saves any more; then drops and exchanges packages as long as that saves.
    """
    now = worth
    served = np.full(len(costs), NEVER)
    opened: list[int] = []
    while True:
        gains = np.maximum(now[:, None] - costs, 0).sum(axis=0) - package_costs
        missing = served >= NEVER
        if missing.any():
            useful = (costs[missing] < NEVER).any(axis=0)
            gains[~useful] = -NEVER
        place = int(gains.argmax())
        if gains[place] <= 0 and not missing.any():
            break
        opened.append(place)
        served = np.minimum(served, costs[:, place])
        now = np.minimum(now, costs[:, place])
    return exchanged(costs, package_costs, sorted(opened))


def exchanged(costs: Numbers, package_costs: Numbers, opened: list[int]) -> tuple[list[int], int]:
    """Return the plan improved: one or two packages dropped, or replaced by one other.

    At most _TRIES_MAX changes are tried, which bounds what a plan of many packages takes.
    """
    cost = int(costs[:, opened].min(axis=1).sum() + package_costs[opened].sum())
    tries = _TRIES_MAX
    better = True
    while better:
        better = False
        for rest in _remainders(opened)[:tries]:
            tries -= 1
            served = costs[:, rest].min(axis=1, initial=NEVER)
            sums = np.minimum(served[:, None], costs).sum(axis=0) + package_costs
            place = int(sums.argmin())
            paid = int(package_costs[rest].sum())
            without = paid + int(served.sum())
            if without <= cost:
                opened, cost, better = rest, without, True
                break
            if paid + int(sums[place]) < cost:
                opened, cost, better = sorted({*rest, place}), paid + int(sums[place]), True
                break
    return opened, cost


def _remainders(opened: list[int]) -> list[list[int]]:
    pairs = combinations(opened, len(opened) - _PAIR) if len(opened) > _PAIR else ()
    return [*map(list, combinations(opened, len(opened) - 1)), *map(list, pairs)]
