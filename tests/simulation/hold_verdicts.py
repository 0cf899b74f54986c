"""Verdicts on holds: whether what a request led to is what the naive model allows.

Each function takes the command as a plain list, the books as they were right before, and the
event; it objects by AssertionError. Where the service may choose, as among locations, it looks
at what all right choices have in common.
"""

from tests.simulation.books import (
    CONFIRMED,
    DEMAND,
    EXPIRE,
    EXPIRED,
    HELD,
    LINES,
    RELEASED,
    STATE,
    Books,
    Place,
    Plain,
)
from tests.simulation.figures import available

TTL_MS_DEFAULT = 15 * 60_000


def reserved(books: Books, command: Plain, event: Plain, request: tuple[str, str]) -> None:
    """Judge a new hold."""
    _, lines, name, demand, expiration, scope, _, partial, in_stock_only, reference = command
    hold = event[1]
    assert hold[1:4] == [name or request[1], request[0], HELD]
    assert hold[DEMAND : EXPIRE + 1] == [demand, reference, deadline_ms(books, expiration)]
    got = {(line[0], line[1]): line for line in hold[LINES]}
    assert list(got) == sorted(got), "lines out of order"
    located, anywhere = summed(lines)
    area = members(books, scope) if anywhere else []
    for place, line in got.items():
        assert place in located or (place[0] in anywhere and place[1] in area), "never asked for"
        _check_line(books, line, demand, in_stock_only=in_stock_only)
    is_short = False
    for sku in sorted({line[0] for line in lines}):
        asked = anywhere.get(sku, 0) + sum(u for place, u in located.items() if place[0] == sku)
        held = sum(line[2] for place, line in got.items() if place[0] == sku)
        assert held == asked or (partial and 0 <= held < asked), f"{held} of {asked} {sku}"
        is_short = is_short or held < asked
    assert bool(hold[11]) == is_short, "short lines"
    for place, units in located.items():
        if place[0] not in anywhere:
            limit = available(books, place, demand)[not in_stock_only]
            assert got.get(place, [0, 0, 0])[2] == min(units, limit), f"{place} is short"


def changed(books: Books, command: Plain, event: Plain, _request: tuple[str, str]) -> None:
    """Judge another content of a hold."""
    _, name, lines, expiration, _, in_stock_only, _ = command
    old = books.holds[name]
    assert old[STATE] == HELD, "what is no hold was changed"
    due_ms = old[EXPIRE] if expiration is None else deadline_ms(books, expiration)
    located, anywhere = summed(lines)
    if event[0] == 17:
        _check_same(old[LINES], located, anywhere)
        assert due_ms == old[EXPIRE], "the deadline was to change"
        return
    hold = event[1]
    assert hold[EXPIRE] == due_ms
    _check_kept(books, old, hold, in_stock_only=in_stock_only)
    got = {(line[0], line[1]): line[2] for line in hold[LINES]}
    touched = {*anywhere, *(place[0] for place in located)}
    for place, units in located.items():
        assert place[0] in anywhere or got.get(place, 0) == units, f"{place} has {got}"
    for sku, units in anywhere.items():
        held = sum(u for place, u in got.items() if place[0] == sku)
        assert held == units, f"{held} of {sku} are held, {units} were asked"
    for line in old[LINES]:
        place = (line[0], line[1])
        if place[0] not in touched or (place[0] not in anywhere and place not in located):
            assert line in hold[LINES], f"{place} was not to change"


def moved(books: Books, command: Plain, event: Plain, _request: tuple[str, str]) -> None:
    """Judge units of a hold that went elsewhere."""
    _, name, sku, source, target, units, _, in_stock_only, _ = command
    old = books.holds[name]
    assert old[STATE] == HELD, "what is no hold was moved"
    before = {(line[0], line[1]): line[2] for line in old[LINES]}
    units = units or before[sku, source]
    assert units <= before[sku, source]
    if event[0] == 17:
        assert target == source, "units were to move"
        return
    hold = event[1]
    after = {(line[0], line[1]): line[2] for line in hold[LINES]}
    assert hold[EXPIRE] == old[EXPIRE]
    assert after.get((sku, source), 0) == before[sku, source] - units
    if target:
        assert after[sku, target] == before.get((sku, target), 0) + units
    assert sum(after.values()) == sum(before.values()), "units came or went in a move"
    _check_kept(books, old, hold, in_stock_only=in_stock_only)


def confirmed(books: Books, command: Plain, event: Plain, _request: tuple[str, str]) -> None:
    """Judge a hold that became a claim."""
    _, name, revive, _ = command
    old = books.holds[name]
    if event[0] == 17:
        assert old[STATE] == CONFIRMED
        return
    _, _, lines, revived = event
    assert old[STATE] == (EXPIRED if revived else HELD)
    assert revive or not revived, "revived unasked"
    if not revived:
        assert lines == old[LINES]
        return
    for line, before in zip(lines, old[LINES], strict=True):
        assert line[2] <= revivable(books, before, old[DEMAND]), f"{line} was revived"
        _check_line(books, line, old[DEMAND], in_stock_only=False)


def released(books: Books, command: Plain, event: Plain, _request: tuple[str, str]) -> None:
    """Judge a hold that was given back."""
    state = books.holds[command[1]][STATE]
    if event[0] == 17:
        assert state in (RELEASED, EXPIRED)
        return
    assert state == HELD
    assert event[3] == command[2], "another reason"


def settled(books: Books, command: Plain, event: Plain, _request: tuple[str, str]) -> None:
    """Judge a claim that was settled."""
    _, name, outcome, lines, _ = command
    old = books.holds[name]
    assert old[STATE] == CONFIRMED
    left = {(line[0], line[1]): line[2] - line[4] for line in old[LINES]}
    wanted = summed(lines)[0] if lines else {place: units for place, units in left.items() if units}
    if event[0] == 17:
        assert not wanted, "something was left to settle"
        return
    assert event[2] == outcome
    assert {(line[0], line[1]): line[2] for line in event[3]} == wanted


# --- what several of them ask


def summed(lines: Plain) -> tuple[dict[Place, int], dict[str, int]]:
    """Add up what is asked by place, and by SKU where any location will do."""
    located: dict[Place, int] = {}
    anywhere: dict[str, int] = {}
    for sku, location, units in lines:
        if location:
            located[sku, location] = located.get((sku, location), 0) + units
        else:
            anywhere[sku] = anywhere.get(sku, 0) + units
    return located, anywhere


def members(books: Books, scope: Plain) -> list[str]:
    """Return the locations of a scope."""
    if scope is None:
        return list(books.locations)
    if scope[0] == 2:
        return sorted(set(scope[1]))
    return sorted({name for group in scope[1] for name in books.groups[group][3]})


def revivable(books: Books, line: Plain, demand: Plain) -> int:
    """Return how much of a line may come back: what came from stock comes from stock again."""
    from_stock, to_sell = available(books, (line[0], line[1]), demand)
    return min(to_sell, from_stock + int(line[3]))


def deadline_ms(books: Books, expiration: Plain) -> int:
    """Return when a hold that begins now ends."""
    until_ms, ttl_ms = expiration
    if until_ms is not None:
        return int(until_ms)
    return books.time_ms + (TTL_MS_DEFAULT if ttl_ms is None else int(ttl_ms))


def _check_line(
    books: Books, line: Plain, demand: Plain, *, in_stock_only: bool, own: int = 0
) -> None:
    sku, location, units, backordered, settled_units = line
    from_stock, to_sell = available(books, (sku, location), demand, own=own)
    limit = from_stock if in_stock_only else to_sell
    assert 0 < units <= limit, f"{units} of {limit} {sku} at {location}"
    assert backordered == max(0, units - from_stock), f"{backordered} backordered of {line}"
    assert settled_units == 0


def _check_kept(books: Books, old: Plain, hold: Plain, *, in_stock_only: bool) -> None:
    assert hold[:4] == old[:4]
    assert hold[DEMAND:EXPIRE] == old[DEMAND:EXPIRE]
    held = {(line[0], line[1]): line for line in old[LINES]}
    for line in hold[LINES]:
        before = held.get((line[0], line[1]), [*line[:2], 0, 0, 0])
        if line[2] > before[2]:
            _check_line(books, line, old[DEMAND], in_stock_only=in_stock_only, own=before[2])
        else:
            # Backordered units are the first to go.
            assert line[3] == max(0, before[3] - (before[2] - line[2])), line


def _check_same(lines: Plain, located: dict[Place, int], anywhere: dict[str, int]) -> None:
    held = {(line[0], line[1]): line[2] for line in lines}
    for place, units in located.items():
        assert place[0] in anywhere or held.get(place, 0) == units
    for sku, units in anywhere.items():
        assert sum(u for place, u in held.items() if place[0] == sku) == units
