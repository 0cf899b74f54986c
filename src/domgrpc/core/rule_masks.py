"""Masks: which locations the conditions of rules are about, by location index.

A condition over locations is asked once for each location that differs in what it names: few
answers serve thousands of stores of one type. `refresh` looks only at what changed since: a new
location is asked when it comes, a changed one when it changes, all of them when groups change and
a condition names groups.
"""

from collections.abc import Iterable, Sequence

from domgrpc.core.locations import Location
from domgrpc.core.network import Network
from domgrpc.core.rule_facts import FACTS, Place, Value
from domgrpc.core.rule_questions import Part, Questions
from domgrpc.core.values import GroupId, LocationIndex

_ANSWERS_MAX = 4_096
_GROUPS = "location.groups"


class Masks:
    """For each part a byte for each location: 1 where it holds, and 1 where it failed."""

    __slots__ = ("_families", "_names_groups", "_seen", "_versions", "count", "failed", "matched")

    def __init__(self, parts: Sequence[Part]) -> None:
        """Compile all; nothing is asked yet."""
        self.matched = [bytearray() for _ in parts]
        self.failed = [bytearray() for _ in parts]
        self.count = 0
        # Parts that name the same facts share their answers.
        numbers: dict[tuple[str, ...], list[int]] = {}
        for number, part in enumerate(parts):
            numbers.setdefault(part.facts, []).append(number)
        self._families = [
            _Family(found, [parts[number] for number in found]) for found in numbers.values()
        ]
        self._names_groups = any(_GROUPS in part.facts for part in parts)
        self._seen: list[Location] = []
        self._versions = (-1, -1)

    def refresh(self, network: Network) -> bool:
        """Bring the masks up to date and say whether there was anything to do.

        O(1) where nothing changed, else O(locations) to find and O(changed) to ask.
        """
        locations = network.locations
        versions = (
            locations.content_version,
            network.groups.content_version if self._names_groups else 0,
        )
        if versions == self._versions and len(locations.by_index) == self.count:
            return False
        changed = self._changed(network, versions)
        groups = self._groups_of(network, changed)
        grown = bytes(len(locations.by_index) - self.count)
        for mask in (*self.matched, *self.failed):
            mask.extend(grown)
        for index in changed:
            place = Place(locations.by_index[index], tuple(groups.get(index, ())))
            for family in self._families:
                self._write(index, family, family.answers(place))
        self.count = len(locations.by_index)
        self._seen = list(locations.by_index)
        self._versions = versions
        return True

    def _changed(self, network: Network, versions: tuple[int, int]) -> Sequence[LocationIndex]:
        by_index = network.locations.by_index
        found: Iterable[int]
        if versions[1] != self._versions[1]:
            found = range(len(by_index))
        elif versions[0] == self._versions[0]:
            found = range(self.count, len(by_index))
        else:
            seen = self._seen
            found = [
                i for i, place in enumerate(by_index) if i >= len(seen) or place is not seen[i]
            ]
        return [LocationIndex(index) for index in found]

    def _groups_of(
        self, network: Network, changed: Sequence[LocationIndex]
    ) -> dict[LocationIndex, list[GroupId]]:
        if not self._names_groups:
            return {}
        wanted = dict.fromkeys(changed)
        found: dict[LocationIndex, list[GroupId]] = {}
        for group_id in network.groups.by_id:
            for index in network.groups.members[group_id]:
                if index in wanted:
                    found.setdefault(index, []).append(group_id)
        return found

    def _write(self, index: int, family: "_Family", answers: Sequence[bool | None]) -> None:
        for number, answer in zip(family.numbers, answers, strict=True):
            self.matched[number][index] = answer is True
            self.failed[number][index] = answer is None


class _Family:
    """Parts that name the same facts of a location, and their answers by the facts' values."""

    __slots__ = ("_known", "_questions", "_reads", "numbers")

    def __init__(self, numbers: Sequence[int], parts: Sequence[Part]) -> None:
        self.numbers = numbers
        self._questions = Questions(parts)
        self._reads = [FACTS[fact].read for fact in self._questions.facts]
        self._known: dict[tuple[Value, ...], list[bool | None]] = {}

    def answers(self, place: Place) -> list[bool | None]:
        """Return what each part answers for a place."""
        values = tuple(read(place) for read in self._reads)
        answers = self._known.get(values)
        if answers is None:
            if len(self._known) >= _ANSWERS_MAX:
                self._known.clear()
            answers = self._known[values] = self._questions.ask(values)
        return answers
