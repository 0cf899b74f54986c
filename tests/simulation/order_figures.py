"""What the naive model says of one order: what an edit makes of it, its state, what quotes keep."""

from zlib import crc32

import msgspec

from tests.simulation.books import (
    EXPIRED,
    LINES,
    STATE,
    Books,
    Plain,
)
from tests.simulation.order_books import (
    BY_CURBSIDE,
    BY_PICKUP,
    CANCELLED,
    CANCELLED_UNITS,
    COLLECTED,
    CUSTOMER,
    DECISIONS,
    DELIVER_BY,
    DELIVERED,
    GIVEN,
    HOLDS,
    LEFT,
    LINE,
    LINE_SKU,
    OPEN,
    ORDER,
    ORDER_CREATED,
    ORDER_LINES,
    ORDERED,
    PROMISE,
    READY,
    SCHEDULED,
    STORE,
    TERMS,
    TO_STORE,
    WORK_LINES,
    WORK_METHOD,
    WORK_PLACE,
    WORK_STATE,
    WORK_TARGET,
    WORKS,
    is_claim,
    is_finished,
    unreleased,
    unsourced,
)
from tests.simulation.plan_figures import (
    Part,
)

NOTHING_WRONG, BACKORDERED, OUT_OF_USE, LATE, RULE_FAILED = range(5)
FAILED_RULES = 16


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


def hold_of(books: Books, hold_id: str, quoted: Plain) -> str:
    """Return the hold that an order takes over; that of a quote may be over by then."""
    of_quote = quoted[4] if quoted is not None else ""
    found = str(hold_id or of_quote)
    if found == of_quote and (found not in books.holds or books.holds[found][STATE] == EXPIRED):
        return ""
    return found


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


def is_over(books: Books, command: Plain) -> bool:
    """Whether a change is of an order of which nothing is left to do."""
    order = books.orders.by_id[command[1]]
    return command[0] in ("EditOrder", "HoldOrder") and is_finished(order)


def is_hold_other(books: Books, command: Plain) -> bool:
    """Whether an order names a hold of something that it does not have."""
    ordered = {line[LINE_SKU] for line in command[1]}
    held = books.holds[hold_of(books, command[5], command[4])][LINES]
    return any(line[0] not in ordered for line in held)


def is_quote_over(books: Books, command: Plain) -> bool:
    """Whether the token of an order was good for a time that is past."""
    return command[4] is not None and command[4][1] <= books.time_ms


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
    places.update(x[STORE] for x in order[ORDER_LINES] if x[ORDERED] > x[CANCELLED_UNITS])
    return (
        wanted["status"] in (None, status_of(order))
        and wanted["customer_id"] in (None, order[TERMS][CUSTOMER])
        and (wanted["sku"] is None or any(x[LINE_SKU] == wanted["sku"] for x in order[ORDER_LINES]))
        and (wanted["location_id"] is None or wanted["location_id"] in places)
    )
