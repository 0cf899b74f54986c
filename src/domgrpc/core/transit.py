"""Transit: when a carrier delivers what a location hands over."""

from zoneinfo import ZoneInfo

from domgrpc.core.carriers import LaneFields
from domgrpc.core.holiday_dates import HolidayRegion
from domgrpc.core.opening_days import Readiness, instant, is_holiday, weekday_of
from domgrpc.core.values import Day

_FRIDAY = 5
UNDELIVERED = -1


class Transit:
    """One service from places with the same holidays into one zone of time.

    A parcel that is handed over on a day on which the carrier rests moves from its next working
    day on. Its transit days are counted from there, and it is delivered on the first day from
    then on on which the carrier delivers, until the hour that the lane names.
    """

    __slots__ = ("_lane", "_region", "_zone")

    def __init__(self, lane: LaneFields, origin: HolidayRegion, zone: ZoneInfo) -> None:
        """Take a lane, where the goods come from, and the local time of the delivery.

        Holidays of the origin stand in where the lane counts business days and names none.
        """
        self._lane = lane
        self._region = lane.holidays
        if lane.business_days and not lane.holidays.country:
            self._region = origin
        self._zone = zone

    def deliver_by_ms(self, ready: Readiness, parcel_zone: int) -> int:
        """Return until when goods arrive in a parcel zone; UNDELIVERED for never."""
        if parcel_zone > len(self._lane.transit_days):
            return UNDELIVERED
        day = self._moving(ready.ship_day)
        for _ in range(self._lane.transit_days[parcel_zone - 1]):
            day = self._moving(Day(day + 1))
        # Both loops end: a lane delivers on some weekday, and no region rests on one for ever.
        while not self._delivers(day) or self._evening_ms(day) < ready.ship_by_ms:
            day = Day(day + 1)
        return self._evening_ms(day)

    def _evening_ms(self, day: Day) -> int:
        return instant(self._zone, day, self._lane.deliver_by_minute)

    def _moving(self, day: Day) -> Day:
        if self._lane.business_days:
            while weekday_of(day) > _FRIDAY or is_holiday(self._region, day):
                day = Day(day + 1)
        return day

    def _delivers(self, day: Day) -> bool:
        return weekday_of(day) in self._lane.delivery_weekdays and not is_holiday(self._region, day)
