"""Rate cards, lanes and calendars: loaded from files, listed, shown and removed."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from domgrpc.cli.columns import clock as clock_text
from domgrpc.cli.exits import ExitCode
from domgrpc.cli.loading.cells import BadCell
from domgrpc.cli.loading.logistics_rows import calendar_of, fill_card, lane_of, step_of
from domgrpc.cli.loading.times import clock, hours, per_cent, price, weekdays
from domgrpc.v1.logistics_pb2 import RateCard
from tests.cli.running import Program
from tests.tidy.project_files import ROOT

EXAMPLES = ROOT / "examples"


def rejected(path: Path) -> list[tuple[str, str]]:
    """Return line and reason of the rows of a rejects file."""
    with path.with_name(path.name + ".rejects.csv").open(newline="") as file:
        return [(row["line"], row["reason"]) for row in csv.DictReader(file)]


def load(program: Program, path: Path, text: str) -> tuple[int, int]:
    """Load a file that is not right as a whole; return how many rows went in and did not."""
    path.write_text(text)
    ended = program.run("-o", "json", "load", path)
    assert ended.exit_code == ExitCode.REJECTED_ROWS
    return ended.json["applied"], ended.json["rejected"]


# --- the examples


def test_the_examples_are_loaded(program: Program) -> None:
    program.done("load", EXAMPLES / "locations.csv")
    for name, kind, rows in (
        ("rate_cards", "rate-cards", 17),
        ("lanes", "lanes", 2),
        ("calendars", "calendars", 2),
    ):
        report = program.read("load", EXAMPLES / f"{name}.csv")
        assert (report["kind"], report["applied"], report["rejected"]) == (kind, rows, 0)
    card = program.read("logistics", "rate-cards", "show", "ground")
    assert [rate["package_micros"] for rate in card["zone_rates"]][::7] == [4_100_000, 7_100_000]
    assert [step["grams_max"] for step in card["zone_rates"][4]["weight_steps"]] == [1_000, 20_000]
    assert card["zone_rates"][4]["kilogram_micros"] == 800_000
    assert [(each["name"], each["basis_points"]) for each in card["surcharges"]] == [
        ("fuel", 1_250),
        ("homes", 0),
    ]
    assert card["surcharges"][1]["package_micros"] == 4_000_000
    lane = program.read("logistics", "lanes", "show", "courier")
    assert (lane["calendar_days"], lane["deliver_by_minute"]) == (True, 1_260)
    assert len(lane["delivery_weekdays"]) == 7
    calendar = program.read("logistics", "calendars", "show", "--type", "store")
    assert len(calendar["opening_hours"]) == 7
    assert calendar["special_days"][1] == {
        "date": "2026-12-25",
        "open_minute": 0,
        "close_minute": 0,
    }
    assert (calendar["daily_capacity"], calendar["capacity_unit"]) == (60, "PACKAGES")
    assert program.read("logistics", "calendars", "show", "joliet")["unit_micros"] == 150_000


def test_all_examples_are_loaded_in_the_order_in_which_they_need_each_other(
    program: Program,
) -> None:
    files = sorted(EXAMPLES.glob("*.csv"))
    assert [file.name for file in files][:2] == ["calendars.csv", "lanes.csv"]
    done = program.done("load", "--again", *files)
    kinds = [line.split(": ")[1] for line in done.output.splitlines()]
    assert kinds == ["locations", "products", "stock", "rate-cards", "lanes", "calendars"]


def test_what_is_shown_is_in_the_words_of_the_lists(program: Program) -> None:
    for name in ("locations", "rate_cards", "lanes", "calendars"):
        program.done("load", EXAMPLES / f"{name}.csv")
    card = program.done("logistics", "rate-cards", "show", "ground").output
    assert "surcharges  fuel 12.5 %, homes 4.00 at homes\n" in card
    assert "heaviest    20 kg\n" in card
    assert "\n   1      4.10              0.35" in card
    assert "to 1 kg 0.80, to 20 kg 2.40\n" in card
    lane = program.done("logistics", "lanes", "show", "courier").output
    assert "until         21:00\n" in lane
    calendar = program.done("logistics", "calendars", "show", "--type", "store").output
    assert "mon 09:00-20:00" in calendar
    assert "pickup cut-off  18:00\n" in calendar
    assert "2026-12-25   closed\n" in calendar


def test_they_are_listed_and_removed(program: Program) -> None:
    for name in ("locations", "rate_cards", "lanes", "calendars"):
        program.done("load", EXAMPLES / f"{name}.csv")
    cards = program.done("logistics", "rate-cards", "list").output
    assert "4.10 to 7.10" in cards
    assert "fuel, homes" in cards
    lanes = program.done("logistics", "lanes", "list").output
    assert "1 1 2 3 3 4 4 5" in lanes
    assert "21:00" in lanes
    calendars = program.done("logistics", "calendars", "list").output
    assert "every STORE" in calendars
    assert "sun 11:00-18:00" in calendars
    assert "60 packages" in calendars
    program.done("logistics", "rate-cards", "delete", "courier")
    assert program.run("logistics", "rate-cards", "show", "courier").exit_code == 1
    program.done("logistics", "lanes", "delete", "courier")
    assert program.run("logistics", "lanes", "show", "courier").exit_code == 1
    program.done("logistics", "calendars", "delete", "joliet")
    assert program.run("logistics", "calendars", "show", "joliet").exit_code == 1
    program.done("logistics", "calendars", "delete", "--type", "store")


def test_whose_calendar_is_said_in_one_way(program: Program) -> None:
    for words in ((), ("joliet", "--type", "store")):
        ended = program.run("logistics", "calendars", "show", *words)
        assert ended.exit_code == 2
        assert "say whose calendar" in ended.errors


# --- files that are not right


def test_a_card_with_one_bad_row_is_not_saved_at_all(program: Program, tmp_path: Path) -> None:
    file = tmp_path / "cards.csv"
    text = (
        "service_id,zone,package_price,delivery_methods\n"
        "bad,1,4.10,ship-to-home\n"
        "good,1,1.00,ship-to-home\n"
        "bad,two,4.20,\n"
        "bad,3,4.30,\n"
        " spaced,1,1.00,\n"
        "hole,2,1.00,ship-to-home\n"
        "torn,1,1.00\n"
        "twice,1,1.00,ship-to-home\n"
        "twice,1,2.00,\n"
    )
    assert load(program, file, text) == (1, 8)
    assert rejected(file) == [
        ("6", "INVALID_FIELD"),
        ("8", "WRONG_FIELD_COUNT"),
        ("4", "INVALID_FIELD"),
        ("2", "OTHER_ROW_REFUSED"),
        ("5", "OTHER_ROW_REFUSED"),
        ("7", "RATE_CARD_INVALID"),
        ("10", "INVALID_FIELD"),
        ("9", "OTHER_ROW_REFUSED"),
    ]
    assert program.read("logistics", "rate-cards", "show", "good")["zone_rates"]
    program.done("logistics", "rate-cards", "delete", "good")


def test_rows_of_lanes_and_calendars_are_refused_alone(
    program: Program, place: str, tmp_path: Path
) -> None:
    lanes = tmp_path / "lanes.csv"
    text = "service_id,transit_days\nx-1,1|2\nx-2,\nx-3,soon\nx-1,2|3\n"
    assert load(program, lanes, text) == (2, 2)
    assert rejected(lanes) == [("4", "INVALID_FIELD"), ("3", "LANE_INVALID")]
    assert program.read("logistics", "lanes", "show", "x-1")["transit_days"] == [2, 3]
    program.done("logistics", "lanes", "delete", "x-1")
    calendars = tmp_path / "calendars.csv"
    text = (
        "location_id,opening_hours,time_zone\n"
        f"{place},daily 8:00-20:00,America/Chicago\n"
        f"{place},daily 8:00-20:00,Mars\n"
        "nowhere,daily 8:00-20:00,\n"
        ",daily 8:00-20:00,\n"
        f"{place},daily,\n"
    )
    assert load(program, calendars, text) == (1, 4)
    assert sorted(rejected(calendars)) == [
        ("3", "CALENDAR_INVALID"),
        ("4", "LOCATION_NOT_FOUND"),
        ("5", "INVALID_FIELD"),
        ("6", "INVALID_FIELD"),
    ]
    program.done("logistics", "calendars", "delete", place)


# --- cells


@pytest.mark.parametrize(
    ("read", "text", "value"),
    [
        (price, "8.76", 8_760_000),
        (price, " 0.000001 ", 1),
        (price, "1000000", 10**12),
        (per_cent, "12.5%", 1_250),
        (per_cent, "0%", 0),
        (clock, "8:05", 485),
        (clock, "24:00", 1_440),
        (hours, "08:00-20:00", (480, 1_200)),
        (weekdays, "Mon", (1,)),
        (weekdays, "tue-thu", (2, 3, 4)),
        (weekdays, "daily", (1, 2, 3, 4, 5, 6, 7)),
    ],
)
def test_a_cell_is_read(read: Callable[[str, str], Any], text: str, value: object) -> None:
    assert read(text, "column") == value


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (price, "1,5"),
        (price, "-1"),
        (price, "0.0000001"),
        (price, "1000000.01"),
        (price, "NaN"),
        (per_cent, "much%"),
        (per_cent, "-1%"),
        (per_cent, "1001%"),
        (per_cent, "0.001%"),
        (per_cent, "NaN%"),
        (clock, "8"),
        (clock, "8:60"),
        (clock, "24:01"),
        (hours, "08:00"),
        (weekdays, "funday"),
        (weekdays, "fri-mon"),
    ],
)
def test_a_cell_that_makes_no_sense_is_refused(read: Callable[[str, str], Any], text: str) -> None:
    with pytest.raises(BadCell, match=r"^column "):
        read(text, "column")


@pytest.mark.parametrize(
    ("read", "cells"),
    [
        (step_of, {"weight_grams_max": "5"}),
        (lambda cells: fill_card(RateCard(), cells), {"surcharges": "fuel"}),
        (lambda cells: fill_card(RateCard(), cells), {"surcharges": "fuel=1.00@work"}),
        (lambda cells: fill_card(RateCard(), cells), {"delivery_methods": "by-air"}),
        (lane_of, {"service_id": "x", "transit_days": "1", "calendar_days": "perhaps"}),
        (calendar_of, {"opening_hours": "mon 8:00-9:00"}),
        (calendar_of, {"opening_hours": "", "location_id": "a", "location_type": "store"}),
        (calendar_of, {"opening_hours": "", "location_id": "a", "priority": "first"}),
        (calendar_of, {"opening_hours": "", "location_id": "a", "special_days": "2026-12-24"}),
    ],
)
def test_a_row_that_makes_no_sense_is_refused(
    read: Callable[[dict[str, str]], object], cells: dict[str, str]
) -> None:
    with pytest.raises(BadCell):
        read(cells)


def test_a_time_of_day_is_shown_as_clocks_do() -> None:
    assert [clock_text(minutes) for minutes in (0, 485, 1_440)] == ["00:00", "08:05", "24:00"]
