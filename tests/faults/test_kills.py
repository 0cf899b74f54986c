"""The quick form of kills and power cuts: the same programs, few cycles."""

import pytest

from tests.faults.lane_plan import KILL, LaneReport, Plan
from tests.faults.lanes import GRPC_LANE, LIFE_LANE, run_lanes
from tests.faults.mounts import missing_for_loop
from tests.faults.power_cuts import KINDS

pytestmark = pytest.mark.slow
CYCLES = 12
GRPC_CYCLES = 3
LYING_CYCLES = 40


def expect_no_harm(report: LaneReport, cycles: int) -> None:
    assert report.cycles == cycles
    assert report.answered
    assert not report.lost
    assert not report.doubled


def file_system(kind: str) -> str:
    """Return a kind of file system that can be had, or skip with the reason."""
    if missing := missing_for_loop(kind):
        pytest.skip(f"power cuts on {kind}: {missing}")
    return kind


def test_a_kill_loses_no_answer_and_doubles_no_effect() -> None:
    plan = Plan(program=LIFE_LANE, ground=KILL, cycles=CYCLES, seed=1)
    expect_no_harm(run_lanes("kills", plan), CYCLES)


def test_a_kill_under_load_through_grpc_loses_no_answer_and_doubles_no_effect() -> None:
    plan = Plan(program=GRPC_LANE, ground=KILL, cycles=GRPC_CYCLES, seed=3)
    expect_no_harm(run_lanes("kills", plan), GRPC_CYCLES)


@pytest.mark.parametrize("kind", KINDS)
def test_a_power_cut_loses_no_answer_and_doubles_no_effect(kind: str) -> None:
    plan = Plan(program=LIFE_LANE, ground=file_system(kind), cycles=CYCLES, seed=2)
    expect_no_harm(run_lanes("power cuts", plan), CYCLES)


def test_a_disk_whose_syncs_do_nothing_is_found_out_by_power_cuts() -> None:
    ground = file_system("ext4")
    plan = Plan(program=LIFE_LANE, ground=ground, cycles=LYING_CYCLES, seed=2, lying=True)
    assert run_lanes("power cuts", plan).lost
