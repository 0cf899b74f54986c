"""Rate cards and lanes: kept as sent, refused with a hole in them."""

import pytest

from domgrpc.core.answers import Deleted
from domgrpc.core.carriers import (
    USUAL_LOCAL,
    USUAL_PARCEL,
    Lane,
    LaneFields,
    RateCard,
    Surcharge,
    ZoneRate,
    usual_cards,
)
from domgrpc.core.freight import Freight, freight_of, step_micros
from domgrpc.core.holiday_dates import HolidayRegion
from domgrpc.core.listings import list_lanes, list_rate_cards
from domgrpc.core.rejections import Reason
from domgrpc.core.values import DeliveryMethod, Limits, Micros, ServiceId
from tests.core.given import Shop
from tests.core.logistics_words import card, lane, no_card, no_lane, rate, rates
from tests.core.pictures import every

GROUND = ServiceId("ground")
STEPS = ((500, 1_000), (2_000, 3_000))


# --- keeping


def test_a_card_is_kept_as_it_was_sent_and_replaced_as_a_whole(shop: Shop) -> None:
    first = card("ground", rates(5, 6), grams_max=100)
    kept = shop.gives(RateCard, first)
    assert (kept.service_id, kept.fields, kept.revision) == (GROUND, first.fields, 1)
    again = shop.gives(RateCard, first)
    assert again == kept, "nothing changed"
    later = shop.later(1_000).gives(RateCard, card("ground", rates(7)))
    assert later.fields.package_grams_max == 0
    assert (later.create_time_ms, later.update_time_ms) == (kept.create_time_ms, shop.now_ms)
    assert shop.state.logistics.carriers.card(GROUND) is later


def test_a_lane_is_kept_as_it_was_sent_and_replaced_as_a_whole(shop: Shop) -> None:
    first = lane("ground", LaneFields((1, 2), holidays=HolidayRegion("US", "CA")))
    kept = shop.gives(Lane, first)
    assert (kept.service_id, kept.fields) == (GROUND, first.fields)
    assert shop.gives(Lane, first) == kept
    later = shop.later(1_000).gives(Lane, lane("ground", LaneFields((3,))))
    assert later.fields == LaneFields((3,))
    assert (later.create_time_ms, later.update_time_ms) == (kept.create_time_ms, shop.now_ms)


def test_what_is_deleted_is_gone_and_what_is_usual_holds_again(shop: Shop) -> None:
    shop.given(card("ground", rates(5)), lane("ground", LaneFields((9,))))
    carriers = shop.state.logistics.carriers
    assert [key for key, _ in carriers.serving(DeliveryMethod.SHIP_TO_HOME)] == [GROUND]
    assert carriers.timed(GROUND).transit_days == (9,)
    shop.gives(Deleted, no_card("ground"))
    shop.gives(Deleted, no_lane("ground"))
    assert [key for key, _ in carriers.serving(DeliveryMethod.SHIP_TO_HOME)] == [USUAL_PARCEL]
    assert carriers.timed(GROUND) == LaneFields()
    assert shop.refuses(no_card("ground")) is Reason.RATE_CARD_NOT_FOUND
    assert shop.refuses(no_lane("ground")) is Reason.LANE_NOT_FOUND


def test_a_saved_card_stands_in_for_the_usual_one_only_for_its_methods(shop: Shop) -> None:
    shop.given(card("van", rates(5), methods=(DeliveryMethod.LOCAL_DELIVERY,)))
    serving = shop.state.logistics.carriers.serving
    assert [key for key, _ in serving(DeliveryMethod.LOCAL_DELIVERY)] == ["van"]
    assert [key for key, _ in serving(DeliveryMethod.DROP_SHIP)] == [USUAL_PARCEL]
    assert serving(DeliveryMethod.PICKUP) == ()
    assert {key for key, _ in usual_cards()} == {USUAL_PARCEL, USUAL_LOCAL}


def test_an_etag_makes_a_change_conditional(shop: Shop) -> None:
    assert shop.refuses(card("ground", rates(5), etag="1")) is Reason.ETAG_MISMATCH
    assert shop.refuses(lane("ground", LaneFields(), etag="1")) is Reason.ETAG_MISMATCH
    etag = str(shop.gives(RateCard, card("ground", rates(5))).revision)
    assert shop.refuses(card("ground", rates(6), etag="1")) is Reason.ETAG_MISMATCH
    assert shop.refuses(no_card("ground", etag="1")) is Reason.ETAG_MISMATCH
    shop.given(card("ground", rates(6), etag=etag))
    etag = str(shop.gives(Lane, lane("ground", LaneFields((1,)))).revision)
    assert shop.refuses(lane("ground", LaneFields((2,)), etag="1")) is Reason.ETAG_MISMATCH
    assert shop.refuses(no_lane("ground", etag="1")) is Reason.ETAG_MISMATCH
    shop.given(no_lane("ground", etag=etag))


def test_only_so_many_are_kept() -> None:
    shop = Shop(Limits(rate_cards_max=1, lanes_max=1))
    shop.given(card("a", rates(5)), lane("a", LaneFields()))
    assert shop.refuses(card("b", rates(5))) is Reason.CAPACITY_EXCEEDED
    assert shop.refuses(lane("b", LaneFields())) is Reason.CAPACITY_EXCEEDED
    shop.given(card("a", rates(6)), lane("a", LaneFields((2,))))


def test_they_are_listed_by_service(shop: Shop) -> None:
    for service in "cab":
        shop.given(card(service, rates(5)), lane(service, LaneFields()))
    cards = every(lambda at: list_rate_cards(shop.state, at, 2), "")
    lanes = every(lambda at: list_lanes(shop.state, at, 2), "")
    assert [each.service_id for each in cards] == [each.service_id for each in lanes]
    assert [each.service_id for each in cards] == ["a", "b", "c"]


# --- holes


@pytest.mark.parametrize(
    ("zone_rates", "said"),
    [
        ((), "the zones []"),
        ((rate(2, 5),), "the zones [2]"),
        ((rate(1, 5), rate(3, 5)), "the zones [1, 3]"),
        ((rate(1, 5), rate(1, 5)), "the zones [1, 1]"),
        (rates(*range(9)), "8, 9]"),
        ((rate(1, steps=STEPS), rate(2)), "[] grams in zone 2 but of [500, 2000] grams in zone 1"),
        ((rate(1, steps=STEPS), rate(2, steps=STEPS[:1])), "[500] grams in zone 2"),
        ((rate(1, steps=STEPS[::-1]),), "do not rise: [2000, 500]"),
        ((rate(1, steps=((500, 1), (500, 2))),), "do not rise: [500, 500]"),
        ((rate(1, steps=((0, 1),)),), "do not rise: [0]"),
    ],
)
def test_a_card_with_a_hole_is_refused_by_name(
    shop: Shop, zone_rates: tuple[ZoneRate, ...], said: str
) -> None:
    refusal = shop.refusal(card("ground", zone_rates))
    assert refusal.reason is Reason.RATE_CARD_INVALID
    assert refusal.facts == {"field": "zone_rates"}
    assert said in refusal.message
    assert "'ground'" in refusal.message


def test_weight_steps_reach_the_cap(shop: Shop) -> None:
    steps = (rate(1, steps=STEPS),)
    refusal = shop.refusal(card("ground", steps, grams_max=2_001))
    assert "2001 grams, but its weight steps end at 2000" in refusal.message
    shop.given(card("ground", steps, grams_max=2_000))


def test_a_card_serves_something(shop: Shop) -> None:
    refusal = shop.refusal(card("ground", rates(5), methods=()))
    assert (refusal.reason, refusal.facts["field"]) == (
        Reason.RATE_CARD_INVALID,
        "delivery_methods",
    )


@pytest.mark.parametrize(
    ("fields", "field", "said"),
    [
        (LaneFields(()), "transit_days", "for 0 zones"),
        (LaneFields((1,) * 9), "transit_days", "for 9 zones"),
        (LaneFields(delivery_weekdays=()), "delivery_weekdays", "on no weekday"),
        (LaneFields(holidays=HolidayRegion("XX")), "holidays", "the unknown country 'XX'"),
        (LaneFields(holidays=HolidayRegion("US", "YY")), "holidays", "subdivision 'YY'"),
        (LaneFields(holidays=HolidayRegion("", "CA")), "holidays", "without its country"),
    ],
)
def test_a_lane_that_leads_nowhere_is_refused(
    shop: Shop, fields: LaneFields, field: str, said: str
) -> None:
    refusal = shop.refusal(lane("ground", fields))
    assert (refusal.reason, refusal.facts) == (Reason.LANE_INVALID, {"field": field})
    assert said in refusal.message


# --- prices


def test_surcharges_raise_every_part_and_add_their_own() -> None:
    fields = card(
        "ground",
        (rate(1, 1_000, unit=100, kilogram=10, mile=5, steps=((500, 333),)),),
        surcharges=(
            Surcharge("fuel", basis_points=1_000),
            Surcharge("porch", 500, Micros(7), residential_only=True),
        ),
    ).fields
    assert freight_of(fields, 1, is_residential=False) == Freight(1_100, 110, 11, 6, ((500, 366),))
    assert freight_of(fields, 1, is_residential=True) == Freight(1_157, 115, 12, 6, ((500, 383),))


def test_a_parcel_costs_its_parts_together() -> None:
    freight = Freight(1_000, 100, 10, 3, STEPS)
    assert freight.of_one_unit(1_500, 1_609_344) == 1_000 + 100 + 15 + 3_000 + 3_000
    assert Freight().of_one_unit(1_500, 1_609_344) == 0


def test_what_is_heavier_than_all_steps_fills_several_packages() -> None:
    assert [step_micros(STEPS, grams) for grams in (0, 1, 500, 501, 2_000)] == [
        0,
        1_000,
        1_000,
        3_000,
        3_000,
    ]
    assert step_micros(STEPS, 4_000) == 6_000
    assert step_micros(STEPS, 4_001) == 7_000
    assert step_micros((), 4_001) == 0
