"""What is wrong with a location or a group is named by its field."""

from collections.abc import Callable
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from domgrpc.rpc.translate_locations import (
    create_group,
    create_location,
    delete_group,
    set_location_state,
    update_group,
    update_location,
)
from domgrpc.v1 import location_pb2 as lo
from domgrpc.v1 import types_pb2 as ty
from tests.rpc.bad_shapes import (
    LONG,
    NOT_NFC,
    UNKNOWN,
    Case,
    Field,
    each_case,
    expect_bad,
    filled,
    masked,
)


def location(**fields: Field) -> lo.CreateLocationRequest:
    fields = filled(fields, location_id="a", type=lo.LOCATION_TYPE_STORE)
    return lo.CreateLocationRequest(location=lo.Location(**fields))


def disabled(**window: Field) -> lo.SetLocationStateRequest:
    return lo.SetLocationStateRequest(
        location_id="a",
        state=lo.LOCATION_STATE_DISABLED,
        disabled_window=lo.DisabledWindow(**window),
    )


LOCATIONS: list[Case] = [
    (create_location, lo.CreateLocationRequest(), "location"),
    (create_location, location(location_id=""), "location.location_id"),
    (create_location, location(location_id=LONG), "location.location_id"),
    (create_location, location(location_id="a\n"), "location.location_id"),
    (create_location, location(location_id="a\x7f"), "location.location_id"),
    (create_location, location(location_id=NOT_NFC), "location.location_id"),
    (create_location, location(location_id="\u202eb"), "location.location_id"),
    (create_location, location(location_id="a\u200bb"), "location.location_id"),
    (create_location, location(location_id="\u00e9" * 65), "location.location_id"),
    (create_location, location(display_name="x" * 201), "location.display_name"),
    (create_location, location(display_name="a\x00"), "location.display_name"),
    (create_location, location(display_name=NOT_NFC), "location.display_name"),
    (create_location, location(type=0), "location.type"),
    (create_location, location(type=UNKNOWN), "location.type"),
    (create_location, location(delivery_methods=[0]), "location.delivery_methods[0]"),
    (create_location, location(delivery_methods=[1, UNKNOWN]), "location.delivery_methods[1]"),
    (
        create_location,
        location(point=ty.Point(latitude_degrees=90.1)),
        "location.point.latitude_degrees",
    ),
    (
        create_location,
        location(point=ty.Point(longitude_degrees=float("nan"))),
        "location.point.longitude_degrees",
    ),
    (update_location, lo.UpdateLocationRequest(), "location"),
    (
        update_location,
        lo.UpdateLocationRequest(
            location=lo.Location(location_id="a"), update_mask=masked("colour")
        ),
        "update_mask.paths[0]",
    ),
    (
        update_location,
        lo.UpdateLocationRequest(
            location=lo.Location(location_id="a"),
            update_mask=masked("display_name", "create_time"),
        ),
        "update_mask.paths[1]",
    ),
    (
        update_location,
        lo.UpdateLocationRequest(
            location=lo.Location(location_id="a"), update_mask=masked("location_id")
        ),
        "update_mask.paths[0]",
    ),
    (
        update_location,
        lo.UpdateLocationRequest(
            location=lo.Location(location_id="a"), update_mask=masked(*["type"] * 101)
        ),
        "update_mask",
    ),
    (update_location, lo.UpdateLocationRequest(location=lo.Location()), "location.location_id"),
    (
        update_location,
        lo.UpdateLocationRequest(location=lo.Location(location_id="a"), update_mask=masked("type")),
        "location.type",
    ),
    (
        update_location,
        lo.UpdateLocationRequest(
            location=lo.Location(location_id="a", type=lo.LOCATION_TYPE_STORE), etag="x" * 65
        ),
        "etag",
    ),
    (
        update_location,
        lo.UpdateLocationRequest(
            location=lo.Location(location_id="a", display_name="A"), allow_missing=True
        ),
        "location.type",
    ),
    (
        update_location,
        lo.UpdateLocationRequest(
            location=lo.Location(location_id="a", type=lo.LOCATION_TYPE_STORE, display_name="A"),
            update_mask=masked("type"),
            allow_missing=True,
        ),
        "update_mask",
    ),
    (set_location_state, lo.SetLocationStateRequest(), "location_id"),
    (set_location_state, lo.SetLocationStateRequest(location_id="a"), "state"),
    (set_location_state, lo.SetLocationStateRequest(location_id="a", state=UNKNOWN), "state"),
    (
        set_location_state,
        lo.SetLocationStateRequest(
            location_id="a",
            state=lo.LOCATION_STATE_ENABLED,
            disabled_window=lo.DisabledWindow(),
        ),
        "disabled_window",
    ),
    (set_location_state, disabled(reason="x" * 201), "disabled_window.reason"),
    (
        set_location_state,
        disabled(start_time=Timestamp(seconds=5), end_time=Timestamp(seconds=5)),
        "disabled_window.end_time",
    ),
    (
        set_location_state,
        disabled(start_time=Timestamp(seconds=-1)),
        "disabled_window.start_time",
    ),
    (
        set_location_state,
        disabled(end_time=Timestamp(seconds=1, nanos=-1)),
        "disabled_window.end_time",
    ),
]
GROUPS: list[Case] = [
    (create_group, lo.CreateLocationGroupRequest(), "group"),
    (
        create_group,
        lo.CreateLocationGroupRequest(group=lo.LocationGroup()),
        "group.group_id",
    ),
    (
        create_group,
        lo.CreateLocationGroupRequest(group=lo.LocationGroup(group_id="g", location_ids=["a", ""])),
        "group.location_ids[1]",
    ),
    (
        create_group,
        lo.CreateLocationGroupRequest(
            group=lo.LocationGroup(group_id="g", location_ids=["a"] * 10_001)
        ),
        "group.location_ids",
    ),
    (
        update_group,
        lo.UpdateLocationGroupRequest(group=lo.LocationGroup(group_id="g", display_name="x" * 201)),
        "group.display_name",
    ),
    (
        update_group,
        lo.UpdateLocationGroupRequest(
            group=lo.LocationGroup(group_id="g"), update_mask=masked("etag")
        ),
        "update_mask.paths[0]",
    ),
    (
        update_group,
        lo.UpdateLocationGroupRequest(
            group=lo.LocationGroup(group_id="g", location_ids=["a"]),
            update_mask=masked("display_name"),
            allow_missing=True,
        ),
        "update_mask",
    ),
    (delete_group, lo.DeleteLocationGroupRequest(), "group_id"),
]
CASES = [*LOCATIONS, *GROUPS]


@each_case(CASES)
def test_a_bad_shape_is_refused_by_the_path_of_its_field(
    read: Callable[[Any], object], message: object, path: str
) -> None:
    expect_bad(read, message, path)
