"""Carriers: what a service asks for a package (rate card) and how long it takes (lane).

Both belong to a carrier's service by its id. A rate card has a row for each parcel zone that the
service reaches, from zone 1 on without a gap, and in it a price by parts: for the package, by
unit, by kilogram, by unit and mile, and by steps of the package's weight. All money is in micros,
without a currency. A service without a lane takes the usual transit days; a delivery method that
no saved card serves is priced by the usual cards.
"""

from collections.abc import Iterator
from typing import TypeAlias

import msgspec
from sortedcontainers import SortedDict

from domgrpc.core.holiday_dates import NO_HOLIDAYS, HolidayRegion, region_problem
from domgrpc.core.rejections import Reason, Rejected, check_etag, check_no_etag
from domgrpc.core.values import (
    DeliveryMethod,
    Limits,
    LocationType,
    Micros,
    Revision,
    ServiceId,
    Stamp,
    TimeMs,
)
from domgrpc.core.zones import ZONES, metres

_M = DeliveryMethod
USUAL_PARCEL = ServiceId("usual-parcel")
USUAL_LOCAL = ServiceId("usual-local")
USUAL_TRANSIT_DAYS = (1, 1, 2, 3, 3, 4, 4, 5)
"""Business days by zone, from zone 1 on."""
LOCAL_RADIUS_MILES = 15
BUSINESS_WEEKDAYS = (1, 2, 3, 4, 5)
EVENING_MINUTE = 20 * 60


# --- what a rate card says


class WeightStep(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The price of a package up to a weight."""

    grams_max: int
    micros: Micros


class ZoneRate(msgspec.Struct, frozen=True, array_like=True):
    """What the service asks for a package into one zone: the sum of the parts."""

    zone: int
    package_micros: Micros = Micros(0)
    unit_micros: Micros = Micros(0)
    kilogram_micros: Micros = Micros(0)
    unit_mile_micros: Micros = Micros(0)
    weight_steps: tuple[WeightStep, ...] = ()


class Surcharge(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What comes on top: hundredths of a per cent of each part, and a fixed price."""

    name: str
    basis_points: int = 0
    package_micros: Micros = Micros(0)
    residential_only: bool = False


class RateCardFields(msgspec.Struct, frozen=True, array_like=True):
    """What a caller says of a rate card; empty types and zero bounds do not restrict."""

    delivery_methods: tuple[DeliveryMethod, ...]
    zone_rates: tuple[ZoneRate, ...]
    surcharges: tuple[Surcharge, ...] = ()
    origin_types: tuple[LocationType, ...] = ()
    package_grams_max: int = 0
    distance_m_max: int = 0
    display_name: str = ""


class LaneFields(msgspec.Struct, frozen=True, array_like=True):
    """What a caller says of a lane; without holidays of its own those of the origin count."""

    transit_days: tuple[int, ...] = USUAL_TRANSIT_DAYS
    """By zone, from zone 1 on."""
    business_days: bool = True
    """Whether goods rest on Saturdays, Sundays and holidays."""
    delivery_weekdays: tuple[int, ...] = BUSINESS_WEEKDAYS
    deliver_by_minute: int = EVENING_MINUTE
    holidays: HolidayRegion = NO_HOLIDAYS


# --- commands and events


class RateCard(msgspec.Struct, frozen=True, array_like=True, tag=10, tag_field="tag"):
    """A rate card as it is kept."""

    service_id: ServiceId
    fields: RateCardFields
    create_time_ms: TimeMs
    update_time_ms: TimeMs
    revision: Revision


class Lane(msgspec.Struct, frozen=True, array_like=True, tag=11, tag_field="tag"):
    """A lane as it is kept."""

    service_id: ServiceId
    fields: LaneFields
    create_time_ms: TimeMs
    update_time_ms: TimeMs
    revision: Revision


class SaveRateCard(msgspec.Struct, frozen=True, array_like=True, kw_only=True, tag=True):
    """Create a rate card or replace it as a whole."""

    service_id: ServiceId
    fields: RateCardFields
    etag: str = ""


class DeleteRateCard(msgspec.Struct, frozen=True, array_like=True, kw_only=True, tag=True):
    """Remove a rate card."""

    service_id: ServiceId
    etag: str = ""


class SaveLane(msgspec.Struct, frozen=True, array_like=True, kw_only=True, tag=True):
    """Create a lane or replace it as a whole."""

    service_id: ServiceId
    fields: LaneFields
    etag: str = ""


class DeleteLane(msgspec.Struct, frozen=True, array_like=True, kw_only=True, tag=True):
    """Remove a lane."""

    service_id: ServiceId
    etag: str = ""


class RateCardSaved(msgspec.Struct, frozen=True, array_like=True, tag=19):
    """A rate card was created or replaced; the whole new content."""

    card: RateCard


class LaneSaved(msgspec.Struct, frozen=True, array_like=True, tag=20):
    """A lane was created or replaced; the whole new content."""

    lane: Lane


# --- state


Priced: TypeAlias = tuple[ServiceId, RateCardFields]


class Carriers:
    """All rate cards and lanes by their service."""

    __slots__ = ("cards", "lanes", "limits", "version")

    def __init__(self, limits: Limits) -> None:
        """Start empty."""
        self.limits = limits
        self.cards: SortedDict[ServiceId, RateCard] = SortedDict()
        self.lanes: SortedDict[ServiceId, Lane] = SortedDict()
        self.version = 0

    def card(self, service_id: ServiceId) -> RateCard:
        """Return a rate card or refuse with RATE_CARD_NOT_FOUND."""
        card = self.cards.get(service_id)
        if card is None:
            raise Rejected(
                Reason.RATE_CARD_NOT_FOUND,
                f"rate card {service_id!r} does not exist: save it first",
                service_id=service_id,
            )
        return card

    def lane(self, service_id: ServiceId) -> Lane:
        """Return a lane or refuse with LANE_NOT_FOUND."""
        lane = self.lanes.get(service_id)
        if lane is None:
            raise Rejected(
                Reason.LANE_NOT_FOUND,
                f"lane {service_id!r} does not exist: save it first",
                service_id=service_id,
            )
        return lane

    def serving(self, method: DeliveryMethod) -> tuple[Priced, ...]:
        """Return the services of a method by id; the usual ones where no saved card has it."""
        saved = tuple(
            (service_id, card.fields)
            for service_id, card in self.cards.items()
            if method in card.fields.delivery_methods
        )
        return saved or tuple(
            (service_id, fields)
            for service_id, fields in usual_cards()
            if method in fields.delivery_methods
        )

    def timed(self, service_id: ServiceId) -> LaneFields:
        """Return how long a service takes."""
        lane = self.lanes.get(service_id)
        return lane.fields if lane is not None else usual_lane(service_id)

    def check_invariants(self) -> None:
        """Every card and lane is found by its service."""
        assert all(card.service_id == key for key, card in self.cards.items())
        assert all(lane.service_id == key for key, lane in self.lanes.items())


def usual_cards() -> tuple[Priced, ...]:
    """Return what prices methods that no saved card serves.

    Parcels cost what a regression of public tariffs gives, about 8.76 a package and 0.42 a unit
    and 0.00054 a unit and mile; local delivery 6.00 a package within 15 miles.
    """
    parcel = RateCardFields(
        delivery_methods=(_M.SHIP_TO_HOME, _M.SHIP_TO_STORE, _M.DROP_SHIP),
        zone_rates=tuple(
            ZoneRate(zone, Micros(8_760_000), Micros(420_000), unit_mile_micros=Micros(540))
            for zone in ZONES
        ),
    )
    local = RateCardFields(
        delivery_methods=(_M.LOCAL_DELIVERY,),
        zone_rates=(ZoneRate(1, Micros(6_000_000)),),
        distance_m_max=metres(LOCAL_RADIUS_MILES),
    )
    return ((USUAL_PARCEL, parcel), (USUAL_LOCAL, local))


def usual_lane(service_id: ServiceId) -> LaneFields:
    """Return how long a service takes that has no lane: local delivery comes the same day."""
    if service_id == USUAL_LOCAL:
        return LaneFields((0,), business_days=False, delivery_weekdays=(1, 2, 3, 4, 5, 6, 7))
    return LaneFields()


# --- decide


def decide_save_card(state: Carriers, command: SaveRateCard, at: Stamp) -> RateCardSaved | None:
    """Create or replace; None where the same card exists.

    Refuses with RATE_CARD_INVALID, ETAG_MISMATCH and CAPACITY_EXCEEDED.
    """
    key, fields, what = command.service_id, command.fields, f"rate card {command.service_id!r}"
    _check(Reason.RATE_CARD_INVALID, what, _card_problems(fields))
    old = state.cards.get(key)
    if old is None:
        check_no_etag(command.etag, what)
        _check_room("rate cards", len(state.cards), state.limits.rate_cards_max)
        return RateCardSaved(RateCard(key, fields, at.time_ms, at.time_ms, at.revision))
    check_etag(command.etag, old.revision, what)
    if old.fields == fields:
        return None
    return RateCardSaved(RateCard(key, fields, old.create_time_ms, at.time_ms, at.revision))


def decide_save_lane(state: Carriers, command: SaveLane, at: Stamp) -> LaneSaved | None:
    """Create or replace; None where the same lane exists.

    Refuses with LANE_INVALID, ETAG_MISMATCH and CAPACITY_EXCEEDED.
    """
    key, fields, what = command.service_id, command.fields, f"lane {command.service_id!r}"
    _check(Reason.LANE_INVALID, what, _lane_problems(fields))
    old = state.lanes.get(key)
    if old is None:
        check_no_etag(command.etag, what)
        _check_room("lanes", len(state.lanes), state.limits.lanes_max)
        return LaneSaved(Lane(key, fields, at.time_ms, at.time_ms, at.revision))
    check_etag(command.etag, old.revision, what)
    if old.fields == fields:
        return None
    return LaneSaved(Lane(key, fields, old.create_time_ms, at.time_ms, at.revision))


def decide_delete_card(state: Carriers, command: DeleteRateCard) -> ServiceId:
    """Return whose card goes, or refuse with RATE_CARD_NOT_FOUND or ETAG_MISMATCH."""
    old = state.card(command.service_id)
    check_etag(command.etag, old.revision, f"rate card {command.service_id!r}")
    return old.service_id


def decide_delete_lane(state: Carriers, command: DeleteLane) -> ServiceId:
    """Return whose lane goes, or refuse with LANE_NOT_FOUND or ETAG_MISMATCH."""
    old = state.lane(command.service_id)
    check_etag(command.etag, old.revision, f"lane {command.service_id!r}")
    return old.service_id


def _check(reason: Reason, what: str, problems: Iterator[tuple[str, str]]) -> None:
    for field, problem in problems:
        raise Rejected(reason, f"{what} {problem}", field=field)


def _check_room(what: str, count: int, limit: int) -> None:
    if count >= limit:
        raise Rejected(
            Reason.CAPACITY_EXCEEDED,
            f"there are {count} {what} already, the most that is allowed",
            limit=limit,
        )


def _card_problems(card: RateCardFields) -> Iterator[tuple[str, str]]:
    # The field and what is wrong with it; whoever asks stops at the first.
    if not card.delivery_methods:
        yield "delivery_methods", "serves no delivery method: name at least one"
    zones = [rate.zone for rate in card.zone_rates]
    if not zones or zones != list(ZONES[: len(zones)]):
        wanted = f"each zone from 1 to the last that it reaches, at most {len(ZONES)}, in order"
        yield "zone_rates", f"has rates for the zones {zones}: give {wanted}"
    first = [step.grams_max for step in card.zone_rates[0].weight_steps]
    if first != sorted(dict.fromkeys(first)) or min(first, default=1) < 1:
        yield "zone_rates", f"has weight steps that do not rise: {first} grams"
    for rate in card.zone_rates:
        steps = [step.grams_max for step in rate.weight_steps]
        if steps != first:
            differing = f"{steps} grams in zone {rate.zone} but of {first} grams in zone 1"
            yield "zone_rates", f"has weight steps of {differing}: give every zone the same steps"
    if first and first[-1] < card.package_grams_max:
        end = f"packages of {card.package_grams_max} grams, but its weight steps end at {first[-1]}"
        yield "zone_rates", f"takes {end}: add a step or lower the cap"


def _lane_problems(lane: LaneFields) -> Iterator[tuple[str, str]]:
    zones = len(lane.transit_days)
    if not 0 < zones <= len(ZONES):
        wanted = f"those for 1 to {len(ZONES)} zones, from zone 1 on"
        yield "transit_days", f"has transit days for {zones} zones: give {wanted}"
    if not lane.delivery_weekdays:
        yield "delivery_weekdays", "delivers on no weekday: name at least one"
    problem = region_problem(lane.holidays)
    if problem is not None:
        yield "holidays", problem


# --- evolve and views


def evolve_card_saved(state: Carriers, event: RateCardSaved) -> None:
    """Store the new content."""
    state.cards[event.card.service_id] = event.card
    state.version += 1


def evolve_lane_saved(state: Carriers, event: LaneSaved) -> None:
    """Store the new content."""
    state.lanes[event.lane.service_id] = event.lane
    state.version += 1


def evolve_card_deleted(state: Carriers, service_id: ServiceId) -> None:
    """Forget the card."""
    del state.cards[service_id]
    state.version += 1


def evolve_lane_deleted(state: Carriers, service_id: ServiceId) -> None:
    """Forget the lane."""
    del state.lanes[service_id]
    state.version += 1


def cards_after(state: Carriers, after: str) -> Iterator[RateCard]:
    """Iterate the rate cards of services behind one."""
    for service_id in state.cards.irange(ServiceId(after), None, (False, True)):
        yield state.cards[service_id]


def lanes_after(state: Carriers, after: str) -> Iterator[Lane]:
    """Iterate the lanes of services behind one."""
    for service_id in state.lanes.irange(ServiceId(after), None, (False, True)):
        yield state.lanes[service_id]
