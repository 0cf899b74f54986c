"""What the client library costs for one coalesced call, without gRPC and without a server.

Sixty-four callers hold stock at once. Their operations are written, gathered, serialized, and
answered from bytes that were made before. Run by `make bench BENCH=hot_functions`, or alone:
pytest benchmarks/test_client_speed.py. Divide a round by `CALLER_COUNT` for one call.
"""

import asyncio
from typing import Any

from pytest_benchmark.fixture import BenchmarkFixture

from domgrpc.client import DomgrpcClient, Line
from domgrpc.client.calls import ALONE_COUNT_MAX
from domgrpc.client.coalescing import Coalescer
from domgrpc.v1.pipeline_pb2 import ExecuteRequest, ExecuteResponse
from domgrpc.v1.reservation_pb2 import Reservation, ReservationState

CALLER_COUNT = 64
LINES = [Line("sku-001", 2, "store-01"), Line("sku-002", 1, "store-01")]


class CannedServer:
    """Answers every batch with the same bytes."""

    def __init__(self) -> None:
        response = ExecuteResponse(revision=1)
        for _ in range(CALLER_COUNT):
            hold = response.results.add().reservation
            hold.reservation_id, hold.client_id, hold.etag, hold.revision = "r" * 26, "web", "1", 1
            hold.state = ReservationState.RESERVATION_STATE_HELD
            for time in (hold.expire_time, hold.create_time, hold.update_time):
                time.seconds = 1_750_000_000
            for line in LINES:
                hold.lines.add(sku=line.sku, location_id=line.location_id, quantity=line.quantity)
        self._answer = response.SerializeToString()

    async def execute(self, request: ExecuteRequest, deadline: float) -> ExecuteResponse:
        """Serialize and parse as gRPC would."""
        assert len(request.SerializeToString()) > CALLER_COUNT
        assert deadline > 0
        await asyncio.sleep(0)
        return ExecuteResponse.FromString(self._answer)

    async def repeat(self, *_call: Any) -> Any:  # noqa: ANN401 - nothing is ever repeated here
        """Never needed: no operation is refused."""
        raise AssertionError

    async def alone(self, *_call: Any) -> Any:  # noqa: ANN401 - nothing ever goes alone here
        """Never needed: no batch is refused."""
        raise AssertionError


async def _connected() -> DomgrpcClient:
    client = DomgrpcClient()
    client.calls.coalescer = Coalescer(CannedServer())
    # As if so many calls were under way already, so that all further ones are coalesced.
    client.calls.alone_count = ALONE_COUNT_MAX
    return client


async def _hold_all(client: DomgrpcClient) -> list[Reservation]:
    calls = (
        client.reserve_stock(LINES, channel="web", ttl_seconds=900) for _ in range(CALLER_COUNT)
    )
    return await asyncio.gather(*calls)


def test_coalesced_reserves(benchmark: BenchmarkFixture) -> None:
    loop = asyncio.new_event_loop()
    try:
        client = loop.run_until_complete(_connected())
        holds = benchmark(lambda: loop.run_until_complete(_hold_all(client)))
        assert len(holds) == CALLER_COUNT
        loop.run_until_complete(client.close())
    finally:
        loop.close()
