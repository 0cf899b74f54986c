"""Batches: parts of one line count side by side, so that they are solved together.

Parts share a batch that have about as many candidate locations: those with fewer are filled up
with closed ones. What a batch is solved for is an offer: its costs as they are for once, with
prices on top, or with positions closed that have too little left.
"""

from collections.abc import Iterator

import msgspec
import numpy as np

from domgrpc.core.routing.backlog_data import NOWHERE, Booleans, Numbers
from domgrpc.core.routing.backlog_parts import Parts

_CELLS_MAX = 1 << 18
"""Of the table of a batch: about what the nearest caches hold."""
_FEW_CELLS = 1 << 13
"""Below, a wider table costs less than another batch."""
_WIDER = 1.3
"""Otherwise the widest of a batch has at most about so many times the narrowest's candidates."""


class Batch(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Parts of one line count. Axes: lines of a part, its candidates, parts.

    Numbers are of 32 bits where `Parts.is_narrow` says that this is enough.
    """

    parts: Numbers
    lines: Numbers
    """lines, parts"""
    locations: Numbers
    """candidates, parts"""
    positions: Numbers
    """lines, candidates, parts; any where it is closed."""
    quantities: Numbers
    """lines, 1, parts"""
    costs: Numbers
    """lines, candidates, parts; `closed` where the line cannot be sent from there."""
    packages: Numbers
    """candidates, parts"""
    backorders: Numbers
    """lines, 1, parts"""
    kept: Numbers
    """lines, parts: the candidate of the present plan, or NOWHERE."""
    can_keep: Booleans
    """parts: whether the present plan may be kept."""
    changes: Numbers
    """parts: what another plan than the present one costs more."""
    is_whole: bool
    """Whether each part is all of its order."""
    twins: Numbers
    """lines, parts: the first line of the part that is of the same SKU; no lines without twins."""

    @property
    def has_twins(self) -> bool:
        """Whether each part has lines of one SKU."""
        return bool(len(self.twins))

    @property
    def closed(self) -> int:
        """The cost of what cannot be: above all others, and half of what the numbers hold."""
        return 1 << (8 * self.costs.itemsize - 2)

    def take(self, columns: Numbers) -> "Batch":
        """Return the batch of some of the parts."""
        return Batch(
            parts=self.parts[columns],
            lines=self.lines[:, columns],
            locations=self.locations[:, columns],
            positions=self.positions[:, :, columns],
            quantities=self.quantities[:, :, columns],
            costs=self.costs[:, :, columns],
            packages=self.packages[:, columns],
            backorders=self.backorders[:, :, columns],
            kept=self.kept[:, columns],
            can_keep=self.can_keep[columns],
            changes=self.changes[columns],
            is_whole=self.is_whole,
            twins=self.twins[:, columns],
        )

    def locations_of(self, picks: Numbers) -> Numbers:
        """Return the locations of picked candidates."""
        picked = self.locations[picks, np.arange(picks.shape[1])]
        return np.where(picks == NOWHERE, NOWHERE, picked)


class Offer(msgspec.Struct, frozen=True, eq=False):
    """What the parts of a batch may use for once, and at what cost; the axes are the batch's."""

    costs: Numbers
    packages: Numbers
    changes: Numbers


def priced(batch: Batch, offer: Offer, prices: Numbers) -> Offer:
    """Return the offer with a price on every unit."""
    payments = np.take(prices.astype(batch.costs.dtype), batch.positions) * batch.quantities
    return Offer(offer.costs + payments, offer.packages, offer.changes)


class Pool:
    """All open parts in batches, to be solved together, some of them, or one alone."""

    __slots__ = ("_batch_of", "_column_of", "batches", "parts")

    def __init__(self, parts: Parts) -> None:
        """Make the batches; O(lines x locations)."""
        self.parts = parts
        self.batches = list(_make_batches(parts))
        self._batch_of = np.zeros(parts.count, np.int64)
        self._column_of = np.zeros(parts.count, np.int64)
        for number, batch in enumerate(self.batches):
            self._batch_of[batch.parts] = number
            self._column_of[batch.parts] = np.arange(len(batch.parts))

    def select(self, parts: Numbers) -> Iterator[Batch]:
        """Yield batches that hold exactly these open parts."""
        numbers = self._batch_of[parts]
        for number in np.unique(numbers).tolist():
            yield self.batches[number].take(self._column_of[parts[numbers == number]])

    def alone(self, part: int) -> Batch:
        """Return the batch of one part."""
        batch = self.batches[int(self._batch_of[part])]
        return batch.take(self._column_of[part : part + 1])


def _make_batches(parts: Parts) -> Iterator[Batch]:
    can_send = parts.position_of != NOWHERE
    is_candidate = np.logical_or.reduceat(can_send, parts.starts[:-1], axis=0)
    widths = np.maximum(is_candidate.sum(axis=1), 1)[parts.open_parts]
    line_counts = np.diff(parts.starts)[parts.open_parts]
    is_whole = parts.sibling_counts[parts.open_parts] == 1
    kinds = np.stack([is_whole, line_counts, parts.has_twins[parts.open_parts]])
    for kind in np.unique(kinds, axis=1).T:
        places = np.flatnonzero((kinds == kind[:, None]).all(axis=0))
        places = places[np.argsort(widths[places], kind="stable")]
        for start, end in _runs(widths[places], 1 << int(kind[1])):
            chosen = parts.open_parts[places[start:end]]
            yield _make_batch(parts, chosen, is_candidate[chosen])


def _runs(widths: Numbers, set_count: int) -> Iterator[tuple[int, int]]:
    """Cut rising widths where the next would waste too much space or the table grows too large."""
    start = 0
    while start < len(widths):
        rest = widths[start:]
        cells = np.arange(1, len(rest) + 1) * rest * set_count
        count = int(np.searchsorted(rest, rest[0] * _WIDER + 2, side="right"))
        count = max(count, int(np.searchsorted(cells, _FEW_CELLS, side="right")))
        count = min(count, max(1, int(np.searchsorted(cells, _CELLS_MAX, side="right"))))
        yield start, start + count
        start += count


def _make_batch(parts: Parts, chosen: Numbers, is_candidate: Booleans) -> Batch:
    backlog = parts.backlog
    dtype = np.int32 if parts.is_narrow else np.int64
    orders = parts.orders[chosen]
    lines = (
        parts.starts[chosen]
        + np.arange(parts.starts[chosen[0] + 1] - parts.starts[chosen[0]])[:, None]
    )
    width = max(1, int(is_candidate.sum(axis=1).max()))
    locations = np.argsort(~is_candidate, axis=1, kind="stable")[:, :width].T
    positions = parts.position_of[lines[:, None], locations]
    costs = parts.line_costs[lines[:, None], locations] // parts.scale
    costs = np.where(positions == NOWHERE, 1 << (8 * np.dtype(dtype).itemsize - 2), costs)
    unsent = np.add.reduceat(parts.backorders, backlog.line_starts[:-1])
    # No package that costs more than to change and send nothing is sent; this keeps sums small.
    dearest = unsent[orders] + backlog.stability_cost + parts.scale
    packages = np.minimum(backlog.package_costs[orders, locations], dearest)
    present = backlog.present[lines]
    kept = np.where(present == NOWHERE, NOWHERE, (locations == present[:, None]).argmax(axis=1))
    changes = np.where(parts.keepable[orders], backlog.stability_cost // parts.scale, 0)
    return Batch(
        parts=chosen,
        lines=lines,
        locations=np.ascontiguousarray(locations),
        positions=np.maximum(positions, 0),
        quantities=backlog.quantities[lines][:, None].astype(dtype),
        costs=costs.astype(dtype),
        packages=(packages // parts.scale).astype(dtype),
        backorders=(parts.backorders[lines] // parts.scale)[:, None].astype(dtype),
        kept=kept,
        can_keep=parts.keepable[orders],
        changes=changes.astype(dtype),
        is_whole=bool(parts.sibling_counts[chosen[0]] == 1),
        twins=_twins(backlog.skus[lines]) if parts.has_twins[chosen[0]] else lines[:0],
    )


def _twins(skus: Numbers) -> Numbers:
    """Return by line and part the first line of the same SKU."""
    return np.asarray((skus[:, None] == skus).argmax(axis=0))
