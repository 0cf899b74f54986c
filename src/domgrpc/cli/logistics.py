"""`domgrpc logistics`: rate cards, lanes and calendars; `domgrpc load` brings them in."""

from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from domgrpc.cli.choices import LocationKind, number_of
from domgrpc.cli.options import LIMIT_DEFAULT, EtagOption, LimitOption, RequestIdOption
from domgrpc.cli.session import ask, session_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from google.protobuf.message import Message

_Kind = TypeVar("_Kind", bound="Message")

app = typer.Typer(
    no_args_is_help=True, help="What it costs and how long it takes to reach a customer."
)
cards = typer.Typer(no_args_is_help=True, help="Rate cards: what carriers' services ask.")
lanes = typer.Typer(no_args_is_help=True, help="Lanes: how long carriers' services take.")
calendars = typer.Typer(no_args_is_help=True, help="Calendars: when locations work.")
app.add_typer(cards, name="rate-cards")
app.add_typer(lanes, name="lanes")
app.add_typer(calendars, name="calendars")

ServiceArgument = Annotated[str, typer.Argument(metavar="SERVICE", help="The carrier's service.")]
LocationArgument = Annotated[
    str, typer.Argument(metavar="[LOCATION]", help="Of this location.", show_default=False)
]
KindOption = Annotated[
    LocationKind | None, typer.Option("--type", help="Of the locations of a type instead.")
]


@cards.command("list")
def list_rate_cards(context: typer.Context, *, limit: LimitOption = LIMIT_DEFAULT) -> None:
    """List rate cards in order of their service."""
    from domgrpc.cli.answers import show_list
    from domgrpc.cli.columns import RATE_CARDS

    show_list(
        context,
        "rate_cards",
        RATE_CARDS,
        lambda client, token, size: client.list_rate_cards(page_token=token, page_size=size),
        limit=limit,
    )


@cards.command("show")
def show_rate_card(context: typer.Context, service: ServiceArgument) -> None:
    """Show one rate card with its prices."""
    from domgrpc.cli.logistics_words import print_card

    card = ask(context, lambda client: client.get_rate_card(service))
    _show(context, card, print_card)


@cards.command("delete")
def delete_rate_card(
    context: typer.Context,
    service: ServiceArgument,
    *,
    etag: EtagOption = "",
    request_id: RequestIdOption = "",
) -> None:
    """Remove a rate card."""
    from domgrpc.cli.answers import show_message

    gone = ask(
        context,
        lambda client: client.delete_rate_card(service, etag=etag, request_id=request_id),
    )
    show_message(context, gone)


@lanes.command("list")
def list_lanes(context: typer.Context, *, limit: LimitOption = LIMIT_DEFAULT) -> None:
    """List lanes in order of their service."""
    from domgrpc.cli.answers import show_list
    from domgrpc.cli.columns import LANES

    show_list(
        context,
        "lanes",
        LANES,
        lambda client, token, size: client.list_lanes(page_token=token, page_size=size),
        limit=limit,
    )


@lanes.command("show")
def show_lane(context: typer.Context, service: ServiceArgument) -> None:
    """Show one lane."""
    from domgrpc.cli.logistics_words import print_lane

    lane = ask(context, lambda client: client.get_lane(service))
    _show(context, lane, print_lane)


@lanes.command("delete")
def delete_lane(
    context: typer.Context,
    service: ServiceArgument,
    *,
    etag: EtagOption = "",
    request_id: RequestIdOption = "",
) -> None:
    """Remove a lane; the usual transit days hold again."""
    from domgrpc.cli.answers import show_message

    gone = ask(
        context, lambda client: client.delete_lane(service, etag=etag, request_id=request_id)
    )
    show_message(context, gone)


@calendars.command("list")
def list_calendars(context: typer.Context, *, limit: LimitOption = LIMIT_DEFAULT) -> None:
    """List calendars: those of types, then those of locations by id."""
    from domgrpc.cli.answers import show_list
    from domgrpc.cli.columns import CALENDARS

    show_list(
        context,
        "calendars",
        CALENDARS,
        lambda client, token, size: client.list_location_calendars(
            page_token=token, page_size=size
        ),
        limit=limit,
    )


@calendars.command("show")
def show_calendar(
    context: typer.Context, location: LocationArgument = "", *, kind: KindOption = None
) -> None:
    """Show the calendar that was saved for a location, or for a type of locations."""
    from domgrpc.cli.logistics_words import print_calendar

    _check_owner(location, kind)
    calendar = ask(
        context,
        lambda client: client.get_location_calendar(location, location_type=number_of(kind)),
    )
    _show(context, calendar, print_calendar)


@calendars.command("delete")
def delete_calendar(
    context: typer.Context,
    location: LocationArgument = "",
    *,
    kind: KindOption = None,
    etag: EtagOption = "",
    request_id: RequestIdOption = "",
) -> None:
    """Remove a calendar; that of the type, or the usual one, holds again."""
    from domgrpc.cli.answers import show_message

    _check_owner(location, kind)
    gone = ask(
        context,
        lambda client: client.delete_location_calendar(
            location, location_type=number_of(kind), etag=etag, request_id=request_id
        ),
    )
    show_message(context, gone)


def _show(context: typer.Context, message: _Kind, print_words: "Callable[[_Kind], None]") -> None:
    from domgrpc.cli.output import plain, print_json

    if session_of(context).as_json:
        print_json(plain(message))
    else:
        print_words(message)


def _check_owner(location: str, kind: LocationKind | None) -> None:
    if bool(location) == (kind is not None):
        raise typer.BadParameter("say whose calendar: a LOCATION, or --type")
