"""Changes messages a little, in the message and in its bytes, by the throw of a seeded die.

`changed` knows the fields of a message and gives them other values; `broken` knows only the wire
format and makes bytes that are hardly or not at all that message any more.
"""

from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from tests.hostile.nasty_strings import NASTY_STRINGS

EXTREME_NUMBERS = (
    *(0, 1, -1, 2, 100, 1_000, 1_001, 5_001, 10_001, 10**9, 10**12, 10**12 + 1),
    *(2**31 - 1, 2**31, -(2**31), 2**32, 2**53, 2**62, 2**63 - 1, -(2**63), 253_402_300_800),
)
EXTREME_DOUBLES = (0.0, -0.0, 1e-308, 1e308, 90.0, -90.1, 180.0, float("nan"), float("inf"), -1e9)
_GROWTH = (2, 3, 33, 101, 1_001)
_GROWTH_BYTES_MAX = 20_000
_ENUMS = (0, 1, 2, 3, 7, 99, -1, 2**31 - 1)
_CHOICES: Mapping[int, Sequence[object]] = {
    FieldDescriptor.TYPE_STRING: NASTY_STRINGS,
    FieldDescriptor.TYPE_BYTES: (b"", b"\xff", bytes(8)),
    FieldDescriptor.TYPE_BOOL: (False, True),
    FieldDescriptor.TYPE_DOUBLE: EXTREME_DOUBLES,
}
_INT32 = (FieldDescriptor.TYPE_INT32, FieldDescriptor.TYPE_UINT32)
_GROUP_START, _GROUP_END = b"\x0b", b"\x0c"


class Mutator:
    """A source of changes; the same seed makes the same ones."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._breaks: Sequence[Callable[[bytes], bytes]] = (
            self._flipped,
            self._cut,
            self._spliced,
            self._repeated,
            self._with_unknown_field,
            self._nested,
            self._long_number,
            lambda _: random.randbytes(random.randrange(1, 60)),
        )

    def changed(self, message: Message, times: int) -> None:
        """Give some fields of a message other values, in place."""
        for _ in range(times):
            self._change_one(message)

    def broken(self, raw: bytes) -> bytes:
        """Return other bytes."""
        return self._random.choice(self._breaks)(raw)

    # --- fields

    def _change_one(self, message: Message) -> None:
        fields: Sequence[FieldDescriptor] = message.DESCRIPTOR.fields  # type: ignore[assignment]
        if not fields:
            return
        field = self._random.choice(fields)
        if field.is_repeated:
            self._change_list(message, field)
        elif field.message_type is None:
            setattr(message, field.name, self._value(field))
        elif self._random.random() < 0.1:
            message.ClearField(field.name)
        else:
            inner: Message = getattr(message, field.name)
            inner.SetInParent()
            self._change_one(inner)

    def _change_list(self, message: Message, field: FieldDescriptor) -> None:
        values: Any = getattr(message, field.name)
        dice = self._random.random()
        if not values or dice < 0.15:
            if field.message_type is not None:
                self._change_one(values.add())
            else:
                values.append(self._value(field))
        elif dice < 0.3:
            del values[self._random.randrange(len(values))]
        elif dice < 0.4:
            self._grow(values, field)
        elif field.message_type is not None:
            self._change_one(self._random.choice(values))
        else:
            values[self._random.randrange(len(values))] = self._value(field)

    def _grow(self, values: Any, field: FieldDescriptor) -> None:  # noqa: ANN401 - a list of fields
        pattern = self._random.choice(values)
        times = self._random.choice(_GROWTH)
        if field.message_type is not None:
            times = min(times, _GROWTH_BYTES_MAX // (pattern.ByteSize() + 1))
        values.extend([pattern] * times)

    def _value(self, field: FieldDescriptor) -> object:
        if field.enum_type is not None:
            return self._random.choice(_ENUMS)
        choices = _CHOICES.get(field.type)
        if choices is not None:
            return self._random.choice(choices)
        number = self._random.choice(EXTREME_NUMBERS)
        if field.type in _INT32:
            return max(-(2**31), min(2**31 - 1, number))
        return number

    # --- bytes

    def _flipped(self, raw: bytes) -> bytes:
        damaged = bytearray(raw or b"\0")
        for _ in range(self._random.randrange(1, 5)):
            damaged[self._random.randrange(len(damaged))] ^= 1 << self._random.randrange(8)
        return bytes(damaged)

    def _cut(self, raw: bytes) -> bytes:
        return raw[: self._random.randrange(len(raw) + 1)]

    def _spliced(self, raw: bytes) -> bytes:
        first, second = sorted(self._random.randrange(len(raw) + 1) for _ in range(2))
        return raw[second:] + raw[first:second] + raw[:first]

    def _repeated(self, raw: bytes) -> bytes:
        # The fields of a message come again: the last one of each counts, lists grow.
        return raw * self._random.choice((2, 3, 20))

    def _with_unknown_field(self, raw: bytes) -> bytes:
        number = self._random.choice((99, 15, 2**29 - 1, 19_000))
        payload = self._random.randbytes(self._random.randrange(20))
        return raw + varint(number << 3 | 2) + varint(len(payload)) + payload

    def _nested(self, raw: bytes) -> bytes:
        depth = self._random.choice((3, 60, 98, 101, 120, 5_000))
        if self._random.random() < 0.5:
            return raw + _GROUP_START * depth + _GROUP_END * depth
        inner = b""
        for _ in range(min(depth, 500)):
            inner = b"\x0a" + varint(len(inner)) + inner
        return raw + inner

    def _long_number(self, raw: bytes) -> bytes:
        tag = bytes((self._random.randrange(1, 16) << 3,))
        return raw + tag + b"\xff" * self._random.choice((4, 9, 10, 11)) + b"\x01"


def varint(value: int) -> bytes:
    """Return a number as the wire format writes it."""
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*found, value))
