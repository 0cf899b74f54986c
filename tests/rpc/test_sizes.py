"""What is counted of a thing is no less than what it takes in a message."""

import msgspec
import pytest

from domgrpc.core.changes import PositionChange
from domgrpc.core.listings import PositionView
from domgrpc.core.location_groups import LocationGroup
from domgrpc.core.orders import (
    Address,
    FulfillmentLine,
    FulfillmentOrder,
    Order,
    OrderLine,
    OrderTerms,
)
from domgrpc.core.products import BundleComponent, Product, ProductFields
from domgrpc.core.reservations import Reservation, ReservationLine, ReservationState
from domgrpc.core.supply import InboundKind, Supply
from domgrpc.core.values import (
    QUANTITY_MAX,
    TIME_MS_MAX,
    Channel,
    ClientId,
    DeliveryMethod,
    Demand,
    GroupId,
    LocationId,
    OrderId,
    Quantity,
    ReservationId,
    Revision,
    Sku,
    StockCondition,
    StockLevel,
    SupplyId,
    TimeMs,
)
from domgrpc.rpc.sizes import (
    change_bytes,
    group_bytes,
    position_bytes,
    product_bytes,
    reservation_bytes,
)
from domgrpc.rpc.translate_locations import fill_group
from domgrpc.rpc.translate_products import fill_product
from domgrpc.rpc.translate_reservations import fill_reservation
from domgrpc.rpc.translate_stock import fill_change, fill_position
from domgrpc.v1 import inventory_pb2, location_pb2, product_pb2, reservation_pb2

NAMES = ["s" * 128, "\u00e9" * 64, "\N{WATER BUFFALO}" * 32]
"""Ids of the greatest length: of letters with one, two and four bytes."""
LATE = TimeMs(TIME_MS_MAX)
MOST = Quantity(QUANTITY_MAX)
LAST = Revision(2**63 - 1)


@pytest.mark.parametrize("name", NAMES)
def test_a_reservation_is_not_larger_than_counted(name: str) -> None:
    line = ReservationLine(Sku(name), LocationId(name), MOST, MOST, MOST)
    reservation = Reservation(
        reservation_id=ReservationId("r" * 64),
        client_id=ClientId("c" * 64),
        state=ReservationState.CONFIRMED,
        lines=(line,) * 50,
        expire_time_ms=LATE,
        create_time_ms=LATE,
        update_time_ms=LATE,
        revision=LAST,
        demand=Demand(Channel("c" * 64), DeliveryMethod.LOCAL_DELIVERY),
        reference=name,
    )
    message = reservation_pb2.Reservation()
    fill_reservation(message, reservation, LAST)
    assert message.ByteSize() <= reservation_bytes(reservation)


@pytest.mark.parametrize("name", NAMES)
def test_a_group_is_not_larger_than_counted(name: str) -> None:
    members = (LocationId(name),) * 50
    group = LocationGroup(GroupId(name), name, members, LATE, LATE, LAST)
    message = location_pb2.LocationGroup()
    fill_group(message, group, LAST)
    assert message.ByteSize() <= group_bytes(group)


@pytest.mark.parametrize("name", NAMES)
def test_a_product_is_not_larger_than_counted(name: str) -> None:
    fields = ProductFields(
        display_name="n" * 200,
        unit="u" * 16,
        weight_grams=10**9,
        length_mm=10**6,
        width_mm=10**6,
        height_mm=10**6,
        categories=(name,) * 32,
        keep_together=True,
        ship_alone=True,
        components=(BundleComponent(Sku(name), Quantity(1_000_000)),) * 100,
        substitute_skus=(Sku(name),) * 32,
    )
    product = Product(Sku(name), fields, LATE, LATE, LAST)
    message = product_pb2.Product()
    fill_product(message, product, LAST)
    assert message.ByteSize() <= product_bytes(product)


@pytest.mark.parametrize("name", NAMES)
def test_a_position_is_not_larger_than_counted(name: str) -> None:
    position = PositionView(
        sku=Sku(name),
        location_id=LocationId(name),
        on_hand=0,
        soft_reserved=QUANTITY_MAX,
        allocated=QUANTITY_MAX,
        safety_stock=QUANTITY_MAX,
        available_to_fulfill=-QUANTITY_MAX,
        conditions=tuple((condition, MOST) for condition in StockCondition),
        inbound=(Supply(SupplyId(name), InboundKind.RETURN, MOST, LATE),) * 50,
        level=StockLevel.OUT_OF_STOCK,
        count_time_ms=LATE,
    )
    message = inventory_pb2.InventoryPosition()
    fill_position(message, position, LAST)
    assert message.ByteSize() <= position_bytes(position)


@pytest.mark.parametrize("name", NAMES)
def test_a_change_is_not_larger_than_counted(name: str) -> None:
    change = PositionChange(
        sku=Sku(name),
        location_id=LocationId(name),
        reason=name[:64],
        on_hand_delta=-QUANTITY_MAX,
        soft_reserved_delta=-QUANTITY_MAX,
        allocated_delta=-QUANTITY_MAX,
        reservation_id=ReservationId("r" * 64),
        order_id=OrderId("o" * 64),
        level=StockLevel.OUT_OF_STOCK,
    )
    message = inventory_pb2.WatchInventoryResponse()
    fill_change(message.changes.add(), change, LAST, LATE)
    assert message.ByteSize() <= change_bytes(change)


def test_every_field_of_what_is_counted_is_known_here() -> None:
    # A new text in one of them has to be counted too.
    counts: dict[type[msgspec.Struct], int] = {
        Reservation: 11,
        LocationGroup: 6,
        Product: 5,
        PositionView: 11,
        PositionChange: 9,
        Order: 13,
        OrderTerms: 11,
        Address: 8,
        OrderLine: 8,
        FulfillmentOrder: 16,
        FulfillmentLine: 4,
    }
    for kind, count in counts.items():
        assert len(msgspec.structs.fields(kind)) == count, kind
