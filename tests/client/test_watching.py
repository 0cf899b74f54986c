"""A watch comes back by itself, without a gap and without a repeat."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path

import grpc
import pytest
from google.rpc.status_pb2 import Status

from domgrpc.client import DomgrpcClient, DomgrpcError, adjust_stock, count_stock
from domgrpc.client.retries import RetryPolicy
from domgrpc.v1.inventory_pb2 import (
    InventoryPosition,
    StockChange,
    WatchInventoryResponse,
)
from domgrpc.v1.location_pb2 import Location, LocationType
from tests.client.scripted import UNAVAILABLE, ScriptedServer, changes, status
from tests.rpc.serving import serving

AT_ONCE = RetryPolicy(first_wait_seconds=0.0)
TOO_SLOW = status(grpc.StatusCode.ABORTED, "WATCH_TOO_SLOW")
END = status(grpc.StatusCode.OUT_OF_RANGE, "REVISION_TRIMMED")
BROKEN = status(UNAVAILABLE)


def batch(revision: int, *parts: list[StockChange]) -> WatchInventoryResponse:
    """Return a message of a watch."""
    return WatchInventoryResponse(
        revision=revision, changes=[each for part in parts for each in part]
    )


async def skus_until_the_end(
    client: DomgrpcClient, *, after_revision: int | None = 0, snapshot: bool = False
) -> list[str]:
    """Return the SKUs of all changes until the watch ends with REVISION_TRIMMED."""
    skus: list[str] = []
    watch = client.watch_inventory(after_revision=after_revision, snapshot=snapshot)
    try:
        async for response in watch:
            skus.extend(change.sku for change in response.changes)
    except DomgrpcError as end:
        skus.append(end.reason)
    assert skus.pop() == "REVISION_TRIMMED"
    return skus


@pytest.mark.parametrize("break_off", [BROKEN, TOO_SLOW], ids=lambda refusal: refusal.message)
async def test_it_resumes_behind_what_was_handed_on(
    scripted: ScriptedServer, break_off: Status
) -> None:
    scripted.watch_script.extend(
        [
            [batch(3, list(changes(2, "a")), list(changes(3, "b"))), break_off],
            [batch(5, list(changes(5, "c"))), END],
        ]
    )
    async with DomgrpcClient(scripted.address, retry=AT_ONCE) as client:
        assert await skus_until_the_end(client) == ["a", "b", "c"]
    assert [watch.after_revision for watch in scripted.watches] == [0, 3]


async def test_it_resumes_when_the_server_ends_the_stream_without_a_word(
    scripted: ScriptedServer,
) -> None:
    scripted.watch_script.extend([[batch(3, list(changes(3, "a")))], [END]])
    async with DomgrpcClient(scripted.address, retry=AT_ONCE) as client:
        assert await skus_until_the_end(client) == ["a"]
    assert scripted.watches[1].after_revision == 3


async def test_the_parts_of_a_record_that_came_in_several_messages_are_not_repeated(
    scripted: ScriptedServer,
) -> None:
    first, second, third = (list(changes(7, *skus)) for skus in ("ab", "cd", "e"))
    before = list(changes(6, "z"))
    scripted.watch_script.extend(
        [
            [batch(6, before, first), batch(6, second), BROKEN],
            [batch(6, first), BROKEN],
            [batch(6, first), batch(6, second), batch(7, third), END],
        ]
    )
    async with DomgrpcClient(scripted.address, retry=AT_ONCE) as client:
        assert await skus_until_the_end(client) == ["z", "a", "b", "c", "d", "e"]
    assert [watch.after_revision for watch in scripted.watches] == [0, 6, 6]


async def test_a_snapshot_that_is_broken_off_begins_anew(scripted: ScriptedServer) -> None:
    position = WatchInventoryResponse(revision=4, positions=[InventoryPosition(sku="a")])
    whole = WatchInventoryResponse(revision=4, snapshot_complete=True)
    scripted.watch_script.extend(
        [
            [position, BROKEN],
            [position, whole, BROKEN],
            [batch(5, list(changes(5, "b"))), END],
        ]
    )
    async with DomgrpcClient(scripted.address, retry=AT_ONCE) as client:
        assert await skus_until_the_end(client, after_revision=None, snapshot=True) == ["b"]
    assert [watch.snapshot for watch in scripted.watches] == [True, True, False]
    assert scripted.watches[2].after_revision == 4


async def test_a_snapshot_that_is_read_too_slowly_is_given_up(scripted: ScriptedServer) -> None:
    scripted.watch_script.append([TOO_SLOW])
    async with DomgrpcClient(scripted.address, retry=AT_ONCE) as client:
        with pytest.raises(DomgrpcError, match="WATCH_TOO_SLOW"):
            await anext(client.watch_inventory(snapshot=True))


async def test_an_outage_that_lasts_too_long_is_an_error(scripted: ScriptedServer) -> None:
    scripted.watch_script.extend([[BROKEN]] * 100)
    policy = RetryPolicy(first_wait_seconds=0.01)
    async with DomgrpcClient(scripted.address, retry=policy) as client:
        with pytest.raises(DomgrpcError, match="UNAVAILABLE"):
            await anext(client.watch_inventory(outage_seconds_max=0.02))


async def test_a_watch_begins_in_one_place(client: DomgrpcClient) -> None:
    with pytest.raises(ValueError, match="give one of them"):
        await anext(client.watch_inventory(after_revision=1, snapshot=True))


@pytest.mark.slow
async def test_a_restart_of_a_real_server_is_not_noticed(
    tmp_path: Path, unused_tcp_port: int
) -> None:
    address = f"127.0.0.1:{unused_tcp_port}"
    policy = RetryPolicy(first_wait_seconds=0.01)
    async with DomgrpcClient(address, retry=policy) as client:
        async with serving(tmp_path, port=unused_tcp_port):
            store = Location(location_id="s", type=LocationType.LOCATION_TYPE_STORE)
            await client.create_location(store)
            await client.update_stock([count_stock("kettle", "s", 10)])
            seen = client.watch_inventory(snapshot=True, skus=["kettle"])
            totals = _totals(seen)
            assert await anext(totals) == 10
            await client.update_stock([adjust_stock("kettle", "s", 1)])
            assert await anext(totals) == 11
        async with serving(tmp_path, port=unused_tcp_port), aclosing(seen), aclosing(totals):
            for total in (12, 13):
                await client.update_stock([adjust_stock("kettle", "s", 1)])
                assert await asyncio.wait_for(anext(totals), 10) == total


async def _totals(
    responses: AsyncGenerator[WatchInventoryResponse, None],
) -> AsyncGenerator[int, None]:
    """Add up what a watch says about on_hand."""
    total = 0
    async for response in responses:
        total += sum(position.on_hand for position in response.positions)
        total += sum(change.on_hand_delta for change in response.changes)
        if response.positions or response.changes:
            yield total
