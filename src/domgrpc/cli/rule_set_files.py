"""Rule sets in files: TOML or JSON with the field names of the protos.

Enum values are their words, as `"cheapest"` or `"EXCLUDE"`, durations are seconds or as `"30m"`.
What `domgrpc -o json rules show` prints is such a file too: fields that only the server sets are
left out. What is wrong is told with its path into the file and what may stand there, in the words
of the file.
"""

import json
import re
import tomllib
from pathlib import Path
from typing import Any, Final

from google.protobuf.duration_pb2 import Duration
from google.protobuf.json_format import ParseDict, ParseError
from typer import BadParameter

from domgrpc.cli.exits import FILE_UNREADABLE, Ended
from domgrpc.cli.output import enum_prefix
from domgrpc.cli.parsing import duration_seconds
from domgrpc.cli.spelling import meant
from domgrpc.v1.rule_set_pb2 import RuleSet

# The descriptors of protobuf have no public types, and a file holds whatever it holds.
_Descriptor = Any
_Plain = Any
_DURATION: Final = Duration.DESCRIPTOR.full_name
_OUTPUT_ONLY: Final = frozenset(
    {
        *("version", "state", "warnings", "active_revision"),
        *("create_time", "update_time", "revision"),
    }
)
"""Fields of a rule set that only the server sets."""
_DECIMAL: Final = re.compile(r"-?\d{1,19}").fullmatch
_KINDS: Final[dict[type, str]] = {str: "a text", int: "a whole number", bool: "true or false"}


class _Wrong(Exception):
    """Something in the file is not as it should be."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path} {problem}" if path else problem)


def read_rule_set(file: Path) -> RuleSet:
    """Read a file; what is wrong with it ends the program."""
    text = file.read_bytes()
    try:
        content = tomllib.loads(text.decode()) if file.suffix == ".toml" else json.loads(text)
        if isinstance(content, dict):
            content = {name: content[name] for name in content if name not in _OUTPUT_ONLY}
        return ParseDict(_table(RuleSet.DESCRIPTOR, content, ""), RuleSet())
    except (_Wrong, ParseError, ValueError, RecursionError) as error:
        raise Ended(FILE_UNREADABLE, f"{file} is no rule set: {error}") from None


def _table(descriptor: _Descriptor, content: _Plain, path: str) -> dict[str, _Plain]:
    """Return a table with values as protobuf's own JSON has them."""
    fields = [field.name for field in descriptor.fields if field.name not in _OUTPUT_ONLY]
    if not isinstance(content, dict):
        raise _Wrong(
            path, f"{_is(content, path)} a table is needed, with any of {', '.join(fields)}"
        )
    written = {}
    for name, value in content.items():
        here = f"{path}.{name}" if path else name
        if name not in fields:
            hint = meant(name, fields)
            raise _Wrong(here, f"is not known{_allowed(hint, fields)}")
        if value is not None:
            written[name] = _field(descriptor.fields_by_name[name], value, here)
    return written


def _field(field: _Descriptor, value: _Plain, path: str) -> _Plain:
    if not field.is_repeated:
        return _value(field, value, path)
    if not isinstance(value, list):
        raise _Wrong(path, f"{_is(value, path)} a list is needed")
    return [_value(field, item, f"{path}[{place}]") for place, item in enumerate(value)]


def _value(field: _Descriptor, value: _Plain, path: str) -> _Plain:
    if field.enum_type is not None:
        return _enum_word(field.enum_type, value, path)
    if field.message_type is None:
        return _scalar(field, value, path)
    if field.message_type.full_name == _DURATION:
        return f"{_seconds(value, path):.3f}s"
    return _table(field.message_type, value, path)


def _enum_word(enum: _Descriptor, value: _Plain, path: str) -> str:
    prefix = enum_prefix(enum.name)
    # 0 stands for nothing said.
    known = [name.removeprefix(prefix) for name in enum.values_by_name][1:]
    word = str(value).upper().replace("-", "_").removeprefix(prefix)
    if word not in known or not isinstance(value, str):
        words = [name.lower().replace("_", "-") for name in known]
        hint = meant(str(value), words)
        raise _Wrong(path, f"is {value!r}{_allowed(hint, words)}")
    return prefix + word


def _scalar(field: _Descriptor, value: _Plain, path: str) -> _Plain:
    kind = type(field.default_value)
    if type(value) is kind:
        return value
    if kind is int and isinstance(value, str) and _DECIMAL(value):
        # As protobuf's own JSON writes large numbers.
        return int(value)
    raise _Wrong(path, f"is {value!r}: {_KINDS[kind]} is needed")


def _seconds(value: _Plain, path: str) -> float:
    if isinstance(value, str):
        try:
            return duration_seconds(value, path)
        except BadParameter as bad:
            raise _Wrong("", bad.message) from None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    raise _Wrong(path, f"is {value!r}: write seconds, or for example 30m")


def _is(value: _Plain, path: str) -> str:
    return f"is {value!r}:" if path else f"it is {value!r}:"


def _allowed(hint: str, words: list[str]) -> str:
    told = ", ".join(words)
    return f"{hint} Allowed are {told}" if hint else f": allowed are {told}"
