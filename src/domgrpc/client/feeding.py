"""Feeding stock: batches that are applied once each, in order, however often the way breaks.

The server remembers the last sequence of each source. A batch that it knows is answered again
and changes nothing, so what was under way when the connection broke is simply sent again.
"""

import asyncio
import itertools
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator
from typing import Final, TypeAlias

import grpc
import grpc.aio

from domgrpc.client.calls import Caller, Calls
from domgrpc.client.errors import DomgrpcError, error_of_call, local_error
from domgrpc.client.outages import OUTAGE_SECONDS_MAX, Outage
from domgrpc.v1.inventory_pb2 import StreamStockUpdatesRequest, StreamStockUpdatesResponse

WINDOW: Final = 4
"""Batches under way: enough to keep the server busy while the next one is made."""
SOURCE_IN_USE: Final = "SOURCE_IN_USE"

_Stream: TypeAlias = (
    "grpc.aio.StreamStreamCall[StreamStockUpdatesRequest, StreamStockUpdatesResponse]"
)


async def get_feed_sequence(
    client: Caller, source: str, *, timeout_seconds: float | None = None
) -> int:
    """Return the last sequence that the server has applied for a source, 0 for none."""
    calls = client.calls
    seconds = calls.read_timeout_seconds if timeout_seconds is None else timeout_seconds
    stream = _open(calls, timeout_seconds=seconds)
    try:
        await stream.write(StreamStockUpdatesRequest(source=source))
        await stream.done_writing()
        # To the end of the stream: only then is the source free for the next one.
        answers = [answer async for answer in stream]
    except grpc.aio.AioRpcError as error:
        raise error_of_call(error) from error
    if not answers:
        message = f"the server did not answer for source {source}"
        raise local_error(grpc.StatusCode.INTERNAL, message)
    return answers[-1].last_sequence


async def stream_stock(
    client: Caller,
    batches: Iterable[StreamStockUpdatesRequest],
    *,
    window: int = WINDOW,
    outage_seconds_max: float = OUTAGE_SECONDS_MAX,
) -> AsyncGenerator[StreamStockUpdatesResponse, None]:
    """Send batches of one source and iterate their answers, one for each, in order.

    Batches are taken when they can be sent, so at most `window` of them are in memory. A feed
    that starts again begins with the batch after `get_feed_sequence`; one that begins earlier
    does no harm, the server answers what it knows as duplicates.

    Raises DomgrpcError: for a batch that is malformed, with SOURCE_IN_USE for a source that
    somebody else feeds, and the last error of an outage longer than `outage_seconds_max`.
    """
    calls = client.calls
    outage = Outage(calls.retries, seconds_max=outage_seconds_max)
    unanswered: deque[StreamStockUpdatesRequest] = deque()
    remaining = iter(batches)
    has_worked = False
    while True:
        try:
            async for answer in _exchange(calls, unanswered, remaining, window):
                has_worked = True
                outage.end()
                unanswered.popleft()
                yield answer
            return
        except DomgrpcError as error:
            if not _may_resume(error, has_worked=has_worked):
                raise
            await outage.wait(error)


async def _exchange(
    calls: Calls,
    unanswered: deque[StreamStockUpdatesRequest],
    remaining: Iterator[StreamStockUpdatesRequest],
    window: int,
) -> AsyncIterator[StreamStockUpdatesResponse]:
    """Send what is unanswered, then what remains, on one stream; the caller pops the answered."""
    stream = _open(calls, timeout_seconds=None)
    sent_count, room = 0, 1
    try:
        while True:
            for batch in itertools.islice(remaining, max(0, room - len(unanswered))):
                # Remembered before it is sent: a write that fails may have arrived.
                unanswered.append(batch)
            for batch in itertools.islice(unanswered, sent_count, room):
                await _write(stream, batch)
                sent_count += 1
            if not sent_count:
                await _finish(stream)
                return
            yield await _read(stream)
            sent_count -= 1
            # The first batch went alone: what the server has against the stream as a whole comes
            # as its answer, while an error that comes in the middle of a write is lost.
            room = window
    finally:
        stream.cancel()


async def _write(stream: _Stream, batch: StreamStockUpdatesRequest) -> None:
    try:
        await stream.write(batch)
    except asyncio.InvalidStateError:
        # The stream has ended, and reading says why.
        await _read(stream)
    except grpc.aio.AioRpcError as error:
        message = f"the connection broke while sending: {error.details()}"
        raise local_error(grpc.StatusCode.UNAVAILABLE, message) from error


async def _read(stream: _Stream) -> StreamStockUpdatesResponse:
    try:
        answer = await stream.read()
    except grpc.aio.AioRpcError as error:
        raise error_of_call(error) from error
    if isinstance(answer, StreamStockUpdatesResponse):
        return answer
    raise local_error(grpc.StatusCode.UNAVAILABLE, "the server ended the feed")


async def _finish(stream: _Stream) -> None:
    """Wait for the server's end of the stream: then the source is free for the next one."""
    try:
        await stream.done_writing()
        await stream.read()
    except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
        # All batches are answered, so how the stream ends is of no interest any more.
        return


def _open(calls: Calls, *, timeout_seconds: float | None) -> _Stream:
    return calls.stubs.inventory.StreamStockUpdates(
        timeout=timeout_seconds, metadata=calls.metadata
    )


def _may_resume(error: DomgrpcError, *, has_worked: bool) -> bool:
    # After a break the server may not have noticed yet that the stream before is gone.
    own_leftover = has_worked and error.reason == SOURCE_IN_USE
    return error.code is grpc.StatusCode.UNAVAILABLE or own_leftover
