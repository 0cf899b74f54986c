"""What people type, and what it means."""

from datetime import UTC, datetime

import pytest
import typer

from domgrpc.cli.parsing import (
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
    assert duration_seconds(text) == seconds


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
    assert moment("2030-01-31T18:00") == datetime(2030, 1, 31, 18, tzinfo=UTC)
    assert moment("2030-01-31T18:00:00+01:00") == datetime(2030, 1, 31, 17, tzinfo=UTC)


@pytest.mark.slow
def test_a_zip_code_has_a_place() -> None:
    latitude, longitude = zip_degrees("72712")
    assert (round(latitude), round(longitude)) == (36, -94)
    for text in ("00000", "nowhere"):
        with pytest.raises(typer.BadParameter):
            zip_degrees(text)


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (duration_seconds, "soon"),
        (duration_seconds, "-5s"),
        (moment, "tomorrow"),
        (degrees, "36.4"),
        (degrees, "north,west"),
        (line_of, "kettle=two"),
        (wanted_of, "kettle=two"),
    ],
)
def test_what_cannot_be_read_is_refused_with_an_example(read: object, text: str) -> None:
    assert callable(read)
    with pytest.raises(typer.BadParameter):
        read(text)
