"""Reads the bytes of requests, and refuses those that are no message in the published words.

gRPC answers bytes that its deserializer cannot read with UNKNOWN and the name of a Python class.
Here such bytes become None, which whoever handles the call refuses as MESSAGE_MALFORMED. For our
own services the wrapper of every method does that; the standard services, whose handlers come
from libraries, are wrapped here.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, NoReturn, TypeAlias

from google.protobuf.internal import api_implementation
from google.protobuf.message import DecodeError, Message
from google.rpc.status_pb2 import Status

from domgrpc.rpc.answering import STATUS_METADATA
from domgrpc.rpc.calls import Context, malformed
from domgrpc.rpc.status import code_of, fill_status
from domgrpc.rpc.wire_values import UNCOUNTED_BYTES_MAX, has_few_values, shape_of

PARSER = "upb"
"""The protobuf parser that bounds nesting at 100 levels; the one in Python does not."""

# Messages of all kinds pass through; the libraries that handle them check their types.
_Coroutine: TypeAlias = Callable[[Any, Context], Awaitable[Any]]
_Stream: TypeAlias = Callable[[Any, Context], AsyncIterator[Any]]


def check_parser() -> None:
    """Raise RuntimeError where protobuf runs on a parser that does not bound nesting."""
    found = api_implementation.Type()
    if found != PARSER:
        raise RuntimeError(
            f"protobuf parses by its implementation {found!r}, which does not bound how deeply "
            f"messages nest; install a wheel of protobuf that has {PARSER!r}, and leave "
            "PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION unset"
        )


def parser(message_class: type[Message]) -> Callable[[bytes], Message | None]:
    """Return a reader of messages: None for bytes that are none, or hold too many values."""
    from_string = message_class.FromString
    shape = shape_of(message_class.DESCRIPTOR)

    def parse(raw: bytes) -> Message | None:
        if len(raw) > UNCOUNTED_BYTES_MAX and not has_few_values(raw, shape):
            return None
        try:
            return from_string(raw)
        except DecodeError:
            return None

    return parse


def refusing(handle: _Coroutine) -> _Coroutine:
    """Wrap a coroutine of a library that takes one message and returns or writes its answers."""

    async def answer(message: Any, context: Context) -> Any:  # noqa: ANN401 - any message
        if message is None:
            await _abort(context)
        return await handle(message, context)

    return answer


def refusing_streams(handle: _Stream) -> _Stream:
    """Wrap a handler of a library that takes a stream of messages and gives one of answers."""

    async def answers(messages: Any, context: Context) -> AsyncIterator[Any]:  # noqa: ANN401
        async for answer in handle(_whole(messages, context), context):
            yield answer

    return answers


async def _whole(messages: AsyncIterator[Any], context: Context) -> AsyncIterator[Any]:
    async for message in messages:
        if message is None:
            await _abort(context)
        yield message


async def _abort(context: Context) -> NoReturn:
    problem = malformed()
    status = Status()
    fill_status(status, problem)
    trailer = ((STATUS_METADATA, status.SerializeToString()),)
    await context.abort(code_of(problem), status.message, trailer)
