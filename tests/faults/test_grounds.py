"""How lives are brought to a stand before the power is cut."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.faults.grounds import group_states, kill_group, stop_group

# The child waits at the pipe before it becomes another program, and its parent waits for that.
SPAWNING = """
import os, sys
at_the_pipe = (os.POSIX_SPAWN_OPEN, 0, sys.argv[1], os.O_RDONLY, 0)
os.posix_spawn("/bin/true", ["true"], {}, file_actions=[at_the_pipe])
print("on it goes", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def spawning(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Give a process that is in the middle of starting another one, until `pipe` is opened."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(
        [sys.executable, "-c", SPAWNING, str(pipe)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    ) as parent:
        while len(group_states(parent.pid)) < 2:
            os.sched_yield()
        yield parent
        kill_group(parent.pid, signal.SIGKILL)


@pytest.mark.slow
def test_a_life_that_is_stopped_while_it_starts_a_process_comes_to_a_stand(
    spawning: "subprocess.Popen[bytes]", tmp_path: Path
) -> None:
    with ThreadPoolExecutor(1) as threads:
        stopping = threads.submit(stop_group, spawning.pid)
        while "T" not in group_states(spawning.pid):
            os.sched_yield()
        # Now the child could go on, were it not stopped: nor can its parent, which is not.
        with (tmp_path / "pipe").open("wb"):
            stopping.result()
    assert set(group_states(spawning.pid)) <= set("TZX")
    kill_group(spawning.pid, signal.SIGCONT)
    assert spawning.stdout is not None
    assert spawning.stdout.readline() == b"on it goes\n"
