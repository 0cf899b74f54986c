"""`domgrpc locations`: places that hold stock, and their groups."""

from typing import Annotated

import typer

from domgrpc.cli.choices import LocationKind, Method, number_of
from domgrpc.cli.options import LIMIT_DEFAULT, EtagOption, LimitOption, RequestIdOption
from domgrpc.cli.parsing import degrees, moment
from domgrpc.cli.session import ask

app = typer.Typer(no_args_is_help=True, help="Places that hold stock, and groups of them.")
groups = typer.Typer(no_args_is_help=True, help="Named groups of locations.")
app.add_typer(groups, name="groups")

IdArgument = Annotated[str, typer.Argument(metavar="LOCATION", help="The location's id.")]
GroupArgument = Annotated[str, typer.Argument(metavar="GROUP", help="The group's id.")]
NameOption = Annotated[str, typer.Option("--name", help="A name for people.", show_default=False)]
KindOption = Annotated[
    LocationKind | None, typer.Option("--type", help="Only locations of this type.")
]


@app.command("list")
def list_locations(
    context: typer.Context,
    *,
    kind: KindOption = None,
    group: Annotated[str, typer.Option("--group", help="Only members of this group.")] = "",
    limit: LimitOption = LIMIT_DEFAULT,
) -> None:
    """List locations in order of their id."""
    from domgrpc.cli.answers import show_list
    from domgrpc.cli.columns import LOCATIONS

    show_list(
        context,
        "locations",
        LOCATIONS,
        lambda client, token, size: client.list_locations(
            location_type=number_of(kind), group_id=group, page_token=token, page_size=size
        ),
        limit=limit,
    )


@app.command("show")
def show_location(context: typer.Context, location_id: IdArgument) -> None:
    """Show one location."""
    from domgrpc.cli.answers import show_message

    show_message(context, ask(context, lambda client: client.get_location(location_id)))


@app.command("create")
def create_location(
    context: typer.Context,
    location_id: IdArgument,
    *,
    kind: Annotated[LocationKind, typer.Option("--type", help="What it is.")],
    name: NameOption = "",
    at: Annotated[
        str, typer.Option("--at", metavar="LAT,LON", help="Where it is.", show_default=False)
    ] = "",
    methods: Annotated[
        list[Method] | None,
        typer.Option("--method", help="What it can do; may be repeated. Default: by its type."),
    ] = None,
    backorder: Annotated[
        bool, typer.Option("--backorder", help="May be sold beyond the stock by policy.")
    ] = False,
    request_id: RequestIdOption = "",
) -> None:
    """Add a location."""
    from domgrpc.cli.answers import show_message
    from domgrpc.v1.location_pb2 import Location

    location = Location(
        location_id=location_id,
        display_name=name,
        type=number_of(kind),
        delivery_methods=[number_of(method) for method in methods or ()],
        backorder_enabled=backorder,
    )
    if at:
        location.point.latitude_degrees, location.point.longitude_degrees = degrees(at, "--at")
    made = ask(context, lambda client: client.create_location(location, request_id=request_id))
    show_message(context, made)


@app.command("disable")
def disable_location(
    context: typer.Context,
    location_id: IdArgument,
    *,
    reason: Annotated[str, typer.Option("--reason", help="Why.", show_default=False)] = "",
    start: Annotated[
        str, typer.Option("--from", help="From when on; default: now.", metavar="TIME")
    ] = "",
    end: Annotated[
        str, typer.Option("--until", help="Until when; default: until enabled.", metavar="TIME")
    ] = "",
    etag: EtagOption = "",
    request_id: RequestIdOption = "",
) -> None:
    """Take a location out of use, now or for a window; its stock stays where it is."""
    from domgrpc.cli.answers import show_message

    start_time = moment(start, "--from") if start else None
    end_time = moment(end, "--until") if end else None
    location = ask(
        context,
        lambda client: client.disable_location(
            location_id,
            reason=reason,
            start_time=start_time,
            end_time=end_time,
            etag=etag,
            request_id=request_id,
        ),
    )
    show_message(context, location)


@app.command("enable")
def enable_location(
    context: typer.Context,
    location_id: IdArgument,
    *,
    etag: EtagOption = "",
    request_id: RequestIdOption = "",
) -> None:
    """Let a location be used again."""
    from domgrpc.cli.answers import show_message

    location = ask(
        context,
        lambda client: client.enable_location(location_id, etag=etag, request_id=request_id),
    )
    show_message(context, location)


@groups.command("list")
def list_groups(context: typer.Context, *, limit: LimitOption = LIMIT_DEFAULT) -> None:
    """List groups in order of their id."""
    from domgrpc.cli.answers import show_list
    from domgrpc.cli.columns import GROUPS

    show_list(
        context,
        "groups",
        GROUPS,
        lambda client, token, size: client.list_location_groups(page_token=token, page_size=size),
        limit=limit,
    )


@groups.command("show")
def show_group(context: typer.Context, group_id: GroupArgument) -> None:
    """Show one group with its members."""
    from domgrpc.cli.answers import show_message

    show_message(context, ask(context, lambda client: client.get_location_group(group_id)))


@groups.command("set")
def set_group(
    context: typer.Context,
    group_id: GroupArgument,
    members: Annotated[
        list[str] | None, typer.Argument(metavar="[LOCATION]...", help="All its members.")
    ] = None,
    *,
    name: NameOption = "",
    etag: EtagOption = "",
    request_id: RequestIdOption = "",
) -> None:
    """Make a group of these locations, or give a group these members."""
    from domgrpc.cli.answers import show_message
    from domgrpc.v1.location_pb2 import LocationGroup

    group = LocationGroup(group_id=group_id, display_name=name, location_ids=members or ())
    mask = ("location_ids", "display_name") if name else ("location_ids",)
    saved = ask(
        context,
        lambda client: client.update_location_group(
            group, update_mask=mask, allow_missing=True, etag=etag, request_id=request_id
        ),
    )
    show_message(context, saved)


@groups.command("delete")
def delete_group(
    context: typer.Context,
    group_id: GroupArgument,
    *,
    etag: EtagOption = "",
    request_id: RequestIdOption = "",
) -> None:
    """Remove a group; its locations stay."""
    from domgrpc.cli.answers import show_message

    gone = ask(
        context,
        lambda client: client.delete_location_group(group_id, etag=etag, request_id=request_id),
    )
    show_message(context, gone)
