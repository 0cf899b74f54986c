"""The books of orders: what each order is, what its work claims, what capacity it takes.

Orders are plain lists as the log has them (docs/data-format.md); nothing here is of the service.
"""

from collections.abc import Iterable
from typing import Any

Plain = Any  # lists of whatever the log holds
Place = tuple[str, str]  # SKU and location
WorkDay = tuple[str, int]  # location and day of its capacity

# Where the fields of an order are.
ORDER, ORDER_CLIENT, TERMS, ORDER_LINES, WORKS, HOLDS, ATTENTION, DECISIONS, HISTORY = range(1, 10)
ORDER_CREATED, ORDER_UPDATED, ORDER_REVISION, NEXT_WORK = range(10, 14)
# Of its terms, lines and work.
CHANNEL, CUSTOMER, ADDRESS, PROMISE, IS_HARD, PACKAGES_MAX, COMPLETE, POLICY, SCOPE = range(9)
LINE, LINE_SKU, ORDERED, METHOD, STORE, PRICE, CANCELLED_UNITS, TOGETHER = range(8)
WORK, WORK_PLACE, WORK_METHOD, WORK_STATE, WORK_LINES, WORK_TARGET = range(6)
DELIVER_BY, PACKAGE_COST, UNITS_COST, WEIGHED, PARCEL = range(8, 13)
WORK_DAY, GIVEN_BACK, COLLECT_BY = range(13, 16)

SCHEDULED, OPEN, GIVEN = 1, 2, 3
LEFT, READY, DELIVERED, COLLECTED, CANCELLED = 8, 9, 10, 11, 12
UNRELEASED = (SCHEDULED, OPEN)
BY_POST, BY_PICKUP, BY_CURBSIDE, TO_STORE = 1, 2, 3, 4
AT_STORE = (BY_PICKUP, BY_CURBSIDE, TO_STORE)


class OrderBook:
    """All orders that are remembered; values are never changed in place."""

    def __init__(self) -> None:
        self.by_id: dict[str, Plain] = {}
        self.waiting: dict[str, dict[str, int]] = {}
        """By order: what it waits for, line by line, of those that wait for anything."""
        self.work_days: dict[WorkDay, list[int]] = {}
        """Packages and units of the work that takes a day's capacity."""
        self.guests: dict[str, set[str]] = {}
        """By host: the work that is in its parcel and has not left."""
        self._finished: list[str] = []

    def store(self, order: Plain, finished_max: int) -> None:
        """Put an order in place of what it was."""
        old = self.by_id.get(order[ORDER])
        if old is not None:
            self._count(old, -1)
        self.by_id[order[ORDER]] = order
        self._count(order, 1)
        left = unsourced(order)
        self.waiting.pop(order[ORDER], None)
        if any(left.values()):
            self.waiting[order[ORDER]] = left
        known = order[ORDER] in self._finished
        is_over = is_finished(order)
        if is_over and not known:
            self._finished.append(order[ORDER])
            self.forget(finished_max)
        elif known and not is_over:
            self._finished.remove(order[ORDER])

    def forget(self, finished_max: int) -> None:
        """Forget the orders that ended first where there are more than so many."""
        while len(self._finished) > finished_max:
            self._count(self.by_id.pop(self._finished.pop(0)), -1)

    def check_waiting(self) -> None:
        """Count anew what waits of every order: it is that, and nothing below zero."""
        for name, order in self.by_id.items():
            left = unsourced(order)
            assert min(left.values()) >= 0, f"{order} has more than was ordered"
            assert self.waiting.get(name) == (left if any(left.values()) else None), name
        assert self.waiting.keys() <= self.by_id.keys(), "forgotten orders wait"

    def is_taken(self, order_id: str) -> bool:
        """Whether an order has an id, or guests name it whose host is forgotten."""
        hosts = (self.order_of(host) for host, guests in self.guests.items() if guests)
        return order_id in self.by_id or order_id in hosts

    def order_of(self, work_id: str) -> str:
        """Return the order of work: its id is that of the order and a number."""
        return work_id.rpartition("/")[0]

    def find(self, work_id: str) -> tuple[Plain, Plain]:
        """Return an order and its work by the id of the work; None for what is not there."""
        order = self.by_id.get(self.order_of(work_id))
        works = [] if order is None else order[WORKS]
        return order, next((work for work in works if work[WORK] == work_id), None)

    def _count(self, order: Plain, sign: int) -> None:
        for day, (packages, units) in days_of(order[WORKS]).items():
            used = self.work_days.setdefault(day, [0, 0])
            used[0] += sign * packages
            used[1] += sign * units
        for work in order[WORKS]:
            if work[PARCEL] and is_claim(work):
                guests = self.guests.setdefault(work[PARCEL], set())
                (guests.add if sign > 0 else guests.remove)(work[WORK])


def days_of(works: Iterable[Plain]) -> dict[WorkDay, tuple[int, int]]:
    """Add up packages and units by location and day, of work that is not cancelled."""
    found: dict[WorkDay, tuple[int, int]] = {}
    for work in works:
        if work[WORK_STATE] != CANCELLED:
            day = (work[WORK_PLACE], work[WORK_DAY])
            packages, units = found.get(day, (0, 0))
            more = sum(line[2] for line in work[WORK_LINES])
            found[day] = (packages + (not work[PARCEL]), units + more)
    return found


def is_claim(work: Plain) -> bool:
    """Whether the units of work are still in the stock of its place, and claimed there."""
    state = work[WORK_STATE]
    return bool(state <= GIVEN) or (state == READY and work[WORK_METHOD] != TO_STORE)


def claims_of(works: Iterable[Plain]) -> dict[Place, list[int]]:
    """Add up by place what is allocated and what has left."""
    found: dict[Place, list[int]] = {}
    for work in works:
        if work[WORK_STATE] == CANCELLED:
            continue
        kind = 0 if is_claim(work) else 1
        for _, sku, units, _ in work[WORK_LINES]:
            found.setdefault((sku, work[WORK_PLACE]), [0, 0])[kind] += units
    return found


def unsourced(order: Plain) -> dict[str, int]:
    """Return for every line the units that no work has and that are not cancelled."""
    left = {line[LINE]: line[ORDERED] - line[CANCELLED_UNITS] for line in order[ORDER_LINES]}
    for work in order[WORKS]:
        if work[WORK_STATE] != CANCELLED:
            for line_id, _, units, _ in work[WORK_LINES]:
                left[line_id] -= units
    return left


def unreleased(order: Plain) -> dict[str, int]:
    """Return for every line the units in work that nobody has begun."""
    found = {line[LINE]: 0 for line in order[ORDER_LINES]}
    for work in order[WORKS]:
        if work[WORK_STATE] in UNRELEASED:
            for line_id, _, units, _ in work[WORK_LINES]:
                found[line_id] += units
    return found


def is_finished(order: Plain) -> bool:
    """Whether nothing is left to do."""
    ended = all(work[WORK_STATE] >= DELIVERED for work in order[WORKS])
    return ended and not any(unsourced(order).values())
