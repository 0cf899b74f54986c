"""Rule sets in files: TOML or JSON with the field names of the protos.

Enum values are their words, as `"cheapest"` or `"EXCLUDE"`, durations are seconds or as `"30m"`.
What `domgrpc -o json rules show` prints is such a file too: fields that only the server sets are
read and mean nothing.
"""

import json
import tomllib
from pathlib import Path
from typing import Any, Final

from google.protobuf.duration_pb2 import Duration
from google.protobuf.json_format import ParseDict, ParseError
from google.protobuf.timestamp_pb2 import Timestamp
from typer import BadParameter

from domgrpc.cli.exits import FILE_UNREADABLE, Ended
from domgrpc.cli.output import enum_prefix
from domgrpc.cli.parsing import duration_seconds
from domgrpc.v1.rule_set_pb2 import RuleSet

# The descriptors of protobuf have no public types, and a file holds whatever it holds.
_Descriptor = Any
_Plain = Any
_DURATION: Final = Duration.DESCRIPTOR.full_name
_TIMESTAMP: Final = Timestamp.DESCRIPTOR.full_name


def read_rule_set(file: Path) -> RuleSet:
    """Read a file; what is wrong with it ends the program."""
    text = file.read_bytes()
    try:
        content = tomllib.loads(text.decode()) if file.suffix == ".toml" else json.loads(text)
        return ParseDict(_proto_words(RuleSet.DESCRIPTOR, content), RuleSet())
    except (ParseError, ValueError, RecursionError) as error:
        raise Ended(FILE_UNREADABLE, f"{file} is no rule set: {error}") from None


def _proto_words(descriptor: _Descriptor, content: _Plain) -> dict[str, _Plain]:
    """Return a table with values as protobuf's own JSON has them; unknown names stay."""
    if not isinstance(content, dict):
        raise ParseError(f"{content!r} stands where fields of {descriptor.name} should")
    written = dict(content)
    for name, value in content.items():
        field = descriptor.fields_by_name.get(name)
        if field is None:
            continue
        if field.is_repeated and isinstance(value, list):
            written[name] = [_proto_value(field, item, name) for item in value]
        else:
            written[name] = _proto_value(field, value, name)
    return written


def _proto_value(field: _Descriptor, value: _Plain, name: str) -> _Plain:
    if field.enum_type is not None and isinstance(value, str):
        word = value.upper().replace("-", "_")
        prefix = enum_prefix(field.enum_type.name)
        return word if word.startswith(prefix) else prefix + word
    if field.message_type is None or field.message_type.full_name == _TIMESTAMP:
        return value
    if field.message_type.full_name != _DURATION:
        return None if value is None else _proto_words(field.message_type, value)
    return None if value is None else f"{_seconds(value, name):.3f}s"


def _seconds(value: _Plain, name: str) -> float:
    if isinstance(value, str):
        try:
            return duration_seconds(value, name)
        except BadParameter as bad:
            raise ParseError(bad.message) from None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    raise ParseError(f"{name} is {value!r}: write seconds, or for example 30m")
