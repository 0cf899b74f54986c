"""The plan in the making: where every line is sent from, and the stock that is left.

The ledger changes the plan and counts what it costs, in whole micros; it does not know what would
be cheap. It also says what a part may use as things stand: positions where enough is left, what
it holds itself included, and free of charge the packages that other parts of its order send.
"""

from collections.abc import Sequence

import numpy as np

from domgrpc.core.routing.backlog_batches import Batch, Offer
from domgrpc.core.routing.backlog_data import NOWHERE, Numbers
from domgrpc.core.routing.backlog_parts import Parts


class Ledger:
    """The locations of all lines of open orders, and the units left at every position."""

    __slots__ = (
        "_changed_counts",
        "_is_changed",
        "_parts",
        "_sender_counts",
        "left",
        "locations",
    )

    def __init__(self, parts: Parts) -> None:
        """Begin with nothing booked."""
        self._parts = parts
        self.locations = np.full(len(parts.backlog.skus), NOWHERE)
        """By line; those of released orders stay nowhere."""
        self.left = parts.capacity.copy()
        """By position."""
        self._sender_counts = np.zeros(parts.backlog.package_costs.shape, np.int32)
        """By order and location: how many parts of the order are sent from there."""
        self._is_changed = np.zeros(parts.count, np.bool_)
        """By part: whether it is booked otherwise than in the present plan."""
        self._changed_counts = np.zeros(parts.backlog.order_count, np.int64)
        """By order: how many of its parts are."""

    def fits(self, part: int, locations: Sequence[int]) -> bool:
        """Say whether there is enough left for a part that is not booked."""
        first = self._parts.starts[part]
        for line, location in enumerate(locations, first):
            position = self._parts.position_of[line, location]
            if location != NOWHERE and self.left[position] < self._parts.backlog.quantities[line]:
                return False
        return not self._parts.has_twins[part] or self._twins_fit(first, locations)

    def _twins_fit(self, first: int, locations: Sequence[int]) -> bool:
        wanted: dict[int, int] = {}
        for line, location in enumerate(locations, first):
            if location != NOWHERE:
                position = int(self._parts.position_of[line, location])
                units = int(self._parts.backlog.quantities[line])
                wanted[position] = wanted.get(position, 0) + units
        return all(self.left[position] >= units for position, units in wanted.items())

    def book(self, part: int, locations: Sequence[int]) -> None:
        """Book a part that is not, even where too little is left."""
        first, end = self._parts.starts[part : part + 2].tolist()
        self.locations[first:end] = locations
        self._is_changed[part] = locations != self._parts.backlog.present[first:end].tolist()
        self._count(part, locations, 1)

    def lift(self, part: int) -> list[int]:
        """Take a booked part out of the plan, and return where it was sent from."""
        first, end = self._parts.starts[part : part + 2].tolist()
        locations: list[int] = self.locations[first:end].tolist()
        self._count(part, locations, -1)
        self.locations[first:end] = NOWHERE
        self._is_changed[part] = False
        return locations

    def _count(self, part: int, locations: Sequence[int], sign: int) -> None:
        position_of, quantities = self._parts.position_of, self._parts.backlog.quantities
        order = self._parts.orders[part]
        for line, location in enumerate(locations, self._parts.starts[part]):
            if location != NOWHERE:
                self.left[position_of[line, location]] -= sign * quantities[line]
        for location in dict.fromkeys(locations):
            if location != NOWHERE:
                self._sender_counts[order, location] += sign
        self._changed_counts[order] += sign * int(self._is_changed[part])

    def order_cost(self, order: int) -> int:
        """Return what an order costs whose parts are all booked, with what its change costs."""
        backlog = self._parts.backlog
        first, end = backlog.line_starts[order : order + 2].tolist()
        cost = 0
        for line, location in enumerate(self.locations[first:end].tolist(), first):
            if location == NOWHERE:
                cost += int(backlog.backorder_costs[line])
            else:
                cost += int(self._parts.line_costs[line, location])
        cost += int(backlog.package_costs[order, self._sender_counts[order] > 0].sum())
        is_changed = self._parts.keepable[order] and self._changed_counts[order]
        return cost + (backlog.stability_cost if is_changed else 0)

    def plan_cost(self) -> int:
        """Return what all open orders cost once booked, with what their changes cost."""
        backlog = self._parts.backlog
        is_open = ~backlog.released
        lines = np.flatnonzero(is_open[backlog.line_orders])
        locations = self.locations[lines]
        sent = np.where(
            locations == NOWHERE,
            backlog.backorder_costs[lines],
            self._parts.line_costs[lines, locations],
        )
        packages = backlog.package_costs[self._sender_counts > 0]
        changed = is_open & self._parts.keepable & (self._changed_counts > 0)
        return int(sent.sum()) + int(packages.sum()) + backlog.stability_cost * int(changed.sum())

    def picks(self, batch: Batch) -> Numbers:
        """Return the candidates that the parts of a batch are sent from."""
        locations = self.locations[batch.lines]
        matches = batch.locations == locations[:, None]
        return np.where(locations == NOWHERE, NOWHERE, matches.argmax(axis=1))

    def room(self, batch: Batch, picks: Numbers) -> Numbers:
        """Return the units that a batch's lines may use where: what is left, and what they hold.

        What one of several twins holds is there for each of them.
        """
        room = self.left[batch.positions]
        rows, columns = np.nonzero(picks != NOWHERE)
        chosen, held = picks[rows, columns], batch.quantities[rows, 0, columns]
        if not batch.has_twins:
            room[rows, chosen, columns] += held
            return room
        for line, twins in enumerate(batch.twins):
            own = batch.twins[rows, columns] == twins[columns]
            np.add.at(room[line], (chosen[own], columns[own]), held[own])
        return room

    def offer(self, batch: Batch, picks: Numbers) -> Offer:
        """Return what the parts of a batch, sent from `picks` now, may use as things stand."""
        closed = batch.costs.dtype.type(batch.closed)
        costs = np.where(self.room(batch, picks) >= batch.quantities, batch.costs, closed)
        if batch.is_whole:
            return Offer(costs, batch.packages, batch.changes)
        return self._offer_beside_siblings(batch, picks, costs)

    def _offer_beside_siblings(self, batch: Batch, picks: Numbers, costs: Numbers) -> Offer:
        """Packages that other parts of the order send are free, and so is one more change."""
        orders = self._parts.orders[batch.parts]
        candidates = np.arange(len(batch.locations))[:, None]
        own_senders = (picks[:, None] == candidates).any(axis=0)
        is_sent = self._sender_counts[orders, batch.locations] > own_senders
        is_changed = self._changed_counts[orders] > self._is_changed[batch.parts]
        zero = costs.dtype.type(0)
        return Offer(
            costs,
            np.where(is_sent, zero, batch.packages),
            np.where(is_changed, zero, batch.changes),
        )
