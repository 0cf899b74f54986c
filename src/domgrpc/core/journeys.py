"""Journeys: how goods are to reach a customer, and the table of what that takes from everywhere."""

from array import array

import msgspec

from domgrpc.core.geography import Point
from domgrpc.core.values import AddressType, DeliveryMethod, LocationIndex, Micros, ServiceId

_TO_ADDRESS = (
    DeliveryMethod.SHIP_TO_HOME,
    DeliveryMethod.LOCAL_DELIVERY,
    DeliveryMethod.DROP_SHIP,
)
UNREACHABLE = -1
UNREACHABLE_MICROS = Micros(10**15)
"""The price of what cannot be done, so that nobody takes it for cheap."""


class Journey(msgspec.Struct, frozen=True, gc=False):
    """Where goods go and how.

    The destination is a point, a location, or unknown: then only what customers collect
    themselves can reach them. A journey of collecting names the location to collect at, or any.
    """

    delivery_method: DeliveryMethod
    destination: Point | LocationIndex | None = None
    reference_grams: int = 1_000
    """The weight of the one-unit parcel by whose price the cheapest service is chosen.

    Say one of a few classes: what is kept is kept by it.
    """
    is_residential: bool = False
    prefers_fastest: bool = False
    time_zone: str = ""
    """In whose evenings goods arrive; empty for those of the origin."""


def goes_home(method: DeliveryMethod, address_type: AddressType) -> bool:
    """Whether goods of a delivery method go to a home."""
    return method in _TO_ADDRESS and address_type is AddressType.RESIDENTIAL


class ServiceTerms(msgspec.Struct, frozen=True, gc=False):
    """A carrier's service as the table names it; 0 grams for no cap."""

    service_id: ServiceId
    package_grams_max: int = 0


class TransportTable(msgspec.Struct, frozen=True):
    """What a journey takes from each location; all arrays are parallel to `indexes`.

    A package costs `package_micros`, plus the step of `cards[card]` for its weight where `card`
    is not -1, plus for each of its units `unit_micros` and for each kilogram `kilogram_micros`;
    the location's handling is in them. Where the journey cannot begin, `deliver_by_ms` is -1 and
    the prices are UNREACHABLE_MICROS. All that holds for `from_ms <= now < valid_until_ms`.
    """

    indexes: "array[int] | range"
    package_micros: "array[int]"
    unit_micros: "array[int]"
    kilogram_micros: "array[int]"
    card: "array[int]"
    service: "array[int]"
    zone: "array[int]"
    distance_m: "array[int]"
    ship_by_ms: "array[int]"
    ship_day: "array[int]"
    deliver_by_ms: "array[int]"
    priority: "array[int]"
    cards: tuple[tuple[tuple[int, int], ...], ...]
    services: tuple[ServiceTerms, ...]
    from_ms: int
    valid_until_ms: int
