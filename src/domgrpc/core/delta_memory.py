"""The memory of recent deltas, so that a count taken earlier keeps what happened since.

A store counts a shelf at 10:00 and sends the figure at 10:05; the unit sold at 10:03 must not
come back. The newest deltas of on_hand are remembered with the time at which they happened, up
to a bound over all positions; a count from before what was forgotten is refused.
"""

from collections import deque

import msgspec

from domgrpc.core.values import LocationIndex, Retention, Sku, TimeMs


class RememberedDelta(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A change of on_hand and when it happened."""

    sku: Sku
    index: LocationIndex
    effective_time_ms: TimeMs
    delta: int


class DeltaMemory:
    """The newest deltas, in order of arrival and by position."""

    __slots__ = ("_by_position", "_entries_max", "entries", "floor_ms")

    def __init__(self, retention: Retention) -> None:
        """Start empty."""
        self._entries_max = retention.remembered_deltas_max
        self.entries: deque[RememberedDelta] = deque()
        self._by_position: dict[tuple[Sku, LocationIndex], deque[RememberedDelta]] = {}
        self.floor_ms = TimeMs(0)
        """Deltas that happened at or before this time may have been forgotten."""

    def remember(self, entry: RememberedDelta) -> None:
        """Add a delta and forget the oldest beyond the bound; O(1)."""
        self.entries.append(entry)
        key = (entry.sku, entry.index)
        remembered = self._by_position.get(key)
        if remembered is None:
            remembered = self._by_position[key] = deque()
        remembered.append(entry)
        if len(self.entries) > self._entries_max:
            self._forget_oldest()

    def retain(self, retention: Retention) -> None:
        """Remember so many from now on; what is beyond is forgotten."""
        self._entries_max = retention.remembered_deltas_max
        self._forget_oldest()

    def _forget_oldest(self) -> None:
        while len(self.entries) > self._entries_max:
            oldest = self.entries.popleft()
            key = (oldest.sku, oldest.index)
            remembered = self._by_position[key]
            remembered.popleft()
            if not remembered:
                del self._by_position[key]
            self.floor_ms = max(self.floor_ms, oldest.effective_time_ms)

    def sum_after(self, sku: Sku, index: LocationIndex, time_ms: TimeMs) -> int:
        """Sum the deltas of a position that happened after a time; O(its deltas)."""
        remembered = self._by_position.get((sku, index), ())
        return sum(entry.delta for entry in remembered if entry.effective_time_ms > time_ms)

    def check_invariants(self) -> None:
        """Both orders hold the same deltas, within the bound."""
        assert len(self.entries) <= self._entries_max
        assert sum(len(part) for part in self._by_position.values()) == len(self.entries)
