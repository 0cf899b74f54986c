"""Verdicts on new plans of open orders: after an outage, of what waits, and as a whole."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from tests.simulation.books import Books, Place, Plain
from tests.simulation.figures import exclusion
from tests.simulation.order_books import (
    ATTENTION,
    CANCELLED,
    DECISIONS,
    HISTORY,
    HOLDS,
    LINE,
    LINE_SKU,
    ORDER,
    ORDER_CREATED,
    ORDER_LINES,
    ORDER_REVISION,
    ORDER_UPDATED,
    TERMS,
    UNRELEASED,
    WORK_LINES,
    WORK_PLACE,
    WORK_STATE,
    WORKS,
    unsourced,
)
from tests.simulation.order_checks import (
    bare,
    check_growth,
    check_history,
    check_untouched,
    check_whole,
    grown_parts,
)
from tests.simulation.order_figures import OUT_OF_USE, attention_of, is_as_fixed
from tests.simulation.order_verdicts import Request
from tests.simulation.parcel_verdicts import check_guests, is_guest
from tests.simulation.plan_figures import Asked, declined, is_plain, offered, part_of_work

REPLANNED_STEP = 7
ANYBODY = ["", 0]
AWAY, STILL = "away from ", "still at "
NOBODY = ": no other location can do all of its work"
IN_PART = f" in part{NOBODY}"
SERVED, IN_USE = "backordered units", "its locations are in use"
BATCH_MAX = 100
NOTHING: Mapping[Place, int] = MappingProxyType({})


# --- what timers have to do


def left_undone(books: Books) -> dict[str, int]:
    """Return the orders that a timer has to plan again, and their revisions."""
    closed = _closed(books)
    return {
        name: order[ORDER_REVISION]
        for name, order in books.orders.by_id.items()
        if _is_undone(books, order, closed)
    }


def _is_undone(books: Books, order: Plain, closed: set[str]) -> bool:
    is_stuck = _open_at(order, closed)
    if is_stuck != (order[ATTENTION] == OUT_OF_USE):
        return True
    return could_be_served(books, order) or (is_stuck and _could_go(books, order, closed))


def could_be_served(books: Books, order: Plain, taken: Mapping[Place, int] = NOTHING) -> bool:
    """Whether in a plain world there is stock for all units of an order that wait.

    `taken` is what others took that are not in the books yet.
    """
    wanted = {line_id: units for line_id, units in unsourced(order).items() if units}
    left_out = (*_givers(order, wanted), *declined(books, order))
    return bool(wanted) and _has_stock(books, order, wanted, left_out, taken=taken)


def _could_go(books: Books, order: Plain, closed: set[str]) -> bool:
    wanted: dict[str, int] = {}
    for work in order[WORKS]:
        if work[WORK_STATE] in UNRELEASED and work[WORK_PLACE] in closed:
            for line_id, _, units, _ in work[WORK_LINES]:
                wanted[line_id] = wanted.get(line_id, 0) + units
    return _has_stock(books, order, wanted, declined(books, order))


def _has_stock(
    books: Books,
    order: Plain,
    wanted: dict[str, int],
    excluded: tuple[str, ...],
    *,
    taken: Mapping[Place, int] = NOTHING,
) -> bool:
    lines = [line for line in order[ORDER_LINES] if line[LINE] in wanted]
    # What others took is the opposite of what is the asker's own.
    own = {place: -units for place, units in taken.items()}
    asked = Asked(order[TERMS], lines, own, excluded)
    sums: dict[str, int] = {}
    for line in lines:
        sums[line[LINE_SKU]] = sums.get(line[LINE_SKU], 0) + wanted[line[LINE]]
    return is_plain(books, asked) and all(
        offered(books, asked, line, from_stock=True) >= sums[line[LINE_SKU]] for line in lines
    )


def _givers(order: Plain, wanted: dict[str, int]) -> tuple[str, ...]:
    # Who gave units of a line back is not given them again by a timer.
    return tuple(
        work[WORK_PLACE]
        for work in order[WORKS]
        if work[WORK_STATE] == CANCELLED and any(line[0] in wanted for line in work[WORK_LINES])
    )


# --- what timers did


def by_timer(books: Books, event: Plain) -> None:
    """Judge what a timer did with work at places out of use, and with what waits."""
    _, changes, summary = event
    closed = _closed(books)
    pairs = []
    assert changes, "a record without a change"
    changes, guests = _with_guests(books, changes, "")
    for _, order, claims, step, _ in changes:
        old = books.orders.by_id[order[ORDER]]
        assert step == REPLANNED_STEP
        _check_same(books, old, order, "")
        detail = order[HISTORY][-1][4]
        VERDICTS[next(kind for kind in VERDICTS if detail.startswith(kind))](books, old, order)
        assert order[ATTENTION] in (attention_of(order), OUT_OF_USE)
        assert order[ATTENTION] != OUT_OF_USE or _open_at(order, closed), "flagged for nothing"
        assert claims or detail != SERVED, "nothing was planned"
        pairs.append((old, order))
    check_growth(books, [*pairs, *guests])
    assert summary[1] == [order[ORDER] for _, order, claims, *_ in changes if claims]
    assert [name for name, _ in summary[2]] == [
        order[ORDER] for _, order in pairs if order[ATTENTION] == OUT_OF_USE
    ]
    if len(pairs) == 1:
        _check_alone(books, *pairs[0])
    _check_turns(books, pairs)


def _moved_away(books: Books, old: Plain, order: Plain) -> None:
    closed = _closed(books)
    assert _open_at(old, closed), f"{order[ORDER]} was not displaced"
    assert unsourced(order) == unsourced(old), "units came or went"
    _check_only_from(closed, old, order)
    assert not any(part.is_dated for part in grown_parts(old, order)), "has to wait where it went"
    detail = order[HISTORY][-1][4]
    told = _places_told(detail, AWAY, IN_PART)
    assert told <= _open_places(old, closed), f"{detail!r} is told, it was not there"
    stuck = _lines_at(order, told)
    assert stuck != _lines_at(old, told), f"{detail!r} is told, and nothing moved"
    assert detail.endswith(IN_PART) == bool(stuck), f"{detail!r} is told of {stuck}"


def _left_there(books: Books, old: Plain, order: Plain) -> None:
    told = _places_told(order[HISTORY][-1][4], STILL, NOBODY)
    assert order[ATTENTION] == OUT_OF_USE, f"{order[ORDER]} is stuck and not flagged"
    stay = list(map(bare, order[WORKS])) == list(map(bare, old[WORKS]))
    assert stay, f"{order[ORDER]} is still there, and something moved"
    assert told <= _open_places(order, _closed(books)), f"{order[ORDER]} is not at {told}"


def _places_told(detail: str, before: str, behind: str) -> set[str]:
    return set(detail.removeprefix(before).removesuffix(behind).split(", "))


def _open_places(order: Plain, closed: set[str]) -> set[str]:
    return {
        work[WORK_PLACE]
        for work in order[WORKS]
        if work[WORK_STATE] in UNRELEASED and work[WORK_PLACE] in closed
    }


def _lines_at(order: Plain, places: set[str]) -> list[Plain]:
    return [
        work[WORK_LINES]
        for work in order[WORKS]
        if work[WORK_STATE] in UNRELEASED and work[WORK_PLACE] in places
    ]


def _served(_books: Books, old: Plain, order: Plain) -> None:
    before, after = unsourced(old), unsourced(order)
    assert all(0 <= units <= before[line_id] for line_id, units in after.items())
    assert after != before, f"{order[ORDER]} did not wait for what it got"
    check_untouched(old, order, set())
    for part in grown_parts(old, order):
        units = {line[0]: 1 for line in part.lines}
        assert part.place not in _givers(old, units), f"{part.place} gave it back"
    assert order[ATTENTION] == attention_of(order) or old[ATTENTION] == OUT_OF_USE


def _in_use(books: Books, old: Plain, order: Plain) -> None:
    assert old[ATTENTION] == OUT_OF_USE, f"{order[ORDER]} was not flagged"
    assert not _open_at(order, _closed(books)), "its places are not all in use"
    # Its parcel may be left by a host that goes in the same step.
    assert list(map(bare, order[WORKS])) == list(map(bare, old[WORKS])), "its work changed"
    assert order[DECISIONS] == old[DECISIONS]


VERDICTS: dict[str, Callable[[Books, Plain, Plain], None]] = {
    AWAY: _moved_away,
    STILL: _left_there,
    SERVED: _served,
    IN_USE: _in_use,
}


def _check_alone(books: Books, old: Plain, order: Plain) -> None:
    # In a plain world what the stock of all others can do is not left where it cannot be done, or
    # waiting.
    if order[ATTENTION] == OUT_OF_USE and order[HISTORY][-1][4].startswith((AWAY, STILL)):
        assert not _could_go(books, old, _closed(books)), f"{old} is stuck and need not be"
    if order[HISTORY][-1][4] == SERVED and any(unsourced(order).values()):
        assert not could_be_served(books, old), f"{old} waits on and need not"


def _check_turns(books: Books, pairs: list[tuple[Plain, Plain]]) -> None:
    # Oldest first: where few wait, none that is older and could have all it waits for is left out.
    served = [order for _, order in pairs if order[HISTORY][-1][4] == SERVED]
    keys = [_turn(order) for order in served]
    assert keys == sorted(keys), f"{keys} were not served in their order"
    waiting = books.orders.waiting
    if not served or len(waiting) > BATCH_MAX:
        return
    skus = {line[LINE_SKU] for order in served for line in order[ORDER_LINES]}
    for name, left in waiting.items():
        each = books.orders.by_id[name]
        turn = _turn(each)
        is_left_out = turn < keys[-1] and turn not in keys
        same = any(left[line[LINE]] and line[LINE_SKU] in skus for line in each[ORDER_LINES])
        if is_left_out and same:
            taken = _taken_before(turn, pairs)
            assert not could_be_served(books, each, taken), f"{each} was passed over"


def _turn(order: Plain) -> tuple[int, str]:
    return order[ORDER_CREATED], order[ORDER]


def _taken_before(turn: tuple[int, str], pairs: list[tuple[Plain, Plain]]) -> dict[Place, int]:
    # Work that had to go from a place out of use takes its turn among those that wait.
    taken: dict[Place, int] = {}
    for old, order in pairs:
        for part in grown_parts(old, order) if _turn(order) < turn else ():
            for _, sku, units, _ in part.lines:
                taken[sku, part.place] = taken.get((sku, part.place), 0) + units
    return taken


# --- as a whole


def applied(books: Books, command: Plain, event: Plain, request: Request) -> None:
    """Judge a new plan of many orders."""
    _, changes, summary = event
    _, done, skipped = summary
    moves: dict[str, Plain] = {}
    for move in command[1]:
        moves.setdefault(move[0], move)
    assert sorted({*done, *(name for name, _ in skipped)}) == sorted(moves), "a move was lost"
    changes, guests = _with_guests(books, changes, request[0])
    assert [order[ORDER] for _, order, *_ in changes] == done, "done and not booked"
    pairs = []
    for _, order, _, step, _ in changes:
        name, revision, packages = moves[order[ORDER]]
        old = books.orders.by_id[name]
        assert step == REPLANNED_STEP
        assert old[ORDER_REVISION] == revision, f"{name} had changed and was planned again"
        _check_same(books, old, order, request[0])
        assert order[ATTENTION] == attention_of(order)
        assert unsourced(order) == unsourced(old), "units came or went"
        begun = [bare(work) for work in old[WORKS] if work[WORK_STATE] not in UNRELEASED]
        kept = [bare(work) for work in order[WORKS] if work[WORK_STATE] not in UNRELEASED]
        assert kept == begun, "work that was begun changed"
        parts = [part_of_work(w) for w in order[WORKS] if w[WORK_STATE] in UNRELEASED]
        assert is_as_fixed(packages, parts), f"{packages} were asked, {parts} are booked"
        pairs.append((old, order))
    if pairs:
        check_growth(books, [*pairs, *guests])


def _with_guests(
    books: Books, changes: Plain, client: str
) -> tuple[Plain, list[tuple[Plain, Plain]]]:
    # Whose host goes changes in the same step, behind those that have a new plan.
    planned = [change for change in changes if not is_guest(change[1])]
    guests = changes[len(planned) :]
    assert changes[: len(planned)] == planned, "guests come last"
    assert all(change[4] == [] for change in changes), "guests are changes of their own here"
    assert all(change[2:4] == [[], REPLANNED_STEP] for change in guests)
    orders = [change[1] for change in guests]
    check_guests(books, [change[1] for change in planned], orders, client)
    return planned, [(books.orders.by_id[order[ORDER]], order) for order in orders]


def _closed(books: Books) -> set[str]:
    return {
        name for name in books.locations if exclusion(books, name, ANYBODY) == "LOCATION_DISABLED"
    }


def _open_at(order: Plain, closed: set[str]) -> bool:
    return bool(_open_places(order, closed))


def _check_same(books: Books, old: Plain, order: Plain, client: str) -> None:
    check_whole(order)
    detail = order[HISTORY][-1][4]
    check_history(books, old, order, (client, REPLANNED_STEP, detail))
    assert order[ORDER_UPDATED] == books.time_ms
    assert order[ORDER_REVISION] == books.revision
    for field in (TERMS, ORDER_LINES, HOLDS):
        assert order[field] == old[field], "a new plan changed more than the work"


def _check_only_from(closed: set[str], old: Plain, order: Plain) -> None:
    # What lies at places in use stays there; only the rest may go.
    moved = [*old]
    moved[WORKS] = [
        work
        for work in old[WORKS]
        if work[WORK_STATE] not in UNRELEASED or work[WORK_PLACE] not in closed
    ]
    check_untouched(moved, order, set())
