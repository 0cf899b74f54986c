"""Coalescing: calls that are under way at the same time travel in one Execute message.

A gRPC call costs some hundred microseconds on either side, an operation inside a message a few.
So calls that are made while others are in flight write their operation straight into a batch
that is being gathered. A batch leaves as soon as fewer than `EXECUTING_MAX` are under way, at
the end of the turn of the event loop in which its first operation came: nobody waits for
company, and company that is there is taken along. While the server works on the batches under
way the next one fills, so that batches grow by themselves with the load.

Each operation keeps its own request_id, so a batch is repeated as it is. What waits is bounded
by the number of callers that wait for it.

A call costs a few microseconds here, and objects that the garbage collector has to look at cost
more than the code: hence no closure, no task and no timer for each call.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Generic, Protocol, TypeVar

import grpc
import grpc.aio

from domgrpc.client.connection import Stubs
from domgrpc.client.errors import DomgrpcError, local_error
from domgrpc.client.retries import may_repeat
from domgrpc.v1.pipeline_pb2 import ExecuteRequest, ExecuteResponse, Operation, OperationResult

EXECUTING_MAX: Final = 2
OPERATION_COUNT_MAX: Final = 1_000
WEIGHT_MAX: Final = 7_000
"""Lines, items and ids in one batch: below the server's 4 MiB even at the longest names."""
OPERATION_WEIGHT_MAX: Final = 500
"""A heavier operation goes alone: it would make lighter ones wait for it."""
ALONE_WEIGHT: Final = OPERATION_WEIGHT_MAX + 1
_EXPIRY_STEP_SECONDS: Final = 0.005
_TOO_LARGE: Final = "message larger than max"
"""What gRPC says, without a reason, of a message that it did not send or take."""
_CLOSED: Final = local_error(grpc.StatusCode.CANCELLED, "the client was closed")

_Request = TypeVar("_Request")
_Answer = TypeVar("_Answer")


@dataclass(frozen=True, slots=True)
class HotCall(Generic[_Request, _Answer]):
    """A call that can travel alone or in a batch."""

    request: type[_Request]
    method: Callable[[Stubs], "grpc.aio.UnaryUnaryMultiCallable[_Request, _Answer]"]
    operation: Callable[[Operation], _Request]
    """The place of its request in an operation; reading it chooses the operation."""
    answer: Callable[[OperationResult], _Answer]
    is_read: bool = False


class Sender(Protocol):
    """What really sends; retries are its business."""

    async def execute(self, request: ExecuteRequest, deadline: float) -> ExecuteResponse:
        """Send a batch."""

    async def repeat(
        self,
        call: HotCall[_Request, _Answer],
        request: _Request,
        deadline: float,
        refusal: DomgrpcError,
    ) -> _Answer:
        """Send a request alone that was refused for now."""

    async def alone(
        self, call: HotCall[_Request, _Answer], request: _Request, deadline: float
    ) -> _Answer:
        """Send a request alone."""


# Request and answer differ from operation to operation, so a batch cannot name their types.
_Waiting = tuple["asyncio.Future[Any]", HotCall[Any, Any], float]


class Batch:
    """Operations that travel together, and who waits for them until when.

    An operation is added to the request first and its waiter when it is written; one that could
    not be written stays behind as the last one and is dropped by `tidy`.
    """

    __slots__ = (
        "add_operation",
        "expiry",
        "expiry_time",
        "last_deadline",
        "request",
        "waiting",
        "weight",
    )

    def __init__(self) -> None:
        """Start empty."""
        self.request = ExecuteRequest()
        self.add_operation = self.request.operations.add
        self.waiting: list[_Waiting] = []
        self.weight = 0
        self.last_deadline = 0.0
        self.expiry: asyncio.TimerHandle | None = None
        self.expiry_time = 0.0

    def tidy(self) -> None:
        """Drop an operation that could not be written."""
        del self.request.operations[len(self.waiting) :]

    def drop_ended(self) -> int:
        """Drop the operations whose callers have gone or been told of their deadline; count them.

        What is sent later than its caller waits would change stock behind the caller's back.
        """
        self.tidy()
        ended = [place for place, (answer, _, _) in enumerate(self.waiting) if answer.done()]
        for place in reversed(ended):
            del self.request.operations[place]
            del self.waiting[place]
        if ended:
            self.last_deadline = max((deadline for _, _, deadline in self.waiting), default=0.0)
        return len(ended)

    def fail(self, error: DomgrpcError) -> None:
        """Give whoever still waits the error."""
        for answer, _, _ in self.waiting:
            if not answer.done():
                # Each its own: raising one object in many tasks would tangle their tracebacks.
                answer.set_exception(DomgrpcError(error.status))


class Coalescer:
    """Gathers operations into batches and deals the answers out; for one event loop.

    `waiting_count` operations have no answer yet.
    """

    __slots__ = (
        "_executing",
        "_gathered",
        "_is_scheduled",
        "_loop",
        "_repeating",
        "_sender",
        "waiting_count",
    )

    def __init__(self, sender: Sender) -> None:
        """Start with nothing under way."""
        self._sender = sender
        self._loop = asyncio.get_running_loop()
        self._gathered: deque[Batch] = deque()
        self._executing: dict[Batch, asyncio.Task[None]] = {}
        self._repeating: set[asyncio.Task[None]] = set()
        self._is_scheduled = False
        self.waiting_count = 0

    def open_batch(self, weight: int) -> Batch:
        """Return a batch with room for an operation, which must be joined before any await."""
        if self._gathered:
            batch = self._gathered[-1]
            batch.tidy()
            if len(batch.waiting) < OPERATION_COUNT_MAX and batch.weight + weight <= WEIGHT_MAX:
                batch.weight += weight
                return batch
        batch = Batch()
        batch.weight = weight
        self._gathered.append(batch)
        return batch

    def join(
        self, batch: Batch, call: HotCall[Any, _Answer], deadline: float
    ) -> "asyncio.Future[_Answer]":
        """Wait for the operation that was written last; the future has its answer or error.

        Cancelling the future does not take the operation back.
        """
        answer: asyncio.Future[_Answer] = self._loop.create_future()
        batch.waiting.append((answer, call, deadline))
        self.waiting_count += 1
        if deadline > batch.last_deadline:  # noqa: PLR1730 - a call of max() for every operation
            batch.last_deadline = deadline
        if batch.expiry is None or deadline < batch.expiry_time:
            self._watch_deadline(batch, deadline)
        if not self._is_scheduled and len(self._executing) < EXECUTING_MAX:
            self._is_scheduled = True
            self._loop.call_soon(self._send_gathered)
        return answer

    async def close(self) -> None:
        """Fail every call that still waits and stop."""
        tasks = [*self._executing.values(), *self._repeating]
        for task in tasks:
            task.cancel()
        for batch in self._gathered:
            batch.fail(_CLOSED)
            self._forget_deadline(batch)
        self._gathered.clear()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _send_gathered(self) -> None:
        self._is_scheduled = False
        while self._gathered and len(self._executing) < EXECUTING_MAX:
            batch = self._gathered.popleft()
            self.waiting_count -= batch.drop_ended()
            if batch.waiting:
                self._executing[batch] = self._loop.create_task(self._send(batch))
            else:
                self._forget_deadline(batch)

    async def _send(self, batch: Batch) -> None:
        try:
            response = await self._sender.execute(batch.request, batch.last_deadline)
            self._deal_out(batch, response)
        except DomgrpcError as error:
            self._fail(batch, error)
        except asyncio.CancelledError:
            batch.fail(_CLOSED)
            raise
        except Exception as error:  # noqa: BLE001 - whatever broke, nobody may wait for ever
            message = f"the client failed: {error!r}"
            batch.fail(local_error(grpc.StatusCode.INTERNAL, message))
        finally:
            self._forget_deadline(batch)
            self.waiting_count -= len(batch.waiting)
            del self._executing[batch]
            # At the end of this turn: who was answered just now and asks again comes along.
            if self._gathered and not self._is_scheduled:
                self._is_scheduled = True
                self._loop.call_soon(self._send_gathered)

    def _fail(self, batch: Batch, error: DomgrpcError) -> None:
        if not is_too_large(error):
            batch.fail(error)
            return
        # Together they were, or their answers; one of them alone may be as well.
        for index, (answer, _, _) in enumerate(batch.waiting):
            if not answer.done():
                self._repeat_alone(batch, index, None)

    def _deal_out(self, batch: Batch, response: ExecuteResponse) -> None:
        results = response.results
        if len(results) != len(batch.waiting):
            message = f"the server answered {len(results)} of {len(batch.waiting)} operations"
            batch.fail(local_error(grpc.StatusCode.INTERNAL, message))
            return
        for index, result in enumerate(results):
            answer, call, _ = batch.waiting[index]
            if answer.done():
                continue
            if not result.HasField("error"):
                answer.set_result(call.answer(result))
                continue
            error = DomgrpcError(result.error)
            if may_repeat(error):
                self._repeat_alone(batch, index, error)
            else:
                answer.set_exception(error)

    def _repeat_alone(self, batch: Batch, index: int, refusal: DomgrpcError | None) -> None:
        request = batch.waiting[index][1].operation(batch.request.operations[index])
        task = self._loop.create_task(self._repeat(batch.waiting[index], request, refusal))
        self._repeating.add(task)
        task.add_done_callback(self._repeating.discard)

    async def _repeat(
        self, waiting: _Waiting, request: object, refusal: DomgrpcError | None
    ) -> None:
        answer, call, deadline = waiting
        try:
            if refusal is None:
                result = await self._sender.alone(call, request, deadline)
            else:
                result = await self._sender.repeat(call, request, deadline, refusal)
        except DomgrpcError as error:
            if not answer.done():
                answer.set_exception(error)
        except asyncio.CancelledError:
            if not answer.done():
                answer.set_exception(DomgrpcError(_CLOSED.status))
            raise
        else:
            if not answer.done():
                answer.set_result(result)

    def _watch_deadline(self, batch: Batch, deadline: float) -> None:
        """Look after the batch at its earliest deadline: one timer, not one for each call."""
        self._forget_deadline(batch)
        batch.expiry_time = deadline
        batch.expiry = self._loop.call_at(deadline, self._expire, batch)

    def _forget_deadline(self, batch: Batch) -> None:
        if batch.expiry is not None:
            batch.expiry.cancel()
            batch.expiry = None

    def _expire(self, batch: Batch) -> None:
        now = self._loop.time()
        coming = [deadline for _, _, deadline in batch.waiting if deadline > now]
        for answer, _, deadline in batch.waiting:
            if deadline <= now and not answer.done():
                message = "no answer came before the deadline; the call may still take effect"
                answer.set_exception(local_error(grpc.StatusCode.DEADLINE_EXCEEDED, message))
        if coming:
            self._watch_deadline(batch, max(min(coming), now + _EXPIRY_STEP_SECONDS))


def is_too_large(error: DomgrpcError) -> bool:
    """Say whether a call failed because its message or its answer is too large for gRPC."""
    return error.code is grpc.StatusCode.RESOURCE_EXHAUSTED and _TOO_LARGE in error.message
