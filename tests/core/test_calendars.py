"""Location calendars: whose holds, and what is refused."""

import pytest

from domgrpc.core.answers import Deleted
from domgrpc.core.calendars import (
    CalendarFields,
    CapacityUnit,
    LocationCalendar,
    OpeningHours,
    Schedule,
    usual_calendar,
)
from domgrpc.core.listings import list_calendars
from domgrpc.core.profiles import Capacity
from domgrpc.core.rejections import Reason
from domgrpc.core.values import Limits, LocationIndex, LocationType, Micros
from tests.core.commands import place
from tests.core.given import Shop
from tests.core.logistics_words import calendar, changed, day, local, no_calendar, schedule
from tests.core.pictures import every

STORE = LocationType.STORE
HUB = LocationType.HUB


@pytest.fixture
def stores(shop: Shop) -> Shop:
    """Stores A and B, and supplier S."""
    return shop.given(place("A"), place("B"), place("S", LocationType.SUPPLIER))


def holding(shop: Shop, index: int) -> CalendarFields:
    """Return the calendar that holds for the location with an index."""
    return shop.state.logistics.calendar(shop.state.network.locations, LocationIndex(index))


def test_a_location_has_its_own_calendar_or_that_of_its_type_or_the_usual_one(
    stores: Shop,
) -> None:
    assert holding(stores, 0) == holding(stores, 1) == usual_calendar(STORE)
    assert holding(stores, 2).schedule.lead_days == 2, "a supplier takes its time"
    stores.given(calendar(STORE, schedule(cut_off=9)))
    assert holding(stores, 0) == holding(stores, 1) == CalendarFields(schedule(cut_off=9))
    stores.given(calendar("A", schedule(cut_off=10)))
    assert holding(stores, 0) == CalendarFields(schedule(cut_off=10))
    assert holding(stores, 1) == CalendarFields(schedule(cut_off=9))
    stores.gives(Deleted, no_calendar("A"))
    stores.gives(Deleted, no_calendar(STORE))
    assert holding(stores, 0) == holding(stores, 1) == usual_calendar(STORE)


def test_a_calendar_is_kept_as_it_was_sent_and_replaced_as_a_whole(stores: Shop) -> None:
    first = changed(
        calendar("A", schedule()),
        package_micros=Micros(7),
        unit_micros=Micros(3),
        priority=1,
        daily_capacity=50,
        capacity_unit=CapacityUnit.UNITS,
        pickup_window_hours=24,
    )
    kept = stores.gives(LocationCalendar, first)
    assert (kept.owner, kept.fields) == (first.owner, first.fields)
    assert stores.gives(LocationCalendar, first) == kept
    capacity = stores.state.logistics.capacity(stores.state.network.locations, LocationIndex(0))
    assert capacity == Capacity(50, CapacityUnit.UNITS)
    later = stores.later(1_000).gives(LocationCalendar, calendar("A", schedule()))
    assert later.fields == CalendarFields(schedule())
    assert (later.create_time_ms, later.update_time_ms) == (kept.create_time_ms, stores.now_ms)


def test_an_etag_makes_a_change_conditional(stores: Shop) -> None:
    assert stores.refuses(calendar("A", schedule(), etag="1")) is Reason.ETAG_MISMATCH
    etag = str(stores.gives(LocationCalendar, calendar("A", schedule())).revision)
    assert stores.refuses(calendar("A", schedule(cut_off=9), etag="1")) is Reason.ETAG_MISMATCH
    assert stores.refuses(no_calendar("A", etag="1")) is Reason.ETAG_MISMATCH
    stores.given(no_calendar("A", etag=etag))
    assert stores.refuses(no_calendar("A")) is Reason.CALENDAR_NOT_FOUND
    refusal = stores.refusal(no_calendar(HUB))
    assert refusal.facts == {"location_id": "", "location_type": "HUB"}
    assert "locations of type HUB" in refusal.message


def test_only_so_many_are_kept() -> None:
    shop = Shop(Limits(calendars_max=1)).given(calendar(STORE, schedule()))
    assert shop.refuses(calendar(HUB, schedule())) is Reason.CAPACITY_EXCEEDED
    shop.given(calendar(STORE, schedule(cut_off=9)))


def test_calendars_of_types_are_listed_before_those_of_locations(stores: Shop) -> None:
    for owner in ("B", HUB, "A", STORE):
        stores.given(calendar(owner, schedule()))
    listed = every(lambda at: list_calendars(stores.state, at, 3), (0, ""))
    assert [str(each.owner) for each in listed] == [
        "locations of type STORE",
        "locations of type HUB",
        "location 'A'",
        "location 'B'",
    ]


def test_the_location_must_exist(stores: Shop) -> None:
    assert stores.refuses(calendar("X", schedule())) is Reason.LOCATION_NOT_FOUND


def test_a_day_belongs_to_the_zone_of_the_location_and_midnight_to_the_day_before(
    stores: Shop,
) -> None:
    stores.given(calendar("A", schedule("America/New_York", hours=(0, 24))))
    logistics, locations = stores.state.logistics, stores.state.network.locations
    midnight = logistics.profiles(locations).days_of(0).midnight_after(stores.now_ms)
    today = local(stores.now_ms, "America/New_York")[:10]
    assert logistics.day_of(locations, LocationIndex(0), midnight) == day(today)
    assert logistics.day_of(locations, LocationIndex(0), midnight + 1) == day(today) + 1


# --- what is refused

TWICE = (OpeningHours(1, 480, 1_200), OpeningHours(1, 480, 1_200))


@pytest.mark.parametrize(
    ("rules", "field", "said"),
    [
        (schedule(weekdays=()), "opening_hours", "has no open day"),
        (
            schedule(weekdays=(), special=(("2020-01-01", 8, 20), ("2030-01-01", 0, 0))),
            "opening_hours",
            "has no open day",
        ),
        (schedule("Mars/Base"), "time_zone", "the unknown time zone 'Mars/Base'"),
        (schedule("../../etc/passwd"), "time_zone", "the unknown time zone"),
        (schedule(holidays=("XX", "")), "holidays", "the unknown country 'XX'"),
        (schedule(holidays=("US", "YY")), "holidays", "the unknown subdivision 'YY'"),
        (schedule(holidays=("", "BY")), "holidays", "without its country"),
        (Schedule("UTC", TWICE), "opening_hours", "a weekday twice: [1, 1]"),
        (
            schedule(special=(("2030-01-01", 8, 9), ("2030-01-01", 0, 0))),
            "special_days",
            "a date twice",
        ),
        (schedule(hours=(9, 9)), "opening_hours", "opens at 09:00 and closes at 09:00"),
        (schedule(hours=(0, 25)), "opening_hours", "closes at 25:00"),
        (
            schedule(special=(("2030-01-01", 9, 8),)),
            "special_days",
            "opens at 09:00 and closes at 08:00",
        ),
    ],
)
def test_a_calendar_that_cannot_be_is_refused_by_name(
    stores: Shop, rules: Schedule, field: str, said: str
) -> None:
    refusal = stores.refusal(calendar("A", rules))
    assert (refusal.reason, refusal.facts) == (Reason.CALENDAR_INVALID, {"field": field})
    assert said in refusal.message
    assert refusal.message.startswith("the calendar of location 'A' ")


def test_a_single_open_day_to_come_is_enough(stores: Shop) -> None:
    stores.given(calendar("A", schedule(weekdays=(), special=(("2030-01-01", 8, 20),))))
