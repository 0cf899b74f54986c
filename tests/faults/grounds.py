"""Where lives are lived and how they end: by a kill, or by a cut of the power under them."""

import os
import shutil
import signal
import time
from pathlib import Path
from typing import Protocol

from tests.faults.mounts import LoopFileSystem

_STOP_SECONDS_MAX = 30.0
_PATIENCE_SECONDS = 1.0
_STOP_PAUSE_SECONDS = 0.0005


class Ground(Protocol):
    """A folder that outlives the lives in it."""

    def fresh(self) -> Path:
        """End what is left of earlier lives and return a new, empty folder."""

    def stop(self, pid: int) -> None:
        """Let a life do nothing further; what it told until now counts."""

    def end(self, pid: int) -> None:
        """End the life, and have the folder ready for the next one."""


class KillGround:
    """A life is killed; what it started beside itself runs on, as after a real kill."""

    def __init__(self, place: Path) -> None:
        """Live below a folder that exists."""
        self._place = place
        self._count = 0
        self._groups: list[int] = []

    def fresh(self) -> Path:
        """End what is left of earlier lives and return a new, empty folder."""
        for group in self._groups:
            kill_group(group, signal.SIGKILL)
        self._groups.clear()
        shutil.rmtree(self._place / str(self._count), ignore_errors=True)
        self._count += 1
        return self._place / str(self._count)

    def stop(self, pid: int) -> None:
        """Kill the life."""
        os.kill(pid, signal.SIGKILL)

    def end(self, pid: int) -> None:
        """Take note of its end; remember what it may have left behind."""
        os.waitpid(pid, 0)
        if kill_group(pid, 0):
            self._groups.append(pid)


class CutGround:
    """The power is cut under a life: all of its processes stop, then the file system does.

    They stop first: a sync that races with the shutdown can return success for bytes that the
    cut took, and its answer would count as given.
    """

    def __init__(self, file_system: LoopFileSystem) -> None:
        """Live on a loop file system."""
        self._file_system = file_system

    def fresh(self) -> Path:
        """Return a new, empty folder."""
        folder = self._file_system.place / "data"
        # What cannot be removed would be found by the next ledger, which knows nothing of it.
        shutil.rmtree(folder, ignore_errors=True)
        return folder

    def stop(self, pid: int) -> None:
        """Stop the life and what it started, and wait until they stand still."""
        stop_group(pid)

    def end(self, pid: int) -> None:
        """Cut the power, end the life, and mount the file system again."""
        self._file_system.cut_power()
        kill_group(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        self._file_system.mount_again()


def kill_group(group: int, number: int) -> bool:
    """Send a signal to a process group, 0 to ask only; say whether it has any process."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def stop_group(group: int) -> None:
    """Stop all processes of a group and wait until they stand still. Raises TimeoutError."""
    deadline = time.monotonic() + _STOP_SECONDS_MAX
    while time.monotonic() < deadline:
        kill_group(group, signal.SIGSTOP)
        if _stands_still_within(_PATIENCE_SECONDS, group):
            return
        # Who starts a process waits, unstopped, until that is another program; which it does not
        # become while it is stopped. So both go on for a moment.
        kill_group(group, signal.SIGCONT)
        time.sleep(_STOP_PAUSE_SECONDS)
    raise TimeoutError(f"process group {group} did not stop: {group_states(group)}")


def _stands_still_within(seconds: float, group: int) -> bool:
    deadline = time.monotonic() + seconds
    while not all(state in "TZX" for state in group_states(group)):
        if time.monotonic() > deadline:
            return False
        time.sleep(_STOP_PAUSE_SECONDS)
    return True


def group_states(group: int) -> list[str]:
    """Return the state of every thread of a process group."""
    found = []
    for process in Path("/proc").iterdir():
        if not process.name.isdigit() or _group_of(process) != group:
            continue
        found += [_field(task / "stat", 0) for task in (process / "task").iterdir()]
    return found


def _group_of(process: Path) -> int:
    return int(_field(process / "stat", 2) or 0)


def _field(path: Path, number: int) -> str:
    # The name of the program stands in brackets and may hold anything.
    try:
        return path.read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()[number]
    except (FileNotFoundError, ProcessLookupError, IndexError):
        return ""
