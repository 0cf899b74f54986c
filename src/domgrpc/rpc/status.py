"""How a refusal goes out: the one table from reason to code, and the google.rpc.Status of each.

Every status has an ErrorInfo with the reason, the domain `domgrpc` and the facts, and the detail
that helps with its code: the field that is wrong, the condition that does not hold, the resource
that is missing or taken, when to try again, the lines that are short. docs/api.md explains each
reason; tests prove table and page complete.

A status travels in the trailer of its call, which gRPC bounds to some kilobytes; so does this.
"""

from collections.abc import Mapping
from typing import TypeAlias

import grpc
import msgspec
from google.rpc import error_details_pb2 as details
from google.rpc.status_pb2 import Status

from domgrpc.core.rejections import Reason, Rejection, ShortLine
from domgrpc.rpc.refusals import InvalidField, Refused, TransportReason
from domgrpc.rpc.shapes import set_duration
from domgrpc.v1 import errors_pb2, reservation_pb2

DOMAIN = "domgrpc"
SHORT_LINES_BYTES_MAX = 4_096

AnyReason: TypeAlias = Reason | TransportReason
Problem: TypeAlias = Rejection | InvalidField | Refused

_Code = grpc.StatusCode


class Treatment(msgspec.Struct, frozen=True):
    """How a reason goes out: its code, and what its details are made of."""

    code: grpc.StatusCode
    resource: str = ""
    """What kind of thing is missing or taken; a message of domgrpc.v1 or a word."""
    subject: tuple[str, ...] = ()
    """The facts that name the thing that the refusal is about."""
    field: str = ""
    """The field of the request that is wrong."""
    parent: str = ""
    """The message of which the fact `field` names the field that is wrong."""
    retry_ms: int = 0
    """When it makes sense to try again; 0 for never by itself."""


TREATMENTS: Mapping[AnyReason, Treatment] = {
    Reason.LOCATION_NOT_FOUND: Treatment(_Code.NOT_FOUND, "Location", ("location_id",)),
    Reason.GROUP_NOT_FOUND: Treatment(_Code.NOT_FOUND, "LocationGroup", ("group_id",)),
    Reason.SKU_NOT_FOUND: Treatment(_Code.NOT_FOUND, "Product", ("sku",)),
    Reason.POSITION_NOT_FOUND: Treatment(
        _Code.NOT_FOUND, "InventoryPosition", ("sku", "location_id")
    ),
    Reason.RULE_NOT_FOUND: Treatment(_Code.NOT_FOUND, "SafetyStockRule", ("rule_id",)),
    Reason.RULE_SET_NOT_FOUND: Treatment(_Code.NOT_FOUND, "RuleSet", ("version",)),
    Reason.SUPPLY_NOT_FOUND: Treatment(_Code.NOT_FOUND, "InboundSupply", ("supply_id",)),
    Reason.RESERVATION_NOT_FOUND: Treatment(_Code.NOT_FOUND, "Reservation", ("reservation_id",)),
    Reason.RESERVATION_LINE_NOT_FOUND: Treatment(
        _Code.NOT_FOUND, "ReservationLine", ("reservation_id", "sku", "location_id")
    ),
    Reason.RATE_CARD_NOT_FOUND: Treatment(_Code.NOT_FOUND, "RateCard", ("service_id",)),
    Reason.LANE_NOT_FOUND: Treatment(_Code.NOT_FOUND, "Lane", ("service_id",)),
    Reason.CALENDAR_NOT_FOUND: Treatment(
        _Code.NOT_FOUND, "LocationCalendar", ("location_id", "location_type")
    ),
    Reason.ORDER_NOT_FOUND: Treatment(_Code.NOT_FOUND, "Order", ("order_id",)),
    Reason.ORDER_LINE_NOT_FOUND: Treatment(_Code.NOT_FOUND, "OrderLine", ("order_id", "line_id")),
    Reason.FULFILLMENT_ORDER_NOT_FOUND: Treatment(
        _Code.NOT_FOUND, "FulfillmentOrder", ("fulfillment_order_id",)
    ),
    Reason.DECISION_NOT_FOUND: Treatment(_Code.NOT_FOUND, "Decision", ("order_id",)),
    Reason.LOCATION_ID_TAKEN: Treatment(_Code.ALREADY_EXISTS, "Location", ("location_id",)),
    Reason.GROUP_ID_TAKEN: Treatment(_Code.ALREADY_EXISTS, "LocationGroup", ("group_id",)),
    Reason.SKU_TAKEN: Treatment(_Code.ALREADY_EXISTS, "Product", ("sku",)),
    Reason.RULE_ID_TAKEN: Treatment(_Code.ALREADY_EXISTS, "SafetyStockRule", ("rule_id",)),
    Reason.RESERVATION_ID_TAKEN: Treatment(
        _Code.ALREADY_EXISTS, "Reservation", ("reservation_id",)
    ),
    Reason.ORDER_ID_TAKEN: Treatment(_Code.ALREADY_EXISTS, "Order", ("order_id",)),
    Reason.REQUEST_ID_REUSED: Treatment(_Code.ALREADY_EXISTS, "request", ("request_id",)),
    Reason.INSUFFICIENT_STOCK: Treatment(_Code.FAILED_PRECONDITION, subject=("sku", "location_id")),
    Reason.LOCATION_DISABLED: Treatment(_Code.FAILED_PRECONDITION, subject=("location_id",)),
    Reason.DELIVERY_METHOD_UNSUPPORTED: Treatment(
        _Code.FAILED_PRECONDITION, subject=("location_id",)
    ),
    Reason.BELOW_FULFILLMENT_MINIMUM: Treatment(
        _Code.FAILED_PRECONDITION, subject=("sku", "location_id")
    ),
    Reason.RESERVATION_EXPIRED: Treatment(_Code.FAILED_PRECONDITION, subject=("reservation_id",)),
    Reason.ILLEGAL_TRANSITION: Treatment(
        _Code.FAILED_PRECONDITION, subject=("reservation_id", "version")
    ),
    Reason.SETTLEMENT_TOO_LARGE: Treatment(_Code.FAILED_PRECONDITION, subject=("reservation_id",)),
    Reason.MOVE_TOO_LARGE: Treatment(_Code.FAILED_PRECONDITION, subject=("reservation_id",)),
    Reason.REPLAN_TOO_LARGE: Treatment(_Code.FAILED_PRECONDITION),
    Reason.RESERVATION_WOULD_BE_EMPTY: Treatment(
        _Code.FAILED_PRECONDITION, subject=("reservation_id",)
    ),
    Reason.NO_CANDIDATE: Treatment(_Code.FAILED_PRECONDITION),
    Reason.RESERVATION_MISMATCH: Treatment(
        _Code.FAILED_PRECONDITION, subject=("reservation_id", "sku")
    ),
    Reason.QUOTE_EXPIRED: Treatment(_Code.FAILED_PRECONDITION),
    Reason.QUOTE_MISMATCH: Treatment(_Code.FAILED_PRECONDITION),
    Reason.QUOTE_OUTDATED: Treatment(_Code.FAILED_PRECONDITION),
    Reason.LINE_RELEASED: Treatment(_Code.FAILED_PRECONDITION, subject=("order_id", "line_id")),
    Reason.LINE_SKU_FIXED: Treatment(_Code.FAILED_PRECONDITION, subject=("order_id", "line_id")),
    Reason.CANCELLATION_TOO_LARGE: Treatment(
        _Code.FAILED_PRECONDITION, subject=("order_id", "line_id")
    ),
    Reason.ORDER_WOULD_BE_EMPTY: Treatment(_Code.FAILED_PRECONDITION, subject=("order_id",)),
    Reason.ORDER_FINISHED: Treatment(_Code.FAILED_PRECONDITION, subject=("order_id",)),
    Reason.ORDER_ON_HOLD: Treatment(_Code.FAILED_PRECONDITION, subject=("order_id",)),
    Reason.ILLEGAL_STEP: Treatment(_Code.FAILED_PRECONDITION, subject=("fulfillment_order_id",)),
    Reason.QUANTITY_BELOW_ZERO: Treatment(
        _Code.FAILED_PRECONDITION, subject=("sku", "location_id")
    ),
    Reason.QUANTITY_TOO_LARGE: Treatment(_Code.FAILED_PRECONDITION, subject=("sku", "location_id")),
    Reason.COUNT_OUTDATED: Treatment(_Code.FAILED_PRECONDITION),
    Reason.EFFECTIVE_TIME_TOO_OLD: Treatment(_Code.FAILED_PRECONDITION),
    Reason.EFFECTIVE_TIME_IN_FUTURE: Treatment(_Code.FAILED_PRECONDITION),
    Reason.GROUP_IN_USE: Treatment(_Code.FAILED_PRECONDITION, subject=("group_id",)),
    Reason.RULE_SET_INVALID: Treatment(_Code.FAILED_PRECONDITION, subject=("rule_id",)),
    Reason.RULE_SET_CONTRADICTORY: Treatment(_Code.FAILED_PRECONDITION, subject=("rule_ids",)),
    Reason.TTL_OUT_OF_RANGE: Treatment(_Code.INVALID_ARGUMENT, field="expiration"),
    Reason.TOO_MANY_PAIRS: Treatment(_Code.INVALID_ARGUMENT, field="items"),
    Reason.TOO_MANY_LINES: Treatment(_Code.INVALID_ARGUMENT, field="lines"),
    Reason.TOO_MANY_PARTS: Treatment(_Code.INVALID_ARGUMENT, field="products"),
    Reason.LOCATION_TYPE_MISSING: Treatment(_Code.INVALID_ARGUMENT, field="location.type"),
    Reason.RULE_INVALID: Treatment(_Code.INVALID_ARGUMENT, parent="rule"),
    Reason.WINDOW_OVER: Treatment(_Code.INVALID_ARGUMENT, field="disabled_window.end_time"),
    Reason.RATE_CARD_INVALID: Treatment(_Code.INVALID_ARGUMENT, parent="rate_card"),
    Reason.LANE_INVALID: Treatment(_Code.INVALID_ARGUMENT, parent="lane"),
    Reason.CALENDAR_INVALID: Treatment(_Code.INVALID_ARGUMENT, parent="calendar"),
    Reason.ETAG_MISMATCH: Treatment(_Code.ABORTED),
    Reason.STALE_EXPECTATION: Treatment(_Code.ABORTED),
    Reason.RESERVATION_QUOTA_EXCEEDED: Treatment(_Code.RESOURCE_EXHAUSTED, retry_ms=1_000),
    Reason.CAPACITY_EXCEEDED: Treatment(_Code.RESOURCE_EXHAUSTED, retry_ms=60_000),
    TransportReason.INVALID_FIELD: Treatment(_Code.INVALID_ARGUMENT),
    TransportReason.REQUEST_ID_MISSING: Treatment(_Code.INVALID_ARGUMENT, field="request_id"),
    TransportReason.MESSAGE_MALFORMED: Treatment(_Code.INVALID_ARGUMENT),
    TransportReason.PAGE_TOKEN_INVALID: Treatment(_Code.INVALID_ARGUMENT, field="page_token"),
    TransportReason.OPERATION_COUNT_OUT_OF_RANGE: Treatment(
        _Code.INVALID_ARGUMENT, field="operations"
    ),
    TransportReason.REVISION_TRIMMED: Treatment(_Code.OUT_OF_RANGE),
    TransportReason.WATCH_TOO_SLOW: Treatment(_Code.ABORTED),
    TransportReason.SOURCE_IN_USE: Treatment(_Code.ABORTED, retry_ms=1_000),
    TransportReason.SNAPSHOT_RUNNING: Treatment(_Code.FAILED_PRECONDITION, retry_ms=5_000),
    TransportReason.VERIFICATION_RUNNING: Treatment(_Code.FAILED_PRECONDITION, retry_ms=5_000),
    TransportReason.REOPTIMIZATION_RUNNING: Treatment(_Code.FAILED_PRECONDITION, retry_ms=5_000),
    TransportReason.DRY_RUN_RUNNING: Treatment(_Code.FAILED_PRECONDITION, retry_ms=1_000),
    TransportReason.BACKLOG_TOO_LARGE: Treatment(_Code.FAILED_PRECONDITION),
    TransportReason.SERVER_BUSY: Treatment(_Code.RESOURCE_EXHAUSTED, retry_ms=50),
    TransportReason.DEADLINE_PASSED: Treatment(_Code.DEADLINE_EXCEEDED),
    TransportReason.SERVER_FAILED: Treatment(_Code.UNAVAILABLE, retry_ms=1_000),
    TransportReason.DISK_FULL: Treatment(_Code.RESOURCE_EXHAUSTED, retry_ms=5_000),
    TransportReason.SERVER_DRAINING: Treatment(_Code.UNAVAILABLE, retry_ms=1_000),
    TransportReason.REVISION_NOT_REACHED: Treatment(_Code.UNAVAILABLE, retry_ms=100),
    TransportReason.INTERNAL: Treatment(_Code.INTERNAL),
}


def reason_of(problem: Problem) -> AnyReason:
    """Return the published reason of a problem."""
    return TransportReason.INVALID_FIELD if isinstance(problem, InvalidField) else problem.reason


def code_of(problem: Problem) -> grpc.StatusCode:
    """Return the status code of a problem."""
    return TREATMENTS[reason_of(problem)].code


def fill_status(status: Status, problem: Problem) -> None:
    """Write code, message and details of a problem into a status in place."""
    if isinstance(problem, InvalidField):
        _fill_invalid_field(status, problem)
        return
    treatment = TREATMENTS[problem.reason]
    _fill_head(status, problem.reason, problem.message, problem.facts)
    _add_code_details(status, treatment, problem)
    if treatment.retry_ms:
        retry = details.RetryInfo()
        set_duration(retry.retry_delay, treatment.retry_ms * 1_000)
        status.details.add().Pack(retry)
    if isinstance(problem, Rejection) and problem.short_lines:
        status.details.add().Pack(_insufficient_stock(problem.short_lines))


def fill_short_line(message: reservation_pb2.ShortLine, line: ShortLine) -> None:
    """Write a short line and its alternatives in place."""
    message.sku = line.sku
    message.location_id = line.location_id
    message.asked_quantity = line.asked_quantity
    message.available_quantity = line.available_quantity
    for alternative in line.alternatives:
        message.alternatives.add(
            sku=alternative.sku,
            location_id=alternative.location_id,
            available_quantity=alternative.available_quantity,
        )


def _fill_head(status: Status, reason: AnyReason, message: str, facts: dict[str, str]) -> None:
    status.code = TREATMENTS[reason].code.value[0]
    status.message = message
    info = details.ErrorInfo(reason=reason.value, domain=DOMAIN, metadata=facts)
    # A map is written in the order of a hash that differs from process to process, and a repeated
    # refusal has to have the same bytes.
    status.details.add().Pack(info, deterministic=True)


def _fill_invalid_field(status: Status, problem: InvalidField) -> None:
    facts = {"field": problem.path}
    _fill_head(status, TransportReason.INVALID_FIELD, str(problem), facts)
    _add_bad_request(status, problem.path, problem.description)


def _add_code_details(status: Status, treatment: Treatment, problem: Rejection | Refused) -> None:
    named = [problem.facts[name] for name in treatment.subject if problem.facts.get(name)]
    if treatment.parent:
        path = f"{treatment.parent}.{problem.facts.get('field', '')}"
        _add_bad_request(status, path, problem.message)
    elif treatment.field:
        _add_bad_request(status, treatment.field, problem.message)
    elif treatment.resource:
        resource = details.ResourceInfo(
            resource_type=treatment.resource,
            resource_name="/".join(named),
            description=problem.message,
        )
        status.details.add().Pack(resource)
    elif treatment.code is _Code.FAILED_PRECONDITION:
        failure = details.PreconditionFailure()
        failure.violations.add(
            type=problem.reason.value, subject="/".join(named), description=problem.message
        )
        status.details.add().Pack(failure)


def _add_bad_request(status: Status, field: str, description: str) -> None:
    bad_request = details.BadRequest()
    bad_request.field_violations.add(field=field, description=description)
    status.details.add().Pack(bad_request)


def _insufficient_stock(lines: tuple[ShortLine, ...]) -> errors_pb2.InsufficientStock:
    detail = errors_pb2.InsufficientStock(line_count=len(lines))
    for line in lines:
        fill_short_line(detail.lines.add(), line)
        if detail.ByteSize() > SHORT_LINES_BYTES_MAX and len(detail.lines) > 1:
            del detail.lines[-1]
            break
    return detail
