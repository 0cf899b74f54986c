"""Dispatch: which function decides each command and which applies each event.

Commands are the closed list of what can be asked; tests compare both tables with the unions, so
that none is forgotten. Tables rather than a `match`: it is the hottest step of all.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

from domgrpc.core.calendars import (
    DeleteLocationCalendar,
    LocationCalendarSaved,
    SaveLocationCalendar,
    decide_save_calendar,
    evolve_calendar_saved,
)
from domgrpc.core.carriers import (
    DeleteLane,
    DeleteRateCard,
    LaneSaved,
    RateCardSaved,
    SaveLane,
    SaveRateCard,
    decide_save_card,
    decide_save_lane,
    evolve_card_saved,
    evolve_lane_saved,
)
from domgrpc.core.claims import (
    decide_confirm_reservation,
    decide_release_reservation,
    decide_settle_reservation,
)
from domgrpc.core.delta_memory import RememberedDelta
from domgrpc.core.events import (
    Event,
    NothingChanged,
    RequestRefused,
    Resource,
    RetentionChanged,
)
from domgrpc.core.holds import (
    decide_move_reservation,
    decide_reserve_stock,
    decide_update_reservation,
)
from domgrpc.core.inventory import (
    check_source_room,
    decide_apply_batch,
    decide_update_stock,
    evolve_batch_applied,
    evolve_stock_updated,
)
from domgrpc.core.location_groups import (
    CreateLocationGroup,
    DeleteLocationGroup,
    GroupDeleted,
    GroupSaved,
    UpdateLocationGroup,
    decide_create_group,
    decide_delete_group,
    decide_update_group,
    evolve_group_deleted,
    evolve_group_saved,
)
from domgrpc.core.locations import (
    CreateLocation,
    LocationSaved,
    SetLocationState,
    UpdateLocation,
    decide_create_location,
    decide_set_location_state,
    decide_update_location,
    evolve_location_saved,
)
from domgrpc.core.logistics import (
    LogisticsDeleted,
    decide_delete_logistics,
    evolve_logistics_deleted,
)
from domgrpc.core.order_commands import (
    AdvanceFulfillmentOrder,
    CancelOrder,
    EditOrder,
    HoldOrder,
    ReleaseOrder,
)
from domgrpc.core.order_dispatch import DECIDE_ORDERS, EVOLVE_ORDERS, OrderCommand
from domgrpc.core.products import (
    CreateProducts,
    ProductsSaved,
    UpdateProducts,
    decide_create_products,
    decide_update_products,
    evolve_products_saved,
)
from domgrpc.core.rejections import Reason, Rejected
from domgrpc.core.reservation_book import (
    evolve_reservation_changed,
    evolve_reservation_confirmed,
    evolve_reservation_ended,
    evolve_reservation_settled,
    evolve_stock_reserved,
)
from domgrpc.core.reservations import (
    Caller,
    ConfirmReservation,
    MoveReservation,
    ReleaseReservation,
    ReservationChanged,
    ReservationConfirmed,
    ReservationExpired,
    ReservationReleased,
    ReservationSettled,
    ReserveStock,
    SettlementOutcome,
    SettleReservation,
    StockReserved,
    UpdateReservation,
)
from domgrpc.core.rule_set_book import (
    decide_activate_rule_set,
    decide_create_rule_set,
    decide_dry_run_rule_set,
    decide_validate_rule_set,
    evolve_rule_set_created,
    evolve_rule_set_state_changed,
)
from domgrpc.core.rule_sets import (
    ActivateRuleSet,
    CreateRuleSet,
    DryRunRuleSet,
    RuleSetCreated,
    RuleSetStateChanged,
    ValidateRuleSet,
)
from domgrpc.core.safety_stock import (
    CreateSafetyStockRule,
    DeleteSafetyStockRule,
    RuleDeleted,
    RuleSaved,
    UpdateSafetyStockRule,
    check_rule_places,
    decide_create_rule,
    decide_delete_rule,
    decide_update_rule,
    evolve_rule_deleted,
    evolve_rule_saved,
)
from domgrpc.core.state import State
from domgrpc.core.stock_changes import (
    ApplyStockBatch,
    StockBatchApplied,
    StockUpdated,
    UpdateStock,
)
from domgrpc.core.stock_levels import (
    StockLevelChanged,
    evolve_level_changed,
)
from domgrpc.core.values import (
    Stamp,
)

Command = (
    CreateLocation
    | UpdateLocation
    | SetLocationState
    | CreateLocationGroup
    | UpdateLocationGroup
    | DeleteLocationGroup
    | CreateProducts
    | UpdateProducts
    | CreateSafetyStockRule
    | UpdateSafetyStockRule
    | DeleteSafetyStockRule
    | UpdateStock
    | ApplyStockBatch
    | ReserveStock
    | UpdateReservation
    | MoveReservation
    | ConfirmReservation
    | ReleaseReservation
    | SettleReservation
    | OrderCommand
    | SaveRateCard
    | DeleteRateCard
    | SaveLane
    | DeleteLane
    | SaveLocationCalendar
    | DeleteLocationCalendar
    | CreateRuleSet
    | ValidateRuleSet
    | ActivateRuleSet
    | DryRunRuleSet
)


# Any stands for the command or event that the table's key names.
_Decide: TypeAlias = Callable[[State, Any, Caller], Event | None]
_Evolve: TypeAlias = Callable[[State, Any, Stamp], None]


def _delete_group(state: State, command: DeleteLocationGroup, _caller: Caller) -> Event:
    event = decide_delete_group(state.network.groups, command)
    rule_id = state.network.rules.names_group(command.group_id)
    if rule_id is not None:
        raise Rejected(
            Reason.GROUP_IN_USE,
            f"safety stock rule {rule_id!r} names group {command.group_id!r}: delete it first",
            group_id=command.group_id,
            rule_id=rule_id,
        )
    return event


def _create_rule(state: State, command: CreateSafetyStockRule, caller: Caller) -> Event | None:
    check_rule_places(command.fields, state.network.locations, state.network.groups)
    return decide_create_rule(state.network.rules, command, caller.at)


def _update_rule(state: State, command: UpdateSafetyStockRule, caller: Caller) -> Event | None:
    event = decide_update_rule(state.network.rules, command, caller.at)
    if event is not None:
        fields = event.rule.fields
        check_rule_places(fields, state.network.locations, state.network.groups)
    return event


def _apply_batch(state: State, command: ApplyStockBatch, caller: Caller) -> Event | None:
    check_source_room(state.feeds, command.source)
    if command.sequence <= state.feeds.last_sequences.get(command.source, 0):
        return None
    return decide_apply_batch(state.network, state.memory, command, caller.at)


def _evolve_batch(state: State, event: StockBatchApplied, at: Stamp) -> None:
    evolve_batch_applied(state.network, state.memory, event, at)
    state.feeds.last_sequences[event.source] = event.summary.sequence


def _evolve_products(state: State, event: ProductsSaved, _at: Stamp) -> None:
    evolve_products_saved(state.network.products, event)
    for product in event.products:
        state.network.stock.ensure(product.sku)
        state.network.stock.waiting.stir(product.sku)


def _evolve_rules(state: State, event: RuleSaved | RuleDeleted, _at: Stamp) -> None:
    if isinstance(event, RuleSaved):
        evolve_rule_saved(state.network.rules, event)
    else:
        evolve_rule_deleted(state.network.rules, event)
    state.network.stock.levels_by_rule = bool(state.network.rules.by_id)


def _evolve_settled(state: State, event: ReservationSettled, at: Stamp) -> None:
    evolve_reservation_settled(state.network, state.reservations, event, at)
    if event.outcome is SettlementOutcome.SHIPPED:
        # A count taken before the units left must not bring them back.
        for line in event.lines:
            index = state.network.locations.index_of[line.location_id]
            state.memory.remember(RememberedDelta(line.sku, index, at.time_ms, -line.quantity))


def _evolve_nothing(_state: State, _event: RequestRefused | NothingChanged, _at: Stamp) -> None:
    return


DECIDE: dict[type, _Decide] = {
    CreateLocation: lambda s, c, by: decide_create_location(s.network.locations, c, by.at),
    UpdateLocation: lambda s, c, by: decide_update_location(s.network.locations, c, by.at),
    SetLocationState: lambda s, c, by: decide_set_location_state(s.network.locations, c, by.at),
    CreateLocationGroup: lambda s, c, by: decide_create_group(
        s.network.groups, s.network.locations, c, by.at
    ),
    UpdateLocationGroup: lambda s, c, by: decide_update_group(
        s.network.groups, s.network.locations, c, by.at
    ),
    DeleteLocationGroup: _delete_group,
    CreateProducts: lambda s, c, by: decide_create_products(
        s.network.products, c, by.at, s.known_skus()
    ),
    UpdateProducts: lambda s, c, by: decide_update_products(
        s.network.products, c, by.at, s.known_skus()
    ),
    CreateSafetyStockRule: _create_rule,
    UpdateSafetyStockRule: _update_rule,
    DeleteSafetyStockRule: lambda s, c, _: decide_delete_rule(s.network.rules, c),
    UpdateStock: lambda s, c, by: decide_update_stock(s.network, s.memory, c, by.at),
    ApplyStockBatch: _apply_batch,
    ReserveStock: lambda s, c, by: decide_reserve_stock(s.network, s.reservations, c, by),
    UpdateReservation: lambda s, c, by: decide_update_reservation(s.network, s.reservations, c, by),
    MoveReservation: lambda s, c, by: decide_move_reservation(s.network, s.reservations, c, by),
    ConfirmReservation: lambda s, c, by: decide_confirm_reservation(
        s.network, s.reservations, c, by
    ),
    ReleaseReservation: lambda s, c, _: decide_release_reservation(s.reservations, c),
    SettleReservation: lambda s, c, _: decide_settle_reservation(s.network, s.reservations, c),
    **DECIDE_ORDERS,
    SaveRateCard: lambda s, c, by: decide_save_card(s.logistics.carriers, c, by.at),
    DeleteRateCard: lambda s, c, _: decide_delete_logistics(s.logistics, c),
    SaveLane: lambda s, c, by: decide_save_lane(s.logistics.carriers, c, by.at),
    DeleteLane: lambda s, c, _: decide_delete_logistics(s.logistics, c),
    SaveLocationCalendar: lambda s, c, by: decide_save_calendar(
        s.logistics.calendars, s.network.locations, c, by.at
    ),
    DeleteLocationCalendar: lambda s, c, _: decide_delete_logistics(s.logistics, c),
    CreateRuleSet: lambda s, c, by: decide_create_rule_set(s.rule_sets, c, by.at),
    ValidateRuleSet: lambda s, c, _: decide_validate_rule_set(s.rule_sets, s.network, c),
    ActivateRuleSet: lambda s, c, _: decide_activate_rule_set(s.rule_sets, c),
    DryRunRuleSet: lambda s, c, _: decide_dry_run_rule_set(s.rule_sets, c),
}

EVOLVE: dict[type, _Evolve] = {
    LocationSaved: lambda s, e, _: evolve_location_saved(s.network.locations, e),
    GroupSaved: lambda s, e, _: evolve_group_saved(s.network.groups, s.network.locations, e),
    GroupDeleted: lambda s, e, _: evolve_group_deleted(s.network.groups, e),
    ProductsSaved: _evolve_products,
    RuleSaved: _evolve_rules,
    RuleDeleted: _evolve_rules,
    StockUpdated: lambda s, e, at: evolve_stock_updated(s.network, s.memory, e, at),
    StockBatchApplied: _evolve_batch,
    StockLevelChanged: lambda s, e, _: evolve_level_changed(s.network, e),
    StockReserved: lambda s, e, _: evolve_stock_reserved(s.network, s.reservations, e),
    ReservationChanged: lambda s, e, _: evolve_reservation_changed(s.network, s.reservations, e),
    ReservationConfirmed: lambda s, e, at: evolve_reservation_confirmed(
        s.network, s.reservations, e, at
    ),
    ReservationReleased: lambda s, e, at: evolve_reservation_ended(
        s.network, s.reservations, e, at
    ),
    ReservationExpired: lambda s, e, at: evolve_reservation_ended(s.network, s.reservations, e, at),
    ReservationSettled: _evolve_settled,
    RequestRefused: _evolve_nothing,
    NothingChanged: _evolve_nothing,
    RetentionChanged: lambda s, e, at: s.retain(e.retention, at.time_ms),
    **EVOLVE_ORDERS,
    RateCardSaved: lambda s, e, _: evolve_card_saved(s.logistics.carriers, e),
    LaneSaved: lambda s, e, _: evolve_lane_saved(s.logistics.carriers, e),
    LocationCalendarSaved: lambda s, e, _: evolve_calendar_saved(s.logistics.calendars, e),
    LogisticsDeleted: lambda s, e, _: evolve_logistics_deleted(s.logistics, e),
    RuleSetCreated: lambda s, e, _: evolve_rule_set_created(s.rule_sets, e),
    RuleSetStateChanged: lambda s, e, at: evolve_rule_set_state_changed(s.rule_sets, e, at),
}


def decide(state: State, command: Command, caller: Caller) -> Event:
    """Decide a command; where all is as asked already, the event says so."""
    event = DECIDE[type(command)](state, command, caller)
    return event if event is not None else _nothing_changed(command)


def evolve(state: State, event: Event, at: Stamp) -> None:
    """Apply an event."""
    EVOLVE[type(event)](state, event, at)


def _nothing_changed(  # noqa: C901, PLR0911 - one case for each resource
    command: Command,
) -> NothingChanged:
    match command:
        case CreateLocation() | UpdateLocation() | SetLocationState():
            return NothingChanged(Resource.LOCATION, (command.location_id,))
        case CreateLocationGroup() | UpdateLocationGroup():
            return NothingChanged(Resource.GROUP, (command.group_id,))
        case CreateProducts() | UpdateProducts():
            return NothingChanged(Resource.PRODUCTS, tuple(sku for sku, _ in command.products))
        case CreateSafetyStockRule() | UpdateSafetyStockRule():
            return NothingChanged(Resource.RULE, (command.rule_id,))
        case (
            UpdateReservation()
            | MoveReservation()
            | ConfirmReservation()
            | ReleaseReservation()
            | SettleReservation()
        ):
            return NothingChanged(Resource.RESERVATION, (command.reservation_id,))
        case EditOrder() | CancelOrder() | HoldOrder() | ReleaseOrder() | AdvanceFulfillmentOrder():
            return NothingChanged(Resource.ORDER, (command.order_id,))
        case SaveRateCard():
            return NothingChanged(Resource.RATE_CARD, (command.service_id,))
        case SaveLane():
            return NothingChanged(Resource.LANE, (command.service_id,))
        case SaveLocationCalendar():
            return NothingChanged(Resource.CALENDAR, command.owner.texts)
        case ValidateRuleSet() | ActivateRuleSet() | DryRunRuleSet():
            return NothingChanged(Resource.RULE_SET, (str(command.version),))
    kind = type(command)
    assert isinstance(command, ApplyStockBatch), f"{kind.__name__} always changes something"
    return NothingChanged(Resource.FEED, (command.source, str(command.sequence)))
