"""When work is ready, by date: cut-offs, changes of the clock, holidays, the end of a year."""

import pytest

from domgrpc.core.calendars import Schedule
from domgrpc.core.opening_days import OpeningDays, Readiness, collectable, day_of, instant
from domgrpc.core.time_zones import nautical_zone, time_zone, zone_names
from domgrpc.core.values import MINUTE_MS, Day, TimeMs
from tests.core.commands import point
from tests.core.logistics_words import (
    ADELAIDE,
    BERLIN,
    NEW_YORK,
    WORKDAYS,
    at,
    day,
    local,
    schedule,
)

CUT_OFF = 14 * 60


def ready(rules: Schedule, text: str, cut_off: int = CUT_OFF) -> Readiness:
    """Return when work is ready that is ordered when local clocks show a text."""
    found = OpeningDays(rules).ready(at(text, rules.time_zone), cut_off)
    assert found is not None
    return found


def ready_at(rules: Schedule, text: str) -> str:
    """Return what local clocks show when that work is ready."""
    return local(ready(rules, text).ready_ms, rules.time_zone)


def ship_by(rules: Schedule, text: str) -> str:
    """Return what local clocks show when it must have left."""
    return local(ready(rules, text).ship_by_ms, rules.time_zone)


# --- one day


def test_a_minute_before_the_cut_off_is_the_same_day_and_at_the_cut_off_the_next() -> None:
    rules = schedule(NEW_YORK)
    assert ship_by(rules, "2026-06-10 13:59") == "2026-06-10 20:00"
    assert ship_by(rules, "2026-06-10 14:00") == "2026-06-11 20:00"
    assert ship_by(rules, "2026-06-10 14:01") == "2026-06-11 20:00"


def test_work_that_is_ordered_at_night_begins_when_the_location_opens() -> None:
    rules = schedule(NEW_YORK, handling_minutes=30)
    assert ready_at(rules, "2026-06-10 03:00") == "2026-06-10 08:30"
    assert ready_at(rules, "2026-06-10 21:00") == "2026-06-11 08:30"
    assert ready_at(rules, "2026-06-10 10:07") == "2026-06-10 10:37"


def test_handling_goes_on_the_next_open_day_where_the_first_is_too_short() -> None:
    rules = schedule("UTC", weekdays=WORKDAYS, hours=(9, 17), handling_minutes=300)
    assert ready_at(rules, "2026-06-12 12:00") == "2026-06-12 17:00", "a Friday, to the minute"
    assert ready_at(rules, "2026-06-12 12:01") == "2026-06-15 09:01"
    long = schedule("UTC", weekdays=WORKDAYS, hours=(9, 17), handling_minutes=20 * 60)
    assert ready_at(long, "2026-06-12 13:00") == "2026-06-16 17:00"


def test_a_cut_off_after_the_closing_ends_with_the_closing() -> None:
    rules = schedule("UTC", hours=(9, 12), cut_off=14)
    assert ship_by(rules, "2026-06-10 11:59") == "2026-06-10 12:00"
    assert ship_by(rules, "2026-06-10 12:00") == "2026-06-11 12:00"


def test_a_cut_off_before_the_opening_wants_orders_in_the_night() -> None:
    rules = OpeningDays(schedule("UTC"))
    for text, shipped in (("06:59", "2026-06-10 20:00"), ("07:00", "2026-06-11 20:00")):
        found = rules.ready(at(f"2026-06-10 {text}"), 7 * 60)
        assert found is not None
        assert local(found.ship_by_ms) == shipped


def test_lead_time_is_counted_in_open_days() -> None:
    rules = schedule("UTC", weekdays=WORKDAYS, lead_days=2)
    assert ready_at(rules, "2026-06-10 10:00") == "2026-06-12 08:00"
    assert ready_at(rules, "2026-06-11 10:00") == "2026-06-15 08:00", "over the weekend"
    assert ready_at(rules, "2026-06-11 15:00") == "2026-06-16 08:00", "after the cut-off"


def test_a_location_that_is_open_around_the_clock_ships_until_midnight() -> None:
    rules = schedule(NEW_YORK, hours=(0, 24))
    found = ready(rules, "2026-06-10 13:00")
    assert local(found.ship_by_ms, NEW_YORK) == "2026-06-11 00:00"
    assert found.ship_day == day("2026-06-10")


# --- changes of the clock


@pytest.mark.parametrize(
    ("zone", "before", "changing"),
    [
        (NEW_YORK, "2026-03-07", "2026-03-08"),
        (NEW_YORK, "2026-10-31", "2026-11-01"),
        (BERLIN, "2026-03-28", "2026-03-29"),
        (BERLIN, "2026-10-24", "2026-10-25"),
        (ADELAIDE, "2026-04-04", "2026-04-05"),
        (ADELAIDE, "2026-10-03", "2026-10-04"),
    ],
)
def test_cut_off_and_closing_stay_on_the_local_clock_when_it_changes(
    zone: str, before: str, changing: str
) -> None:
    rules = schedule(zone)
    assert ship_by(rules, f"{before} 14:00") == f"{changing} 20:00"
    assert ship_by(rules, f"{changing} 13:59") == f"{changing} 20:00"
    assert ship_by(rules, f"{changing} 14:00") != f"{changing} 20:00"
    hours = (at(f"{changing} 20:00", zone) - at(f"{before} 20:00", zone)) // (60 * MINUTE_MS)
    assert hours in (23, 25)


def test_handling_lasts_as_long_on_a_day_of_23_or_25_hours() -> None:
    rules = schedule(NEW_YORK, hours=(0, 24), cut_off=24, handling_minutes=120)
    assert ready_at(rules, "2026-03-08 01:00") == "2026-03-08 04:00", "there is no hour from 2 to 3"
    assert ready_at(rules, "2026-11-01 00:30") == "2026-11-01 01:30", "the hour from 1 comes twice"


def test_hours_that_lie_in_the_skipped_hour_are_no_opening() -> None:
    rules = OpeningDays(schedule(NEW_YORK, hours=(2, 3)))
    assert rules.open_day(day("2026-03-08")) is None
    opened = rules.open_day(day("2026-03-09"))
    assert opened is not None
    assert opened.close_ms - opened.open_ms == 60 * MINUTE_MS


def test_of_an_hour_that_comes_twice_the_first_counts() -> None:
    zone = time_zone(NEW_YORK)
    assert local(instant(zone, day("2026-11-01"), 90)) == "2026-11-01 05:30"


# --- holidays, weekends and special days


def test_nobody_works_on_a_holiday_weekend() -> None:
    rules = schedule(NEW_YORK, weekdays=WORKDAYS, holidays=("US", ""))
    assert ship_by(rules, "2026-05-22 13:59") == "2026-05-22 20:00"
    assert ship_by(rules, "2026-05-22 14:00") == "2026-05-26 20:00", "Monday is Memorial Day"
    assert ship_by(rules, "2026-07-02 15:00") == "2026-07-06 20:00", "the 4th is observed before"


def test_subdivisions_have_holidays_of_their_own() -> None:
    order = "2026-01-05 16:00"
    assert ship_by(schedule(BERLIN, holidays=("DE", "BY")), order) == "2026-01-07 20:00"
    assert ship_by(schedule(BERLIN, holidays=("DE", "BE")), order) == "2026-01-06 20:00"


def test_the_turn_of_the_year_is_a_day_like_any_other_but_for_its_holiday() -> None:
    order = "2026-12-31 15:00"
    assert ship_by(schedule(BERLIN), order) == "2027-01-01 20:00"
    assert ship_by(schedule(BERLIN, holidays=("DE", "")), order) == "2027-01-02 20:00"
    assert ship_by(schedule(ADELAIDE, lead_days=1), order) == "2027-01-02 20:00"


def test_special_days_win_over_weekdays_and_holidays() -> None:
    rules = schedule(
        BERLIN,
        weekdays=WORKDAYS,
        holidays=("DE", ""),
        special=(("2026-12-24", 8, 12), ("2026-12-26", 10, 14), ("2026-12-28", 0, 0)),
    )
    assert ship_by(rules, "2026-12-24 11:00") == "2026-12-24 12:00"
    assert ship_by(rules, "2026-12-24 12:00") == "2026-12-26 14:00", "a holiday and a Saturday"
    assert ship_by(rules, "2026-12-26 14:00") == "2026-12-29 20:00"


def test_where_no_day_is_open_in_sight_nothing_is_ready() -> None:
    only = schedule("UTC", weekdays=(), special=(("2026-06-10", 8, 20), ("2026-06-11", 8, 20)))
    assert OpeningDays(only).ready(at("2026-06-11 14:00"), CUT_OFF) is None
    assert OpeningDays(only).ready(at("2020-06-11 14:00"), CUT_OFF) is None
    late = schedule("UTC", weekdays=(), lead_days=2, special=(("2026-06-10", 8, 20),))
    assert OpeningDays(late).ready(at("2026-06-10 10:00"), CUT_OFF) is None
    long = schedule("UTC", weekdays=(), handling_minutes=780, special=(("2026-06-10", 8, 20),))
    assert OpeningDays(long).ready(at("2026-06-10 10:00"), CUT_OFF) is None
    assert OpeningDays(only).opening_from(at("2026-06-11 20:00")) == -1


def test_an_arrival_waits_for_the_next_opening() -> None:
    rules = OpeningDays(schedule("UTC", weekdays=WORKDAYS))
    for arrival, opened in (
        ("2026-06-10 07:00", "2026-06-10 08:00"),
        ("2026-06-10 19:59", "2026-06-10 19:59"),
        ("2026-06-12 20:00", "2026-06-15 08:00"),
        ("2026-06-13 12:00", "2026-06-15 08:00"),
    ):
        assert local(rules.opening_from(at(arrival))) == opened


# --- collecting, and how long an answer holds


def test_collection_is_promised_at_whole_quarters_but_not_after_closing() -> None:
    rules = schedule("UTC", cut_off=20, handling_minutes=10)
    for order, promised in (("10:00", "10:15"), ("10:05", "10:15"), ("10:06", "10:30")):
        found = ready(rules, f"2026-06-10 {order}", 20 * 60)
        assert local(collectable(found)[0]) == f"2026-06-10 {promised}"
    short = schedule("UTC", cut_off=20, handling_minutes=10)
    closing = OpeningDays(short)
    found = ready(short, "2026-06-10 19:49", 20 * 60)
    assert local(collectable(found)[0]) == "2026-06-10 20:00"
    assert closing.midnight_after(at("2026-06-10 19:49")) == at("2026-06-11 00:00")


@pytest.mark.parametrize(
    "rules",
    [
        schedule(NEW_YORK, handling_minutes=45),
        schedule(NEW_YORK, handling_minutes=15 * 60, weekdays=WORKDAYS),
        schedule(BERLIN, lead_days=1, cut_off=20),
        schedule(ADELAIDE, hours=(9, 10), handling_minutes=59),
    ],
)
@pytest.mark.parametrize(
    "text", ["2026-03-27 06:00", "2026-06-12 09:01", "2026-06-12 13:59", "2026-10-24 21:00"]
)
def test_the_answer_changes_no_earlier_than_it_says(rules: Schedule, text: str) -> None:
    days, now_ms = OpeningDays(rules), at(text, rules.time_zone)
    cut_off = rules.cut_off_minute
    found = days.ready(now_ms, cut_off)
    assert found is not None
    promised_ms, until_ms = collectable(found)
    assert now_ms < until_ms <= found.until_ms
    last = days.ready(TimeMs(found.until_ms - 1), cut_off)
    assert last is not None
    assert (last.ship_by_ms, last.ship_day) == (found.ship_by_ms, found.ship_day)
    late = days.ready(TimeMs(until_ms - 1), cut_off)
    assert late is not None
    assert collectable(late)[0] == promised_ms


def test_days_belong_to_the_zone() -> None:
    evening = at("2026-06-10 22:00")
    assert day_of(time_zone(NEW_YORK), evening) == day("2026-06-10")
    assert day_of(time_zone(ADELAIDE), evening) == day("2026-06-11")


def test_only_so_many_days_are_remembered() -> None:
    days = OpeningDays(schedule("UTC"))
    for number in range(5_000):
        assert days.open_day(Day(number)) is not None


def test_a_place_without_a_calendar_has_the_hours_of_its_longitude() -> None:
    assert nautical_zone(point(40.7, -74.0)) == "Etc/GMT+5"
    assert nautical_zone(point(52.5, 13.4)) == "Etc/GMT-1"
    assert nautical_zone(point(51.5, -0.1)) == "UTC"
    assert nautical_zone(point(0, 180)) == "Etc/GMT-12"
    assert nautical_zone(point(0, -180)) == "Etc/GMT+12"
    assert nautical_zone(None) == "UTC"
    for hours in range(-12, 13):
        assert nautical_zone(point(0, hours * 15)) in zone_names()
    assert local(at("2026-06-10 12:00"), nautical_zone(point(40.7, -74.0))) == "2026-06-10 07:00"


# --- until when goods wait


def closing(rules: Schedule, text: str) -> str:
    """Return what local clocks show at the first closing from a time on."""
    found = OpeningDays(rules).closing_from(at(text, rules.time_zone))
    return local(found, rules.time_zone)


def test_what_waits_until_a_closing_waits_until_just_then() -> None:
    rules = schedule(NEW_YORK)
    assert closing(rules, "2026-06-10 20:00") == "2026-06-10 20:00"
    assert closing(rules, "2026-06-10 20:01") == "2026-06-11 20:00"
    assert closing(rules, "2026-06-10 03:00") == "2026-06-10 20:00", "before it opens"


def test_a_closing_at_midnight_is_that_of_the_day_that_ends() -> None:
    rules = schedule(NEW_YORK, weekdays=WORKDAYS, hours=(8, 24))
    assert closing(rules, "2026-06-13 00:00") == "2026-06-13 00:00"
    assert closing(rules, "2026-06-13 00:01") == "2026-06-16 00:00", "a Saturday"


def test_a_waiting_that_would_end_on_a_holiday_ends_with_the_next_open_day() -> None:
    rules = schedule(NEW_YORK, weekdays=WORKDAYS, holidays=("US", ""))
    assert closing(rules, "2026-11-25 20:01") == "2026-11-27 20:00", "Thanksgiving"
    assert closing(rules, "2026-12-24 21:00") == "2026-12-28 20:00", "Christmas, then a weekend"


def test_a_store_that_opens_no_more_has_no_closing() -> None:
    rules = schedule(weekdays=(), special=(("2026-06-10", 8, 12),))
    assert closing(rules, "2026-06-10 12:00") == "2026-06-10 12:00"
    assert OpeningDays(rules).closing_from(at("2026-06-10 12:01")) == -1
