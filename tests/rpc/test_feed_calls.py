"""StreamStockUpdates over the wire: batches of a source, applied once, in order."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeAlias

import grpc
import grpc.aio
import pytest

from domgrpc.rpc import stock_feed
from domgrpc.v1 import inventory_pb2 as pb
from tests.rpc.serving import (
    Refusal,
    Shop,
    adjusted,
    counted,
    refusal,
    refusal_of,
    serving,
    within_time,
)

Stream: TypeAlias = grpc.aio.StreamStreamCall[
    pb.StreamStockUpdatesRequest, pb.StreamStockUpdatesResponse
]


@pytest.fixture
async def stocked(shop: Shop) -> Shop:
    """A shop with one location."""
    await shop.add_location("a")
    return shop


def batch(
    sequence: int, *updates: pb.StockUpdate, source: str = "till-9"
) -> pb.StreamStockUpdatesRequest:
    return pb.StreamStockUpdatesRequest(source=source, sequence=sequence, updates=updates)


@asynccontextmanager
async def stream(shop: Shop) -> AsyncIterator["Stream"]:
    """Open a stream; at the end close it and see that the server has nothing more to say."""
    call = shop.inventory.StreamStockUpdates()
    yield call
    await call.done_writing()
    assert await within_time(call.read()) is grpc.aio.EOF


async def send(
    call: "Stream", message: pb.StreamStockUpdatesRequest
) -> pb.StreamStockUpdatesResponse:
    await call.write(message)
    answer = await within_time(call.read())
    assert isinstance(answer, pb.StreamStockUpdatesResponse), await call.details()
    return answer


async def refused_after(shop: Shop, *messages: pb.StreamStockUpdatesRequest) -> Refusal:
    call = shop.inventory.StreamStockUpdates()

    async def run() -> None:
        for message in messages:
            await call.write(message)
        async for _ in call:
            continue

    return await within_time(refusal(run()))


async def test_batches_are_answered_in_order(stocked: Shop) -> None:
    async with stream(stocked) as call:
        first = await send(call, batch(1, counted("A", "a", 5), adjusted("A", "a", -2)))
        assert (first.sequence, first.last_sequence, first.applied_count) == (1, 1, 2)
        assert not first.duplicate
        second = await send(call, batch(7, adjusted("A", "a", 4)))
        assert (second.sequence, second.last_sequence) == (7, 7)
        assert second.revision == first.revision + 1
    assert (await stocked.position("A", "a")).on_hand == 7


async def test_a_refused_update_does_not_stop_the_others(stocked: Shop) -> None:
    async with stream(stocked) as call:
        answer = await send(
            call,
            batch(
                1,
                counted("A", "nowhere", 5),
                counted("A", "a", -5),
                counted("A", "a", 5),
                adjusted("A", "a", -6),
                adjusted("", "a", 1),
            ),
        )
    assert answer.applied_count == 1
    refusals = {refused.index: Refusal(refused.status) for refused in answer.refusals}
    assert {index: refused.reason for index, refused in refusals.items()} == {
        0: "LOCATION_NOT_FOUND",
        1: "INVALID_FIELD",
        3: "QUANTITY_BELOW_ZERO",
        4: "INVALID_FIELD",
    }
    assert refusals[1].field == "updates[1].count.on_hand"
    assert refusals[4].field == "updates[4].sku"
    assert [refused.index for refused in answer.refusals] == [0, 1, 3, 4]


async def test_the_refusals_of_a_batch_are_bounded_and_counted(
    stocked: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stock_feed, "REFUSALS_BYTES_MAX", 1_000)
    async with stream(stocked) as call:
        wrong = [counted("A", "nowhere", 5) for _ in range(20)]
        answer = await send(call, batch(1, *wrong, counted("A", "a", 5)))
    assert (answer.applied_count, answer.refusal_count) == (1, 20)
    listed = [refused.index for refused in answer.refusals]
    assert 1 < len(listed) < 20
    assert listed == list(range(len(listed)))


async def test_a_batch_that_comes_again_gets_its_first_answer_and_acts_once(
    stocked: Shop,
) -> None:
    again = batch(1, adjusted("A", "a", 5), adjusted("A", "a", -9))
    async with stream(stocked) as call:
        first = await send(call, again)
    async with stream(stocked) as call:
        second = await send(call, again)
    assert (first.duplicate, second.duplicate) == (False, True)
    first.duplicate = True
    assert second == first
    assert (await stocked.position("A", "a")).on_hand == 5


async def test_an_old_batch_is_known_even_when_its_answer_is_forgotten(stocked: Shop) -> None:
    async with stream(stocked) as call:
        await send(call, batch(5, adjusted("A", "a", 5)))
        old = await send(call, batch(3, adjusted("A", "a", 1), adjusted("", "a", 1)))
    assert (old.duplicate, old.sequence, old.last_sequence) == (True, 3, 5)
    assert (old.applied_count, len(old.refusals)) == (0, 0)
    assert (await stocked.position("A", "a")).on_hand == 5


async def test_sequence_0_asks_where_the_server_stands(tmp_path: Path) -> None:
    async with serving(tmp_path) as shop:
        await shop.add_location("a")
        async with stream(shop) as call:
            assert (await send(call, batch(0))).last_sequence == 0
            await send(call, batch(3, adjusted("A", "a", 5)))
    async with serving(tmp_path) as shop, stream(shop) as call:
        standing = await send(call, batch(0))
        assert (standing.sequence, standing.last_sequence) == (0, 3)
        assert standing.revision == shop.engine.revision


async def test_an_empty_batch_moves_the_sequence(stocked: Shop) -> None:
    async with stream(stocked) as call:
        assert (await send(call, batch(4))).last_sequence == 4


async def test_a_source_has_one_open_stream(stocked: Shop) -> None:
    async with stream(stocked) as call:
        await send(call, batch(0))
        refused = await refused_after(stocked, batch(1))
        assert (refused.code, refused.reason) == (grpc.StatusCode.ABORTED, "SOURCE_IN_USE")
        assert refused.facts == {"source": "till-9", "client_id": "anonymous"}
        async with stream(stocked) as other:
            await send(other, batch(0, source="till-8"))
    async with stream(stocked) as call:
        await send(call, batch(1))


async def test_a_source_is_free_again_when_its_caller_is_gone(stocked: Shop) -> None:
    call = stocked.inventory.StreamStockUpdates()
    await send(call, batch(0))
    call.cancel()
    reason = "SOURCE_IN_USE"
    while reason == "SOURCE_IN_USE":
        reason = (await refused_after(stocked, batch(1), batch(-1))).reason
    assert reason == "INVALID_FIELD"


@pytest.mark.parametrize(
    ("messages", "field"),
    [
        ([batch(1, source="")], "source"),
        ([batch(1, source="a b")], "source"),
        ([batch(1), batch(2, source="other")], "source"),
        ([batch(-1)], "sequence"),
        ([batch(0, adjusted("A", "a", 1))], "updates"),
    ],
    ids=["empty", "malformed", "changed", "negative", "question-with-updates"],
)
async def test_a_misshapen_batch_ends_the_stream(
    stocked: Shop, messages: list[pb.StreamStockUpdatesRequest], field: str
) -> None:
    refused = await refused_after(stocked, *messages)
    assert (refused.code, refused.reason) == (
        grpc.StatusCode.INVALID_ARGUMENT,
        "INVALID_FIELD",
    )
    assert refused.field == field


async def test_a_batch_number_with_other_content_ends_the_stream(stocked: Shop) -> None:
    refused = await refused_after(
        stocked, batch(1, adjusted("A", "a", 1)), batch(1, adjusted("A", "a", 2))
    )
    assert refused.reason == "REQUEST_ID_REUSED"


async def test_a_draining_server_ends_a_waiting_feed_and_keeps_what_it_answered(
    tmp_path: Path,
) -> None:
    async with serving(tmp_path) as shop:
        await shop.add_location("a")
        call = shop.inventory.StreamStockUpdates()
        await send(call, batch(1, adjusted("A", "a", 5)))
        await shop.server.stop(5)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await within_time(call.read())
        refused = refusal_of(caught.value)
        assert (refused.code, refused.reason) == (
            grpc.StatusCode.UNAVAILABLE,
            "SERVER_DRAINING",
        )
