"""The orders of the ledger as gRPC messages, sent and answered as bytes.

Answers are kept as the bytes that came, so that two of them are equal only to the byte.
"""

import asyncio
from collections.abc import Sequence
from hashlib import blake2b

import grpc
import grpc.aio
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status

from domgrpc.v1 import (
    inventory_pb2,
    location_pb2,
    order_pb2,
    pipeline_pb2,
    reservation_pb2,
    types_pb2,
)
from domgrpc.v1.inventory_pb2_grpc import InventoryServiceStub
from domgrpc.v1.location_pb2_grpc import LocationServiceStub
from domgrpc.v1.order_pb2_grpc import OrderServiceStub
from domgrpc.v1.pipeline_pb2_grpc import PipelineServiceStub
from domgrpc.v1.reservation_pb2_grpc import ReservationServiceStub
from tests.faults.ledger import (
    CONFIRMED,
    CUP,
    PLACE,
    PLENTY,
    QUANTITIES,
    TAKEN_OVER,
    TEA,
    TEA_AFTER_EDIT,
    Found,
    Ledger,
    end_state,
    is_end,
    order_of,
    reserve_id,
)

DEADLINE_SECONDS = 30.0
CHANNEL_OPTIONS = (
    ("grpc.max_receive_message_length", 64 * 1024 * 1024),
    # A channel of its own for each server, whatever the process has open already.
    ("grpc.use_local_subchannel_pool", 1),
)
_METHODS = {
    "ReservationService": ("ReserveStock", "ConfirmReservation", "ReleaseReservation"),
    "OrderService": ("PlaceOrder", "EditOrder", "CancelOrder", "AdvanceFulfillmentOrder"),
}
_TTL_SECONDS = 24 * 60 * 60
_PAGE_SIZE = 1_000


def reason_of(error: grpc.aio.AioRpcError) -> str:
    """Return the published reason of a refusal, empty where it names none."""
    for name, value in error.trailing_metadata() or ():
        if name == "grpc-status-details-bin":
            status = Status.FromString(value if isinstance(value, bytes) else value.encode())
            return error_reason(status)
    return ""


def error_reason(status: Status) -> str:
    """Return the published reason within a status, empty where it names none."""
    info = ErrorInfo()
    for detail in status.details:
        if detail.Unpack(info):
            return info.reason
    return ""


def digest(answer: bytes) -> str:
    """Return what an answer is remembered by."""
    return blake2b(answer, digest_size=8).hexdigest()


async def open_place(channel: grpc.aio.Channel, skus: Sequence[str], on_hand: int) -> None:
    """Make the place and put stock there; again, it changes nothing."""
    await LocationServiceStub(channel).CreateLocation(
        location_pb2.CreateLocationRequest(
            request_id="place",
            location=location_pb2.Location(
                location_id=PLACE, type=location_pb2.LOCATION_TYPE_STORE
            ),
        ),
        timeout=DEADLINE_SECONDS,
    )
    request = inventory_pb2.UpdateStockRequest(request_id="plenty")
    for sku in skus:
        adjustment = inventory_pb2.StockAdjustment(delta=on_hand)
        request.updates.add(sku=sku, location_id=PLACE, adjustment=adjustment)
    await InventoryServiceStub(channel).UpdateStock(request, timeout=DEADLINE_SECONDS)


async def found_by(channel: grpc.aio.Channel) -> Found:
    """Read the orders and the positions that a server holds."""
    return Found(await _orders(channel), await positions(channel), await _placed(channel))


async def positions(channel: grpc.aio.Channel) -> dict[str, tuple[int, int, int]]:
    """Read on hand, soft reserved and allocated of every SKU of the place."""
    stub = InventoryServiceStub(channel)
    read: dict[str, tuple[int, int, int]] = {}
    token = ""
    while token or not read:
        page = await stub.ListPositions(
            inventory_pb2.ListPositionsRequest(page_size=_PAGE_SIZE, page_token=token),
            timeout=DEADLINE_SECONDS,
        )
        for position in page.positions:
            figures = (position.on_hand, position.soft_reserved, position.allocated)
            read[position.sku] = figures
        token = page.next_page_token
    return read


async def _orders(channel: grpc.aio.Channel) -> dict[str, tuple[int, dict[str, int]]]:
    stub = ReservationServiceStub(channel)
    read: dict[str, tuple[int, dict[str, int]]] = {}
    token, is_first = "", True
    while token or is_first:
        is_first = False
        page = await stub.ListReservations(
            reservation_pb2.ListReservationsRequest(page_size=_PAGE_SIZE, page_token=token),
            timeout=DEADLINE_SECONDS,
        )
        for held in page.reservations:
            lines = {line.sku: line.quantity for line in held.lines}
            read[held.reservation_id] = (held.state, lines)
        token = page.next_page_token
    return read


async def _placed(channel: grpc.aio.Channel) -> dict[str, tuple[bool, dict[str, int]]]:
    stub = OrderServiceStub(channel)
    read: dict[str, tuple[bool, dict[str, int]]] = {}
    token, is_first = "", True
    while token or is_first:
        is_first = False
        page = await stub.ListOrders(
            order_pb2.ListOrdersRequest(page_size=100, page_token=token),
            timeout=DEADLINE_SECONDS,
        )
        for order in page.orders:
            units = dict.fromkeys(QUANTITIES, 0)
            for line in (line for work in order.fulfillment_orders for line in work.lines):
                units[line.sku] += line.quantity
            states = [work.state for work in order.fulfillment_orders]
            read[order.order_id] = (order_pb2.FULFILLMENT_STATE_RELEASED in states, units)
        token = page.next_page_token
    return read


class Sender:
    """Sends the requests of a ledger over one channel and writes their answers down."""

    def __init__(self, channel: grpc.aio.Channel, ledger: Ledger) -> None:
        """Prepare the methods; nothing is sent."""
        self._ledger = ledger
        self._pipeline = PipelineServiceStub(channel)
        self._methods: dict[str, grpc.aio.UnaryUnaryMultiCallable[bytes, bytes]] = {
            name: channel.unary_unary(f"/domgrpc.v1.{service}/{name}")
            for service, names in _METHODS.items()
            for name in names
        }

    async def open_and_check(self, channel: grpc.aio.Channel) -> None:
        """Have the place stocked, then compare what is there with what was answered."""
        await open_place(channel, list(QUANTITIES), PLENTY)
        self._ledger.check(await found_by(channel))

    async def send(self, request_id: str, *, deadline_seconds: float = DEADLINE_SECONDS) -> None:
        """Send a request and write its answer, or its refusal, down. Raises AioRpcError."""
        name, message = _call_of(request_id)
        is_first = request_id not in self._ledger.sent
        self._ledger.send(request_id)
        try:
            answer = await self._methods[name](message, timeout=deadline_seconds)
        except grpc.aio.AioRpcError as error:
            # Of a repeat it says nothing about the times before.
            if is_first and error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED:
                self._ledger.refuse(request_id)
            raise
        self._ledger.answer(request_id, digest(answer))

    async def execute(self, orders: Sequence[str]) -> None:
        """Make many orders with one message. Raises AioRpcError where it is refused as a whole."""
        message = pipeline_pb2.ExecuteRequest()
        for order in orders:
            self._ledger.send(reserve_id(order))
            _fill_reserve(message.operations.add().reserve_stock, order)
        try:
            answer = await self._pipeline.Execute(message, timeout=DEADLINE_SECONDS)
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED:
                for order in orders:
                    self._ledger.refuse(reserve_id(order))
            raise
        for order, result in zip(orders, answer.results, strict=True):
            self._ledger.answer(reserve_id(order), digest(result.reservation.SerializeToString()))

    async def send_all(self, request_ids: Sequence[str], width: int) -> None:
        """Send many requests, so many at a time."""
        waiting = iter(request_ids)

        async def send_in_turn() -> None:
            for request_id in waiting:
                await self.send(request_id)

        async with asyncio.TaskGroup() as group:
            for _ in range(width):
                group.create_task(send_in_turn())


def _call_of(request_id: str) -> tuple[str, bytes]:
    order = order_of(request_id)
    if end_state(order) == TAKEN_OVER and request_id != reserve_id(order):
        return _order_call_of(request_id, order)
    if is_end(request_id):
        if end_state(order) == CONFIRMED:
            confirm = reservation_pb2.ConfirmReservationRequest(
                request_id=request_id, reservation_id=order
            )
            return "ConfirmReservation", confirm.SerializeToString()
        release = reservation_pb2.ReleaseReservationRequest(
            request_id=request_id, reservation_id=order
        )
        return "ReleaseReservation", release.SerializeToString()
    message = reservation_pb2.ReserveStockRequest()
    _fill_reserve(message, order)
    return "ReserveStock", message.SerializeToString()


def _order_call_of(request_id: str, order: str) -> tuple[str, bytes]:
    match request_id[-2:]:
        case ".c":
            edit = order_pb2.EditOrderRequest(request_id=request_id, order_id=order)
            edit.lines.add(line_id=TEA, quantity=TEA_AFTER_EDIT)
            return "EditOrder", edit.SerializeToString()
        case ".d":
            cut = order_pb2.CancelOrderRequest(request_id=request_id, order_id=order)
            cut.lines.add(line_id=CUP, quantity=1)
            return "CancelOrder", cut.SerializeToString()
        case ".f":
            step = order_pb2.AdvanceFulfillmentOrderRequest(
                request_id=request_id,
                order_id=order,
                fulfillment_order_id=f"{order}/1",
                state=order_pb2.FULFILLMENT_STATE_RELEASED,
            )
            return "AdvanceFulfillmentOrder", step.SerializeToString()
    placing = order_pb2.PlaceOrderRequest(
        request_id=request_id,
        order_id=order,
        reservation_id=order,
        delivery_method=types_pb2.DELIVERY_METHOD_PICKUP,
        location_id=PLACE,
    )
    for sku, quantity in QUANTITIES.items():
        placing.lines.add(line_id=sku, sku=sku, quantity=quantity)
    return "PlaceOrder", placing.SerializeToString()


def _fill_reserve(message: reservation_pb2.ReserveStockRequest, order: str) -> None:
    message.request_id = reserve_id(order)
    message.reservation_id = order
    for sku, quantity in QUANTITIES.items():
        message.lines.add(sku=sku, location_id=PLACE, quantity=quantity)
    message.ttl.seconds = _TTL_SECONDS
