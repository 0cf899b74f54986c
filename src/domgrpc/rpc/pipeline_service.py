"""PipelineService: many operations in one message, one turn of the writer, one commit.

The fast lane. Each kind of operation has a pair of functions: one makes a step of it (a request
or a query), the other writes the result in place. An operation with a bad shape becomes its own
error and does not stop the others.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import msgspec

from domgrpc.core.answers import Answer
from domgrpc.core.availability import PairBudget, check_availability
from domgrpc.core.dispatch import Command
from domgrpc.core.machine import Request
from domgrpc.core.rejections import Rejection
from domgrpc.core.reservations import Reservation
from domgrpc.core.state import State
from domgrpc.core.stock_changes import StockSummary
from domgrpc.core.values import TimeMs
from domgrpc.engine.admission import Priority
from domgrpc.engine.calls import Query, Reading, RevisionNotReached, Step, StepResult
from domgrpc.engine.records import fingerprint
from domgrpc.rpc.answering import problem_of
from domgrpc.rpc.calls import Call
from domgrpc.rpc.refusals import InvalidField, Refused, TransportReason
from domgrpc.rpc.shapes import min_revision, request_id
from domgrpc.rpc.status import Problem, fill_status
from domgrpc.rpc.translate_availability import fill_availability, read_question
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
from domgrpc.v1 import inventory_pb2, pipeline_pb2, reservation_pb2

OPERATIONS_MAX = 1_000

# Messages, outcomes and values differ by the kind of operation that the table names.
_Fill: TypeAlias = Callable[[pipeline_pb2.OperationResult, Any], None]


class _Asker:
    """What the operations of a message share: who asks, and what may still be asked."""

    __slots__ = ("budget", "call", "change_count", "client_id", "is_late")

    def __init__(self, call: Call) -> None:
        self.call = call
        self.client_id = call.client_id
        self.budget = PairBudget()
        self.change_count = 0
        """Changes among the operations so far."""
        self.is_late = False
        """A revision that was waited for did not come."""


class _Kind(msgspec.Struct, frozen=True):
    """How one kind of operation is made a step, and how its result is written."""

    prepare: Callable[[Any, _Asker], Step]
    fill: _Fill
    priority: Priority


class PipelineService:
    """Runs many independent operations with one call."""

    async def Execute(
        self, message: pipeline_pb2.ExecuteRequest, call: Call
    ) -> pipeline_pb2.ExecuteResponse:
        """Run up to 1,000 operations in order, each as if it had been called alone."""
        operation_count = len(message.operations)
        if not 0 < operation_count <= OPERATIONS_MAX:
            raise Refused(
                TransportReason.OPERATION_COUNT_OUT_OF_RANGE,
                f"there are {operation_count} operations; 1 to {OPERATIONS_MAX} are allowed in "
                "one call",
                operation_count=operation_count,
                limit=OPERATIONS_MAX,
            )
        engine = call.engine
        # Reading a thousand operations costs as much as a third of doing them.
        engine.admission.check_time(call.deadline_seconds, operation_count, engine.seconds())
        operations = message.operations[:]
        steps: list[Step] = []
        fills: list[_Fill | Problem] = []
        asker = _Asker(call)
        priority = Priority.LIST
        for operation in operations:
            name = operation.WhichOneof("operation") or ""
            kind = _KINDS[name]
            if kind.priority < priority:  # noqa: PLR1730 - a call of min() for every operation
                priority = kind.priority
            try:
                body: Any = getattr(operation, name, None)
                step = kind.prepare(body, asker)
                if kind.priority is not Priority.READ:
                    asker.change_count += 1
                elif body.min_revision:
                    step = await _from(body.min_revision, step, asker)
                steps.append(step)
                fills.append(kind.fill)
            except (InvalidField, Refused, RevisionNotReached) as refusal:
                fills.append(problem_of(refusal))
        # The last step says which revision the operations led to.
        steps.append(_nothing)
        return _answer(fills, await engine.execute(steps, call.ticket(priority)))


def _answer(
    fills: list[_Fill | Problem], results: list[StepResult]
) -> pipeline_pb2.ExecuteResponse:
    answer = pipeline_pb2.ExecuteResponse()
    add = answer.results.add
    remaining = iter(results)
    for fill in fills:
        entry = add()
        if not callable(fill):
            fill_status(entry.error, fill)
            continue
        result = next(remaining)
        if type(result) is Answer:
            if type(result.outcome) is Rejection:
                fill_status(entry.error, result.outcome)
            else:
                fill(entry, result)
        elif isinstance(result, Exception):
            fill_status(entry.error, problem_of(result))
        elif isinstance(result, Reading) and isinstance(result.value, RevisionNotReached):
            fill_status(entry.error, problem_of(result.value))
        else:
            fill(entry, result)
    last = next(remaining)
    assert isinstance(last, Reading)
    answer.revision = last.revision
    return answer


async def _from(revision: int, query: Any, asker: _Asker) -> Query[Any]:  # noqa: ANN401 - any read
    """Return a query that is answered from a revision on; waits for it where it has to."""
    min_revision(revision)
    now = asker.call.engine.revision
    if revision <= now:
        return query  # type: ignore[no-any-return]  # its value differs by the operation
    if revision <= now + asker.change_count:
        # The changes before it in the message may lead there; to wait would be in vain.
        return lambda state, now_ms: (
            query(state, now_ms)
            if state.revision >= revision
            else RevisionNotReached(state.revision, revision)
        )
    if asker.is_late:
        raise RevisionNotReached(now, revision)
    try:
        await asker.call.read(_nothing, revision)
    except RevisionNotReached:
        # The first one that is late waits for all: together they wait no longer than one.
        asker.is_late = True
        raise
    return query  # type: ignore[no-any-return]  # likewise


def _nothing(_state: State, _now_ms: TimeMs) -> None:
    return None


# --- from operations to steps


def _reserve(body: reservation_pb2.ReserveStockRequest, asker: _Asker) -> Request:
    command = reserve_stock(body)
    # As `_request`, without its call: this is the operation that comes by the hundred thousand.
    return Request(
        command,
        asker.client_id,
        request_id(body.request_id),
        fingerprint(command),
        body.validate_only,
    )


def _request(command: Command, key: str, asker: _Asker, *, validate_only: bool = False) -> Request:
    return Request(command, asker.client_id, request_id(key), fingerprint(command), validate_only)


def _update(body: reservation_pb2.UpdateReservationRequest, asker: _Asker) -> Request:
    command = update_reservation(body)
    return _request(command, body.request_id, asker, validate_only=body.validate_only)


def _move(body: reservation_pb2.MoveReservationRequest, asker: _Asker) -> Request:
    command = move_reservation(body)
    return _request(command, body.request_id, asker, validate_only=body.validate_only)


def _confirm(body: reservation_pb2.ConfirmReservationRequest, asker: _Asker) -> Request:
    return _request(confirm_reservation(body), body.request_id, asker)


def _release(body: reservation_pb2.ReleaseReservationRequest, asker: _Asker) -> Request:
    return _request(release_reservation(body), body.request_id, asker)


def _settle(body: reservation_pb2.SettleReservationRequest, asker: _Asker) -> Request:
    return _request(settle_reservation(body), body.request_id, asker)


def _get(body: reservation_pb2.GetReservationRequest, _asker: _Asker) -> Query[Any]:
    reservation_id = get_reservation(body)
    return lambda state, _: state.reservations.get(reservation_id)


def _check(body: inventory_pb2.CheckAvailabilityRequest, asker: _Asker) -> Query[Any]:
    question = read_question(body)
    budget = asker.budget
    return lambda state, now_ms: check_availability(state.network, question, now_ms, budget)


def _stock(body: inventory_pb2.UpdateStockRequest, asker: _Asker) -> Request:
    command = update_stock(body)
    return _request(command, body.request_id, asker, validate_only=body.validate_only)


def _no_operation(_body: object, _asker: _Asker) -> Step:
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


_KINDS: Mapping[str, _Kind] = {
    "reserve_stock": _Kind(_reserve, _fill_reserved, Priority.CHANGE),
    "update_reservation": _Kind(_update, _fill_changed, Priority.CHANGE),
    "move_reservation": _Kind(_move, _fill_changed, Priority.CHANGE),
    "confirm_reservation": _Kind(_confirm, _fill_changed, Priority.FINISH),
    "release_reservation": _Kind(_release, _fill_changed, Priority.FINISH),
    "settle_reservation": _Kind(_settle, _fill_changed, Priority.FINISH),
    "get_reservation": _Kind(_get, _fill_got, Priority.READ),
    "check_availability": _Kind(_check, _fill_checked, Priority.READ),
    "update_stock": _Kind(_stock, _fill_stock, Priority.CHANGE),
    "": _Kind(_no_operation, _fill_got, Priority.LIST),
}
