"""Streams of changes that come back by themselves and neither skip nor repeat one.

The client remembers what was handed on: the revision up to which all is complete, and how many
changes beyond it (a very large record comes in several messages). When the server restarts,
drains, or cuts the watch off for being read too slowly, it resumes behind that revision and
drops as many changes as were handed on already; the server sends them in the same order.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import Any, Final, Protocol, TypeVar

import grpc
import grpc.aio

from domgrpc.client.calls import Calls
from domgrpc.client.errors import DomgrpcError, error_of_call, local_error
from domgrpc.client.outages import Outage

TOO_SLOW: Final = "WATCH_TOO_SLOW"


class WatchRequest(Protocol):
    """What the requests of all watches have: a place to begin."""

    after_revision: int
    snapshot: bool


class WatchAnswer(Protocol):
    """What the answers of all watches have: a revision, changes, the end of the snapshot."""

    revision: int
    snapshot_complete: bool

    @property
    def changes(self) -> Any:  # noqa: ANN401 - a list of messages, of a kind for each watch
        """The changes, each with its revision."""


_Answer = TypeVar("_Answer", bound=WatchAnswer)


async def resumed(
    calls: Calls,
    request: WatchRequest,
    open_stream: "Callable[[Any], grpc.aio.UnaryStreamCall[Any, _Answer]]",
    seconds_max: float,
) -> AsyncGenerator[_Answer, None]:
    """Iterate the answers of a watch, without end; `open_stream` sends the request.

    Raises DomgrpcError where the watch cannot go on where it was, and the last error of an outage
    that lasts longer than `seconds_max`.
    """
    place = _Place(request)
    outage = Outage(calls.retries, seconds_max=seconds_max)
    while True:
        try:
            async for response in _stream(open_stream(request), place):
                outage.end()
                yield response
            error = local_error(grpc.StatusCode.UNAVAILABLE, "the server ended the watch")
        except DomgrpcError as broken:
            error = broken
        if not _may_resume(error, request):
            raise error
        place.resume()
        await outage.wait(error)


def begin_watch(request: WatchRequest, *, after_revision: int | None, snapshot: bool) -> None:
    """Write where a watch begins. Raises ValueError where two places are given."""
    if snapshot and after_revision is not None:
        raise ValueError("a watch begins with a snapshot or after a revision: give one of them")
    # Setting one of the two unsets the other: they are one choice.
    request.snapshot = snapshot
    if after_revision is not None:
        request.after_revision = after_revision


class _Place:
    """How far a watch has come; kept in its request, so that sending it again resumes there."""

    __slots__ = ("_handed_on_count", "_repeated_count", "_request")

    def __init__(self, request: WatchRequest) -> None:
        """Begin where the request does."""
        self._request = request
        # Changes beyond the revision of the request that were handed on.
        self._handed_on_count = 0
        # How many of them the present stream will bring again.
        self._repeated_count = 0

    def resume(self) -> None:
        """Expect a new stream."""
        self._repeated_count = self._handed_on_count

    def advance(self, response: WatchAnswer) -> bool:
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
    call: "grpc.aio.UnaryStreamCall[Any, _Answer]", place: _Place
) -> AsyncIterator[_Answer]:
    """Iterate what an open watch brings and was not handed on before."""
    try:
        async for response in call:
            if place.advance(response):
                yield response
    except grpc.aio.AioRpcError as error:
        raise error_of_call(error) from error
    finally:
        # Whoever stops reading also stops the server from sending.
        call.cancel()


def _may_resume(error: DomgrpcError, request: WatchRequest) -> bool:
    if error.reason == TOO_SLOW:
        # A snapshot that was too long for the reader once will be again.
        return not request.snapshot
    return error.code is grpc.StatusCode.UNAVAILABLE
