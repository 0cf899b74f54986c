"""`domgrpc stock`: see and change what is where. Many at once come from a file: `domgrpc load`."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from domgrpc.cli.choices import Condition, Inbound, Level, number_of
from domgrpc.cli.options import LIMIT_DEFAULT, DryRunOption, LimitOption, RequestIdOption
from domgrpc.cli.parsing import moment
from domgrpc.cli.session import ask

if TYPE_CHECKING:
    from domgrpc.v1.inventory_pb2 import StockUpdate

app = typer.Typer(no_args_is_help=True, help="See and change what is where.")
# A number may begin with a minus sign, and is no option then.
SIGNED = {"ignore_unknown_options": True}

SkuArgument = Annotated[str, typer.Argument(metavar="SKU")]
LocationArgument = Annotated[str, typer.Argument(metavar="LOCATION")]
QuantityArgument = Annotated[int, typer.Argument(metavar="QUANTITY", min=0)]
ReasonOption = Annotated[
    str, typer.Option("--reason", help="Why, for the history.", show_default=False)
]
TimeOption = Annotated[
    str, typer.Option("--at", help="When it was so; default: now.", metavar="TIME")
]


@app.command("show")
def show_stock(
    context: typer.Context,
    sku: Annotated[str, typer.Argument(metavar="[SKU]", help="Only this SKU.")] = "",
    *,
    location: Annotated[str, typer.Option("--location", help="Only at this location.")] = "",
    level: Annotated[Level | None, typer.Option("--level", help="Only at this level.")] = None,
    limit: LimitOption = LIMIT_DEFAULT,
) -> None:
    """Show the figures of positions: a SKU at a location."""
    from domgrpc.cli.answers import show_list
    from domgrpc.cli.columns import POSITIONS

    show_list(
        context,
        "positions",
        POSITIONS,
        lambda client, token, size: client.list_positions(
            sku=sku,
            location_id=location,
            level=number_of(level),
            page_token=token,
            page_size=size,
        ),
        limit=limit,
    )


@app.command("count", context_settings=SIGNED)
def count_stock(
    context: typer.Context,
    sku: SkuArgument,
    location: LocationArgument,
    quantity: QuantityArgument,
    *,
    expected: Annotated[
        int | None, typer.Option("--expected", help="Only while on hand is this.")
    ] = None,
    at: TimeOption = "",
    dry_run: DryRunOption = False,
    request_id: RequestIdOption = "",
) -> None:
    """Set how many sellable units are there."""
    from domgrpc import client

    counted_time = moment(at, "--at") if at else None
    _change(
        context,
        lambda: client.count_stock(
            sku, location, quantity, expected_on_hand=expected, effective_time=counted_time
        ),
        dry_run=dry_run,
        request_id=request_id,
    )


@app.command("adjust", context_settings=SIGNED)
def adjust_stock(
    context: typer.Context,
    sku: SkuArgument,
    location: LocationArgument,
    delta: Annotated[int, typer.Argument(metavar="DELTA", help="For example 5 or -2.")],
    *,
    reason: ReasonOption = "",
    condition: Annotated[
        Condition, typer.Option("--condition", help="Which stock.")
    ] = Condition.SELLABLE,
    at: TimeOption = "",
    dry_run: DryRunOption = False,
    request_id: RequestIdOption = "",
) -> None:
    """Add units or take some away."""
    from domgrpc import client

    happened_time = moment(at, "--at") if at else None
    _change(
        context,
        lambda: client.adjust_stock(
            sku,
            location,
            delta,
            reason=reason,
            condition=number_of(condition),
            effective_time=happened_time,
        ),
        dry_run=dry_run,
        request_id=request_id,
    )


@app.command("move", context_settings=SIGNED)
def move_stock(
    context: typer.Context,
    sku: SkuArgument,
    location: LocationArgument,
    quantity: QuantityArgument,
    *,
    to: Annotated[str, typer.Option("--to", help="Another location.", show_default=False)] = "",
    from_condition: Annotated[
        Condition, typer.Option("--from-condition", help="From which stock.")
    ] = Condition.SELLABLE,
    to_condition: Annotated[
        Condition, typer.Option("--to-condition", help="Into which stock.")
    ] = Condition.SELLABLE,
    reason: ReasonOption = "",
    dry_run: DryRunOption = False,
    request_id: RequestIdOption = "",
) -> None:
    """Move units to another location, or between conditions."""
    from domgrpc import client

    _change(
        context,
        lambda: client.move_stock(
            sku,
            location,
            quantity,
            to_location_id=to,
            from_condition=number_of(from_condition),
            to_condition=number_of(to_condition),
            reason=reason,
        ),
        dry_run=dry_run,
        request_id=request_id,
    )


@app.command("inbound", context_settings=SIGNED)
def announce_supply(
    context: typer.Context,
    sku: SkuArgument,
    location: LocationArgument,
    supply: Annotated[str, typer.Argument(metavar="SUPPLY", help="Your id of the supply.")],
    *,
    quantity: QuantityArgument,
    due: Annotated[str, typer.Option("--due", help="When it can be sold.", metavar="TIME")] = "",
    kind: Annotated[Inbound, typer.Option("--kind", help="What it is.")] = Inbound.PURCHASE_ORDER,
    dry_run: DryRunOption = False,
    request_id: RequestIdOption = "",
) -> None:
    """Announce supply that is on its way; quantity 0 withdraws it."""
    from domgrpc import client

    due_time = moment(due, "--due") if due else None
    _change(
        context,
        lambda: client.announce_supply(
            sku, location, supply, quantity=quantity, due_time=due_time, kind=number_of(kind)
        ),
        dry_run=dry_run,
        request_id=request_id,
    )


@app.command("receive", context_settings=SIGNED)
def receive_supply(
    context: typer.Context,
    sku: SkuArgument,
    location: LocationArgument,
    supply: Annotated[str, typer.Argument(metavar="SUPPLY", help="Your id of the supply.")],
    *,
    quantity: QuantityArgument,
    condition: Annotated[
        Condition, typer.Option("--condition", help="Into which stock.")
    ] = Condition.SELLABLE,
    close: Annotated[bool, typer.Option("--close", help="No more of it will come.")] = False,
    dry_run: DryRunOption = False,
    request_id: RequestIdOption = "",
) -> None:
    """Take announced supply into stock."""
    from domgrpc import client

    _change(
        context,
        lambda: client.receive_supply(
            sku,
            location,
            supply,
            quantity=quantity,
            condition=number_of(condition),
            close=close,
        ),
        dry_run=dry_run,
        request_id=request_id,
    )


def _change(
    context: typer.Context,
    make: "Callable[[], StockUpdate]",
    *,
    dry_run: bool,
    request_id: str,
) -> None:
    from domgrpc.cli.answers import show_message

    # Made inside, so that a number that no message can carry is an error like any other.
    done = ask(
        context,
        lambda client: client.update_stock([make()], validate_only=dry_run, request_id=request_id),
    )
    show_message(context, done, dry_run=dry_run)
