"""Locations: where stock can be, and whether it may be used.

A location gets a dense index when it is created; positions refer to it by that index.
`Locations.version` rises with every change that a figure depends on, so that cached views know
when to be built again; `next_boundary_ms` says when a window opens or closes by itself.
"""

from collections.abc import Iterator
from typing import TypeVar

import msgspec
from sortedcontainers import SortedDict

from domgrpc.core.geography import PlaceIndex, Point
from domgrpc.core.moments import instant_text
from domgrpc.core.rejections import Reason, Rejected, check_etag, check_no_etag
from domgrpc.core.values import (
    FOREVER_MS,
    DeliveryMethod,
    Limits,
    LocationId,
    LocationIndex,
    LocationType,
    Revision,
    Stamp,
    TimeMs,
)

_Field = TypeVar("_Field")
_M = DeliveryMethod
USUAL_DELIVERY_METHODS: dict[LocationType, tuple[DeliveryMethod, ...]] = {
    LocationType.DISTRIBUTION_CENTER: (_M.SHIP_TO_HOME, _M.SHIP_TO_STORE),
    LocationType.STORE: (
        _M.SHIP_TO_HOME,
        _M.PICKUP,
        _M.CURBSIDE,
        _M.SHIP_TO_STORE,
        _M.LOCAL_DELIVERY,
    ),
    LocationType.SUPPLIER: (_M.DROP_SHIP,),
    LocationType.HUB: (_M.SHIP_TO_STORE,),
    LocationType.RETURN_CENTER: (),
    LocationType.VIRTUAL: (_M.SHIP_TO_HOME,),
}
"""What a location can do when its creator does not say."""


# --- state


class DisabledWindow(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A period, end exclusive, in which a location is not used."""

    reason: str
    start_time_ms: TimeMs
    end_time_ms: TimeMs


class Location(msgspec.Struct, frozen=True, array_like=True, tag=4, tag_field="tag"):
    """A place that holds stock or does work."""

    location_id: LocationId
    display_name: str
    type: LocationType
    point: Point | None
    delivery_methods: tuple[DeliveryMethod, ...]
    backorder_enabled: bool
    disabled_window: DisabledWindow | None
    create_time_ms: TimeMs
    update_time_ms: TimeMs
    revision: Revision


# --- commands


class LocationFields(msgspec.Struct, frozen=True, kw_only=True):
    """The fields that a caller may set; None in an update leaves a field as it is."""

    display_name: str | None = None
    type: LocationType | None = None
    point: Point | None = None
    clear_point: bool = False
    delivery_methods: tuple[DeliveryMethod, ...] | None = None
    backorder_enabled: bool | None = None


class CreateLocation(msgspec.Struct, frozen=True, array_like=True, kw_only=True, tag=True):
    """Add a location."""

    location_id: LocationId
    fields: LocationFields


class UpdateLocation(msgspec.Struct, frozen=True, array_like=True, kw_only=True, tag=True):
    """Change fields of a location, or create it where allowed."""

    location_id: LocationId
    fields: LocationFields
    etag: str = ""
    allow_missing: bool = False


class SetLocationState(msgspec.Struct, frozen=True, array_like=True, kw_only=True, tag=True):
    """Enable a location (no window) or disable it for one; start None means now."""

    location_id: LocationId
    enabled: bool
    reason: str = ""
    start_time_ms: TimeMs | None = None
    end_time_ms: TimeMs = FOREVER_MS
    etag: str = ""


# --- events


class LocationSaved(msgspec.Struct, frozen=True, array_like=True, tag=1):
    """A location was created or changed; the whole new content."""

    location: Location


class Locations:
    """All locations. Lookups are O(1), lists by id O(log n) to enter."""

    __slots__ = (
        "by_index",
        "content_version",
        "index_of",
        "limits",
        "method_masks",
        "places",
        "rule_version",
        "sorted_ids",
        "version",
        "windows",
    )

    def __init__(self, limits: Limits) -> None:
        """Start empty."""
        self.limits = limits
        self.by_index: list[Location] = []
        self.index_of: dict[LocationId, LocationIndex] = {}
        self.sorted_ids: SortedDict[LocationId, LocationIndex] = SortedDict()
        # Parallel to by_index, because availability asks them for every position it counts.
        self.method_masks: list[int] = []
        self.windows: list[tuple[int, int]] = []
        self.places = PlaceIndex()
        self.version = 0
        self.rule_version = 0
        """Rises with what rules look at."""
        self.content_version = 0
        """Rises with every change of a location that exists."""

    def get(self, location_id: LocationId) -> Location:
        """Return a location or refuse with LOCATION_NOT_FOUND."""
        return self.by_index[self.index(location_id)]

    def index(self, location_id: LocationId) -> LocationIndex:
        """Return a location's index or refuse with LOCATION_NOT_FOUND."""
        index = self.index_of.get(location_id)
        if index is None:
            raise Rejected(
                Reason.LOCATION_NOT_FOUND,
                f"location {location_id!r} does not exist: create it first",
                location_id=location_id,
            )
        return index

    def is_enabled(self, index: LocationIndex, now_ms: TimeMs) -> bool:
        """Whether a location is outside its disabled window."""
        start_ms, end_ms = self.windows[index]
        return not start_ms <= now_ms < end_ms

    def can_deliver(self, index: LocationIndex, method: DeliveryMethod) -> bool:
        """Whether a location can do the method; UNSPECIFIED asks for any capability."""
        mask = self.method_masks[index]
        return bool(mask >> method & 1) if method else mask != 0

    def next_boundary_ms(self, now_ms: TimeMs) -> int:
        """When the next disabled window opens or closes, FOREVER_MS for never; O(locations)."""
        edges = (edge for window in self.windows for edge in window if edge > now_ms)
        return min(edges, default=FOREVER_MS)

    def check_invariants(self) -> None:
        """Every index, mask and window agrees with the locations."""
        assert len(self.by_index) == len(self.index_of) == len(self.sorted_ids)
        assert len(self.by_index) == len(self.method_masks) == len(self.windows)
        for index, location in enumerate(self.by_index):
            assert self.index_of[location.location_id] == index
            assert self.sorted_ids[location.location_id] == index
            assert self.method_masks[index] == _method_mask(location)
        self.places.check_invariants()


# --- decide


def decide_create_location(
    state: Locations, command: CreateLocation, at: Stamp
) -> LocationSaved | None:
    """Create, or return None where the same location exists.

    Refuses with LOCATION_ID_TAKEN, CAPACITY_EXCEEDED, and without a type LOCATION_TYPE_MISSING.
    """
    if not command.fields.type:
        raise _untyped(command.location_id, "does not exist yet and cannot be created")
    index = state.index_of.get(command.location_id)
    if index is not None:
        existing = state.by_index[index]
        wanted = _new_location(command.location_id, command.fields, at)
        if _content(existing) == _content(wanted):
            return None
        raise Rejected(
            Reason.LOCATION_ID_TAKEN,
            f"location {command.location_id!r} exists with other content: update it instead",
            location_id=command.location_id,
        )
    if len(state.by_index) >= state.limits.locations_max:
        raise Rejected(
            Reason.CAPACITY_EXCEEDED,
            f"there are {len(state.by_index)} locations already, the most that is allowed",
            limit=state.limits.locations_max,
        )
    return LocationSaved(_new_location(command.location_id, command.fields, at))


def decide_update_location(
    state: Locations, command: UpdateLocation, at: Stamp
) -> LocationSaved | None:
    """Change the given fields; None where nothing differs.

    A location that it creates needs a type, one that exists keeps its own.
    """
    if command.allow_missing and command.location_id not in state.index_of:
        check_no_etag(command.etag, f"location {command.location_id!r}")
        create = CreateLocation(location_id=command.location_id, fields=command.fields)
        return decide_create_location(state, create, at)
    old = state.get(command.location_id)
    check_etag(command.etag, old.revision, f"location {command.location_id!r}")
    fields = command.fields
    if fields.type is LocationType.UNSPECIFIED:
        raise _untyped(command.location_id, "cannot be left")
    point = None if fields.clear_point else fields.point or old.point
    changed = msgspec.structs.replace(
        old,
        display_name=_given(fields.display_name, old.display_name),
        type=_given(fields.type, old.type),
        point=point,
        delivery_methods=_given(fields.delivery_methods, old.delivery_methods),
        backorder_enabled=_given(fields.backorder_enabled, old.backorder_enabled),
    )
    return None if changed == old else LocationSaved(_stamped(changed, at))


def decide_set_location_state(
    state: Locations, command: SetLocationState, at: Stamp
) -> LocationSaved | None:
    """Set or remove the disabled window; None where it is as asked.

    Refuses with WINDOW_OVER what would be disabled from now on until before now.
    """
    old = state.get(command.location_id)
    check_etag(command.etag, old.revision, f"location {command.location_id!r}")
    window = None
    if not command.enabled:
        start_ms = command.start_time_ms
        if start_ms is None:
            start_ms = at.time_ms
            _check_coming(command, at)
        window = DisabledWindow(command.reason, start_ms, command.end_time_ms)
    if window == old.disabled_window:
        return None
    return LocationSaved(_stamped(msgspec.structs.replace(old, disabled_window=window), at))


def _check_coming(command: SetLocationState, at: Stamp) -> None:
    if command.end_time_ms <= at.time_ms:
        raise Rejected(
            Reason.WINDOW_OVER,
            f"location {command.location_id!r} would be disabled from now, "
            f"{instant_text(at.time_ms)}, until {instant_text(command.end_time_ms)}, which is "
            "over: give a later end_time, or none",
            end_time_ms=command.end_time_ms,
            server_time_ms=at.time_ms,
        )


def _new_location(location_id: LocationId, fields: LocationFields, at: Stamp) -> Location:
    kind = fields.type
    assert kind, location_id
    return Location(
        location_id=location_id,
        display_name=fields.display_name or "",
        type=kind,
        point=fields.point,
        delivery_methods=fields.delivery_methods or USUAL_DELIVERY_METHODS[kind],
        backorder_enabled=bool(fields.backorder_enabled),
        disabled_window=None,
        create_time_ms=at.time_ms,
        update_time_ms=at.time_ms,
        revision=at.revision,
    )


def _untyped(location_id: LocationId, what: str) -> Rejected:
    return Rejected(
        Reason.LOCATION_TYPE_MISSING,
        f"location {location_id!r} {what} without a type: give its type",
        location_id=location_id,
    )


def _content(location: Location) -> Location:
    # What two creations of the same location agree on.
    return msgspec.structs.replace(
        location,
        disabled_window=None,
        create_time_ms=TimeMs(0),
        update_time_ms=TimeMs(0),
        revision=Revision(0),
    )


def _stamped(location: Location, at: Stamp) -> Location:
    return msgspec.structs.replace(location, update_time_ms=at.time_ms, revision=at.revision)


def _given(value: _Field | None, old: _Field) -> _Field:
    return old if value is None else value


# --- evolve


def evolve_location_saved(state: Locations, event: LocationSaved) -> None:
    """Store the new content; a new location gets the next index."""
    location = event.location
    window = location.disabled_window
    edges = (window.start_time_ms, window.end_time_ms) if window else (0, 0)
    index = state.index_of.get(location.location_id)
    if index is None:
        index = LocationIndex(len(state.by_index))
        state.index_of[location.location_id] = index
        state.sorted_ids[location.location_id] = index
        state.by_index.append(location)
        state.method_masks.append(_method_mask(location))
        state.windows.append(edges)
        state.places.place(index, location.point)
        # Nothing was computed yet from a new place, but its window is an edge in time.
        state.version += window is not None
        return
    old = state.by_index[index]
    state.content_version += 1
    mask = _method_mask(location)
    before = (state.windows[index], state.method_masks[index], old.type, old.backorder_enabled)
    state.version += before != (edges, mask, location.type, location.backorder_enabled)
    state.rule_version += location.type is not old.type
    state.by_index[index] = location
    state.method_masks[index] = mask
    state.windows[index] = edges
    if location.point != old.point:
        state.places.place(index, location.point)


def _method_mask(location: Location) -> int:
    return sum(1 << method for method in dict.fromkeys(location.delivery_methods))


# --- views


def locations_after(state: Locations, after: str) -> Iterator[Location]:
    """Iterate the locations with an id above `after` in order of id."""
    for location_id in state.sorted_ids.irange(LocationId(after), None, (False, True)):
        yield state.by_index[state.index_of[location_id]]
