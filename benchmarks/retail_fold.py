"""The independent fold of a replay: plain dicts, no code of the project.

It gets the opening stock and every call with its answer, applies them in order of their
revisions, and says where an answer was not lawful: a hold that took more than was available, or
was refused though all was there; a write-off of more than lay there, or refused though it did.
An error does not carry its revision, but it lies between the highest revision that was answered
before the call was sent and the lowest of a call that was sent after its answer: the refusal is
lawful when stock was short at some point in between. With one call at a time there is only one.
"""

from collections import Counter
from collections.abc import Sequence

import msgspec

from benchmarks.retail_stock import Position

ANYWHERE = ""
"""The location of a line for which the service was to pick one."""

_UNKNOWN = 1 << 62


class Call(msgspec.Struct, kw_only=True):
    """One call that changes stock, and its answer, as they went over the wire.

    `asked` are the lines of a hold; `taken` is what the answer says was held, or in a
    confirmation claimed; `deltas` are adjustments. `revision` 0 stands for refused.
    """

    name: str
    asked: tuple[tuple[str, str, int], ...] = ()
    taken: tuple[tuple[str, str, int], ...] = ()
    deltas: tuple[tuple[str, str, int], ...] = ()
    confirms: bool = False
    revision: int = 0
    seen_revision: int = 0
    """The highest revision that had been answered when this call was sent."""
    sent_before_answer: int = 0
    """How many calls had been sent when this one was answered."""


class Figures(msgspec.Struct):
    """The figures of one position."""

    on_hand: int = 0
    soft_reserved: int = 0
    allocated: int = 0

    @property
    def available(self) -> int:
        """What may be held, never below 0."""
        return max(0, self.on_hand - self.soft_reserved - self.allocated)


class Fold:
    """Figures by position, and what was unlawful on the way."""

    def __init__(self, opening: dict[Position, int]) -> None:
        """Begin with the opening stock."""
        self.figures = {position: Figures(on_hand) for position, on_hand in opening.items()}
        self.unlawful: list[str] = []
        self._stores_of: dict[str, list[str]] = {}
        for sku, store in opening:
            self._stores_of.setdefault(sku, []).append(store)

    def run(self, calls: Sequence[Call]) -> None:
        """Apply the calls, given in the order in which they were sent."""
        accepted = sorted((call for call in calls if call.revision), key=lambda one: one.revision)
        refused = _with_end(calls)
        waiting = sorted(refused, key=lambda one: one[0].seen_revision, reverse=True)
        open_refusals: list[tuple[Call, int]] = []
        for call in accepted:
            # The state now is that of every revision before this call's.
            while waiting and waiting[-1][0].seen_revision < call.revision:
                open_refusals.append(waiting.pop())
            open_refusals = self._judge_refusals(open_refusals, call.revision)
            self._apply(call)
        self._judge_refusals([*open_refusals, *waiting], _UNKNOWN)

    def _judge_refusals(
        self, refusals: list[tuple[Call, int]], revision: int
    ) -> list[tuple[Call, int]]:
        # Keep those that are not justified yet and still may be, at a later revision.
        kept = []
        for call, end in refusals:
            if self._lacks(call):
                continue
            if end <= revision:
                self.unlawful.append(f"{call.name} was refused though all of it was there")
            else:
                kept.append((call, end))
        return kept

    def _apply(self, call: Call) -> None:
        if call.asked:
            self._hold(call)
        for sku, store, units in call.taken if call.confirms else ():
            figures = self.figures[sku, store]
            figures.soft_reserved -= units
            figures.allocated += units
        if call.deltas and self._lacks(call):
            self.unlawful.append(f"{call.name} took more than lay there")
        for sku, store, delta in call.deltas:
            self.figures[sku, store].on_hand += delta

    def _hold(self, call: Call) -> None:
        if not _is_as_asked(call):
            self.unlawful.append(f"{call.name} holds {call.taken} but asked {call.asked}")
        for sku, store, units in call.taken:
            figures = self.figures[sku, store]
            if units > figures.available:
                self.unlawful.append(
                    f"{call.name} took {units} of {sku} at {store}, {figures.available} were there"
                )
            figures.soft_reserved += units

    def _lacks(self, call: Call) -> bool:
        """Whether stock is short of the whole of a hold or an adjustment, as it stands."""
        for (sku, store), units in _summed(call.asked).items():
            stores = self._stores_of[sku] if store == ANYWHERE else [store]
            if sum(self.figures[sku, each].available for each in stores) < units:
                return True
        return any(
            self.figures[position].on_hand + delta < 0
            for position, delta in _summed(call.deltas).items()
        )


def _with_end(calls: Sequence[Call]) -> list[tuple[Call, int]]:
    """Return the refused calls, each with a revision before which it was decided."""
    lowest_from = [_UNKNOWN] * (len(calls) + 1)
    for place in range(len(calls) - 1, -1, -1):
        lowest_from[place] = min(lowest_from[place + 1], calls[place].revision or _UNKNOWN)
    return [(call, lowest_from[call.sent_before_answer]) for call in calls if not call.revision]


def _is_as_asked(call: Call) -> bool:
    anywhere = all(store == ANYWHERE for _, store, _ in call.asked)
    taken = tuple((sku, ANYWHERE if anywhere else store, n) for sku, store, n in call.taken)
    return _summed(taken) == _summed(call.asked)


def _summed(lines: tuple[tuple[str, str, int], ...]) -> Counter[Position]:
    units: Counter[Position] = Counter()
    for sku, store, count in lines:
        units[sku, store] += count
    return units
