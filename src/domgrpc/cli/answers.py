"""How a command shows what the server answered, in the form that was asked for."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import Any

import typer
from google.protobuf.message import Message

from domgrpc.cli.output import Column, flat, plain, print_facts, print_json, print_table
from domgrpc.cli.session import session_of
from domgrpc.client import pages

PAGE_SIZE_MAX = 1_000


async def first_rows(
    fetch: Callable[[str, int], Awaitable[Any]], field: str, limit: int
) -> list[Any]:
    """Return up to `limit` rows (0: all) from the pages that `fetch` gets by token and size.

    Any: the pages and rows are of whichever list call it is.
    """
    size = min(limit, PAGE_SIZE_MAX) if limit else PAGE_SIZE_MAX
    rows: list[Any] = []
    async with aclosing(pages(lambda token: fetch(token, size))) as found:
        async for page in found:
            rows.extend(getattr(page, field))
            if limit and len(rows) >= limit:
                break
    return rows[:limit] if limit else rows


def show_rows(
    context: typer.Context, name: str, rows: Sequence[Message], columns: Sequence[Column]
) -> None:
    """Print rows: a table, or a document with the list under `name`."""
    if session_of(context).as_json:
        print_json({name: [plain(row) for row in rows]})
    else:
        print_table(columns, rows)


def show_message(context: typer.Context, message: Message) -> None:
    """Print one answer: its facts, or the document."""
    if session_of(context).as_json:
        print_json(plain(message))
    else:
        print_facts(dict(flat(message)))
