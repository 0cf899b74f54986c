"""The steps of the work: deciding AdvanceFulfillmentOrder.

SCHEDULED -> OPEN -> RELEASED -> SHIPPED -> DELIVERED      shipped to an address
                     RELEASED -> SHIPPED -> READY -> COLLECTED    shipped to a store
                     RELEASED -> READY -> COLLECTED        collected where it is
                     RELEASED -> CANCELLED                 given back by the location
"""

import msgspec

from domgrpc.core.order_changes import changed_order, order_to_change, replanned
from domgrpc.core.order_commands import AdvanceFulfillmentOrder, OrderChanged
from domgrpc.core.orders import GIVEN_BACK_MAX, FulfillmentOrder, FulfillmentState, Order, StepKind
from domgrpc.core.planner import Planner
from domgrpc.core.rejections import Reason, Rejected, counted
from domgrpc.core.reservations import Caller
from domgrpc.core.values import DeliveryMethod, StockCondition, TimeMs

_S = FulfillmentState
_STEPS: dict[FulfillmentState, tuple[FulfillmentState, ...]] = {
    _S.SCHEDULED: (_S.OPEN, _S.RELEASED),
    _S.OPEN: (_S.RELEASED,),
    _S.RELEASED: (_S.SHIPPED, _S.READY, _S.CANCELLED),
    _S.SHIPPED: (_S.DELIVERED, _S.READY),
    _S.READY: (_S.COLLECTED,),
    _S.DELIVERED: (),
    _S.COLLECTED: (),
    _S.CANCELLED: (),
}
"""The steps that work may take; `possible_steps` narrows them by the method."""
_LEAVING = (_S.SHIPPED, _S.COLLECTED)


def decide_advance_fulfillment_order(
    planner: Planner, command: AdvanceFulfillmentOrder, caller: Caller
) -> OrderChanged | None:
    """Take work one step on; None where it is there already.

    A location that gives released work back (CANCELLED) has it planned elsewhere. Refuses with
    ORDER_ON_HOLD, ILLEGAL_STEP, QUANTITY_BELOW_ZERO where more would leave than is there.
    """
    old = order_to_change(planner, command.order_id, command.etag)
    work = _work(old, command)
    if work.state is command.state:
        return None
    _check_step(old, work, command.state)
    if (command.state in _LEAVING and work.state is not _S.READY) or (
        command.state is _S.COLLECTED and work.delivery_method is not DeliveryMethod.SHIP_TO_STORE
    ):
        _check_on_hand(planner, work)
    works = tuple(
        _stepped(work, command.state, caller.at.time_ms) if each is work else each
        for each in old.fulfillment_orders
    )
    order = msgspec.structs.replace(old, fulfillment_orders=_remembered(works))
    detail = f"{work.fulfillment_order_id} {command.state.name}"
    if command.state is not _S.CANCELLED:
        return changed_order(planner, order, caller, (StepKind.ADVANCED, detail))
    step = (caller, StepKind.ADVANCED, detail)
    return replanned(planner, (old, order), step, excluded=(work.location_id,))


def _stepped(work: FulfillmentOrder, state: FulfillmentState, time_ms: TimeMs) -> FulfillmentOrder:
    if state is _S.CANCELLED:
        return msgspec.structs.replace(work, state=state, given_back_time_ms=time_ms)
    return msgspec.structs.replace(work, state=state)


def _work(old: Order, command: AdvanceFulfillmentOrder) -> FulfillmentOrder:
    for work in old.fulfillment_orders:
        if work.fulfillment_order_id == command.fulfillment_order_id:
            return work
    raise Rejected(
        Reason.FULFILLMENT_ORDER_NOT_FOUND,
        f"order {old.order_id!r} has no fulfillment order {command.fulfillment_order_id!r}: read "
        "the order again, it may have been planned anew",
        order_id=old.order_id,
        fulfillment_order_id=command.fulfillment_order_id,
    )


def _remembered(works: tuple[FulfillmentOrder, ...]) -> tuple[FulfillmentOrder, ...]:
    given_back = [work for work in works if work.state is _S.CANCELLED]
    forgotten = {work.fulfillment_order_id for work in given_back[:-GIVEN_BACK_MAX]}
    if not forgotten:
        return works
    return tuple(work for work in works if work.fulfillment_order_id not in forgotten)


def _check_step(old: Order, work: FulfillmentOrder, target: FulfillmentState) -> None:
    if target is _S.RELEASED and old.holds:
        kinds = ", ".join(hold.kind.name for hold in old.holds)
        raise Rejected(
            Reason.ORDER_ON_HOLD,
            f"order {old.order_id!r} is on hold ({kinds}): release the hold first",
            order_id=old.order_id,
            holds=kinds,
        )
    possible = possible_steps(work)
    if target in possible:
        return
    steps = ", ".join(step.name for step in possible) or "none: it has ended"
    raise Rejected(
        Reason.ILLEGAL_STEP,
        f"fulfillment order {work.fulfillment_order_id!r} is {work.state.name}, by "
        f"{work.delivery_method.name}, and cannot become {target.name}; its next steps are {steps}",
        order_id=old.order_id,
        fulfillment_order_id=work.fulfillment_order_id,
        state=work.state.name,
        asked_state=target.name,
        possible_states=",".join(step.name for step in possible),
    )


def possible_steps(work: FulfillmentOrder) -> tuple[FulfillmentState, ...]:
    """Return the steps that work may take next, by its state and its method."""
    in_store = work.delivery_method in (DeliveryMethod.PICKUP, DeliveryMethod.CURBSIDE)
    to_store = work.delivery_method is DeliveryMethod.SHIP_TO_STORE
    wrong = {
        _S.SHIPPED: in_store,
        _S.DELIVERED: to_store,
        _S.READY: not (in_store if work.state is _S.RELEASED else to_store),
    }
    return tuple(step for step in _STEPS[work.state] if not wrong.get(step, False))


def _check_on_hand(planner: Planner, work: FulfillmentOrder) -> None:
    units: dict[str, int] = {}
    index = planner.network.locations.index(work.location_id)
    for line in work.lines:
        stock = planner.network.stock.find(line.sku)
        on_hand = stock.condition_quantity(index, StockCondition.SELLABLE) if stock else 0
        units[line.sku] = units.get(line.sku, 0) + line.quantity
        if on_hand < units[line.sku]:
            raise Rejected(
                Reason.QUANTITY_BELOW_ZERO,
                f"{counted(units[line.sku], 'unit')} of {line.sku!r} cannot leave "
                f"{work.location_id!r}: "
                f"{on_hand} are on hand; receive or count the stock first",
                sku=line.sku,
                location_id=work.location_id,
                on_hand=on_hand,
            )
