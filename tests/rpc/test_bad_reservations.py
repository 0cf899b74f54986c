"""What is wrong with a reservation call is named by its field."""

from collections.abc import Callable
from typing import Any

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from domgrpc.rpc.translate_reservations import (
    confirm_reservation,
    get_reservation,
    move_reservation,
    release_reservation,
    reservation_filter,
    reserve_stock,
    settle_reservation,
    update_reservation,
)
from domgrpc.v1 import reservation_pb2 as re
from domgrpc.v1 import types_pb2 as ty
from tests.rpc.bad_shapes import (
    LONG,
    NOT_NFC,
    TOO_MUCH,
    UNKNOWN,
    Case,
    Field,
    each_case,
    expect_bad,
    filled,
)


def reserve(line: dict[str, Field] | None = None, **fields: Field) -> re.ReserveStockRequest:
    one = re.ReserveLine(**filled(line or {}, sku="A", location_id="a", quantity=1))
    return re.ReserveStockRequest(**filled(fields, lines=[one]))


RESERVATIONS: list[Case] = [
    (reserve_stock, re.ReserveStockRequest(), "lines"),
    (reserve_stock, reserve(lines=[re.ReserveLine(sku="A", quantity=1)] * 5_001), "lines"),
    (reserve_stock, reserve({"sku": ""}), "lines[0].sku"),
    (reserve_stock, reserve({"sku": NOT_NFC}), "lines[0].sku"),
    (reserve_stock, reserve({"location_id": LONG}), "lines[0].location_id"),
    (reserve_stock, reserve({"quantity": 0}), "lines[0].quantity"),
    (reserve_stock, reserve({"quantity": -1}), "lines[0].quantity"),
    (reserve_stock, reserve({"quantity": TOO_MUCH}), "lines[0].quantity"),
    (reserve_stock, reserve(reservation_id="a b"), "reservation_id"),
    (reserve_stock, reserve(reservation_id="x" * 65), "reservation_id"),
    (reserve_stock, reserve(location_count_max=-1), "location_count_max"),
    (reserve_stock, reserve(channel="x" * 65), "channel"),
    (reserve_stock, reserve(delivery_method=UNKNOWN), "delivery_method"),
    (reserve_stock, reserve(reference="x" * 129), "reference"),
    (reserve_stock, reserve(ttl=Duration(seconds=1, nanos=-1)), "ttl"),
    (reserve_stock, reserve(ttl=Duration(seconds=2**60)), "ttl"),
    (reserve_stock, reserve(expire_time=Timestamp(seconds=-1)), "expire_time"),
    (
        reserve_stock,
        reserve(scope=ty.Scope(groups=ty.GroupList(group_ids=[""]))),
        "scope.groups.group_ids[0]",
    ),
    (update_reservation, re.UpdateReservationRequest(), "reservation_id"),
    (
        update_reservation,
        re.UpdateReservationRequest(
            reservation_id="r", lines=[re.LineQuantity(sku="A", quantity=-1)]
        ),
        "lines[0].quantity",
    ),
    (
        update_reservation,
        re.UpdateReservationRequest(reservation_id="r", lines=[re.LineQuantity(sku="A")] * 5_001),
        "lines",
    ),
    (move_reservation, re.MoveReservationRequest(reservation_id="r"), "sku"),
    (
        move_reservation,
        re.MoveReservationRequest(reservation_id="r", sku="A"),
        "from_location_id",
    ),
    (
        move_reservation,
        re.MoveReservationRequest(reservation_id="r", sku="A", from_location_id="a", quantity=-1),
        "quantity",
    ),
    (confirm_reservation, re.ConfirmReservationRequest(), "reservation_id"),
    (
        confirm_reservation,
        re.ConfirmReservationRequest(reservation_id="r", etag="x" * 65),
        "etag",
    ),
    (release_reservation, re.ReleaseReservationRequest(reservation_id="!"), "reservation_id"),
    (
        release_reservation,
        re.ReleaseReservationRequest(reservation_id="r", reason="x" * 65),
        "reason",
    ),
    (settle_reservation, re.SettleReservationRequest(reservation_id="r"), "outcome"),
    (
        settle_reservation,
        re.SettleReservationRequest(reservation_id="r", outcome=UNKNOWN),
        "outcome",
    ),
    (
        settle_reservation,
        re.SettleReservationRequest(
            reservation_id="r",
            outcome=re.SETTLEMENT_OUTCOME_SHIPPED,
            lines=[re.LineQuantity(sku="A", quantity=1)],
        ),
        "lines[0].location_id",
    ),
    (
        settle_reservation,
        re.SettleReservationRequest(
            reservation_id="r",
            outcome=re.SETTLEMENT_OUTCOME_SHIPPED,
            lines=[re.LineQuantity(sku="A", location_id="a")],
        ),
        "lines[0].quantity",
    ),
    (get_reservation, re.GetReservationRequest(), "reservation_id"),
    (reservation_filter, re.ListReservationsRequest(state=UNKNOWN), "state"),
    (reservation_filter, re.ListReservationsRequest(client_id="a b"), "client_id"),
    (reservation_filter, re.ListReservationsRequest(sku=LONG), "sku"),
    (reservation_filter, re.ListReservationsRequest(location_id=LONG), "location_id"),
]
CASES = [*RESERVATIONS]


@each_case(CASES)
def test_a_bad_shape_is_refused_by_the_path_of_its_field(
    read: Callable[[Any], object], message: object, path: str
) -> None:
    expect_bad(read, message, path)
