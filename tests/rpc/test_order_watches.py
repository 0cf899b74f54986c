"""WatchOrders over the wire: every change of orders, and a store that hears of its work."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import TypeAlias

import grpc.aio
import pytest

from domgrpc.engine import feed
from domgrpc.rpc import feed_watch, order_walk
from domgrpc.v1 import order_pb2 as pb
from domgrpc.v1 import plan_pb2
from tests.rpc.ordering import (
    PICKUP,
    advance,
    cancel,
    edit,
    line,
    open_chain,
    place,
)
from tests.rpc.serving import Field, Shop, refusal, serving, within_time

Watch: TypeAlias = grpc.aio.UnaryStreamCall[pb.WatchOrdersRequest, pb.WatchOrdersResponse]
STATUS = pb.OrderStatus


@pytest.fixture
async def chain(shop: Shop) -> Shop:
    """A chain of three locations with ten of everything at each."""
    await open_chain(shop)
    return shop


@asynccontextmanager
async def watching(shop: Shop, **fields: Field) -> AsyncIterator[Watch]:
    """Watch, and stop at the end."""
    call = shop.orders.WatchOrders(pb.WatchOrdersRequest(**fields))
    yield call
    call.cancel()


async def read(call: Watch) -> pb.WatchOrdersResponse:
    message = await within_time(call.read())
    assert isinstance(message, pb.WatchOrdersResponse), await call.details()
    return message


async def changes_until(call: Watch, revision: int) -> list[pb.OrderChange]:
    """Return the changes of all messages up to a revision."""
    changes: list[pb.OrderChange] = []
    while True:
        message = await read(call)
        changes.extend(message.changes)
        if message.revision >= revision:
            return changes


def told(changes: list[pb.OrderChange]) -> list[tuple[str, str]]:
    """Return which orders changed, and how."""
    return [
        (
            change.order.order_id,
            plan_pb2.OrderStepKind.Name(change.kind).removeprefix("ORDER_STEP_KIND_"),
        )
        for change in changes
    ]


async def test_every_change_says_what_happened_and_holds_the_order_whole(chain: Shop) -> None:
    async with watching(chain) as call:
        await read(call)
        order = await place(chain, line("A", 2), order_id="o")
        edited = await edit(chain, order, pb.OrderLine(line_id="1", quantity=3))
        gone = await cancel(chain, order)
        changes = await changes_until(call, gone.revision)
    assert told(changes) == [("o", "PLACED"), ("o", "EDITED"), ("o", "CANCELLED")]
    assert [change.order for change in changes] == [order, edited, gone]
    assert [change.revision for change in changes] == [
        order.revision,
        edited.revision,
        gone.revision,
    ]
    assert changes[0].change_time == order.create_time


async def test_a_store_hears_of_work_that_comes_and_of_work_that_is_taken_away(
    chain: Shop,
) -> None:
    async with (
        watching(chain, location_ids=["newark"], view=pb.ORDER_VIEW_BASIC) as newark,
        watching(chain, location_ids=["chicago"]) as chicago,
    ):
        await read(newark)
        await read(chicago)
        await place(chain, line("A"), order_id="elsewhere")
        order = await place(
            chain, line("B", delivery_method=PICKUP, location_id="newark"), order_id="mine"
        )
        taken = await edit(
            chain,
            order,
            line("B", line_id="1", delivery_method=PICKUP, location_id="york"),
        )
        last = await place(chain, line("C"), order_id="far")
        heard = await changes_until(newark, last.revision)
        assert not (await changes_until(chicago, last.revision))
    assert told(heard) == [("mine", "PLACED"), ("mine", "EDITED")]
    assert [work.location_id for work in heard[1].order.fulfillment_orders] == ["york"]
    assert not heard[1].order.lines
    assert taken.fulfillment_orders[0].location_id == "york"


async def test_a_watch_is_filtered_by_order_and_customer(chain: Shop) -> None:
    bob = pb.OrderTerms(customer_id="bob")
    async with (
        watching(chain, order_ids=["o1", "o3"]) as by_order,
        watching(chain, customer_ids=["bob"]) as by_customer,
    ):
        for call in (by_order, by_customer):
            await read(call)
        await place(chain, line("A"), order_id="o1")
        pickup = line("A", delivery_method=PICKUP, location_id="york")
        last = await place(chain, pickup, order_id="o2", terms=bob)
        assert told(await changes_until(by_order, last.revision)) == [("o1", "PLACED")]
        assert told(await changes_until(by_customer, last.revision)) == [("o2", "PLACED")]


async def test_a_watch_that_resumes_misses_and_repeats_nothing(chain: Shop) -> None:
    seen: list[str] = []
    after = chain.engine.revision
    for step in range(4):
        async with watching(chain, after_revision=after) as call:
            for number in range(3):
                await place(chain, line("A"), order_id=f"o-{step}-{number}")
            last = chain.engine.revision - step % 2
            while after < last:
                message = await read(call)
                seen.extend(change.order.order_id for change in message.changes)
                after = message.revision
    async with watching(chain, after_revision=after) as call:
        changes = await changes_until(call, chain.engine.revision)
        seen.extend(change.order.order_id for change in changes)
    assert seen == [f"o-{step}-{number}" for step in range(4) for number in range(3)]


async def test_a_watch_from_long_ago_is_fed_from_the_log(tmp_path: Path) -> None:
    async with serving(tmp_path, feed_records_max=1) as shop:
        await open_chain(shop)
        for number in range(5):
            await place(shop, line("A"), order_id=f"o{number}")
        async with watching(shop, after_revision=0) as call:
            changes = await changes_until(call, shop.engine.revision)
    assert told(changes) == [(f"o{number}", "PLACED") for number in range(5)]


async def test_a_snapshot_shows_the_open_orders_and_then_what_changes(chain: Shop) -> None:
    done = await place(chain, line("A"), order_id="done")
    await advance(chain, done, "RELEASED", "SHIPPED", "DELIVERED")
    await place(chain, line("A"), order_id="open")
    store = await place(
        chain, line("B", delivery_method=PICKUP, location_id="newark"), order_id="store"
    )
    async with (
        watching(chain, snapshot=True) as everything,
        watching(chain, snapshot=True, location_ids=["newark"]) as newark,
    ):
        message = await read(everything)
        assert [order.order_id for order in message.orders] == ["open", "store"]
        assert (message.revision, message.snapshot_complete) == (store.revision, True)
        assert [order.order_id for order in (await read(newark)).orders] == ["store"]
        gone = await cancel(chain, store)
        assert told(await changes_until(everything, gone.revision)) == [("store", "CANCELLED")]
        assert told(await changes_until(newark, gone.revision)) == [("store", "CANCELLED")]


async def test_a_snapshot_of_nothing_is_whole_at_once(shop: Shop) -> None:
    async with watching(shop, snapshot=True) as call:
        assert await read(call) == pb.WatchOrdersResponse(snapshot_complete=True)


async def test_a_slice_of_a_snapshot_does_not_become_too_large(
    chain: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(order_walk, "MESSAGE_BYTES_MAX", 100)
    for number in range(3):
        await place(chain, line("A"), order_id=f"o{number}")
    async with watching(chain, snapshot=True) as call:
        messages = [await read(call)]
        while not messages[-1].snapshot_complete:
            messages.append(await read(call))
    assert [len(message.orders) for message in messages if message.orders] == [1, 1, 1]


async def test_changes_that_are_too_large_for_one_message_come_in_several(
    chain: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_watch, "MESSAGE_BYTES", 100)
    after = chain.engine.revision
    for number in range(4):
        await place(chain, line("A"), order_id=f"o{number}")
    async with watching(chain, after_revision=after) as call:
        messages = [await read(call) for _ in range(5)]
    assert [len(message.changes) for message in messages if message.changes] == [1, 1, 1, 1]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
async def test_a_snapshot_taken_while_others_write_ends_with_the_truth(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    # Small slices and batches, so that writes fall between any two of them.
    monkeypatch.setattr(feed, "RECORDS_PER_BATCH_MAX", 2)
    monkeypatch.setattr(order_walk, "ORDERS_PER_SLICE_MAX", 3)
    monkeypatch.setattr(order_walk, "SCANNED_PER_SLICE_MAX", 5)
    async with serving(tmp_path, watch_mark_seconds=0.05) as shop:
        await open_chain(shop)
        await shop.count(*((sku, where, 500) for sku in "ABC" for where in ("york", "newark")))
        for number in range(20):
            await place(shop, line("A"), order_id=f"old-{number}")
        writing = asyncio.ensure_future(
            asyncio.gather(*(write_on(shop, writer, seed) for writer in range(4)))
        )
        seen = await watch_while(shop, writing, Random(seed))
        await writing
        listed = await shop.orders.ListOrders(pb.ListOrdersRequest(page_size=1_000))
    truth = {order.order_id: order for order in listed.orders}
    finished = {STATUS.ORDER_STATUS_CANCELLED, STATUS.ORDER_STATUS_DELIVERED}
    still_open = {key for key, order in truth.items() if order.status not in finished}
    assert still_open <= set(seen)
    assert all(truth[key].etag == etag for key, etag in seen.items())


async def watch_while(
    shop: Shop, writing: "asyncio.Future[list[None]]", random: Random
) -> dict[str, str]:
    """Keep the newest etag of each order; change connections now and then."""
    seen: dict[str, str] = {}
    revision, is_complete = 0, False
    call = shop.orders.WatchOrders(pb.WatchOrdersRequest(snapshot=True))
    while not writing.done() or revision < shop.engine.revision:
        message = await read(call)
        for order in (*message.orders, *(change.order for change in message.changes)):
            assert int(order.etag) >= int(seen.get(order.order_id, "0"))
            seen[order.order_id] = order.etag
        revision = message.revision
        is_complete = is_complete or message.snapshot_complete
        if is_complete and random.random() < 0.2:
            call.cancel()
            call = shop.orders.WatchOrders(pb.WatchOrdersRequest(after_revision=revision))
    call.cancel()
    assert is_complete
    return seen


async def write_on(shop: Shop, writer: int, seed: int) -> None:
    random = Random(seed * 10 + writer)
    for number in range(15):
        order = await place(shop, line(random.choice("ABC")), order_id=f"new-{writer}-{number}")
        old = await shop.orders.GetOrder(pb.GetOrderRequest(order_id=f"old-{random.randrange(20)}"))
        await cancel(shop, random.choice((order, old)))


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"order_ids": ["a b"]}, "order_ids[0]"),
        ({"order_ids": ["a"] * 1_001}, "order_ids"),
        ({"customer_ids": [""]}, "customer_ids[0]"),
        ({"customer_ids": ["a"] * 1_001}, "customer_ids"),
        ({"location_ids": ["a", "x" * 129]}, "location_ids[1]"),
        ({"location_ids": ["a"] * 1_001}, "location_ids"),
        ({"after_revision": -1}, "after_revision"),
        ({"view": 9}, "view"),
    ],
    ids=["order", "orders", "customer", "customers", "location", "locations", "revision", "view"],
)
async def test_a_misshapen_watch_is_refused(
    chain: Shop, fields: dict[str, Field], field: str
) -> None:
    async with watching(chain, **fields) as call:
        assert (await within_time(refusal(call.read()))).field == field


async def test_a_draining_server_says_from_where_to_resume(tmp_path: Path) -> None:
    async with serving(tmp_path, watch_mark_seconds=60) as shop:
        await shop.add_location("a")
        call = shop.orders.WatchOrders(pb.WatchOrdersRequest())
        await read(call)
        await shop.server.stop(0.1)
        ended = await within_time(refusal(call.read()))
    assert ended.reason == "SERVER_DRAINING"
    assert ended.facts == {"resume_revision": "1"}
