"""What the naive model says of plans in few packages: no less than one place alone can send."""

from tests.simulation.books import Books, Plain
from tests.simulation.figures import available
from tests.simulation.order_books import CHANNEL, LINE_SKU, METHOD, ORDERED
from tests.simulation.plan_figures import (
    Asked,
    Part,
    is_plain_but_for_packages,
    is_reachable,
    legs_of,
    may_fulfil,
    policy_of,
)
from tests.simulation.routing_books import REFUSE


def most_of_one_place(books: Books, asked: Asked) -> int:
    """Return the most units that one place can send from stock: so many go in one package.

    In worlds that are not plain but for the number of packages, and for several ways, it is 0.
    """
    if policy_of(books, asked.terms) == REFUSE or len(legs_of(asked.lines)) != 1:
        return 0
    if not is_plain_but_for_packages(books, asked):
        return 0
    lines, wanted = {}, dict[str, int]()
    for line in asked.lines:
        lines[line[LINE_SKU]] = line
        wanted[line[LINE_SKU]] = wanted.get(line[LINE_SKU], 0) + line[ORDERED]
    return max(
        sum(min(wanted[sku], _sent_by(books, asked, line, name)) for sku, line in lines.items())
        for name in books.locations
    )


def _sent_by(books: Books, asked: Asked, line: Plain, name: str) -> int:
    place = (line[LINE_SKU], name)
    if place not in books.positions or not may_fulfil(books, asked, line, name):
        return 0
    if not is_reachable(books, asked.terms, line, name):
        return 0
    demand = [asked.terms[CHANNEL], line[METHOD]]
    return available(books, place, demand, own=asked.own.get(place, 0))[0]


def check_most(books: Books, asked: Asked, parts: list[Part]) -> None:
    """Object to a plan that sends less than one place alone could, in one package."""
    sent = sum(each[2] for part in parts for each in part.lines)
    most = most_of_one_place(books, asked)
    assert sent >= most, f"{sent} units are planned, one place could send {most}"
