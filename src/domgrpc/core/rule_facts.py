"""Facts: what the conditions of rules can know of an order, its lines, products and locations.

`FACTS` is the whole list, with the type of each; docs/routing-rules.md explains them, and a test
compares. A fact always has a value: text that is not known is empty, a number is 0.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

import msgspec

from domgrpc.core.geography import DEGREE_E7
from domgrpc.core.locations import Location
from domgrpc.core.products import ProductFields
from domgrpc.core.values import (
    DAY_MS,
    MINUTE_MS,
    Channel,
    DeliveryMethod,
    GroupId,
    LocationType,
    Quantity,
    Sku,
    TimeMs,
)

MICROS = 1_000_000
_INT_MAX = 2**63 - 1
_HOUR_MS = 60 * MINUTE_MS
_HOURS_A_DAY = 24
_DAYS_A_WEEK = 7
_FIRST_WEEKDAY = 3
"""1970-01-01 was a Thursday, the fourth day of its week."""

# A plain value that the CEL library takes: a text, a number, a truth or a list of texts.
Value: TypeAlias = Any


class OrderFacts(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What is known of an order as a whole."""

    channel: Channel = Channel("")
    customer_id: str = ""
    delivery_method: DeliveryMethod = DeliveryMethod.UNSPECIFIED
    value_micros: int = 0
    country: str = ""
    region: str = ""
    postal_code: str = ""
    line_count: int = 0
    unit_count: int = 0
    time_ms: TimeMs = TimeMs(0)


class LineFacts(msgspec.Struct, frozen=True, gc=False):
    """What is known of a line, its product included: `Products.fields(sku)`."""

    sku: Sku
    quantity: Quantity
    unit_price_micros: int = 0
    product: ProductFields = ProductFields()


class Place(msgspec.Struct, frozen=True, gc=False):
    """A location and the groups that it is in, sorted."""

    location: Location
    group_ids: tuple[GroupId, ...] = ()


class Fact(msgspec.Struct, frozen=True):
    """The type of a fact, how it is read, and the words that it can be, where it is one of few."""

    type: str
    read: Callable[[Any], Value]
    words: tuple[str, ...] = ()


_METHODS = tuple(method.name for method in DeliveryMethod if method)
_TYPES = tuple(kind.name for kind in LocationType if kind)


def _bounded(number: int) -> int:
    return min(number, _INT_MAX)


def _hour(order: OrderFacts) -> int:
    return order.time_ms // _HOUR_MS % _HOURS_A_DAY


def _weekday(order: OrderFacts) -> int:
    return (order.time_ms // DAY_MS + _FIRST_WEEKDAY) % _DAYS_A_WEEK + 1


def _method(order: OrderFacts) -> str:
    return order.delivery_method.name if order.delivery_method else ""


def _latitude(place: Place) -> float:
    point = place.location.point
    return point.latitude_e7 / DEGREE_E7 if point else 0.0


def _longitude(place: Place) -> float:
    point = place.location.point
    return point.longitude_e7 / DEGREE_E7 if point else 0.0


FACTS: dict[str, Fact] = {
    "order.channel": Fact("string", lambda order: order.channel),
    "order.customer_id": Fact("string", lambda order: order.customer_id),
    "order.delivery_method": Fact("string", _method, _METHODS),
    "order.value": Fact("double", lambda order: order.value_micros / MICROS),
    "order.value_micros": Fact("int", lambda order: _bounded(order.value_micros)),
    "order.country": Fact("string", lambda order: order.country),
    "order.region": Fact("string", lambda order: order.region),
    "order.postal_code": Fact("string", lambda order: order.postal_code),
    "order.line_count": Fact("int", lambda order: order.line_count),
    "order.unit_count": Fact("int", lambda order: _bounded(order.unit_count)),
    "order.weekday": Fact("int", _weekday),
    "order.hour": Fact("int", _hour),
    "line.sku": Fact("string", lambda line: line.sku),
    "line.quantity": Fact("int", lambda line: _bounded(line.quantity)),
    "line.unit_price": Fact("double", lambda line: line.unit_price_micros / MICROS),
    "line.unit_price_micros": Fact("int", lambda line: _bounded(line.unit_price_micros)),
    "product.categories": Fact("list(string)", lambda line: line.product.categories),
    "product.weight_grams": Fact("int", lambda line: line.product.weight_grams),
    "product.length_mm": Fact("int", lambda line: line.product.length_mm),
    "product.width_mm": Fact("int", lambda line: line.product.width_mm),
    "product.height_mm": Fact("int", lambda line: line.product.height_mm),
    "product.unit": Fact("string", lambda line: line.product.unit),
    "product.keep_together": Fact("bool", lambda line: line.product.keep_together),
    "product.ship_alone": Fact("bool", lambda line: line.product.ship_alone),
    "location.id": Fact("string", lambda place: place.location.location_id),
    "location.name": Fact("string", lambda place: place.location.display_name),
    "location.type": Fact("string", lambda place: place.location.type.name, _TYPES),
    "location.groups": Fact("list(string)", lambda place: place.group_ids),
    "location.delivery_methods": Fact(
        "list(string)",
        lambda place: tuple(method.name for method in place.location.delivery_methods),
        _METHODS,
    ),
    "location.backorder_enabled": Fact("bool", lambda place: place.location.backorder_enabled),
    "location.has_point": Fact("bool", lambda place: place.location.point is not None),
    "location.latitude": Fact("double", _latitude),
    "location.longitude": Fact("double", _longitude),
}
