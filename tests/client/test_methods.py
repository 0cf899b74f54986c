"""Every call of the API is a method of both clients, and each does what its call does."""

import re
from datetime import UTC, datetime

import grpc
import pytest

from domgrpc.client import (
    DomgrpcClient,
    DomgrpcError,
    Line,
    SyncClient,
    adjust_stock,
    announce_supply,
    at_locations,
    count_stock,
    in_groups,
    move_stock,
    near,
    pages,
    receive_supply,
)
from domgrpc.v1 import (
    admin_pb2,
    inventory_pb2,
    location_pb2,
    logistics_pb2,
    order_pb2,
    pipeline_pb2,
    product_pb2,
    reservation_pb2,
    routing_pb2,
)
from domgrpc.v1.inventory_pb2 import SafetyStockRule, StockAdjustment
from domgrpc.v1.location_pb2 import Location, LocationGroup, LocationState, LocationType
from domgrpc.v1.logistics_pb2 import (
    Lane,
    LocationCalendar,
    OpeningHours,
    RateCard,
    Weekday,
    ZoneRate,
)
from domgrpc.v1.pipeline_pb2 import Operation
from domgrpc.v1.product_pb2 import Product
from domgrpc.v1.reservation_pb2 import ReservationState, SettlementOutcome
from domgrpc.v1.rule_set_pb2 import RoutingRule, RuleEffect, RuleSet, RuleSetState
from domgrpc.v1.types_pb2 import DeliveryMethod, Point, StockCondition
from tests.rpc.serving import Shop

SERVICES = (
    admin_pb2,
    inventory_pb2,
    location_pb2,
    logistics_pb2,
    order_pb2,
    pipeline_pb2,
    product_pb2,
    reservation_pb2,
    routing_pb2,
)
RPCS = sorted(
    method.name
    for module in SERVICES
    for service in module.DESCRIPTOR.services_by_name.values()
    for method in service.methods
)
# Calls whose methods say more than the name of the call would.
OTHER_NAMES = {
    "SetLocationState": ("enable_location", "disable_location"),
    "StreamStockUpdates": ("stream_stock", "get_feed_sequence"),
}
STORE = LocationType.LOCATION_TYPE_STORE
LOCAL_TIME = datetime(2030, 1, 1)  # noqa: DTZ001 - without a zone on purpose
BENTONVILLE = Point(latitude_degrees=36.36, longitude_degrees=-94.22)


@pytest.mark.parametrize("rpc", RPCS)
def test_every_rpc_has_a_method(rpc: str) -> None:
    snake_case = re.sub(r"(?<!^)(?=[A-Z])", "_", rpc).lower()
    for name in OTHER_NAMES.get(rpc, (snake_case,)):
        assert callable(getattr(DomgrpcClient, name))
        assert callable(getattr(SyncClient, name))


@pytest.fixture
async def stocked(client: DomgrpcClient) -> DomgrpcClient:
    """Two stores in one group, with kettles."""
    for location_id in ("store-1", "store-2"):
        await client.create_location(Location(location_id=location_id, type=STORE))
    await client.create_location_group(
        LocationGroup(group_id="south", location_ids=["store-1", "store-2"])
    )
    await client.update_stock(
        [count_stock("kettle", "store-1", 10), count_stock("kettle", "store-2", 5)]
    )
    return client


async def test_locations(client: DomgrpcClient) -> None:
    made = await client.create_location(Location(location_id="s", type=STORE, point=BENTONVILLE))
    named = await client.update_location(
        Location(location_id="s", display_name="South"),
        update_mask=["display_name"],
        etag=made.etag,
    )
    assert (named.display_name, named.point) == ("South", BENTONVILLE)
    closed = await client.disable_location(
        "s", reason="flood", end_time=datetime(2099, 1, 1, tzinfo=UTC)
    )
    assert closed.state == LocationState.LOCATION_STATE_DISABLED
    assert closed.disabled_window.reason == "flood"
    opened = await client.enable_location("s")
    assert opened.state == LocationState.LOCATION_STATE_ENABLED
    assert (await client.get_location("s", min_revision=opened.revision)).etag == opened.etag
    assert [each.location_id for each in (await client.list_locations()).locations] == ["s"]


async def test_location_groups(client: DomgrpcClient) -> None:
    await client.create_location(Location(location_id="s", type=STORE))
    await client.create_location_group(LocationGroup(group_id="g"))
    changed = await client.update_location_group(
        LocationGroup(group_id="g", location_ids=["s"]), update_mask=["location_ids"]
    )
    assert (await client.get_location_group("g")).location_ids == changed.location_ids == ["s"]
    assert len((await client.list_location_groups()).groups) == 1
    await client.delete_location_group("g")
    with pytest.raises(DomgrpcError, match="GROUP_NOT_FOUND"):
        await client.get_location_group("g")


async def test_products(client: DomgrpcClient) -> None:
    await client.create_product(Product(sku="a", unit="kg"))
    await client.update_product(Product(sku="a", display_name="A"), update_mask=["display_name"])
    assert (await client.get_product("a")).unit == "kg"
    await client.batch_create_products([Product(sku="b"), Product(sku="c")])
    changed = await client.batch_update_products(
        [Product(sku="c", unit="l"), Product(sku="d", unit="l")],
        update_mask=["unit"],
        allow_missing=True,
    )
    assert [product.unit for product in changed.products] == ["l", "l"]
    read = await client.batch_get_products(["d", "a"])
    assert [product.sku for product in read.products] == ["d", "a"]
    sizes: list[int] = []
    skus: set[str] = set()
    async for page in pages(lambda token: client.list_products(page_size=3, page_token=token)):
        sizes.append(len(page.products))
        skus.update(product.sku for product in page.products)
    assert max(sizes) <= 3
    assert skus == {"a", "b", "c", "d"}


async def test_stock(stocked: DomgrpcClient) -> None:
    done = await stocked.update_stock(
        [
            adjust_stock("kettle", "store-1", -1, reason="broken"),
            move_stock("kettle", "store-1", 2, to_location_id="store-2"),
            move_stock("kettle", "store-1", 1, to_condition=StockCondition.STOCK_CONDITION_DAMAGED),
            announce_supply(
                "kettle", "store-1", "po-1", quantity=9, due_time=datetime(2099, 1, 1, tzinfo=UTC)
            ),
            receive_supply("kettle", "store-1", "po-1", quantity=4),
        ]
    )
    assert done.update_count == 5
    position = await stocked.get_position("kettle", "store-1", min_revision=done.revision)
    assert position.on_hand == 10 - 1 - 2 - 1 + 4
    assert [supply.quantity for supply in position.inbound] == [5]
    await stocked.update_stock([count_stock("kettle", "store-1", 0)], validate_only=True)
    listed = await stocked.list_positions(location_id="store-1")
    assert [each.on_hand for each in listed.positions] == [10]


async def test_availability(stocked: DomgrpcClient) -> None:
    answer = await stocked.check_availability({"kettle": 15, "mug": 0})
    assert [item.available_to_fulfill for item in answer.items] == [15, 0]
    assert answer.items[0].sufficient
    for scope, units in (
        (at_locations(["store-2"]), 5),
        (in_groups(["south"]), 15),
        (near(36.36, -94.22, radius_km=5), 0),
    ):
        scoped = await stocked.check_availability(["kettle"], scope=scope, horizon_days=2)
        assert scoped.items[0].available_to_fulfill == units
    full = await stocked.check_availability(
        ["kettle"], include_locations=True, include_parts=True, min_revision=answer.revision
    )
    assert [place.parts.on_hand for place in full.items[0].locations] == [10, 5]


async def test_rule_sets(client: DomgrpcClient) -> None:
    rule = RoutingRule(rule_id="r", effect=RuleEffect.RULE_EFFECT_LIMIT, package_count_max=1)
    made = await client.create_rule_set(RuleSet(rules=[rule]))
    assert made.version == 1
    await client.validate_rule_set(1)
    dry_run = await client.dry_run_rule_set(1, order_count=5)
    assert dry_run.rule_set.state == RuleSetState.RULE_SET_STATE_DRY_RUN
    assert (dry_run.active_version, len(dry_run.orders)) == (0, 0)
    assert (await client.activate_rule_set(1)).state == RuleSetState.RULE_SET_STATE_ACTIVE
    assert (await client.get_rule_set()).version == 1
    assert (await client.get_rule_set(0)).state == RuleSetState.RULE_SET_STATE_RETIRED
    listed = await client.list_rule_sets(state=RuleSetState.RULE_SET_STATE_RETIRED)
    assert [rule_set.version for rule_set in listed.rule_sets] == [0]


async def test_rules(stocked: DomgrpcClient) -> None:
    await stocked.create_safety_stock_rule(SafetyStockRule(rule_id="r", fixed_quantity=3))
    changed = await stocked.update_safety_stock_rule(
        SafetyStockRule(rule_id="r", fixed_quantity=4), update_mask=["value"]
    )
    assert (await stocked.get_safety_stock_rule("r")).fixed_quantity == changed.fixed_quantity == 4
    assert len((await stocked.list_safety_stock_rules()).rules) == 1
    explained = await stocked.explain_safety_stock("kettle", "store-1", channel="web")
    assert [decision.quantity for decision in explained.decisions] == [4]
    await stocked.delete_safety_stock_rule("r")
    assert not (await stocked.list_safety_stock_rules()).rules


async def test_logistics(stocked: DomgrpcClient) -> None:
    card = RateCard(
        service_id="ground",
        delivery_methods=[DeliveryMethod.DELIVERY_METHOD_SHIP_TO_HOME],
        zone_rates=[ZoneRate(zone=1, package_micros=5)],
    )
    saved = await stocked.save_rate_card(card)
    assert (await stocked.get_rate_card("ground")).zone_rates == card.zone_rates
    assert len((await stocked.list_rate_cards()).rate_cards) == 1
    await stocked.delete_rate_card("ground", etag=saved.etag)
    lane = await stocked.save_lane(Lane(service_id="ground", transit_days=[1]))
    assert (await stocked.get_lane("ground", min_revision=lane.revision)).etag == lane.etag
    assert len((await stocked.list_lanes()).lanes) == 1
    await stocked.delete_lane("ground")
    hours = [OpeningHours(weekday=Weekday.WEEKDAY_MONDAY, open_minute=480, close_minute=1_200)]
    await stocked.save_location_calendar(
        LocationCalendar(location_id="store-1", opening_hours=hours)
    )
    await stocked.save_location_calendar(LocationCalendar(location_type=STORE, opening_hours=hours))
    assert (await stocked.get_location_calendar("store-1")).opening_hours == hours
    of_stores = await stocked.get_location_calendar(location_type=STORE)
    assert of_stores.location_type == STORE
    assert len((await stocked.list_location_calendars()).calendars) == 2
    await stocked.delete_location_calendar("store-1")
    await stocked.delete_location_calendar(location_type=STORE)
    assert not (await stocked.list_location_calendars()).calendars


async def test_reservations(stocked: DomgrpcClient) -> None:
    hold = await stocked.reserve_stock(
        [Line("kettle", 4)],
        scope=in_groups(["south"]),
        location_count_max=1,
        ttl_seconds=90.5,
        reference="cart 7",
        channel="web",
    )
    assert hold.expire_time.ToMilliseconds() - hold.create_time.ToMilliseconds() == 90_500
    key = hold.reservation_id
    smaller = await stocked.update_reservation(key, [Line("kettle", 3, "store-1")], ttl_seconds=60)
    assert [line.quantity for line in smaller.lines] == [3]
    moved = await stocked.move_reservation(key, "kettle", "store-1", quantity=1)
    assert {line.location_id: line.quantity for line in moved.lines} == {"store-1": 2, "store-2": 1}
    await stocked.confirm_reservation(key)
    settled = await stocked.settle_reservation(
        key,
        SettlementOutcome.SETTLEMENT_OUTCOME_SHIPPED,
        lines=[Line("kettle", 2, "store-1")],
    )
    assert sum(line.settled_quantity for line in settled.lines) == 2
    assert (await stocked.get_reservation(key, min_revision=settled.revision)).reference == "cart 7"
    other = await stocked.reserve_stock([Line("kettle", 1)], allow_partial=True)
    await stocked.release_reservation(other.reservation_id, reason="changed my mind")
    released = ReservationState.RESERVATION_STATE_RELEASED
    listed = await stocked.list_reservations(state=released, client_id="till-3")
    assert [each.reservation_id for each in listed.reservations] == [other.reservation_id]


async def test_administration(client: DomgrpcClient) -> None:
    assert (await client.get_status()).revision == 0
    operation = Operation()
    operation.update_stock.request_id = "u1"
    operation.update_stock.updates.add(
        sku="kettle", location_id="nowhere", adjustment=StockAdjustment(delta=1)
    )
    answer = await client.execute([operation])
    assert answer.results[0].error.code == grpc.StatusCode.NOT_FOUND.value[0]


@pytest.mark.slow
async def test_snapshot_and_verification(stocked: DomgrpcClient) -> None:
    snapshot = await stocked.create_snapshot()
    assert snapshot.revision == (await stocked.get_status()).revision
    assert (await stocked.verify_state()).consistent


async def test_who_calls_is_the_owner_of_the_hold(shop: Shop, stocked: DomgrpcClient) -> None:
    async with DomgrpcClient(shop.address, client_id="web-1") as other:
        hold = await other.reserve_stock([Line("kettle", 1)])
    assert hold.client_id == "web-1"
    assert (await stocked.reserve_stock([Line("kettle", 1)])).client_id == "till-3"


async def test_a_single_string_is_no_list_of_skus(client: DomgrpcClient) -> None:
    with pytest.raises(TypeError, match="give a list of SKUs"):
        await client.check_availability("kettle")


async def test_a_time_without_a_zone_is_refused(client: DomgrpcClient) -> None:
    with pytest.raises(ValueError, match="names no time zone"):
        await client.reserve_stock([], expire_time=LOCAL_TIME)


async def test_a_hold_has_one_end(client: DomgrpcClient) -> None:
    with pytest.raises(ValueError, match="give one of them"):
        await client.reserve_stock([], ttl_seconds=1, expire_time=datetime(2030, 1, 1, tzinfo=UTC))
