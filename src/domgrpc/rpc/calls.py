"""A call while it is handled: who calls, and how it hands commands and queries to the engine.

A caller that goes away cancels its handler, and what that waits for with it: work that was not
started then never is.
"""

import asyncio
import re
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any, TypeAlias, TypeVar

import grpc.aio

from domgrpc.core.answers import Answer, Outcome
from domgrpc.core.dispatch import Command
from domgrpc.core.machine import Request
from domgrpc.core.order_commands import (
    AdvanceFulfillmentOrder,
    ApplyReplan,
    CancelOrder,
    HoldOrder,
)
from domgrpc.core.rejections import Rejection
from domgrpc.core.reservations import (
    ConfirmReservation,
    ReleaseReservation,
    SettleReservation,
)
from domgrpc.core.values import ClientId, Revision
from domgrpc.engine.admission import Priority, Ticket
from domgrpc.engine.calls import Query, Reading
from domgrpc.engine.engine import Engine
from domgrpc.engine.records import fingerprint
from domgrpc.rpc.allowances import Allowance
from domgrpc.rpc.draining import Drain
from domgrpc.rpc.journal import CallLog
from domgrpc.rpc.refusals import InvalidField, Refused, TransportReason
from domgrpc.rpc.shapes import min_revision, request_id, shown

CLIENT_METADATA = "domgrpc-client"
REPLAYED_METADATA = "domgrpc-replayed"
ANONYMOUS = ClientId("anonymous")
REVISION_WAIT_SECONDS_MAX = 5.0
PRIORITIES: Mapping[type, Priority] = {
    ConfirmReservation: Priority.FINISH,
    ReleaseReservation: Priority.FINISH,
    SettleReservation: Priority.FINISH,
    CancelOrder: Priority.FINISH,
    HoldOrder: Priority.FINISH,
    AdvanceFulfillmentOrder: Priority.FINISH,
    # Nobody waits for it, and it is long.
    ApplyReplan: Priority.LIST,
}
"""What a command is for; every other one is a CHANGE."""

_CLIENT = re.compile(r"[A-Za-z0-9._:-]{1,64}").fullmatch
REPLAYED = ((REPLAYED_METADATA, "true"),)
_DEADLINE_SHARE = 0.8
"""How much of a call's deadline a read may wait for a revision, so that its answer still fits."""

# Messages of all kinds pass through; their types are checked where they are read and filled.
Context: TypeAlias = grpc.aio.ServicerContext[Any, Any]
Kind = TypeVar("Kind", bound=Outcome)
T = TypeVar("T")


class RejectedAnswer(Exception):
    """The answer of a change is a refusal."""

    def __init__(self, rejection: Rejection) -> None:
        """Carry the refusal to the wrapper of the call."""
        super().__init__(rejection.message)
        self.rejection = rejection


class Call:
    """One call while it is handled: its context, its caller, and the engine behind it."""

    __slots__ = ("client_id", "context", "deadline_seconds", "engine", "is_replay", "peer")

    def __init__(
        self, engine: Engine, context: Context, client_id: ClientId, allowance: Allowance
    ) -> None:
        """Begin a call."""
        self.engine = engine
        self.context = context
        self.client_id = client_id
        self.is_replay = False
        self.deadline_seconds = engine.seconds() + allowance.seconds(context.time_remaining())
        """By the engine's clock."""
        # Asked now: a context must not be touched when its call has ended.
        self.peer = context.peer()

    async def change(
        self, command: Command, key: str, kind: type[Kind], *, validate_only: bool = False
    ) -> tuple[Kind, Revision]:
        """Hand on a command under its request id; return its outcome and revision.

        Raises RejectedAnswer where the outcome is a refusal, and what the engine refuses with.
        A repeated answer is marked in the trailer of the call.
        """
        request = Request(
            command,
            self.client_id,
            request_id(key),
            fingerprint(command),
            validate_only,
        )
        ticket = self.ticket(PRIORITIES.get(type(command), Priority.CHANGE))
        answer: Answer = await self.engine.submit(request, ticket)
        if answer.replayed:
            self.is_replay = True
            self.context.set_trailing_metadata(REPLAYED)
        outcome = answer.outcome
        if isinstance(outcome, Rejection):
            raise RejectedAnswer(outcome)
        assert isinstance(outcome, kind), (type(outcome), kind)
        return outcome, answer.revision

    def left_seconds(self) -> float:
        """Return how long there is until the deadline."""
        return self.deadline_seconds - self.engine.seconds()

    def ticket(self, priority: Priority) -> Ticket:
        """Say who calls, what for and until when."""
        return Ticket(self.client_id, priority, self.deadline_seconds)

    async def read(
        self, query: Query[T], at_least: int, priority: Priority = Priority.READ
    ) -> Reading[T]:
        """Answer a query from a state at least as new as a revision; waits for it at most 5 s."""
        engine = self.engine
        ticket = self.ticket(priority)
        if at_least <= engine.revision:
            if at_least < 0:
                min_revision(at_least)
            return await engine.read(query, ticket)
        wait_seconds = min(REVISION_WAIT_SECONDS_MAX, self.left_seconds() * _DEADLINE_SHARE)
        return await engine.read(query, ticket, min_revision=at_least, wait_seconds=wait_seconds)


class Edge:
    """What all calls share: the engine, the call log, and how callers are told apart."""

    def __init__(
        self, engine: Engine, call_log: CallLog, drain: Drain, *, by_certificate: bool
    ) -> None:
        """With `by_certificate` a caller is who its certificate says, else who it says it is."""
        self.engine = engine
        self.call_log = call_log
        self.under_way = 0
        """Calls that have begun and not ended."""
        self.drain = drain
        self._by_certificate = by_certificate
        self._idle: asyncio.Event | None = None

    def begin(self, message: object, context: Context, allowance: Allowance) -> Call:
        """Begin a call; refuses bytes that are no message, and a client name that is none.

        Refuses every call once the server is going down. What is begun is to be ended.
        """
        self.engine.admission.arrived_count += 1
        self.drain.check()
        if message is None:
            raise malformed()
        call = Call(self.engine, context, self._client_id(context), allowance)
        self.under_way += 1
        return call

    def end(self) -> None:
        """Count a call as ended."""
        self.under_way -= 1
        if self._idle is not None and not self.under_way:
            self._idle.set()

    async def until_idle(self) -> None:
        """Wait until no call is under way; for a server that is going down."""
        self._idle = asyncio.Event()
        if self.under_way:
            await self._idle.wait()

    def _client_id(self, context: Context) -> ClientId:
        if self._by_certificate:
            return certificate_client_id(context.auth_context())
        for name, value in context.invocation_metadata() or ():
            if name == CLIENT_METADATA:
                # gRPC gives bytes only for names that end in -bin.
                client_id = str(value)
                if _CLIENT(client_id) is None:
                    raise InvalidField(
                        CLIENT_METADATA,
                        f"in the metadata is {shown(client_id)}; 1 to 64 letters, digits and "
                        ". _ : - are allowed",
                    )
                return ClientId(client_id)
        return ANONYMOUS


def malformed() -> Refused:
    """Say that bytes were no message; the readers of messages return None for such bytes."""
    return Refused(
        TransportReason.MESSAGE_MALFORMED,
        "the bytes of the message are not what the method takes: generate the client from the "
        "same protos",
    )


def certificate_client_id(auth_context: Mapping[str, Iterable[bytes]]) -> ClientId:
    """Return who a client certificate names: its common name, else its first alternative name.

    A name with other characters than a client id may have is replaced by its digest, so that no
    two certificates with different names become the same client.
    """
    for field in ("x509_common_name", "x509_subject_alternative_name", "x509_pem_cert"):
        for value in auth_context.get(field, ()):
            name = value.decode("utf-8", "replace")
            if _CLIENT(name) is not None:
                return ClientId(name)
            return ClientId(f"x509:{sha256(value).hexdigest()[:32]}")
    return ANONYMOUS
