"""A feed brings every batch once, in order, however often the connection breaks."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from domgrpc.client import DomgrpcClient, DomgrpcError, RetryPolicy, adjust_stock
from domgrpc.v1.inventory_pb2 import StreamStockUpdatesRequest
from domgrpc.v1.location_pb2 import Location, LocationType
from tests.client.scripted import ScriptedServer
from tests.rpc.serving import Shop, serving

AT_ONCE = RetryPolicy(first_wait_seconds=0.0)


def batches(
    count: int, *, source: str = "erp", first: int = 1
) -> Iterator[StreamStockUpdatesRequest]:
    """Make batches that add one kettle each."""
    for sequence in range(first, first + count):
        yield StreamStockUpdatesRequest(
            source=source, sequence=sequence, updates=[adjust_stock("kettle", "s", 1)]
        )


@pytest.fixture
async def stocked(client: DomgrpcClient) -> DomgrpcClient:
    """One store."""
    await client.create_location(Location(location_id="s", type=LocationType.LOCATION_TYPE_STORE))
    return client


async def test_every_batch_is_answered_in_order(stocked: DomgrpcClient) -> None:
    answers = [answer async for answer in stocked.stream_stock(batches(9), window=3)]
    assert [answer.sequence for answer in answers] == list(range(1, 10))
    assert sum(answer.applied_count for answer in answers) == 9
    assert await stocked.get_feed_sequence("erp") == 9


async def test_a_source_that_never_fed_stands_at_zero(stocked: DomgrpcClient) -> None:
    assert await stocked.get_feed_sequence("nobody") == 0


async def test_batches_that_are_known_change_nothing(stocked: DomgrpcClient) -> None:
    first = [answer async for answer in stocked.stream_stock(batches(3))]
    again = [answer async for answer in stocked.stream_stock(batches(5))]
    assert [answer.duplicate for answer in first] == [False] * 3
    assert [answer.duplicate for answer in again] == [True] * 3 + [False] * 2
    assert (await stocked.get_position("kettle", "s")).on_hand == 5


async def test_a_broken_feed_sends_again_what_was_not_answered(scripted: ScriptedServer) -> None:
    scripted.feed_ends_after.extend([3, 0, 4])
    async with DomgrpcClient(scripted.address, retry=AT_ONCE) as client:
        answers = [answer async for answer in client.stream_stock(batches(10))]
    assert [answer.sequence for answer in answers] == list(range(1, 11))
    assert scripted.fed == list(range(1, 11))


async def test_at_most_a_window_of_batches_is_taken_ahead(scripted: ScriptedServer) -> None:
    made: list[int] = []

    def counted() -> Iterator[StreamStockUpdatesRequest]:
        for batch in batches(10):
            made.append(batch.sequence)
            yield batch

    async with DomgrpcClient(scripted.address) as client:
        async for answer in client.stream_stock(counted(), window=2):
            assert len(made) <= answer.sequence + 1


async def test_two_feeds_of_one_source_do_not_mix(stocked: DomgrpcClient) -> None:
    first = stocked.stream_stock(batches(2), window=1)
    await anext(first)
    with pytest.raises(DomgrpcError, match="SOURCE_IN_USE"):
        await anext(stocked.stream_stock(batches(1, first=5)))
    assert [answer.sequence async for answer in first] == [2]


async def test_a_malformed_batch_ends_the_feed(stocked: DomgrpcClient) -> None:
    with pytest.raises(DomgrpcError, match="source"):
        await anext(stocked.stream_stock(batches(1, source="not a key")))


@pytest.mark.slow
async def test_a_feed_goes_on_behind_a_restart_of_a_real_server(
    tmp_path: Path, unused_tcp_port: int
) -> None:
    policy = RetryPolicy(first_wait_seconds=0.01)
    async with DomgrpcClient(f"127.0.0.1:{unused_tcp_port}", retry=policy) as client:
        async with serving(tmp_path, port=unused_tcp_port):
            await client.create_location(
                Location(location_id="s", type=LocationType.LOCATION_TYPE_STORE)
            )
            feed = client.stream_stock(batches(20), window=4)
            before = [await anext(feed) for _ in range(7)]
        async with serving(tmp_path, port=unused_tcp_port):
            after = [answer async for answer in feed]
            position = await client.get_position("kettle", "s")
    assert [answer.sequence for answer in before + after] == list(range(1, 21))
    assert position.on_hand == 20


async def test_the_window_is_free_for_the_next_feed_when_one_is_dropped(
    shop: Shop, stocked: DomgrpcClient
) -> None:
    feed = stocked.stream_stock(batches(3), window=1)
    await anext(feed)
    await feed.aclose()
    async with DomgrpcClient(shop.address, retry=AT_ONCE) as other:
        assert await other.get_feed_sequence("another") == 0
