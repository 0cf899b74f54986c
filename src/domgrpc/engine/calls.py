"""What goes in and out of the writer: commands and queries, answers and refusals to work."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeAlias, TypeVar

import msgspec

from domgrpc.core.answers import Answer
from domgrpc.core.machine import Request
from domgrpc.core.rejections import Rejected
from domgrpc.core.state import State
from domgrpc.core.values import ClientId, Revision, TimeMs

T = TypeVar("T")
Query: TypeAlias = Callable[[State, TimeMs], T]
"""A pure function of the state and the time."""


class Reading(msgspec.Struct, Generic[T], frozen=True, gc=False):
    """The answer of a query, and the moment that it describes."""

    revision: Revision
    time_ms: TimeMs
    value: T


class Busy(Exception):
    """The queue is full; the call was not started."""


class DeadlinePassed(Exception):
    """The caller's deadline was over before the call was started; nothing was done."""

    def __init__(self) -> None:
        """Say what that means."""
        super().__init__("the deadline was over before the call was started: nothing was done")


class Stopped(Exception):
    """The server takes no calls: it is draining, or it has failed."""


class Failed(Stopped):
    """The server met a fault and takes no calls until it is restarted."""


class DiskFullRefusal(Exception):
    """There is no space for the log; nothing was changed, reads still work."""

    def __init__(
        self, message: str = "the disk is full: nothing was changed, try again later"
    ) -> None:
        """Say what that means."""
        super().__init__(message)


class CallFailed(Exception):
    """A query, or the deciding of a command, broke; a bug of ours that changed nothing."""


class RevisionNotReached(Exception):
    """The wanted revision did not come in time."""

    def __init__(self, revision: int, min_revision: int) -> None:
        """Say both revisions."""
        super().__init__(
            f"revision {min_revision} is not reached, the newest is {revision}: ask again later, "
            "or this server is not the one that answered you"
        )
        self.revision = revision
        self.min_revision = min_revision


Step: TypeAlias = Request | Query[Any]
StepResult: TypeAlias = Answer | Reading[Any] | Rejected | CallFailed | DiskFullRefusal


class Waiting(msgspec.Struct, frozen=True, gc=False):
    """A call that waits for its turn; the deadline by the engine's clock."""

    steps: Sequence[Step]
    future: "asyncio.Future[list[StepResult]]"
    client_id: ClientId
    deadline_seconds: float


def refuse(waiting: Waiting, refusal: Exception) -> None:
    """End a call without having run it, unless it has ended."""
    if not waiting.future.done():
        waiting.future.set_exception(refusal)
