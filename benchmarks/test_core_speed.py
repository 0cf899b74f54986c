"""Times of the core's hot functions and of encoding what they decide.

Run by `make bench BENCH=hot_functions`, or alone: pytest benchmarks/test_core_speed.py. Each
iteration is one call; requests are made before, and none is a retry of another.
"""

from collections.abc import Callable
from itertools import count

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.reserve_workload import location_name, reserves, sku_name
from domgrpc.core.availability import CheckAvailability, check_availability
from domgrpc.core.dispatch import Command
from domgrpc.core.events import Record
from domgrpc.core.locations import CreateLocation, LocationFields
from domgrpc.core.machine import Request, handle, replay
from domgrpc.core.rejections import Rejection
from domgrpc.core.reservations import (
    ConfirmReservation,
    LineQuantity,
    ReleaseReservation,
    ReserveStock,
)
from domgrpc.core.state import State
from domgrpc.core.stock_changes import CountStock, UpdateStock
from domgrpc.core.values import (
    ClientId,
    Limits,
    LocationId,
    LocationType,
    Quantity,
    RequestId,
    ReservationId,
    Sku,
    TimeMs,
)
from domgrpc.engine.records import RecordBuffer, fingerprint

SKU_COUNT = 2_000
LOCATION_COUNT = 20
ROUNDS = 200
CALLS_PER_ROUND = 50
WARMUP_ROUNDS = 20
CALLS = (ROUNDS + WARMUP_ROUNDS) * CALLS_PER_ROUND + 1
"""pytest-benchmark makes one call more than it times."""
NOW_MS = TimeMs(1_000_000)


@pytest.fixture(scope="module")
def stocked() -> State:
    return make_stocked()


def test_reserve_two_lines(stocked: State, benchmark: BenchmarkFixture) -> None:
    _time_each(benchmark, stocked, _reserves(seed=1))


def test_confirm(stocked: State, benchmark: BenchmarkFixture) -> None:
    requests = [_request(ConfirmReservation(held), f"c:{held}") for held in _held(stocked, seed=2)]
    _time_each(benchmark, stocked, requests)


def test_release(stocked: State, benchmark: BenchmarkFixture) -> None:
    requests = [_request(ReleaseReservation(held), f"r:{held}") for held in _held(stocked, seed=3)]
    _time_each(benchmark, stocked, requests)


def test_count_one_position(stocked: State, benchmark: BenchmarkFixture) -> None:
    location = LocationId(location_name(0))
    _time_each(
        benchmark,
        stocked,
        [
            _request(
                UpdateStock((CountStock(Sku(sku_name(n % SKU_COUNT)), location, Quantity(n)),)),
                f"recount-{n}",
            )
            for n in range(CALLS)
        ],
    )


def test_reserve_anywhere(stocked: State, benchmark: BenchmarkFixture) -> None:
    anywhere = (
        LineQuantity(Sku(line.sku), LocationId(""), Quantity(1))
        for reserve in reserves(CALLS, seed=4)
        for line in (reserve.first, reserve.second)
    )
    requests = [
        _request(ReserveStock((first, second)), f"anywhere-{number}")
        for number, (first, second) in enumerate(zip(anywhere, anywhere, strict=True))
    ]
    _time_each(benchmark, stocked, requests)


def test_check_availability_of_five_skus(stocked: State, benchmark: BenchmarkFixture) -> None:
    numbers = count()

    def check() -> None:
        start = next(numbers) * 5
        items = tuple(
            (Sku(sku_name((start + place) % SKU_COUNT)), Quantity(1)) for place in range(5)
        )
        check_availability(stocked.network, CheckAvailability(items), NOW_MS)

    _time(benchmark, check)


def test_fingerprint_of_a_reserve(benchmark: BenchmarkFixture) -> None:
    commands = iter([request.command for request in _reserves(seed=5)])
    _time(benchmark, lambda: fingerprint(next(commands)))


def test_encode_a_reserve(stocked: State, benchmark: BenchmarkFixture) -> None:
    records = iter(_records(stocked, seed=6))
    buffer = RecordBuffer()
    _time(benchmark, lambda: buffer.add(next(records)))


def test_replay_a_reserve(benchmark: BenchmarkFixture) -> None:
    records = iter(_records(make_stocked(), seed=7))
    other = make_stocked()
    _time(benchmark, lambda: replay(other, next(records)))


# --- making and timing


def make_stocked() -> State:
    """Make a state with plenty of every SKU at every location; always the same one."""
    state = State(Limits())
    for number in range(LOCATION_COUNT):
        fields = LocationFields(type=LocationType.STORE)
        created = CreateLocation(location_id=LocationId(location_name(number)), fields=fields)
        _do(state, _request(created, f"location-{number}"))
    for number in range(SKU_COUNT):
        counts = tuple(
            CountStock(Sku(sku_name(number)), LocationId(location_name(place)), Quantity(10**9))
            for place in range(LOCATION_COUNT)
        )
        _do(state, _request(UpdateStock(counts), f"count-{number}"))
    return state


def _time_each(benchmark: BenchmarkFixture, state: State, requests: list[Request]) -> None:
    waiting = iter(requests)
    _time(benchmark, lambda: _do(state, next(waiting)))


def _time(benchmark: BenchmarkFixture, call: Callable[[], object]) -> None:
    benchmark.pedantic(  # type: ignore[no-untyped-call]
        call, rounds=ROUNDS, iterations=CALLS_PER_ROUND, warmup_rounds=WARMUP_ROUNDS
    )


def _do(state: State, request: Request) -> Record | None:
    answer, record = handle(state, request, NOW_MS)
    assert not isinstance(answer.outcome, Rejection)
    return record


def _reserves(seed: int) -> list[Request]:
    return [
        _request(
            ReserveStock(
                tuple(
                    LineQuantity(
                        Sku(line.sku), LocationId(line.location_id), Quantity(line.quantity)
                    )
                    for line in (reserve.first, reserve.second)
                )
            ),
            reserve.reserve_id,
        )
        for reserve in reserves(CALLS, seed=seed)
    ]


def _held(state: State, seed: int) -> list[ReservationId]:
    """Make the reserves of a seed and return their reservations."""
    requests = _reserves(seed)
    for request in requests:
        _do(state, request)
    return [ReservationId(request.request_id) for request in requests]


def _records(state: State, seed: int) -> list[Record]:
    done = [_do(state, request) for request in _reserves(seed)]
    return [record for record in done if record is not None]


def _request(command: Command, request_id: str) -> Request:
    return Request(command, ClientId("till-1"), RequestId(request_id), fingerprint(command))
