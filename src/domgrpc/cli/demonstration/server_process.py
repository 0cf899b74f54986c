"""The server of the demonstration: a process of its own on a temporary folder of its own.

It is killed, started again and stopped here, and nothing of it is left in any case: it runs in a
process group of its own, so that what it started itself is found and ended too. A group of its
own also keeps Ctrl-C at the terminal from it: this process decides when it ends.
"""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

HOST: Final = "127.0.0.1"
READY_SECONDS_MAX: Final = 30.0
STOP_SECONDS_MAX: Final = 15.0
_GONE_SECONDS_MAX: Final = 2.0
_LOOK_SECONDS: Final = 0.005
_OUTPUT_CHARACTERS_MAX: Final = 1_500
_SERVE: Final = ("-m", "domgrpc", "serve", "--log-format", "json")
_OUTPUT_NAME: Final = "server-output.txt"
_LISTENING: Final = "listening"


class ServerTrouble(Exception):
    """The server did not start or stop as it should; the message ends with what it printed."""


class ServerProcess:
    """One server after another on the same folder; at most one runs.

    The first start makes the folder, `destroy` removes it.
    """

    def __init__(self) -> None:
        """Prepare; nothing is made or started yet."""
        self.folder: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._group_ids: list[int] = []
        self.target = ""
        """Where the running server listens, as host:port."""

    @property
    def pid(self) -> int:
        """The id of the process that runs or ran last, 0 before the first."""
        return self._group_ids[-1] if self._group_ids else 0

    async def start(self) -> float:
        """Start a server on a free port and return the seconds until it serves.

        Raises ServerTrouble where it ends or says no port within `READY_SECONDS_MAX`.
        """
        started = time.perf_counter()
        if self.folder is None:
            self.folder = Path(tempfile.mkdtemp(prefix="domgrpc-demo-"))
        place = ("--host", HOST, "--port", "0", "--data-dir", str(self.folder / "data"))
        with (self.folder / _OUTPUT_NAME).open("wb") as output:
            process = subprocess.Popen(  # noqa: ASYNC220 - it returns at once
                (sys.executable, *_SERVE, *place),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._process = process
        self._group_ids.append(process.pid)
        while not (port := _port_in(self._printed())):
            if process.poll() is not None:
                raise self._trouble(f"the server ended with exit code {process.returncode}")
            if time.perf_counter() - started > READY_SECONDS_MAX:
                raise self._trouble(f"the server named no port within {READY_SECONDS_MAX:.0f} s")
            await asyncio.sleep(_LOOK_SECONDS)
        self.target = f"{HOST}:{port}"
        return time.perf_counter() - started

    def kill(self) -> None:
        """End the server with SIGKILL: it can do nothing about it."""
        process = self._running()
        process.kill()
        process.wait()

    async def stop(self) -> int:
        """End the server with SIGTERM, as an operator would, and return its exit code."""
        process = self._running()
        process.terminate()
        deadline = time.perf_counter() + STOP_SECONDS_MAX
        while process.poll() is None:
            if time.perf_counter() > deadline:
                raise self._trouble(f"the server did not stop within {STOP_SECONDS_MAX:.0f} s")
            await asyncio.sleep(_LOOK_SECONDS)
        return int(process.returncode)

    def destroy(self) -> None:
        """End whatever is left of every server that was started here, and remove the folder."""
        for group_id in self._group_ids:
            _signal_group(group_id, signal.SIGKILL)
        if self._process is not None:
            self._process.wait()
        if self.folder is not None:
            shutil.rmtree(self.folder)

    def left_count(self) -> int:
        """Count the servers of which any process is left; waits a moment for it to become 0."""
        deadline = time.perf_counter() + _GONE_SECONDS_MAX
        while True:
            left = sum(_signal_group(group_id, 0) for group_id in self._group_ids)
            if not left or time.perf_counter() > deadline:
                return left
            # A process that was killed is listed until its parent has taken note of its end.
            time.sleep(_LOOK_SECONDS)

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise ServerTrouble("no server was started yet")
        return self._process

    def _printed(self) -> str:
        if self.folder is None:
            return ""
        return (self.folder / _OUTPUT_NAME).read_text(encoding="utf-8", errors="replace")

    def _trouble(self, what: str) -> ServerTrouble:
        return ServerTrouble(f"{what}; it printed: {self._printed()[-_OUTPUT_CHARACTERS_MAX:]}")


def _port_in(printed: str) -> int:
    """Return the port that the server says it listens on, 0 where it has not said so yet."""
    for line in printed.splitlines():
        if _LISTENING in line and line.endswith("}"):
            entry = json.loads(line)
            if entry.get("event") == _LISTENING:
                return int(entry["port"])
    return 0


def _signal_group(group_id: int, number: int) -> bool:
    """Send a signal to a process group, 0 to ask only; say whether it has any process."""
    try:
        os.killpg(group_id, number)
    except ProcessLookupError:
        return False
    return True
