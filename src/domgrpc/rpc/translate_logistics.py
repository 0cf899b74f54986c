"""Rate cards and lanes between messages and the core; calendars have a module of their own."""

from collections.abc import Mapping, Sequence

from domgrpc.core.calendars import WEEKDAYS, LocationCalendar
from domgrpc.core.carriers import (
    BUSINESS_WEEKDAYS,
    EVENING_MINUTE,
    DeleteLane,
    DeleteRateCard,
    Lane,
    LaneFields,
    RateCard,
    RateCardFields,
    SaveLane,
    SaveRateCard,
    Surcharge,
    WeightStep,
    ZoneRate,
)
from domgrpc.core.holiday_dates import HolidayRegion
from domgrpc.core.values import (
    DAY_MINUTES,
    GRAMS_MAX,
    MICROS_MAX,
    DeliveryMethod,
    Micros,
    Revision,
    ServiceId,
)
from domgrpc.rpc.refusals import InvalidField
from domgrpc.rpc.shapes import (
    ETAG_BYTES_MAX,
    chosen,
    identifier,
    item_count,
    set_timestamp,
    text,
    whole,
)
from domgrpc.rpc.translate_locations import NAME_BYTES_MAX, TYPES
from domgrpc.rpc.translate_scope import METHODS
from domgrpc.v1 import logistics_pb2

ZONES_MAX = 8
WEIGHT_STEPS_MAX = 100
SURCHARGES_MAX = 20
BASIS_POINTS_MAX = 100_000
DISTANCE_METRES_MAX = 20_100_000
"""A little more than half the way round the earth."""
TRANSIT_DAYS_MAX = 90
REGION_BYTES_MAX = 16

_WEEKDAYS: Mapping[int, int] = {weekday: weekday for weekday in WEEKDAYS}
_COLLECTED = (DeliveryMethod.UNSPECIFIED, DeliveryMethod.PICKUP, DeliveryMethod.CURBSIDE)
_CARRIED: Mapping[int, DeliveryMethod] = {
    number: method for number, method in METHODS.items() if method not in _COLLECTED
}


# --- rate cards


def save_rate_card(message: logistics_pb2.SaveRateCardRequest) -> SaveRateCard:
    """Read SaveRateCard; the core looks for holes."""
    if not message.HasField("rate_card"):
        raise InvalidField("rate_card", "is missing")
    etag = text(message.etag, "etag", ETAG_BYTES_MAX)
    try:
        return SaveRateCard(
            service_id=service_id(message.rate_card.service_id),
            fields=_card_fields(message.rate_card),
            etag=etag,
        )
    except InvalidField as invalid:
        raise invalid.within("rate_card") from None


def delete_rate_card(message: logistics_pb2.DeleteRateCardRequest) -> DeleteRateCard:
    """Read DeleteRateCard."""
    return DeleteRateCard(
        service_id=service_id(message.service_id),
        etag=text(message.etag, "etag", ETAG_BYTES_MAX),
    )


def fill_rate_card(message: logistics_pb2.RateCard, card: RateCard, revision: Revision) -> None:
    """Write a rate card in place."""
    fields = card.fields
    message.service_id = card.service_id
    message.display_name = fields.display_name
    message.delivery_methods.extend(fields.delivery_methods)  # type: ignore[arg-type]  # same
    for rate in fields.zone_rates:
        row = message.zone_rates.add(
            zone=rate.zone,
            package_micros=rate.package_micros,
            unit_micros=rate.unit_micros,
            kilogram_micros=rate.kilogram_micros,
            unit_mile_micros=rate.unit_mile_micros,
        )
        for step in rate.weight_steps:
            row.weight_steps.add(grams_max=step.grams_max, micros=step.micros)
    for surcharge in fields.surcharges:
        message.surcharges.add(
            name=surcharge.name,
            basis_points=surcharge.basis_points,
            package_micros=surcharge.package_micros,
            residential_only=surcharge.residential_only,
        )
    message.origin_types.extend(fields.origin_types)  # type: ignore[arg-type]  # the same numbers
    message.package_grams_max = fields.package_grams_max
    message.distance_meters_max = fields.distance_m_max
    fill_stamps(message, card, revision)


def service_id(value: str) -> ServiceId:
    """Check the id of a carrier's service."""
    return ServiceId(identifier(value, "service_id"))


def micros(value: int, path: str) -> Micros:
    """Check a price."""
    return Micros(whole(value, path, 0, MICROS_MAX))


def fill_stamps(
    message: logistics_pb2.RateCard | logistics_pb2.Lane | logistics_pb2.LocationCalendar,
    kept: RateCard | Lane | LocationCalendar,
    revision: Revision,
) -> None:
    """Write in place what every resource has."""
    set_timestamp(message.create_time, kept.create_time_ms)
    set_timestamp(message.update_time, kept.update_time_ms)
    message.etag = str(kept.revision)
    message.revision = revision


def _card_fields(message: logistics_pb2.RateCard) -> RateCardFields:
    item_count(len(message.zone_rates), "zone_rates", 0, ZONES_MAX)
    item_count(len(message.surcharges), "surcharges", 0, SURCHARGES_MAX)
    methods = [
        chosen(number, f"delivery_methods[{place}]", _CARRIED)
        for place, number in enumerate(message.delivery_methods)
    ]
    types = [
        chosen(number, f"origin_types[{place}]", TYPES)
        for place, number in enumerate(message.origin_types)
    ]
    return RateCardFields(
        delivery_methods=tuple(sorted(dict.fromkeys(methods))),
        zone_rates=tuple(
            _zone_rate(rate, f"zone_rates[{place}]")
            for place, rate in enumerate(message.zone_rates)
        ),
        surcharges=tuple(
            _surcharge(surcharge, f"surcharges[{place}]")
            for place, surcharge in enumerate(message.surcharges)
        ),
        origin_types=tuple(sorted(dict.fromkeys(types))),
        package_grams_max=whole(message.package_grams_max, "package_grams_max", 0, GRAMS_MAX),
        distance_m_max=whole(
            message.distance_meters_max, "distance_meters_max", 0, DISTANCE_METRES_MAX
        ),
        display_name=text(message.display_name, "display_name", NAME_BYTES_MAX),
    )


def _zone_rate(message: logistics_pb2.ZoneRate, path: str) -> ZoneRate:
    item_count(len(message.weight_steps), f"{path}.weight_steps", 0, WEIGHT_STEPS_MAX)
    steps = (
        WeightStep(
            whole(step.grams_max, f"{path}.weight_steps[{place}].grams_max", 1, GRAMS_MAX),
            micros(step.micros, f"{path}.weight_steps[{place}].micros"),
        )
        for place, step in enumerate(message.weight_steps)
    )
    return ZoneRate(
        zone=whole(message.zone, f"{path}.zone", 1, ZONES_MAX),
        package_micros=micros(message.package_micros, f"{path}.package_micros"),
        unit_micros=micros(message.unit_micros, f"{path}.unit_micros"),
        kilogram_micros=micros(message.kilogram_micros, f"{path}.kilogram_micros"),
        unit_mile_micros=micros(message.unit_mile_micros, f"{path}.unit_mile_micros"),
        weight_steps=tuple(steps),
    )


def _surcharge(message: logistics_pb2.Surcharge, path: str) -> Surcharge:
    return Surcharge(
        name=text(message.name, f"{path}.name", NAME_BYTES_MAX),
        basis_points=whole(message.basis_points, f"{path}.basis_points", 0, BASIS_POINTS_MAX),
        package_micros=micros(message.package_micros, f"{path}.package_micros"),
        residential_only=message.residential_only,
    )


# --- lanes


def save_lane(message: logistics_pb2.SaveLaneRequest) -> SaveLane:
    """Read SaveLane."""
    if not message.HasField("lane"):
        raise InvalidField("lane", "is missing")
    etag = text(message.etag, "etag", ETAG_BYTES_MAX)
    try:
        return SaveLane(
            service_id=service_id(message.lane.service_id),
            fields=_lane_fields(message.lane),
            etag=etag,
        )
    except InvalidField as invalid:
        raise invalid.within("lane") from None


def delete_lane(message: logistics_pb2.DeleteLaneRequest) -> DeleteLane:
    """Read DeleteLane."""
    return DeleteLane(
        service_id=service_id(message.service_id),
        etag=text(message.etag, "etag", ETAG_BYTES_MAX),
    )


def fill_lane(message: logistics_pb2.Lane, lane: Lane, revision: Revision) -> None:
    """Write a lane in place."""
    fields = lane.fields
    message.service_id = lane.service_id
    message.transit_days.extend(fields.transit_days)
    message.calendar_days = not fields.business_days
    message.delivery_weekdays.extend(fields.delivery_weekdays)  # type: ignore[arg-type]  # the same
    message.deliver_by_minute = fields.deliver_by_minute
    fill_region(message.holidays, fields.holidays)
    fill_stamps(message, lane, revision)


def minute(value: int, path: str) -> int:
    """Check a time of day in minutes; 1,440 is the end of the day."""
    return whole(value, path, 0, DAY_MINUTES)


def weekday(value: int, path: str) -> int:
    """Check a day of the week."""
    return chosen(value, path, _WEEKDAYS)


def region_of(message: logistics_pb2.HolidayRegion) -> HolidayRegion:
    """Return whose holidays count; the core knows which there are."""
    return HolidayRegion(
        text(message.country, "holidays.country", REGION_BYTES_MAX),
        text(message.subdivision, "holidays.subdivision", REGION_BYTES_MAX),
    )


def fill_region(message: logistics_pb2.HolidayRegion, region: HolidayRegion) -> None:
    """Write in place whose holidays count."""
    message.country = region.country
    message.subdivision = region.subdivision


def _lane_fields(message: logistics_pb2.Lane) -> LaneFields:
    item_count(len(message.transit_days), "transit_days", 0, ZONES_MAX)
    return LaneFields(
        transit_days=tuple(
            whole(days, f"transit_days[{place}]", 0, TRANSIT_DAYS_MAX)
            for place, days in enumerate(message.transit_days)
        ),
        business_days=not message.calendar_days,
        delivery_weekdays=_delivery_weekdays(
            message.delivery_weekdays, WEEKDAYS if message.calendar_days else BUSINESS_WEEKDAYS
        ),
        deliver_by_minute=(
            minute(message.deliver_by_minute, "deliver_by_minute")
            if message.HasField("deliver_by_minute")
            else EVENING_MINUTE
        ),
        holidays=region_of(message.holidays),
    )


def _delivery_weekdays(values: Sequence[int], usual: tuple[int, ...]) -> tuple[int, ...]:
    found = [weekday(value, f"delivery_weekdays[{place}]") for place, value in enumerate(values)]
    return tuple(sorted(dict.fromkeys(found))) or usual
