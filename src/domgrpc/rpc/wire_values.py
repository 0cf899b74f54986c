"""Counts the values in the bytes of a message, before memory is spent on it.

Two bytes of a request can become a message of two hundred bytes in memory: 4 MiB of empty
products were 390 MB, and the event loop stood still for a third of a second. Small messages are
not worth the look; a large one is walked here first, into the messages in it, and refused as soon
as it has too many values. Nothing is judged but the number: what is no message at all is left to
the parser to say.
"""

from typing import Any, TypeAlias

UNCOUNTED_BYTES_MAX = 256 * 1024
"""A message up to here is parsed as it is; it becomes 25 MB at most."""
VALUES_MAX = 250_000
"""Values in one message, those in the messages in it and those messages themselves included."""

_VARINT, _SIZED = 0, 2
_LOW_BITS = 0x7F
_MORE = 0x80
_REST_BYTES = {1: 8, 3: 0, 4: 0, 5: 4}
"""How far the other kinds reach: numbers of fixed size, and the ends of a group."""

Shape: TypeAlias = "dict[int, Shape]"
"""The fields of a kind of message that hold messages, by number, each with the same for those."""


def shape_of(kind: Any) -> Shape:  # noqa: ANN401 - a descriptor, of either parser's class
    """Return where a kind of message holds other messages."""
    return _shape_of(kind, {})


def _shape_of(kind: Any, known: dict[str, Shape]) -> Shape:  # noqa: ANN401 - as above
    shape = known.get(kind.full_name)
    if shape is None:
        # Known before its fields are looked at: a message may hold its own kind.
        shape = known[kind.full_name] = {}
        for field in kind.fields:
            if field.message_type is not None:
                shape[field.number] = _shape_of(field.message_type, known)
    return shape


def has_few_values(raw: bytes, shape: Shape, values_max: int = VALUES_MAX) -> bool:
    """Say whether bytes hold no more values than allowed; O(values).

    Bytes that are no message have few values, whatever follows behind their fault.
    """
    try:
        return _count(raw, shape, values_max) <= values_max
    except (IndexError, KeyError):
        return True


def _count(raw: bytes, shape: Shape, enough: int) -> int:
    """Count values until there are more than enough."""
    around: list[tuple[int, Shape]] = []
    place, end, count = 0, len(raw), 0
    while count <= enough:
        while place >= end:
            if not around:
                return count
            end, shape = around.pop()
        count += 1
        # Most tags and lengths have one byte, and a call for each would cost as much again.
        tag = raw[place]
        place += 1
        if tag >= _MORE:
            tag, place = _varint(raw, place - 1)
        kind = tag & 7
        if kind == _SIZED:
            size_bytes = raw[place]
            place += 1
            if size_bytes >= _MORE:
                size_bytes, place = _varint(raw, place - 1)
            inner = shape.get(tag >> 3)
            if inner is None:
                place += size_bytes
            else:
                around.append((end, shape))
                end, shape = place + size_bytes, inner
        elif kind == _VARINT:
            _, place = _varint(raw, place)
        else:
            place += _REST_BYTES[kind]
    return count


def _varint(raw: bytes, place: int) -> tuple[int, int]:
    """Return the number at a place, and the place behind it."""
    byte = raw[place]
    place += 1
    value = byte & _LOW_BITS
    shift = 7
    while byte >= _MORE:
        byte = raw[place]
        place += 1
        value |= (byte & _LOW_BITS) << shift
        shift += 7
    return value, place
