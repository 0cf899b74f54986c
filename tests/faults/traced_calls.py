"""Fails real system calls from outside, by strace: a sample that checks the injector beside it.

The process is a fresh interpreter and knows nothing of it. What strace is told to fail the kernel
refuses without doing it, so that Python's own ways with errors (it repeats what was interrupted)
are in the picture too.
"""

import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

import msgspec

from tests.faults.struck_life import Promise
from tests.faults.system_calls import (
    DOCUMENTED_CODES,
    Points,
    call_row,
    in_time,
    wrong_aftermath,
)
from tests.faults.table import Row, counting, skipped
from tests.faults.workers import workers

WHAT = "system calls, failed by strace"
MUST = "100 % of the points"
STEP = 5
_LIFE_SECONDS_MAX = 60
_NOT_REACHED = "the life made fewer calls"
_ROOT = Path(__file__).parents[2]
# The kernel's names of the calls that nothing but storage makes, and about how many a life has.
CALLS: Mapping[str, int] = {
    "pwrite64": 40,
    "fdatasync": 36,
    "fsync": 18,
    "renameat": 15,
    "unlinkat": 4,
    "ftruncate": 2,
}
INJECTIONS = ("error=EIO", "error=ENOSPC", "error=EINTR", "signal=KILL")


class TracedPoint(msgspec.Struct, frozen=True):
    """Which occurrence of a call to fail, and how."""

    call: str
    number: int
    injection: str


def reason_against_strace() -> str:
    """Return why strace cannot be used here, nothing where it can."""
    strace = shutil.which("strace")
    if strace is None:
        return "strace is not installed"
    tried = subprocess.run([strace, "-qq", "true"], capture_output=True, check=False)
    return "" if tried.returncode == 0 else "strace may not trace here"


def traced_points(step: int) -> Iterator[TracedPoint]:
    """Yield each so many-th occurrence of each call, with each injection in turn."""
    for call, count in CALLS.items():
        for place, number in enumerate(range(1, count + 1, step)):
            for injection in INJECTIONS:
                yield TracedPoint(call, min(number + place % step, count), injection)


def judge_traced(point: TracedPoint) -> Points:
    """Have a point struck and look what is left; forks."""
    return in_time(partial(_tried, point))


def _tried(point: TracedPoint) -> Points:
    found = Points()
    with tempfile.TemporaryDirectory() as place:
        wrong = _judge(point, Path(place), found)
    if wrong == _NOT_REACHED:
        return found
    found.tried = 1
    if wrong:
        found.wrong = 1
        found.told.append(f"{point.call} {point.number} {point.injection}: {wrong}")
    return found


def _judge(point: TracedPoint, place: Path, found: Points) -> str:
    trace = place / "trace"
    inject = f"inject={point.call}:{point.injection}:when={point.number}"
    command = ["strace", "-f", "-qq", "-ttt", "-o", str(trace), "-e", f"trace={point.call}"]
    life = [sys.executable, "-m", "tests.faults.struck_life", str(place / "data")]
    done = subprocess.run(
        [*command, "-e", inject, *life],
        capture_output=True,
        check=False,
        cwd=_ROOT,
        timeout=_LIFE_SECONDS_MAX,
    )
    ended_seconds = time.time()
    lines = trace.read_text(errors="replace").splitlines()
    is_kill = point.injection == "signal=KILL"
    struck = [number for number, line in enumerate(lines) if "INJECTED" in line or "= ?" in line]
    if not struck:
        return _NOT_REACHED
    if is_kill:
        found.killed += 1
        wrong = "" if done.returncode in (-signal.SIGKILL, 137) else "not killed"
    else:
        seconds = ended_seconds - float(lines[struck[0]].split()[1])
        wrong = _wrong_end(done, seconds, found)
        is_sync = point.call in ("fdatasync", "fsync") and done.returncode
        if is_sync and _descriptor(lines[struck[0]]) in map(_descriptor, lines[struck[0] + 1 :]):
            wrong = "a sync that had failed was tried again on the same file"
    told = [line for line in done.stdout.splitlines() if line.startswith(b"[")]
    promise = msgspec.json.decode(told[-1], type=Promise) if told else None
    return wrong or wrong_aftermath(place / "data", promise)


def _wrong_end(done: subprocess.CompletedProcess[bytes], seconds: float, found: Points) -> str:
    if done.returncode not in DOCUMENTED_CODES:
        return f"ended with {done.returncode}: {done.stderr[-300:].decode(errors='replace')}"
    if done.returncode == 0:
        found.went_on += 1
        return ""
    found.exit_after(seconds)
    return ""


def _descriptor(line: str) -> str:
    return line.partition("(")[2].partition(")")[0]


def traced_calls(scale: float) -> list[Row]:
    """Strike a sample of real calls; skipped where strace cannot be used."""
    reason = reason_against_strace()
    if reason:
        return [skipped(WHAT, must=MUST, reason=reason)]
    started = time.perf_counter()
    points = list(traced_points(STEP))[:: max(int(1 / scale), 1)]
    found = Points()
    with workers() as pool, counting("traced calls", len(points)) as counter:
        for outcome in pool.map(judge_traced, points):
            found.add(outcome)
            counter.add()
    rate = len(points) / (time.perf_counter() - started)
    return [call_row(WHAT, found, f"every {STEP}th call, {rate:.1f} points/s")]
