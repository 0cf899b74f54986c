"""Figures of many timings: medians, percentiles, and what a process used of the processor."""

import math
import os
from collections.abc import Sequence
from pathlib import Path


def median(values: Sequence[float]) -> float:
    """Return the value in the middle; of an even number the mean of the two there."""
    ordered = sorted(values)
    middle = len(ordered) // 2
    return (ordered[middle] + ordered[~middle]) / 2


def percentile(values: Sequence[float], per_cent: float) -> float:
    """Return the smallest value that so many per cent of the values do not exceed."""
    ordered = sorted(values)
    place = math.ceil(len(ordered) * per_cent / 100) - 1
    return ordered[max(0, place)]


def processor_seconds(pid: int) -> float:
    """Return the processor time that a process has used so far, all its threads together."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_bytes(pid: int) -> int:
    """Return the memory that a process holds now."""
    pages = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")
