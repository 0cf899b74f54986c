"""The naive model of the solver: every set of candidates is tried."""

from itertools import combinations, product

from domgrpc.core.routing.instance import Instance, Terms

Plan = tuple[int, int, tuple[int, ...]]
"""Cost, packages, the candidates of the packages."""


def best_whole_plan(instance: Instance) -> Plan | None:
    """Return the best plan of an instance whose lines are sent whole, without weights."""
    terms = instance.terms
    lots = _lots(instance)
    alone = [lot for lot in lots if lot[0] in terms.alone]
    shared = [lot for lot in lots if lot[0] not in terms.alone]
    plans = []
    for separate in product(range(len(instance.package_costs)), repeat=len(alone)):
        own = [_lot_cost(instance, lot, j) for lot, j in zip(alone, separate, strict=True)]
        if None in own:
            continue
        for chosen in _candidate_sets(instance, len(shared)):
            shares = [
                [cost for j in chosen if (cost := _lot_cost(instance, lot, j)) is not None]
                for lot in shared
            ]
            used = tuple(sorted((*separate, *chosen)))
            if not all(shares) or 0 < terms.package_count_max < len(used):
                continue
            cost = sum(map(min, shares)) + sum(filter(None, own))
            plans.append((cost + sum(instance.package_costs[j] for j in used), len(used), used))
    return min(plans, default=None)


def _candidate_sets(instance: Instance, lot_count: int) -> list[tuple[int, ...]]:
    everyone = range(len(instance.package_costs))
    return [
        chosen
        for count in range(min(1, lot_count), lot_count + 1)
        for chosen in combinations(everyone, count)
    ]


def _lots(instance: Instance) -> list[tuple[int, ...]]:
    grouped = {line: group for group in instance.terms.together for line in group}
    lots = {grouped.get(line, (line,)): None for line in range(len(instance.quantities))}
    return list(lots)


def _lot_cost(instance: Instance, lot: tuple[int, ...], candidate: int) -> int | None:
    if any(instance.available[i][candidate] < instance.quantities[i] for i in lot):
        return None
    return sum(instance.quantities[i] * instance.unit_costs[i][candidate] for i in lot)


def with_terms(instance: Instance, terms: Terms) -> Instance:
    """Return the instance under other terms."""
    return Instance(
        quantities=instance.quantities,
        package_costs=instance.package_costs,
        unit_costs=instance.unit_costs,
        available=instance.available,
        terms=terms,
    )
