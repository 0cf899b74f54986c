"""A server that is killed at any moment comes back with everything that it answered."""

import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path
from random import Random

import pytest

from domgrpc.core.reservations import Reservation, ReservationState
from domgrpc.core.values import ReservationId
from domgrpc.engine.engine import Engine
from tests.engine.reserving import SEGMENT_BYTES
from tests.engine.rooms import Folder

ROOT = Path(__file__).parents[2]
KILL_COUNT = 10
ANSWERS_MAX = 250
END_STATES = (ReservationState.HELD, ReservationState.CONFIRMED, ReservationState.RELEASED)


def acknowledged_until_killed(folder: Path, life: str, answer_count: int) -> list[str]:
    """Start the server, kill it after so many answers, and return all that it had answered."""
    command = [sys.executable, "-m", "tests.engine.reserving", str(folder), life]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        # The log lines of the server stand between the ids.
        lines = [server.stdout.readline() for _ in range(answer_count)]
        os.kill(server.pid, signal.SIGKILL)
        lines.extend(server.stdout)
    assert server.returncode == -signal.SIGKILL, lines[-5:]
    return [line.strip() for line in lines if line.startswith(f"{life}-") and line.endswith("\n")]


def expected_state(name: str) -> ReservationState:
    return END_STATES[int(name.rpartition("-")[2]) % 3]


@pytest.mark.slow
def test_every_acknowledged_reservation_is_there_after_each_of_ten_kills(tmp_path: Path) -> None:
    random = Random(20_240_229)
    folder = Folder(tmp_path, segment_size_bytes=SEGMENT_BYTES)
    acknowledged: list[str] = []
    snapshots = set()
    for life in range(KILL_COUNT):
        count = random.randrange(1, ANSWERS_MAX)
        acknowledged += acknowledged_until_killed(tmp_path, f"life{life}", count)
        snapshots.add(folder.live(partial(checked, acknowledged=acknowledged)))
    assert len(acknowledged) > KILL_COUNT
    assert folder.live(lambda engine: engine.verify()).consistent
    assert len(snapshots) > 1, "no snapshot was ever written"


async def checked(engine: Engine, acknowledged: list[str]) -> int:
    """Check that all is there, and only as it was answered; return the newest snapshot."""
    engine.writer.state.check_invariants()
    by_id: dict[ReservationId, Reservation] = engine.writer.state.reservations.by_id
    for name in acknowledged:
        found = by_id[ReservationId(name)]
        assert found.state is expected_state(name)
        assert [line.quantity for line in found.lines] == [1, 2]
    # What was not acknowledged is there as a whole or not at all.
    for name, found in by_id.items():
        assert found.state is expected_state(name)
    return engine.status().snapshot_revision
