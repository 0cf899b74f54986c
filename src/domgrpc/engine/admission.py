"""Admission: whose call may wait for the writer, decided before anything is done for it.

Work that comes too late is worth nothing and costs as much as any other, so a server that takes
everything ends up answering nobody in time. A call is refused as Busy, at once and without an
effect, where its answer would not be in time, where the queue is too full for calls of its
priority, where its client fills the queue of all, and where its client is above its rate.

How long an operation takes is learnt from the turns of the writer. Admitted calls are looked at
once more when their turn begins (writer.py): what is too late then is not started.
"""

import enum
import math
from collections.abc import Mapping

import msgspec

from domgrpc.core.values import ClientId
from domgrpc.engine.calls import Busy, DeadlinePassed

TURN_SECONDS_MAX = 0.05
"""A turn that has taken so long is committed; what still waits has the next one."""
_GAP_SECONDS_MAX = 4 * TURN_SECONDS_MAX
"""The most that is learnt from one gap: who stood still once does not do so each time."""
_DEADLINE_SHARE = 0.8
"""How much of the time that is left a call may be expected to take, with its wait."""
_WAIT_SHARE = 0.4
"""And how much of it behind others: a longer queue does no more, and its calls end too late."""
_OVERLOAD_SECONDS = 0.2
"""How long after a refusal more is taken to wait inside gRPC."""
_OVERLOAD_SHARE = 0.1
_SHARE_STEP = 0.02
_FEW_OPERATIONS = 32
"""Turns with fewer tell what a turn costs by itself, those with more what an operation costs."""
_LEARNING_SHARE = 0.1
_MIXED_SECONDS = 1.0
"""So long after two clients called in turn a client is not taken to be alone."""
_SHARED_WAIT_SECONDS_MAX = 0.5
"""Who is not alone builds no queue in which callers with so much time would not find a place."""
_BUCKETS_MAX = 10_000


class Priority(enum.IntEnum):
    """What a call is for; the higher the number, the sooner it is refused."""

    FINISH = 0
    """Confirming, releasing, settling: ends work that has been accepted."""
    CHANGE = 1
    READ = 2
    LIST = 3


_SHARES: Mapping[Priority, float] = {
    Priority.FINISH: 1.0,
    Priority.CHANGE: 0.8,
    Priority.READ: 0.6,
    Priority.LIST: 0.4,
}
"""How full the queue may be for calls of each priority."""


class Ticket(msgspec.Struct, frozen=True, gc=False):
    """What admission knows of a call; the deadline by the engine's clock."""

    client_id: ClientId = ClientId("")
    priority: Priority = Priority.FINISH
    deadline_seconds: float = math.inf


class Admission:
    """The bounds of the writer's queue. Every step is O(1)."""

    __slots__ = (
        "_buckets",
        "_by_client",
        "_gap_seconds",
        "_last_client_id",
        "_learnt_at_seconds",
        "_mixed_at_seconds",
        "_operation_seconds",
        "_queue_max",
        "_queue_seconds_max",
        "_rate_max",
        "_refused_at_seconds",
        "_refused_share",
        "_turn_seconds",
        "arrived_count",
        "queued_count",
    )

    def __init__(
        self, *, queue_max: int, queue_seconds_max: float = math.inf, client_rate_max: float = 0.0
    ) -> None:
        """Bound the queue by operations and by the time they take; rate 0 bounds no client."""
        self._queue_max = queue_max
        self._queue_seconds_max = queue_seconds_max
        self._rate_max = client_rate_max
        self._by_client: dict[ClientId, int] = {}
        self._buckets: dict[ClientId, tuple[float, float]] = {}
        # What a turn takes, learnt; the first guesses are those of a slow machine.
        self._turn_seconds = 0.001
        self._operation_seconds = 0.000_03
        # What lies before a turn of a server that has more to do: a breath, and other callers.
        self._gap_seconds = 0.0
        self._learnt_at_seconds = -math.inf
        self._refused_at_seconds = -math.inf
        self._refused_share = 0.0
        self._last_client_id: ClientId | None = None
        self._mixed_at_seconds = -math.inf
        self.queued_count = 0
        """Operations that wait."""
        self.arrived_count = 0
        """Calls that have come in, refused ones too; counted by who takes them in."""

    def admit(self, ticket: Ticket, operation_count: int, now_seconds: float) -> None:
        """Count the operations of a call as waiting. Raises DeadlinePassed or Busy."""
        self._note_client(ticket.client_id, now_seconds)
        # Even what can never fit is run when nobody waits: nothing would change by waiting.
        if self.queued_count:
            self._check_room(ticket, operation_count, now_seconds)
        self.check_time(ticket, operation_count, now_seconds)
        if self._rate_max:
            self._spend(ticket.client_id, operation_count, now_seconds)
        self._refused_share *= 1.0 - _SHARE_STEP
        self._count(ticket.client_id, operation_count)

    def check_time(self, ticket: Ticket, operation_count: int, now_seconds: float) -> None:
        """Refuse operations whose answer would come too late; costs next to nothing.

        For messages that are large: before work is spent on reading them. Raises
        DeadlinePassed or Busy.
        """
        left_seconds = ticket.deadline_seconds - now_seconds
        if left_seconds <= 0:
            self.note_refused(now_seconds)
            raise DeadlinePassed
        queued_count = self.queued_count
        expected_seconds = self.expected_seconds(queued_count + operation_count)
        if expected_seconds > left_seconds * _DEADLINE_SHARE or (
            queued_count and self._waits_too_long(ticket, left_seconds, now_seconds)
        ):
            self._check_again(expected_seconds, left_seconds, now_seconds)

    def admit_read(self, ticket: Ticket, now_seconds: float) -> None:
        """Let a read run, which waits for nobody. Raises DeadlinePassed or Busy."""
        if ticket.deadline_seconds <= now_seconds:
            self.note_refused(now_seconds)
            raise DeadlinePassed
        self._note_client(ticket.client_id, now_seconds)
        if self.queued_count:
            self._check_pressure(ticket, now_seconds)
        if self._rate_max:
            self._spend(ticket.client_id, 1, now_seconds)
        self._refused_share *= 1.0 - _SHARE_STEP

    def is_refusing(self, now_seconds: float) -> bool:
        """Say whether more comes in than can be done: many calls are refused for that just now.

        A few late calls among many that are let in are no overload; hundreds a second are, though
        they be of one client that gives hardly any time.
        """
        return (
            self._refused_share > _OVERLOAD_SHARE
            and now_seconds - self._refused_at_seconds < _OVERLOAD_SECONDS
        )

    def emptied(self) -> None:
        """Note that the queue was taken."""
        self.queued_count = 0
        self._by_client.clear()

    def put_back(self, client_id: ClientId, operation_count: int) -> None:
        """Count operations as waiting again that had no room in their turn."""
        self._count(client_id, operation_count)

    def learn(
        self, operation_count: int, seconds: float, now_seconds: float, *, gap_seconds: float = 0.0
    ) -> None:
        """Note how long a turn took that has just ended, and what lay between it and the last.

        The gap counts for each turn and not for each operation: with few operations in a turn they
        would seem dear, fewer would be let in, and so on until hardly any was.
        """
        self._learnt_at_seconds = now_seconds
        gap_seconds = min(gap_seconds, _GAP_SECONDS_MAX)
        self._gap_seconds += (gap_seconds - self._gap_seconds) * _LEARNING_SHARE
        if operation_count < _FEW_OPERATIONS:
            own_seconds = max(0.0, seconds - operation_count * self._operation_seconds)
            self._turn_seconds += (own_seconds - self._turn_seconds) * _LEARNING_SHARE
        else:
            each_seconds = seconds / operation_count
            self._operation_seconds += (each_seconds - self._operation_seconds) * _LEARNING_SHARE

    def own_seconds(self, operation_count: int) -> float:
        """Return how long so many operations probably take within a turn."""
        return operation_count * self._operation_seconds

    def expected_seconds(self, operation_count: int) -> float:
        """Return how long it probably takes until so many operations are done."""
        work_seconds = operation_count * self._operation_seconds
        gap_count = 1.0 + work_seconds / TURN_SECONDS_MAX
        return self._turn_seconds + work_seconds + self._gap_seconds * gap_count

    def _check_again(
        self, expected_seconds: float, left_seconds: float, now_seconds: float
    ) -> None:
        if not self.queued_count:
            # Refused for a slow moment nobody would ever see that it is over: where no turn is
            # to come, what was learnt halves with every second.
            share = 0.5 ** (now_seconds - self._learnt_at_seconds)
            expected_seconds *= share
            if expected_seconds <= left_seconds * _DEADLINE_SHARE:
                # Kept, or the next caller would wait for the same again.
                self._turn_seconds *= share
                self._operation_seconds *= share
                self._gap_seconds *= share
                self._learnt_at_seconds = now_seconds
                return
        self.note_refused(now_seconds)
        raise Busy(
            f"the answer would take some {expected_seconds * 1_000:.0f} ms, the deadline is "
            f"in {left_seconds * 1_000:.0f} ms, {self.queued_count} operations wait already: "
            "try again later, with more time, or with fewer at once"
        )

    def note_refused(self, now_seconds: float) -> None:
        """Note that a call was refused for want of time or room, here or before it came here."""
        self._refused_at_seconds = now_seconds
        self._refused_share += (1.0 - self._refused_share) * _SHARE_STEP

    def _count(self, client_id: ClientId, operation_count: int) -> None:
        self.queued_count += operation_count
        self._by_client[client_id] = self._by_client.get(client_id, 0) + operation_count

    def _note_client(self, client_id: ClientId, now_seconds: float) -> None:
        if client_id != self._last_client_id:
            if self._last_client_id is not None:
                self._mixed_at_seconds = now_seconds
            self._last_client_id = client_id

    def _felt_count(self, ticket: Ticket, now_seconds: float) -> int:
        """Count what waits as it counts for the next call of a client.

        Beside others its own operations count twice, so that it may queue as much as the queue has
        left: one that sends without end fills a half, two of them two thirds, and whoever sends
        little finds room. These are the dynamic thresholds of Choudhury and Hahne (1998).
        """
        if now_seconds - self._mixed_at_seconds > _MIXED_SECONDS:
            return self.queued_count
        return self.queued_count + self._by_client.get(ticket.client_id, 0)

    def _waits_too_long(self, ticket: Ticket, left_seconds: float, now_seconds: float) -> bool:
        felt_count = self._felt_count(ticket, now_seconds)
        if felt_count > self.queued_count:
            # Who may wait for long must not build a queue in which nobody else can.
            left_seconds = min(left_seconds, _SHARED_WAIT_SECONDS_MAX)
        return self.expected_seconds(felt_count) > left_seconds * _WAIT_SHARE

    def _check_room(self, ticket: Ticket, operation_count: int, now_seconds: float) -> None:
        if self.queued_count + operation_count > self._queue_max:
            self.note_refused(now_seconds)
            raise Busy(f"{self.queued_count} operations wait already, the most that is allowed")
        self._check_pressure(ticket, now_seconds)

    def _check_pressure(self, ticket: Ticket, now_seconds: float) -> None:
        felt_count = self._felt_count(ticket, now_seconds)
        by_time = self.expected_seconds(felt_count) / self._queue_seconds_max
        if max(felt_count / self._queue_max, by_time) < _SHARES[ticket.priority]:
            return
        self.note_refused(now_seconds)
        own_count = self._by_client.get(ticket.client_id, 0)
        raise Busy(
            f"{self.queued_count} operations wait already, {own_count} of them of client "
            f"{ticket.client_id!r}, the most that is allowed for {ticket.priority.name} calls: "
            "try again later"
        )

    def _spend(self, client_id: ClientId, operation_count: int, now_seconds: float) -> None:
        # A bucket holds what may be done in a second; a call may overdraw it once.
        tokens, then_seconds = self._buckets.get(client_id, (self._rate_max, now_seconds))
        earned = (now_seconds - then_seconds) * self._rate_max
        tokens = min(self._rate_max, tokens + earned)
        if tokens <= 0:
            raise Busy(
                f"client {client_id!r} is above {self._rate_max:.0f} operations a second, the "
                "most that is allowed: slow down"
            )
        if len(self._buckets) >= _BUCKETS_MAX and client_id not in self._buckets:
            self._buckets.clear()
        self._buckets[client_id] = (tokens - operation_count, now_seconds)
