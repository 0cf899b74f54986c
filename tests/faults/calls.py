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
    routing_pb2,
    types_pb2,
)
from domgrpc.v1.inventory_pb2_grpc import InventoryServiceStub
from domgrpc.v1.location_pb2_grpc import LocationServiceStub
from domgrpc.v1.order_pb2_grpc import OrderServiceStub
from domgrpc.v1.pipeline_pb2_grpc import PipelineServiceStub
from domgrpc.v1.reservation_pb2_grpc import ReservationServiceStub
from tests.faults.ledger import (
    ADVANCE,
    AT,
    CONFIRMED,
    CUP,
    CUSTOMER,
    CUT,
    EDIT,
    FAR_PLACE,
    GO_ON,
    MOVE,
    PAUSE,
    PLACE,
    PLACING,
    PLENTY,
    QUANTITIES,
    SENT_STEPS,
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
    "OrderService": (
        "PlaceOrder",
        "EditOrder",
        "CancelOrder",
        "HoldOrder",
        "ReleaseOrder",
        "AdvanceFulfillmentOrder",
    ),
    "RoutingService": ("ApplyReplan",),
}
_ORDER_METHODS = _METHODS["OrderService"]
_PAYMENT = order_pb2.HOLD_KIND_PAYMENT
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


async def open_place(
    channel: grpc.aio.Channel, skus: Sequence[str], on_hand: int, place: str = PLACE
) -> None:
    """Make a place and put stock there; again, it changes nothing."""
    made = location_pb2.CreateLocationRequest(request_id=f"place-{place}")
    made.location.location_id, made.location.type = place, location_pb2.LOCATION_TYPE_STORE
    _set_point(made.location.point, AT[place])
    await LocationServiceStub(channel).CreateLocation(made, timeout=DEADLINE_SECONDS)
    request = inventory_pb2.UpdateStockRequest(request_id=f"plenty-{place}")
    for sku in skus:
        adjustment = inventory_pb2.StockAdjustment(delta=on_hand)
        request.updates.add(sku=sku, location_id=place, adjustment=adjustment)
    await InventoryServiceStub(channel).UpdateStock(request, timeout=DEADLINE_SECONDS)


async def found_by(channel: grpc.aio.Channel) -> Found:
    """Read the orders and the positions that a server holds."""
    return Found(await _orders(channel), await positions(channel), await _placed(channel))


async def positions(channel: grpc.aio.Channel) -> dict[str, tuple[int, int, int]]:
    """Read on hand, soft reserved and allocated of every SKU, at all places together."""
    stub = InventoryServiceStub(channel)
    read: dict[str, tuple[int, int, int]] = {}
    token = ""
    while token or not read:
        page = await stub.ListPositions(
            inventory_pb2.ListPositionsRequest(page_size=_PAGE_SIZE, page_token=token),
            timeout=DEADLINE_SECONDS,
        )
        for position in page.positions:
            before = read.get(position.sku, (0, 0, 0))
            read[position.sku] = (
                before[0] + position.on_hand,
                before[1] + position.soft_reserved,
                before[2] + position.allocated,
            )
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


async def _placed(channel: grpc.aio.Channel) -> dict[str, tuple[list[str], dict[str, int]]]:
    stub = OrderServiceStub(channel)
    read: dict[str, tuple[list[str], dict[str, int]]] = {}
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
            read[order.order_id] = (_marks(order), units)
        token = page.next_page_token
    return read


def _marks(order: order_pb2.Order) -> list[str]:
    works = [work for work in order.fulfillment_orders if work.lines]
    marks = {
        ADVANCE: any(work.state == order_pb2.FULFILLMENT_STATE_RELEASED for work in works),
        PAUSE: bool(order.holds),
        MOVE: any(work.location_id == FAR_PLACE for work in works),
    }
    return [mark for mark, is_so in marks.items() if is_so]


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
        """Have the places stocked, then compare what is there with what was answered."""
        for place in AT:
            await open_place(channel, list(QUANTITIES), PLENTY, place)
        self._ledger.check(await found_by(channel))

    async def send(
        self, request_id: str, *, etag: str = "", deadline_seconds: float = DEADLINE_SECONDS
    ) -> str:
        """Send a request and write its answer, or its refusal, down; a repeat keeps its etag.

        Returns the etag of the order that is the answer. Raises AioRpcError.
        """
        is_first = request_id not in self._ledger.sent
        name, message = _call_of(request_id, self._ledger.send(request_id, etag))
        try:
            answer = await self._methods[name](message, timeout=deadline_seconds)
        except grpc.aio.AioRpcError as error:
            # Of a repeat it says nothing about the times before.
            if is_first and error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED:
                self._ledger.refuse(request_id)
            raise
        self._ledger.answer(request_id, digest(answer))
        return order_pb2.Order.FromString(answer).etag if name in _ORDER_METHODS else ""

    async def send_steps(self, request_ids: Sequence[str]) -> None:
        """Send requests one after the other, each with the etag that the one before led to."""
        etag = ""
        for request_id in request_ids:
            etag = await self.send(request_id, etag=etag)

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


def _call_of(request_id: str, etag: str) -> tuple[str, bytes]:
    order = order_of(request_id)
    if request_id[-2:] in SENT_STEPS:
        return _sent_call_of(request_id, order, etag)
    if end_state(order) == TAKEN_OVER and request_id != reserve_id(order):
        return _collected_call_of(request_id, order)
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


def _collected_call_of(request_id: str, order: str) -> tuple[str, bytes]:
    if request_id.endswith(EDIT):
        edit = order_pb2.EditOrderRequest(request_id=request_id, order_id=order)
        edit.lines.add(line_id=TEA, quantity=TEA_AFTER_EDIT)
        return "EditOrder", edit.SerializeToString()
    if request_id.endswith(CUT):
        cut = order_pb2.CancelOrderRequest(request_id=request_id, order_id=order)
        cut.lines.add(line_id=CUP, quantity=1)
        return "CancelOrder", cut.SerializeToString()
    if request_id.endswith(ADVANCE):
        step = order_pb2.AdvanceFulfillmentOrderRequest(request_id=request_id, order_id=order)
        step.fulfillment_order_id = f"{order}/1"
        step.state = order_pb2.FULFILLMENT_STATE_RELEASED
        return "AdvanceFulfillmentOrder", step.SerializeToString()
    placing = order_pb2.PlaceOrderRequest(
        request_id=request_id, order_id=order, reservation_id=order, location_id=PLACE
    )
    placing.delivery_method = types_pb2.DELIVERY_METHOD_PICKUP
    return "PlaceOrder", _with_lines(placing)


def _sent_call_of(request_id: str, order: str, etag: str) -> tuple[str, bytes]:
    if request_id.endswith(PLACING):
        placing = order_pb2.PlaceOrderRequest(request_id=request_id, order_id=order)
        _set_point(placing.terms.address.point, CUSTOMER)
        return "PlaceOrder", _with_lines(placing)
    if request_id.endswith(PAUSE):
        pause = order_pb2.HoldOrderRequest(request_id=request_id, order_id=order, kind=_PAYMENT)
        return "HoldOrder", pause.SerializeToString()
    if request_id.endswith(GO_ON):
        go_on = order_pb2.ReleaseOrderRequest(request_id=request_id, order_id=order, kind=_PAYMENT)
        return "ReleaseOrder", go_on.SerializeToString()
    replan = routing_pb2.ApplyReplanRequest(request_id=request_id)
    package = replan.moves.add(order_id=order, etag=etag).packages.add(location_id=FAR_PLACE)
    package.delivery_method = types_pb2.DELIVERY_METHOD_SHIP_TO_HOME
    for sku, quantity in QUANTITIES.items():
        package.lines.add(line_id=sku, quantity=quantity)
    return "ApplyReplan", replan.SerializeToString()


def _with_lines(placing: order_pb2.PlaceOrderRequest) -> bytes:
    for sku, quantity in QUANTITIES.items():
        placing.lines.add(line_id=sku, sku=sku, quantity=quantity)
    return placing.SerializeToString()


def _set_point(point: types_pb2.Point, degrees: tuple[float, float]) -> None:
    point.latitude_degrees, point.longitude_degrees = degrees


def _fill_reserve(message: reservation_pb2.ReserveStockRequest, order: str) -> None:
    message.request_id = reserve_id(order)
    message.reservation_id = order
    for sku, quantity in QUANTITIES.items():
        message.lines.add(sku=sku, location_id=PLACE, quantity=quantity)
    message.ttl.seconds = _TTL_SECONDS
