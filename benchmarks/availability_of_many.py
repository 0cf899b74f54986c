"""One availability call over 10,000 SKU x location pairs, as a caller feels it.

200 SKUs at 50 locations, every location's figures listed. Asked in turn over gRPC, one call at a
time, from the moment the request message is given to the stub until the answer can be read. Once
nothing changes between the calls; once each of the SKUs is reserved before every call, so that
no figure that the server may have kept is of any use.
"""

import time
from collections.abc import Callable

import grpc
import msgspec

from benchmarks.load_figures import median, percentile
from benchmarks.processes import CHANNEL_OPTIONS, fresh_domgrpc_server
from benchmarks.reserve_workload import TTL_SECONDS, location_name, sku_name
from benchmarks.results import Better, Result
from benchmarks.stocked_server import count_stock, create_locations
from domgrpc.v1.inventory_pb2 import AvailabilityItem, CheckAvailabilityRequest
from domgrpc.v1.inventory_pb2_grpc import InventoryServiceStub
from domgrpc.v1.pipeline_pb2 import ExecuteRequest
from domgrpc.v1.pipeline_pb2_grpc import PipelineServiceStub

SKU_COUNT = 200
LOCATION_COUNT = 50
_DEADLINE_SECONDS = 30.0


class WrongAnswer(Exception):
    """The answer has not as many figures as were asked."""


class Scale(msgspec.Struct, frozen=True):
    """How often is asked."""

    calls: int


FULL = Scale(calls=200)
QUICK = Scale(calls=5)


def run(*, quick: bool) -> list[Result]:
    """Ask again and again, without and with changes in between."""
    scale = QUICK if quick else FULL
    with (
        fresh_domgrpc_server() as server,
        grpc.insecure_channel(server.target, options=CHANNEL_OPTIONS) as channel,
    ):
        create_locations(channel, [location_name(number) for number in range(LOCATION_COUNT)])
        skus = [sku_name(number) for number in range(SKU_COUNT)]
        count_stock(channel, skus, [location_name(number) for number in range(LOCATION_COUNT)])
        quiet = _ask(channel, scale, None)
        busy = _ask(channel, scale, lambda number: _reserve_each(skus, number))
    return [_result("nothing changes", quiet), _result("every SKU changes before each", busy)]


def _ask(
    channel: grpc.Channel, scale: Scale, changes: Callable[[int], ExecuteRequest] | None
) -> list[float]:
    check = InventoryServiceStub(channel).CheckAvailability
    execute = PipelineServiceStub(channel).Execute
    request = CheckAvailabilityRequest(
        items=[AvailabilityItem(sku=sku_name(number)) for number in range(SKU_COUNT)],
        include_locations=True,
    )
    took_ms = []
    for number in range(scale.calls):
        if changes is not None:
            execute(changes(number), timeout=_DEADLINE_SECONDS)
        started = time.perf_counter()
        answer = check(request, timeout=_DEADLINE_SECONDS)
        took_ms.append((time.perf_counter() - started) * 1_000)
        pair_count = sum(len(item.locations) for item in answer.items)
        if pair_count != SKU_COUNT * LOCATION_COUNT:
            raise WrongAnswer(f"{pair_count} pairs were answered")
    return took_ms


def _reserve_each(skus: list[str], number: int) -> ExecuteRequest:
    request = ExecuteRequest()
    for place, sku in enumerate(skus):
        reserve = request.operations.add().reserve_stock
        reserve.request_id = f"change:{number}:{place}"
        location = location_name((number + place) % LOCATION_COUNT)
        reserve.lines.add(sku=sku, location_id=location, quantity=1)
        reserve.ttl.seconds = TTL_SECONDS
    return request


def _result(case: str, took_ms: list[float]) -> Result:
    return Result(
        name=f"CheckAvailability of 10,000 pairs, {case}: p50",
        value=median(took_ms),
        unit="ms",
        better=Better.LOWER,
        must=25,
        aim=8,
        note=f"p99 {percentile(took_ms, 99):.1f} ms of {len(took_ms)} calls, one at a time, "
        "reading the message included",
    )
