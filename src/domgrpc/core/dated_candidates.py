"""Candidates that wait for supply: what may be sold beyond the stock, with the date it comes.

They are asked for only where the stock cannot serve a leg. A location is ready when the last of
the supply is there that covers what is asked of it beyond its stock; where no announced supply
covers it, at the end of the product's backorder horizon. A need that must not be split may take
stock and supply of one place together, one that may be split only what lies beyond the stock: the
stock is a candidate of its own.
"""

import msgspec

from domgrpc.core.journey_columns import late_days
from domgrpc.core.leg_costs import unit_cost
from domgrpc.core.leg_questions import (
    BOUNDLESS,
    NO_UNITS,
    Candidates,
    Claims,
    LegQuestion,
    Need,
    Place,
    Room,
    Units,
    excluded_for_all,
)
from domgrpc.core.network import Network
from domgrpc.core.positions import SkuStock
from domgrpc.core.stock_index import availability_view
from domgrpc.core.values import DAY_MS, BackorderMode, LocationIndex, Sku


def with_dated(
    network: Network, question: LegQuestion, found: Candidates, *, split: bool
) -> Candidates:
    """Return the candidates with those that wait for supply behind them; O(positions)."""
    columns = [_beyond(network, need, question, split=split) for need in question.needs]
    union = {index: 0 for column in columns for index in column}
    dated: list[tuple[LocationIndex, Place]] = []
    for index in sorted(union, key=question.ranks.__getitem__):
        if not _may_wait(question, index):
            continue
        ready_ms = max(
            _ready_ms(network, need, question, index)
            for need, column in zip(question.needs, columns, strict=True)
            if index in column
        )
        table = question.table_of((index,), ready_ms)
        row = 0 if len(table.indexes) == 1 else index
        place = Place(table, row, ready_ms)
        deliver_by_ms = table.deliver_by_ms[row]
        if (
            deliver_by_ms >= 0
            and _in_time(question, deliver_by_ms)
            and all(_room(question, found, index, place))
        ):
            dated.append((index, place))
    return _extended(question, found, dated, columns)


def _beyond(network: Network, need: Need, question: LegQuestion, *, split: bool) -> Units:
    stock = network.stock.find(need.sku)
    if stock is None:
        return {}
    if need.fields.backorder_policy.mode is BackorderMode.NONE:
        return {}
    # Keeps the figures of all positions ready; they are read one by one where claims count.
    view = availability_view(network, stock, question.ask)
    beyond: Units = {}
    whole = not (split and need.splits)
    for slot, index in enumerate(stock.location_indexes):
        if view.to_sell[slot] <= view.to_fulfill[slot] and not question.own:
            continue
        free, total = _free(network, stock, LocationIndex(index), question)
        units = total if whole else total - free
        if total > free and units > 0:
            beyond[LocationIndex(index)] = units
    return beyond


def _free(
    network: Network, stock: SkuStock, index: LocationIndex, question: LegQuestion
) -> tuple[int, int]:
    """Return the units that are there for the asker, and with those that may be sold beyond."""
    own, taken = (
        _claimed(question.own, stock.sku, index),
        _claimed(question.taken, stock.sku, index),
    )
    to_fulfill, to_sell = network.sellable(stock, stock.slot(index), question.ask, own)
    return max(0, to_fulfill - taken), max(0, to_sell - taken)


def _may_wait(question: LegQuestion, index: LocationIndex) -> bool:
    return (
        not question.joins_only
        and question.only in (None, index)
        and index in question.area
        and index not in question.excluded
        and not excluded_for_all(question.effects, index)
    )


def _claimed(claims: Claims, sku: Sku, index: LocationIndex) -> int:
    return claims.get(sku, NO_UNITS).get(index, 0)


def _ready_ms(network: Network, need: Need, question: LegQuestion, index: LocationIndex) -> int:
    stock = network.stock.find(need.sku)
    assert stock is not None
    now_ms = question.ask.time_ms
    horizon_ms = now_ms + need.fields.backorder_policy.horizon_days * DAY_MS
    # What others claimed beyond the stock comes out of the same supply first.
    unclaimed = stock.free(stock.slot(index)) + _claimed(question.own, need.sku, index)
    unclaimed -= _claimed(question.taken, need.sku, index)
    free, total = _free(network, stock, index, question)
    covered = min(unclaimed, free)
    asked = min(need.quantity, total)
    for supply in stock.supplies(index) or ():
        if now_ms < supply.due_time_ms <= horizon_ms:
            covered += supply.quantity
            if covered >= asked:
                return supply.due_time_ms
    return horizon_ms


def _room(question: LegQuestion, found: Candidates, index: LocationIndex, place: Place) -> Room:
    # What the stock of the same location may take of the same day is not there for its supply.
    if question.room_left is None:
        return BOUNDLESS
    day = place.table.ship_day[place.row]
    room = question.room_left(index, day)
    for candidate, row in enumerate(found.rows):
        if found.indexes[candidate] == index and found.table.ship_day[row] == day:
            units = sum(
                min(have[candidate], need.quantity)
                for need, have in zip(question.needs, found.available, strict=True)
            )
            return Room(room.packages - 1, max(0, room.units - units))
    return room


def _in_time(question: LegQuestion, deliver_by_ms: int) -> bool:
    return not question.promise_is_hard or deliver_by_ms <= question.promise_ms


def _extended(
    question: LegQuestion,
    found: Candidates,
    dated: list[tuple[LocationIndex, Place]],
    columns: list[Units],
) -> Candidates:
    available = [
        [0 if _is_excluded(question, number, index) else column.get(index, 0) for index, _ in dated]
        for number, column in enumerate(columns)
    ]
    for candidate, (index, place) in enumerate(dated):
        room = _room(question, found, index, place)
        for row in available:
            row[candidate] = min(row[candidate], room.units)
    return msgspec.structs.replace(
        found,
        indexes=[*found.indexes, *(index for index, _ in dated)],
        dated=tuple(place for _, place in dated),
        package_costs=[
            *found.package_costs,
            *(_package_cost(question, index, place) for index, place in dated),
        ],
        unit_costs=[
            [*row, *(_unit_cost(question, number, index, place) for index, place in dated)]
            for number, row in enumerate(found.unit_costs)
        ],
        available=[
            [*row, *waiting] for row, waiting in zip(found.available, available, strict=True)
        ],
    )


def _package_cost(question: LegQuestion, index: LocationIndex, place: Place) -> int:
    prices, wishes = question.prices, question.effects.shared.prices
    cost = place.table.package_micros[place.row]
    late_count = late_days(question.promise_ms, place.table.deliver_by_ms[place.row])
    cost += prices.late_day_micros * late_count
    return max(0, cost + (wishes[index] if wishes else 0)) + prices.package_micros


def _unit_cost(question: LegQuestion, number: int, index: LocationIndex, place: Place) -> int:
    need = question.needs[number]
    wishes = question.effects.lines[number].prices if question.effects.lines else None
    wish = need.share_of(wishes[index]) if wishes else 0
    return max(0, unit_cost(need, place.table, place.row) + wish)


def _is_excluded(question: LegQuestion, number: int, index: LocationIndex) -> bool:
    excluded = question.effects.of_line(number).excluded
    return excluded is not None and bool(excluded[index])
