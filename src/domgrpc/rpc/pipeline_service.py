"""PipelineService: many operations in one message, one turn of the writer, one commit.

The fast lane: pipeline_operations.py knows the operations, here they are run. An operation with a
bad shape becomes its own error and does not stop the others.
"""

from typing import Any

from domgrpc.core.answers import Answer
from domgrpc.core.rejections import Rejection
from domgrpc.core.state import State
from domgrpc.core.values import TimeMs
from domgrpc.engine.admission import Priority
from domgrpc.engine.calls import Query, Reading, RevisionNotReached, Step, StepResult
from domgrpc.rpc.answering import problem_of
from domgrpc.rpc.calls import Call
from domgrpc.rpc.pipeline_operations import KINDS, Asker, Fill
from domgrpc.rpc.refusals import InvalidField, Refused, TransportReason
from domgrpc.rpc.shapes import min_revision
from domgrpc.rpc.status import Problem, fill_status
from domgrpc.rpc.translate_orders import is_basic
from domgrpc.v1 import pipeline_pb2

OPERATIONS_MAX = 1_000


class PipelineService:
    """Runs many independent operations with one call."""

    async def Execute(
        self, message: pipeline_pb2.ExecuteRequest, call: Call
    ) -> pipeline_pb2.ExecuteResponse:
        """Run up to 1,000 operations in order, each as if it had been called alone."""
        operation_count = len(message.operations)
        if not 0 < operation_count <= OPERATIONS_MAX:
            raise Refused(
                TransportReason.OPERATION_COUNT_OUT_OF_RANGE,
                f"there are {operation_count} operations; 1 to {OPERATIONS_MAX} are allowed in "
                "one call",
                operation_count=operation_count,
                limit=OPERATIONS_MAX,
            )
        engine = call.engine
        # Reading a thousand operations costs as much as a third of doing them.
        any_kind = call.ticket(Priority.LIST)
        engine.admission.check_time(any_kind, operation_count, engine.seconds())
        operations = message.operations[:]
        steps: list[Step] = []
        fills: list[Fill | Problem] = []
        asker = Asker(call)
        priority = Priority.LIST
        for operation in operations:
            name = operation.WhichOneof("operation") or ""
            kind = KINDS[name]
            if kind.priority < priority:  # noqa: PLR1730 - a call of min() for every operation
                priority = kind.priority
            try:
                body: Any = getattr(operation, name, None)
                step = kind.prepare(body, asker)
                if kind.priority is not Priority.READ:
                    asker.change_count += 1
                elif body.min_revision:
                    step = await _from(body.min_revision, step, asker)
                fill = kind.fill
                if kind.fill_basic is not None and is_basic(body.view):
                    fill = kind.fill_basic
                steps.append(step)
                fills.append(fill)
            except (InvalidField, Refused, RevisionNotReached) as refusal:
                fills.append(problem_of(refusal))
        # The last step says which revision the operations led to.
        steps.append(_nothing)
        return _answer(fills, await engine.execute(steps, call.ticket(priority)))


def _answer(fills: list[Fill | Problem], results: list[StepResult]) -> pipeline_pb2.ExecuteResponse:
    answer = pipeline_pb2.ExecuteResponse()
    add = answer.results.add
    remaining = iter(results)
    for fill in fills:
        entry = add()
        if not callable(fill):
            fill_status(entry.error, fill)
            continue
        result = next(remaining)
        if type(result) is Answer:
            if type(result.outcome) is Rejection:
                fill_status(entry.error, result.outcome)
            else:
                fill(entry, result)
        elif isinstance(result, Exception):
            fill_status(entry.error, problem_of(result))
        elif isinstance(result, Reading) and isinstance(result.value, RevisionNotReached):
            fill_status(entry.error, problem_of(result.value))
        else:
            fill(entry, result)
    last = next(remaining)
    assert isinstance(last, Reading)
    answer.revision = last.revision
    return answer


async def _from(revision: int, query: Any, asker: Asker) -> Query[Any]:  # noqa: ANN401 - any read
    """Return a query that is answered from a revision on; waits for it where it has to."""
    min_revision(revision)
    now = asker.call.engine.revision
    if revision <= now:
        return query  # type: ignore[no-any-return]  # its value differs by the operation
    if revision <= now + asker.change_count:
        # The changes before it in the message may lead there; to wait would be in vain.
        return lambda state, now_ms: (
            query(state, now_ms)
            if state.revision >= revision
            else RevisionNotReached(state.revision, revision)
        )
    if asker.is_late:
        raise RevisionNotReached(now, revision)
    try:
        await asker.call.read(_nothing, revision)
    except RevisionNotReached:
        # The first one that is late waits for all: together they wait no longer than one.
        asker.is_late = True
        raise
    return query  # type: ignore[no-any-return]  # likewise


def _nothing(_state: State, _now_ms: TimeMs) -> None:
    return None
