"""What the business says when it says no.

`Reason` is the one published list: docs/api.md explains each, `rpc/status.py` maps each to a
status code, and tests prove both complete. `Rejected` carries a `Rejection` up to the engine,
which keeps it as the answer of the request where `KEPT` says that the state caused it.
"""

import enum

import msgspec

from domgrpc.core.values import LocationId, Quantity, Sku


class Reason(enum.StrEnum):
    """Why a request was refused; the same word on the wire."""

    LOCATION_NOT_FOUND = "LOCATION_NOT_FOUND"
    GROUP_NOT_FOUND = "GROUP_NOT_FOUND"
    SKU_NOT_FOUND = "SKU_NOT_FOUND"
    POSITION_NOT_FOUND = "POSITION_NOT_FOUND"
    RULE_NOT_FOUND = "RULE_NOT_FOUND"
    RULE_SET_NOT_FOUND = "RULE_SET_NOT_FOUND"
    SUPPLY_NOT_FOUND = "SUPPLY_NOT_FOUND"
    RESERVATION_NOT_FOUND = "RESERVATION_NOT_FOUND"
    RESERVATION_LINE_NOT_FOUND = "RESERVATION_LINE_NOT_FOUND"
    RATE_CARD_NOT_FOUND = "RATE_CARD_NOT_FOUND"
    LANE_NOT_FOUND = "LANE_NOT_FOUND"
    CALENDAR_NOT_FOUND = "CALENDAR_NOT_FOUND"

    ORDER_NOT_FOUND = "ORDER_NOT_FOUND"
    ORDER_LINE_NOT_FOUND = "ORDER_LINE_NOT_FOUND"
    FULFILLMENT_ORDER_NOT_FOUND = "FULFILLMENT_ORDER_NOT_FOUND"
    DECISION_NOT_FOUND = "DECISION_NOT_FOUND"

    LOCATION_ID_TAKEN = "LOCATION_ID_TAKEN"
    GROUP_ID_TAKEN = "GROUP_ID_TAKEN"
    SKU_TAKEN = "SKU_TAKEN"
    RULE_ID_TAKEN = "RULE_ID_TAKEN"
    RESERVATION_ID_TAKEN = "RESERVATION_ID_TAKEN"
    ORDER_ID_TAKEN = "ORDER_ID_TAKEN"
    REQUEST_ID_REUSED = "REQUEST_ID_REUSED"

    INSUFFICIENT_STOCK = "INSUFFICIENT_STOCK"
    LOCATION_DISABLED = "LOCATION_DISABLED"
    DELIVERY_METHOD_UNSUPPORTED = "DELIVERY_METHOD_UNSUPPORTED"
    RESERVATION_EXPIRED = "RESERVATION_EXPIRED"
    ILLEGAL_TRANSITION = "ILLEGAL_TRANSITION"
    SETTLEMENT_TOO_LARGE = "SETTLEMENT_TOO_LARGE"
    MOVE_TOO_LARGE = "MOVE_TOO_LARGE"
    REPLAN_TOO_LARGE = "REPLAN_TOO_LARGE"
    QUANTITY_BELOW_ZERO = "QUANTITY_BELOW_ZERO"
    QUANTITY_TOO_LARGE = "QUANTITY_TOO_LARGE"
    COUNT_OUTDATED = "COUNT_OUTDATED"
    EFFECTIVE_TIME_TOO_OLD = "EFFECTIVE_TIME_TOO_OLD"
    EFFECTIVE_TIME_IN_FUTURE = "EFFECTIVE_TIME_IN_FUTURE"
    TTL_OUT_OF_RANGE = "TTL_OUT_OF_RANGE"
    GROUP_IN_USE = "GROUP_IN_USE"
    TOO_MANY_PAIRS = "TOO_MANY_PAIRS"
    TOO_MANY_LINES = "TOO_MANY_LINES"
    TOO_MANY_PARTS = "TOO_MANY_PARTS"
    LOCATION_TYPE_MISSING = "LOCATION_TYPE_MISSING"
    RULE_INVALID = "RULE_INVALID"
    RULE_SET_INVALID = "RULE_SET_INVALID"
    RULE_SET_CONTRADICTORY = "RULE_SET_CONTRADICTORY"
    WINDOW_OVER = "WINDOW_OVER"
    RATE_CARD_INVALID = "RATE_CARD_INVALID"
    LANE_INVALID = "LANE_INVALID"
    CALENDAR_INVALID = "CALENDAR_INVALID"
    RESERVATION_WOULD_BE_EMPTY = "RESERVATION_WOULD_BE_EMPTY"

    NO_CANDIDATE = "NO_CANDIDATE"
    QUOTE_EXPIRED = "QUOTE_EXPIRED"
    QUOTE_MISMATCH = "QUOTE_MISMATCH"
    RESERVATION_MISMATCH = "RESERVATION_MISMATCH"
    QUOTE_OUTDATED = "QUOTE_OUTDATED"
    LINE_RELEASED = "LINE_RELEASED"
    LINE_SKU_FIXED = "LINE_SKU_FIXED"
    CANCELLATION_TOO_LARGE = "CANCELLATION_TOO_LARGE"
    ORDER_WOULD_BE_EMPTY = "ORDER_WOULD_BE_EMPTY"
    ORDER_FINISHED = "ORDER_FINISHED"
    ORDER_ON_HOLD = "ORDER_ON_HOLD"
    ILLEGAL_STEP = "ILLEGAL_STEP"

    BELOW_FULFILLMENT_MINIMUM = "BELOW_FULFILLMENT_MINIMUM"

    ETAG_MISMATCH = "ETAG_MISMATCH"
    STALE_EXPECTATION = "STALE_EXPECTATION"

    RESERVATION_QUOTA_EXCEEDED = "RESERVATION_QUOTA_EXCEEDED"
    CAPACITY_EXCEEDED = "CAPACITY_EXCEEDED"


NOT_KEPT = frozenset(
    {
        Reason.RESERVATION_QUOTA_EXCEEDED,
        Reason.CAPACITY_EXCEEDED,
        Reason.REQUEST_ID_REUSED,
        Reason.TTL_OUT_OF_RANGE,
        Reason.TOO_MANY_PAIRS,
        Reason.TOO_MANY_LINES,
        Reason.TOO_MANY_PARTS,
        Reason.LOCATION_TYPE_MISSING,
        Reason.RULE_INVALID,
        Reason.WINDOW_OVER,
        Reason.RATE_CARD_INVALID,
        Reason.LANE_INVALID,
        Reason.CALENDAR_INVALID,
    }
)
"""Refusals for want of capacity and of what has a wrong shape; every other one is an answer."""


class Alternative(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Stock somewhere else that could be held by the same demand."""

    sku: Sku
    location_id: LocationId
    available_quantity: Quantity


class ShortLine(msgspec.Struct, frozen=True, array_like=True):
    """A line that could not be held, or not in full, and where else stock is."""

    sku: Sku
    location_id: LocationId
    asked_quantity: Quantity
    available_quantity: Quantity
    alternatives: tuple[Alternative, ...] = ()


class Rejection(msgspec.Struct, frozen=True, array_like=True, tag=9, tag_field="tag"):
    """A refusal as data: it is logged, kept and repeated like any other answer."""

    reason: Reason
    message: str
    facts: dict[str, str] = {}
    short_lines: tuple[ShortLine, ...] = ()


class Rejected(Exception):
    """Raised by decide functions and queries; carries what to answer."""

    def __init__(
        self,
        reason: Reason,
        message: str,
        *,
        short_lines: tuple[ShortLine, ...] = (),
        **facts: object,
    ) -> None:
        """Build the rejection; facts become strings, as they go into error metadata."""
        super().__init__(message)
        self.rejection = Rejection(
            reason=reason,
            message=message,
            facts={name: str(value) for name, value in facts.items()},
            short_lines=short_lines,
        )


def counted(count: int, noun: str) -> str:
    """Return a number of things as a message says it, in the singular for one."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def check_no_etag(expected: str, what: str) -> None:
    """Refuse with ETAG_MISMATCH where an etag is given of a resource that does not exist."""
    if expected:
        raise Rejected(
            Reason.ETAG_MISMATCH,
            f"{what} does not exist, so that it cannot have etag {expected}: it was deleted or "
            "never was; decide anew",
            expected_etag=expected,
        )


def check_etag(expected: str, revision: int, what: str) -> None:
    """Refuse with ETAG_MISMATCH unless `expected` is empty or the resource's revision."""
    if expected and expected != str(revision):
        raise Rejected(
            Reason.ETAG_MISMATCH,
            f"{what} has etag {revision}, not {expected}: read it again and decide anew",
            etag=revision,
            expected_etag=expected,
        )
