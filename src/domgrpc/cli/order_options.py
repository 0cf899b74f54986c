"""What commands about orders and plans take: items, an address, and the terms of an order."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from domgrpc.cli.choices import Method, Shortage, number_of
from domgrpc.cli.parsing import degrees, moment_or_span, price_micros, whole
from domgrpc.cli.spelling import meant

if TYPE_CHECKING:
    from domgrpc.client import Item, Terms
    from domgrpc.v1.order_pb2 import Address, OrderLine

ITEM_METAVAR = "SKU[=QUANTITY[*PRICE]][@STORE][:METHOD]..."
ITEM_HELP = (
    "What is ordered. By --method, or by a method of its own, for example SHOE=2@chicago:pickup; "
    "what a unit is sold for, which rules may look at, as SHOE=2*19.99."
)

OrderIdArgument = Annotated[str, typer.Argument(metavar="ORDER", help="The order's id.")]
ToOption = Annotated[
    str,
    typer.Option("--to", help="Where the customer is.", metavar="LAT,LON", show_default=False),
]
ZipToOption = Annotated[
    str,
    typer.Option("--zip", help="Or the customer's US ZIP code.", show_default=False),
]
BusinessOption = Annotated[
    bool, typer.Option("--business", help="The customer is there at a business, not at home.")
]
CustomerOption = Annotated[
    str, typer.Option("--customer", help="Whose order it is.", show_default=False)
]
PromiseOption = Annotated[
    str,
    typer.Option(
        "--promise",
        help="By when it should arrive: a time, or from now on as 2d or 36h.",
        metavar="TIME",
        show_default=False,
    ),
]
HardOption = Annotated[bool, typer.Option("--hard", help="Use nobody who would be late.")]
PackagesOption = Annotated[
    int,
    typer.Option("--packages-max", help="The most that travel the same way; 0: any.", min=0),
]
CompleteOption = Annotated[bool, typer.Option("--complete", help="All of it, or nothing.")]
ShortageOption = Annotated[
    Shortage | None, typer.Option("--shortage", help="What becomes of what nobody can fill.")
]
CounterOption = Annotated[
    str, typer.Option("--counter", help="The store at whose counter it is placed.")
]
OrderMethodOption = Annotated[
    Method | None,
    typer.Option("--method", help="How items travel that say nothing; default ship-to-home."),
]


def item_of(text: str) -> "Item":
    """Read SKU, and behind it =QUANTITY*PRICE, @STORE and :METHOD, each of them or none.

    The last `:` counts where a method stands behind it, then the last `@`, then the last `=`.
    """
    from domgrpc.client import Item

    rest, colon, word = text.rpartition(":")
    words = [method.value for method in Method]
    if not colon or word not in words:
        _refuse_misspelt(text, word if colon else "", words)
        rest, word = text, ""
    item, at, store = rest.rpartition("@")
    if not at:
        item, store = rest, ""
    sku, equals, number = item.rpartition("=")
    number, star, price = number.partition("*")
    quantity = whole(number, f"the quantity of {sku}", 1) if equals else 1
    method = Method(word) if word else None
    micros = price_micros(price, f"the price of {sku}") if star and equals else 0
    return Item(sku if equals else item, quantity, number_of(method), store, micros)


def numbered(items: Sequence["Item"], lines: Iterable["OrderLine"]) -> "list[Item]":
    """Return new items of an order with line ids that none of its lines has: the next numbers."""
    taken = {int(line.line_id) for line in lines if line.line_id.isdecimal()}
    first = max(taken, default=0) + 1
    return [item._replace(line_id=str(number)) for number, item in enumerate(items, first)]


def _refuse_misspelt(text: str, word: str, methods: list[str]) -> None:
    hint = meant(word, methods)
    if hint:
        raise typer.BadParameter(f"{text!r}: {word!r} is no method{hint}")


def address_from(to: str, zip_code: str, *, business: bool) -> "Address | None":
    """Return the address that --to or --zip names, None for neither."""
    from domgrpc.client import address_of

    if to and zip_code:
        raise typer.BadParameter("--to and --zip exclude each other: give one")
    if to:
        latitude, longitude = degrees(to, "--to")
        return address_of(
            latitude_degrees=latitude, longitude_degrees=longitude, is_commercial=business
        )
    if business and not zip_code:
        raise typer.BadParameter("--business says what --to or --zip is: give one of them too")
    return address_of(zip_code, is_commercial=business) if zip_code else None


def terms_from(
    *,
    to: str = "",
    zip_code: str = "",
    business: bool = False,
    customer: str = "",
    channel: str = "",
    promise: str = "",
    hard: bool = False,
    packages_max: int = 0,
    complete: bool = False,
    shortage: Shortage | None = None,
    counter: str = "",
    reference: str = "",
) -> "Terms":
    """Return the terms that options name."""
    from domgrpc.client import Terms

    return Terms(
        channel=channel,
        customer_id=customer,
        address=address_from(to, zip_code, business=business),
        promise_time=moment_or_span(promise, "--promise") if promise else None,
        promise_is_hard=hard,
        package_count_max=packages_max,
        ship_complete=complete,
        shortage_policy=number_of(shortage),
        placed_at_location_id=counter,
        reference=reference,
    )


def quantities_of(lines: list[str] | None, *, least: int) -> dict[str, int]:
    """Read LINE=QUANTITY, each once."""
    found: dict[str, int] = {}
    for text in lines or ():
        name, equals, number = text.rpartition("=")
        if not equals:
            raise typer.BadParameter(f"{text!r} is no LINE=QUANTITY: write for example 1=2")
        found[name] = whole(number, f"the quantity of line {name}", least)
    return found
