"""InventoryService over the wire: stock updates, positions and availability."""

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc import error_details_pb2

from domgrpc.v1 import inventory_pb2 as pb
from domgrpc.v1 import product_pb2, types_pb2
from tests.rpc.serving import NOON_MS, Shop, adjusted, asked, counted, refusal

NOON_SECONDS = NOON_MS // 1_000
DAY_SECONDS = 86_400


async def write(shop: Shop, *updates: pb.StockUpdate) -> pb.UpdateStockResponse:
    return await shop.inventory.UpdateStock(
        pb.UpdateStockRequest(request_id=shop.key(), updates=updates)
    )


def supply(quantity: int, due_seconds: int, supply_id: str = "po-1") -> pb.StockUpdate:
    return pb.StockUpdate(
        sku="A",
        location_id="a",
        inbound=pb.InboundSupply(
            supply_id=supply_id,
            kind=pb.INBOUND_KIND_TRANSFER,
            quantity=quantity,
            due_time=Timestamp(seconds=due_seconds),
        ),
    )


async def test_updates_apply_in_order_and_say_what_they_did(shop: Shop) -> None:
    await shop.add_location("a")
    done = await write(shop, counted("A", "a", 5), adjusted("A", "a", 3), counted("B", "a", 0))
    assert (done.update_count, done.created_sku_count, done.revision) == (3, 2, 2)
    position = await shop.position("A", "a")
    assert (position.on_hand, position.available_to_fulfill) == (8, 8)
    assert position.level == types_pb2.STOCK_LEVEL_IN_STOCK
    assert position.count_time.seconds == NOON_SECONDS
    assert (await shop.position("B", "a")).level == types_pb2.STOCK_LEVEL_OUT_OF_STOCK


async def test_updates_are_all_or_none_and_the_refusal_names_the_place(shop: Shop) -> None:
    await shop.add_location("a")
    refused = await refusal(write(shop, counted("A", "a", 5), adjusted("A", "a", -6)))
    assert (refused.code, refused.reason) == (
        grpc.StatusCode.FAILED_PRECONDITION,
        "QUANTITY_BELOW_ZERO",
    )
    assert refused.facts["update_index"] == "1"
    assert (await refusal(shop.position("A", "a"))).reason == "POSITION_NOT_FOUND"
    unknown = await refusal(write(shop, counted("A", "b", 5)))
    assert (unknown.code, unknown.reason) == (grpc.StatusCode.NOT_FOUND, "LOCATION_NOT_FOUND")


async def test_a_count_may_expect_what_is_there(shop: Shop) -> None:
    await shop.add_location("a")
    await shop.count(("A", "a", 5))
    expecting = pb.StockUpdate(
        sku="A", location_id="a", count=pb.StockCount(on_hand=9, expected_on_hand=0)
    )
    refused = await refusal(write(shop, expecting))
    assert (refused.code, refused.reason) == (grpc.StatusCode.ABORTED, "STALE_EXPECTATION")
    expecting.count.expected_on_hand = 5
    await write(shop, expecting)
    assert (await shop.position("A", "a")).on_hand == 9


async def test_a_count_of_earlier_keeps_what_happened_since(shop: Shop) -> None:
    await shop.add_location("a")
    await shop.count(("A", "a", 5))
    shop.clock.now_ms += 60_000
    await write(shop, adjusted("A", "a", -2))
    shop.clock.now_ms += 60_000
    late = pb.StockUpdate(
        sku="A",
        location_id="a",
        count=pb.StockCount(on_hand=10, effective_time=Timestamp(seconds=NOON_SECONDS + 30)),
    )
    await write(shop, late)
    assert (await shop.position("A", "a")).on_hand == 8
    late.count.effective_time.seconds = NOON_SECONDS + 1_000
    assert (await refusal(write(shop, late))).reason == "EFFECTIVE_TIME_IN_FUTURE"
    late.count.effective_time.seconds = NOON_SECONDS - 1_000
    assert (await refusal(write(shop, late))).reason == "COUNT_OUTDATED"


async def test_stock_moves_between_conditions_and_locations(shop: Shop) -> None:
    await shop.add_location("a")
    await shop.add_location("b")
    await shop.count(("A", "a", 5))
    move = pb.StockMove(quantity=2, to_condition=types_pb2.STOCK_CONDITION_DAMAGED, reason="wet")
    await write(
        shop,
        pb.StockUpdate(sku="A", location_id="a", move=move),
        pb.StockUpdate(sku="A", location_id="a", move=pb.StockMove(quantity=1, to_location_id="b")),
    )
    here = await shop.position("A", "a")
    assert here.on_hand == 2
    assert [(c.condition, c.quantity) for c in here.conditions] == [
        (types_pb2.STOCK_CONDITION_DAMAGED, 2)
    ]
    assert (await shop.position("A", "b")).on_hand == 1


async def test_supply_is_announced_promised_received_and_withdrawn(shop: Shop) -> None:
    await shop.add_location("a")
    await shop.count(("A", "a", 1))
    due_seconds = NOON_SECONDS + 300 * DAY_SECONDS
    await write(shop, supply(10, due_seconds))
    (announced,) = (await shop.position("A", "a")).inbound
    assert (announced.supply_id, announced.quantity) == ("po-1", 10)
    assert (announced.kind, announced.due_time.seconds) == (pb.INBOUND_KIND_TRANSFER, due_seconds)
    answer = await shop.inventory.CheckAvailability(asked("A", horizon_days=365))
    steps = answer.items[0].available_to_promise
    assert [(step.start_time.seconds, step.quantity) for step in steps] == [
        (NOON_SECONDS, 1),
        (due_seconds, 11),
    ]
    receipt = pb.InboundReceipt(supply_id="po-1", quantity=4)
    await write(shop, pb.StockUpdate(sku="A", location_id="a", receipt=receipt))
    position = await shop.position("A", "a")
    assert (position.on_hand, position.inbound[0].quantity) == (5, 6)
    withdrawn = pb.StockUpdate(
        sku="A", location_id="a", inbound=pb.InboundSupply(supply_id="po-1", quantity=0)
    )
    await write(shop, withdrawn)
    assert not (await shop.position("A", "a")).inbound
    refused = await refusal(write(shop, pb.StockUpdate(sku="A", location_id="a", receipt=receipt)))
    assert refused.reason == "SUPPLY_NOT_FOUND"


async def test_availability_answers_in_the_order_asked_with_totals(shop: Shop) -> None:
    await shop.add_location("a")
    await shop.add_location("b")
    await shop.count(("A", "a", 5), ("A", "b", 7))
    question = pb.CheckAvailabilityRequest(
        items=[
            pb.AvailabilityItem(sku="nothing", quantity=1),
            pb.AvailabilityItem(sku="A", quantity=12),
            pb.AvailabilityItem(sku="A", quantity=13),
        ]
    )
    answer = await shop.inventory.CheckAvailability(question)
    assert [(item.sku, item.known, item.sufficient) for item in answer.items] == [
        ("nothing", False, False),
        ("A", True, True),
        ("A", True, False),
    ]
    assert answer.items[1].available_to_sell == 12
    assert (answer.revision, answer.as_of_time.seconds) == (3, NOON_SECONDS)


async def test_availability_near_a_point_is_sorted_by_distance(shop: Shop) -> None:
    for location_id, degrees in (("far", 3.0), ("near", 1.0), ("off", 50.0)):
        await shop.add_location(location_id, point=types_pb2.Point(latitude_degrees=degrees))
        await shop.count(("A", location_id, 4))
    near = types_pb2.NearPoint(point=types_pb2.Point(), radius_km=400)
    scope = types_pb2.Scope(near=near)
    answer = await shop.inventory.CheckAvailability(asked("A", scope=scope, include_locations=True))
    found = answer.items[0].locations
    assert [(place.location_id, place.distance_km) for place in found] == [
        ("near", 111.195),
        ("far", 333.585),
    ]
    assert answer.items[0].available_to_fulfill == 8
    scope.near.location_count_max = 1
    nearest = await shop.inventory.CheckAvailability(asked("A", scope=scope))
    assert nearest.items[0].available_to_fulfill == 4


async def test_the_parts_say_what_made_a_figure_and_which_rule_won(shop: Shop) -> None:
    await shop.add_location("a", backorder_enabled=True)
    await shop.products.CreateProduct(
        product_pb2.CreateProductRequest(
            request_id=shop.key(),
            product=product_pb2.Product(
                sku="A",
                backorder_policy=product_pb2.BackorderPolicy(
                    mode=product_pb2.BACKORDER_MODE_LIMITED, limit_quantity=5
                ),
            ),
        )
    )
    await shop.count(("A", "a", 10))
    await shop.hold(("A", "a", 2))
    await shop.inventory.CreateSafetyStockRule(
        pb.CreateSafetyStockRuleRequest(
            request_id=shop.key(),
            rule=pb.SafetyStockRule(rule_id="keep-3", channel="web", fixed_quantity=3),
        )
    )
    question = asked("A", channel="web", include_locations=True, include_parts=True)
    (item,) = (await shop.inventory.CheckAvailability(question)).items
    (place,) = item.locations
    assert (item.available_to_fulfill, item.available_to_sell) == (5, 10)
    assert place.parts == pb.AvailabilityParts(
        on_hand=10,
        soft_reserved=2,
        safety_stock=3,
        safety_stock_rule_id="keep-3",
        backorder_quantity=5,
    )
    question.delivery_method = types_pb2.DELIVERY_METHOD_DROP_SHIP
    (item,) = (await shop.inventory.CheckAvailability(question)).items
    assert item.locations[0].parts.excluded_reason == "DELIVERY_METHOD_UNSUPPORTED"
    assert item.available_to_sell == 0


@pytest.mark.slow
async def test_ten_thousand_and_one_pairs_are_refused(shop: Shop) -> None:
    for number in range(11):
        await shop.add_location(f"l{number}")
    rows = [(f"s{sku}", f"l{place}", 1) for sku in range(910) for place in range(11)]
    await shop.count(*rows[:10_000])
    await shop.count(*rows[10_000:])
    skus = [f"s{sku}" for sku in range(910)]
    refused = await refusal(shop.inventory.CheckAvailability(asked(*skus, include_locations=True)))
    assert (refused.code, refused.reason) == (
        grpc.StatusCode.INVALID_ARGUMENT,
        "TOO_MANY_PAIRS",
    )
    assert refused.facts == {"pair_count": "10010", "limit": "10000"}
    assert refused.field == "items"
    answer = await shop.inventory.CheckAvailability(asked(*skus[:909], include_locations=True))
    assert sum(len(item.locations) for item in answer.items) == 9_999


async def test_an_unknown_scope_or_position_is_not_found(shop: Shop) -> None:
    scope = types_pb2.Scope(groups=types_pb2.GroupList(group_ids=["g"]))
    refused = await refusal(shop.inventory.CheckAvailability(asked("A", scope=scope)))
    assert refused.reason == "GROUP_NOT_FOUND"
    await shop.add_location("a")
    missing = await refusal(shop.position("A", "a"))
    assert missing.reason == "POSITION_NOT_FOUND"
    assert missing.detail(error_details_pb2.ResourceInfo).resource_name == "A/a"


async def test_positions_are_listed_by_sku_location_and_level(shop: Shop) -> None:
    await shop.add_location("a")
    await shop.add_location("b")
    await shop.count(("A", "a", 1), ("A", "b", 0), ("B", "a", 0))
    assert await listed(shop) == [("A", "a"), ("A", "b"), ("B", "a")]
    assert await listed(shop, sku="A") == [("A", "a"), ("A", "b")]
    assert await listed(shop, location_id="a") == [("A", "a"), ("B", "a")]
    out = types_pb2.STOCK_LEVEL_OUT_OF_STOCK
    assert await listed(shop, level=out) == [("A", "b"), ("B", "a")]
    assert await listed(shop, level=out, sku="A") == [("A", "b")]
    assert await listed(shop, level=types_pb2.STOCK_LEVEL_IN_STOCK) == [("A", "a")]
    refused = await refusal(listed(shop, location_id="nowhere"))
    assert refused.reason == "LOCATION_NOT_FOUND"


async def listed(shop: Shop, **fields: object) -> list[tuple[str, str]]:
    answer = await shop.inventory.ListPositions(
        pb.ListPositionsRequest(**fields)  # type: ignore[arg-type]  # the fields of a test
    )
    return sorted((position.sku, position.location_id) for position in answer.positions)
