"""The layout of all that is stored: each value's fields in order, their defaults and types.

Taken from the types of the code, for docs/data-values.md and the golden files, which hold it
still: places, tags and numbers may be added and never moved.
"""

import enum
import types
from collections.abc import Callable, Iterator
from typing import Any, NewType, Union, get_args, get_origin

import msgspec
from msgspec import NODEFAULT

from domgrpc.core.events import Record
from domgrpc.engine.dump import CHUNK_TYPES

_PLAIN = {str: "text", int: "integer", bool: "boolean", bytes: "bytes", type(None): "nil"}


class FieldLayout(msgspec.Struct, frozen=True, omit_defaults=True):
    """A field; `default` is JSON, or a value with all of its defaults; empty for none."""

    name: str
    default: str = ""
    type: str = ""


class ValueLayout(msgspec.Struct, frozen=True, omit_defaults=True):
    """A value: its tag, None for none, and its fields in order."""

    fields: tuple[FieldLayout, ...]
    tag: int | None = None
    is_map: bool = False


class Layout(msgspec.Struct, frozen=True):
    """All values and enumerations by name."""

    values: dict[str, ValueLayout]
    numbers: dict[str, dict[str, int | str]]


def layout() -> Layout:
    """Return the layout of today's code, in the order in which a record leads to each value."""
    found = Layout({}, {})
    owners: dict[str, type] = {}
    for root in (Record, *CHUNK_TYPES.values()):
        for kind in _kinds_in(root, set()):
            assert owners.setdefault(kind.__name__, kind) is kind, f"two called {kind.__name__}"
            if issubclass(kind, enum.Enum):
                numbers = {member.name: member.value for member in kind}
                found.numbers[kind.__name__] = numbers
            elif issubclass(kind, msgspec.Struct):
                found.values[kind.__name__] = _value_layout(kind)
    return found


def without_types(full: Layout) -> Layout:
    """Return what may never change: a field may come to take more types."""
    values = {
        name: ValueLayout(
            tuple(FieldLayout(field.name, field.default) for field in value.fields),
            value.tag,
            value.is_map,
        )
        for name, value in full.values.items()
    }
    return Layout(values, full.numbers)


def _kinds_in(kind: Any, seen: set[Any]) -> Iterator[type]:  # noqa: ANN401 - walks types
    if isinstance(kind, NewType) or kind in seen:
        return
    parts = get_args(kind)
    if isinstance(kind, type) and issubclass(kind, (msgspec.Struct, enum.Enum)):
        seen.add(kind)
        yield kind
        if issubclass(kind, msgspec.Struct):
            parts = tuple(field.type for field in msgspec.structs.fields(kind))
    for part in parts:
        yield from _kinds_in(part, seen)


def _value_layout(kind: type[msgspec.Struct]) -> ValueLayout:
    tag = kind.__struct_config__.tag
    assert tag is None or isinstance(tag, int), f"{kind.__name__} is tagged with {tag!r}"
    return ValueLayout(
        tuple(_field_layout(field) for field in msgspec.structs.fields(kind)),
        tag,
        not kind.__struct_config__.array_like,
    )


def _field_layout(field: msgspec.structs.FieldInfo) -> FieldLayout:
    return FieldLayout(field.name, _default_words(default_of(field)), type_words(field.type))


def _default_words(default: Any) -> str:  # noqa: ANN401 - of any type
    if default is NODEFAULT:
        return ""
    kind = type(default)
    # In one word, so that a field more in there is no other default here.
    if isinstance(default, msgspec.Struct) and default == kind():
        return f"{kind.__name__}()"
    return msgspec.json.encode(default).decode()


def default_of(field: msgspec.structs.FieldInfo) -> Any:  # noqa: ANN401 - of any type
    """Return what a reader takes where the field is missing, NODEFAULT where it must be there."""
    if field.default_factory is NODEFAULT:
        return field.default
    factory: Callable[[], Any] = field.default_factory
    return factory()


def type_words(kind: Any) -> str:  # noqa: ANN401 - walks types
    """Say a type in words."""
    if isinstance(kind, NewType):
        return type_words(kind.__supertype__)
    parts = get_args(kind)
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        return " or ".join(type_words(part) for part in parts)
    if origin is dict:
        return f"map from {type_words(parts[0])} to {type_words(parts[1])}"
    if origin is list or (origin is tuple and parts[-1] is ...):
        return f"list of {type_words(parts[0])}"
    if origin is tuple:
        return f"[{', '.join(type_words(part) for part in parts)}]"
    return _PLAIN.get(kind) or str(kind.__name__)
