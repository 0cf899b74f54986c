"""Logistics: rate cards, lanes and calendars together, and what they say of a journey.

`Logistics.table` is the one question that routing asks: what does it cost, and how long does it
take, to bring goods to a customer from every location. Three layers are kept and thrown away when
what they were made of changes: profiles of all locations; terms by kind of journey, until a
cut-off or an opening passes; and whole tables by journey, the least recently used of which go
first. A known journey costs a look-up.
"""

from collections import OrderedDict
from collections.abc import Sequence
from enum import IntEnum
from typing import TypeAlias

import msgspec

from domgrpc.core.calendars import (
    CalendarFields,
    CalendarOwner,
    Calendars,
    DeleteLocationCalendar,
    decide_delete_calendar,
    evolve_calendar_deleted,
)
from domgrpc.core.carriers import (
    Carriers,
    DeleteLane,
    DeleteRateCard,
    decide_delete_card,
    decide_delete_lane,
    evolve_card_deleted,
    evolve_lane_deleted,
)
from domgrpc.core.geography import Point
from domgrpc.core.journeys import Journey, TransportTable
from domgrpc.core.locations import Locations
from domgrpc.core.opening_days import day_of
from domgrpc.core.profiles import Capacity, Profiles
from domgrpc.core.transport import COLLECTED, Terms
from domgrpc.core.values import HOUR_MS, Day, Limits, LocationIndex, ServiceId, TimeMs

_ROWS_KEPT_MAX = 500_000
"""How many locations all kept tables may have together: about 60 MB."""
_OFFERS_KEPT_MAX = 200_000
"""How many offers all kept terms may have together: about 50 MB."""

_Versions: TypeAlias = tuple[int, int, int, int]


class LogisticsResource(IntEnum):
    """What was deleted."""

    RATE_CARD = 1
    LANE = 2
    CALENDAR = 3


class LogisticsDeleted(msgspec.Struct, frozen=True, array_like=True, tag=22):
    """A rate card, a lane or a calendar was removed."""

    resource: LogisticsResource
    service_id: ServiceId = ServiceId("")
    owner: CalendarOwner = CalendarOwner()


class Logistics:
    """What carriers and locations ask and promise, with views that are kept while they hold."""

    __slots__ = (
        "_offer_count",
        "_profiles",
        "_row_count",
        "_seen",
        "_tables",
        "_terms",
        "calendars",
        "carriers",
    )

    def __init__(self, limits: Limits) -> None:
        """Start empty: what is usual holds."""
        self.carriers = Carriers(limits)
        self.calendars = Calendars(limits)
        self._seen: _Versions = (-1, -1, -1, -1)
        self._profiles: Profiles | None = None
        self._terms: dict[Journey, Terms] = {}
        self._tables: OrderedDict[Journey, TransportTable] = OrderedDict()
        self._row_count = 0
        self._offer_count = 0
        """How many offers were computed since all terms were thrown away; no fewer are kept."""

    @property
    def version(self) -> int:
        """Return what rises with every change of a card, a lane or a calendar."""
        return self.carriers.version + self.calendars.version

    # --- what it takes

    def table(
        self,
        locations: Locations,
        journey: Journey,
        now_ms: TimeMs,
        *,
        only: Sequence[LocationIndex] | None = None,
    ) -> TransportTable:
        """Return what a journey takes that is ordered now, from all locations or from some.

        Does not look at whether a location is enabled, or capable of the delivery method. O(1)
        for a journey that is known, else O(locations); a table of some is made anew, O(some).
        """
        if self._seen != self._versions(locations):
            self._forget(locations)
        if only is not None:
            return self._made(locations, journey, now_ms, only=only)
        found = self._tables.get(journey)
        if found is not None and found.from_ms <= now_ms < found.valid_until_ms:
            self._tables.move_to_end(journey)
            return found
        table = self._made(locations, journey, now_ms, only=None)
        self._keep(journey, table)
        return table

    def calendar(self, locations: Locations, index: LocationIndex) -> CalendarFields:
        """Return what holds for a location: its own calendar, its type's, or the usual one."""
        return self.profiles(locations).calendars[index]

    def capacity(self, locations: Locations, index: LocationIndex) -> Capacity:
        """Return how much a location can do in a day."""
        return self.profiles(locations).capacity(index)

    def day_of(self, locations: Locations, index: LocationIndex, ship_by_ms: int) -> Day:
        """Return the day, in the location's zone, to whose capacity a ship-by time belongs.

        Midnight is the end of a day. Tables have it as `ship_day`, for what is collected too.
        """
        return day_of(self.profiles(locations).days_of(index).zone, ship_by_ms - 1)

    def collect_by_ms(self, locations: Locations, index: LocationIndex, ready_ms: int) -> TimeMs:
        """Return until when a location keeps what can be collected from a time on.

        That is its first closing after the hours of its calendar; the end of these hours where it
        opens no more.
        """
        profiles = self.profiles(locations)
        least_ms = ready_ms + profiles.calendars[index].pickup_window_hours * HOUR_MS
        closing_ms = profiles.days_of(index).closing_from(least_ms)
        return TimeMs(least_ms if closing_ms < 0 else closing_ms)

    def profiles(self, locations: Locations) -> Profiles:
        """Return the profiles of all locations, made anew where something changed."""
        if self._profiles is None or self._seen != self._versions(locations):
            self._forget(locations)
            self._profiles = Profiles(locations, self.calendars)
        return self._profiles

    def _versions(self, locations: Locations) -> _Versions:
        return (
            self.carriers.version,
            self.calendars.version,
            locations.places.version,
            locations.rule_version,
        )

    def _made(
        self,
        locations: Locations,
        journey: Journey,
        now_ms: TimeMs,
        *,
        only: Sequence[LocationIndex] | None,
    ) -> TransportTable:
        kind = journey
        if journey.delivery_method in COLLECTED or isinstance(journey.destination, Point):
            kind = msgspec.structs.replace(journey, destination=None)
        terms = self._terms.get(kind)
        if terms is not None and terms.from_ms <= now_ms < terms.until_ms:
            table = self._told(terms, journey, only)
            # Locations that were never asked about may have had a cut-off in the meantime.
            if now_ms < table.valid_until_ms:
                return table
        terms = Terms(self.profiles(locations), self.carriers, kind, now_ms)
        self._terms[kind] = terms
        return self._told(terms, journey, only)

    def _told(
        self, terms: Terms, journey: Journey, only: Sequence[LocationIndex] | None
    ) -> TransportTable:
        before = terms.offer_count
        table = terms.table(journey, only)
        self._offer_count += terms.offer_count - before
        if self._offer_count > _OFFERS_KEPT_MAX:
            self._terms.clear()
            self._offer_count = 0
        return table

    def _keep(self, journey: Journey, table: TransportTable) -> None:
        old = self._tables.pop(journey, None)
        self._row_count += len(table.priority) - (len(old.priority) if old is not None else 0)
        self._tables[journey] = table
        while self._row_count > _ROWS_KEPT_MAX and len(self._tables) > 1:
            _, oldest = self._tables.popitem(last=False)
            self._row_count -= len(oldest.priority)

    def _forget(self, locations: Locations) -> None:
        self._seen = self._versions(locations)
        self._profiles = None
        self._terms.clear()
        self._tables.clear()
        self._row_count = self._offer_count = 0

    def check_invariants(self, locations: Locations) -> None:
        """All parts agree, and no more is kept than may be."""
        self.carriers.check_invariants()
        self.calendars.check_invariants(locations)
        assert self._row_count == sum(len(table.priority) for table in self._tables.values())
        assert self._row_count <= _ROWS_KEPT_MAX or len(self._tables) == 1
        kept = sum(terms.offer_count for terms in self._terms.values())
        assert kept <= self._offer_count <= _OFFERS_KEPT_MAX


# --- deleting


def decide_delete_logistics(
    state: Logistics, command: DeleteRateCard | DeleteLane | DeleteLocationCalendar
) -> LogisticsDeleted:
    """Remove a card, a lane or a calendar, or refuse as it does not exist or has changed."""
    if isinstance(command, DeleteRateCard):
        service_id = decide_delete_card(state.carriers, command)
        return LogisticsDeleted(LogisticsResource.RATE_CARD, service_id)
    if isinstance(command, DeleteLane):
        service_id = decide_delete_lane(state.carriers, command)
        return LogisticsDeleted(LogisticsResource.LANE, service_id)
    owner = decide_delete_calendar(state.calendars, command)
    return LogisticsDeleted(LogisticsResource.CALENDAR, owner=owner)


def evolve_logistics_deleted(state: Logistics, event: LogisticsDeleted) -> None:
    """Forget what was removed."""
    if event.resource is LogisticsResource.RATE_CARD:
        evolve_card_deleted(state.carriers, event.service_id)
    elif event.resource is LogisticsResource.LANE:
        evolve_lane_deleted(state.carriers, event.service_id)
    else:
        evolve_calendar_deleted(state.calendars, event.owner)
