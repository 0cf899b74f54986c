"""The synchronous client does the same, from any thread."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from domgrpc.client import DomgrpcClient, DomgrpcError, Line, SyncClient, count_stock
from domgrpc.v1.inventory_pb2 import StreamStockUpdatesRequest
from domgrpc.v1.location_pb2 import Location, LocationType
from tests.rpc.serving import serving


@pytest.fixture
def sync_client(tmp_path: Path) -> Iterator[SyncClient]:
    """Connect to a server that runs in a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    running = serving(tmp_path)
    shop = asyncio.run_coroutine_threadsafe(running.__aenter__(), loop).result()
    try:
        with SyncClient(shop.address, client_id="script") as client:
            yield client
    finally:
        ended = running.__aexit__(None, None, None)
        asyncio.run_coroutine_threadsafe(ended, loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@pytest.fixture
def stocked(sync_client: SyncClient) -> SyncClient:
    """One store with kettles."""
    sync_client.create_location(Location(location_id="s", type=LocationType.LOCATION_TYPE_STORE))
    sync_client.update_stock([count_stock("kettle", "s", 10)])
    return sync_client


def test_calls_wait_for_their_answer(stocked: SyncClient) -> None:
    hold = stocked.reserve_stock([Line("kettle", 2, "s")], ttl_seconds=60)
    assert hold.client_id == "script"
    assert stocked.check_availability(["kettle"]).items[0].available_to_fulfill == 8


def test_an_error_is_raised_in_the_thread_that_called(stocked: SyncClient) -> None:
    with pytest.raises(DomgrpcError, match="INSUFFICIENT_STOCK"):
        stocked.reserve_stock([Line("kettle", 11, "s")])


def test_several_calls_run_at_once(stocked: SyncClient) -> None:
    async def ten_holds(client: DomgrpcClient) -> set[str]:
        calls = (client.reserve_stock([Line("kettle", 1, "s")]) for _ in range(10))
        return {hold.reservation_id for hold in await asyncio.gather(*calls)}

    assert len(stocked.run(ten_holds)) == 10


def test_threads_may_share_a_client(stocked: SyncClient) -> None:
    with ThreadPoolExecutor(8) as pool:
        holds = list(pool.map(lambda _: stocked.reserve_stock([Line("kettle", 1, "s")]), range(10)))
    assert len({hold.reservation_id for hold in holds}) == 10


def test_a_watch_can_be_iterated_and_dropped(stocked: SyncClient) -> None:
    watch = stocked.watch_inventory(snapshot=True)
    assert [position.on_hand for position in next(watch).positions] == [10]
    stocked.update_stock([count_stock("kettle", "s", 12)])
    deltas = (change.on_hand_delta for answer in watch for change in answer.changes)
    assert next(deltas) == 2


def test_a_feed_ends_by_itself(stocked: SyncClient) -> None:
    batch = StreamStockUpdatesRequest(source="erp", sequence=1)
    assert [answer.sequence for answer in stocked.stream_stock([batch])] == [1]


def test_a_closed_client_says_so(stocked: SyncClient) -> None:
    stocked.close()
    stocked.close()
    with pytest.raises(RuntimeError, match="the client is closed"):
        stocked.get_status()
