"""kill -9 at random moments: under load, during recovery and while a snapshot is written.

Some cycles start the real server and go through gRPC. The others fork the engine alone, which
starts faster, so that many more moments are hit. Both compare, after every kill, what the server
holds with what it had answered, and repeat requests.
"""

from tests.faults.lane_plan import KILL, LaneReport, Plan
from tests.faults.lanes import GRPC_LANE, LIFE_LANE, run_lanes, split
from tests.faults.table import Row, judged

GRPC_CYCLES = 300
ENGINE_CYCLES = 1_700
_LANES = 2


def run(scale: float) -> list[Row]:
    """Run all the cycles on two lanes: two cores are what they are measured on."""
    grpc_cycles = max(2, round(GRPC_CYCLES * scale))
    engine_cycles = max(2, round(ENGINE_CYCLES * scale))
    grpc_plan = Plan(program=GRPC_LANE, ground=KILL, cycles=0, seed=1_000)
    engine_plan = Plan(program=LIFE_LANE, ground=KILL, cycles=0, seed=2_000)
    through_grpc = run_lanes("kills through gRPC", *split(grpc_cycles, grpc_plan, _LANES))
    of_engine = run_lanes("kills of the engine", *split(engine_cycles, engine_plan, _LANES))
    cycles = grpc_cycles + engine_cycles
    done = through_grpc.cycles + of_engine.cycles
    harms = [*through_grpc.lost, *through_grpc.doubled, *of_engine.lost, *of_engine.doubled]
    lost = len(through_grpc.lost) + len(of_engine.lost)
    return [
        judged(
            "kill -9 under load, in recovery, in a snapshot",
            must=f"{cycles:,} cycles, 0 lost, 0 doubled",
            figure=f"{done:,} cycles, {lost} lost, {len(harms) - lost} doubled",
            holds=done >= cycles and not harms,
            note=f"gRPC: {told(through_grpc)}; engine: {told(of_engine)}"
            + "".join(f"; {harm}" for harm in harms),
        )
    ]


def told(report: LaneReport) -> str:
    """Say in a few words what lanes did."""
    return (
        f"{report.cycles:,} cycles, {report.in_recovery} of them in recovery, "
        f"{report.in_snapshot} in a snapshot, {report.answered:,} answers, "
        f"{report.repeated:,} repeated"
    )
