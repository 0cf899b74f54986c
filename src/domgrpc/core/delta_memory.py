"""The memory of recent deltas, so that a count taken earlier keeps what happened since.

A store counts a shelf at 10:00 and sends the figure at 10:05; the unit sold at 10:03 must not
come back. The newest deltas of on_hand are remembered with the time at which they happened, up
to a bound over all positions; a count from before what was forgotten is refused.
"""

from collections import deque
from typing import TypeAlias

import msgspec

from domgrpc.core.values import LocationIndex, Retention, Sku, TimeMs


class RememberedDelta(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A change of on_hand and when it happened."""

    sku: Sku
    index: LocationIndex
    effective_time_ms: TimeMs
    delta: int


_Positions: TypeAlias = dict[tuple[Sku, LocationIndex], deque[RememberedDelta]]


class DeltaMemory:
    """The newest deltas, in order of arrival and, once a count asks for them, by position."""

    __slots__ = ("_by_position", "_entries_max", "entries", "floor_ms")

    def __init__(self, retention: Retention) -> None:
        """Start empty."""
        self._entries_max = retention.remembered_deltas_max
        self.entries: deque[RememberedDelta] = deque()
        self._by_position: _Positions | None = None
        self.floor_ms = TimeMs(0)
        """Deltas that happened at or before this time may have been forgotten."""

    def remember(self, entry: RememberedDelta) -> None:
        """Add a delta and forget the oldest beyond the bound; O(1)."""
        self.entries.append(entry)
        if self._by_position is not None:
            _add(self._by_position, entry)
        if len(self.entries) > self._entries_max:
            self._forget_oldest()

    def retain(self, retention: Retention) -> None:
        """Remember so many from now on; what is beyond is forgotten."""
        self._entries_max = retention.remembered_deltas_max
        self._forget_oldest()

    def _forget_oldest(self) -> None:
        while len(self.entries) > self._entries_max:
            oldest = self.entries.popleft()
            if self._by_position is not None:
                _drop(self._by_position, oldest)
            self.floor_ms = max(self.floor_ms, oldest.effective_time_ms)

    def sum_after(self, sku: Sku, index: LocationIndex, time_ms: TimeMs) -> int:
        """Sum the deltas of a position that happened after a time; O(its deltas).

        The first call sorts all of them by position, O(n), which is kept from then on: a state that
        is only loaded and written again never needs it.
        """
        if self._by_position is None:
            self._by_position = {}
            for entry in self.entries:
                _add(self._by_position, entry)
        remembered = self._by_position.get((sku, index), ())
        return sum(entry.delta for entry in remembered if entry.effective_time_ms > time_ms)

    def check_invariants(self) -> None:
        """Both orders hold the same deltas, within the bound."""
        assert len(self.entries) <= self._entries_max
        if self._by_position is not None:
            assert sum(len(part) for part in self._by_position.values()) == len(self.entries)


def _add(positions: _Positions, entry: RememberedDelta) -> None:
    key = (entry.sku, entry.index)
    remembered = positions.get(key)
    if remembered is None:
        remembered = positions[key] = deque()
    remembered.append(entry)


def _drop(positions: _Positions, oldest: RememberedDelta) -> None:
    key = (oldest.sku, oldest.index)
    remembered = positions[key]
    remembered.popleft()
    if not remembered:
        del positions[key]
