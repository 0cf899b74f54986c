"""LocationService over the wire: locations, their state, and groups."""

import grpc
import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc import error_details_pb2

from domgrpc.core.locations import USUAL_DELIVERY_METHODS
from domgrpc.v1 import inventory_pb2, location_pb2, types_pb2
from domgrpc.v1.types_pb2 import Point
from tests.rpc.serving import NOON_MS, Field, Shop, refusal

NOON = Timestamp(seconds=NOON_MS // 1_000)
HOUR_SECONDS = 3_600


async def update(
    shop: Shop, location: location_pb2.Location, *paths: str, **fields: Field
) -> location_pb2.Location:
    return await shop.locations.UpdateLocation(
        location_pb2.UpdateLocationRequest(
            request_id=shop.key(),
            location=location,
            update_mask=FieldMask(paths=paths),
            **fields,
        )
    )


async def set_state(shop: Shop, location_id: str, **fields: Field) -> location_pb2.Location:
    return await shop.locations.SetLocationState(
        location_pb2.SetLocationStateRequest(
            request_id=shop.key(), location_id=location_id, **fields
        )
    )


async def get(shop: Shop, location_id: str) -> location_pb2.Location:
    return await shop.locations.GetLocation(
        location_pb2.GetLocationRequest(location_id=location_id)
    )


async def test_a_location_comes_back_as_it_was_created(shop: Shop) -> None:
    made = await shop.add_location(
        "store-1",
        display_name="Caf\u00e9 \u2116 1",
        point=Point(latitude_degrees=36.3728537, longitude_degrees=-94.2088172),
        backorder_enabled=True,
    )
    assert made.location_id == "store-1"
    assert made.display_name == "Caf\u00e9 \u2116 1"
    assert (made.point.latitude_degrees, made.point.longitude_degrees) == (36.3728537, -94.2088172)
    assert made.state == location_pb2.LOCATION_STATE_ENABLED
    assert made.create_time == made.update_time == NOON
    assert (made.etag, made.revision) == ("1", 1)
    assert await get(shop, "store-1") == made


@pytest.mark.parametrize("kind", USUAL_DELIVERY_METHODS, ids=lambda kind: kind.name)
async def test_a_location_can_do_what_is_usual_for_its_type(shop: Shop, kind: int) -> None:
    if not kind:
        pytest.skip("a location has a type")
    made = await shop.add_location("a", type=kind)
    usual = {kind.value: methods for kind, methods in USUAL_DELIVERY_METHODS.items()}[kind]
    assert list(map(int, made.delivery_methods)) == list(map(int, usual))
    own = await shop.add_location(
        "b", type=kind, delivery_methods=[types_pb2.DELIVERY_METHOD_PICKUP] * 2
    )
    assert list(own.delivery_methods) == [types_pb2.DELIVERY_METHOD_PICKUP]


async def test_an_id_with_other_content_is_taken_and_with_the_same_it_is_the_same(
    shop: Shop,
) -> None:
    made = await shop.add_location("a", display_name="A")
    again = await shop.add_location("a", display_name="A")
    assert (again.etag, again.create_time) == (made.etag, made.create_time)
    refused = await refusal(shop.add_location("a", display_name="B"))
    assert (refused.code, refused.reason) == (
        grpc.StatusCode.ALREADY_EXISTS,
        "LOCATION_ID_TAKEN",
    )
    assert refused.detail(error_details_pb2.ResourceInfo).resource_name == "a"


async def test_an_update_changes_the_masked_fields_only(shop: Shop) -> None:
    made = await shop.add_location("a", display_name="A", point=Point(latitude_degrees=1))
    wanted = location_pb2.Location(location_id="a", display_name="B")
    changed = await update(shop, wanted, "display_name")
    assert (changed.display_name, changed.point) == ("B", made.point)
    assert changed.etag != made.etag
    cleared = await update(shop, location_pb2.Location(location_id="a"), "point")
    assert not cleared.HasField("point")
    whole = location_pb2.Location(location_id="a", type=location_pb2.LOCATION_TYPE_HUB)
    replaced = await update(shop, whole)
    assert (replaced.type, replaced.display_name) == (location_pb2.LOCATION_TYPE_HUB, "")
    assert not replaced.delivery_methods


async def test_an_update_needs_the_location_unless_it_may_create_it(shop: Shop) -> None:
    wanted = location_pb2.Location(
        location_id="a", display_name="A", type=location_pb2.LOCATION_TYPE_STORE
    )
    refused = await refusal(update(shop, wanted, "display_name"))
    assert (refused.code, refused.reason) == (grpc.StatusCode.NOT_FOUND, "LOCATION_NOT_FOUND")
    made = await update(shop, wanted, "display_name", "type", allow_missing=True)
    assert made.display_name == "A"
    assert len(made.delivery_methods) > 0


async def test_only_a_location_that_is_created_needs_a_type(shop: Shop) -> None:
    wanted = location_pb2.Location(location_id="a", display_name="A")
    refused = await refusal(update(shop, wanted, "display_name", allow_missing=True))
    assert (refused.code, refused.reason, refused.field) == (
        grpc.StatusCode.INVALID_ARGUMENT,
        "LOCATION_TYPE_MISSING",
        "location.type",
    )
    assert refused.facts == {"location_id": "a"}
    await shop.add_location("a", type=location_pb2.LOCATION_TYPE_HUB)
    changed = await update(shop, wanted, "display_name", allow_missing=True)
    assert (changed.display_name, changed.type) == ("A", location_pb2.LOCATION_TYPE_HUB)


async def test_a_stale_etag_stops_an_update(shop: Shop) -> None:
    made = await shop.add_location("a")
    wanted = location_pb2.Location(location_id="a", display_name="B")
    await update(shop, wanted, "display_name", etag=made.etag)
    refused = await refusal(update(shop, wanted, "display_name", etag=made.etag))
    assert (refused.code, refused.reason) == (grpc.StatusCode.ABORTED, "ETAG_MISMATCH")
    assert refused.facts == {"etag": "2", "expected_etag": "1"}


async def test_a_disabled_location_contributes_nothing_for_the_window_said(shop: Shop) -> None:
    await shop.add_location("a")
    await shop.count(("A", "a", 7))
    window = location_pb2.DisabledWindow(
        reason="flood",
        start_time=Timestamp(seconds=NOON.seconds + HOUR_SECONDS),
        end_time=Timestamp(seconds=NOON.seconds + 2 * HOUR_SECONDS),
    )
    disabled = await set_state(
        shop, "a", state=location_pb2.LOCATION_STATE_DISABLED, disabled_window=window
    )
    assert disabled.state == location_pb2.LOCATION_STATE_ENABLED
    assert disabled.disabled_window == window
    seen = []
    for _ in range(3):
        seen.append(((await get(shop, "a")).state, await available(shop)))
        shop.clock.now_ms += HOUR_SECONDS * 1_000
    assert seen == [
        (location_pb2.LOCATION_STATE_ENABLED, 7),
        (location_pb2.LOCATION_STATE_DISABLED, 0),
        (location_pb2.LOCATION_STATE_ENABLED, 7),
    ]
    refused = await refusal(disabled_hold(shop))
    assert refused.reason == "LOCATION_DISABLED"


async def test_a_retry_tells_the_state_that_the_first_answer_told(shop: Shop) -> None:
    await shop.add_location("a")
    request = location_pb2.SetLocationStateRequest(
        request_id="retry-me",
        location_id="a",
        state=location_pb2.LOCATION_STATE_DISABLED,
        disabled_window=location_pb2.DisabledWindow(
            start_time=Timestamp(seconds=NOON.seconds + HOUR_SECONDS)
        ),
    )
    first = await shop.locations.SetLocationState(request)
    shop.clock.now_ms += 2 * HOUR_SECONDS * 1_000
    second = await shop.locations.SetLocationState(request)
    assert first.SerializeToString() == second.SerializeToString()
    assert (await get(shop, "a")).state == location_pb2.LOCATION_STATE_DISABLED


async def test_enabling_removes_the_window(shop: Shop) -> None:
    await shop.add_location("a")
    off = await set_state(shop, "a", state=location_pb2.LOCATION_STATE_DISABLED)
    assert off.state == location_pb2.LOCATION_STATE_DISABLED
    assert not off.disabled_window.HasField("end_time")
    on = await set_state(shop, "a", state=location_pb2.LOCATION_STATE_ENABLED, etag=off.etag)
    assert on.state == location_pb2.LOCATION_STATE_ENABLED
    assert not on.HasField("disabled_window")
    refused = await refusal(set_state(shop, "b", state=location_pb2.LOCATION_STATE_ENABLED))
    assert refused.reason == "LOCATION_NOT_FOUND"


async def test_locations_are_listed_by_id_type_and_group(shop: Shop) -> None:
    for location_id, kind in (("c", "STORE"), ("a", "STORE"), ("b", "HUB")):
        await shop.add_location(location_id, type=f"LOCATION_TYPE_{kind}")
    await group(shop, "g", "c", "b")
    assert await listed(shop) == ["a", "b", "c"]
    assert await listed(shop, type=location_pb2.LOCATION_TYPE_STORE) == ["a", "c"]
    assert await listed(shop, group_id="g") == ["b", "c"]
    refused = await refusal(listed(shop, group_id="nowhere"))
    assert refused.reason == "GROUP_NOT_FOUND"


async def test_a_group_is_made_changed_listed_and_removed(shop: Shop) -> None:
    for location_id in ("a", "b"):
        await shop.add_location(location_id)
    made = await group(shop, "g", "b", "a", "b")
    assert list(made.location_ids) == ["a", "b"]
    changed = await shop.locations.UpdateLocationGroup(
        location_pb2.UpdateLocationGroupRequest(
            request_id=shop.key(),
            group=location_pb2.LocationGroup(group_id="g", location_ids=["a"]),
            update_mask=FieldMask(paths=["location_ids"]),
            etag=made.etag,
        )
    )
    assert list(changed.location_ids) == ["a"]
    read = await shop.locations.GetLocationGroup(location_pb2.GetLocationGroupRequest(group_id="g"))
    assert read == changed
    every = await shop.locations.ListLocationGroups(location_pb2.ListLocationGroupsRequest())
    assert [each.group_id for each in every.groups] == ["g"]
    stale = await refusal(remove(shop, "g", etag=made.etag))
    assert stale.reason == "ETAG_MISMATCH"
    assert (await remove(shop, "g")).revision > changed.revision
    assert (await refusal(remove(shop, "g"))).reason == "GROUP_NOT_FOUND"


async def test_a_group_needs_its_locations_and_stays_while_a_rule_names_it(shop: Shop) -> None:
    assert (await refusal(group(shop, "g", "nowhere"))).reason == "LOCATION_NOT_FOUND"
    await group(shop, "g")
    await shop.inventory.CreateSafetyStockRule(
        inventory_pb2.CreateSafetyStockRuleRequest(
            request_id=shop.key(),
            rule=inventory_pb2.SafetyStockRule(rule_id="r", group_id="g", fixed_quantity=1),
        )
    )
    refused = await refusal(remove(shop, "g"))
    assert (refused.code, refused.reason) == (
        grpc.StatusCode.FAILED_PRECONDITION,
        "GROUP_IN_USE",
    )
    await shop.add_location("a")
    assert (await refusal(group(shop, "g", "a"))).reason == "GROUP_ID_TAKEN"


async def available(shop: Shop) -> int:
    answer = await shop.inventory.CheckAvailability(
        inventory_pb2.CheckAvailabilityRequest(items=[inventory_pb2.AvailabilityItem(sku="A")])
    )
    return answer.items[0].available_to_sell


async def disabled_hold(shop: Shop) -> object:
    await set_state(shop, "a", state=location_pb2.LOCATION_STATE_DISABLED)
    return await shop.hold(("A", "a", 1))


async def group(shop: Shop, group_id: str, *location_ids: str) -> location_pb2.LocationGroup:
    return await shop.locations.CreateLocationGroup(
        location_pb2.CreateLocationGroupRequest(
            request_id=shop.key(),
            group=location_pb2.LocationGroup(group_id=group_id, location_ids=location_ids),
        )
    )


async def remove(
    shop: Shop, group_id: str, etag: str = ""
) -> location_pb2.DeleteLocationGroupResponse:
    return await shop.locations.DeleteLocationGroup(
        location_pb2.DeleteLocationGroupRequest(request_id=shop.key(), group_id=group_id, etag=etag)
    )


async def listed(shop: Shop, **fields: Field) -> list[str]:
    answer = await shop.locations.ListLocations(location_pb2.ListLocationsRequest(**fields))
    return [location.location_id for location in answer.locations]
