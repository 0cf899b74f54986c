"""The naive model of the solver: every plan is looked at."""

from collections.abc import Iterator
from functools import cache
from itertools import combinations, product

from benchmarks.routing_checker import package_cost
from domgrpc.core.routing.instance import Instance, Package

Plan = tuple[int, int, tuple[int, ...]]
"""Cost, packages, the candidates of the packages."""
Lines = tuple[int, ...]


def best_whole_plan(instance: Instance) -> Plan | None:
    """Return the best plan of all where every line is sent whole."""
    alone = [(line,) for line in instance.terms.alone]
    return min(
        (
            plan
            for groups in _partitions(_shared_lots(instance))
            for plan in _plans_of(instance, [*alone, *groups])
        ),
        default=None,
    )


def best_split_plan(instance: Instance) -> Plan | None:
    """Return the best plan where lines may split; not for weights, where filling is not greedy."""
    everyone = range(len(instance.package_costs))
    alone = [(line,) for line in instance.terms.alone]
    sets = [
        chosen for count in range(len(everyone) + 1) for chosen in combinations(everyone, count)
    ]
    plans = []
    for separate in product(everyone, repeat=len(alone)):
        own = [_cost(instance, lot, one) for lot, one in zip(alone, separate, strict=True)]
        for chosen in sets if None not in own else ():
            cost = _filled_cost(instance, chosen)
            used = tuple(sorted((*separate, *chosen)))
            if cost is not None and _may_be(instance, len(used)):
                plans.append((cost + sum(one for one in own if one), len(used), used))
    return min(plans, default=None)


def best_split_plan_by_weight(instance: Instance) -> Plan | None:
    """Return the best plan of all contents of all packages; for a few units only."""
    everyone = range(len(instance.package_costs))
    alone = [(line,) for line in instance.terms.alone]
    plans = []
    for separate in product(everyone, repeat=len(alone)):
        own = [_cost(instance, lot, one) for lot, one in zip(alone, separate, strict=True)]
        if None in own:
            continue
        shared = _packed(instance, len(alone))
        if shared is not None:
            cost, count, used = shared
            total = cost + sum(one for one in own if one)
            plans.append((total, count + len(alone), tuple(sorted((*separate, *used)))))
    return min(plans, default=None)


def _packed(instance: Instance, count_before: int) -> Plan | None:
    # One candidate after the other sends what it likes, package by package.
    lots = _shared_lots(instance)
    splits = [len(lot) == 1 and instance.terms.may_split(lot[0]) for lot in lots]
    has = [_stock(instance, lots, splits, one) for one in range(len(instance.package_costs))]

    @cache
    def best(candidate: int, left: Lines, stock: Lines, count: int) -> Plan | None:
        if not any(left):
            return (0, 0, ())
        if candidate == len(has):
            return None
        after = has[candidate + 1] if candidate + 1 < len(has) else ()
        plans = [best(candidate + 1, left, after, count)]
        may_send = _may_be(instance, count + 1)
        for taken in _contents(left, stock) if may_send else ():
            rest = best(candidate, _less(left, taken), _less(stock, taken), count + 1)
            if rest is not None:
                cost = priced(candidate, taken) + rest[0]
                plans.append((cost, rest[1] + 1, (candidate, *rest[2])))
        return min((plan for plan in plans if plan is not None), default=None)

    def priced(candidate: int, taken: Lines) -> int:
        contents = tuple(
            (line, units if split else instance.quantities[line])
            for lot, split, units in zip(lots, splits, taken, strict=True)
            for line in lot
            if units
        )
        return package_cost(instance, Package(candidate, contents))

    needs = tuple(
        instance.quantities[lot[0]] if split else 1 for lot, split in zip(lots, splits, strict=True)
    )
    return best(0, needs, has[0] if has else (), count_before)


def _stock(instance: Instance, lots: list[Lines], splits: list[bool], candidate: int) -> Lines:
    return tuple(
        instance.available[lot[0]][candidate]
        if split
        else int(_cost(instance, lot, candidate) is not None)
        for lot, split in zip(lots, splits, strict=True)
    )


def _contents(left: Lines, stock: Lines) -> Iterator[Lines]:
    most = [min(pair) + 1 for pair in zip(left, stock, strict=True)]
    return (taken for taken in product(*map(range, most)) if any(taken))


def _less(units: Lines, taken: Lines) -> Lines:
    return tuple(one - other for one, other in zip(units, taken, strict=True))


def _plans_of(instance: Instance, groups: list[Lines]) -> Iterator[Plan]:
    if not _may_be(instance, len(groups)):
        return
    for chosen in product(range(len(instance.package_costs)), repeat=len(groups)):
        costs = [_cost(instance, lines, one) for lines, one in zip(groups, chosen, strict=True)]
        known = [cost for cost in costs if cost is not None]
        if len(known) == len(costs):
            yield sum(known), len(groups), tuple(sorted(chosen))


def _may_be(instance: Instance, package_count: int) -> bool:
    return not 0 < instance.terms.package_count_max < package_count


def _cost(instance: Instance, lines: Lines, candidate: int) -> int | None:
    if any(instance.available[line][candidate] < instance.quantities[line] for line in lines):
        return None
    contents = tuple((line, instance.quantities[line]) for line in lines)
    return package_cost(instance, Package(candidate, contents))


def _shared_lots(instance: Instance) -> list[Lines]:
    terms = instance.terms
    apart = {*terms.alone, *(line for group in terms.together for line in group)}
    lines = range(len(instance.quantities))
    return [*terms.together, *((line,) for line in lines if line not in apart)]


def _partitions(lots: list[Lines]) -> Iterator[list[Lines]]:
    if not lots:
        yield []
        return
    first, *others = lots
    for groups in _partitions(others):
        yield [first, *groups]
        for place, group in enumerate(groups):
            yield [*groups[:place], (*first, *group), *groups[place + 1 :]]


def _filled_cost(instance: Instance, chosen: tuple[int, ...]) -> int | None:
    # Each lot from the cheapest of the chosen up.
    cost = sum(instance.package_costs[one] for one in chosen)
    for lot in _shared_lots(instance):
        splits = len(lot) == 1 and instance.terms.may_split(lot[0])
        need = instance.quantities[lot[0]]
        offers = []
        for one in chosen:
            units = min(instance.available[lot[0]][one], need) if splits else need
            whole = all(instance.available[line][one] >= instance.quantities[line] for line in lot)
            price = sum(instance.unit_costs[line][one] * instance.quantities[line] for line in lot)
            if splits:
                offers.append((instance.unit_costs[lot[0]][one], units))
            elif whole:
                offers.append((price, 1))
        left = need if splits else 1
        for price, units in sorted(offers):
            cost += price * min(left, units)
            left -= min(left, units)
        if left:
            return None
    return cost
