"""Improving a plan that can be carried out: passes, trades, returns, until none saves anything.

A pass solves every part again, for the stock that is left and what it holds itself.

A trade lets a part in where the stock is used up, while one that holds some moves out. What that
costs is found first: for every line that is sent from where little is left, its part is solved with
that position closed. Then every part is solved once more, and where too little is left for a line,
room can be bought for what it costs the cheapest holder to move. A trade that looks good is tried:
the part moves, the holder is solved again for what is left by then (perhaps what the part gave
up), and it stays so if the orders cost less, in whole micros.

A return takes a part whose lines are not all sent back to where another plan had them. Whoever
stands there by now has to go elsewhere, or return, too. As the other plan can be carried out, this
ends well: so an order that the plan forgot gets its place back where it is worth the moves.
"""

from collections.abc import Callable, Iterator

import msgspec
import numpy as np

from domgrpc.core.routing.backlog_batches import Batch, Offer, Pool
from domgrpc.core.routing.backlog_data import NOWHERE, Booleans, Numbers
from domgrpc.core.routing.backlog_ledger import Ledger
from domgrpc.core.routing.backlog_subsets import cheapest_values, plan_values, solve
from domgrpc.core.routing.backlog_trials import Trial
from domgrpc.core.routing.backlog_twins import mended

_ROOM_MAX = 4
"""Units at a position that one trade can make room for."""
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

    __slots__ = (
        "_home",
        "_ledger",
        "_moving_costs",
        "_parts",
        "_pool",
        "_room_costs",
        "_seen",
        "_traded",
    )

    def __init__(self, pool: Pool, ledger: Ledger, home: Numbers) -> None:
        """Take over the ledger; `home` is by line another plan that can be carried out."""
        self._pool = pool
        self._parts = pool.parts
        self._ledger = ledger
        self._home = home
        self._seen = _Watch(pool, ledger)
        self._traded = _Watch(pool, ledger)
        self._moving_costs = np.full(len(ledger.locations), _NEVER)
        """By line at a position with little left: what leaving it costs its part."""
        self._room_costs = np.zeros((_ROOM_MAX + 1, len(ledger.left)), np.int64)
        """By units and position: what it costs the cheapest holder of so many to move."""

    def run(self, keep_going: Callable[[int], bool]) -> bool:
        """Improve until nothing is gained; say whether `keep_going`, asked between, let it."""
        steps = (self.make_pass, self.make_trades, self.make_returns)
        number = idle_count = round_count = 0
        while idle_count < len(steps):
            if not keep_going(round_count):
                return False
            round_count += 1
            if steps[number]():
                idle_count = 0
            else:
                idle_count += 1
                number = (number + 1) % len(steps)
        return True

    def make_pass(self) -> bool:
        """Solve again every part for which something changed; say whether that saved anything."""
        self._seen.look()
        moves: list[_Move] = []
        for batch in self._seen.touched():
            standing = self._stand(batch)
            moves += _gains(standing, standing.offer, self._ledger)
        return self._make(moves, {})

    def make_trades(self) -> bool:
        """Let parts in where others can move out, and say whether that saved anything."""
        self._traded.look()
        for batch in self._traded.touched():
            self._price_moving_out(self._stand(batch))
        holders = np.flatnonzero(self._moving_costs < _NEVER)
        holders = holders[np.argsort(self._moving_costs[holders], kind="stable")]
        positions = self._parts.positions_of(holders, self._ledger.locations[holders])
        room_costs = self._price_room(holders, positions)
        self._traded.add((room_costs != self._room_costs).any(axis=0))
        self._room_costs = room_costs
        moves: list[_Move] = []
        for batch in self._traded.touched():
            standing = self._stand(batch)
            moves += _gains(standing, self._offer_room(standing), None)
        by_position: dict[int, list[int]] = {}
        for line, position in zip(holders.tolist(), positions.tolist(), strict=True):
            by_position.setdefault(position, []).append(line)
        return self._make(moves, by_position)

    def make_returns(self) -> bool:
        """Take parts home that are not sent as far as there; say whether that saved anything."""
        is_lost = (self._ledger.locations == NOWHERE) & (self._home != NOWHERE)
        is_better = False
        for part in np.flatnonzero(np.logical_or.reduceat(is_lost, self._parts.starts[:-1])):
            trial = Trial(self._pool, self._ledger)
            if trial.go_home(int(part), self._home) and trial.saves():
                is_better = True
            else:
                trial.undo()
        return is_better

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
            trial = Trial(self._pool, self._ledger)
            trial.move(move.part, move.locations)
            if trial.make_room(move.part, holders) and trial.saves():
                is_better = True
            else:
                trial.undo()
        return is_better


class _Watch:
    """Tells for which parts anything changed since it last looked; at first, for all."""

    __slots__ = ("_is_changed", "_is_moved", "_ledger", "_left", "_locations", "_pool")

    def __init__(self, pool: Pool, ledger: Ledger) -> None:
        """Nothing was looked at yet."""
        self._pool = pool
        self._ledger = ledger
        self._left = np.full_like(ledger.left, np.iinfo(np.int64).min)
        self._locations = ledger.locations
        self._is_changed = self._is_moved = np.zeros(0, np.bool_)

    def look(self) -> None:
        """Find out what changed since the last look: stock by position, and orders that moved."""
        backlog = self._pool.parts.backlog
        self._is_changed = self._ledger.left != self._left
        is_moved = self._ledger.locations != self._locations
        self._is_moved = np.logical_or.reduceat(is_moved, backlog.line_starts[:-1])
        self._left = self._ledger.left.copy()
        self._locations = self._ledger.locations.copy()

    def add(self, is_changed: Booleans) -> None:
        """Take positions for changed, too."""
        self._is_changed = self._is_changed | is_changed

    def touched(self) -> Iterator[Batch]:
        """Yield batches of all parts that something changed for."""
        for batch in self._pool.batches:
            touched = self._is_changed[batch.positions].any(axis=(0, 1))
            touched |= self._is_moved[self._pool.parts.orders[batch.parts]]
            if touched.any():
                yield batch.take(np.flatnonzero(touched))


def _gains(standing: _Standing, offer: Offer, ledger: Ledger | None) -> list[_Move]:
    """Return the moves of parts that the offer gives a cheaper plan than the one they have.

    With a ledger, plans that fit as things stand there; else room may have to be made.
    """
    losses = cheapest_values(standing.batch, offer) - standing.values
    columns = np.flatnonzero(losses < 0)
    batch = standing.batch.take(columns)
    costs = np.take(offer.costs, columns, axis=2)
    taken = Offer(costs, offer.packages[:, columns], offer.changes[columns])
    answer = solve(batch, taken)
    if ledger is not None and batch.has_twins:
        picks = standing.picks[:, columns]
        answer = mended(batch, taken, answer, ledger.room(batch, picks))
        losses[columns] = answer.values - standing.values[columns]
    locations = batch.locations_of(answer.picks).T.tolist()
    chosen = zip(losses[columns].tolist(), batch.parts.tolist(), locations, strict=True)
    return [_Move(*each) for each in chosen]
