"""Where figures come from: the machine, the versions of all that took part, and who else ran."""

import os
import platform
import time
from importlib.metadata import version
from pathlib import Path

from benchmarks.postgres_reserves import postgres_version
from benchmarks.redis_reserves import redis_version

_PACKAGES = ("domgrpc", "grpcio", "protobuf", "msgspec", "sortedcontainers", "crc32c")
_GIB = 1024**3


def describe_machine() -> dict[str, str | int | float]:
    """Return cores, memory, kernel and processor."""
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(pages / _GIB, 1),
        "kernel": platform.release(),
        "architecture": platform.machine(),
        "processor": _processor(),
    }


def describe_versions() -> dict[str, str | None]:
    """Return the versions of Python, the libraries and the rivals; None where not installed."""
    versions: dict[str, str | None] = {"python": platform.python_version()}
    versions.update((package, version(package)) for package in _PACKAGES)
    versions["redis"] = redis_version()
    versions["postgresql"] = postgres_version()
    return versions


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or "unknown"


class Neighbours:
    """How much of the machine everything else used, from the making of this until it is asked."""

    def __init__(self) -> None:
        """Begin to count."""
        self._started = time.perf_counter()
        self._others_seconds = _others_seconds()

    def share(self) -> float:
        """Return the part of all cores that was not ours and not idle, stolen time included."""
        seconds = (time.perf_counter() - self._started) * len(os.sched_getaffinity(0))
        return max(0.0, _others_seconds() - self._others_seconds) / seconds


def _others_seconds() -> float:
    # user nice system idle iowait irq softirq steal: all but idle and waiting for a disk.
    ticks = Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()[1:9]
    busy = sum(map(int, ticks)) - int(ticks[3]) - int(ticks[4])
    # Ours are this process and its children that have ended, and theirs.
    return busy / os.sysconf("SC_CLK_TCK") - sum(os.times()[:4])
