"""Watching stock: a stream that comes back by itself and neither skips nor repeats a change.

The client remembers what was handed on: the revision up to which all is complete, and how many
changes beyond it (a very large record comes in several messages). When the server restarts,
drains, or cuts the watch off for being read too slowly, it resumes behind that revision and
drops as many changes as were handed on already; the server sends them in the same order.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from typing import Final

import grpc
import grpc.aio

from domgrpc.client.calls import Caller, Calls
from domgrpc.client.errors import DomgrpcError, error_of_call, local_error
from domgrpc.client.outages import OUTAGE_SECONDS_MAX, Outage
from domgrpc.v1.inventory_pb2 import WatchInventoryRequest, WatchInventoryResponse

TOO_SLOW: Final = "WATCH_TOO_SLOW"


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
    if snapshot and after_revision is not None:
        raise ValueError("a watch begins with a snapshot or after a revision: give one of them")
    request = WatchInventoryRequest(
        skus=skus, location_ids=location_ids, levels_only=levels_only, snapshot=snapshot
    )
    if after_revision is not None:
        request.after_revision = after_revision
    calls = client.calls
    place = _Place(request)
    outage = Outage(calls.retries, seconds_max=outage_seconds_max)
    while True:
        try:
            async for response in _stream(calls, request, place):
                outage.end()
                yield response
            error = local_error(grpc.StatusCode.UNAVAILABLE, "the server ended the watch")
        except DomgrpcError as broken:
            error = broken
        if not _may_resume(error, request):
            raise error
        place.resume()
        await outage.wait(error)


class _Place:
    """How far a watch has come; kept in its request, so that sending it again resumes there."""

    __slots__ = ("_handed_on_count", "_repeated_count", "_request")

    def __init__(self, request: WatchInventoryRequest) -> None:
        """Begin where the request does."""
        self._request = request
        # Changes beyond the revision of the request that were handed on.
        self._handed_on_count = 0
        # How many of them the present stream will bring again.
        self._repeated_count = 0

    def resume(self) -> None:
        """Expect a new stream."""
        self._repeated_count = self._handed_on_count

    def advance(self, response: WatchInventoryResponse) -> bool:
        """Drop from the response what was handed on before; False where nothing is left."""
        request, changes = self._request, response.changes
        if request.snapshot and not response.snapshot_complete:
            return True
        dropped_count = min(self._repeated_count, len(changes))
        del changes[:dropped_count]
        self._repeated_count -= dropped_count
        if response.revision > request.after_revision:
            self._handed_on_count = 0
        # Setting this unsets `snapshot`: they are one choice.
        request.after_revision = response.revision
        self._handed_on_count += sum(change.revision > response.revision for change in changes)
        return bool(changes) or not dropped_count


async def _stream(
    calls: Calls, request: WatchInventoryRequest, place: _Place
) -> AsyncIterator[WatchInventoryResponse]:
    """Open the watch once and iterate what was not handed on before."""
    call = calls.stubs.inventory.WatchInventory(request, metadata=calls.metadata)
    try:
        async for response in call:
            if place.advance(response):
                yield response
    except grpc.aio.AioRpcError as error:
        raise error_of_call(error) from error
    finally:
        # Whoever stops reading also stops the server from sending.
        call.cancel()


def _may_resume(error: DomgrpcError, request: WatchInventoryRequest) -> bool:
    if error.reason == TOO_SLOW:
        # A snapshot that was too long for the reader once will be again.
        return not request.snapshot
    return error.code is grpc.StatusCode.UNAVAILABLE
