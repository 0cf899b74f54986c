"""Improving a plan that can be carried out: passes and trades, until neither saves anything.

A pass solves every part again, for the stock that is left and what it holds itself.

A trade lets a part in where the stock is used up, while one that holds some moves out. What that
costs is found first: for every line that is sent from where little is left, its part is solved with
that position closed. Then every part is solved once more, and where too little is left for a line,
room can be bought for what it costs the cheapest holder to move. A trade that looks good is tried:
the part moves, the holder is solved again for what is left by then (perhaps what the part gave
up), and it stays so if the orders cost less, in whole micros.
"""

from collections.abc import Callable, Iterator

import msgspec
import numpy as np

from domgrpc.core.routing.backlog_batches import Batch, Offer, Pool
from domgrpc.core.routing.backlog_data import NOWHERE, Booleans, Numbers
from domgrpc.core.routing.backlog_first_come import cheapest_plans
from domgrpc.core.routing.backlog_ledger import Ledger
from domgrpc.core.routing.backlog_subsets import cheapest_values, plan_values, solve

_ROOM_MAX = 4
"""Units at a position that one trade can make room for."""
_STEP_COUNT = 2
_NEVER = 1 << 62
"""What moving out costs where it was not asked for."""


class _Standing(msgspec.Struct, frozen=True, eq=False):
    """How the parts of a batch stand in the plan."""

    batch: Batch
    picks: Numbers
    offer: Offer
    values: Numbers


class _Move(msgspec.Struct, frozen=True, order=True):
    """A part that would gain by moving; sorted, the largest gain comes first."""

    loss: int
    part: int
    locations: list[int]


class Improver:
    """Improves the plan on a ledger, on which every open part is booked."""

    __slots__ = ("_ledger", "_moving_costs", "_parts", "_pool", "_room_costs", "_seen", "_traded")

    def __init__(self, pool: Pool, ledger: Ledger) -> None:
        """Take over the ledger."""
        self._pool = pool
        self._parts = pool.parts
        self._ledger = ledger
        self._seen = _Watch(ledger)
        self._traded = _Watch(ledger)
        self._moving_costs = np.full(len(ledger.locations), _NEVER)
        """By line at a position with little left: what leaving it costs its part."""
        self._room_costs = np.zeros((_ROOM_MAX + 1, len(ledger.left)), np.int64)
        """By units and position: what it costs the cheapest holder of so many to move."""

    def run(self, keep_going: Callable[[int], bool]) -> bool:
        """Improve until nothing is gained; say whether `keep_going`, asked between, let it."""
        step, other = self.make_pass, self.make_trades
        idle_count = round_count = 0
        while idle_count < _STEP_COUNT:
            if not keep_going(round_count):
                return False
            round_count += 1
            if step():
                idle_count = 0
            else:
                idle_count += 1
                step, other = other, step
        return True

    def make_pass(self) -> bool:
        """Solve again every part for which something changed; say whether that saved anything."""
        self._seen.look()
        moves: list[_Move] = []
        for batch in self._seen.touched(self._pool):
            standing = self._stand(batch)
            moves += _gains(standing, standing.offer)
        return self._make(moves, {})

    def make_trades(self) -> bool:
        """Let parts in where others can move out, and say whether that saved anything."""
        self._traded.look()
        for batch in self._traded.touched(self._pool):
            self._price_moving_out(self._stand(batch))
        holders = np.flatnonzero(self._moving_costs < _NEVER)
        holders = holders[np.argsort(self._moving_costs[holders], kind="stable")]
        positions = self._parts.positions_of(holders, self._ledger.locations[holders])
        room_costs = self._price_room(holders, positions)
        self._traded.add((room_costs != self._room_costs).any(axis=0))
        self._room_costs = room_costs
        moves: list[_Move] = []
        for batch in self._traded.touched(self._pool):
            standing = self._stand(batch)
            moves += _gains(standing, self._offer_room(standing))
        by_position: dict[int, list[int]] = {}
        for line, position in zip(holders.tolist(), positions.tolist(), strict=True):
            by_position.setdefault(position, []).append(line)
        return self._make(moves, by_position)

    def _stand(self, batch: Batch) -> _Standing:
        picks = self._ledger.picks(batch)
        offer = self._ledger.offer(batch, picks)
        return _Standing(batch, picks, offer, plan_values(batch, offer, picks))

    def _price_moving_out(self, standing: _Standing) -> None:
        """Write for each line at a position with little left what leaving it costs its part."""
        batch, offer = standing.batch, standing.offer
        for row, picks in enumerate(standing.picks):
            columns = np.flatnonzero(picks != NOWHERE)
            left = self._ledger.left[batch.positions[row, picks[columns], columns]]
            columns = columns[left < _ROOM_MAX]
            costs = np.take(offer.costs, columns, axis=2)
            costs[row, picks[columns], np.arange(len(columns))] = batch.closed
            moved = Offer(costs, offer.packages[:, columns], offer.changes[columns])
            values = cheapest_values(batch.take(columns), moved)
            loss = np.maximum(values - standing.values[columns], 0)
            self._moving_costs[batch.lines[row]] = _NEVER
            self._moving_costs[batch.lines[row, columns]] = loss

    def _price_room(self, holders: Numbers, positions: Numbers) -> Numbers:
        room_costs = np.full_like(self._room_costs, _NEVER)
        room_costs[0] = 0
        quantities = self._parts.backlog.quantities[holders]
        for units in range(1, _ROOM_MAX + 1):
            enough = quantities >= units
            costs = self._moving_costs[holders[enough]]
            np.minimum.at(room_costs[units], positions[enough], costs)
        return room_costs

    def _offer_room(self, standing: _Standing) -> Offer:
        """Return what a batch may use where room can be bought."""
        batch, offer = standing.batch, standing.offer
        missing = batch.quantities - self._ledger.room(batch, standing.picks)
        prices = self._room_costs[np.clip(missing, 0, _ROOM_MAX), batch.positions]
        prices[missing > _ROOM_MAX] = _NEVER
        costs = batch.costs + np.minimum(prices, batch.closed - batch.costs)
        return Offer(costs.astype(batch.costs.dtype), offer.packages, offer.changes)

    def _make(self, moves: list[_Move], holders: dict[int, list[int]]) -> bool:
        """Try moves one after the other, and say whether any was kept."""
        is_better = False
        for move in sorted(moves):
            trial = _Trial(self._pool, self._ledger)
            trial.move(move.part, move.locations)
            if trial.make_room(move.part, holders) and trial.saves():
                is_better = True
            else:
                trial.undo()
        return is_better


class _Watch:
    """Tells for which parts anything changed since it last looked; at first, for all."""

    __slots__ = ("_is_changed", "_is_moved", "_ledger", "_left", "_locations")

    def __init__(self, ledger: Ledger) -> None:
        """Nothing was looked at yet."""
        self._ledger = ledger
        self._left = np.full_like(ledger.left, np.iinfo(np.int64).min)
        self._locations = ledger.locations
        self._is_changed = self._is_moved = np.zeros(0, np.bool_)

    def look(self) -> None:
        """Find out what changed since the last look: stock by position, and lines that moved."""
        self._is_changed = self._ledger.left != self._left
        self._is_moved = self._ledger.locations != self._locations
        self._left = self._ledger.left.copy()
        self._locations = self._ledger.locations.copy()

    def add(self, is_changed: Booleans) -> None:
        """Take positions for changed, too."""
        self._is_changed = self._is_changed | is_changed

    def touched(self, pool: Pool) -> Iterator[Batch]:
        """Yield batches of all parts that something changed for."""
        for batch in pool.batches:
            touched = self._is_changed[batch.positions].any(axis=(0, 1))
            touched |= self._is_moved[batch.lines].any(axis=0) | (not batch.is_whole)
            if touched.any():
                yield batch.take(np.flatnonzero(touched))


class _Trial:
    """Moves that can be undone."""

    __slots__ = ("_before", "_costs", "_ledger", "_pool")

    def __init__(self, pool: Pool, ledger: Ledger) -> None:
        """Begin with no move."""
        self._pool = pool
        self._ledger = ledger
        self._before: dict[int, list[int]] = {}
        """By part that moved."""
        self._costs: dict[int, int] = {}
        """By order with such a part: what it cost before."""

    def move(self, part: int, locations: list[int] | None = None) -> None:
        """Move a part, to the cheapest places there are by now unless they are given."""
        order = int(self._pool.parts.orders[part])
        self._costs.setdefault(order, self._ledger.order_cost(order))
        self._before[part] = self._ledger.lift(part)
        if locations is None:
            locations = cheapest_plans(self._pool.alone(part), self._ledger)[part]
        self._ledger.book(part, locations)

    def make_room(self, part: int, holders: dict[int, list[int]]) -> bool:
        """Move one holder out of each position where too little is left for the part."""
        parts, ledger = self._pool.parts, self._ledger
        lines = np.arange(parts.starts[part], parts.starts[part + 1])
        for position in parts.positions_of(lines, ledger.locations[lines]).tolist():
            if position != NOWHERE and ledger.left[position] < 0:
                holder = self._find_holder(position, holders.get(position, []))
                if holder is None:
                    return False
                self.move(holder)
        return True

    def _find_holder(self, position: int, lines: list[int]) -> int | None:
        """Return the part of the first line that still holds enough and has not moved yet."""
        parts, ledger = self._pool.parts, self._ledger
        for line in lines:
            part = int(np.searchsorted(parts.starts, line, side="right")) - 1
            location = ledger.locations[line]
            is_there = location != NOWHERE and parts.position_of[line, location] == position
            is_enough = parts.backlog.quantities[line] + ledger.left[position] >= 0
            if is_there and is_enough and part not in self._before:
                return part
        return None

    def saves(self) -> bool:
        """Say whether the orders cost less than before."""
        return sum(map(self._ledger.order_cost, self._costs)) < sum(self._costs.values())

    def undo(self) -> None:
        """Put all parts back where they were."""
        for part in self._before:
            self._ledger.lift(part)
        for part, locations in self._before.items():
            self._ledger.book(part, locations)


def _gains(standing: _Standing, offer: Offer) -> list[_Move]:
    """Return the moves of parts that the offer gives a cheaper plan than the one they have."""
    losses = cheapest_values(standing.batch, offer) - standing.values
    columns = np.flatnonzero(losses < 0)
    batch = standing.batch.take(columns)
    costs = np.take(offer.costs, columns, axis=2)
    answer = solve(batch, Offer(costs, offer.packages[:, columns], offer.changes[columns]))
    locations = batch.locations_of(answer.picks).T.tolist()
    chosen = zip(losses[columns].tolist(), batch.parts.tolist(), locations, strict=True)
    return [_Move(*each) for each in chosen]
