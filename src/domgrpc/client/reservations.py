"""The calls of ReservationService, as methods of a client."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, TypeAlias

from domgrpc.client.calls import Caller
from domgrpc.client.coalescing import ALONE_WEIGHT, HotCall
from domgrpc.client.values import Line, scope_weight, set_seconds, set_time, write_lines
from domgrpc.v1.reservation_pb2 import (
    ConfirmReservationRequest,
    GetReservationRequest,
    ListReservationsRequest,
    ListReservationsResponse,
    MoveReservationRequest,
    ReleaseReservationRequest,
    Reservation,
    ReservationState,
    ReserveStockRequest,
    SettlementOutcome,
    SettleReservationRequest,
    UpdateReservationRequest,
)
from domgrpc.v1.types_pb2 import DeliveryMethod, Scope

_ANY_METHOD: Final = DeliveryMethod.DELIVERY_METHOD_UNSPECIFIED
_ANY_STATE: Final = ReservationState.RESERVATION_STATE_UNSPECIFIED

_WithExpiration: TypeAlias = ReserveStockRequest | UpdateReservationRequest

RESERVE: Final = HotCall(
    ReserveStockRequest,
    lambda stubs: stubs.reservations.ReserveStock,
    lambda operation: operation.reserve_stock,
    lambda result: result.reservation,
)
UPDATE: Final = HotCall(
    UpdateReservationRequest,
    lambda stubs: stubs.reservations.UpdateReservation,
    lambda operation: operation.update_reservation,
    lambda result: result.reservation,
)
MOVE: Final = HotCall(
    MoveReservationRequest,
    lambda stubs: stubs.reservations.MoveReservation,
    lambda operation: operation.move_reservation,
    lambda result: result.reservation,
)
CONFIRM: Final = HotCall(
    ConfirmReservationRequest,
    lambda stubs: stubs.reservations.ConfirmReservation,
    lambda operation: operation.confirm_reservation,
    lambda result: result.reservation,
)
RELEASE: Final = HotCall(
    ReleaseReservationRequest,
    lambda stubs: stubs.reservations.ReleaseReservation,
    lambda operation: operation.release_reservation,
    lambda result: result.reservation,
)
SETTLE: Final = HotCall(
    SettleReservationRequest,
    lambda stubs: stubs.reservations.SettleReservation,
    lambda operation: operation.settle_reservation,
    lambda result: result.reservation,
)
GET: Final = HotCall(
    GetReservationRequest,
    lambda stubs: stubs.reservations.GetReservation,
    lambda operation: operation.get_reservation,
    lambda result: result.reservation,
    is_read=True,
)


async def reserve_stock(
    client: Caller,
    lines: Sequence[Line],
    *,
    reservation_id: str = "",
    scope: Scope | None = None,
    location_count_max: int = 0,
    channel: str = "",
    delivery_method: DeliveryMethod = _ANY_METHOD,
    ttl_seconds: float | None = None,
    expire_time: datetime | None = None,
    allow_partial: bool = False,
    in_stock_only: bool = False,
    reference: str = "",
    validate_only: bool = False,
    request_id: str = "",
    timeout_seconds: float | None = None,
) -> Reservation:
    """Hold stock until a deadline, by default for 15 minutes; all lines or none.

    A line without a location lets the service pick within `scope`. The reservation's id is the
    request's where none is given. Raises DomgrpcError, for example with INSUFFICIENT_STOCK and
    the short lines.
    """
    calls = client.calls
    request, batch = calls.begin(RESERVE, len(lines) + scope_weight(scope))
    request.request_id = request_id or calls.new_request_id()
    write_lines(request.lines, lines)
    request.channel = channel
    request.delivery_method = delivery_method
    if reservation_id or reference or location_count_max:
        request.reservation_id = reservation_id
        request.reference = reference
        request.location_count_max = location_count_max
    if scope is not None:
        request.scope.CopyFrom(scope)
    if ttl_seconds is not None or expire_time is not None:
        _set_expiration(request, ttl_seconds, expire_time)
    if allow_partial or in_stock_only or validate_only:
        request.allow_partial = allow_partial
        request.in_stock_only = in_stock_only
        request.validate_only = validate_only
    return await calls.finish(RESERVE, request, batch, timeout_seconds)


async def update_reservation(
    client: Caller,
    reservation_id: str,
    lines: Sequence[Line] = (),
    *,
    scope: Scope | None = None,
    ttl_seconds: float | None = None,
    expire_time: datetime | None = None,
    in_stock_only: bool = False,
    etag: str = "",
    validate_only: bool = False,
    request_id: str = "",
    timeout_seconds: float | None = None,
) -> Reservation:
    """Change quantities and the deadline of a hold in place.

    A line's quantity is the new total of its SKU at its location, 0 removes it; lines that are
    not named stay. Without a location it is the SKU's total over all its locations.
    """
    calls = client.calls
    request, batch = calls.begin(UPDATE, len(lines) + scope_weight(scope))
    request.request_id = request_id or calls.new_request_id()
    request.reservation_id = reservation_id
    write_lines(request.lines, lines)
    if scope is not None:
        request.scope.CopyFrom(scope)
    _set_expiration(request, ttl_seconds, expire_time)
    request.in_stock_only = in_stock_only
    request.etag = etag
    request.validate_only = validate_only
    return await calls.finish(UPDATE, request, batch, timeout_seconds)


async def move_reservation(
    client: Caller,
    reservation_id: str,
    sku: str,
    from_location_id: str,
    *,
    to_location_id: str = "",
    quantity: int = 0,
    scope: Scope | None = None,
    in_stock_only: bool = False,
    etag: str = "",
    validate_only: bool = False,
    request_id: str = "",
    timeout_seconds: float | None = None,
) -> Reservation:
    """Move units of a hold to another location; 0 units moves the whole line.

    Without a target the service picks one within `scope`.
    """
    calls = client.calls
    request, batch = calls.begin(MOVE, 1 + scope_weight(scope))
    request.request_id = request_id or calls.new_request_id()
    request.reservation_id = reservation_id
    request.sku = sku
    request.from_location_id = from_location_id
    request.to_location_id = to_location_id
    request.quantity = quantity
    if scope is not None:
        request.scope.CopyFrom(scope)
    request.in_stock_only = in_stock_only
    request.etag = etag
    request.validate_only = validate_only
    return await calls.finish(MOVE, request, batch, timeout_seconds)


async def confirm_reservation(
    client: Caller,
    reservation_id: str,
    *,
    revive_if_available: bool = False,
    etag: str = "",
    request_id: str = "",
    timeout_seconds: float | None = None,
) -> Reservation:
    """Make a hold a claim without a deadline; confirming twice changes nothing.

    Raises DomgrpcError with RESERVATION_EXPIRED after the deadline, unless
    `revive_if_available` is set and every unit is still free.
    """
    calls = client.calls
    request, batch = calls.begin(CONFIRM, 1)
    request.request_id = request_id or calls.new_request_id()
    request.reservation_id = reservation_id
    request.revive_if_available = revive_if_available
    request.etag = etag
    return await calls.finish(CONFIRM, request, batch, timeout_seconds)


async def release_reservation(
    client: Caller,
    reservation_id: str,
    *,
    reason: str = "",
    etag: str = "",
    request_id: str = "",
    timeout_seconds: float | None = None,
) -> Reservation:
    """Give a hold back; releasing twice, or after expiry, changes nothing."""
    calls = client.calls
    request, batch = calls.begin(RELEASE, 1)
    request.request_id = request_id or calls.new_request_id()
    request.reservation_id = reservation_id
    request.reason = reason
    request.etag = etag
    return await calls.finish(RELEASE, request, batch, timeout_seconds)


async def settle_reservation(
    client: Caller,
    reservation_id: str,
    outcome: SettlementOutcome,
    *,
    lines: Sequence[Line] = (),
    etag: str = "",
    request_id: str = "",
    timeout_seconds: float | None = None,
) -> Reservation:
    """End the claim of confirmed units: they were shipped or cancelled.

    Lines need their locations; without lines all that is still claimed is settled.
    """
    calls = client.calls
    request, batch = calls.begin(SETTLE, 1 + len(lines))
    request.request_id = request_id or calls.new_request_id()
    request.reservation_id = reservation_id
    request.outcome = outcome
    write_lines(request.lines, lines)
    request.etag = etag
    return await calls.finish(SETTLE, request, batch, timeout_seconds)


async def get_reservation(
    client: Caller,
    reservation_id: str,
    *,
    min_revision: int = 0,
    timeout_seconds: float | None = None,
) -> Reservation:
    """Return one reservation."""
    calls = client.calls
    # It may have to wait for a revision; in a batch others would wait with it.
    request, batch = calls.begin(GET, ALONE_WEIGHT if min_revision else 1)
    request.reservation_id = reservation_id
    request.min_revision = min_revision
    return await calls.finish(GET, request, batch, timeout_seconds)


async def list_reservations(
    client: Caller,
    *,
    state: ReservationState = _ANY_STATE,
    client_id: str = "",
    sku: str = "",
    location_id: str = "",
    page_size: int = 0,
    page_token: str = "",
    min_revision: int = 0,
    timeout_seconds: float | None = None,
) -> ListReservationsResponse:
    """Return a page of reservations, oldest first; see `paging.pages` for all of them."""
    request = ListReservationsRequest(
        page_size=page_size,
        page_token=page_token,
        state=state,
        client_id=client_id,
        sku=sku,
        location_id=location_id,
        min_revision=min_revision,
    )
    calls = client.calls
    return await calls.read(calls.stubs.reservations.ListReservations, request, timeout_seconds)


def _set_expiration(
    request: _WithExpiration, ttl_seconds: float | None, expire_time: datetime | None
) -> None:
    if ttl_seconds is not None and expire_time is not None:
        raise ValueError("a hold ends after ttl_seconds or at expire_time: give one of them")
    if ttl_seconds is not None:
        set_seconds(request.ttl, ttl_seconds)
    set_time(request.expire_time, expire_time)
