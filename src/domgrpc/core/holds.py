"""What a hold may take: deciding ReserveStock, UpdateReservation and MoveReservation.

Every unit is checked against ATS for the demand of the hold (ATF with in_stock_only), with the
hold's own units not counted against it. All lines or none, unless the caller allows partial.
"""

import msgspec

from domgrpc.core.hold_draft import HoldDraft, illegal_transition, insufficient
from domgrpc.core.moments import instant_text, seconds_text
from domgrpc.core.network import Ask, Network
from domgrpc.core.plain_holds import plain_lines
from domgrpc.core.rejections import Reason, Rejected, ShortLine, check_etag
from domgrpc.core.reservation_book import Reservations
from domgrpc.core.reservations import (
    LINES_MAX,
    Caller,
    Expiration,
    LineQuantity,
    MoveReservation,
    Reservation,
    ReservationChanged,
    ReservationLine,
    ReservationState,
    ReserveStock,
    StockReserved,
    UpdateReservation,
)
from domgrpc.core.scopes import resolve_scope
from domgrpc.core.values import (
    TTL_MS_DEFAULT,
    TTL_MS_MAX,
    TTL_MS_MIN,
    LocationId,
    Quantity,
    ReservationId,
    Sku,
    TimeMs,
)

# --- decide


def decide_reserve_stock(
    network: Network, state: Reservations, command: ReserveStock, caller: Caller
) -> StockReserved:
    """Hold what is asked, or refuse and name what is short and where else stock is."""
    now_ms = caller.at.time_ms
    reservation_id = command.reservation_id or ReservationId(caller.request_id)
    check_new_reservation(state, reservation_id, caller)
    expire_time_ms = deadline_ms(command.expiration, now_ms)
    ask = Ask(command.demand, now_ms)
    short_lines: tuple[ShortLine, ...] = ()
    lines = plain_lines(network, ask, command.lines)
    if lines is None:
        draft = _drafted(network, command, ask)
        lines, short_lines = draft.sorted_lines(), draft.short_lines()
    _check_line_count(len(lines), reservation_id)
    return StockReserved(
        Reservation(
            reservation_id,
            caller.client_id,
            ReservationState.HELD,
            lines,
            command.demand,
            command.reference,
            expire_time_ms,
            now_ms,
            now_ms,
            caller.at.revision,
            short_lines,
        )
    )


def _drafted(network: Network, command: ReserveStock, ask: Ask) -> HoldDraft:
    draft = HoldDraft(network, ask, in_stock_only=command.in_stock_only)
    located, anywhere = _summed(command.lines)
    for (sku, location_id), quantity in located.items():
        draft.set(sku, location_id, quantity)
    if anywhere:
        area = resolve_scope(network, command.scope)
        count_max = command.location_count_max
        draft.pick(anywhere, draft.picking(area, location_count_max=count_max))
    if draft.short and not (command.allow_partial and draft.lines):
        raise _short_of(draft)
    return draft


def decide_update_reservation(
    network: Network, state: Reservations, command: UpdateReservation, caller: Caller
) -> ReservationChanged | None:
    """Change lines and deadline of a hold in place; None where nothing differs."""
    old = held_reservation(state, command.reservation_id, command.etag)
    now_ms = caller.at.time_ms
    expire_time_ms = old.expire_time_ms
    if command.expiration is not None:
        expire_time_ms = deadline_ms(command.expiration, now_ms)
    draft = HoldDraft(
        network, Ask(old.demand, now_ms), old.lines, in_stock_only=command.in_stock_only
    )
    located, anywhere = _summed(command.lines)
    for (sku, location_id), quantity in located.items():
        draft.set(sku, location_id, quantity)
    area = resolve_scope(network, command.scope)
    needs: dict[Sku, int] = {}
    for sku, quantity in anywhere.items():
        more = quantity - draft.quantity_of(sku)
        if more < 0:
            _give_back(draft, sku, -more)
        elif left := draft.grow(sku, more, area):
            needs[sku] = left
    if needs:
        draft.pick(needs, draft.picking(area), totals=True)
    return _changed(draft, old, expire_time_ms, caller)


def decide_move_reservation(
    network: Network, state: Reservations, command: MoveReservation, caller: Caller
) -> ReservationChanged | None:
    """Move units of a line to another location in one step."""
    old = held_reservation(state, command.reservation_id, command.etag)
    line = _line(old, command.sku, command.from_location_id)
    quantity = command.quantity or line.quantity
    if quantity > line.quantity:
        raise Rejected(
            Reason.MOVE_TOO_LARGE,
            f"reservation {old.reservation_id!r} holds {line.quantity} of {command.sku!r} at "
            f"{command.from_location_id!r}, not {quantity}: move at most those",
            reservation_id=old.reservation_id,
            sku=command.sku,
            location_id=command.from_location_id,
            held_quantity=line.quantity,
            asked_quantity=quantity,
        )
    if command.to_location_id == command.from_location_id:
        return None
    ask = Ask(old.demand, caller.at.time_ms)
    draft = HoldDraft(network, ask, old.lines, in_stock_only=command.in_stock_only)
    draft.set(line.sku, line.location_id, line.quantity - quantity)
    if command.to_location_id:
        target = draft.lines.get((line.sku, command.to_location_id))
        there = target.quantity if target is not None else 0
        draft.set(line.sku, command.to_location_id, there + quantity)
    else:
        area = resolve_scope(network, command.scope)
        here = network.locations.index(command.from_location_id)
        draft.pick({line.sku: quantity}, draft.picking(area, excluded=here))
    return _changed(draft, old, old.expire_time_ms, caller)


def held_reservation(state: Reservations, reservation_id: ReservationId, etag: str) -> Reservation:
    """Return an open hold, or refuse with what it is instead."""
    reservation = state.get(reservation_id)
    check_etag(etag, reservation.revision, f"reservation {reservation_id!r}")
    if reservation.state is ReservationState.HELD:
        return reservation
    if reservation.state is ReservationState.EXPIRED:
        raise Rejected(
            Reason.RESERVATION_EXPIRED,
            f"reservation {reservation_id!r} expired at "
            f"{instant_text(reservation.expire_time_ms)}: reserve anew, or confirm "
            "with revive_if_available",
            reservation_id=reservation_id,
            expire_time_ms=reservation.expire_time_ms,
        )
    raise illegal_transition(reservation, "changed")


def _short_of(draft: HoldDraft) -> Rejected:
    reason = draft.exclusion()
    if reason is None:
        return insufficient(draft.short_lines())
    first = draft.short[0]
    meaning = "is disabled" if reason is Reason.LOCATION_DISABLED else "cannot do this method"
    return Rejected(
        reason,
        f"location {first.location_id!r} {meaning}: choose another",
        short_lines=draft.short_lines(),
        location_id=first.location_id,
        sku=first.sku,
    )


def _changed(
    draft: HoldDraft, old: Reservation, expire_time_ms: TimeMs, caller: Caller
) -> ReservationChanged | None:
    if draft.short:
        raise _short_of(draft)
    if not draft.lines:
        raise Rejected(
            Reason.RESERVATION_WOULD_BE_EMPTY,
            f"reservation {old.reservation_id!r} would hold nothing: release it instead",
            reservation_id=old.reservation_id,
        )
    lines = draft.sorted_lines()
    _check_line_count(len(lines), old.reservation_id)
    if (lines, expire_time_ms) == (old.lines, old.expire_time_ms):
        return None
    changed = msgspec.structs.replace(
        old,
        lines=lines,
        short_lines=(),
        expire_time_ms=expire_time_ms,
        update_time_ms=caller.at.time_ms,
        revision=caller.at.revision,
    )
    return ReservationChanged(changed, _differences(old.lines, lines))


def _check_line_count(line_count: int, reservation_id: ReservationId) -> None:
    if line_count > LINES_MAX:
        raise Rejected(
            Reason.TOO_MANY_LINES,
            f"reservation {reservation_id!r} would have {line_count} lines, "
            f"{LINES_MAX} are allowed",
            limit=LINES_MAX,
        )


def _differences(
    old: tuple[ReservationLine, ...], new: tuple[ReservationLine, ...]
) -> tuple[LineQuantity, ...]:
    changes = {(line.sku, line.location_id): -line.quantity for line in old}
    for line in new:
        key = (line.sku, line.location_id)
        changes[key] = changes.get(key, 0) + line.quantity
    return tuple(
        LineQuantity(*key, Quantity(change)) for key, change in sorted(changes.items()) if change
    )


def _summed(
    lines: tuple[LineQuantity, ...],
) -> tuple[dict[tuple[Sku, LocationId], int], dict[Sku, int]]:
    located: dict[tuple[Sku, LocationId], int] = {}
    anywhere: dict[Sku, int] = {}
    for line in lines:
        if line.location_id:
            key = (line.sku, line.location_id)
            located[key] = located.get(key, 0) + line.quantity
        else:
            anywhere[line.sku] = anywhere.get(line.sku, 0) + line.quantity
    return located, anywhere


def _give_back(draft: HoldDraft, sku: Sku, units: int) -> None:
    # From where the fewest are held first: fewer locations remain.
    held = sorted((line.quantity, line.location_id) for line in draft.lines_of(sku))
    for quantity, location_id in held:
        if not units:
            return
        given = min(units, quantity)
        draft.set(sku, location_id, quantity - given)
        units -= given


def _line(reservation: Reservation, sku: Sku, location_id: LocationId) -> ReservationLine:
    for line in reservation.lines:
        if line.sku == sku and line.location_id == location_id:
            return line
    raise Rejected(
        Reason.RESERVATION_LINE_NOT_FOUND,
        f"reservation {reservation.reservation_id!r} has no line of {sku!r} at {location_id!r}",
        reservation_id=reservation.reservation_id,
        sku=sku,
        location_id=location_id,
    )


def check_new_reservation(
    state: Reservations, reservation_id: ReservationId, caller: Caller
) -> None:
    """Refuse an id that is taken and a hold too many; see decide_reserve_stock."""
    if reservation_id in state.by_id:
        raise Rejected(
            Reason.RESERVATION_ID_TAKEN,
            f"reservation {reservation_id!r} exists already: read it, or choose another id",
            reservation_id=reservation_id,
        )
    limits = state.limits
    held_count = state.held_counts.get(caller.client_id, 0)
    if held_count >= limits.held_per_client_max:
        raise Rejected(
            Reason.RESERVATION_QUOTA_EXCEEDED,
            f"client {caller.client_id!r} has {held_count} open holds, the most that is allowed: "
            "confirm or release some",
            client_id=caller.client_id,
            held_count=held_count,
        )
    if len(state.by_id) >= limits.reservations_max:
        raise Rejected(
            Reason.CAPACITY_EXCEEDED,
            f"{len(state.by_id)} reservations are remembered, the most that is allowed",
            limit=limits.reservations_max,
        )


def deadline_ms(expiration: Expiration, now_ms: TimeMs) -> TimeMs:
    """Return when a hold made now ends, or refuse with TTL_OUT_OF_RANGE."""
    if expiration.expire_time_ms is not None:
        ttl_ms = expiration.expire_time_ms - now_ms
    elif expiration.ttl_ms is not None:
        ttl_ms = expiration.ttl_ms
    else:
        ttl_ms = TTL_MS_DEFAULT
    if not TTL_MS_MIN <= ttl_ms <= TTL_MS_MAX:
        raise Rejected(
            Reason.TTL_OUT_OF_RANGE,
            f"the hold would last {seconds_text(ttl_ms)}; {seconds_text(TTL_MS_MIN)} to "
            f"{seconds_text(TTL_MS_MAX)} (30 days) are allowed",
            ttl_ms=ttl_ms,
            ttl_ms_min=TTL_MS_MIN,
            ttl_ms_max=TTL_MS_MAX,
        )
    return TimeMs(now_ms + ttl_ms)
