"""The auditor: a second, naive reading of the log that shares no code with the service.

It adds up records as plain lists and objects to whatever may never happen; docs/data-format.md.
"""

from collections import defaultdict
from typing import Any

import msgspec

Plain = Any  # lists of whatever the log holds
Place = tuple[str, str]  # SKU and location
Key = tuple[str, str]  # client and request id
HELD, CONFIRMED, RELEASED, EXPIRED = 1, 2, 3, 4
ON_HAND, SOFT, ALLOCATED = 0, 1, 2
SHIPPED = 1
LOCATION_SAVED, STOCK_UPDATED, BATCH_APPLIED, LEVEL_CHANGED = 1, 7, 8, 9
RESERVED, CHANGED, CONFIRMATION, RELEASE, EXPIRY, SETTLEMENT, REFUSED = 10, 11, 12, 13, 14, 15, 16


class Hold:
    """A reservation: its state, its deadline, and [quantity, backordered, settled] by place."""

    def __init__(self, plain: Plain) -> None:
        _, self.name, _, self.state, lines, _, _, self.expire_ms, *_ = plain
        self.lines: dict[Place, list[int]] = {(line[0], line[1]): line[2:5] for line in lines}

    def picture(self) -> Plain:
        return self.state, {place: tuple(numbers) for place, numbers in self.lines.items()}


class Auditor:
    """The sum of all records so far, and every answer that a client was given."""

    def __init__(self) -> None:
        self.revision = self.time_ms = 0
        self.positions: dict[Place, list[int]] = defaultdict(lambda: [0, 0, 0])
        """On hand, soft reserved, allocated."""
        self.holds: dict[str, Hold] = {}
        self.revision_of: dict[Key, int] = {}
        self.event_counts: dict[int, int] = defaultdict(int)
        self._outcome_of: dict[Key, Plain] = {}
        self._answer_of: dict[Key, Plain] = {}
        self._locations: dict[str, Plain] = {}
        self._level_of: dict[Place, int] = {}

    def read(self, payload: bytes, count: int) -> None:
        """Take in the records of one frame that are new."""
        for record in msgspec.msgpack.decode(b"\xdd" + count.to_bytes(4, "big") + payload):
            if record[0] > self.revision:
                self._add(record)

    def check_answer(self, key: Key, revision: int, outcome: Plain) -> None:
        """Compare an answer with the log and with every earlier answer to the same request."""
        assert self.revision_of.get(key) == revision, "an answer without its record"
        assert self._answer_of.setdefault(key, outcome) == outcome, "a retry got another answer"
        told = Hold(outcome).picture() if outcome[0] == 1 else outcome
        assert self._outcome_of.get(key, told) == told, "the answer is not what the log says"

    def _add(self, record: Plain) -> None:
        revision, time_ms, events, client_id, request_id, _ = record
        assert revision == self.revision + 1, "a gap in the log"
        assert time_ms >= self.time_ms, "time runs backwards"
        self.revision, self.time_ms = revision, time_ms
        if events[0][0] != EXPIRY:
            held = [hold for hold in self.holds.values() if hold.state == HELD]
            late = [hold.name for hold in held if hold.expire_ms <= time_ms]
            assert not late, f"{late} should have expired before revision {revision}"
        touched = [hold for event in events if (hold := self._apply(event)) is not None]
        if request_id:
            key = (client_id, request_id)
            assert key not in self.revision_of, f"{key} acted twice"
            self.revision_of[key] = revision
            if touched or events[0][0] == REFUSED:
                self._outcome_of[key] = touched[0].picture() if touched else events[0][1]
        for numbers in self.positions.values():
            assert min(numbers) >= 0, f"below zero at revision {revision}: {numbers}"

    def _apply(self, event: Plain) -> Hold | None:
        tag, *rest = event
        self.event_counts[tag] += 1
        if tag == LOCATION_SAVED:
            self._locations[rest[0][1]] = rest[0]
        elif tag in (STOCK_UPDATED, BATCH_APPLIED):
            for change in rest[tag - STOCK_UPDATED]:
                if change[0] == 1 or (change[0] == 2 and change[5] == 1):
                    self.positions[change[1], change[2]][ON_HAND] += change[3]
        elif tag == LEVEL_CHANGED:
            place = (rest[0], rest[1])
            assert self._level_of.get(place) != rest[2], f"{place} crossed twice into one level"
            self._level_of[place] = rest[2]
        elif tag == REFUSED:
            self._check_refusal(rest[0])
        elif tag in (RESERVED, CHANGED):
            return self._hold(Hold(rest[0]), is_new=tag == RESERVED)
        elif tag in (CONFIRMATION, RELEASE, EXPIRY, SETTLEMENT):
            return self._end(tag, rest)
        return None

    def _hold(self, hold: Hold, *, is_new: bool) -> Hold:
        old = {} if is_new else self.holds[hold.name].lines
        assert is_new != (hold.name in self.holds), f"{hold.name} exists twice"
        assert hold.state == HELD
        for place in hold.lines.keys() | old.keys():
            growth = hold.lines.get(place, [0])[0] - old.get(place, [0])[0]
            self.positions[place][SOFT] += growth
            if growth > 0:
                self._check_room(place)
        self.holds[hold.name] = hold
        return hold

    def _end(self, tag: int, rest: Plain) -> Hold:
        hold = self.holds[rest[0]]
        if tag == SETTLEMENT:
            assert hold.state == CONFIRMED
            for sku, location_id, units in rest[2]:
                hold.lines[sku, location_id][2] += units
                assert hold.lines[sku, location_id][2] <= hold.lines[sku, location_id][0]
                self.positions[sku, location_id][ALLOCATED] -= units
                self.positions[sku, location_id][ON_HAND] -= units if rest[1] == SHIPPED else 0
            return hold
        revived = tag == CONFIRMATION and rest[2]
        assert hold.state == (EXPIRED if revived else HELD), "an end of what had ended"
        assert tag != EXPIRY or hold.expire_ms <= self.time_ms, "expired before its deadline"
        hold.state = {CONFIRMATION: CONFIRMED, RELEASE: RELEASED, EXPIRY: EXPIRED}[tag]
        for place, (units, *_) in hold.lines.items():
            self.positions[place][SOFT] -= 0 if revived else units
            self.positions[place][ALLOCATED] += units if tag == CONFIRMATION else 0
            if revived:
                self._check_room(place)
        return hold

    def _check_room(self, place: Place) -> None:
        location, window = self._locations[place[1]], self._locations[place[1]][7]
        assert window is None or not window[1] <= self.time_ms < window[2], f"{place} is disabled"
        on_hand, soft, allocated = self.positions[place]
        assert location[6] or soft + allocated <= on_hand, f"{place} is oversold"

    def _check_refusal(self, rejection: Plain) -> None:
        for _, _, asked, available, alternatives in rejection[4]:
            assert available < asked, "refused although enough is there"
            for sku, other, units in alternatives:
                on_hand, soft, allocated = self.positions[sku, other]
                free = max(0, on_hand - soft - allocated)
                assert self._locations[other][6] or units <= free, "no such stock there"
