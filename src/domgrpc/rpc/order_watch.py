"""WatchOrders: every change of orders, from a revision or from a snapshot of the open ones on.

A snapshot is walked in slices (order_walk.py), each as of its own revision. Between two slices go
out all changes since the last one. A change holds its order whole, so that it may come before or
after the order in a slice: who keeps the newest of each has the truth when the last slice is out.
"""

from collections.abc import AsyncGenerator
from typing import TypeAlias

from domgrpc.core.events import Record
from domgrpc.core.values import CustomerId, LocationId, OrderId
from domgrpc.engine.calls import Reading
from domgrpc.rpc.calls import Call
from domgrpc.rpc.draining import Drain
from domgrpc.rpc.feed_watch import FILTER_MAX, FeedWatch, Packing, first_revision
from domgrpc.rpc.order_walk import (
    START,
    OrderNews,
    OrderSelection,
    OrderSlice,
    Place,
    news_of,
    read_slice,
)
from domgrpc.rpc.shapes import identifier, item_count, key
from domgrpc.rpc.sizes import order_bytes
from domgrpc.rpc.translate_order_answers import fill_change, fill_order
from domgrpc.rpc.translate_orders import is_basic
from domgrpc.v1 import order_pb2

_Answer: TypeAlias = order_pb2.WatchOrdersResponse


class OrderWatches:
    """Runs the watches of a server."""

    def __init__(self, drain: Drain) -> None:
        """Start with none."""
        self._drain = drain

    async def run(
        self, message: order_pb2.WatchOrdersRequest, call: Call
    ) -> AsyncGenerator[_Answer, None]:
        """Stream a watch until the caller goes away, falls behind, or the server goes down."""
        selection = _selection(message)
        basic = is_basic(message.view)
        feed = FeedWatch(call.engine, self._drain, _PACKINGS[basic])
        try:
            if message.snapshot:
                async for answer in _snapshot(feed, selection, basic=basic):
                    yield answer
            else:
                start = message.WhichOneof("start")
                feed.begin(first_revision(start, message.after_revision, call))
            async for answer in feed.follow(selection.wants):
                yield answer
        finally:
            feed.close()


def _packing(*, basic: bool) -> Packing[_Answer, OrderNews]:
    def add(answer: _Answer, news: OrderNews, record: Record) -> int:
        at = (record.revision, record.time_ms)
        fill_change(answer.changes.add(), (news.order, news.kind), at, is_basic=basic)
        return order_bytes(news.order)

    return Packing(_Answer, news_of, add)


_PACKINGS = {basic: _packing(basic=basic) for basic in (False, True)}


async def _snapshot(
    feed: FeedWatch[_Answer, OrderNews], selection: OrderSelection, *, basic: bool
) -> AsyncGenerator[_Answer, None]:
    """Stream all open orders that are watched, and meanwhile what changes."""
    place, is_last = START, False
    while not is_last:
        feed.drain.check()
        reading = await _slice(feed, selection, place)
        feed.begin(reading.revision)
        async for records in feed.records_until(reading.revision):
            for answer in feed.packing.batches(records, selection.wants):
                yield answer
        place, is_last = reading.value.place, reading.value.is_last
        answer = _Answer(revision=reading.revision, snapshot_complete=is_last)
        for order in reading.value.orders:
            fill_order(answer.orders.add(), order, reading.revision, is_basic=basic)
        if is_last or reading.value.orders:
            yield answer


async def _slice(
    feed: FeedWatch[_Answer, OrderNews], selection: OrderSelection, after: Place
) -> Reading[OrderSlice]:
    return await feed.engine.read(lambda state, _: read_slice(state, selection, after))


def _selection(message: order_pb2.WatchOrdersRequest) -> OrderSelection:
    for name in ("order_ids", "customer_ids", "location_ids"):
        item_count(len(getattr(message, name)), name, 0, FILTER_MAX)
    return OrderSelection(
        frozenset(
            OrderId(key(order_id, f"order_ids[{place}]"))
            for place, order_id in enumerate(message.order_ids)
        ),
        frozenset(
            CustomerId(identifier(customer_id, f"customer_ids[{place}]"))
            for place, customer_id in enumerate(message.customer_ids)
        ),
        frozenset(
            LocationId(identifier(location_id, f"location_ids[{place}]"))
            for place, location_id in enumerate(message.location_ids)
        ),
    )
