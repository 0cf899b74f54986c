"""What a journey costs from everywhere, side by side, as most orders ask for it.

Made once for a table of all locations, and kept while it holds: an order that no filter but stock
concerns looks its costs up.
"""

from collections.abc import Sequence
from heapq import nsmallest

import msgspec
import numpy as np

from domgrpc.core.journeys import Journey, TransportTable
from domgrpc.core.logistics import Logistics
from domgrpc.core.network import Ask, Network
from domgrpc.core.values import DAY_MS, DeliveryMethod, LocationId, LocationIndex
from domgrpc.core.vectors import Numbers, numbers_of

CHEAPEST_MAX = 8
BEST_MAX = 3
WHOLE_TABLES_MAX = 20_000
"""Up to so many locations a journey's table is made for all of them and kept."""
_UNIT_COUNTS_MAX = 64
_ROWS_KEPT_MAX = 500_000
"""The columns of all journeys together have so many rows, of some 200 bytes, that are kept."""


class Prices(msgspec.Struct, frozen=True, gc=False):
    """What is weighed beside money that is paid, in micros."""

    package_micros: int = 0
    """For each package beyond the first."""
    late_day_micros: int = 0
    scarcity_micros: int = 0
    """For a unit that is the last one of its SKU at a location; less where there are more."""


class Best(msgspec.Struct, frozen=True, gc=False):
    """The places from which one package of some units costs least, the best first."""

    indexes: tuple[LocationIndex, ...]
    location_ids: tuple[LocationId, ...]
    package_costs: tuple[int, ...]
    unit_costs: tuple[int, ...]


class Columns:
    """What a journey costs from each location that it can begin at, in the order of ties.

    Made once for a table, because most orders ask no more than that.
    """

    __slots__ = (
        "_best",
        "_unusable_counts",
        "dearest_package_micros",
        "dearest_unit_micros",
        "from_ms",
        "has_weight_rates",
        "indexes",
        "kilogram_micros",
        "package_costs",
        "table",
        "unit_costs",
        "unreached",
        "until_ms",
    )

    def __init__(
        self,
        table: TransportTable,
        indexes: Numbers,
        package_costs: Numbers,
        *,
        times_ms: tuple[int, int],
        unreached: Numbers,
        unusable_counts: tuple[int, int],
    ) -> None:
        """Take which locations these are, and what is weighed for a package from each."""
        self.table = table
        self.indexes = indexes
        self.package_costs = package_costs
        self.unit_costs: Numbers = numbers_of(table.unit_micros)[indexes]
        self.kilogram_micros: Numbers = numbers_of(table.kilogram_micros)[indexes]
        self.from_ms, self.until_ms = times_ms
        """From and until when all of it stays as it is: dates, lateness, and who is in use."""
        self.unreached = unreached
        """The locations that are in use, but from which the journey cannot begin."""
        self._unusable_counts = unusable_counts
        self.has_weight_rates = bool(self.kilogram_micros.any() or table.cards)
        self.dearest_package_micros = int(package_costs.max(initial=0))
        self.dearest_unit_micros = int(self.unit_costs.max(initial=0))
        self._best: dict[int, Best] = {}

    def removed(self, stocked: Numbers | None = None) -> tuple[tuple[str, int], ...]:
        """Return which filter removed how many, in the order of FILTERS.

        `stocked` is 0 by location index where there is no stock; None where all have some.
        """
        disabled, incapable = self._unusable_counts
        reach, without = len(self.unreached), 0
        if stocked is not None:
            reach = int(np.count_nonzero(stocked[self.unreached]))
            there = int(np.count_nonzero(stocked[self.indexes]))
            without = len(self.indexes) + len(self.unreached) - there - reach
        counts = (
            ("disabled", disabled),
            ("method", incapable),
            ("stock", without),
            ("reach", reach),
        )
        return tuple([each for each in counts if each[1]])

    def best(self, unit_count: int, network: Network) -> Best:
        """Return the places from which a package of so many units costs least.

        Up to BEST_MAX; O(locations) the first time for a number of units. What that costs fits
        into 64 bits, see `dearest_unit_micros`.
        """
        found = self._best.get(unit_count)
        if found is None:
            totals = self.package_costs + unit_count * self.unit_costs
            places = totals.argsort(kind="stable")[:BEST_MAX]
            if len(self._best) >= _UNIT_COUNTS_MAX:
                self._best.clear()
            found = self._best[unit_count] = self._best_of(places, network)
        return found

    def _best_of(self, places: Numbers, network: Network) -> Best:
        by_index = network.locations.by_index
        indexes = tuple([LocationIndex(index) for index in self.indexes[places].tolist()])
        return Best(
            indexes,
            tuple([by_index[index].location_id for index in indexes]),
            tuple(self.package_costs[places].tolist()),
            tuple(self.unit_costs[places].tolist()),
        )


class KnownJourneys:
    """The columns of journeys and the order of ties, kept while nothing changes them; a view."""

    __slots__ = (
        "_by_journey",
        "_columns_version",
        "_has_capacity",
        "_logistics",
        "_network",
        "_ranks",
        "_ranks_version",
        "_row_count",
        "_usable",
        "_usable_until_ms",
    )

    def __init__(self, network: Network, logistics: Logistics) -> None:
        """Look at the parts of a state."""
        self._network = network
        self._logistics = logistics
        self._by_journey: dict[tuple[Journey, Prices, int], Columns] = {}
        self._row_count = 0
        self._columns_version = -1
        self._usable: dict[DeliveryMethod, Numbers] = {}
        self._usable_until_ms = 0
        self._ranks: list[int] = []
        self._ranks_version = -1
        self._has_capacity = False

    def ranks(self) -> list[int]:
        """Return by location index its place in the order of (priority, location id)."""
        locations = self._network.locations
        # Each rises only, so that the same sum means the same of each. The calendar of a type
        # holds for what is of the type now.
        version = self._logistics.version + locations.rule_version + len(locations.by_index)
        if version != self._ranks_version:
            self._rank()
            self._ranks_version = version
        return self._ranks

    def has_capacity(self) -> bool:
        """Whether any location has a limit for what it does in a day."""
        self.ranks()
        return self._has_capacity

    def columns(
        self, journey: Journey, ask: Ask, prices: Prices, promise_ms: int
    ) -> Columns | None:
        """Return the costs of a journey side by side; None where there are many locations.

        For what is promised a fixed time after it was ordered: kept while no day of lateness
        comes or goes, and no location changes.
        """
        locations = self._network.locations
        location_count = len(locations.by_index)
        if location_count > WHOLE_TABLES_MAX:
            return None
        version = (
            (self._logistics.version + locations.rule_version + location_count)
            + locations.version
            + locations.places.version
        )
        if version != self._columns_version:
            self._forget()
            self._columns_version = version
        key = (journey, prices, promise_ms - ask.time_ms)
        known = self._by_journey.get(key)
        if known is not None and known.from_ms <= ask.time_ms < known.until_ms:
            return known
        table = self._logistics.table(locations, journey, ask.time_ms)
        made = columns_of(table, self._usable_places(ask), (ask, prices, promise_ms))
        self._keep(key, made)
        return made

    def _usable_places(self, ask: Ask) -> "Usable":
        # Those that are in use and can do the method, in the order of ties.
        network, method = self._network, ask.demand.delivery_method
        if ask.time_ms >= self._usable_until_ms:
            self._usable.clear()
            self._usable_until_ms = network.locations.next_boundary_ms(ask.time_ms)
        found = self._usable.get(method)
        if found is None:
            ranks = self.ranks()
            indexes = [
                index
                for index in sorted(range(len(ranks)), key=ranks.__getitem__)
                if network.exclusion(LocationIndex(index), ask) is None
            ]
            found = self._usable[method] = np.array(indexes, dtype=np.int64)
        return Usable(found, network.unusable_counts(ask), self._usable_until_ms)

    def _keep(self, key: tuple[Journey, Prices, int], made: Columns) -> None:
        old = self._by_journey.pop(key, None)
        self._row_count += len(made.indexes) - (0 if old is None else len(old.indexes))
        self._by_journey[key] = made
        while self._row_count > _ROWS_KEPT_MAX:
            oldest = next(iter(self._by_journey))
            self._row_count -= len(self._by_journey.pop(oldest).indexes)

    def _forget(self) -> None:
        self._by_journey.clear()
        self._row_count = 0
        self._usable.clear()
        self._usable_until_ms = 0

    def _rank(self) -> None:
        by_index = self._network.locations.by_index
        profiles = self._logistics.profiles(self._network.locations)
        priority = profiles.priority
        self._has_capacity = any(each.daily_capacity for each in profiles.calendars)
        ordered = sorted(range(len(by_index)), key=lambda i: (priority[i], by_index[i].location_id))
        self._ranks = [0] * len(ordered)
        for rank, index in enumerate(ordered):
            self._ranks[index] = rank


class Usable(msgspec.Struct, frozen=True, eq=False):
    """The locations that are in use and can do a method, in the order of ties."""

    indexes: Numbers
    unusable_counts: tuple[int, int]
    """How many are out of use, and how many cannot do it."""
    until_ms: int


def columns_of(table: TransportTable, usable: Usable, how: tuple[Ask, Prices, int]) -> Columns:
    """Put the costs of a table of all locations side by side; `how` is (ask, prices, promise).

    O(locations).
    """
    ask, prices, promise_ms = how
    arrivals = numbers_of(table.deliver_by_ms)[usable.indexes]
    reached = usable.indexes[arrivals >= 0]
    arrivals = arrivals[arrivals >= 0]
    # The promise moves with the clock: one day less is late when it has moved by what is over.
    over = (arrivals - promise_ms - 1) % DAY_MS + 1
    late = np.maximum(0, -((promise_ms - arrivals) // DAY_MS))
    until_ms = min(
        ask.time_ms + int(over.min(initial=DAY_MS)), table.valid_until_ms, usable.until_ms
    )
    package_costs = numbers_of(table.package_micros)[reached] + prices.package_micros
    return Columns(
        table,
        reached,
        package_costs + prices.late_day_micros * late,
        times_ms=(ask.time_ms, until_ms),
        unreached=usable.indexes[numbers_of(table.deliver_by_ms)[usable.indexes] < 0],
        unusable_counts=usable.unusable_counts,
    )


def cheapest_of(package_costs: Sequence[int]) -> tuple[int, ...]:
    """Return the places whose packages cost least, up to a bound; what decisions tell of."""
    places = range(len(package_costs))
    return tuple(nsmallest(CHEAPEST_MAX, places, key=package_costs.__getitem__))


def late_days(promise_ms: int, deliver_by_ms: int) -> int:
    """Return by how many days, begun ones counted, goods would miss the promise."""
    return max(0, -((promise_ms - deliver_by_ms) // DAY_MS))
