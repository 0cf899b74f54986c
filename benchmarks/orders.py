"""Orders placed end to end: routed exactly, claimed and durable, over gRPC.

`Execute` in rounds of prepared messages, and unary calls of 64 callers for their delays. The same
orders are then placed in the core alone, without log and network, once as it is and once with
every part timed, which tells what the solver and the log have of the time.
"""

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack

import grpc
import msgspec

from benchmarks.core_orders import CoreFigures, place_in_core
from benchmarks.load_figures import median, percentile, processor_seconds
from benchmarks.order_workload import PlacedOrder, locations, orders, skus
from benchmarks.processes import CHANNEL_OPTIONS, RunningServer, fresh_domgrpc_server
from benchmarks.results import Better, Result
from benchmarks.stocked_server import count_stock
from domgrpc.v1.location_pb2 import LOCATION_TYPE_STORE, CreateLocationRequest, Location
from domgrpc.v1.location_pb2_grpc import LocationServiceStub
from domgrpc.v1.order_pb2 import ORDER_STATUS_OPEN, ORDER_VIEW_BASIC, Order, PlaceOrderRequest
from domgrpc.v1.pipeline_pb2 import ExecuteRequest, ExecuteResponse
from domgrpc.v1.types_pb2 import Point

EXECUTE = "/domgrpc.v1.PipelineService/Execute"
PLACE = "/domgrpc.v1.OrderService/PlaceOrder"
IN_FLIGHT = 3
CALLERS = 64
_DEADLINE_SECONDS = 60.0


class Scale(msgspec.Struct, frozen=True, kw_only=True):
    """How much is run."""

    rounds: int
    orders_per_round: int
    operations_per_call: int
    unary_calls: int
    core_orders: int


FULL = Scale(
    rounds=5, orders_per_round=8_000, operations_per_call=200, unary_calls=6_000, core_orders=10_000
)
QUICK = Scale(
    rounds=1, orders_per_round=300, operations_per_call=50, unary_calls=200, core_orders=300
)


class OrderRefused(Exception):
    """An order was answered with anything but an open order."""


def run(*, quick: bool) -> list[Result]:
    """Measure `Execute`, unary calls and the core alone."""
    scale = QUICK if quick else FULL
    with ExitStack() as stack:
        server = stack.enter_context(fresh_domgrpc_server())
        _stock(server.target)
        _run_execute(server, scale, seed=99)
        rounds = [_run_execute(server, scale, seed=seed) for seed in range(scale.rounds)]
        delays = asyncio.run(_run_unary(server, scale))
    core = place_in_core(list(orders(scale.core_orders, seed=7)))
    return [*_execute_results(scale, rounds, core), *_unary_results(delays), *_core_results(core)]


# --- what is sent


def order_request(order: PlacedOrder) -> PlaceOrderRequest:
    """Return the message of an order, answered in short."""
    request = PlaceOrderRequest(request_id=order.order_id, view=ORDER_VIEW_BASIC)
    for sku, units in order.lines:
        request.lines.add(sku=sku, quantity=units)
    request.terms.channel = "web"
    point = request.terms.address.point
    point.latitude_degrees = order.spot.latitude
    point.longitude_degrees = order.spot.longitude
    return request


def _stock(target: str) -> None:
    with grpc.insecure_channel(target) as channel:
        stub = LocationServiceStub(channel)
        for name, spot in locations().items():
            point = Point(latitude_degrees=spot.latitude, longitude_degrees=spot.longitude)
            location = Location(location_id=name, type=LOCATION_TYPE_STORE, point=point)
            stub.CreateLocation(
                CreateLocationRequest(request_id=f"create:{name}", location=location),
                timeout=_DEADLINE_SECONDS,
            )
        count_stock(channel, skus(), list(locations()))


def _execute_requests(scale: Scale, seed: int) -> Iterator[bytes]:
    request = ExecuteRequest()
    for order in orders(scale.orders_per_round, seed=seed):
        request.operations.add().place_order.CopyFrom(order_request(order))
        if len(request.operations) == scale.operations_per_call:
            yield request.SerializeToString()
            request = ExecuteRequest()


# --- rounds


class _Round(msgspec.Struct, frozen=True):
    orders_per_second: float
    server_us: float


def _run_execute(server: RunningServer, scale: Scale, *, seed: int) -> _Round:
    requests = list(_execute_requests(scale, seed))
    used = processor_seconds(server.pid)
    seconds, answers = asyncio.run(_send(server.target, requests))
    used = processor_seconds(server.pid) - used
    for answer in answers:
        for result in ExecuteResponse.FromString(answer).results:
            _check_open(result.order, result)
    count = scale.orders_per_round
    return _Round(count / seconds, used / count * 1e6)


async def _send(target: str, requests: Sequence[bytes]) -> tuple[float, list[bytes]]:
    answers: list[bytes] = []
    async with grpc.aio.insecure_channel(target, options=CHANNEL_OPTIONS) as channel:
        await channel.channel_ready()
        execute: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(EXECUTE)
        waiting = iter(requests)

        async def send_in_turn() -> None:
            answers.extend(
                [await execute(request, timeout=_DEADLINE_SECONDS) for request in waiting]
            )

        started = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for _ in range(IN_FLIGHT):
                group.create_task(send_in_turn())
        return time.perf_counter() - started, answers


class _Delays(msgspec.Struct, frozen=True):
    orders_per_second: float
    delays_ms: list[float]


async def _run_unary(server: RunningServer, scale: Scale) -> _Delays:
    requests = [
        order_request(order).SerializeToString() for order in orders(scale.unary_calls, seed=500)
    ]
    delays: list[float] = []
    async with grpc.aio.insecure_channel(server.target, options=CHANNEL_OPTIONS) as channel:
        await channel.channel_ready()
        place: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(PLACE)
        waiting = iter(requests)

        async def call_in_turn() -> None:
            for request in waiting:
                started = time.perf_counter()
                answer = await place(request, timeout=_DEADLINE_SECONDS)
                delays.append((time.perf_counter() - started) * 1e3)
                _check_open(Order.FromString(answer), answer)

        started = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for _ in range(CALLERS):
                group.create_task(call_in_turn())
        seconds = time.perf_counter() - started
    return _Delays(len(requests) / seconds, delays)


def _check_open(order: Order, answer: object) -> None:
    if order.status != ORDER_STATUS_OPEN or not order.fulfillment_orders:
        raise OrderRefused(f"an order was answered: {answer!r}")


# --- what came of it


def _execute_results(scale: Scale, rounds: list[_Round], core: CoreFigures) -> list[Result]:
    rates = [each.orders_per_second for each in rounds]
    server_us = median([each.server_us for each in rounds])
    shares = {
        "the solver": core.solver_us,
        "the rest of planning": core.planning_us - core.solver_us,
        "claiming, storing and keeping the answer": core.total_us - core.planning_us,
        "encoding for the log": core.encoding_us,
    }
    inside = sum(shares.values())
    told = ", ".join(f"{name} {us / server_us:.0%}" for name, us in shares.items())
    rest = max(0.0, 1 - inside / server_us)
    return [
        Result(
            name="Execute: durable orders of 2.2 lines, 50 candidates",
            value=median(rates),
            unit="/s",
            better=Better.HIGHER,
            must=3_000,
            aim=8_000,
            note=f"{scale.operations_per_call} orders a call, {IN_FLIGHT} calls in flight; "
            f"{min(rates):,.0f} to {max(rates):,.0f}/s in {scale.rounds} rounds; "
            f"{server_us:.0f} us of processor time each, of it {told}, gRPC, messages and syncs "
            f"{rest:.0%} (the parts were timed in the core alone, on an idle second core)",
        )
    ]


def _unary_results(found: _Delays) -> list[Result]:
    return [
        Result(
            name="unary PlaceOrder, 64 callers",
            value=found.orders_per_second,
            unit="/s",
            better=Better.HIGHER,
            note="each durable; one client process beside the server",
        ),
        Result(
            name="unary PlaceOrder, 64 callers, p50",
            value=percentile(found.delays_ms, 50),
            unit="ms",
            better=Better.LOWER,
        ),
        Result(
            name="unary PlaceOrder, 64 callers, p99",
            value=percentile(found.delays_ms, 99),
            unit="ms",
            better=Better.LOWER,
        ),
    ]


def _core_results(core: CoreFigures) -> list[Result]:
    return [
        Result(
            name="route and reserve in the core, 2.2 lines x 50 locations",
            value=1e6 / core.total_us,
            unit="/s",
            better=Better.HIGHER,
            must=20_000,
            note=f"{core.total_us:.0f} us an order, one after the other, without API and log; "
            f"{core.proven_share:.1%} proven optimal",
        )
    ]
