"""StreamStockUpdates: batches of one source in, an answer for each out, in order.

The source numbers its batches; the server remembers the last number of each source, so that a
feed that reconnects neither skips nor repeats. The next batch is read when the last is answered:
a feed cannot run ahead of the disk. One open stream for each source.
"""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, aclosing

from domgrpc.core.machine import Request
from domgrpc.core.rejections import Rejection
from domgrpc.core.stock_changes import ApplyStockBatch, BatchSummary
from domgrpc.core.values import RequestId, SourceId
from domgrpc.engine.records import fingerprint
from domgrpc.rpc.calls import Call, RejectedAnswer, malformed
from domgrpc.rpc.draining import Drain
from domgrpc.rpc.refusals import InvalidField, Refused, TransportReason
from domgrpc.rpc.shapes import key
from domgrpc.rpc.status import Problem, fill_status
from domgrpc.rpc.translate_stock import feed_sequence, feed_updates
from domgrpc.v1 import inventory_pb2

REFUSALS_BYTES_MAX = 3 * 1024 * 1024
"""The refusals of 2,500 updates at the longest names; clients take 4 MiB by default."""


class StockFeeds:
    """The feeds that are open, by source."""

    def __init__(self, drain: Drain) -> None:
        """Start with none."""
        self._drain = drain
        self._clients: dict[str, str] = {}

    async def run(
        self, messages: AsyncIterator[inventory_pb2.StreamStockUpdatesRequest], call: Call
    ) -> AsyncGenerator[inventory_pb2.StreamStockUpdatesResponse, None]:
        """Answer the batches of a stream until it ends."""
        source = ""
        async with AsyncExitStack() as at_the_end:
            batches = await at_the_end.enter_async_context(aclosing(self._drain.until(messages)))
            async for message in batches:
                if message is None:
                    raise malformed()
                if not source:
                    source = self._take(message.source, call)
                    at_the_end.callback(self._clients.pop, source)
                if message.source != source:
                    raise InvalidField("source", f"is not {source!a}, that of the first message")
                yield await _answer(message, SourceId(source), call)

    def _take(self, value: str, call: Call) -> str:
        source = key(value, "source")
        holder = self._clients.get(source)
        if holder is not None:
            raise Refused(
                TransportReason.SOURCE_IN_USE,
                f"client {holder!a} has an open stream of source {source!a}: close that one first, "
                "or use another source",
                source=source,
                client_id=holder,
            )
        self._clients[source] = call.client_id
        return source


async def _answer(
    message: inventory_pb2.StreamStockUpdatesRequest, source: SourceId, call: Call
) -> inventory_pb2.StreamStockUpdatesResponse:
    sequence = feed_sequence(message)
    if sequence:
        answer = await _apply(message, source, sequence, call)
    else:
        answer = inventory_pb2.StreamStockUpdatesResponse()
    reading = await call.engine.read(lambda state, _: state.feeds.last_sequences.get(source, 0))
    answer.last_sequence = reading.value
    if not sequence:
        answer.revision = reading.revision
    return answer


async def _apply(
    message: inventory_pb2.StreamStockUpdatesRequest, source: SourceId, sequence: int, call: Call
) -> inventory_pb2.StreamStockUpdatesResponse:
    good, bad = feed_updates(message)
    command = ApplyStockBatch(source, sequence, tuple(good.values()))
    # With a sign that no request_id of a caller has, so that it is no caller's.
    request_id = RequestId(f"feed/{source}/{sequence}")
    answer = await call.engine.submit(
        Request(command, call.client_id, request_id, fingerprint(command))
    )
    summary = answer.outcome
    if isinstance(summary, Rejection):
        raise RejectedAnswer(summary)
    assert isinstance(summary, BatchSummary)
    response = inventory_pb2.StreamStockUpdatesResponse(
        sequence=sequence,
        applied_count=summary.applied_count,
        duplicate=summary.duplicate or answer.replayed,
        revision=answer.revision,
    )
    refused: dict[int, Problem] = {}
    if not summary.duplicate:
        refused.update(bad)
        places = tuple(good)
        refused.update((places[place], rejection) for place, rejection in summary.refusals)
    _fill_refusals(response, refused)
    return response


def _fill_refusals(
    response: inventory_pb2.StreamStockUpdatesResponse, refused: dict[int, Problem]
) -> None:
    response.refusal_count = len(refused)
    size_bytes = 0
    for place in sorted(refused):
        refusal = response.refusals.add(index=place)
        fill_status(refusal.status, refused[place])
        size_bytes += refusal.ByteSize()
        if size_bytes > REFUSALS_BYTES_MAX:
            return
