"""Verdicts on orders: whether what a request led to is what the naive model allows.

Where the service chooses, as among locations, what all right choices have in common is looked at:
plan_figures.py says what that is.
"""

from tests.simulation.books import (
    HELD,
    NOTHING,
    STATE,
    Books,
    Plain,
)
from tests.simulation.order_books import (
    ADDRESS,
    AT_STORE,
    CANCELLED,
    CANCELLED_UNITS,
    COMPLETE,
    DECISIONS,
    GIVEN,
    GIVEN_BACK,
    HISTORY,
    HOLDS,
    LINE,
    LINE_SKU,
    METHOD,
    NEXT_WORK,
    ORDER,
    ORDER_CLIENT,
    ORDER_CREATED,
    ORDER_LINES,
    ORDER_REVISION,
    ORDERED,
    STORE,
    TERMS,
    TOGETHER,
    UNRELEASED,
    WORK,
    WORK_PLACE,
    WORK_STATE,
    WORKS,
    unreleased,
    unsourced,
)
from tests.simulation.order_checks import (
    bare,
    check_growth,
    check_lines,
    check_next,
    check_no_growth,
    check_stamp,
    check_untouched,
    movable,
)
from tests.simulation.order_figures import (
    cancelled_units,
    edited_lines,
    fingerprint,
    hold_of,
    is_as_fixed,
    is_legal,
)
from tests.simulation.part_figures import check_most
from tests.simulation.plan_figures import (
    Asked,
    Part,
    check_legs,
    check_parts,
    could_be_filled,
    is_loose,
    part_of_work,
    policy_of,
)
from tests.simulation.routing_books import CANCEL, LIMITS, REFUSE

Request = tuple[str, str]
PLACED_STEP, EDITED, CUT, HELD_STEP, FREED, ADVANCED = range(1, 7)
HOLD_NAMES = {1: "FRAUD", 2: "PAYMENT", 3: "ADDRESS", 4: "OTHER"}
STATE_NAMES = {
    1: "SCHEDULED",
    2: "OPEN",
    3: "RELEASED",
    8: "SHIPPED",
    9: "READY",
    10: "DELIVERED",
    11: "COLLECTED",
    12: "CANCELLED",
}


def placed(books: Books, command: Plain, event: Plain, request: Request) -> None:
    """Judge a new order."""
    _, lines, terms, name, quoted, hold_id, holds = command
    _, order, _, taken_over, held = event
    hold_id = hold_of(books, hold_id, quoted)
    assert taken_over == hold_id, f"{taken_over} was taken over instead of {hold_id}"
    assert not hold_id or books.holds[hold_id][STATE] == HELD, f"{hold_id} is no hold any more"
    now_ms = books.time_ms
    assert order[ORDER : ORDER_CLIENT + 1] == [name or request[1], request[0]]
    assert order[TERMS] == terms, "other terms"
    assert order[HOLDS] == [[*hold, request[0], now_ms] for hold in holds]
    assert order[ORDER_CREATED] == now_ms
    assert order[HISTORY] == [[books.revision, now_ms, PLACED_STEP, request[0], ""]]
    check_stamp(books, order)
    asked = Asked(terms, lines, {(line[0], line[1]): line[2] for line in held})
    parts = [part_of_work(work) for work in order[WORKS]]
    assert all(work[WORK_STATE] in UNRELEASED for work in order[WORKS]), "begun already"
    names = [f"{order[ORDER]}/{number}" for number in range(1, order[NEXT_WORK])]
    assert [work[WORK] for work in order[WORKS]] == names, "odd names of work"
    check_parts(books, asked, parts, is_quoted=quoted is not None)
    _check_shortage(books, asked, order, parts)
    if quoted is None:
        check_most(books, asked, parts)
    (decision,) = order[DECISIONS]
    assert decision[:4] == [books.revision, now_ms, PLACED_STEP, books.routing.active]
    is_whole = not terms[COMPLETE] or parts
    check_legs(books, decision[4], asked, parts if is_whole else None)
    if quoted is not None:
        content, expire_ms, packages, *_ = quoted
        assert expire_ms > now_ms, "a quote that was over was honoured"
        assert content == fingerprint(lines, terms), "a quote was honoured for something else"
        # What the quote was short of may be there by now.
        more = policy_of(books, terms) != REFUSE
        is_kept = is_as_fixed(packages, parts, may_go_on=more)
        assert is_kept, f"{packages} were quoted, {parts} are booked"


def edited(books: Books, command: Plain, event: Plain, request: Request) -> None:
    """Judge an order of another content."""
    _, name, wanted, address, etag = command
    old = books.orders.by_id[name]
    assert etag in ("", str(old[ORDER_REVISION])), "an old etag was accepted"
    lines = edited_lines(old, wanted)
    terms = [*old[TERMS]]
    terms[ADDRESS] = terms[ADDRESS] if address is None else address
    if event[0] == NOTHING:
        assert (lines, terms) == (old[ORDER_LINES], old[TERMS]), "something was to change"
        return
    order = event[1]
    assert order[TERMS] == terms, "other terms than were asked"
    check_lines(books, lines, order)
    check_next(books, old, order, (request[0], EDITED, ""))
    assert order[HOLDS] == old[HOLDS]
    moved = {
        line[LINE]
        for line, new in zip(old[ORDER_LINES], _by_id(old, lines), strict=True)
        if new is None
        or new[METHOD : STORE + 1] != line[METHOD : STORE + 1]
        or new[ORDERED] < line[ORDERED]
        or (address is not None and line[METHOD] not in AT_STORE)
    }
    together = _together(old[ORDER_LINES], lines) | _whole(books, old[ORDER_LINES], lines)
    check_untouched(old, order, moved | together | movable(old))
    check_growth(books, [(old, order), *guest_pairs(books, event)])


def cut(books: Books, command: Plain, event: Plain, request: Request) -> None:
    """Judge a cancellation."""
    _, name, asked_lines, reason, etag = command
    old = books.orders.by_id[name]
    assert etag in ("", str(old[ORDER_REVISION])), "an old etag was accepted"
    asked = cancelled_units(old, asked_lines)
    if event[0] == NOTHING:
        assert not asked_lines, "units were to be cancelled"
        assert all(line[ORDERED] == line[CANCELLED_UNITS] for line in old[ORDER_LINES])
        return
    order = event[1]
    check_next(books, old, order, (request[0], CUT, reason))
    assert [order[TERMS], order[HOLDS]] == [old[TERMS], old[HOLDS]]
    expected = [
        [*line[:CANCELLED_UNITS], line[CANCELLED_UNITS] + asked[line[LINE]], line[-1]]
        for line in old[ORDER_LINES]
    ]
    assert order[ORDER_LINES] == expected, f"{asked} were to be cancelled"
    check_untouched(old, order, {name for name, units in asked.items() if units})
    spare, planned = unsourced(old), unreleased(old)
    for line_id, units in asked.items():
        rest = units - min(units, spare[line_id])
        assert unsourced(order)[line_id] == spare[line_id] - (units - rest)
        assert unreleased(order)[line_id] == planned[line_id] - rest, "freed twice, or not at all"
    assert order[DECISIONS] == old[DECISIONS]
    check_no_growth(old, order)


def held(books: Books, command: Plain, event: Plain, request: Request) -> None:
    """Judge a hold of an order, and the end of one."""
    tag, name, kind, reason, etag = command
    old = books.orders.by_id[name]
    assert etag in ("", str(old[ORDER_REVISION])), "an old etag was accepted"
    is_there = any(hold[0] == kind for hold in old[HOLDS])
    if event[0] == NOTHING:
        assert is_there == (tag == "HoldOrder"), f"{kind} was to change"
        return
    order = event[1]
    assert is_there == (tag == "ReleaseOrder"), f"{kind} was not to change"
    expected = [hold for hold in old[HOLDS] if hold[0] != kind]
    if tag == "HoldOrder":
        expected.append([kind, reason, request[0], books.time_ms])
    assert order[HOLDS] == expected
    step = HELD_STEP if tag == "HoldOrder" else FREED
    detail = f"{HOLD_NAMES[kind]} {reason}".strip()
    check_next(books, old, order, (request[0], step, detail))
    for field in (TERMS, ORDER_LINES, WORKS, DECISIONS):
        assert order[field] == old[field], "a hold changed more than itself"


def advanced(books: Books, command: Plain, event: Plain, request: Request) -> None:
    """Judge a step of the work."""
    _, name, work_id, state, etag = command
    old = books.orders.by_id[name]
    assert etag in ("", str(old[ORDER_REVISION])), "an old etag was accepted"
    work = next(work for work in old[WORKS] if work[WORK] == work_id)
    if event[0] == NOTHING:
        assert work[WORK_STATE] == state, "a step was to be taken"
        return
    order = event[1]
    assert is_legal(work, state), f"{work} became {state}"
    assert not (state == GIVEN and old[HOLDS]), "work of an order on hold was released"
    check_next(books, old, order, (request[0], ADVANCED, f"{work_id} {STATE_NAMES[state]}"))
    for field in (TERMS, HOLDS):
        assert order[field] == old[field], "a step changed more than the work"
    if state == CANCELLED:
        check_lines(books, old[ORDER_LINES], order)
    else:
        assert order[ORDER_LINES] == old[ORDER_LINES], "a step changed lines"
    after = {each[WORK]: each for each in order[WORKS]}
    stepped = [*work]
    stepped[WORK_STATE] = state
    if state == CANCELLED:
        stepped[GIVEN_BACK] = books.time_ms
    assert bare(after.pop(work_id)) == bare(stepped)
    if state != CANCELLED:
        others = [each for each in old[WORKS] if each[WORK] != work_id]
        assert [*map(bare, after.values())] == [*map(bare, others)], "a step changed other work"
        return
    middle = [*old]
    middle[WORKS] = [stepped if each is work else each for each in old[WORKS]]
    check_untouched(middle, order, movable(old))
    pairs = [(old, order), *guest_pairs(books, event)]
    check_growth(books, pairs, excluded=(work[WORK_PLACE],))


def guest_pairs(books: Books, event: Plain) -> list[tuple[Plain, Plain]]:
    """Return the orders that change as guests, as they were and as they are."""
    return [(books.orders.by_id[guest[ORDER]], guest) for guest in event[4]]


def _check_shortage(books: Books, asked: Asked, order: Plain, parts: list[Part]) -> None:
    for line, placed_line in zip(asked.lines, order[ORDER_LINES], strict=True):
        same = [*placed_line]
        same[CANCELLED_UNITS] = 0
        assert same == line, f"{line} became {placed_line}"
    left = unsourced(order)
    assert min(left.values()) >= 0, f"more of {order} is planned than was ordered"
    gone = {line[LINE]: line[CANCELLED_UNITS] for line in order[ORDER_LINES]}
    if policy_of(books, asked.terms) == CANCEL:
        assert not any(left.values()), f"{left} were to be cancelled"
    else:
        assert not any(gone.values()), f"{gone} were cancelled unasked"
    is_short = any(left.values()) or any(gone.values())
    assert not (is_short and asked.terms[COMPLETE] and parts), "a part of what was to be whole"
    assert not is_short or not could_be_filled(books, asked), f"{left} are short and there"


def _by_id(old: Plain, lines: Plain) -> Plain:
    found = {line[LINE]: line for line in lines}
    return [found.get(line[LINE]) for line in old[ORDER_LINES]]


def _together(before: Plain, after: Plain) -> set[str]:
    # What travels with a line that changed is planned again with it.
    was = {line[LINE]: line for line in before}
    groups = {
        each[TOGETHER]
        for line in after
        if was.get(line[LINE]) != line
        for each in (line, was.get(line[LINE], line))
    } - {""}
    return {line[LINE] for line in (*before, *after) if line[TOGETHER] in groups}


def _whole(books: Books, before: Plain, after: Plain) -> set[str]:
    # What must not be split is planned again with a line of it that changed.
    was = {line[LINE]: line for line in before}
    splits = books.routing.content[LIMITS][2]
    changed = [
        (line[LINE_SKU], line[METHOD], line[STORE])
        for line in after
        if was.get(line[LINE]) != line and not (splits and is_loose(books, line))
    ]
    return {line[LINE] for line in before if (line[LINE_SKU], line[METHOD], line[STORE]) in changed}
