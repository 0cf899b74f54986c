"""What people type, and what it means."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
import typer

from domgrpc.cli.parsing import (
    address,
    degrees,
    duration_seconds,
    line_of,
    moment,
    wanted_of,
    zip_degrees,
)
from domgrpc.client import Line


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("90s", 90), ("15m", 900), ("1.5h", 5400), ("30d", 2_592_000)]
)
def test_a_duration_has_a_unit_or_is_seconds(text: str, seconds: int) -> None:
    assert duration_seconds(text, "--ttl") == seconds


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("kettle", Line("kettle", 1)),
        ("kettle=2", Line("kettle", 2)),
        ("kettle@store-1", Line("kettle", 1, "store-1")),
        ("kettle=2@store-1", Line("kettle", 2, "store-1")),
        ("a@b=2@c", Line("a@b", 2, "c")),
        ("a=b=2@c", Line("a=b", 2, "c")),
    ],
)
def test_a_line_is_a_sku_a_quantity_and_a_location(text: str, line: Line) -> None:
    assert line_of(text) == line


def test_a_wanted_sku_may_have_a_quantity() -> None:
    assert wanted_of("kettle") == ("kettle", 0)
    assert wanted_of("kettle=3") == ("kettle", 3)


def test_a_time_without_a_zone_is_utc() -> None:
    assert moment("2030-01-31T18:00", "--at") == datetime(2030, 1, 31, 18, tzinfo=UTC)
    assert moment("2030-01-31T18:00:00+01:00", "--at") == datetime(2030, 1, 31, 17, tzinfo=UTC)


@pytest.mark.slow
def test_a_zip_code_has_a_place() -> None:
    latitude, longitude = zip_degrees("72712")
    assert (round(latitude), round(longitude)) == (36, -94)


@pytest.mark.slow
@pytest.mark.parametrize(
    "text",
    [
        "00000",
        "nowhere",
        "606140",
        "60614-1234",
        " 60614",
        "6061",
        "\u0666\u0660\u0666\u0661\u0664",
    ],
)
def test_a_zip_code_has_five_digits_and_is_known(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="write five digits, for example 72712"):
        zip_degrees(text)


@pytest.mark.slow
def test_a_zip_code_of_the_forces_abroad_has_no_place() -> None:
    with pytest.raises(typer.BadParameter, match="has no place"):
        zip_degrees("09000")


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (duration_seconds, "soon"),
        (duration_seconds, "-5s"),
        (moment, "tomorrow"),
        (degrees, "36.4"),
        (degrees, "north,west"),
        (address, ""),
        (address, "localhost"),
        (address, ":50051"),
        (address, "localhost:0"),
        (address, "localhost:99999"),
        (address, "http://localhost:50051"),
        (address, "::1:50051"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_option_and_an_example(
    read: Callable[[str, str], object], text: str
) -> None:
    with pytest.raises(typer.BadParameter, match=r"--option .* example"):
        read(text, "--option")


@pytest.mark.parametrize("text", ["localhost:1", "10.0.0.7:50051", "[::1]:65535"])
def test_an_address_is_a_host_and_a_port(text: str) -> None:
    assert address(text, "--server") == text


@pytest.mark.parametrize("read", [line_of, wanted_of])
def test_a_quantity_is_a_whole_number(read: Callable[[str], object]) -> None:
    with pytest.raises(typer.BadParameter, match="the quantity of kettle is 'two'"):
        read("kettle=two")
