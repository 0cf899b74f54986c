"""What the solver is asked and what it answers: instances, solutions, and refusals.

An instance is one order and the candidates that may fulfil it, as plain numbers:

    choose what each candidate sends so that every line is sent whole, and
    the packages' costs + sum of (quantity x unit cost) is as low as can be.

A candidate that sends anything sends a package, which costs `package_costs[candidate]` however
much is in it. That is why splitting an order costs money, and why the answer is not simply the
cheapest candidate of each line. The model is known as uncapacitated facility location: NP-hard in
general, but one order is small.

Lines are numbered from 0 in the order's sequence, candidates from 0 in the sequence of their
priority, then location id; among plans of one cost that with fewer packages is taken, then that
whose candidate numbers, sorted, come first. Lines must not draw on the same stock: the caller
joins lines of one SKU into one. A candidate may stand there twice, for instance once with a
package cost of 0 where an unreleased parcel to the same address can take more goods.

Money is integer micros, weight integer grams. All sums stay below 2^63 because the dearest plan
costs less than NEVER = 2^46 micros (70 million of the currency unit): what cannot be counts NEVER
once for each of at most 2^9 lines, the scale that breaks ties is 2^10, prices of lots in the bounds
stay below some 30 times NEVER. `check_instance` proves that of an instance; the solver itself
trusts its caller, who knows what it built.
"""

import enum
from bisect import bisect_left
from collections.abc import Iterator, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

NEVER = 1 << 46
"""The cost of what cannot be; every feasible plan costs less."""
LINES_MAX = 512
CANDIDATES_MAX = 1 << 20
QUANTITY_MAX = 1 << 40
NODE_COUNT_MAX_DEFAULT = 20_000
_CELLS_AT_ONCE = 1 << 14

Numbers = NDArray[np.int64]


class RateCard(msgspec.Struct, frozen=True):
    """What a parcel costs by its weight: steps of (grams at most, micros), lightest first.

    A first step of 0 grams is the price of what weighs nothing.

    What is heavier than the last step goes as several parcels: as many full ones as there are,
    and one for the rest. So every weight has a price, and a heavy order stays possible.
    """

    grams_max: tuple[int, ...]
    micros: tuple[int, ...]
    parcel_micros: int = 0
    """What each parcel beyond the first costs beside its step."""

    def price(self, grams: int) -> int:
        """Return the price of a package; one that weighs nothing costs the first step."""
        full_count, rest = divmod(grams, self.grams_max[-1])
        price = full_count * (self.micros[-1] + self.parcel_micros)
        if rest or not grams:
            return price + self.micros[bisect_left(self.grams_max, rest)]
        return price - self.parcel_micros


class WeightRates(msgspec.Struct, frozen=True):
    """Prices by weight, on top of the package costs.

    With them it can be cheaper to send two packages from one candidate than one heavy one; then
    that is what the plan does, and each of the two costs the candidate's package cost.
    """

    unit_grams: tuple[int, ...]
    """By line."""
    cards: tuple[RateCard, ...]
    card_indexes: Sequence[int]
    """By candidate, into `cards`."""
    once: tuple[int, ...] = ()
    """Candidates that send one package at the most: all that they send joins one parcel."""


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What a plan has to obey beyond the stock."""

    unit_split: bool | tuple[bool, ...] = False
    """Whether units of a line may come from several candidates; for all lines, or by line.

    Lines that are kept together or ship alone never split."""
    package_count_max: int = 0
    """0 is no limit; 1 is ship-complete."""
    together: tuple[tuple[int, ...], ...] = ()
    """Lines that must be in one package; each group has at least two, no line is in two."""
    alone: tuple[int, ...] = ()
    """Lines that must each be a package of their own, which pays the package cost."""
    weight_rates: WeightRates | None = None

    def may_split(self, line: int) -> bool:
        """Say whether the units of a line may come from several candidates."""
        return self.unit_split if isinstance(self.unit_split, bool) else self.unit_split[line]


PLAIN = Terms()


class Instance(msgspec.Struct, frozen=True, kw_only=True):
    """An order of few lines and candidates, as lists: below some 500 cells these are fastest."""

    quantities: Sequence[int]
    """By line, at least 1."""
    package_costs: Sequence[int]
    """By candidate."""
    unit_costs: Sequence[Sequence[int]]
    """By line, then candidate."""
    available: Sequence[Sequence[int]]
    """Units by line, then candidate; 0 where a filter removed the candidate for the line."""
    terms: Terms = PLAIN


class ArrayInstance(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """The same as numpy arrays of int64, lines x candidates: for many candidates."""

    quantities: Sequence[int]
    package_costs: Numbers
    unit_costs: Numbers
    available: Numbers
    terms: Terms = PLAIN

    def as_lists(self) -> Instance:
        """Return the same instance with lists in it."""
        return Instance(
            quantities=self.quantities,
            package_costs=self.package_costs.tolist(),
            unit_costs=self.unit_costs.tolist(),
            available=self.available.tolist(),
            terms=self.terms,
        )


AnyInstance = Instance | ArrayInstance


class Package(msgspec.Struct, frozen=True, array_like=True):
    """What one candidate sends in one package: (line, quantity), by line."""

    candidate: int
    contents: tuple[tuple[int, int], ...]


class RunnerUp(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The same packages, but one of them from another candidate: the cheapest such plan."""

    cost: int
    """Of the whole plan."""
    package: int
    """The number of the package that comes from elsewhere."""
    candidate: int
    """Where it comes from then; it is not in the plan."""


class Solution(msgspec.Struct, frozen=True):
    """A plan, and the proof of how good it is: no plan costs less than the lower bound."""

    packages: tuple[Package, ...]
    """By candidate, then contents."""
    cost: int
    lower_bound: int
    node_count: int = 0
    """How many nodes of the search tree were looked at; 0 where no search was needed."""
    runner_up: RunnerUp | None = None
    """None where no other candidate could send any of the packages."""

    @property
    def is_proven(self) -> bool:
        """Say whether the plan is proven to be of least cost."""
        return self.cost == self.lower_bound

    @property
    def gap(self) -> float:
        """Return by how much at most the plan is dearer than the best: 0.01 is one per cent."""
        return (self.cost - self.lower_bound) / max(1, self.lower_bound)


class Obstacle(enum.IntEnum):
    """Why there is no plan."""

    STOCK = 1
    """Candidates have too few units of the lines named."""
    TOGETHER = 2
    """No candidate has all of the lines named, which must be in one package."""
    PACKAGES = 3
    """Every line can be sent, but not all of them in so few packages."""
    SEARCH = 4
    """No plan with so few packages was found before the search was cut off."""


class Unservable(msgspec.Struct, frozen=True):
    """There is no plan, and why."""

    obstacle: Obstacle
    lines: tuple[int, ...]
    """Those that stand in the way, by number; empty for PACKAGES and SEARCH."""


def rows_at_once(row_count: int, row_length: int) -> Iterator[slice]:
    """Iterate the rows of an array in parts that fit the nearest caches, for several steps."""
    height = max(1, _CELLS_AT_ONCE // max(1, row_length))
    return (slice(row, row + height) for row in range(0, row_count, height))
