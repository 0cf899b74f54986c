"""Places and demands between messages and the core: points, scopes, channels, methods."""

import math
from collections.abc import Mapping, Sequence

from domgrpc.core.geography import DEGREE_E7, Point
from domgrpc.core.scopes import GroupList, LocationList, NearPoint, Scope
from domgrpc.core.values import Channel, DeliveryMethod, Demand, GroupId, LocationId
from domgrpc.rpc.refusals import InvalidField
from domgrpc.rpc.shapes import CHANNEL_BYTES_MAX, chosen, identifier, item_count, text, whole
from domgrpc.v1 import types_pb2

SCOPE_LOCATIONS_MAX = 10_000
SCOPE_GROUPS_MAX = 100
RADIUS_KM_MAX = 20_038
"""A little more than half the way round the earth."""
LOCATION_COUNT_MAX = 2**31 - 1

ANY_DEMAND = Demand()
METHODS: Mapping[int, DeliveryMethod] = {method.value: method for method in DeliveryMethod}
_LATITUDE_DEGREES_MAX = 90
_LONGITUDE_DEGREES_MAX = 180
_METRES_PER_KM = 1_000


def demand_of(channel: str, method: int) -> Demand:
    """Return who wants goods and how; no channel and method 0 stand for anybody."""
    if not channel and not method:
        return ANY_DEMAND
    return Demand(
        Channel(text(channel, "channel", CHANNEL_BYTES_MAX)),
        chosen(method, "delivery_method", METHODS),
    )


def point_of(message: types_pb2.Point) -> Point:
    """Return a place in degrees times 10^7, rounded."""
    return Point(
        _degrees_e7(message.latitude_degrees, "latitude_degrees", _LATITUDE_DEGREES_MAX),
        _degrees_e7(message.longitude_degrees, "longitude_degrees", _LONGITUDE_DEGREES_MAX),
    )


def fill_point(message: types_pb2.Point, point: Point) -> None:
    """Write a place in place."""
    message.latitude_degrees = point.latitude_e7 / DEGREE_E7
    message.longitude_degrees = point.longitude_e7 / DEGREE_E7


def scope_of(message: types_pb2.Scope) -> Scope:
    """Return a scope; a message without a choice means all locations."""
    match message.WhichOneof("scope"):
        case "locations":
            return LocationList(
                location_ids(message.locations.location_ids, "locations.location_ids")
            )
        case "groups":
            return GroupList(_group_ids(message.groups.group_ids))
        case "near":
            return _near(message.near)
        case _:
            return None


def fill_scope(message: types_pb2.Scope, scope: Scope) -> None:
    """Write a scope in place of an empty message."""
    match scope:
        case LocationList():
            message.locations.location_ids.extend(scope.location_ids)
        case GroupList():
            message.groups.group_ids.extend(scope.group_ids)
        case NearPoint():
            fill_point(message.near.point, scope.point)
            message.near.radius_km = scope.radius_m / _METRES_PER_KM
            message.near.location_count_max = scope.location_count_max
        case None:
            return


def location_ids(values: Sequence[str], path: str, low: int = 1) -> tuple[LocationId, ...]:
    """Return up to 10,000 location ids, each once, in the order given."""
    item_count(len(values), path, low, SCOPE_LOCATIONS_MAX)
    checked = (
        LocationId(identifier(value, f"{path}[{place}]")) for place, value in enumerate(values)
    )
    return tuple(dict.fromkeys(checked))


def _group_ids(values: Sequence[str]) -> tuple[GroupId, ...]:
    path = "groups.group_ids"
    item_count(len(values), path, 1, SCOPE_GROUPS_MAX)
    checked = (GroupId(identifier(value, f"{path}[{place}]")) for place, value in enumerate(values))
    return tuple(dict.fromkeys(checked))


def _near(message: types_pb2.NearPoint) -> NearPoint:
    if not message.HasField("point"):
        raise InvalidField("near.point", "is missing; a circle needs its middle")
    try:
        point = point_of(message.point)
    except InvalidField as invalid:
        raise invalid.within("near.point") from None
    radius_km = message.radius_km
    if not 0 < radius_km <= RADIUS_KM_MAX:
        raise InvalidField(
            "near.radius_km", f"is {radius_km}; above 0 up to {RADIUS_KM_MAX} is allowed"
        )
    count_max = message.location_count_max
    return NearPoint(
        point,
        # A radius below a metre is still a circle.
        max(1, round(radius_km * _METRES_PER_KM)),
        whole(count_max, "near.location_count_max", 0, LOCATION_COUNT_MAX),
    )


def _degrees_e7(value: float, path: str, degrees_max: int) -> int:
    # NaN fails every comparison, so the test is for what is allowed.
    if math.isfinite(value) and -degrees_max <= value <= degrees_max:
        return round(value * DEGREE_E7)
    raise InvalidField(path, f"is {value}; -{degrees_max} to {degrees_max} is allowed")
