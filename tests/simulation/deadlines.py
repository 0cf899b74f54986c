"""When holds are over: the first deadline without a look at all of them."""

import math
from heapq import heappop, heappush


class Deadlines:
    """The deadline of every hold that is open, by the name of the hold."""

    def __init__(self) -> None:
        self.by_name: dict[str, int] = {}
        self._heap: list[tuple[int, str]] = []
        """All of them, and some that have changed since or are no more."""

    def put(self, name: str, deadline_ms: int) -> None:
        """Note when a hold is over."""
        if self.by_name.get(name) != deadline_ms:
            self.by_name[name] = deadline_ms
            heappush(self._heap, (deadline_ms, name))

    def drop(self, name: str) -> None:
        """Note that a hold is open no more."""
        self.by_name.pop(name, None)

    def first_ms(self) -> float:
        """Return when the next hold is over, infinity where none is open."""
        heap = self._heap
        while heap:
            deadline_ms, name = heap[0]
            if self.by_name.get(name) == deadline_ms:
                return deadline_ms
            heappop(heap)
        return math.inf
