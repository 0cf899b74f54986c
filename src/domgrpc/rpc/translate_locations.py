"""Locations and location groups between messages and the core."""

from collections.abc import Mapping

from google.protobuf.field_mask_pb2 import FieldMask

from domgrpc.core.location_groups import (
    CreateLocationGroup,
    DeleteLocationGroup,
    LocationGroup,
    UpdateLocationGroup,
)
from domgrpc.core.locations import (
    CreateLocation,
    DisabledWindow,
    Location,
    LocationFields,
    SetLocationState,
    UpdateLocation,
)
from domgrpc.core.values import (
    FOREVER_MS,
    DeliveryMethod,
    GroupId,
    LocationId,
    LocationType,
    Revision,
    TimeMs,
)
from domgrpc.rpc.field_masks import check_mask_covers, masked_names
from domgrpc.rpc.refusals import InvalidField
from domgrpc.rpc.shapes import (
    ETAG_BYTES_MAX,
    chosen,
    identifier,
    set_timestamp,
    text,
    timestamp_ms,
)
from domgrpc.rpc.translate_scope import METHODS, fill_point, location_ids, point_of
from domgrpc.v1 import location_pb2

NAME_BYTES_MAX = 200
WINDOW_REASON_BYTES_MAX = 200

TYPES: Mapping[int, LocationType] = {
    kind.value: kind for kind in LocationType if kind is not LocationType.UNSPECIFIED
}
_ABLE_METHODS = {number: method for number, method in METHODS.items() if number}
_LOCATION_FIELDS: Mapping[str, tuple[str, ...]] = {
    name: (name,)
    for name in ("display_name", "type", "point", "delivery_methods", "backorder_enabled")
}
_GROUP_FIELDS: Mapping[str, tuple[str, ...]] = {
    name: (name,) for name in ("display_name", "location_ids")
}
_ENABLED = location_pb2.LocationState.LOCATION_STATE_ENABLED
_DISABLED = location_pb2.LocationState.LOCATION_STATE_DISABLED


# --- locations


def create_location(message: location_pb2.CreateLocationRequest) -> CreateLocation:
    """Read CreateLocation."""
    location = _location(message)
    try:
        fields = _location_fields(location, frozenset(_LOCATION_FIELDS))
        return CreateLocation(
            location_id=LocationId(identifier(location.location_id, "location_id")),
            fields=fields,
        )
    except InvalidField as invalid:
        raise invalid.within("location") from None


def update_location(message: location_pb2.UpdateLocationRequest) -> UpdateLocation:
    """Read UpdateLocation; whether it needs a type depends on whether it creates the location."""
    location = _location(message)
    names = frozenset(masked_names(message.update_mask, _LOCATION_FIELDS))
    if message.allow_missing:
        _check_covered(message.update_mask, location, _LOCATION_FIELDS)
    etag = text(message.etag, "etag", ETAG_BYTES_MAX)
    try:
        return UpdateLocation(
            location_id=LocationId(identifier(location.location_id, "location_id")),
            fields=_location_fields(location, names),
            etag=etag,
            allow_missing=message.allow_missing,
        )
    except InvalidField as invalid:
        raise invalid.within("location") from None


def set_location_state(message: location_pb2.SetLocationStateRequest) -> SetLocationState:
    """Read SetLocationState."""
    location_id = LocationId(identifier(message.location_id, "location_id"))
    etag = text(message.etag, "etag", ETAG_BYTES_MAX)
    if message.state == _ENABLED:
        if message.HasField("disabled_window"):
            raise InvalidField("disabled_window", "is given; only DISABLED has a window")
        return SetLocationState(location_id=location_id, enabled=True, etag=etag)
    if message.state != _DISABLED:
        raise InvalidField("state", f"is {message.state}; ENABLED or DISABLED is needed")
    window = message.disabled_window
    start_ms = end_ms = None
    if window.HasField("start_time"):
        start_ms = timestamp_ms(window.start_time, "disabled_window.start_time")
    if window.HasField("end_time"):
        end_ms = timestamp_ms(window.end_time, "disabled_window.end_time")
    if start_ms is not None and end_ms is not None and end_ms <= start_ms:
        raise InvalidField("disabled_window.end_time", "is not after start_time")
    return SetLocationState(
        location_id=location_id,
        enabled=False,
        reason=text(window.reason, "disabled_window.reason", WINDOW_REASON_BYTES_MAX),
        start_time_ms=start_ms,
        end_time_ms=FOREVER_MS if end_ms is None else end_ms,
        etag=etag,
    )


def fill_location(
    message: location_pb2.Location, location: Location, revision: Revision, now_ms: TimeMs
) -> None:
    """Write a location in place; `now_ms` decides whether it is enabled."""
    message.location_id = location.location_id
    message.display_name = location.display_name
    message.type = location.type  # type: ignore[assignment]  # the same numbers, by a test
    if location.point is not None:
        fill_point(message.point, location.point)
    message.delivery_methods.extend(location.delivery_methods)  # type: ignore[arg-type]  # same
    message.backorder_enabled = location.backorder_enabled
    window = location.disabled_window
    message.state = _ENABLED
    if window is not None:
        if window.start_time_ms <= now_ms < window.end_time_ms:
            message.state = _DISABLED
        if now_ms < window.end_time_ms:
            _fill_window(message.disabled_window, window)
    set_timestamp(message.create_time, location.create_time_ms)
    set_timestamp(message.update_time, location.update_time_ms)
    message.etag = str(location.revision)
    message.revision = revision


def _location(
    message: location_pb2.CreateLocationRequest | location_pb2.UpdateLocationRequest,
) -> location_pb2.Location:
    if not message.HasField("location"):
        raise InvalidField("location", "is missing")
    return message.location


def _location_fields(message: location_pb2.Location, names: frozenset[str]) -> LocationFields:
    has_point = message.HasField("point")
    point = None
    if "point" in names and has_point:
        try:
            point = point_of(message.point)
        except InvalidField as invalid:
            raise invalid.within("point") from None
    return LocationFields(
        display_name=(
            text(message.display_name, "display_name", NAME_BYTES_MAX)
            if "display_name" in names
            else None
        ),
        type=chosen(message.type, "type", TYPES) if "type" in names else None,
        point=point,
        clear_point="point" in names and not has_point,
        delivery_methods=_methods(message) if "delivery_methods" in names else None,
        backorder_enabled=message.backorder_enabled if "backorder_enabled" in names else None,
    )


def _methods(message: location_pb2.Location) -> tuple[DeliveryMethod, ...]:
    found = [
        chosen(number, f"delivery_methods[{place}]", _ABLE_METHODS)
        for place, number in enumerate(message.delivery_methods)
    ]
    return tuple(dict.fromkeys(found))


def _fill_window(message: location_pb2.DisabledWindow, window: DisabledWindow) -> None:
    message.reason = window.reason
    set_timestamp(message.start_time, window.start_time_ms)
    if window.end_time_ms < FOREVER_MS:
        set_timestamp(message.end_time, window.end_time_ms)


# --- groups


def create_group(message: location_pb2.CreateLocationGroupRequest) -> CreateLocationGroup:
    """Read CreateLocationGroup."""
    group = _group(message)
    try:
        return CreateLocationGroup(
            group_id=GroupId(identifier(group.group_id, "group_id")),
            display_name=text(group.display_name, "display_name", NAME_BYTES_MAX),
            location_ids=location_ids(group.location_ids, "location_ids", 0),
        )
    except InvalidField as invalid:
        raise invalid.within("group") from None


def update_group(message: location_pb2.UpdateLocationGroupRequest) -> UpdateLocationGroup:
    """Read UpdateLocationGroup."""
    group = _group(message)
    names = masked_names(message.update_mask, _GROUP_FIELDS)
    if message.allow_missing:
        _check_covered(message.update_mask, group, _GROUP_FIELDS)
    etag = text(message.etag, "etag", ETAG_BYTES_MAX)
    try:
        return UpdateLocationGroup(
            group_id=GroupId(identifier(group.group_id, "group_id")),
            display_name=(
                text(group.display_name, "display_name", NAME_BYTES_MAX)
                if "display_name" in names
                else None
            ),
            location_ids=(
                location_ids(group.location_ids, "location_ids", 0)
                if "location_ids" in names
                else None
            ),
            etag=etag,
            allow_missing=message.allow_missing,
        )
    except InvalidField as invalid:
        raise invalid.within("group") from None


def delete_group(message: location_pb2.DeleteLocationGroupRequest) -> DeleteLocationGroup:
    """Read DeleteLocationGroup."""
    return DeleteLocationGroup(
        group_id=GroupId(identifier(message.group_id, "group_id")),
        etag=text(message.etag, "etag", ETAG_BYTES_MAX),
    )


def fill_group(
    message: location_pb2.LocationGroup, group: LocationGroup, revision: Revision
) -> None:
    """Write a group in place."""
    message.group_id = group.group_id
    message.display_name = group.display_name
    message.location_ids.extend(group.location_ids)
    set_timestamp(message.create_time, group.create_time_ms)
    set_timestamp(message.update_time, group.update_time_ms)
    message.etag = str(group.revision)
    message.revision = revision


def _group(
    message: location_pb2.CreateLocationGroupRequest | location_pb2.UpdateLocationGroupRequest,
) -> location_pb2.LocationGroup:
    if not message.HasField("group"):
        raise InvalidField("group", "is missing")
    return message.group


def _check_covered(
    mask: FieldMask,
    message: location_pb2.Location | location_pb2.LocationGroup,
    fields: Mapping[str, tuple[str, ...]],
) -> None:
    given = (field.name for field, _ in message.ListFields())
    check_mask_covers(mask, (name for name in given if name in fields))
