"""What is counted of an order is no less than what it takes in a message."""

import msgspec
import pytest

from domgrpc.core.geography import Point
from domgrpc.core.orders import (
    DECISIONS_MAX,
    HISTORY_MAX,
    Address,
    Attention,
    Decision,
    FulfillmentLine,
    FulfillmentOrder,
    FulfillmentState,
    HoldKind,
    Order,
    OrderHold,
    OrderLine,
    OrderStep,
    OrderTerms,
    ShortagePolicy,
    StepKind,
)
from domgrpc.core.scopes import GroupList, LocationList, NearPoint, Scope
from domgrpc.core.values import (
    QUANTITY_MAX,
    TIME_MS_MAX,
    Channel,
    ClientId,
    CustomerId,
    DeliveryMethod,
    FulfillmentOrderId,
    GroupId,
    LineId,
    LocationId,
    Micros,
    OrderId,
    Quantity,
    Revision,
    Sku,
    TimeMs,
)
from domgrpc.rpc.sizes import order_bytes
from domgrpc.rpc.translate_order_answers import fill_change, fill_order
from domgrpc.v1 import order_pb2

NAMES = ["s" * 128, "\u00e9" * 64, "\N{WATER BUFFALO}" * 32]
"""Ids of the greatest length: of letters with one, two and four bytes."""
LATE = TimeMs(TIME_MS_MAX)
MOST = Quantity(QUANTITY_MAX)
DEAR = Micros(2**62)
LAST = Revision(2**63 - 1)
FAR = Point(-899_999_999, -1_799_999_999)
CALLER = ClientId("c" * 64)


def longest_work(name: str, parts: int) -> FulfillmentOrder:
    """Return work with the longest of everything."""
    key = FulfillmentOrderId("o" * 64 + "/123456")
    line = FulfillmentLine(LineId("l" * 64), Sku(name), MOST, MOST)
    return FulfillmentOrder(
        key,
        LocationId(name),
        DeliveryMethod.SHIP_TO_STORE,
        FulfillmentState.CANCELLED,
        (line,) * parts,
        LocationId(name),
        LATE,
        LATE,
        LATE,
        DEAR,
        DEAR,
        Micros(-1),
        key,
        -1,
        collect_by_time_ms=LATE,
    )


def longest_terms(name: str, scope: Scope) -> OrderTerms:
    """Return terms with the longest of everything."""
    terms = OrderTerms(
        Channel("c" * 64),
        CustomerId(name),
        Address(FAR, "p" * 16, name, name, "US", name, name),
        LATE,
        package_count_max=1_000,
        shortage_policy=ShortagePolicy.CANCEL,
        scope=scope,
        placed_at_location_id=LocationId(name),
        reference=name,
    )
    return msgspec.structs.replace(terms, promise_is_hard=True, ship_complete=True)


def largest(name: str, scope: Scope, parts: int) -> Order:
    """Return an order with the longest of everything."""
    method = DeliveryMethod.DROP_SHIP
    place = LocationId(name)
    line = OrderLine(LineId("l" * 64), Sku(name), MOST, method, place, DEAR, MOST, name)
    return Order(
        OrderId("o" * 64),
        CALLER,
        longest_terms(name, scope),
        (line,) * parts,
        (longest_work(name, parts),) * parts,
        tuple(OrderHold(kind, "r" * 64, CALLER, LATE) for kind in HoldKind),
        Attention.RULE_FAILED,
        (Decision(LAST, LATE, StepKind.REPLANNED, 2**31 - 1, ()),) * DECISIONS_MAX,
        (OrderStep(LAST, LATE, StepKind.REPLANNED, CALLER, "d" * 200),) * HISTORY_MAX,
        LATE,
        LATE,
        LAST,
    )


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("parts", [1, 20])
@pytest.mark.parametrize("kind", ["everywhere", "locations", "groups", "near"])
def test_an_order_is_not_larger_than_counted(name: str, parts: int, kind: str) -> None:
    scopes: dict[str, Scope] = {
        "everywhere": None,
        "locations": LocationList((LocationId(name),) * 1_000),
        "groups": GroupList((GroupId(name),) * 100),
        "near": NearPoint(FAR, 20_038_000, 2**31 - 1),
    }
    order = largest(name, scopes[kind], parts)
    message = order_pb2.Order()
    fill_order(message, order, LAST)
    assert message.ByteSize() <= order_bytes(order)
    change = order_pb2.WatchOrdersResponse()
    fill_change(change.changes.add(), (order, StepKind.PLACED), (LAST, LATE), is_basic=False)
    assert change.ByteSize() <= order_bytes(order) + 64


def test_the_count_of_an_ordinary_order_is_not_far_off() -> None:
    order = largest("shop", None, 2)
    message = order_pb2.Order()
    fill_order(message, order, LAST)
    assert order_bytes(order) < 2 * message.ByteSize()
