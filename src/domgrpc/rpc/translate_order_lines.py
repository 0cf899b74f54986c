"""Order lines from messages, for orders, quotes and simulations: the hottest part of an order.

A line takes less than a microsecond where it is as most are: fields are read once, and the common
case of each check is inline, as in translate_reservations.py.
"""

import re
from collections.abc import Callable, Sequence
from typing import Final, cast

import msgspec

from domgrpc.core.order_commands import ORDER_LINES_MAX
from domgrpc.core.orders import STORE_METHODS, OrderLine
from domgrpc.core.values import QUANTITY_MAX, DeliveryMethod, LocationId
from domgrpc.rpc.refusals import InvalidField
from domgrpc.rpc.shapes import (
    IDENTIFIER_BYTES_MAX,
    chosen,
    identifier,
    identifier_or_empty,
    item_count,
    key,
    quantity,
    whole,
)
from domgrpc.rpc.translate_scope import METHODS
from domgrpc.v1 import order_pb2

PRICE_MICROS_MAX: Final = 10**15
_KEY = re.compile(r"[A-Za-z0-9._:-]{1,64}").fullmatch
CHOSEN_METHODS: Final = {number: method for number, method in METHODS.items() if number}
# The checks below prove what the types say; a call for each NewType would cost more than they.
_order_line = cast("Callable[..., OrderLine]", OrderLine)


class LineDefaults(msgspec.Struct, frozen=True, gc=False):
    """What lines take over from their request."""

    delivery_method: int = 0
    location_id: str = ""

    @property
    def method(self) -> DeliveryMethod:
        """Return the method of lines that name none."""
        return METHODS[self.delivery_method or DeliveryMethod.SHIP_TO_HOME]


_NO_DEFAULTS = LineDefaults()


def line_defaults(delivery_method: int, location_id: str) -> LineDefaults:
    """Check what lines take over from their request."""
    if not delivery_method and not location_id:
        return _NO_DEFAULTS
    if delivery_method:
        chosen(delivery_method, "delivery_method", CHOSEN_METHODS)
    identifier_or_empty(location_id, "location_id")
    return LineDefaults(delivery_method, location_id)


def order_lines(
    messages: Sequence[order_pb2.OrderLine], defaults: LineDefaults
) -> tuple[OrderLine, ...]:
    """Read 1 to 5,000 lines of a new order; lines without an id are numbered by their place."""
    if not 0 < len(messages) <= ORDER_LINES_MAX:
        item_count(len(messages), "lines", 1, ORDER_LINES_MAX)
    lines: list[OrderLine] = []
    default_method = defaults.method
    is_named = False
    for message in messages:
        line_id = message.line_id
        is_key = True
        if line_id:
            is_named = True
            is_key = _KEY(line_id) is not None
        else:
            line_id = str(len(lines) + 1)
        sku = message.sku
        units = message.quantity
        number = message.delivery_method
        method = METHODS.get(number) if number else default_method
        store_id = message.location_id
        price = message.unit_price_micros
        if not (
            sku.isascii()
            and sku.isprintable()
            and 0 < len(sku) <= IDENTIFIER_BYTES_MAX
            and 1 <= units <= QUANTITY_MAX
            and method is not None
            and 0 <= price <= PRICE_MICROS_MAX
            and is_key
        ):
            check_line(message, f"lines[{len(lines)}]")
            method = METHODS[number] if number else default_method
        if store_id or method in STORE_METHODS:
            store_id = _store_of(message, method, defaults, len(lines))
        group = message.package_group
        if group:
            identifier(group, f"lines[{len(lines)}].package_group")
        lines.append(_order_line(line_id, sku, units, method, store_id, price, 0, group))
    if is_named:
        check_ids_differ(lines)
    return tuple(lines)


def edited_lines(
    messages: Sequence[order_pb2.OrderLine], defaults: LineDefaults
) -> tuple[OrderLine, ...]:
    """Read up to 5,000 lines of an edit; one without a SKU says no more than its quantity."""
    item_count(len(messages), "lines", 0, ORDER_LINES_MAX)
    lines: list[OrderLine] = []
    for place, message in enumerate(messages):
        path = f"lines[{place}]"
        key(message.line_id, f"{path}.line_id")
        if message.sku:
            line = _whole_line(message, defaults, place)
        else:
            _check_quantity_only(message, path)
            line = _order_line(
                message.line_id, "", message.quantity, DeliveryMethod.UNSPECIFIED, ""
            )
        lines.append(line)
    check_ids_differ(lines)
    return tuple(lines)


def check_line(message: order_pb2.OrderLine, path: str, quantity_min: int = 1) -> None:
    """Check the fields of a line one by one."""
    if message.line_id:
        key(message.line_id, f"{path}.line_id")
    identifier(message.sku, f"{path}.sku")
    quantity(message.quantity, f"{path}.quantity", quantity_min)
    whole(message.unit_price_micros, f"{path}.unit_price_micros", 0, PRICE_MICROS_MAX)
    if message.delivery_method:
        chosen(message.delivery_method, f"{path}.delivery_method", CHOSEN_METHODS)


def check_ids_differ(lines: Sequence[OrderLine]) -> None:
    """Refuse two lines with one id; O(lines)."""
    if len({line.line_id for line in lines}) == len(lines):
        return
    places: dict[str, int] = {}
    for place, line in enumerate(lines):
        before = places.setdefault(line.line_id, place)
        if before != place:
            raise InvalidField(
                f"lines[{place}].line_id",
                f"is {line.line_id!a}, as that of lines[{before}]; each line needs its own",
            )


def _store_of(
    message: order_pb2.OrderLine, method: DeliveryMethod, defaults: LineDefaults, place: int
) -> LocationId:
    path = f"lines[{place}].location_id"
    own = identifier_or_empty(message.location_id, path)
    if method not in STORE_METHODS:
        raise InvalidField(path, f"is given, but goods by {method.name} are collected nowhere")
    if not own and not defaults.location_id:
        raise InvalidField(path, f"is missing; {method.name} needs the store to collect at")
    return LocationId(own or defaults.location_id)


def _whole_line(message: order_pb2.OrderLine, defaults: LineDefaults, place: int) -> OrderLine:
    path = f"lines[{place}]"
    check_line(message, path, quantity_min=0)
    number = message.delivery_method
    method = METHODS[number] if number else defaults.method
    store_id = message.location_id
    if store_id or method in STORE_METHODS:
        store_id = _store_of(message, method, defaults, place)
    return _order_line(
        message.line_id,
        message.sku,
        message.quantity,
        method,
        store_id,
        message.unit_price_micros,
        0,
        identifier_or_empty(message.package_group, f"{path}.package_group"),
    )


def _check_quantity_only(message: order_pb2.OrderLine, path: str) -> None:
    quantity(message.quantity, f"{path}.quantity")
    for name in ("delivery_method", "location_id", "unit_price_micros", "package_group"):
        if getattr(message, name):
            raise InvalidField(
                f"{path}.{name}", "is given without the sku; a line that changes needs it"
            )
