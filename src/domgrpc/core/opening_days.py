"""Opening days: when work that is ordered now is ready, leaves, and reaches its customer.

All times are instants in UTC; a calendar day belongs to the zone of its schedule. An open day is
the instants between which the location works, taken from local clocks: a day on which the clocks
change is as long as it is. A day whose hours fall into the hour that is skipped is closed.
"""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import msgspec

from domgrpc.core.calendars import Schedule, SpecialDay
from domgrpc.core.holiday_dates import EPOCH_ORDINAL, HolidayRegion, holidays_in
from domgrpc.core.time_zones import time_zone
from domgrpc.core.values import DAY_MINUTES, MINUTE_MS, Day, TimeMs

LOOKAHEAD_DAYS = 400
"""Nothing is promised later than so many days from now."""
READY_STEP_MS = 15 * MINUTE_MS
"""Goods are promised for collection at whole quarters of an hour."""
_DAYS_KEPT_MAX = 2_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


class OpenDay(msgspec.Struct, frozen=True, gc=False):
    """A day on which a location works, and between which instants."""

    day: Day
    open_ms: int
    close_ms: int


class Readiness(msgspec.Struct, frozen=True, gc=False):
    """When work is done that is ordered now."""

    start_ms: int
    """When the handling begins."""
    ready_ms: int
    """When the handling is over."""
    ship_by_ms: int
    """When the location closes on the day on which the goods are ready."""
    ship_day: Day
    until_ms: int
    """From when on the ship-by time may be another one."""


class OpeningDays:
    """The open days of one schedule, each computed once."""

    __slots__ = ("_days", "_hours", "_special", "schedule", "zone")

    def __init__(self, schedule: Schedule) -> None:
        """Take a schedule that names its time zone."""
        self.schedule = schedule
        self.zone = time_zone(schedule.time_zone)
        self._hours = {hours.weekday: hours for hours in schedule.opening_hours}
        self._special = {special.day: special for special in schedule.special_days}
        self._days: dict[Day, OpenDay | None] = {}

    def open_day(self, day: Day) -> OpenDay | None:
        """Return the hours of a day, None where it is closed."""
        if day not in self._days:
            if len(self._days) >= _DAYS_KEPT_MAX:
                self._days.clear()
            self._days[day] = self._computed(day)
        return self._days[day]

    def next_open(self, day: Day, last: Day) -> OpenDay | None:
        """Return the first open day from `day` to `last`, both included."""
        for candidate in range(day, last + 1):
            found = self.open_day(Day(candidate))
            if found is not None:
                return found
        return None

    def opening_from(self, time_ms: int) -> int:
        """Return the first instant from a time on at which the location is open; -1 for never."""
        day = day_of(self.zone, time_ms)
        last = Day(day + LOOKAHEAD_DAYS)
        found = self.next_open(day, last)
        if found is not None and found.close_ms <= time_ms:
            found = self.next_open(Day(found.day + 1), last)
        return -1 if found is None else max(found.open_ms, time_ms)

    def closing_from(self, time_ms: int) -> int:
        """Return the first instant from a time on at which the location closes; -1 for never."""
        # What closes at midnight closes on the day that ends then.
        day = day_of(self.zone, time_ms - 1)
        last = Day(day + LOOKAHEAD_DAYS)
        found = self.next_open(day, last)
        if found is not None and found.close_ms < time_ms:
            found = self.next_open(Day(found.day + 1), last)
        return -1 if found is None else found.close_ms

    def midnight_after(self, time_ms: int) -> int:
        """Return when the next day begins."""
        return instant(self.zone, Day(day_of(self.zone, time_ms) + 1), 0)

    def ready(self, now_ms: TimeMs, cut_off_minute: int) -> Readiness | None:
        """Return when work ordered now is ready; None where that is out of sight.

        Ordered before the cut-off of an open day, work begins that day, at the earliest when the
        location opens; else on the next open day. It waits for the lead time in open days, and
        goes on while the location is open.
        """
        today = day_of(self.zone, now_ms)
        last = Day(today + LOOKAHEAD_DAYS)
        first = self.next_open(today, last)
        if first is not None and now_ms >= self._latest_ms(first, cut_off_minute):
            first = self.next_open(Day(first.day + 1), last)
        if first is None:
            return None
        latest_ms = self._latest_ms(first, cut_off_minute)
        begun: OpenDay | None = first
        for _ in range(self.schedule.lead_days):
            begun = begun and self.next_open(Day(begun.day + 1), last)
        if begun is None:
            return None
        start_ms = max(begun.open_ms, now_ms)
        done = self._worked(begun, start_ms, last)
        if done is None:
            return None
        day, ready_ms = done
        # While nobody waits for an opening, later orders are ready later.
        until_ms = min(latest_ms, start_ms + day.close_ms - ready_ms + 1)
        return Readiness(start_ms, ready_ms, day.close_ms, day.day, until_ms)

    def _worked(self, day: OpenDay, start_ms: int, last: Day) -> tuple[OpenDay, int] | None:
        remaining_ms = self.schedule.handling_minutes * MINUTE_MS
        while start_ms + remaining_ms > day.close_ms:
            remaining_ms -= day.close_ms - start_ms
            following = self.next_open(Day(day.day + 1), last)
            if following is None:
                return None
            day, start_ms = following, following.open_ms
        return day, start_ms + remaining_ms

    def _latest_ms(self, day: OpenDay, cut_off_minute: int) -> int:
        return min(day.close_ms, instant(self.zone, day.day, cut_off_minute))

    def _computed(self, day: Day) -> OpenDay | None:
        hours = self._special.get(day) or self._hours.get(weekday_of(day))
        if hours is None or not hours.close_minute:
            return None
        if not isinstance(hours, SpecialDay) and is_holiday(self.schedule.holidays, day):
            return None
        open_ms = instant(self.zone, day, hours.open_minute)
        close_ms = instant(self.zone, day, hours.close_minute)
        return OpenDay(day, open_ms, close_ms) if open_ms < close_ms else None


def collectable(ready: Readiness) -> tuple[int, int]:
    """Return when goods can be collected, and until when that holds."""
    promised_ms = min(-(-ready.ready_ms // READY_STEP_MS) * READY_STEP_MS, ready.ship_by_ms)
    return promised_ms, min(ready.until_ms, ready.start_ms + promised_ms - ready.ready_ms + 1)


def is_holiday(region: HolidayRegion, day: Day) -> bool:
    """Whether nobody works there on that day."""
    return bool(region.country) and day in holidays_in(region, _date(day).year)


def day_of(zone: ZoneInfo, time_ms: int) -> Day:
    """Return the calendar day of an instant in a zone."""
    local = (_EPOCH + timedelta(milliseconds=time_ms)).astimezone(zone)
    return Day(local.toordinal() - EPOCH_ORDINAL)


@lru_cache(maxsize=10_000)
def instant(zone: ZoneInfo, day: Day, minute: int) -> int:
    """Return the instant at which local clocks show so many minutes after midnight.

    Of an hour that comes twice the first counts; in one that is skipped, clocks stand as far
    behind its end as the minute lies behind its beginning.
    """
    days, minutes = divmod(minute, DAY_MINUTES)
    local = datetime.combine(_date(Day(day + days)), time(*divmod(minutes, 60)), zone)
    return (local - _EPOCH) // _MILLISECOND


def weekday_of(day: Day) -> int:
    """Return 1 for a Monday to 7 for a Sunday."""
    # 1970-01-01 was a Thursday.
    return (day + 3) % 7 + 1


def _date(day: Day) -> date:
    return date.fromordinal(day + EPOCH_ORDINAL)
