"""Verdicts on rate cards, lanes, calendars and rule sets."""

from tests.simulation.books import NOTHING, Books, Plain
from tests.simulation.plan_figures import CONDITIONS, EXCLUDE, REQUIRE, TYPO
from tests.simulation.routing_books import (
    ACTIVE,
    CALENDAR,
    CARD,
    DRAFT,
    DRY_RUN,
    LANE,
    RULE_SET_STATE,
    RULES,
    VALIDATED,
)

ALWAYS = ("", "location.type == 'STORE'", "location.type != 'STORE'", "location.id == 'place-1'")
"""Conditions that ask nothing of the order or the line."""


def table_of(books: Books, kind: int) -> dict[Plain, Plain]:
    """Return all cards, lanes or calendars."""
    routing = books.routing
    tables: dict[int, dict[Plain, Plain]] = {
        CARD: routing.cards,
        LANE: routing.lanes,
        CALENDAR: routing.calendars,
    }
    return tables[kind]


def kind_of(command: Plain) -> int:
    """Return what a command saves or deletes."""
    kinds = {"RateCard": CARD, "Lane": LANE, "LocationCalendar": CALENDAR}
    return kinds[command[0].removeprefix("Save").removeprefix("Delete")]


def key_of(command: Plain) -> Plain:
    """Return what it is kept by."""
    return tuple(command[1]) if kind_of(command) == CALENDAR else command[1]


def saved(books: Books, command: Plain, event: Plain, _request: object) -> None:
    """Judge what was created or replaced."""
    _, owner, fields, etag = command
    old = table_of(books, kind_of(command)).get(key_of(command))
    assert etag in ("", str(old[-1]) if old is not None else ""), "an old etag was accepted"
    if event[0] == NOTHING:
        assert old is not None, "nothing was kept"
        assert old[2] == fields, "it was to change"
        return
    resource = event[1]
    created_ms = books.time_ms if old is None else old[3]
    assert old is None or old[2] != fields, "nothing was changed and logged"
    assert resource[1:] == [owner, fields, created_ms, books.time_ms, books.revision]


def deleted(books: Books, command: Plain, event: Plain, _request: object) -> None:
    """Judge what was removed."""
    kind, key = kind_of(command), key_of(command)
    assert key in table_of(books, kind)
    told = tuple(event[3]) if kind == CALENDAR else event[2]
    assert (event[1], told) == (kind, key), "something else was removed"


def rule_set_created(books: Books, command: Plain, event: Plain, _request: object) -> None:
    """Judge a draft."""
    version, now_ms = len(books.routing.rule_sets), books.time_ms
    expected = [14, version, command[1], DRAFT, now_ms, now_ms, books.revision, [], 0]
    assert event[1] == expected, f"{event[1]} is not the draft of version {version}"


def rule_set_validated(books: Books, command: Plain, event: Plain, _request: object) -> None:
    """Judge a draft that was found right."""
    rule_set = books.routing.rule_sets[command[1]]
    if event[0] == NOTHING:
        assert rule_set[RULE_SET_STATE] != DRAFT, "a draft was left as it was"
        return
    assert rule_set[RULE_SET_STATE] == DRAFT
    assert event[1:3] == [command[1], VALIDATED]
    assert not is_invalid(rule_set[2]), "a rule that cannot be read was found right"
    assert not is_contradictory(books, rule_set[2]), "rules that leave nothing were found right"


def rule_set_tried(books: Books, command: Plain, event: Plain, _request: object) -> None:
    """Judge a rule set that was tried."""
    state = books.routing.rule_sets[command[1]][RULE_SET_STATE]
    assert state != DRAFT, "a draft was tried"
    if event[0] == NOTHING:
        assert state != VALIDATED, "that it was tried is not noted"
        return
    assert state == VALIDATED
    assert event[1:3] == [command[1], DRY_RUN]


def rule_set_activated(books: Books, command: Plain, event: Plain, _request: object) -> None:
    """Judge a rule set that became the active one."""
    state = books.routing.rule_sets[command[1]][RULE_SET_STATE]
    if event[0] == NOTHING:
        assert state == ACTIVE, "nothing became active"
        return
    assert state not in (DRAFT, ACTIVE)
    assert event[1:3] == [command[1], ACTIVE]


def is_invalid(content: Plain) -> bool:
    """Whether a rule of it cannot be read."""
    return any(rule[2] == TYPO for rule in content[RULES])


def is_contradictory(books: Books, content: Plain) -> bool:
    """Whether rules that hold together leave no location."""
    if is_invalid(content) or not books.locations:
        return False
    rules = [rule for rule in content[RULES] if rule[1] in (EXCLUDE, REQUIRE)]
    always = [rule for rule in rules if rule[2] in ALWAYS]
    others = list(
        dict.fromkeys(rule[2].partition(" && ")[0] for rule in rules if rule not in always)
    )
    for about in (None, *others):
        held = [*always, *(rule for rule in rules if rule not in always and _is_about(rule, about))]
        if not held or (about is not None and len(held) == 1):
            # One that leaves nothing of some orders only is odd, but may be meant.
            continue
        if all(any(_takes(rule, place) for rule in held) for place in books.locations.values()):
            return True
    return False


def _is_about(rule: Plain, about: str | None) -> bool:
    return about is not None and rule[2].partition(" && ")[0] == about


def _takes(rule: Plain, place: Plain) -> bool:
    matches = CONDITIONS[rule[2]][1](place)
    return matches if rule[1] == EXCLUDE else not matches


# --- refusals


def is_missing(books: Books, command: Plain) -> bool:
    """Whether what is to be deleted is not there."""
    is_delete = command[0].startswith("Delete")
    return is_delete and key_of(command) not in table_of(books, kind_of(command))


def is_draft_invalid(books: Books, command: Plain) -> bool:
    """Whether a draft has a rule that cannot be read."""
    content = books.routing.rule_sets[command[1]][2]
    return command[0] == "ValidateRuleSet" and is_invalid(content)


def is_draft_contradictory(books: Books, command: Plain) -> bool:
    """Whether a draft has rules that leave nothing."""
    content = books.routing.rule_sets[command[1]][2]
    return command[0] == "ValidateRuleSet" and is_contradictory(books, content)
