"""Branch and bound over arrays: the tree of `search.py`, many nodes at a time.

The bounds, the branches and the ties are the same, for whole lots and for units. What differs is
the pace: all children of a batch of nodes are made, weighed and cut in a few steps of numpy, and
those that are left are the next nodes, the most promising first. A batch is small enough that
what it finds helps the batches after it.

A node has some candidates open. Where something is missing, one of the candidates that have some
of the lot with the fewest must be opened: each of them is in turn, and struck out for the nodes
after it. Where nothing is missing, a further package has to lower the costs by more than its own.

What a node takes grows with its children, the lots, and by unit with the packages opened. So there
is a cap on that work as on the nodes, and both hold for every step: what is not looked at any more
only lowers the bound.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from domgrpc.core.routing.found import Found
from domgrpc.core.routing.instance import LINES_MAX, NEVER, Numbers
from domgrpc.core.routing.prices import Offers
from domgrpc.core.routing.shapes import Marks, Sent, shape_of

SCALE = 2 * LINES_MAX
IMPOSSIBLE = NEVER * SCALE
_BATCH = 128
_BATCH_DEEP = 16
_FEW_MORE = 2
_PAIRS_MAX = 1 << 14
_NODE_CELLS = 1 << 12
"""So many cells a node may take, over all nodes; a step takes as long for fewer cells than that."""
_CELLS_MAX = 1 << 25
_WINDOW = 64
_WORD = 64


class Limits(msgspec.Struct, frozen=True):
    """How many packages a plan has, and how many nodes may be looked at."""

    count_min: int
    count_max: int
    node_count_max: int

    def within(self, node_count_max: int) -> "Limits":
        """Return the same with no more nodes than that."""
        return Limits(self.count_min, self.count_max, min(self.node_count_max, node_count_max))


class _Nodes(msgspec.Struct, frozen=True, eq=False):
    """Some nodes of one depth, by row."""

    opened: Numbers
    """Rows of candidates."""
    paid: Numbers
    rows: Numbers
    sent: Sent
    allowed: Marks
    """Who may still be opened."""

    def of(self, rows: Numbers, allowed: Marks) -> "_Nodes":
        """Return some of the nodes, of all of which these are allowed."""
        if len(rows) == len(allowed):
            return _Nodes(self.opened, self.paid, self.rows, self.sent, allowed)
        return _Nodes(
            self.opened[rows],
            self.paid[rows],
            self.rows[rows],
            self.sent.of(rows),
            allowed.take(rows, axis=0),
        )


class _Waiting(msgspec.Struct, frozen=True, eq=False):
    """Nodes that are not looked at yet, the most promising first."""

    opened: Numbers
    paid: Numbers
    rows: Numbers
    sent: Sent
    above: Numbers
    """Of which parent each is."""
    allowed: Marks
    """By parent."""
    branches: Marks
    """By parent, what is opened in turn and struck out for the nodes after it."""
    batch: int = 1
    """So many are looked at at a time."""

    def parted(self, count: int) -> "tuple[_Nodes, _Waiting | None]":
        """Return the first so many, and the others."""
        above = self.above[:count]
        allowed = self.allowed.take(above, axis=0)
        if self.opened.shape[1]:
            struck = self.branches.take(above, axis=0)
            place = self.opened[:count, -1].astype(np.int32)
            struck &= np.arange(struck.shape[1], dtype=np.int32) <= place[:, None]
            allowed &= ~struck
        first, rest = slice(count), slice(count, None)
        nodes = _Nodes(
            self.opened[first],
            self.paid[first],
            self.rows[first],
            self.sent.between(first),
            allowed,
        )
        if count >= len(self.paid):
            return nodes, None
        return nodes, _Waiting(
            self.opened[rest],
            self.paid[rest],
            self.rows[rest],
            self.sent.between(rest),
            self.above[rest],
            self.allowed,
            self.branches,
            self.batch,
        )


class BatchSearch:
    """One search; `run` it once, then read `chosen`, `value` and `bound`."""

    def __init__(self, names: Numbers, scaled: Offers, prices: Numbers, limits: Limits) -> None:
        """Take scaled offers, and prices for them."""
        slacks = scaled.slacks(prices)
        order = slacks.argsort(kind="stable")
        self._names = names[order]
        self._slacks = slacks[order]
        scaled = scaled.of(order)
        self._shape = shape_of(scaled, IMPOSSIBLE)
        self._prices = prices
        self._package_costs = scaled.package_costs
        has = scaled.has(IMPOSSIBLE)
        self._has = has
        self._units = has if scaled.units is None else scaled.units
        self._packed = _words(has)
        self._floor = scaled.floor()
        self._limits = Limits(
            max(limits.count_min, _apart_count(has)),
            min(limits.count_max, len(names)),
            limits.node_count_max,
        )
        self._package_sums = np.sort(scaled.package_costs)[: self._limits.count_max].cumsum()
        sums = self._slacks[: self._limits.count_max].cumsum()
        self._least_rest = int(sums.min(initial=IMPOSSIBLE))
        """The least sum of the slacks of one package more, or of several."""
        self._payers = int(np.searchsorted(self._slacks, 0))
        self.chosen: tuple[int, ...] = ()
        self.value = self.bound = IMPOSSIBLE
        """No plan that was not looked at is better than the bound."""
        self.node_count = 0
        self._cells_left = min(limits.node_count_max * _NODE_CELLS, _CELLS_MAX)

    def offer(self, chosen: Sequence[int], value: int) -> None:
        """Keep a plan that is as good as the best so far, where it is better or comes first."""
        names = tuple(sorted(chosen))
        if value < self.value or names < self.chosen:
            self.value, self.chosen = value, names

    def run(self) -> None:
        """Look at all plans, or at as many as may be."""
        rows = self._shape.root()
        anyone = np.ones((1, len(self._names)), dtype=bool)
        root = _Waiting(
            np.empty((1, 0), dtype=np.int64),
            np.zeros(1, dtype=np.int64),
            rows,
            self._shape.sent(rows, self._prices),
            np.zeros(1, dtype=np.int64),
            anyone,
            anyone,
        )
        stack = [root]
        while stack:
            waiting = stack.pop()
            left = self._limits.node_count_max - self.node_count
            count = min(waiting.batch, left, len(waiting.paid)) if self._cells_left else 0
            if not count:
                self._leave(waiting, waiting.above)
                continue
            nodes, rest = waiting.parted(count)
            if rest is not None:
                stack.append(rest)
            children = self._visit(nodes)
            if children is not None:
                stack.append(children)

    @property
    def cost(self) -> int:
        """Return what the best plan costs."""
        return (self.value - len(self.chosen)) // SCALE

    def found(self) -> Found | None:
        """Return what was found, None where there is no plan."""
        if not self.chosen and self.bound >= IMPOSSIBLE:
            return None
        # So many packages that their count looks like a cost may be in the plans not looked at.
        excess = max(0, self._limits.count_max - SCALE + 1)
        cost = self.cost
        bound = min(cost, (self.bound - excess) // SCALE)
        return Found(self.chosen, cost, bound, self.node_count)

    def _offer_all(self, nodes: _Nodes, parents: Numbers, places: Numbers, values: Numbers) -> None:
        # The best of the nodes with one package more.
        best = int(values.min(initial=IMPOSSIBLE))
        if best <= self.value and best < IMPOSSIBLE:
            equals = np.flatnonzero(values == best)
            opened = np.column_stack((nodes.opened[parents[equals]], places[equals]))
            plans = np.sort(self._names[opened], axis=1)
            self.offer(plans[np.lexsort(plans.T[::-1])[0]].tolist(), best)

    def _visit(self, nodes: _Nodes) -> _Waiting | None:
        done = nodes.opened.shape[1]
        self.node_count += len(nodes.paid)
        least = max(1, self._limits.count_min - done)
        most = self._most(nodes.paid, done)
        others = self._least_slacks(nodes.allowed, least - 1, most - 1)
        room = self.value - nodes.paid - nodes.sent.priced - others
        width = int(self._slacks.searchsorted(room.max(), side="right"))
        allowed = nodes.allowed[:, :width]
        allowed = allowed & (self._slacks[: allowed.shape[1]] <= room[:, None])
        alive = allowed.any(axis=1) & (most >= least)
        last = np.flatnonzero(alive & (most == 1))
        if len(last):
            self._try_last(nodes.of(last, allowed))
        inner = np.flatnonzero(alive & (most > 1))
        return self._children(nodes.of(inner, allowed)) if len(inner) else None

    def _leave(self, nodes: _Nodes | _Waiting, above: Numbers) -> None:
        # They are not looked at: no plan of theirs is better than their bounds. `above` is by node
        # the row that says who is allowed.
        done = nodes.opened.shape[1]
        least = max(1, self._limits.count_min - done)
        most = self._most(nodes.paid, done)
        open_ones = np.flatnonzero(most >= least)
        if len(open_ones):
            mosts = np.full(len(nodes.allowed), most.max())
            rests = self._least_slacks(nodes.allowed, least, mosts)
            floors = nodes.paid + nodes.sent.priced + rests[above]
            apart = nodes.paid + self._floor + self._package_sums[least - 1]
            bound = int(np.maximum(floors, apart)[open_ones].min())
            self.bound = min(self.bound, bound)

    def _affords(self, count: int, nodes: _Nodes) -> bool:
        # Whether so many nodes with one package more may be made.
        cells = max(count * len(self._has), _NODE_CELLS) * self._shape.depth(nodes.opened.shape[1])
        self._cells_left = max(0, self._cells_left - cells)
        return self._cells_left > 0

    def _most(self, paid: Numbers, done: int) -> Numbers:
        # How many packages more can be afforded.
        room = self.value - self._floor - paid
        affordable = self._package_sums.searchsorted(room, side="right")
        return np.minimum(affordable, self._limits.count_max - done)

    def _least_slacks(self, allowed: Marks, least: int, most: Numbers) -> Numbers:
        # The least sum of so many slacks: of all that are below 0, and of as many as there must be.
        if least == 0 == self._payers:
            return np.zeros(len(allowed), dtype=np.int64)
        within = allowed[:, : max(self._payers, _WINDOW)]
        slacks = self._slacks[: within.shape[1]]
        ranks = within.cumsum(axis=1)
        counts = np.where(slacks < 0, np.maximum(most, least)[:, None], least)
        found: Numbers = np.where(within & (ranks <= counts), slacks, 0).sum(axis=1)
        # What the window lacks is beyond it.
        found += np.maximum(least - ranks[:, -1], 0) * max(0, int(slacks[-1]))
        return found

    def _try_last(self, nodes: _Nodes) -> None:
        # The plans that one more package completes.
        parents, places = _marked(nodes.allowed)
        missing = nodes.sent.missing
        for lot in np.flatnonzero(missing.any(axis=0)).tolist():
            fits = self._units[lot].take(places) >= missing[:, lot].take(parents)
            parents, places = parents[fits], places[fits]
        if not len(parents):
            return
        if not self._affords(len(parents), nodes):
            self._leave(nodes, np.arange(len(nodes.paid)))
            return
        for start in range(0, len(parents), _PAIRS_MAX):
            some = slice(start, start + _PAIRS_MAX)
            self._opened(nodes, parents[some], places[some])

    def _opened(
        self, nodes: _Nodes, parents: Numbers, places: Numbers
    ) -> tuple[Numbers, Numbers, Sent]:
        # What comes of the nodes with one package more; what is complete is offered.
        paid = nodes.paid.take(parents) + self._package_costs.take(places)
        rows = self._shape.added(nodes.rows.take(parents, axis=0), places)
        sent = self._shape.sent(rows, self._prices)
        self._offer_all(
            nodes, parents, places, np.where(sent.is_whole, paid + sent.cost, IMPOSSIBLE)
        )
        return paid, rows, sent

    def _children(self, nodes: _Nodes) -> _Waiting | None:
        whole = nodes.sent.is_whole
        branches = nodes.allowed & self._has[:, : nodes.allowed.shape[1]].take(
            self._fewest(nodes.allowed, nodes.sent.missing), axis=0
        )
        branches[whole] = nodes.allowed[whole]
        parents, places = _marked(branches)
        if not self._affords(len(parents), nodes):
            self._leave(nodes, np.arange(len(nodes.paid)))
            return None
        paid, rows, sent = self._opened(nodes, parents, places)
        good = paid + sent.priced <= self.value - self._least_rest
        if whole.any():
            # What does not pay by itself does not pay in company.
            was_whole = whole[parents]
            pays = paid + sent.cost <= (nodes.paid + nodes.sent.cost)[parents]
            out = was_whole & ~pays
            branches[parents[out], places[out]] = False
            nodes.allowed[whole] = branches[whole]
            good &= ~out
        least = max(1, self._limits.count_min - nodes.opened.shape[1] - 1)
        most = self._most(paid, nodes.opened.shape[1] + 1)
        good &= most >= least
        kept = np.flatnonzero(good)
        kept = kept[(paid + sent.priced)[kept].argsort(kind="stable")]
        if not len(kept):
            return None
        above = parents[kept]
        return _Waiting(
            np.column_stack((nodes.opened[above], places[kept])),
            paid[kept],
            rows[kept],
            sent.of(kept),
            above,
            nodes.allowed,
            branches,
            _BATCH if int(most.max()) <= _FEW_MORE else _BATCH_DEEP,
        )

    def _fewest(self, allowed: Marks, missing: NDArray[np.integer[Any]]) -> Numbers:
        # By node the missing lot that the fewest have of those that may be opened.
        words = _words(allowed)
        packed = self._packed[:, : words.shape[1]]
        counts = np.bitwise_count(words[:, None, :] & packed).sum(axis=2)
        found: Numbers = np.where(missing > 0, counts, len(self._names) + 1).argmin(axis=1)
        return found


def _marked(marks: Marks) -> tuple[Numbers, Numbers]:
    # The rows and columns of what is marked; faster than nonzero.
    rows, columns = np.divmod(np.flatnonzero(marks), max(1, marks.shape[1]))
    return rows, columns


def _words(marks: Marks) -> NDArray[np.uint64]:
    # Rows of bits, packed.
    packed = np.packbits(marks, axis=1)
    padded = np.zeros((len(marks), -(-packed.shape[1] // 8) * 8), dtype=np.uint8)
    padded[:, : packed.shape[1]] = packed
    return padded.view(np.uint64)


def _apart_count(has: Marks) -> int:
    # Lots of which no two have a candidate in common need a package each.
    taken = np.zeros(has.shape[1], dtype=bool)
    count = 0
    for lot in has.sum(axis=1).argsort(kind="stable"):
        if not (has[lot] & taken).any():
            taken |= has[lot]
            count += 1
    return count
