"""All ways to send some units of each lot, as one row of numbers.

A *content* is how many units of each lot are in a package, or in several. Contents are numbered
in mixed radix, the first lot most significant, so the empty one is 0 and the whole order the last;
the number of what is left is that of the whole less that of what is gone.
"""

from collections.abc import Sequence
from functools import lru_cache
from math import prod

import msgspec
import numpy as np

from domgrpc.core.routing.instance import NEVER, Numbers

UNITS_MAX = 400
"""So many units, so many packages at the most: what comes out of a plan stays readable."""
SCALE = 1 << 10
"""Costs are multiplied by it and a package costs 1 more: of equals, the fewest packages win.

Above UNITS_MAX, and so small that the sum of several that cannot be stays far below 2^63."""
WORST = NEVER * SCALE
_GRIDS_MAX = 16


class Grid(msgspec.Struct, frozen=True, eq=False):
    """The contents of an order, and all pairs of two that make a third."""

    digits: Numbers
    """Lots x contents: the units."""
    inside: Numbers
    beside: Numbers
    """The pairs, those of one sum side by side."""
    starts: Numbers
    """Where the pairs of each sum begin."""

    @property
    def size(self) -> int:
        """How many contents there are."""
        return len(self.starts)

    def sums(self, first: Numbers, second: Numbers) -> Numbers:
        """Return for each content the least cost of its two parts; O(pairs)."""
        pairs = first[self.inside] + second[self.beside]
        return np.minimum(np.minimum.reduceat(pairs, self.starts), WORST)

    def parts(self, content: int) -> tuple[Numbers, Numbers]:
        """Return the pairs of one content."""
        start = int(self.starts[content])
        end = int(self.starts[content + 1]) if content + 1 < self.size else len(self.inside)
        return self.inside[start:end], self.beside[start:end]


def pair_count(needs: Sequence[int]) -> int:
    """Return how many pairs the grid of so many units by lot has."""
    return prod((need + 1) * (need + 2) // 2 for need in needs)


@lru_cache(maxsize=_GRIDS_MAX)
def grid_of(needs: tuple[int, ...]) -> Grid:
    """Return the contents of so many units by lot; O(pairs x lots), kept for the next orders."""
    whole = inside = np.zeros(1, dtype=np.int64)
    digits = np.zeros((0, 1), dtype=np.int64)
    for need in needs:
        counts = np.arange(need + 1)
        of_sum = np.repeat(counts, counts + 1)
        of_part = np.concatenate([counts[: count + 1] for count in counts.tolist()])
        whole = (whole[:, None] * (need + 1) + of_sum).ravel()
        inside = (inside[:, None] * (need + 1) + of_part).ravel()
        digits = np.vstack(
            (np.repeat(digits, need + 1, axis=1), np.tile(counts, digits.shape[1])[None])
        )
    order = np.argsort(whole, kind="stable")
    whole, inside = whole[order], inside[order]
    starts = np.flatnonzero(np.diff(whole, prepend=-1))
    return Grid(digits, inside, whole - inside, starts)
