"""Addresses and the terms of an order between messages and the core."""

import re
from collections.abc import Callable, Mapping
from typing import cast

from domgrpc.core.geography import Point
from domgrpc.core.orders import Address, OrderTerms, ShortagePolicy
from domgrpc.core.scopes import Scope
from domgrpc.core.values import AddressType, TimeMs
from domgrpc.rpc.postal_codes import postal_area
from domgrpc.rpc.refusals import InvalidField
from domgrpc.rpc.shapes import (
    CHANNEL_BYTES_MAX,
    chosen,
    identifier_or_empty,
    item_count,
    set_timestamp,
    shown,
    text,
    timestamp_ms,
    whole,
)
from domgrpc.rpc.translate_reservations import REFERENCE_BYTES_MAX
from domgrpc.rpc.translate_scope import fill_point, fill_scope, point_of, scope_of
from domgrpc.v1 import order_pb2

PACKAGE_COUNT_MAX = 1_000
POSTAL_CODE_BYTES_MAX = 16
STREET_BYTES_MAX = 256
PLACE_BYTES_MAX = 128
ORDER_SCOPE_MAX = 1_000
"""Locations that the scope of an order may name."""

_COUNTRY = re.compile("[A-Z]{2}").fullmatch
_POLICIES: Mapping[int, ShortagePolicy] = {policy.value: policy for policy in ShortagePolicy}
_TYPES: Mapping[int, AddressType] = {kind.value: kind for kind in AddressType}
_NO_ADDRESS = Address()
# The checks below prove what the types say; a call for each NewType would cost more than they.
_order_terms = cast("Callable[..., OrderTerms]", OrderTerms)
_WHERE_POINT_IS_FROM = (
    "is missing; give the coordinates, or in the United States a postal_code that is a known ZIP "
    "code"
)


# --- messages to values


def order_terms(message: order_pb2.OrderTerms, *, needs_point: bool) -> OrderTerms:
    """Read the terms of an order; with `needs_point` its address must say where it is."""
    texts = _terms_texts(message)
    address = _NO_ADDRESS
    if needs_point or message.HasField("address"):
        address = _inner_address(message.address, needs_point=needs_point)
    policy = message.shortage_policy
    count_max = message.package_count_max
    return _order_terms(
        texts[0],
        texts[1],
        address,
        _promise_time(message),
        message.promise_is_hard,
        whole(count_max, "package_count_max", 0, PACKAGE_COUNT_MAX) if count_max else 0,
        message.ship_complete,
        chosen(policy, "shortage_policy", _POLICIES) if policy else ShortagePolicy.UNSPECIFIED,
        _scope(message) if message.HasField("scope") else None,
        texts[2],
        texts[3],
    )


def address_of(message: order_pb2.Address, *, needs_point: bool) -> Address:
    """Read an address; its point is given, or found by its ZIP code with region and country."""
    texts = _address_texts(message)
    postal_code, country_code = texts[0], texts[3]
    if country_code and _COUNTRY(country_code) is None:
        raise InvalidField(
            "country_code", f"is {shown(country_code)}; two upper-case letters are needed"
        )
    kind = message.address_type
    kinds = (chosen(kind, "address_type", _TYPES),) if kind else ()
    if message.HasField("point"):
        return Address(_point(message), *texts, *kinds)
    if postal_code and country_code in {"", "US"}:
        area = postal_area(postal_code)
        if area is not None:
            return Address(
                area.point, postal_code, texts[1], texts[2] or area.state, "US", *texts[4:], *kinds
            )
    if needs_point:
        raise _no_place(postal_code, country_code)
    return Address(None, *texts, *kinds)


def _no_place(postal_code: str, country_code: str) -> InvalidField:
    if not postal_code or country_code not in {"", "US"}:
        return InvalidField("point", _WHERE_POINT_IS_FROM)
    return InvalidField(
        "postal_code",
        f"is {shown(postal_code)}, which is no known US ZIP code with a place; correct it, or give "
        "the coordinates in point",
    )


def _terms_texts(message: order_pb2.OrderTerms) -> tuple[str, str, str, str]:
    texts = (
        message.channel,
        message.customer_id,
        message.placed_at_location_id,
        message.reference,
    )
    together = "".join(texts)
    if len(together) <= CHANNEL_BYTES_MAX and together.isascii() and together.isprintable():
        # The common case: together they are no longer than the shortest may be by itself.
        return texts
    channel, customer_id, store_id, reference = texts
    text(channel, "channel", CHANNEL_BYTES_MAX)
    identifier_or_empty(customer_id, "customer_id")
    identifier_or_empty(store_id, "placed_at_location_id")
    text(reference, "reference", REFERENCE_BYTES_MAX)
    return texts


def _address_texts(message: order_pb2.Address) -> tuple[str, str, str, str, str, str]:
    texts = (
        message.postal_code,
        message.city,
        message.region,
        message.country_code,
        message.street,
        message.recipient,
    )
    together = "".join(texts)
    if (
        len(together) <= PLACE_BYTES_MAX
        and len(texts[0]) <= POSTAL_CODE_BYTES_MAX
        and together.isascii()
        and together.isprintable()
    ):
        return texts
    postal_code, city, region, _country_code, street, recipient = texts
    text(postal_code, "postal_code", POSTAL_CODE_BYTES_MAX)
    text(city, "city", PLACE_BYTES_MAX)
    text(region, "region", PLACE_BYTES_MAX)
    text(street, "street", STREET_BYTES_MAX)
    text(recipient, "recipient", PLACE_BYTES_MAX)
    return texts


def _point(message: order_pb2.Address) -> Point:
    try:
        return point_of(message.point)
    except InvalidField as invalid:
        raise invalid.within("point") from None


def _inner_address(message: order_pb2.Address, *, needs_point: bool) -> Address:
    try:
        return address_of(message, needs_point=needs_point)
    except InvalidField as invalid:
        raise invalid.within("address") from None


def _promise_time(message: order_pb2.OrderTerms) -> TimeMs | None:
    if message.HasField("promise_time"):
        return timestamp_ms(message.promise_time, "promise_time")
    if message.promise_is_hard:
        raise InvalidField("promise_time", "is missing; promise_is_hard needs it")
    return None


def _scope(message: order_pb2.OrderTerms) -> Scope:
    locations = message.scope.locations.location_ids
    # Every event of an order holds it whole: larger sets of locations are groups.
    item_count(len(locations), "scope.locations.location_ids", 0, ORDER_SCOPE_MAX)
    try:
        return scope_of(message.scope)
    except InvalidField as invalid:
        raise invalid.within("scope") from None


# --- values to messages


def fill_terms(message: order_pb2.OrderTerms, terms: OrderTerms) -> None:
    """Write terms in place of an empty message; what is empty is not written."""
    if terms.channel:
        message.channel = terms.channel
    if terms.customer_id:
        message.customer_id = terms.customer_id
    if terms.address != _NO_ADDRESS:
        fill_address(message.address, terms.address)
    if terms.promise_time_ms is not None:
        set_timestamp(message.promise_time, terms.promise_time_ms)
        message.promise_is_hard = terms.promise_is_hard
    _fill_rare_terms(message, terms)


def fill_address(message: order_pb2.Address, address: Address) -> None:
    """Write an address in place of an empty message; what is empty is not written."""
    if address.point is not None:
        fill_point(message.point, address.point)
    if address.postal_code:
        message.postal_code = address.postal_code
    if address.city:
        message.city = address.city
    if address.region:
        message.region = address.region
    if address.country_code:
        message.country_code = address.country_code
    if address.street:
        message.street = address.street
    if address.recipient:
        message.recipient = address.recipient
    message.address_type = address.address_type  # type: ignore[assignment]  # same numbers


def _fill_rare_terms(message: order_pb2.OrderTerms, terms: OrderTerms) -> None:
    if terms.package_count_max:
        message.package_count_max = terms.package_count_max
    if terms.ship_complete:
        message.ship_complete = True
    if terms.shortage_policy:
        message.shortage_policy = terms.shortage_policy  # type: ignore[assignment]  # same numbers
    if terms.scope is not None:
        fill_scope(message.scope, terms.scope)
    if terms.placed_at_location_id:
        message.placed_at_location_id = terms.placed_at_location_id
    if terms.reference:
        message.reference = terms.reference
