"""The auditor: a second, naive reading of the log that shares no code with the service.

It reads each record once, in order, as plain lists (docs/data-format.md), and judges it against
the books: what was asked, what was there, what time it was. It is told of every call and every
answer, and objects by AssertionError to whatever may never happen: a gap, an answer without its
record or another one to a retry, a record that acts twice, time or revisions against the order in
which clients saw them, a claim on what is not there.
"""

from collections import deque
from collections.abc import Iterable

from tests.simulation import order_replans
from tests.simulation.books import (
    EXPIRY,
    HELD,
    LEVEL,
    REPLANNED,
    RETENTION,
    STATE,
    Books,
    Plain,
)
from tests.simulation.parcel_verdicts import check_parcels, check_way
from tests.simulation.verdicts import judge

Key = tuple[str, str]  # client and request id
UNASKED = (EXPIRY, LEVEL, RETENTION, REPLANNED)
"""What a timer or the start of a server does by itself."""
_RECORDS_KEPT = 2_000


class Auditor:
    """The sum of all records so far, and every answer that a client was given."""

    def __init__(self) -> None:
        self.books = Books()
        self.answer_count = 0
        self._kept: dict[Key, tuple[int, int, int]] = {}
        """Revision, time and fingerprint of each answer that a retry still gets."""
        self._kept_order: deque[tuple[Key, int]] = deque()
        """The same with their times, the oldest first."""
        self._outcomes: dict[tuple[Key, int], Plain] = {}
        self._commands: dict[tuple[Key, int], Plain] = {}
        self._first_calls: dict[Key, int] = {}
        self.newest_seen = 0
        """The newest revision that any client was told."""
        self._records: deque[Plain] = deque(maxlen=_RECORDS_KEPT)

    @property
    def revision(self) -> int:
        """The newest revision that was read."""
        return self.books.revision

    # --- what clients did

    def called(self, key: Key, command: Plain, fingerprint: int) -> int:
        """Note a call before it is sent; return the newest revision that any client has seen."""
        self._commands[key, fingerprint] = command
        self._first_calls.setdefault(key, self.newest_seen)
        return self.newest_seen

    def answered(self, key: Key, revision: int, outcome: Plain) -> None:
        """Check an answer that has a record: the log's own, later than all seen before the call."""
        self.answer_count += 1
        assert revision <= self.revision, f"revision {revision} was answered before it was durable"
        assert revision > self._first_calls[key], f"{key} got a revision from before its call"
        told = self._outcomes.get((key, revision))
        assert told is not None, f"{key} was answered from revision {revision}: no such record"
        said = told[0]
        assert said == outcome or said is None, f"{key} was told {outcome}, the log says {told}"
        self.newest_seen = max(self.newest_seen, revision)

    def looked(self, seen_before: int, revision: int) -> None:
        """Check the revision of an answer without a record: no older than what was seen."""
        assert seen_before <= revision <= self.revision, f"{revision} after {seen_before}"
        self.newest_seen = max(self.newest_seen, revision)

    def reuse_refused(self, key: Key, fingerprint: int) -> None:
        """Check that a request id was refused because another content has it."""
        kept = self._kept.get(key)
        # Not kept any more by now: it may have been when it was decided.
        assert kept is None or kept[2] != fingerprint, f"{key} was refused its own answer"

    def has_kept(self, key: Key) -> bool:
        """Whether a retry of a request must get its first answer."""
        return key in self._kept

    # --- what the log says

    def read(self, records: Iterable[Plain]) -> None:
        """Take in records in order; one that was read before must be the same now."""
        books, known = self.books, self._records
        for record in records:
            behind = books.revision - record[0]
            if behind < 0:
                self._add(record)
                known.append(record)
            elif behind < len(known):
                same = known[-1 - behind] == record
                assert same, f"revision {record[0]} has another content now"

    def _add(self, record: Plain) -> None:
        revision, time_ms, events, client_id, request_id, fingerprint = record
        books = self.books
        assert revision == books.revision + 1, f"a gap in the log before revision {revision}"
        assert time_ms >= books.time_ms, f"time runs backwards at revision {revision}"
        books.revision, books.time_ms = revision, time_ms
        first = events[0]
        if first[0] not in (EXPIRY, RETENTION):
            earliest_ms = books.deadlines.first_ms()
            assert earliest_ms > time_ms, f"a hold is over by {time_ms - earliest_ms} ms and open"
        if not request_id:
            assert first[0] in UNASKED, f"an event {first[0]} that nobody asked for"
            if first[0] == REPLANNED:
                order_replans.by_timer(books, first)
            for event in events:
                books.apply(event)
            check_parcels(books, first)
            self._forget()
            return
        key = (client_id, request_id)
        assert key not in self._kept, f"{key} acted twice"
        judge(books, self._commands[key, fingerprint], first, key)
        outcome = books.apply(first)
        for event in events[1:]:
            assert event[0] == LEVEL, f"a request led to a second event, {event[0]}"
            books.apply(event)
        check_parcels(books, first)
        self._keep(key, fingerprint, outcome)

    def _keep(self, key: Key, fingerprint: int, outcome: Plain) -> None:
        books = self.books
        self._kept[key] = (books.revision, books.time_ms, fingerprint)
        self._kept_order.append((key, books.time_ms))
        self._outcomes[key, books.revision] = [outcome]
        self._forget()

    def _forget(self) -> None:
        order, retention = self._kept_order, self.books.retention
        while len(order) > retention.kept_max:
            del self._kept[order.popleft()[0]]
        oldest_ms = self.books.time_ms - retention.kept_age_ms
        while order and order[0][1] < oldest_ms:
            del self._kept[order.popleft()[0]]


def check_listing(
    auditor: Auditor, positions: Plain, reservations: Plain, orders: Plain = ()
) -> None:
    """Compare all that the service lists with the books, which must add up by themselves."""
    books = auditor.books
    books.check_conserved()
    for order in books.orders.by_id.values():
        check_way(books, order)
    listed = {(sku, location): numbers for sku, location, *numbers in positions}
    assert listed == books.positions
    assert {hold[1]: hold for hold in reservations} == books.holds
    assert {order[1]: order for order in orders} == books.orders.by_id
    held = [hold[1] for hold in reservations if hold[STATE] == HELD]
    assert sorted(held) == sorted(books.deadlines.by_name)
