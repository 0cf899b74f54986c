"""Lots: what must be sent whole, made of an instance's lines and its terms.

A line is a lot; lines that must be together are one lot, whose cost is the sum of theirs. A line
that ships alone shares its package with nothing, so it is an order of its own, which only the limit
on packages binds to the others.
"""

from collections.abc import Sequence
from itertools import chain
from operator import add

import msgspec
import numpy as np

from domgrpc.core.routing.instance import (
    NEVER,
    AnyInstance,
    ArrayInstance,
    Instance,
    Numbers,
    Obstacle,
    Terms,
    Unservable,
    rows_at_once,
)

Lot = tuple[int, ...]
"""Lines, lowest first."""


class Lots(msgspec.Struct, frozen=True):
    """The lots of an instance."""

    shared: list[Lot]
    """Those that may be together in a package."""
    alone: list[Lot]
    package_count_max: int
    """For the shared ones; 0 is no limit."""


def lots_of(line_count: int, terms: Terms) -> Lots | Unservable:
    """Join the lines that belong together and take those out that ship alone."""
    grouped = frozenset(chain.from_iterable(terms.together))
    alone = frozenset(terms.alone)
    shared: list[Lot] = [
        (line,) for line in range(line_count) if line not in grouped and line not in alone
    ]
    shared += [tuple(sorted(group)) for group in terms.together]
    shared.sort()
    count_max = terms.package_count_max
    if count_max:
        count_max -= len(alone)
        if count_max < bool(shared):
            return Unservable(Obstacle.PACKAGES, ())
    return Lots(shared, [(line,) for line in sorted(alone)], count_max)


def cost_rows(instance: Instance, lots: Sequence[Lot]) -> list[list[int]]:
    """Return what each lot costs from each candidate, NEVER or more where it cannot be."""
    rows = []
    for lot in lots:
        row = _cost_row(instance, lot[0])
        for line in lot[1:]:
            row = list(map(add, row, _cost_row(instance, line)))
        rows.append(row)
    return rows


def _cost_row(instance: Instance, line: int) -> list[int]:
    quantity = instance.quantities[line]
    return [
        quantity * cost if units >= quantity else NEVER
        for cost, units in zip(instance.unit_costs[line], instance.available[line], strict=True)
    ]


def cost_matrix(instance: ArrayInstance, lots: Sequence[Lot]) -> Numbers:
    """Return what each lot costs from each candidate, NEVER where it cannot be."""
    quantities = np.array(instance.quantities, dtype=np.int64)[:, None]
    costs: Numbers = np.empty(instance.unit_costs.shape, dtype=np.int64)
    # Some rows at a time: what does not fit the nearest caches takes far longer. The larger of the
    # cost and NEVER or 0, as whether units are there is a coin toss, on which a branch would wait.
    for rows in rows_at_once(*costs.shape):
        found = np.multiply(instance.unit_costs[rows], quantities[rows], out=costs[rows])
        np.maximum(found, (instance.available[rows] < quantities[rows]) * NEVER, out=found)
    if len(lots) == len(costs):
        return costs
    joined: Numbers = np.array([costs[list(lot)].sum(axis=0) for lot in lots], dtype=np.int64)
    return np.minimum(joined, NEVER)


def costs_of(instance: AnyInstance, lots: Sequence[Lot]) -> Numbers:
    """Return the matrix for either kind of instance."""
    if isinstance(instance, ArrayInstance):
        return cost_matrix(instance, lots)
    return np.minimum(np.array(cost_rows(instance, lots), dtype=np.int64), NEVER)
