"""Where calls come from: messages that mean something, changed a little, sometimes broken.

A message that led to an end that its method had not come to before is kept and changed further.
That finds the ways through a handler without looking into it.
"""

from collections import Counter, defaultdict
from random import Random
from typing import Any

import msgspec
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass

from domgrpc.rpc.calls import CLIENT_METADATA
from tests.hostile.good_messages import good_messages
from tests.hostile.mutation import Mutator
from tests.hostile.nasty_strings import NASTY_STRINGS
from tests.hostile.surface import METHODS, Metadata, Method
from tests.rpc.odd_messages import OddMessages

_RARE = frozenset(
    {
        *("CreateSnapshot", "VerifyState", "ReoptimizeBacklog"),
        *("WatchInventory", "WatchOrders", "Watch"),
    }
)
"""Methods that cost hundreds of times as much as others."""
_RARE_WEIGHT = 0.02
_KEPT_OF_GOOD_MAX = 20
_NEW_KEYS = 0.9
_OTHER_HOLD = 0.5
_KEPT_SHARE = 0.75
_HEADER_BYTES_MAX = 1_000


class Case(msgspec.Struct, frozen=True):
    """One call: the method, its messages as bytes, and what goes beside them."""

    method: Method
    raws: tuple[bytes, ...]
    metadata: Metadata
    seconds: float

    def __str__(self) -> str:
        """Say how to make the call again."""
        sent = ", ".join(raw[:2_000].hex() or "nothing" for raw in self.raws)
        return f"{self.method.path} with {sent}; metadata {self.metadata!a}, {self.seconds} s"


class Cases:
    """A source of calls; the same seed and the same ends make the same ones."""

    def __init__(self, seed: str) -> None:
        self._random = Random(seed)
        self._mutator = Mutator(self._random)
        self._messages = OddMessages(self._random.randrange(2**32), 0.01)
        self._weights = [_RARE_WEIGHT if each.name in _RARE else 1.0 for each in METHODS]
        self._kept: dict[str, list[bytes]] = defaultdict(list)
        self._ends: Counter[tuple[str, str]] = Counter()
        for path, raw in good_messages():
            self._kept[path].append(raw)

    def next(self) -> Case:
        """Return another call."""
        (method,) = self._random.choices(METHODS, self._weights)
        count = self._random.randrange(1, 4) if method.descriptor.client_streaming else 1
        raws = tuple(self._raw(method) for _ in range(count))
        seconds = self._random.choice((0.001, 0.5, 5.0, 5.0, 5.0))
        return Case(method, raws, self._metadata(), seconds)

    def learn(self, case: Case, end: str) -> None:
        """Keep a call that came to a new end."""
        known = (case.method.path, end)
        self._ends[known] += 1
        if self._ends[known] <= (_KEPT_OF_GOOD_MAX if end == "OK" else 1):
            self._kept[case.method.path].append(case.raws[-1])

    def changed(self, method: Method, raw: bytes) -> bytes:
        """Return bytes of a message of a method, changed as its kind allows."""
        message = parsed(method, raw)
        self._mutator.changed(message, self._random.choice((1, 1, 2, 4)))
        self._renew(message)
        return message.SerializeToString()

    def _renewed(self, method: Method, raw: bytes) -> bytes:
        message = parsed(method, raw)
        self._renew(message)
        return message.SerializeToString()

    def _renew(self, message: Any) -> None:  # noqa: ANN401 - a message of any method
        # Otherwise nearly all would be refused as requests that came before.
        names = message.DESCRIPTOR.fields_by_name
        if "request_id" in names and self._random.random() < _NEW_KEYS:
            message.request_id = f"new-{self._random.randrange(10**9)}"
            if "reservation_id" in names and self._random.random() < _OTHER_HOLD:
                message.reservation_id = f"h{self._random.randrange(1, 40)}"
        for operation in message.operations if "operations" in names else ():
            kind = operation.WhichOneof("operation")
            if kind is not None:
                self._renew(getattr(operation, kind))

    def _raw(self, method: Method) -> bytes:
        dice = self._random.random()
        kept = self._kept[method.path]
        if kept and self._random.random() < _KEPT_SHARE:
            raw = self._random.choice(kept)
        else:
            raw = self._messages.message(method.descriptor.input_type).SerializeToString()
        if dice < 0.6:
            raw = self.changed(method, raw)
        elif dice < 0.8:
            raw = self._renewed(method, raw)
        elif dice > 0.9:
            raw = self._mutator.broken(raw)
        return raw

    def _metadata(self) -> Metadata:
        dice = self._random.random()
        if dice < 0.6:
            return ()
        if dice < 0.95:
            return ((CLIENT_METADATA, f"till-{self._random.randrange(3)}"),)
        nasty = self._random.choice(NASTY_STRINGS)[:_HEADER_BYTES_MAX]
        return ((CLIENT_METADATA, nasty), ("x-odd-bin", nasty.encode()))


def parsed(method: Method, raw: bytes) -> Message:
    """Return the message that bytes are, an empty one where they are none."""
    message: Message = GetMessageClass(method.descriptor.input_type)()
    try:
        message.MergeFromString(raw)
    except DecodeError:
        # What was read before the fault stays in the message otherwise.
        message.Clear()
    return message
