"""Candidates: which locations may fulfil a leg, at what cost, and which filter removed the others.

Hard constraints are filters, in the order of `FILTERS`; a location counts for the first one that
removes it. What is soft is a price: lateness, preferences of rules, scarcity, one more package.
Stock that is not there yet is a candidate of its own beside the stock of the same location, with
the date on which it comes.

Below some hundred positions plain Python is fastest; above, the columns of the stock index are
read as numpy arrays without a copy (array_candidates.py).
"""

from collections.abc import Callable, Mapping, Sequence
from heapq import nsmallest
from typing import NamedTuple, TypeAlias

import msgspec

from domgrpc.core.journeys import TransportTable
from domgrpc.core.network import Ask, Network
from domgrpc.core.orders import FulfillmentOrder
from domgrpc.core.products import ProductFields
from domgrpc.core.rule_effects import NO_EFFECTS, Effects
from domgrpc.core.scopes import Area
from domgrpc.core.stock_index import availability_view
from domgrpc.core.values import (
    DAY_MS,
    FOREVER_MS,
    QUANTITY_MAX,
    LineId,
    LocationIndex,
    Sku,
)

FILTERS = (
    "disabled",
    "method",
    "scope",
    "stock",
    "excluded",
    "reach",
    "capacity",
    "promise",
    "rules",
)
"""What removes a location, in the order in which it is asked."""

Units: TypeAlias = dict[LocationIndex, int]
Claims: TypeAlias = Mapping[Sku, Mapping[LocationIndex, int]]
Places: TypeAlias = tuple[list[LocationIndex], Sequence[int]]
"""Locations, and where each stands in the table."""
NO_CLAIMS: Claims = {}
NO_UNITS: Mapping[LocationIndex, int] = {}
ParcelFinder: TypeAlias = Callable[[LocationIndex, int], FulfillmentOrder | None]
GRAMS_PER_KILOGRAM = 1_000
CHEAPEST_MAX = 8
BEST_MAX = 3
_UNIT_COUNTS_MAX = 64


class Need(msgspec.Struct, frozen=True, gc=False):
    """Units of one SKU that a leg asks for, and of which lines they are."""

    sku: Sku
    quantity: int
    lines: tuple[tuple[LineId, int], ...]
    fields: ProductFields

    @property
    def splits(self) -> bool:
        """Whether its units may come from several locations, as far as the product says."""
        return not (self.fields.keep_together or self.fields.ship_alone)


class Room(NamedTuple):
    """What a location can still be given on a day."""

    packages: int
    units: int


BOUNDLESS = Room(QUANTITY_MAX, QUANTITY_MAX)


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


class LegQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """All that decides which locations may fulfil a leg."""

    ask: Ask
    needs: tuple[Need, ...]
    table_of: Callable[[Sequence[LocationIndex], int], TransportTable]
    """Gives the table of the journey from a time on: of all locations, or of those, in order."""
    area: Area
    ranks: Sequence[int]
    """By location index: the place in the order of (priority, location id)."""
    only: LocationIndex | None = None
    """Where the customer collects; None for a leg that any location may fulfil."""
    excluded: tuple[LocationIndex, ...] = ()
    own: Claims = NO_CLAIMS
    taken: Claims = NO_CLAIMS
    mocked: Mapping[Sku, Units] | None = None
    effects: Effects = NO_EFFECTS
    """What rules say; their lines are the needs."""
    prices: Prices = Prices()
    promise_ms: int = FOREVER_MS
    promise_is_hard: bool = False
    parcel_at: ParcelFinder | None = None
    """Finds the open parcel from a location on a day that takes more; None where there is none."""
    joins_only: bool = False
    """Whether the order has all packages that it may have: goods can only join open ones."""
    may_backorder: bool = True
    """Whether supply that is not there yet may be promised, where the products allow it."""
    columns: Columns | None = None
    """The costs of the journey from everywhere; None where a promise was asked for, or where
    there are too many locations to keep them."""
    room_left: Callable[[LocationIndex, int], Room] | None = None
    """How much a location can still be given on a day; None where no location has a limit."""


class Place(msgspec.Struct, frozen=True, gc=False):
    """Where a candidate stands in a table of the journey, and from when its stock is there."""

    table: TransportTable
    row: int
    ready_ms: int = 0
    """0 for stock that is there; else when the supply that it waits for comes."""


class Candidates(msgspec.Struct, frozen=True):
    """The locations that may fulfil a leg, in the order of ties, and what each would cost.

    Those that wait for supply stand behind all others.
    """

    indexes: Sequence[LocationIndex]
    rows: Sequence[int]
    """Where each that has stock stands in the table."""
    table: TransportTable
    package_costs: Sequence[int]
    """What is weighed for a package: what is paid and what is priced."""
    unit_costs: Sequence[Sequence[int]]
    available: Sequence[Sequence[int]]
    removed: tuple[tuple[str, int], ...]
    removed_by: Mapping[LocationIndex, str]
    """For the locations that had stock: the filter that removed each."""
    dated: tuple[Place, ...] = ()
    cheapest: tuple[int, ...] | None = None
    """See `cheapest_of`; None where nobody has looked yet."""

    def place(self, candidate: int) -> Place:
        """Return where a candidate's costs and dates come from."""
        stocked_count = len(self.rows)
        if candidate < stocked_count:
            return Place(self.table, self.rows[candidate])
        return self.dated[candidate - stocked_count]


def stocked(network: Network, need: Need, question: LegQuestion) -> Units:
    """Return the units of a need by location, those without any left out.

    O(positions of the SKU); for a leg that is collected at one location O(log positions).
    """
    if question.mocked is not None:
        mocked = dict(question.mocked.get(need.sku, NO_UNITS))
        _take_off(need, question, mocked)
        return mocked if question.only is None else _only(question.only, mocked)
    stock = network.stock.find(need.sku)
    if stock is None:
        return {}
    view = availability_view(network, stock, question.ask)
    if question.only is not None:
        units = view.at(question.only, in_stock_only=True)
        found = {question.only: units} if units > 0 else {}
    else:
        columns = zip(stock.location_indexes, view.to_fulfill, strict=False)
        found = {LocationIndex(index): units for index, units in columns if units > 0}
    if question.own or question.taken:
        _adjust(network, need, question, found)
    return found


def _only(index: LocationIndex, units: Units) -> Units:
    return {index: units[index]} if units.get(index, 0) > 0 else {}


def candidates_of(network: Network, question: LegQuestion) -> Candidates:
    """Return the candidates of a leg; O(positions of its SKUs)."""
    if question.columns is not None and is_plain(question, question.columns):
        found = _plain_candidates(network, question, question.columns)
        if found is not None:
            return found
    columns = [stocked(network, need, question) for need in question.needs]
    union = columns[0] if len(columns) == 1 else {k: 0 for units in columns for k in units}
    ordered = sorted(union, key=question.ranks.__getitem__)
    table = question.table_of(ordered, question.ask.time_ms)
    everywhere = isinstance(table.indexes, range)
    rows: Sequence[int] = ordered if everywhere else range(len(ordered))
    kept, kept_rows, removed_by = _filtered(question, table, (ordered, rows))
    return Candidates(
        kept,
        kept_rows,
        table,
        _package_costs(question, table, (kept, kept_rows)),
        [
            _unit_costs(question, table, place, (kept, kept_rows, units))
            for place, units in enumerate(columns)
        ],
        _within_room(question, table, (kept, kept_rows), columns),
        _counts(network, question, union, removed_by),
        removed_by,
    )


class Everywhere(msgspec.Struct, frozen=True):
    """What a leg would cost from every location, by location index, whatever stock it has."""

    package_costs: list[int]
    unit_costs: list[list[int]]
    """By need, then location."""
    allowed: list[bytearray]
    """By need, then location: 1 where no filter but stock forbids it."""
    arrivals_ms: Sequence[int]


def costs_everywhere(network: Network, question: LegQuestion) -> Everywhere:
    """Return the costs of a leg from all locations, scarcity left out; O(locations x needs)."""
    indexes = [LocationIndex(index) for index in range(len(network.locations.by_index))]
    table = question.table_of(indexes, question.ask.time_ms)
    usable = bytearray(
        network.exclusion(index, question.ask) is None
        and not _removed_by(question, table, index, index)
        for index in indexes
    )
    places = (indexes, indexes)
    allowed = []
    for number in range(len(question.needs)):
        excluded = question.effects.of_line(number).excluded
        allowed.append(
            usable
            if excluded is None
            else bytearray(use and not out for use, out in zip(usable, excluded, strict=False))
        )
    plain = msgspec.structs.replace(
        question, prices=msgspec.structs.replace(question.prices, scarcity_micros=0)
    )
    return Everywhere(
        _package_costs(question, table, places),
        [_unit_costs(plain, table, number, (*places, {})) for number in range(len(question.needs))],
        allowed,
        table.deliver_by_ms,
    )


def is_plain(question: LegQuestion, columns: Columns) -> bool:
    """Whether a leg is what most are: no filter but stock and reach, no price but what is paid."""
    return (
        question.area.distances_m is None
        and question.only is None
        and question.effects is NO_EFFECTS
        and question.room_left is None
        and question.mocked is None
        and not columns.has_weight_rates
        and not question.prices.scarcity_micros
        and question.parcel_at is None
        and not question.joins_only
        and not (question.own or question.taken or question.excluded)
    )


def _plain_candidates(
    network: Network, question: LegQuestion, columns: Columns
) -> Candidates | None:
    """Return all locations of a plain leg, whatever they have; None where most have nothing."""
    location_count = len(network.locations.by_index)
    available = []
    for need in question.needs:
        stock = network.stock.find(need.sku)
        if stock is None or 2 * len(stock.location_indexes) < location_count:
            return None
        units: Sequence[int] = availability_view(network, stock, question.ask).to_fulfill
        if len(units) < location_count:
            everywhere = [0] * location_count
            for index, there in zip(stock.location_indexes, units, strict=True):
                everywhere[index] = there
            units = everywhere
        available.append([units[index] for index in columns.indexes])
    stocked_count = len(columns.indexes)
    if all(0 in row for row in available):
        stocked_count = sum(map(any, zip(*available, strict=True)))
    removed = columns.removed
    if stocked_count < len(columns.indexes):
        removed = (*removed, ("stock", len(columns.indexes) - stocked_count))
    return Candidates(
        columns.indexes,
        columns.indexes,
        columns.table,
        columns.package_costs,
        [columns.unit_costs] * len(available),
        available,
        removed,
        {},
        cheapest=columns.cheapest,
    )


def _adjust(network: Network, need: Need, question: LegQuestion, found: Units) -> None:
    # The asker's own units are free for it, and what its other legs take is not.
    stock = network.stock.find(need.sku)
    assert stock is not None
    for index, units in question.own.get(need.sku, NO_UNITS).items():
        slot = stock.slot(index)
        if slot < 0 or question.only not in (None, index):
            continue
        free, _ = network.sellable(stock, slot, question.ask, units)
        found[index] = free
    _take_off(need, question, found)


def _take_off(need: Need, question: LegQuestion, found: Units) -> None:
    for index, units in question.taken.get(need.sku, NO_UNITS).items():
        if index in found:
            found[index] -= units
    for index in [index for index, units in found.items() if units <= 0]:
        del found[index]


# --- filters


def _filtered(
    question: LegQuestion, table: TransportTable, places: Places
) -> tuple[list[LocationIndex], Sequence[int], dict[LocationIndex, str]]:
    # The usual leg is decided by one comprehension; the rest is asked one by one.
    ordered, rows = places
    deliver_by = table.deliver_by_ms
    if (
        question.area.distances_m is None
        and not question.excluded
        and not question.joins_only
        and question.effects is NO_EFFECTS
        and question.room_left is None
        and not question.promise_is_hard
    ):
        if min(map(deliver_by.__getitem__, rows), default=0) >= 0:
            return ordered, rows, {}
        verdicts = ["" if deliver_by[row] >= 0 else "reach" for row in rows]
    else:
        verdicts = [
            _removed_by(question, table, index, row)
            for index, row in zip(ordered, rows, strict=True)
        ]
    kept = [index for index, verdict in zip(ordered, verdicts, strict=True) if not verdict]
    kept_rows = [row for row, verdict in zip(rows, verdicts, strict=True) if not verdict]
    removed_by = {
        index: verdict for index, verdict in zip(ordered, verdicts, strict=True) if verdict
    }
    return kept, kept_rows, removed_by


def _removed_by(
    question: LegQuestion, table: TransportTable, index: LocationIndex, row: int
) -> str:
    if index not in question.area:
        return "scope"
    if index in question.excluded:
        return "excluded"
    deliver_by_ms = table.deliver_by_ms[row]
    if deliver_by_ms < 0:
        return "reach"
    if not _has_room(question, index, table.ship_day[row]):
        return "capacity"
    if question.promise_is_hard and deliver_by_ms > question.promise_ms:
        return "promise"
    stays_out = question.joins_only and not _joins(question, index, table.ship_day[row])
    return "rules" if stays_out or excluded_for_all(question.effects, index) else ""


def _has_room(question: LegQuestion, index: LocationIndex, day: int) -> bool:
    if question.room_left is None:
        return True
    room = question.room_left(index, day)
    if room.packages or question.parcel_at is None:
        return all(room)
    # What joins a parcel is no package more.
    return _joins(question, index, day)


def _joins(question: LegQuestion, index: LocationIndex, day: int) -> bool:
    return question.parcel_at is not None and question.parcel_at(index, day) is not None


def excluded_for_all(effects: Effects, index: LocationIndex) -> bool:
    """Whether rules exclude a location for everything that is asked."""
    shared = effects.shared.excluded
    if shared is not None and shared[index]:
        return True
    masks = [line.excluded for line in effects.lines]
    return bool(masks) and all(mask is not None and mask[index] for mask in masks)


def _counts(
    network: Network,
    question: LegQuestion,
    union: Mapping[LocationIndex, int],
    removed_by: Mapping[LocationIndex, str],
) -> tuple[tuple[str, int], ...]:
    counts = dict.fromkeys(FILTERS, 0)
    disabled, incapable = network.unusable_counts(question.ask)
    usable = len(network.locations.by_index) - disabled - incapable
    in_scope = usable
    area = question.area.distances_m
    if question.only is not None:
        in_scope = min(usable, 1)
    elif area is not None:
        in_scope = sum(
            1 for index in area if network.exclusion(LocationIndex(index), question.ask) is None
        )
    counts["disabled"], counts["method"] = disabled, incapable
    counts["scope"] = usable - in_scope
    outside = 0
    for verdict in removed_by.values():
        if verdict == "scope":
            outside += 1
        else:
            counts[verdict] += 1
    counts["stock"] = max(0, in_scope - (len(union) - outside))
    return tuple((name, count) for name, count in counts.items() if count)


# --- costs


def _package_costs(question: LegQuestion, table: TransportTable, places: Places) -> list[int]:
    kept, rows = places
    more = question.prices.package_micros
    costs = [table.package_micros[row] for row in rows]
    joined = set()
    late = question.prices.late_day_micros
    if question.parcel_at is not None:
        for place, (index, row) in enumerate(zip(kept, rows, strict=True)):
            if question.parcel_at(index, table.ship_day[row]) is not None:
                joined.add(place)
                costs[place] = 0
    if late:
        arrivals = [table.deliver_by_ms[row] for row in rows]
        if max(arrivals, default=0) > question.promise_ms:
            costs = [
                cost + late * late_days(question.promise_ms, arrival_ms)
                for cost, arrival_ms in zip(costs, arrivals, strict=True)
            ]
    wishes = question.effects.shared.prices
    if wishes is not None:
        costs = [max(0, cost + wishes[index]) for cost, index in zip(costs, kept, strict=True)]
    if more:
        costs = [cost if place in joined else cost + more for place, cost in enumerate(costs)]
    return costs


def late_days(promise_ms: int, deliver_by_ms: int) -> int:
    """Return by how many days, begun ones counted, goods would miss the promise."""
    return max(0, -((promise_ms - deliver_by_ms) // DAY_MS))


def _unit_costs(
    question: LegQuestion,
    table: TransportTable,
    place: int,
    found: tuple[list[LocationIndex], Sequence[int], Units],
) -> list[int]:
    kept, rows, units = found
    paid = table.unit_micros
    need = question.needs[place]
    if need.fields.weight_grams:
        costs = [unit_cost(need, table, row) for row in rows]
    else:
        costs = [paid[row] for row in rows]
    scarcity = question.prices.scarcity_micros
    if scarcity:
        costs = [
            cost + scarcity // max(1, units.get(index, 0))
            for cost, index in zip(costs, kept, strict=True)
        ]
    wishes = question.effects.lines[place].prices if question.effects.lines else None
    if wishes is not None:
        # A price for the line, spread over its units.
        costs = [
            max(0, cost + wishes[index] // need.quantity)
            for cost, index in zip(costs, kept, strict=True)
        ]
    return costs


def unit_cost(need: Need, table: TransportTable, row: int) -> int:
    """Return what is paid for a unit of a need from a place of the table."""
    by_weight = need.fields.weight_grams * table.kilogram_micros[row] // GRAMS_PER_KILOGRAM
    return table.unit_micros[row] + by_weight


def _available(
    question: LegQuestion, place: int, kept: list[LocationIndex], units: Units
) -> list[int]:
    found = [units.get(index, 0) for index in kept]
    excluded = question.effects.of_line(place).excluded
    if excluded is not None:
        found = [0 if excluded[index] else have for have, index in zip(found, kept, strict=True)]
    return found


def _within_room(
    question: LegQuestion, table: TransportTable, places: Places, columns: list[Units]
) -> list[list[int]]:
    kept, rows = places
    available = [_available(question, place, kept, units) for place, units in enumerate(columns)]
    if question.room_left is not None:
        for candidate, (index, row) in enumerate(zip(kept, rows, strict=True)):
            room = question.room_left(index, table.ship_day[row])
            within_units(question.needs, available, candidate, room.units)
    return available


def within_units(
    needs: tuple[Need, ...], available: list[list[int]], candidate: int, units_max: int
) -> None:
    """Lessen what a candidate has to what it can work on.

    Where its capacity is less than all needs together, those that stand first have it first.
    """
    for need, row in zip(needs, available, strict=True):
        row[candidate] = min(row[candidate], units_max)
        units_max -= min(row[candidate], need.quantity)
