"""An independent judge of plans: shares no code with the solver but the types.

Everything is counted again from the instance, one rule after the other, as slowly as is clear.
"""

from collections.abc import Iterator

from domgrpc.core.routing.instance import AnyInstance, Package, RateCard, Solution


def faults(instance: AnyInstance, solution: Solution) -> list[str]:
    """Return every rule that the solution breaks, in words."""
    return [
        *_faults_of_lines(instance, solution),
        *_faults_of_terms(instance, solution),
        *_faults_of_costs(instance, solution),
    ]


def _faults_of_lines(instance: AnyInstance, solution: Solution) -> Iterator[str]:
    for line, quantity in enumerate(instance.quantities):
        parts = _parts(solution, line)
        if any(units < 1 for _, _, units in parts):
            yield f"a package has no unit of line {line} and names it"
        if sum(units for _, _, units in parts) != quantity:
            yield f"{sum(units for _, _, units in parts)} of {quantity} units of line {line}"
        for candidate in sorted({candidate for _, candidate, _ in parts}):
            taken = sum(units for _, owner, units in parts if owner == candidate)
            if taken > instance.available[line][candidate]:
                yield f"candidate {candidate} has too few units of line {line}: {taken}"


def _faults_of_terms(instance: AnyInstance, solution: Solution) -> Iterator[str]:
    terms, packages = instance.terms, solution.packages
    for line in range(len(instance.quantities)):
        split = terms.unit_split
        may_split = split if isinstance(split, bool) else split[line]
        is_bound = line in terms.alone or any(line in group for group in terms.together)
        if len(_parts(solution, line)) > 1 and (is_bound or not may_split):
            yield f"line {line} must not split"
    for line in terms.alone:
        if any(len(packages[number].contents) > 1 for number, _, _ in _parts(solution, line)):
            yield f"line {line} must be alone"
    for group in terms.together:
        if len({number for line in group for number, _, _ in _parts(solution, line)}) != 1:
            yield f"lines {group} must be together"
    rates = terms.weight_rates
    for candidate in rates.once if rates else ():
        if sum(package.candidate == candidate for package in packages) > 1:
            yield f"candidate {candidate} sends more than one package"
    if 0 < terms.package_count_max < len(packages):
        yield f"{len(packages)} packages, {terms.package_count_max} may be"


def _faults_of_costs(instance: AnyInstance, solution: Solution) -> Iterator[str]:
    cost = sum(package_cost(instance, package) for package in solution.packages)
    if cost != solution.cost:
        yield f"the packages cost {cost}, not {solution.cost}"
    if not 0 <= solution.lower_bound <= solution.cost:
        yield f"the lower bound is {solution.lower_bound}, the cost {solution.cost}"


def _parts(solution: Solution, line: int) -> list[tuple[int, int, int]]:
    # (number of the package, candidate, units)
    return [
        (number, package.candidate, units)
        for number, package in enumerate(solution.packages)
        for sent, units in package.contents
        if sent == line
    ]


def package_cost(instance: AnyInstance, package: Package) -> int:
    """Return what a package costs."""
    cost, grams = int(instance.package_costs[package.candidate]), 0
    rates = instance.terms.weight_rates
    for line, quantity in package.contents:
        cost += quantity * int(instance.unit_costs[line][package.candidate])
        grams += quantity * rates.unit_grams[line] if rates else 0
    if rates is None:
        return cost
    return cost + card_price(rates.cards[int(rates.card_indexes[package.candidate])], grams)


def card_price(card: RateCard, grams: int) -> int:
    """Return what parcels of that weight cost: full ones first."""
    price, left = 0, grams
    while left > card.grams_max[-1]:
        price += card.micros[-1] + card.parcel_micros
        left -= card.grams_max[-1]
    return price + min(
        micros for most, micros in zip(card.grams_max, card.micros, strict=True) if left <= most
    )
