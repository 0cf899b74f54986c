"""What all changes of an order share: its history, what may not move, what new plans may be."""

from tests.simulation.books import (
    Books,
    Place,
    Plain,
)
from tests.simulation.figures import available
from tests.simulation.order_books import (
    ATTENTION,
    CANCELLED_UNITS,
    CHANNEL,
    COMPLETE,
    HISTORY,
    LINE,
    NEXT_WORK,
    ORDER,
    ORDER_CLIENT,
    ORDER_CREATED,
    ORDER_LINES,
    ORDER_REVISION,
    ORDER_UPDATED,
    PACKAGE_COST,
    PARCEL,
    SCOPE,
    TERMS,
    UNITS_COST,
    UNRELEASED,
    WORK,
    WORK_LINES,
    WORK_STATE,
    WORKS,
    WorkDay,
    claims_of,
    days_of,
    unsourced,
)
from tests.simulation.order_figures import attention_of
from tests.simulation.plan_figures import (
    Asked,
    Part,
    check_ways,
    declined,
    is_scope_gone,
    part_of_work,
    policy_of,
)
from tests.simulation.routing_books import CANCEL

HISTORY_MAX = 99
"""Steps that are remembered beside the placing."""


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
    is_lost = is_scope_gone(books, order[TERMS][SCOPE])
    if policy_of(books, order[TERMS]) == CANCEL and not is_lost:
        assert not any(unsourced(order).values()), "short units were to be cancelled"


def check_history(books: Books, old: Plain, order: Plain, step: tuple[str, int, str]) -> None:
    """Object where an order is not its former self and one step more."""
    client, kind, detail = step
    entry = [books.revision, books.time_ms, kind, client, detail]
    steps = [*old[HISTORY], entry]
    assert order[HISTORY] == [*steps[:1], *steps[1:][-HISTORY_MAX:]]
    for field in (ORDER, ORDER_CLIENT, ORDER_CREATED):
        assert order[field] == old[field], f"field {field} of an order changed"
    assert order[NEXT_WORK] >= old[NEXT_WORK]


def check_next(books: Books, old: Plain, order: Plain, step: tuple[str, int, str]) -> None:
    """Object where a changed order is not its former self, one step later, as it stands."""
    check_history(books, old, order, step)
    check_stamp(books, order)


def check_stamp(books: Books, order: Plain) -> None:
    """Object where an order does not say when it changed, or why to look at it."""
    assert order[ORDER_UPDATED] == books.time_ms
    assert order[ORDER_REVISION] == books.revision
    check_whole(order)
    found = attention_of(order)
    assert order[ATTENTION] == found, f"attention is {order[ATTENTION]}, not {found}"


def check_whole(order: Plain) -> None:
    """Object where what is to be sent as a whole is planned in part while the rest waits."""
    is_open = any(work[WORK_STATE] in UNRELEASED for work in order[WORKS])
    is_short = any(unsourced(order).values())
    assert not (order[TERMS][COMPLETE] and is_open and is_short), f"a half is planned of {order}"


def movable(old: Plain) -> set[str]:
    """Return the lines of an order that are planned again with any other: all or none."""
    return {line[LINE] for line in old[ORDER_LINES]} if old[TERMS][COMPLETE] else set()


def check_untouched(old: Plain, order: Plain, moved: set[str]) -> None:
    """Object where work that was begun, or lines that were not to change, lie elsewhere now."""
    after = {work[WORK]: work for work in order[WORKS]}
    for work in old[WORKS]:
        if work[WORK_STATE] not in UNRELEASED:
            now = after.get(work[WORK])
            is_same = now is not None and bare(now) == bare(work)
            assert is_same, f"{work} was begun and changed"
            continue
        now = after.get(work[WORK], [*work[:WORK_LINES], [], *work[WORK_LINES + 1 :]])
        assert now[:WORK_LINES] == work[:WORK_LINES]
        units = {line[0]: line[2] for line in now[WORK_LINES]}
        for line in work[WORK_LINES]:
            is_kept = line[0] in moved or units.get(line[0], 0) >= line[2]
            assert is_kept, f"{line} of {work[WORK]} was not to change"


def bare(work: Plain) -> Plain:
    """Return work without its parcel, which it may be left by whoever hosted it."""
    return [*work[:PACKAGE_COST], *work[UNITS_COST:PARCEL], *work[PARCEL + 1 :]]


def check_no_growth(old: Plain, order: Plain) -> None:
    """Object where any work has more than before."""
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
        left_out = (*excluded, *declined(books, order))
        asked = Asked(order[TERMS], order[ORDER_LINES], excluded=left_out)
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
