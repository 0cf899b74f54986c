"""The books of routing: rate cards, lanes, calendars and rule sets, as plain lists."""

from typing import Any

Plain = Any  # lists of whatever the log holds
DRAFT, VALIDATED, DRY_RUN, ACTIVE, RETIRED = 1, 2, 3, 4, 5
RULE_SET_STATE, RULE_SET_UPDATED, RULE_SET_REVISION, WARNINGS, ACTIVE_SINCE = 3, 5, 6, 7, 8
# Where the parts of a rule set's content are.
STRATEGY, PRICES, LIMITS, UNFILLED, REPLANNING, RULES = 1, 2, 3, 4, 5, 7
REFUSE, BACKORDER, CANCEL = 1, 2, 3
CARD, LANE, CALENDAR = 1, 2, 3
DELETED = [8]
_BUILT_IN = [
    "Built in: cheapest plan, no rules",
    1,
    [0, 1_000_000, 0],
    [0, 0, True, 0],
    BACKORDER,
    [500_000, 1_800_000],
    432_000_000,
    [],
]


class RoutingBook:
    """All that plans are made by; values are never changed in place."""

    def __init__(self) -> None:
        self.cards: dict[str, Plain] = {}
        self.lanes: dict[str, Plain] = {}
        self.calendars: dict[tuple[str, int], Plain] = {}
        self.rule_sets: dict[int, Plain] = {0: [14, 0, _BUILT_IN, ACTIVE, 0, 0, 0, [], 0]}
        self.active = 0

    @property
    def content(self) -> Plain:
        """What the active rule set says."""
        return self.rule_sets[self.active][2]

    def save(self, event: Plain) -> Plain:
        """Keep a card, a lane or a calendar."""
        tag, resource = event
        if tag == 21:
            self.calendars[tuple(resource[1])] = resource
        else:
            (self.cards if tag == 19 else self.lanes)[resource[1]] = resource
        return resource

    def delete(self, event: Plain) -> Plain:
        """Forget one of them."""
        _, resource, service, owner = event
        if resource == CALENDAR:
            del self.calendars[tuple(owner)]
        else:
            del (self.cards if resource == CARD else self.lanes)[service]
        return DELETED

    def add_rule_set(self, event: Plain) -> Plain:
        """Keep a draft."""
        rule_set = event[1]
        assert rule_set[1] == len(self.rule_sets), "a version was left out or taken twice"
        self.rule_sets[rule_set[1]] = rule_set
        return rule_set

    def go_on(self, event: Plain, time_ms: int, revision: int) -> Plain:
        """Let a rule set go on; one that becomes active retires the other."""
        _, version, state, warnings = event
        changed = [*self.rule_sets[version]]
        changed[RULE_SET_STATE] = state
        changed[RULE_SET_UPDATED], changed[RULE_SET_REVISION] = time_ms, revision
        if state == ACTIVE:
            retired = [*self.rule_sets[self.active]]
            retired[RULE_SET_STATE] = RETIRED
            retired[RULE_SET_UPDATED], retired[RULE_SET_REVISION] = time_ms, revision
            self.rule_sets[self.active] = retired
            self.active = version
            changed[ACTIVE_SINCE] = revision
        elif state == VALIDATED:
            changed[WARNINGS] = warnings
        self.rule_sets[version] = changed
        return changed

    def capacity(self, location: Plain) -> tuple[int, int]:
        """Return how much a location does in a day, 0 for no limit, and what that counts."""
        found = self.calendars.get((location[1], 0)) or self.calendars.get(("", location[3]))
        return (0, 1) if found is None else (found[2][5], found[2][6])

    def waiting_ms(self, location: Plain) -> int:
        """Return how long goods wait there for their customer at least."""
        found = self.calendars.get((location[1], 0)) or self.calendars.get(("", location[3]))
        return 3_600_000 * (72 if found is None else found[2][1])
