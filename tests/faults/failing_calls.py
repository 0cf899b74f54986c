"""Stands between the storage layer and the system, counts its calls, and fails the one it is told.

`install` puts it in the place of `os` and `fcntl` in `domgrpc.storage.disk`, which is the only
module that makes system calls for storage. For a process of its own only: nothing puts them back.
"""

import enum
import errno
import fcntl
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, NoReturn

from domgrpc.storage import disk

CALLS = frozenset(
    {
        "close",
        "fdatasync",
        "flock",
        "fstat",
        "fstatvfs",
        "fsync",
        "ftruncate",
        "listdir",
        "open",
        "posix_fadvise",
        "pread",
        "pwrite",
        "rename",
        "unlink",
    }
)
SYNCS = frozenset({"fdatasync", "fsync"})


class Strike(enum.StrEnum):
    """What happens to the call. Those that begin with KILL end the process."""

    EIO = "EIO"
    ENOSPC = "ENOSPC"
    EINTR = "EINTR"
    SHORT = "short write"
    SHORT_THEN_FULL = "short write, then ENOSPC"
    FULL_FROM_HERE = "ENOSPC from here on"
    KILL_BEFORE = "kill before"
    KILL_WITHIN = "kill half-way"
    KILL_AFTER = "kill after"


# Strikes that only a write can suffer.
OF_WRITES = frozenset({Strike.SHORT, Strike.SHORT_THEN_FULL, Strike.KILL_WITHIN})
_ERRORS = {
    Strike.EIO: errno.EIO,
    Strike.ENOSPC: errno.ENOSPC,
    Strike.EINTR: errno.EINTR,
}


@dataclass(frozen=True, slots=True)
class _Call:
    """One call that is about to be made."""

    name: str
    real: Callable[..., Any]
    arguments: tuple[Any, ...]
    named: dict[str, Any]

    def make(self) -> object:
        """Make it."""
        return self.real(*self.arguments, **self.named)

    def needs_space(self) -> bool:
        """Say whether a full disk refuses it: it makes a file, or makes one longer."""
        if self.name == "open":
            return bool(self.arguments[1] & os.O_CREAT)
        if self.name == "pwrite":
            handle, data, offset_bytes = self.arguments
            return bool(offset_bytes + len(data) > os.fstat(handle).st_size)
        return False

    def make_half(self) -> object:
        """Write the first half of what was to be written."""
        handle, data, offset_bytes = self.arguments
        return self.real(handle, data[: len(data) // 2], offset_bytes)


@dataclass(slots=True)
class FailingCalls:
    """Calls of one process. `struck_seconds` is when the strike came, zero before."""

    strike: Strike | None = None
    at: int = 0
    names: list[str] = field(default_factory=list)
    struck_seconds: float = 0.0
    synced_again: bool = False
    _failed_syncs: set[int] = field(default_factory=set)
    _is_full: bool = False

    def install(self) -> None:
        """Put the calls of the storage layer under control, for good."""
        for module in (os, fcntl):
            setattr(disk, module.__name__, _Module(self, module))

    def pass_on(self, call: _Call) -> object:
        """Make a call, or have it struck."""
        self.names.append(call.name)
        if call.name in SYNCS:
            self.synced_again |= call.arguments[0] in self._failed_syncs
        is_struck = len(self.names) == self.at and self.strike is not None
        if is_struck:
            self.struck_seconds = time.monotonic()
            self._is_full = self.strike is Strike.FULL_FROM_HERE
        if self._is_full and call.needs_space():
            return self._refuse(call, errno.ENOSPC)
        if is_struck and self.strike is not None and not self._is_full:
            result = self._struck(call, self.strike)
        else:
            result = call.make()
        if call.name == "open" and isinstance(result, int):
            # The number of a file that was closed is given out again.
            self._failed_syncs.discard(result)
        return result

    def _struck(self, call: _Call, strike: Strike) -> object:
        if strike in _ERRORS:
            return self._refuse(call, _ERRORS[strike])
        if strike is Strike.KILL_BEFORE:
            os.kill(os.getpid(), signal.SIGKILL)
        result = call.make_half() if strike in OF_WRITES else call.make()
        if strike in (Strike.KILL_WITHIN, Strike.KILL_AFTER):
            os.kill(os.getpid(), signal.SIGKILL)
        if strike is Strike.SHORT_THEN_FULL:
            # The rest of what was to be written comes next.
            self.at += 1
            self.strike = Strike.ENOSPC
        return result

    def _refuse(self, call: _Call, number: int) -> NoReturn:
        if call.name == "close":
            # Linux frees the descriptor whatever it answers.
            call.make()
        if call.name in SYNCS:
            self._failed_syncs.add(call.arguments[0])
        raise OSError(number, os.strerror(number))


class _Module:
    """A module whose calls are under control; all else of it is as it was."""

    def __init__(self, calls: FailingCalls, module: ModuleType) -> None:
        self._calls = calls
        self._module = module

    def __getattr__(self, name: str) -> object:
        real = getattr(self._module, name)
        if name not in CALLS:
            return real
        return lambda *arguments, **named: self._calls.pass_on(_Call(name, real, arguments, named))
