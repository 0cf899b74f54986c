"""The solver of one order against its targets, against HiGHS, and against what others do.

Orders are drawn on real geography (routing_instances.py). What is timed is processor time from the
instance, as lists or as arrays, to the solution with its runner-up.
"""

from benchmarks.results import Better, Result, skipped
from benchmarks.routing_instances import read_geography
from benchmarks.routing_mix import mixed
from benchmarks.routing_targets import Scale, explaining, targets

FULL = Scale(timed=1_000, mixed=10_000, judged=500, compared=2_000)
QUICK = Scale(timed=20, mixed=100, judged=10, compared=50)


def run(*, quick: bool) -> list[Result]:
    """Time the targets, prove a mix of orders, and compare."""
    try:
        geography = read_geography()
    except FileNotFoundError as absent:
        nothing = Result(name="routing of one order", value=None, unit="", better=Better.LOWER)
        return [skipped(nothing, f"{absent.filename} is absent")]
    scale = QUICK if quick else FULL
    return [
        *targets(geography, scale),
        *explaining(geography, scale),
        *mixed(geography, scale),
    ]
