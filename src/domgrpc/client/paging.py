"""All pages of a list, one after the other."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Protocol, TypeVar


class Page(Protocol):
    """What every answer of a list call has."""

    next_page_token: str


_Page = TypeVar("_Page", bound=Page)


async def pages(fetch: Callable[[str], Awaitable[_Page]]) -> AsyncGenerator[_Page, None]:
    """Iterate pages, each fetched when it is asked for; a page may be empty.

    `fetch` takes the token of the page, which is empty for the first:
    `pages(lambda token: client.list_products(page_token=token))`.
    """
    page = await fetch("")
    yield page
    while page.next_page_token:
        page = await fetch(page.next_page_token)
        yield page
