"""Dispatch of orders: which function decides each command of orders and applies each event.

Parts of the tables in dispatch.py, which is the only one that reads them.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

from domgrpc.core.delta_memory import RememberedDelta
from domgrpc.core.order_book import evolve_order_changed, evolve_order_placed
from domgrpc.core.order_changes import (
    decide_cancel_order,
    decide_edit_order,
    decide_hold_order,
    decide_release_order,
)
from domgrpc.core.order_commands import (
    AdvanceFulfillmentOrder,
    ApplyReplan,
    CancelOrder,
    EditOrder,
    HoldOrder,
    HoldQuote,
    OrderChanged,
    OrderPlaced,
    OrdersReplanned,
    PlaceOrder,
    QuoteHeld,
    ReleaseOrder,
)
from domgrpc.core.order_moves import decide_apply_replan
from domgrpc.core.order_placing import decide_hold_quote, decide_place_order
from domgrpc.core.order_steps import decide_advance_fulfillment_order
from domgrpc.core.reservation_book import evolve_stock_reserved
from domgrpc.core.reservations import Caller, StockReserved
from domgrpc.core.state import State
from domgrpc.core.values import Stamp

# Any stands for the command or event that the table's key names.
_Decide: TypeAlias = Callable[[State, Any, Caller], Any]
_Evolve: TypeAlias = Callable[[State, Any, Stamp], None]

OrderCommand: TypeAlias = (
    PlaceOrder
    | HoldQuote
    | EditOrder
    | CancelOrder
    | HoldOrder
    | ReleaseOrder
    | AdvanceFulfillmentOrder
    | ApplyReplan
)


def _evolve_changed(state: State, event: OrderChanged, at: Stamp) -> None:
    evolve_order_changed(state.network, state.orders, event)
    for claim in event.claims:
        if claim.on_hand_delta:
            # A count taken before the units left must not bring them back.
            index = state.network.locations.index_of[claim.location_id]
            state.memory.remember(
                RememberedDelta(claim.sku, index, at.time_ms, claim.on_hand_delta)
            )


def _evolve_quote_held(state: State, event: QuoteHeld, _at: Stamp) -> None:
    reservation = event.quote.reservation
    assert reservation is not None
    evolve_stock_reserved(state.network, state.reservations, StockReserved(reservation))


def _evolve_replanned(state: State, event: OrdersReplanned, at: Stamp) -> None:
    for change in event.changes:
        _evolve_changed(state, change, at)


DECIDE_ORDERS: dict[type, _Decide] = {
    PlaceOrder: lambda s, c, by: decide_place_order(s.planner, s.reservations, c, by),
    HoldQuote: lambda s, c, by: decide_hold_quote(s.planner, s.reservations, c, by),
    EditOrder: lambda s, c, by: decide_edit_order(s.planner, c, by),
    CancelOrder: lambda s, c, by: decide_cancel_order(s.planner, c, by),
    HoldOrder: lambda s, c, by: decide_hold_order(s.planner, c, by),
    ReleaseOrder: lambda s, c, by: decide_release_order(s.planner, c, by),
    AdvanceFulfillmentOrder: lambda s, c, by: decide_advance_fulfillment_order(s.planner, c, by),
    ApplyReplan: lambda s, c, by: decide_apply_replan(s.planner, c, by),
}

EVOLVE_ORDERS: dict[type, _Evolve] = {
    OrderPlaced: lambda s, e, at: evolve_order_placed(s.network, (s.orders, s.reservations), e, at),
    OrderChanged: _evolve_changed,
    QuoteHeld: _evolve_quote_held,
    OrdersReplanned: _evolve_replanned,
}
