"""The calls of LogisticsService, as methods of a client."""

from typing import Final

from domgrpc.client.calls import Caller
from domgrpc.v1.location_pb2 import LocationType
from domgrpc.v1.logistics_pb2 import (
    DeleteLaneRequest,
    DeleteLaneResponse,
    DeleteLocationCalendarRequest,
    DeleteLocationCalendarResponse,
    DeleteRateCardRequest,
    DeleteRateCardResponse,
    GetLaneRequest,
    GetLocationCalendarRequest,
    GetRateCardRequest,
    Lane,
    ListLanesRequest,
    ListLanesResponse,
    ListLocationCalendarsRequest,
    ListLocationCalendarsResponse,
    ListRateCardsRequest,
    ListRateCardsResponse,
    LocationCalendar,
    RateCard,
    SaveLaneRequest,
    SaveLocationCalendarRequest,
    SaveRateCardRequest,
)

_NO_TYPE: Final = LocationType.LOCATION_TYPE_UNSPECIFIED


async def save_rate_card(
    client: Caller,
    rate_card: RateCard,
    *,
    etag: str = "",
    request_id: str = "",
    timeout_seconds: float | None = None,
) -> RateCard:
    """Create a rate card or replace it as a whole; RATE_CARD_INVALID for one with a hole."""
    calls = client.calls
    request = SaveRateCardRequest(
        request_id=request_id or calls.new_request_id(), rate_card=rate_card, etag=etag
    )
    return await calls.write(calls.stubs.logistics.SaveRateCard, request, timeout_seconds)


async def get_rate_card(
    client: Caller, service_id: str, *, min_revision: int = 0, timeout_seconds: float | None = None
) -> RateCard:
    """Return one rate card."""
    calls = client.calls
    request = GetRateCardRequest(service_id=service_id, min_revision=min_revision)
    return await calls.read(calls.stubs.logistics.GetRateCard, request, timeout_seconds)


async def list_rate_cards(
    client: Caller,
    *,
    page_size: int = 0,
    page_token: str = "",
    min_revision: int = 0,
    timeout_seconds: float | None = None,
) -> ListRateCardsResponse:
    """Return a page of rate cards in order of their service; see `paging.pages` for all."""
    calls = client.calls
    request = ListRateCardsRequest(
        page_size=page_size, page_token=page_token, min_revision=min_revision
    )
    return await calls.read(calls.stubs.logistics.ListRateCards, request, timeout_seconds)


async def delete_rate_card(
    client: Caller,
    service_id: str,
    *,
    etag: str = "",
    request_id: str = "",
    timeout_seconds: float | None = None,
) -> DeleteRateCardResponse:
    """Remove a rate card."""
    calls = client.calls
    request = DeleteRateCardRequest(
        request_id=request_id or calls.new_request_id(), service_id=service_id, etag=etag
    )
    return await calls.write(calls.stubs.logistics.DeleteRateCard, request, timeout_seconds)


async def save_lane(
    client: Caller,
    lane: Lane,
    *,
    etag: str = "",
    request_id: str = "",
    timeout_seconds: float | None = None,
) -> Lane:
    """Create a lane or replace it as a whole."""
    calls = client.calls
    request = SaveLaneRequest(request_id=request_id or calls.new_request_id(), lane=lane, etag=etag)
    return await calls.write(calls.stubs.logistics.SaveLane, request, timeout_seconds)


async def get_lane(
    client: Caller, service_id: str, *, min_revision: int = 0, timeout_seconds: float | None = None
) -> Lane:
    """Return one lane."""
    calls = client.calls
    request = GetLaneRequest(service_id=service_id, min_revision=min_revision)
    return await calls.read(calls.stubs.logistics.GetLane, request, timeout_seconds)


async def list_lanes(
    client: Caller,
    *,
    page_size: int = 0,
    page_token: str = "",
    min_revision: int = 0,
    timeout_seconds: float | None = None,
) -> ListLanesResponse:
    """Return a page of lanes in order of their service; see `paging.pages` for all."""
    calls = client.calls
    request = ListLanesRequest(
        page_size=page_size, page_token=page_token, min_revision=min_revision
    )
    return await calls.read(calls.stubs.logistics.ListLanes, request, timeout_seconds)


async def delete_lane(
    client: Caller,
    service_id: str,
    *,
    etag: str = "",
    request_id: str = "",
    timeout_seconds: float | None = None,
) -> DeleteLaneResponse:
    """Remove a lane; the usual transit days hold again."""
    calls = client.calls
    request = DeleteLaneRequest(
        request_id=request_id or calls.new_request_id(), service_id=service_id, etag=etag
    )
    return await calls.write(calls.stubs.logistics.DeleteLane, request, timeout_seconds)


async def save_location_calendar(
    client: Caller,
    calendar: LocationCalendar,
    *,
    etag: str = "",
    request_id: str = "",
    timeout_seconds: float | None = None,
) -> LocationCalendar:
    """Create a calendar or replace it as a whole; CALENDAR_INVALID for one without an open day."""
    calls = client.calls
    request = SaveLocationCalendarRequest(
        request_id=request_id or calls.new_request_id(), calendar=calendar, etag=etag
    )
    return await calls.write(calls.stubs.logistics.SaveLocationCalendar, request, timeout_seconds)


async def get_location_calendar(
    client: Caller,
    location_id: str = "",
    *,
    location_type: LocationType = _NO_TYPE,
    min_revision: int = 0,
    timeout_seconds: float | None = None,
) -> LocationCalendar:
    """Return the calendar that was saved for a location, or for a type of locations."""
    calls = client.calls
    request = GetLocationCalendarRequest(
        location_id=location_id or None,
        location_type=location_type or None,
        min_revision=min_revision,
    )
    return await calls.read(calls.stubs.logistics.GetLocationCalendar, request, timeout_seconds)


async def list_location_calendars(
    client: Caller,
    *,
    page_size: int = 0,
    page_token: str = "",
    min_revision: int = 0,
    timeout_seconds: float | None = None,
) -> ListLocationCalendarsResponse:
    """Return a page of calendars: those of types, then those of locations by id."""
    calls = client.calls
    request = ListLocationCalendarsRequest(
        page_size=page_size, page_token=page_token, min_revision=min_revision
    )
    return await calls.read(calls.stubs.logistics.ListLocationCalendars, request, timeout_seconds)


async def delete_location_calendar(
    client: Caller,
    location_id: str = "",
    *,
    location_type: LocationType = _NO_TYPE,
    etag: str = "",
    request_id: str = "",
    timeout_seconds: float | None = None,
) -> DeleteLocationCalendarResponse:
    """Remove the calendar of a location, or of a type; a more general one holds again."""
    calls = client.calls
    request = DeleteLocationCalendarRequest(
        request_id=request_id or calls.new_request_id(),
        location_id=location_id or None,
        location_type=location_type or None,
        etag=etag,
    )
    return await calls.write(calls.stubs.logistics.DeleteLocationCalendar, request, timeout_seconds)
