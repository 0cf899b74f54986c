"""Tables against a naive model: whatever was saved, deleted and asked before, both say the same."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domgrpc.core.calendars import CalendarFields, CapacityUnit, Schedule
from domgrpc.core.carriers import LaneFields, RateCardFields, SaveRateCard, Surcharge
from domgrpc.core.dispatch import Command
from domgrpc.core.geography import DEGREE_E7, Point
from domgrpc.core.holiday_dates import HolidayRegion
from domgrpc.core.journeys import Journey
from domgrpc.core.locations import CreateLocation, LocationFields, UpdateLocation
from domgrpc.core.values import (
    DAY_MS,
    DeliveryMethod,
    LocationId,
    LocationIndex,
    LocationType,
    Micros,
    ServiceId,
)
from domgrpc.core.zones import metres
from tests.core.given import Shop
from tests.core.logistics_words import (
    ADELAIDE,
    BERLIN,
    NEW_YORK,
    calendar,
    lane,
    no_calendar,
    no_card,
    no_lane,
    rate,
    schedule,
)
from tests.core.naive_transport import naive_ways, ways_of

NAMES = ("a", "b", "c", "d")
SERVICES = ("air", "ground", "mile")
TYPES = (LocationType.STORE, LocationType.DISTRIBUTION_CENTER)
METHODS = tuple(DeliveryMethod)
names = st.sampled_from(NAMES)
services = st.sampled_from(SERVICES)
types = st.sampled_from(TYPES)
micros = st.integers(0, 10_000)
weekdays = st.lists(st.integers(1, 7), unique=True, min_size=1, max_size=7).map(tuple)
regions = st.sampled_from([HolidayRegion(), HolidayRegion("US"), HolidayRegion("DE", "BY")])
points = st.builds(
    Point,
    st.integers(25 * DEGREE_E7, 49 * DEGREE_E7),
    st.integers(-124 * DEGREE_E7, -67 * DEGREE_E7),
)


@st.composite
def cards(draw: st.DrawFn) -> Command:
    """Draw a rate card: some end early, some have weight steps, some a price for the way."""
    steps = draw(st.sampled_from([(), (500,), (1_000, 5_000)]))
    zones = range(1, draw(st.integers(1, 8)) + 1)
    mile = draw(st.sampled_from([0, 0, 3, 50]))
    return SaveRateCard(
        service_id=ServiceId(draw(services)),
        fields=RateCardFields(
            delivery_methods=draw(
                st.lists(st.sampled_from(METHODS[1:]), unique=True, min_size=1).map(tuple)
            ),
            zone_rates=tuple(
                rate(
                    zone,
                    draw(micros),
                    unit=draw(micros),
                    kilogram=draw(micros),
                    mile=mile,
                    steps=tuple((grams, draw(micros)) for grams in steps),
                )
                for zone in zones
            ),
            surcharges=draw(
                st.sampled_from([(), (Surcharge("x", 777, Micros(3), residential_only=True),)])
            ),
            origin_types=draw(st.sampled_from([(), (LocationType.STORE,)])),
            distance_m_max=draw(st.sampled_from([0, 0, metres(400), metres(1_000)])),
        ),
    )


@st.composite
def lanes(draw: st.DrawFn) -> Command:
    """Draw a lane."""
    days = draw(st.lists(st.integers(0, 5), min_size=1, max_size=8))
    fields = LaneFields(
        tuple(days),
        business_days=draw(st.booleans()),
        delivery_weekdays=draw(weekdays),
        deliver_by_minute=draw(st.sampled_from([600, 1_200, 1_440])),
        holidays=draw(regions),
    )
    return lane(draw(services), fields)


@st.composite
def schedules(draw: st.DrawFn) -> Schedule:
    """Draw a schedule."""
    return schedule(
        draw(st.sampled_from(["", "UTC", NEW_YORK, BERLIN, ADELAIDE])),
        weekdays=draw(weekdays),
        hours=draw(st.sampled_from([(8, 20), (0, 24), (1, 3), (22, 23)])),
        cut_off=draw(st.integers(0, 24)),
        handling_minutes=draw(st.sampled_from([0, 45, 600, 3_000])),
        lead_days=draw(st.integers(0, 2)),
        holidays=draw(st.sampled_from([("", ""), ("US", ""), ("DE", "BY")])),
    )


@st.composite
def calendars(draw: st.DrawFn) -> Command:
    """Draw a calendar of a location or type."""
    fields = CalendarFields(
        draw(schedules()),
        package_micros=Micros(draw(micros)),
        unit_micros=Micros(draw(micros)),
        priority=draw(st.integers(0, 3)),
        capacity_unit=draw(st.sampled_from(CapacityUnit)),
    )
    return calendar(draw(st.one_of(names, types)), fields)


places = st.builds(
    lambda name, kind, point: UpdateLocation(
        location_id=LocationId(name),
        fields=LocationFields(type=kind, point=point, clear_point=point is None),
        allow_missing=True,
    ),
    names,
    types,
    st.none() | points,
)
deletions = st.one_of(
    services.map(no_card), services.map(no_lane), st.one_of(names, types).map(no_calendar)
)
commands = st.one_of(cards(), lanes(), calendars(), places, deletions)
journeys = st.builds(
    Journey,
    st.sampled_from(METHODS),
    st.one_of(st.none(), points, st.just(0).map(LocationIndex)),
    reference_grams=st.sampled_from([0, 700, 9_000]),
    is_residential=st.booleans(),
    prefers_fastest=st.booleans(),
    time_zone=st.sampled_from(["", NEW_YORK]),
)
steps = st.sampled_from([-2, 1, 2, 3])
pauses = st.sampled_from([0, 1, 60_000, 3_600_000, 11 * 3_600_000, DAY_MS, 9 * DAY_MS])


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_table_says_what_a_naive_look_at_each_location_says(data: st.DataObject) -> None:
    # The last days of October: clocks change on both sides of the ocean, and holidays are near.
    shop = Shop().at(1_792_000_000_000)
    first = CreateLocation(
        location_id=LocationId(NAMES[0]),
        fields=LocationFields(type=LocationType.STORE, point=data.draw(points)),
    )
    shop.given(first)
    asked = data.draw(st.lists(journeys, min_size=1, max_size=3))
    for _ in range(data.draw(st.integers(1, 8))):
        for command in data.draw(st.lists(commands, max_size=3)):
            shop.send(command)
        shop.later(data.draw(pauses))
        for journey in asked:
            locations = shop.state.network.locations
            expected = naive_ways(shop.state, journey, shop.now_ms)
            only = [LocationIndex(index) for index in range(len(expected))][:: data.draw(steps)]
            some = shop.state.logistics.table(locations, journey, shop.now_ms, only=only)
            assert ways_of(some) == [expected[index] for index in only]
            assert some.from_ms <= shop.now_ms < some.valid_until_ms
            if data.draw(st.booleans()):
                continue
            table = shop.state.logistics.table(locations, journey, shop.now_ms)
            assert ways_of(table) == expected
            assert table.from_ms <= shop.now_ms < table.valid_until_ms
            assert list(table.priority) == [
                shop.state.logistics.calendars.of(each).priority for each in locations.by_index
            ]
    shop.state.check_invariants()
