"""How answers are printed: as facts for people, as JSON for programs; tables are in tables.py.

JSON has the field names of the protos, in their order and always all of them: a field that is
not set is null, times are RFC 3339 in UTC, durations are seconds, enum values are their words
without the prefix of the enum. docs/cli.md shows examples.
"""

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final

from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

_NANOS_PER_MICRO: Final = 1_000
_NANOS_PER_SECOND: Final = 1_000_000_000
_NANO_DIGITS: Final = 9

# Their classes are private to the protobuf implementation that is installed.
_Descriptor = Any
_Field = Any


# --- JSON


def plain(message: Message) -> dict[str, object]:
    """Return a message as plain data that json can write."""
    return {name: read(message) for name, read in _readers(message.DESCRIPTOR)}


def print_json(data: object) -> None:
    """Print one document."""
    sys.stdout.write(json.dumps(data, indent=2, ensure_ascii=False) + "\n")


def print_json_line(data: object) -> None:
    """Print one document of a stream on a line of its own, at once."""
    sys.stdout.write(json.dumps(data, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def word(message: Message, field: str) -> str:
    """Return the word of an enum field, empty for an unspecified one."""
    value = plain_enum(message.DESCRIPTOR.fields_by_name[field], getattr(message, field))
    return value or ""


def plain_enum(field: _Field, number: int) -> str | None:
    """Return the word of an enum value, None for the unspecified one."""
    if not number:
        return None
    enum = field.enum_type
    value = enum.values_by_number.get(number)
    return str(number) if value is None else value.name.removeprefix(enum_prefix(enum.name))


@cache
def enum_prefix(name: str) -> str:
    """Return what the values of an enum begin with in the protos."""
    parts = ("_" + letter if letter.isupper() else letter for letter in name)
    return "".join(parts).removeprefix("_").upper() + "_"


_Reader = Callable[[Message], object]
_KNOWN: Final[dict[str, tuple[tuple[str, _Reader], ...]]] = {}


def _readers(descriptor: _Descriptor) -> tuple[tuple[str, _Reader], ...]:
    readers = _KNOWN.get(descriptor.full_name)
    if readers is None:
        readers = tuple((field.name, _reader(field)) for field in descriptor.fields)
        _KNOWN[descriptor.full_name] = readers
    return readers


def _reader(field: _Field) -> _Reader:
    name = field.name
    convert = _converter(field)
    if field.is_repeated:
        return lambda message: [convert(item) for item in getattr(message, name)]
    if field.has_presence:
        return lambda message: convert(getattr(message, name)) if message.HasField(name) else None
    return lambda message: convert(getattr(message, name))


def _converter(field: _Field) -> Callable[[Any], object]:
    if field.enum_type is not None:
        return lambda number: plain_enum(field, number)
    if field.message_type is None:
        return lambda value: value
    if field.message_type.full_name == Timestamp.DESCRIPTOR.full_name:
        return time_text
    if field.message_type.full_name == Duration.DESCRIPTOR.full_name:
        # Rounded to what a duration can hold: the sum alone ends in digits that nobody sent.
        return lambda value: round(value.seconds + value.nanos / _NANOS_PER_SECOND, _NANO_DIGITS)
    return plain


# --- for people


def print_facts(facts: Mapping[str, object]) -> None:
    """Print one thing, a fact a line; what is empty is left out."""
    shown = {name: cell_text(value) for name, value in facts.items()}
    width = max((len(name) for name, value in shown.items() if value), default=0)
    for name, value in shown.items():
        if value:
            sys.stdout.write(f"{name:<{width}}  {value}\n")


def flat(message: Message) -> Iterator[tuple[str, object]]:
    """Iterate the facts of a message for people: nested ones by dotted names."""
    for name, value in plain(message).items():
        if isinstance(value, dict):
            yield from ((f"{name}.{inner}", part) for inner, part in value.items())
        else:
            yield name, value


def cell_text(value: object) -> str:
    """Return a value as people read it."""
    match value:
        case None | False | "":
            return ""
        case True:
            return "yes"
        case int():
            return f"{value:,}"
        case list() | tuple():
            return ", ".join(_item_text(item) for item in value)
        case _:
            return str(value)


def time_text(time: Timestamp) -> str:
    """Return a time as RFC 3339 in UTC, with milliseconds where it has any."""
    moment = datetime.fromtimestamp(time.seconds, UTC).replace(
        microsecond=time.nanos // _NANOS_PER_MICRO
    )
    detail = "milliseconds" if time.nanos else "seconds"
    return moment.isoformat(timespec=detail).replace("+00:00", "Z")


def _item_text(item: object) -> str:
    if isinstance(item, dict):
        return " ".join(str(part) for part in item.values() if part not in (None, "", 0, [], False))
    return str(item)
