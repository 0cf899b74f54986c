"""The subset programme: the cheapest plan of every part of a batch, exactly.

With F the cost of a package and c that of a line, both by candidate location:

    g[T] = min over candidates of F + sum of c over the lines T       one package for the lines T
    f[S] = min of g[T] + f[S without T], over T within S that hold the first line of S

f of all lines is the cheapest way to send the part: every plan cuts its lines into packages, one
of which holds the first line, and each package is best sent from the cheapest candidate for it. A
line may also stay unsent for its backorder cost. Line costs above that are cut down to it, which
changes no f: wherever such a cost is used, not sending the line costs no more.

The last axis of every array is the part, so that each step is one operation on long rows. Sets
are numbers whose bits are lines.
"""

from functools import cache

import msgspec
import numpy as np

from domgrpc.core.routing.backlog_batches import Batch, Offer
from domgrpc.core.routing.backlog_data import NOWHERE, Booleans, Numbers


class Answer(msgspec.Struct, frozen=True, eq=False):
    """The cheapest plans of a batch."""

    values: Numbers
    """By part; with what the change from its present plan costs."""
    picks: Numbers
    """By line and part: the candidate, or NOWHERE."""


def solve(batch: Batch, offer: Offer) -> Answer:
    """Solve every part exactly; O(parts x (2^lines x candidates + 3^lines))."""
    capped = np.minimum(offer.costs, batch.backorders)
    if len(batch.lines) == 1:
        answer = _solve_lone_lines(batch, capped, offer.packages)
    else:
        tables = _tables(batch, capped, offer.packages)
        answer = Answer(tables[1][-1], _picks(batch, capped, offer.packages, tables))
    if not batch.can_keep.any():
        return answer
    kept, keeps = _keep(batch, offer, answer.values)
    return Answer(kept, np.where(keeps, batch.kept, answer.picks))


def cheapest_values(batch: Batch, offer: Offer) -> Numbers:
    """Return the values of `solve` alone, in less time."""
    capped = np.minimum(offer.costs, batch.backorders)
    if len(batch.lines) == 1:
        values = np.minimum((capped[0] + offer.packages).min(axis=0), batch.backorders[0, 0])
    else:
        values = _tables(batch, capped, offer.packages)[1][-1]
    return _keep(batch, offer, values)[0] if batch.can_keep.any() else values


def plan_values(batch: Batch, offer: Offer, picks: Numbers) -> Numbers:
    """Return what given plans cost, with what the change from the present plan costs."""
    rows = np.arange(len(picks))[:, None]
    columns = np.arange(picks.shape[1])
    is_sent = picks != NOWHERE
    lines = np.where(is_sent, offer.costs[rows, picks, columns], batch.backorders[:, 0])
    opens = is_sent.copy()
    for line in range(1, len(picks)):
        opens[line] &= (picks[:line] != picks[line]).all(axis=0)
    packages = np.where(opens, offer.packages[picks, columns], 0)
    changes = np.where((picks != batch.kept).any(axis=0), offer.changes, 0)
    costs = np.concatenate([lines, packages, changes[None]])
    return np.asarray(costs.sum(axis=0, dtype=np.int64))


def _solve_lone_lines(batch: Batch, capped: Numbers, packages: Numbers) -> Answer:
    costs = capped[0] + packages
    picks = costs.argmin(axis=0)
    columns = np.arange(len(picks))
    values = costs[picks, columns]
    backorders = batch.backorders[0, 0]
    is_sent = (values <= backorders) & (capped[0, picks, columns] < backorders)
    return Answer(np.minimum(values, backorders), np.where(is_sent, picks, NOWHERE)[None])


def _tables(batch: Batch, capped: Numbers, packages: Numbers) -> tuple[Numbers, Numbers]:
    """Return g and f by set and part."""
    line_count, width, count = capped.shape
    table = np.empty((1 << line_count, width, count), capped.dtype)
    table[0] = packages
    for line in range(line_count):
        np.add(table[: 1 << line], capped[line], out=table[1 << line : 2 << line])
    package = table.min(axis=1)
    for line in range(line_count):
        np.minimum(package[1 << line], batch.backorders[line, 0], out=package[1 << line])
    best = np.zeros_like(package)
    for sets, firsts in subset_layers(line_count):
        best[sets] = (package[firsts] + best[sets[:, None] ^ firsts]).min(axis=1)
    # No lines are no package: it fills up the rows of `first_packages`.
    package[0] = batch.closed
    return package, best


def _picks(
    batch: Batch, capped: Numbers, packages: Numbers, tables: tuple[Numbers, Numbers]
) -> Numbers:
    """Take package after package, the one with the first line first, until no line is left."""
    package, best = tables
    line_count, _, count = capped.shape
    picks = np.full((line_count, count), NOWHERE)
    rows = np.arange(line_count)[:, None]
    columns = np.arange(count)
    rest = np.full(count, (1 << line_count) - 1)
    while len(columns):
        firsts = first_packages(line_count)[:, rest]
        places = (package[firsts, columns] + best[rest ^ firsts, columns]).argmin(axis=0)
        chosen = firsts[places, np.arange(len(columns))]
        is_inside = (chosen >> rows & 1).astype(np.bool_)
        # `take`, unlike an index, leaves the rows in one piece.
        costs = np.take(capped, columns, axis=2) * is_inside[:, None]
        costs = costs.sum(axis=0, dtype=capped.dtype) + np.take(packages, columns, axis=1)
        pick = costs.argmin(axis=0)
        # Cheaper than any package is only a lone line that is not sent.
        is_package = costs[pick, np.arange(len(pick))] <= package[chosen, columns]
        is_sent = capped[rows, pick, columns] < batch.backorders[:, 0, columns]
        is_sent &= is_inside & is_package
        picks[:, columns] = np.where(is_sent, pick, picks[:, columns])
        rest ^= chosen
        columns, rest = columns[rest > 0], rest[rest > 0]
    return picks


def _keep(batch: Batch, offer: Offer, values: Numbers) -> tuple[Numbers, Booleans]:
    """Return the values where present plans may be kept, and which of them are.

    They are where no other is cheaper by more than the change costs.
    """
    columns = np.arange(len(batch.parts))
    rows = np.arange(len(batch.lines))[:, None]
    is_closed = offer.costs[rows, batch.kept, columns] >= batch.closed
    can_keep = batch.can_keep & ~(is_closed & (batch.kept != NOWHERE)).any(axis=0)
    kept = plan_values(batch, offer, batch.kept)
    changed = values + offer.changes
    keeps = can_keep & (kept <= changed)
    return np.where(keeps, kept, changed).astype(values.dtype), keeps


@cache
def subset_layers(line_count: int) -> list[tuple[Numbers, Numbers]]:
    """By size: the sets of so many lines, and of each its subsets that hold its first line.

    Sets of one size have equally many of them, and need only what smaller sets came to.
    """
    layers = []
    for size in range(1, line_count + 1):
        sets = [each for each in range(1, 1 << line_count) if each.bit_count() == size]
        firsts = [
            [part for part in range(1, each + 1) if part & each == part and part & each & -each]
            for each in sets
        ]
        layers.append((np.array(sets), np.array(firsts)))
    return layers


@cache
def first_packages(line_count: int) -> Numbers:
    """Return by set, in columns, its subsets that hold its first line, filled up with 0."""
    filled = np.zeros((1 << (line_count - 1), 1 << line_count), np.int64)
    for sets, firsts in subset_layers(line_count):
        filled[: firsts.shape[1], sets] = firsts.T
    return filled
