"""A lane of lives: `python -m tests.faults.lane PLAN`, a process that forks and ends them.

It loads no gRPC, so that it may fork. Each cycle forks a life on the folder of the one before,
ends it at a random moment and compares what it told with everything that was ever answered. It
prints a line for each cycle and then its report. See tests/faults/kills.py and power_cuts.py.
"""

import os
import select
import signal
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from random import Random
from typing import Any, Self

import msgspec

from tests.faults.grounds import CutGround, Ground, KillGround, kill_group
from tests.faults.lane_plan import KILL, LaneReport, Plan
from tests.faults.ledger import Found, Ledger
from tests.faults.life import Errand, fork_life
from tests.faults.mounts import loop_file_system

LIVES_PER_FOLDER = 40
REPEATS_MAX = 200
LIFE_SECONDS_MAX = 60.0
_LOADED_SECONDS_MAX = 0.12
_SNAPSHOT_SECONDS_MAX = 0.4


class LifeFailed(Exception):
    """A life ended by itself, or did not come up: the message says why."""


class Lane:
    """One lane; see the module."""

    def __init__(self, ground: Ground, seed: int) -> None:
        """Begin on a fresh folder."""
        self._ground = ground
        self._random = Random(seed)
        self._report = LaneReport()
        self._recovery_seconds = 0.05
        self._begin_folder()

    def run(self, cycles: int) -> LaneReport:
        """Live and end so many lives; stops at the first harm."""
        for cycle in range(cycles):
            self._one(f"l{cycle}")
            sys.stdout.write(".\n")
            sys.stdout.flush()
            if self._ledger.lost or self._ledger.doubled:
                break
            if cycle % LIVES_PER_FOLDER == LIVES_PER_FOLDER - 1:
                self._close_folder()
                self._begin_folder()
        self._close_folder()
        return self._report

    def _begin_folder(self) -> None:
        self._folder = self._ground.fresh()
        self._ledger = Ledger()

    def _close_folder(self) -> None:
        """Live once more without an end before everything was compared."""
        life = Watched(self._errand("last", orders=False), self._ledger)
        with life:
            life.listen_until("end of file")
            os.waitpid(life.pid, 0)
        if "broken" in life.seen:
            raise LifeFailed(f"the last life: {life.broken}")
        self._report = self._report.with_ledger(self._ledger)

    def _errand(self, name: str, *, orders: bool = True, snapshots: bool = False) -> Errand:
        again = self._ledger.unanswered() + self._ledger.newest_answered(REPEATS_MAX)
        repeats = {request_id: self._ledger.sent[request_id] for request_id in again}
        return Errand(
            folder=self._folder, name=name, repeats=repeats, orders=orders, snapshots=snapshots
        )

    def _one(self, name: str) -> None:
        moment = self._random.choices(("recovery", "snapshot", "load"), (2, 2, 6))[0]
        started = time.monotonic()
        life = Watched(self._errand(name, snapshots=moment == "snapshot"), self._ledger)
        with life:
            self._let_live(life, moment, started)
            self._ground.stop(life.pid)
            life.listen_for(0)
            self._ground.end(life.pid)
            life.listen_until("end of file")
        if "broken" in life.seen:
            raise LifeFailed(f"{name}: {life.broken}")
        begun, ended = life.seen.count("snapshot begins"), life.seen.count("snapshot ends")
        self._report = self._report.after_cycle(was_up="up" in life.seen, was_writing=begun > ended)

    def _let_live(self, life: "Watched", moment: str, started: float) -> None:
        if moment == "snapshot":
            life.listen_until("snapshot begins")
            life.listen_for(self._random.uniform(0, _SNAPSHOT_SECONDS_MAX))
        elif moment == "recovery":
            life.listen_for(self._random.uniform(0, self._recovery_seconds))
        else:
            life.listen_until("up")
            self._recovery_seconds = time.monotonic() - started
            life.listen_until("checked")
            life.listen_for(self._random.uniform(0, _LOADED_SECONDS_MAX))


class Watched:
    """A life, and what it tells, which goes straight into the ledger."""

    def __init__(self, errand: Errand, ledger: Ledger) -> None:
        """Fork the life."""
        self.pid, self._reading = fork_life(errand)
        self.seen: list[str] = []
        """The steps that it told, in order, without requests and answers."""
        self.broken = ""
        self._ledger = ledger
        self._rest = b""

    def listen_until(self, word: str) -> None:
        """Take in what is told until a step; or until the life breaks, or it is too late."""
        deadline = time.monotonic() + LIFE_SECONDS_MAX
        while word not in self.seen and "end of file" not in self.seen:
            if time.monotonic() > deadline:
                raise LifeFailed(f"no {word!r} within {LIFE_SECONDS_MAX:.0f} s: {self.seen}")
            self._listen_once(1.0)

    def listen_for(self, seconds: float) -> None:
        """Take in what is told for so long; with 0, all that was told until now."""
        deadline = time.monotonic() + seconds
        while self._listen_once(max(0.0, deadline - time.monotonic())):
            pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _kind: object, fault: BaseException | None, _trace: object) -> None:
        os.close(self._reading)
        if fault is not None:
            kill_group(self.pid, signal.SIGKILL)

    def _listen_once(self, seconds: float) -> bool:
        ready, _, _ = select.select((self._reading,), (), (), seconds)
        if not ready:
            return False
        told = os.read(self._reading, 1 << 20)
        if not told:
            self.seen.append("end of file")
            return False
        *lines, self._rest = (self._rest + told).split(b"\n")
        for line in lines:
            self._take(*msgspec.json.decode(line))
        return True

    def _take(self, word: str, *rest: Any) -> None:  # noqa: ANN401 - whatever JSON can carry
        if word == "sent":
            self._ledger.send(rest[0], rest[1])
        elif word == "answered":
            self._ledger.answer(rest[0], rest[1])
        elif word == "found":
            self._ledger.check(msgspec.convert(rest[0], type=Found))
        else:
            self.seen.append(word)
            self.broken = self.broken or str(rest)


def main() -> None:
    """Run the plan that the first argument is."""
    plan = msgspec.json.decode(sys.argv[1], type=Plan)
    if plan.lying:
        os.fdatasync = os.fsync = _do_nothing  # type: ignore[assignment] # not a file's only
    with ExitStack() as stack:
        ground: Ground
        if plan.ground == KILL:
            place = stack.enter_context(tempfile.TemporaryDirectory(prefix="domgrpc-faults-"))
            ground = KillGround(Path(place))
        else:
            ground = CutGround(stack.enter_context(loop_file_system(plan.ground)))
        try:
            report = Lane(ground, plan.seed).run(plan.cycles)
        finally:
            ground.fresh()
    sys.stdout.write(msgspec.json.encode(report).decode() + "\n")


def _do_nothing(_handle: object) -> None:
    """Be a disk that lies."""


if __name__ == "__main__":
    main()
