"""The world: all that outlives the server: clients' requests, the clock, the disk, the auditor.

It counts the steps. A step is one event of the simulation: a client's call, its return (an answer,
a refusal or a disconnection), an operation of the disk that changes, syncs or renames something,
a jump of the wall clock, a start or an end of the server. Reads of the disk, timers and
callbacks of the event loop are none.
"""

from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice
from random import Random
from typing import Any, TypeVar

import msgspec

from domgrpc.config import Settings
from domgrpc.core.answers import Answer, Outcome
from domgrpc.core.dispatch import Command
from domgrpc.core.machine import Request
from domgrpc.core.order_commands import HoldQuote
from domgrpc.core.orders import Order
from domgrpc.core.plans import Quote, QuoteQuestion
from domgrpc.core.rejections import NOT_KEPT, Reason, Rejection
from domgrpc.core.rule_sets import RuleSet
from domgrpc.core.values import Revision
from domgrpc.engine.calls import Reading
from domgrpc.engine.feed import Feed
from domgrpc.storage.disk import Disk
from domgrpc.storage.reading import read_frames
from tests.engine.rooms import ask
from tests.engine.virtual_time import VirtualClock
from tests.simulation.auditor import Auditor
from tests.simulation.books import Place, Plain
from tests.simulation.character import draw_character, draw_limits
from tests.simulation.disk import SimulatedDisk
from tests.simulation.order_reads import OrderRead
from tests.simulation.workload import Workload

T = TypeVar("T")
CLIENTS = ("web", "app", "till")
ANSWERED_KEPT = 600
UNANSWERED_MAX = 200
REREAD_MAX = 100
"""How many records that were read before are compared again when a server starts."""
_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder()
_ARRAY_32 = b"\xdd"


class World:
    """See the module. `counts` says what happened how often."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.character = draw_character(self.random)
        self.auditor = Auditor()
        self.clock = VirtualClock()
        self.disk = SimulatedDisk()
        self.workload = Workload(
            self.random,
            lambda: self.auditor.books.time_ms,
            ttl_ms_max=self.character.ttl_ms_max,
            is_plain=self.character.is_plain,
            order_weight=self.character.order_weight,
        )
        self.counts: dict[str, int] = {}
        self.is_over = True
        """Between two lives of the server: nothing that it still says reaches anybody."""
        self.trace: Callable[[str], None] | None = None
        self.violation: Exception | None = None
        """What the auditor objected to first."""
        self.history: list[bytes] = []
        """All records in their order, in pieces of msgpack lists."""
        self.answered: deque[Request] = deque(maxlen=ANSWERED_KEPT)
        self._unanswered: dict[str, Request] = {}
        self._limits = self.character.settings.limits
        self._event_count = 0
        self._request_count = 0

    @property
    def steps(self) -> int:
        """How many steps were made."""
        return self._event_count + self.disk.changes

    def step(self, *what: object) -> None:
        """Count a step that is no operation of the disk."""
        self._event_count += 1
        if self.trace is not None:
            self.trace(" ".join(map(str, what)))

    def count(self, what: str) -> None:
        """Count what is no step by itself, to be looked at."""
        self.counts[what] = self.counts.get(what, 0) + 1

    def pick(self, choices: Sequence[T]) -> T:
        """Choose one."""
        return choices[int(self.random.random() * len(choices))]

    def settings(self) -> Settings:
        """Return the settings of the next start; now and then other ones than of the last."""
        if self.random.random() < 0.1:
            self._limits = draw_limits(self.random)
        return msgspec.structs.replace(self.character.settings, limits=self._limits)

    # --- what clients do

    def new_request(self) -> Request:
        """Return a request that nobody has sent."""
        return self._request(self.workload.command(), preview=self.random.random() < 0.02)

    def opening(self) -> list[Request]:
        """Return the requests that open the shop."""
        return [self._request(command, preview=False) for command in self.workload.opening()]

    def old_request(self) -> Request | None:
        """Return a request whose answer is missing; it may be under way."""
        if not self._unanswered:
            return None
        place = int(self.random.random() * len(self._unanswered))
        return next(islice(self._unanswered.values(), place, None))

    def reusing(self, old: Request) -> Request:
        """Return another request under the id of an old one."""
        command = self.workload.command()
        return ask(command, old.request_id, client_id=old.client_id)

    def called(self, who: str, request: Request) -> int:
        """Note a call; return the newest revision that any client has seen before it."""
        if self.trace is not None:
            self.trace(f"{request.client_id} {request.request_id}: {request.command}")
        self.step(who, "calls", request.request_id)
        self.count(type(request.command).__name__)
        command = _DECODER.decode(_ENCODER.encode(request.command))
        key = (request.client_id, request.request_id)
        seen = self.auditor.called(key, command, request.fingerprint)
        if not request.validate_only:
            self._unanswered[request.request_id] = request
            if len(self._unanswered) > UNANSWERED_MAX:
                del self._unanswered[next(iter(self._unanswered))]
        return seen

    def take(self, request: Request, result: object, seen: int) -> None:
        """Have the answer of a request judged."""
        if not isinstance(result, Answer):
            self.count(type(result).__name__)
            return
        outcome = result.outcome
        key = (request.client_id, request.request_id)
        if isinstance(outcome, Rejection):
            self.count(outcome.reason)
            if outcome.reason is Reason.REQUEST_ID_REUSED:
                self.auditor.reuse_refused(key, request.fingerprint)
        else:
            self.count("done")
        is_kept = not (isinstance(outcome, Rejection) and outcome.reason in NOT_KEPT)
        if is_kept and (result.replayed or not request.validate_only):
            plain = _DECODER.decode(_ENCODER.encode(outcome))
            self.auditor.answered(key, result.revision, plain)
            self._note_answered(request, outcome, plain)
        else:
            self.auditor.looked(seen, result.revision)

    def refused(self, who: str, refusal: Exception) -> None:
        """Note that a call was not carried out, or that nobody knows whether it was."""
        self.step(who, "is refused:", refusal)
        self.count(type(refusal).__name__)

    def looked(self, seen: int, revision: Revision, found: tuple[Place, list[int]]) -> None:
        """Have a reading judged."""
        self.auditor.looked(seen, revision)
        if revision == self.auditor.revision:
            place, numbers = found
            assert self.auditor.books.positions[place] == numbers, f"{place} was read as {numbers}"

    def read_orders(self, seen: int, found: Reading[Any], asked: OrderRead) -> None:
        """Have a reading of orders or plans judged."""
        self.auditor.looked(seen, found.revision)
        self.count(f"read {asked.kind}")
        asked.note(found.value)
        books = self.auditor.books
        if found.revision != books.revision:
            return
        logged_ms, books.time_ms = books.time_ms, found.time_ms
        try:
            asked.judge(books, _DECODER.decode(_ENCODER.encode(found.value)))
        finally:
            books.time_ms = logged_ms

    def _request(self, command: Command, *, preview: bool) -> Request:
        self._request_count += 1
        client_id = self.pick(CLIENTS)
        name = f"r{self._request_count}"
        return ask(command, name, client_id=client_id, validate_only=preview)

    def _note_answered(self, request: Request, outcome: Outcome, plain: Plain) -> None:
        self.answered.append(request)
        if plain[0] == 1 and plain[3] == 1:
            self.workload.held(plain[1])
        elif isinstance(outcome, RuleSet):
            self.workload.routing.newest_rule_set = outcome.version
        elif isinstance(outcome, Order):
            self.workload.orders.placed(outcome)
        elif isinstance(outcome, Quote) and isinstance(request.command, HoldQuote):
            asked = request.command
            question = QuoteQuestion(asked.lines, asked.terms, asked.methods)
            self.workload.orders.quoted(question, outcome)
        self._unanswered.pop(request.request_id, None)

    # --- what the auditor reads

    def read_feed(self, feed: Feed, disk: Disk) -> None:
        """Let the auditor read what has become durable, from memory where it still is there."""
        books = self.auditor.books
        while books.revision < feed.last_revision:
            records = feed.from_memory(books.revision)
            if records is None:
                self.read_log(disk, feed.last_revision)
                return
            self._read(_ENCODER.encode(records))

    def read_log(self, disk: Disk, last_revision: int) -> None:
        """Let the auditor read the newest records of the files, some of them once more."""
        first = max(self.auditor.revision + 1 - REREAD_MAX, 1)
        oldest = next(iter(read_frames(disk, last_sequence=last_revision)), None)
        if oldest is None:
            return
        first = max(first, oldest.first_sequence)
        for frame in read_frames(disk, from_sequence=first, last_sequence=last_revision):
            self._read(_ARRAY_32 + frame.count.to_bytes(4, "big") + frame.payload)

    def _read(self, encoded: bytes) -> None:
        records: list[Plain] = _DECODER.decode(encoded)
        revision = self.auditor.revision
        try:
            self.auditor.read(records)
        except Exception as violation:
            # Others may stumble over the same before everything stops: the first says most.
            self.violation = self.violation or violation
            raise
        if records[0][0] == revision + 1:
            self.history.append(encoded)
        elif records[-1][0] > revision:
            self.history.append(_ENCODER.encode([r for r in records if r[0] > revision]))
