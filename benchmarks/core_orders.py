"""Orders placed in the core alone: the same decisions, without log, network and other callers.

Placed twice in fresh states: once as it is, for the total, and once with the solver and the
planner wrapped in clocks, for their shares. A clock costs less than a microsecond, which is in
the shares.
"""

import time
from collections.abc import Callable
from typing import Any

import msgspec

from benchmarks.order_workload import ON_HAND, PlacedOrder, Spot, locations, skus
from domgrpc.core import leg_solving, order_placing
from domgrpc.core.geography import DEGREE_E7, Point
from domgrpc.core.locations import CreateLocation, LocationFields
from domgrpc.core.machine import Request, handle
from domgrpc.core.order_commands import PlaceOrder
from domgrpc.core.orders import Address, Order, OrderLine, OrderTerms
from domgrpc.core.state import State
from domgrpc.core.stock_changes import CountStock, UpdateStock
from domgrpc.core.values import (
    Channel,
    ClientId,
    DeliveryMethod,
    Limits,
    LineId,
    LocationId,
    LocationType,
    OrderId,
    Quantity,
    RequestId,
    Sku,
    TimeMs,
)
from domgrpc.engine.engine import tune_collector
from domgrpc.engine.records import RecordBuffer

_NOW_MS = TimeMs(1_750_000_000_000)
_WARM_COUNT = 2_000


class CoreFigures(msgspec.Struct, frozen=True):
    """Microseconds an order, on average."""

    total_us: float
    planning_us: float
    solver_us: float
    encoding_us: float
    proven_share: float


def place_in_core(orders: list[PlacedOrder]) -> CoreFigures:
    """Place orders in fresh states; the first ones warm what is cached and do not count."""
    commands = [_command(order) for order in orders]
    total_us, encoding_us, placed = _placed(_stocked_state(), commands)
    planning = _Clocked(order_placing, "plan_order")
    solver = _Clocked(leg_solving, "solve")
    with planning, solver:
        _placed(_stocked_state(), commands, clocks=(planning, solver))
    count = len(placed)
    legs = [leg for order in placed for leg in order.decisions[0].legs]
    return CoreFigures(
        total_us,
        planning.seconds / count * 1e6,
        solver.seconds / count * 1e6,
        encoding_us,
        sum(leg.is_proven for leg in legs) / len(legs),
    )


class _Clocked:
    """Sums up how long a function of a module takes, while it is entered."""

    def __init__(self, module: Any, name: str) -> None:  # noqa: ANN401 - any module
        self._module = module
        self._name = name
        self.seconds = 0.0

    def __enter__(self) -> None:
        self._plain: Callable[..., Any] = getattr(self._module, self._name)

        def clocked(*given: Any, **named: Any) -> Any:  # noqa: ANN401 - hands on what it gets
            started = time.process_time()
            answer = self._plain(*given, **named)
            self.seconds += time.process_time() - started
            return answer

        setattr(self._module, self._name, clocked)

    def __exit__(self, *_: object) -> None:
        setattr(self._module, self._name, self._plain)


def _placed(
    state: State,
    commands: list[PlaceOrder],
    clocks: tuple[_Clocked, ...] = (),
) -> tuple[float, float, list[Order]]:
    warm_count = min(_WARM_COUNT, len(commands) // 2)
    for command in commands[:warm_count]:
        handle(state, _request(command), _NOW_MS)
    for clock in clocks:
        clock.seconds = 0.0
    requests = [_request(command) for command in commands[warm_count:]]
    # As the server does: the state lives as long as the process.
    tune_collector()
    started = time.process_time()
    answers = [handle(state, request, _NOW_MS) for request in requests]
    total = time.process_time() - started
    buffer = RecordBuffer()
    started = time.process_time()
    for _, record in answers:
        assert record is not None
        buffer.add(record)
    encoding = time.process_time() - started
    placed = [answer.outcome for answer, _ in answers if isinstance(answer.outcome, Order)]
    assert len(placed) == len(requests), "nothing may be refused"
    return total / len(requests) * 1e6, encoding / len(requests) * 1e6, placed


def _request(command: PlaceOrder) -> Request:
    return Request(command, ClientId("bench"), RequestId(command.order_id), 1)


def _command(order: PlacedOrder) -> PlaceOrder:
    lines = tuple(
        OrderLine(LineId(str(number)), Sku(sku), Quantity(units), DeliveryMethod.SHIP_TO_HOME)
        for number, (sku, units) in enumerate(order.lines, 1)
    )
    terms = OrderTerms(channel=Channel("web"), address=Address(point=_point(order.spot)))
    return PlaceOrder(lines, terms, OrderId(order.order_id))


def _point(spot: Spot) -> Point:
    return Point(round(spot.latitude * DEGREE_E7), round(spot.longitude * DEGREE_E7))


def _stocked_state() -> State:
    state = State(Limits())
    for number, (name, spot) in enumerate(locations().items()):
        fields = LocationFields(type=LocationType.STORE, point=_point(spot))
        command = CreateLocation(location_id=LocationId(name), fields=fields)
        _send(state, command, f"place-{number}")
    names = list(locations())
    for number, sku in enumerate(skus()):
        updates = tuple(CountStock(Sku(sku), LocationId(name), Quantity(ON_HAND)) for name in names)
        _send(state, UpdateStock(updates=updates), f"stock-{number}")
    return state


def _send(state: State, command: CreateLocation | UpdateStock, name: str) -> None:
    handle(state, Request(command, ClientId("bench"), RequestId(name), 1), _NOW_MS)
