"""Unary calls against a no-op server with the same messages: what the service itself adds.

Rounds alternate between the two servers, because the speed of a machine drifts; the figure is the
ratio of the medians. Both servers run all the while, each in its own process, and the load comes
from a third, this one.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
import msgspec

from benchmarks.load_figures import median
from benchmarks.processes import RunningServer, fresh_domgrpc_server, listening
from benchmarks.reserve_workload import Reserve, reserves, sku_name
from benchmarks.results import Better, Result
from benchmarks.stocked_server import reserve_request, stock_server
from benchmarks.temporary_places import temporary_folder
from benchmarks.unary_load import CONCURRENCY, UnaryRound, run_round
from domgrpc.v1.inventory_pb2 import AvailabilityItem, CheckAvailabilityRequest
from domgrpc.v1.inventory_pb2_grpc import InventoryServiceStub
from domgrpc.v1.reservation_pb2_grpc import ReservationServiceStub

CHECK = "/domgrpc.v1.InventoryService/CheckAvailability"
RESERVE = "/domgrpc.v1.ReservationService/ReserveStock"
SKUS_PER_CHECK = 5


class Scale(msgspec.Struct, frozen=True):
    """How much is run."""

    rounds: int
    calls_per_round: int


FULL = Scale(rounds=5, calls_per_round=4_000)
QUICK = Scale(rounds=1, calls_per_round=200)


def run(*, quick: bool) -> list[Result]:
    """Compare both calls with the no-op server."""
    scale = QUICK if quick else FULL
    with fresh_domgrpc_server() as server:
        stock_server(server.target)
        with noop_server(server.target) as noop:
            checks = [_check_request(number) for number in range(scale.calls_per_round)]
            check = _Comparison("CheckAvailability, 5 SKUs", CHECK, must=0.80, aim=0.95)
            check.run(server, noop, [checks] * (scale.rounds + 1))
            # Every reserve is a new request, or it would be answered as a retry.
            reserve = _Comparison("ReserveStock, 2 lines, durable", RESERVE, must=0.70, aim=0.90)
            wanted = [_reserves(scale, seed) for seed in range(scale.rounds + 1)]
            reserve.run(server, noop, wanted)
    return [*check.results(), *reserve.results()]


class _Comparison:
    """Alternating rounds of one call on two servers."""

    def __init__(self, name: str, path: str, *, must: float, aim: float) -> None:
        self._name = name
        self._path = path
        self._must = must
        self._aim = aim
        self._ours: list[UnaryRound] = []
        self._noop: list[UnaryRound] = []

    def run(self, server: RunningServer, noop: RunningServer, rounds: list[list[bytes]]) -> None:
        # A short round first, so that neither pays in a round for what is done only once.
        for each in (noop, server):
            asyncio.run(run_round(each, self._path, rounds[0][: len(rounds[0]) // 10]))
        for requests in rounds[1:]:
            self._noop.append(asyncio.run(run_round(noop, self._path, requests)))
            self._ours.append(asyncio.run(run_round(server, self._path, requests)))

    def results(self) -> list[Result]:
        rates = [median([each.calls_per_second for each in part]) for part in self._parts]
        costs = [median([each.server_us_per_call for each in part]) for part in self._parts]
        loads = [median([each.server_load for each in part]) for part in self._parts]
        note = (
            f"{rates[0]:,.0f}/s against {rates[1]:,.0f}/s of the no-op server, {CONCURRENCY} "
            f"calls in flight from one process; the servers used {loads[0]:.0%} and "
            f"{loads[1]:.0%} of a core"
        )
        return [
            Result(
                name=f"{self._name}: rate against a no-op server",
                value=rates[0] / rates[1],
                unit="x",
                better=Better.HIGHER,
                must=self._must,
                aim=self._aim,
                note=note,
            ),
            Result(
                name=f"{self._name}: processor time of the server per call",
                value=costs[0],
                unit="us",
                better=Better.LOWER,
                note=f"{costs[1]:.0f} us of the no-op server",
            ),
        ]

    @property
    def _parts(self) -> tuple[list[UnaryRound], list[UnaryRound]]:
        return self._ours, self._noop


@contextmanager
def noop_server(target: str) -> Iterator[RunningServer]:
    """Run a no-op server that gives the answers of a real one."""
    with grpc.insecure_channel(target) as channel, temporary_folder() as folder:
        checked = InventoryServiceStub(channel).CheckAvailability(
            CheckAvailabilityRequest.FromString(_check_request(0))
        )
        (one,) = reserves(1, seed=9_999)
        reserved = ReservationServiceStub(channel).ReserveStock(reserve_request(one))
        files = _write(folder, checked.SerializeToString(), reserved.SerializeToString())
        log = folder / "noop.log"
        with listening("-m", "benchmarks.noop_server", *files, log=log) as server:
            yield server


def _write(folder: Path, *contents: bytes) -> list[str]:
    paths = [folder / f"answer-{number}" for number in range(len(contents))]
    for path, content in zip(paths, contents, strict=True):
        path.write_bytes(content)
    return [str(path) for path in paths]


def _check_request(number: int) -> bytes:
    # Five SKUs that no other request of a round has in this combination.
    items = [
        AvailabilityItem(sku=sku_name((number * SKUS_PER_CHECK + place) % 1_999), quantity=1)
        for place in range(SKUS_PER_CHECK)
    ]
    return CheckAvailabilityRequest(items=items).SerializeToString()


def _reserves(scale: Scale, seed: int) -> list[bytes]:
    wanted: Iterator[Reserve] = reserves(scale.calls_per_round, seed=seed)
    return [reserve_request(each).SerializeToString() for each in wanted]
