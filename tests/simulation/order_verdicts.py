"""Verdicts on orders: whether what a request led to is what the naive model allows.

Where the service chooses, as among locations, what all right choices have in common is looked at:
plan_figures.py says what that is.
"""

from zlib import crc32

import msgspec

from tests.simulation.books import (
    DEMAND,
    EXPIRE,
    EXPIRED,
    HELD,
    LINES,
    NOTHING,
    STATE,
    Books,
    Place,
    Plain,
)
from tests.simulation.figures import available
from tests.simulation.order_books import (
    ADDRESS,
    AT_STORE,
    ATTENTION,
    BY_CURBSIDE,
    BY_PICKUP,
    CANCELLED,
    CANCELLED_UNITS,
    CHANNEL,
    COLLECTED,
    COMPLETE,
    CUSTOMER,
    DECISIONS,
    DELIVER_BY,
    DELIVERED,
    GIVEN,
    HISTORY,
    HOLDS,
    LEFT,
    LINE,
    LINE_SKU,
    METHOD,
    NEXT_WORK,
    OPEN,
    ORDER,
    ORDER_CLIENT,
    ORDER_CREATED,
    ORDER_LINES,
    ORDER_REVISION,
    ORDER_UPDATED,
    ORDERED,
    PROMISE,
    READY,
    SCHEDULED,
    STORE,
    TERMS,
    TO_STORE,
    UNRELEASED,
    WORK,
    WORK_LINES,
    WORK_METHOD,
    WORK_PLACE,
    WORK_STATE,
    WORK_TARGET,
    WORKS,
    WorkDay,
    claims_of,
    days_of,
    is_claim,
    unreleased,
    unsourced,
)
from tests.simulation.plan_figures import (
    Asked,
    Part,
    check_legs,
    check_parts,
    check_ways,
    could_be_filled,
    part_of_package,
    part_of_work,
    policy_of,
)
from tests.simulation.routing_books import CANCEL, REFUSE

Request = tuple[str, str]
HISTORY_MAX = 99
"""Steps that are remembered beside the placing."""
QUOTE_MS = 15 * 60_000
NOTHING_WRONG, BACKORDERED, OUT_OF_USE, LATE, RULE_FAILED = range(5)
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
FAILED_RULES = 16


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
    _check_stamp(books, order)
    asked = Asked(terms, lines, {(line[0], line[1]): line[2] for line in held})
    parts = [part_of_work(work) for work in order[WORKS]]
    assert all(work[WORK_STATE] in UNRELEASED for work in order[WORKS]), "begun already"
    names = [f"{order[ORDER]}/{number}" for number in range(1, order[NEXT_WORK])]
    assert [work[WORK] for work in order[WORKS]] == names, "odd names of work"
    check_parts(books, asked, parts, is_quoted=quoted is not None)
    _check_shortage(books, asked, order, parts)
    (decision,) = order[DECISIONS]
    assert decision[:4] == [books.revision, now_ms, PLACED_STEP, books.routing.active]
    is_whole = not terms[COMPLETE] or parts
    check_legs(books, decision[4], asked, parts if is_whole else None)
    if quoted is not None:
        content, expire_ms, packages, *_ = quoted
        assert expire_ms > now_ms, "a quote that was over was honoured"
        assert content == fingerprint(lines, terms), "a quote was honoured for something else"
        booked = quoted_of(parts)
        if policy_of(books, terms) != REFUSE:
            # What the quote was short of may be there by now.
            booked = booked[: len(packages)]
        assert booked == in_order(packages), f"{packages} were quoted, {parts} are booked"


def quote_held(books: Books, command: Plain, event: Plain, request: Request) -> None:
    """Judge a quote whose stock is held."""
    _, lines, terms, ttl_ms, name, methods = command
    quote = event[1]
    hold, options = quote[3], quote[1]
    judge_quote(books, lines, terms, quote)
    _, _, plan, quoted, *_ = options[0]
    assert quoted[4] == hold[1] == (name or request[1])
    assert hold[2:4] == [request[0], HELD]
    held: dict[Place, list[int]] = {}
    for package in plan[0]:
        for _, sku, units, backordered in package[2]:
            both = held.setdefault((sku, package[0]), [0, 0])
            both[0] += units
            both[1] += backordered
    assert hold[LINES] == [[*place, *held[place], 0] for place in sorted(held)]
    assert not plan[2], "what is short was held"
    assert hold[EXPIRE] == books.time_ms + ttl_ms
    assert hold[DEMAND] == [terms[CHANNEL], options[0][0]]
    assert bool(methods) == bool(options[0][0]), "another way than was asked"


def judge_quote(books: Books, lines: Plain, terms: Plain, quote: Plain) -> None:
    """Judge what is promised: each option can be done as things stand, the cheapest is first."""
    _, options, expire_ms, _ = quote
    assert expire_ms == books.time_ms + QUOTE_MS
    ranks = []
    for method, store, plan, quoted, _, deliver_by_ms in options:
        way = lines
        if method:
            way = [[*line[:3], method, store, *line[5:]] for line in lines]
        judge_plan(books, Asked(terms, way), plan)
        parts = [part_of_package(package) for package in plan[0]]
        cost = sum(leg[4] for leg in plan[1])
        assert deliver_by_ms == max(part.deliver_by_ms for part in parts)
        assert quoted[:2] == [fingerprint(way, terms), expire_ms]
        assert in_order(quoted[2]) == quoted_of(parts), "a token stands for another plan"
        assert quoted[3] == cost, f"{cost} is quoted as {quoted[3]}"
        ranks.append((bool(plan[2]), cost, deliver_by_ms))
    assert ranks == sorted(ranks), f"the cheapest is not the first of {ranks}"


def judge_plan(books: Books, asked: Asked, plan: Plain) -> None:
    """Judge a plan that nothing was booked of."""
    packages, legs, shortages, version = plan
    parts = [part_of_package(package) for package in packages]
    check_parts(books, asked, parts)
    check_legs(books, legs, asked, None if shortages and asked.terms[COMPLETE] else parts)
    assert version == books.routing.active
    short = {line_id: units for line_id, _, units in shortages}
    for line in asked.lines:
        units = sum(each[2] for part in parts for each in part.lines if each[0] == line[LINE])
        assert units + short.get(line[LINE], 0) == line[ORDERED], f"{line} is planned by {units}"
    assert not short or not could_be_filled(books, asked), f"{short} are short and there"


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
    _check_next(books, old, order, (request[0], EDITED, ""))
    assert order[HOLDS] == old[HOLDS]
    moved = {
        line[LINE]
        for line, new in zip(old[ORDER_LINES], _by_id(old, lines), strict=True)
        if new is None
        or new[METHOD : STORE + 1] != line[METHOD : STORE + 1]
        or new[ORDERED] < line[ORDERED]
        or (address is not None and line[METHOD] not in AT_STORE)
    }
    check_untouched(old, order, moved)
    check_growth(books, [(old, order)])


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
    _check_next(books, old, order, (request[0], CUT, reason))
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
    _check_no_growth(old, order)


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
    _check_next(books, old, order, (request[0], step, detail))
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
    _check_next(books, old, order, (request[0], ADVANCED, f"{work_id} {STATE_NAMES[state]}"))
    for field in (TERMS, HOLDS):
        assert order[field] == old[field], "a step changed more than the work"
    if state == CANCELLED:
        check_lines(books, old[ORDER_LINES], order)
    else:
        assert order[ORDER_LINES] == old[ORDER_LINES], "a step changed lines"
    after = {each[WORK]: each for each in order[WORKS]}
    stepped = [*work]
    stepped[WORK_STATE] = state
    assert after.pop(work_id) == stepped
    if state != CANCELLED:
        others = [each for each in old[WORKS] if each[WORK] != work_id]
        assert list(after.values()) == others, "a step changed other work"
        return
    middle = [*old]
    middle[WORKS] = [stepped if each is work else each for each in old[WORKS]]
    check_untouched(middle, order, set())
    check_growth(books, [(old, order)], excluded=(work[WORK_PLACE],))


def is_legal(work: Plain, state: int) -> bool:
    """Whether work may take a step."""
    method = work[WORK_METHOD]
    is_collected = method in (BY_PICKUP, BY_CURBSIDE)
    ways = {
        SCHEDULED: {OPEN, GIVEN},
        OPEN: {GIVEN},
        GIVEN: {CANCELLED, READY if is_collected else LEFT},
        LEFT: {READY if method == TO_STORE else DELIVERED},
        READY: {COLLECTED},
    }
    return state in ways.get(work[WORK_STATE], set())


# --- words that refusals ask for too


def edited_lines(old: Plain, wanted: Plain) -> Plain:
    """Return the lines of an order after an edit."""
    new = {line[LINE]: line for line in wanted}
    lines = []
    for line in old[ORDER_LINES]:
        target = new.pop(line[LINE], line)
        if not target[LINE_SKU]:
            target = [*line[:ORDERED], target[ORDERED], *line[ORDERED + 1 :]]
        kept = line[CANCELLED_UNITS]
        units = max(target[ORDERED], kept)
        if units:
            head = [*target[:ORDERED], units, *target[ORDERED + 1 : CANCELLED_UNITS]]
            lines.append([*head, kept, target[-1]])
    return lines + [line for line in new.values() if line[ORDERED]]


def cancelled_units(old: Plain, asked_lines: Plain) -> dict[str, int]:
    """Return how many units of each line are to be cancelled."""
    asked = {line[LINE]: 0 for line in old[ORDER_LINES]}
    if asked_lines:
        for line_id, units in asked_lines:
            asked[line_id] = asked.get(line_id, 0) + units
        return asked
    spare, planned = unsourced(old), unreleased(old)
    return {line_id: spare[line_id] + planned[line_id] for line_id in asked}


def fingerprint(lines: Plain, terms: Plain) -> int:
    """Return what tells what was quoted from anything else."""
    return crc32(msgspec.msgpack.encode([lines, terms]))


def quoted_of(parts: list[Part]) -> Plain:
    """Return what a quote remembers of a plan."""
    return [
        [part.place, part.method, part.target, sorted([line[0], line[2]] for line in part.lines)]
        for part in parts
    ]


def in_order(packages: Plain) -> Plain:
    """Return quoted packages with their lines sorted: lines of one SKU may be told in any order."""
    return [[*package[:3], sorted(package[3])] for package in packages]


def hold_of(books: Books, hold_id: str, quoted: Plain) -> str:
    """Return the hold that an order takes over; that of a quote may be over by then."""
    of_quote = quoted[4] if quoted is not None else ""
    found = str(hold_id or of_quote)
    if found == of_quote and (found not in books.holds or books.holds[found][STATE] == EXPIRED):
        return ""
    return found


# --- what all changes of an order share


def check_lines(books: Books, lines: Plain, order: Plain) -> None:
    """Object where lines are not those asked for, but for what nobody can fill and is cancelled."""
    for line, now in zip(lines, order[ORDER_LINES], strict=True):
        same = [*now]
        same[CANCELLED_UNITS] = line[CANCELLED_UNITS]
        assert same == line, f"{line} became {now}"
        more = now[CANCELLED_UNITS] - line[CANCELLED_UNITS]
        assert more == 0 or (more > 0 and policy_of(books, order[TERMS]) == CANCEL), (
            f"{more} units of {line} were cancelled unasked"
        )
    if policy_of(books, order[TERMS]) == CANCEL:
        assert not any(unsourced(order).values()), "short units were to be cancelled"


def attention_of(order: Plain) -> int:
    """Return why somebody should look at an order, but for places out of use."""
    if any(unsourced(order).values()):
        return BACKORDERED
    promise_ms = order[TERMS][PROMISE]
    if promise_ms is not None and any(
        is_claim(work) and work[DELIVER_BY] > promise_ms for work in order[WORKS]
    ):
        return LATE
    is_failed = order[DECISIONS] and any(leg[FAILED_RULES] for leg in order[DECISIONS][-1][4])
    return RULE_FAILED if is_failed else NOTHING_WRONG


def check_history(books: Books, old: Plain, order: Plain, step: tuple[str, int, str]) -> None:
    """Object where an order is not its former self and one step more."""
    client, kind, detail = step
    entry = [books.revision, books.time_ms, kind, client, detail]
    steps = [*old[HISTORY], entry]
    assert order[HISTORY] == [*steps[:1], *steps[1:][-HISTORY_MAX:]]
    for field in (ORDER, ORDER_CLIENT, ORDER_CREATED):
        assert order[field] == old[field], f"field {field} of an order changed"
    assert order[NEXT_WORK] >= old[NEXT_WORK]


def _check_next(books: Books, old: Plain, order: Plain, step: tuple[str, int, str]) -> None:
    check_history(books, old, order, step)
    _check_stamp(books, order)


def _check_stamp(books: Books, order: Plain) -> None:
    assert order[ORDER_UPDATED] == books.time_ms
    assert order[ORDER_REVISION] == books.revision
    found = attention_of(order)
    assert order[ATTENTION] == found, f"attention is {order[ATTENTION]}, not {found}"


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


def check_untouched(old: Plain, order: Plain, moved: set[str]) -> None:
    """Object where work that was begun, or lines that were not to change, lie elsewhere now."""
    after = {work[WORK]: work for work in order[WORKS]}
    for work in old[WORKS]:
        if work[WORK_STATE] not in UNRELEASED:
            assert after.get(work[WORK]) == work, f"{work} was begun and changed"
            continue
        now = after.get(work[WORK], [*work[:WORK_LINES], [], *work[WORK_LINES + 1 :]])
        assert now[:WORK_LINES] == work[:WORK_LINES]
        units = {line[0]: line[2] for line in now[WORK_LINES]}
        for line in work[WORK_LINES]:
            is_kept = line[0] in moved or units.get(line[0], 0) >= line[2]
            assert is_kept, f"{line} of {work[WORK]} was not to change"


def _check_no_growth(old: Plain, order: Plain) -> None:
    before = {work[WORK]: work for work in old[WORKS]}
    for work in order[WORKS]:
        units = {line[0]: line[2] for line in before[work[WORK]][WORK_LINES]}
        assert all(line[2] <= units[line[0]] for line in work[WORK_LINES]), f"{work} grew"


def grown_parts(old: Plain, order: Plain) -> list[Part]:
    """Return what the work of an order has more of than before, as parts of a plan."""
    before = {work[WORK]: work for work in old[WORKS]}
    parts = []
    for work in order[WORKS]:
        if work[WORK_STATE] not in UNRELEASED:
            continue
        was = before.get(work[WORK])
        units = {line[0]: line[2] for line in was[WORK_LINES]} if was is not None else {}
        more = [
            [line[0], line[1], line[2] - units.get(line[0], 0), 0]
            for line in work[WORK_LINES]
            if line[2] > units.get(line[0], 0)
        ]
        if more:
            part = part_of_work(work)
            parts.append(
                part._replace(
                    lines=more, joins=part.joins or was is not None, is_old=was is not None
                )
            )
    return parts


def check_growth(
    books: Books, changes: list[tuple[Plain, Plain]], *, excluded: tuple[str, ...] = ()
) -> list[Part]:
    """Object to new plans of parts of orders that may not be; return these parts.

    What the orders claim already is free for them, and more than that the service may not count.
    """
    before: dict[Place, int] = {}
    after: dict[Place, int] = {}
    freed: dict[WorkDay, tuple[int, int]] = {}
    parts: list[Part] = []
    for old, order in changes:
        for sums, works in ((before, old[WORKS]), (after, order[WORKS])):
            for place, (allocated, _) in claims_of(works).items():
                sums[place] = sums.get(place, 0) + allocated
        for sign, works in ((1, old[WORKS]), (-1, order[WORKS])):
            for day, (packages, units) in days_of(works).items():
                both = freed.get(day, (0, 0))
                freed[day] = (both[0] + sign * packages, both[1] + sign * units)
        asked = Asked(order[TERMS], order[ORDER_LINES], excluded=excluded)
        grown = grown_parts(old, order)
        check_ways(books, asked, grown)
        parts += grown
    for part in parts:
        _check_room(books, part, freed)
        for _, sku, _, _ in part.lines:
            place = (sku, part.place)
            demand = [changes[0][1][TERMS][CHANNEL], part.method]
            both = available(books, place, demand, own=before.get(place, 0))
            is_waiting = any(each.is_dated for each in parts if each.place == part.place)
            most = both[is_waiting]
            assert after[place] <= most, f"{after[place]} of {most} are planned at {place}"
    return parts


def _check_room(books: Books, part: Part, freed: dict[WorkDay, tuple[int, int]]) -> None:
    day = (part.place, part.day)
    most, unit = books.routing.capacity(books.locations[part.place])
    total = books.orders.work_days.get(day, [0, 0])[unit - 1] - freed[day][unit - 1]
    is_free = part.joins and (unit == 1 or part.is_old)
    assert not most or is_free or total <= most, f"{total} of {most} on {day}"


# --- listing


def status_of(order: Plain) -> int:
    """Return the status that an order's quantities and holds amount to."""
    wanted = sum(line[ORDERED] - line[CANCELLED_UNITS] for line in order[ORDER_LINES])
    units = dict.fromkeys((LEFT, DELIVERED, COLLECTED), 0)
    for work in order[WORKS]:
        if work[WORK_STATE] in units:
            units[work[WORK_STATE]] += sum(line[2] for line in work[WORK_LINES])
    arrived = units[DELIVERED] + units[COLLECTED]
    left = arrived + units[LEFT]
    rules = (
        (not wanted, 9),
        (arrived == wanted, 6),
        (order[HOLDS] and not left, 2),
        (arrived, 5),
        (left == wanted, 4),
        (left, 3),
    )
    return next((status for is_so, status in rules if is_so), 1)


def listed_orders(books: Books, wanted: Plain) -> Plain:
    """Return the orders that a filter is for, oldest first."""
    found = sorted(books.orders.by_id.values(), key=lambda o: (o[ORDER_CREATED], o[ORDER]))
    return [order for order in found if _is_wanted(order, wanted)]


def _is_wanted(order: Plain, wanted: Plain) -> bool:
    places = {name for work in order[WORKS] for name in (work[WORK_PLACE], work[WORK_TARGET])}
    return (
        wanted["status"] in (None, status_of(order))
        and wanted["customer_id"] in (None, order[TERMS][CUSTOMER])
        and (wanted["sku"] is None or any(x[LINE_SKU] == wanted["sku"] for x in order[ORDER_LINES]))
        and (wanted["location_id"] is None or wanted["location_id"] in places)
    )
