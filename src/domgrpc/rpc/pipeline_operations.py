"""The operations of a pipeline call: what makes a step of each, and what writes its result.

Each kind has a pair of functions: one makes a request or a query of the operation, the other
writes the answer in place.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import msgspec

from domgrpc.core.answers import Answer
from domgrpc.core.availability import PairBudget, check_availability
from domgrpc.core.dispatch import Command
from domgrpc.core.machine import Request
from domgrpc.core.order_queries import get_order, quote_order
from domgrpc.core.orders import Order
from domgrpc.core.reservations import Reservation
from domgrpc.core.stock_changes import StockSummary
from domgrpc.engine.admission import Priority
from domgrpc.engine.calls import Query, Reading, Step
from domgrpc.engine.records import fingerprint
from domgrpc.rpc.calls import Call
from domgrpc.rpc.refusals import InvalidField
from domgrpc.rpc.shapes import request_id
from domgrpc.rpc.translate_availability import fill_availability, read_question
from domgrpc.rpc.translate_order_answers import fill_order
from domgrpc.rpc.translate_orders import (
    PLANNED_LINES_MAX,
    advance_fulfillment_order,
    cancel_order,
    edit_order,
    hold_order,
    order_id_of,
    place_order,
    quote_question,
    quoted_line_count,
    release_order,
)
from domgrpc.rpc.translate_plans import fill_quote
from domgrpc.rpc.translate_reservations import (
    confirm_reservation,
    fill_reservation,
    fill_reserved,
    get_reservation,
    move_reservation,
    release_reservation,
    reserve_stock,
    settle_reservation,
    update_reservation,
)
from domgrpc.rpc.translate_stock import fill_summary, update_stock
from domgrpc.v1 import inventory_pb2, order_pb2, pipeline_pb2, reservation_pb2

# Messages, outcomes and values differ by the kind of operation that the table names.
Fill: TypeAlias = Callable[[pipeline_pb2.OperationResult, Any], None]


class Asker:
    """What the operations of a message share: who asks, and what may still be asked."""

    __slots__ = ("_planned_line_count", "budget", "call", "change_count", "client_id", "is_late")

    def __init__(self, call: Call) -> None:
        self.call = call
        self.client_id = call.client_id
        self.budget = PairBudget()
        self.change_count = 0
        """Changes among the operations so far."""
        self.is_late = False
        """A revision that was waited for did not come."""
        self._planned_line_count = 0

    def plan_lines(self, count: int) -> None:
        """Count lines that an operation has planned; refuses what is beyond those of one call."""
        planned_count = self._planned_line_count + count
        if planned_count > PLANNED_LINES_MAX:
            raise InvalidField(
                "lines",
                f"would be more than {PLANNED_LINES_MAX} that one call has planned: split the call",
            )
        self._planned_line_count = planned_count


class Kind(msgspec.Struct, frozen=True):
    """How one kind of operation is made a step, and how its result is written."""

    prepare: Callable[[Any, Asker], Step]
    fill: Fill
    priority: Priority
    fill_basic: Fill | None = None
    """Writes the short answer, where the operation can ask for one."""


# --- from operations to steps


def _reserve(body: reservation_pb2.ReserveStockRequest, asker: Asker) -> Request:
    command = reserve_stock(body)
    # As `_request`, without its call: this is the operation that comes by the hundred thousand.
    return Request(
        command,
        asker.client_id,
        request_id(body.request_id),
        fingerprint(command),
        body.validate_only,
    )


def _request(command: Command, key: str, asker: Asker, *, validate_only: bool = False) -> Request:
    return Request(command, asker.client_id, request_id(key), fingerprint(command), validate_only)


def _update(body: reservation_pb2.UpdateReservationRequest, asker: Asker) -> Request:
    command = update_reservation(body)
    return _request(command, body.request_id, asker, validate_only=body.validate_only)


def _move(body: reservation_pb2.MoveReservationRequest, asker: Asker) -> Request:
    command = move_reservation(body)
    return _request(command, body.request_id, asker, validate_only=body.validate_only)


def _confirm(body: reservation_pb2.ConfirmReservationRequest, asker: Asker) -> Request:
    return _request(confirm_reservation(body), body.request_id, asker)


def _release(body: reservation_pb2.ReleaseReservationRequest, asker: Asker) -> Request:
    return _request(release_reservation(body), body.request_id, asker)


def _settle(body: reservation_pb2.SettleReservationRequest, asker: Asker) -> Request:
    return _request(settle_reservation(body), body.request_id, asker)


def _get(body: reservation_pb2.GetReservationRequest, _asker: Asker) -> Query[Any]:
    reservation_id = get_reservation(body)
    return lambda state, _: state.reservations.get(reservation_id)


def _check(body: inventory_pb2.CheckAvailabilityRequest, asker: Asker) -> Query[Any]:
    question = read_question(body)
    budget = asker.budget
    return lambda state, now_ms: check_availability(state.network, question, now_ms, budget)


def _stock(body: inventory_pb2.UpdateStockRequest, asker: Asker) -> Request:
    command = update_stock(body)
    return _request(command, body.request_id, asker, validate_only=body.validate_only)


def _place_order(body: order_pb2.PlaceOrderRequest, asker: Asker) -> Request:
    asker.plan_lines(len(body.lines))
    return _request(place_order(body), body.request_id, asker, validate_only=body.validate_only)


def _edit_order(body: order_pb2.EditOrderRequest, asker: Asker) -> Request:
    asker.plan_lines(len(body.lines))
    return _request(edit_order(body), body.request_id, asker, validate_only=body.validate_only)


def _cancel_order(body: order_pb2.CancelOrderRequest, asker: Asker) -> Request:
    return _request(cancel_order(body), body.request_id, asker, validate_only=body.validate_only)


def _hold_order(body: order_pb2.HoldOrderRequest, asker: Asker) -> Request:
    return _request(hold_order(body), body.request_id, asker)


def _release_order(body: order_pb2.ReleaseOrderRequest, asker: Asker) -> Request:
    return _request(release_order(body), body.request_id, asker)


def _advance(body: order_pb2.AdvanceFulfillmentOrderRequest, asker: Asker) -> Request:
    return _request(advance_fulfillment_order(body), body.request_id, asker)


def _get_order(body: order_pb2.GetOrderRequest, _asker: Asker) -> Query[Any]:
    order_id = order_id_of(body.order_id)
    return lambda state, _: get_order(state, order_id)


def _quote_order(body: order_pb2.QuoteOrderRequest, asker: Asker) -> Query[Any]:
    asker.plan_lines(quoted_line_count(body))
    if body.HasField("hold_ttl"):
        raise InvalidField("hold_ttl", "is given; in Execute quotes hold nothing: call QuoteOrder")
    question = quote_question(body)
    return lambda state, now_ms: quote_order(state, question, now_ms)


def _no_operation(_body: object, _asker: Asker) -> Step:
    raise InvalidField("operation", "is missing; say what to do")


# --- from results to messages


def _fill_reserved(entry: pipeline_pb2.OperationResult, answer: Answer) -> None:
    reservation = answer.outcome
    assert isinstance(reservation, Reservation)
    fill_reserved(entry.reservation, reservation, answer.revision)


def _fill_changed(entry: pipeline_pb2.OperationResult, answer: Answer) -> None:
    reservation = answer.outcome
    assert isinstance(reservation, Reservation)
    fill_reservation(entry.reservation, reservation, answer.revision)


def _fill_got(entry: pipeline_pb2.OperationResult, reading: Reading[Any]) -> None:
    fill_reservation(entry.reservation, reading.value, reading.revision)


def _fill_checked(entry: pipeline_pb2.OperationResult, reading: Reading[Any]) -> None:
    fill_availability(entry.availability, reading)


def _fill_stock(entry: pipeline_pb2.OperationResult, answer: Answer) -> None:
    summary = answer.outcome
    assert isinstance(summary, StockSummary)
    fill_summary(entry.stock, summary, answer.revision)


def _fill_order(entry: pipeline_pb2.OperationResult, answer: Answer) -> None:
    order = answer.outcome
    assert isinstance(order, Order)
    fill_order(entry.order, order, answer.revision)


def _fill_order_basic(entry: pipeline_pb2.OperationResult, answer: Answer) -> None:
    order = answer.outcome
    assert isinstance(order, Order)
    fill_order(entry.order, order, answer.revision, is_basic=True)


def _fill_got_order(entry: pipeline_pb2.OperationResult, reading: Reading[Any]) -> None:
    fill_order(entry.order, reading.value, reading.revision)


def _fill_got_order_basic(entry: pipeline_pb2.OperationResult, reading: Reading[Any]) -> None:
    fill_order(entry.order, reading.value, reading.revision, is_basic=True)


def _fill_quote(entry: pipeline_pb2.OperationResult, reading: Reading[Any]) -> None:
    fill_quote(entry.quote, reading.value, reading.revision)


KINDS: Mapping[str, Kind] = {
    "reserve_stock": Kind(_reserve, _fill_reserved, Priority.CHANGE),
    "update_reservation": Kind(_update, _fill_changed, Priority.CHANGE),
    "move_reservation": Kind(_move, _fill_changed, Priority.CHANGE),
    "confirm_reservation": Kind(_confirm, _fill_changed, Priority.FINISH),
    "release_reservation": Kind(_release, _fill_changed, Priority.FINISH),
    "settle_reservation": Kind(_settle, _fill_changed, Priority.FINISH),
    "get_reservation": Kind(_get, _fill_got, Priority.READ),
    "check_availability": Kind(_check, _fill_checked, Priority.READ),
    "update_stock": Kind(_stock, _fill_stock, Priority.CHANGE),
    "place_order": Kind(_place_order, _fill_order, Priority.CHANGE, _fill_order_basic),
    "edit_order": Kind(_edit_order, _fill_order, Priority.CHANGE, _fill_order_basic),
    "cancel_order": Kind(_cancel_order, _fill_order, Priority.FINISH, _fill_order_basic),
    "hold_order": Kind(_hold_order, _fill_order, Priority.FINISH, _fill_order_basic),
    "release_order": Kind(_release_order, _fill_order, Priority.CHANGE, _fill_order_basic),
    "advance_fulfillment_order": Kind(_advance, _fill_order, Priority.FINISH, _fill_order_basic),
    "get_order": Kind(_get_order, _fill_got_order, Priority.READ, _fill_got_order_basic),
    "quote_order": Kind(_quote_order, _fill_quote, Priority.READ),
    "": Kind(_no_operation, _fill_got, Priority.LIST),
}
