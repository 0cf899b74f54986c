"""Fails every system call of the storage layer, one life each, and looks what is left.

    python -m tests.faults.run system_calls

Each point is a process of its own on a folder of its own: a new one, one with a torn tail and
left-overs, one with a rotation that was cut short. The call is refused (EIO, ENOSPC, EINTR), done
in part, or the process is killed before, within or after it. Then the process must end by itself
in under a second with a documented code, or go on; and a start without faults must find all that
was promised, as it was promised. A sync that failed must not be tried again on its file.
"""

import os
import signal
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import as_completed
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path

import msgspec

from domgrpc.storage.frame import SECTOR_BYTES
from domgrpc.storage.reading import LogWalk
from domgrpc.storage.segment import list_segment_names
from domgrpc.storage.spare import SPARE_NAME, SPARE_TEMPORARY_NAME
from tests.faults.failing_calls import OF_WRITES, FailingCalls, Strike
from tests.faults.journal_disk import holding
from tests.faults.small_folder import killed_folder, write_folder
from tests.faults.struck_life import Aftermath, Promise, live, look
from tests.faults.table import Row, counting, judged
from tests.faults.workers import workers
from tests.storage.damage import patch

EXIT_SECONDS_MAX = 1.0
DOCUMENTED_CODES = (0, 70, 73)
POINTS_PER_TASK = 25
_SEED = 1
_OPERATIONS_MAX = 500
_LIFE_SECONDS_MAX = 30
_TOLD_MAX = 5
_ATTEMPTS = 3


class Point(msgspec.Struct, frozen=True):
    """A system call to strike: the folder to start on, which call, and how."""

    folder: str
    number: int
    strike: Strike


class Ended(msgspec.Struct, frozen=True):
    """How a life says that it ended, where it could say so."""

    code: int
    names: list[str]
    struck_seconds: float
    synced_again: bool
    error: str = ""


@dataclass(slots=True)
class Points:
    """What came of points."""

    tried: int = 0
    killed: int = 0
    exited: int = 0
    went_on: int = 0
    late: int = 0
    wrong: int = 0
    slowest_exit_seconds: float = 0.0
    told: list[str] = field(default_factory=list)

    def add(self, other: "Points") -> None:
        """Add what came of others."""
        slowest = max(self.slowest_exit_seconds, other.slowest_exit_seconds)
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.slowest_exit_seconds = slowest
        del self.told[_TOLD_MAX:]

    def exit_after(self, seconds: float) -> None:
        """Count a process that ended by itself, so long after the strike."""
        self.exited += 1
        self.slowest_exit_seconds = max(self.slowest_exit_seconds, seconds)
        self.late += seconds >= EXIT_SECONDS_MAX


# --- the folders to start on


@cache
def new_folder() -> dict[str, bytes]:
    """Return nothing."""
    return {}


@cache
def torn_folder() -> dict[str, bytes]:
    """Return a folder that lost its power in a write, in a snapshot and in a trim."""
    folder = write_folder(_SEED)
    files = dict(folder.stages[-2])
    name = max(folder.starts)
    last_sector = folder.starts[name][-2] - SECTOR_BYTES
    files[name] = patch(files[name], last_sector, bytes(SECTOR_BYTES))
    files[SPARE_TEMPORARY_NAME] = files.pop(SPARE_NAME)
    files["snapshot-000000000000000a.snap.0a1b2c3d.tmp"] = b"half a snapshot"
    files["trimmed-log-0000000000000001.seg"] = b"what is left of a segment"
    return files


@cache
def unclosed_folder() -> dict[str, bytes]:
    """Return a folder of which the server died between making a segment and closing the last."""
    for operation_count in range(_OPERATIONS_MAX):
        files = killed_folder(_SEED, operation_count)
        disk = holding(files)
        walk = LogWalk(disk, list_segment_names(disk))
        if list(walk.frames()) and walk.unclosed is not None:
            return files
    raise AssertionError("no operation of the life came between the two")


FOLDERS: dict[str, Callable[[], dict[str, bytes]]] = {
    "new": new_folder,
    "torn": torn_folder,
    "unclosed": unclosed_folder,
}


# --- one point


def judge_points(points: Sequence[Point]) -> Points:
    """Have each point struck in a process of its own; forks, so not for a process with threads."""
    found = Points()
    for point in points:
        found.add(in_time(partial(_tried, point)))
    return found


def in_time(attempt: Callable[[], Points]) -> Points:
    """Return what came of an attempt, of another one where the process ended late.

    On a busy machine a process may be late for no fault of its own.
    """
    for _ in range(_ATTEMPTS - 1):
        found = attempt()
        if not found.late:
            return found
    return attempt()


def _tried(point: Point) -> Points:
    found = Points(tried=1)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "data"
        write_files(folder, FOLDERS[point.folder]())
        wrong = _judge(point, folder, found)
    if wrong:
        found.wrong += 1
        found.told.append(f"{point.strike} at call {point.number} ({point.folder}): {wrong}")
    return found


def call_names(folder_name: str) -> list[str]:
    """Return the names of the calls of a life without a strike; forks."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "data"
        write_files(folder, FOLDERS[folder_name]())
        lines, status = _forked(lambda pipe: _struck_life(folder, FailingCalls(), pipe))
    ended = msgspec.json.decode(lines[-1], type=Ended)
    assert (status, ended.error) == (0, ""), ended.error
    return ended.names


def write_files(folder: Path, files: dict[str, bytes]) -> None:
    """Write a folder as it is to be found."""
    folder.mkdir(mode=0o700)
    for name, content in files.items():
        (folder / name).write_bytes(content)


def _judge(point: Point, folder: Path, found: Points) -> str:
    calls = FailingCalls(point.strike, point.number)
    lines, status = _forked(lambda pipe: _struck_life(folder, calls, pipe))
    ended_seconds = time.monotonic()
    is_kill = point.strike in (Strike.KILL_BEFORE, Strike.KILL_WITHIN, Strike.KILL_AFTER)
    if is_kill:
        found.killed += 1
        wrong = "" if status == -signal.SIGKILL else f"not killed: status {status}"
    elif status not in DOCUMENTED_CODES:
        told = msgspec.json.decode(lines.pop(), type=Ended).error if status == 1 else ""
        wrong = f"ended with {status}, not with a documented code {told}"
    else:
        ended = msgspec.json.decode(lines.pop(), type=Ended)
        wrong = _wrong_end(ended, ended_seconds - ended.struck_seconds, found)
    promises = [msgspec.json.decode(line, type=Promise) for line in lines]
    promise = promises[-1] if promises else None
    return wrong or wrong_aftermath(folder, promise)


def _wrong_end(ended: Ended, seconds: float, found: Points) -> str:
    if not ended.struck_seconds:
        return "the call was never made"
    if ended.synced_again:
        return "a sync that had failed was tried again on the same file"
    if ended.code == 0:
        found.went_on += 1
        return ""
    found.exit_after(seconds)
    return ""


def wrong_aftermath(folder: Path, promise: Promise | None) -> str:
    """Return what is wrong with a start after a life, nothing where all is right; forks.

    Without a promise nothing was answered: whatever the folder held before must still open.
    """
    promised = 0 if promise is None else promise.revision
    lines, status = _forked(lambda pipe: _aftermath(folder, promised, pipe))
    if status:
        return f"the start afterwards fails: {b' '.join(lines).decode()}"
    after = msgspec.json.decode(lines[0], type=Aftermath)
    if after.last_sequence < promised:
        return f"promised up to {promised}, found up to {after.last_sequence}"
    if promise is not None and after.group_count_behind > 1:
        return f"{after.group_count_behind} groups behind the last promise, one was under way"
    if promise is not None and after.promised_digest != promise.state_digest:
        return f"another state than was promised after {promised}"
    if not (after.is_same_again and after.goes_on):
        return "a second start finds something else than the first"
    return ""


# --- processes


def _forked(work: Callable[[int], int]) -> tuple[list[bytes], int]:
    """Do work in a child; return the lines that it wrote, and its exit code or minus its signal."""
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.close(read_end)
            # What matters goes through the pipe; the rest is talk of a process that is to die.
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
            signal.alarm(_LIFE_SECONDS_MAX)
            code = work(write_end)
        finally:
            # Nothing of the parent's may be flushed or run a second time.
            os._exit(code)
    os.close(write_end)
    with os.fdopen(read_end, "rb") as pipe:
        lines = pipe.read().splitlines()
    _, status = os.waitpid(child, 0)
    return lines, os.waitstatus_to_exitcode(status)


def _struck_life(folder: Path, calls: FailingCalls, pipe: int) -> int:
    calls.install()

    def tell(promise: Promise) -> None:
        os.write(pipe, msgspec.json.encode(promise) + b"\n")

    code, error = 1, ""
    try:
        code = live(folder, tell)
    except BaseException as escaped:  # noqa: BLE001 - the outermost call: this is the finding
        error = _told(escaped)
    ended = Ended(code, calls.names, calls.struck_seconds, calls.synced_again, error)
    os.write(pipe, msgspec.json.encode(ended) + b"\n")
    return code


def _told(escaped: BaseException) -> str:
    frames = traceback.extract_tb(escaped.__traceback__)
    ours = [frame for frame in frames if "domgrpc" in Path(frame.filename).parts]
    return f"({escaped!r} in {ours[-1].name if ours else 'the life itself'})"


def _aftermath(folder: Path, promised: int, pipe: int) -> int:
    try:
        os.write(pipe, msgspec.json.encode(look(folder, promised)) + b"\n")
    except BaseException as error:  # noqa: BLE001 - the outermost call: this is the finding
        os.write(pipe, f"{type(error).__name__}: {error}".encode())
        return 1
    return 0


# --- the rows


def points_of(folder_name: str, names: Sequence[str]) -> Iterator[Point]:
    """Yield every strike on every call."""
    for number, name in enumerate(names, start=1):
        for strike in Strike:
            if name == "pwrite" or strike not in OF_WRITES:
                yield Point(folder_name, number, strike)


def system_calls(scale: float) -> list[Row]:
    """Strike every call of every life."""
    started = time.perf_counter()
    found = {strike: Points() for strike in Strike}
    with workers() as pool:
        names = dict(zip(FOLDERS, pool.map(call_names, FOLDERS), strict=True))
        points = [point for folder in FOLDERS for point in points_of(folder, names[folder])]
        points = points[:: max(int(1 / scale), 1)]
        tasks = [
            (strike, [point for point in points if point.strike is strike]) for strike in Strike
        ]
        running = {
            pool.submit(judge_points, some[start : start + POINTS_PER_TASK]): strike
            for strike, some in tasks
            for start in range(0, len(some), POINTS_PER_TASK)
        }
        with counting("system calls", len(running)) as counter:
            for done in as_completed(running):
                found[running[done]].add(done.result())
                counter.add()
    rate = len(points) / (time.perf_counter() - started)
    note = f"{sum(map(len, names.values()))} calls of 3 lives; {rate:,.0f} points/s"
    return [
        call_row(f"system calls: {strike}", points, note if strike is Strike.EIO else "")
        for strike, points in found.items()
    ]


def call_row(what: str, found: Points, note: str = "") -> Row:
    """Return the line of the table."""
    ways = {"exited": found.exited, "went on": found.went_on, "killed": found.killed}
    figure = ", ".join(f"{count:,} {way}" for way, count in ways.items() if count)
    if found.exited:
        figure += f", slowest exit {found.slowest_exit_seconds * 1_000:.0f} ms"
    if found.late:
        figure += f", {found.late:,} late"
    return judged(
        what,
        must="100 % of the points",
        figure=f"{found.tried - found.wrong:,} of {found.tried:,} ({figure})",
        holds=found.tried > 0 and found.wrong == 0 and found.late == 0,
        note="; ".join(filter(None, [note, *found.told])),
    )
