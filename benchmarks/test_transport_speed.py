"""Times of a table of transport for 3,000 locations.

Run by `make bench BENCH=hot_functions`, or alone: pytest benchmarks/test_transport_speed.py. The
locations lie all over a country; each has a calendar of its own, in one of four zones of time.
"""

from collections.abc import Callable
from itertools import count
from random import Random

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from domgrpc.core.calendars import (
    WEEKDAYS,
    CalendarFields,
    CalendarOwner,
    OpeningHours,
    SaveLocationCalendar,
    Schedule,
)
from domgrpc.core.carriers import RateCardFields, SaveRateCard, WeightStep, ZoneRate
from domgrpc.core.dispatch import Command
from domgrpc.core.geography import DEGREE_E7, Point
from domgrpc.core.holiday_dates import HolidayRegion
from domgrpc.core.journeys import Journey, TransportTable
from domgrpc.core.locations import CreateLocation, LocationFields
from domgrpc.core.machine import Request, handle
from domgrpc.core.rejections import Rejection
from domgrpc.core.state import State
from domgrpc.core.values import (
    MINUTE_MS,
    ClientId,
    DeliveryMethod,
    Limits,
    LocationId,
    LocationIndex,
    LocationType,
    Micros,
    RequestId,
    ServiceId,
    TimeMs,
)

LOCATION_COUNT = 3_000
CANDIDATES = [LocationIndex(index) for index in range(0, LOCATION_COUNT, 50)]
NOW_MS = TimeMs(1_750_000_000_000)
HOME = DeliveryMethod.SHIP_TO_HOME
ZONES = ("America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles")
ROUNDS = 300
WARMUP_ROUNDS = 20


@pytest.fixture(scope="module")
def chain() -> State:
    return make_chain()


def test_a_known_journey(chain: State, benchmark: BenchmarkFixture) -> None:
    journey = Journey(HOME, somewhere(Random(0)))
    _time(benchmark, lambda: table(chain, journey), iterations=1_000)


def test_a_new_customer_from_3000_locations(chain: State, benchmark: BenchmarkFixture) -> None:
    random = Random(1)
    _time(benchmark, lambda: table(chain, Journey(HOME, somewhere(random))))


def test_a_new_customer_from_60_of_them(chain: State, benchmark: BenchmarkFixture) -> None:
    random = Random(2)
    _time(benchmark, lambda: table(chain, Journey(HOME, somewhere(random)), CANDIDATES))


def test_a_new_quarter_of_an_hour(chain: State, benchmark: BenchmarkFixture) -> None:
    quarters = count(1)
    journey = Journey(DeliveryMethod.PICKUP, somewhere(Random(3)))
    _time(
        benchmark,
        lambda: table(chain, journey, now_ms=NOW_MS + next(quarters) * 15 * MINUTE_MS),
    )


def table(
    state: State,
    journey: Journey,
    only: list[LocationIndex] | None = None,
    *,
    now_ms: int = NOW_MS,
) -> TransportTable:
    return state.logistics.table(state.network.locations, journey, TimeMs(now_ms), only=only)


def _time(
    benchmark: BenchmarkFixture, call: Callable[[], TransportTable], *, iterations: int = 1
) -> None:
    benchmark.pedantic(  # type: ignore[no-untyped-call]
        call, rounds=ROUNDS, iterations=iterations, warmup_rounds=WARMUP_ROUNDS
    )


# --- the chain


def make_chain() -> State:
    state = State(Limits())
    random = Random(7)
    for command in _commands(random):
        key = RequestId(f"r{state.revision}")
        answer, _ = handle(state, Request(command, ClientId("b"), key, 0), NOW_MS)
        assert not isinstance(answer.outcome, Rejection), answer.outcome
    return state


def _commands(random: Random) -> list[Command]:
    kinds = (LocationType.STORE, LocationType.STORE, LocationType.DISTRIBUTION_CENTER)
    places: list[Command] = [
        CreateLocation(
            location_id=LocationId(f"place-{number}"),
            fields=LocationFields(type=kinds[number % 3], point=somewhere(random)),
        )
        for number in range(LOCATION_COUNT)
    ]
    calendars: list[Command] = [
        SaveLocationCalendar(
            owner=CalendarOwner(LocationId(f"place-{number}")),
            fields=CalendarFields(_schedule(ZONES[number % 4]), package_micros=Micros(number)),
        )
        for number in range(LOCATION_COUNT)
    ]
    steps = tuple(WeightStep(grams, Micros(grams * 500)) for grams in (500, 2_000, 20_000))
    rates = tuple(
        ZoneRate(zone, Micros(zone * 1_000_000), Micros(1), weight_steps=steps)
        for zone in range(1, 9)
    )
    card = SaveRateCard(service_id=ServiceId("ground"), fields=RateCardFields((HOME,), rates))
    return [*places, *calendars, card]


def _schedule(zone: str) -> Schedule:
    hours = tuple(OpeningHours(weekday, 8 * 60, 20 * 60) for weekday in WEEKDAYS)
    return Schedule(zone, hours, holidays=HolidayRegion("US"))


def somewhere(random: Random) -> Point:
    return Point(
        random.randrange(30 * DEGREE_E7, 48 * DEGREE_E7),
        random.randrange(-120 * DEGREE_E7, -75 * DEGREE_E7),
    )
