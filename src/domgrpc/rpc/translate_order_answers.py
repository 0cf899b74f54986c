"""Orders from the core's words to messages. As hot as the reading of them.

An order of two lines becomes a message in some ten microseconds: what is empty is not written, and
what nobody asked for (the view BASIC leaves out terms, lines, costs, decisions and history) is
not touched.
"""

from collections.abc import Iterable
from functools import lru_cache

from domgrpc.core.orders import (
    Attention,
    FulfillmentOrder,
    Order,
    OrderLine,
    OrderStatus,
    OrderStep,
    order_status,
    unsourced_quantities,
)
from domgrpc.core.values import ClientId, LineId, Revision, TimeMs
from domgrpc.rpc.shapes import set_timestamp
from domgrpc.rpc.translate_addresses import fill_terms
from domgrpc.rpc.translate_plans import fill_decision_head, fill_fulfillment_lines
from domgrpc.v1 import order_pb2


def fill_order(
    message: order_pb2.Order, order: Order, revision: Revision, *, is_basic: bool = False
) -> None:
    """Write an order in place of an empty message."""
    message.CopyFrom(
        _common_part(
            order.client_id,
            order_status(order),
            order.attention,
            order.create_time_ms,
            order.update_time_ms,
        )
    )
    message.order_id = order.order_id
    add = message.fulfillment_orders.add
    for work in order.fulfillment_orders:
        _fill_work(add(), work, is_basic=is_basic)
    for hold in order.holds:
        entry = message.holds.add(reason=hold.reason, client_id=hold.client_id)
        entry.kind = hold.kind  # type: ignore[assignment]  # the same numbers, by a test
        set_timestamp(entry.hold_time, hold.time_ms)
    message.etag = str(order.revision)
    message.revision = revision
    if is_basic:
        return
    fill_terms(message.terms, order.terms)
    _fill_lines(message, order)
    for decision in order.decisions:
        fill_decision_head(message.decisions.add(), decision)
    _fill_history(message, order.history)


def fill_change(
    message: order_pb2.OrderChange,
    change: tuple[Order, int],
    at: tuple[Revision, TimeMs],
    *,
    is_basic: bool,
) -> None:
    """Write a change, an order and what happened to it, in place of an empty message."""
    order, kind = change
    revision, time_ms = at
    message.revision = revision
    set_timestamp(message.change_time, time_ms)
    message.kind = kind  # type: ignore[assignment]  # the same numbers, by a test
    fill_order(message.order, order, revision, is_basic=is_basic)


def _fill_work(
    message: order_pb2.FulfillmentOrder, work: FulfillmentOrder, *, is_basic: bool
) -> None:
    message.fulfillment_order_id = work.fulfillment_order_id
    message.location_id = work.location_id
    message.delivery_method = work.delivery_method  # type: ignore[assignment]  # same numbers
    message.state = work.state  # type: ignore[assignment]  # likewise
    fill_fulfillment_lines(message.lines, work.lines)
    if work.destination_location_id:
        message.destination_location_id = work.destination_location_id
    set_timestamp(message.ready_time, work.ready_time_ms)
    set_timestamp(message.ship_by_time, work.ship_by_time_ms)
    set_timestamp(message.deliver_by_time, work.deliver_by_time_ms)
    if work.collect_by_time_ms:
        set_timestamp(message.collect_by_time, work.collect_by_time_ms)
    if work.parcel_id:
        message.parcel_id = work.parcel_id
    message.capacity_day = work.capacity_day
    if is_basic:
        return
    message.package_cost_micros = work.package_cost_micros
    message.units_cost_micros = work.units_cost_micros
    if work.price_micros:
        message.price_micros = work.price_micros


def _fill_lines(message: order_pb2.Order, order: Order) -> None:
    unsourced = unsourced_quantities(order)
    add = message.lines.add
    for line in order.lines:
        _fill_line(add(), line, unsourced)


def _fill_line(message: order_pb2.OrderLine, line: OrderLine, unsourced: dict[LineId, int]) -> None:
    message.line_id = line.line_id
    message.sku = line.sku
    message.quantity = line.quantity
    message.delivery_method = line.delivery_method  # type: ignore[assignment]  # same numbers
    if line.location_id:
        message.location_id = line.location_id
    if line.unit_price_micros:
        message.unit_price_micros = line.unit_price_micros
    if line.cancelled_quantity:
        message.cancelled_quantity = line.cancelled_quantity
    if line.line_id in unsourced:
        message.unsourced_quantity = unsourced[line.line_id]
    if line.package_group:
        message.package_group = line.package_group


def _fill_history(message: order_pb2.Order, steps: Iterable[OrderStep]) -> None:
    add = message.history.add
    for step in steps:
        entry = add()
        entry.revision = step.revision
        set_timestamp(entry.step_time, step.time_ms)
        entry.kind = step.kind  # type: ignore[assignment]  # the same numbers, by a test
        entry.client_id = step.client_id
        if step.detail:
            entry.detail = step.detail


@lru_cache(maxsize=1_024)
def _common_part(
    client_id: ClientId, status: OrderStatus, attention: Attention, *times_ms: TimeMs
) -> order_pb2.Order:
    # What the orders of one turn have in common: one copy in place of nine fields, each of which
    # costs as much. Nobody writes into it.
    message = order_pb2.Order(client_id=client_id)
    message.status = status  # type: ignore[assignment]  # the same numbers, by a test
    message.attention = attention  # type: ignore[assignment]  # likewise
    create_time_ms, update_time_ms = times_ms
    set_timestamp(message.create_time, create_time_ms)
    set_timestamp(message.update_time, update_time_ms)
    return message
