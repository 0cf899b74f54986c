"""What is wrong with a stock update or a question for stock is named by its field."""

from collections.abc import Callable
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from domgrpc.rpc.pages import page_size
from domgrpc.rpc.position_pages import position_query
from domgrpc.rpc.translate_availability import read_question
from domgrpc.rpc.translate_stock import feed_sequence, stock_update, update_stock
from domgrpc.v1 import inventory_pb2 as iv
from domgrpc.v1 import types_pb2 as ty
from tests.rpc.bad_shapes import (
    LONG,
    TOO_MUCH,
    UNKNOWN,
    Case,
    Field,
    each_case,
    expect_bad,
    filled,
)


def update(**fields: Field) -> iv.StockUpdate:
    return iv.StockUpdate(**filled(fields, sku="A", location_id="a"))


def count(**fields: Field) -> iv.StockUpdate:
    return update(count=iv.StockCount(**fields))


def adjustment(**fields: Field) -> iv.StockUpdate:
    return update(adjustment=iv.StockAdjustment(**filled(fields, delta=1)))


def move(**fields: Field) -> iv.StockUpdate:
    return update(move=iv.StockMove(**filled(fields, quantity=1, to_location_id="b")))


def inbound(**fields: Field) -> iv.StockUpdate:
    fields = filled(fields, supply_id="s", quantity=1, due_time=Timestamp(seconds=1))
    return update(inbound=iv.InboundSupply(**{k: v for k, v in fields.items() if v is not None}))


def receipt(**fields: Field) -> iv.StockUpdate:
    return update(receipt=iv.InboundReceipt(**filled(fields, supply_id="s", quantity=1)))


def check(item: dict[str, Field] | None = None, **fields: Field) -> iv.CheckAvailabilityRequest:
    one = iv.AvailabilityItem(**filled(item or {}, sku="A"))
    return iv.CheckAvailabilityRequest(**filled(fields, items=[one]))


def near(latitude: float = 0, longitude: float = 0, **fields: Field) -> iv.CheckAvailabilityRequest:
    point = ty.Point(latitude_degrees=latitude, longitude_degrees=longitude)
    circle = ty.NearPoint(**filled(fields, point=point, radius_km=1))
    return check(scope=ty.Scope(near=circle))


STOCK: list[Case] = [
    (stock_update, update(), "update"),
    (stock_update, update(sku="", count=iv.StockCount()), "sku"),
    (stock_update, update(location_id=LONG, count=iv.StockCount()), "location_id"),
    (stock_update, count(on_hand=-1), "count.on_hand"),
    (stock_update, count(on_hand=TOO_MUCH), "count.on_hand"),
    (stock_update, count(on_hand=2**63 - 1), "count.on_hand"),
    (stock_update, count(expected_on_hand=-1), "count.expected_on_hand"),
    (
        stock_update,
        count(effective_time=Timestamp(seconds=2**40)),
        "count.effective_time",
    ),
    (stock_update, adjustment(delta=0), "adjustment.delta"),
    (stock_update, adjustment(delta=-TOO_MUCH), "adjustment.delta"),
    (stock_update, adjustment(delta=-(2**63)), "adjustment.delta"),
    (stock_update, adjustment(condition=UNKNOWN), "adjustment.condition"),
    (stock_update, adjustment(reason="x" * 65), "adjustment.reason"),
    (
        stock_update,
        adjustment(effective_time=Timestamp(nanos=10**9)),
        "adjustment.effective_time",
    ),
    (stock_update, move(quantity=0), "move.quantity"),
    (stock_update, move(quantity=TOO_MUCH), "move.quantity"),
    (stock_update, move(from_condition=UNKNOWN), "move.from_condition"),
    (stock_update, move(to_condition=UNKNOWN), "move.to_condition"),
    (stock_update, move(to_location_id=LONG), "move.to_location_id"),
    (stock_update, move(to_location_id=""), "move"),
    (stock_update, move(to_location_id="a"), "move"),
    (stock_update, move(reason="x" * 65), "move.reason"),
    (stock_update, inbound(supply_id=""), "inbound.supply_id"),
    (stock_update, inbound(supply_id="x" * 65), "inbound.supply_id"),
    (stock_update, inbound(kind=UNKNOWN), "inbound.kind"),
    (stock_update, inbound(quantity=-1), "inbound.quantity"),
    (stock_update, inbound(due_time=None), "inbound.due_time"),
    (stock_update, receipt(supply_id=""), "receipt.supply_id"),
    (stock_update, receipt(quantity=0), "receipt.quantity"),
    (stock_update, receipt(condition=UNKNOWN), "receipt.condition"),
    (update_stock, iv.UpdateStockRequest(), "updates"),
    (update_stock, iv.UpdateStockRequest(updates=[count()] * 10_001), "updates"),
    (
        update_stock,
        iv.UpdateStockRequest(updates=[count(), count(on_hand=-1)]),
        "updates[1].count.on_hand",
    ),
    (feed_sequence, iv.StreamStockUpdatesRequest(sequence=-1), "sequence"),
    (feed_sequence, iv.StreamStockUpdatesRequest(updates=[count()]), "updates"),
    (
        feed_sequence,
        iv.StreamStockUpdatesRequest(sequence=1, updates=[count()] * 10_001),
        "updates",
    ),
    (position_query, iv.ListPositionsRequest(level=UNKNOWN), "level"),
    (position_query, iv.ListPositionsRequest(sku=LONG), "sku"),
    (position_query, iv.ListPositionsRequest(location_id=LONG), "location_id"),
    (position_query, iv.ListPositionsRequest(page_size=-1), "page_size"),
    (page_size, -1, "page_size"),
]
AVAILABILITY: list[Case] = [
    (read_question, iv.CheckAvailabilityRequest(), "items"),
    (read_question, check(items=[iv.AvailabilityItem(sku="A")] * 10_001), "items"),
    (read_question, check({"sku": ""}), "items[0].sku"),
    (read_question, check({"sku": LONG}), "items[0].sku"),
    (read_question, check({"quantity": -1}), "items[0].quantity"),
    (read_question, check({"quantity": TOO_MUCH}), "items[0].quantity"),
    (read_question, check(channel="x" * 65), "channel"),
    (read_question, check(channel="\x1b"), "channel"),
    (read_question, check(delivery_method=UNKNOWN), "delivery_method"),
    (read_question, check(horizon_days=-1), "horizon_days"),
    (read_question, check(horizon_days=3_651), "horizon_days"),
    (
        read_question,
        check(scope=ty.Scope(locations=ty.LocationList())),
        "scope.locations.location_ids",
    ),
    (
        read_question,
        check(scope=ty.Scope(locations=ty.LocationList(location_ids=["a"] * 10_001))),
        "scope.locations.location_ids",
    ),
    (
        read_question,
        check(scope=ty.Scope(locations=ty.LocationList(location_ids=["a", ""]))),
        "scope.locations.location_ids[1]",
    ),
    (read_question, check(scope=ty.Scope(groups=ty.GroupList())), "scope.groups.group_ids"),
    (
        read_question,
        check(scope=ty.Scope(groups=ty.GroupList(group_ids=["g"] * 101))),
        "scope.groups.group_ids",
    ),
    (
        read_question,
        check(scope=ty.Scope(near=ty.NearPoint(radius_km=1))),
        "scope.near.point",
    ),
    (read_question, near(latitude=-91), "scope.near.point.latitude_degrees"),
    (read_question, near(longitude=181), "scope.near.point.longitude_degrees"),
    (read_question, near(radius_km=0), "scope.near.radius_km"),
    (read_question, near(radius_km=20_039), "scope.near.radius_km"),
    (read_question, near(radius_km=float("nan")), "scope.near.radius_km"),
    (read_question, near(location_count_max=-1), "scope.near.location_count_max"),
]
CASES = [*STOCK, *AVAILABILITY]


@each_case(CASES)
def test_a_bad_shape_is_refused_by_the_path_of_its_field(
    read: Callable[[Any], object], message: object, path: str
) -> None:
    expect_bad(read, message, path)
