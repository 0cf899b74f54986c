"""What a journey costs from everywhere, side by side, as most orders ask for it.

Made once for a table of all locations, and kept while it holds: an order that no filter but stock
concerns looks its costs up.
"""

from collections.abc import Sequence
from heapq import nsmallest

import msgspec

from domgrpc.core.journeys import TransportTable
from domgrpc.core.network import Ask, Network
from domgrpc.core.values import DAY_MS, LocationIndex

CHEAPEST_MAX = 8
BEST_MAX = 3
_UNIT_COUNTS_MAX = 64


class Prices(msgspec.Struct, frozen=True, gc=False):
    """What is weighed beside money that is paid, in micros."""

    package_micros: int = 0
    """For each package beyond the first."""
    late_day_micros: int = 0
    scarcity_micros: int = 0
    """For a unit that is the last one of its SKU at a location; less where there are more."""


class Columns:
    """What a journey costs from each location that it can begin at, in the order of ties.

    Made once for a table, because most orders ask no more than that.
    """

    __slots__ = (
        "_best",
        "cheapest",
        "has_weight_rates",
        "indexes",
        "package_costs",
        "removed",
        "table",
        "unit_costs",
        "until_ms",
    )

    def __init__(
        self,
        table: TransportTable,
        indexes: tuple[LocationIndex, ...],
        costs: tuple[list[int], list[int]],
        *,
        until_ms: int,
        removed: tuple[tuple[str, int], ...],
    ) -> None:
        """Take the costs of a package and of a unit from each."""
        self.table = table
        self.indexes = indexes
        self.package_costs, self.unit_costs = costs
        self.until_ms = until_ms
        """Until when what is weighed for lateness stays as it is."""
        self.removed = removed
        """The locations that it cannot begin at, where all others have stock."""
        self.has_weight_rates = any(table.kilogram_micros) or bool(table.cards)
        self.cheapest = cheapest_of(self.package_costs)
        """The places whose packages cost least."""
        self._best: dict[int, tuple[int, ...]] = {}

    def best(self, unit_count: int) -> tuple[int, ...]:
        """Return the places from which a package of so many units costs least, the best first.

        Up to BEST_MAX; O(locations) the first time for a number of units.
        """
        found = self._best.get(unit_count)
        if found is None:
            columns = zip(self.package_costs, self.unit_costs, strict=True)
            totals = [package + unit_count * unit for package, unit in columns]
            found = tuple(sorted(range(len(totals)), key=totals.__getitem__)[:BEST_MAX])
            if len(self._best) >= _UNIT_COUNTS_MAX:
                self._best.clear()
            self._best[unit_count] = found
        return found


def columns_of(
    network: Network,
    table: TransportTable,
    ranks: Sequence[int],
    how: tuple[Ask, Prices, int],
) -> Columns:
    """Put the costs of a table of all locations side by side; `how` is (ask, prices, promise).

    Of those that are in use and can do the method. O(locations · log locations).
    """
    ask, prices, promise_ms = how
    usable = [
        LocationIndex(index)
        for index in sorted(range(len(ranks)), key=ranks.__getitem__)
        if network.exclusion(LocationIndex(index), ask) is None
    ]
    reached = [index for index in usable if table.deliver_by_ms[index] >= 0]
    disabled, incapable = network.unusable_counts(ask)
    counts = (
        ("disabled", disabled),
        ("method", incapable),
        ("reach", len(usable) - len(reached)),
    )
    arrivals = [table.deliver_by_ms[index] for index in reached]
    # The promise moves with the clock: one day less is late when it has moved by what is over.
    over = ((arrival_ms - promise_ms - 1) % DAY_MS + 1 for arrival_ms in arrivals)
    late = prices.late_day_micros
    package_costs = [
        table.package_micros[index]
        + prices.package_micros
        + late * late_days(promise_ms, table.deliver_by_ms[index])
        for index in reached
    ]
    return Columns(
        table,
        tuple(reached),
        (package_costs, [table.unit_micros[index] for index in reached]),
        until_ms=ask.time_ms + min(over, default=0),
        removed=tuple((name, count) for name, count in counts if count),
    )


def cheapest_of(package_costs: Sequence[int]) -> tuple[int, ...]:
    """Return the places whose packages cost least, up to a bound; what decisions tell of."""
    places = range(len(package_costs))
    return tuple(nsmallest(CHEAPEST_MAX, places, key=package_costs.__getitem__))


def late_days(promise_ms: int, deliver_by_ms: int) -> int:
    """Return by how many days, begun ones counted, goods would miss the promise."""
    return max(0, -((promise_ms - deliver_by_ms) // DAY_MS))
