"""How a command shows what the server answered, in the form that was asked for."""

import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import Any, Final, TypeAlias

import typer
from google.protobuf.message import Message

from domgrpc.cli.output import flat, plain, print_facts, print_json
from domgrpc.cli.session import ask, session_of
from domgrpc.cli.tables import Column, Table
from domgrpc.client import DomgrpcClient, pages

PAGE_SIZE_MAX: Final = 1_000
DRY_RUN: Final = "dry run: nothing was changed\n"

# Any: the pages are of whichever list call it is.
Fetch: TypeAlias = Callable[[DomgrpcClient, str, int], Awaitable[Any]]
"""Gets a page by its token and its size."""


def show_list(
    context: typer.Context, name: str, columns: Sequence[Column], fetch: Fetch, *, limit: int
) -> None:
    """Print up to `limit` rows (0: all): a table as they come, or a document with them as `name`.

    Says on the error stream when there are more.
    """
    rows: list[object] = []
    table = Table(columns, sys.stdout)
    as_json = session_of(context).as_json

    def take(row: Message) -> None:
        if as_json:
            rows.append(plain(row))
        else:
            table.add(row)

    is_cut = ask(context, lambda client: _take_rows(client, name, fetch, (take, limit)))
    if as_json:
        print_json({name: rows})
    else:
        table.end()
    if is_cut:
        sys.stderr.write(f"{limit:,} shown; more with --limit 0\n")


async def _take_rows(
    client: DomgrpcClient, name: str, fetch: Fetch, taking: tuple[Callable[[Message], None], int]
) -> bool:
    """Hand on the first rows of a list; return whether there are more."""
    take, limit = taking
    size = min(limit, PAGE_SIZE_MAX) if limit else PAGE_SIZE_MAX
    count = 0
    async with aclosing(pages(lambda token: fetch(client, token, size))) as found:
        async for page in found:
            rows = getattr(page, name)
            wanted = rows[: limit - count] if limit else rows
            for row in wanted:
                take(row)
            count += len(wanted)
            # A page behind a full list may be empty: only a row proves that there is more.
            if len(wanted) < len(rows):
                return True
    return False


def show_message(context: typer.Context, message: Message, *, dry_run: bool = False) -> None:
    """Print one answer: its facts, or the document; of a dry run also that it was one."""
    if session_of(context).as_json:
        print_json(plain(message))
        return
    if dry_run:
        sys.stdout.write(DRY_RUN)
    print_facts(dict(flat(message)))
