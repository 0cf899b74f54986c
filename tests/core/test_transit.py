"""When a carrier delivers, by date."""

import csv
from datetime import date

import pytest

from domgrpc.core.carriers import LaneFields
from domgrpc.core.holiday_dates import EPOCH_ORDINAL, HolidayRegion, holidays_in
from domgrpc.core.opening_days import Readiness
from domgrpc.core.time_zones import time_zone
from domgrpc.core.transit import UNDELIVERED, Transit
from domgrpc.core.values import Day
from tests.core.logistics_words import ADELAIDE, BERLIN, NEW_YORK, at, day, every_day, local
from tests.tidy.project_files import ROOT

US = HolidayRegion("US")
SAMPLE = ROOT / "../shared/data/us_holidays.csv"


def leaving(text: str, zone: str = NEW_YORK) -> Readiness:
    """Return goods that leave when local clocks show a text."""
    time_ms = at(text, zone)
    return Readiness(time_ms, time_ms, time_ms, day(text[:10]), time_ms)


def arrival(
    lane: LaneFields,
    text: str,
    parcel_zone: int = 1,
    *,
    zone: str = NEW_YORK,
    origin: HolidayRegion = US,
) -> str:
    """Return what local clocks show when goods arrive."""
    transit = Transit(lane, origin, time_zone(zone))
    return local(transit.deliver_by_ms(leaving(text, zone), parcel_zone), zone)


def test_the_days_by_zone_are_counted_from_the_day_on_which_goods_leave() -> None:
    lane = every_day(0, 1, 4)
    assert arrival(lane, "2026-06-10 18:00", 1) == "2026-06-10 20:00"
    assert arrival(lane, "2026-06-10 18:00", 2) == "2026-06-11 20:00"
    assert arrival(lane, "2026-06-10 18:00", 3) == "2026-06-14 20:00", "a Sunday"


def test_a_zone_beyond_the_lane_is_not_reached() -> None:
    transit = Transit(every_day(1, 2), US, time_zone(NEW_YORK))
    assert transit.deliver_by_ms(leaving("2026-06-10 18:00"), 3) == UNDELIVERED


def test_goods_rest_at_the_weekend_and_on_holidays() -> None:
    two = LaneFields((2,))
    assert arrival(two, "2026-06-11 20:00") == "2026-06-15 20:00"
    assert arrival(two, "2026-05-21 20:00") == "2026-05-26 20:00", "Monday is Memorial Day"
    assert arrival(two, "2026-05-21 20:00", origin=HolidayRegion()) == "2026-05-25 20:00"
    assert arrival(two, "2026-12-30 20:00") == "2027-01-04 20:00", "over the turn of the year"


def test_goods_that_leave_while_the_carrier_rests_move_from_its_next_day_on() -> None:
    one = LaneFields((1,))
    assert arrival(one, "2026-06-12 20:00") == "2026-06-15 20:00", "a Friday"
    assert arrival(one, "2026-06-13 20:00") == "2026-06-16 20:00", "a Saturday"
    assert arrival(one, "2026-06-14 20:00") == "2026-06-16 20:00", "a Sunday"


def test_a_carrier_delivers_on_its_weekdays_only() -> None:
    saturdays = LaneFields((1,), delivery_weekdays=(6,))
    assert arrival(saturdays, "2026-06-08 20:00") == "2026-06-13 20:00"
    assert arrival(saturdays, "2026-06-12 20:00") == "2026-06-20 20:00"
    with_saturday = LaneFields((1,), delivery_weekdays=(1, 2, 3, 4, 5, 6))
    assert arrival(with_saturday, "2026-06-12 20:00") == "2026-06-15 20:00", "counted from Monday"


def test_what_leaves_after_the_last_delivery_of_the_day_comes_the_next() -> None:
    same_day = every_day(0, by=18)
    assert arrival(same_day, "2026-06-10 18:00") == "2026-06-10 18:00"
    assert arrival(same_day, "2026-06-10 18:01") == "2026-06-11 18:00"


def test_the_holidays_of_the_lane_stand_before_those_of_the_origin() -> None:
    german = LaneFields((1,), holidays=HolidayRegion("DE", "BY"))
    assert arrival(german, "2026-05-22 20:00", zone=BERLIN) == "2026-05-26 20:00", "Whit Monday"
    assert arrival(german, "2026-07-02 20:00") == "2026-07-03 20:00", "no holiday there"
    calendar_days = every_day(1)
    assert arrival(calendar_days, "2026-12-24 20:00") == "2026-12-25 20:00"
    resting = LaneFields((1,), business_days=False, holidays=US)
    assert arrival(resting, "2026-12-24 20:00") == "2026-12-28 20:00", "delivered on a Monday"


@pytest.mark.parametrize(
    ("zone", "leaves", "arrives"),
    [
        (NEW_YORK, "2026-03-07 20:00", "2026-03-08 20:00"),
        (NEW_YORK, "2026-10-31 20:00", "2026-11-01 20:00"),
        (BERLIN, "2026-03-28 20:00", "2026-03-29 20:00"),
        (BERLIN, "2026-10-24 20:00", "2026-10-25 20:00"),
        (ADELAIDE, "2026-04-04 20:00", "2026-04-05 20:00"),
        (ADELAIDE, "2026-10-03 20:00", "2026-10-04 20:00"),
    ],
)
def test_deliveries_end_by_the_local_clock_when_it_changes(
    zone: str, leaves: str, arrives: str
) -> None:
    assert arrival(every_day(1), leaves, zone=zone) == arrives


@pytest.mark.slow
def test_the_holidays_are_those_that_were_written_down() -> None:
    if not SAMPLE.exists():
        pytest.skip("the list of holidays is not here")
    with SAMPLE.open(encoding="utf-8") as rows:
        written = [date.fromisoformat(row["date"]) for row in csv.DictReader(rows)]
    known = {
        Day(number) for year in range(written[0].year, 2031) for number in holidays_in(US, year)
    }
    missing = [each for each in written if each.toordinal() - EPOCH_ORDINAL not in known]
    assert missing == []
    extra = known - {each.toordinal() - EPOCH_ORDINAL for each in written}
    assert sorted(map(str, (date.fromordinal(each + EPOCH_ORDINAL) for each in extra))) == []
