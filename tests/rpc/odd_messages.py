"""Messages that nobody would send on purpose: random, odd, damaged, but the same for a seed.

`OddMessages.message` fills any message from its descriptor: mostly with values that mean
something in a small shop (locations a to c, SKUs A to C), now and then with the odd ones that
break careless code. `damaged` flips bytes of what it would have sent.
"""

from collections.abc import Sequence
from random import Random
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from tests.rpc.serving import NOON_MS

ODD_TEXTS = ("", "x" * 129, "e\u0301", "\u202e", "a\n", "two words", "\u00e9", "0")
ODD_NUMBERS = (0, -1, 10**12, 10**12 + 1, 2**31 - 1, -(2**31))
ODD_DOUBLES = (0.0, -1.0, 180.5, float("nan"), float("inf"), 1e-9)
WANTED = 0.9
"""How often a field is set that calls hardly work without; others are set less often."""
PATIENT = frozenset({"min_revision"})
"""Fields whose odd values only make a call wait."""
_NEEDED = frozenset(
    (
        *("request_id", "updates", "lines", "items", "operations", "location", "group"),
        *("product", "rule", "sku", "location_id", "quantity", "reservation_id", "type"),
        *("outcome", "state", "point", "radius_km", "postal_code", "address", "terms", "order_id"),
        *("kind", "line_id", "fulfillment_order_id", "moves", "packages"),
    )
)
_DEPTH_MAX = 6


class OddMessages:
    """A source of messages. `oddness` is the share of values that are odd, 0 to 1."""

    def __init__(self, seed: int, oddness: float) -> None:
        self._random = Random(seed)
        self._oddness = oddness

    def message(self, kind: Descriptor) -> Message:
        """Return a message of a kind."""
        message = GetMessageClass(kind)()
        self._fill(message, 0)
        return message

    def damaged(self, kind: Descriptor) -> bytes:
        """Return the bytes of a message of a kind, a few of them wrong."""
        raw = bytearray(self.message(kind).SerializeToString())
        for _ in range(self._random.randrange(1, 4)):
            raw.insert(self._random.randrange(len(raw) + 1), self._random.randrange(256))
            del raw[self._random.randrange(len(raw))]
        return bytes(raw)

    def _fill(self, message: Message, depth: int) -> None:
        fields: Sequence[FieldDescriptor] = message.DESCRIPTOR.fields  # type: ignore[assignment]
        for field in fields:
            wanted = WANTED if field.name in _NEEDED else 0.25
            if depth > _DEPTH_MAX or self._random.random() > wanted:
                continue
            if not field.is_repeated:
                self._set(message, field, depth)
                continue
            values: Any = getattr(message, field.name)
            for _ in range(self._random.choice((1, 1, 2, 4))):
                if field.message_type is not None:
                    self._fill(values.add(), depth + 1)
                else:
                    values.append(self._value(field))

    def _set(self, message: Message, field: FieldDescriptor, depth: int) -> None:
        if field.message_type is None:
            setattr(message, field.name, self._value(field))
            return
        inner: Message = getattr(message, field.name)
        inner.SetInParent()
        self._fill(inner, depth + 1)

    def _value(self, field: FieldDescriptor) -> object:
        odd = self._random.random() < self._oddness and field.name not in PATIENT
        if field.enum_type is not None:
            numbers = [value.number for value in field.enum_type.values]
            return self._random.choice([*numbers, 99] if odd else numbers[1:])
        if field.type == FieldDescriptor.TYPE_STRING:
            return self._random.choice(ODD_TEXTS) if odd else self._text(field.name)
        if field.type == FieldDescriptor.TYPE_BOOL:
            return self._random.random() < 0.5
        if field.type == FieldDescriptor.TYPE_DOUBLE:
            return self._random.choice(ODD_DOUBLES) if odd else self._random.uniform(0.1, 90)
        number = self._random.choice(ODD_NUMBERS) if odd else self._number(field.name)
        wide = field.type == FieldDescriptor.TYPE_INT64
        return number if wide else max(-(2**31), min(2**31 - 1, number))

    def _text(self, name: str) -> str:
        number = self._random.randrange(20)
        named = {
            "request_id": f"r{self._random.randrange(10**9)}",
            "reservation_id": f"h{number}",
            "order_id": f"o{number % 8}",
            "order_ids": f"o{number % 8}",
            "line_id": str(1 + number % 3),
            "fulfillment_order_id": f"o{number % 8}/1",
            "postal_code": "10001",
            "country_code": "US",
            "quote_token": "",
        }
        if name in named:
            return named[name]
        if name in {"etag", "page_token", "paths"}:
            return self._random.choice(("", "", "7", "type"))
        letters = "ABC" if "sku" in name else "abc"
        return self._random.choice(letters)

    def _number(self, name: str) -> int:
        if name == "seconds":
            return self._random.choice((1, 60, 900, NOON_MS // 1_000, NOON_MS // 1_000 + 900))
        if name in {"min_revision", "after_revision", "nanos"}:
            return 0
        return self._random.randrange(1, 12)
