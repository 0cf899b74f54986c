"""LogisticsService: check the shape, make the command, hand it on, shape the answer."""

from domgrpc.core.answers import Deleted
from domgrpc.core.calendars import LocationCalendar
from domgrpc.core.carriers import Lane, RateCard
from domgrpc.core.listings import Page, list_calendars, list_lanes, list_rate_cards
from domgrpc.core.state import State
from domgrpc.core.values import Revision, TimeMs
from domgrpc.engine.admission import Priority
from domgrpc.rpc.calls import Call
from domgrpc.rpc.pages import Listing, NamePlace, OwnerPlace, bounded_page, page_size
from domgrpc.rpc.sizes import calendar_bytes, card_bytes
from domgrpc.rpc.translate_calendars import (
    delete_calendar,
    fill_calendar,
    owner_of,
    save_calendar,
)
from domgrpc.rpc.translate_logistics import (
    delete_lane,
    delete_rate_card,
    fill_lane,
    fill_rate_card,
    save_lane,
    save_rate_card,
    service_id,
)
from domgrpc.v1 import logistics_pb2 as pb

_CARDS: Listing[NamePlace] = Listing("ListRateCards", NamePlace, ("",))
_LANES: Listing[NamePlace] = Listing("ListLanes", NamePlace, ("",))
_CALENDARS: Listing[OwnerPlace] = Listing("ListLocationCalendars", OwnerPlace, (0, ""))


class LogisticsService:
    """What it costs and how long it takes to bring goods to a customer."""

    async def SaveRateCard(self, message: pb.SaveRateCardRequest, call: Call) -> pb.RateCard:
        """Create or replace a rate card."""
        command = save_rate_card(message)
        return _card(*await call.change(command, message.request_id, RateCard))

    async def GetRateCard(self, message: pb.GetRateCardRequest, call: Call) -> pb.RateCard:
        """Return one rate card."""
        key = service_id(message.service_id)
        reading = await call.read(
            lambda state, _: state.logistics.carriers.card(key), message.min_revision
        )
        return _card(reading.value, reading.revision)

    async def ListRateCards(
        self, message: pb.ListRateCardsRequest, call: Call
    ) -> pb.ListRateCardsResponse:
        """List rate cards in order of their service."""
        (after,) = _CARDS.place(message.page_token, ())
        size = page_size(message.page_size)

        def page(state: State, _now_ms: TimeMs) -> Page[RateCard]:
            return bounded_page(lambda most: list_rate_cards(state, after, most), size, card_bytes)

        reading = await call.read(page, message.min_revision, Priority.LIST)
        answer = pb.ListRateCardsResponse(
            next_page_token=_CARDS.token(reading.value, ()), revision=reading.revision
        )
        for card in reading.value.entries:
            fill_rate_card(answer.rate_cards.add(), card, reading.revision)
        return answer

    async def DeleteRateCard(
        self, message: pb.DeleteRateCardRequest, call: Call
    ) -> pb.DeleteRateCardResponse:
        """Remove a rate card."""
        command = delete_rate_card(message)
        _, revision = await call.change(command, message.request_id, Deleted)
        return pb.DeleteRateCardResponse(revision=revision)

    async def SaveLane(self, message: pb.SaveLaneRequest, call: Call) -> pb.Lane:
        """Create or replace a lane."""
        command = save_lane(message)
        return _lane(*await call.change(command, message.request_id, Lane))

    async def GetLane(self, message: pb.GetLaneRequest, call: Call) -> pb.Lane:
        """Return one lane."""
        key = service_id(message.service_id)
        reading = await call.read(
            lambda state, _: state.logistics.carriers.lane(key), message.min_revision
        )
        return _lane(reading.value, reading.revision)

    async def ListLanes(self, message: pb.ListLanesRequest, call: Call) -> pb.ListLanesResponse:
        """List lanes in order of their service."""
        (after,) = _LANES.place(message.page_token, ())
        size = page_size(message.page_size)
        reading = await call.read(
            lambda state, _: list_lanes(state, after, size), message.min_revision, Priority.LIST
        )
        answer = pb.ListLanesResponse(
            next_page_token=_LANES.token(reading.value, ()), revision=reading.revision
        )
        for lane in reading.value.entries:
            fill_lane(answer.lanes.add(), lane, reading.revision)
        return answer

    async def DeleteLane(self, message: pb.DeleteLaneRequest, call: Call) -> pb.DeleteLaneResponse:
        """Remove a lane."""
        command = delete_lane(message)
        _, revision = await call.change(command, message.request_id, Deleted)
        return pb.DeleteLaneResponse(revision=revision)

    async def SaveLocationCalendar(
        self, message: pb.SaveLocationCalendarRequest, call: Call
    ) -> pb.LocationCalendar:
        """Create or replace a calendar."""
        command = save_calendar(message)
        return _calendar(*await call.change(command, message.request_id, LocationCalendar))

    async def GetLocationCalendar(
        self, message: pb.GetLocationCalendarRequest, call: Call
    ) -> pb.LocationCalendar:
        """Return one calendar."""
        owner = owner_of(message)
        reading = await call.read(
            lambda state, _: state.logistics.calendars.get(owner), message.min_revision
        )
        return _calendar(reading.value, reading.revision)

    async def ListLocationCalendars(
        self, message: pb.ListLocationCalendarsRequest, call: Call
    ) -> pb.ListLocationCalendarsResponse:
        """List calendars: those of types, then those of locations."""
        after = _CALENDARS.place(message.page_token, ())
        size = page_size(message.page_size)

        def page(state: State, _now_ms: TimeMs) -> Page[LocationCalendar]:
            return bounded_page(
                lambda most: list_calendars(state, after, most), size, calendar_bytes
            )

        reading = await call.read(page, message.min_revision, Priority.LIST)
        answer = pb.ListLocationCalendarsResponse(
            next_page_token=_CALENDARS.token(reading.value, ()), revision=reading.revision
        )
        for calendar in reading.value.entries:
            fill_calendar(answer.calendars.add(), calendar, reading.revision)
        return answer

    async def DeleteLocationCalendar(
        self, message: pb.DeleteLocationCalendarRequest, call: Call
    ) -> pb.DeleteLocationCalendarResponse:
        """Remove a calendar."""
        command = delete_calendar(message)
        _, revision = await call.change(command, message.request_id, Deleted)
        return pb.DeleteLocationCalendarResponse(revision=revision)


def _card(card: RateCard, revision: Revision) -> pb.RateCard:
    answer = pb.RateCard()
    fill_rate_card(answer, card, revision)
    return answer


def _lane(lane: Lane, revision: Revision) -> pb.Lane:
    answer = pb.Lane()
    fill_lane(answer, lane, revision)
    return answer


def _calendar(calendar: LocationCalendar, revision: Revision) -> pb.LocationCalendar:
    answer = pb.LocationCalendar()
    fill_calendar(answer, calendar, revision)
    return answer
