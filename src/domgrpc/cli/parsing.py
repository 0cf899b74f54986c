"""How what people type becomes values: times, durations, places, lines.

Each function refuses with BadParameter, whose message names the option that it is given.
"""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Final

import typer

if TYPE_CHECKING:
    from domgrpc.client import Line

_UNIT_SECONDS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?)(s|m|h|d)?").fullmatch
_ADDRESS: Final = re.compile(r"(?:[^\s:/\[\]]+|\[[0-9A-Fa-f:.%]+\]):([0-9]{1,5})").fullmatch
_MICROS: Final = 1_000_000
_PORT_MAX: Final = 65_535
_ZIP_CODE: Final = re.compile("[0-9]{5}").fullmatch


def address(text: str, option: str) -> str:
    """Check that an address is host:port."""
    match = _ADDRESS(text)
    if match is None or not 1 <= int(match[1]) <= _PORT_MAX:
        raise typer.BadParameter(
            f"{option} is {text!r}: write host:port, for example 127.0.0.1:50051, "
            f"with a port of 1 to {_PORT_MAX}"
        )
    return text


def duration_seconds(text: str, option: str) -> float:
    """Read a duration: 90, 90s, 15m, 2h or 30d."""
    match = _DURATION(text)
    if match is None:
        raise typer.BadParameter(
            f"{option} {text!r} is no duration: write for example 90s, 15m, 2h or 30d"
        )
    seconds = float(match[1]) * _UNIT_SECONDS[match[2] or "s"]
    return int(seconds) if seconds.is_integer() else seconds


def moment(text: str, option: str) -> datetime:
    """Read a time in ISO 8601; without a zone it is UTC."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(
            f"{option} {text!r} is no time: write for example 2030-01-31 or 2030-01-31T18:00:00Z"
        ) from None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def moment_or_span(text: str, option: str) -> datetime:
    """Read a time in ISO 8601, or how far from now it is: 36h or 2d."""
    if _DURATION(text) and text[-1].isalpha():
        return datetime.now(UTC) + timedelta(seconds=duration_seconds(text, option))
    return moment(text, option)


def price_micros(text: str, what: str) -> int:
    """Read an amount of money in units of the currency, as 19.99."""
    try:
        amount = Decimal(text) * _MICROS
    except InvalidOperation:
        amount = Decimal(-1)
    if amount != amount.to_integral_value() or amount < 0:
        raise typer.BadParameter(f"{what} is {text!r}: write an amount of money, as 19.99")
    return int(amount)


def degrees(text: str, option: str) -> tuple[float, float]:
    """Read a place as latitude,longitude."""
    try:
        latitude, longitude = (float(part) for part in text.split(","))
    except ValueError:
        raise typer.BadParameter(
            f"{option} {text!r} is no place: write latitude,longitude, for example 36.36,-94.22"
        ) from None
    return latitude, longitude


def zip_degrees(text: str, option: str = "--zip") -> tuple[float, float]:
    """Return the place of a US ZIP code of five digits."""
    import zipcodes

    # The library cuts longer texts down to five digits, and panics at some letters.
    found = []
    if _ZIP_CODE(text):
        found = zipcodes.matching(text)  # type: ignore[no-untyped-call] # ships no types
    if not found:
        raise typer.BadParameter(
            f"{option} {text!r} is no known US ZIP code: write five digits, for example 72712"
        )
    latitude, longitude = float(found[0]["lat"]), float(found[0]["long"])
    if not latitude:
        raise typer.BadParameter(
            f"{option} {text!r} is of the armed forces abroad and has no place: use --near"
        )
    return latitude, longitude


def line_of(text: str, *, least: int = 1) -> "Line":
    """Read SKU, SKU=QUANTITY, SKU@LOCATION or SKU=QUANTITY@LOCATION; the quantity is 1 if not said.

    The last `@` and the last `=` before it count, so that SKUs may contain them.
    """
    from domgrpc.client import Line

    item, at, location_id = text.rpartition("@")
    if not at:
        item, location_id = text, ""
    sku, equals, number = item.rpartition("=")
    if not equals:
        return Line(item, 1, location_id)
    return Line(sku, whole(number, f"the quantity of {sku}", least), location_id)


def wanted_of(text: str) -> tuple[str, int]:
    """Read SKU or SKU=QUANTITY; 0 where no quantity is said."""
    sku, equals, number = text.rpartition("=")
    return (sku, whole(number, f"the quantity of {sku}", 1)) if equals else (text, 0)


def whole(text: str, what: str, least: int | None = None) -> int:
    """Read a whole number, of `least` or more."""
    try:
        number = int(text)
    except ValueError:
        raise typer.BadParameter(f"{what} is {text!r}: write a whole number") from None
    if least is not None and number < least:
        raise typer.BadParameter(f"{what} is {text!r}: write a whole number from {least} on")
    return number
