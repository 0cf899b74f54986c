"""The books: a naive model of the whole service, as plain lists and dicts.

It adds up events as the log has them (docs/data-format.md) and knows nothing of the service's
code. Every amount that an event moves is checked against what is there; `Books.apply` returns
what a request is answered whose first event it is.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from tests.simulation.deadlines import Deadlines
from tests.simulation.order_books import ORDER, WORKS, OrderBook, claims_of
from tests.simulation.routing_books import RoutingBook

Plain = Any  # lists of whatever the log holds
Place = tuple[str, str]  # SKU and location
HELD, CONFIRMED, RELEASED, EXPIRED = 1, 2, 3, 4
ON_HAND, SOFT, ALLOCATED = 0, 1, 2
SELLABLE = 1
SHIPPED = 1
EXPIRY, LEVEL, REFUSED, NOTHING, RETENTION = 14, 9, 16, 17, 18
PLACED, CHANGED, QUOTED, REPLANNED = 26, 27, 28, 36
# Where the fields of a reservation are.
NAME, CLIENT, STATE, LINES, DEMAND, REFERENCE, EXPIRE, CREATED, UPDATED, REVISION, SHORT = range(
    1, 12
)


class Retention(NamedTuple):
    """How much of the past is kept; the log says so where it is another."""

    finished_max: int = 1_000_000
    kept_max: int = 1_000_000
    kept_age_ms: int = 86_400_000
    deltas_max: int = 200_000
    finished_orders_max: int = 1_000_000


class Books:
    """All that is known at one revision; values are never changed in place."""

    def __init__(self) -> None:
        self.retention = Retention()
        self.revision = self.time_ms = 0
        self.positions: dict[Place, list[int]] = {}
        """On hand, soft reserved, allocated; there for every place that ever had stock."""
        self.conditions: dict[tuple[str, str, int], int] = {}
        self.supplies: dict[Place, dict[str, Plain]] = {}
        self.deltas: dict[Place, list[tuple[int, int]]] = {}
        """When on_hand changed and by how much, but for counts."""
        self.counted_ms: dict[Place, int] = {}
        self.holds: dict[str, Plain] = {}
        self.deadlines = Deadlines()
        self.locations: dict[str, Plain] = {}
        self.groups: dict[str, Plain] = {}
        self.products: dict[str, Plain] = {}
        self.rules: dict[str, Plain] = {}
        self.sequences: dict[str, int] = {}
        self.event_counts: dict[int, int] = {}
        self.orders = OrderBook()
        self.routing = RoutingBook()
        self._levels: dict[Place, int] = {}
        self._finished: list[tuple[str, int]] = []
        self._apply = self._appliers()

    def apply(self, event: Plain) -> Plain:
        """Take in an event at the present revision and time; return the answer it stands for."""
        tag = event[0]
        self.event_counts[tag] = self.event_counts.get(tag, 0) + 1
        return self._apply[tag](event)

    def _appliers(self) -> dict[int, Callable[[Plain], Plain]]:
        return {
            1: self._save_location,
            2: self._save_group,
            3: self._delete_group,
            4: self._save_products,
            5: self._save_rule,
            6: self._delete_rule,
            7: self._update_stock,
            8: self._apply_batch,
            LEVEL: self._cross,
            10: self._reserve,
            11: self._change,
            12: self._confirm,
            13: self._release,
            EXPIRY: self._expire,
            15: self._settle,
            REFUSED: lambda event: event[1],
            NOTHING: self._nothing,
            RETENTION: self._retain,
            19: self.routing.save,
            20: self.routing.save,
            21: self.routing.save,
            22: self.routing.delete,
            23: self.routing.add_rule_set,
            24: lambda event: self.routing.go_on(event, self.time_ms, self.revision),
            PLACED: self._place,
            CHANGED: self._change_order,
            QUOTED: self._hold_quote,
            REPLANNED: self._replan,
        }

    def check_conserved(self) -> None:
        """Add up all claims anew: every position has exactly those, and nothing below zero."""
        claims: dict[Place, list[int]] = {}
        for hold in self.holds.values():
            if hold[STATE] in (HELD, CONFIRMED):
                for sku, location, units, _, settled in hold[LINES]:
                    claimed = claims.setdefault((sku, location), [0, 0])
                    claimed[hold[STATE] - HELD] += units - settled
        self.orders.check_waiting()
        for order in self.orders.by_id.values():
            for place, (allocated, _) in claims_of(order[WORKS]).items():
                claims.setdefault(place, [0, 0])[1] += allocated
        for place, numbers in self.positions.items():
            assert numbers[SOFT:] == claims.pop(place, [0, 0]), f"{place} claims {numbers}"
            assert min(numbers) >= 0, f"{place} is below zero: {numbers}"
        assert not any(any(claimed) for claimed in claims.values()), claims

    # --- places, products, rules

    def _save_location(self, event: Plain) -> Plain:
        self.locations[event[1][1]] = event[1]
        return event[1]

    def _save_group(self, event: Plain) -> Plain:
        assert all(name in self.locations for name in event[1][3]), "a member that is no location"
        self.groups[event[1][1]] = event[1]
        return event[1]

    def _delete_group(self, event: Plain) -> Plain:
        del self.groups[event[1]]
        return [8]

    def _save_products(self, event: Plain) -> Plain:
        self.products.update((product[0], product) for product in event[1])
        return [6, event[1]]

    def _save_rule(self, event: Plain) -> Plain:
        self.rules[event[1][1]] = event[1]
        return event[1]

    def _delete_rule(self, event: Plain) -> Plain:
        del self.rules[event[1]]
        return [8]

    # --- stock

    def _update_stock(self, event: Plain) -> Plain:
        for change in event[1]:
            self._change_stock(change)
        return event[2]

    def _apply_batch(self, event: Plain) -> Plain:
        _, source, changes, summary = event
        assert summary[1] > self.sequences.get(source, 0), f"{source} went back to {summary[1]}"
        self.sequences[source] = summary[1]
        for change in changes:
            self._change_stock(change)
        return summary

    def _change_stock(self, change: Plain) -> None:
        tag, sku, location = change[:3]
        assert location in self.locations, f"stock at {location}, which does not exist"
        place = (sku, location)
        numbers = self.positions.setdefault(place, [0, 0, 0])
        if tag == 3:
            supplies = self.supplies.setdefault(place, {})
            supplies.pop(change[3][0], None)
            if change[3][2]:
                supplies[change[3][0]] = change[3]
            return
        if tag == 2 and change[5] != SELLABLE:
            bucket = (sku, location, change[5])
            self.conditions[bucket] = self.conditions.get(bucket, 0) + change[3]
            assert self.conditions[bucket] >= 0, f"{bucket} is below zero"
            return
        numbers[ON_HAND] += change[3]
        assert numbers[ON_HAND] >= 0, f"{place} is below zero: {numbers}"
        effective_ms = change[-1] or self.time_ms
        if tag == 1:
            self.counted_ms[place] = max(self.counted_ms.get(place, 0), effective_ms)
        else:
            self.deltas.setdefault(place, []).append((effective_ms, change[3]))

    def _cross(self, event: Plain) -> Plain:
        place = (event[1], event[2])
        assert place in self.positions, f"{place} crossed into a level and is no position"
        assert self._levels.get(place) != event[3], f"{place} crossed twice into one level"
        self._levels[place] = event[3]

    # --- reservations

    def _reserve(self, event: Plain) -> Plain:
        hold = event[1]
        assert hold[NAME] not in self.holds, f"{hold[NAME]} exists twice"
        assert hold[STATE] == HELD
        for sku, location, units, *_ in hold[LINES]:
            self._claim((sku, location), SOFT, units)
        # What was short is told in the answer and not remembered.
        self._store([*hold[:SHORT], []])
        return hold

    def _change(self, event: Plain) -> Plain:
        hold = event[1]
        old = self.holds[hold[NAME]]
        assert old[STATE] == hold[STATE] == HELD, f"{hold[NAME]} is no hold any more"
        growth = {(line[0], line[1]): -line[2] for line in old[LINES]}
        for sku, location, units, *_ in hold[LINES]:
            growth[sku, location] = growth.get((sku, location), 0) + units
        told = {(sku, location): units for sku, location, units in event[2]}
        assert told == {place: units for place, units in growth.items() if units}
        for place, units in growth.items():
            self._claim(place, SOFT, units)
        self._store(hold)
        return hold

    def _confirm(self, event: Plain) -> Plain:
        _, name, lines, revived = event
        old = self.holds[name]
        assert old[STATE] == (EXPIRED if revived else HELD), "an end of what had ended"
        assert [line[:3] for line in lines] == [line[:3] for line in old[LINES]]
        for sku, location, units, *_ in lines:
            if not revived:
                self.positions[sku, location][SOFT] -= units
            self._claim((sku, location), ALLOCATED, units, checked=revived)
        return self._become(old, CONFIRMED, lines)

    def _release(self, event: Plain) -> Plain:
        return self._give_back(event, RELEASED)

    def _expire(self, event: Plain) -> Plain:
        late_ms = self.time_ms - self.holds[event[1]][EXPIRE]
        assert late_ms >= 0, f"{event[1]} expired {-late_ms} ms before its deadline"
        return self._give_back(event, EXPIRED)

    def _give_back(self, event: Plain, end: int) -> Plain:
        old = self.holds[event[1]]
        assert old[STATE] == HELD, "an end of what had ended"
        assert event[2] == old[LINES]
        for sku, location, units, *_ in event[2]:
            self.positions[sku, location][SOFT] -= units
        return self._become(old, end, old[LINES])

    def _settle(self, event: Plain) -> Plain:
        _, name, outcome, settled = event
        old = self.holds[name]
        assert old[STATE] == CONFIRMED, f"{name} is no claim"
        gone = {(sku, location): units for sku, location, units in settled}
        lines = []
        for sku, location, units, backordered, before in old[LINES]:
            more = gone.pop((sku, location), 0)
            assert 0 <= before + more <= units, f"{name} settles more than it claims"
            lines.append([sku, location, units, backordered, before + more])
            numbers = self.positions[sku, location]
            numbers[ALLOCATED] -= more
            if outcome == SHIPPED and more:
                numbers[ON_HAND] -= more
                self.deltas.setdefault((sku, location), []).append((self.time_ms, -more))
                assert numbers[ON_HAND] >= 0, f"{name} ships what is not there"
        assert not gone, f"{name} settles {gone}, which it does not claim"
        return self._become(old, CONFIRMED, lines)

    def _become(self, old: Plain, state: int, lines: Plain) -> Plain:
        hold = [*old]
        hold[STATE], hold[LINES], hold[SHORT] = state, lines, []
        hold[UPDATED], hold[REVISION] = self.time_ms, self.revision
        self._store(hold)
        return hold

    # --- orders

    def _place(self, event: Plain) -> Plain:
        _, order, claims, hold_id, taken = event
        assert order[ORDER] not in self.orders.by_id, f"{order[ORDER]} exists twice"
        if hold_id:
            old = self.holds[hold_id]
            assert old[STATE] == HELD, f"{hold_id} is over and was taken over"
            assert taken == old[LINES], f"{taken} was taken over of {old}"
            for sku, location, units, *_ in taken:
                self.positions[sku, location][SOFT] -= units
            self._become(old, CONFIRMED, [[*line[:4], line[2]] for line in taken])
        else:
            assert taken == [], "lines of no hold were taken over"
        self._check_claims(self._book([], order, claims))
        return order

    def _change_order(self, event: Plain) -> Plain:
        _, order, claims, _, guests = event
        old = self.orders.by_id[order[ORDER]]
        self._check_claims(self._book(old[WORKS], order, claims))
        for guest in guests:
            self._book(self.orders.by_id[guest[ORDER]][WORKS], guest, [])
        return order

    def _hold_quote(self, event: Plain) -> Plain:
        quote = event[1]
        self._reserve([10, quote[3]])
        return quote

    def _replan(self, event: Plain) -> Plain:
        _, changes, summary = event
        moved: dict[Place, list[int]] = {}
        for _, order, claims, *_ in changes:
            old = self.orders.by_id[order[ORDER]]
            for place, delta in self._book(old[WORKS], order, claims).items():
                both = moved.get(place, [0, 0])
                moved[place] = [both[0] + delta[0], both[1] + delta[1]]
        # What one order gives back another may take: only the sum must be there.
        self._check_claims(moved)
        return summary

    def _book(self, before: Plain, order: Plain, claims: Plain) -> dict[Place, list[int]]:
        moved = {place: [-units for units in both] for place, both in claims_of(before).items()}
        for place, both in claims_of(order[WORKS]).items():
            old = moved.get(place, [0, 0])
            moved[place] = [old[0] + both[0], old[1] + both[1]]
        moved = {place: [both[0], -both[1]] for place, both in moved.items() if any(both)}
        told = {(sku, location): deltas for sku, location, *deltas in claims}
        assert told == moved, f"{order[ORDER]} moves {moved}, {told} is told"
        for place, (allocated, on_hand) in moved.items():
            numbers = self.positions[place]
            numbers[ALLOCATED] += allocated
            numbers[ON_HAND] += on_hand
            assert min(numbers[ALLOCATED], numbers[ON_HAND]) >= 0, f"{place} below zero: {numbers}"
            if on_hand:
                self.deltas.setdefault(place, []).append((self.time_ms, on_hand))
        self.orders.store(order, self.retention.finished_orders_max)
        return moved

    def _check_claims(self, moved: dict[Place, list[int]]) -> None:
        for place, (allocated, _) in moved.items():
            if allocated > 0:
                self._check_claim(place)

    # --- claims and ends

    def _claim(self, place: Place, kind: int, units: int, *, checked: bool = True) -> None:
        numbers = self.positions.setdefault(place, [0, 0, 0])
        numbers[kind] += units
        if units > 0 and checked:
            self._check_claim(place)

    def _check_claim(self, place: Place) -> None:
        location = self.locations[place[1]]
        window = location[7]
        assert window is None or not window[1] <= self.time_ms < window[2], f"{place} is disabled"
        numbers = self.positions[place]
        on_hand, soft, allocated = numbers
        assert location[6] or soft + allocated <= on_hand, f"{place} is oversold: {numbers}"

    def _store(self, hold: Plain) -> None:
        name = hold[NAME]
        self.holds[name] = hold
        if hold[STATE] == HELD:
            self.deadlines.put(name, hold[EXPIRE])
            return
        self.deadlines.drop(name)
        if hold[STATE] == CONFIRMED and any(line[2] != line[4] for line in hold[LINES]):
            return
        self._finished.append((name, hold[REVISION]))
        self._forget_finished()

    def _forget_finished(self) -> None:
        while len(self._finished) > self.retention.finished_max:
            oldest, revision = self._finished.pop(0)
            if oldest in self.holds and self.holds[oldest][REVISION] == revision:
                del self.holds[oldest]

    def _retain(self, event: Plain) -> Plain:
        self.retention = Retention(*event[1])
        self.orders.forget(self.retention.finished_orders_max)
        self._forget_finished()

    def _nothing(self, event: Plain) -> Plain:
        _, resource, keys = event
        if resource == 6:
            return [3, int(keys[1]), 0, [], True]
        if resource == 3:
            # Of a SKU that only has stock the service tells the defaults, which it alone knows.
            known = [self.products.get(sku) for sku in keys]
            return None if None in known else [6, known]
        if resource == 9:
            return self.routing.calendars[keys[0], int(keys[1])]
        if resource == 12:
            return self.routing.rule_sets[int(keys[0])]
        return self._table(resource)[keys[0]]

    def _table(self, resource: int) -> dict[str, Plain]:
        return {
            1: self.locations,
            2: self.groups,
            4: self.rules,
            5: self.holds,
            7: self.routing.cards,
            8: self.routing.lanes,
            10: self.orders.by_id,
        }[resource]
