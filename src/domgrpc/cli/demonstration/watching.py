"""A scene about news: every change of a position arrives as a delta, events once per crossing."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Final, Protocol

from domgrpc.cli.demonstration.opening import Offer
from domgrpc.cli.demonstration.stage import PromiseBroken, Stage
from domgrpc.client import DomgrpcClient, Line, adjust_stock, at_locations
from domgrpc.v1.inventory_pb2 import StockChange, WatchInventoryResponse
from domgrpc.v1.types_pb2 import StockLevel

_UNITS_MIN: Final = 4
_DELIVERY_UNITS: Final = 6
_NEWS_SECONDS_MAX: Final = 10.0


class _Changed(Protocol):
    revision: int


class Watcher:
    """Reads a watch and remembers when each change came."""

    def __init__(self) -> None:
        """Nothing has come yet."""
        self.changes: list[StockChange] = []
        self.seen_at: dict[int, float] = {}
        self._news = asyncio.Condition()

    async def read(self, responses: AsyncIterator[WatchInventoryResponse]) -> None:
        """Read until cancelled."""
        async for response in responses:
            now = time.perf_counter()
            async with self._news:
                self.changes.extend(response.changes)
                self.seen_at.update(dict.fromkeys((c.revision for c in response.changes), now))
                self._news.notify_all()

    async def wait_for(self, revision: int) -> float:
        """Wait until the change of a revision has come and return when it did."""
        try:
            async with asyncio.timeout(_NEWS_SECONDS_MAX), self._news:
                await self._news.wait_for(lambda: revision in self.seen_at)
        except TimeoutError:
            raise PromiseBroken(
                "a watcher sees every change",
                expected=f"revision {revision} within {_NEWS_SECONDS_MAX:.0f} s",
                came="no news of it",
            ) from None
        return self.seen_at[revision]


async def watch_live(stage: Stage, offer: Offer) -> None:
    """Prove that the deltas of a watch add up, and that a level is announced once per crossing."""
    stage.narration.scene("A live watch")
    location_id = offer.location_id
    sku = await _choose_sku(stage, location_id)
    before = await stage.position(sku, location_id)
    stage.narration.say(
        f"{stage.retailer.product_name(sku)} at {stage.retailer.site(location_id)}, "
        f"{before.on_hand} on hand, seen by a watcher while it changes:"
    )
    client = await stage.client("back-office")
    responses = client.watch_inventory(
        after_revision=before.revision, skus=[sku], location_ids=[location_id]
    )
    async with _watching(stage, responses) as watcher:
        delays_ms = await _change_everything(stage, watcher, sku, location_id)
    stage.narration.table(
        ("revision", "change", "on hand", "held", "event"),
        _rows(watcher.changes),
        left=frozenset({"change", "event"}),
    )
    after = await stage.position(sku, location_id)
    stage.promise(
        f"the deltas add up to the position: {after.on_hand} on hand, {after.soft_reserved} held",
        expected=(after.on_hand - before.on_hand, after.soft_reserved - before.soft_reserved),
        came=(
            sum(change.on_hand_delta for change in watcher.changes),
            sum(change.soft_reserved_delta for change in watcher.changes),
        ),
    )
    stage.promise(
        "out of stock and back in stock were announced once each",
        expected=["OUT_OF_STOCK", "IN_STOCK"],
        came=[_level_name(change) for change in watcher.changes if change.level],
    )
    stage.narration.say(
        f"From asking for a change to seeing it: {min(delays_ms):.1f} to {max(delays_ms):.1f} ms."
    )
    stage.note("watch", changes=len(watcher.changes), slowest_ms=max(delays_ms))


async def _choose_sku(stage: Stage, location_id: str) -> str:
    """Choose a product that the store has some of and nobody has claimed."""
    client = await stage.client("back-office")
    answer = await client.check_availability(
        stage.retailer.customer_skus,
        scope=at_locations([location_id]),
        include_locations=True,
        include_parts=True,
    )
    return next(
        item.sku
        for item in answer.items
        for place in item.locations
        if place.available_to_fulfill >= _UNITS_MIN
        and place.available_to_fulfill == place.parts.on_hand
    )


async def _change_everything(
    stage: Stage, watcher: Watcher, sku: str, location_id: str
) -> list[float]:
    """Sell, hold, release, sell out and restock; return milliseconds until each was seen."""
    client = await stage.client("checkout")
    delays_ms: list[float] = []

    async def see(change: Awaitable[_Changed]) -> None:
        started = time.perf_counter()
        seen_at = await watcher.wait_for((await change).revision)
        delays_ms.append((seen_at - started) * 1_000)

    sold = adjust_stock(sku, location_id, -1, reason="sold at till 3")
    delivered = adjust_stock(sku, location_id, _DELIVERY_UNITS, reason="delivery")
    await see(client.update_stock([sold]))
    await see(client.reserve_stock([Line(sku, 1, location_id)], request_id="browsing"))
    await see(client.release_reservation("browsing"))
    rest = (await stage.position(sku, location_id)).available_to_fulfill
    await see(client.reserve_stock([Line(sku, rest, location_id)]))
    await see(client.update_stock([delivered]))
    return delays_ms


@asynccontextmanager
async def _watching(
    stage: Stage, responses: AsyncIterator[WatchInventoryResponse]
) -> AsyncIterator[Watcher]:
    watcher = Watcher()
    task = asyncio.create_task(watcher.read(responses))
    try:
        await _until_watched(await stage.client("back-office"))
        yield watcher
    finally:
        task.cancel()
        # Waiting does not take a cancellation of the performance for one of the task.
        await asyncio.wait([task])
    if not task.cancelled():
        task.result()


async def _until_watched(client: DomgrpcClient) -> None:
    async with asyncio.timeout(_NEWS_SECONDS_MAX):
        while not (await client.get_status()).watcher_count:
            continue


def _rows(changes: list[StockChange]) -> list[tuple[str, ...]]:
    """Return a row for each delta, with the event that came with its revision."""
    events = {change.revision: _level_name(change) for change in changes if change.level}
    return [
        (
            f"{change.revision:,}",
            change.reason,
            f"{change.on_hand_delta:+}" if change.on_hand_delta else "",
            f"{change.soft_reserved_delta:+}" if change.soft_reserved_delta else "",
            events.get(change.revision, ""),
        )
        for change in changes
        if not change.level
    ]


def _level_name(change: StockChange) -> str:
    return StockLevel.Name(change.level).removeprefix("STOCK_LEVEL_")
