"""Belonging: whether a snapshot is one of this log, and not of another one with the same name.

A snapshot is written right after a new segment was begun, so the record behind it is the first of
a segment. The snapshot repeats the salt of that segment, which no other log has.
"""

from typing import Final

from domgrpc.storage.disk import Disk
from domgrpc.storage.errors import Corruption
from domgrpc.storage.frame import BLOCK_BYTES, SALT_BYTES
from domgrpc.storage.segment import (
    decode_segment_header,
    first_sequence_of,
    list_segment_names,
    segment_name,
)

UNKNOWN_SALT: Final = bytes(SALT_BYTES)
"""In snapshots before version 2, and where no segment begins behind the snapshot."""


def salt_behind(disk: Disk, sequence: int) -> bytes:
    """Return the salt of the segment that begins behind a sequence; zeros where none does."""
    name = segment_name(sequence + 1)
    return _salt_of(disk, name) if name in disk.list_names() else UNKNOWN_SALT


def belongs(disk: Disk, sequence: int, log_salt: bytes) -> bool:
    """Say whether a snapshot of a sequence, which repeats this salt, is one of the log there.

    Where nothing contradicts it, it is: what is wrong with the log itself, the log will say.
    """
    if log_salt == UNKNOWN_SALT:
        return True
    names = list_segment_names(disk)
    behind = segment_name(sequence + 1)
    if behind not in names:
        # Of a log that goes through here without a seam. Where it has lost the segment instead,
        # the end of the one before says so.
        return all(first_sequence_of(name) > sequence for name in names)
    try:
        return _salt_of(disk, behind) == log_salt
    except Corruption:
        return True


def _salt_of(disk: Disk, name: str) -> bytes:
    handle = disk.open(name)
    try:
        block = disk.read(handle, BLOCK_BYTES, 0)
        return decode_segment_header(name, block, disk.size_bytes(handle)).salt
    finally:
        disk.close(handle)
