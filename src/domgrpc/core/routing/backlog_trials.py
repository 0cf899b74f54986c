"""Moves that are tried: made on the ledger, counted in whole micros, undone if they save nothing.

A part that moves in where too little is left has others moved out, one after the other.
"""

import numpy as np

from domgrpc.core.routing.backlog_batches import Offer, Pool
from domgrpc.core.routing.backlog_data import NOWHERE, Numbers
from domgrpc.core.routing.backlog_first_come import cheapest_plans
from domgrpc.core.routing.backlog_ledger import Ledger
from domgrpc.core.routing.backlog_subsets import cheapest_values, plan_values

_MOVED_MAX = 100
"""Parts that one return may move."""


class Trial:
    """Some moves, and what they save together."""

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
        before = self._ledger.lift(part)
        self._before.setdefault(part, before)
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
            part = parts.part_of(line)
            location = ledger.locations[line]
            is_there = location != NOWHERE and parts.position_of[line, location] == position
            is_enough = parts.backlog.quantities[line] + ledger.left[position] >= 0
            if is_there and is_enough and part not in self._before:
                return part
        return None

    def go_home(self, part: int, home: Numbers) -> bool:
        """Move a part to where it is in a plan that can be carried out, whoever stands there now.

        They move to the cheapest places left, or go home as well where they would not be sent as
        far as at home. Nobody goes home twice, and only who is not at home has to go, so it ends;
        False if that takes too many moves.
        """
        parts = self._pool.parts
        waiting = [part]
        while waiting:
            if len(self._before) > _MOVED_MAX:
                return False
            part = waiting.pop()
            lines = slice(*parts.starts[part : part + 2].tolist())
            self.move(part, home[lines].tolist())
            for position in parts.positions_of(np.arange(lines.start, lines.stop), home[lines]):
                if position != NOWHERE:
                    waiting += self._cleared(int(position), home)
        return True

    def _cleared(self, position: int, home: Numbers) -> list[int]:
        """Move guests away from a position until it holds no more than it has; return the lost."""
        lost = []
        while self._ledger.left[position] < 0:
            guest = self._cheapest_guest(position, home)
            self.move(guest)
            if self._is_lost(guest, home):
                lost.append(guest)
        return lost

    def _is_lost(self, part: int, home: Numbers) -> bool:
        lines = slice(*self._pool.parts.starts[part : part + 2].tolist())
        locations = self._ledger.locations[lines]
        return bool(((locations == NOWHERE) & (home[lines] != NOWHERE)).any())

    def _cheapest_guest(self, position: int, home: Numbers) -> int:
        """Return who is at a position away from home, and leaves it at the least cost."""
        parts, ledger = self._pool.parts, self._ledger
        lines = parts.lines_at(position, ledger.locations)
        is_guest = ledger.locations[lines] != home[lines]
        guests = np.array([parts.part_of(line) for line in lines[is_guest].tolist()])
        losses: list[tuple[int, int]] = []
        for batch in self._pool.select(guests):
            picks = ledger.picks(batch)
            # The position is closed by now, to its guests, too: there is less than nothing left.
            offer = ledger.offer(batch, picks)
            standing = plan_values(batch, Offer(batch.costs, offer.packages, offer.changes), picks)
            loss = cheapest_values(batch, offer) - standing
            losses += zip(loss.tolist(), batch.parts.tolist(), strict=True)
        return min(losses)[1]

    def saves(self) -> bool:
        """Say whether the orders cost less than before."""
        return sum(map(self._ledger.order_cost, self._costs)) < sum(self._costs.values())

    def undo(self) -> None:
        """Put all parts back where they were."""
        for part in self._before:
            self._ledger.lift(part)
        for part, locations in self._before.items():
            self._ledger.book(part, locations)
