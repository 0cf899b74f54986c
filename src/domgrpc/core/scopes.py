"""Scopes: the set of locations that a question or a hold may use, resolved to indexes."""

import msgspec

from domgrpc.core.geography import Point
from domgrpc.core.network import Network
from domgrpc.core.values import GroupId, LocationId, LocationIndex


class NearPoint(msgspec.Struct, frozen=True, array_like=True, tag=1):
    """A circle; `location_count_max` 0 means every location inside."""

    point: Point
    radius_m: int
    location_count_max: int = 0


class LocationList(msgspec.Struct, frozen=True, array_like=True, tag=2):
    """Exactly these locations."""

    location_ids: tuple[LocationId, ...]


class GroupList(msgspec.Struct, frozen=True, array_like=True, tag=3):
    """The members of these groups."""

    group_ids: tuple[GroupId, ...]


Scope = NearPoint | LocationList | GroupList | None
"""None stands for all locations."""


class Area(msgspec.Struct, frozen=True):
    """A resolved scope: location index to metres from the point (0 without one).

    In the order of answers: nearest first for a point, else in order of creation. None stands
    for all locations.
    """

    distances_m: dict[LocationIndex, int] | None

    def __contains__(self, index: LocationIndex) -> bool:
        return self.distances_m is None or index in self.distances_m


EVERYWHERE = Area(None)


def resolve_scope(network: Network, scope: Scope) -> Area:
    """Resolve a scope or refuse with LOCATION_NOT_FOUND or GROUP_NOT_FOUND; O(its size)."""
    match scope:
        case None:
            return EVERYWHERE
        case LocationList(location_ids=location_ids):
            indexes = sorted(network.locations.index(name) for name in location_ids)
            return Area(dict.fromkeys(indexes, 0))
        case GroupList(group_ids=group_ids):
            members: dict[LocationIndex, int] = {}
            for group_id in group_ids:
                network.groups.get(group_id)
                members.update(dict.fromkeys(network.groups.members[group_id], 0))
            return Area(dict.fromkeys(sorted(members), 0))
        case NearPoint(point=point, radius_m=radius_m, location_count_max=count_max):
            hits = network.locations.places.near(point, radius_m)
            if count_max:
                hits = hits[:count_max]
            return Area({index: metres for metres, index in hits})
