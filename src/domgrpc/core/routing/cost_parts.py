"""What a plan costs, part by part; what strategies pay and explanations show."""

from collections.abc import Iterable

import msgspec

from domgrpc.core.routing.instance import AnyInstance, Package


class PackageCost(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What one package costs, in micros; the sum of the parts is the whole."""

    candidate: int
    package: int
    """However much is in it."""
    weight: int
    """By its rate card; 0 where prices do not depend on weight."""
    lines: tuple[tuple[int, int], ...]
    """(line, micros) of what is in it."""

    @property
    def total(self) -> int:
        """Return the sum of the parts."""
        return self.package + self.weight + sum([micros for _, micros in self.lines])


def package_cost(instance: AnyInstance, package: Package) -> PackageCost:
    """Return what a package costs, in O(lines in it)."""
    candidate, contents = package.candidate, package.contents
    unit_costs, rates = instance.unit_costs, instance.terms.weight_rates
    lines = []
    for line, units in contents:
        # For the few lines of most packages a comprehension is slower: every decision comes by.
        lines.append((line, units * int(unit_costs[line][candidate])))
    weight = 0
    if rates is not None:
        grams = sum([units * rates.unit_grams[line] for line, units in contents])
        weight = rates.cards[rates.card_indexes[candidate]].price(grams)
    return PackageCost(candidate, int(instance.package_costs[candidate]), weight, tuple(lines))


def plan_cost(instance: AnyInstance, packages: Iterable[Package]) -> int:
    """Return what the packages cost together."""
    return sum([package_cost(instance, package).total for package in packages])
