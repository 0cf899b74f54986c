"""LocationService: check the shape, make the command, hand it on, shape the answer."""

from domgrpc.core.answers import Deleted
from domgrpc.core.listings import Page, list_groups, list_locations
from domgrpc.core.location_groups import LocationGroup
from domgrpc.core.locations import Location
from domgrpc.core.state import State
from domgrpc.core.values import GroupId, LocationId, LocationType, Revision, TimeMs
from domgrpc.engine.admission import Priority
from domgrpc.rpc.calls import Call
from domgrpc.rpc.pages import Listing, NamePlace, bounded_page, page_size
from domgrpc.rpc.shapes import chosen, identifier, identifier_or_empty
from domgrpc.rpc.sizes import group_bytes
from domgrpc.rpc.translate_locations import (
    TYPES,
    create_group,
    create_location,
    delete_group,
    fill_group,
    fill_location,
    set_location_state,
    update_group,
    update_location,
)
from domgrpc.v1 import location_pb2

_LOCATIONS: Listing[NamePlace] = Listing("ListLocations", NamePlace, ("",))
_GROUPS: Listing[NamePlace] = Listing("ListLocationGroups", NamePlace, ("",))


class LocationService:
    """Places that hold stock or do work, and named groups of them."""

    async def CreateLocation(
        self, message: location_pb2.CreateLocationRequest, call: Call
    ) -> location_pb2.Location:
        """Add a location."""
        command = create_location(message)
        return _changed_location(*await call.change(command, message.request_id, Location))

    async def GetLocation(
        self, message: location_pb2.GetLocationRequest, call: Call
    ) -> location_pb2.Location:
        """Return one location."""
        location_id = LocationId(identifier(message.location_id, "location_id"))
        reading = await call.read(
            lambda state, _: state.network.locations.get(location_id), message.min_revision
        )
        answer = location_pb2.Location()
        fill_location(answer, reading.value, reading.revision, reading.time_ms)
        return answer

    async def ListLocations(
        self, message: location_pb2.ListLocationsRequest, call: Call
    ) -> location_pb2.ListLocationsResponse:
        """List locations in order of their id."""
        group_id = GroupId(identifier_or_empty(message.group_id, "group_id"))
        kind = chosen(message.type, "type", TYPES) if message.type else None
        filters = (message.type, group_id)
        (after,) = _LOCATIONS.place(message.page_token, filters)
        size = page_size(message.page_size)
        wanted: tuple[LocationType | None, GroupId | None] = (kind, group_id or None)
        reading = await call.read(
            lambda state, _: list_locations(state, after, size, wanted), message.min_revision
        )
        answer = location_pb2.ListLocationsResponse(
            next_page_token=_LOCATIONS.token(reading.value, filters), revision=reading.revision
        )
        for location in reading.value.entries:
            fill_location(answer.locations.add(), location, reading.revision, reading.time_ms)
        return answer

    async def UpdateLocation(
        self, message: location_pb2.UpdateLocationRequest, call: Call
    ) -> location_pb2.Location:
        """Change fields of a location."""
        command = update_location(message)
        return _changed_location(*await call.change(command, message.request_id, Location))

    async def SetLocationState(
        self, message: location_pb2.SetLocationStateRequest, call: Call
    ) -> location_pb2.Location:
        """Enable or disable a location."""
        command = set_location_state(message)
        return _changed_location(*await call.change(command, message.request_id, Location))

    async def CreateLocationGroup(
        self, message: location_pb2.CreateLocationGroupRequest, call: Call
    ) -> location_pb2.LocationGroup:
        """Add a group."""
        command = create_group(message)
        return _group(*await call.change(command, message.request_id, LocationGroup))

    async def GetLocationGroup(
        self, message: location_pb2.GetLocationGroupRequest, call: Call
    ) -> location_pb2.LocationGroup:
        """Return one group."""
        group_id = GroupId(identifier(message.group_id, "group_id"))
        reading = await call.read(
            lambda state, _: state.network.groups.get(group_id), message.min_revision
        )
        return _group(reading.value, reading.revision)

    async def ListLocationGroups(
        self, message: location_pb2.ListLocationGroupsRequest, call: Call
    ) -> location_pb2.ListLocationGroupsResponse:
        """List groups in order of their id."""
        (after,) = _GROUPS.place(message.page_token, ())
        size = page_size(message.page_size)

        def page(state: State, _now_ms: TimeMs) -> Page[LocationGroup]:
            return bounded_page(lambda most: list_groups(state, after, most), size, group_bytes)

        reading = await call.read(page, message.min_revision, Priority.LIST)
        answer = location_pb2.ListLocationGroupsResponse(
            next_page_token=_GROUPS.token(reading.value, ()), revision=reading.revision
        )
        for group in reading.value.entries:
            fill_group(answer.groups.add(), group, reading.revision)
        return answer

    async def UpdateLocationGroup(
        self, message: location_pb2.UpdateLocationGroupRequest, call: Call
    ) -> location_pb2.LocationGroup:
        """Change fields of a group."""
        command = update_group(message)
        return _group(*await call.change(command, message.request_id, LocationGroup))

    async def DeleteLocationGroup(
        self, message: location_pb2.DeleteLocationGroupRequest, call: Call
    ) -> location_pb2.DeleteLocationGroupResponse:
        """Remove a group."""
        command = delete_group(message)
        _, revision = await call.change(command, message.request_id, Deleted)
        return location_pb2.DeleteLocationGroupResponse(revision=revision)


def _changed_location(location: Location, revision: Revision) -> location_pb2.Location:
    # Its state as of its last change, not as of now: a retry must get the same bytes.
    answer = location_pb2.Location()
    fill_location(answer, location, revision, location.update_time_ms)
    return answer


def _group(group: LocationGroup, revision: Revision) -> location_pb2.LocationGroup:
    answer = location_pb2.LocationGroup()
    fill_group(answer, group, revision)
    return answer
