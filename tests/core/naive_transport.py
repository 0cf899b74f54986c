"""Transport as one would write it first: one location and service after the other."""

from typing import NamedTuple

import msgspec

from domgrpc.core.carriers import LaneFields, RateCardFields
from domgrpc.core.freight import Freight, freight_of, mile_micros
from domgrpc.core.geography import Point
from domgrpc.core.journeys import Journey, TransportTable
from domgrpc.core.locations import Location
from domgrpc.core.opening_days import OpeningDays, Readiness, collectable
from domgrpc.core.state import State
from domgrpc.core.time_zones import nautical_zone, time_zone
from domgrpc.core.transit import Transit
from domgrpc.core.values import DeliveryMethod, ServiceId, TimeMs
from domgrpc.core.zones import distances_m, spot_of, zone_of

COLLECTED = (DeliveryMethod.PICKUP, DeliveryMethod.CURBSIDE)


class Way(NamedTuple):
    """What a journey takes from one location; None for a journey that cannot begin."""

    package_micros: int
    unit_micros: int
    kilogram_micros: int
    steps: tuple[tuple[int, int], ...]
    service_id: str
    zone: int
    ship_by_ms: int
    ship_day: int
    deliver_by_ms: int


def ways_of(table: TransportTable) -> list[Way | None]:
    """Return what a table says of each of its locations."""
    return [
        Way(
            table.package_micros[place],
            table.unit_micros[place],
            table.kilogram_micros[place],
            table.cards[table.card[place]] if table.card[place] >= 0 else (),
            table.services[table.service[place]].service_id if table.service[place] >= 0 else "",
            table.zone[place],
            table.ship_by_ms[place],
            table.ship_day[place],
            table.deliver_by_ms[place],
        )
        if table.deliver_by_ms[place] >= 0
        else None
        for place in range(len(table.indexes))
    ]


def naive_ways(state: State, journey: Journey, now_ms: TimeMs) -> list[Way | None]:
    """Return what a journey takes from each location."""
    locations = state.network.locations.by_index
    return [naive_way(state, location, journey, now_ms) for location in locations]


def days_of(state: State, location: Location) -> OpeningDays:
    """Return when a location is open."""
    schedule = state.logistics.calendars.of(location).schedule
    zone = schedule.time_zone or nautical_zone(location.point)
    return OpeningDays(msgspec.structs.replace(schedule, time_zone=zone))


def naive_way(state: State, location: Location, journey: Journey, now_ms: TimeMs) -> Way | None:
    """Return what a journey takes from one location."""
    there = None
    if isinstance(journey.destination, int):
        there = state.network.locations.by_index[journey.destination]
    method = journey.delivery_method
    if method in COLLECTED and there not in (None, location):
        return None
    days = days_of(state, location)
    on_the_spot = method in COLLECTED or there is location
    schedule = days.schedule
    cut_off = schedule.pickup_cut_off_minute if on_the_spot else schedule.cut_off_minute
    ready = days.ready(now_ms, cut_off)
    if ready is None:
        return None
    fields = state.logistics.calendars.of(location)
    if on_the_spot:
        promised_ms, _ = collectable(ready)
        package, unit = fields.package_micros, fields.unit_micros
        day = ready.ship_day
        return Way(package, unit, 0, (), "", 0, promised_ms, day, promised_ms)
    offers = [
        offer
        for service_id, card in state.logistics.carriers.serving(method)
        if (offer := offered(state, (location, there), (service_id, card), (journey, ready)))
    ]
    if not offers:
        return None
    order = (1, 0, 2) if journey.prefers_fastest else (0, 1, 2)
    best = min(offers, key=lambda offer: [offer[place] for place in order])
    _, deliver_by_ms, service_id, freight, zone, way_micros = best
    return Way(
        freight.package_micros + fields.package_micros,
        freight.unit_micros + way_micros + fields.unit_micros,
        freight.kilogram_micros,
        freight.steps,
        service_id,
        zone,
        ready.ship_by_ms,
        ready.ship_day,
        deliver_by_ms,
    )


def offered(
    state: State,
    ends: tuple[Location, Location | None],
    service: tuple[ServiceId, RateCardFields],
    order: tuple[Journey, Readiness],
) -> tuple[int, int, str, Freight, int, int] | None:
    """Return what a service asks and promises: price, arrival, id, freight, zone, way."""
    (origin, store), (service_id, card), (journey, ready) = ends, service, order
    to = store.point if store is not None else journey.destination
    if origin.point is None or not isinstance(to, Point):
        return None
    (metres,) = distances_m([spot_of(origin.point)], spot_of(to))
    zone = zone_of(metres)
    lane: LaneFields = state.logistics.carriers.timed(service_id)
    if zone > len(card.zone_rates) or (card.distance_m_max and metres > card.distance_m_max):
        return None
    if card.origin_types and origin.type not in card.origin_types:
        return None
    days = days_of(state, origin)
    rules = days.zone
    if store is not None:
        rules = days_of(state, store).zone
    elif journey.time_zone:
        rules = time_zone(journey.time_zone)
    deliver_by_ms = Transit(lane, days.schedule.holidays, rules).deliver_by_ms(ready, zone)
    if deliver_by_ms >= 0 and store is not None:
        deliver_by_ms = days_of(state, store).opening_from(deliver_by_ms)
    if deliver_by_ms < 0:
        return None
    freight = freight_of(card, zone, is_residential=journey.is_residential)
    price = freight.of_one_unit(journey.reference_grams, metres)
    way_micros = mile_micros(freight.unit_mile_micros, metres)
    return (price, deliver_by_ms, service_id, freight, zone, way_micros)
