"""What a part of a log takes: its records' bytes, and the bytes of the disk that they fill."""

from pathlib import Path

import msgspec

from domgrpc.storage.disk import LocalDisk
from domgrpc.storage.frame import RECORDS
from domgrpc.storage.inspection import inspect_log


class LogCost(msgspec.Struct, frozen=True):
    """The frames of some revisions. A frame fills whole blocks, whatever it carries."""

    frame_count: int
    payload_bytes: int
    disk_bytes: int


def log_cost(folder: Path, first_revision: int, last_revision: int) -> LogCost:
    """Read the frames of these revisions; the server may run, but not write meanwhile."""
    frame_count, payload_bytes, disk_bytes = 0, 0, 0
    for frame in inspect_log(LocalDisk(folder, make=False)):
        if frame.kind != RECORDS or frame.last_sequence < first_revision:
            continue
        frame_count += 1
        payload_bytes += len(frame.payload)
        disk_bytes += frame.header.size_bytes
        if frame.last_sequence >= last_revision:
            break
    return LogCost(frame_count, payload_bytes, disk_bytes)
