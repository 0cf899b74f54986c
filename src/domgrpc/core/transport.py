"""Transport: what a journey costs and when it ends, from every location at once.

What a service asks and promises follows from three things: the slot of the location (its schedule
and type), the band of distance (a parcel zone, or a part of one where a service ends its reach),
and the journey apart from where exactly it goes. `Terms` computes an offer for each slot and band
that is asked for, once; a table for another customer is then distances, bands and look-ups.
"""

from array import array
from bisect import bisect_left
from collections.abc import Sequence
from operator import add

import msgspec

from domgrpc.core.carriers import Carriers, LaneFields, RateCardFields
from domgrpc.core.freight import Freight, Steps, freight_of, miles_micros
from domgrpc.core.journeys import (
    UNREACHABLE,
    UNREACHABLE_MICROS,
    Journey,
    ServiceTerms,
    TransportTable,
)
from domgrpc.core.opening_days import OpeningDays, Readiness, collectable
from domgrpc.core.profiles import Profiles, Slot, SomeProfiles
from domgrpc.core.time_zones import time_zone
from domgrpc.core.transit import Transit
from domgrpc.core.values import FOREVER_MS, DeliveryMethod, TimeMs
from domgrpc.core.vectors import WIDE_MIN, array_of, bands_of, mile_prices, numbers_of
from domgrpc.core.zones import (
    NO_SPOT,
    spot_of,
    zone_metres,
    zone_of,
)

COLLECTED = (DeliveryMethod.PICKUP, DeliveryMethod.CURBSIDE)
"""What a customer fetches where the goods are."""
ROW_LENGTH = 10
_NOWHERE = -1
"""The key of what is not even looked at."""


class Offer(msgspec.Struct, frozen=True, gc=False):
    """What one service asks and promises in a slot and band, without the location's own costs."""

    freight: Freight
    card: int = -1
    service: int = -1
    zone: int = 0
    ship_by_ms: int = UNREACHABLE
    ship_day: int = UNREACHABLE
    deliver_by_ms: int = UNREACHABLE

    @property
    def row(self) -> bytes:
        """Return the offer as bytes, as a row of the table's numbers."""
        freight = self.freight
        numbers = (
            freight.package_micros,
            freight.unit_micros,
            freight.kilogram_micros,
            freight.unit_mile_micros,
            self.card,
            self.service,
            self.zone,
            self.ship_by_ms,
            self.ship_day,
            self.deliver_by_ms,
        )
        return array("q", numbers).tobytes()


class Terms:
    """The offers for one kind of journey; they hold from when they were asked until `until_ms`."""

    __slots__ = (
        "_band_metres",
        "_cards",
        "_collected_at",
        "_freights",
        "_journey",
        "_offers",
        "_profiles",
        "_services",
        "_unreachable",
        "_width",
        "_zone",
        "from_ms",
        "until_ms",
    )

    def __init__(
        self, profiles: Profiles, carriers: Carriers, journey: Journey, now_ms: TimeMs
    ) -> None:
        """Take what a journey of this kind depends on; nothing is computed yet."""
        self._profiles = profiles
        self._journey = journey
        self.from_ms = now_ms
        self._services = [
            (service_id, fields, carriers.timed(service_id))
            for service_id, fields in carriers.serving(journey.delivery_method)
        ]
        self._collected_at = self._zone = None
        if isinstance(journey.destination, int) and journey.delivery_method not in COLLECTED:
            self._collected_at = profiles.days_of(journey.destination)
            self._zone = self._collected_at.zone
        elif journey.time_zone:
            self._zone = time_zone(journey.time_zone)
        reaches = [fields.distance_m_max for _, fields, _ in self._services]
        edges = (*zone_metres(), *filter(None, reaches))
        self._band_metres = sorted(dict.fromkeys(edges))
        # Behind the bands by distance: that of unknown distance, and on the spot.
        self._width = len(self._band_metres) + 3
        self._freights: dict[tuple[int, int], Freight] = {}
        self._cards: dict[tuple[tuple[int, int], ...], int] = {}
        self._unreachable = (Offer(Freight(UNREACHABLE_MICROS, UNREACHABLE_MICROS)),)
        self._offers: dict[int, tuple[Offer, ...]] = {_NOWHERE: self._unreachable}
        self.until_ms: int = FOREVER_MS

    @property
    def offer_count(self) -> int:
        """How many slots and bands were asked for; that of nowhere is none."""
        return len(self._offers) - 1

    # --- the table

    def table(self, journey: Journey, only: Sequence[int] | None) -> TransportTable:
        """Return the table of a journey of this kind, for some locations or all."""
        profiles = self._profiles.of(only) if only is not None else self._profiles
        distances, keys = self._placed(journey, profiles)
        # All columns of all locations as one piece of memory, from which each is a slice.
        cells = array("q")
        cells.frombytes(b"".join(self._rows(keys, distances)))
        columns = [cells[place::ROW_LENGTH] for place in range(ROW_LENGTH)]
        package, unit, kilogram, mile, card, service, zone, ship_by, ship_day, deliver_by = columns
        if any(
            offer.freight.unit_mile_micros for found in self._offers.values() for offer in found
        ):
            unit = _with_miles(unit, mile, distances)
        if profiles.has_handling:
            package = array("q", map(add, package, profiles.package_micros))
            unit = array("q", map(add, unit, profiles.unit_micros))
        return TransportTable(
            indexes=profiles.indexes,
            package_micros=package,
            unit_micros=unit,
            kilogram_micros=kilogram,
            card=card,
            service=service,
            zone=zone,
            distance_m=distances,
            ship_by_ms=ship_by,
            ship_day=ship_day,
            deliver_by_ms=deliver_by,
            priority=profiles.priority,
            cards=tuple(self._cards),
            services=tuple(
                ServiceTerms(service_id, fields.package_grams_max)
                for service_id, fields, _ in self._services
            ),
            from_ms=self.from_ms,
            valid_until_ms=self.until_ms,
        )

    def _placed(
        self, journey: Journey, profiles: Profiles | SomeProfiles
    ) -> "tuple[array[int], list[int]]":
        # The distance of each location and the key of its offers.
        there, width = journey.destination, self._width
        unknown, on_the_spot = width - 2, width - 1
        spot = self._profiles.spots[there] if isinstance(there, int) else spot_of(there)
        distances = profiles.distances(spot)
        slots, edges = profiles.slot_of, self._band_metres
        if journey.delivery_method in COLLECTED:
            keys = [slot * width + on_the_spot for slot in slots]
        elif spot is NO_SPOT:
            keys = [slot * width + unknown for slot in slots]
        else:
            bands = _bands(distances, edges)
            keys = [slot * width + band for slot, band in zip(slots, bands, strict=True)]
            for place in profiles.unplaced:
                keys[place] = slots[place] * width + unknown
        if isinstance(there, int):
            # Goods that are at the destination already do not travel; a customer who collects
            # there does not go elsewhere.
            if journey.delivery_method in COLLECTED:
                keys = [_NOWHERE] * len(slots)
            for place, index in enumerate(profiles.indexes):
                if index == there:
                    keys[place] = slots[place] * width + on_the_spot
        return distances, keys

    def _rows(self, keys: list[int], distances: "array[int]") -> list[bytes]:
        rows: dict[int, bytes] = {}
        choices: dict[int, tuple[Offer, ...]] = {}
        for key in dict.fromkeys(keys):
            found = self._offers.get(key)
            if found is None:
                found = self._offers[key] = self._computed(*divmod(key, self._width))
            rows[key] = found[0].row
            if len(found) > 1:
                choices[key] = found
        picked = list(map(rows.__getitem__, keys))
        if choices:
            for place, key in enumerate(keys):
                if key in choices:
                    picked[place] = self._best(choices[key], distances[place]).row
        return picked

    def _best(self, found: tuple[Offer, ...], distance_m: int) -> Offer:
        return min(found, key=lambda offer: self._rank(offer, distance_m))

    def _rank(self, offer: Offer, distance_m: int) -> tuple[int, int, int]:
        price = offer.freight.of_one_unit(self._journey.reference_grams, distance_m)
        if self._journey.prefers_fastest:
            return (offer.deliver_by_ms, price, offer.service)
        return (price, offer.deliver_by_ms, offer.service)

    # --- offers

    def _computed(self, slot_number: int, band: int) -> tuple[Offer, ...]:
        slot = self._profiles.slots[slot_number]
        on_the_spot = band == self._width - 1
        ready = self._readiness(slot, on_the_spot=on_the_spot)
        if ready is None or band == self._width - 2:
            return self._unreachable
        if on_the_spot:
            return (self._collected(ready),)
        found = self._offered(slot, band, ready)
        rates = [offer.freight.unit_mile_micros for offer in found]
        if not found or rates.count(rates[0]) < len(rates):
            # Which is cheaper depends on the way.
            return found or self._unreachable
        return (self._best(found, 0),)

    def _readiness(self, slot: Slot, *, on_the_spot: bool) -> Readiness | None:
        schedule = slot.days.schedule
        minute = schedule.pickup_cut_off_minute if on_the_spot else schedule.cut_off_minute
        ready = slot.days.ready(self.from_ms, minute)
        until_ms = slot.days.midnight_after(self.from_ms) if ready is None else ready.until_ms
        self.until_ms = min(self.until_ms, until_ms)
        return ready

    def _collected(self, ready: Readiness) -> Offer:
        collect_ms, until_ms = collectable(ready)
        self.until_ms = min(self.until_ms, until_ms)
        return Offer(
            Freight(),
            ship_by_ms=collect_ms,
            ship_day=ready.ship_day,
            deliver_by_ms=collect_ms,
        )

    def _offered(self, slot: Slot, band: int, ready: Readiness) -> tuple[Offer, ...]:
        edges = self._band_metres
        distance_m = edges[band] if band < len(edges) else edges[-1] + 1
        zone = zone_of(distance_m)
        return tuple(
            Offer(
                (freight := self._freight(service, card, zone)),
                self._card(freight.steps),
                service,
                zone,
                ready.ship_by_ms,
                ready.ship_day,
                deliver_by_ms,
            )
            for service, (_, card, lane) in enumerate(self._services)
            if _reaches(card, slot, distance_m)
            and (deliver_by_ms := self._arrival(lane, slot.days, (ready, zone))) != UNREACHABLE
        )

    def _freight(self, service: int, card: RateCardFields, zone: int) -> Freight:
        found = self._freights.get((service, zone))
        if found is None:
            found = freight_of(card, zone, is_residential=self._journey.is_residential)
            self._freights[service, zone] = found
        return found

    def _arrival(self, lane: LaneFields, days: OpeningDays, leaving: tuple[Readiness, int]) -> int:
        arrival_ms = Transit(lane, days.schedule.holidays, self._zone or days.zone).deliver_by_ms(
            *leaving
        )
        if self._collected_at is None or arrival_ms == UNREACHABLE:
            return arrival_ms
        # What comes in the evening is handed out when the store opens again.
        return self._collected_at.opening_from(arrival_ms)

    def _card(self, steps: Steps) -> int:
        return self._cards.setdefault(steps, len(self._cards)) if steps else -1


def _bands(distances: "array[int]", edges: list[int]) -> list[int]:
    if len(distances) > WIDE_MIN:
        return bands_of(distances, edges)
    return [bisect_left(edges, metres) for metres in distances]


def _with_miles(unit: "array[int]", mile: "array[int]", distances: "array[int]") -> "array[int]":
    # What a unit costs with its way, from each location.
    if len(unit) > WIDE_MIN:
        prices = mile_prices(mile, distances)
        if prices is not None:
            return array_of(numbers_of(unit) + prices)
    return array("q", map(add, unit, miles_micros(mile, distances)))


def _reaches(card: RateCardFields, slot: Slot, distance_m: int) -> bool:
    return (
        distance_m <= (card.distance_m_max or distance_m)
        and slot.location_type in (card.origin_types or (slot.location_type,))
        and zone_of(distance_m) <= len(card.zone_rates)
    )
