"""The core's only entrance: commands in, records and answers out. It only dispatches.

`handle` decides a request, applies its events and keeps its answer; `replay` applies a record
from the log and keeps the same answer. Neither knows a clock: time comes with the call. Rules
live in the modules of the business words.
"""

from collections.abc import Callable, Sequence

import msgspec

from domgrpc.core.answers import (
    Answer,
    Deleted,
    KeptAnswer,
    Outcome,
    ProductBatch,
    answer_key,
)
from domgrpc.core.backorders import decide_waiting
from domgrpc.core.calendars import CalendarOwner, LocationCalendarSaved
from domgrpc.core.carriers import LaneSaved, RateCardSaved
from domgrpc.core.claims import (
    decide_expirations,
)
from domgrpc.core.dispatch import Command, decide, evolve
from domgrpc.core.events import (
    NO_REQUEST,
    Event,
    NothingChanged,
    Record,
    RequestRefused,
    Resource,
    RetentionChanged,
)
from domgrpc.core.location_groups import (
    GroupDeleted,
    GroupSaved,
)
from domgrpc.core.locations import (
    LocationSaved,
)
from domgrpc.core.logistics import LogisticsDeleted
from domgrpc.core.order_commands import OrderChanged, OrderPlaced, OrdersReplanned, QuoteHeld
from domgrpc.core.products import (
    ProductsSaved,
    get_products,
)
from domgrpc.core.rejections import NOT_KEPT, Rejected
from domgrpc.core.replanning import decide_outage
from domgrpc.core.reservations import (
    Caller,
    ReservationChanged,
    ReservationConfirmed,
    ReservationExpired,
    ReservationReleased,
    ReservationSettled,
    StockReserved,
)
from domgrpc.core.rule_sets import RuleSetCreated, RuleSetStateChanged
from domgrpc.core.safety_stock import (
    RuleDeleted,
    RuleSaved,
)
from domgrpc.core.state import State
from domgrpc.core.stock_changes import (
    BatchSummary,
    StockBatchApplied,
    StockUpdated,
)
from domgrpc.core.stock_levels import (
    StockLevelChanged,
    SweepStockLevels,
    decide_level,
    decide_sweep,
    evolve_level_changed,
)
from domgrpc.core.values import (
    ClientId,
    GroupId,
    LocationId,
    LocationType,
    OrderId,
    RequestId,
    ReservationId,
    Retention,
    Revision,
    RuleId,
    RuleSetVersion,
    ServiceId,
    Sku,
    Stamp,
    TimeMs,
)


class Request(msgspec.Struct, frozen=True, gc=False):
    """A command, who sent it under which id, and the fingerprint of its content."""

    command: Command
    client_id: ClientId
    request_id: RequestId
    fingerprint: int
    validate_only: bool = False


class DecisionBroken(Exception):
    """Deciding a command broke by a bug of ours; nothing was changed."""


# --- the entrance


def handle(state: State, request: Request, now_ms: TimeMs) -> tuple[Answer, Record | None]:
    """Decide a request, apply it and keep its answer.

    Returns the answer and the record to log; no record for a retry, a preview or a refusal that
    a retry may overcome. The caller has expired what is due and never passes a time before the
    last one. Raises DecisionBroken where a bug of ours stops the deciding.
    """
    revision = Revision(state.revision + 1)
    caller = Caller(request.client_id, request.request_id, Stamp(now_ms, revision))
    key = answer_key(request.client_id, request.request_id)
    try:
        kept = state.answers.find(key, request.fingerprint)
        if kept is not None:
            return Answer(kept.revision, kept.outcome, replayed=True), None
        event: Event = decide(state, request.command, caller)
    except Rejected as rejected:
        if request.validate_only or rejected.rejection.reason in NOT_KEPT:
            return Answer(state.revision, rejected.rejection), None
        event = RequestRefused(rejected.rejection)
    except AssertionError:
        # The state contradicts itself: nobody may be answered from it.
        raise
    except Exception as broken:
        kind = type(request.command).__name__
        raise DecisionBroken(f"deciding {kind} broke: {type(broken).__name__}") from broken
    if request.validate_only:
        return Answer(state.revision, outcome_of(state, event)), None
    record = _apply_live(state, (event,), caller, request.fingerprint)
    return Answer(revision, _keep(state, key, record)), record


def expire(state: State, now_ms: TimeMs) -> Record | None:
    """Give back holds whose deadline has come, up to a bound; None where none is due."""
    first_ms = state.reservations.next_deadline_ms()
    if first_ms is None or first_ms > now_ms:
        return None
    events = decide_expirations(state.reservations, now_ms)
    return _apply_live(state, events, _timer(state, now_ms), 0)


def sweep_levels(state: State, command: SweepStockLevels, now_ms: TimeMs) -> Record | None:
    """Compare the levels of a slice of positions; None where none changed."""
    timer = _timer(state, now_ms)
    events = decide_sweep(state.network, command, timer.at)
    return _apply_live(state, events, timer, 0) if events else None


def replan_displaced(state: State, now_ms: TimeMs) -> Record | None:
    """Plan a number of orders again whose location is out of use; None where there are none.

    Raises DecisionBroken where a bug of ours stops the planning.
    """
    return _replan(state, now_ms, lambda timer: decide_outage(state.planner, timer))


def replan_waiting(state: State, order_ids: Sequence[OrderId], now_ms: TimeMs) -> Record | None:
    """Try orders that wait for stock; None where nothing could be done for any.

    Raises DecisionBroken where a bug of ours stops the planning.
    """
    return _replan(state, now_ms, lambda timer: decide_waiting(state.planner, order_ids, timer))


def _replan(
    state: State, now_ms: TimeMs, decide_for: Callable[[Caller], OrdersReplanned | None]
) -> Record | None:
    timer = _timer(state, now_ms)
    try:
        event = decide_for(timer)
    except AssertionError:
        raise
    except Exception as broken:
        raise DecisionBroken(f"replanning broke: {type(broken).__name__}") from broken
    return None if event is None else _apply_live(state, (event,), timer, 0)


def change_retention(state: State, retention: Retention, now_ms: TimeMs) -> Record | None:
    """Keep so much of the past from now on; None where the state does so already."""
    if retention == state.retention:
        return None
    return _apply_live(state, (RetentionChanged(retention),), _timer(state, now_ms), 0)


def replay(state: State, record: Record) -> None:
    """Apply a record from the log; its revision must be the next one."""
    assert record.revision == state.revision + 1, (record.revision, state.revision)
    at = Stamp(record.time_ms, record.revision)
    for event in record.events:
        evolve(state, event, at)
    state.network.stock.touched.clear()
    state.revision = record.revision
    state.time_ms = record.time_ms
    if record.request_id != NO_REQUEST:
        _keep(state, answer_key(record.client_id, record.request_id), record)


def outcome_of(  # noqa: C901, PLR0911, PLR0912 - one case for each event
    state: State, event: Event
) -> Outcome:
    """Return what a request is answered whose first event this is, as the state stands."""
    match event:
        case StockReserved() | ReservationChanged():
            return event.reservation
        case ReservationConfirmed() | ReservationReleased() | ReservationSettled():
            return state.reservations.by_id[event.reservation_id]
        case StockUpdated() | StockBatchApplied():
            return event.summary
        case RequestRefused():
            return event.rejection
        case LocationSaved():
            return event.location
        case GroupSaved():
            return event.group
        case ProductsSaved():
            return ProductBatch(event.products)
        case RuleSaved():
            return event.rule
        case OrderPlaced() | OrderChanged():
            return event.order
        case QuoteHeld():
            return event.quote
        case OrdersReplanned():
            return event.summary
        case RuleSetCreated():
            return event.rule_set
        case RuleSetStateChanged():
            return state.rule_sets.by_version[event.version]
        case NothingChanged():
            return _unchanged(state, event)
        case RateCardSaved():
            return event.card
        case LaneSaved():
            return event.lane
        case LocationCalendarSaved():
            return event.calendar
        case GroupDeleted() | RuleDeleted() | LogisticsDeleted():
            return Deleted()
        case ReservationExpired() | StockLevelChanged() | RetentionChanged():
            raise AssertionError(f"{type(event).__name__} answers no request")


# --- applying


def _timer(state: State, now_ms: TimeMs) -> Caller:
    return Caller(ClientId(""), NO_REQUEST, Stamp(now_ms, Revision(state.revision + 1)))


def _apply_live(
    state: State, events: tuple[Event, ...], caller: Caller, fingerprint: int
) -> Record:
    at = caller.at
    for event in events:
        evolve(state, event, at)
    crossings = _cross_levels(state, at)
    state.revision = at.revision
    state.time_ms = at.time_ms
    return Record(
        at.revision,
        at.time_ms,
        (*events, *crossings) if crossings else events,
        caller.client_id,
        caller.request_id,
        fingerprint,
    )


def _cross_levels(state: State, at: Stamp) -> list[StockLevelChanged]:
    # Compared once all events of the record are applied: inner steps cross nothing.
    touched = state.network.stock.touched
    crossings: list[StockLevelChanged] = []
    if not touched:
        return crossings
    for stock, index in touched:
        crossing = decide_level(state.network, stock, stock.slot(index), at)
        if crossing is not None:
            evolve_level_changed(state.network, crossing)
            crossings.append(crossing)
    touched.clear()
    return crossings


def _keep(state: State, key: str, record: Record) -> Outcome:
    outcome = outcome_of(state, record.events[0])
    kept = KeptAnswer(record.fingerprint, record.time_ms, record.revision, outcome)
    state.answers.keep(key, kept)
    return outcome


def _unchanged(  # noqa: C901, PLR0911 - one case for each resource
    state: State, event: NothingChanged
) -> Outcome:
    network = state.network
    key = event.keys[0]
    match event.resource:
        case Resource.LOCATION:
            return network.locations.get(LocationId(key))
        case Resource.GROUP:
            return network.groups.get(GroupId(key))
        case Resource.PRODUCTS:
            skus = tuple(Sku(sku) for sku in event.keys)
            return ProductBatch(get_products(network.products, skus, state.is_stocked))
        case Resource.RULE:
            return network.rules.get(RuleId(key))
        case Resource.RULE_SET:
            return state.rule_sets.get(RuleSetVersion(int(key)))
        case Resource.RESERVATION:
            return state.reservations.get(ReservationId(key))
        case Resource.ORDER:
            return state.orders.get(OrderId(key))
        case Resource.RATE_CARD:
            return state.logistics.carriers.card(ServiceId(key))
        case Resource.LANE:
            return state.logistics.carriers.lane(ServiceId(key))
        case Resource.CALENDAR:
            kind = LocationType(int(event.keys[1]))
            return state.logistics.calendars.get(CalendarOwner(LocationId(key), kind))
        case Resource.FEED:
            return BatchSummary(sequence=int(event.keys[1]), applied_count=0, duplicate=True)
