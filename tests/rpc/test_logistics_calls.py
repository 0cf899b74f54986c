"""LogisticsService over the wire: saved, read, listed, removed, and refused with a hole."""

import grpc

from domgrpc.v1 import logistics_pb2 as pb
from domgrpc.v1.location_pb2 import LocationType
from domgrpc.v1.types_pb2 import DeliveryMethod
from tests.rpc.serving import Field, Shop, refusal

HOME = DeliveryMethod.DELIVERY_METHOD_SHIP_TO_HOME
STORE = LocationType.LOCATION_TYPE_STORE
HOURS = [
    pb.OpeningHours(weekday=word, open_minute=480, close_minute=1_200)
    for word in pb.Weekday.keys()[1:]
]


def card(service_id: str = "ground", **fields: Field) -> pb.RateCard:
    fields.setdefault("delivery_methods", [HOME])
    fields.setdefault("zone_rates", [pb.ZoneRate(zone=1, package_micros=5_000_000)])
    return pb.RateCard(service_id=service_id, **fields)


async def save_card(shop: Shop, rate_card: pb.RateCard, etag: str = "") -> pb.RateCard:
    return await shop.logistics.SaveRateCard(
        pb.SaveRateCardRequest(request_id=shop.key(), rate_card=rate_card, etag=etag)
    )


async def save_lane(shop: Shop, lane: pb.Lane) -> pb.Lane:
    return await shop.logistics.SaveLane(pb.SaveLaneRequest(request_id=shop.key(), lane=lane))


async def save_calendar(shop: Shop, **fields: Field) -> pb.LocationCalendar:
    fields.setdefault("opening_hours", HOURS)
    return await shop.logistics.SaveLocationCalendar(
        pb.SaveLocationCalendarRequest(
            request_id=shop.key(), calendar=pb.LocationCalendar(**fields)
        )
    )


async def test_a_rate_card_comes_back_as_it_was_saved(shop: Shop) -> None:
    steps = [pb.WeightStep(grams_max=500, micros=1), pb.WeightStep(grams_max=9_000, micros=2)]
    rates = [
        pb.ZoneRate(
            zone=zone,
            package_micros=1,
            unit_micros=2,
            kilogram_micros=3,
            unit_mile_micros=4,
            weight_steps=steps,
        )
        for zone in (1, 2)
    ]
    sent = card(
        display_name="Ground",
        delivery_methods=[DeliveryMethod.DELIVERY_METHOD_DROP_SHIP, HOME],
        zone_rates=rates,
        surcharges=[
            pb.Surcharge(name="home", basis_points=9, package_micros=8, residential_only=True)
        ],
        origin_types=[STORE, STORE],
        package_grams_max=9_000,
        distance_meters_max=70_000,
    )
    saved = await save_card(shop, sent)
    assert list(saved.delivery_methods) == [HOME, DeliveryMethod.DELIVERY_METHOD_DROP_SHIP]
    assert list(saved.origin_types) == [STORE]
    for name in (
        "display_name",
        "zone_rates",
        "surcharges",
        "package_grams_max",
        "distance_meters_max",
    ):
        assert getattr(saved, name) == getattr(sent, name)
    request = pb.GetRateCardRequest(service_id="ground", min_revision=saved.revision)
    assert await shop.logistics.GetRateCard(request) == saved
    stale = await refusal(save_card(shop, card(), etag="7"))
    assert stale.reason == "ETAG_MISMATCH"
    assert (await save_card(shop, card(), etag=saved.etag)).display_name == ""


async def test_a_rate_card_with_a_hole_is_refused_by_its_field(shop: Shop) -> None:
    refused = await refusal(save_card(shop, card(zone_rates=[pb.ZoneRate(zone=2)])))
    assert (refused.code, refused.reason) == (
        grpc.StatusCode.INVALID_ARGUMENT,
        "RATE_CARD_INVALID",
    )
    assert refused.field == "rate_card.zone_rates"
    refused = await refusal(save_card(shop, card(delivery_methods=[])))
    assert refused.field == "rate_card.delivery_methods"


async def test_a_lane_gets_its_defaults_and_comes_back(shop: Shop) -> None:
    saved = await save_lane(shop, pb.Lane(service_id="ground", transit_days=[1, 2, 3]))
    assert list(saved.delivery_weekdays) == [1, 2, 3, 4, 5]
    assert saved.deliver_by_minute == 1_200
    every_day = pb.Lane(
        service_id="van",
        transit_days=[0],
        calendar_days=True,
        deliver_by_minute=0,
        holidays=pb.HolidayRegion(country="DE", subdivision="BY"),
    )
    saved = await save_lane(shop, every_day)
    assert list(saved.delivery_weekdays) == [1, 2, 3, 4, 5, 6, 7]
    assert (saved.deliver_by_minute, saved.holidays) == (0, every_day.holidays)
    assert await shop.logistics.GetLane(pb.GetLaneRequest(service_id="van")) == saved
    refused = await refusal(save_lane(shop, pb.Lane(service_id="x")))
    assert (refused.reason, refused.field) == ("LANE_INVALID", "lane.transit_days")


async def test_a_calendar_gets_its_defaults_and_comes_back(shop: Shop) -> None:
    await shop.add_location("a")
    saved = await save_calendar(shop, location_id="a")
    assert (saved.cut_off_minute, saved.pickup_cut_off_minute) == (840, 1_080)
    assert (saved.handling_minutes, saved.pickup_window_hours, saved.priority) == (60, 72, 100)
    assert saved.capacity_unit == pb.CAPACITY_UNIT_PACKAGES
    sent = pb.LocationCalendar(
        location_type=STORE,
        time_zone="America/New_York",
        opening_hours=HOURS[::-1],
        cut_off_minute=0,
        pickup_cut_off_minute=1_440,
        handling_minutes=0,
        lead_days=2,
        holidays=pb.HolidayRegion(country="US"),
        special_days=[
            pb.SpecialDay(date="2026-12-26"),
            pb.SpecialDay(date="2026-12-24", open_minute=480, close_minute=720),
        ],
        pickup_window_hours=24,
        package_micros=7,
        unit_micros=3,
        priority=0,
        daily_capacity=50,
        capacity_unit="CAPACITY_UNIT_UNITS",
    )
    request = pb.SaveLocationCalendarRequest(request_id=shop.key(), calendar=sent)
    saved = await shop.logistics.SaveLocationCalendar(request)
    assert list(saved.opening_hours) == HOURS
    assert [special.date for special in saved.special_days] == ["2026-12-24", "2026-12-26"]
    for field in sent.DESCRIPTOR.fields[:16]:
        if field.name not in ("opening_hours", "special_days", "location_id"):
            assert getattr(saved, field.name) == getattr(sent, field.name), field.name
    question = pb.GetLocationCalendarRequest(location_type=STORE)
    assert await shop.logistics.GetLocationCalendar(question) == saved


async def test_a_calendar_without_an_open_day_is_refused_by_its_field(shop: Shop) -> None:
    refused = await refusal(save_calendar(shop, location_type=STORE, opening_hours=[]))
    assert (refused.reason, refused.field) == ("CALENDAR_INVALID", "calendar.opening_hours")
    refused = await refusal(save_calendar(shop, location_type=STORE, time_zone="Mars"))
    assert (refused.reason, refused.field) == ("CALENDAR_INVALID", "calendar.time_zone")
    refused = await refusal(save_calendar(shop, location_id="nowhere"))
    assert refused.reason == "LOCATION_NOT_FOUND"


async def test_they_are_listed_in_order_and_removed(shop: Shop) -> None:
    await shop.add_location("a")
    for service_id in "ba":
        await save_card(shop, card(service_id))
        await save_lane(shop, pb.Lane(service_id=service_id, transit_days=[1]))
    await save_calendar(shop, location_id="a")
    await save_calendar(shop, location_type=STORE)
    calls = shop.logistics
    cards = await calls.ListRateCards(pb.ListRateCardsRequest(page_size=1))
    assert [each.service_id for each in cards.rate_cards] == ["a"]
    cards = await calls.ListRateCards(pb.ListRateCardsRequest(page_token=cards.next_page_token))
    assert [each.service_id for each in cards.rate_cards] == ["b"]
    lanes = await calls.ListLanes(pb.ListLanesRequest())
    assert [each.service_id for each in lanes.lanes] == ["a", "b"]
    first = await calls.ListLocationCalendars(pb.ListLocationCalendarsRequest(page_size=1))
    assert [each.location_type for each in first.calendars] == [STORE]
    token = first.next_page_token
    second = await calls.ListLocationCalendars(pb.ListLocationCalendarsRequest(page_token=token))
    assert [each.location_id for each in second.calendars] == ["a"]

    await calls.DeleteRateCard(pb.DeleteRateCardRequest(request_id=shop.key(), service_id="a"))
    await calls.DeleteLane(pb.DeleteLaneRequest(request_id=shop.key(), service_id="a"))
    await calls.DeleteLocationCalendar(
        pb.DeleteLocationCalendarRequest(request_id=shop.key(), location_type=STORE)
    )
    missing = await refusal(calls.GetRateCard(pb.GetRateCardRequest(service_id="a")))
    assert (missing.code, missing.reason) == (grpc.StatusCode.NOT_FOUND, "RATE_CARD_NOT_FOUND")
    missing = await refusal(calls.GetLane(pb.GetLaneRequest(service_id="a")))
    assert missing.reason == "LANE_NOT_FOUND"
    question = pb.GetLocationCalendarRequest(location_type=STORE)
    missing = await refusal(calls.GetLocationCalendar(question))
    assert (missing.reason, missing.facts["location_type"]) == ("CALENDAR_NOT_FOUND", "STORE")
