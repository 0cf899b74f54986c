"""The replay itself: calls of the public API, one for each thing that an invoice does.

Notes every call with its answer, so that an independent fold can say what must have come of it.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

import grpc
import msgspec
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status

from benchmarks.processes import CHANNEL_OPTIONS
from benchmarks.retail_fold import ANYWHERE, Call
from benchmarks.retail_invoices import Invoice, Kind, Store
from benchmarks.retail_stock import Position, Shelves
from domgrpc.v1.admin_pb2 import GetStatusRequest
from domgrpc.v1.admin_pb2_grpc import AdminServiceStub
from domgrpc.v1.inventory_pb2 import (
    InventoryPosition,
    ListPositionsRequest,
    StockAdjustment,
    StockCount,
    StockUpdate,
    UpdateStockRequest,
    UpdateStockResponse,
)
from domgrpc.v1.inventory_pb2_grpc import InventoryServiceStub
from domgrpc.v1.location_pb2 import LOCATION_TYPE_STORE, CreateLocationRequest, Location
from domgrpc.v1.location_pb2_grpc import LocationServiceStub
from domgrpc.v1.reservation_pb2 import (
    ConfirmReservationRequest,
    Reservation,
    ReserveLine,
    ReserveStockRequest,
)
from domgrpc.v1.reservation_pb2_grpc import ReservationServiceStub
from domgrpc.v1.types_pb2 import Point

if TYPE_CHECKING:
    from domgrpc.v1.admin_pb2_grpc import AdminServiceAsyncStub
    from domgrpc.v1.inventory_pb2_grpc import InventoryServiceAsyncStub
    from domgrpc.v1.reservation_pb2_grpc import ReservationServiceAsyncStub

_Answer = TypeVar("_Answer", Reservation, UpdateStockResponse)

_COUNTS_PER_CALL = 5_000
_PAGE_SIZE = 1_000
_DEADLINE_SECONDS = 30.0
_STATUS_KEY = "grpc-status-details-bin"
_LAWFUL_REFUSALS = frozenset({"INSUFFICIENT_STOCK", "QUANTITY_BELOW_ZERO"})


class Replayed(msgspec.Struct, frozen=True, kw_only=True):
    """What a replay did and found; the positions as (on_hand, soft_reserved, allocated)."""

    invoice_count: int
    line_count: int
    seconds: float
    call_ms: tuple[float, ...]
    calls: tuple[Call, ...]
    refused: dict[str, int]
    revisions: tuple[int, int]
    """The newest revision before the first invoice and after the last."""
    segment_bytes: int
    """By how much the segments of the log grew; they grow by whole segments."""
    positions: dict[Position, tuple[int, int, int]]

    @property
    def refusal_count(self) -> int:
        """How many calls were refused."""
        return sum(self.refused.values())

    @property
    def refused_text(self) -> str:
        """The reasons with their numbers."""
        return ", ".join(f"{count} {name}" for name, count in sorted(self.refused.items())) or "-"


class Replay:
    """Replays invoices onto an empty server."""

    def __init__(self, target: str, shelves: Shelves, *, anywhere: bool) -> None:
        """Replay to a server; `anywhere` leaves it to the server where to hold."""
        self._target = target
        self._shelves = shelves
        self._anywhere = anywhere
        self._calls: list[Call] = []
        self._call_ms: list[float] = []
        self._refused: Counter[str] = Counter()
        self._seen_revision = 0

    async def run(
        self,
        stores: Sequence[Store],
        opening: dict[Position, int],
        invoices: Sequence[Invoice],
        *,
        concurrency: int,
    ) -> Replayed:
        """Create the stores, stock them, replay the invoices, and read every position."""
        async with grpc.aio.insecure_channel(self._target, options=CHANNEL_OPTIONS) as channel:
            reservations: ReservationServiceAsyncStub = ReservationServiceStub(channel)
            inventory: InventoryServiceAsyncStub = InventoryServiceStub(channel)
            admin: AdminServiceAsyncStub = AdminServiceStub(channel)
            await _create_stores(channel, stores)
            await _count_stock(inventory, opening)
            before = await admin.GetStatus(GetStatusRequest(), timeout=_DEADLINE_SECONDS)
            self._seen_revision = before.revision
            started = time.perf_counter()
            waiting = iter(invoices)
            async with asyncio.TaskGroup() as group:
                for _ in range(concurrency):
                    group.create_task(self._work(waiting, reservations, inventory))
            seconds = time.perf_counter() - started
            after = await admin.GetStatus(GetStatusRequest(), timeout=_DEADLINE_SECONDS)
            positions = {
                (each.sku, each.location_id): (each.on_hand, each.soft_reserved, each.allocated)
                async for each in _all_positions(inventory)
            }
        return Replayed(
            invoice_count=len({invoice.number for invoice in invoices}),
            line_count=sum(len(invoice.lines) for invoice in invoices),
            seconds=seconds,
            call_ms=tuple(self._call_ms),
            calls=tuple(self._calls),
            refused=dict(self._refused),
            revisions=(before.revision, after.revision),
            segment_bytes=after.log_size_bytes - before.log_size_bytes,
            positions=positions,
        )

    async def _work(
        self,
        waiting: Iterator[Invoice],
        reservations: "ReservationServiceAsyncStub",
        inventory: "InventoryServiceAsyncStub",
    ) -> None:
        for invoice in waiting:
            if invoice.kind is Kind.SALE:
                await self._sell(invoice, reservations)
            else:
                await self._adjust(invoice, inventory)

    # --- one invoice

    async def _sell(self, invoice: Invoice, reservations: "ReservationServiceAsyncStub") -> None:
        asked = tuple(
            (sku, ANYWHERE if self._anywhere else self._shelves.store_for(invoice, sku), units)
            for sku, units in invoice.lines
        )
        lines = [ReserveLine(sku=sku, location_id=at, quantity=n) for sku, at, n in asked]
        request = ReserveStockRequest(
            request_id=f"hold:{invoice.number}", reservation_id=invoice.number, lines=lines
        )
        hold = Call(name=f"hold {invoice.number}", asked=asked)
        held = await self._call(hold, lambda: reservations.ReserveStock(request))
        if held is None:
            return
        hold.taken = _lines_of(held)
        confirm = ConfirmReservationRequest(
            request_id=f"confirm:{invoice.number}", reservation_id=invoice.number
        )
        confirmation = Call(name=f"confirm {invoice.number}", confirms=True)
        confirmed = await self._call(confirmation, lambda: reservations.ConfirmReservation(confirm))
        if confirmed is not None:
            confirmation.taken = _lines_of(confirmed)

    async def _adjust(self, invoice: Invoice, inventory: "InventoryServiceAsyncStub") -> None:
        sign = 1 if invoice.kind is Kind.PUT_BACK else -1
        deltas = tuple(
            (sku, self._shelves.store_for(invoice, sku), sign * units)
            for sku, units in invoice.lines
        )
        request = UpdateStockRequest(request_id=f"{invoice.kind}:{invoice.number}")
        for sku, store, delta in deltas:
            request.updates.add(
                sku=sku,
                location_id=store,
                adjustment=StockAdjustment(delta=delta, reason=invoice.kind.value),
            )
        call = Call(name=f"{invoice.kind} {invoice.number}", deltas=deltas)
        await self._call(call, lambda: inventory.UpdateStock(request))

    async def _call(self, call: Call, send: Callable[[], Awaitable[_Answer]]) -> _Answer | None:
        """Make a call and note its revision and its place; None where the business said no."""
        call.seen_revision = self._seen_revision
        self._calls.append(call)
        started = time.perf_counter()
        try:
            answer = await send()
        except grpc.aio.AioRpcError as error:
            reason = _reason_of(error)
            if reason not in _LAWFUL_REFUSALS:
                raise
            self._refused[reason] += 1
            return None
        finally:
            self._call_ms.append((time.perf_counter() - started) * 1_000)
            call.sent_before_answer = len(self._calls)
        call.revision = answer.revision
        self._seen_revision = max(self._seen_revision, answer.revision)
        return answer


def _lines_of(reservation: Reservation) -> tuple[tuple[str, str, int], ...]:
    return tuple((line.sku, line.location_id, line.quantity) for line in reservation.lines)


def _reason_of(error: grpc.aio.AioRpcError) -> str:
    for key, value in error.trailing_metadata():
        if key == _STATUS_KEY and isinstance(value, bytes):
            return _reason_in(Status.FromString(value)) or error.code().name
    return error.code().name


def _reason_in(status: Status) -> str:
    info = ErrorInfo()
    return next((info.reason for detail in status.details if detail.Unpack(info)), "")


# --- before and after


async def _create_stores(channel: grpc.aio.Channel, stores: Sequence[Store]) -> None:
    stub = LocationServiceStub(channel)
    for store in stores:
        location = Location(
            location_id=store.location_id,
            display_name=store.city,
            type=LOCATION_TYPE_STORE,
            point=Point(
                latitude_degrees=store.latitude_degrees, longitude_degrees=store.longitude_degrees
            ),
        )
        request = CreateLocationRequest(request_id=f"create:{store.location_id}", location=location)
        await stub.CreateLocation(request, timeout=_DEADLINE_SECONDS)


async def _count_stock(
    inventory: "InventoryServiceAsyncStub", opening: dict[Position, int]
) -> None:
    counts = [
        StockUpdate(sku=sku, location_id=store, count=StockCount(on_hand=units))
        for (sku, store), units in opening.items()
    ]
    for start in range(0, len(counts), _COUNTS_PER_CALL):
        request = UpdateStockRequest(
            request_id=f"open:{start}", updates=counts[start : start + _COUNTS_PER_CALL]
        )
        await inventory.UpdateStock(request, timeout=_DEADLINE_SECONDS)


async def _all_positions(
    inventory: "InventoryServiceAsyncStub",
) -> AsyncIterator[InventoryPosition]:
    request = ListPositionsRequest(page_size=_PAGE_SIZE)
    while True:
        page = await inventory.ListPositions(request, timeout=_DEADLINE_SECONDS)
        for position in page.positions:
            yield position
        if not page.next_page_token:
            return
        request.page_token = page.next_page_token
