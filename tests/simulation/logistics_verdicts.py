"""Verdicts on rate cards, lanes and calendars: each is what was last saved, as a whole."""

from tests.simulation.books import CALENDAR, CARD, LANE, NOTHING, Books, Kept, Plain

KINDS = {
    "SaveRateCard": CARD,
    "DeleteRateCard": CARD,
    "SaveLane": LANE,
    "DeleteLane": LANE,
    "SaveLocationCalendar": CALENDAR,
    "DeleteLocationCalendar": CALENDAR,
}
FIELDS, CREATED, UPDATED, REVISION = range(2, 6)


def key_of(command: Plain) -> Kept:
    """Return which of them a command is about."""
    kind = KINDS[command[0]]
    return kind, tuple(command[1]) if kind == CALENDAR else command[1]


def saved(books: Books, command: Plain, event: Plain, _request: object) -> None:
    """Judge one that was saved, or found to be as asked."""
    old = books.logistics.get(key_of(command))
    _check_etag(command, old)
    if event[0] == NOTHING:
        assert old is not None, "nothing was there"
        assert old[FIELDS] == command[2], "something was to change"
        return
    new = event[1]
    assert new[1:3] == command[1:3]
    assert old is None or old[FIELDS] != command[2], "nothing was changed and logged"
    created_ms = books.time_ms if old is None else old[CREATED]
    assert new[CREATED:] == [created_ms, books.time_ms, books.revision]


def deleted(books: Books, command: Plain, event: Plain, _request: object) -> None:
    """Judge one that was removed."""
    _check_etag(command, books.logistics[key_of(command)])
    kind, whose = key_of(command)
    assert event[1] == kind
    assert (tuple(event[3]) if kind == CALENDAR else event[2]) == whose


def is_missing(books: Books, command: Plain) -> bool:
    """Whether a command asks for one that is not there."""
    return command[0] in KINDS and key_of(command) not in books.logistics


def is_etag_old(books: Books, command: Plain) -> bool:
    """Whether a command names an etag that one does not have."""
    old = books.logistics.get(key_of(command))
    return bool(command[-1]) and (old is None or command[-1] != str(old[REVISION]))


def _check_etag(command: Plain, old: Plain) -> None:
    etag = command[-1]
    assert not etag or (old is not None and etag == str(old[REVISION])), "an old etag was accepted"
