"""How a call is made: deadline, identity, retries, alone or in a batch.

The modules of the services (locations.py to administration.py) say what is in a request; this
one sends it. `DomgrpcClient` has one `Calls`, and the functions of those modules reach it
through the `Caller` protocol, so that they can be methods of the client.
"""

import asyncio
import itertools
import secrets
from collections.abc import Awaitable
from typing import Final, Protocol, TypeVar

import grpc
import grpc.aio

from domgrpc.client.coalescing import (
    OPERATION_WEIGHT_MAX,
    Batch,
    Coalescer,
    HotCall,
)
from domgrpc.client.connection import Stubs
from domgrpc.client.errors import DomgrpcError, error_of_call, local_error
from domgrpc.client.retries import Retries, RetryPolicy
from domgrpc.v1.pipeline_pb2 import ExecuteRequest, ExecuteResponse

CLIENT_ID_KEY: Final = "domgrpc-client"
ALONE_COUNT_MAX: Final = 4
"""So many hot calls in flight go alone; what comes on top is coalesced."""

_Request = TypeVar("_Request")
_Answer = TypeVar("_Answer")


class Caller(Protocol):
    """A client, as the functions that become its methods see it."""

    @property
    def calls(self) -> "Calls":
        """What sends the requests."""


class Calls:
    """Sends requests on one channel for one client; for one event loop.

    `read_timeout_seconds` and `write_timeout_seconds` bound a call with all its retries where
    the call itself names no timeout.
    """

    def __init__(
        self,
        channel: grpc.aio.Channel,
        *,
        client_id: str,
        read_timeout_seconds: float,
        write_timeout_seconds: float,
        retry: RetryPolicy,
        coalesce: bool,
    ) -> None:
        """Bind the stubs; nothing is sent yet."""
        self.stubs = Stubs(channel)
        self.metadata = ((CLIENT_ID_KEY, client_id),)
        self.retries = Retries(retry)
        self.read_timeout_seconds = read_timeout_seconds
        self.write_timeout_seconds = write_timeout_seconds
        self._channel = channel
        self._now = asyncio.get_running_loop().time
        self.coalescer = Coalescer(self) if coalesce else None
        self.alone_count = 0
        self._is_closed = False
        # Unique by 96 random bits for the client, then by counting: cheaper than a UUID a call.
        self._request_id_prefix = secrets.token_hex(12)
        self._request_number = itertools.count(1)

    def new_request_id(self) -> str:
        """Return an id that no other request of any client has."""
        return f"{self._request_id_prefix}-{next(self._request_number)}"

    async def read(
        self,
        method: "grpc.aio.UnaryUnaryMultiCallable[_Request, _Answer]",
        request: _Request,
        timeout_seconds: float | None,
    ) -> _Answer:
        """Make a call that changes nothing."""
        seconds = self.read_timeout_seconds if timeout_seconds is None else timeout_seconds
        return await self._alone(method, request, self._now() + seconds)

    async def write(
        self,
        method: "grpc.aio.UnaryUnaryMultiCallable[_Request, _Answer]",
        request: _Request,
        timeout_seconds: float | None,
    ) -> _Answer:
        """Make a call whose request has a request_id."""
        seconds = self.write_timeout_seconds if timeout_seconds is None else timeout_seconds
        return await self._alone(method, request, self._now() + seconds)

    def begin(self, call: HotCall[_Request, _Answer], weight: int) -> tuple[_Request, Batch | None]:
        """Return an empty request to write into, and the batch that it is part of, if any.

        It goes into a batch where several calls are in flight. `weight` is the number of its
        lines, items and ids. `finish` must follow before anything is awaited; where writing the
        request raises, it need not.
        """
        coalescer = self.coalescer
        if (
            coalescer is None
            or self._is_closed
            or self.alone_count + coalescer.waiting_count < ALONE_COUNT_MAX
            or weight > OPERATION_WEIGHT_MAX
        ):
            return call.request(), None
        batch = coalescer.open_batch(weight)
        return call.operation(batch.add_operation()), batch

    def finish(
        self,
        call: HotCall[_Request, _Answer],
        request: _Request,
        batch: Batch | None,
        timeout_seconds: float | None,
    ) -> Awaitable[_Answer]:
        """Send the request that `begin` gave; the result must be awaited."""
        if timeout_seconds is None:
            is_read = call.is_read
            timeout_seconds = self.read_timeout_seconds if is_read else self.write_timeout_seconds
        deadline = self._now() + timeout_seconds
        if batch is None or self.coalescer is None:
            return self._hot_alone(call, request, deadline)
        return self.coalescer.join(batch, call, deadline)

    async def close(self) -> None:
        """Fail what waits and close the channel."""
        self._is_closed = True
        if self.coalescer is not None:
            await self.coalescer.close()
        await self._channel.close()

    async def execute(self, request: ExecuteRequest, deadline: float) -> ExecuteResponse:
        """Send a batch until a deadline of the event loop's clock."""
        return await self._alone(self.stubs.pipeline.Execute, request, deadline)

    async def repeat(
        self,
        call: HotCall[_Request, _Answer],
        request: _Request,
        deadline: float,
        refusal: DomgrpcError,
    ) -> _Answer:
        """Send a request of a batch again, alone, if policy, budget and deadline allow."""
        return await self._again(call.method(self.stubs), request, deadline, refusal)

    async def alone(
        self, call: HotCall[_Request, _Answer], request: _Request, deadline: float
    ) -> _Answer:
        """Send a request of a batch alone that never had an answer of its own."""
        return await self._alone(call.method(self.stubs), request, deadline)

    async def _hot_alone(
        self, call: HotCall[_Request, _Answer], request: _Request, deadline: float
    ) -> _Answer:
        self.alone_count += 1
        try:
            return await self._alone(call.method(self.stubs), request, deadline)
        finally:
            self.alone_count -= 1

    async def _alone(
        self,
        method: "grpc.aio.UnaryUnaryMultiCallable[_Request, _Answer]",
        request: _Request,
        deadline: float,
    ) -> _Answer:
        self.retries.earn()
        try:
            return await self._once(method, request, deadline)
        except DomgrpcError as error:
            refusal = error
        return await self._again(method, request, deadline, refusal)

    async def _again(
        self,
        method: "grpc.aio.UnaryUnaryMultiCallable[_Request, _Answer]",
        request: _Request,
        deadline: float,
        refusal: DomgrpcError,
    ) -> _Answer:
        """Repeat a refused request as it is while policy, budget and deadline allow."""
        for retry_count in itertools.count():
            wait_seconds = self.retries.wait_seconds(
                refusal, retry_count=retry_count, seconds_left=deadline - self._now()
            )
            if wait_seconds is None:
                break
            await asyncio.sleep(wait_seconds)
            try:
                return await self._once(method, request, deadline)
            except DomgrpcError as error:
                refusal = error
        raise refusal

    async def _once(
        self,
        method: "grpc.aio.UnaryUnaryMultiCallable[_Request, _Answer]",
        request: _Request,
        deadline: float,
    ) -> _Answer:
        self._check_open()
        seconds_left = deadline - self._now()
        try:
            return await method(request, timeout=seconds_left, metadata=self.metadata)
        except grpc.aio.AioRpcError as error:
            raise error_of_call(error) from error
        except asyncio.CancelledError:
            # gRPC cancels what is under way when the channel closes; that is no wish of the task.
            task = asyncio.current_task()
            if not self._is_closed or (task is not None and task.cancelling()):
                raise
            raise local_error(grpc.StatusCode.CANCELLED, "the client was closed") from None

    def _check_open(self) -> None:
        if self._is_closed:
            raise local_error(grpc.StatusCode.CANCELLED, "the client is closed: make a new one")
