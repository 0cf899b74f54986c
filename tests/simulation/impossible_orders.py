"""Orders that no stock could cure, by the naive model: where they are to go, and by which way."""

from tests.simulation.books import Books, Plain
from tests.simulation.order_books import BY_CURBSIDE, BY_PICKUP, IS_HARD, METHOD, PROMISE, STORE
from tests.simulation.order_figures import lines_of
from tests.simulation.plan_figures import Asked, is_plain, is_reachable

METHODS = 5


def is_unsupported(books: Books, command: Plain) -> bool:
    """Whether something is to be collected where the method is not offered."""
    return any(
        line[METHOD] in (BY_PICKUP, BY_CURBSIDE) and not _is_able(books, line[STORE], line)
        for line in lines_of(books, command)
    )


def is_hopeless(books: Books, terms: Plain, lines: Plain) -> bool:
    """Whether somebody could be unable to be there at all, or in time.

    When goods arrive the model does not know, nor how far cards reach in worlds that are not plain.
    """
    if (terms[IS_HARD] and terms[PROMISE] is not None) or not is_plain(books, Asked(terms, lines)):
        return True
    return any(not _is_somebody_there(books, terms, line) for line in lines)


def _is_somebody_there(books: Books, terms: Plain, line: Plain) -> bool:
    return any(
        _is_able(books, name, line) and is_reachable(books, terms, line, name)
        for name in books.locations
    )


def _is_able(books: Books, name: str, line: Plain) -> bool:
    return line[METHOD] in books.locations[name][METHODS]
