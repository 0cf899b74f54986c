"""Locations: created once, changed by fields, switched off for a window."""

import msgspec
import pytest

from domgrpc.core.locations import (
    USUAL_DELIVERY_METHODS,
    CreateLocation,
    Location,
    LocationFields,
    UpdateLocation,
)
from domgrpc.core.rejections import Reason
from domgrpc.core.values import (
    FOREVER_MS,
    DeliveryMethod,
    Limits,
    LocationId,
    LocationType,
)
from tests.core.commands import demand, disable, enable, on_hand, place, point
from tests.core.given import NOON_MS, Shop

METHODS = [method for method in DeliveryMethod if method]
CAN = {
    LocationType.DISTRIBUTION_CENTER: {"SHIP_TO_HOME", "SHIP_TO_STORE"},
    LocationType.STORE: {
        "SHIP_TO_HOME",
        "PICKUP",
        "CURBSIDE",
        "SHIP_TO_STORE",
        "LOCAL_DELIVERY",
    },
    LocationType.SUPPLIER: {"DROP_SHIP"},
    LocationType.HUB: {"SHIP_TO_STORE"},
    LocationType.RETURN_CENTER: set(),
    LocationType.VIRTUAL: {"SHIP_TO_HOME"},
}


def update(location_id: str, *, etag: str = "", allow_missing: bool = False) -> UpdateLocation:
    """Rename a location, which is the smallest change."""
    return UpdateLocation(
        location_id=LocationId(location_id),
        fields=LocationFields(display_name="Main street", type=LocationType.STORE),
        etag=etag,
        allow_missing=allow_missing,
    )


def test_a_new_location_is_as_its_creator_said_and_enabled(shop: Shop) -> None:
    made = shop.gives(Location, place("A", LocationType.HUB, at=(40.7128, -74.006)))
    assert made.location_id == "A"
    assert made.type is LocationType.HUB
    assert made.point == point(40.7128, -74.006)
    assert not made.backorder_enabled
    assert made.disabled_window is None
    assert made.create_time_ms == made.update_time_ms == NOON_MS
    assert made.revision == 1


@pytest.mark.parametrize("kind", [kind for kind in LocationType if kind])
def test_a_location_can_do_what_is_usual_for_its_type_unless_told_otherwise(
    shop: Shop, kind: LocationType
) -> None:
    made = shop.gives(Location, place("A", kind))
    assert {method.name for method in made.delivery_methods} == CAN[kind]
    assert made.delivery_methods == USUAL_DELIVERY_METHODS[kind]
    shop.given(on_hand("x", A=5))
    served = {method.name for method in METHODS if shop.atf("x", demand=demand(method=method)) == 5}
    assert served == CAN[kind]


def test_a_location_does_only_the_methods_that_its_creator_named(shop: Shop) -> None:
    shop.given(place("A", methods=(DeliveryMethod.CURBSIDE,)), on_hand("x", A=5))
    assert shop.atf("x", demand=demand(method=DeliveryMethod.CURBSIDE)) == 5
    assert shop.atf("x", demand=demand(method=DeliveryMethod.PICKUP)) == 0
    assert shop.atf("x") == 5


def test_creating_the_same_location_again_changes_nothing(shop: Shop) -> None:
    first = shop.gives(Location, place("A", at=(1.0, 2.0)))
    shop.later(1000)
    again = shop.gives(Location, place("A", at=(1.0, 2.0)))
    assert again == first


def test_creating_the_same_location_again_is_no_news_even_while_it_is_disabled(shop: Shop) -> None:
    shop.given(place("A"))
    off = shop.gives(Location, disable("A"))
    assert shop.gives(Location, place("A")) == off


def test_an_id_is_taken_once_its_location_has_other_content(shop: Shop) -> None:
    shop.given(place("A"))
    assert shop.refuses(place("A", LocationType.HUB)) is Reason.LOCATION_ID_TAKEN
    assert shop.refuses(place("A", at=(1.0, 1.0))) is Reason.LOCATION_ID_TAKEN
    assert shop.refuses(place("A", backorder=True)) is Reason.LOCATION_ID_TAKEN


def test_location_ids_tell_upper_from_lower_case(shop: Shop) -> None:
    shop.given(place("a"), place("A", LocationType.HUB))
    assert shop.gives(Location, enable("A")).type is LocationType.HUB


def test_an_update_changes_the_given_fields_and_leaves_the_others(shop: Shop) -> None:
    made = shop.gives(Location, place("A", at=(1.0, 2.0), backorder=True))
    shop.later(5000)
    changed = shop.gives(Location, update("A"))
    assert changed == msgspec.structs.replace(
        made, display_name="Main street", update_time_ms=NOON_MS + 5000, revision=2
    )


def test_an_update_that_changes_nothing_keeps_the_etag(shop: Shop) -> None:
    shop.given(place("A"))
    first = shop.gives(Location, update("A"))
    shop.later(5000)
    assert shop.gives(Location, update("A")) == first


def test_an_update_can_take_the_point_away(shop: Shop) -> None:
    shop.given(place("A", at=(1.0, 2.0)))
    fields = LocationFields(clear_point=True)
    changed = shop.gives(Location, UpdateLocation(location_id=LocationId("A"), fields=fields))
    assert changed.point is None


def test_an_update_can_take_every_delivery_method_away(shop: Shop) -> None:
    shop.given(place("A"), on_hand("x", A=5))
    fields = LocationFields(delivery_methods=())
    changed = shop.gives(Location, UpdateLocation(location_id=LocationId("A"), fields=fields))
    assert changed.delivery_methods == ()
    assert shop.atf("x") == 0


def test_an_update_of_the_methods_counts_at_once(shop: Shop) -> None:
    shop.given(place("A"), on_hand("x", A=5))
    pickup = demand(method=DeliveryMethod.PICKUP)
    assert shop.atf("x", demand=pickup) == 5
    fields = LocationFields(delivery_methods=(DeliveryMethod.SHIP_TO_HOME,))
    shop.given(UpdateLocation(location_id=LocationId("A"), fields=fields))
    assert shop.atf("x", demand=pickup) == 0


def test_an_update_with_the_current_etag_is_applied_and_with_a_stale_one_refused(
    shop: Shop,
) -> None:
    made = shop.gives(Location, place("A"))
    changed = shop.gives(Location, update("A", etag=str(made.revision)))
    stale = shop.refusal(update("A", etag=str(made.revision)))
    assert stale.reason is Reason.ETAG_MISMATCH
    assert stale.facts["etag"] == str(changed.revision)


def test_an_etag_of_a_location_that_does_not_exist_is_refused(shop: Shop) -> None:
    refusal = shop.refusal(update("A", etag="7", allow_missing=True))
    assert refusal.reason is Reason.ETAG_MISMATCH
    assert refusal.facts["expected_etag"] == "7"


def test_an_unknown_location_is_created_by_an_update_that_allows_it(shop: Shop) -> None:
    assert shop.refuses(update("A")) is Reason.LOCATION_NOT_FOUND
    made = shop.gives(Location, update("A", allow_missing=True))
    assert made.display_name == "Main street"
    assert made.create_time_ms == NOON_MS
    again = shop.gives(Location, update("A", allow_missing=True))
    assert again == made


@pytest.mark.parametrize("kind", [None, LocationType.UNSPECIFIED])
def test_no_location_comes_into_being_without_a_type(shop: Shop, kind: LocationType | None) -> None:
    fields = LocationFields(display_name="Main street", type=kind)
    create = CreateLocation(location_id=LocationId("A"), fields=fields)
    assert shop.refuses(create) is Reason.LOCATION_TYPE_MISSING
    change = UpdateLocation(location_id=LocationId("A"), fields=fields, allow_missing=True)
    assert shop.refuses(change) is Reason.LOCATION_TYPE_MISSING


def test_an_update_that_might_have_created_needs_no_type_and_takes_none_away(shop: Shop) -> None:
    shop.given(place("A", LocationType.HUB))
    fields = LocationFields(display_name="Main street")
    change = UpdateLocation(location_id=LocationId("A"), fields=fields, allow_missing=True)
    changed = shop.gives(Location, change)
    assert (changed.display_name, changed.type) == ("Main street", LocationType.HUB)
    fields = LocationFields(type=LocationType.UNSPECIFIED)
    untyped = UpdateLocation(location_id=LocationId("A"), fields=fields)
    assert shop.refuses(untyped) is Reason.LOCATION_TYPE_MISSING


def test_the_number_of_locations_is_bounded() -> None:
    shop = Shop(Limits(locations_max=2)).given(place("A"), place("B"))
    full = shop.refusal(place("C"))
    assert full.reason is Reason.CAPACITY_EXCEEDED
    assert shop.refuses(update("C", allow_missing=True)) is Reason.CAPACITY_EXCEEDED
    shop.given(place("B"), update("A", allow_missing=True))


# --- state


def test_disabling_counts_from_the_moment_of_the_call_and_until_enabled(shop: Shop) -> None:
    shop.given(place("A"), on_hand("x", A=5))
    off = shop.gives(Location, disable("A", reason="flood"))
    window = off.disabled_window
    assert window is not None
    assert (window.reason, window.start_time_ms, window.end_time_ms) == (
        "flood",
        NOON_MS,
        FOREVER_MS,
    )
    assert shop.atf("x") == 0
    shop.later(10**10)
    assert shop.atf("x") == 0
    assert shop.gives(Location, enable("A")).disabled_window is None
    assert shop.atf("x") == 5


def test_a_window_holds_from_its_start_to_before_its_end_to_the_millisecond(shop: Shop) -> None:
    shop.given(place("A"), on_hand("x", A=5))
    shop.given(disable("A", start_ms=NOON_MS + 1000, end_ms=NOON_MS + 2000))
    seen = [(ms, shop.at(NOON_MS + ms).atf("x")) for ms in (0, 999, 1000, 1999, 2000, 2001)]
    assert seen == [(0, 5), (999, 5), (1000, 0), (1999, 0), (2000, 5), (2001, 5)]


def test_a_window_in_the_past_has_no_effect(shop: Shop) -> None:
    shop.given(place("A"), on_hand("x", A=5))
    shop.given(disable("A", start_ms=NOON_MS - 1000, end_ms=NOON_MS))
    assert shop.atf("x") == 5


def test_a_location_is_not_disabled_from_now_until_a_time_that_is_over(shop: Shop) -> None:
    shop.given(place("A"), on_hand("x", A=5))
    for end_ms in (NOON_MS - 1000, NOON_MS):
        refusal = shop.refusal(disable("A", end_ms=end_ms))
        assert refusal.reason is Reason.WINDOW_OVER
        assert refusal.facts["end_time_ms"] == str(end_ms)
    shop.given(disable("A", end_ms=NOON_MS + 1))
    assert shop.atf("x") == 0


def test_a_window_that_began_in_the_past_holds_at_once(shop: Shop) -> None:
    shop.given(place("A"), on_hand("x", A=5))
    shop.given(disable("A", start_ms=NOON_MS - 1000, end_ms=NOON_MS + 1))
    assert shop.atf("x") == 0
    assert shop.later(1).atf("x") == 5


def test_a_new_window_takes_the_place_of_the_old_one(shop: Shop) -> None:
    shop.given(place("A"), on_hand("x", A=5), disable("A"))
    shop.given(disable("A", start_ms=NOON_MS + 1000))
    assert shop.atf("x") == 5
    assert shop.later(1000).atf("x") == 0


def test_disabling_leaves_the_stock_and_the_holds_where_they_are(shop: Shop) -> None:
    from_before = shop.given(place("A"), on_hand("x", A=5)).position("x", "A")
    shop.given(disable("A"))
    assert shop.position("x", "A") == from_before


def test_setting_the_state_that_is_changes_nothing(shop: Shop) -> None:
    made = shop.gives(Location, place("A"))
    assert shop.gives(Location, enable("A")) == made
    off = shop.gives(Location, disable("A", start_ms=NOON_MS))
    shop.later(1000)
    assert shop.gives(Location, disable("A", start_ms=NOON_MS)) == off


def test_setting_the_state_of_an_unknown_location_or_a_changed_one_is_refused(shop: Shop) -> None:
    assert shop.refuses(disable("A")) is Reason.LOCATION_NOT_FOUND
    shop.given(place("A"), update("A"))
    stale = msgspec.structs.replace(disable("A"), etag="2")
    assert shop.refuses(stale) is Reason.ETAG_MISMATCH
    shop.given(msgspec.structs.replace(disable("A"), etag="3"))


def test_the_etag_of_a_location_changes_with_its_state(shop: Shop) -> None:
    made = shop.gives(Location, place("A"))
    off = shop.gives(Location, disable("A"))
    assert off.revision > made.revision


def test_a_location_without_fields_is_plain(shop: Shop) -> None:
    bare = CreateLocation(
        location_id=LocationId("A"), fields=LocationFields(type=LocationType.VIRTUAL)
    )
    made = shop.gives(Location, bare)
    assert (made.display_name, made.point, made.backorder_enabled) == ("", None, False)
