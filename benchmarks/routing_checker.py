"""An independent judge of plans: shares no code with the solver but the types.

Everything is counted again from the instance, one rule after the other, as slowly as is clear.
"""

from collections import defaultdict

from domgrpc.core.routing.instance import AnyInstance, Package, RateCard, Solution


def faults(instance: AnyInstance, solution: Solution) -> list[str]:
    """Return every rule that the solution breaks, in words."""
    found = []
    terms = instance.terms
    sent: dict[int, int] = defaultdict(int)
    taken: dict[tuple[int, int], int] = defaultdict(int)
    sources: dict[int, list[int]] = defaultdict(list)
    for number, package in enumerate(solution.packages):
        if not package.contents:
            found.append(f"package {number} is empty")
        for line, quantity in package.contents:
            if quantity < 1:
                found.append(f"package {number} has {quantity} units of line {line}")
            sent[line] += quantity
            taken[line, package.candidate] += quantity
            sources[line].append(number)
    for line, quantity in enumerate(instance.quantities):
        if sent[line] != quantity:
            found.append(f"{sent[line]} of {quantity} units of line {line} are sent")
        grouped = any(line in group for group in terms.together) or line in terms.alone
        may_split = (
            terms.unit_split if isinstance(terms.unit_split, bool) else terms.unit_split[line]
        )
        if len(sources[line]) > 1 and (grouped or not may_split):
            found.append(f"line {line} comes in packages {sources[line]} and must not split")
        if line in terms.alone and len(solution.packages[sources[line][0]].contents) > 1:
            found.append(f"line {line} must be alone in package {sources[line][0]}")
    for (line, candidate), quantity in taken.items():
        if quantity > instance.available[line][candidate]:
            found.append(f"candidate {candidate} has too few units of line {line}: {quantity}")
    for group in terms.together:
        if len({sources[line][0] for line in group}) > 1:
            found.append(f"lines {group} are not together")
    if 0 < terms.package_count_max < len(solution.packages):
        found.append(f"{len(solution.packages)} packages, {terms.package_count_max} may be")
    cost = sum(package_cost(instance, package) for package in solution.packages)
    if cost != solution.cost:
        found.append(f"the packages cost {cost}, not {solution.cost}")
    if not 0 <= solution.lower_bound <= solution.cost:
        found.append(f"the lower bound is {solution.lower_bound}, the cost {solution.cost}")
    return found


def package_cost(instance: AnyInstance, package: Package) -> int:
    """Return what a package costs."""
    cost = int(instance.package_costs[package.candidate])
    grams = 0
    for line, quantity in package.contents:
        cost += quantity * int(instance.unit_costs[line][package.candidate])
        if instance.terms.weight_rates is not None:
            grams += quantity * instance.terms.weight_rates.unit_grams[line]
    if instance.terms.weight_rates is None:
        return cost
    rates = instance.terms.weight_rates
    return cost + card_price(rates.cards[int(rates.card_indexes[package.candidate])], grams)


def card_price(card: RateCard, grams: int) -> int:
    """Return what parcels of that weight cost: full ones first."""
    price, left = 0, grams
    while left > card.grams_max[-1]:
        price, left = price + card.micros[-1], left - card.grams_max[-1]
    return price + next(
        micros for most, micros in zip(card.grams_max, card.micros, strict=True) if left <= most
    )
