"""Verdicts on quotes and on plans that nothing was booked of."""

from tests.simulation.books import (
    DEMAND,
    EXPIRE,
    HELD,
    LINES,
    Books,
    Place,
    Plain,
)
from tests.simulation.order_books import (
    AT_STORE,
    CHANNEL,
    COMPLETE,
    LINE,
    ORDERED,
)
from tests.simulation.order_figures import fingerprint, in_order, quoted_of
from tests.simulation.part_figures import check_most
from tests.simulation.plan_figures import (
    Asked,
    check_legs,
    check_parts,
    could_be_filled,
    part_of_package,
)

Request = tuple[str, str]
QUOTE_MS = 15 * 60_000


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
    _, options, expire_ms, _, misses = quote
    assert expire_ms == books.time_ms + QUOTE_MS
    ranks = []
    for method, store, plan, quoted, _, deliver_by_ms, collect_by_ms in options:
        way = by_way(lines, method, store)
        judge_plan(books, Asked(terms, way), plan)
        parts = [part_of_package(package) for package in plan[0]]
        cost = sum(leg[4] for leg in plan[1])
        assert deliver_by_ms == max(part.deliver_by_ms for part in parts)
        waiting = [part.collect_by_ms for part in parts if part.collect_by_ms]
        assert collect_by_ms == min(waiting, default=0)
        assert quoted[:2] == [fingerprint(way, terms), expire_ms]
        assert in_order(quoted[2]) == quoted_of(parts), "a token stands for another plan"
        assert quoted[3] == cost, f"{cost} is quoted as {quoted[3]}"
        ranks.append((bool(plan[2]), cost, deliver_by_ms))
    assert ranks == sorted(ranks), f"the cheapest is not the first of {ranks}"
    for method, store, plan in misses:
        if plan is None:
            assert method in AT_STORE, f"{method} needs no store"
            assert not store
            continue
        judge_plan(books, Asked(terms, by_way(lines, method, store)), plan)
        assert not plan[0], "what can be promised is no option"
        assert plan[2], "nothing is short, and nothing is promised"


def by_way(lines: Plain, method: int, store: str) -> Plain:
    """Return lines as they travel by the method of an option, 0 for their own."""
    if not method:
        return lines
    return [[*line[:3], method, store, *line[5:]] for line in lines]


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
    check_most(books, asked, parts)
