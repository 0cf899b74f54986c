"""What is wrong with a rate card, a lane or a calendar is named by its field."""

from collections.abc import Callable
from typing import Any

from domgrpc.rpc.translate_calendars import delete_calendar, owner_of, save_calendar
from domgrpc.rpc.translate_logistics import (
    delete_lane,
    delete_rate_card,
    save_lane,
    save_rate_card,
)
from domgrpc.v1 import logistics_pb2 as pb
from tests.rpc.bad_shapes import LONG, TOO_MUCH, UNKNOWN, Case, Field, each_case, expect_bad, filled


def card(**fields: Field) -> pb.SaveRateCardRequest:
    return pb.SaveRateCardRequest(rate_card=pb.RateCard(**filled(fields, service_id="s")))


def rate(**fields: Field) -> pb.SaveRateCardRequest:
    return card(zone_rates=[pb.ZoneRate(zone=1), pb.ZoneRate(**filled(fields, zone=2))])


def step(**fields: Field) -> pb.SaveRateCardRequest:
    return rate(weight_steps=[pb.WeightStep(**filled(fields, grams_max=1))])


def surcharge(**fields: Field) -> pb.SaveRateCardRequest:
    return card(surcharges=[pb.Surcharge(**fields)])


def lane(**fields: Field) -> pb.SaveLaneRequest:
    return pb.SaveLaneRequest(lane=pb.Lane(**filled(fields, service_id="s")))


def calendar(**fields: Field) -> pb.SaveLocationCalendarRequest:
    fields = filled(fields, location_id="a")
    return pb.SaveLocationCalendarRequest(calendar=pb.LocationCalendar(**fields))


def hours(**fields: Field) -> pb.SaveLocationCalendarRequest:
    return calendar(opening_hours=[pb.OpeningHours(**filled(fields, weekday=1))])


def special(**fields: Field) -> pb.SaveLocationCalendarRequest:
    return calendar(special_days=[pb.SpecialDay(**filled(fields, date="2026-12-24"))])


CARDS: list[Case] = [
    (save_rate_card, pb.SaveRateCardRequest(), "rate_card"),
    (save_rate_card, pb.SaveRateCardRequest(rate_card=pb.RateCard(), etag="x" * 65), "etag"),
    (save_rate_card, card(service_id=""), "rate_card.service_id"),
    (save_rate_card, card(service_id=LONG), "rate_card.service_id"),
    (save_rate_card, card(display_name="x" * 201), "rate_card.display_name"),
    (save_rate_card, card(delivery_methods=[1, UNKNOWN]), "rate_card.delivery_methods[1]"),
    (save_rate_card, card(delivery_methods=[0]), "rate_card.delivery_methods[0]"),
    (save_rate_card, card(delivery_methods=[2]), "rate_card.delivery_methods[0]"),
    (save_rate_card, card(origin_types=[0]), "rate_card.origin_types[0]"),
    (save_rate_card, card(package_grams_max=-1), "rate_card.package_grams_max"),
    (save_rate_card, card(package_grams_max=10**9 + 1), "rate_card.package_grams_max"),
    (save_rate_card, card(distance_meters_max=-1), "rate_card.distance_meters_max"),
    (save_rate_card, card(distance_meters_max=20_100_001), "rate_card.distance_meters_max"),
    (save_rate_card, card(zone_rates=[pb.ZoneRate(zone=1)] * 9), "rate_card.zone_rates"),
    (save_rate_card, rate(zone=0), "rate_card.zone_rates[1].zone"),
    (save_rate_card, rate(zone=9), "rate_card.zone_rates[1].zone"),
    (save_rate_card, rate(package_micros=-1), "rate_card.zone_rates[1].package_micros"),
    (save_rate_card, rate(unit_micros=TOO_MUCH), "rate_card.zone_rates[1].unit_micros"),
    (save_rate_card, rate(kilogram_micros=-1), "rate_card.zone_rates[1].kilogram_micros"),
    (save_rate_card, rate(unit_mile_micros=-1), "rate_card.zone_rates[1].unit_mile_micros"),
    (
        save_rate_card,
        rate(weight_steps=[pb.WeightStep(grams_max=1)] * 101),
        "rate_card.zone_rates[1].weight_steps",
    ),
    (save_rate_card, step(grams_max=0), "rate_card.zone_rates[1].weight_steps[0].grams_max"),
    (save_rate_card, step(micros=TOO_MUCH), "rate_card.zone_rates[1].weight_steps[0].micros"),
    (save_rate_card, card(surcharges=[pb.Surcharge()] * 21), "rate_card.surcharges"),
    (save_rate_card, surcharge(name="x" * 201), "rate_card.surcharges[0].name"),
    (save_rate_card, surcharge(basis_points=-1), "rate_card.surcharges[0].basis_points"),
    (save_rate_card, surcharge(basis_points=100_001), "rate_card.surcharges[0].basis_points"),
    (save_rate_card, surcharge(package_micros=-1), "rate_card.surcharges[0].package_micros"),
    (delete_rate_card, pb.DeleteRateCardRequest(), "service_id"),
]
LANES: list[Case] = [
    (save_lane, pb.SaveLaneRequest(), "lane"),
    (save_lane, lane(service_id=""), "lane.service_id"),
    (save_lane, lane(transit_days=[1] * 9), "lane.transit_days"),
    (save_lane, lane(transit_days=[1, 91]), "lane.transit_days[1]"),
    (save_lane, lane(transit_days=[-1]), "lane.transit_days[0]"),
    (save_lane, lane(delivery_weekdays=[1, 0]), "lane.delivery_weekdays[1]"),
    (save_lane, lane(delivery_weekdays=[8]), "lane.delivery_weekdays[0]"),
    (save_lane, lane(deliver_by_minute=1_441), "lane.deliver_by_minute"),
    (save_lane, lane(holidays=pb.HolidayRegion(country=LONG)), "lane.holidays.country"),
    (save_lane, lane(holidays=pb.HolidayRegion(subdivision=LONG)), "lane.holidays.subdivision"),
    (delete_lane, pb.DeleteLaneRequest(), "service_id"),
]
CALENDARS: list[Case] = [
    (save_calendar, pb.SaveLocationCalendarRequest(), "calendar"),
    (
        save_calendar,
        pb.SaveLocationCalendarRequest(calendar=pb.LocationCalendar()),
        "calendar.owner",
    ),
    (save_calendar, calendar(location_id=""), "calendar.location_id"),
    (
        save_calendar,
        pb.SaveLocationCalendarRequest(calendar=pb.LocationCalendar(location_type=UNKNOWN)),
        "calendar.location_type",
    ),
    (save_calendar, calendar(time_zone="x" * 65), "calendar.time_zone"),
    (save_calendar, calendar(opening_hours=[pb.OpeningHours()] * 8), "calendar.opening_hours"),
    (save_calendar, hours(weekday=0), "calendar.opening_hours[0].weekday"),
    (save_calendar, hours(open_minute=-1), "calendar.opening_hours[0].open_minute"),
    (save_calendar, hours(close_minute=1_441), "calendar.opening_hours[0].close_minute"),
    (save_calendar, calendar(cut_off_minute=1_441), "calendar.cut_off_minute"),
    (save_calendar, calendar(pickup_cut_off_minute=-1), "calendar.pickup_cut_off_minute"),
    (save_calendar, calendar(handling_minutes=43_201), "calendar.handling_minutes"),
    (save_calendar, calendar(lead_days=91), "calendar.lead_days"),
    (save_calendar, calendar(holidays=pb.HolidayRegion(country=LONG)), "calendar.holidays.country"),
    (save_calendar, calendar(special_days=[pb.SpecialDay()] * 1_001), "calendar.special_days"),
    (save_calendar, special(date=""), "calendar.special_days[0].date"),
    (save_calendar, special(date="2026-W52-4"), "calendar.special_days[0].date"),
    (save_calendar, special(date="2026-12-32"), "calendar.special_days[0].date"),
    (save_calendar, special(date="20261224"), "calendar.special_days[0].date"),
    (save_calendar, special(date="1969-12-31"), "calendar.special_days[0].date"),
    (save_calendar, special(date="9999-01-01"), "calendar.special_days[0].date"),
    (save_calendar, special(open_minute=-1), "calendar.special_days[0].open_minute"),
    (save_calendar, special(close_minute=1_441), "calendar.special_days[0].close_minute"),
    (save_calendar, calendar(pickup_window_hours=0), "calendar.pickup_window_hours"),
    (save_calendar, calendar(package_micros=-1), "calendar.package_micros"),
    (save_calendar, calendar(unit_micros=TOO_MUCH), "calendar.unit_micros"),
    (save_calendar, calendar(priority=-1), "calendar.priority"),
    (save_calendar, calendar(daily_capacity=TOO_MUCH), "calendar.daily_capacity"),
    (save_calendar, calendar(capacity_unit=UNKNOWN), "calendar.capacity_unit"),
    (owner_of, pb.GetLocationCalendarRequest(), "owner"),
    (delete_calendar, pb.DeleteLocationCalendarRequest(), "owner"),
    (
        delete_calendar,
        pb.DeleteLocationCalendarRequest(location_id="a", etag="x" * 65),
        "etag",
    ),
]
CASES = [*CARDS, *LANES, *CALENDARS]


@each_case(CASES)
def test_a_bad_shape_is_refused_by_the_path_of_its_field(
    read: Callable[[Any], object], message: object, path: str
) -> None:
    expect_bad(read, message, path)
