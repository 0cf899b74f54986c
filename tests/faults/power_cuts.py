"""Power cuts: the file system under the engine is shut down and mounted again, again and again.

The shutdown drops what was not synced, as a cut does. It needs root, a loop device and the
programs that make a file system; a kind that cannot be had is skipped with the reason.
"""

from tests.faults.kills import told
from tests.faults.lane_plan import Plan
from tests.faults.lanes import LIFE_LANE, run_lanes
from tests.faults.mounts import missing_for_loop
from tests.faults.table import Row, judged, skipped

KINDS = ("ext4", "xfs")
CUTS_PER_KIND = 500


def run(scale: float) -> list[Row]:
    """Cut the power of every kind that can be had, side by side."""
    cuts = max(2, round(CUTS_PER_KIND * scale))
    return [_run_kind(kind, cuts) for kind in KINDS]


def _run_kind(kind: str, cuts: int) -> Row:
    what = f"power cuts on {kind}"
    must = f"{cuts:,} cuts, 0 lost"
    reason = missing_for_loop(kind)
    if reason:
        return skipped(what, must=must, reason=reason)
    report = run_lanes(what, Plan(program=LIFE_LANE, ground=kind, cycles=cuts, seed=3_000))
    harms = [*report.lost, *report.doubled]
    return judged(
        what,
        must=must,
        figure=f"{report.cycles:,} cuts, {len(report.lost)} lost, {len(report.doubled)} doubled",
        holds=report.cycles >= cuts and not harms,
        note=told(report) + "".join(f"; {harm}" for harm in harms),
    )
