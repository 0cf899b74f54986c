"""`domgrpc order watch`: orders as they change, and for a store the work that comes to it."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Annotated

import typer

from domgrpc.cli.session import ask, session_of
from domgrpc.cli.watch import say_if_ahead

if TYPE_CHECKING:
    from domgrpc.client import DomgrpcClient
    from domgrpc.v1.order_pb2 import FulfillmentOrder, Order, OrderChange


def watch_orders(
    context: typer.Context,
    orders: Annotated[
        list[str] | None, typer.Argument(metavar="[ORDER]...", help="Only these orders.")
    ] = None,
    *,
    locations: Annotated[
        list[str] | None,
        typer.Option("--location", help="Only with work there; may be repeated."),
    ] = None,
    customers: Annotated[
        list[str] | None,
        typer.Option("--customer", help="Only of this customer; may be repeated."),
    ] = None,
    after: Annotated[
        int | None, typer.Option("--after", help="Begin after this revision; default: now.", min=0)
    ] = None,
    snapshot: Annotated[
        bool, typer.Option("--snapshot", help="Begin with the open orders that match.")
    ] = False,
    count: Annotated[
        int, typer.Option("--count", help="End after so many orders and changes; 0: never.", min=0)
    ] = 0,
) -> None:
    """Print changes of orders as they happen, with the work of their locations.

    With --location, as on a store's device: the work that comes there, goes on, or is taken
    away. It comes back by itself when the server restarts, without a gap and without repeats.
    """
    as_json = session_of(context).as_json
    places = frozenset(locations or ())

    async def follow(client: "DomgrpcClient") -> None:
        left = count
        for location_id in locations or ():
            await client.get_location(location_id)
        await _say_what_is_not_there(client, orders or (), after)
        responses = client.watch_orders(
            after_revision=after,
            snapshot=snapshot,
            order_ids=orders or (),
            customer_ids=customers or (),
            location_ids=locations or (),
        )
        async with aclosing(responses):
            async for response in responses:
                most = left if count else None
                told = response.orders[:most]
                changes = response.changes[: None if most is None else most - len(told)]
                _print(told, changes, places, as_json=as_json)
                left -= len(told) + len(changes)
                if count and not left:
                    return

    ask(context, follow)


async def _say_what_is_not_there(
    client: "DomgrpcClient", order_ids: Sequence[str], after: int | None
) -> None:
    """Say what is waited for that may never come, as orders that are still to be placed."""
    from domgrpc.client import DomgrpcError

    for order_id in order_ids:
        try:
            await client.get_order(order_id)
        except DomgrpcError as error:
            if error.reason != "ORDER_NOT_FOUND":
                raise
            sys.stderr.write(f"there is no order {order_id!r} so far; waiting for it\n")
    if after is not None:
        say_if_ahead(after, (await client.list_orders(page_size=1)).revision)


def _print(
    orders: "Sequence[Order]",
    changes: "Sequence[OrderChange]",
    places: frozenset[str],
    *,
    as_json: bool,
) -> None:
    if as_json:
        from domgrpc.cli.output import plain, print_json_line

        for order in orders:
            print_json_line({"order": plain(order)})
        for change in changes:
            print_json_line({"change": plain(change)})
        return
    from domgrpc.cli.output import time_text, word

    for order in orders:
        _write(f"{order.revision}  {order.order_id}  {word(order, 'status')}", order, places)
    for change in changes:
        order = change.order
        told = (
            f"{time_text(change.change_time)}  {change.revision}  {order.order_id}  "
            f"{word(change, 'kind')}, {word(order, 'status')}"
        )
        _write(told, order, places)
    sys.stdout.flush()


def _write(heading: str, order: "Order", places: frozenset[str]) -> None:
    sys.stdout.write(heading + "\n")
    for line in work_lines(order, places):
        sys.stdout.write(f"  {line}\n")


def work_lines(order: "Order", places: frozenset[str]) -> Iterator[str]:
    """Iterate what is to do for an order, at some places or anywhere, a line each."""
    work = [one for one in order.fulfillment_orders if not places or _concerns(one, places)]
    yield from map(_work_text, work)
    if places and not work:
        yield f"no work at {', '.join(sorted(places))} any more"


def _concerns(work: "FulfillmentOrder", places: frozenset[str]) -> bool:
    return work.location_id in places or work.destination_location_id in places


def _work_text(work: "FulfillmentOrder") -> str:
    from domgrpc.cli.output import time_text, word
    from domgrpc.cli.plan_tables import contents, route

    return (
        f"{work.fulfillment_order_id}  {route(work)}  {contents(work)}, "
        f"{word(work, 'delivery_method')}, {word(work, 'state')}, "
        f"ship by {time_text(work.ship_by_time)}"
    )
