"""What customers of the shop do with orders: place, edit, cancel, hold, move and take away.

Every command about orders that a plan can follow occurs. An order that is old is cancelled, so
that a snapshot stays small however long the shop is open.
"""

from collections.abc import Sequence
from random import Random

from domgrpc.core.dispatch import Command
from domgrpc.core.order_commands import ApplyReplan, OrderMove
from domgrpc.core.orders import (
    UNRELEASED_STATES,
    FulfillmentOrder,
    FulfillmentState,
    HoldKind,
    Order,
    OrderStatus,
    order_status,
)
from domgrpc.core.plans import QuotedPackage
from domgrpc.core.state import State
from domgrpc.core.values import LocationId
from tests.core.order_words import (
    SHIP,
    advance,
    cancel_order,
    edit,
    line,
    order,
    put_on_hold,
    take_off_hold,
)

OPEN_MAX = 4
_UNITS_MAX = 4
_NEXT_STATES = {
    FulfillmentState.OPEN: FulfillmentState.RELEASED,
    FulfillmentState.RELEASED: FulfillmentState.SHIPPED,
    FulfillmentState.SHIPPED: FulfillmentState.DELIVERED,
}
_OTHER_PLACE = {"north": "south", "south": "north"}


def order_command(state: State, die: Random, name: str) -> Command:
    """Return what somebody wants of an order: of an open one, or to place one by this name."""
    orders = [each for each in state.orders.by_id.values() if _is_going_on(each)]
    if len(orders) >= OPEN_MAX:
        return cancel_order(orders[0].order_id) if _unreleased(orders[0]) else _step(orders[0])
    if not orders or die.random() < 0.4:
        return order(line("tea", die.randrange(1, _UNITS_MAX)), line("cup", 1), as_id=name)
    return _change(die.choice(orders), die)


def _change(chosen: Order, die: Random) -> Command:
    kind = die.choice(("edit", "cut", "hold", "step", "move", "move"))
    if kind == "step" or not _unreleased(chosen):
        return _step(chosen)
    match kind:
        case "edit":
            return edit(chosen.order_id, line("tea", die.randrange(1, _UNITS_MAX)))
        case "cut":
            return cancel_order(chosen.order_id, tea=1)
        case "hold" if not chosen.holds:
            return put_on_hold(chosen.order_id, HoldKind.PAYMENT)
        case _:
            return _move(chosen)


def _step(chosen: Order) -> Command:
    if chosen.holds:
        return take_off_hold(chosen.order_id, HoldKind.PAYMENT)
    for work in chosen.fulfillment_orders:
        if work.state in _NEXT_STATES:
            return advance(work.fulfillment_order_id, _NEXT_STATES[work.state])
    return cancel_order(chosen.order_id)


def _move(chosen: Order) -> Command:
    """Have all that is not given out come from the other place."""
    packages = [
        QuotedPackage(
            LocationId(_OTHER_PLACE[work.location_id]),
            SHIP,
            LocationId(""),
            tuple((each.line_id, each.quantity) for each in work.lines),
        )
        for work in _unreleased(chosen)
    ]
    return ApplyReplan((OrderMove(chosen.order_id, chosen.revision, tuple(packages)),))


def _unreleased(chosen: Order) -> Sequence[FulfillmentOrder]:
    return [work for work in chosen.fulfillment_orders if work.state in UNRELEASED_STATES]


def _is_going_on(chosen: Order) -> bool:
    return order_status(chosen) not in (OrderStatus.CANCELLED, OrderStatus.DELIVERED)
