"""Words for scopes in tests of the core."""

from domgrpc.core.scopes import GroupList, LocationList, NearPoint, Scope
from domgrpc.core.values import (
    GroupId,
    LocationId,
)
from tests.core.commands import point


def at_locations(*location_ids: str) -> Scope:
    """Look at exactly these locations."""
    return LocationList(tuple(LocationId(location_id) for location_id in location_ids))


def in_groups(*group_ids: str) -> Scope:
    """Look at the members of these groups."""
    return GroupList(tuple(GroupId(group_id) for group_id in group_ids))


def near(latitude: float, longitude: float, radius_km: float, location_count_max: int = 0) -> Scope:
    """Look around a point."""
    return NearPoint(point(latitude, longitude), round(radius_km * 1000), location_count_max)
