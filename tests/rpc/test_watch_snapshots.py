"""WatchInventory from a snapshot: whole, consistent, and followed by every change."""

import asyncio
from collections import Counter
from contextlib import aclosing
from pathlib import Path
from random import Random
from typing import TypeAlias, cast

import pytest

from domgrpc.core.machine import Request
from domgrpc.core.stock_changes import AdjustStock, UpdateStock
from domgrpc.core.values import ClientId, LocationId, RequestId, Sku
from domgrpc.engine import feed
from domgrpc.engine.engine import Engine
from domgrpc.rpc import inventory_walk
from domgrpc.rpc.calls import Call
from domgrpc.rpc.draining import Drain
from domgrpc.rpc.refusals import Refused, TransportReason
from domgrpc.rpc.stock_watch import StockWatches
from domgrpc.v1 import inventory_pb2 as pb
from domgrpc.v1 import product_pb2, reservation_pb2
from tests.rpc.serving import Shop, adjusted, serving, within_time
from tests.rpc.watching import read, watching, write

Figures: TypeAlias = dict[tuple[str, str], tuple[int, int, int]]
"""on_hand, soft_reserved and allocated by SKU and location."""


@pytest.fixture
async def stocked(shop: Shop) -> Shop:
    """A shop with a few positions; its setup makes three revisions."""
    await shop.add_location("a")
    await shop.add_location("b")
    await shop.count(("A", "a", 5), ("A", "b", 7), ("B", "a", 1))
    return shop


class Picture:
    """What a watcher that adds everything up believes the stock to be."""

    def __init__(self) -> None:
        self.figures: Figures = {}
        self.position_count = Counter[tuple[str, str]]()
        self.changed: dict[tuple[str, str], None] = {}
        self.revision = 0
        self.is_complete = False

    def add(self, message: pb.WatchInventoryResponse) -> None:
        """Take a message in."""
        self.revision = message.revision
        for position in message.positions:
            key = (position.sku, position.location_id)
            assert key not in self.changed, "a change came before the position that it changes"
            self.position_count[key] += 1
            self.figures[key] = (position.on_hand, position.soft_reserved, position.allocated)
        for change in message.changes:
            key = (change.sku, change.location_id)
            self.changed[key] = None
            on_hand, soft, allocated = self.figures.get(key, (0, 0, 0))
            self.figures[key] = (
                on_hand + change.on_hand_delta,
                soft + change.soft_reserved_delta,
                allocated + change.allocated_delta,
            )
        self.is_complete = self.is_complete or message.snapshot_complete


async def figures(shop: Shop) -> Figures:
    """Return the stock as the lists say it is."""
    found: Figures = {}
    token = ""
    while True:
        page = await shop.inventory.ListPositions(
            pb.ListPositionsRequest(page_size=1_000, page_token=token)
        )
        for position in page.positions:
            key = (position.sku, position.location_id)
            found[key] = (position.on_hand, position.soft_reserved, position.allocated)
        token = page.next_page_token
        if not token:
            return found


async def test_a_snapshot_shows_every_position_once_and_says_when_it_is_whole(
    stocked: Shop,
) -> None:
    picture = Picture()
    async with watching(stocked, snapshot=True) as call:
        while not picture.is_complete:
            picture.add(await read(call))
        assert picture.revision == 3
        assert picture.figures == await figures(stocked)
        await stocked.hold(("A", "a", 2))
        while picture.revision < 4:
            picture.add(await read(call))
    assert picture.figures["A", "a"] == (5, 2, 0)
    assert set(picture.position_count.values()) == {1}


async def test_a_slice_of_a_snapshot_does_not_become_too_large(
    stocked: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inventory_walk, "MESSAGE_BYTES_MAX", 300)
    async with watching(stocked, snapshot=True) as call:
        messages = [await read(call)]
        while not messages[-1].snapshot_complete:
            messages.append(await read(call))
    counts = [len(message.positions) for message in messages]
    assert sum(counts) == 3
    assert max(counts) == 2


async def test_a_snapshot_of_nothing_is_whole_at_once(shop: Shop) -> None:
    async with watching(shop, snapshot=True) as call:
        assert await read(call) == pb.WatchInventoryResponse(snapshot_complete=True)


async def test_a_filtered_snapshot_shows_what_matches(stocked: Shop) -> None:
    picture = Picture()
    async with watching(
        stocked, snapshot=True, skus=["nothing", "B", "A", "B"], location_ids=["a"]
    ) as call:
        while not picture.is_complete:
            picture.add(await read(call))
        await write(stocked, adjusted("nothing", "a", 3), adjusted("A", "b", 1))
        while picture.revision < 4:
            picture.add(await read(call))
    assert list(picture.figures) == [("B", "a"), ("A", "a"), ("nothing", "a")]


async def test_a_snapshot_passes_skus_without_stock(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inventory_walk, "SCANNED_PER_SLICE_MAX", 1)
    await shop.add_location("a")
    await shop.products.BatchCreateProducts(
        product_pb2.BatchCreateProductsRequest(
            request_id=shop.key(), products=[product_pb2.Product(sku=f"p{n}") for n in range(5)]
        )
    )
    await shop.count(("A", "a", 3))
    picture = Picture()
    async with watching(shop, snapshot=True) as call:
        while not picture.is_complete:
            picture.add(await read(call))
    assert picture.figures == {("A", "a"): (3, 0, 0)}


async def test_a_snapshot_that_is_read_too_slowly_has_no_place_to_resume(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inventory_walk, "POSITIONS_PER_SLICE_MAX", 1)
    async with serving(tmp_path, feed_records_max=1) as shop:
        await shop.add_location("l0")
        await shop.count(*((f"s{number}", "l0", 9) for number in range(9)))
        message = pb.WatchInventoryRequest(snapshot=True)
        answers = StockWatches(Drain()).run(message, cast("Call", Watcher(shop.engine)))
        # Once it has kept up, it must go on to.
        for change_count in (1, 0, 3):
            await within_time(anext(answers))
            for _ in range(change_count):
                await adjust(shop, "s1", 0, Random(1))
        with pytest.raises(Refused) as caught:
            await within_time(anext(answers))
    assert caught.value.reason is TransportReason.WATCH_TOO_SLOW
    assert caught.value.facts == {}


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("filtered", [False, True], ids=["all", "filtered"])
async def test_a_snapshot_taken_while_others_write_adds_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int, *, filtered: bool
) -> None:
    # Small slices and batches, so that writes fall between any two of them.
    monkeypatch.setattr(feed, "RECORDS_PER_BATCH_MAX", 2)
    monkeypatch.setattr(inventory_walk, "POSITIONS_PER_SLICE_MAX", 7)
    monkeypatch.setattr(inventory_walk, "SCANNED_PER_SLICE_MAX", 11)
    skus = [f"s{number}" for number in range(40)]
    wanted = skus[5:35] if filtered else []
    async with serving(tmp_path, watch_mark_seconds=0.05) as shop:
        for number in range(6):
            await shop.add_location(f"l{number}")
        stocked = ((sku, f"l{place}", 50) for sku in skus[:30] for place in range(0, 6, 2))
        await shop.count(*stocked)
        writers = (write_on(shop, Random(seed * 10 + writer), skus) for writer in range(6))
        writing = asyncio.ensure_future(asyncio.gather(*writers))
        picture = await watch_while(shop, writing, wanted, Random(seed))
        await writing
        truth = await figures(shop)
    shown = {key: value for key, value in truth.items() if not wanted or key[0] in wanted}
    assert without_empty(picture.figures) == without_empty(shown)
    assert max(picture.position_count.values()) == 1


async def watch_while(
    shop: Shop, writing: "asyncio.Future[list[None]]", wanted: list[str], random: Random
) -> Picture:
    """Watch from a snapshot until the writing is done; change connections now and then."""
    picture = Picture()
    request = pb.WatchInventoryRequest(snapshot=True, skus=wanted)
    call = shop.inventory.WatchInventory(request)
    while not writing.done() or picture.revision < shop.engine.revision:
        picture.add(await read(call))
        if picture.is_complete and random.random() < 0.2:
            # Another connection takes over where this one stood.
            call.cancel()
            request = pb.WatchInventoryRequest(after_revision=picture.revision, skus=wanted)
            call = shop.inventory.WatchInventory(request)
    call.cancel()
    assert picture.is_complete
    return picture


def without_empty(figures: Figures) -> Figures:
    return {key: value for key, value in figures.items() if any(value)}


async def write_on(shop: Shop, random: Random, skus: list[str]) -> None:
    """Write what comes to mind, new positions and new SKUs among it."""
    for _ in range(25):
        sku, place = random.choice(skus), f"l{random.randrange(6)}"
        if random.random() < 0.5:
            await write(shop, adjusted(sku, place, random.randrange(1, 9)))
            continue
        # The first of the lines is always there, so that the hold is never empty.
        lines = [("s0", "", 1), (random.choice(skus), "", random.randrange(1, 4))]
        held = await shop.hold(*lines, allow_partial=True)
        if random.random() < 0.5:
            await shop.reservations.ConfirmReservation(
                reservation_pb2.ConfirmReservationRequest(
                    request_id=shop.key(), reservation_id=held.reservation_id
                )
            )


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
async def test_a_snapshot_adds_up_whatever_happens_between_two_messages(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr(inventory_walk, "POSITIONS_PER_SLICE_MAX", 5)
    monkeypatch.setattr(feed, "RECORDS_PER_BATCH_MAX", 3)
    random = Random(seed)
    skus = [f"s{number}" for number in range(20)]
    for number in range(4):
        await shop.add_location(f"l{number}")
    await shop.count(*((sku, f"l{place}", 9) for sku in skus[:15] for place in (0, 2)))
    # Not over the wire, where the server runs ahead of its reader: each step is a choice here.
    message = pb.WatchInventoryRequest(snapshot=True)
    answers = StockWatches(Drain()).run(message, cast("Call", Watcher(shop.engine)))
    picture = Picture()
    async with aclosing(answers):
        while not (picture.is_complete and picture.revision == shop.engine.revision):
            picture.add(await within_time(anext(answers)))
            for _ in range(0 if picture.is_complete else random.randrange(8)):
                await adjust(shop, random.choice(skus), random.randrange(4), random)
    assert without_empty(picture.figures) == without_empty(await figures(shop))
    assert max(picture.position_count.values()) == 1


class Watcher:
    """What a watch needs of a call."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine


async def adjust(shop: Shop, sku: str, place: int, random: Random) -> None:
    """Change a position in the engine itself."""
    update = AdjustStock(Sku(sku), LocationId(f"l{place}"), random.randrange(1, 9))
    key = RequestId(shop.key())
    await shop.engine.submit(Request(UpdateStock((update,)), ClientId("till"), key, 0))
