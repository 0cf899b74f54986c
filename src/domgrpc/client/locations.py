"""The calls of LocationService, as methods of a client."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from google.protobuf.field_mask_pb2 import FieldMask

from domgrpc.client.calls import Caller
from domgrpc.client.values import set_time
from domgrpc.v1.location_pb2 import (
    CreateLocationGroupRequest,
    CreateLocationRequest,
    DeleteLocationGroupRequest,
    DeleteLocationGroupResponse,
    GetLocationGroupRequest,
    GetLocationRequest,
    ListLocationGroupsRequest,
    ListLocationGroupsResponse,
    ListLocationsRequest,
    ListLocationsResponse,
    Location,
    LocationGroup,
    LocationState,
    LocationType,
    SetLocationStateRequest,
    UpdateLocationGroupRequest,
    UpdateLocationRequest,
)

_ANY_TYPE: Final = LocationType.LOCATION_TYPE_UNSPECIFIED


async def create_location(
    client: Caller,
    location: Location,
    *,
    request_id: str = "",
    timeout_seconds: float | None = None,
) -> Location:
    """Add a location; raises DomgrpcError with LOCATION_ID_TAKEN where the id is another's."""
    calls = client.calls
    request = CreateLocationRequest(
        request_id=request_id or calls.new_request_id(), location=location
    )
    return await calls.write(calls.stubs.locations.CreateLocation, request, timeout_seconds)


async def get_location(
    client: Caller,
    location_id: str,
    *,
    min_revision: int = 0,
    timeout_seconds: float | None = None,
) -> Location:
    """Return one location."""
    calls = client.calls
    request = GetLocationRequest(location_id=location_id, min_revision=min_revision)
    return await calls.read(calls.stubs.locations.GetLocation, request, timeout_seconds)


async def list_locations(
    client: Caller,
    *,
    location_type: LocationType = _ANY_TYPE,
    group_id: str = "",
    page_size: int = 0,
    page_token: str = "",
    min_revision: int = 0,
    timeout_seconds: float | None = None,
) -> ListLocationsResponse:
    """Return a page of locations in order of their id; see `paging.pages` for all of them."""
    calls = client.calls
    request = ListLocationsRequest(
        page_size=page_size,
        page_token=page_token,
        type=location_type,
        group_id=group_id,
        min_revision=min_revision,
    )
    return await calls.read(calls.stubs.locations.ListLocations, request, timeout_seconds)


async def update_location(
    client: Caller,
    location: Location,
    *,
    update_mask: Sequence[str] = (),
    etag: str = "",
    allow_missing: bool = False,
    request_id: str = "",
    timeout_seconds: float | None = None,
) -> Location:
    """Change the masked fields of a location; an empty mask changes all."""
    calls = client.calls
    request = UpdateLocationRequest(
        request_id=request_id or calls.new_request_id(),
        location=location,
        update_mask=FieldMask(paths=update_mask) if update_mask else None,
        etag=etag,
        allow_missing=allow_missing,
    )
    return await calls.write(calls.stubs.locations.UpdateLocation, request, timeout_seconds)


async def enable_location(
    client: Caller,
    location_id: str,
    *,
    etag: str = "",
    request_id: str = "",
    timeout_seconds: float | None = None,
) -> Location:
    """Let a location be used from now on; any window of disuse is forgotten."""
    calls = client.calls
    request = SetLocationStateRequest(
        request_id=request_id or calls.new_request_id(),
        location_id=location_id,
        state=LocationState.LOCATION_STATE_ENABLED,
        etag=etag,
    )
    return await calls.write(calls.stubs.locations.SetLocationState, request, timeout_seconds)


async def disable_location(
    client: Caller,
    location_id: str,
    *,
    reason: str = "",
    start_time: datetime | None = None,
    end_time: datetime | None = None,
    etag: str = "",
    request_id: str = "",
    timeout_seconds: float | None = None,
) -> Location:
    """Take a location out of use from `start_time` (default: now) until `end_time`, or for good.

    Its stock stays; it contributes nothing to availability and takes no new hold.
    """
    calls = client.calls
    request = SetLocationStateRequest(
        request_id=request_id or calls.new_request_id(),
        location_id=location_id,
        state=LocationState.LOCATION_STATE_DISABLED,
        etag=etag,
    )
    request.disabled_window.reason = reason
    set_time(request.disabled_window.start_time, start_time)
    set_time(request.disabled_window.end_time, end_time)
    return await calls.write(calls.stubs.locations.SetLocationState, request, timeout_seconds)


async def create_location_group(
    client: Caller,
    group: LocationGroup,
    *,
    request_id: str = "",
    timeout_seconds: float | None = None,
) -> LocationGroup:
    """Add a group of existing locations."""
    calls = client.calls
    request = CreateLocationGroupRequest(
        request_id=request_id or calls.new_request_id(), group=group
    )
    return await calls.write(calls.stubs.locations.CreateLocationGroup, request, timeout_seconds)


async def get_location_group(
    client: Caller,
    group_id: str,
    *,
    min_revision: int = 0,
    timeout_seconds: float | None = None,
) -> LocationGroup:
    """Return one group."""
    calls = client.calls
    request = GetLocationGroupRequest(group_id=group_id, min_revision=min_revision)
    return await calls.read(calls.stubs.locations.GetLocationGroup, request, timeout_seconds)


async def list_location_groups(
    client: Caller,
    *,
    page_size: int = 0,
    page_token: str = "",
    min_revision: int = 0,
    timeout_seconds: float | None = None,
) -> ListLocationGroupsResponse:
    """Return a page of groups in order of their id; see `paging.pages` for all of them."""
    calls = client.calls
    request = ListLocationGroupsRequest(
        page_size=page_size, page_token=page_token, min_revision=min_revision
    )
    return await calls.read(calls.stubs.locations.ListLocationGroups, request, timeout_seconds)


async def update_location_group(
    client: Caller,
    group: LocationGroup,
    *,
    update_mask: Sequence[str] = (),
    etag: str = "",
    allow_missing: bool = False,
    request_id: str = "",
    timeout_seconds: float | None = None,
) -> LocationGroup:
    """Change the masked fields of a group; an empty mask changes all."""
    calls = client.calls
    request = UpdateLocationGroupRequest(
        request_id=request_id or calls.new_request_id(),
        group=group,
        update_mask=FieldMask(paths=update_mask) if update_mask else None,
        etag=etag,
        allow_missing=allow_missing,
    )
    return await calls.write(calls.stubs.locations.UpdateLocationGroup, request, timeout_seconds)


async def delete_location_group(
    client: Caller,
    group_id: str,
    *,
    etag: str = "",
    request_id: str = "",
    timeout_seconds: float | None = None,
) -> DeleteLocationGroupResponse:
    """Remove a group; locations and stock stay."""
    calls = client.calls
    request = DeleteLocationGroupRequest(
        request_id=request_id or calls.new_request_id(), group_id=group_id, etag=etag
    )
    return await calls.write(calls.stubs.locations.DeleteLocationGroup, request, timeout_seconds)
