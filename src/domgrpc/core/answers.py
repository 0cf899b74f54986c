"""Kept answers: a retried request gets its first answer and does not act again.

An answer is what a request led to, as a value: the resource as it was then, a summary, or a
rejection. It is kept by caller and request id with the fingerprint of the request's content, up
to an age and a number; values are shared with the state, so that keeping one costs little.
"""

from collections import deque

import msgspec

from domgrpc.core.calendars import LocationCalendar
from domgrpc.core.carriers import Lane, RateCard
from domgrpc.core.location_groups import LocationGroup
from domgrpc.core.locations import Location
from domgrpc.core.order_commands import ReplanSummary
from domgrpc.core.orders import Order
from domgrpc.core.plans import Quote
from domgrpc.core.products import Product
from domgrpc.core.rejections import Reason, Rejected, Rejection
from domgrpc.core.reservations import Reservation
from domgrpc.core.rule_sets import RuleSet
from domgrpc.core.safety_stock import SafetyStockRule
from domgrpc.core.stock_changes import BatchSummary, StockSummary
from domgrpc.core.values import ClientId, RequestId, Retention, Revision, TimeMs


class Deleted(msgspec.Struct, frozen=True, array_like=True, tag=8, tag_field="tag", gc=False):
    """The resource that was asked to go is gone."""


class ProductBatch(msgspec.Struct, frozen=True, array_like=True, tag=6, tag_field="tag"):
    """Products in the order of the request."""

    products: tuple[Product, ...]


Outcome = (
    Reservation
    | StockSummary
    | BatchSummary
    | Location
    | LocationGroup
    | ProductBatch
    | SafetyStockRule
    | RuleSet
    | Deleted
    | Rejection
    | Order
    | Quote
    | ReplanSummary
    | RateCard
    | Lane
    | LocationCalendar
)


class Answer(msgspec.Struct, frozen=True, gc=False):
    """What a request led to, and the revision at which it did."""

    revision: Revision
    outcome: Outcome
    replayed: bool = False


class KeptAnswer(msgspec.Struct, frozen=True, gc=False):
    """An answer with what tells a retry from another request."""

    fingerprint: int
    time_ms: TimeMs
    revision: Revision
    outcome: Outcome


class KeptAnswers:
    """Answers by caller and request id, the oldest forgotten first. All steps are O(1)."""

    __slots__ = ("_age_ms_max", "_count_max", "_forget_at_ms", "by_key", "order")

    def __init__(self, retention: Retention) -> None:
        """Start empty."""
        self._age_ms_max = retention.kept_answer_age_ms
        self._count_max = retention.kept_answers_max
        self.by_key: dict[str, KeptAnswer] = {}
        self.order: deque[str] = deque()
        # Until then nothing is too old: looked at for every answer.
        self._forget_at_ms = -1

    def find(self, key: str, fingerprint: int) -> KeptAnswer | None:
        """Return the answer of a retry, None for a new request, or refuse another content."""
        kept = self.by_key.get(key)
        if kept is None or kept.fingerprint == fingerprint:
            return kept
        raise Rejected(
            Reason.REQUEST_ID_REUSED,
            f"request_id {key.split()[1]!r} was used for another request: retries must "
            "repeat the request, new requests need a new id",
            request_id=key.split()[1],
        )

    def keep(self, key: str, answer: KeptAnswer) -> None:
        """Keep an answer and forget those that are too many or too old."""
        self.by_key[key] = answer
        self.order.append(key)
        if len(self.order) > self._count_max:
            # The usual case once there are so many: one comes, one goes.
            del self.by_key[self.order.popleft()]
        if answer.time_ms > self._forget_at_ms:
            self._forget(answer.time_ms)

    def retain(self, retention: Retention, now_ms: TimeMs) -> None:
        """Keep so many for so long from now on; what is beyond is forgotten."""
        self._age_ms_max = retention.kept_answer_age_ms
        self._count_max = retention.kept_answers_max
        self._forget(now_ms)

    def restore(self, answers: list[tuple[str, KeptAnswer]]) -> None:
        """Add answers from a snapshot, oldest first."""
        for key, answer in answers:
            self.by_key[key] = answer
            self.order.append(key)
        if answers:
            self._forget(answers[-1][1].time_ms)

    def _forget(self, newest_ms: TimeMs) -> None:
        order = self.order
        oldest_ms = newest_ms - self._age_ms_max
        while order and (len(order) > self._count_max or self.by_key[order[0]].time_ms < oldest_ms):
            del self.by_key[order.popleft()]
        self._forget_at_ms = self.by_key[order[0]].time_ms + self._age_ms_max if order else -1

    def check_invariants(self) -> None:
        """Both orders hold the same answers, within the bound."""
        assert len(self.order) == len(self.by_key) <= self._count_max


def answer_key(client_id: ClientId, request_id: RequestId) -> str:
    """Return what an answer is kept by."""
    # Neither part can contain a space, so that no two pairs make the same key.
    return f"{client_id} {request_id}"
