"""The shape of single values: length, characters, range, time. One function for each kind.

Every function returns the value that the core understands or raises InvalidField with the path
it was given. The common case, short printable ASCII, costs one cheap test; hot loops in the
translate modules make that test inline and call here only where it fails.
"""

import re
import unicodedata
from collections.abc import Mapping
from typing import TypeVar

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from domgrpc.core.values import QUANTITY_MAX, SECOND_MS, TIME_MS_MAX, RequestId, TimeMs
from domgrpc.rpc.refusals import InvalidField, Refused, TransportReason

IDENTIFIER_BYTES_MAX = 128
CHANNEL_BYTES_MAX = 64
REASON_BYTES_MAX = 64
ETAG_BYTES_MAX = 64
KEY_CHARACTERS_MAX = 64
REVISION_MAX = 2**63 - 1

_NANOS_PER_MS = 1_000_000
_NANOS_MAX = 999_999_999
_DURATION_SECONDS_MAX = 315_576_000_000
"""10,000 years, the end of protobuf's Duration."""
_KEY = re.compile(r"[A-Za-z0-9._:-]{1,64}").fullmatch
_KEY_RULE = f"1 to {KEY_CHARACTERS_MAX} letters, digits and . _ : - are allowed"
_SHOWN_CHARACTERS_MAX = 40
# Control characters, lone surrogates, line and paragraph separators.
_NEVER = frozenset({"Cc", "Cs", "Zl", "Zp"})
# In ids also what cannot be seen and turns the direction of text.
_NEVER_IN_IDS = _NEVER | {"Cf"}

_Enum = TypeVar("_Enum")


# --- text


def identifier(value: str, path: str) -> str:
    """Check an id of our own kind: 1 to 128 bytes, NFC, no control or invisible characters."""
    if value.isascii() and value.isprintable() and 0 < len(value) <= IDENTIFIER_BYTES_MAX:
        return value
    if not value:
        raise InvalidField(path, f"is empty; 1 to {IDENTIFIER_BYTES_MAX} bytes are needed")
    return _checked(value, path, IDENTIFIER_BYTES_MAX, _NEVER_IN_IDS)


def identifier_or_empty(value: str, path: str) -> str:
    """Check an id that may be left out."""
    return identifier(value, path) if value else value


def text(value: str, path: str, size_bytes_max: int) -> str:
    """Check free text: up to so many bytes, NFC, no control characters; may be empty."""
    if value.isascii() and value.isprintable() and len(value) <= size_bytes_max:
        return value
    return _checked(value, path, size_bytes_max, _NEVER)


def key(value: str, path: str) -> str:
    """Check a key for machines: 1 to 64 letters, digits and . _ : - ."""
    if _KEY(value) is None:
        raise InvalidField(path, f"is {shown(value)}; {_KEY_RULE}")
    return value


def request_id(value: str) -> RequestId:
    """Check the retry key of a mutating call; it is required."""
    if _KEY(value) is None:
        raise request_id_refusal(value)
    return value  # type: ignore[return-value]  # a call of the NewType would cost as much again


def request_id_refusal(value: str) -> Exception:
    """Say what is wrong with a request_id: it is not there, or not well formed."""
    if value:
        return InvalidField("request_id", f"is {shown(value)}; {_KEY_RULE}")
    return Refused(
        TransportReason.REQUEST_ID_MISSING,
        f"request_id is missing; {_KEY_RULE}: choose one for each new request and repeat it in "
        "retries",
        field="request_id",
    )


def shown(value: str) -> str:
    """Return a value as it may stand in a message: quoted, escaped and not too long."""
    if len(value) <= _SHOWN_CHARACTERS_MAX:
        return ascii(value)
    return f"{value[:_SHOWN_CHARACTERS_MAX]!a}... ({len(value)} characters)"


def _checked(value: str, path: str, size_bytes_max: int, never: frozenset[str]) -> str:
    size_bytes = len(value.encode())
    if size_bytes > size_bytes_max:
        raise InvalidField(path, f"has {size_bytes} bytes; up to {size_bytes_max} are allowed")
    for place, character in enumerate(value):
        if unicodedata.category(character) in never:
            raise InvalidField(
                path,
                f"has U+{ord(character):04X} at character {place}; control characters are not "
                "allowed",
            )
    if not unicodedata.is_normalized("NFC", value):
        raise InvalidField(path, f"is {shown(value)}, which is not in Unicode form NFC")
    return value


# --- numbers


def whole(value: int, path: str, low: int, high: int) -> int:
    """Check that a number lies within its limits."""
    if low <= value <= high:
        return value
    raise InvalidField(path, f"is {value}; {low} to {high} is allowed")


def quantity(value: int, path: str, low: int = 0) -> int:
    """Check a quantity: `low` to 10^12."""
    return whole(value, path, low, QUANTITY_MAX)


def item_count(count: int, path: str, low: int, high: int) -> int:
    """Check how many items a list has."""
    if low <= count <= high:
        return count
    raise InvalidField(path, f"has {count} items; {low} to {high} are allowed")


def min_revision(value: int) -> int:
    """Check the revision that a read must at least show."""
    return whole(value, "min_revision", 0, REVISION_MAX)


def chosen(value: int, path: str, allowed: Mapping[int, _Enum]) -> _Enum:
    """Return the core's word for an enum value that must be one of `allowed`."""
    word = allowed.get(value)
    if word is None:
        known = ", ".join(str(number) for number in allowed)
        raise InvalidField(path, f"is {value}; one of {known} is needed")
    return word


# --- time


def timestamp_ms(value: Timestamp, path: str) -> TimeMs:
    """Return a time in milliseconds, 1970 to 9999; parts of a millisecond are cut off."""
    seconds, nanos = value.seconds, value.nanos
    if not 0 <= nanos <= _NANOS_MAX:
        raise InvalidField(path, f"has {nanos} nanos; 0 to {_NANOS_MAX} is allowed")
    if not 0 <= seconds <= TIME_MS_MAX // SECOND_MS:
        raise InvalidField(path, f"has {seconds} seconds; the years 1970 to 9999 are allowed")
    return TimeMs(seconds * SECOND_MS + nanos // _NANOS_PER_MS)


def duration_ms(value: Duration, path: str) -> int:
    """Return a duration in milliseconds; parts of a millisecond are cut off."""
    seconds, nanos = value.seconds, value.nanos
    if abs(seconds) > _DURATION_SECONDS_MAX or abs(nanos) > _NANOS_MAX:
        raise InvalidField(path, f"of {seconds} s and {nanos} ns is out of range")
    if seconds * nanos < 0:
        raise InvalidField(path, f"has {seconds} s and {nanos} ns; both need the same sign")
    return seconds * SECOND_MS + nanos // _NANOS_PER_MS


def set_timestamp(message: Timestamp, time_ms: int) -> None:
    """Write a time into a message in place."""
    message.seconds = time_ms // SECOND_MS
    message.nanos = time_ms % SECOND_MS * _NANOS_PER_MS


def set_duration(message: Duration, time_us: int) -> None:
    """Write microseconds into a message in place."""
    message.seconds = time_us // 1_000_000
    message.nanos = time_us % 1_000_000 * 1_000
