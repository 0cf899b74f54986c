"""What a journey takes from every location: examples, and a naive model of everything."""

from typing import Any

import pytest

from domgrpc.core.carriers import LaneFields, Surcharge
from domgrpc.core.freight import mile_micros
from domgrpc.core.journeys import UNREACHABLE_MICROS, Journey, TransportTable
from domgrpc.core.values import (
    MICROS_MAX,
    DeliveryMethod,
    LocationIndex,
    LocationType,
    Micros,
)
from domgrpc.core.zones import metres
from tests.core.commands import place, point
from tests.core.given import Shop
from tests.core.logistics_words import (
    BERLIN,
    HOME,
    NEW_YORK,
    WORKDAYS,
    at,
    calendar,
    card,
    changed,
    every_day,
    lane,
    local,
    no_calendar,
    no_lane,
    rate,
    rates,
    schedule,
)

PICKUP = DeliveryMethod.PICKUP
TO_STORE = DeliveryMethod.SHIP_TO_STORE
LOCAL = DeliveryMethod.LOCAL_DELIVERY
DROP_SHIP = DeliveryMethod.DROP_SHIP
STORE = LocationType.STORE
HARTFORD = (41.764, -72.685)
NOON = "2026-06-10 12:00"
"""A Wednesday."""


@pytest.fixture
def stores(shop: Shop) -> Shop:
    """New York, Chicago, Los Angeles and a store without coordinates; New York's time for all."""
    return shop.at(at(NOON, NEW_YORK)).given(
        place("new-york", at=(40.713, -74.006)),
        place("chicago", at=(41.878, -87.630)),
        place("los-angeles", at=(34.052, -118.244)),
        place("somewhere"),
        calendar(STORE, schedule(NEW_YORK)),
    )


def taken(shop: Shop, journey: Journey, *, only: tuple[int, ...] | None = None) -> TransportTable:
    """Return the table of a journey."""
    locations = shop.state.network.locations
    indexes = None if only is None else [LocationIndex(index) for index in only]
    return shop.state.logistics.table(locations, journey, shop.now_ms, only=indexes)


def home(method: DeliveryMethod = HOME, **how: Any) -> Journey:  # noqa: ANN401 - fields as they are
    """Return a journey to a customer in Hartford."""
    return Journey(method, point(*HARTFORD), **how)


def clocks(times_ms: "Any") -> list[str]:  # noqa: ANN401 - an array
    """Return what clocks in New York show at each time, a dash for never."""
    return [local(each, NEW_YORK) if each >= 0 else "-" for each in times_ms]


# --- prices


def test_without_any_card_parcels_cost_what_is_usual(stores: Shop) -> None:
    table = taken(stores, home())
    assert list(table.zone) == [2, 5, 8, 0]
    miles = [each / 1_609.344 for each in table.distance_m[:3]]
    assert [round(each) for each in miles] == [100, 769, 2_510]
    assert list(table.package_micros[:3]) == [8_760_000] * 3
    expected = [round(420_000 + 540 * each) for each in miles]
    assert list(table.unit_micros[:3]) == expected
    assert list(table.distance_m[3:]) == [-1]
    assert (table.package_micros[3], table.unit_micros[3]) == (UNREACHABLE_MICROS,) * 2
    assert set(table.card) == {-1}
    assert [each.service_id for each in table.services] == ["usual-parcel"]


def test_a_saved_card_is_what_parcels_cost(stores: Shop) -> None:
    steps = ((500, 1_000), (2_000, 3_000))
    stores.given(
        card(
            "ground",
            tuple(
                rate(zone, zone * 100, unit=zone, kilogram=9, steps=steps) for zone in range(1, 9)
            ),
            surcharges=(
                Surcharge("fuel", 1_000),
                Surcharge("home", 0, Micros(50), residential_only=True),
            ),
            grams_max=2_000,
        ),
        changed(
            calendar("chicago", schedule(NEW_YORK)), package_micros=Micros(7), unit_micros=Micros(2)
        ),
    )
    table = taken(stores, home())
    assert list(table.package_micros[:3]) == [220, 550 + 7, 880]
    assert list(table.unit_micros[:3]) == [2, 6 + 2, 9], "to the nearest micro"
    assert list(table.kilogram_micros) == [10, 10, 10, 0]
    assert [table.cards[each] if each >= 0 else () for each in table.card] == [
        ((500, 1_100), (2_000, 3_300)),
    ] * 3 + [()]
    assert table.services[table.service[0]] == table.services[0]
    assert (table.services[0].service_id, table.services[0].package_grams_max) == ("ground", 2_000)
    at_home = taken(stores, home(is_residential=True))
    assert list(at_home.package_micros[:3]) == [270, 607, 930]


def test_a_card_reaches_as_far_as_its_zones_and_its_bound_and_starts_where_it_may(
    stores: Shop,
) -> None:
    stores.given(
        card("near", rates(1, 1), metres_max=metres(101)),
        card("far", rates(*range(2, 8)), origin_types=(STORE,)),
        card("hub", rates(*range(8)), origin_types=(LocationType.HUB,)),
    )
    table = taken(stores, home())
    names = [table.services[each].service_id if each >= 0 else "" for each in table.service]
    assert names == ["near", "far", "", ""]


def test_the_cheapest_service_is_chosen_or_the_fastest(stores: Shop) -> None:
    stores.given(
        card("air", rates(*[9_000] * 8)),
        lane("air", every_day(*[1] * 8)),
        card("ground", rates(*[4_000] * 8)),
        card("mile", tuple(rate(zone, 0, mile=10) for zone in range(1, 9))),
    )
    cheapest = taken(stores, home())
    assert [cheapest.services[each].service_id for each in cheapest.service[:3]] == [
        "mile",
        "ground",
        "ground",
    ], "up to 400 miles the way is cheaper"
    fastest = taken(stores, home(prefers_fastest=True))
    assert [fastest.services[each].service_id for each in fastest.service[:3]] == [
        "mile",
        "air",
        "air",
    ], "of two that are as fast the cheaper one"


def test_the_weight_of_the_parcel_decides_between_services(stores: Shop) -> None:
    stores.given(
        card("by-kilogram", tuple(rate(zone, 0, kilogram=1_000) for zone in range(1, 9))),
        card("flat", rates(*[5_000] * 8)),
    )
    light, heavy = (taken(stores, home(reference_grams=grams)) for grams in (4_000, 6_000))
    assert {light.services[each].service_id for each in light.service[:3]} == {"by-kilogram"}
    assert {heavy.services[each].service_id for each in heavy.service[:3]} == {"flat"}


# --- dates


def test_parcels_leave_by_closing_and_arrive_by_zone(stores: Shop) -> None:
    table = taken(stores, home())
    assert clocks(table.ship_by_ms) == ["2026-06-10 20:00"] * 3 + ["-"]
    assert clocks(table.deliver_by_ms) == [
        "2026-06-11 20:00",
        "2026-06-15 20:00",
        "2026-06-17 20:00",
        "-",
    ]
    assert table.ship_day[0] == stores.now_ms // 86_400_000


def test_arrival_is_an_evening_where_the_customer_lives(stores: Shop) -> None:
    table = taken(stores, home(time_zone=BERLIN))
    assert local(table.deliver_by_ms[0], BERLIN) == "2026-06-11 20:00"


def test_after_the_cut_off_a_day_is_lost_and_the_table_says_until_when_it_holds(
    stores: Shop,
) -> None:
    early = taken(stores, home())
    assert local(early.valid_until_ms, NEW_YORK) == "2026-06-10 14:00"
    stores.at(early.valid_until_ms - 1)
    assert taken(stores, home()) is early
    late = taken(stores.later(1), home())
    assert late is not early
    assert clocks(late.ship_by_ms[:3]) == ["2026-06-11 20:00"] * 3
    assert clocks(late.deliver_by_ms[:1]) == ["2026-06-12 20:00"]


def test_a_location_that_never_opens_again_sends_nothing(stores: Shop) -> None:
    stores.given(
        calendar("chicago", schedule(weekdays=(), special=(("2026-06-10", 8, 20),))),
    ).at(at("2026-06-11 12:00"))
    table = taken(stores, home())
    assert [each >= 0 for each in table.deliver_by_ms] == [True, False, True, False]
    assert local(table.valid_until_ms) == "2026-06-11 18:00"


# --- ways to the customer


def test_whoever_collects_pays_for_the_handling_alone(stores: Shop) -> None:
    stores.given(changed(calendar("chicago", schedule(NEW_YORK)), package_micros=Micros(7)))
    table = taken(stores, home(PICKUP))
    assert list(table.package_micros) == [0, 7, 0, 0]
    assert list(table.unit_micros) == [0] * 4
    assert clocks(table.deliver_by_ms) == ["2026-06-10 12:00"] * 4
    assert list(table.zone) == [0] * 4
    assert table.distance_m[0] < table.distance_m[1] < table.distance_m[2]
    assert taken(stores, Journey(PICKUP)).distance_m[0] == -1


def test_a_customer_collects_at_the_store_that_was_named(stores: Shop) -> None:
    table = taken(stores, Journey(PICKUP, LocationIndex(3)))
    assert [each >= 0 for each in table.deliver_by_ms] == [False, False, False, True]


def test_collection_has_a_cut_off_of_its_own(stores: Shop) -> None:
    stores.given(no_calendar(STORE)).at(at("2026-06-10 19:30"))
    table = taken(stores, home(PICKUP))
    assert clocks(table.deliver_by_ms[:2]) == ["2026-06-10 16:30"] * 2
    shipped = taken(stores, home())
    assert clocks(shipped.ship_by_ms[:2]) == ["2026-06-11 21:00", "2026-06-10 22:00"]


def test_goods_that_are_shipped_to_a_store_wait_for_its_opening(stores: Shop) -> None:
    stores.given(calendar("new-york", schedule(NEW_YORK, weekdays=WORKDAYS, hours=(9, 18))))
    table = taken(stores, Journey(TO_STORE, LocationIndex(0)))
    assert clocks(table.deliver_by_ms) == [
        "2026-06-10 12:00",
        "2026-06-16 09:00",
        "2026-06-18 09:00",
        "-",
    ]
    assert table.package_micros[0] == 0, "what is there already is not sent"
    nowhere = taken(stores, Journey(TO_STORE, LocationIndex(3)))
    assert [each >= 0 for each in nowhere.deliver_by_ms] == [False, False, False, True]


def test_local_delivery_goes_fifteen_miles_and_comes_the_same_day(stores: Shop) -> None:
    def near(latitude: float) -> TransportTable:
        return taken(stores, Journey(LOCAL, point(latitude, -74.006)))

    assert clocks(near(40.93).deliver_by_ms) == ["2026-06-10 20:00", "-", "-", "-"]
    assert near(40.93).package_micros[0] == 6_000_000
    assert clocks(near(40.94).deliver_by_ms) == ["-"] * 4


def test_a_supplier_needs_two_open_days_before_it_ships(shop: Shop) -> None:
    shop.at(at(NOON)).given(place("maker", LocationType.SUPPLIER, at=(51.5, -0.1)))
    table = taken(shop, Journey(DROP_SHIP, point(51.6, -0.1)))
    assert local(table.ship_by_ms[0]) == "2026-06-12 20:00"
    assert local(table.deliver_by_ms[0]) == "2026-06-15 20:00"


def test_without_a_place_to_go_to_nothing_is_shipped(stores: Shop) -> None:
    assert set(taken(stores, Journey(HOME)).deliver_by_ms) == {-1}
    assert set(taken(stores, Journey(DeliveryMethod.UNSPECIFIED)).deliver_by_ms) == {-1}


def test_a_shop_without_locations_has_an_empty_table(shop: Shop) -> None:
    table = taken(shop, home())
    assert len(table.indexes) == len(table.package_micros) == 0


# --- what is kept


def test_a_known_journey_is_looked_up_until_something_changes(stores: Shop) -> None:
    journey = home()
    seen = [taken(stores, journey)]
    for change in (
        card("ground", rates(*[1] * 8)),
        lane("ground", LaneFields((1,) * 8)),
        no_lane("ground"),
        calendar("chicago", schedule(cut_off=10)),
        no_calendar("chicago"),
        place("more"),
        place("placed", at=HARTFORD),
    ):
        assert taken(stores, journey) is seen[-1]
        seen.append(taken(stores.given(change), journey))
        assert all(seen[-1] is not each for each in seen[:-1])
    assert stores.state.logistics.version == 6


def test_some_locations_have_the_same_figures_as_among_all(stores: Shop) -> None:
    stores.given(
        changed(calendar("chicago", schedule(NEW_YORK)), package_micros=Micros(7), priority=3)
    )
    for journey in (home(), home(PICKUP), Journey(TO_STORE, LocationIndex(1)), Journey(HOME)):
        full, some = taken(stores, journey), taken(stores, journey, only=(3, 1))
        assert list(some.indexes) == [3, 1]
        for name in (
            "package_micros",
            "unit_micros",
            "zone",
            "distance_m",
            "deliver_by_ms",
            "priority",
        ):
            column = getattr(full, name)
            assert list(getattr(some, name)) == [column[3], column[1]]
        assert some.valid_until_ms == full.valid_until_ms


def test_a_location_that_is_asked_about_late_has_had_its_cut_off(stores: Shop) -> None:
    stores.given(calendar("chicago", schedule(NEW_YORK, cut_off=19)))
    assert clocks(taken(stores, home(), only=(1,)).ship_by_ms) == ["2026-06-10 20:00"]
    stores.at(at("2026-06-10 15:00", NEW_YORK))
    late = taken(stores, home(), only=(0, 1))
    assert clocks(late.ship_by_ms) == ["2026-06-11 20:00", "2026-06-10 20:00"]
    assert late.valid_until_ms > stores.now_ms


def test_the_views_that_are_kept_are_bounded(stores: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("domgrpc.core.logistics._ROWS_KEPT_MAX", 12)
    monkeypatch.setattr("domgrpc.core.logistics._OFFERS_KEPT_MAX", 12)
    journeys = [home(reference_grams=grams) for grams in range(5)]
    kept = [taken(stores, journey) for journey in journeys]
    stores.state.check_invariants()
    assert taken(stores, journeys[4]) is kept[4]
    assert taken(stores, journeys[2]) is kept[2]
    assert taken(stores, journeys[0]) is not kept[0]
    assert taken(stores, journeys[3]) is not kept[3], "the least recently used went first"
    for number in range(40):
        taken(stores, Journey(HOME, point(40, -number)))
    stores.state.check_invariants()


def test_a_price_by_the_mile_beyond_64_bits_is_the_same_for_many_locations() -> None:
    shop = Shop(steps_per_check=10_000)
    shop.given(*(place(f"p{number}", at=(30 + number / 50, -90.0)) for number in range(300)))
    shop.given(card("gold", tuple(rate(zone, 1, mile=MICROS_MAX) for zone in range(1, 9))))
    locations = shop.state.network.locations
    journey = Journey(HOME, point(*HARTFORD))
    table = shop.state.logistics.table(locations, journey, shop.now_ms)
    assert list(table.unit_micros) == [
        mile_micros(MICROS_MAX, distance_m) for distance_m in table.distance_m
    ]
