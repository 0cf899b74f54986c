"""`domgrpc reserve`, `confirm`, `release`, `settle`, and `domgrpc reservations`."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from domgrpc.cli.choices import HoldState, Outcome, number_of
from domgrpc.cli.options import (
    LIMIT_DEFAULT,
    RADIUS_KM_DEFAULT,
    ChannelOption,
    DryRunOption,
    EtagOption,
    GroupsOption,
    InStockOnlyOption,
    LimitOption,
    LocationsOption,
    MethodOption,
    NearOption,
    RadiusOption,
    RequestIdOption,
    ZipOption,
    deadline_of,
    scope_of,
)
from domgrpc.cli.parsing import line_of
from domgrpc.cli.session import ask, session_of

if TYPE_CHECKING:
    from domgrpc.v1.reservation_pb2 import Reservation

app = typer.Typer(no_args_is_help=True, help="See and change reservations.")

IdArgument = Annotated[str, typer.Argument(metavar="RESERVATION", help="The reservation's id.")]
LINE_METAVAR = "SKU[=QUANTITY][@LOCATION]..."
TtlOption = Annotated[
    str,
    typer.Option("--ttl", help="How long it holds, for example 90s, 15m or 2h.", metavar="TIME"),
]
UntilOption = Annotated[
    str, typer.Option("--until", help="Until when it holds.", metavar="TIME", show_default=False)
]


def reserve(
    context: typer.Context,
    lines: Annotated[
        list[str],
        typer.Argument(metavar=LINE_METAVAR, help="What to hold; without a location anywhere."),
    ],
    *,
    ttl: TtlOption = "",
    until: UntilOption = "",
    reservation_id: Annotated[
        str, typer.Option("--id", help="Its id; default: a new one.", show_default=False)
    ] = "",
    reference: Annotated[
        str, typer.Option("--reference", help="Your own words.", show_default=False)
    ] = "",
    near: NearOption = "",
    zip_code: ZipOption = "",
    radius_km: RadiusOption = RADIUS_KM_DEFAULT,
    groups: GroupsOption = None,
    locations: LocationsOption = None,
    location_count_max: Annotated[
        int, typer.Option("--split-max", help="The most locations to use; 0: any.", min=0)
    ] = 0,
    channel: ChannelOption = "",
    method: MethodOption = None,
    partial: Annotated[
        bool, typer.Option("--partial", help="Hold what there is of each line.")
    ] = False,
    in_stock_only: InStockOnlyOption = False,
    dry_run: DryRunOption = False,
    request_id: RequestIdOption = "",
) -> None:
    """Hold stock until a deadline.

    All lines or none, by default for 15 minutes.
    """
    wanted = [line_of(line) for line in lines]
    scope = scope_of(
        near=near, zip_code=zip_code, radius_km=radius_km, groups=groups, locations=locations
    )
    ttl_seconds, expire_time = deadline_of(ttl, until)
    reservation = ask(
        context,
        lambda client: client.reserve_stock(
            wanted,
            reservation_id=reservation_id,
            scope=scope,
            location_count_max=location_count_max,
            channel=channel,
            delivery_method=number_of(method),
            ttl_seconds=ttl_seconds,
            expire_time=expire_time,
            allow_partial=partial,
            in_stock_only=in_stock_only,
            reference=reference,
            validate_only=dry_run,
            request_id=request_id,
        ),
    )
    _show(context, reservation, dry_run=dry_run)


def confirm(
    context: typer.Context,
    reservation_id: IdArgument,
    *,
    revive: Annotated[
        bool, typer.Option("--revive", help="Also after its deadline, if all is still free.")
    ] = False,
    etag: EtagOption = "",
    request_id: RequestIdOption = "",
) -> None:
    """Make a hold a claim without a deadline."""
    reservation = ask(
        context,
        lambda client: client.confirm_reservation(
            reservation_id, revive_if_available=revive, etag=etag, request_id=request_id
        ),
    )
    _show(context, reservation)


def release(
    context: typer.Context,
    reservation_id: IdArgument,
    *,
    reason: Annotated[str, typer.Option("--reason", help="Why.", show_default=False)] = "",
    etag: EtagOption = "",
    request_id: RequestIdOption = "",
) -> None:
    """Give a hold back."""
    reservation = ask(
        context,
        lambda client: client.release_reservation(
            reservation_id, reason=reason, etag=etag, request_id=request_id
        ),
    )
    _show(context, reservation)


def settle(
    context: typer.Context,
    reservation_id: IdArgument,
    outcome: Annotated[Outcome, typer.Argument(help="What happened to the units.")],
    lines: Annotated[
        list[str] | None,
        typer.Argument(metavar=f"[{LINE_METAVAR}]", help="Which units; default: all."),
    ] = None,
    *,
    etag: EtagOption = "",
    request_id: RequestIdOption = "",
) -> None:
    """Say that confirmed units left or were cancelled."""
    settled = [line_of(line) for line in lines or ()]
    reservation = ask(
        context,
        lambda client: client.settle_reservation(
            reservation_id, number_of(outcome), lines=settled, etag=etag, request_id=request_id
        ),
    )
    _show(context, reservation)


@app.command("list")
def list_reservations(
    context: typer.Context,
    *,
    state: Annotated[HoldState | None, typer.Option("--state", help="Only in this state.")] = None,
    client_id: Annotated[str, typer.Option("--of", help="Only of this client.")] = "",
    sku: Annotated[str, typer.Option("--sku", help="Only with this SKU.")] = "",
    location: Annotated[str, typer.Option("--location", help="Only at this location.")] = "",
    limit: LimitOption = LIMIT_DEFAULT,
) -> None:
    """List reservations, oldest first."""
    from domgrpc.cli.answers import show_list
    from domgrpc.cli.columns import RESERVATIONS

    show_list(
        context,
        "reservations",
        RESERVATIONS,
        lambda client, token, size: client.list_reservations(
            state=number_of(state),
            client_id=client_id,
            sku=sku,
            location_id=location,
            page_token=token,
            page_size=size,
        ),
        limit=limit,
    )


@app.command("show")
def show_reservation(context: typer.Context, reservation_id: IdArgument) -> None:
    """Show one reservation with its lines."""
    _show(context, ask(context, lambda client: client.get_reservation(reservation_id)))


@app.command("update")
def update_reservation(
    context: typer.Context,
    reservation_id: IdArgument,
    lines: Annotated[
        list[str] | None,
        typer.Argument(metavar=f"[{LINE_METAVAR}]", help="New totals; 0 removes a line."),
    ] = None,
    *,
    ttl: TtlOption = "",
    until: UntilOption = "",
    near: NearOption = "",
    zip_code: ZipOption = "",
    radius_km: RadiusOption = RADIUS_KM_DEFAULT,
    groups: GroupsOption = None,
    locations: LocationsOption = None,
    in_stock_only: InStockOnlyOption = False,
    etag: EtagOption = "",
    dry_run: DryRunOption = False,
    request_id: RequestIdOption = "",
) -> None:
    """Change quantities and the deadline of a hold; lines that are not named stay."""
    changed = [line_of(line, least=0) for line in lines or ()]
    scope = scope_of(
        near=near, zip_code=zip_code, radius_km=radius_km, groups=groups, locations=locations
    )
    ttl_seconds, expire_time = deadline_of(ttl, until)
    reservation = ask(
        context,
        lambda client: client.update_reservation(
            reservation_id,
            changed,
            scope=scope,
            ttl_seconds=ttl_seconds,
            expire_time=expire_time,
            in_stock_only=in_stock_only,
            etag=etag,
            validate_only=dry_run,
            request_id=request_id,
        ),
    )
    _show(context, reservation, dry_run=dry_run)


@app.command("move")
def move_reservation(
    context: typer.Context,
    reservation_id: IdArgument,
    sku: Annotated[str, typer.Argument(metavar="SKU")],
    from_location: Annotated[str, typer.Argument(metavar="FROM", help="From which location.")],
    *,
    to: Annotated[
        str, typer.Option("--to", help="To which location; default: the service picks.")
    ] = "",
    quantity: Annotated[
        int, typer.Option("--quantity", help="How many units; 0: all of the line.", min=0)
    ] = 0,
    near: NearOption = "",
    zip_code: ZipOption = "",
    radius_km: RadiusOption = RADIUS_KM_DEFAULT,
    groups: GroupsOption = None,
    locations: LocationsOption = None,
    in_stock_only: InStockOnlyOption = False,
    etag: EtagOption = "",
    dry_run: DryRunOption = False,
    request_id: RequestIdOption = "",
) -> None:
    """Move units of a hold to another location in one step."""
    scope = scope_of(
        near=near, zip_code=zip_code, radius_km=radius_km, groups=groups, locations=locations
    )
    reservation = ask(
        context,
        lambda client: client.move_reservation(
            reservation_id,
            sku,
            from_location,
            to_location_id=to,
            quantity=quantity,
            scope=scope,
            in_stock_only=in_stock_only,
            etag=etag,
            validate_only=dry_run,
            request_id=request_id,
        ),
    )
    _show(context, reservation, dry_run=dry_run)


def _show(context: typer.Context, reservation: "Reservation", *, dry_run: bool = False) -> None:
    from domgrpc.cli.answers import DRY_RUN
    from domgrpc.cli.columns import RESERVATION_LINES, SHORT_LINES
    from domgrpc.cli.output import flat, plain, print_facts, print_json
    from domgrpc.cli.tables import print_table

    if session_of(context).as_json:
        print_json(plain(reservation))
        return
    if dry_run:
        sys.stdout.write(DRY_RUN)
    facts = dict(flat(reservation))
    print_facts(
        {name: fact for name, fact in facts.items() if name not in {"lines", "short_lines"}}
    )
    sys.stdout.write("\n")
    print_table(RESERVATION_LINES, reservation.lines)
    if reservation.short_lines:
        sys.stdout.write("\nnot held\n")
        print_table(SHORT_LINES, reservation.short_lines)
