"""Verdicts on new plans of open orders: after an outage, and as a whole."""

from tests.simulation.books import Books, Plain
from tests.simulation.figures import exclusion
from tests.simulation.order_books import (
    ATTENTION,
    HOLDS,
    LINE_SKU,
    ORDER,
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
)
from tests.simulation.order_figures import OUT_OF_USE, attention_of, in_order, quoted_of
from tests.simulation.order_verdicts import Request
from tests.simulation.parcel_verdicts import check_guests, is_guest
from tests.simulation.plan_figures import Asked, is_plain, offered, part_of_work

REPLANNED_STEP = 7
ANYBODY = ["", 0]


def displaced(books: Books) -> dict[str, int]:
    """Return the orders with open work where it cannot be done, unless told so, and revisions."""
    closed = _closed(books)
    return {
        name: order[ORDER_REVISION]
        for name, order in books.orders.by_id.items()
        if order[ATTENTION] != OUT_OF_USE and _open_at(order, closed)
    }


def outage(books: Books, event: Plain) -> None:
    """Judge what a timer did with work at places out of use."""
    _, changes, summary = event
    closed = _closed(books)
    pairs = []
    assert changes, "a record without a change"
    changes, guests = _with_guests(books, changes, "")
    for _, order, _, step, _ in changes:
        old = books.orders.by_id[order[ORDER]]
        assert step == REPLANNED_STEP
        assert _open_at(old, closed), f"{order[ORDER]} was not displaced"
        _check_same(books, old, order, "")
        assert unsourced(order) == unsourced(old), "units came or went"
        assert order[ATTENTION] in (attention_of(order), OUT_OF_USE)
        assert order[ATTENTION] != OUT_OF_USE or _open_at(order, closed), "flagged for nothing"
        _check_only_from(closed, old, order)
        pairs.append((old, order))
    grown = check_growth(books, [*pairs, *guests])
    assert not any(part.is_dated for part in grown), "moved to where it has to wait"
    assert summary[1] == [order[ORDER] for _, order, claims, *_ in changes if claims]
    assert [name for name, _ in summary[2]] == [
        order[ORDER] for _, order in pairs if order[ATTENTION] == OUT_OF_USE
    ]
    if len(pairs) == 1:
        _check_stuck(books, *pairs[0], closed)


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
        assert quoted_of(parts) == in_order(packages), f"{packages} were asked, {parts} are booked"
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
    return any(
        work[WORK_STATE] in UNRELEASED and work[WORK_PLACE] in closed for work in order[WORKS]
    )


def _check_same(books: Books, old: Plain, order: Plain, client: str) -> None:
    check_whole(order)
    detail = order[9][-1][4]
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


def _check_stuck(books: Books, old: Plain, order: Plain, closed: set[str]) -> None:
    # In a plain world what the stock of all others can do is not left where it cannot be done.
    if order[ATTENTION] != OUT_OF_USE:
        return
    wanted: dict[str, int] = {}
    for work in old[WORKS]:
        if work[WORK_STATE] in UNRELEASED and work[WORK_PLACE] in closed:
            for line_id, _, units, _ in work[WORK_LINES]:
                wanted[line_id] = wanted.get(line_id, 0) + units
    lines = [line for line in old[ORDER_LINES] if line[0] in wanted]
    asked = Asked(old[TERMS], lines)
    sums: dict[str, int] = {}
    for line in lines:
        sums[line[LINE_SKU]] = sums.get(line[LINE_SKU], 0) + wanted[line[0]]
    could_go = is_plain(books, asked) and all(
        offered(books, asked, line, from_stock=True) >= sums[line[LINE_SKU]] for line in lines
    )
    assert not could_go, f"{wanted} is stuck and need not be"
