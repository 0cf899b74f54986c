"""`domgrpc available`: what can be fulfilled, sold and promised."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from domgrpc.cli.choices import number_of
from domgrpc.cli.options import (
    RADIUS_KM_DEFAULT,
    ChannelOption,
    GroupsOption,
    LocationsOption,
    MethodOption,
    NearOption,
    RadiusOption,
    ZipOption,
    scope_of,
)
from domgrpc.cli.parsing import wanted_of
from domgrpc.cli.session import ask, session_of

if TYPE_CHECKING:
    from domgrpc.v1.inventory_pb2 import CheckAvailabilityResponse, SkuAvailability


def available(
    context: typer.Context,
    items: Annotated[
        list[str], typer.Argument(metavar="SKU[=QUANTITY]...", help="What is wanted.")
    ],
    *,
    near: NearOption = "",
    zip_code: ZipOption = "",
    radius_km: RadiusOption = RADIUS_KM_DEFAULT,
    groups: GroupsOption = None,
    locations: LocationsOption = None,
    channel: ChannelOption = "",
    method: MethodOption = None,
    by_location: Annotated[
        bool, typer.Option("--by-location", help="Show each location; nearest first.")
    ] = False,
    parts: Annotated[
        bool, typer.Option("--parts", help="Show what each figure is made of.")
    ] = False,
    days: Annotated[
        int, typer.Option("--days", help="Show what can be promised for so many days.", min=0)
    ] = 0,
) -> None:
    """Say what is available.

    Everywhere, or in the scope that the options name; near a place it shows each location. With
    SKU=QUANTITY it also says whether so many can be sold.
    """
    from domgrpc.cli.output import plain, print_json

    wanted = dict(wanted_of(item) for item in items)
    scope = scope_of(
        near=near, zip_code=zip_code, radius_km=radius_km, groups=groups, locations=locations
    )
    answer = ask(
        context,
        lambda client: client.check_availability(
            wanted,
            scope=scope,
            channel=channel,
            delivery_method=number_of(method),
            include_locations=by_location or parts or bool(near or zip_code),
            include_parts=parts,
            horizon_days=days,
        ),
    )
    if session_of(context).as_json:
        print_json(plain(answer))
    else:
        _print_tables(answer, wanted)


def _print_tables(answer: "CheckAvailabilityResponse", wanted: dict[str, int]) -> None:
    from domgrpc.cli.columns import AVAILABILITY
    from domgrpc.cli.tables import Column, print_table

    columns: tuple[Column, ...] = AVAILABILITY
    if any(wanted.values()):
        columns = (
            *AVAILABILITY,
            Column("wanted", lambda row: wanted[row.sku] or "", is_number=True),
            Column("enough", lambda row: _enough(row, wanted)),
        )
    print_table(columns, answer.items)
    for item in answer.items:
        if item.locations:
            _print_locations(item)
        if item.available_to_promise:
            _print_promises(item)


def _enough(row: "SkuAvailability", wanted: dict[str, int]) -> str:
    if not wanted[row.sku]:
        return ""
    return "yes" if row.sufficient else "no"


def _print_locations(item: "SkuAvailability") -> None:
    from domgrpc.cli.columns import AVAILABLE_LOCATIONS, AVAILABLE_PARTS
    from domgrpc.cli.tables import print_table

    has_distance = any(place.distance_km for place in item.locations)
    columns = [column for column in AVAILABLE_LOCATIONS if has_distance or column.heading != "km"]
    if any(place.HasField("parts") for place in item.locations):
        columns.extend(AVAILABLE_PARTS)
    sys.stdout.write(f"\n{item.sku} by location\n")
    print_table(columns, item.locations)


def _print_promises(item: "SkuAvailability") -> None:
    from domgrpc.cli.columns import PROMISES
    from domgrpc.cli.tables import print_table

    sys.stdout.write(f"\n{item.sku} to promise\n")
    print_table(PROMISES, item.available_to_promise)
