"""Lots: what must be sent whole, made of an instance's lines and its terms.

A line is a lot; lines that must be together are one lot, whose cost is the sum of theirs. A line
that ships alone shares its package with nothing, so it is an order of its own, which only the limit
on packages binds to the others.
"""

import msgspec

from domgrpc.core.routing.instance import (
    NEVER,
    AnyInstance,
    Instance,
    Obstacle,
    Unservable,
    line_costs,
)

Lot = tuple[int, ...]
"""Lines, lowest first."""


class Lots(msgspec.Struct):
    """The lots of an instance, those that share packages and those that ship alone."""

    shared: list[Lot]
    shared_rows: list[list[int]]
    alone: list[Lot]
    alone_rows: list[list[int]]
    package_costs: list[int]
    package_count_max: int
    """For the shared ones; 0 is no limit."""


def as_lists(instance: AnyInstance) -> Instance:
    """Return the instance with lists in it."""
    if isinstance(instance, Instance):
        return instance
    return Instance(
        quantities=list(map(int, instance.quantities)),
        package_costs=instance.package_costs.tolist(),
        unit_costs=instance.unit_costs.tolist(),
        available=instance.available.tolist(),
        terms=instance.terms,
    )


def lots_of(instance: Instance) -> Lots | Unservable:
    """Join the lines that belong together and take those out that ship alone."""
    terms = instance.terms
    lot_of = {line: group for group in terms.together for line in group}
    alone = frozenset(terms.alone)
    rows = [line_costs(instance, line) for line in range(len(instance.quantities))]
    short = tuple(line for line, row in enumerate(rows) if min(row, default=NEVER) >= NEVER)
    if short:
        return Unservable(Obstacle.STOCK, short)
    found = Lots([], [], [], [], list(instance.package_costs), terms.package_count_max)
    for line, row in enumerate(rows):
        if line in alone:
            found.alone.append((line,))
            found.alone_rows.append(row)
            continue
        lot = tuple(sorted(lot_of.get(line, (line,))))
        if lot[0] != line:
            continue
        costs = [sum(column) for column in zip(*(rows[member] for member in lot), strict=True)]
        if min(costs) >= NEVER:
            return Unservable(Obstacle.TOGETHER, lot)
        found.shared.append(lot)
        found.shared_rows.append(costs)
    if terms.package_count_max:
        left = terms.package_count_max - len(found.alone)
        if left < bool(found.shared):
            return Unservable(Obstacle.PACKAGES, ())
        found.package_count_max = left
    return found
