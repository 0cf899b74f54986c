"""Where the figures come from: the machine and the versions of all that took part."""

import os
import platform
from importlib.metadata import version
from pathlib import Path

from benchmarks.postgres_reserves import postgres_version
from benchmarks.redis_reserves import redis_version

_PACKAGES = ("domgrpc", "grpcio", "protobuf", "msgspec", "sortedcontainers", "crc32c")
_GIB = 1024**3


def describe_machine() -> dict[str, str | int | float]:
    """Return cores, memory, kernel and processor, and how busy the machine was already."""
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(pages / _GIB, 1),
        "kernel": platform.release(),
        "architecture": platform.machine(),
        "processor": _processor(),
        "load_average_before": round(os.getloadavg()[0], 2),
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
