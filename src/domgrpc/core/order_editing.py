"""Editing: what an edit or a cancellation leaves of an order's lines and of its work.

Units that no location has begun to work on are free to go: those that nobody fills first, then
those planned last. What must stay in one place is taken out as a whole when it grows, so that it is
planned as a whole again.
"""

import msgspec

from domgrpc.core.order_checks import check_lines
from domgrpc.core.order_commands import EditOrder
from domgrpc.core.order_works import taken_out, unreleased_quantities
from domgrpc.core.orders import (
    STORE_METHODS,
    FulfillmentOrder,
    Order,
    OrderLine,
    unsourced_quantities,
)
from domgrpc.core.planner import Planner
from domgrpc.core.rejections import Reason, Rejected, counted
from domgrpc.core.values import DeliveryMethod, LineId, LocationId, Quantity, Sku

_Place = tuple[Sku, DeliveryMethod, LocationId]
"""A SKU and the way that it travels."""
Left = tuple[tuple[OrderLine, ...], tuple[FulfillmentOrder, ...]]
"""The lines and the work that stay."""


def edited(planner: Planner, old: Order, command: EditOrder) -> Left:
    """Return the lines as they are asked for, and the work without what that takes out of it.

    Refuses with LINE_RELEASED, LINE_SKU_FIXED, ORDER_LINE_NOT_FOUND, SKU_NOT_FOUND and
    ORDER_WOULD_BE_EMPTY; O(the order).
    """
    wanted = {line.line_id: line for line in command.lines}
    units = _Units(unsourced_quantities(old), unreleased_quantities(old))
    lines: list[OrderLine] = []
    leaving: dict[LineId, int] = {}
    regrouped: set[str] = set()
    regrown: set[_Place] = set()
    for line in old.lines:
        new = wanted.pop(line.line_id, None)
        target = line if new is None else _target(old, line, new)
        if _is_moved(line, target, command):
            leaving[line.line_id] = _all_of(old, line, units)
        elif target.quantity < line.quantity:
            leaving[line.line_id] = _less_of(old, line, target, units)
        elif target.quantity > line.quantity and _stays_whole(planner, line):
            leaving[line.line_id] = units.unreleased.get(line.line_id, 0)
        if target.quantity:
            lines.append(target)
        if target.quantity > line.quantity or target.package_group != line.package_group:
            regrouped.add(target.package_group)
        if target.quantity > line.quantity or _is_moved(line, target, command):
            regrown.add(_place(target))
    added = [line for line in wanted.values() if line.quantity]
    _check_added(planner, old, added)
    lines += added
    regrouped.update(line.package_group for line in added)
    regrown.update(map(_place, added))
    whole = _of_whole_products(planner, (old, lines), regrown, units)
    leaving.update(whole)
    regrouped.update(line.package_group for line in lines if line.line_id in whole)
    leaving.update(_of_groups(lines, regrouped, units))
    _check_not_empty(lines, old)
    works, _ = taken_out(old.fulfillment_orders, leaving)
    return tuple(lines), works


def cancelled(old: Order, asked: tuple[tuple[LineId, Quantity], ...]) -> Left:
    """Return the lines with units cancelled, and the work without them; O(the order).

    Nothing asked is all that can still be cancelled. Refuses with LINE_RELEASED,
    CANCELLATION_TOO_LARGE and ORDER_LINE_NOT_FOUND.
    """
    unsourced, unreleased = unsourced_quantities(old), unreleased_quantities(old)
    free = {
        line.line_id: unsourced.get(line.line_id, 0) + unreleased.get(line.line_id, 0)
        for line in old.lines
    }
    units = _summed(asked) if asked else dict(free)
    for line_id in units:
        if line_id not in free:
            raise _line_not_found(old, line_id)
    lines: list[OrderLine] = []
    leaving: dict[LineId, int] = {}
    for line in old.lines:
        gone = units.get(line.line_id, 0)
        left = line.quantity - line.cancelled_quantity
        if gone > left:
            raise _too_large(old, line, gone)
        if gone > free[line.line_id]:
            raise _line_released(old, line, gone - free[line.line_id])
        if not asked and left and not any(free.values()):
            raise _line_released(old, line, left)
        leaving[line.line_id] = max(0, gone - unsourced.get(line.line_id, 0))
        cancelled_quantity = Quantity(line.cancelled_quantity + gone)
        lines.append(msgspec.structs.replace(line, cancelled_quantity=cancelled_quantity))
    works, _ = taken_out(old.fulfillment_orders, leaving)
    return tuple(lines), works


def grown_lines(old: tuple[OrderLine, ...], lines: tuple[OrderLine, ...]) -> tuple[OrderLine, ...]:
    """Return the lines that want more than before, or want it another way; O(lines)."""
    before = {line.line_id: (line.quantity, _place(line)) for line in old}
    return tuple(
        line
        for line in lines
        if line.line_id not in before
        or line.quantity > before[line.line_id][0]
        or _place(line) != before[line.line_id][1]
    )


# --- lines


class _Units(msgspec.Struct, frozen=True):
    """The units of each line that nobody fills, and those that nobody works on yet."""

    unsourced: dict[LineId, int]
    unreleased: dict[LineId, int]


def _all_of(old: Order, line: OrderLine, units: _Units) -> int:
    there = units.unreleased.get(line.line_id, 0)
    free = units.unsourced.get(line.line_id, 0) + there + line.cancelled_quantity
    if free < line.quantity:
        raise _line_released(old, line, line.quantity - free)
    return there


def _less_of(old: Order, line: OrderLine, target: OrderLine, units: _Units) -> int:
    there = units.unreleased.get(line.line_id, 0)
    less = line.quantity - target.quantity - units.unsourced.get(line.line_id, 0)
    if less > there:
        raise _line_released(old, line, less - there)
    return max(0, less)


def _of_groups(lines: list[OrderLine], regrouped: set[str], units: _Units) -> dict[LineId, int]:
    # Lines of one package are planned together.
    return {
        line.line_id: units.unreleased.get(line.line_id, 0)
        for line in lines
        if line.package_group and line.package_group in regrouped
    }


def _place(line: OrderLine) -> _Place:
    return line.sku, line.delivery_method, line.location_id


def _of_whole_products(
    planner: Planner, orders: tuple[Order, list[OrderLine]], regrown: set[_Place], units: _Units
) -> dict[LineId, int]:
    # Several lines of a product that leaves from one place are planned together, as they would be
    # had they been placed together; those that somebody works on stay where they are.
    old, lines = orders
    begun = {
        _place(line)
        for line in old.lines
        if line.quantity - line.cancelled_quantity
        > units.unsourced.get(line.line_id, 0) + units.unreleased.get(line.line_id, 0)
    }
    return {
        line.line_id: units.unreleased[line.line_id]
        for line in lines
        if line.line_id in units.unreleased
        and _place(line) in regrown
        and _place(line) not in begun
        and _stays_whole(planner, line)
    }


def _target(old: Order, line: OrderLine, new: OrderLine) -> OrderLine:
    if not new.sku:
        # Only the quantity is said.
        new = msgspec.structs.replace(line, quantity=new.quantity)
    if new.sku != line.sku:
        raise Rejected(
            Reason.LINE_SKU_FIXED,
            f"line {line.line_id!r} of order {old.order_id!r} is of {line.sku!r}, not "
            f"{new.sku!r}: set it to 0 and add a line",
            order_id=old.order_id,
            line_id=line.line_id,
            sku=line.sku,
        )
    # Cancelled units were ordered once; the line keeps them.
    quantity = Quantity(max(new.quantity, line.cancelled_quantity))
    cancelled_quantity = line.cancelled_quantity
    return msgspec.structs.replace(new, quantity=quantity, cancelled_quantity=cancelled_quantity)


def _is_moved(line: OrderLine, target: OrderLine, command: EditOrder) -> bool:
    if command.address is not None and line.delivery_method not in STORE_METHODS:
        return True
    here = (line.delivery_method, line.location_id)
    return here != (target.delivery_method, target.location_id)


def _stays_whole(planner: Planner, line: OrderLine) -> bool:
    fields = planner.network.products.fields(line.sku)
    limits = planner.rules(None).content.limits
    return fields.keep_together or fields.ship_alone or not limits.unit_split_allowed


def _summed(asked: tuple[tuple[LineId, Quantity], ...]) -> dict[LineId, int]:
    units: dict[LineId, int] = {}
    for line_id, quantity in asked:
        units[line_id] = units.get(line_id, 0) + quantity
    return units


# --- refusals


def _check_added(planner: Planner, old: Order, added: list[OrderLine]) -> None:
    for line in added:
        if not line.sku:
            raise _line_not_found(old, line.line_id)
    check_lines(planner.network, added)


def _check_not_empty(lines: list[OrderLine], old: Order) -> None:
    if not any(line.quantity > line.cancelled_quantity for line in lines):
        raise Rejected(
            Reason.ORDER_WOULD_BE_EMPTY,
            f"nothing would be left of order {old.order_id!r}: cancel it instead",
            order_id=old.order_id,
        )


def _line_released(old: Order, line: OrderLine, units: int) -> Rejected:
    return Rejected(
        Reason.LINE_RELEASED,
        f"{counted(units, 'unit')} of line {line.line_id!r} of order {old.order_id!r} cannot be "
        "changed or cancelled here any more: given to a location to work on, or gone from it",
        order_id=old.order_id,
        line_id=line.line_id,
        released_quantity=units,
    )


def _too_large(old: Order, line: OrderLine, units: int) -> Rejected:
    left = line.quantity - line.cancelled_quantity
    return Rejected(
        Reason.CANCELLATION_TOO_LARGE,
        f"line {line.line_id!r} of order {old.order_id!r} has {counted(left, 'unit')} left, "
        f"not {units}",
        order_id=old.order_id,
        line_id=line.line_id,
        left_quantity=left,
        asked_quantity=units,
    )


def _line_not_found(old: Order, line_id: LineId) -> Rejected:
    return Rejected(
        Reason.ORDER_LINE_NOT_FOUND,
        f"order {old.order_id!r} has no line {line_id!r}",
        order_id=old.order_id,
        line_id=line_id,
    )
