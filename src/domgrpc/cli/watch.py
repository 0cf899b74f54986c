"""`domgrpc watch`: changes of stock as they happen."""

import sys
from collections.abc import Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Annotated, Final

import typer

from domgrpc.cli.session import ask, session_of

if TYPE_CHECKING:
    from domgrpc.client import DomgrpcClient
    from domgrpc.v1.inventory_pb2 import (
        InventoryPosition,
        StockChange,
        WatchInventoryResponse,
    )


_SKUS_AT_ONCE: Final = 100


def watch(
    context: typer.Context,
    skus: Annotated[
        list[str] | None, typer.Argument(metavar="[SKU]...", help="Only these SKUs.")
    ] = None,
    *,
    locations: Annotated[
        list[str] | None, typer.Option("--location", help="Only there; may be repeated.")
    ] = None,
    after: Annotated[
        int | None, typer.Option("--after", help="Begin after this revision; default: now.", min=0)
    ] = None,
    snapshot: Annotated[
        bool, typer.Option("--snapshot", help="Begin with the figures of all that matches.")
    ] = False,
    levels: Annotated[
        bool, typer.Option("--levels", help="Only low, out of and back in stock.")
    ] = False,
    count: Annotated[
        int, typer.Option("--count", help="End after so many changes; 0: never.", min=0)
    ] = 0,
) -> None:
    """Print changes of stock as they happen.

    One a line, until it is interrupted. It comes back by itself when the server restarts,
    without a gap and without repeats.
    """
    as_json = session_of(context).as_json

    async def follow(client: "DomgrpcClient") -> None:
        left = count
        await _check_known(client, skus or (), locations or ())
        if after is not None:
            say_if_ahead(after, (await client.list_locations(page_size=1)).revision)
        responses = client.watch_inventory(
            after_revision=after,
            snapshot=snapshot,
            skus=skus or (),
            location_ids=locations or (),
            levels_only=levels,
        )
        async with aclosing(responses):
            async for response in responses:
                changes = response.changes[:left] if count else response.changes
                _print(response, changes, as_json=as_json)
                left -= len(changes)
                if count and not left:
                    return

    ask(context, follow)


async def _check_known(
    client: "DomgrpcClient", skus: Sequence[str], locations: Sequence[str]
) -> None:
    """Refuse a location that is not there; say which SKUs nothing is known of, as they may come."""
    for location_id in locations:
        await client.get_location(location_id)
    for begin in range(0, len(skus), _SKUS_AT_ONCE):
        wanted = dict.fromkeys(skus[begin : begin + _SKUS_AT_ONCE], 0)
        answer = await client.check_availability(wanted)
        for item in answer.items:
            if not item.known:
                sys.stderr.write(f"nothing is known of {item.sku!r} so far; waiting for it\n")


def say_if_ahead(after: int, newest: int) -> None:
    """Say that a watch begins after a revision that is not there yet."""
    if after > newest:
        sys.stderr.write(f"the newest revision is {newest}; waiting for one after {after}\n")


def _print(
    response: "WatchInventoryResponse", changes: "Sequence[StockChange]", *, as_json: bool
) -> None:
    if as_json:
        from domgrpc.cli.output import plain, print_json_line

        for position in response.positions:
            print_json_line({"position": plain(position)})
        for change in changes:
            print_json_line({"change": plain(change)})
        return
    for position in response.positions:
        sys.stdout.write(_position_text(position) + "\n")
    for change in changes:
        sys.stdout.write(_change_text(change) + "\n")
    sys.stdout.flush()


def _position_text(position: "InventoryPosition") -> str:
    return (
        f"{position.revision}  {position.sku} @ {position.location_id}  "
        f"on hand {position.on_hand}, held {position.soft_reserved}, "
        f"allocated {position.allocated}"
    )


def _change_text(change: "StockChange") -> str:
    from domgrpc.cli.output import time_text, word

    deltas = (
        ("on hand", change.on_hand_delta),
        ("held", change.soft_reserved_delta),
        ("allocated", change.allocated_delta),
    )
    said = [f"{name} {delta:+d}" for name, delta in deltas if delta]
    if change.level:
        said.append(word(change, "level"))
    if change.reservation_id:
        said.append(f"by {change.reservation_id}")
    return (
        f"{time_text(change.change_time)}  {change.revision}  {change.reason}  "
        f"{change.sku} @ {change.location_id}  {', '.join(said)}"
    )
