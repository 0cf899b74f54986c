"""A gRPC server that refuses calls by a script, for what a healthy server never does.

It speaks the real protocol over a real connection and knows nothing of stock: a hold is granted
at once and gets the id of its request.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable
from typing import Any

import grpc
import grpc.aio
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status
from grpc_status.rpc_status import to_status

from domgrpc.v1.inventory_pb2 import (
    StockChange,
    StreamStockUpdatesRequest,
    StreamStockUpdatesResponse,
    WatchInventoryRequest,
    WatchInventoryResponse,
)
from domgrpc.v1.inventory_pb2_grpc import (
    InventoryServiceServicer,
    add_InventoryServiceServicer_to_server,
)
from domgrpc.v1.pipeline_pb2 import ExecuteRequest, ExecuteResponse
from domgrpc.v1.pipeline_pb2_grpc import (
    PipelineServiceServicer,
    add_PipelineServiceServicer_to_server,
)
from domgrpc.v1.reservation_pb2 import Reservation, ReserveStockRequest
from domgrpc.v1.reservation_pb2_grpc import (
    ReservationServiceServicer,
    add_ReservationServiceServicer_to_server,
)

Context = Any
"""What grpc hands to a method; its generated and its real type differ."""
UNAVAILABLE = grpc.StatusCode.UNAVAILABLE
EXHAUSTED = grpc.StatusCode.RESOURCE_EXHAUSTED


def status(
    code: grpc.StatusCode, reason: str = "", *, retry_seconds: float | None = None
) -> Status:
    """Return what an error carries: a code, a reason and, if wanted, when to come back."""
    number: int = code.value[0]
    made = Status(code=number, message=f"refused as {reason or code.name}")
    if reason:
        made.details.add().Pack(ErrorInfo(reason=reason, domain="domgrpc"))
    if retry_seconds is not None:
        delay = Duration()
        delay.FromMicroseconds(round(retry_seconds * 1e6))
        made.details.add().Pack(RetryInfo(retry_delay=delay))
    return made


class ScriptedServer:
    """Refuses the next calls with `refusals`, and holds calls back while `gate` is closed."""

    def __init__(self) -> None:
        self.refusals: deque[Status] = deque()
        self.batch_refusals: deque[Status] = deque()
        self.operation_refusals: dict[str, deque[Status]] = {}
        self.gate = asyncio.Event()
        self.gate.set()
        self.arrived = asyncio.Condition()
        self.alone: list[ReserveStockRequest] = []
        self.batches: list[ExecuteRequest] = []
        self.watches: list[WatchInventoryRequest] = []
        self.watch_script: deque[list[WatchInventoryResponse | Status]] = deque()
        self.feed_ends_after: deque[int] = deque()
        self.fed: list[int] = []
        self.address = ""
        self._server = grpc.aio.server()

    async def start(self) -> None:
        """Listen on a free port."""
        # Calls that are not written out below are answered as UNIMPLEMENTED.
        reservations = _Reservations(self)  # type: ignore[abstract] # only its stub is abstract
        inventory = _Inventory(self)  # type: ignore[abstract] # likewise
        add_ReservationServiceServicer_to_server(reservations, self._server)
        add_PipelineServiceServicer_to_server(_Pipeline(self), self._server)
        add_InventoryServiceServicer_to_server(inventory, self._server)
        self.address = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        await self._server.start()

    async def stop(self) -> None:
        """Stop at once."""
        self.gate.set()
        await self._server.stop(0)

    async def until(self, *, alone: int = 0, batches: int = 0) -> None:
        """Wait until so many calls have arrived."""
        async with asyncio.timeout(10), self.arrived:
            await self.arrived.wait_for(
                lambda: len(self.alone) >= alone and len(self.batches) >= batches
            )

    async def admit(self, context: Context) -> None:
        """Hold a call back, then refuse it where the script says so."""
        async with self.arrived:
            self.arrived.notify_all()
        await self.gate.wait()
        if self.refusals:
            await refuse(context, self.refusals.popleft())

    def request_ids(self, batch: ExecuteRequest) -> list[str]:
        """Return the request ids of a batch."""
        return [operation.reserve_stock.request_id for operation in batch.operations]

    def next_refusal(self, request_id: str) -> Status | None:
        """Return what the script says about one operation."""
        script = self.operation_refusals.get(request_id)
        return script.popleft() if script else None


async def refuse(context: Context, refusal: Status) -> None:
    """End a call with a status."""
    await context.abort_with_status(to_status(refusal))


def changes(revision: int, *skus: str) -> Iterable[StockChange]:
    """Return the changes of one revision."""
    return [StockChange(revision=revision, sku=sku, on_hand_delta=1) for sku in skus]


class _Reservations(ReservationServiceServicer):
    def __init__(self, server: ScriptedServer) -> None:
        self._server = server

    async def ReserveStock(  # noqa: N802 - the name is the proto's
        self, request: ReserveStockRequest, context: Context
    ) -> Reservation:
        self._server.alone.append(request)
        await self._server.admit(context)
        refusal = self._server.next_refusal(request.request_id)
        if refusal is not None:
            await refuse(context, refusal)
        return Reservation(reservation_id=request.request_id)


class _Pipeline(PipelineServiceServicer):
    def __init__(self, server: ScriptedServer) -> None:
        self._server = server

    async def Execute(  # noqa: N802 - the name is the proto's
        self, request: ExecuteRequest, context: Context
    ) -> ExecuteResponse:
        self._server.batches.append(request)
        await self._server.admit(context)
        if self._server.batch_refusals:
            await refuse(context, self._server.batch_refusals.popleft())
        response = ExecuteResponse()
        for operation in request.operations:
            key = operation.reserve_stock.request_id
            refusal = self._server.next_refusal(key)
            if refusal is None:
                response.results.add().reservation.reservation_id = key
            else:
                response.results.add().error.CopyFrom(refusal)
        return response


class _Inventory(InventoryServiceServicer):
    def __init__(self, server: ScriptedServer) -> None:
        self._server = server

    async def WatchInventory(  # noqa: N802 - the name is the proto's
        self, request: WatchInventoryRequest, context: Context
    ) -> AsyncIterator[WatchInventoryResponse]:
        self._server.watches.append(request)
        for step in self._server.watch_script.popleft():
            if isinstance(step, Status):
                await refuse(context, step)
            else:
                yield step

    async def StreamStockUpdates(  # noqa: N802 - the name is the proto's
        self, request_iterator: AsyncIterator[StreamStockUpdatesRequest], context: Context
    ) -> AsyncIterator[StreamStockUpdatesResponse]:
        left = self._server.feed_ends_after.popleft() if self._server.feed_ends_after else -1
        async for batch in request_iterator:
            if left == 0:
                await refuse(context, status(UNAVAILABLE))
            left -= 1
            duplicate = batch.sequence in self._server.fed
            if not duplicate:
                self._server.fed.append(batch.sequence)
            yield StreamStockUpdatesResponse(sequence=batch.sequence, duplicate=duplicate)
