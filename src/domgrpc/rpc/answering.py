"""How calls end: each method is wrapped once by one of the functions here.

The wrapper begins a `Call` for the handler, turns whatever the handler raises into a status with
details, and writes the call log. There are no interceptors: each would cost every call tens of
microseconds.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing
from typing import Any, TypeAlias

import grpc
import grpc.aio
import msgspec
import structlog
from google.rpc.status_pb2 import Status

from domgrpc.core.rejections import Rejected
from domgrpc.engine.beside import BesideFailed
from domgrpc.engine.calls import (
    Busy,
    DeadlinePassed,
    DiskFullRefusal,
    Failed,
    RevisionNotReached,
    Stopped,
)
from domgrpc.engine.dry_running import DryRunning
from domgrpc.engine.feed import RevisionTrimmed, WatcherTooSlow
from domgrpc.engine.reoptimizing import BacklogTooLarge, ReoptimizationRunning
from domgrpc.engine.snapshots import SnapshotRunning, VerificationRunning
from domgrpc.rpc.allowances import OPEN_ENDED, Allowance
from domgrpc.rpc.calls import REPLAYED, Call, Context, Edge, RejectedAnswer
from domgrpc.rpc.latency import Latency
from domgrpc.rpc.refusals import InvalidField, Refused, TransportReason
from domgrpc.rpc.status import Problem, code_of, fill_status, reason_of

_log = structlog.get_logger()

STATUS_METADATA = "grpc-status-details-bin"

# Messages of all kinds pass through; their types are checked where they are read and filled.
UnaryHandler: TypeAlias = Callable[[Any, Call], Awaitable[Any]]
StreamHandler: TypeAlias = Callable[[Any, Call], AsyncGenerator[Any, None]]

_ENGINE_REFUSALS: Mapping[type[Exception], tuple[TransportReason, tuple[str, ...]]] = {
    Busy: (TransportReason.SERVER_BUSY, ()),
    DeadlinePassed: (TransportReason.DEADLINE_PASSED, ()),
    Stopped: (TransportReason.SERVER_DRAINING, ()),
    Failed: (TransportReason.SERVER_FAILED, ()),
    DiskFullRefusal: (TransportReason.DISK_FULL, ()),
    RevisionNotReached: (TransportReason.REVISION_NOT_REACHED, ("revision", "min_revision")),
    RevisionTrimmed: (TransportReason.REVISION_TRIMMED, ("oldest_revision",)),
    WatcherTooSlow: (TransportReason.WATCH_TOO_SLOW, ("resume_revision",)),
    SnapshotRunning: (TransportReason.SNAPSHOT_RUNNING, ()),
    VerificationRunning: (TransportReason.VERIFICATION_RUNNING, ()),
    ReoptimizationRunning: (TransportReason.REOPTIMIZATION_RUNNING, ()),
    DryRunning: (TransportReason.DRY_RUN_RUNNING, ()),
    BacklogTooLarge: (TransportReason.BACKLOG_TOO_LARGE, ()),
    BesideFailed: (TransportReason.INTERNAL, ()),
}
"""What the engine refuses with: the reason, and the attributes that are its facts."""


def unary(
    edge: Edge, method: str, handle: UnaryHandler, allowance: Allowance
) -> Callable[[Any, Context], Awaitable[Any]]:
    """Wrap a handler that gives one answer."""
    engine = edge.engine
    latency = Latency(time.perf_counter, lambda: engine.admission.note_refused(engine.seconds()))

    async def answer(message: Any, context: Context) -> Any:  # noqa: ANN401 - any message
        started = time.perf_counter()
        call: Call | None = None
        result: Any = None
        refusal: _Refusal | None = None
        try:
            try:
                call = edge.begin(message, context, allowance)
                latency.check(call.left_seconds())
                result = await handle(message, call)
                latency.learn(time.perf_counter() - started)
            except asyncio.CancelledError:
                _note_cancelled(edge, method, call, started)
                raise
            except Exception as fault:  # noqa: BLE001 - the outermost frame of a call
                refusal = await _refused(edge, method, (call, started), fault)
            if refusal is not None:
                await _abort(context, refusal)
        finally:
            if call is not None:
                edge.end()
        if refusal is None and edge.call_log.everything:
            edge.call_log.finished(method, **_facts(call, started))
        return result

    return answer


def streaming(edge: Edge, method: str, handle: StreamHandler) -> Callable[..., AsyncIterator[Any]]:
    """Wrap a handler that gives a stream of answers, for one message or for a stream of them."""

    async def answers(message: Any, context: Context) -> AsyncIterator[Any]:  # noqa: ANN401
        started = time.perf_counter()
        call: Call | None = None
        try:
            call = edge.begin(message, context, OPEN_ENDED)
            # Closed here and not by the collector, so that what it holds is free at once.
            async with aclosing(handle(message, call)) as results:
                async for result in results:
                    yield result
        except (asyncio.CancelledError, GeneratorExit):
            _note_cancelled(edge, method, call, started)
            raise
        except Exception as fault:  # noqa: BLE001 - the outermost frame of a call
            refusal = await _refused(edge, method, (call, started), fault)
            await context.abort(refusal.code, refusal.message, refusal.trailer)
        finally:
            if call is not None:
                edge.end()
        if edge.call_log.everything:
            edge.call_log.finished(method, **_facts(call, started))

    return answers


def problem_of(fault: Exception) -> Problem:
    """Return what went wrong in the words of the published list."""
    match fault:
        case InvalidField() | Refused():
            return fault
        case Rejected() | RejectedAnswer():
            return fault.rejection
    refusal = _ENGINE_REFUSALS.get(type(fault))
    if refusal is None:
        return Refused(
            TransportReason.INTERNAL,
            "the server made a mistake and wrote what it was into its log",
        )
    reason, names = refusal
    return Refused(reason, str(fault), **{name: getattr(fault, name) for name in names})


async def _abort(context: Context, refusal: "_Refusal") -> None:
    """End a call; out of the reach of the exception that it ends for.

    The exception of gRPC and the context hold each other. With its traceback, or what it came of,
    they would hold the message too until the collector comes by: under overload a lot of memory.
    A status that is set instead would send headers first, and what has headers is not retried.
    """
    try:
        await context.abort(refusal.code, refusal.message, refusal.trailer)
    except grpc.aio.AbortError as aborted:
        aborted.__traceback__ = None


class _Refusal(msgspec.Struct, frozen=True):
    code: grpc.StatusCode
    message: str
    trailer: tuple[tuple[str, str | bytes], ...]


async def _refused(
    edge: Edge, method: str, where: tuple[Call | None, float], fault: Exception
) -> _Refusal:
    """Write down why a call ends, and return how."""
    call, started = where
    problem = problem_of(fault)
    reason = reason_of(problem)
    if reason is TransportReason.INTERNAL:
        _log.error("handler_broken", method=method, exc_info=fault)
    edge.call_log.failed(
        method, code_of(problem), reason=reason.value, message=str(fault), **_facts(call, started)
    )
    status = Status()
    fill_status(status, problem)
    if reason is TransportReason.SERVER_DRAINING:
        await edge.drain.until_let_go()
    trailer: tuple[tuple[str, str | bytes], ...] = ((STATUS_METADATA, status.SerializeToString()),)
    if call is not None and call.is_replay:
        trailer += REPLAYED
    return _Refusal(code_of(problem), status.message, trailer)


def _note_cancelled(edge: Edge, method: str, call: Call | None, started: float) -> None:
    # The call may have ended, and the server with it: its context must not be touched.
    edge.call_log.failed(method, grpc.StatusCode.CANCELLED, **_facts(call, started))


def _facts(call: Call | None, started: float) -> dict[str, object]:
    return {
        "client": call.client_id if call is not None else "",
        "peer": call.peer if call is not None else "",
        "duration_ms": round((time.perf_counter() - started) * 1_000, 3),
    }
