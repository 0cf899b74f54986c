"""Watching stock and orders: streams that come back by themselves, see resuming.py."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Final

from domgrpc.client.calls import Caller
from domgrpc.client.outages import OUTAGE_SECONDS_MAX
from domgrpc.client.resuming import begin_watch, resumed
from domgrpc.v1.inventory_pb2 import WatchInventoryRequest, WatchInventoryResponse
from domgrpc.v1.order_pb2 import OrderView, WatchOrdersRequest, WatchOrdersResponse

_ANY_VIEW: Final = OrderView.ORDER_VIEW_UNSPECIFIED


async def watch_inventory(
    client: Caller,
    *,
    after_revision: int | None = None,
    snapshot: bool = False,
    skus: Sequence[str] = (),
    location_ids: Sequence[str] = (),
    levels_only: bool = False,
    outage_seconds_max: float = OUTAGE_SECONDS_MAX,
) -> AsyncGenerator[WatchInventoryResponse, None]:
    """Iterate every change of stock after a revision, without end.

    Without `after_revision` it begins now; with `snapshot` it begins with the figures of all
    that matches. A snapshot that is broken off begins anew: figures that come again replace the
    ones before, and changes before `snapshot_complete` are void then. After it no change is ever
    repeated. Batches without changes are marks of progress; the first comes at once.

    Raises DomgrpcError with REVISION_TRIMMED where the log no longer reaches back so far, and
    the last error of an outage that lasts longer than `outage_seconds_max`.
    """
    request = WatchInventoryRequest(skus=skus, location_ids=location_ids, levels_only=levels_only)
    begin_watch(request, after_revision=after_revision, snapshot=snapshot)
    calls = client.calls
    method = calls.stubs.inventory.WatchInventory
    answers = resumed(
        calls,
        request,
        lambda wanted: method(wanted, metadata=calls.metadata),
        outage_seconds_max,
    )
    async with aclosing(answers):
        async for answer in answers:
            yield answer


async def watch_orders(
    client: Caller,
    *,
    after_revision: int | None = None,
    snapshot: bool = False,
    order_ids: Sequence[str] = (),
    customer_ids: Sequence[str] = (),
    location_ids: Sequence[str] = (),
    view: OrderView = _ANY_VIEW,
    outage_seconds_max: float = OUTAGE_SECONDS_MAX,
) -> AsyncGenerator[WatchOrdersResponse, None]:
    """Iterate every change of orders after a revision, without end.

    Without `after_revision` it begins now; with `snapshot` it begins with the open orders that
    match. Every change holds its order whole: keep the one with the highest etag. A store that
    gives its own `location_ids` hears of work that comes to it and of work that is taken away.

    Breaks are bridged, and errors raised, as by `watch_inventory`.
    """
    request = WatchOrdersRequest(
        order_ids=order_ids, customer_ids=customer_ids, location_ids=location_ids, view=view
    )
    begin_watch(request, after_revision=after_revision, snapshot=snapshot)
    calls = client.calls
    method = calls.stubs.orders.WatchOrders
    answers = resumed(
        calls,
        request,
        lambda wanted: method(wanted, metadata=calls.metadata),
        outage_seconds_max,
    )
    async with aclosing(answers):
        async for answer in answers:
            yield answer
