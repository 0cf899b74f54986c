"""The runner-up: the same packages, but one of them from another candidate.

Of all plans that differ from the best one so, and so only, it is the cheapest. It answers "what
was the next best?" at the price of one pass over the candidates, and it is the next best plan of
all that send the order in one package, where the best plan is one package.
"""

from collections.abc import Sequence

import numpy as np

from domgrpc.core.routing.instance import NEVER, AnyInstance, Numbers, Package, RunnerUp


def runner_up_of(instance: AnyInstance, packages: Sequence[Package], cost: int) -> RunnerUp | None:
    """Return the runner-up, None where no other candidate could send any package."""
    totals = [_totals(instance, package) for package in packages]
    return cheapest_exchange(totals, [package.candidate for package in packages], cost)


def cheapest_exchange(
    totals: Sequence[Numbers], candidates: list[int], cost: int
) -> RunnerUp | None:
    """Return the runner-up, given what each package would cost from each candidate."""
    best: RunnerUp | None = None
    for number, (by_candidate, candidate) in enumerate(zip(totals, candidates, strict=True)):
        now = int(by_candidate[candidate])
        by_candidate[candidates] = NEVER
        entering = int(by_candidate.argmin())
        least = int(by_candidate[entering])
        if least < NEVER and (best is None or cost - now + least < best.cost):
            best = RunnerUp(cost - now + least, number, entering)
    return best


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
