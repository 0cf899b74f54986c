"""Runs lanes side by side, each a process, and adds their reports up."""

import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import msgspec

from tests.faults.lane_plan import LaneReport, Plan, total_of
from tests.faults.serving import ROOT
from tests.faults.table import Counter, counting

CYCLE_DONE = "."
LIFE_LANE = "tests.faults.lane"
GRPC_LANE = "tests.faults.grpc_lane"


class LaneFailed(Exception):
    """A lane ended without a report; the message is what it said last."""


def run_lanes(what: str, *plans: Plan) -> LaneReport:
    """Run the plans side by side. Raises LaneFailed."""
    total = sum(plan.cycles for plan in plans)
    with counting(what, total) as counter, ThreadPoolExecutor(len(plans)) as threads:
        return total_of(list(threads.map(partial(_run_lane, counter), plans)))


def split(cycles: int, plan: Plan, count: int) -> Sequence[Plan]:
    """Divide cycles among so many lanes, each with a seed of its own."""
    share, rest = divmod(cycles, count)
    return [
        msgspec.structs.replace(plan, cycles=share + (number < rest), seed=plan.seed + number)
        for number in range(count)
    ]


def _run_lane(counter: Counter, plan: Plan) -> LaneReport:
    command = (sys.executable, "-m", plan.program, msgspec.json.encode(plan).decode())
    last = ""
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as lane:
        assert lane.stdout is not None
        for line in lane.stdout:
            if line.strip() == CYCLE_DONE:
                counter.add()
            elif line.strip():
                last = line.strip()
    if lane.returncode:
        raise LaneFailed(f"{plan}: status {lane.returncode}: {last}")
    return msgspec.json.decode(last, type=LaneReport)
