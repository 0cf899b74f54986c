"""Watching in tests: open a watch, read it with an end in sight, and say what it told."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import TypeAlias

import grpc.aio

from domgrpc.v1 import inventory_pb2 as pb
from tests.rpc.serving import Field, Refusal, Shop, refusal, within_time

Watch: TypeAlias = grpc.aio.UnaryStreamCall[pb.WatchInventoryRequest, pb.WatchInventoryResponse]


@asynccontextmanager
async def watching(shop: Shop, **fields: Field) -> AsyncIterator["Watch"]:
    """Watch, and stop at the end."""
    call = shop.inventory.WatchInventory(pb.WatchInventoryRequest(**fields))
    yield call
    call.cancel()


async def read(call: "Watch") -> pb.WatchInventoryResponse:
    """Return the next message."""
    message = await within_time(call.read())
    assert isinstance(message, pb.WatchInventoryResponse), await call.details()
    return message


async def read_until(call: "Watch", revision: int) -> list[pb.StockChange]:
    """Return the changes of all messages up to a revision."""
    changes: list[pb.StockChange] = []
    while True:
        message = await read(call)
        changes.extend(message.changes)
        if message.revision >= revision:
            return changes


async def read_to_end(call: "Watch") -> tuple[int, Refusal]:
    """Read on until the server ends the watch, which it must; return the last revision and why."""
    revision = 0

    async def read_all() -> None:
        nonlocal revision
        while True:
            message = await call.read()
            assert isinstance(message, pb.WatchInventoryResponse), "it ended without an error"
            revision = message.revision

    refused = await within_time(refusal(read_all()))
    return revision, refused


async def refused(call: "Watch") -> Refusal:
    """Read on until the server ends the watch and return why."""
    return (await read_to_end(call))[1]


def told(changes: Iterable[pb.StockChange]) -> list[tuple[str, str, str]]:
    """Return what was changed, and why, in the order told."""
    return [(change.sku, change.location_id, change.reason) for change in changes]


async def write(shop: Shop, *updates: pb.StockUpdate) -> None:
    """Update stock."""
    await shop.inventory.UpdateStock(pb.UpdateStockRequest(request_id=shop.key(), updates=updates))
