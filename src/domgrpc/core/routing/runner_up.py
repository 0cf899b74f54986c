"""The runner-up: the same packages, but one of them from another candidate.

Of all plans that differ from the best one so, and so only, it is the cheapest. It answers "what
was the next best?" at the price of one pass over the candidates, and it is the next best plan of
all that send the order in one package, where the best plan is one package.
"""

from collections.abc import Iterable, Sequence

import numpy as np

from domgrpc.core.routing.instance import NEVER, AnyInstance, Numbers, Package, RunnerUp


def runner_up_of(instance: AnyInstance, packages: Sequence[Package], cost: int) -> RunnerUp | None:
    """Return the runner-up, None where no other candidate could send any package."""
    totals = [_totals(instance, package) for package in packages]
    return exchanged_in_arrays(totals, [package.candidate for package in packages], cost)


def exchanged_in_arrays(
    totals: Sequence[Numbers], candidates: list[int], cost: int
) -> RunnerUp | None:
    """Return the runner-up, given what each package would cost from each candidate."""
    options = []
    for number, (by_candidate, candidate) in enumerate(zip(totals, candidates, strict=True)):
        saved = int(by_candidate[candidate])
        by_candidate[candidates] = NEVER
        entering = int(by_candidate.argmin())
        options.append((int(by_candidate[entering]), saved, number, entering))
    return _cheapest(options, cost)


def exchanged_in_lists(
    totals: Sequence[list[int]], candidates: list[int], cost: int
) -> RunnerUp | None:
    """Return the same from lists."""
    options = []
    for number, (by_candidate, candidate) in enumerate(zip(totals, candidates, strict=True)):
        saved = by_candidate[candidate]
        for used in candidates:
            by_candidate[used] = NEVER
        least = min(by_candidate)
        options.append((least, saved, number, by_candidate.index(least)))
    return _cheapest(options, cost)


def _cheapest(options: Iterable[tuple[int, int, int, int]], cost: int) -> RunnerUp | None:
    # (what it adds, what it saves, package, candidate)
    best = None
    least = NEVER
    for added, saved, number, entering in options:
        if added < NEVER and (best is None or added - saved < least):
            best, least = (number, entering), added - saved
    return None if best is None else RunnerUp(cost + least, *best)


def _totals(instance: AnyInstance, package: Package) -> Numbers:
    # What the package would cost from each candidate.
    totals = np.array(instance.package_costs, dtype=np.int64)
    grams = 0
    rates = instance.terms.weight_rates
    for line, quantity in package.contents:
        costs = np.asarray(instance.unit_costs[line], dtype=np.int64)
        units = np.asarray(instance.available[line], dtype=np.int64)
        totals += np.where(units >= quantity, costs * quantity, NEVER)
        grams += quantity * rates.unit_grams[line] if rates else 0
    if rates is not None:
        prices = np.array([card.price(grams) for card in rates.cards], dtype=np.int64)
        totals += prices[np.asarray(rates.card_indexes)]
    return totals
