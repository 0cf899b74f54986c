"""Groups of locations: named sets for availability, sourcing and rules.

A group is a view: it holds no stock of its own. Members are kept by location index, sorted, so
that what iterates them always goes in the same order.
"""

from collections.abc import Iterator

import msgspec
from sortedcontainers import SortedDict

from domgrpc.core.locations import Locations
from domgrpc.core.rejections import Reason, Rejected, check_etag, check_no_etag
from domgrpc.core.values import (
    GroupId,
    Limits,
    LocationId,
    LocationIndex,
    Revision,
    Stamp,
    TimeMs,
)

# --- commands


class CreateLocationGroup(msgspec.Struct, frozen=True, array_like=True, kw_only=True, tag=True):
    """Add a group."""

    group_id: GroupId
    display_name: str = ""
    location_ids: tuple[LocationId, ...] = ()


class UpdateLocationGroup(msgspec.Struct, frozen=True, array_like=True, kw_only=True, tag=True):
    """Change a group, or create it where allowed; None leaves a field as it is."""

    group_id: GroupId
    display_name: str | None = None
    location_ids: tuple[LocationId, ...] | None = None
    etag: str = ""
    allow_missing: bool = False


class DeleteLocationGroup(msgspec.Struct, frozen=True, array_like=True, kw_only=True, tag=True):
    """Remove a group."""

    group_id: GroupId
    etag: str = ""


# --- events and state


class LocationGroup(msgspec.Struct, frozen=True, array_like=True, tag=5, tag_field="tag"):
    """A named set of locations; members sorted by id."""

    group_id: GroupId
    display_name: str
    location_ids: tuple[LocationId, ...]
    create_time_ms: TimeMs
    update_time_ms: TimeMs
    revision: Revision


class GroupSaved(msgspec.Struct, frozen=True, array_like=True, tag=2):
    """A group was created or changed; the whole new content."""

    group: LocationGroup


class GroupDeleted(msgspec.Struct, frozen=True, array_like=True, tag=3):
    """A group was removed."""

    group_id: GroupId


class LocationGroups:
    """All groups by id."""

    __slots__ = ("by_id", "content_version", "limits", "members", "version")

    def __init__(self, limits: Limits) -> None:
        """Start empty."""
        self.limits = limits
        self.by_id: SortedDict[GroupId, LocationGroup] = SortedDict()
        self.members: dict[GroupId, dict[LocationIndex, None]] = {}
        self.version = 0
        self.content_version = 0
        """Rises with every change of any group, new ones included."""

    def get(self, group_id: GroupId) -> LocationGroup:
        """Return a group or refuse with GROUP_NOT_FOUND."""
        group = self.by_id.get(group_id)
        if group is None:
            raise Rejected(
                Reason.GROUP_NOT_FOUND,
                f"location group {group_id!r} does not exist: create it first",
                group_id=group_id,
            )
        return group

    def check_invariants(self, locations: Locations) -> None:
        """Every group's members by index are its locations."""
        assert len(self.by_id) == len(self.members)
        for group_id, group in self.by_id.items():
            members = [locations.index_of[location_id] for location_id in group.location_ids]
            assert list(self.members[group_id]) == sorted(members)


# --- decide


def decide_create_group(
    state: LocationGroups, locations: Locations, command: CreateLocationGroup, at: Stamp
) -> GroupSaved | None:
    """Create, or return None where the same group exists; else GROUP_ID_TAKEN."""
    members = _members(locations, command.location_ids)
    existing = state.by_id.get(command.group_id)
    if existing is not None:
        if (existing.display_name, existing.location_ids) == (command.display_name, members):
            return None
        raise Rejected(
            Reason.GROUP_ID_TAKEN,
            f"location group {command.group_id!r} exists with other content: update it instead",
            group_id=command.group_id,
        )
    if len(state.by_id) >= state.limits.groups_max:
        raise Rejected(
            Reason.CAPACITY_EXCEEDED,
            f"there are {len(state.by_id)} location groups already, the most that is allowed",
            limit=state.limits.groups_max,
        )
    return GroupSaved(
        LocationGroup(
            group_id=command.group_id,
            display_name=command.display_name,
            location_ids=members,
            create_time_ms=at.time_ms,
            update_time_ms=at.time_ms,
            revision=at.revision,
        )
    )


def decide_update_group(
    state: LocationGroups, locations: Locations, command: UpdateLocationGroup, at: Stamp
) -> GroupSaved | None:
    """Change the given fields; None where nothing differs."""
    if command.allow_missing and command.group_id not in state.by_id:
        check_no_etag(command.etag, f"location group {command.group_id!r}")
        create = CreateLocationGroup(
            group_id=command.group_id,
            display_name=command.display_name or "",
            location_ids=command.location_ids or (),
        )
        return decide_create_group(state, locations, create, at)
    old = state.get(command.group_id)
    check_etag(command.etag, old.revision, f"location group {command.group_id!r}")
    members = old.location_ids
    if command.location_ids is not None:
        members = _members(locations, command.location_ids)
    changed = msgspec.structs.replace(
        old,
        display_name=_given_name(command.display_name, old.display_name),
        location_ids=members,
    )
    if changed == old:
        return None
    return GroupSaved(
        msgspec.structs.replace(changed, update_time_ms=at.time_ms, revision=at.revision)
    )


def decide_delete_group(state: LocationGroups, command: DeleteLocationGroup) -> GroupDeleted:
    """Remove a group; the caller checks that no rule names it."""
    old = state.get(command.group_id)
    check_etag(command.etag, old.revision, f"location group {command.group_id!r}")
    return GroupDeleted(command.group_id)


def _given_name(name: str | None, old: str) -> str:
    return old if name is None else name


def _members(locations: Locations, location_ids: tuple[LocationId, ...]) -> tuple[LocationId, ...]:
    for location_id in location_ids:
        locations.index(location_id)
    return tuple(sorted(dict.fromkeys(location_ids)))


# --- evolve


def evolve_group_saved(state: LocationGroups, locations: Locations, event: GroupSaved) -> None:
    """Store the new content and its members by index."""
    group = event.group
    members = sorted(locations.index_of[location_id] for location_id in group.location_ids)
    old = state.members.get(group.group_id)
    state.content_version += 1
    state.by_id[group.group_id] = group
    state.members[group.group_id] = dict.fromkeys(members)
    if old is not None and list(old) != members:
        # Nothing was computed yet from the members of a new group.
        state.version += 1


def evolve_group_deleted(state: LocationGroups, event: GroupDeleted) -> None:
    """Forget the group."""
    del state.by_id[event.group_id]
    del state.members[event.group_id]
    state.version += 1
    state.content_version += 1


# --- views


def groups_after(state: LocationGroups, after: str) -> Iterator[LocationGroup]:
    """Iterate the groups with an id above `after` in order of id."""
    for group_id in state.by_id.irange(GroupId(after), None, (False, True)):
        yield state.by_id[group_id]
