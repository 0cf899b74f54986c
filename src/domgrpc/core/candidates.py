"""Candidates: which locations may fulfil a leg, at what cost, and which filter removed the others.

Hard constraints are filters, in the order of `FILTERS`; a location counts for the first one that
removes it. What is soft is a price: lateness, preferences of rules, scarcity, one more package.
Stock that is not there yet is a candidate of its own beside the stock of the same location, with
the date on which it comes.
"""

from collections.abc import Mapping, Sequence

import msgspec

from domgrpc.core.journeys import TransportTable
from domgrpc.core.leg_costs import package_costs, unit_costs
from domgrpc.core.leg_questions import (
    FILTERS,
    NO_UNITS,
    Candidates,
    LegQuestion,
    Need,
    Places,
    Units,
    excluded_for_all,
)
from domgrpc.core.network import Network
from domgrpc.core.orders import FulfillmentOrder
from domgrpc.core.positions import SkuStock
from domgrpc.core.rejections import Reason
from domgrpc.core.rule_effects import NO_EFFECTS
from domgrpc.core.scopes import Area
from domgrpc.core.stock_index import availability_view
from domgrpc.core.values import (
    LocationIndex,
)


def stocked(network: Network, need: Need, question: LegQuestion) -> Units:
    """Return the units of a need by location, those without any left out.

    O(positions of the SKU); for a leg that is collected at one location, or comes from a few,
    O(log positions) for each.
    """
    if question.mocked is not None:
        given = question.mocked.get(need.sku, NO_UNITS)
        usable = (index for index in given if network.exclusion(index, question.ask) is None)
        mocked = {index: given[index] for index in usable}
        _take_off(need, question, mocked)
        return mocked if question.only is None else _only(question.only, mocked)
    stock = network.stock.find(need.sku)
    if stock is None:
        return {}
    view = availability_view(network, stock, question.ask)
    if question.only is not None:
        units = view.at(question.only, in_stock_only=True)
        found = {question.only: units} if units > 0 else {}
    elif _is_small(question.area, stock):
        there = (
            (LocationIndex(index), stock.slot(index)) for index in question.area.distances_m or ()
        )
        found = {
            index: units
            for index, slot in there
            if slot >= 0 and (units := view.to_fulfill[slot]) > 0
        }
    else:
        columns = zip(stock.location_indexes, view.to_fulfill, strict=False)
        found = {LocationIndex(index): units for index, units in columns if units > 0}
    if question.own or question.taken:
        _adjust(network, need, question, found)
    return found


def _is_small(area: Area, stock: SkuStock) -> bool:
    # Then each of its locations is looked up, instead of each position.
    return area.distances_m is not None and 8 * len(area.distances_m) < len(stock.location_indexes)


def _only(index: LocationIndex, units: Units) -> Units:
    return {index: units[index]} if units.get(index, 0) > 0 else {}


def candidates_of(network: Network, question: LegQuestion) -> Candidates:
    """Return the candidates of a leg; O(positions of its SKUs)."""
    columns = [stocked(network, need, question) for need in question.needs]
    union = columns[0] if len(columns) == 1 else {k: 0 for units in columns for k in units}
    ordered = sorted(union, key=question.ranks.__getitem__)
    table = question.table_of(ordered, question.ask.time_ms)
    everywhere = isinstance(table.indexes, range)
    rows: Sequence[int] = ordered if everywhere else range(len(ordered))
    kept, kept_rows, removed_by = _filtered(question, table, (ordered, rows))
    parcels = parcels_at(question, table, (kept, kept_rows))
    alone = [need.fields.ship_alone for need in question.needs]
    if parcels and any(alone) and not question.joins_only:
        kept, kept_rows, parcels = _doubled((kept, kept_rows), parcels)
    available = _within_room(question, table, (kept, kept_rows), columns)
    if parcels and any(alone):
        _keep_apart(available, alone, kept, parcels)
    return Candidates(
        kept,
        kept_rows,
        table,
        package_costs(question, table, (kept, kept_rows), parcels),
        [
            unit_costs(question, table, place, (kept, kept_rows, units))
            for place, units in enumerate(columns)
        ],
        available,
        _counts(network, question, union, removed_by),
        removed_by,
        parcels=parcels,
    )


# --- open parcels


def parcels_at(
    question: LegQuestion, table: TransportTable, places: Places
) -> dict[int, FulfillmentOrder]:
    """Return by number the places from which goods join an open parcel, and which."""
    if question.parcel_at is None:
        return {}
    found = {}
    for number, (index, row) in enumerate(zip(*places, strict=True)):
        parcel = question.parcel_at(index, table.ship_day[row])
        if parcel is not None:
            found[number] = parcel
    return found


def _doubled(
    places: Places, parcels: dict[int, FulfillmentOrder]
) -> tuple[list[LocationIndex], list[int], dict[int, FulfillmentOrder]]:
    # A place with a parcel stands there twice: for what joins it, and for what ships alone.
    kept: list[LocationIndex] = []
    rows: list[int] = []
    joining = {}
    for number, (index, row) in enumerate(zip(*places, strict=True)):
        if number in parcels:
            joining[len(kept)] = parcels[number]
            kept.append(index)
            rows.append(row)
        kept.append(index)
        rows.append(row)
    return kept, rows, joining


def _keep_apart(
    available: list[list[int]],
    alone: list[bool],
    kept: list[LocationIndex],
    parcels: Mapping[int, FulfillmentOrder],
) -> None:
    for ships_alone, row in zip(alone, available, strict=True):
        for joining in parcels:
            if ships_alone:
                row[joining] = 0
            elif kept[joining + 1 : joining + 2] == [kept[joining]]:
                row[joining + 1] = 0


class Everywhere(msgspec.Struct, frozen=True):
    """What a leg would cost from every location, by location index, whatever stock it has."""

    package_costs: list[int]
    unit_costs: list[list[int]]
    """By need, then location."""
    allowed: list[bytearray]
    """By need, then location: 1 where no filter but stock forbids it."""
    arrivals_ms: Sequence[int]
    """-1 where the journey cannot begin."""
    table: TransportTable
    """Of all locations."""


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
        package_costs(question, table, places, parcels_at(question, table, places)),
        [unit_costs(plain, table, number, (*places, {})) for number in range(len(question.needs))],
        allowed,
        table.deliver_by_ms,
        table,
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


def removed_by(network: Network, question: LegQuestion, index: LocationIndex) -> str:
    """Return the first filter that removes one location, whatever others do; empty for none."""
    reason = network.exclusion(index, question.ask)
    if reason is not None:
        return "disabled" if reason is Reason.LOCATION_DISABLED else "method"
    if question.only not in (None, index) or index not in question.area:
        return "scope"
    if not any(units_at(network, question, index)):
        return "stock"
    table = question.table_of([index], question.ask.time_ms)
    row = index if isinstance(table.indexes, range) else 0
    return _removed_by(question, table, index, row)


def units_at(network: Network, question: LegQuestion, index: LocationIndex) -> list[int]:
    """Return the units of each need that one location has."""
    there = msgspec.structs.replace(question, area=Area({index: 0}))
    return [stocked(network, need, there).get(index, 0) for need in question.needs]


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
    by_rules = "rules" if excluded_for_all(question.effects, index) else ""
    stays_out = question.joins_only and not _joins(question, index, table.ship_day[row])
    return by_rules or ("packages" if stays_out else "")


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
            for row_of_need in available:
                row_of_need[candidate] = min(row_of_need[candidate], room.units)
    return available
