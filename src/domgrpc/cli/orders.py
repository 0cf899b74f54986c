"""`domgrpc order` and `domgrpc quote`: orders from the first question to the last handover."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from domgrpc.cli.choices import Method, OrderState, WhyHeld, WorkState, number_of
from domgrpc.cli.exits import ExitCode
from domgrpc.cli.options import (
    LIMIT_DEFAULT,
    ChannelOption,
    DryRunOption,
    EtagOption,
    LimitOption,
    RequestIdOption,
)
from domgrpc.cli.order_answers import show, show_quote, uncancelled_text
from domgrpc.cli.order_options import (
    ITEM_HELP,
    ITEM_METAVAR,
    BusinessOption,
    CompleteOption,
    CounterOption,
    CustomerOption,
    HardOption,
    OrderIdArgument,
    OrderMethodOption,
    PackagesOption,
    PromiseOption,
    ShortageOption,
    ToOption,
    ZipToOption,
    address_from,
    item_of,
    numbered,
    quantities_of,
    terms_from,
)
from domgrpc.cli.parsing import moment
from domgrpc.cli.session import ask

if TYPE_CHECKING:
    from domgrpc.client import DomgrpcClient
    from domgrpc.v1.order_pb2 import Order

app = typer.Typer(no_args_is_help=True, help="Place, see and change orders.")


@app.command("place")
def place_order(
    context: typer.Context,
    items: Annotated[list[str], typer.Argument(metavar=ITEM_METAVAR, help=ITEM_HELP)],
    *,
    to: ToOption = "",
    zip_code: ZipToOption = "",
    business: BusinessOption = False,
    method: OrderMethodOption = None,
    store: Annotated[
        str, typer.Option("--store", help="The store of items that name none.", show_default=False)
    ] = "",
    customer: CustomerOption = "",
    channel: ChannelOption = "",
    promise: PromiseOption = "",
    hard: HardOption = False,
    packages_max: PackagesOption = 0,
    complete: CompleteOption = False,
    shortage: ShortageOption = None,
    counter: CounterOption = "",
    quote: Annotated[
        str, typer.Option("--quote", help="The token of a quote to book.", show_default=False)
    ] = "",
    hold: Annotated[
        str, typer.Option("--hold", help="A reservation to take over.", show_default=False)
    ] = "",
    order_id: Annotated[
        str, typer.Option("--id", help="Its id; default: a new one.", show_default=False)
    ] = "",
    reference: Annotated[
        str, typer.Option("--reference", help="Your own words.", show_default=False)
    ] = "",
    dry_run: DryRunOption = False,
    request_id: RequestIdOption = "",
) -> None:
    """Take an order: it is routed, and its stock is claimed, in one step."""
    wanted = [item_of(item) for item in items]
    terms = terms_from(
        to=to,
        zip_code=zip_code,
        business=business,
        customer=customer,
        channel=channel,
        promise=promise,
        hard=hard,
        packages_max=packages_max,
        complete=complete,
        shortage=shortage,
        counter=counter,
        reference=reference,
    )
    order = ask(
        context,
        lambda client: client.place_order(
            wanted,
            terms,
            order_id=order_id,
            delivery_method=number_of(method),
            location_id=store,
            quote_token=quote,
            reservation_id=hold,
            validate_only=dry_run,
            request_id=request_id,
        ),
    )
    show(context, order, dry_run=dry_run)


def quote(
    context: typer.Context,
    items: Annotated[list[str], typer.Argument(metavar=ITEM_METAVAR, help=ITEM_HELP)],
    *,
    to: ToOption = "",
    zip_code: ZipToOption = "",
    business: BusinessOption = False,
    methods: Annotated[
        list[Method] | None,
        typer.Option("--method", help="A method to quote all items by; may be repeated."),
    ] = None,
    channel: ChannelOption = "",
    customer: CustomerOption = "",
    promise: PromiseOption = "",
    hard: HardOption = False,
    packages_max: PackagesOption = 0,
    complete: CompleteOption = False,
    hold_seconds: Annotated[
        float | None, typer.Option("--hold-seconds", help="Also hold the stock of the first one.")
    ] = None,
) -> None:
    """Say what could be promised: ways, dates, costs, and a token by which each is booked."""
    wanted = [item_of(item) for item in items]
    terms = terms_from(
        to=to,
        zip_code=zip_code,
        business=business,
        channel=channel,
        customer=customer,
        promise=promise,
        hard=hard,
        packages_max=packages_max,
        complete=complete,
    )
    answer = ask(
        context,
        lambda client: client.quote_order(
            wanted,
            terms,
            methods=[(number_of(method), "") for method in methods or ()],
            hold_seconds=hold_seconds,
        ),
    )
    show_quote(context, answer)
    if not answer.options:
        raise typer.Exit(ExitCode.REFUSED)


@app.command("show")
def show_order(context: typer.Context, order_id: OrderIdArgument) -> None:
    """Show one order with its work and its history."""
    order = ask(context, lambda client: client.get_order(order_id))
    show(context, order, with_history=True)


@app.command("list")
def list_orders(
    context: typer.Context,
    *,
    status: Annotated[
        OrderState | None, typer.Option("--status", help="Only of this status.")
    ] = None,
    customer: Annotated[str, typer.Option("--customer", help="Only of this customer.")] = "",
    location: Annotated[str, typer.Option("--location", help="Only with work here.")] = "",
    sku: Annotated[str, typer.Option("--sku", help="Only with this SKU.")] = "",
    since: Annotated[
        str,
        typer.Option("--since", help="Only those placed at this time or later.", metavar="TIME"),
    ] = "",
    before: Annotated[
        str, typer.Option("--before", help="Only those placed before this time.", metavar="TIME")
    ] = "",
    attention: Annotated[
        bool, typer.Option("--attention", help="Only those that somebody should look at.")
    ] = False,
    limit: LimitOption = LIMIT_DEFAULT,
) -> None:
    """List orders, oldest first."""
    from domgrpc.cli.answers import show_list
    from domgrpc.cli.plan_tables import ORDERS

    start_time = moment(since, "--since") if since else None
    end_time = moment(before, "--before") if before else None
    show_list(
        context,
        "orders",
        ORDERS,
        lambda client, token, size: client.list_orders(
            status=number_of(status),
            customer_id=customer,
            location_id=location,
            sku=sku,
            start_time=start_time,
            end_time=end_time,
            needs_attention=attention,
            page_token=token,
            page_size=size,
        ),
        limit=limit,
    )


@app.command("edit")
def edit_order(
    context: typer.Context,
    order_id: OrderIdArgument,
    quantities: Annotated[
        list[str] | None,
        typer.Argument(metavar="[LINE=QUANTITY]...", help="New quantities; 0 removes a line."),
    ] = None,
    *,
    add: Annotated[
        list[str] | None, typer.Option("--add", help="A new item; may be repeated.")
    ] = None,
    method: OrderMethodOption = None,
    to: ToOption = "",
    zip_code: ZipToOption = "",
    business: BusinessOption = False,
    etag: EtagOption = "",
    dry_run: DryRunOption = False,
    request_id: RequestIdOption = "",
) -> None:
    """Change quantities, items or the address; only what changes is planned again."""
    changed = quantities_of(quantities, least=0)
    added = [item_of(item) for item in add or ()]
    address = address_from(to, zip_code, business=business)
    if not (changed or added or address):
        raise typer.BadParameter("say what to change: LINE=QUANTITY, --add, or --zip or --to")

    async def edit(client: "DomgrpcClient") -> "tuple[Order, Order]":
        before = await client.get_order(order_id)
        return before, await client.edit_order(
            order_id,
            numbered(added, before.lines),
            quantities=changed,
            address=address,
            delivery_method=number_of(method),
            # A line that came meanwhile may have the number that is given to the new one.
            etag=etag or (before.etag if added else ""),
            validate_only=dry_run,
            request_id=request_id,
        )

    before, order = ask(context, edit)
    if order.etag == before.etag and not dry_run:
        sys.stderr.write("nothing is different: the order stays as it was\n")
    show(context, order, dry_run=dry_run)


@app.command("cancel")
def cancel_order(
    context: typer.Context,
    order_id: OrderIdArgument,
    quantities: Annotated[
        list[str] | None,
        typer.Argument(metavar="[LINE=QUANTITY]...", help="Units to cancel; default: all."),
    ] = None,
    *,
    reason: Annotated[str, typer.Option("--reason", help="Why.", show_default=False)] = "",
    etag: EtagOption = "",
    dry_run: DryRunOption = False,
    request_id: RequestIdOption = "",
) -> None:
    """Cancel units that nobody has begun to work on."""
    units = quantities_of(quantities, least=1)
    order = ask(
        context,
        lambda client: client.cancel_order(
            order_id,
            quantities=units,
            reason=reason,
            etag=etag,
            validate_only=dry_run,
            request_id=request_id,
        ),
    )
    if not units:
        sys.stderr.write(uncancelled_text(order))
    show(context, order, dry_run=dry_run)


@app.command("hold")
def hold_order(
    context: typer.Context,
    order_id: OrderIdArgument,
    kind: Annotated[WhyHeld, typer.Argument(help="Why its work is to wait.")],
    *,
    reason: Annotated[str, typer.Option("--reason", help="In words.", show_default=False)] = "",
    request_id: RequestIdOption = "",
) -> None:
    """Let the work of an order wait."""
    order = ask(
        context,
        lambda client: client.hold_order(
            order_id, number_of(kind), reason=reason, request_id=request_id
        ),
    )
    show(context, order)


@app.command("release")
def release_order(
    context: typer.Context,
    order_id: OrderIdArgument,
    kind: Annotated[WhyHeld, typer.Argument(help="Which hold to take off.")],
    *,
    request_id: RequestIdOption = "",
) -> None:
    """Take a hold of an order off."""
    order = ask(
        context,
        lambda client: client.release_order(order_id, number_of(kind), request_id=request_id),
    )
    show(context, order)


@app.command("advance")
def advance_work(
    context: typer.Context,
    work_id: Annotated[str, typer.Argument(metavar="WORK", help="Its id, as ORDER/NUMBER.")],
    state: Annotated[WorkState, typer.Argument(help="How far it is.")],
    *,
    request_id: RequestIdOption = "",
) -> None:
    """Say how far the work of a location is; cancelled gives it back."""
    order_id = work_id.rpartition("/")[0]
    if not order_id:
        raise typer.BadParameter(f"{work_id!r} is no ORDER/NUMBER: see `domgrpc order show`")
    order = ask(
        context,
        lambda client: client.advance_fulfillment_order(
            order_id, work_id, number_of(state), request_id=request_id
        ),
    )
    show(context, order)
