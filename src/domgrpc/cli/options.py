"""Options that several commands share, each with its help in one place."""

from typing import TYPE_CHECKING, Annotated

import typer

from domgrpc.cli.choices import Method
from domgrpc.cli.parsing import degrees, duration_seconds, moment, zip_degrees

if TYPE_CHECKING:
    from datetime import datetime

    from domgrpc.v1.types_pb2 import Scope

RADIUS_KM_DEFAULT = 100.0
LIMIT_DEFAULT = 1_000

RequestIdOption = Annotated[
    str,
    typer.Option(
        "--request-id",
        help="Retry key: the same id and content again gives the first answer.",
        show_default=False,
    ),
]
EtagOption = Annotated[
    str,
    typer.Option("--etag", help="Only if it still has this etag.", show_default=False),
]
DryRunOption = Annotated[
    bool, typer.Option("--dry-run", help="Give the full answer and change nothing.")
]
LimitOption = Annotated[
    int, typer.Option("--limit", help="The most to show; 0 for all.", min=0, metavar="N")
]
ChannelOption = Annotated[
    str,
    typer.Option("--channel", help="Channel of the demand, for the rules.", show_default=False),
]
MethodOption = Annotated[
    Method | None, typer.Option("--method", help="How the goods reach the customer.")
]
NearOption = Annotated[
    str,
    typer.Option("--near", help="Near this place.", metavar="LAT,LON", show_default=False),
]
ZipOption = Annotated[
    str,
    typer.Option("--zip", help="Near this US ZIP code of five digits.", show_default=False),
]
RadiusOption = Annotated[
    float, typer.Option("--radius-km", help="How far from --near or --zip.", metavar="KM")
]
GroupsOption = Annotated[
    list[str] | None, typer.Option("--group", help="Only this group; may be repeated.")
]
LocationsOption = Annotated[
    list[str] | None, typer.Option("--location", help="Only this location; may be repeated.")
]
InStockOnlyOption = Annotated[bool, typer.Option("--in-stock-only", help="Never beyond the stock.")]


def deadline_of(ttl: str, until: str) -> "tuple[float | None, datetime | None]":
    """Return for how long or until when a hold is to last; both are None where neither is said."""
    if ttl and until:
        raise typer.BadParameter("--ttl and --until exclude each other: give one")
    return (
        duration_seconds(ttl, "--ttl") if ttl else None,
        moment(until, "--until") if until else None,
    )


def scope_of(
    *,
    near: str,
    zip_code: str,
    radius_km: float,
    groups: list[str] | None,
    locations: list[str] | None,
) -> "Scope | None":
    """Return the scope that the options name, None for all locations; only one may be named."""
    from domgrpc import client

    named = [
        name
        for name, value in (
            ("--near", near),
            ("--zip", zip_code),
            ("--group", groups),
            ("--location", locations),
        )
        if value
    ]
    if len(named) > 1:
        raise typer.BadParameter(f"{' and '.join(named)} exclude each other: give one")
    if groups:
        return client.in_groups(groups)
    if locations:
        return client.at_locations(locations)
    if not named:
        return None
    latitude, longitude = degrees(near, "--near") if near else zip_degrees(zip_code)
    return client.near(latitude, longitude, radius_km=radius_km)
