"""A server process of a fault: the real program, started, killed and ended by its id.

Unlike the servers of the benchmarks it can be killed before it listens, and may die at any moment
without that being an error.
"""

import asyncio
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.faults.grounds import kill_group, stop_group

ROOT = Path(__file__).resolve().parents[2]
SERVE = ("-m", "domgrpc")
START_SECONDS_MAX = 120.0
STOP_SECONDS_MAX = 60.0
SMALL_SEGMENTS = ("--segment-size-bytes", str(32 * 1024 * 1024))
_LOOK_SECONDS = 0.005
_PORT = r'"{}": ?(\d+)'
_SHOWN_CHARACTERS = 2_000


class ServerEnded(Exception):
    """A server ended by itself, or did not come up in time."""


class Serving:
    """One server process after the other on one folder."""

    def __init__(
        self,
        folder: Path,
        *options: str,
        data_dir: Path | None = None,
        program: tuple[str, ...] = SERVE,
    ) -> None:
        """Prepare; `program` is what runs in front of the word serve."""
        data_dir = data_dir or folder / "data"
        place = ("--data-dir", str(data_dir), "--port", "0", "--log-format", "json")
        self._command = (sys.executable, *program, "serve", *place, *options)
        self._output = folder / "server-output.txt"
        self._process: subprocess.Popen[bytes] | None = None
        self._groups: list[int] = []

    def start(self) -> None:
        """Start a server; it does not listen yet."""
        with self._output.open("wb") as output:
            self._process = subprocess.Popen(
                self._command,
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._groups.append(self._process.pid)

    async def target(self, port: str = "port") -> str:
        """Wait until the server listens and return where, or where else. Raises ServerEnded."""
        deadline = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < deadline:
            for line in self.printed().splitlines():
                if '"listening"' in line and (found := re.search(_PORT.format(port), line)):
                    return f"127.0.0.1:{found[1]}"
            if self.status() is not None:
                break
            await asyncio.sleep(_LOOK_SECONDS)
        raise ServerEnded(f"status {self.status()}: {self.printed()[-_SHOWN_CHARACTERS:]}")

    def printed(self) -> str:
        """Return what the server has printed."""
        return self._output.read_text(encoding="utf-8", errors="replace")

    def status(self) -> int | None:
        """Return how the process ended, None while it runs or was never started."""
        return self._process.poll() if self._process is not None else None

    def stand_still(self) -> None:
        """Stop the server and what it started, as SIGSTOP does, until it goes on."""
        stop_group(self._groups[-1])

    def go_on(self) -> None:
        """Let a server go on that stands still."""
        kill_group(self._groups[-1], signal.SIGCONT)

    def kill(self) -> None:
        """Kill the server alone; what it started beside itself runs on."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def stop(self) -> int:
        """End the server as an operator does and return its exit status."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(STOP_SECONDS_MAX)

    def end(self) -> None:
        """Kill whatever is left of every server that was started here."""
        self.kill()
        for group in self._groups:
            kill_group(group, signal.SIGKILL)
