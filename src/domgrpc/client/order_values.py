"""What callers put into calls about orders: items, terms, addresses."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple, TypeAlias

from google.protobuf.internal.containers import RepeatedCompositeFieldContainer

from domgrpc.client.values import scope_weight, set_time
from domgrpc.v1.order_pb2 import (
    Address,
    AddressType,
    EditOrderRequest,
    OrderLine,
    OrderTerms,
    PlaceOrderRequest,
    QuoteOrderRequest,
    ShortagePolicy,
)
from domgrpc.v1.types_pb2 import DeliveryMethod, Point, Scope

ANY_METHOD: Final = DeliveryMethod.DELIVERY_METHOD_UNSPECIFIED
_AS_RULES_SAY: Final = ShortagePolicy.SHORTAGE_POLICY_UNSPECIFIED

_WithDefaults: TypeAlias = PlaceOrderRequest | QuoteOrderRequest | EditOrderRequest


class Item(NamedTuple):
    """Units of one SKU to order; what is left out comes from the call, or is numbered by place.

    Lines that are collected need their store in `location_id`. Lines of one `package_group`
    travel in one package.
    """

    sku: str
    quantity: int
    delivery_method: DeliveryMethod = ANY_METHOD
    location_id: str = ""
    unit_price_micros: int = 0
    line_id: str = ""
    package_group: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What holds for an order as a whole; the proto says more of each field.

    `promise_time` is when everything should be with the customer; with `promise_is_hard`
    locations that would be late are not used at all. `package_count_max` 0 is as many as the rule
    set allows.
    """

    channel: str = ""
    customer_id: str = ""
    address: Address | None = None
    promise_time: datetime | None = None
    promise_is_hard: bool = False
    package_count_max: int = 0
    ship_complete: bool = False
    shortage_policy: ShortagePolicy = _AS_RULES_SAY
    scope: Scope | None = None
    placed_at_location_id: str = ""
    reference: str = ""


ANY_TERMS: Final = Terms()


def address_of(
    postal_code: str = "",
    *,
    latitude_degrees: float | None = None,
    longitude_degrees: float | None = None,
    recipient: str = "",
    street: str = "",
    city: str = "",
    region: str = "",
    country_code: str = "",
    is_commercial: bool = False,
) -> Address:
    """Return an address: with coordinates, or with a US ZIP code that has some.

    It is a home unless it is said to be commercial.
    """
    address = Address(
        postal_code=postal_code,
        recipient=recipient,
        street=street,
        city=city,
        region=region,
        country_code=country_code,
    )
    if is_commercial:
        address.address_type = AddressType.ADDRESS_TYPE_COMMERCIAL
    if latitude_degrees is not None and longitude_degrees is not None:
        point = Point(latitude_degrees=latitude_degrees, longitude_degrees=longitude_degrees)
        address.point.CopyFrom(point)
    elif latitude_degrees is not None or longitude_degrees is not None:
        raise ValueError("a place has latitude_degrees and longitude_degrees: give both or none")
    return address


# --- written in place by the service modules


def write_items(
    target: "RepeatedCompositeFieldContainer[OrderLine]", items: Iterable[Item]
) -> None:
    """Write items into a request; a microsecond each."""
    add = target.add
    for sku, quantity, method, location_id, price, line_id, group in items:
        line = add()
        line.sku = sku
        line.quantity = quantity
        if method:
            line.delivery_method = method
        if location_id:
            line.location_id = location_id
        if price:
            line.unit_price_micros = price
        if line_id:
            line.line_id = line_id
        if group:
            line.package_group = group


def write_terms(target: OrderTerms, terms: Terms) -> None:
    """Write terms into a request."""
    # Even an empty value that is written makes the terms given, which not every request allows.
    if terms is ANY_TERMS or terms == ANY_TERMS:
        return
    target.channel = terms.channel
    target.customer_id = terms.customer_id
    if terms.address is not None:
        target.address.CopyFrom(terms.address)
    if terms.promise_time is not None:
        set_time(target.promise_time, terms.promise_time)
    target.promise_is_hard = terms.promise_is_hard
    target.package_count_max = terms.package_count_max
    target.ship_complete = terms.ship_complete
    target.shortage_policy = terms.shortage_policy
    if terms.scope is not None:
        target.scope.CopyFrom(terms.scope)
    target.placed_at_location_id = terms.placed_at_location_id
    target.reference = terms.reference


def write_defaults(
    request: _WithDefaults, delivery_method: DeliveryMethod, location_id: str
) -> None:
    """Write what lines take over from their request."""
    if delivery_method:
        request.delivery_method = delivery_method
    if location_id:
        request.location_id = location_id


def order_weight(items: Sequence[Item], terms: Terms) -> int:
    """Return how many lines and ids an order carries."""
    return len(items) + 1 + scope_weight(terms.scope)
